"""Convolutions as PyTorch and TensorFlow define them, point by point in NumPy: nothing of them is the library's."""

import numpy as np


def convolve(x, kernel, *, stride=1, padding=0, dilation=1, mode="constant"):
    """`(in, *grid)` with `(out, in, *k)`: every output point is a sum over all taps.

    - `padding`: a number for all axes, or `"same"`: what TensorFlow chooses by the size of the grid.
    """
    sides, D = kernel.shape[2:], kernel.ndim - 2
    if padding == "same":
        pads = []
        for n, k in zip(x.shape[1:], sides, strict=True):
            total = max((-(-n // stride) - 1) * stride + dilation * (k - 1) + 1 - n, 0)
            pads.append((total // 2, total - total // 2))
    else:
        pads = [(padding, padding)] * D
    x = np.pad(x, [(0, 0), *pads], mode=mode)
    reach = [dilation * (k - 1) + 1 for k in sides]
    grid = [(n - r) // stride + 1 for n, r in zip(x.shape[1:], reach, strict=True)]
    y = np.zeros((kernel.shape[0], *grid))
    for point in np.ndindex(*grid):
        for tap in np.ndindex(*sides):
            at = tuple(i * stride + dilation * t for i, t in zip(point, tap, strict=True))
            y[(slice(None), *point)] += kernel[(slice(None), slice(None), *tap)] @ x[(slice(None), *at)]
    return y


def convolve_transposed(x, kernel, *, stride, padding=0, output_padding=0):
    """`(in, *grid)` with `(in, out, *k)`: every input point spreads its value over all taps, then the ends are cut off."""
    sides = kernel.shape[2:]
    size = [
        (n - 1) * stride - 2 * padding + k + output_padding for n, k in zip(x.shape[1:], sides, strict=True)
    ]
    y = np.zeros((kernel.shape[1], *size))
    for point in np.ndindex(*x.shape[1:]):
        for tap in np.ndindex(*sides):
            at = tuple(i * stride + t - padding for i, t in zip(point, tap, strict=True))
            if all(0 <= i < n for i, n in zip(at, size, strict=True)):
                y[(slice(None), *at)] += x[(slice(None), *point)] @ kernel[(slice(None), slice(None), *tap)]
    return y


def repeated(x, depths, place=1):
    """The field `(channels, *grid)` with new axes, along which it does not vary."""
    for depth in reversed(depths):
        x = np.repeat(np.expand_dims(x, place), depth, axis=place)
    return x
