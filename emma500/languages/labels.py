"""The labels and the pairs of the MaLA corpus and their resource groups.

MaLA counts 939 labels `xxx_Xxxx`, and 2,507 pairs of them, in white-space words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from emma500.errors import LanguageError
from emma500.languages.codes import Language
from emma500.languages.joins import Match, join, mala_compat, matching
from emma500.tables import read_table

__all__ = [
    "PAIR_GROUPS",
    "RESOURCE_GROUPS",
    "Entry",
    "PairEntry",
    "inventory",
    "mala_compat",
    "mala_match",
    "matching",
    "pair_inventory",
    "resource_group",
]

RESOURCE_GROUPS = ("high", "medium-high", "medium", "medium-low", "low", "unseen")
"""From the most text to none; the paper's names."""

PAIR_GROUPS = ("very high", "high", "medium-high", "medium", "medium-low", "low", "very low")
"""Of pairs, from the most text to the least; the names of the second generation."""

_THRESHOLDS = (10**9, 10**8, 10**7, 10**6, 10**5)
_PAIR_THRESHOLDS = (10**10, 10**9, 5 * 10**8, 10**8, 10**7, 10**6)
_UNNAMED = {"qaa": "Undetermined (private use)", "zxx": "No linguistic content"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One label of the MaLA corpus; `n_words` counts white-space words before deduplication between sources."""

    label: str
    iso639_3: str
    script: str
    name: str
    autonym: str
    macrolanguage: str
    n_texts: int
    n_words: int
    n_segments: int
    resource_group: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PairEntry:
    """One pair of the MaLA bilingual corpus, `source` first; words are white-space words.

    Attributes:
        label: As "eng_Latn-fra_Latn".
        source: The label of the first side.
        target: The label of the second side.
        n_texts: How many pairs of texts there are.
        n_source_words: The words of the first side.
        n_target_words: The words of the second side.
        n_source_segments: The segments of the first side.
        n_target_segments: The segments of the second side.
        resource_group: One of `PAIR_GROUPS`, by the words of both sides.
    """

    label: str
    source: str
    target: str
    n_texts: int
    n_source_words: int
    n_target_words: int
    n_source_segments: int
    n_target_segments: int
    resource_group: str

    @property
    def n_words(self) -> int:
        """The words of both sides."""
        return self.n_source_words + self.n_target_words


@cache
def inventory() -> tuple[Entry, ...]:
    """Return the 939 labels of the MaLA corpus, sorted by label."""
    return tuple(_entry(row) for row in read_table("mala"))


@cache
def pair_inventory() -> tuple[PairEntry, ...]:
    """Return the 2,507 pairs of the MaLA bilingual corpus, sorted by label."""
    return tuple(_pair(row) for row in read_table("mala_pairs"))


def resource_group(label: str) -> str:
    """Return how much text MaLA has in a label.

    Args:
        label: As "yor_Latn"; a member of a macrolanguage MaLA has in this script counts as that
            one, and the other way round (`mala_match` says so).

    Returns:
        One of `RESOURCE_GROUPS`; "unseen" for all MaLA has less than 100,000 words of, or none.
    """
    found = mala_match(label)
    return _groups()[found.right] if found is not None and found.stands_in else "unseen"


@lru_cache(maxsize=65536)
def mala_match(label: str) -> Match | None:
    """Return the label of MaLA that a label meets, and how; None if it meets none.

    Args:
        label: As "pes_Arab".

    Returns:
        The match; only if it `stands_in` has MaLA text for the label.
    """
    labels = _mala_labels()
    found = join([label], labels)
    if not found.matches:
        return None
    match = found.matches[0]
    own = labels[match.right]
    kind = "code" if match.kind == "exact" and own != label else match.kind
    others = tuple(dict.fromkeys(labels[each] for each in match.others if labels[each] != own))
    return Match(left=label, right=own, kind=kind, others=others)


@cache
def _groups() -> dict[str, str]:
    return {row["label"]: _group_of(row) for row in read_table("mala")}


@cache
def _mala_labels() -> dict[str, str]:
    """MaLA's labels, also under today's codes where it has withdrawn ones or Wikipedia's cut short."""
    own = [row["label"] for row in read_table("mala")]
    labels = {each: each for each in own}
    for each in own:
        if each[:3] not in _UNNAMED:
            code = Language.parse(each, convention="mala").iso639_3
            labels.setdefault(f"{code}_{each[4:]}", each)
    return labels


def _entry(row: dict[str, str]) -> Entry:
    code, _, script = row["label"].partition("_")
    language = _language(code)
    return Entry(
        label=row["label"],
        iso639_3=code,
        script=script,
        name=language.name if language else _UNNAMED[code],
        autonym=language.autonym if language else "",
        macrolanguage=language.macrolanguage if language else "",
        n_texts=int(row["n_texts"]),
        n_words=int(row["n_words"]),
        n_segments=int(row["n_segments"]),
        resource_group=_group_of(row),
    )


def _group_of(row: dict[str, str]) -> str:
    return _group(int(row["n_words"]), _THRESHOLDS, RESOURCE_GROUPS)


def _pair(row: dict[str, str]) -> PairEntry:
    source, _, target = row["label"].partition("-")
    counts = {name: int(value) for name, value in row.items() if name != "label"}
    n_words = counts["n_source_words"] + counts["n_target_words"]
    group = _group(n_words, _PAIR_THRESHOLDS, PAIR_GROUPS)
    return PairEntry(
        label=row["label"], source=source, target=target, resource_group=group, **counts
    )


def _group(n_words: int, thresholds: Sequence[int], groups: Sequence[str]) -> str:
    place = next((n for n, least in enumerate(thresholds) if n_words >= least), len(thresholds))
    return groups[place]


def _language(code: str) -> Language | None:
    try:
        return Language.parse(code)
    except LanguageError:
        return None
