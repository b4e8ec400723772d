"""What e-mail addresses, IP addresses and phone numbers look like, and what only looks like them."""

import ipaddress
import re
import unicodedata
from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from emma500.languages.writing.characters import (
    CODE_POINTS,
    UNSPACED_SCRIPTS,
    described,
    script_slices,
)
from emma500.tables import read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

EMAIL, IPV4, IPV6, PHONE = "email@example.com", "192.0.2.1", "2001:db8::1", "+1 202-555-0100"
"""What stands in their place."""

LEAST_DIGITS, _MOST_DIGITS, _MOST_GROUPS = 7, 15, 6
_CONTEXT = 48  # characters
_LONGEST_LOCAL = 64  # characters before the @ (RFC 5321)
_MOST_SECTION = 40  # four numbers up to this are those of a section or a version


class Change(NamedTuple):
    """What to replace: characters `first` to `last` of a run, of which kind, and by what."""

    first: int
    last: int
    kind: str
    placeholder: str


# Reserved names (RFC 2606), and endings of files: logo@2x.png is no address.
_NOBODYS = re.compile(r"(?:^|\.)(?:example\.(?:com|org|net)|example|test|invalid|localhost)$")
_FILES = frozenset(
    (
        "bmp",
        "css",
        "csv",
        "gif",
        "html",
        "jpeg",
        "jpg",
        "js",
        "json",
        "mp3",
        "mp4",
        "pdf",
        "php",
        "png",
        "svg",
        "txt",
        "webp",
        "xml",
    )
)
_IPV6 = re.compile(
    r"(?<![A-Za-z0-9:.])[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]{2,34}[0-9A-Fa-f:](?![A-Za-z0-9:])"
)
_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)")
_NO_IP_BEFORE = re.compile(
    r"(?:[A-Za-z_\-]|§\s?|\b(?:v|ver|version|versión|versão|versione|versi|release|build|firmware|section|sec|clause"
    r"|article|art|chapter|ch|rp|idr|usd|eur|vnd)\.?\s|[$€£¥₹₽₩₫₺₦₱฿]\s?|верси[яи]\s|версію\s|版本\s?|バージョン\s?|버전\s?"
    r"|الإصدار\s|نسخه\s|संस्करण\s)$",
    re.IGNORECASE,
)
_NO_PHONE_BEFORE = re.compile(
    r"(?:isbn|issn|ean|doi|pmid|oclc|iban|isni|orcid|arxiv)(?:-?1[03])?[\s:.]*(?:[\d-]*[\s,])?$"
    r"|\d[.,:]?$|[/=_#A-Za-z\-]$",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"""
    (?P<world>(?:\+|(?<![\d.,-])00)[ ]?\(?[1-9][\d ().\-/]{6,24}\d)
    | (?P<area>(?<![\d(])(?<!\d[ ])\(0?[1-9]\d{1,3}\)[ .-]?\d{2,4}(?:[ .-]?\d{2,4}){1,3}(?!\d|[.,/-]\d))
    | (?P<american>(?<![\d.,/-])[2-9]\d\d([.-])[2-9]\d\d\4\d{4}(?!\d|[.,/-]\d))
    | (?P<trunk>(?<![\d.,/-])(?<!\d[ ])0[1-9]\d{0,3}(?:[ /-]\d{6,8}|([ .-])\d{2,4}(?:\6\d{2,4}){1,4})(?!\d|[.,/ -]\d))
    | (?P<mobile>(?<![\d.,/-])(?<!\d[ ])1[3-9]\d([ -])\d{4}\8\d{4}(?!\d|[.,/ -]\d))
    | (?P<named>(?<![\d.,])\(?\d[\d ().\-/]{5,22}\d(?!\d|[.,/-]\d))
    """,
    re.VERBOSE,
)
_DATE = re.compile(
    r"(?:\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d\d|(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2})(?!\d)"
)
_YEARS = re.compile(
    r"\((?:1[5-9]|20)\d\d\)|\(?(?:1[5-9]|20)\d\d(?:[)\- ./]+(?:1[5-9]|20)\d\d)*\)?$"
)
_FICTION = re.compile(r"^(?:001|1)?[2-9]\d\d55501\d\d$")

