import json

import pytest

from emma500.benchmarks.registry import open_benchmark
from emma500.errors import ConfigError, FailureError, LanguageError, OutputError, SourceError
from emma500.evaluation.polywrite.build import PolyWriteConfig, build_polywrite
from emma500.evaluation.polywrite.prompts import writing_prompts
from emma500.evaluation.polywrite.result import PolyWrite
from emma500.evaluation.polywrite.scoring import FIELDS, reason_out

TWO = PolyWriteConfig(categories=["story", "fable"])


class Reversing:
    """Writes each word backwards; what it does to single languages is the tests' business."""

    def __init__(self, unknown=(), dies_at=None):
        self.description = {"name": "reversing", "revision": "1"}
        self.unknown, self.dies_at, self.asked = unknown, dies_at, []

    def supports(self, label):
        return label not in self.unknown

    def translate(self, texts, *, source, target):
        self.asked.append((source, target))
        if target == self.dies_at:
            raise KeyboardInterrupt
        if target == "hye_Armn":
            return list(texts)  # not translated at all
        if source == "fin_Latn":
            return ["nothing of it" for _ in texts]  # lost on the way back
        if target == "kat_Geor":
            return ["" if "lighthouse" in each else each[::-1] for each in texts]
        return [each[::-1] for each in texts]


def test_31_tasks_have_five_different_prompts_each():
    prompts = writing_prompts()
    tasks = [each.category for each in prompts]
    assert len(set(tasks)) == 31
    assert {tasks.count(each) for each in tasks} == {5}
    assert (
        len({each.text for each in prompts})
        == len({(each.category, each.name) for each in prompts})
        == 155
    )
    words = [len(each.text.split()) for each in prompts]
    assert min(words) >= 9  # BLEU of fewer words says little
    assert max(words) <= 30


def test_records_have_the_published_form_and_are_kept_by_their_back_translation(tmp_path):
    found = build_polywrite(Reversing(), ["swh", "fi", "hy", "ka", "en"], tmp_path / "out", TWO)
    rows = {label: found.rows(label) for label in found.labels}
    assert {label: len(each) for label, each in rows.items()} == {
        "eng_Latn": 10, "fin_Latn": 0, "hye_Armn": 0, "kat_Geor": 9, "swh_Latn": 10,
    }  # fmt: skip
    first = rows["swh_Latn"][0]
    assert tuple(first) == FIELDS
    assert first["prompt_translated"] == first["prompt_en"][::-1]
    assert first["prompt_backtranslated"] == first["prompt_en"]
    assert (first["bleu"], first["chrf++"], first["lang_script"]) == (100.0, 100.0, "swh_Latn")
    reasons = {row["label"]: row["reasons"] for row in found.manifest["languages"]}
    assert reasons == {
        "eng_Latn": {}, "fin_Latn": {"bleu": 10}, "hye_Armn": {"copied": 10}, "kat_Geor": {"empty": 1},
        "swh_Latn": {},
    }  # fmt: skip
    assert [row["reason"] for row in found.rows("kat_Geor", excluded=True)] == ["empty"]
    assert found.manifest["tasks"] == [
        {"category": "story", "n": 25, "n_kept": 14},
        {"category": "fable", "n": 25, "n_kept": 15},
    ]
    assert "29 of 50 prompts kept, 5 languages, 2 tasks" in repr(found)
    assert len({row["uuid"] for each in rows.values() for row in each}) == 29


def test_scores_are_those_of_sacrebleu_for_the_sentence(tmp_path):
    import sacrebleu

    class Dropping(Reversing):
        def translate(self, texts, *, source, target):
            cut = [" ".join(each.split()[:-2]) for each in texts]
            return cut if target == "eng_Latn" else [each.upper() for each in texts]

    (row, *_) = build_polywrite(Dropping(), ["swh"], tmp_path / "o", TWO).rows(
        "swh_Latn", excluded=True
    )
    back, english = row["prompt_backtranslated"], row["prompt_en"]
    assert row["bleu"] == round(sacrebleu.sentence_bleu(back, [english]).score, 2)
    assert row["chrf++"] == round(sacrebleu.sentence_chrf(back, [english], word_order=2).score, 2)


def test_either_threshold_leaves_a_record_out_and_what_is_as_high_stays():
    row = {"prompt_en": "Write.", "prompt_translated": "Andika.", "lang_script": "swh_Latn"}
    reasons = [
        reason_out(row | {"bleu": bleu, "chrf++": chrf}, min_bleu=20, min_chrf=30)
        for bleu, chrf in ((20, 30), (19.9, 99), (99, 29.9))
    ]
    assert reasons == ["", "bleu", "chrf++"]


