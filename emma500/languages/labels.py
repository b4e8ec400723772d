"""The labels of the MaLA corpus, their resource groups, and which label stands for which.

MaLA counts 939 labels `xxx_Xxxx` in white-space words. It writes scripts its own way: `Hani` for
Hans and Hant, `Japn` for Jpan, `Hang` for Kore; joins here fold them and say so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from emma500.errors import LanguageError
from emma500.languages import registry
from emma500.languages.codes import UNKNOWN_SCRIPT, Language, related
from emma500.tables import read_table

RESOURCE_GROUPS = ("high", "medium-high", "medium", "medium-low", "low", "unseen")
"""From the most text to none; the paper's names."""

_THRESHOLDS = (
    ("high", 10**9),
    ("medium-high", 10**8),
    ("medium", 10**7),
    ("medium-low", 10**6),
    ("low", 10**5),
)
_MALA_SCRIPTS = {"Hans": "Hani", "Hant": "Hani", "Jpan": "Japn", "Kore": "Hang"}
_UNNAMED = {"qaa": "Undetermined (private use)", "zxx": "No linguistic content"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One label of the MaLA corpus; `n_words` counts white-space words before deduplication between sources."""

    label: str
    iso639_3: str
    script: str
    name: str
    n_texts: int
    n_words: int
    n_segments: int
    resource_group: str


@cache
def inventory() -> tuple[Entry, ...]:
    """Return the 939 labels of the MaLA corpus, sorted by label."""
    return tuple(
        Entry(
            label=row["label"],
            iso639_3=row["label"][:3],
            script=row["label"][4:],
            name=_name(row["label"]),
            n_texts=int(row["n_texts"]),
            n_words=int(row["n_words"]),
            n_segments=int(row["n_segments"]),
            resource_group=_group(int(row["n_words"])),
        )
        for row in read_table("mala")
    )


@lru_cache(maxsize=65536)
def resource_group(label: str) -> str:
    """Return how much text MaLA has in a label.

    Args:
        label: As "yor_Latn"; a member of a macrolanguage MaLA has in this script counts as that
            one, and the other way round.

    Returns:
        One of `RESOURCE_GROUPS`; "unseen" for all MaLA has less than 100,000 words of, or none.
    """
    entries = {each.label: each for each in inventory()}
    found = matching(label, _mala_labels())
    return entries[_mala_labels()[found[0]]].resource_group if found else "unseen"


def mala_compat(label: str) -> str:
    """Return a label with MaLA's own script codes: Hans and Hant become Hani, Jpan Japn, Kore Hang.

    >>> mala_compat("zho_Hant")
    'zho_Hani'
    """
    code, _, script = label.partition("_")
    return f"{code}_{_MALA_SCRIPTS.get(script, script)}" if script else label


def matching(label: str, available: Iterable[str]) -> tuple[str, str] | None:
    """Find the label that stands for another.

    Args:
        label: The label asked for, as "swh_Latn"; script Zyyy asks for any script.
        available: The labels there are.

    Returns:
        The label and how it matches: "exact"; "script" for the same language in a script that is a
        part or another name of it (`zho_Hans` and `zho_Hani`), or in any script if none is asked
        for; "macro" for its macrolanguage or a member in the same script (`swh_Latn` and
        `swa_Latn`). None if nothing matches. Of several, the one MaLA has most text of.
    """
    labels = set(available)
    if label in labels:
        return label, "exact"
    code, _, script = label.partition("_")
    near = [each for each in labels if _same_script(script, each.partition("_")[2])]
    same = [each for each in near if each.partition("_")[0] == code]
    if same:
        return _largest(same), "script"
    family = [each for each in near if related(code, each.partition("_")[0])]
    return (_largest(family), "macro") if family else None


def _same_script(asked: str, other: str) -> bool:
    if asked in ("", UNKNOWN_SCRIPT) or asked == other:
        return True
    one, two = _MALA_SCRIPTS.get(asked, asked), _MALA_SCRIPTS.get(other, other)
    # Hans and Hant fold to the same Hani, but one is no stand-in for the other.
    return one == two and {asked, other} != {"Hans", "Hant"}


def _largest(labels: list[str]) -> str:
    return max(sorted(labels), key=lambda each: _n_words().get(mala_compat(each), 0))


@cache
def _n_words() -> dict[str, int]:
    return {each.label: each.n_words for each in inventory()}


@cache
def _mala_labels() -> dict[str, str]:
    """MaLA's labels, also under today's codes of the two it has withdrawn ones for."""
    labels = {each.label: each.label for each in inventory()}
    for each in inventory():
        if each.iso639_3 not in _UNNAMED and registry.exact(each.iso639_3) is None:
            labels.setdefault(Language.parse(each.label).label, each.label)
    return labels


def _group(n_words: int) -> str:
    return next((group for group, least in _THRESHOLDS if n_words >= least), "unseen")


def _name(label: str) -> str:
    try:
        return Language.parse(label).name
    except LanguageError:
        return _UNNAMED[label[:3]]
