"""What a text may be like and stay in the corpus: rows of limits by label, of a preset or of a file.

A table has one row a label and one column a limit, `min_` or `max_` and a signal (`emma500.corpus.filtering.LIMITS`
names them all); an empty cell, or a column that is not there, decides nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from emma500.corpus.signals.domain_signals import DOMAIN_SIGNALS
from emma500.corpus.signals.measures import CHARACTER_NGRAM, SHARES, WORD_NGRAM, Lists
from emma500.errors import UsageError
from emma500.languages.codes import Language
from emma500.languages.families import lineage
from emma500.manifest import fingerprint
from emma500.records import PROSE
from emma500.tables import parse_table, read_table

PRESETS = {"mala": "thresholds", "fineweb2": "thresholds_fineweb2"}
"""Tables that ship, by the name of the preset."""

_COUNTS = ("words", "stop_words", *(field.name for field in DOMAIN_SIGNALS))
_SETTINGS = ("character_ngram", "word_ngram", "min_lid_score")
COLUMNS = frozenset(
    [*_SETTINGS, *(f"{bound}_{name}" for bound in ("min", "max") for name in (*SHARES, *_COUNTS))]
)
"""The columns a table may have, besides `label`, `stop_words` and `note`."""

Row = Mapping[str, float]
"""The limits of a label by column; what the table leaves open is not in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Thresholds:
    """Limits by label; can be pickled.

    Attributes:
        rows: The limits by label, as "arz_Arab", by family and script, as "bant1294_Latn" (`languages.families`), by
            script, as "*_Thai", and "*"; "code" and "bilingual" are for these components.
        stop_words: The most frequent words by label; a label without any is not judged by them.
    """

    rows: dict[str, dict[str, float]]
    stop_words: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, preset: str, path: str | Path | None = None) -> "Thresholds":
        """Return the limits of a preset, and on top of them those of a file.

        Args:
            preset: "mala" or "fineweb2".
            path: A table as `emma500 thresholds fit` writes it; its rows replace those of the same label.

        Returns:
            The limits.

        Raises:
            UsageError: If there is no such preset or file, or the file has a column or a cell that is none.
        """
        if preset not in PRESETS:
            raise UsageError(f"filters {preset!r}: choose one of {', '.join(PRESETS)}")
        rows = {row["label"]: _numbers(row, preset) for row in read_table(PRESETS[preset])}
        words = {row["label"]: tuple(row["words"].split()) for row in read_table("stop_words")}
        if path is not None:
            for row in _read(Path(path)):
                rows[row["label"]] = _numbers(row, str(path))
                if row.get("stop_words"):
                    words[row["label"]] = tuple(row["stop_words"].split())
        return cls(rows=rows, stop_words=words)

    def row(self, component: str, label: str, macrolanguage: str) -> Row:
        """Return the limits of a label.

        Args:
            component: "monolingual" or another kind of prose, "bilingual" or "code".
            label: As "arz_Arab".
            macrolanguage: ISO 639-3 of its macrolanguage, as "ara", or "".

        Returns:
            The row of the label; or of its macrolanguage, or the nearest of its families, in the same script; or of
            its script; or the general one.
        """
        if component not in PROSE:
            return self.rows.get(component, {})
        code, _, script = label.partition("_")
        above = (f"{family}_{script}" for family in lineage(code))
        names = (label, f"{macrolanguage}_{script}", *above, f"*_{script}", "*")
        return next((self.rows[name] for name in names if name in self.rows), {})

    def least_score(self, lid_label: str) -> float:
        """Return the score from which on an identifier's label is believed, by the row of that label.

        Args:
            lid_label: What an identifier said, as "arz_Arab", "und_Latn" or "zxx_Zyyy".

        Returns:
            The least score, 0 to 1; that of the preset "mala" where the row has none.
        """
        code, _, script = lid_label.partition("_")
        family = "" if code in {"und", "zxx"} else Language.parse(code).macrolanguage
        label = f"{code}_{script}"
        found = self.row("monolingual", label, family).get("min_lid_score")
        return _mala().rows["*"]["min_lid_score"] if found is None else found

    def lists(self, flagged: Mapping[str, Collection[str]] | None = None) -> Lists:
        """Return what the signals need: stop words, and the lengths of repeated runs.

        Args:
            flagged: Flagged words by label (see `read_words`).

        Returns:
            The lists.
        """
        ngrams = {
            label: (
                int(row.get("character_ngram", CHARACTER_NGRAM)),
                int(row.get("word_ngram", WORD_NGRAM)),
            )
            for label, row in self.rows.items()
        }
        return Lists.of(self.stop_words, flagged, ngrams)

    def fingerprint(self) -> str:
        """Return what changes when a limit or a word changes."""
        return fingerprint(self.rows, self.stop_words)


def least_score(lid_label: str) -> float:
    """Return the score from which on an identifier's label is believed by the preset "mala"."""
    return _mala().least_score(lid_label)


def read_words(path: str | Path) -> dict[str, tuple[str, ...]]:
    """Read words by label, as flagged words are given.

    Args:
        path: A TSV file with the columns `label` and `words`, the words parted by blanks; the label "" or "*" is for
            all that have no row.

    Returns:
        The words by label.

    Raises:
        UsageError: If there is no such file, or it has not these columns.
    """
    rows = _read(Path(path))
    if rows and "words" not in rows[0]:
        raise UsageError(f"{path}: the columns must be label and words, not {', '.join(rows[0])}")
    return {row["label"].replace("*", ""): tuple(row["words"].split()) for row in rows}


def _read(path: Path) -> tuple[dict[str, str], ...]:
    try:
        rows = parse_table(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError, ValueError, IndexError) as error:
        raise UsageError(f"{path} is no table of TAB-separated columns: {error}") from error
    if rows and "label" not in rows[0]:
        raise UsageError(f"{path} has no column `label`, but {', '.join(rows[0])}")
    return rows


def _numbers(row: dict[str, str], table: str) -> dict[str, float]:
    """Return the cells of a row that hold a limit."""
    found = {}
    for name, cell in row.items():
        if name in {"label", "note", "stop_words"} or not cell:
            continue
        if name not in COLUMNS:
            raise UsageError(f"{table}: {name!r} is no limit; the columns are {sorted(COLUMNS)}")
        try:
            found[name] = float(cell)
        except ValueError as error:
            raise UsageError(
                f"{table}, {row['label']}: {name} must be a number or empty, not {cell!r}"
            ) from error
    return found


@cache
def _mala() -> Thresholds:
    return Thresholds.of("mala")
