"""The catalogue: every row well formed, every source named, filters, configurations and printing."""

import importlib.util
import re
from pathlib import Path

import pytest

from emma500.errors import LanguageError, SourceError
from emma500.languages.codes import Language
from emma500.records import COMPONENTS
from emma500.sources.catalogue import catalogue, catalogue_table, describe, source
from emma500.sources.embedded import embedded_names
from emma500.sources.entry import ROLES, SHAPES, STATUSES
from emma500.sources.licenses import find_license
from emma500.tables import read_table

ROOT = Path(__file__).parent.parent.parent
# The names the issue and the dossier give (sections 1.7, 2.1; Glot500-c's 75 have a test of their own).
# fmt: off
NAMED = [
    "glot500-c", "culturax", "culturay", "madlad-400", "cc100", "mc4", "oscar-2301",
    "hplt-v1.2", "hplt-v2", "hplt-v3", "wikipedia", "wikisource", "bloom", "tatoeba", "xp3x",
    "aya-collection", "aya-dataset", "the-stack", "the-stack-v2", "peS2o", "csl", "gutenberg",
    "opus", "nllb", "fineweb", "fineweb2", "fineweb-2", "finepdfs", "glotcc", "dcad-2000",
    "smol", "oldi-seed", "udhr", "sil-bloom", "ebible", "w2c", "leipzig", "tico-19", "ntrex",
    "flores", "sib200", "taxi-1500", "xlsum", "afriberta", "glotsparse", "glotstorybook",
    "masakhane-ner", "masakhane-news", "nchlt", "nusa", "americasnlp", "inuktitut-nrc",
    "evenki-life", "wikimatrix", "curse-of-multilinguality", "javanese-sundanese",
    "mala-code-reasoning", "mala-code-reasoning-v1", "mala-code-reasoning-v2",
    "mala-code-reasoning-v3", "mala-bilingual-translation-corpus", "mala-opus-dedup-2410",
    "fineopus", "MaLA-LM/mala-monolingual-integration", "MaLA-LM/mala-monolingual-filter",
    "MaLA-LM/mala-monolingual-dedup", "MaLA-LM/mala-monolingual-split", "gflanguages", "django",
    "stdlib", "python-docs",
]
# fmt: on
each_entry = pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.name)


@each_entry
def test_a_row_holds_only_what_its_columns_may_hold(entry):
    row = next(row for row in read_table("catalogue") if row["name"] == entry.name)
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*", entry.name)
    assert entry.title
    assert entry.component in COMPONENTS
    assert entry.shape in SHAPES
    assert entry.status in STATUSES
    assert row["gated"] in ("yes", "no", "")
    assert row["evaluation"] in ("yes", "no")
    assert entry.covers in ("", "packaging")
    assert entry.year is None or 1990 <= entry.year <= 2026
    assert {role for role, _ in entry.columns} <= set(ROLES)
    assert all(column for _, column in entry.columns)
    assert not any(cell != cell.strip() for cell in row.values())


@each_entry
def test_a_row_says_where_its_source_is(entry):
    assert not entry.hub or re.fullmatch(r"[\w.-]+/[\w.-]+", entry.hub)
    assert not entry.url or re.fullmatch(r"https?://[\w.-]+(/\S*)?", entry.url)
    assert re.fullmatch(r"|installed|[0-9a-f]{40}", entry.revision)
    assert re.fullmatch(r"|arXiv:\d{4}\.\d{4,5}|https://\S+", entry.citation)
    if entry.shape == "hub":
        assert entry.hub
    if entry.status in ("verified", "listed"):
        assert entry.place
        assert entry.note


def test_a_source_of_files_says_where_they_are_if_its_row_is_verified():
    read_by_files = [
        e for e in catalogue(status="verified") if e.shape in ("files", "moses", "code")
    ]
    assert len(read_by_files) > 15
    assert [entry.name for entry in read_by_files if not entry.files] == []


