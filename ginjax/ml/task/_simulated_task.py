"""The standard task: predict the next frame of a simulated equation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from jaxtyping import PyTree

from ginjax.checkpoint import DataContract
from ginjax.data import (
    MemorySource,
    Normalisation,
    Trajectories,
    find_pde,
    generate,
    measure_normalisation,
    one_step_pairs,
    simulate,
)
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage, Signature
from ginjax.ml.score import nrmse_loss
from ginjax.ml.task._next_frame import OneStepError, predict

TRAIN_TRAJECTORIES: Mapping[int, int] = {1: 256, 2: 48, 3: 16}
"""Number of training trajectories by dimension, unless given: each takes about a minute of work."""

FRAMES = 8
"""Time steps of a simulation, unless given."""

MAX_VALUES = 2**30
"""The most values that are simulated for a task (4 GiB in float32)."""

HELD_OUT_OFFSET = 1_000_003
"""Added to the seed for held-out fields, so that they never coincide with training fields."""


@dataclass(frozen=True)
class OneStepTask:
    """Normalised pairs of consecutive frames.

    **Arguments:**

    - `X`, `Y`: inputs and targets, blocks `(pairs, channels, *spatial, D, ..., D)`.
    - `trajectories`: the simulations that the pairs were cut from, in physical units.
    - `normalisation`: the scales that were applied; they belong to the model and stay the same in every dimension.
    """

    X: MultiImage
    Y: MultiImage
    trajectories: Trajectories
    normalisation: Normalisation

    @property
    def signature(self) -> Signature:
        """Keys and channels of the inputs."""
        return Signature(self.X.get_signature())

    @property
    def contract(self) -> DataContract:
        """The contract of a model that is trained on these pairs."""
        return replace(MemorySource.of(self.trajectories).contract, scales=self.normalisation.scales)


def make_task(
    pde: str,
    D: int,
    *,
    trajectories: int | None = None,
    frames: int = FRAMES,
    side: int | None = None,
    seed: int = 0,
    normalisation: Normalisation | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> OneStepTask:
    """Simulate an equation and cut out all pairs of consecutive frames.

    **Arguments:**

    - `pde`, `D`, `side`, `seed`, `progress`: as in `ginjax.data.generate`.
    - `trajectories`: number of simulations; default by dimension, see `TRAIN_TRAJECTORIES`.
    - `frames`: time steps in each simulation, which is also the number of pairs in it.
    - `normalisation`: scales of the model to be evaluated; if None, they are measured on these data.
    """
    count = TRAIN_TRAJECTORIES.get(D, 16) if trajectories is None else trajectories
    data = simulate_in_memory(
        pde, D, trajectories=count, frames=frames, side=side, seed=seed, progress=progress
    )
    normalisation = measure_normalisation(data) if normalisation is None else normalisation
    X, Y = (normalisation.apply(z) for z in one_step_pairs(data))
    return OneStepTask(X, Y, data, normalisation)


def simulate_in_memory(
    pde: str,
    D: int,
    *,
    trajectories: int,
    frames: int,
    side: int | None = None,
    seed: int = 0,
    cover: int | None = None,
    planes: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Trajectories:
    """Simulate an equation, unless the result would be too large for memory.

    **Arguments:**

    - `pde`, `D`, `trajectories`, `side`, `seed`, `cover`, `planes`, `progress`: as in `ginjax.data.generate`.
    - `frames`: time steps in each trajectory.

    **Raises:** `ArgumentError` for more than `MAX_VALUES` values.
    """
    components = find_pde(pde).components(D)
    described = simulate(pde, D, trajectories=trajectories, steps=frames, side=side, seed=seed, planes=planes)
    values = trajectories * (frames + 1) * components * math.prod(described.spatial)
    if values > MAX_VALUES:
        raise ArgumentError(
            "simulated data",
            got=f"{values} values",
            expected=f"at most {MAX_VALUES}",
            hint="Use fewer trajectories or frames, or a smaller grid.",
        )
    return generate(
        pde,
        D,
        trajectories=trajectories,
        steps=frames,
        side=side,
        seed=seed,
        cover=cover,
        planes=planes,
        progress=progress,
    )


def one_step_error(model: PyTree, task: OneStepTask, batch_size: int = 32) -> OneStepError:
    """Measure the error of a model on a task, and that of predicting no change.

    **Arguments:**

    - `model`: the network.
    - `task`: normalised pairs of frames.
    - `batch_size`: pairs evaluated at once.
    """
    total, samples = 0.0, task.X.get_L()
    for start in range(0, samples, batch_size):
        chosen = list(range(start, min(start + batch_size, samples)))
        x, y = task.X.get_subset(chosen), task.Y.get_subset(chosen)
        total += float(nrmse_loss(predict(model, x), y)) * len(chosen)
    return OneStepError(total / samples, float(nrmse_loss(task.X, task.Y)))
