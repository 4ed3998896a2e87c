"""`volume`: extends the filters, then keeps the size of each path's summed filter."""

from dataclasses import dataclass

import numpy as np

from ginjax.filters import FilterBlock
from ginjax.transfer._system import FilterPair

from ._named_rule import NamedRule
from ._none import extension_matrix
from ._rule import by_name

SMALL = 1e-5
"""Added to the denominator of the ratio."""

ZERO_SUM = 1e-3
"""A filter has no volume and keeps its weight if its spatial sum is below this fraction of its norm."""


@dataclass(frozen=True)
class Volume:
    """Extends as `Extend`, then multiplies by the ratio of the Frobenius norms of the summed filters, old to new.

    The positive and the negative parts of the extended weights are scaled separately, for each pair of output
    and input channels. A filter whose own spatial sum is below `1e-3` of its norm keeps its weight.
    """

    name = "volume"
    promises_compatibility = False

    def __call__(self, weights: np.ndarray, pair: FilterPair) -> np.ndarray:
        return by_name(weights, pair, self._apply)

    def _apply(self, weights: np.ndarray, pair: FilterPair) -> np.ndarray:
        extended = weights @ extension_matrix(pair).T
        zero_sum = has_zero_sum(pair.new, pair.D_new)
        scaled = sum(
            scale_to_volume(
                np.where(has_zero_sum(pair.old, pair.D_old), 0.0, part(weights, 0)),
                np.where(zero_sum, 0.0, part(extended, 0)),
                pair,
            )
            for part in (np.maximum, np.minimum)
        )
        return np.where(zero_sum, extended, scaled)


VOLUME = NamedRule(Volume(), "keeps the size of each filter")


def scale_to_volume(old_weights: np.ndarray, new_weights: np.ndarray, pair: FilterPair) -> np.ndarray:
    """Multiply `new_weights` by the ratio of `filter_sum`, old to new (+ 1e-5), for each `(out, in)`."""
    ratio = filter_sum(old_weights, pair.old, pair.D_old) / (
        filter_sum(new_weights, pair.new, pair.D_new) + SMALL
    )
    return new_weights * ratio[..., None]


def filter_sum(weights: np.ndarray, block: FilterBlock, D: int) -> np.ndarray:
    """Frobenius norm `(out, in)` of `sum_l sum_x a_l C_l(x)`."""
    return np.linalg.norm(weights @ _spatial_sums(block, D), axis=-1)


def has_zero_sum(block: FilterBlock, D: int) -> np.ndarray:
    """Which filters `(n,)` have a spatial sum of (nearly) zero."""
    flat = block.filters.reshape(len(block), int(np.prod(block.filters.shape[1:])))
    return np.linalg.norm(_spatial_sums(block, D), axis=1) < ZERO_SUM * np.linalg.norm(flat, axis=1)


def _spatial_sums(block: FilterBlock, D: int) -> np.ndarray:
    shape = block.filters.shape
    pixels, components = int(np.prod(shape[1 : D + 1])), int(np.prod(shape[D + 1 :]))
    return block.filters.reshape(len(block), pixels, components).sum(axis=1)
