"""Recognition of filters that are given as arrays."""

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
"""The largest absolute difference at which an array still counts as a filter of a recipe. Filters that were rounded to
float32 and normalised in between differ by up to this."""


def bank_from_arrays(
    D: int, blocks: Mapping[FilterKey, np.ndarray], recipe: BankRecipe | None = None
) -> FilterBank:
    """Make a bank from filters that are given as arrays.

    If all arrays are filters of one recipe, up to order and sign, the bank has the float64 filters of that recipe, in the
    order and with the signs of the arrays. Otherwise it has the arrays themselves, and its recipe is `None`.

    **Arguments:**

    - `D`: the dimension.
    - `blocks`: filters `(n, *(M,)*D, *(D,)*k)` by `(order, parity)`.
    - `recipe`: the only recipe to try; None tries all known ones.

    **Raises:** `ArgumentError` for arrays that have a wrong shape, are not finite, or do not match `recipe`.
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
    """Make banks as `bank_from_arrays` for several dimensions at once, with one recipe that fits them all.

    In low dimensions several recipes give the same filters (in one dimension L1 shells are orbits). So the filters of a low
    dimension alone do not determine the bank in a higher dimension.
    """
    checked = [(D, _checked(D, blocks)) for D, blocks in collections]
    sides = {side for _, (side, _) in checked}
    for recipe in _candidate_recipes(sides.pop()) if len(sides) == 1 else ():
        banks = [_matched_bank(D, side, blocks, recipe) for D, (side, blocks) in checked]
        if all(bank is not None for bank in banks):
            return [bank for bank in banks if bank is not None]
    return [nameless_bank(D, blocks) for D, (_, blocks) in checked]


def nameless_bank(D: int, blocks: Mapping[FilterKey, np.ndarray]) -> FilterBank:
    """Make a bank from arrays as they are, without looking for a recipe that they match."""
    side, arrays = _checked(D, blocks)
    return FilterBank(D, side, None, {key: _nameless_block(D, array) for key, array in arrays.items()})


def _checked(D: int, blocks: Mapping[FilterKey, np.ndarray]) -> tuple[int, dict[FilterKey, np.ndarray]]:
    """Return the common side, and the arrays as float64 in canonical order."""
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
    """Return the filters of `block` in the order and with the signs of `array`; `None` if they do not match."""
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
    """Name filters of no known recipe by the innermost orbit of their support and a running number."""
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