_AS_ASCII = {
    0xA0: " ", 0x2007: " ", 0x2009: " ", 0x202F: " ", 0x2212: "-", 0x3000: " ", 0xFF08: "(", 0xFF09: ")", 0xFF0B: "+",
    0xFF0D: "-", 0xFF0E: ".",
}  # fmt: skip
_AS_ASCII |= dict.fromkeys(range(0x2010, 0x2016), "-")


def emails(run: str, before: str, after: str, kinds: Collection[str]) -> list[Change]:
    """Return the addresses in a word that holds @; like `ips` and `numbers` it may be told what stands around it."""
    del before, after, kinds  # an address says for itself what it is
    local_part, domain_part = _address_parts()
    found: list[Change] = []
    done = 0
    for sign in re.finditer("@", run):
        local = local_part.search(run, max(done, sign.start() - _LONGEST_LOCAL), sign.start())
        domain = domain_part.match(run, sign.end())
        if local is None or domain is None:
            continue
        name = domain.group().lower()
        if _NOBODYS.search(name) or name.rpartition(".")[2] in _FILES:
            continue
        found.append(Change(local.start(), domain.end(), "email", EMAIL))
        done = domain.end()
    return found


def ips(run: str, before: str, after: str, kinds: Collection[str]) -> list[Change]:
    """Return the IPv6 addresses in a word with colons: those of the global range, none of documentation."""
    del before, after, kinds
    found = []
    for match in _IPV6.finditer(run):
        text = match.group()
        try:
            address = ipaddress.IPv6Address(text)
        except ValueError:
            continue
        if address.is_global:
            found.append(Change(match.start(), match.end(), "ip", IPV6))
    return found


def numbers(run: str, before: str, after: str, kinds: Collection[str]) -> list[Change]:
    """Return the IPv4 addresses and phone numbers in a run of digits and separators.

    Args:
        run: The run, from its first digit or separator to its last digit.
        before: What stands before it.
        after: What stands after it.
        kinds: "ip", "phone" or both.

    Returns:
        What to replace, in order.
    """
    plain = "".join(map(_ascii, run))
    found = []
    if "ip" in kinds:
        found = [
            Change(*match.span(), "ip", IPV4)
            for match in _IPV4.finditer(plain)
            if _is_personal_ip(match.group(), _context(before, plain, match.start()))
        ]
    if "phone" in kinds:
        found += _phones(_IPV4.sub(lambda match: "?" * len(match.group()), plain), before, after)
    return sorted(found)


def _is_personal_ip(address: str, before: str) -> bool:
    """Tell whether an address is one of the Internet, and no section, version or price."""
    octets = [int(each) for each in address.split(".")]
    if any(str(octet) != each for octet, each in zip(octets, address.split("."), strict=True)):
        return False  # 01.02.03.04
    if max(octets) > 255 or max(octets) <= _MOST_SECTION or _NO_IP_BEFORE.search(before):
        return False
    return ipaddress.IPv4Address(address).is_global


def _context(before: str, run: str, place: int) -> str:
    """Return what stands before a place of a run."""
    return before + run[:place] if place < _CONTEXT else run[place - _CONTEXT : place]


def _phones(plain: str, before: str, after: str) -> list[Change]:
    is_named = _phone_word().search(before) is not None
    found = []
    at = 0
    while match := _PHONE.search(plain, at):
        first, last = match.span()
        kind = match.lastgroup or ""
        if plain.startswith(PHONE, first):
            at = first + len(PHONE)
            continue
        at = last
        if kind == "world":
            last = first + _longest_number(match.group())
            at = max(last, first + 1)
        if kind == "named" and not is_named:
            at = first + len(re.match(r"\(?\d+", match.group()).group())  # type: ignore[union-attr]
        elif _is_phone(
            plain[first:last], kind, _context(before, plain, first), plain[last : last + 1] or after
        ):
            found.append(Change(first, last, "phone", PHONE))
    return found


