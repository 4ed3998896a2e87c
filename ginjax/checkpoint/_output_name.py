"""The check of an output name: it must not be a file that is read, and must not have the ending of another kind of file."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from ginjax._text import storable
from ginjax.errors import ArgumentError, OutputNameError

from ._atomic import refuse_folder

OutputKind = Literal[
    "model", "filters", "state dict", "graph", "program", "data", "table", "card", "picture", "folder"
]

_OWN: Mapping[OutputKind, tuple[str, ...]] = {
    "model": (".safetensors",),
    "filters": (".safetensors",),
    "state dict": (".safetensors",),
    "graph": (".onnx",),
    "program": (".stablehlo",),
    "data": (".h5", ".hdf5"),
    "table": (".csv",),
    "card": (".md",),
    "picture": (".png", ".pdf", ".svg"),
    "folder": (),
}
_INDEX = ".index.json"
_OF_WEIGHTS = "a file of weights"
_BELONGS = {
    ".safetensors": _OF_WEIGHTS,
    ".onnx": "a graph of ONNX",
    ".stablehlo": "a program in StableHLO",
    ".h5": "data in HDF5",
    ".hdf5": "data in HDF5",
    ".npz": "arrays of NumPy",
    ".npy": "arrays of NumPy",
    ".mat": "arrays of MATLAB",
    ".nc": "data in NetCDF",
    ".zarr": "data in Zarr",
    ".csv": "a table",
    ".json": "text in JSON",
    ".toml": "settings in TOML",
    ".md": "a model card",
    ".png": "a picture",
    ".svg": "a picture",
    ".pdf": "a picture",
    ".gif": "an animation",
}
"""What kind of file an ending promises."""


def check_output(
    path: str | os.PathLike[str],
    kind: OutputKind,
    inputs: Mapping[str, str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None] | None = None,
    *,
    argument: str = "`output`",
) -> None:
    """Refuse an output name that would overwrite an input or suggest another kind of file, even with `force`.

    A name is accepted if it has no ending, or one that belongs to no known kind of file.

    **Arguments:**

    - `path`: the file to write.
    - `kind`: the kind of the output.
    - `inputs`: the files that are read, by a description such as `{"the model": path}`. Files are compared, not their names, so
      that links and other spellings are found. An output of data must not lie in a folder of input data, either.
    - `argument`: the name of the output in messages.

    **Raises:** `ArgumentError` that says which input the file is, `OutputNameError` for the ending of another kind, `FileError`
    for a folder in place of a file.
    """
    read = [
        (what, each)
        for what, given in (inputs or {}).items()
        for each in (() if given is None else [given] if isinstance(given, (str, os.PathLike)) else given)
    ]
    if kind != "folder" and not any(_is_same(path, each) for _, each in read):
        refuse_folder(path)
    _check_ending(path, kind, argument)
    for what, each in read:
        if _is_same(path, each):
            raise ArgumentError(argument, got=f"{path}, which is {what}", expected="a file elsewhere")
        if kind == "data" and os.path.isdir(each) and _lies_in(path, each):
            raise ArgumentError(
                argument,
                got=f"{path}, which is in the folder of {what}",
                expected="a file elsewhere",
            )


def check_can_be_named(path: str | os.PathLike[str], argument: str = "`output`") -> None:
    """Refuse a name that is not valid text, for an output whose name is written into another file.

    **Raises:** `ArgumentError` for a name whose bytes are not UTF-8.
    """
    name = Path(path).name
    if storable(name) != name:
        raise ArgumentError(
            argument, got=storable(name), expected="a name in UTF-8, because another file has to name it"
        )


def _check_ending(path: str | os.PathLike[str], kind: OutputKind, argument: str) -> None:
    name = Path(path).name
    ending = Path(path).suffix.lower()
    own = _OWN[kind]
    if ending not in _BELONGS or ending in own:
        return
    if kind == "state dict" and name.lower().endswith(_INDEX):
        return
    if kind == "folder" and os.path.isdir(path):
        return
    belongs = _BELONGS[ending]
    into_another = belongs == _OF_WEIGHTS and kind == "graph"
    raise OutputNameError(
        argument,
        kind=kind,
        path=os.fspath(path),
        belongs=belongs,
        expected=f"a name that ends in {' or '.join(own)}" if own else "the name of a folder",
        better=str(Path(path).with_suffix(own[0] if own else "")),
        why="a graph of ONNX is converted into another one" if into_another else None,
    )


def _is_same(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):  # one of them does not exist, or is not a valid file name
        return False


def _lies_in(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> bool:
    try:
        return any(_is_same(parent, folder) for parent in Path(os.path.realpath(path)).parents)
    except (OSError, ValueError):
        return False
