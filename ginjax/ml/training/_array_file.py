"""Save and load the arrays of any model, without pickle."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import KeyPath
from jaxtyping import PyTree, Shaped

from ginjax.checkpoint import expect, is_eqx, read_eqx, read_file, write_file
from ginjax.errors import ArgumentError, FileError
from ginjax.geometric import AnyArray
from ginjax.models import fill_from_eqx

_KIND = "arrays"
_FURTHER = "further_args"

_T = TypeVar("_T")


def save(filename: str | os.PathLike[str], model: PyTree) -> None:
    """Write every array of a model to a file, replacing an existing file.

    Each array is stored under its path in the model, such as `.layers[0].weight`. Only arrays are stored; to read
    them, `load` needs a model of the same structure.

    **Arguments:**

    - `filename`: where to write.
    - `model`: any pytree.

    **Raises:** `FileError` if the file cannot be written, `ArgumentError` for an array that cannot be stored.
    """
    _write(filename, model, {})


def save_plus(
    filename: str | os.PathLike[str], model: PyTree, further_args: Mapping[str, Any] | None = None
) -> None:
    """Write every array of a model as `save` does, and JSON values that say how the model was built.

    **Arguments:**

    - `filename`, `model`: as in `save`.
    - `further_args`: plain JSON values by name.

    **Raises:** as `save`; `ArgumentError` for values that JSON cannot hold.
    """
    _write(filename, model, {_FURTHER: dict(further_args or {})})


def load(filename: str | os.PathLike[str], model: _T) -> _T:
    """Read the arrays that `save` wrote into a model of the same structure.

    A checkpoint of Equinox (`.eqx`) is read too, even one of the reference library with other filters: see
    `ginjax.models.fill_from_eqx`.

    **Arguments:**

    - `filename`: the file.
    - `model`: a model with the structure of the saved one; it is not changed.

    **Returns:** the model with the arrays of the file.

    **Raises:** `FileError` if the file is damaged or does not fit the model: names, shapes and dtypes must agree.
    """
    return load_plus(filename, model)[0]


def load_plus(filename: str | os.PathLike[str], model: _T) -> tuple[_T, dict[str, Any]]:
    """Read the arrays as `load` does, and the values that `save_plus` stored; a file of `save` has none.

    **Returns:** the model and the values by name.

    **Raises:** as `load`.
    """
    path = os.fspath(filename)
    if is_eqx(path):
        file = read_eqx(path)
        further = file.further if isinstance(file.further, dict) else {}
        return fill_from_eqx(model, file), further
    stored = read_file(path, kind=_KIND)
    further = expect(stored.header, _FURTHER, dict, where=path, default={})
    return matched(model, stored.arrays, path), further


def _write(filename: str | os.PathLike[str], model: PyTree, beside: Mapping[str, object]) -> None:
    arrays = {}
    for path, leaf in array_leaves(model):
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            raise ArgumentError(
                f"leaf '{path}'",
                got="a random key",
                expected="an array of numbers",
                hint="Keep random keys out of the model.",
            )
        arrays[path] = np.asarray(leaf)
    write_file(os.fspath(filename), arrays, {"kind": _KIND, **beside}, force=True)


def array_leaves(tree: PyTree) -> list[tuple[str, Shaped[AnyArray, "..."]]]:
    """The arrays of a pytree, with their paths in it."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in leaves if _is_array(leaf)]


def matched(like: _T, stored: Mapping[str, Shaped[np.ndarray, "..."]], where: str) -> _T:
    """Replace all arrays of a pytree by those stored under their paths.

    **Arguments:**

    - `like`: a pytree of the same structure.
    - `stored`: the arrays by path, as `array_leaves` names them.
    - `where`: the file they come from, for error messages.

    **Raises:** `FileError` unless names, shapes and dtypes agree.
    """
    expected = dict(array_leaves(like))
    missing, unexpected = sorted(expected.keys() - stored.keys()), sorted(stored.keys() - expected.keys())
    if missing or unexpected:
        raise FileError(
            f"arrays in {where}",
            got=f"{len(missing)} missing {missing[:3]}, {len(unexpected)} unknown {unexpected[:3]}",
            expected=f"the {len(expected)} arrays of the model",
            hint="Build the model with the settings it was saved with.",
        )
    for path, leaf in expected.items():
        found = stored[path]
        if (found.shape, found.dtype) != (leaf.shape, leaf.dtype):
            raise FileError(
                f"array '{path}' in {where}",
                got=f"{found.dtype} {found.shape}",
                expected=f"{leaf.dtype} {leaf.shape}",
                hint="Build the model with the settings it was saved with.",
            )

    def read(path: KeyPath, leaf: object) -> object:
        if not _is_array(leaf):
            return leaf
        array = stored[jax.tree_util.keystr(path)]
        return jnp.asarray(array) if isinstance(leaf, jax.Array) else array

    return jax.tree_util.tree_map_with_path(read, like)


def _is_array(leaf: object) -> bool:
    return isinstance(leaf, jax.Array | np.ndarray)
