"""Formats that need programs of their own: recognised by content, and refused with the code that converts them.

Pickles are never loaded here; the files of PyTorch are pickles, too.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from dataclasses import dataclass
from shlex import quote

from ginjax.data.readers._data_file import DataFile

_START = 4096
_GZIP = b"\x1f\x8b"
_PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))


@dataclass(frozen=True)
class Foreign:
    """A format that is not read.

    **Arguments:**

    - `kind`: the kind of file.
    - `hint`: two commands: one converts the file, the other one inspects the result.
    """

    kind: str
    hint: str


def foreign_file(file: DataFile) -> Foreign | None:
    """The format of a file, if it is known but not read; None otherwise."""
    path, start = file.path, file.start
    if _is_torch(file):
        return Foreign("a file of PyTorch", _lines(_torch(path), path))
    if start.startswith(_PICKLES):
        return Foreign(
            "a pickle, which can run any program when it is opened",
            f"If you trust who made it: {_lines(_pickle(path), path)}",
        )
    if _is_nifti(start):
        return Foreign("a NIfTI image", _lines(_nifti(path), path, "`axes=['x,y,z,time']`"))
    if start.startswith(b"# vtk DataFile") or b"<VTKFile" in start or _has(file, "VTKHDF"):
        return Foreign("a file of VTK", _lines(_vtk(path), path))
    if b"FoamFile" in start:
        case = os.path.dirname(os.path.dirname(path)) or "."
        return Foreign("a file of OpenFOAM", _lines(_foam(case), case, "`axes=['time,component,x,y,z']`"))
    if _has(file, "tasks") and _has(file, "scales"):
        return Foreign("a file of Dedalus", _lines(_dedalus(path), path))
    return None


def table_hint(path: str) -> str:
    """How to convert a text table of numbers to an array; each row is then a frame in 1D."""
    try:
        with open(path, "rb") as stream:
            start = stream.read(_START)
    except OSError:
        start = b""
    separator = next((each for each in (b",", b";", b"\t") if each in start), None)
    how = "" if separator is None else f", delimiter={json.dumps(separator.decode())}"
    how += ", skip_header=1" if _is_heading(start.partition(b"\n")[0], separator) else ""
    code = f"import numpy; {_saved(path, f'u=numpy.genfromtxt({json.dumps(path)}{how})')}"
    return "A table whose rows are frames becomes an array by: " + _lines(code, path, "`axes=['time,x']`")


def _is_heading(line: bytes, separator: bytes | None) -> bool:
    """Whether the first line of a table has the names of its columns."""
    try:
        return not [float(each) for each in line.split(separator)]
    except ValueError:
        return not line.startswith(b"#")


def foreign_case(folder: str) -> Foreign | None:
    """The format of a folder if it is an OpenFOAM case; None otherwise."""
    if not os.path.isfile(os.path.join(folder, "system", "controlDict")):
        return None
    return Foreign("a case of OpenFOAM", _lines(_foam(folder), folder, "`axes=['time,component,x,y,z']`"))


def holds_pickle(path: str) -> bool:
    """Whether a zip file contains a pickle, as those of PyTorch do."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.rpartition("/")[2] == "data.pkl" for name in archive.namelist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False


def _is_torch(file: DataFile) -> bool:
    old = file.start.startswith(_PICKLES) and b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." in file.start
    return old or (file.start[:2] == b"PK" and holds_pickle(file.path))


def _is_nifti(start: bytes) -> bool:
    if start[:2] == _GZIP:
        try:
            start = zlib.decompressobj(wbits=31).decompress(start, 512)
        except zlib.error:
            return False
    one, two = start[344:348], start[4:8]
    return one in (b"n+1\0", b"ni1\0") or two in (b"n+2\0", b"ni2\0")


def _has(file: DataFile, group: str) -> bool:
    return file.hdf5 is not None and file.hdf5.is_group(group)


def _target(path: str) -> str:
    name = os.path.basename(os.path.abspath(path)).split(".")[0] or "run"
    return f"{name}.npz"


def _lines(code: str, path: str, axes: str = "") -> str:
    """The two commands; the code is Python whose texts are in double quotes."""
    look = f"ginjax data inspect {quote(_target(path))} {axes}".rstrip()
    return f"python -c {quote(code)} && {look}"


def _saved(path: str, arrays: str) -> str:
    return f"numpy.savez({json.dumps(_target(path))}, {arrays})"


def _torch(path: str) -> str:
    load = f'torch.load({json.dumps(path)}, map_location="cpu", weights_only=True)'
    named = '**{str(k): v.numpy() for k, v in (d.items() if isinstance(d, dict) else [("u", d)])}'
    return f"import numpy, torch; d = {load}; {_saved(path, named)}"


def _pickle(path: str) -> str:
    load = f'pickle.load(open({json.dumps(path)}, "rb"))'
    return f"import numpy, pickle; d = {load}; {_saved(path, '**(d if isinstance(d, dict) else dict(u=d))')}"


def _nifti(path: str) -> str:
    return f"import nibabel, numpy; {_saved(path, f'u=nibabel.load({json.dumps(path)}).get_fdata()')}"


def _vtk(path: str) -> str:
    """Code for VTK: every file with this ending in the same folder is a frame; in VTK images, x varies fastest."""
    every = json.dumps(os.path.join(os.path.dirname(path), f"*{os.path.splitext(path)[1]}"))
    read = f"f = [pyvista.read(p) for p in sorted(glob.glob({every}))]"
    named = "**{n: numpy.stack([m[n].reshape(*m.dimensions[::-1], -1).squeeze() for m in f]) for n in f[0].point_data}"
    return f"import glob, numpy, pyvista; {read}; {_saved(path, named)}"


def _foam(case: str) -> str:
    where = json.dumps(case)
    times = f't = sorted((n for n in os.listdir({where}) if n.replace(".", "", 1).isdigit()), key=float)[1:]'
    read = f'U=numpy.stack([fluidfoam.readvector({where}, n, "U", structured=True) for n in t])'
    return f"import fluidfoam, numpy, os; {times}; {_saved(case, read)}"


def _dedalus(path: str) -> str:
    read = f'f = h5py.File({json.dumps(path)}); t = f["scales/sim_time"][()]'
    named = '**{n: d[()] for n, d in f["tasks"].items()}'
    return f"import h5py, numpy; {read}; {_saved(path, f'time=t, {named}')}"
