"""Corpora as `build_mala` and `publish` write them, very small ones, and rows longer than any text."""

import json
import shutil

import pytest

from emma500 import BuildConfig, build_mala
from emma500.errors import OutputError
from emma500.publishing.publish import publish
from emma500.training.run import continue_pretrain
from tests.training.conftest import sentences


def document(label, n_lines, seed):
    return "\n".join(" ".join(sentences(label, 2, 100 * seed + line)) for line in range(n_lines))


def build(folder, texts, **options):
    rows = [{"text": text, "label": label} for label, text in texts]
    file = folder / "texts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return build_mala([file], folder / "mala", None, BuildConfig(**options))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A corpus of thirty documents a language, of which one has five near-duplicates."""
    labels = ("yor_Latn", "kat_Geor", "eng_Latn")
    texts = [(label, document(label, 6, seed)) for label in labels for seed in range(30)]
    texts += [
        (label, f"{document(label, 30, 99)}\n{copy}") for label in labels for copy in range(6)
    ]
    return build(tmp_path_factory.mktemp("built"), texts, keep_decisions=True)


def test_rehydration_reads_what_the_built_corpus_folded_as_often_as_its_cluster_size_says(
    built, tmp_path, model, config
):
    once, again = (
        continue_pretrain(model, built, tmp_path / str(on), config(rehydrate=on, max_steps=2))
        for on in (False, True)
    )
    for before, after in zip(once.manifest["plan"], again.manifest["plan"], strict=True):
        table = built.read("monolingual", before["label"], "train")
        sizes = dict(zip(table["text"].to_pylist(), table["cluster_size"].to_pylist(), strict=True))
        (folded,) = (text for text, size in sizes.items() if size == 6)
        assert before["n_documents"] == len(sizes)
        assert after["n_documents"] == len(sizes) + 4  # a cluster of 5 to 99 is read five times
        more = after["n_tokens_available"] - before["n_tokens_available"]
        assert more == 4 * (len(folded.encode()) + 1)  # the tokenizer's tokens are bytes


def test_a_published_folder_without_decisions_trains_the_weights_of_the_corpus_it_came_from(
    built, tmp_path, model, config
):
    publish(built, "user/mala", directory=tmp_path)
    folder = tmp_path / "user" / "mala"
    shutil.rmtree(folder / "decisions", ignore_errors=True)
    one, other = (
        continue_pretrain(model, each, tmp_path / name, config(max_steps=2))
        for each, name in ((built, "one"), (folder, "other"))
    )
    assert one.manifest == other.manifest
    assert (one.path / "model.safetensors").read_bytes() == (
        other.path / "model.safetensors"
    ).read_bytes()


def test_one_document_a_label_is_enough_for_a_run_and_has_no_curve(tmp_path, model, config):
    labels = ("yor_Latn", "kat_Geor", "eng_Latn")
    tiny = build(tmp_path, [(label, document(label, 6, 1)) for label in labels])
    run = continue_pretrain(
        model, tiny, tmp_path / "out", config(max_steps=-1, gradient_accumulation_steps=1)
    )
    plan = {row["label"]: row for row in run.manifest["plan"]}
    assert {label: row["n_documents"] for label, row in plan.items()} == dict.fromkeys(labels, 1)
    assert plan["kat_Geor"]["epochs"] == pytest.approx(1, abs=0.05)
    assert plan["yor_Latn"]["epochs"] == pytest.approx(1, abs=0.05)
    assert run.manifest["validation"] == []
    assert run.change() == {}


def test_rows_longer_than_all_text_together_make_one_step_that_reads_it(tmp_path, model, config):
    tiny = build(tmp_path, [(label, document(label, 2, 1)) for label in ("yor_Latn", "kat_Geor")])
    options = {"max_length": 2048, "max_steps": -1, "gradient_accumulation_steps": 1}
    run = continue_pretrain(model, tiny, tmp_path / "out", config(**options))
    assert run.manifest["n_steps"] == 1
    for row in run.manifest["plan"]:
        assert row["n_tokens_trained"] == row["n_tokens_available"]
    shown = run.manifest["packing"]
    used = 1 - shown["padding_share"] - shown["context_share"]
    assert used * 2048 == pytest.approx(run.manifest["n_tokens"], abs=1)


@pytest.mark.slow
def test_after_a_kill_a_corpus_that_was_built_again_is_refused_and_the_old_one_goes_on(
    tmp_path, model, config
):
    texts = [(label, document(label, 6, n)) for label in ("yor_Latn", "kat_Geor") for n in range(8)]
    folder = build(tmp_path, texts).root
    whole = continue_pretrain(model, folder, tmp_path / "whole", config())
    steps = []

    def stop(what, done, total):
        if what == "training" and done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        continue_pretrain(model, folder, tmp_path / "out", config(), progress=stop)
    build(tmp_path, [*texts, ("yor_Latn", document("yor_Latn", 6, 50))], overwrite=True)
    with pytest.raises(
        OutputError, match=r"checkpoints of a run that differs .*\(corpus: .*digest"
    ):
        continue_pretrain(model, folder, tmp_path / "out", config())
    build(tmp_path, texts, overwrite=True)
    run = continue_pretrain(
        model, folder, tmp_path / "out", config(),
        progress=lambda what, done, total: steps.append(done) if what == "training" else None,
    )  # fmt: skip
    assert steps[0] == 3
    assert run.manifest == whole.manifest
    assert (run.path / "model.safetensors").read_bytes() == (
        whole.path / "model.safetensors"
    ).read_bytes()
