r"""Condition (C): what the weights of a converted convolution must satisfy, and its solutions.

For a filter `F = sum_l a_l C_l` in dimension `D` and `F' = sum_l a'_l C'_l` in dimension `D+n`, the converted
convolution commutes with the embedding exactly when

    sum over the added axes of F', inputs restricted to old components  =  F, zero-padded in its outputs.   (C)

With image dilation `s` (a transposed convolution), an output pixel meets only the taps of one residue class
modulo `s`. So the sum must be right for each *phase* of the added axes, and the conditions are stacked.
(C) is linear in the weights, `A a' = B a`, and the same for every layer with the same pair of filter bases.
"""

import functools
import itertools
from dataclasses import dataclass, replace

import numpy as np

from ginjax.errors import ArgumentError
from ginjax.filters import FilterBlock

from ._embedding import embedded_components

RANK_TOLERANCE = 1e-10
"""Singular values below this multiple of the largest count as zero. The entries of (C) are of order 1."""


@dataclass(frozen=True, eq=False)
class FilterPair:
    """The two filter bases of one convolution path, before and after.

    **Arguments:**

    - `old`, `new`: filters of order `k_in + k_out` and parity `p` in dimensions `D_old < D_new`.
    - `k_in`, `k_out`: orders of the fields; the first `k_in` axes of a filter meet the input.
    - `p`: parity of the filters, `p_in + p_out mod 2`.
    - `input_dilation`, `filter_dilation`: as in `jax.lax.conv_general_dilated` (`lhs`, `rhs`).
    - `lift_in`, `lift_out`: whether input or output gains an index along the (single) added axis, see `lift_key`.
      The orders are those of the old fields.
    """

    old: FilterBlock
    new: FilterBlock
    D_old: int
    D_new: int
    k_in: int
    k_out: int
    p: int
    input_dilation: int = 1
    filter_dilation: int = 1
    lift_in: bool = False
    lift_out: bool = False

    @property
    def orders_new(self) -> tuple[int, int]:
        """Orders of input and output in the new dimension."""
        return self.k_in + self.lift_in, self.k_out + self.lift_out

    @property
    def input_components(self) -> np.ndarray:
        """Positions of the components of an embedded input."""
        return embedded_components(self.D_old, self.D_new, self.k_in, self.lift_in)

    @property
    def output_components(self) -> np.ndarray:
        """Positions of the components of an embedded output."""
        return embedded_components(self.D_old, self.D_new, self.k_out, self.lift_out)

    @property
    def side(self) -> int:
        """Side of the old filters in pixels."""
        return self.old.filters.shape[1]

    def unflipped(self) -> "FilterPair":
        """The same pair with every filter in the orientation that its name stands for."""
        if not (self.old.flipped or self.new.flipped):
            return self
        return replace(self, old=_unflipped(self.old), new=_unflipped(self.new))

    def __post_init__(self):
        if self.D_new <= self.D_old:
            raise ArgumentError("dimension", got=self.D_new, expected=f"more than {self.D_old}")
        if (self.lift_in or self.lift_out) and self.D_new != self.D_old + 1:
            raise ArgumentError("parity lift", got=f"{self.D_old} -> {self.D_new}", expected="one added axis")
        k_old, k_new = self.k_in + self.k_out, sum(self.orders_new)
        for block, D, k in ((self.old, self.D_old, k_old), (self.new, self.D_new, k_new)):
            expected = (self.side,) * D + (D,) * k
            if block.filters.shape[1:] != expected:
                raise ArgumentError("filters", got=block.filters.shape[1:], expected=expected)


def _unflipped(block: FilterBlock) -> FilterBlock:
    shaped = block.signs.reshape(-1, *(1,) * (block.filters.ndim - 1))
    return FilterBlock(block.filters * shaped, block.identities)


@dataclass(frozen=True)
class Condition:
    """Condition (C) as `A a' = B a`.

    **Arguments:**

    - `A`: `(rows, n_new)`; `B`: `(rows, n_old)`, float64.
    - `old_rows`: the rows for output components that involve old axes only; the other rows require new components to vanish.
    """

    A: np.ndarray
    B: np.ndarray
    old_rows: np.ndarray


@dataclass(frozen=True)
class Residual:
    """Distance of weights from (C), as a maximum over all entries relative to the largest entry of `B a`.

    **Arguments:**

    - `old`: the distance on output components that involve old axes only.
    - `new`: the distance on those that involve an added axis.
    """

    old: float
    new: float

    @property
    def total(self) -> float:
        """The larger of the two."""
        return max(self.old, self.new)


