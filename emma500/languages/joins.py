"""Which label of one place stands for a label of another, macrolanguage-aware.

Corpora and benchmarks call one language by different codes: MaLA has `fas_Arab`, `swa_Latn` and
`jpn_Japn`, FLORES `pes_Arab`, `swh_Latn` and `jpn_Jpan`. Each match says how it was made:

    exact            the same label
    code             a withdrawn code, or one of two or three letters, for the same language (`eml`, `egl`)
    script           the same language; the script is a part or another name of the other (`Hans` and
                     `Hani`), or one side names none
    macro            a macrolanguage and its member, in the same script
    script-differs   the same language, or a macrolanguage and its member, in another script
    collection       a collection and a language of it (`ber_Latn` and `taq_Tfng`)

The last two are other text: they are shown, and stand for nothing.

    >>> join(["swh_Latn", "ace_Arab", "nus_Latn"], ["swa_Latn", "ace_Latn", "yor_Latn"])
    Join of 3 labels with 3: 1 macro; 1 script-differs; 1 without a match; 1 of the others unused
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from emma500.errors import LanguageError
from emma500.languages import registry
from emma500.languages.codes import UNKNOWN_SCRIPT, Language
from emma500.tables import read_table

if TYPE_CHECKING:
    import pandas as pd

STAND_INS = ("exact", "code", "script", "macro")
"""The kinds of match in which a label stands for another, the nearest first."""

KINDS = (*STAND_INS, "script-differs", "collection")
"""All kinds of match, the nearest first."""

_MALA_SCRIPTS = {"Hans": "Hani", "Hant": "Hani", "Jpan": "Japn", "Kore": "Hang"}
_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]+)*")
_LABEL = re.compile(r"([a-z]{3})_([A-Z][a-z]{3})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """One label of the left side and what it meets on the right.

    Attributes:
        left: The label asked for.
        right: The best label of the other side.
        kind: One of `KINDS`.
        others: The other labels that match in the same way, best first.
    """

    left: str
    right: str
    kind: str
    others: tuple[str, ...] = ()

    @property
    def stands_in(self) -> bool:
        """Whether the text of `right` may be taken for that of `left`."""
        return self.kind in STAND_INS


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Join:
    """What `join` found, in the order of the left side.

    Attributes:
        matches: One for each label of the left side that meets any.
        unmatched_left: The labels of the left side that meet none.
        unmatched_right: The labels of the right side that no match names, sorted.
        sizes: How many different labels each side had.
    """

    matches: tuple[Match, ...]
    unmatched_left: tuple[str, ...]
    unmatched_right: tuple[str, ...]
    sizes: tuple[int, int]

    def __iter__(self) -> Iterator[Match]:
        return iter(self.matches)

    def __len__(self) -> int:
        return len(self.matches)

    def __repr__(self) -> str:
        left, right = self.sizes
        counts = ", ".join(f"{n} {kind}" for kind, n in self.counts.items() if kind in STAND_INS)
        weak = ", ".join(f"{n} {kind}" for kind, n in self.counts.items() if kind not in STAND_INS)
        rest = f"{len(self.unmatched_left)} without a match; {len(self.unmatched_right)} of the others unused"
        return f"Join of {left} labels with {right}: {counts or '0 exact'}; {f'{weak}; ' if weak else ''}{rest}"

    @property
    def counts(self) -> dict[str, int]:
        """How many matches there are of each kind, the nearest first; kinds there are none of are left out."""
        found = Counter(each.kind for each in self.matches)
        return {kind: found[kind] for kind in KINDS if found[kind]}

    @property
    def stand_ins(self) -> dict[str, str]:
        """The right label that stands for each left one; what is only related is left out."""
        return {each.left: each.right for each in self.matches if each.stands_in}

    @property
    def shared(self) -> dict[str, tuple[str, ...]]:
        """The right labels that stand for several left ones (`ara_Arab` for `acq_Arab` and `arb_Arab`)."""
        found: dict[str, list[str]] = defaultdict(list)
        for left, right in self.stand_ins.items():
            found[right].append(left)
        return {right: tuple(lefts) for right, lefts in sorted(found.items()) if len(lefts) > 1}

    def to_pandas(self) -> "pd.DataFrame":
        """Return the matches and what has none: columns left, right, kind, others (a space between them), n_left.

        `n_left` is how many left labels the right one stands for; `kind` is "none" where nothing matches.
        """
        import pandas as pd

        n_left = Counter(self.stand_ins.values())
        rows = [
            (each.left, each.right, each.kind, " ".join(each.others), n_left[each.right])
            for each in self.matches
        ]
        rows += [(left, "", "none", "", 0) for left in self.unmatched_left]
        rows += [("", right, "none", "", 0) for right in self.unmatched_right]
        return pd.DataFrame(rows, columns=["left", "right", "kind", "others", "n_left"])


def join(left: Iterable[str], right: Iterable[str]) -> Join:
    """Join two lists of labels.

    Args:
        left: Labels as "swh_Latn", or codes as "sw"; names of languages are not read. Repeated ones
            count once.
        right: The same.

    Returns:
        The matches. Of several labels that match in the same way, the best is the one MaLA has most
        text of, then the first by alphabet; the others stand beside it.
    """
    lefts, rights = list(dict.fromkeys(left)), frozenset(right)
    index = _index(rights)
    found = {each: _match(each, rights, index) for each in lefts}
    matches = tuple(each for each in found.values() if each is not None)
    met = {label for each in matches for label in (each.right, *each.others)}
    return Join(
        matches=matches,
        unmatched_left=tuple(each for each in lefts if found[each] is None),
        unmatched_right=tuple(sorted(rights - met)),
        sizes=(len(lefts), len(rights)),
    )


def matching(label: str, available: Iterable[str]) -> tuple[str, str] | None:
    """Find the label that stands for another.

    Args:
        label: The label asked for, as "swh_Latn"; script Zyyy asks for any script.
        available: The labels there are.

    Returns:
        The label and how it matches, one of `STAND_INS`, as `join` chooses it; None if nothing
        stands for it.
    """
    labels = frozenset(available)
    found = _match(label, labels, _index(labels))
    return (found.right, found.kind) if found is not None and found.stands_in else None


def mala_compat(label: str) -> str:
    """Return a label with MaLA's own script codes: Hans and Hant become Hani, Jpan Japn, Kore Hang.

    >>> mala_compat("zho_Hant")
    'zho_Hani'
    """
    code, _, script = label.partition("_")
    return f"{code}_{_MALA_SCRIPTS.get(script, script)}" if script else label


def _match(label: str, labels: frozenset[str], index: dict[str, list[str]]) -> Match | None:
    if label in labels:
        return Match(left=label, right=label, kind="exact")
    code, script = _parts(label)
    tiers = _tiers(script, index.get(code, []), _of(_relatives(code), index))
    tiers["collection"] = _of(_collected(code), index)
    for kind in KINDS[1:]:
        if tiers[kind]:
            best, *others = sorted(tiers[kind], key=_preference)
            return Match(left=label, right=best, kind=kind, others=tuple(others))
    return None


def _tiers(script: str, same: list[str], family: list[str]) -> dict[str, list[str]]:
    near = [each for each in same if _same_script(script, _parts(each)[1])]
    related = [each for each in family if _same_script(script, _parts(each)[1])]
    return {
        "code": [each for each in near if _parts(each)[1] == script],
        "script": near,
        "macro": related,
        "script-differs": same or family,
    }


@lru_cache(maxsize=16)
def _index(labels: frozenset[str]) -> dict[str, list[str]]:
    index: dict[str, list[str]] = defaultdict(list)
    for each in labels:
        index[_parts(each)[0]].append(each)
    return dict(index)


def _of(codes: Iterable[str], index: dict[str, list[str]]) -> list[str]:
    return [label for code in codes for label in index.get(code, ())]


@lru_cache(maxsize=65536)
def _parts(label: str) -> tuple[str, str]:
    """Return the code of today and the script, "" for none; what is no label is its own code."""
    if not _TAG.fullmatch(label):
        return label, ""
    try:
        language = Language.parse(label)
    except LanguageError:
        match = _LABEL.fullmatch(label)
        return (match[1], match[2].replace(UNKNOWN_SCRIPT, "")) if match else (label, "")
    return language.iso639_3, _script(label, language)


def _script(label: str, language: Language) -> str:
    """Return the script as the label has it: `Japn` stays."""
    written = re.split(r"[-_]", label)[-1].title()
    return written if written in _MALA_SCRIPTS.values() else language.script


def _same_script(asked: str, other: str) -> bool:
    if not asked or not other or asked == other:
        return True
    one, two = _MALA_SCRIPTS.get(asked, asked), _MALA_SCRIPTS.get(other, other)
    # Hans and Hant fold to the same Hani, but one is no stand-in for the other.
    return one == two and {asked, other} != {"Hans", "Hant"}


@cache
def _relatives(code: str) -> tuple[str, ...]:
    """Return the macrolanguage and the members of a code."""
    if registry.exact(code) is None:
        return ()
    return tuple(filter(None, (registry.macrolanguage_of(code), *registry.members_of(code))))


@cache
def _collected(code: str) -> tuple[str, ...]:
    """Return the collections a code is in, or the languages of a collection."""
    rows = read_table("collections")
    up = [row["collection"] for row in rows if code in row["members"].split()]
    down = [each for row in rows if code == row["collection"] for each in row["members"].split()]
    return (*up, *down)


def _preference(label: str) -> tuple[int, str]:
    return -_n_words().get(mala_compat(label), 0), label


@cache
def _n_words() -> dict[str, int]:
    return {row["label"]: int(row["n_words"]) for row in read_table("mala")}
