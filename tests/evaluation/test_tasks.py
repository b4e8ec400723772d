import pyarrow as pa
import pytest

from emma500.errors import ConfigError, LanguageError, SourceError, UsageError
from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.evaluation.scores import Scores
from emma500.evaluation.significance import compare_models
from tests.benchmarks.published_files import jsonl, lines, write

SHORT = EvalConfig(limit=2, max_new_tokens=4, max_length=64)


def scored(model, name, folder, languages=None, **options):
    config = EvalConfig(limit=3, max_new_tokens=4, max_length=64, **options)
    return evaluate(model, [f"{name}={write(name, folder)}"], languages, config)


def metrics_of(scores):
    return {row["metric"] for row in scores.rows}


@pytest.mark.parametrize(
    ("name", "options", "metrics"),
    [
        ("xcopa", {}, {"accuracy", "acc_norm"}),
        ("xstorycloze", {}, {"accuracy", "acc_norm"}),
        ("xwinograd", {}, {"accuracy"}),
        ("xnli", {}, {"accuracy", "acc_norm"}),
        ("americasnli", {}, {"accuracy", "acc_norm"}),
        ("belebele", {}, {"accuracy"}),
        ("arc", {}, {"accuracy", "acc_norm"}),
        ("global-mmlu", {}, {"accuracy"}),
        ("taxi1500", {}, {"accuracy", "acc_norm"}),
        ("ntrex128", {}, {"bleu", "chrf++", "empty_rate"}),
        ("tatoeba", {}, {"bleu", "chrf++", "empty_rate"}),
        ("mgsm", {}, {"number_match", "empty_rate"}),
        ("mgsm-cot", {"shots": 2}, {"number_match", "empty_rate"}),
        ("xlsum", {}, {"rouge_l", "empty_rate"}),
        ("massivesumm-long", {}, {"rouge_l", "empty_rate"}),
        ("aya", {}, {"bleu", "chrf++", "rouge_l", "self_bleu", "empty_rate"}),
        ("polywrite", {}, {"self_bleu", "repetition_rate", "empty_rate"}),
        ("humaneval", {}, {"pass@1"}),
        ("multipl-e", {}, {"pass@1"}),
        ("glot500", {}, {"bits_per_byte", "nll", "nll_per_token"}),
        ("pbc", {}, {"bits_per_byte", "nll", "nll_per_token"}),
    ],
)
def test_a_benchmark_of_each_shape_is_scored_from_files_as_published(
    tiny_model, tmp_path, name, options, metrics
):
    scores = scored(tiny_model, name, tmp_path, **options)
    assert metrics_of(scores) == metrics
    for row in scores.rows:
        assert (row["mode"], row["model"]) == ("fixed", "tiny")
        if row["value"] is None:
            assert row["n"] == 0
        else:
            assert 0 < row["n"] <= 3
    assert {row["group"] for row in scores.aggregates} >= {"all"}
    assert name in repr(scores)


def test_a_translation_is_scored_in_both_directions(tiny_model, tmp_path):
    scores = evaluate(
        tiny_model, [f"flores200={write('flores200', tmp_path)}"], ["swh", "eng"], SHORT
    )
    assert scores.missing == []  # English is the other side
    assert {(row["benchmark"], row["label"]) for row in scores.rows} == {
        ("flores200-eng-x", "swh_Latn"), ("flores200-x-eng", "swh_Latn"),
    }  # fmt: skip
    sample = scores.samples.to_pylist()[0]
    assert sample["prompt"].startswith(
        "Translate the following sentences from English to Swahili\n[English]: "
    )
    assert (sample["n_shots"], len(sample["outputs"]), len(sample["targets"])) == (3, 1, 1)


def test_accuracy_is_that_of_the_log_likelihoods_kept(tiny_model, shared):
    scores = evaluate(
        tiny_model,
        ["xcopa"],
        ["swh", "tha"],
        EvalConfig(data_dir=str(shared / "data"), limit=20),
    )
    for label in ("swa_Latn", "tha_Thai"):
        own = [row for row in scores.samples.to_pylist() if row["label"] == label]
        right = [row["logliks"].index(max(row["logliks"])) == row["gold"] for row in own]
        assert scores.value("xcopa", label, "accuracy") == pytest.approx(sum(right) / 20)
    (mean,) = [
        row for row in scores.aggregates if (row["metric"], row["group"]) == ("accuracy", "all")
    ]
    assert (mean["n_labels"], mean["n"], mean["clustered_by"]) == (2, 40, "parallel_id")
    assert {row["id"] for row in scores.samples.to_pylist() if row["label"] == "swa_Latn"} == {
        row["id"] for row in scores.samples.to_pylist() if row["label"] == "tha_Thai"
    }


