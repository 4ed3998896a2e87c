"""A file is complete or absent, and never replaced by accident."""

import errno
import os
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest

from ginjax.checkpoint import Claim, atomic_write, check_target, read_file, write_file
from ginjax.errors import FileError
from ginjax.ml import RunFiles


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.bin"


def names(path):
    return sorted(p.name for p in path.parent.iterdir())


def test_bytes_and_callbacks(path):
    atomic_write(path, b"first")
    assert path.read_bytes() == b"first"
    atomic_write(path, lambda stream: stream.write(b"second"), force=True)
    assert path.read_bytes() == b"second"
    assert names(path) == ["out.bin"]


def test_an_existing_file_needs_force(path):
    path.write_bytes(b"old")
    for write in (lambda: atomic_write(path, b"new"), lambda: check_target(path)):
        with pytest.raises(FileError, match="exists already") as raised:
            write()
        assert "`force=True`" in raised.value.hint
    assert path.read_bytes() == b"old"
    check_target(path, force=True)


class Full(OSError):
    def __init__(self):
        super().__init__(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("error", [Full, KeyboardInterrupt, MemoryError, SystemExit])
@pytest.mark.parametrize("step", ["data", "fsync", "name"])
def test_a_failure_leaves_nothing_behind(path, monkeypatch, force, error, step):
    if force:
        path.write_bytes(b"old")

    def fail(*_, **__):
        raise error

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    if step == "name":
        monkeypatch.setattr(os, "replace", fail)
        monkeypatch.setattr(os, "link", fail)
    with pytest.raises(FileError if error is Full else error) as raised:
        atomic_write(path, fail if step == "data" else b"new", force=force)
    if error is Full:
        assert "No space left on device" in raised.value.problem
        assert "Free some space" in raised.value.hint
    assert names(path) == (["out.bin"] if force else [])
    assert not force or path.read_bytes() == b"old"


def test_a_failed_model_file_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    write_file(path, {"a": np.ones(2)}, {"kind": "model"})
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(Full()))
    with pytest.raises(FileError):
        write_file(path, {"a": np.zeros(2)}, {"kind": "model"}, force=True)
    assert read_file(path).arrays["a"].tolist() == [1, 1]


def appears(path):
    def write(stream):
        path.write_bytes(b"somebody else's")
        stream.write(b"ours")

    return write


def test_a_file_that_appears_meanwhile_is_left_alone(path):
    with pytest.raises(FileError, match="exists already"):
        atomic_write(path, appears(path))
    assert path.read_bytes() == b"somebody else's"
    assert names(path) == ["out.bin"]
    atomic_write(path, appears(path), force=True)
    assert path.read_bytes() == b"ours"


def refuse_links(*_, **__):
    raise OSError(errno.EPERM, "Operation not permitted")


def test_file_systems_without_hard_links(path, monkeypatch):
    monkeypatch.setattr(os, "link", refuse_links)
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(path) == ["out.bin"]
    path.unlink()
    with pytest.raises(FileError, match="exists already"):
        atomic_write(path, appears(path))
    assert path.read_bytes() == b"somebody else's"
    path.unlink()
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(Full()))
    with pytest.raises(FileError, match="No space left"):
        atomic_write(path, b"new")
    assert names(path) == []


