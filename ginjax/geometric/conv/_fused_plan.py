"""What the fused convolution makes of a `Mixing`: images by sums and differences, and a matrix of channels for each.

Along an axis with taps `-h .. h` an image is the centre, a sum `x(+j) + x(-j)` or a difference `x(+j) - x(-j)`. Products of
these over the axes span all filters of odd side. So a convolution is a sum over such images, each multiplied by a matrix
`(out, in)` that is a combination of the weights.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ._mixing import Mixing, Path
from ._stencil import ROUNDING

_T = TypeVar("_T")

Image = tuple[int, ...]
"""For each axis the number of a symbol, see `symbols`."""


@dataclass(frozen=True)
class Use:
    """An image of one input component that an output component needs.

    - `target`: position of the output component; `matrix`: number of the matrix of channels.
    """

    image: Image
    target: int
    matrix: int


@dataclass(frozen=True, eq=False)
class Plan:
    """Images and matrices of a convolution.

    - `uses`: for each input component its images, neighbours in the tree of `images_of` one after another.
    - `combinations`: for each path `(matrices, filters)`, its matrices in terms of its weights.
    - `order`: for each matrix its place among those of all paths. Matrices are numbered as they are used, not path by path,
      so that a convolution and its adjoint are the same program where they use the same images.
    """

    uses: tuple[tuple[Use, ...], ...]
    combinations: tuple[np.ndarray, ...]
    order: np.ndarray

    @property
    def matrices(self) -> int:
        """Their number."""
        return len(self.order)


@functools.lru_cache(maxsize=8)
def symbols(side: int) -> tuple[tuple[int, int, int], ...]:
    """`(kind, upper tap, lower tap)`: kind 0 is the centre, 1 a sum, -1 a difference."""
    half = side // 2
    pairs = [(kind, half + j, half - j) for j in range(1, half + 1) for kind in (1, -1)]
    return (0, half, half), *pairs


@functools.lru_cache(maxsize=512)
def make_plan(mixing: Mixing) -> Plan:
    """The images that the filters of a convolution consist of."""
    found: list[tuple[int, Image, int, int]] = []
    combinations = []
    for path in mixing.paths:
        rows: list[np.ndarray] = []
        for (at, source), (to, target) in itertools.product(
            enumerate(mixing.inputs), enumerate(mixing.outputs)
        ):
            if (source.index, target.index) != (path.source, path.target):
                continue
            parts = _in_symbols(path.filters[..., source.component, target.component], path)
            for image in itertools.product(range(mixing.side), repeat=mixing.D):
                column = parts[(slice(None), *image)]
                if column.any():
                    found.append((at, image, to, len(found)))
                    rows.append(column)
        combinations.append(np.array(rows).reshape(len(rows), len(path)))
    found.sort()
    uses = [
        tuple(Use(image, to, matrix) for matrix, (own, image, to, _) in enumerate(found) if own == at)
        for at in range(len(mixing.inputs))
    ]
    return Plan(tuple(uses), tuple(combinations), np.array([place for *_, place in found], int))


def _in_symbols(filters: Float[np.ndarray, "filters *sides"], path: Path) -> np.ndarray:
    """Filters `(n, *(M,)*D)` as combinations of products of symbols, `(n, *(M,)*D)` again."""
    side, D = filters.shape[-1], filters.ndim - 1
    change = np.zeros((side, side))
    for row, (kind, upper, lower) in zip(change, symbols(side), strict=True):
        row[upper] = 0.5 if kind else 1.0
        row[lower] = 0.5 * kind if kind else 1.0
    parts = filters
    for axis in range(1, D + 1):
        parts = np.moveaxis(np.tensordot(parts, change, (axis, 1)), -1, axis)
    noise = ROUNDING * np.abs(path.sizes).reshape(-1, *(1,) * D)
    return np.where(np.abs(parts) > noise, parts, 0.0)


def images_of(
    wanted: Iterable[Image], side: int, tap: Callable[[tuple[int, ...]], _T], use: Callable[[Image, _T], None]
) -> None:
    """Make images by sums and differences along one axis after another; what several share is made once.

    **Arguments:**

    - `tap`: `x` at an offset, by the number of the tap along each axis.
    - `use`: what is done with each image, as soon as it is there.
    """
    every = sorted(set(wanted))
    D = len(every[0]) if every else 0
    known = symbols(side)

    def descend(axis: int, prefix: Image, get: Callable[[tuple[int, ...]], _T]) -> None:
        if axis == D:
            use(prefix, get(()))
            return
        for number, (kind, upper, lower) in enumerate(known):
            here = (*prefix, number)
            rests = [image[axis + 1 :] for image in every if image[: axis + 1] == here]
            taps = {taps for rest in rests for taps in itertools.product(*({*known[i][1:]} for i in rest))}
            made = {}
            for rest in sorted(taps):
                first = get((upper, *rest))
                # Differences before any product: on what is constant along their axis they are exactly zero.
                made[rest] = first if kind == 0 else _combined(kind, first, get((lower, *rest)))
            if rests:
                descend(axis + 1, here, made.__getitem__)

    descend(0, (), tap)


def _combined(kind: int, upper: _T, lower: _T) -> _T:
    return upper + lower if kind > 0 else upper - lower  # pyright: ignore[reportOperatorIssue]


def matrices_of(w: Float[Array, " weights"], mixing: Mixing) -> Float[Array, "matrices in out"]:
    """All matrices of channels, in float32; zero where a path has fewer channels than another."""
    plan = make_plan(mixing)
    w = w.astype(jnp.float32)
    if alike := _alike(mixing.paths):
        # All paths in one product.
        whole = _block_diagonal(plan.combinations)[plan.order]
        own = w.reshape(whole.shape[1], *(alike.c_out, alike.c_in)[:: 1 if alike.swapped else -1])
        found = jnp.tensordot(jnp.asarray(whole, jnp.float32), own, 1, precision="highest")
        return jnp.swapaxes(found, 1, 2) if alike.swapped else found
    c_in, c_out = largest_channels(mixing)
    parts = []
    for path, combination in zip(mixing.paths, plan.combinations, strict=True):
        part = jnp.tensordot(jnp.asarray(combination, jnp.float32), path.take(w), 1, precision="highest")
        parts.append(jnp.pad(part, ((0, 0), (0, c_in - path.c_in), (0, c_out - path.c_out))))
    return jnp.concatenate(parts)[plan.order]


def weights_of(matrices: Float[Array, "matrices in out"], mixing: Mixing) -> Float[Array, " weights"]:
    """The transpose of `matrices_of`."""
    plan = make_plan(mixing)
    if alike := _alike(mixing.paths):
        whole = jnp.asarray(_block_diagonal(plan.combinations)[plan.order], jnp.float32)
        own = jnp.swapaxes(matrices, 1, 2) if alike.swapped else matrices
        return jnp.tensordot(whole, own, (0, 0), precision="highest").ravel()
    matrices = matrices[np.argsort(plan.order)]
    pieces, start = [], 0
    for path, combination in zip(mixing.paths, plan.combinations, strict=True):
        part = matrices[start : start + len(combination), : path.c_in, : path.c_out]
        own = jnp.tensordot(jnp.asarray(combination, jnp.float32), part, (0, 0), precision="highest")
        pieces.append(path.flatten(own))
        start += len(combination)
    return jnp.concatenate(pieces)


def largest_channels(mixing: Mixing) -> tuple[int, int]:
    """Channels of the widest input and output component that a filter connects."""
    return max(path.c_in for path in mixing.paths), max(path.c_out for path in mixing.paths)


def _alike(paths: Sequence[Path]) -> Path | None:
    """One of the paths, if all have the same channels."""
    kinds = {(path.c_in, path.c_out, path.swapped) for path in paths}
    return paths[0] if len(kinds) == 1 else None


def _block_diagonal(blocks: Sequence[np.ndarray]) -> np.ndarray:
    whole = np.zeros((sum(b.shape[0] for b in blocks), sum(b.shape[1] for b in blocks)))
    row = column = 0
    for block in blocks:
        whole[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return whole