def test_scores_of_tasks_are_saved_loaded_and_compared(tiny_model, other_model, shared, tmp_path):
    config = EvalConfig(data_dir=str(shared / "data"), limit=8)
    one, two = (
        evaluate(model, ["sib200"], ["swh", "fin"], config, output=tmp_path / str(n))
        for n, model in enumerate((tiny_model, other_model))
    )
    again = Scores.load(tmp_path / "0")
    assert again.samples.equals(one.samples)
    assert again.measured("sib200", "accuracy").keys() == {"swh_Latn", "fin_Latn"}
    frame = compare_models(
        two.measured("sib200", "accuracy"), again.measured("sib200", "accuracy"), resamples=50
    )
    assert list(frame["label"]) == ["fin_Latn", "swh_Latn", "all"]
    assert again.measured("sib200", "accuracy")["fin_Latn"].value == one.value(
        "sib200", "fin_Latn", "accuracy"
    )
    assert repr(again) == repr(one)
    whole = two.compare_tasks(again)
    assert set(whole["metric"]) == {"accuracy", "acc_norm"}
    row = whole[(whole["metric"] == "accuracy") & (whole["label"] == "fin_Latn")].iloc[0]
    assert row["difference"] == pytest.approx(
        two.value("sib200", "fin_Latn", "accuracy") - one.value("sib200", "fin_Latn", "accuracy")
    )
    with pytest.raises(UsageError, match=r"no sib200/bleu/fixed; there are sib200/accuracy/fixed"):
        one.measured("sib200", "bleu")
    empty = Scores(one.manifest, one.details)
    with pytest.raises(UsageError, match="share no item of a task"):
        one.compare_tasks(empty)


def test_both_modes_stand_side_by_side(tiny_model, tmp_path):
    folder = write("taxi1500", tmp_path)
    config = EvalConfig(mode="both", limit=3)
    scores = evaluate(tiny_model, [f"taxi1500={folder}"], config=config)
    assert {row["mode"] for row in scores.rows} == {"faithful", "fixed"}
    rounded = scores.value("taxi1500", scores.rows[0]["label"], "accuracy", "faithful")
    assert rounded == round(rounded, 2)
    prompts = {row["mode"]: row["prompt"] for row in scores.samples.to_pylist()}
    assert prompts["faithful"].endswith("is\n")
    assert prompts["fixed"].endswith("is")


def test_text_and_tasks_are_scored_in_one_run(tiny_model, tmp_path):
    folder = write("xstorycloze", tmp_path)
    config = EvalConfig(data=[f"xstorycloze={folder}"], limit=2, max_length=64, mode="faithful")
    scores = evaluate(tiny_model, ["bits-per-byte", f"xstorycloze={folder}"], config=config)
    assert {row["benchmark"] for row in scores.rows} == {"xstorycloze-text", "xstorycloze"}
    (windows,) = [row for row in scores.rows if row["metric"] == "nll_window_sum"]
    assert (windows["mode"], windows["n"]) == ("faithful", 1)
    assert windows["value"] > 0
    assert "tasks:" in repr(scores)
    assert "bits per byte" in repr(scores)


def test_the_same_call_gives_the_same_tables(tiny_model, tmp_path):
    folder = write("aya", tmp_path)
    one, two = (
        evaluate(
            tiny_model,
            [f"aya={folder}"],
            config=EvalConfig(max_new_tokens=6, mode=mode, switches=["decoding=sampled"]),
        )
        for mode in ("fixed", "fixed")
    )
    assert one.samples.equals(two.samples)
    assert one.manifest == two.manifest


def test_fewer_items_are_the_same_ones_in_every_language_whatever_their_order(tiny_model, tmp_path):
    folder = write("xcopa", tmp_path)
    rows = (folder / "data/sw/test.sw.jsonl").read_text().splitlines()
    lines(folder / "data/it/test.it.jsonl", rows[::-1])
    samples = evaluate(tiny_model, [f"xcopa={folder}"], config=SHORT).samples.to_pylist()
    ids = {each["label"]: set[str]() for each in samples}
    for each in samples:
        ids[each["label"]].add(each["id"])
    assert ids["ita_Latn"] == ids["swa_Latn"]
    assert len(ids["swa_Latn"]) == 2


def test_finished_tasks_are_returned_and_other_settings_are_another_result(tiny_model, tmp_path):
    folder = write("xcopa", tmp_path / "data")
    first = evaluate(tiny_model, [f"xcopa={folder}"], config=SHORT, output=tmp_path / "scores")
    again = evaluate(tiny_model, [f"xcopa={folder}"], config=SHORT, output=tmp_path / "scores")
    assert again.manifest == first.manifest
    one, two = (
        evaluate(tiny_model, [f"xcopa={folder}"], config=config).manifest["fingerprint"]
        for config in (
            SHORT,
            EvalConfig(limit=2, max_new_tokens=4, max_length=64, mode="lm-eval"),
        )
    )
    assert one == first.manifest["fingerprint"] != two


