r"""The cube rule: the free directions that make a converted filter as isotropic as its bank allows.

The response of a filter to a wave `exp(i k x)` is its symbol `S(k) = sum_v C(v) exp(i k v)`, a tensor that maps an amplitude
of the input to one of the output. The wanted response to a plane wave of the new dimension follows from low-dimensional fields
that are embedded and turned by a rotation `R`: with `k' = R E k` it is `R S(k)`, on inputs in the turned plane.
Condition (C) guarantees this response along the axes. The free directions are chosen to approach it in every other direction.
They minimise

    mean over k' in [-pi, pi]^D' and R of |S'(k') R E - R E S(k)|^2,   |k| = min(|k'|, pi).

Beyond `|k| = pi` the old filter has met no wave, so its response at `|k| = pi` is kept there. The corner `(pi, ..., pi)`,
where rollouts blow up first, is added with the weight of a second mean.
"""

import itertools
import math

import numpy as np

from ginjax.filters import FilterBlock, character_count, pixel_coordinates, pixel_unit

from ._spin import treats_axes_alike
from ._system import FilterPair, solutions

LARGEST_DIMENSION = 3
"""The largest new dimension in which rotations about a wave vector are averaged over."""

PULL = 0.01
"""Weight of the distance to the starting solution, relative to the weight of an average free direction."""

WAVES = 8
"""Number of wave vectors along half an axis of the cube; if the filters are large, the side of the filters plus one."""

DIRECTIONS = 4
"""Number of directions of the old wave vector between an axis and a diagonal of the old dimension."""


def obstacle(pair: FilterPair) -> str:
    """Why the cube rule does not apply to a path, in words; empty if it does."""
    if pair.p != pair.lift_in ^ pair.lift_out:
        return "no odd filter satisfies condition (C)"
    if pair.input_dilation > 1:
        return "a transposed convolution answers each phase of the grid in its own way"
    if pair.D_new > LARGEST_DIMENSION:
        return f"above {LARGEST_DIMENSION}D isotropy is not asked for"
    k_old, k_new = pair.k_in + pair.k_out, sum(pair.orders_new)
    if not (
        _is_whole(pair.old, pair.D_old, k_old, pair.p) and _is_whole(pair.new, pair.D_new, k_new, pair.p)
    ):
        return "these filters are not all that rotations and reflections of the grid allow"
    return ""


def _is_whole(block: FilterBlock, D: int, k: int, p: int) -> bool:
    """Whether a block spans all filters of its side that are invariant under rotations and reflections of the grid.

    Blocks with a reduced support, or with filters that may treat axes differently, cannot be isotropic or are not meant to be.
    """
    side = block.filters.shape[1]
    return len(block) == character_count(D, side, k, p) and treats_axes_alike(block.filters, D, p)


def cube_matrix(pair: FilterPair, start: np.ndarray) -> np.ndarray:
    """The matrix `T` `(n_new, n_old)` of `a' = T a`, float64.

    **Arguments:**

    - `pair`: the bases of a path that has free directions and no `obstacle`.
    - `start`: a solution of (C) `(n_new, n_old)`, towards which the result is pulled.
    """
    free = _orthonormal_in_pixels(solutions(pair).null, pair.new)
    hessian, wanted = 0.0, 0.0
    for waves, weights in (_waves(pair.D_new, max(WAVES, pair.side + 1)), _corner(pair.D_new)):
        h, g = _normal_equations(pair, waves, weights)
        hessian, wanted = hessian + h, wanted + g
    reduced = free.T @ hessian @ free
    pull = PULL * np.trace(reduced) / len(reduced) * np.eye(len(reduced))
    return start + free @ np.linalg.solve(reduced + pull, free.T @ (wanted - hessian @ start))


def _orthonormal_in_pixels(null: np.ndarray, block: FilterBlock) -> np.ndarray:
    """Free directions whose filters are orthonormal, so that the scaling of the bank has no influence."""
    triangle = np.asarray(np.linalg.qr(block.filters.reshape(len(block), -1).T @ null, mode="r"))
    return np.linalg.solve(triangle.T, null.T).T


