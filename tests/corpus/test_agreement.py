"""Who is right about a language: verdicts, relabelling, and documents of several languages."""

import pickle
import re

import pyarrow as pa
import pytest

from emma500.corpus.agreement import MOST_PARTS, Agreement
from emma500.corpus.filtering.decisions import Decide
from emma500.corpus.filtering.thresholds import Thresholds
from emma500.corpus.integration import Integrate
from emma500.corpus.labelling import Request
from emma500.corpus.signals.measures import Lists
from emma500.corpus.verdicts import VERDICTS, verdict
from emma500.languages.identification.langid_identifier import LangidIdentifier
from emma500.records import raw_schema

ENGLISH = "All human beings are born free and equal in dignity and rights, and should act kindly towards one another."
GERMAN = "Alle Menschen sind frei und gleich an Würde und Rechten geboren und sollen einander freundlich begegnen."
IN_ENGLISH = (
    "Everyone has the right to life, liberty and security of person, as the first chapter says.",
    "No one shall be held in slavery, and the slave trade shall be prohibited in all its forms.",
    "All are equal before the law and are entitled to its protection without any discrimination.",
)
IN_GERMAN = (
    "Jeder hat das Recht auf Leben, Freiheit und Sicherheit der Person, wie schon gesagt wurde.",
    "Niemand darf in Sklaverei gehalten werden, und der Sklavenhandel ist überall verboten worden.",
    "Alle Menschen sind vor dem Gesetz gleich und haben Anspruch auf seinen Schutz ohne Unterschied.",
    "Niemand darf willkürlich festgenommen, in Haft gehalten oder des Landes verwiesen werden.",
    "Jeder hat das Recht, überall als rechtsfähig anerkannt zu werden, und auf wirksame Hilfe.",
)
KNOWN = frozenset(
    {"eng_Latn", "hrv_Latn", "srp_Cyrl", "zho_Hans", "zho_Hant", "swa_Latn", "sot_Latn"}
)


_SAID = re.compile(r"(?:(\w{3}_\w{4})=([.\d]+): )?")


class Says:
    """An identifier that answers with what a text begins with, as "eng_Latn=.9: ", else und."""

    name = "says"
    labels = KNOWN

    def identify(self, texts):
        said = [None if text is None else _SAID.match(text) for text in texts.to_pylist()]
        label = [each and (each[1] or "und_Latn") for each in said]
        score = [each and float(each[2] or 0) for each in said]
        return pa.array(label, pa.string()), pa.array(score, pa.float32())

    def knows(self, iso639_3):
        return iso639_3 in {label[:3] for label in KNOWN}

    def fingerprint(self):
        return "00"


def integrated(texts, codes, relabel="unknown", languages=None, identifier=None):
    n = len(texts)
    columns = {
        "component": ["monolingual"] * n, "text": texts, "original_code": codes,
        "target_text": [None] * n, "target_original_code": [None] * n,
        "source": ["test"] * n, "source_license": ["CC0-1.0"] * n, "url": [""] * n,
        "origin": [f"a.jsonl:{place}" for place in range(n)], "reason": [None] * n,
    }  # fmt: skip
    function = Integrate(
        request=Request(languages), agreement=Agreement(identifier=identifier or Says(), relabel=relabel),
        lists=Lists.of(), contamination=None,
        conventions={}, refuse_unknown=False, drop_repeated_lines=True, licenses=None,
        opt_out=None, redact=(), repair_mojibake=False,
        keep_excluded=True, seed=1, num_perm=0,
        bands=14, ngram=5,
    )  # fmt: skip
    return function(pa.RecordBatch.from_pydict(columns, schema=raw_schema()))


def reasons(batch, min_lid_consistency=0.5):
    decide = Decide(
        thresholds=Thresholds.of("mala"), min_words=1, min_script_share=0.5, min_lid_consistency=min_lid_consistency
    )  # fmt: skip
    return decide(batch)["reason"].to_pylist()


@pytest.mark.parametrize(
    ("label", "lid_label", "expected"),
    [
        ("eng_Latn", "eng_Latn", "agrees"),
        ("zho_Hani", "zho_Hans", "agrees"),
        ("swh_Latn", "swa_Latn", "related"),
        ("hrv_Latn", "bos_Latn", "related"),  # two members of one macrolanguage
        ("eng_Latn", "und_Latn", "undecided"),
        ("eng_Latn", "", "undecided"),
        ("und_Latn", "eng_Latn", "undecided"),
        ("yor_Latn", "eng_Latn", "unknown"),
        ("srp_Latn", "eng_Latn", "unknown"),  # known in another script only
        ("sot_Latn", "eng_Latn", "differs"),
        ("sot_Latn", "zxx_Latn", "no_language"),
        ("yor_Latn", "zxx_Latn", "unknown"),
    ],
)
def test_the_verdict_compares_two_labels_by_what_the_identifier_knows(label, lid_label, expected):
    assert verdict(label, lid_label, KNOWN) == expected
    assert expected in VERDICTS