@each_entry
def test_the_licence_of_a_row_is_in_the_table_of_licences(entry):
    parts = re.split(r" (?:AND|OR) ", entry.license)
    assert all((found := find_license(part)) and found.id == part for part in parts)
    assert entry.commercial in ("yes", "no", "unknown")


@each_entry
def test_the_languages_of_a_row_are_known_codes(entry):
    if entry.component != "code":
        assert all(Language.parse(code).iso639_3 == code for code in entry.languages)
    assert len(set(entry.languages)) == len(entry.languages)
    if entry.n_languages and entry.component != "code" and not entry.evaluation:
        assert len(entry.languages) <= entry.n_languages


@each_entry
def test_the_codes_of_a_row_follow_a_convention_there_is(entry):
    assert Language.parse("eng", convention=entry.convention or None).iso639_3 == "eng"


@each_entry
def test_a_pattern_can_be_written_for_a_pair_of_languages(entry):
    names = {"corpus": "Books", "version": "v1"} if entry.name == "opus" else {}
    language = "python" if entry.component == "code" else "fra_Latn"
    for text in (
        entry.config_for(language, "eng_Latn"),
        entry.files_for(language, "eng_Latn", **names),
    ):
        assert "{" not in text


def test_no_two_sources_answer_to_one_name():
    seen: dict[str, str] = {}
    for entry in catalogue():
        for name in (entry.name, *entry.aliases):
            assert seen.setdefault(name.casefold(), entry.name) == entry.name
            assert source(name.upper()) is entry


@pytest.mark.parametrize("name", NAMED)
def test_every_source_the_issue_names_is_there(name):
    assert name.casefold() in source(name).keys


def test_the_75_sources_of_glot500_c_are_there(shared):
    text = (shared / "spec" / "emma500-dossier.md").read_text(encoding="utf-8")
    appendix = text[text.index("## Appendix B") : text.index("## Appendix C")]
    rows = [line.split("|")[1:-1] for line in appendix.splitlines() if line.startswith("| ")][1:]
    names = {source(row[0].strip()).name for row in rows}
    assert names == {entry.name for entry in catalogue(part_of="glot500-c")}
    assert len(names) == 75


def test_evaluation_data_is_marked():
    marked = {entry.name for entry in catalogue(evaluation=True)}
    assert {
        "flores200",
        "flores-plus",
        "sib200",
        "taxi1500",
        "xlsum",
        "tico19",
        "ntrex",
        "udhr",
        "pbc",
    } <= marked
    assert not marked & {"wikimatrix", "wikipedia", "fineweb2", "oldi-seed"}
    assert not marked & {entry.name for entry in catalogue(evaluation=False)}


def test_the_sources_that_contaminate_a_benchmark_of_plain_text_are_sources_of_the_catalogue():
    for row in read_table("benchmarks"):
        if row["shape"] == "intrinsic":  # tasks name data of their own, too
            for name in row["sources"].split():
                assert name in source(name).keys


def test_what_is_embedded_is_read_in_its_order():
    assert embedded_names() == ("gflanguages", "django", "stdlib", "python-docs")
    assert all(entry.commercial == "yes" for entry in catalogue(status="embedded"))


def test_filters_narrow_and_combine():
    everything = catalogue()
    assert sum(len(catalogue(component=each)) for each in COMPONENTS) == len(everything)
    assert sum(len(catalogue(status=each)) for each in STATUSES) == len(everything)
    names = {
        e.name for e in catalogue(component="monolingual", licenses="commercial", evaluation=False)
    }
    assert {"fineweb2", "wikipedia", "madlad-400"} <= names
    assert not names & {"leipzig", "cc100", "culturax", "hindialect", "nllb", "udhr"}
    assert "wikipedia" not in {e.name for e in catalogue(licenses="permissive")}
    assert {e.license for e in catalogue(licenses=["MIT", "cc0-1.0"])} == {"MIT", "CC0-1.0"}
    assert catalogue(licenses="any") == everything


def test_a_source_of_two_licences_allows_what_both_allow():
    assert source("ffr").license == "MIT AND CC-BY-NC-SA-4.0"
    assert source("ffr").commercial == "no"


