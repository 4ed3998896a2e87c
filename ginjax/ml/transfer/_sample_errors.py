"""Errors of mixtures of exact conversions on samples, computed for a few samples at a time to save memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree

from ginjax._text import in_bytes
from ginjax.errors import MemoryLimitError
from ginjax.geometric import Key, MultiImage, compile_ahead, compiled
from ginjax.ml.task import predict
from ginjax.ml.training import Placement, step_memory
from ginjax.ml.transfer._differences import differences
from ginjax.ml.transfer._gauss_newton import Quadratic, Unknowns
from ginjax.ml.transfer._mixtures import Mixtures
from ginjax.models import from_record, with_arrays

POINTS = 2**17
"""Grid points that go through the network at once; more would not be faster."""

Cut = tuple[slice, ...]
"""Along each spatial axis, the part of a field at which errors count."""


@dataclass(frozen=True)
class SampleErrors:
    r"""`|f'_t(X) - Y|^2 / |Y|^2` as a function of the mixture `t`, and its Gauss-Newton model.

    **Arguments:**

    - `mixtures`: the networks `f'_t`.
    - `X`, `Y`: normalised inputs and targets, blocks `(samples, channels, *spatial, D, ..., D)`.
    - `inside`: the part of the fields at which errors count.
    """

    mixtures: Mixtures
    X: MultiImage
    Y: MultiImage
    inside: Cut
    _model: PyTree = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_model", from_record(self.mixtures.start.after))

    def check_memory(self) -> None:
        """Refuse fields that are too large for the network, before it is run.

        **Raises:** `MemoryLimitError` that says how much memory is needed and how much there is.
        """
        part = next(self._parts)
        t = jnp.zeros(len(self.mixtures.layers), jnp.float32)
        memory = step_memory(compile_ahead(self._errors, t, *part), part, t, Placement())
        if memory.fits or memory.working is None or memory.free is None:
            return
        sides = " x ".join(map(str, self.X.get_spatial_dims()))
        raise MemoryLimitError(
            f"memory to calibrate on fields of {sides} grid points",
            got=in_bytes(memory.working),
            expected=f"at most {in_bytes(memory.free)}, which are free",
            hint="Calibrate on smaller fields of the same spacing, or on data of the dimension that the model was trained in.",
        )

    def loss(self, t: Unknowns) -> float:
        """The relative squared error."""
        at = jnp.asarray(t, jnp.float32)
        return sum(_squared(self._errors(at, *part)) for part in self._parts)

    def quadratic(self, t: Unknowns) -> Quadratic:
        """Compute `J^T J` and `J^T r` of the residuals `r`, with their derivative `J` by finite differences."""
        count = len(t)
        normal, slope = np.zeros((count, count)), np.zeros(count)
        for part in self._parts:
            r, J = differences(lambda t: self._errors(t, *part), t)  # noqa: B023
            normal, slope = normal + J.T @ J, slope + J.T @ r
        return normal, slope

    @property
    def _parts(self) -> Iterator[tuple[MultiImage, MultiImage, Float[Array, " batch"]]]:
        """Parts with equally many samples, so that one compiled program serves all, and for each part which samples count.

        The last part is filled up with samples of the part before, which do not count again.
        """
        samples, points = self.X.get_L(), math.prod(self.X.get_spatial_dims())
        size = -(-samples // -(-samples // max(POINTS // points, 1)))
        for first in range(0, samples, size):
            start = min(first, samples - size)
            cut = slice(start, start + size)
            X, Y = (self.X, self.Y) if size == samples else jax.tree.map(lambda b: b[cut], (self.X, self.Y))  # noqa: B023
            yield X, Y, jnp.asarray(np.arange(start, start + size) >= first, jnp.float32)

    @cached_property
    def _size(self) -> float:
        """The norm of the targets."""
        return math.sqrt(
            sum(_squared(_flat(y, tuple(self.Y), self.inside, counted)) for _, y, counted in self._parts)
        )

    @cached_property
    def _errors(self):
        size, keys = self._size, tuple(self.Y)

        @compiled
        def errors(
            t: Float[Array, " unknowns"], x: MultiImage, y: MultiImage, counted: Float[Array, " batch"]
        ) -> Float[Array, " residuals"]:
            network = with_arrays(self._model, self.mixtures.traced(t))
            found = _flat(predict(network, x), keys, self.inside, counted)
            return (found - _flat(y, keys, self.inside, counted)) / size

        return errors


def _flat(
    image: MultiImage, keys: tuple[Key, ...], inside: Cut, counted: Float[Array, " batch"]
) -> Float[Array, " values"]:
    """The values at which errors count, as one row; zero for samples that do not count."""
    blocks = [image[key][(slice(None), slice(None), *inside)] for key in keys]
    rows = [jnp.where(counted.reshape(-1, *(1,) * (each.ndim - 1)) > 0, each, 0) for each in blocks]
    return jnp.concatenate([each.ravel() for each in rows])


def _squared(values: Array) -> float:
    found = np.asarray(values, np.float64)
    return float(found @ found)
