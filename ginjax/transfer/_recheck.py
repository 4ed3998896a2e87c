"""Condition (C) between two existing models, whatever made the second from the first."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ginjax.filters import FilterBank

from ._certificate import Certificate
from ._digest import array_digest
from ._layers import ConvLayer, path_name
from ._pairs import lifted_path, path_pair
from ._system import Residual, residual

Side = tuple[Mapping[str, np.ndarray], Sequence[ConvLayer], Mapping[str, FilterBank]]
"""Arrays by name, layer table, banks by role."""


def path_residuals(low: Side, high: Side, parity_lift: bool = False) -> dict[tuple[str, str], Residual]:
    """The residual of (C) for each path of two models of the same architecture.

    **Arguments:**

    - `low`, `high`: the models; `high` has the higher dimension.
    - `parity_lift`: whether odd scalars are odd vectors in `high`.

    **Returns:** the residuals by layer and path, both named as in `high`.
    """
    found = {}
    for low_layer, high_layer in zip(low[1], high[1], strict=True):
        banks = low[2][low_layer.role], high[2][high_layer.role]
        for source, c_in, target, c_out in low_layer.paths():
            new = lifted_path(source, target, parity_lift)
            pair = path_pair(low_layer, source, target, *banks, parity_lift)
            nothing = np.zeros((c_out, c_in, 0))
            old_weights = low[0].get(low_layer.weight_name(source, target), nothing)
            new_weights = high[0].get(high_layer.weight_name(*new), nothing)
            found[high_layer.name, path_name(*new)] = residual(pair, old_weights, new_weights)
    return found


def condition_residual(low: Side, high: Side, parity_lift: bool = False) -> float:
    """The largest of `path_residuals`."""
    return max((gap.total for gap in path_residuals(low, high, parity_lift).values()), default=0.0)


def recomputed(certificate: Certificate, low: Side, high: Side) -> Certificate:
    """Certify the result of a conversion up that was changed afterwards, by comparing it with the model before the conversion.

    If that model is not available, use `recertify`.

    **Arguments:**

    - `certificate`: certificate of the conversion.
    - `low`, `high`: arrays, layer table and banks of the model before the conversion, and of the changed result.
    """
    found = path_residuals(low, high, certificate.parity_lift)
    paths = tuple(
        replace(path, residual=gap.total, residual_new=gap.new)
        for path in certificate.paths
        for gap in (found[path.layer, path.path],)
    )
    return certificate.of_weights(array_digest(high[0]), paths)
