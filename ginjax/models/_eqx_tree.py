"""The arrays of a model in the order in which Equinox writes them to a checkpoint (`.eqx`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.tree_util import DictKey, GetAttrKey, KeyPath
from jaxtyping import PyTree

from ..errors import FileError
from ..filters import FilterBank, filter_key
from ..geometric import Key
from ..layers import ConvContract, GroupNorm

Blocks = dict[tuple[int, int], np.ndarray]
"""Filters by order and parity, in the order and with the signs and scales of a file."""


@dataclass(frozen=True)
class Leaf:
    """An array of the model.

    **Arguments:**

    - `path`: the place in the tree.
    - `shape`: the shape in the model; the last length of weights, the number of filters, may be another in the file.
    - `kind`: NumPy's letter for the kind of numbers: `f`, `i`, `u`, `b`, `c`.
    - `of_filters`: for weights, the filters `(n, *sides, *axes)` that they belong to, and their order and parity.
    - `scalar`: for a Python number, its type.
    """

    path: KeyPath
    shape: tuple[int, ...]
    kind: str
    of_filters: tuple[np.ndarray, tuple[int, int]] | None = None
    scalar: type | None = None


@dataclass(frozen=True)
class Filters:
    """The filters of a convolution, which follow its arrays."""

    bank: FilterBank


@dataclass(frozen=True)
class Additive:
    """The additive bias of odd scalars in a norm; this library has none, as a constant does not change sign with them."""

    path: KeyPath
    shape: tuple[int, ...]


Entry = Leaf | Filters | Additive


def entries_of(model: PyTree) -> Iterator[Entry]:
    """Yield what a checkpoint of the reference library holds for a model, in the order of the file.

    **Arguments:**

    - `model`: a model or its outline, with arrays or `jax.ShapeDtypeStruct`.
    """
    for path, node in jax.tree_util.tree_leaves_with_path(model, is_leaf=_is_special):
        if isinstance(node, ConvContract):
            yield from _of_convolution(path, node)
        elif isinstance(node, GroupNorm):
            yield from _of_norm(path, node)
        elif isinstance(node, jax.Array | np.ndarray | jax.ShapeDtypeStruct):
            yield _leaf(path, node)
        elif isinstance(node, bool | int | float | complex):
            yield Leaf(path, (), np.asarray(node).dtype.kind, scalar=type(node))


def _is_special(node: object) -> bool:
    return isinstance(node, ConvContract | GroupNorm)


def _leaf(path: KeyPath, array: Any, of_filters: tuple[np.ndarray, tuple[int, int]] | None = None) -> Leaf:
    return Leaf(path, tuple(array.shape), np.dtype(array.dtype).kind, of_filters)


def _of_convolution(path: KeyPath, conv: ConvContract) -> Iterator[Entry]:
    for inner, leaf in jax.tree_util.tree_leaves_with_path(conv):
        place = (*path, *inner)
        if inner[0] == GetAttrKey("weights"):
            (a, p), (b, q) = (entry.key for entry in inner[1:])
            key = (len(a) + len(b), (p + q) % 2)
            yield _leaf(place, leaf, (conv.bank.blocks[key].filters, key))
        else:
            yield _leaf(place, leaf)
    yield Filters(conv.bank)


def _of_norm(path: KeyPath, norm: GroupNorm) -> Iterator[Entry]:
    """Yield the scales and biases of vectors, then the weights and biases of scalars of either parity."""
    odd: Key = ((), 1)
    last = []
    for inner, leaf in jax.tree_util.tree_leaves_with_path(norm):
        place = (*path, *inner)
        if inner == (GetAttrKey("scale"), DictKey(odd)):
            last = [_leaf(place, leaf), Additive(place, tuple(leaf.shape))]
        else:
            yield _leaf(place, leaf)
    yield from last


def split_records(arrays: tuple[np.ndarray, ...], D: int) -> list[np.ndarray | Blocks]:
    """Group the records of a checkpoint: neighbouring records of filters belong to one convolution.

    **Arguments:**

    - `arrays`: the records.
    - `D`: the dimension.

    **Raises:** `FileError` if one group has two records of filters of the same order and parity.
    """
    found: list[np.ndarray | Blocks] = []
    for array in arrays:
        key = filter_key(array, D)
        if key is None:
            found.append(array)
            continue
        blocks = found[-1] if found and isinstance(found[-1], dict) else None
        if blocks is None:
            found.append({key: array})
        elif key in blocks:
            raise FileError(
                f"filters of order {key[0]} and parity {key[1]}",
                got="twice for one convolution",
                expected="once",
            )
        else:
            blocks[key] = array
    return found
