"""`data/lm_eval_results.json` is what lm-eval 0.4.13 wrote for the model of conftest.py, without paths of a machine."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emma500.errors import SourceError
from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.evaluation.lm_eval_form import export_lm_eval

TASKS = {"xcopa": "xcopa_swa_Latn", "mgsm": "mgsm_swa_Latn"}


@pytest.fixture(scope="module")
def theirs():
    path = Path(__file__).parent / "data" / "lm_eval_results.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def scores(theirs, tiny_model, tmp_path_factory):
    """Scores of the same model on the same items and prompts."""
    data = tmp_path_factory.mktemp("data")
    (data / "xcopa" / "sw").mkdir(parents=True)
    docs = {task: [each["doc"] for each in rows] for task, rows in theirs["samples"].items()}
    (data / "xcopa" / "sw" / "test.sw.jsonl").write_text(
        "".join(json.dumps(each) + "\n" for each in docs["xcopa_swa_Latn"]), encoding="utf-8"
    )
    (data / "mgsm").mkdir()
    (data / "mgsm" / "mgsm_sw.tsv").write_text(
        "".join(f"{each['question']}\t{each['answer']}\n" for each in docs["mgsm_swa_Latn"]),
        encoding="utf-8",
    )
    config = EvalConfig(data_dir=str(data), mode="lm-eval", shots=0, max_new_tokens=8)
    return evaluate(tiny_model, list(TASKS), ["sw"], config)


@pytest.fixture(scope="module")
def ours(scores, tmp_path_factory):
    path = export_lm_eval(
        scores, tmp_path_factory.mktemp("out"), date=datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    )
    assert path.parent.name == "tiny"
    assert path.name == "results_2026-05-04T03-02-01.000000.json"
    samples = {
        task: [
            json.loads(line)
            for line in (path.parent / f"samples_{task}_2026-05-04T03-02-01.000000.jsonl")
            .read_text(encoding="utf-8")
            .splitlines()
        ]
        for task in TASKS.values()
    }
    return {"results": json.loads(path.read_text(encoding="utf-8")), "samples": samples}


UNKNOWN = {
    "tokenizer_pad_token", "tokenizer_eos_token", "tokenizer_bos_token", "eot_token_id", "max_length",
}  # fmt: skip
"""What the harness says of a tokenizer, and scores do not keep."""


def test_the_results_have_the_keys_of_the_harness_and_its_values(ours, theirs):
    mine, other = ours["results"], theirs["results"]
    assert set(other) - set(mine) == UNKNOWN
    assert set(other["config"]) - set(mine["config"]) == {"model_num_parameters"}
    for task in TASKS.values():
        assert set(other["results"][task]) <= set(mine["results"][task])
        for key in ("n-shot", "versions", "n-samples"):
            assert mine[key][task] == other[key][task], key
        for name in other["higher_is_better"][task]:
            assert mine["higher_is_better"][task][name] is True
        assert mine["configs"][task]["output_type"] == other["configs"][task]["output_type"]
        assert mine["configs"][task]["num_fewshot"] == other["configs"][task]["num_fewshot"]
    for task, name in (("xcopa_swa_Latn", "acc"), ("mgsm_swa_Latn", "exact_match")):
        through = "none" if name == "acc" else "flexible-extract"
        for key in (f"{name},{through}", f"{name}_stderr,{through}"):
            assert mine["results"][task][key] == pytest.approx(other["results"][task][key]), key
    assert mine["group_subtasks"] == {"xcopa": ["xcopa_swa_Latn"], "mgsm": ["mgsm_swa_Latn"]}
    assert mine["groups"]["xcopa"]["acc,none"] == mine["results"]["xcopa_swa_Latn"]["acc,none"]
    assert mine["date"] == datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC).timestamp()


def test_the_samples_have_the_keys_of_the_harness_its_texts_and_log_likelihoods(ours, theirs):
    for task, rows in theirs["samples"].items():
        mine = ours["samples"][task]
        assert [row["doc_id"] for row in mine] == [row["doc_id"] for row in rows]
        for one, other in zip(mine, rows, strict=True):
            assert set(other) <= set(one)
            for key in ("target", "target_hash", "prompt_hash", "filter"):
                assert one[key] == other[key], (task, key)
            assert set(other["metrics"]) <= set(one["metrics"])
            for name in other["metrics"]:
                assert one[name] == other[name], (task, name)
    for one, other in zip(
        ours["samples"]["xcopa_swa_Latn"], theirs["samples"]["xcopa_swa_Latn"], strict=True
    ):
        assert one["arguments"] == other["arguments"]
        for a, b in zip(one["filtered_resps"], other["filtered_resps"], strict=True):
            assert float(a[0]) == pytest.approx(float(b[0]), abs=1e-3)
    for one, other in zip(
        ours["samples"]["mgsm_swa_Latn"], theirs["samples"]["mgsm_swa_Latn"], strict=True
    ):
        assert one["arguments"]["gen_args_0"]["arg_0"] == other["arguments"]["gen_args_0"]["arg_0"]


def test_a_folder_gives_the_same_bytes_each_time_and_is_named_after_when_it_was_written(
    scores, tmp_path
):
    folder = scores.save(tmp_path / "scores")
    first = export_lm_eval(folder, tmp_path / "out")
    again = export_lm_eval(folder, tmp_path / "again")
    assert first.name == again.name
    assert first.read_bytes() == again.read_bytes()
    stamp = datetime.strptime(first.name, "results_%Y-%m-%dT%H-%M-%S.%f.json").replace(tzinfo=UTC)
    assert stamp.timestamp() == pytest.approx((folder / "manifest.json").stat().st_mtime, abs=1e-3)
    assert export_lm_eval(scores, tmp_path / "memory").name.startswith("results_1970-01-01T")
    with pytest.raises(SourceError, match=r"holds no manifest.json"):
        export_lm_eval(tmp_path / "nothing", tmp_path / "out")


def test_several_modes_and_texts_are_tasks_of_their_own(
    tiny_model, other_model, parallel_texts, tmp_path
):
    data = tmp_path / "data"
    (data / "xcopa" / "sw").mkdir(parents=True)
    row = {
        "premise": "A.", "choice1": "B", "choice2": "C", "question": "cause", "label": 0, "idx": 0, "changed": False,
    }  # fmt: skip
    (data / "xcopa" / "sw" / "test.sw.jsonl").write_text(json.dumps(row) + "\n")
    config = EvalConfig(data_dir=str(data), mode="both", limit=2)
    scores = evaluate(tiny_model, ["xcopa", str(parallel_texts)], ["sw", "en"], config)
    results = json.loads(export_lm_eval(scores, tmp_path / "out").read_text(encoding="utf-8"))
    assert {"xcopa_faithful_swa_Latn", "xcopa_fixed_swa_Latn"} <= set(results["results"])
    text = next(name for name in results["results"] if name.endswith("eng_Latn"))
    assert results["results"][text]["bits_per_byte,none"] > 0
    assert results["higher_is_better"][text]["bits_per_byte"] is False
    assert results["configs"][text]["output_type"] == "loglikelihood_rolling"
    assert results["n-samples"]["xcopa_fixed_swa_Latn"] == {
        "effective": 1
    }  # a limit hides the rest
