"""Simulations for one case and one seed: to train on in both dimensions, and to measure on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import jax.numpy as jnp
from jaxtyping import PyTree

from ginjax.checkpoint import DataContract
from ginjax.data import (
    MemorySource,
    Normalisation,
    Trajectories,
    generate,
    measure_normalisation,
    one_step_pairs,
)
from ginjax.geometric import MultiImage, Signature
from ginjax.ml import FOLDS, HELD_OUT_OFFSET
from transferbench._cells import Case
from transferbench._clock import after_compiling
from transferbench._settings import Settings, kind

PLANES = "both"
"""The planes that networks are tuned on, as `data generate --planes` names them."""


@dataclass(frozen=True)
class Pairs:
    """Normalised pairs of consecutive frames, trajectory after trajectory, `frames` each.

    **Arguments:**

    - `X`, `Y`: blocks `(pairs, channels, *spatial, D, ..., D)`.
    """

    X: MultiImage
    Y: MultiImage
    frames: int

    @classmethod
    def of(cls, data: Trajectories, normalisation: Normalisation) -> Pairs:
        X, Y = (normalisation.apply(image) for image in one_step_pairs(data))
        return cls(X, Y, data.frames - 1)

    def rollouts(self, first: int, steps: int) -> tuple[PyTree, PyTree]:
        """Frame `first` of every trajectory, and the `steps` frames after it, time in front."""
        count = self.X.get_L() // self.frames

        def by_trajectory(image: MultiImage) -> dict:
            return {key: block.reshape(count, self.frames, *block.shape[1:]) for key, block in image.items()}

        def made(blocks: Mapping) -> MultiImage:
            return MultiImage(blocks, self.X.D, self.X.is_torus)

        start = made({key: block[:, first] for key, block in by_trajectory(self.X).items()})
        ahead = slice(first, first + steps)
        truth = {key: jnp.moveaxis(block[:, ahead], 1, 0) for key, block in by_trajectory(self.Y).items()}
        return start, made(truth)


@dataclass(frozen=True)
class CaseData:
    """All data of a case for one seed; what is not asked for is not simulated.

    **Arguments:**

    - `first_seed`: of the fold and of the seed in it, from which everything random follows.
    - `most`: trajectories of the high dimension that are trained on at most.
    - `cover`: whether low-dimensional fields are drawn as `train --cover` does.
    """

    case: Case
    settings: Settings
    first_seed: int
    most: int
    cover: bool

    def _simulated(
        self, D: int, count: int, steps: int, side: int, seed: int, planes: str | None = None
    ) -> Trajectories:
        low = self.case.high > D or planes is not None
        cover = self.case.high if self.cover and low else None
        return generate(
            self.case.pde,
            D,
            trajectories=count,
            steps=steps,
            side=side,
            seed=seed,
            cover=cover,
            planes=planes,
        )

    def low_trajectories(self, small: bool, seed: int) -> Trajectories:
        """Simulations of the low dimension; `small` domains are as long as those of the high one, and more of them."""
        settings, low = self.settings, self.case.low
        side, count = settings.low_sides[str(low)], settings.low_trajectories[str(low)]
        if small:
            new_side = min(side, settings.high_sides[str(self.case.high)])
            side, count = new_side, round(count * (side / new_side) ** low)
        return self._simulated(low, count, settings.frames, side, seed)

    @cached_property
    def _low(self) -> tuple[Trajectories, float]:
        return after_compiling(lambda: self.low_trajectories(False, self.first_seed))

    @cached_property
    def _low_small(self) -> tuple[Trajectories, float]:
        return after_compiling(lambda: self.low_trajectories(True, self.first_seed))

    @cached_property
    def normalisation(self) -> Normalisation:
        """Measured on the low-dimensional fields, and used for every network and dimension."""
        return measure_normalisation(self._low[0])

    @cached_property
    def contract(self) -> DataContract:
        """Of a network trained on them."""
        return replace(MemorySource.of(self._low[0]).contract, scales=self.normalisation.scales)

    def low(self, small: bool) -> tuple[Pairs, float]:
        """To train on in the low dimension, and the seconds that the simulations took."""
        data, seconds = self._low_small if small else self._low
        return Pairs.of(data, self.normalisation), seconds

    def low_validation(self, small: bool) -> Pairs:
        """To choose rates in the low dimension."""
        held_out = self.low_trajectories(small, FOLDS["validation"] + HELD_OUT_OFFSET)
        return Pairs.of(held_out, self.normalisation)

    @cached_property
    def signature(self) -> Signature:
        return Signature(self.low(False)[0].X.get_signature())

    @cached_property
    def _pool(self) -> tuple[Trajectories, float]:
        return after_compiling(lambda: self._high(self.most, self.settings.frames, self.first_seed))

    @cached_property
    def pool(self) -> Pairs:
        """To train on in the high dimension; the first `n` trajectories are those of `n` samples."""
        return Pairs.of(self._pool[0], self.normalisation)

    def samples(self, count: int) -> Trajectories:
        """The first trajectories of the pool, in physical units."""
        return self._pool[0] if count == self.most else self._pool[0].split(count)[0]

    def high_seconds(self, samples: int) -> float:
        """Seconds of simulating so many of the pool."""
        return self._pool[1] * samples / self.most if samples else 0.0

    @cached_property
    def _planes(self) -> tuple[Trajectories, float]:
        count, steps = self.settings.low_trajectories[str(self.case.low)], self.settings.frames
        return after_compiling(lambda: self._in_planes(count, steps, self.first_seed))

    @cached_property
    def planes(self) -> tuple[Pairs, float]:
        """Fields of the high dimension that vary in a plane only, and the seconds of their simulation in the low one."""
        data, seconds = self._planes
        return Pairs.of(data, self.normalisation), seconds

    @cached_property
    def planes_validation(self) -> tuple[PyTree, PyTree]:
        """As `validation`, of such fields."""
        return self._early_and_late(self._in_planes)

    def _in_planes(self, count: int, steps: int, seed: int) -> Trajectories:
        side = self.settings.high_sides[str(self.case.high)]
        return self._simulated(self.case.high, count, steps, side, seed, PLANES)

    @cached_property
    def validation(self) -> tuple[PyTree, PyTree]:
        """Rollouts of the validation fold, one half from the first frame and one from later on."""
        return self._early_and_late(self._high)

    def _early_and_late(self, simulated: Callable[[int, int, int], Trajectories]) -> tuple[PyTree, PyTree]:
        settings = self.settings
        seed = FOLDS["validation"] + HELD_OUT_OFFSET
        made = simulated(settings.validation, settings.frames + settings.ahead, seed)
        pairs = Pairs.of(made, self.normalisation)
        early, late = (pairs.rollouts(first, settings.ahead) for first in (0, settings.frames))
        half = settings.validation // 2
        return _joined(early[0], late[0], half, axis=0), _joined(early[1], late[1], half, axis=1)

    @cached_property
    def test(self) -> tuple[PyTree, PyTree]:
        """Rollouts of the test fold, from the first frame."""
        settings = self.settings
        steps = max(settings.horizons)
        seed = FOLDS["test"] + HELD_OUT_OFFSET
        made = self._high(settings.test[kind(self.case.scalar)], steps, seed)
        return Pairs.of(made, self.normalisation).rollouts(0, steps)

    def _high(self, count: int, steps: int, seed: int) -> Trajectories:
        side = self.settings.high_sides[str(self.case.high)]
        return self._simulated(self.case.high, count, steps, side, seed)


def _joined(early: MultiImage, late: MultiImage, half: int, axis: int) -> MultiImage:
    """The first `half` trajectories of one image and the others of another."""
    blocks = {
        key: jnp.concatenate(
            [
                jnp.take(block, jnp.arange(half), axis),
                jnp.take(late[key], jnp.arange(half, block.shape[axis]), axis),
            ],
            axis,
        )
        for key, block in early.items()
    }
    return MultiImage(blocks, early.D, early.is_torus)
