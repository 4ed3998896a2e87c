"""Condition (C) between two models as they are, whoever made the second from the first."""

from collections.abc import Mapping, Sequence

import numpy as np

from ginjax.filters import FilterBank

from ._convert import empty_block
from ._embedding import lift_key
from ._layers import ConvLayer, FieldKey, filter_key
from ._system import FilterPair, residual

Side = tuple[Mapping[str, np.ndarray], Sequence[ConvLayer], Mapping[str, FilterBank]]
"""Arrays by name, layer table, banks by role."""


def condition_residual(low: Side, high: Side, parity_lift: bool = False) -> float:
    """The largest residual of (C) over all paths of two models of one architecture.

    **Arguments:**

    - `low`, `high`: the models, the second in the higher dimension.
    - `parity_lift`: whether odd scalars are odd vectors in the second.
    """
    pairs: dict[tuple, FilterPair] = {}
    worst = 0.0
    for low_layer, high_layer in zip(low[1], high[1], strict=True):
        a, b = low[2][low_layer.role], high[2][high_layer.role]
        for source, c_in, target, c_out in low_layer.paths():
            new = _lifted(source, parity_lift), _lifted(target, parity_lift)
            index = (low_layer.role, source, target, low_layer.input_dilation, low_layer.filter_dilation)
            if index not in pairs:
                k_low, k_high = filter_key(source, target), filter_key(*new)
                pairs[index] = FilterPair(
                    a.blocks.get(k_low) or empty_block(a.D, a.side, k_low[0]),
                    b.blocks.get(k_high) or empty_block(b.D, b.side, k_high[0]),
                    a.D,
                    b.D,
                    source[0],
                    target[0],
                    k_low[1],
                    low_layer.input_dilation,
                    low_layer.filter_dilation,
                    new[0] != source,
                    new[1] != target,
                )
            nothing = np.zeros((c_out, c_in, 0))
            old_weights = low[0].get(low_layer.weight_name(source, target), nothing)
            new_weights = high[0].get(high_layer.weight_name(*new), nothing)
            worst = max(worst, residual(pairs[index], old_weights, new_weights).total)
    return worst


def _lifted(key: FieldKey, parity_lift: bool) -> FieldKey:
    return lift_key(key) if parity_lift else key
