"""Formats of others: known by what is inside, and answered with lines that convert them. Nothing is unpickled."""

import gzip
import os
import pickle
import shlex
import struct
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest

from ginjax.data import open_data
from ginjax.errors import FileError


class Trap:
    """Says so when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("sprung",)


def nifti(path):
    header = struct.pack("<i", 348) + bytes(340) + b"n+1\0" + bytes(200)
    path.write_bytes(gzip.compress(header) if path.suffix == ".gz" else header)


def torch_file(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Trap()))
        archive.writestr("archive/data/0", bytes(64))
        archive.writestr("archive/version", "3\n")


def dedalus(path):
    with h5py.File(path, "w") as file:
        file["tasks/b"] = np.arange(3.0 * 4 * 4).reshape(3, 4, 4)
        file["scales/sim_time"] = [0.0, 0.5, 1.0]


def foam(path):
    (path / "system").mkdir(parents=True)
    (path / "system" / "controlDict").write_text("FoamFile { }")


KINDS = {
    "nifti.nii": (nifti, "a NIfTI image", "nibabel.load"),
    "nifti.nii.gz": (nifti, "a NIfTI image", "--axes x,y,z,time"),
    "a.vtk": (lambda p: p.write_text("# vtk DataFile Version 3.0\n"), "a file of VTK", "pyvista.read"),
    "a.vti": (lambda p: p.write_text('<?xml version="1.0"?>\n<VTKFile type="ImageData">'), "a file of VTK", "*.vti"),
    "U": (lambda p: p.write_text("/* C++ */\nFoamFile\n{ version 2.0; }"), "a file of OpenFOAM", "fluidfoam"),
    "case": (foam, "a case of OpenFOAM", "--axes time,component,x,y,z"),
    "a.pt": (torch_file, "a file of PyTorch", "weights_only=True"),
    "a.pkl": (lambda p: p.write_bytes(pickle.dumps(Trap())), "a pickle, which can run", "If you trust who made it"),
    "d_s1.h5": (dedalus, "a file of Dedalus", 'f["tasks"]'),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("within", [False, True])
def test_a_format_of_others_is_named_with_what_converts_it(tmp_path, monkeypatch, name, within):
    monkeypatch.chdir(tmp_path)
    write, kind, words = KINDS[name]
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / name)
    path = tmp_path / "in" if within and name != "case" else tmp_path / "in" / name
    with pytest.raises(FileError, match=kind) as refused:
        open_data(path)
    hint = str(refused.value.hint)
    assert words in hint and "python -c " in hint and "ginjax data inspect" in hint
    program = shlex.split(hint[hint.index("python -c ") :])[2]
    compile(program, name, "exec")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("name", ["a.pkl", "d_s1.h5"])
def test_the_lines_do_what_they_say(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    if name == "a.pkl":
        (tmp_path / name).write_bytes(pickle.dumps({"b": np.zeros((3, 4, 4))}))
    else:
        dedalus(tmp_path / name)
    with pytest.raises(FileError) as refused:
        open_data(name)
    hint = str(refused.value.hint)
    words = shlex.split(hint[hint.index("python -c ") :])
    subprocess.run([sys.executable, *words[1:3]], check=True)
    source = open_data(words[words.index("inspect") + 1], axes="time,x,y", fields=["b:0+"])
    assert (source.frames, source.spatial) == (3, (4, 4))
    assert source.time_step == (0.5 if name == "d_s1.h5" else None)


def test_data_among_other_files_are_read_and_the_others_named(tmp_path):
    for i in range(3):
        np.save(tmp_path / f"run{i}.npy", np.full((5, 8), float(i)))
    for name in ("a.pt", "notes.txt", "b.txt", "c.txt", ".hidden"):
        (tmp_path / name).write_text("text")
    source = open_data(tmp_path, axes="time,x")
    assert source.trajectories == 3 and source.read(2, 0, 5)["data"].max() == 2
    assert source.notes[-1] == "in the folder, but no data: a.pt, b.txt, c.txt and 1 more"
