"""Formats of other libraries for trained networks that are recognised but not opened."""

import os
import zipfile
from pathlib import Path

from ginjax._text import shell_word
from ginjax.checkpoint import opened
from ginjax.errors import FileError

_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_TORCH_LINES = (
    "import torch, safetensors.torch as st; state = torch.load({name!r}, map_location='cpu', weights_only=True)  ;  "
    "st.save_file({{n: t.contiguous().clone() for n, t in state.items()}}, {target!r})"
)
_HDF5 = "an HDF5 file, of data or of Keras"
_KERAS_LINES = (
    "import keras, safetensors.numpy as st; model = keras.saving.load_model({name!r})  ;  "
    "st.save_file({{v.path: v.numpy() for v in model.weights}}, {target!r})"
)


def refuse_other_formats(path: str | os.PathLike[str]) -> None:
    """Refuse a file of PyTorch or Keras, with the two lines that write a safetensors file.

    Opening a pickle can run any code, so pickles are never opened.

    **Raises:** `FileError` for such a file; no error for any other file, readable or not.
    """
    kind = _kind(path)
    if kind is None:
        return
    where = Path(path)
    lines = _KERAS_LINES if "Keras" in kind else _TORCH_LINES
    said = lines.format(name=where.name, target=f"{where.stem}.safetensors")
    nested = (
        ""
        if lines is _KERAS_LINES
        else " (where state holds more than tensors, take state['state_dict'] or the like; contiguous and clone are what "
        "save_file asks of views and of shared tensors)"
    )
    begin = (
        f"Data are looked at with: ginjax data inspect {shell_word(path)}. Of a network, write"
        if kind == _HDF5
        else "Write"
    )
    raise FileError(
        f"{where}: is {kind}, which is never opened here",
        expected="a safetensors file",
        hint=f"{begin} one with these two lines: {said}{nested}.",
    )


def _kind(path: str | os.PathLike[str]) -> str | None:
    try:
        with opened(path) as (stream, _):
            start = stream.read(8)
            suffix = Path(path).suffix.lower()
            if start.startswith(b"PK\x03\x04"):
                stream.seek(0)
                return _kind_of_zip(zipfile.ZipFile(stream).namelist(), suffix)
            if start.startswith(b"\x89HDF") and suffix in (".h5", ".keras"):
                return _HDF5
            if start.startswith(_PICKLES) and suffix not in (".safetensors", ".npz", ".npy"):
                return "a pickle, as PyTorch writes"
    except (FileError, OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return None
    return None


def _kind_of_zip(names: list[str], suffix: str) -> str | None:
    if any(name.split("/")[-1] == "data.pkl" for name in names):
        return "a file of PyTorch (a pickle in a zip file)"
    if "config.json" in names and any(name.endswith(".weights.h5") for name in names):
        return "a Keras file"
    return "a file of PyTorch" if suffix in (".pt", ".pth") else None