def test_responses_are_kept_and_taken_up(tiny_model, tmp_path, monkeypatch):
    folder = write("xcopa", tmp_path / "data")
    config = EvalConfig(cache=str(tmp_path / "responses.sqlite"), limit=3)
    first = evaluate(tiny_model, [f"xcopa={folder}"], config=config)
    from emma500.evaluation.likelihood import scorer

    monkeypatch.setattr(scorer.LikelihoodScorer, "_run", None)
    assert evaluate(tiny_model, [f"xcopa={folder}"], config=config).samples.equals(first.samples)


def test_programs_are_not_evaluated_unless_allowed(tiny_model, tmp_path, monkeypatch):
    monkeypatch.delenv("HF_ALLOW_CODE_EVAL", raising=False)
    scores = scored(tiny_model, "humaneval", tmp_path)
    (row,) = scores.rows
    assert (row["value"], row["n"], row["label"]) == (None, 0, "python")
    assert "running programs of a model is off: allow it with run_code=True (--run_code)" in repr(
        scores
    )


def test_a_prompt_longer_than_the_window_loses_shots_and_is_counted(tiny_model, tmp_path):
    folder = write("belebele", tmp_path)
    config = EvalConfig(max_prompt=260, limit=2, shots=3)
    scores = evaluate(tiny_model, [f"belebele={folder}"], config=config)
    assert {(row["n_shots"], row["is_truncated"]) for row in scores.samples.to_pylist()} == {
        (1, True)
    }
    assert scores.manifest["benchmarks"][0]["n_truncated"] == 2
    assert "2 prompts were longer than the window" in repr(scores)
    tight = evaluate(tiny_model, [f"belebele={folder}"], config=EvalConfig(max_prompt=20, limit=2))
    assert {row["n_shots"] for row in tight.samples.to_pylist()} == {0}
    assert tight.rows[0]["n"] == 2


def test_labels_that_are_nothing_and_answers_longer_than_the_window_are_refused(
    tiny_model, tmp_path
):
    jsonl(
        tmp_path / "test/en.jsonl",
        [{"sentence": "Is it _", "option1": "a", "option2": "b", "answer": "1"}],
    )
    with pytest.raises(ConfigError, match=r"xwinograd, eng_Latn: .*has no tokens"):
        evaluate(tiny_model, [f"xwinograd={tmp_path}"], config=SHORT)
    with pytest.raises(ConfigError, match=r"leaves no room for a prompt"):
        scored(tiny_model, "aya", tmp_path / "aya", max_prompt=4)


def test_wrong_settings_and_missing_data_name_the_way_out(tiny_model, tmp_path):
    with pytest.raises(
        ConfigError, match=r"unknown mode 'exact'; it is one of fixed, faithful, lm-eval, both"
    ):
        EvalConfig(mode="exact")
    with pytest.raises(ConfigError, match=r"unknown switch 'tie'.*nearest: ties"):
        EvalConfig(switches=["tie=first"])
    with pytest.raises(
        ConfigError, match=r"ties must be one of first, last_label, split, not 'none'"
    ):
        EvalConfig(switches=["ties=none"])
    folder = write("xcopa", tmp_path)
    with pytest.raises(LanguageError, match=r"xcopa has no items in nqo; nearest: xcopa for nqo"):
        evaluate(tiny_model, [f"xcopa={folder}"], ["nqo"], SHORT)
    with pytest.raises(ConfigError, match=r"xcopa, swa_Latn: there are 0 examples to show, not 3"):
        evaluate(tiny_model, [f"xcopa={folder}"], config=EvalConfig(shots=3))
    lines(tmp_path / "empty/newstest2019-ref.fin.txt", [""])
    with pytest.raises(SourceError, match=r"spBLEU|sentencepiece"):
        evaluate(
            tiny_model,
            [f"tatoeba={write('tatoeba', tmp_path / 't')}"],
            config=EvalConfig(mode="faithful"),
        )


def test_missing_languages_are_listed_beside_those_that_are_there(tiny_model, tmp_path):
    scores = evaluate(tiny_model, [f"xcopa={write('xcopa', tmp_path)}"], ["swh", "nqo"], SHORT)
    assert [row["label"] for row in scores.missing] == ["nqo_Nkoo"]
    assert [row["label"] for row in scores.manifest["matched"]] == ["swa_Latn"]
    assert isinstance(scores.measures, pa.Table)


def test_the_card_of_scores_of_tasks_shows_them_and_their_samples(tiny_model, tmp_path):
    from emma500.publishing.publish import publish

    folder = write("xcopa", tmp_path / "data")
    evaluate(tiny_model, [f"xcopa={folder}"], config=SHORT, output=tmp_path / "scores")
    publish(tmp_path / "scores", "user/scores", directory=tmp_path / "hub")
    card = (tmp_path / "hub/user/scores/README.md").read_text("utf-8")
    assert "| xcopa | fixed | `accuracy` | all | 1 | 2 |" in card
    assert "config_name: samples" in card
    assert "Bits per byte, lower is better" not in card
