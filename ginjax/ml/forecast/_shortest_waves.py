"""How a network amplifies the shortest waves of a grid, which decides whether rollouts blow up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Shaped

from ginjax.checkpoint import DataContract, ModelRecord
from ginjax.geometric import AnyArray, Key, MultiImage
from ginjax.ml.forecast._forecaster import Forecaster
from ginjax.models import from_record
from ginjax.transfer import RULES

SUSPICIOUS = 1.3
"""Growth in a step, relative to that of the network before or to 1, from which rollouts of converted networks got worse."""

SIDE = 8
"""Grid points along each axis: with fewer there are hardly any waves shorter than the Nyquist wave of an axis."""

_LEVELS = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""Constant states of scalars, in standard deviations; vectors are uniform along the first axis, half as strong."""

_SMALL = 1e-2
_STEPS, _SETTLED = 12, 4


@dataclass(frozen=True)
class ShortestWaves:
    """How much one step amplifies the shortest waves, in a network and in its conversion; see `shortest_waves`.

    **Arguments:**

    - `low`, `high`: the largest factor by which a step multiplies these waves, in the lower and in the higher dimension.
    - `low_dim`, `high_dim`: the dimensions.
    - `rule`: the rule by which the higher network was made; None if it is not known.
    """

    low: float
    high: float
    low_dim: int
    high_dim: int
    rule: str | None = None

    @property
    def excess(self) -> float:
        """The growth in the higher dimension divided by that in the lower one, or by 1 if the lower network damps the waves."""
        return self.high / max(1.0, self.low)

    @property
    def warning(self) -> str:
        """A warning if rollouts of the converted network are in danger; empty if they are not."""
        if self.excess < SUSPICIOUS:
            return ""
        return (
            f"the shortest waves of the grid grow by {self.high:.2g} times in a step of the {self.high_dim}D network, "
            f"{self.low:.2g} times in {self.low_dim}D: rollouts of many steps are likely to blow up. {self._remedy}"
        )

    @property
    def _remedy(self) -> str:
        """Advice that may help; it leaves out what was done already and what such a network does not allow."""
        if self.low >= SUSPICIOUS:
            return f"They grow in {self.low_dim}D already: train that network with `noise` or `unroll`, and convert it then"
        rule = RULES.get(self.rule) if self.rule is not None else None
        if rule is None or rule.is_plain or self.rule == "isotropic":
            return "Train on with `noise` or `unroll`"
        return "Convert by another rule, such as 'isotropic', or train on with `noise` or `unroll`"


def shortest_waves(low: ModelRecord, high: ModelRecord) -> ShortestWaves | None:
    """Compare how a network and its conversion amplify the shortest waves on their grids.

    The network is linearised about constant states. Of a small perturbation only waves with a wave number of at least pi per
    grid point are kept: the Nyquist wave of an axis and all shorter waves. Under repeated steps their growth factor approaches
    the largest eigenvalue. In one dimension there is only the Nyquist wave. No data are needed.

    **Arguments:**

    - `low`, `high`: the models of the lower and of the higher dimension.

    **Returns:** None for models that cannot be rolled out: they were never trained, or predict other fields than they see.
    """
    if not all(each.contract.scales and each.contract.targets is None for each in (low, high)):
        return None
    grown = [growth_of_shortest(Forecaster.of(from_record(each), each)) for each in (low, high)]
    rule = None if high.certificate is None else high.certificate.rule
    return ShortestWaves(grown[0], grown[1], low.D, high.D, rule)