def condition(pair: FilterPair) -> Condition:
    """The matrices of (C) for one pair of bases and one convolution geometry."""
    side, D, added = pair.side, pair.D_old, pair.D_new - pair.D_old
    n_new, n_old = len(pair.new), len(pair.old)
    k_in, k_out = pair.orders_new
    new = pair.new.filters.reshape(n_new, side**D, *(side,) * added, pair.D_new**k_in, pair.D_new**k_out)
    new = new[..., pair.input_components, :]
    phase_of_tap = (np.arange(side) * pair.filter_dilation) % pair.input_dilation
    phases = []
    for phase in itertools.product(range(pair.input_dilation), repeat=added):
        summed = new
        for residue in phase:
            summed = summed[:, :, phase_of_tap == residue].sum(axis=2)
        phases.append(summed)
    A = np.stack(phases, axis=1)
    B = np.zeros((n_old, *A.shape[1:]))
    kept = pair.output_components
    B[..., kept] = pair.old.filters.reshape(n_old, 1, side**D, D**pair.k_in, D**pair.k_out)
    is_old = np.zeros(A.shape[1:], dtype=bool)
    is_old[..., kept] = True
    return Condition(
        np.ascontiguousarray(A.reshape(n_new, is_old.size).T),
        np.ascontiguousarray(B.reshape(n_old, is_old.size).T),
        is_old.reshape(-1),
    )


@functools.lru_cache(maxsize=1024)
def cached_condition(pair: FilterPair) -> Condition:
    """`condition` with a cache."""
    return condition(pair)


def residual(pair: FilterPair, old_weights: np.ndarray, new_weights: np.ndarray) -> Residual:
    """Measure how far the weights of a path are from condition (C).

    **Arguments:**

    - `pair`: the two bases of the path.
    - `old_weights`: `(out, in, n_old)`.
    - `new_weights`: `(out, in, n_new)`.
    """
    system = cached_condition(pair)
    wanted = old_weights.astype(np.float64) @ system.B.T
    return _relative(new_weights.astype(np.float64) @ system.A.T - wanted, wanted, system.old_rows)


def residual_downward(pair: FilterPair, low_weights: np.ndarray, high_weights: np.ndarray) -> Residual:
    """Residual of (C) for a conversion down, relative to the largest entry of `A a'`: what is lost on the way down."""
    system = cached_condition(pair)
    given = high_weights.astype(np.float64) @ system.A.T
    return _relative(low_weights.astype(np.float64) @ system.B.T - given, given, system.old_rows)


def _relative(gap: np.ndarray, reference: np.ndarray, old_rows: np.ndarray) -> Residual:
    """The largest entries of `gap`, relative to that of `reference` unless it is zero."""
    error, scale = np.abs(gap), float(np.abs(reference).max(initial=0.0))
    old, new = (float(error[..., rows].max(initial=0.0)) for rows in (old_rows, ~old_rows))
    return Residual(old / scale, new / scale) if scale > 0 else Residual(old, new)


@functools.lru_cache(maxsize=1024)
def collapse_matrix(pair: FilterPair) -> np.ndarray:
    """The matrix `T` `(n_old, n_new)` of the way down, `a = T a'`: sum over the added axes, keep the old components.

    It is unique because the old filters are linearly independent, and it inverts every solution of (C).
    """
    system = cached_condition(pair)
    old = system.old_rows
    return np.linalg.lstsq(system.B[old], system.A[old], rcond=None)[0]


@dataclass(frozen=True)
class AffineFamily:
    """All remaining candidates `a' = (particular + null z) a`, narrowed down by one least-squares problem after another.

    **Arguments:**

    - `particular`: `(n_new, n_old)`; `null`: `(n_new, free)` with orthonormal columns.
    """

    particular: np.ndarray
    null: np.ndarray

    def narrowed(self, matrix: np.ndarray, target: np.ndarray) -> "AffineFamily":
        """The candidates that come closest to `matrix a' = target a` in the Euclidean norm."""
        free = self.null.shape[1]
        if free == 0 or matrix.shape[0] == 0:
            return self
        reduced = matrix @ self.null
        # Work in the row space: `reduced` may have far more rows than columns.
        gram_rows = np.linalg.qr(reduced, mode="r") if reduced.shape[0] > 2 * free else reduced
        _, singular, basis = np.linalg.svd(gram_rows, full_matrices=True)
        scale = max(np.abs(matrix).max(initial=0.0), 1e-300)
        rank = int((singular > RANK_TOLERANCE * scale).sum())
        seen, unseen = basis[:rank].T, basis[rank:].T
        gap = target - matrix @ self.particular
        step, *_ = np.linalg.lstsq(reduced @ seen, gap, rcond=None)
        return AffineFamily(self.particular + self.null @ (seen @ step), self.null @ unseen)


@functools.lru_cache(maxsize=1024)
def solutions(pair: FilterPair) -> AffineFamily:
    """The solutions of (C): exact on the old output components if possible, then with the smallest remainder on the new ones.

    The two steps are taken in this order and not jointly, so that converting back gives the old weights.
    """
    system = cached_condition(pair)
    n_new, n_old = len(pair.new), len(pair.old)
    everything = AffineFamily(np.zeros((n_new, n_old)), np.eye(n_new))
    old, new = system.old_rows, ~system.old_rows
    return everything.narrowed(system.A[old], system.B[old]).narrowed(system.A[new], system.B[new])