def _waves(D: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Wave vectors `(waves, D)` with decreasing coordinates, midpoints of `n` parts of [0, pi], and their weights.

    Reflections and exchanges of axes generate all others from them.
    """
    parts = [part[::-1] for part in itertools.combinations_with_replacement(range(n), D)]
    weights = np.array([math.factorial(D) / math.prod(map(math.factorial, _counts(part))) for part in parts])
    return np.pi * (np.array(parts) + 0.5) / n, weights / n**D


def _counts(part: tuple[int, ...]) -> list[int]:
    return [part.count(value) for value in set(part)]


def _corner(D: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full((1, D), np.pi), np.ones(1)


def _normal_equations(
    pair: FilterPair, waves: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`H` `(n_new, n_new)` and `g` `(n_new, n_old)`: the misfit is `a' H a' - 2 a' g a` plus terms that do not depend on `a'`.

    **Arguments:**

    - `waves`: the wave vectors `(waves, D_new)`; `weights`: the weight of each.
    """
    inputs = pair.D_new ** pair.orders_new[0]
    directions, shares = _old_directions(pair.D_old, DIRECTIONS)
    lengths = np.minimum(np.linalg.norm(waves, axis=1), np.pi)
    low = _symbols(
        pair.old,
        (lengths[:, None, None] * directions).reshape(-1, pair.D_old),
        pair.D_old**pair.k_in,
    ).reshape(len(waves), len(directions), pair.D_old**pair.k_in, pair.D_old**pair.k_out, len(pair.old))
    high = _symbols(pair.new, waves, inputs)
    turned_in = _turned(pair.k_in, pair.lift_in, frames := _frames(pair, waves, directions), pair.D_old)
    turned_out = _turned(pair.k_out, pair.lift_out, frames, pair.D_old)
    turns = frames.shape[2]
    plane = np.einsum("d,wdrai,wdrbi->wab", shares, turned_in, turned_in, optimize=True) / turns
    target = np.einsum("d,wdrai,wdijm,wdrbj->wabm", shares, turned_in, low, turned_out, optimize=True) / turns
    rows = high.reshape(len(waves), -1, len(pair.new))
    in_plane = np.einsum("wac,wcbl->wabl", plane, high, optimize=True).reshape(rows.shape)
    weighted = (weights[:, None, None] * rows.conj()).reshape(-1, len(pair.new)).T
    hessian = weighted @ in_plane.reshape(-1, len(pair.new))
    wanted = weighted @ target.reshape(-1, len(pair.old))
    return hessian.real, wanted.real


def _symbols(block: FilterBlock, waves: np.ndarray, inputs: int) -> np.ndarray:
    """The response of each filter to plane waves, `(waves, inputs, outputs, n)`."""
    D = waves.shape[1]
    side = block.filters.shape[1]
    phases = np.exp(1j * pixel_unit(side) * waves @ pixel_coordinates(D, side).T)
    flat = block.filters.reshape(len(block), side**D, -1)
    values = phases @ np.moveaxis(flat, 0, -1).reshape(side**D, -1)
    return values.reshape(len(waves), inputs, -1, len(block))


def _old_directions(D: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors `(directions, D)` with decreasing coordinates, and their shares of the sphere; the group gives the others."""
    points = np.array(
        [
            (1.0, *((np.array(part[::-1]) + 0.5) / n))
            for part in itertools.combinations_with_replacement(range(n), D - 1)
        ]
    )
    lengths = np.linalg.norm(points, axis=1)
    shares = lengths ** -float(D)
    return points / lengths[:, None], shares / shares.sum()


def _frames(pair: FilterPair, waves: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Rotations `(waves, directions, turns, D_new, D_new)` that take each old direction to each wave vector."""
    D = pair.D_new
    embedded = np.pad(directions, ((0, 0), (0, D - pair.D_old)))
    start = np.array([_rotation_to(v) for v in embedded])
    end = np.array([_rotation_to(k / np.linalg.norm(k)) for k in waves])
    degree = 2 * (sum(pair.orders_new) + 1)
    return np.einsum("wab,tbc,dec->wdtae", end, _turns(D, degree), start)


def _rotation_to(unit: np.ndarray) -> np.ndarray:
    """A rotation that takes the first axis to a unit vector, whose first component is positive."""
    w = unit + np.eye(len(unit))[0]
    rotation = 2 * np.outer(w, w) / (w @ w) - np.eye(len(unit))
    if len(unit) % 2 == 0:
        rotation[:, -1] *= -1  # a half turn about `w` in odd dimensions, else a reflection
    return rotation


def _turns(D: int, n: int) -> np.ndarray:
    """Rotations `(turns, D, D)` that do not move the first axis, `n` equal turns in three dimensions."""
    if D < LARGEST_DIMENSION:
        return np.eye(D)[None]
    angles = 2 * np.pi * np.arange(n) / n
    turns = np.zeros((n, D, D))
    turns[:, 0, 0] = 1.0
    turns[:, 1, 1] = turns[:, 2, 2] = np.cos(angles)
    turns[:, 2, 1] = np.sin(angles)
    turns[:, 1, 2] = -turns[:, 2, 1]
    return turns


def _turned(k: int, lifted: bool, frames: np.ndarray, D_old: int) -> np.ndarray:
    """The map `(..., D_new^k, D_old^k)` that embeds an amplitude of order `k` and turns it."""
    D = frames.shape[-1]
    result = np.ones((*frames.shape[:-2], 1, 1))
    for _ in range(k):
        result = np.einsum("...ai,...bj->...abij", result, frames[..., :D_old])
        result = result.reshape(*frames.shape[:-2], -1, D_old * result.shape[-2])
    if lifted:
        result = np.einsum("...ai,...b->...abi", result, frames[..., D - 1])
        result = result.reshape(*frames.shape[:-2], -1, result.shape[-1])
    return result