def test_sources_are_found_by_language_also_through_the_macrolanguage():
    assert "menyo-20k" in {entry.name for entry in catalogue(language="yo")}
    assert "afriberta" in {entry.name for entry in catalogue(language="swh_Latn")}
    assert "afriberta" not in {entry.name for entry in catalogue(language="fr")}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: source("culturx"), r"no source 'culturx'.*near names: culturax, culturay"),
        (lambda: source("zzzz"), r"no source 'zzzz' in the catalogue of \d+ \(`emma500 sources`"),
        (
            lambda: catalogue(component="mono"),
            "unknown component 'mono'; it is one of: monolingual",
        ),
        (lambda: catalogue(status="seen"), "unknown status 'seen'; it is one of: verified"),
        (lambda: catalogue(part_of="bert"), "unknown collection 'bert'.*glot500-c"),
        (
            lambda: catalogue(licenses="comercial"),
            "unknown licence 'comercial'.*near ones: commercial",
        ),
        (lambda: source("mala").column("texts"), "unknown role 'texts'; it is one of: text"),
        (
            lambda: source("nllb").config_for("yor_Latn"),
            "names a pair of languages: give the other",
        ),
        (
            lambda: source("opus").files_for("fr", "en"),
            r"needs a value for \{corpus\}: give corpus=",
        ),
        (lambda: source("wikipedia").config_for("als"), "no code of its own in the convention"),
        (
            lambda: source("fineweb2").config_for("yo", available=["fra_Latn"]),
            "no configuration for yor",
        ),
        (lambda: source("fineweb2").config_for("zzz"), "'zzz'"),
    ],
)
def test_a_wrong_question_names_the_value_and_the_way_out(call, message):
    with pytest.raises((SourceError, LanguageError), match=message):
        call()


@pytest.mark.parametrize("width", [80, 100, 200])
def test_the_table_fits_the_terminal_and_marks_what_to_mind(width):
    lines = catalogue_table(catalogue(), width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) == len(catalogue()) + 3
    assert lines[0].split()[:6] == ["name", "component", "langs", "comm.", "status", "licence"]
    assert ("where" in lines[0]) == (width >= 120)
    shown = {line.split()[0].rstrip("!") for line in lines[1:-2]}
    assert shown == {entry.name for entry in catalogue()}
    assert any(line.startswith("flores200!") for line in lines)
    assert lines[-1].startswith(f"{len(catalogue())} sources; ! evaluation data; ~ licence")


def test_a_short_table_shows_where_its_sources_are():
    table = catalogue_table([source("fineweb2"), source("cc100")], width=100)
    assert "HuggingFaceFW/fineweb-2" in table
    assert "ODC-By-1.0~" in table
    assert table.splitlines()[2].split()[:5] == ["cc100", "monolingual", "116", "?", "verified"]
    assert "evaluation" not in table


def test_a_table_of_nothing_says_so():
    assert catalogue_table(()) == "no source fulfils all of this"


def test_a_card_tells_what_is_known_and_leaves_out_the_rest():
    card = describe(source("fineweb2"), width=80)
    assert card.splitlines()[0] == "fineweb2: FineWeb2"
    assert "HuggingFaceFW/fineweb-2" in card
    assert "commercial use: yes; it covers the collection" in " ".join(card.split())
    assert "{label}" in card
    assert "revision" not in card
    assert max(map(len, card.splitlines())) <= 80
    assert "never train on it and test on it" in describe(source("flores"))
    for entry in catalogue():
        assert describe(entry).startswith(f"{entry.name}: ")


def test_the_page_of_the_sources_is_not_stale():
    path = ROOT / "docs" / "update_sources.py"
    spec = importlib.util.spec_from_file_location("update_sources", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = module.PAGE.read_text(encoding="utf-8")
    assert module.updated(page) == page, "run: python docs/update_sources.py"
    assert all(f"`{entry.name}`" in page for entry in catalogue())
