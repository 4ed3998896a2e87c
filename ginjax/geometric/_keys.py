"""Keys `(k, p)` and signatures: the kinds of fields, and how many of each kind."""

import re
from collections.abc import Iterable
from typing import SupportsIndex

from ..errors import ArgumentError, UnsupportedError

Key = tuple[tuple[bool, ...], int]
"""`(k, p)`: one bool per tensor axis (True = covariant), and the parity, 0 or 1."""

KeyLike = tuple[SupportsIndex | tuple[bool, ...] | list[bool], SupportsIndex]
"""What `canonical_key` accepts: the order or one bool per tensor axis, and any whole number as parity."""

SignatureLike = Iterable[tuple[KeyLike, SupportsIndex]]
"""What `Signature` accepts: pairs of a key (in any form) and a number of channels, in any order."""

_KEY_NAME = re.compile(r"k(0|[1-9][0-9]?)p([01])")


def canonical_key(key: KeyLike) -> Key:
    """Bring a key to its canonical form, `(tuple of bools, parity)`.

    **Arguments:**

    - `key`: a pair `(k, p)`. `k` is a tuple or list of bools, or an integer `n`, which means `(False,) * n`; `p` is an
        integer, taken modulo 2.

    **Returns:** the pair with `k` a tuple of bools and `p` in {0, 1}.

    **Raises:** `ArgumentError` if `key` is not such a pair.
    """
    try:
        k, p = key
        if not isinstance(k, tuple | list):
            order = k.__index__()
            if order < 0:
                raise ValueError
            k = (False,) * order
        return tuple(bool(axis) for axis in k), p.__index__() % 2
    except (TypeError, ValueError, AttributeError):
        raise ArgumentError(
            "not a field key",
            got=repr(key),
            expected="a pair (k, p)",
            hint="k is an order >= 0 or a tuple of bools, one per tensor axis; p is the parity, 0 or 1.",
        ) from None


def key_order(key: Key) -> tuple[int, tuple[bool, ...], int]:
    """Return the sort key of the canonical order: by number of tensor axes, then by `k`, then by parity."""
    k, p = key
    return len(k), k, p


def key_name(key: KeyLike) -> str:
    """Return the name of a key in files, e.g. `"k1p0"` for a vector.

    **Raises:** `UnsupportedError` for covariant axes, which the name cannot express.
    """
    k, p = canonical_key(key)
    if any(k):
        raise UnsupportedError(
            "a key with covariant axes has no name",
            got=(k, p),
            expected="contravariant axes only",
            hint="On these grids both kinds transform alike; write the order as an integer.",
        )
    return f"k{len(k)}p{p}"


def parse_key_name(name: str) -> Key:
    """Return the key that `key_name` wrote as `name`.

    **Raises:** `ArgumentError` if `name` does not read `k<order>p<parity>`.
    """
    found = _KEY_NAME.fullmatch(name)
    if found is None:
        raise ArgumentError("not a key name", got=repr(name), expected="k<order>p<parity>, such as k1p0")
    return (False,) * int(found[1]), int(found[2])


class Signature(tuple[tuple[Key, int], ...]):
    """The fields of an image or a layer: a hashable tuple of `((k, p), channels)` in canonical order.

    `Signature(entries)` accepts any iterable of such pairs, with `k` an integer or a tuple of bools. A signature equals the
    plain tuple of its entries.

    **Raises:** `ArgumentError` for a malformed entry, a negative number of channels, or a key that appears twice.
    """

    __slots__ = ()

    def __new__(cls, entries: SignatureLike = ()) -> "Signature":
        seen: dict[Key, int] = {}
        for entry in entries:
            try:
                key, channels = entry
                channels = channels.__index__()
            except (TypeError, ValueError, AttributeError):
                raise ArgumentError(
                    "malformed signature entry", got=repr(entry), expected="((k, p), channels)"
                ) from None
            key = canonical_key(key)
            if channels < 0:
                raise ArgumentError("negative number of channels", got=(key, channels), expected=">= 0")
            if key in seen:
                raise ArgumentError(
                    "key appears twice in a signature",
                    got=key,
                    expected="each key once",
                    hint="Add up the channels of equal keys.",
                )
            seen[key] = channels
        return super().__new__(cls, tuple((key, seen[key]) for key in sorted(seen, key=key_order)))


def signature_union(a: SignatureLike, b: SignatureLike, n: int) -> Signature:
    """Return every key of either signature, each with `n` channels, in canonical order."""
    keys = {key for key, _ in Signature(a)} | {key for key, _ in Signature(b)}
    return Signature((key, n) for key in keys)


def parse_shape(shape: tuple[int, ...], D: int) -> tuple[tuple[int, ...], int]:
    """Split the shape of one geometric image into its spatial part and its tensor order.

    **Arguments:**

    - `shape`: `(*spatial, D, ..., D)`, without leading axes.
    - `D`: the dimension.

    **Returns:** `(spatial, k)`.

    **Raises:** `ArgumentError` if `shape` has fewer than `D` axes or a tensor axis that is not `D` long.
    """
    shape = tuple(shape)
    spatial, tensor = shape[:D], shape[D:]
    if len(spatial) < D or any(length != D for length in tensor):
        raise ArgumentError(
            "not the shape of a geometric image",
            got=shape,
            expected=f"{D} spatial axes followed by tensor axes of length {D}",
        )
    return spatial, len(tensor)


def parse_torus(is_torus: bool | Iterable[bool], D: int) -> tuple[bool, ...]:
    """Bring periodicity to the form of one bool per axis.

    **Raises:** `ArgumentError` for a sequence whose length is not `D`.
    """
    flags = (
        tuple(bool(axis) for axis in is_torus) if isinstance(is_torus, Iterable) else (bool(is_torus),) * D
    )
    if len(flags) != D:
        raise ArgumentError("is_torus does not fit the dimension", got=flags, expected=f"a bool or {D} bools")
    return flags