def _is_phone(number: str, kind: str, before: str, after: str) -> bool:
    digits = re.sub(r"\D", "", number)
    if _NO_PHONE_BEFORE.search(before) or _FICTION.match(digits) or after[:1] in {"%", "°"}:
        return False
    if kind == "world":
        digits = digits.removeprefix("00") if not number.startswith("+") else digits
        is_coded = any(digits.startswith(code) for code in _calling_codes())
        return is_coded and 8 <= len(digits) <= _MOST_DIGITS and not digits.endswith("000000")
    if _DATE.search(number) or _YEARS.match(number):
        return False
    if len(re.findall(r"\d+", number)) > _MOST_GROUPS:
        return False
    least = LEAST_DIGITS if kind == "named" else 9
    return least <= len(digits) <= _MOST_DIGITS and len(set(digits)) > 1


def _longest_number(written: str) -> int:
    """Return how much of a number with a calling code can be one: groups up to 15 digits."""
    most = _MOST_DIGITS + (0 if written.startswith("+") else 2)
    end = count = 0
    for group in re.finditer(r"\d+\)?", written):
        count += len(group.group().rstrip(")"))
        if count > most:
            break
        end = group.end()
    return end


def _ascii(character: str) -> str:
    """Return a digit or separator of any script as that of ASCII."""
    if character.isascii():
        return character
    digit = unicodedata.decimal(character, -1)
    return str(digit) if digit >= 0 else _AS_ASCII.get(ord(character), "?")


@cache
def number_classes() -> "NDArray[np.uint8]":
    """Return the classes of code points for `pii_kernels.number_runs`, (0x110000) uint8."""
    from emma500.corpus.privacy.pii_kernels import DIGIT, DOT, SEPARATOR

    classes = np.zeros(CODE_POINTS, np.uint8)
    for point in described():
        if unicodedata.decimal(chr(point), -1) >= 0:
            classes[point] = DIGIT
    classes[[*map(ord, " -()/+"), *_AS_ASCII]] = SEPARATOR
    classes[[ord("."), 0xFF0E]] = DOT
    return classes


@cache
def _calling_codes() -> frozenset[str]:
    return frozenset(
        str(code)
        for row in read_table("calling_codes")
        for code in range(int(row["first"]), int(row["last"]) + 1)
    )


@cache
def _phone_word() -> re.Pattern[str]:
    """Return what finds a word for a phone at the end of a text, with nothing but numbers and signs after it."""
    table = read_table("phone_words")
    joined = {each for row in table for each in row["joined"].split()}
    words = sorted({each for row in table for each in row["words"].split()})
    parted = "|".join(re.escape(each).replace(r"\|", " ") for each in reversed(words))
    inside = "|".join(map(re.escape, sorted(joined, reverse=True)))
    return re.compile(
        rf"(?:(?<![^\W\d_])(?:{parted})s?|{inside})(?:[ ]?(?:no|nr|n[°º]|number|№))?[\s\d:\uff1a.,;/()+№#|\-\u2013]*$",
        re.IGNORECASE,
    )


@cache
def _address_parts() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what ends in the part before the @, and what the part after it is.

    Letters of the scripts with spaces between words may be in them, of the first plane, where alone `re` is fast. Where
    no spaces are written an address cannot be told from what stands around it, unless it is in ASCII.
    """
    is_letter = np.zeros(CODE_POINTS, bool)
    for point in described():
        is_letter[point] = 0x7F < point < 0x10000 and unicodedata.category(chr(point))[0] in "LM"
    is_letter[0xAC00:0xD7A4] = True  # hangul syllables
    for part in script_slices(UNSPACED_SCRIPTS):
        is_letter[part] = False
    edges = np.flatnonzero(np.diff(is_letter.astype(np.int8), prepend=0, append=0))
    ranges = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    letters = "".join(f"{chr(first)}-{chr(end - 1)}" for first, end in ranges)
    edge = rf"A-Za-z0-9_{letters}"
    local = rf"[{edge}](?:[A-Za-z0-9!#$%&'+=?^_`{{|}}~.\-{letters}]*[{edge}+=~-])?$"
    domain = (
        r"(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.)+(?:[A-Za-z]{2,24}|xn--[A-Za-z0-9-]{2,59})(?![A-Za-z0-9-])"
        rf"|(?:[A-Za-z0-9{letters}][A-Za-z0-9{letters}-]{{0,62}}\.)+[A-Za-z{letters}]{{2,24}}"
    )
    return re.compile(local), re.compile(domain)
