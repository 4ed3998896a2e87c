"""Writing of an ONNX file; weights go to a second file if they came from one, or are too large for the first."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

from ginjax.checkpoint import (
    Claim,
    atomic_write,
    check_can_be_named,
    check_output,
    check_target,
    refuse_folder,
)
from ginjax.errors import ArgumentError

from ._read import SUFFIX, OnnxNetwork, tensors_of

_ALONE = 2**30
"""If weights have more bytes than this, they get a file of their own."""
_SMALL = 1024
"""Most bytes of a tensor that stays in the graph."""
_ALIGNED = 64


def default_onnx_target(source: str | os.PathLike[str], to_dim: int) -> Path:
    """The default output of a conversion: beside the input, with the dimension in its name."""
    path = Path(source)
    return path.with_name(f"{path.stem}.{to_dim}d{SUFFIX}")


def check_onnx_target(path: str | os.PathLike[str], network: OnnxNetwork) -> None:
    """Refuse an output of a conversion that has another ending, or that the network was read from.

    **Arguments:**

    - `path`: the output.
    - `network`: the network before the conversion.

    **Raises:** `ArgumentError` for such an output; `FileError` for a folder.
    """
    refuse_folder(path)
    target = Path(os.path.realpath(path))
    if target.suffix.lower() != SUFFIX:
        raise ArgumentError(
            "`output`",
            got=str(path),
            expected=f"a name that ends in {SUFFIX}, as a graph is converted to a graph",
            hint="Weights of another library as safetensors are converted to safetensors: ginjax convert-d WEIGHTS.safetensors",
        )
    if network.external:
        check_can_be_named(path)
    read = {"the graph": network.path, "a file of the weights of the graph": network.weights}
    for each in (path, target.with_name(f"{target.name}.data")):
        check_output(each, "graph", read)


def write_onnx(path: str | os.PathLike[str], network: OnnxNetwork, *, force: bool = False) -> None:
    """Write a network; the same network gives the same bytes.

    **Arguments:**

    - `path`: the file. Weights that came from files of their own, or have more than 1 GiB, go to `PATH.data`, which is written
      first.
    - `network`: the network.
    - `force`: replace existing files.

    The graph is written last. If an earlier process was killed while it wrote the same network, its files are replaced.

    **Raises:** `FileError` as in `checkpoint.atomic_write`, and if another process writes the same files.
    """
    target = check_target(path, force=force)
    tensors = [each for each in tensors_of(network.model.graph) if len(each.raw_data) > _SMALL]
    if not network.external and sum(len(each.raw_data) for each in tensors) <= _ALONE:
        atomic_write(target, network.model.SerializeToString(deterministic=True), force=force)
        return
    check_can_be_named(path)
    beside = target.with_name(f"{target.name}.data")
    model = type(network.model)()
    model.CopyFrom(network.model)
    moved = [each for each in tensors_of(model.graph) if len(each.raw_data) > _SMALL]

    def fill(stream: BinaryIO) -> None:
        at = 0
        for tensor in moved:
            gap = -at % _ALIGNED
            stream.write(b"\0" * gap)
            stream.write(tensor.raw_data)
            _points_to(tensor, beside.name, at + gap, len(tensor.raw_data))
            at += gap + len(tensor.raw_data)

    work = repr([(tensor.name, tuple(tensor.dims), tensor.data_type) for tensor in moved])
    work += repr(sorted((each.key, each.value) for each in network.model.metadata_props))
    with Claim(target, (beside, target), work=work, force=force) as claim:
        atomic_write(beside, fill, force=claim.replaces(beside))
        atomic_write(target, model.SerializeToString(deterministic=True), force=claim.replaces(target))
        claim.done()


def _points_to(tensor: Any, location: str, offset: int, length: int) -> None:
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    tensor.data_location = 1
