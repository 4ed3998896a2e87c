"""The two filter bases of one path of a convolution, taken from the banks of a model before and after."""

import functools

import numpy as np

from ginjax.filters import FilterBank, FilterBlock

from ._embedding import lift_key
from ._layers import ConvLayer, FieldKey, filter_key
from ._system import FilterPair


def path_pair(
    layer: ConvLayer,
    source: FieldKey,
    target: FieldKey,
    low: FilterBank,
    high: FilterBank,
    parity_lift: bool = False,
) -> FilterPair:
    """The pair of a path. Equal arguments give the same object, so that each system is solved only once.

    **Arguments:**

    - `layer`: the convolution; `source`, `target`: keys of the path in the lower dimension.
    - `low`, `high`: its banks in the lower and in the higher dimension. A key without filters counts as empty.
    - `parity_lift`: whether odd scalars are odd vectors in the higher dimension, see `lift_key`.
    """
    new_source, new_target = lifted_path(source, target, parity_lift)
    return _make_pair(
        bank_block(low, source, target),
        bank_block(high, new_source, new_target),
        low.D,
        high.D,
        (source[0], target[0]),
        filter_key(source, target)[1],
        (layer.input_dilation, layer.filter_dilation),
        (new_source != source, new_target != target),
    )


def lifted_path(source: FieldKey, target: FieldKey, parity_lift: bool) -> tuple[FieldKey, FieldKey]:
    """The keys of a path in the higher dimension."""
    return (lift_key(source), lift_key(target)) if parity_lift else (source, target)


def bank_block(bank: FilterBank, source: FieldKey, target: FieldKey) -> FilterBlock:
    """The filters of a path; the block is empty if it has none."""
    key = filter_key(source, target)
    return bank.blocks.get(key) or empty_block(bank.D, bank.side, key[0])


@functools.lru_cache(maxsize=256)
def empty_block(D: int, side: int, k: int) -> FilterBlock:
    """The block of a key that has no filters."""
    return FilterBlock(np.zeros((0, *(side,) * D, *(D,) * k)), ())


@functools.lru_cache(maxsize=1024)
def _make_pair(
    old: FilterBlock,
    new: FilterBlock,
    D_old: int,
    D_new: int,
    orders: tuple[int, int],
    p: int,
    dilations: tuple[int, int],
    lifts: tuple[bool, bool],
) -> FilterPair:
    return FilterPair(old, new, D_old, D_new, *orders, p, *dilations, *lifts)
