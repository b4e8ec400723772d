"""Normal form C by the kernel, repeated lines, and texts taken out without copying them."""

import random
import unicodedata

import numpy as np
import pyarrow as pa
import pytest

from emma500.languages.writing.normalisation import normalise, without_repeated_lines
from emma500.languages.writing.normalisation_composition import composed
from emma500.languages.writing.strings import only

_POOLS = (
    [0x0958, 0x09DC, 0x09DF, 0x0CC6, 0x0CC2, 0x0CD5, 0x09C7, 0x09BE, 0x09D7, 0x1E9B, 0x212B, 0x0344, 0x1D15E],
    [0x0300, 0x0301, 0x0308, 0x0323, 0x0331, 0x0345, 0x05B0, 0x064E, 0x0651, 0x093C, 0x3099],
    [0x1100, 0x1112, 0x1161, 0x1175, 0x11A8, 0x11C2, 0x11A7, 0xAC00, 0xAC01, 0xD7A3],
    [*range(0x20, 0x250), *range(0x370, 0x3FF), *range(0x1F00, 0x2000)],
)  # fmt: skip


def random_texts(n, seed=7):
    choice = random.Random(seed)
    return [
        "".join(chr(choice.choice(choice.choice(_POOLS))) for _ in range(choice.randrange(24)))
        for _ in range(n)
    ]


def test_the_kernel_composes_as_python_does():
    texts = random_texts(20_000)
    found, is_done = composed(pa.array(texts, pa.large_string()))
    assert is_done.all()
    assert found.to_pylist() == [unicodedata.normalize("NFC", text) for text in texts]


def test_marks_compose_with_the_letter_before_them_wherever_it_stands_among_eight_bytes():
    texts = ["abcdefghijklmnopqrstuvwx"[:at] + "e\u0301" + "z" * 9 for at in range(24)]
    found, is_done = composed(pa.array(texts, pa.large_string()))
    assert is_done.all()
    assert found.to_pylist() == [unicodedata.normalize("NFC", text) for text in texts]


def test_tidying_drops_what_stands_anywhere_among_eight_bytes_and_nothing_else():
    line = "ab cdefg hijk & lmn, opqrstu vwxyz."
    texts = [line[:at] + "\u200b" + line[at:] for at in range(len(line) + 1)]
    assert normalise(texts).to_pylist() == [line] * len(texts)
    texts = [line[:at] + "  " + line[at:].lstrip() for at in range(1, len(line))]
    wanted = [" ".join(text.split()) for text in texts]
    assert normalise(texts).to_pylist() == wanted


def test_what_is_composed_three_times_as_long_has_room():
    texts = ["\U0001d160" * 50, "\u0390" * 50]
    found, _ = composed(pa.array(texts, pa.large_string()))
    assert found.to_pylist() == [unicodedata.normalize("NFC", text) for text in texts]


def test_a_letter_under_hundreds_of_marks_is_left_to_python():
    text = "a" + "\u0323\u0301" * 200
    found, is_done = composed(pa.array([text, "e\u0301"], pa.large_string()))
    assert is_done.tolist() == [False, True]
    assert found.to_pylist() == [text, "é"]
    assert normalise([text]).to_pylist() == [unicodedata.normalize("NFC", text)]


@pytest.mark.parametrize("width", range(1, 18))
def test_white_space_is_found_wherever_it_stands_among_eight_bytes(width):
    word = "x" * width
    texts = [
        f"{word} {word}",
        f"{word}  {word}",
        f"{word}\n {word}",
        f"{word}\t{word}",
        f"{word} ",
        f" {word}",
    ]
    wanted = [f"{word} {word}", f"{word} {word}", f"{word}\n{word}", f"{word} {word}", word, word]
    assert normalise(texts).to_pylist() == wanted


def test_texts_without_a_repeated_line_are_the_same_array():
    texts = pa.array(["a" * 50 + "\n" + "b" * 50, "short\nshort", None, ""], pa.large_string())
    assert without_repeated_lines(texts, np.ones(4, bool)) is texts


def test_thousands_of_lines_lose_the_repeated_ones_only():
    lines = [f"line number {number:06d} of a very long text of lines" for number in range(3000)]
    text, double = "\n".join(lines), "\n".join([*lines, lines[1500]])
    texts = pa.array([double, text], pa.large_string())
    assert without_repeated_lines(texts, np.ones(2, bool)).to_pylist() == [text, text]
    assert without_repeated_lines(texts, np.array([False, True])).to_pylist() == [double, text]


def test_texts_taken_out_leave_the_bytes_where_they_are():
    texts = pa.array(["zero", "one", None, "three", "four"], pa.large_string()).slice(1)
    kept = only(texts, pa.array([True, True, False, True]))
    assert kept.to_pylist() == ["one", None, None, "four"]
    assert kept.null_count == 2
    assert kept.buffers()[2].address == texts.buffers()[2].address
    kept.validate(full=True)
    assert only(texts, pa.array([True] * 4)) is texts
