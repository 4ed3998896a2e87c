"""Axes of a field in another order, for new axes that are not the last."""

from collections.abc import Mapping, Sequence

import numpy as np

from ._plain_layers import PlainLayer


def axis_order(places: Sequence[int], D: int) -> tuple[int, ...]:
    """For each axis, which one it is where the new axes come last.

    **Arguments:**

    - `places`: of the new axes among all `D`, increasing.
    """
    old, new = iter(range(D - len(places))), iter(range(D - len(places), D))
    return tuple(next(new) if i in places else next(old) for i in range(D))


def axis_exchange(places: Sequence[int], D: int) -> np.ndarray:
    """The symmetry of the grid that brings new axes, which come last, to their places: `(g v)_i = v_order(i)`."""
    return np.eye(D, dtype=int)[list(axis_order(places, D))]


def with_axes_in_order(
    arrays: Mapping[str, np.ndarray], layers: Sequence[PlainLayer], order: Sequence[int]
) -> dict[str, np.ndarray]:
    """The arrays of a plain network with the axes of its fields in another order.

    Kernels turn with the axes, and channels that are components of tensors are exchanged like these. Fields of odd parity
    change sign where the order is an odd permutation, as under a symmetry of the grid. Invariant filters do none of
    this: a network of these is the same in every order.

    **Arguments:**

    - `arrays`, `layers`: of the network.
    - `order`: from `axis_order`.
    """
    D, result = len(order), dict(arrays)
    for layer in layers:
        kernel = result[f"{layer.name}.weight"]
        (rows, row_signs), (columns, signs) = (
            _channels(side, order) for side in (layer.outputs, layer.inputs)
        )
        turned = kernel.transpose(0, 1, *(2 + axis for axis in order))[rows][:, columns]
        scale = (row_signs[:, None] * signs).reshape(*turned.shape[:2], *(1,) * D)
        result[f"{layer.name}.weight"] = np.ascontiguousarray(turned * scale.astype(kernel.dtype))
        bias = result.get(f"{layer.name}.bias")
        if bias is not None:
            factor = row_signs.reshape(-1, *(1,) * (bias.ndim - 1)).astype(bias.dtype)
            result[f"{layer.name}.bias"] = np.ascontiguousarray(bias[rows] * factor)
    return result


def _channels(fields: Sequence[tuple[int, int, int]], order: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Where each channel comes from, and by what it is multiplied."""
    D, sign = len(order), round(np.linalg.det(np.eye(len(order))[list(order)]))
    rows, signs, start = [], [], 0
    for k, p, channels in fields:
        numbers = np.arange(channels * D**k).reshape(channels, *(D,) * k)
        for axis in range(1, k + 1):
            numbers = numbers.take(order, axis)
        rows.append(start + numbers.reshape(-1))
        signs.append(np.full(numbers.size, sign**p))
        start += numbers.size
    return np.concatenate(rows), np.concatenate(signs)
