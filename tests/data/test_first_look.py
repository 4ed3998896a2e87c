"""Files on which the library of HDF5 would end or stall this process."""

import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
from data.layouts import compressible

from ginjax.data.readers import Hdf5, _first_look
from ginjax.errors import FileError

ANSWERS = """
import os, sys, time
os.write(1, b"!")
path = b""
while not path.endswith(b"\\0"):
    path += os.read(0, 1)
path = os.path.basename(path)
os.write(1, b"+..")
if b"crash" in path: os.abort()
if b"stall" in path: time.sleep(60)
if b"large" in path: os.write(1, b"M")
os.write(1, b"\\n")
"""
"""What another process does: as `_look_inside.py` in a library that fails."""


@pytest.fixture
def fresh(monkeypatch):
    """Nothing is known yet, and nobody looks."""
    if _first_look._Looker._running is not None:
        _first_look._Looker._running._end()
    monkeypatch.setattr(_first_look, "_known", set())
    yield monkeypatch
    if _first_look._Looker._running is not None:
        _first_look._Looker._running._end()


@pytest.fixture
def failing(fresh, tmp_path):
    script = tmp_path / "answers.py"
    script.write_text(ANSWERS)
    fresh.setattr(_first_look.inside, "__file__", str(script))
    fresh.setattr(_first_look, "PATIENCE", 2.0)


@pytest.mark.parametrize(
    ("name", "problem"),
    (
        ("crash", "crash the HDF5"),
        ("stall", "busy for more than 2 s"),
        ("large", "more than 4 GiB of memory"),
    ),
)
@pytest.mark.usefixtures("failing")
def test_a_file_that_ends_or_stalls_the_library_is_refused(tmp_path, name, problem):
    path = compressible(tmp_path / name)
    for _ in range(2):  # a file that was refused is not known as good
        with pytest.raises(FileError, match=problem):
            Hdf5(path).names()
    assert Hdf5(compressible(tmp_path / "sound")).names()


@pytest.mark.usefixtures("failing")
def test_the_other_process_may_have_ended_for_want_of_work(tmp_path):
    """The one of this test answers a single question."""
    for name in ("a", "b", "c"):
        assert Hdf5(compressible(tmp_path / name)).names()


def test_a_file_is_looked_at_once_unless_it_changes(fresh, tmp_path):
    asked = []
    fresh.setattr(_first_look._Looker, "ask", classmethod(lambda cls, path: asked.append(path)))
    path = compressible(tmp_path / "a")
    for _ in range(3):
        with h5py.File(path, "r"):
            Hdf5(path).names()
    assert asked == [str(path)]
    os.utime(path, (1, 1))
    Hdf5(path).names()
    assert len(asked) == 2


def test_without_another_process_files_are_read_all_the_same(fresh, tmp_path):
    fresh.setattr(sys, "executable", "")
    assert Hdf5(compressible(tmp_path / "a")).names()


def test_all_of_a_file_is_looked_at_without_jax(tmp_path):
    """Also what hangs on a dimension scale, and circles of links."""
    path = tmp_path / "a"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(4.0)
        file["x"].make_scale("x")
        file.create_dataset("u", data=np.zeros((4, 4)), chunks=(2, 2)).dims[0].attach_scale(file["x"])
        file["group/again"] = file["/"]
        file.attrs["empty"] = h5py.Empty("f4")
    code = (
        "import sys; from runpy import run_path; import os; said = []\n"
        f"look = run_path({_first_look.inside.__file__!r})['_look']\n"
        "write = os.write; os.write = lambda number, text: said.append(text) or len(text)\n"
        f"look({str(path)!r}); assert 'jax' not in sys.modules and len(said) > 4, said"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pipes_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="is not a regular file"):
        Hdf5(tmp_path / "pipe").names()
