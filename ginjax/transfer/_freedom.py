"""The freedom that compatibility leaves: directions in which weights may move without changing what is preserved."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.filters import FilterBank

from ._certificate import Certificate
from ._digest import array_digest
from ._layers import ConvLayer, path_name
from ._pairs import bank_block, path_pair
from ._system import FilterPair, cached_condition, solutions


def free_directions(
    layers: Sequence[ConvLayer], banks: Mapping[str, FilterBank], from_dim: int
) -> dict[str, np.ndarray]:
    """The null space of condition (C) for every convolution weight of a converted model.

    **Arguments:**

    - `layers`, `banks`: layer table and banks of the converted model.
    - `from_dim`: the dimension before the conversion.

    **Returns:** for each weight name, an orthonormal basis `N` `(n_filters, free)`; weights `a + z N^T` have the same `A a`.
    """
    return {name: solutions(pair).null for name, _, pair in _pairs(layers, banks, from_dim)}


def project_onto_free(
    before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray], free: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Project the arrays `after` so that they differ from `before` along free directions only.

    Convolution weights are projected in float64; all other arrays are taken from `before`.

    **Arguments:**

    - `before`, `after`: all arrays by name.
    - `free`: for each convolution weight, a basis of its free directions, see `free_directions`.
    """
    result = dict(before)
    for name, directions in free.items():
        start = before[name].astype(np.float64)
        moved = (after[name].astype(np.float64) - start) @ directions @ directions.T
        result[name] = np.ascontiguousarray((start + moved).astype(before[name].dtype))
    return dict(sorted(result.items()))


def recertify(
    certificate: Certificate,
    layers: Sequence[ConvLayer],
    banks: Mapping[str, FilterBank],
    before: Mapping[str, np.ndarray],
    after: Mapping[str, np.ndarray],
) -> Certificate:
    """Certify a converted model whose weights were changed afterwards, without the model before the conversion.

    The new residual is the residual of the conversion plus the change of `A a'` since then, relative to its largest entry. By the
    triangle inequality, the residual of (C) is at most this. A conversion down from the converted weights would give the
    old weights only up to the rounding that is measured here. If the old model is available, use `recomputed`.

    **Arguments:**

    - `certificate`: certificate of the conversion.
    - `layers`, `banks`: layer table and banks of the converted model.
    - `before`, `after`: its arrays after the conversion, and now.
    """
    drift = {}
    for name, path, pair in _pairs(layers, banks, certificate.from_dim):
        A = cached_condition(pair).A
        old = before[name].astype(np.float64) @ A.T
        change = np.abs(after[name].astype(np.float64) @ A.T - old).max(initial=0.0)
        scale = np.abs(old).max(initial=0.0)
        drift[path] = float(change / scale if scale > 0 else change)
    paths = tuple(
        replace(path, residual=path.residual + drift.get((path.layer, path.path), 0.0))
        for path in certificate.paths
    )
    return certificate.of_weights(array_digest(after), paths)


def _pairs(
    layers: Sequence[ConvLayer], banks: Mapping[str, FilterBank], from_dim: int
) -> list[tuple[str, tuple[str, str], FilterPair]]:
    """Weight name, (layer, path) and filter pair of every path that has filters."""
    low = {role: _in_dimension(bank, from_dim) for role, bank in banks.items()}
    return [
        (
            layer.weight_name(source, target),
            (layer.name, path_name(source, target)),
            path_pair(layer, source, target, low[layer.role], banks[layer.role]),
        )
        for layer in layers
        for source, _, target, _ in layer.paths()
        if len(bank_block(banks[layer.role], source, target))
    ]


def _in_dimension(bank: FilterBank, D: int) -> FilterBank:
    if not 1 <= D < bank.D:
        raise ArgumentError("dimension converted from", got=D, expected=f"1 to {bank.D - 1}")
    if bank.recipe is None:
        raise UnsupportedError("free directions of filters that match no recipe", expected="a recipe's bank")
    return bank.in_dimension(D)