def test_a_folder_that_cannot_be_synced_does_no_harm(path, monkeypatch):
    real = os.fsync

    def only_files(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", only_files)
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"


def test_the_file_is_on_the_disk_before_it_has_its_name(path, monkeypatch):
    order = []
    for name in ("fsync", "link"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, _n=name, _r=real: (order.append(_n), _r(*a))[1])
    atomic_write(path, b"new")
    assert order == ["fsync", "link", "fsync"]


def test_targets_that_cannot_be_written(tmp_path, path):
    path.write_bytes(b"a file")
    os.mkfifo(tmp_path / "pipe")
    for target, message in [
        (tmp_path / "missing" / "out", "does not exist"),
        (path / "out", "is not a folder"),
        (tmp_path, "is a folder"),
        (tmp_path / "pipe", "not a regular file"),
        ("/dev/null", "not a regular file"),
        (tmp_path / ("n" * 300), "File name too long"),
        ("a\0b", "not the name of a file"),
    ]:
        for force in (False, True):
            with pytest.raises(FileError, match=message):
                atomic_write(target, b"new", force=force)
    assert names(path) == ["out.bin", "pipe"]


def test_links_are_followed(tmp_path, path):
    path.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(path.name)
    atomic_write(link, b"new", force=True)
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    dangling = tmp_path / "dangling"
    dangling.symlink_to("target.bin")
    with pytest.raises(FileError, match=r"is a symbolic link to nothing.*`force=True` to write the file"):
        atomic_write(dangling, b"there")
    assert not (tmp_path / "target.bin").exists()
    atomic_write(dangling, b"there", force=True)
    assert (tmp_path / "target.bin").read_bytes() == b"there"
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    with pytest.raises(FileError):
        atomic_write(loop, b"x")


def test_permissions_are_the_users(path):
    old = os.umask(0o027)
    try:
        atomic_write(path, b"new")
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o640
    path.chmod(0o600)
    atomic_write(path, b"newer", force=True)
    assert path.stat().st_mode & 0o777 == 0o600


def test_rights_beyond_the_usual_end_with_the_old_file(path):
    path.write_bytes(b"old")
    path.chmod(0o6755)
    atomic_write(path, b"new", force=True)
    assert path.stat().st_mode & 0o7777 == 0o755


def test_links_are_refused_where_they_were_not_chosen(tmp_path, path):
    link = tmp_path / "link"
    for target in (path, tmp_path / "none"):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        for write in (
            lambda: atomic_write(link, b"x", force=True, links=False),
            lambda: check_target(link, links=False),
        ):
            with pytest.raises(FileError, match="is a symbolic link"):
                write()
    assert names(path) == ["link"]


def test_temporary_files_of_the_dead_are_removed(tmp_path, path, monkeypatch):
    seen = []
    atomic_write(path, lambda stream: seen.extend(names(path)))
    (own,) = seen
    parts = own.split("-")
    dead = parts.copy()
    dead[3] = "4194305"  # larger than any process has
    others = [own, own.replace(parts[1], "0" * 8), "-".join([*parts[:2], "0" * 8, *dead[3:]]), "notes.tmp"]
    for name in ("-".join(dead), *others):
        (tmp_path / name).write_bytes(b"half")
    link = tmp_path / "-".join([*dead[:4], "0" * 16 + ".tmp"])
    link.symlink_to("notes.tmp")
    atomic_write(path, b"new", force=True)
    assert names(path) == sorted(["out.bin", link.name, *others])


DYING = """
import os, sys
from ginjax.checkpoint import atomic_write
link = os.link
os.link = lambda *given: (link(*given), os._exit(9))
atomic_write(sys.argv[1], b"whole")
"""


def test_the_second_name_of_a_file_that_is_whole_is_removed_whoever_asks_next(tmp_path, path):
    """It was killed between giving the file its name and taking the other one from it, and nobody writes it again."""
    for ask in (
        lambda: check_target(path),
        lambda: Claim(tmp_path / "all", (path,)),
        lambda: RunFiles(path).claim(force=False, resume=True).__exit__(None, None, None),
    ):
        path.unlink(missing_ok=True)
        assert subprocess.run([sys.executable, "-c", DYING, str(path)]).returncode == 9
        assert len(names(path)) == 2 and path.stat().st_nlink == 2
        with suppress(FileError):  # that it exists
            ask()
        assert names(path) == ["out.bin"] and path.read_bytes() == b"whole"


def test_no_file_takes_the_place_of_a_closed_stream(path):
    """Else what libraries print would be in it."""
    body = (
        "import os, sys; os.close(2); from ginjax.checkpoint import atomic_write as w; "
        "w(sys.argv[1], lambda s: (s.write(b'new'), os.write(2, b'noise') if s.fileno() <= 2 else 0))"
    )
    done = subprocess.run([sys.executable, "-c", body, str(path)])
    assert done.returncode == 0 and path.read_bytes() == b"new"


@pytest.mark.parametrize("unnamed", [True, False])
def test_whether_a_folder_takes_files_is_tried(path, monkeypatch, unnamed):
    if not unnamed:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif not hasattr(os, "O_TMPFILE"):
        pytest.skip("no files without a name here")
    check_target(path)
    assert names(path) == []
    opening = os.open

    def refusing(name, flags, *mode):
        if flags & os.O_WRONLY:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opening(name, flags, *mode)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(
        FileError, match=r"out\.bin: cannot be written: Permission denied.*permissions of the folder"
    ):
        check_target(path)


def test_a_trial_that_was_killed_leaves_nothing(path, monkeypatch):
    """Neither where the system has files without names, nor, after the next call, where it has none."""
    killed = """
import os, sys
from ginjax.checkpoint import check_target
if sys.argv[2] == "named": del os.O_TMPFILE
closing = os.close
def close(descriptor):
    if os.fstat(descriptor).st_mode & 0o170000 == 0o100000 and os.fstat(descriptor).st_size == 0:
        os._exit(77)
    closing(descriptor)
os.close = close
check_target(sys.argv[1])
"""
    for kind in ("unnamed", "named") if hasattr(os, "O_TMPFILE") else ():
        done = subprocess.run([sys.executable, "-c", killed, str(path), kind])
        assert done.returncode == 77
        assert len(names(path)) == (kind == "named")
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    check_target(path)
    assert names(path) == []


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that takes no files")
def test_a_folder_that_takes_no_files_is_said_to_be_one():
    with pytest.raises(FileError, match=r"/proc/x: cannot be written: .*write to another one"):
        check_target("/proc/x")