def test_a_killed_build_goes_on_and_gives_the_same_bytes(tmp_path):
    whole = build_polywrite(Reversing(), ["fi", "ka", "swh"], tmp_path / "whole", TWO)
    with pytest.raises(KeyboardInterrupt):
        build_polywrite(Reversing(dies_at="kat_Geor"), ["fi", "ka", "swh"], tmp_path / "out", TWO)
    assert not (tmp_path / "out").exists()
    rest = Reversing()
    found = build_polywrite(rest, ["fi", "ka", "swh"], tmp_path / "out", TWO)
    assert {target for _, target in rest.asked} == {"kat_Geor", "swh_Latn", "eng_Latn"}
    files = [path.relative_to(whole.path) for path in whole.path.rglob("*") if path.is_file()]
    assert len(files) == 4  # two languages with records, what was left out, the manifest
    assert all(
        (found.path / each).read_bytes() == (whole.path / each).read_bytes() for each in files
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "whole"]


def test_more_languages_and_other_thresholds_translate_only_what_is_new(tmp_path):
    build_polywrite(Reversing(), ["fi"], tmp_path / "out", TWO)
    again = Reversing()
    lower = PolyWriteConfig(categories=TWO.categories, min_bleu=0, min_chrf=0)
    found = build_polywrite(again, ["fi", "swh"], tmp_path / "out", lower)
    assert again.asked == [("eng_Latn", "swh_Latn"), ("swh_Latn", "eng_Latn")]
    assert len(found.rows("fin_Latn")) == 10
    with pytest.raises(OutputError, match="also has fin_Latn, which this call leaves out"):
        build_polywrite(Reversing(), ["swh"], tmp_path / "out", lower)
    with pytest.raises(OutputError, match=r"another translator .reversing. or of other prompts"):
        build_polywrite(Reversing(), ["fi", "swh"], tmp_path / "out")


def test_the_benchmark_reads_what_was_built(tmp_path):
    found = build_polywrite(Reversing(), ["fi", "swh", "ka"], tmp_path / "polywrite", TWO)
    benchmark = open_benchmark(f"polywrite={found.path}")
    assert benchmark.task.labels == ("kat_Geor", "swh_Latn")  # none of Finnish was kept
    examples = benchmark.task.examples("swh_Latn", "test")
    assert [each.fields["text"] for each in examples] == [
        row["prompt_translated"] for row in found.rows("swh_Latn")
    ]
    assert len({each.parallel_id for each in examples}) == 10


@pytest.mark.parametrize(
    ("translator", "languages", "error", "told"),
    [
        (Reversing(unknown=("swh_Latn",)), ["fi", "swh"], LanguageError, "reversing does not know swh_Latn"),
        (Reversing(), [], LanguageError, "no languages"),
        (Reversing(), ["qqqqq"], LanguageError, "qqqqq"),
    ],
)  # fmt: skip
def test_a_call_that_cannot_be_done_says_so_before_anything_is_translated(
    tmp_path, translator, languages, error, told
):
    with pytest.raises(error, match=told):
        build_polywrite(translator, languages, tmp_path / "out", TWO)
    assert translator.asked == []
    assert not list(tmp_path.iterdir())


def test_what_is_wrong_is_named(tmp_path):
    class Short(Reversing):
        def translate(self, texts, *, source, target):
            return list(texts)[1:]

    with pytest.raises(FailureError, match="reversing returned 9 translations of 10 texts"):
        build_polywrite(Short(), ["swh"], tmp_path / "out", TWO)
    with pytest.raises(ConfigError, match=r"unknown task of writing 'storry'.*nearest: story"):
        PolyWriteConfig(categories=["storry"])
    with pytest.raises(ConfigError, match="min_bleu must be from 0 to 100, not 120"):
        PolyWriteConfig(min_bleu=120)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "manifest.json").write_text(json.dumps({"kind": "scores"}))
    with pytest.raises(OutputError, match="not a finished polywrite"):
        build_polywrite(Reversing(), ["swh"], tmp_path / "other", TWO)
    with pytest.raises(SourceError, match="holds a scores, not a polywrite"):
        PolyWrite(tmp_path / "other")
    found = build_polywrite(Reversing(), ["swh"], tmp_path / "good", TWO)
    with pytest.raises(LanguageError, match="has no swa_Latn; nearest: swh_Latn"):
        found.rows("swa_Latn")
