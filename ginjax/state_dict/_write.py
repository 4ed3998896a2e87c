"""Writing of a state dict: into one file, or split into several files with an index."""

import json
import os
from pathlib import Path

from ginjax.checkpoint import Claim, atomic_write, check_can_be_named, check_target, write_tensors

from ._read import INDEX, StateDict


def default_target(source: str | os.PathLike[str], to_dim: int) -> Path:
    """The default output of a conversion: beside the input, with the dimension in its name."""
    path = Path(source)
    if path.name.endswith(f".safetensors{INDEX}"):
        return path.with_name(
            f"{path.name.removesuffix(f'.safetensors{INDEX}')}.{to_dim}d.safetensors{INDEX}"
        )
    if path.name.endswith(INDEX):
        return path.with_name(f"{path.name.removesuffix(INDEX)}.{to_dim}d{INDEX}")
    return path.with_name(f"{path.name.removesuffix('.safetensors')}.{to_dim}d.safetensors")


def write_state_dict(path: str | os.PathLike[str], state: StateDict, *, force: bool = False) -> None:
    """Write a network; equal arrays and metadata give equal bytes.

    **Arguments:**

    - `path`: one file; or a name that ends in `.index.json` for several files, none larger than the largest one that was read.
    - `state`: the network.
    - `force`: replace existing files.

    The index is written last: without it there is no network. If an earlier process was killed while it wrote the same network,
    its files are replaced.

    **Raises:** `FileError` as in `checkpoint.write_tensors`, and if another process writes the same files.
    """
    if not os.fspath(path).endswith(INDEX):
        write_tensors(path, state.arrays, state.metadata, specs=state.specs, force=force)
        return
    check_can_be_named(path)
    target = check_target(path, force=force)
    shards = _cut(state)
    stem = piece_stem(target)
    names = [f"{stem}-{i:05d}-of-{len(shards):05d}.safetensors" for i in range(1, len(shards) + 1)]
    files = [target.with_name(name) for name in names]
    index = {
        "metadata": {"total_size": sum(spec.nbytes for spec in state.specs.values())},
        "weight_map": {each: name for name, shard in zip(names, shards, strict=True) for each in shard},
    }
    text = json.dumps(index, indent=2, sort_keys=True) + "\n"
    work = text + json.dumps(dict(state.metadata), sort_keys=True)
    with Claim(target, (*files, target), work=work, force=force) as claim:
        for file, shard in zip(files, shards, strict=True):
            part = {each: state.specs[each] for each in shard}
            write_tensors(file, state.arrays, state.metadata, specs=part, force=claim.replaces(file))
        atomic_write(target, text.encode(), force=claim.replaces(target))
        claim.done()


def piece_stem(index: Path) -> str:
    """The beginning of the names of several files, from the name of their index."""
    return index.name.removesuffix(INDEX).removesuffix(".safetensors")


def _cut(state: StateDict) -> list[list[str]]:
    """Split the names of arrays, in order, into parts that hold no more bytes than a file did before, or a single array."""
    most = state.shard_bytes or sum(spec.nbytes for spec in state.specs.values())
    parts: list[list[str]] = [[]]
    size = 0
    for name in sorted(state.specs):
        needed = state.specs[name].nbytes
        if parts[-1] and size + needed > most:
            parts.append([])
            size = 0
        parts[-1].append(name)
        size += needed
    return parts
