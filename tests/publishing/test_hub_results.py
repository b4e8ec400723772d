"""Scores in the forms that the Hub shows beside a model, read back by the classes of its client."""

import json

import pytest
import yaml
from huggingface_hub import ModelCard, ModelCardData, parse_eval_result_entries

from emma500.errors import ConfigError, SourceError
from emma500.evaluation.scores import Scores
from emma500.publishing.publish import PublishConfig, publish

COMMIT = "042f78955ba48e6404616762fa6e05e839c3907a"

pytestmark = pytest.mark.usefixtures("placeholders")


@pytest.fixture
def scored(after):
    """The example scores, and those of a task in two modes and two languages, one of them under another prompt, too."""
    manifest = json.loads(json.dumps(after.manifest))
    named = {"resource_group": "low", "n": 9, "data_revision": COMMIT, "stderr": 0.1}
    for mode, values in {
        "fixed": (0.5, 0.75),
        "faithful": (0.4, 0.6),
        "fixed+prompt=2": (0.1, 0.1),
    }.items():
        keys = {"benchmark": "xcopa", "metric": "accuracy", "mode": mode}
        for label, value in zip(("swa_Latn", "tam_Taml"), values, strict=True):
            manifest["results"].append(keys | named | {"label": label, "value": value})
            manifest["results"].append(
                keys | named | {"label": label, "value": 9.0, "metric": "other"}
            )
        mean = {"group": "all", "n_labels": 2, "n": 18, "stderr": 0.1, "value": sum(values) / 2}
        manifest["aggregates"] += [keys | mean, keys | mean | {"metric": "other", "value": 9.0}]
    manifest["benchmarks"].append({"name": "xcopa", "contaminated": True, "shape": "choice"})
    return Scores(manifest, after.details)


def read(folder):
    text = (folder / "README.md").read_text(encoding="utf-8")
    data = ModelCard(text, ignore_metadata_errors=False).data
    assert isinstance(data, ModelCardData)
    return data.eval_results


def entries(path):
    return parse_eval_result_entries(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_the_card_holds_one_result_a_benchmark_and_mode_that_the_client_reads(
    model, scored, tmp_path
):
    publish(model, "user/m", scores=[scored], directory=tmp_path)
    found = {(each.dataset_type, each.metric_name): each for each in read(tmp_path / "user" / "m")}
    text = found["gflanguages", "bits per byte, mean over labels"]
    assert text.metric_type == "bits_per_byte"
    assert text.metric_value == round(scored.aggregates[0]["value"], 4)
    assert text.dataset_revision is None
    told = "mean over labels, trained on its source"
    task = found["cambridgeltl/xcopa", f"accuracy, fixed, {told}"]
    assert (task.metric_value, task.dataset_revision, task.dataset_name) == (
        0.625,
        COMMIT,
        "xcopa, 2 labels",
    )
    assert found["cambridgeltl/xcopa", f"accuracy, faithful, {told}"].metric_value == 0.5
    assert len(found) == 3, "no other prompt and no other metric"
    assert not (tmp_path / "user" / "m" / ".eval_results").exists()


def test_what_the_hub_ranks_goes_into_a_file_that_the_client_reads(model, scored, tmp_path):
    config = PublishConfig(
        eval_results=["xcopa=cambridgeltl/xcopa:mean", "xcopa/tam_Taml=org/other:tamil"]
    )
    done = publish(model, "user/m", config, scores=[scored], directory=tmp_path)
    folder = tmp_path / "user" / "m" / ".eval_results"
    assert {name for name in done.files if name.startswith(".eval")} == {
        f".eval_results/emma500-{task}-{mode}.yaml"
        for task in ("cambridgeltl-xcopa-mean", "org-other-tamil")
        for mode in ("fixed", "faithful")
    }
    [fixed] = entries(folder / "emma500-cambridgeltl-xcopa-mean-fixed.yaml")
    [faithful] = entries(folder / "emma500-cambridgeltl-xcopa-mean-faithful.yaml")
    assert (fixed.dataset_id, fixed.task_id, fixed.value, fixed.dataset_revision) == (
        "cambridgeltl/xcopa",
        "mean",
        0.625,
        COMMIT,
    )
    assert (
        fixed.notes,
        faithful.value,
    ) == ("accuracy, fixed, mean over labels, trained on its source", 0.5)
    assert fixed.source_url == "https://huggingface.co/user/m/tree/main/evaluation"
    [tamil] = entries(folder / "emma500-org-other-tamil-fixed.yaml")
    assert (tamil.value, tamil.task_id, tamil.dataset_revision) == (0.75, "tamil", None)
    assert "tam_Taml" in tamil.notes


@pytest.mark.parametrize(
    "written",
    ["xcopa", "xcopa=org/x", "xcopa=x:task", "=org/x:t", "a/b/c=org/x:t", "xcopa=../x:t", "xcopa=org/x:a b"],
)  # fmt: skip
def test_what_names_no_task_of_the_hub_is_refused(written):
    with pytest.raises(ConfigError, match=r"write BENCHMARK=USER/DATASET:TASK"):
        PublishConfig(eval_results=[written])


def test_two_scores_for_one_task_of_the_hub_are_refused():
    with pytest.raises(ConfigError, match="names org/x:t twice"):
        PublishConfig(eval_results=["xcopa/swa_Latn=org/x:t", "xcopa/tha_Thai=org/x:t"])


def test_a_score_that_is_not_there_is_not_published(model, scored, tmp_path):
    for asked, scores, message in (
        ("sib200=Davlan/sib200:x", [scored], "names sib200, of which there is no score"),
        ("xcopa/yor_Latn=a/b:x", [scored], "names xcopa in yor_Latn"),
        ("xcopa=a/b:x", [], "eval_results needs scores"),
    ):
        with pytest.raises(SourceError, match=message):
            publish(
                model, "user/m", PublishConfig(eval_results=[asked]), scores=scores, directory=tmp_path
            )  # fmt: skip


def test_results_of_others_stay_and_ours_go_with_the_option(hub, client, model, scored, tmp_path):
    scored.save(tmp_path / "scores")
    first, n_uploaded, last = client(
        f"""
from huggingface_hub import HfApi
def publish_with(*asked):
    config = PublishConfig(eval_results=list(asked), **quick)
    return publish({str(model)!r}, "emma/m", config, scores=[{str(tmp_path / "scores")!r}])
def files():
    return HfApi().list_repo_files("emma/m")
publish_with("xcopa=cambridgeltl/xcopa:mean")
other = b"- dataset: {{id: a/b, task_id: x}}"
HfApi().upload_file(path_or_fileobj=other, path_in_repo=".eval_results/other.yaml", repo_id="emma/m")
first = files()
again = publish_with("xcopa=cambridgeltl/xcopa:mean")
publish_with()
print(json.dumps([first, again.n_uploaded, files()]))
"""
    )
    ours = ".eval_results/emma500-cambridgeltl-xcopa-mean-fixed.yaml"
    assert {ours, ".eval_results/other.yaml"} <= set(first)
    assert n_uploaded == 0
    assert ours not in last
    assert ".eval_results/other.yaml" in last
