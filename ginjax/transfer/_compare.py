"""How much a rule increases weights and responses: numbers that compare rules before any network is run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ginjax.filters import FilterBank

from ._layers import ConvLayer, filter_key


@dataclass(frozen=True)
class Growth:
    """The growth of a network in a conversion, as ratios of new to old over the paths of all convolutions.

    **Arguments:**

    - `weights`: the largest ratio of the Frobenius norms of a layer's weights.
    - `noise`: geometric mean, over the paths, of the ratios of the standard deviation of the output per component, for
      white noise as the input.
    - `noise_largest`: the largest of these ratios.
    """

    weights: float
    noise: float
    noise_largest: float


def growth(
    before: tuple[Mapping[str, np.ndarray], Sequence[ConvLayer], Mapping[str, FilterBank]],
    after: tuple[Mapping[str, np.ndarray], Sequence[ConvLayer], Mapping[str, FilterBank]],
) -> Growth:
    """Compare a model before and after a conversion.

    **Arguments:**

    - `before`, `after`: the two models, each given as arrays by name, layer table, and banks by role.
    """
    ratios, norms = [], []
    for old_layer, new_layer in zip(before[1], after[1], strict=True):
        old, new = _layer(old_layer, before[0], before[2]), _layer(new_layer, after[0], after[2])
        total_old = np.sqrt(sum(norm**2 for norm, _ in old))
        if total_old > 0:
            norms.append(float(np.sqrt(sum(norm**2 for norm, _ in new)) / total_old))
        ratios += [b / a for (_, a), (_, b) in zip(old, new, strict=True) if a > 0]
    ratios = np.array(ratios or [1.0])
    positive = ratios[ratios > 0]
    mean = float(np.exp(np.log(positive).mean())) if len(positive) else 0.0
    return Growth(max(norms, default=1.0), mean, float(ratios.max()))


def _layer(
    layer: ConvLayer, arrays: Mapping[str, np.ndarray], banks: Mapping[str, FilterBank]
) -> list[tuple[float, float]]:
    """Frobenius norm of the weights and white-noise response of each path."""
    bank = banks[layer.role]
    found = []
    for source, _, target, c_out in layer.paths():
        weights = arrays.get(layer.weight_name(source, target))
        block = bank.blocks.get(filter_key(source, target))
        if weights is None or block is None:
            found.append((0.0, 0.0))
            continue
        flat = block.filters.reshape(len(block), -1)
        values = weights.astype(np.float64)
        power = np.einsum("oin,nm,oim->", values, flat @ flat.T, values)
        components = c_out * bank.D ** target[0]
        found.append((float(np.linalg.norm(values)), float(np.sqrt(max(power, 0.0) / components))))
    return found