def growth_of_shortest(forecaster: Forecaster) -> float:
    """Estimate the largest factor by which a step multiplies waves with a wave number of at least pi per grid point.

    **Arguments:**

    - `forecaster`: the network; its axes are taken to be periodic.
    """
    D = forecaster.contract.D
    factor = getattr(forecaster.model, "grid_factor", 1)
    side = -(-SIDE // factor) * factor
    states = constant_states(forecaster.contract, side)
    short = short_waves(D, side)
    wave = _noise(states, short, forecaster.frames.constants)
    after = _next(forecaster, states)
    sizes = []
    for _ in range(_STEPS):
        moved = {key: block + _SMALL * wave[key] for key, block in states.items()}
        found = _next(forecaster, moved)
        wave = {key: _kept((found[key] - after[key]) / _SMALL, short, D) for key in states}
        size = _size(wave)
        sizes.append(size)
        wave = {key: _over(block, size) for key, block in wave.items()}
    # The geometric mean of the last factors, because with a complex pair of eigenvalues single factors oscillate.
    settled = np.prod(np.stack(sizes[-_SETTLED:]), axis=0) ** (1 / _SETTLED)
    return float(np.max(settled))


Blocks = Mapping[Key, Shaped[np.ndarray, "..."]]
"""By key, blocks `(batch, channels, *spatial, D, ..., D)`."""


def constant_states(contract: DataContract, side: int) -> Blocks:
    """Make constant normalised inputs of a network, one state per sample.

    **Arguments:**

    - `contract`: of the network.
    - `side`: grid points along each axis.
    """
    levels, D = np.array(_LEVELS, np.float32), contract.D
    blocks = {}
    for key, channels in _channels(contract).items():
        k = len(key[0])
        block = np.zeros((len(levels), channels, *(side,) * D, *(D,) * k), np.float32)
        if k == 0:
            block += levels.reshape(-1, *(1,) * (block.ndim - 1))
        if k == 1:
            block[..., 0] += levels.reshape(-1, *(1,) * (block.ndim - 2)) / 2
        blocks[key] = block
    return blocks


def _channels(contract: DataContract) -> dict[Key, int]:
    counts: dict[Key, int] = {}
    for each in contract.fields:
        counts[each.key] = counts.get(each.key, 0) + contract.past_steps
    for each in contract.constants:
        counts[each.key] = counts.get(each.key, 0) + 1
    return counts


def short_waves(D: int, side: int) -> Bool[np.ndarray, "*spatial"]:
    """Which waves of a periodic grid have a wave number of at least pi per grid point."""
    k = 2 * np.pi * np.fft.fftfreq(side)
    return sum(np.square(each) for each in np.meshgrid(*[k] * D, indexing="ij")) >= np.pi**2 - 1e-6  # pyright: ignore[reportReturnType]


def _noise(states: Blocks, short: Bool[np.ndarray, "*spatial"], constants: Mapping[Key, int]) -> Blocks:
    """Random short waves in all fields that change in time, the same for every state."""
    random = np.random.default_rng(0)
    wave = {}
    for key, block in states.items():
        noise = np.broadcast_to(random.normal(size=block.shape[1:]), block.shape).copy()
        noise[:, noise.shape[1] - constants.get(key, 0) :] = 0
        wave[key] = _kept(noise, short, short.ndim)
    size = _size(wave)
    return {key: _over(block, size) for key, block in wave.items()}


def _kept(block: AnyArray, short: Bool[np.ndarray, "*spatial"], D: int) -> Float[np.ndarray, "..."]:
    axes = tuple(range(2, 2 + D))
    spectrum = np.fft.fftn(np.asarray(block, np.float64), axes=axes)
    mask = short.reshape(*short.shape, *(1,) * (spectrum.ndim - 2 - D))
    return np.fft.ifftn(spectrum * mask, axes=axes).real


def _size(wave: Blocks) -> Float[np.ndarray, " batch"]:
    """The Euclidean norm over all fields, for each state."""
    return np.sqrt(sum(np.square(block).reshape(len(block), -1).sum(1) for block in wave.values()))


def _over(block: Float[np.ndarray, "..."], size: Float[np.ndarray, " batch"]) -> Float[np.ndarray, "..."]:
    return block / np.maximum(size, 1e-30).reshape(-1, *(1,) * (block.ndim - 1))


def _next(forecaster: Forecaster, blocks: Blocks) -> dict[Key, Float[np.ndarray, "..."]]:
    """The input of the next step."""
    D = forecaster.contract.D
    x = MultiImage({key: jnp.asarray(block, jnp.float32) for key, block in blocks.items()}, D, (True,) * D)
    return {key: np.asarray(block, np.float64) for key, block in forecaster.step(x)[1].items()}
