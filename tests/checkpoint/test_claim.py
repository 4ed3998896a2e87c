"""Two at once, and what a killed process leaves."""

import json
import os
import signal
import subprocess
import sys

import pytest

from ginjax.checkpoint import Claim, atomic_write, folder_for_work
from ginjax.checkpoint import _claim as claims
from ginjax.errors import FileError

KILLED = """
import os, signal, sys
from pathlib import Path
from ginjax.checkpoint import Claim, atomic_write, folder_for_work
folder = Path(sys.argv[1])
claim = Claim(folder / "data", (folder / "a", folder / "b"), work="this")
atomic_write(folder / "a", b"half of it")
if len(sys.argv) > 2:
    print("claimed", flush=True)
    sys.stdin.read()
atomic_write(folder / "b", lambda stream: (stream.write(b"x"), os.kill(os.getpid(), signal.SIGKILL)))
"""


def files(folder):
    return folder / "a", folder / "b"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    folder = tmp_path_factory.mktemp("left")
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)])
    assert done.returncode == -signal.SIGKILL
    return folder


@pytest.fixture
def killed(left, tmp_path):
    """A folder in which a process was killed while it wrote the second of two files."""
    for path in left.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_the_same_work_may_be_done_again(killed):
    assert [name.split("-")[0] for name in names(killed)] == [".data.ginjax", ".ginjax", "a"]
    with Claim(killed / "data", files(killed), work="this") as claim:
        for file in files(killed):
            atomic_write(file, b"whole", force=claim.replaces(file))
        assert not claim.replaces(killed / "c")
        claim.done()
    assert names(killed) == ["a", "b"]  # neither lock nor temporary file
    with pytest.raises(FileError, match="exists already"):
        Claim(killed / "data", files(killed), work="this")


def test_other_work_may_not_replace_it(killed):
    before = names(killed)
    with pytest.raises(FileError, match="a: the file exists already"):
        Claim(killed / "data", files(killed), work="that")
    assert names(killed) == before and (killed / "a").read_bytes() == b"half of it"
    with Claim(killed / "data", files(killed), work="that", force=True) as claim:
        claim.done()
    assert ".data.ginjax-lock" not in names(killed)


def test_what_was_there_before_is_not_a_remainder(tmp_path):
    """Not even of work that was to replace it and failed."""
    a, b = files(tmp_path)
    a.write_bytes(b"mine")
    with pytest.raises(RuntimeError), Claim(tmp_path / "data", (a, b), work="this", force=True):
        atomic_write(b, b"new")
        raise RuntimeError
    with pytest.raises(FileError, match="a: the file exists already"):
        Claim(tmp_path / "data", (a, b), work="this")
    a.unlink()
    with Claim(tmp_path / "data", (a, b), work="this") as claim:
        assert claim.replaces(b) and not claim.replaces(a)


def test_work_that_left_nothing_leaves_no_lock(tmp_path):
    with pytest.raises(RuntimeError), Claim(tmp_path / "data", files(tmp_path)):
        raise RuntimeError
    assert names(tmp_path) == []


@pytest.mark.parametrize("locks", [True, False])
def test_two_at_once(tmp_path, monkeypatch, locks):
    """On file systems without locks as well."""
    words = [sys.executable, "-c", KILLED, str(tmp_path), "wait"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "claimed\n"
        if not locks:
            refuse_locks(monkeypatch)
        with pytest.raises(FileError, match=rf"written by process {process.pid} on '.+', since 2") as caught:
            Claim(tmp_path / "data", files(tmp_path), work="this", force=True)
        assert "Wait for it" in caught.value.hint and ".data.ginjax-lock" in caught.value.hint
    finally:
        process.kill()
        process.communicate()
    with Claim(tmp_path / "data", files(tmp_path), work="this") as claim:  # the system knows that it is gone
        claim.done()


def refuse_locks(monkeypatch):
    import fcntl

    def refuse(*_):
        raise OSError(claims.errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)


def test_another_machine_without_locks(killed, monkeypatch):
    refuse_locks(monkeypatch)
    lock = killed / ".data.ginjax-lock"
    content = json.loads(lock.read_text())
    lock.write_text(json.dumps(content | {"machine": "00000000", "host": "elsewhere"}))
    with pytest.raises(FileError, match=r"process \d+ on 'elsewhere'"):
        Claim(killed / "data", files(killed), work="this")
    lock.write_text(json.dumps(content))
    with Claim(killed / "data", files(killed), work="this"):
        pass


@pytest.mark.parametrize(
    "content",
    ["text", "[]", "{}", '{"process": true}', "[" * 60_000, " " * 70_000, '{"process": 1, "host": 5}'],
)
def test_a_lock_that_is_none_of_ours(tmp_path, content):
    lock = tmp_path / ".data.ginjax-lock"
    lock.write_text(content)
    with pytest.raises(FileError, match="is not a lock of ginjax"):
        Claim(tmp_path / "data", files(tmp_path), force=True)
    assert lock.read_text() == content


def test_a_lock_is_no_way_to_another_file(tmp_path):
    other, lock = tmp_path / "other", tmp_path / ".data.ginjax-lock"
    other.write_text("")
    lock.symlink_to(other)
    with pytest.raises(FileError, match="symbolic link"):
        Claim(tmp_path / "data", files(tmp_path))
    lock.unlink()
    os.mkfifo(lock)
    with pytest.raises(FileError, match="not a regular file"):
        Claim(tmp_path / "data", files(tmp_path))
    assert other.read_text() == ""


def test_a_folder_that_cannot_be_written_to_is_told_at_once(tmp_path, monkeypatch):
    with pytest.raises(FileError, match=r"a: the folder .* does not exist"):
        Claim(tmp_path / "none" / "data", files(tmp_path / "none"))

    def refuse(*_, **__):
        raise PermissionError(claims.errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(FileError, match="a: cannot be written: Permission denied"):
        Claim(tmp_path / "data", files(tmp_path))


def test_a_folder_that_nothing_came_to_lie_in_goes_again(tmp_path):
    with pytest.raises(RuntimeError), folder_for_work(tmp_path / "a" / "b"):
        raise RuntimeError
    assert names(tmp_path) == []
    with folder_for_work(tmp_path / "a" / "b"):
        (tmp_path / "a" / "c").write_bytes(b"")
    assert names(tmp_path / "a") == ["c"]
    with folder_for_work(tmp_path / "a"):  # one that was there stays
        (tmp_path / "a" / "c").unlink()
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("letter", ["n", "ä", "\udcff", "🙂"])
def test_a_name_as_long_as_the_system_allows_has_a_lock_of_its_own(tmp_path, letter):
    count = (255 - 3) // len(os.fsencode(letter))
    one, other = (tmp_path / f"{letter * count}.{ending}" for ending in ("h5", "hd"))
    with Claim(one, (one,)) as first, Claim(other, (other,)) as second:
        assert first.path != second.path and first.path.exists() and second.path.exists()
        atomic_write(one, b"one")
        first.done()
        second.done()
    assert names(tmp_path) == [one.name]
