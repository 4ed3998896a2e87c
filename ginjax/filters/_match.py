"""Recognise filters that were handed in as arrays."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ginjax.errors import ArgumentError

from ._bank import (
    FilterBank,
    FilterBlock,
    FilterIdentity,
    FilterKey,
    freeze,
    make_block,
    strip_representative,
)
from ._orbits import pixel_coordinates
from ._recipe import BankRecipe
from ._scaling import SCALINGS

MATCH_TOLERANCE = 3e-4
"""Largest absolute difference at which an array counts as a recipe's filter (filters rounded to float32 and
normalised on the way differ by up to this)."""


def bank_from_arrays(
    D: int, blocks: Mapping[FilterKey, np.ndarray], recipe: BankRecipe | None = None
) -> FilterBank:
    """A bank from filters `(n, *(M,)*D, *(D,)*k)` by `(order, parity)`.

    Where all of them are the filters of one recipe, up to order and sign, the recipe's float64 filters take
    their place, in the order and with the signs handed in. Otherwise the arrays are used as they are and the
    bank's recipe is `None`. With `recipe` only that one is tried, and a mismatch is an `ArgumentError`.

    **Arguments:**

    - `D`: the dimension.
    - `blocks`: the filters.
    - `recipe`: the one to try.

    **Raises:** `ArgumentError` for arrays of wrong shape or not finite, or that do not match `recipe`.
    """
    if recipe is not None:
        side, arrays = _checked(D, blocks)
        bank = _matched_bank(D, side, arrays, recipe) if side == recipe.side else None
        if bank is None:
            raise ArgumentError("filters", got="other filters", expected=f"those of {recipe}")
        return bank
    return banks_from_arrays([(D, blocks)])[0]


def banks_from_arrays(
    collections: Sequence[tuple[int, Mapping[FilterKey, np.ndarray]]],
) -> list[FilterBank]:
    """As `bank_from_arrays` for several dimensions at once, by one recipe that fits them all.

    In low dimensions several recipes give the same filters (in one dimension L1 shells are orbits), so the bank
    of a low dimension alone does not say what its counterpart in a higher one is.
    """
    checked = [(D, _checked(D, blocks)) for D, blocks in collections]
    sides = {side for _, (side, _) in checked}
    for recipe in _candidate_recipes(sides.pop()) if len(sides) == 1 else ():
        banks = [_matched_bank(D, side, blocks, recipe) for D, (side, blocks) in checked]
        if all(bank is not None for bank in banks):
            return [bank for bank in banks if bank is not None]
    return [nameless_bank(D, blocks) for D, (_, blocks) in checked]


def nameless_bank(D: int, blocks: Mapping[FilterKey, np.ndarray]) -> FilterBank:
    """A bank that uses arrays as they are, with no look for a recipe that they might match."""
    side, arrays = _checked(D, blocks)
    return FilterBank(D, side, None, {key: _nameless_block(D, array) for key, array in arrays.items()})


def _checked(D: int, blocks: Mapping[FilterKey, np.ndarray]) -> tuple[int, dict[FilterKey, np.ndarray]]:
    """The common side length, and the arrays as float64 in canonical order."""
    arrays = {key: np.asarray(array, dtype=np.float64) for key, array in sorted(blocks.items())}
    sides = {size for array in arrays.values() for size in array.shape[1 : D + 1]}
    if len(sides) != 1:
        raise ArgumentError("filters", got=f"sides {sorted(sides)}", expected="one common side length")
    side = sides.pop()
    for (k, _), array in arrays.items():
        if array.shape[1:] != (side,) * D + (D,) * k:
            raise ArgumentError(
                f"filters of order {k}", got=array.shape, expected=("n", *(side,) * D, *(D,) * k)
            )
        if not np.all(np.isfinite(array)):
            raise ArgumentError(f"filters of order {k}", got="NaN or infinity", expected="finite numbers")
    return side, arrays


def _matched_bank(
    D: int, side: int, blocks: Mapping[FilterKey, np.ndarray], recipe: BankRecipe
) -> FilterBank | None:
    matched = {}
    for (k, p), array in blocks.items():
        block = match_block(array, make_block(D, recipe, k, p))
        if block is None:
            return None
        matched[k, p] = block
    return FilterBank(D, side, recipe, matched)


def match_block(array: np.ndarray, block: FilterBlock) -> FilterBlock | None:
    """The block's float64 filters in the order and with the signs of `array`; `None` if they differ."""
    if array.shape != block.filters.shape:
        return None
    if len(array) == 0:
        return block
    given, known = array.reshape(len(array), -1), block.filters.reshape(len(array), -1)
    chosen, signs = [], []
    for row in given:
        difference = np.minimum(np.abs(known - row).max(axis=1), np.abs(known + row).max(axis=1))
        best = int(np.argmin(difference))
        if difference[best] > MATCH_TOLERANCE or best in chosen:
            return None
        chosen.append(best)
        signs.append(1.0 if known[best] @ row >= 0 else -1.0)
    shaped = np.array(signs).reshape(-1, *(1,) * (array.ndim - 1))
    flipped = tuple(sign < 0 for sign in signs) if min(signs) < 0 else ()
    return freeze(block.filters[chosen] * shaped, [block.identities[i] for i in chosen], flipped)


def _candidate_recipes(side: int) -> Iterator[BankRecipe]:
    for split_k2 in (True, False):
        for scaling in SCALINGS:
            yield BankRecipe(side, scaling, split_k2=split_k2)
    halves = range(2 * (side - 1) + 1)
    radii = [h / 2 for h in halves if (side % 2 == 0 or h % 2 == 0)]
    for support, radius in itertools.product(("summed", "cut"), radii):
        for scaling in SCALINGS:
            yield BankRecipe(side, scaling, support, radius)
    if side % 2:
        for radius in radii:
            yield BankRecipe(side, "one", "orthoplex", radius)


def _nameless_block(D: int, array: np.ndarray) -> FilterBlock:
    """Names for filters of no known recipe: by the innermost orbit they touch and a running count."""
    side = array.shape[1]
    pixels = pixel_coordinates(D, side)
    order = np.argsort((pixels**2).sum(axis=1), kind="stable")
    counter: dict[tuple[int, ...], int] = {}
    identities = []
    for one in array.reshape(len(array), side**D, math.prod(array.shape[D + 1 :])):
        occupied = np.abs(one).max(axis=1, initial=0.0)[order] > MATCH_TOLERANCE
        innermost = pixels[order[int(np.argmax(occupied))]]
        representative = strip_representative(sorted((int(abs(c)) for c in innermost), reverse=True), side)
        index = counter.get(representative, 0)
        counter[representative] = index + 1
        identities.append(FilterIdentity("", representative, index))
    return freeze(array, identities)
