"""What may be read: regular files, and no more of them than asked for."""

import os
import socket

import pytest

from ginjax.checkpoint import opened, read_text
from ginjax.errors import FileError


@pytest.fixture
def short(tmp_path, monkeypatch):
    """A folder whose name is short enough for a socket in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def specials(folder):
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("socket")
    (folder / "link").symlink_to("pipe")
    return ["pipe", "socket", "link", "/dev/zero", "/dev/stdin"]


def test_nothing_is_waited_for(short):
    for name in specials(short):
        with pytest.raises(FileError, match=f"{name}: (is not a regular file|cannot be read)"):
            read_text(name, most=10)
    for name, words in (("none", "no such file"), (".", "is a folder"), ("a\0b", "not the name")):
        with pytest.raises(FileError, match=words):
            read_text(name, most=10)


def test_a_name_that_becomes_a_pipe_is_not_waited_for(short, monkeypatch):
    (short / "file").write_text("text")
    os.mkfifo(short / "pipe")
    real = os.stat
    monkeypatch.setattr(os, "stat", lambda path: real("file"))
    with pytest.raises(FileError, match="not a regular file"), opened("pipe"):
        pass


def test_the_length_is_bounded(tmp_path):
    path = tmp_path / "file"
    path.write_text("größe")
    assert read_text(path, most=7) == "größe"
    with pytest.raises(FileError, match="has 7 bytes: expected at most 6"):
        read_text(path, most=6)
    with path.open("wb") as stream:
        stream.truncate(2**40)  # takes no room, but would take all memory
    with pytest.raises(FileError, match="at most"):
        read_text(path, most=2**20)
    path.write_bytes(b"\xff")
    with pytest.raises(FileError, match="no text"):
        read_text(path, most=9)
