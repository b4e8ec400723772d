"""Folders that one process puts in their place while another one reads them."""

from pathlib import Path

import pytest

from emma500.storage import recover_folder, replace_folder


def folder(path, text):
    path.mkdir()
    (path / "text").write_text(text)
    return path


def before_renames_of(source, happens, monkeypatch, *, times=1):
    """Let another process come before the first renames of a folder."""
    rename, left = Path.rename, [times]

    def renamed(self, target):
        if self == source and left[0]:
            left[0] -= 1
            happens()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", renamed)


def test_a_reader_between_the_two_renames_does_not_stop_the_writer(tmp_path, monkeypatch):
    final, staged = folder(tmp_path / "out", "old"), folder(tmp_path / "out.tmp", "new")
    read = []

    def reader():
        recover_folder(final)
        read.append((final / "text").read_text())

    before_renames_of(staged, reader, monkeypatch)
    replace_folder(staged, final)
    assert read == ["old"]
    assert (final / "text").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_writer_that_was_not_killed_does_not_stop_the_reader(tmp_path, monkeypatch):
    final, old = tmp_path / "out", folder(tmp_path / "out.old.tmp", "old")
    before_renames_of(old, lambda: folder(final, "new"), monkeypatch)
    recover_folder(final)
    assert (final / "text").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_comes_back_each_time_is_an_error_and_no_endless_loop(tmp_path, monkeypatch):
    final, staged = folder(tmp_path / "out", "old"), folder(tmp_path / "out.tmp", "new")
    before_renames_of(staged, lambda: recover_folder(final), monkeypatch, times=9)
    with pytest.raises(OSError, match="not empty"):
        replace_folder(staged, final)
    assert (final / "text").read_text() == "old"
