"""Text files: one document, one a block, or one a line."""

import gzip

from tests.sources.rows import read, seen


def test_a_small_text_file_is_one_document(file):
    path = file("yor_Latn.txt", b"\nfirst\r\n\r\nsecond\n")
    assert seen(read(path), "origin", "text", "original_code") == [
        ("yor_Latn.txt:1", "first\n\nsecond", "yor_Latn")
    ]


def test_a_large_text_file_with_blank_lines_is_cut_there(file):
    blocks = [f"document {n}\n" + "word " * 2000 + "\nend" for n in range(200)]
    path = file("a.txt", "\n \n\n".join(blocks).encode())
    assert path.stat().st_size > 2**20
    rows = read(path)
    assert [row["text"] for row in rows] == [block.replace(" \nend", " \nend") for block in blocks]
    assert [row["origin"] for row in rows[:3]] == ["a.txt:1", "a.txt:6", "a.txt:11"]


def test_a_large_text_file_without_blank_lines_is_a_document_a_line(file):
    path = file("a.txt.gz", gzip.compress(b"\n".join(b"sentence %d" % n for n in range(100_000))))
    rows = read(path)
    assert len(rows) == 100_000
    assert (rows[77_776]["origin"], rows[77_776]["text"]) == ("a.txt.gz:77777", "sentence 77776")


def test_bad_documents_of_a_text_file_are_told(file):
    good = b"word " * 1000
    blocks = [good, b"caf\xe9", b"x" * 9000, b"line\n" * 2000, good] + [good] * 250
    path = file("a.txt", b"\n\n".join(blocks))
    reasons = seen(read(path, max_document_bytes=8000), "reason")
    assert reasons[:5] == [(None,), ("invalid_utf8",), ("too_long",), ("too_long",), (None,)]
    assert len(reasons) == len(blocks)
