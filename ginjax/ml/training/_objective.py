"""The training objective: the loss of one prediction, or of several successive predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, PRNGKeyArray, PyTree

from ginjax.data import TileTarget
from ginjax.errors import ArgumentError
from ginjax.geometric import Key, MultiImage
from ginjax.ml.score import Loss, smse_loss
from ginjax.ml.task import Frames
from ginjax.ml.training._precision import Precision, in_precision
from ginjax.ml.training._remat import rematerialised
from ginjax.ml.training._update import over_batch


@dataclass(frozen=True)
class Objective:
    """The mean loss over `unroll` predictions, each made from those before it; it is a `map_and_loss`.

    **Arguments:**

    - `loss`: `(prediction, target) -> scalar` for one step, both batched.
    - `unroll`: number of predictions; targets hold as many frames of each field (time varies fastest).
    - `frames`: the layout of inputs and predictions.
    - `remat`: compute the inside of blocks twice instead of keeping it, see `rematerialised`.
    - `precision`: precision of the activations, see `in_precision`.
    """

    loss: Loss = smse_loss
    unroll: int = 1
    frames: Frames = field(default_factory=Frames)
    remat: bool = False
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        if self.unroll < 1:
            raise ArgumentError("unroll", got=self.unroll, expected="at least 1")

    def __call__(
        self, model: PyTree, x: MultiImage, y: MultiImage | TileTarget, aux_data: PyTree
    ) -> tuple[Float[Array, ""], PyTree]:
        """Compute the loss of a batch, blocks `(batch, channels, *spatial, D, ..., D)`, and the new `aux_data`.

        For crops, only the tiles count. Predictions around them only serve as input of later predictions.
        """
        network = in_precision(model, self.precision)
        if self.remat:
            network = rematerialised(network)
        apply = over_batch(network)
        total: Float[Array, ""] | float = 0.0
        for step in range(self.unroll):
            prediction, aux_data = apply(x, aux_data)
            compared, target = (
                (y.within(prediction), y.image) if isinstance(y, TileTarget) else (prediction, y)
            )
            total = total + self.loss(compared, self._frame(target, step))
            if step + 1 < self.unroll:
                x = self.frames.next_input(x, prediction)
        return jnp.asarray(total / self.unroll), aux_data

    def _frame(self, y: MultiImage, step: int) -> MultiImage:
        """Take frame `step` of every field from a target."""
        if self.unroll == 1:
            return y
        return MultiImage({key: block[:, step :: self.unroll] for key, block in y.items()}, y.D, y.is_torus)


@dataclass(frozen=True)
class Noise:
    """White noise on the inputs, so that a network learns to correct its own errors.

    Every component gets an independent value, so no symmetry of the grid is preferred. Constant channels stay clean.

    **Arguments:**

    - `size`: standard deviation in units of the normalised fields.
    - `constants`: number of constant channels of the inputs, by key.
    """

    size: float
    constants: Mapping[Key, int] = field(default_factory=dict)

    def __call__(self, x: MultiImage, key: PRNGKeyArray) -> MultiImage:
        blocks = {}
        for name, own in zip(x, jax.random.split(key, len(x)), strict=True):
            block = x[name]
            moving = block.shape[1] - self.constants.get(name, 0)
            noise = self.size * jax.random.normal(own, (len(block), moving, *block.shape[2:]), block.dtype)
            blocks[name] = block.at[:, :moving].add(noise)
        return MultiImage(blocks, x.D, x.is_torus)
