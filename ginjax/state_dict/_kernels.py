"""The convolution kernels of a state dict: which arrays they are, and in which form they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ._layouts import KernelLayout
from ._read import is_floating

Form = Literal["plain", "weight norm", "spectral norm"]


@dataclass(frozen=True)
class Kernel:
    """One convolution kernel as it is stored.

    **Arguments:**

    - `name`: name of the array; `module`: name of its layer; `shape`: its shape as stored.
    - `form`: `plain`, or divided by a norm. Weight norm stores a size beside the direction, spectral norm the two vectors of
      its last estimate.
    - `beside`: names of the arrays of that norm: the size, or `(u, v)`.
    - `bias`: number of entries of the bias; None without one.
    """

    name: str
    module: str
    shape: tuple[int, ...]
    form: Form = "plain"
    beside: tuple[str, ...] = ()
    bias: int | None = None


def find_kernels(arrays: Mapping[str, np.ndarray], layout: KernelLayout) -> dict[str, Kernel]:
    """Find the arrays that are kernels, by name and number of axes (at least three).

    **Returns:** kernels by name of the array. Other arrays with many axes are not kernels, or their layer is not known.
    """
    found = {}
    for name, array in arrays.items():
        match = layout.kernel.fullmatch(name)
        if match is None or array.ndim < 3 or not is_floating(array.dtype):
            continue
        form, beside = _form(name, arrays)
        module = match["module"] or ""
        bias = arrays.get(f"{module}.bias" if module else "bias")
        size = int(bias.size) if bias is not None and bias.ndim == 1 else None
        found[name] = Kernel(name, module, array.shape, form, beside, size)
    return found


def _form(name: str, arrays: Mapping[str, np.ndarray]) -> tuple[Form, tuple[str, ...]]:
    for ending, form, others in _FORMS:
        stem = name.removesuffix(ending)
        beside = tuple(stem + other for other in others)
        if stem != name and all(each in arrays for each in beside):
            return form, beside
    return "plain", ()


_FORMS: tuple[tuple[str, Form, tuple[str, ...]], ...] = (
    ("weight_v", "weight norm", ("weight_g",)),
    ("weight.original1", "weight norm", ("weight.original0",)),
    ("weight_orig", "spectral norm", ("weight_u", "weight_v")),
    ("weight.original", "spectral norm", ("weight.0._u", "weight.0._v")),
)
"""Names in PyTorch of a kernel that is divided by a norm, and of the arrays beside it, in the two forms of each norm."""


def wrong_arrays(kernel: Kernel, beside: tuple[tuple[int, ...], ...], transposed: bool) -> str | None:
    """Say what is wrong with the shapes of the arrays that a kernel is stored as; None if they fit.

    **Arguments:**

    - `kernel`: the kernel, which has entries.
    - `beside`: the shapes of the arrays of its norm.
    - `transposed`: whether it is that of a transposed convolution.
    """
    if kernel.form == "weight norm":
        (size,) = beside
        if len(size) > len(kernel.shape) or any(
            n not in (1, m) for n, m in zip(size, kernel.shape, strict=False)
        ):
            return f"a kernel of shape {kernel.shape} whose weight norm has the shape {size}"
    if kernel.form == "spectral norm":
        rows, columns = (int(np.prod(shape)) for shape in beside)
        outputs = kernel.shape[spectral_axis(transposed)]
        if (rows, columns) != (outputs, int(np.prod(kernel.shape)) // outputs):
            return f"a kernel of shape {kernel.shape} whose spectral norm has vectors of {rows} and {columns}"
    return None


def effective(
    kernel: np.ndarray, form: Form, beside: tuple[np.ndarray, ...], transposed: bool = False
) -> np.ndarray:
    """The kernel that the layer uses, in float64.

    Weight norm: $g v / |v|$, with the norm over the axes that $g$ does not have. Spectral norm: $W / (u^T W v)$, with the
    matrix of `spectral_axis`.
    """
    kernel = kernel.astype(np.float64)
    if form == "weight norm":
        size = beside[0].astype(np.float64)
        kept = [axis for axis in range(size.ndim) if size.shape[axis] > 1]
        others = tuple(axis for axis in range(kernel.ndim) if axis not in kept)
        norm = np.sqrt(np.square(kernel).sum(axis=others, keepdims=True))
        size = size.reshape(norm.shape) if size.size == norm.size else size
        return size * np.divide(kernel, norm, out=np.zeros_like(kernel), where=norm > 0)
    if form == "spectral norm":
        rows, columns = (vector.astype(np.float64).reshape(-1) for vector in beside)
        matrix = np.moveaxis(kernel, spectral_axis(transposed), 0).reshape(rows.size, -1)
        sigma = float(rows @ matrix @ columns)
        return kernel / sigma if sigma else kernel
    return kernel


def spectral_axis(transposed: bool) -> int:
    """The axis of outputs: spectral norm is that of the matrix of this axis against all others."""
    return 1 if transposed else 0
