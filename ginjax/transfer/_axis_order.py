"""The order of the axes of a field if new axes are not the last ones."""

from collections.abc import Mapping, Sequence

import numpy as np

from ._plain_layers import PlainLayer


def axis_order(places: Sequence[int], D: int) -> tuple[int, ...]:
    """For each axis, its number in the order in which new axes come last.

    **Arguments:**

    - `places`: places of the new axes among all `D`, in increasing order.
    - `D`: the higher dimension.
    """
    old, new = iter(range(D - len(places))), iter(range(D - len(places), D))
    return tuple(next(new) if i in places else next(old) for i in range(D))


def axis_exchange(places: Sequence[int], D: int) -> np.ndarray:
    """The symmetry of the grid that moves new axes from the end to their places: `(g v)_i = v_order(i)`."""
    return np.eye(D, dtype=int)[list(axis_order(places, D))]


def with_axes_in_order(
    arrays: Mapping[str, np.ndarray], layers: Sequence[PlainLayer], order: Sequence[int]
) -> dict[str, np.ndarray]:
    """Adapt the arrays of a plain network to another order of the axes of its fields.

    Kernels are transposed with the axes, and channels that are components of tensors are permuted like the axes. Fields of odd
    parity change sign if the order is an odd permutation, as under any symmetry of the grid. Networks of invariant filters do not
    need this: they are the same in every order.

    **Arguments:**

    - `arrays`, `layers`: those of the network.
    - `order`: the result of `axis_order`.
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
    """The old number of each channel, and its factor."""
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
