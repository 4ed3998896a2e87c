"""A limit on the response of a converted network to short waves: those of a wave number of at least pi per grid point.

Samples of single steps contain almost nothing of such waves, so a fit leaves the response to them to chance. Rollouts apply the
network again and again, and blow up if this response is above one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Complex, Float, PyTree

from ginjax.checkpoint import ModelRecord
from ginjax.geometric import AnyArray, Key, MultiImage, compiled
from ginjax.ml.forecast import Forecaster, constant_states, short_waves
from ginjax.ml.transfer._differences import differences
from ginjax.ml.transfer._gauss_newton import Quadratic, Unknowns
from ginjax.ml.transfer._mixtures import Mixtures
from ginjax.models import from_record, with_arrays

SIDE = 4
"""Grid points along each axis: they hold the shortest waves, and those of half their wave number."""

LEAST = 0.95
"""The least limit: a step may always keep this fraction of short waves, even if the low-dimensional network damps them more."""

Responses = Complex[np.ndarray, "states waves inputs inputs"]
"""For each constant state and wave, the matrix by which a step multiplies a small wave."""


@dataclass(frozen=True)
class ShortWaveLimit:
    """A limit on the absolute eigenvalues of a network's linear response to short waves.

    **Arguments:**

    - `forecaster`: the network of the higher dimension; its filters must have the same response in every cell of the grid.
    - `most`: for each constant state, the largest absolute eigenvalue that is allowed.
    """

    forecaster: Forecaster
    most: Float[np.ndarray, " states"]

    @classmethod
    def of(cls, low: ModelRecord, high: ModelRecord) -> ShortWaveLimit | None:
        """Derive the limit for a conversion from the network before it.

        **Arguments:**

        - `low`, `high`: the model and its conversion.

        **Returns:** None for models that are not rolled out, because they were never trained or predict other fields than they
        see; and for networks that pool, because their response differs from cell to cell.
        """
        if not all(each.contract.scales and each.contract.targets is None for each in (low, high)):
            return None
        below, above = (Forecaster.of(from_record(each), each) for each in (low, high))
        if getattr(above.model, "grid_factor", 1) > 1:
            return None
        sizes = np.abs(np.linalg.eigvals(as_complex(compiled(lambda: responses(below, below.model))())))
        return cls(above, np.maximum(LEAST, sizes.max(axis=(1, 2))))

    def excess(self, found: Responses) -> Float[np.ndarray, " values"]:
        """Compute by how much each absolute eigenvalue exceeds the limit; zero for those that do not."""
        return np.maximum(0, np.abs(np.linalg.eigvals(found)) - self.most[:, None, None]).ravel()

    def slope(
        self, found: Responses, changes: Complex[np.ndarray, "states waves inputs inputs unknowns"]
    ) -> Float[np.ndarray, "values unknowns"]:
        """Compute the derivative of `excess` along changes of the responses."""
        values, right = np.linalg.eig(found)
        # Rows of the inverse are the left eigenvectors, scaled as first-order perturbation theory needs them.
        left = np.linalg.pinv(right)
        moved = np.einsum("swei,swijt,swje->swet", left, changes, right)
        sizes = np.abs(values)
        towards = (np.conj(values) / np.maximum(sizes, 1e-30))[..., None] * moved
        above = (sizes > self.most[:, None, None])[..., None]
        return np.where(above, towards.real, 0).reshape(-1, changes.shape[-1])


@dataclass(frozen=True)
class ShortWaveExcess:
    """The squared excess over a limit as a function of the mixture, and its Gauss-Newton model.

    **Arguments:**

    - `limit`: the limit on the responses.
    - `mixtures`: the networks.
    """

    limit: ShortWaveLimit
    mixtures: Mixtures

    def loss(self, t: Unknowns) -> float:
        """The squared excess, summed over all eigenvalues."""
        found = self.limit.excess(as_complex(self._responses(jnp.asarray(t, jnp.float32))))
        return float(found @ found)

    def quadratic(self, t: Unknowns) -> Quadratic:
        """`J^T J` and `J^T r` of the excess `r` and its derivative `J`."""
        found, changes = map(as_complex, differences(self._responses, t))
        r, J = self.limit.excess(found), self.limit.slope(found, changes)
        return J.T @ J, J.T @ r

    @cached_property
    def _responses(self) -> Callable[[Array], Array]:
        model = eqx.nn.inference_mode(from_record(self.mixtures.start.after))
        return compiled(
            lambda t: responses(self.limit.forecaster, with_arrays(model, self.mixtures.traced(t)))
        )


def responses(forecaster: Forecaster, model: PyTree) -> Float[Array, "parts states waves inputs inputs"]:
    """Compute the linear response of a step to short waves about constant states, as real and imaginary part.

    **Arguments:**

    - `forecaster`: provides the layout of inputs and predictions.
    - `model`: the network, whose arrays may be traced.
    """
    D, frames = forecaster.contract.D, forecaster.frames
    states = {key: jnp.asarray(block) for key, block in constant_states(forecaster.contract, SIDE).items()}
    moving = {key: block.shape[1] - frames.constants.get(key, 0) for key, block in states.items()}

    def step(blocks: Mapping[Key, Array]) -> dict[Key, Array]:
        x = MultiImage(dict(blocks), D, (True,) * D)
        after = frames.next_input(x, jax.vmap(lambda sample: model(sample)[0])(x))
        return {key: jnp.asarray(after[key]) for key in blocks}

    def packed(blocks: Mapping[Key, Array]) -> Array:
        """Pack the fields that change in time into an array `(states, inputs, *spatial)`."""
        parts = []
        for key in states:
            order, block = len(key[0]), blocks[key]
            inner = jnp.moveaxis(block[:, : moving[key]], range(2 + D, 2 + D + order), range(2, 2 + order))
            parts.append(inner.reshape(len(block), -1, *(SIDE,) * D))
        return jnp.concatenate(parts, 1)

    def unpacked(values: Array) -> dict[Key, Array]:
        blocks, begin = {}, 0
        for key, block in states.items():
            order, count = len(key[0]), moving[key]
            end = begin + count * D**order
            inner = values[:, begin:end].reshape(len(block), count, *(D,) * order, *(SIDE,) * D)
            inner = jnp.moveaxis(inner, range(2, 2 + order), range(2 + D, 2 + D + order))
            steady = jnp.zeros((len(block), block.shape[1] - count, *block.shape[2:]), block.dtype)
            blocks[key] = jnp.concatenate([inner, steady], 1)
            begin = end
        return blocks

    inputs = sum(count * D ** len(key[0]) for key, count in moving.items())
    count = len(next(iter(states.values())))
    impulses = (
        jnp.zeros((inputs, count, inputs, SIDE**D)).at[jnp.arange(inputs), :, jnp.arange(inputs), 0].set(1)
    )
    impulses = impulses.reshape(inputs, count, inputs, *(SIDE,) * D)
    answers = jax.vmap(lambda each: packed(jax.jvp(step, (states,), (unpacked(each),))[1]))(impulses)
    spectrum = jnp.fft.fftn(answers, axes=range(3, 3 + D))[..., short_waves(D, SIDE)]
    return jnp.stack([spectrum.real, spectrum.imag]).transpose(0, 2, 4, 3, 1)


def as_complex(parts: Float[AnyArray, "parts *rest"]) -> Complex[np.ndarray, "*rest"]:
    """Make a complex array from its real and imaginary part."""
    real, imaginary = np.asarray(parts, np.float64)
    return real + 1j * imaginary