def test_a_document_without_a_known_language_takes_the_identified_one_if_the_score_is_high_enough():
    texts = [f"eng_Latn=.9: {ENGLISH}", f"eng_Latn=.5: {ENGLISH}", f"und_Latn=0: {ENGLISH}"]
    batch = integrated(texts, ["und", "xx-nothing", None])
    assert batch["label"].to_pylist() == ["eng_Latn", "und_Latn", "und_Latn"]
    assert batch["iso639_3"].to_pylist() == ["eng", "und", "und"]
    assert batch["lid_verdict"].to_pylist() == ["identified", "undecided", "undecided"]
    assert batch["original_code"].to_pylist() == ["und", "xx-nothing", None]


def test_a_document_nobody_labelled_is_in_the_language_asked_for_if_it_is_identified_so():
    texts = [f"swa_Latn=.9: {ENGLISH}", f"eng_Latn=.9: {ENGLISH}"]
    batch = integrated(texts, ["und", "und"], languages=["swh"])
    assert batch["label"].to_pylist() == ["swa_Latn", "eng_Latn"]
    assert batch["reason"].to_pylist() == [None, "not_requested"]


@pytest.mark.parametrize(
    ("relabel", "label", "says", "reason"),
    [
        ("unknown", "sot_Latn", "differs", "language_mismatch"),
        ("never", "sot_Latn", "differs", "language_mismatch"),
        ("confident", "eng_Latn", "identified", None),
    ],
)
def test_a_document_the_identifier_surely_contradicts_is_left_out_or_relabelled_as_configured(
    relabel, label, says, reason
):
    batch = integrated([f"eng_Latn=.95: {ENGLISH} {IN_ENGLISH[0]}"], ["st"], relabel)
    assert batch["label"].to_pylist() == [label]
    assert batch["lid_verdict"].to_pylist() == [says]
    assert reasons(batch) == [reason]


def test_a_document_the_identifier_doubts_stays_and_is_flagged():
    batch = integrated([f"eng_Latn=.6: {ENGLISH} {IN_ENGLISH[0]}"], ["st"], "confident")
    assert batch["label"].to_pylist() == ["sot_Latn"]
    assert batch["lid_verdict"].to_pylist() == ["differs"]
    assert reasons(batch) == [None]


def test_a_document_without_any_language_is_left_out():
    batch = integrated([f"zxx_Latn=.95: {ENGLISH} {IN_ENGLISH[0]}"], ["en"])
    assert reasons(batch) == ["no_language"]


def test_prose_among_code_is_kept_by_its_sentences():
    class TakesWholesForCode(Says):
        def identify(self, texts):
            found = [
                text and ("zxx_Latn" if "\n" in text else "eng_Latn") for text in texts.to_pylist()
            ]
            return pa.array(found, pa.string()), pa.array([0.95] * len(found), pa.float32())

    lines = "\n".join([*IN_ENGLISH, ENGLISH])
    batch = integrated([lines, lines], ["en", "st"], identifier=TakesWholesForCode())
    assert batch["lid_verdict"].to_pylist() == ["no_language"] * 2
    assert batch["lid_consistency"].to_pylist() == [1, 0]
    assert reasons(batch) == [None, "no_language"]


def test_a_document_of_two_languages_is_left_out_by_the_share_of_its_sentences():
    whole, half = "\n".join([*IN_ENGLISH, ENGLISH]), "\n".join([*IN_ENGLISH, *IN_GERMAN])
    batch = integrated([whole, half, ENGLISH], ["en", "de", "en"], identifier=LangidIdentifier())
    consistency = batch["lid_consistency"].to_pylist()
    assert consistency[0] == 1
    assert consistency[1] == pytest.approx(5 / 8)
    assert consistency[2] is None  # one sentence is too few to tell
    assert batch["lid_verdict"].to_pylist() == ["agrees"] * 3
    assert [each == "mixed_languages" for each in reasons(batch)] == [False, False, False]
    assert reasons(batch, min_lid_consistency=0.8)[1] == "mixed_languages"


def test_only_some_sentences_of_a_long_document_are_identified():
    asked = []

    class Counting(Says):
        labels = frozenset({"eng_Latn"})

        def identify(self, texts):
            asked.append(len(texts) - texts.null_count)
            return pa.array(["eng_Latn"] * len(texts)), pa.array([0.9] * len(texts), pa.float32())

    lines = "\n".join(f"{ENGLISH} And number {number} too." for number in range(500))
    batch = integrated([lines, ENGLISH], ["en", "en"], identifier=Counting())
    assert asked[-1] == MOST_PARTS  # those of the short document would not be enough
    assert batch["lid_consistency"].to_pylist() == [1, None]


def test_an_agreement_can_be_pickled_and_no_rows_are_no_trouble():
    agreement = pickle.loads(pickle.dumps(Agreement(identifier=Says(), relabel="unknown")))
    assert agreement.relabel == "unknown"
    assert integrated([], []).num_rows == 0
