"""Write the tables of scripts, blocks and Han forms anew: after a new fontTools or icu4py.

    python docs/script_tables.py

scripts.tsv and blocks.tsv are Unicode's Scripts.txt and Blocks.txt as fontTools carries them. han_forms.tsv comes from
the transliterators Hant-Hans and Hans-Hant of the ICU that icu4py carries (CLDR's rules, Unicode licence) and two
character sets that Python knows; `han_forms` says how.
"""

import ctypes
import re
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from itertools import groupby
from pathlib import Path

from fontTools.unicodedata import Blocks, Scripts, block, script

TABLES = Path(__file__).parent.parent / "emma500" / "tables"
POINTS = range(0x110000)
ARABIC_MARKS = {*range(0x64B, 0x656), 0x670}
HAN = (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)
BIG5_LEVEL_1 = ("big5", 0xA440, 0xC67E)
GB2312_LEVEL_1 = ("gb2312", 0xB0A1, 0xD7F9)


def version(module: object) -> str:
    """Return the Unicode file a module of fontTools was made from, as "Scripts-18.0.0.txt"."""
    source = Path(str(vars(module)["__file__"])).read_text(encoding="utf-8")
    return re.search(r"\w+-[\d.]+\.txt", source)[0]  # type: ignore[index]


def detected_script(character: str) -> str:
    """Return the script a character counts for: Unicode's, but for the vowel signs of Arabic."""
    return "Arab" if ord(character) in ARABIC_MARKS else script(character)


def ranges(value: Callable[[str], str]) -> Iterator[tuple[int, int, str]]:
    """Return the runs of code points of one value: first, last, value."""
    for name, run in groupby(POINTS, key=lambda point: value(chr(point))):
        points = list(run)
        yield points[0], points[-1], name


def transliterator(name: str) -> Callable[[str], str]:
    """Return one of ICU's transliterators; icu4py has no function for them, but its library does."""
    package = distribution("icu4py")
    found = {}
    for file in package.files or ():
        match = re.match(r"lib(icu(?:data|uc|i18n))\b.*\.so\.(\d+)", file.name)
        if match:
            found[match[1]] = (str(package.locate_file(file)), match[2])
    for part in ("icudata", "icuuc"):
        ctypes.CDLL(found[part][0], mode=ctypes.RTLD_GLOBAL)
    library, suffix = ctypes.CDLL(found["icui18n"][0]), found["icui18n"][1]
    opened = library[f"utrans_openU_{suffix}"]
    opened.restype = ctypes.c_void_p
    error = ctypes.c_int(0)
    rules = ctypes.c_void_p(
        opened(name.encode("utf-16-le"), len(name), 0, None, -1, None, ctypes.byref(error))
    )
    if error.value > 0:
        raise SystemExit(f"ICU has no transliterator {name!r}: error {error.value}")

    def call(text: str) -> str:
        data = text.encode("utf-16-le")
        buffer = ctypes.create_string_buffer(data, 4 * len(data) + 32)
        length, limit = ctypes.c_int32(len(data) // 2), ctypes.c_int32(len(data) // 2)
        transliterate = library[f"utrans_transUChars_{suffix}"]
        capacity = len(buffer) // 2
        texts = (buffer, ctypes.byref(length), capacity, 0, ctypes.byref(limit))
        transliterate(rules, *texts, ctypes.byref(error))
        if error.value > 0:
            raise SystemExit(f"ICU could not transliterate {text!r}: error {error.value}")
        return buffer.raw[: 2 * length.value].decode("utf-16-le")

    return call


def is_in(character: str, level: tuple[str, int, int]) -> bool:
    """Tell whether a character is among the everyday ones of a national standard."""
    encoding, first, last = level
    try:
        code = character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return first <= int.from_bytes(code, "big") <= last


def han_forms() -> dict[str, str]:
    """Return the characters that only simplified, and that only traditional, text is written with.

    Hant: what simplifying changes, and no simplification results in; but for GB 2312's everyday characters (著, 乾).
    Hans: what simplifying results in and leaves alone, and what the way back changes; but for Big5's everyday
    characters (后, 里, 只, 干: in traditional text they are words of their own).
    """
    simplified, traditional = transliterator("Hant-Hans"), transliterator("Hans-Hant")
    characters = [chr(point) for first, last in HAN for point in range(first, last + 1)]
    became = {each: simplified(each) for each in characters}
    changed = {each for each in characters if became[each] != each}
    results = {became[each] for each in changed}
    hant = {each for each in changed - results if not is_in(each, GB2312_LEVEL_1)}
    hans = {
        each
        for each in results - changed
        if traditional(each) != each and not is_in(each, BIG5_LEVEL_1)
    }
    return {"Hans": "".join(sorted(hans)), "Hant": "".join(sorted(hant))}


def write(name: str, note: str, header: str, rows: list[str]) -> None:
    """Write a table."""
    lines = [*(f"# {line}" for line in note.split("\n")), header, *rows]
    (TABLES / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Write the three tables."""
    fonttools = f"by fontTools {distribution('fonttools').version}'s table"
    write(
        "scripts",
        f"Unicode script ranges ({version(Scripts)}, {fonttools}), ISO 15924; code points in hexadecimal.\n"
        "What is left out is unassigned (Zzzz). One change: U+064B..U+0655 and U+0670, inherited (Zinh) in Unicode,\n"
        "count as Arabic.",
        "first\tlast\tscript",
        [
            f"{first:04X}\t{last:04X}\t{name}"
            for first, last, name in ranges(detected_script)
            if name != "Zzzz"
        ],
    )
    write(
        "blocks",
        f"Unicode blocks ({version(Blocks)}, {fonttools}); code points in hexadecimal.",
        "first\tlast\tblock",
        [
            f"{first:04X}\t{last:04X}\t{name}"
            for first, last, name in ranges(block)
            if name != "No_Block"
        ],
    )
    write(
        "han_forms",
        "Characters that only simplified (Hans) and that only traditional (Hant) Chinese text is written with, by\n"
        "docs/script_tables.py from the transliterators of the ICU in icu4py "
        f"{distribution('icu4py').version} (CLDR, Unicode licence).",
        "script\tcharacters",
        [f"{name}\t{characters}" for name, characters in han_forms().items()],
    )


if __name__ == "__main__":
    main()
