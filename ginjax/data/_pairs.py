"""Pairs of input and target in a file: the smallest useful data set."""

from __future__ import annotations

import os
from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np

from ginjax.checkpoint import MAX_HEADER_BYTES, expect, opened, read_file, write_file
from ginjax.errors import FileError, GinjaxError
from ginjax.geometric import AnyArray, Key, MultiImage, key_name, parse_key_name


def write_pairs(
    path: str | os.PathLike[str],
    X: MultiImage,
    Y: MultiImage,
    *,
    about: Mapping[str, object] | None = None,
    force: bool = False,
) -> str:
    """Write inputs and targets in physical units.

    Arrays are named `input.k1p0` and `target.k1p0`, blocks `(samples, channels, *spatial, D, ..., D)`.

    **Arguments:**

    - `X`, `Y`: inputs and targets on one periodic grid.
    - `about`: provenance of the data, as JSON values.
    - `force`: replace an existing file.

    **Returns:** the SHA-256 of the file, in hexadecimal.
    """
    arrays = {
        f"{role}.{key_name(key)}": np.asarray(block)
        for role, image in (("input", X), ("target", Y))
        for key, block in image.items()
    }
    header = {"kind": "data", "dimension": X.D, "about": dict(about or {})}
    return write_file(path, arrays, header, force=force)


def is_pairs(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins like one of `write_pairs`: with a length and a JSON object."""
    try:
        with opened(path) as (stream, _):
            start = stream.read(9)
    except FileError:  # reported by the code that reads the file
        return False
    return len(start) == 9 and start[8:] == b"{" and int.from_bytes(start[:8], "little") <= MAX_HEADER_BYTES


def read_pairs(path: str | os.PathLike[str]) -> tuple[MultiImage, MultiImage]:
    """Read a file that `write_pairs` wrote.

    **Raises:** `FileError` for a file of another kind, or for arrays that do not fit each other.
    """
    content = read_file(path, kind="data")
    D = expect(content.header, "dimension", int, where=path, least=1, most=8)
    blocks: dict[str, dict[Key, AnyArray]] = {"input": {}, "target": {}}
    try:
        for name, array in content.arrays.items():
            role, _, key = name.partition(".")
            if role not in blocks:
                raise FileError(f"{path}: array {name!r}", expected="input.<key> or target.<key>")
            if not np.all(np.isfinite(array)):
                raise FileError(f"{path}: array {name!r} holds NaN or infinity")
            blocks[role][parse_key_name(key)] = jnp.asarray(array)
        X, Y = (MultiImage(blocks[role], D) for role in ("input", "target"))
    except FileError:
        raise
    except GinjaxError as error:
        raise FileError(f"{path}: {error.problem}", hint="Write it with ginjax.data.write_pairs.") from error
    if not len(X) or not len(Y) or X.get_L() != Y.get_L() or X.get_n_leading() != 2:
        raise FileError(f"{path}: inputs and targets do not fit each other", expected="equal samples")
    return X, Y
