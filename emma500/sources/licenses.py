"""What licences allow: the facts of tables/licenses.tsv, for sources and for rows.

    >>> allows("CC-BY-SA-4.0", "commercial"), allows("CC-BY-SA-4.0", "permissive")
    (True, False)
    >>> allows("MIT AND CC-BY-NC-SA-4.0", "commercial")
    False

A licence is an SPDX identifier, the Hub's name of one ("odc-by"), an expression of them with AND
and OR, or a word of the table (`various`, `unknown`, `LicenseRef-…`). What is not in the table
allows nothing that has to be known. This is a filter by what a source says of itself, not legal
advice: the licence of a crawl covers the collection, seldom the texts (`CatalogueEntry.covers`).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from emma500.errors import SourceError
from emma500.tables import read_table

ANY, COMMERCIAL, PERMISSIVE = "any", "commercial", "permissive"
GROUPS = (ANY, COMMERCIAL, PERMISSIVE)
"""All; commercial use of changed texts is allowed; that, and without share-alike."""

UNKNOWN = "unknown"

_NO, _UNKNOWN, _YES = 0, 1, 2
_VALUES = {"no": _NO, "unknown": _UNKNOWN, "yes": _YES}
_WORDS = {value: word for word, value in _VALUES.items()}
_TOKEN = re.compile(r"\(|\)|[^\s()]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class License:
    """What one licence allows; each answer is "yes", "no" or "unknown".

    Attributes:
        id: SPDX identifier, or a word of the table.
        hub: The Hub's name of it, or "".
        commercial: Whether commercial use is allowed.
        derivatives: Whether changed copies may be passed on; a cleaned corpus is one.
        share_alike: Whether they must stay under this licence.
    """

    id: str
    hub: str
    commercial: str
    derivatives: str
    share_alike: str


def find_license(name: str) -> License | None:
    """Find a single licence.

    Args:
        name: An SPDX identifier, the Hub's name or a word of the table, in any case, with hyphens or
            spaces ("CC BY 4.0").

    Returns:
        What is known of it; None if it is not in the table.
    """
    return _licenses().get("-".join(name.casefold().split()))


def commercial_use(license: str) -> str:
    """Tell whether a licence allows commercial use of changed texts.

    Args:
        license: A licence or an expression; all parts of an AND must allow it, one of an OR.

    Returns:
        "yes", "no" or "unknown".
    """
    return _WORDS[_evaluate(license, _commercial)]


def allows(license: str, wanted: str | Iterable[str]) -> bool:
    """Tell whether a licence is among those wanted.

    Args:
        license: A licence or an expression.
        wanted: "any", "commercial" or "permissive" (`GROUPS`); or the licences themselves, one or
            several; a string may name several with commas between them.

    Returns:
        Whether it is; never for an unknown licence, unless "any" or "unknown" is wanted.

    Raises:
        SourceError: If a group or a licence is wanted that the table does not have.
    """
    return _allowed(license or UNKNOWN, wanted_licenses(wanted))


def permitted(
    licenses: pa.Array | pa.ChunkedArray, wanted: str | Iterable[str]
) -> pa.Array | pa.ChunkedArray:
    """Tell of rows whether their licences are among those wanted.

    Args:
        licenses: A licence or an expression each, as the column `source_license`; null is unknown.
        wanted: As for `allows`.

    Returns:
        One boolean a row, never null; a chunked array for a chunked one.

    Raises:
        SourceError: If a group or a licence is wanted that the table does not have.
    """
    names = wanted_licenses(wanted)
    plain = licenses.cast(pa.string())
    good = [each for each in pc.unique(plain).to_pylist() if _allowed(each or UNKNOWN, names)]
    return pc.is_in(plain, value_set=pa.array(good, pa.string()))


def wanted_licenses(wanted: str | Iterable[str]) -> tuple[str, ...]:
    """Check what is wanted and bring it into one form.

    Args:
        wanted: As for `allows`.

    Returns:
        A group alone, or the identifiers of licences as the table spells them, sorted.

    Raises:
        SourceError: If nothing is wanted, or what the table does not have.
    """
    given = wanted.split(",") if isinstance(wanted, str) else list(wanted)
    names = {each.strip() for each in given if each.strip()}
    groups = names & set(GROUPS)
    if len(groups) == 1 and len(names) == 1:
        return tuple(groups)
    found = {each: find_license(each) for each in names}
    missing = sorted(each for each, license in found.items() if license is None)
    if missing or not names:
        raise SourceError(_refusal(missing, bool(groups)))
    return tuple(sorted({license.id for license in found.values() if license}))


def _refusal(missing: list[str], has_group: bool) -> str:
    rule = f"give one of {', '.join(GROUPS)}, or SPDX identifiers with commas between them"
    if not missing:
        return f"no licence is wanted: {rule}"
    if has_group:
        return f"{', '.join(missing)}: a group stands alone; {rule}"
    known = sorted({license.id for license in _licenses().values()} | set(GROUPS))
    folded = {each.casefold(): each for each in known}
    near = get_close_matches(missing[0].casefold(), folded, n=3, cutoff=0.6)
    hint = f"; near ones: {', '.join(folded[each] for each in near)}" if near else ""
    return f"unknown licence {missing[0]!r}: {rule}{hint}"


@cache
def _allowed(license: str, wanted: tuple[str, ...]) -> bool:
    if wanted == (ANY,):
        return True
    if wanted == (COMMERCIAL,):
        return _evaluate(license, _commercial) == _YES
    if wanted == (PERMISSIVE,):
        return _evaluate(license, _permissive) == _YES
    return _evaluate(license, lambda each: _YES if each.id in wanted else _NO) == _YES


def _commercial(license: License) -> int:
    return min(_VALUES[license.commercial], _VALUES[license.derivatives])


def _permissive(license: License) -> int:
    return min(_commercial(license), _YES - _VALUES[license.share_alike])


def _evaluate(expression: str, value: Callable[[License], int]) -> int:
    """Return the least of an AND's parts and the best of an OR's; what cannot be read is an unknown licence."""
    unknown = _licenses()[UNKNOWN]
    whole = find_license(expression)
    if whole is not None:
        return value(whole)
    tokens = _TOKEN.findall(expression)
    found = _either(tokens, lambda name: value(find_license(name) or unknown))
    return value(unknown) if found is None or tokens else found


def _either(tokens: list[str], value: Callable[[str], int]) -> int | None:
    """Read `a OR b …` from the front of the tokens, which are consumed; None if it is no expression."""
    return _series(tokens, "or", max, lambda rest: _series(rest, "and", min, _operand(value)))


def _series(
    tokens: list[str],
    word: str,
    join: Callable[[int, int], int],
    part: Callable[[list[str]], int | None],
) -> int | None:
    found = part(tokens)
    while found is not None and tokens and tokens[0].casefold() == word:
        del tokens[0]
        other = part(tokens)
        found = None if other is None else join(found, other)
    return found


def _operand(value: Callable[[str], int]) -> Callable[[list[str]], int | None]:
    def read(tokens: list[str]) -> int | None:
        if not tokens or tokens[0].casefold() in (")", "and", "or", "with"):
            return None
        first = tokens.pop(0)
        if first == "(":
            inner = _either(tokens, value)
            return inner if tokens and tokens.pop(0) == ")" else None
        if len(tokens) > 1 and tokens[0].casefold() == "with":
            del tokens[:2]  # an exception only ever allows more
        return value(first.removesuffix("+"))

    return read


@cache
def _licenses() -> dict[str, License]:
    found: dict[str, License] = {}
    for row in read_table("licenses"):
        names: dict[str, Any] = {**row, "id": row["license"]}
        license = License(**{each: names[each] for each in License.__slots__})
        found[license.id.casefold()] = license
        if license.hub:
            found.setdefault(license.hub, license)
    return found
