"""Families of networks: how one is built in a dimension, and carried to a higher one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
from jaxtyping import PyTree

from ginjax.checkpoint import convert_record
from ginjax.geometric import Signature
from ginjax.ml import trainable
from ginjax.models import AnyDimensionalModel, ModelDesign, ModelWrapper, from_record, to_record
from transferbench._axial import AxialNetwork
from transferbench._cells import Case
from transferbench._fourier import FourierOperator, with_more_axes
from transferbench._taps import with_taps, with_weights_of

LAYERS = 4
"""Layers of the Fourier operator, and of the axially shared network, for each block of ours."""

MODES = 8
"""Modes along an axis of the Fourier operator: all below the Nyquist frequency on a side of 16."""


@dataclass(frozen=True)
class Family:
    """A kind of network.

    **Arguments:**

    - `build`: `(case, signature, D, seed) -> network`, for one sample.
    - `convert`: `(network, case, signature, rule) -> network` of the high dimension; `rule` is of our family only.
    - `low`: what the low-dimensional networks are called, which families may share.
    - `small`: whether it is trained on domains as long as those of the high dimension: a mode number means a
      wavelength only there.
    """

    build: Callable[[Case, Signature, int, int], PyTree]
    convert: Callable[[PyTree, Case, Signature, str], PyTree]
    low: str
    small: bool = False


def design(case: Case, signature: Signature, plain: bool = False) -> ModelDesign:
    """The ResNet of a case; plain it has as many channels and blocks, and therefore more parameters."""
    return ModelDesign(
        "ResNet",
        signature,
        signature,
        channels=case.channels,
        blocks=case.blocks,
        plain=plain,
        nonlinearity="product" if case.product and not plain else "vector-neuron",
    )


def _ours(case: Case, signature: Signature, D: int, seed: int) -> AnyDimensionalModel:
    return design(case, signature).build(D, seed)


def _convert_ours(model: AnyDimensionalModel, case: Case, signature: Signature, rule: str) -> PyTree:
    return from_record(convert_record(to_record(model), case.high, rule).after)


def _plain(case: Case, signature: Signature, D: int, seed: int) -> PyTree:
    return with_taps(design(case, signature, plain=True).build(D, seed))


def _convert_plain(along: str, model: PyTree, case: Case, signature: Signature, rule: str) -> PyTree:
    own = with_weights_of(design(case, signature, plain=True).build(case.low, 0), model)
    return with_taps(from_record(convert_record(to_record(own), case.high, along).after))


def _fourier(case: Case, signature: Signature, D: int, seed: int) -> ModelWrapper:
    make = partial(FourierOperator, D, _scalars(signature), layers=LAYERS * case.blocks, modes=MODES)
    return _wide_enough(case, signature, D, seed, make)


def _axial(case: Case, signature: Signature, D: int, seed: int) -> ModelWrapper:
    make = partial(AxialNetwork, _scalars(signature), layers=LAYERS * case.blocks)
    return _wide_enough(case, signature, D, seed, make)


def _convert_fourier(model: ModelWrapper, case: Case, signature: Signature, rule: str) -> ModelWrapper:
    return ModelWrapper(case.high, with_more_axes(model.model, case.high), signature, True)


def _convert_axial(model: ModelWrapper, case: Case, signature: Signature, rule: str) -> ModelWrapper:
    return ModelWrapper(case.high, model.model, signature, True)


FAMILIES: Mapping[str, Family] = {
    "ours": Family(_ours, _convert_ours, "ours"),
    "plain-centre": Family(_plain, partial(_convert_plain, "centre"), "plain"),
    "plain-mean": Family(_plain, partial(_convert_plain, "mean"), "plain"),
    "fourier": Family(_fourier, _convert_fourier, "fourier", small=True),
    "axial": Family(_axial, _convert_axial, "axial"),
}
"""Every family by name."""


def parameters(model: PyTree) -> int:
    """Numbers that training changes."""
    return sum(leaf.size for leaf in jax.tree.leaves(trainable(model)))


def _wide_enough(
    case: Case, signature: Signature, D: int, seed: int, make: Callable[..., Any]
) -> ModelWrapper:
    """As many channels as our network has, or more until it has as many parameters as ours in the low dimension."""
    least = _size(lambda: _ours(case, signature, case.low, seed))
    channels, key = case.channels, jax.random.key(seed)
    while _size(lambda: make(channels=channels, key=key)) < least:  # noqa: B023
        channels += 1
    return ModelWrapper(D, make(channels=channels, key=key), signature, True)


def _size(build: Callable[[], PyTree]) -> int:
    return parameters(eqx.filter_eval_shape(build))


def _scalars(signature: Signature) -> int:
    return sum(channels for _, channels in signature)
