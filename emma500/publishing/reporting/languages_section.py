"""The report's table of every label: what there is of it, what was read, what was learned, and how it looks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emma500.folder import FOLDERS, Corpus
from emma500.languages.codes import Language
from emma500.languages.labels import resource_group
from emma500.publishing.made_tables import vocabulary_pairs
from emma500.publishing.reporting.excerpts import beginnings
from emma500.publishing.reporting.sections import Aside, Part, Section
from emma500.publishing.reporting.words import (
    language_of,
    language_tag,
    script_name,
    search_words,
)
from emma500.publishing.summary import label_rows, losses, sides
from emma500.publishing.tables import (
    NO_DATA,
    Table,
    code,
    count,
    counted,
    decimal,
    literal,
    percent,
    size,
    table,
)
from emma500.publishing.training_tables import kept_step

Manifest = Mapping[str, Any]


@dataclass(kw_only=True, slots=True)
class _Label:
    """What is known of one label of one component; sizes are empty where there is no corpus."""

    component: str
    label: str
    sizes: Mapping[str, Any] = field(default_factory=dict)
    left_out: float | None = None
    epochs: float | None = None
    n_tokens: int | None = None
    curve: tuple[float, ...] = ()
    excerpt: str = ""

    @property
    def change(self) -> float | None:
        return self.curve[-1] / self.curve[0] - 1 if len(self.curve) > 1 else None


_COLUMNS: tuple[tuple[str, str, Callable[[_Label, Language | None], str]], ...] = (
    ("component", "l", lambda row, _: row.component),
    ("language", "l", lambda row, language: literal(_name(row, language))),
    ("own name", "t", lambda _, language: literal(language.autonym) if language else ""),
    ("script", "l", lambda row, _: script_name(row.label[-4:]) if sides(row.label) else ""),
    ("resource group", "l", lambda row, _: _group(row)),
    ("documents", "r", lambda row, _: count(row.sizes.get("n_documents"))),
    ("words", "r", lambda row, _: count(row.sizes.get("n_words"))),
    ("size", "r", lambda row, _: size(row.sizes.get("n_bytes"))),
    ("left out", "r", lambda row, _: percent(row.left_out)),
    ("tokens trained", "r", lambda row, _: count(row.n_tokens)),
    ("epochs", "r", lambda row, _: decimal(row.epochs, 2)),
    ("held-out before", "r", lambda row, _: decimal(row.curve[0] if row.curve else None)),
    ("held-out after", "r", lambda row, _: decimal(row.curve[-1] if row.curve else None)),
    ("change", "r", lambda row, _: percent(row.change, sign=True)),
    ("begins", "t", lambda row, _: literal(row.excerpt)),
)  # fmt: skip


_SPAN = (
    "from the first step to the weights that were kept",
    "before and after the vocabulary grew",
)


def languages_section(
    corpus: Corpus | None, run: Manifest | None, *, excerpts: bool = True
) -> Section | None:
    """Tell of every label of a corpus and of a model in one table.

    Args:
        corpus: The corpus, if there is one.
        run: The manifest of the run, or of the model that was made without one, if there is one.
        excerpts: Whether a row shows how a document of the label begins; only where the corpus is a local folder.

    Returns:
        The section; None where there is no label.
    """
    rows = _rows(corpus, run)
    if not rows:
        return None
    shown = beginnings(corpus) if corpus is not None and excerpts else {}
    for row in rows:
        row.excerpt = shown.get((row.component, row.label), "")
    languages = [language_of(row.label) for row in rows]
    about = "Every label: its text" if corpus is not None else "Every label"
    if any(row.curve for row in rows):
        about += f", and bits per byte on held-out text {_SPAN[bool(run and run.get('report'))]}"
    note = Part(
        text=f"{counted(len(rows), 'label')}, to be searched by code, by name in English or in the language, by script "
        "and by resource group; the head of a column sorts by it."
    )
    asides = tuple(_aside(row, language) for row, language in zip(rows, languages, strict=True))
    return Section(
        title="Languages",
        name="languages",
        parts=(note, Part(text=about, table=_table(rows, languages), asides=asides)),
    )


def _rows(corpus: Corpus | None, run: Manifest | None) -> list[_Label]:
    found: dict[tuple[str, str], _Label] = {}

    def row(component: str, label: str) -> _Label:
        key = (component, label)
        return found.setdefault(key, _Label(component=component, label=label))

    if corpus is not None:
        lost = {name: losses(corpus.manifest, name) for name in FOLDERS}
        for each in label_rows(corpus.manifest):
            here = row(each["component"], each["label"])
            here.sizes, here.left_out = each, lost[each["component"]].share(each["label"])
    for each in run.get("plan", ()) if run else ():
        here = row(each["component"], each["label"])
        here.epochs = (here.epochs or 0) + each["epochs"]
        here.n_tokens = (here.n_tokens or 0) + each["n_tokens_trained"]
    curves = _curves(run) if run else {}
    for label in [*curves, *(run.get("languages", ()) if run else ())]:
        names = [key for key in found if key[1] == label] or [("monolingual", label)]
        row(*names[0]).curve = curves.get(label, ())
    order = {name: place for place, name in enumerate(FOLDERS)}
    return [found[key] for key in sorted(found, key=lambda key: (order[key[0]], key[1]))]


def _curves(run: Manifest) -> dict[str, tuple[float, ...]]:
    """Return bits per byte of each label by step; of a vocabulary that grew, those before and after."""
    curves: dict[str, list[float]] = {}
    for old, new in vocabulary_pairs(run):
        curves[new["label"]] = [old["bits_per_byte"], new["bits_per_byte"]]
    for row in sorted(run.get("validation", ()), key=lambda row: row["step"]):
        if row["step"] <= kept_step(run):
            curves.setdefault(row["label"], []).append(row["bits_per_byte"])
    return {label: tuple(values) for label, values in curves.items()}


def _table(rows: list[_Label], languages: list[Language | None]) -> Table:
    """Return the columns that say something; the component only where there are several."""
    columns = []
    for name, letter, cell in _COLUMNS:
        cells = [cell(row, language) for row, language in zip(rows, languages, strict=True)]
        cells = ["" if each == NO_DATA else each for each in cells]
        says = set(cells) - {""}
        if says and not (name == "component" and len(says) == 1):
            columns.append((name, letter, cells))
    return table(
        ("label", *(name for name, _, _ in columns)),
        "l" + "".join(letter for _, letter, _ in columns),
        [
            (code(row.label), *(cells[place] for _, _, cells in columns))
            for place, row in enumerate(rows)
        ],
    )


def _name(row: _Label, language: Language | None) -> str:
    return str(row.sizes.get("name") or (language.name if language else ""))


def _group(row: _Label) -> str:
    if row.component != "monolingual":
        return ""
    return str(row.sizes.get("resource_group") or resource_group(row.label))


def _aside(row: _Label, language: Language | None) -> Aside:
    return Aside(
        words=search_words(row.label, row.component, _group(row), str(row.sizes.get("name", ""))),
        language=language_tag(language) if language else "",
        curve=row.curve,
    )
