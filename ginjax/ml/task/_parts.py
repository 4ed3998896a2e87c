"""The parts of data: training, validation and test set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ginjax.data import (
    DataReading,
    MemorySource,
    Normalisation,
    Paths,
    Source,
    data_splits,
    measure_normalisation,
    split_trajectories,
)
from ginjax.errors import ArgumentError
from ginjax.ml.task._judged import Chosen
from ginjax.ml.task._simulated_task import FRAMES, HELD_OUT_OFFSET, TRAIN_TRAJECTORIES, simulate_in_memory
from ginjax.ml.task._window_task import WindowTask, make_window_task

HELD_OUT_SIMULATIONS = 8
"""Simulations that training holds out to measure the final error; it uses as many to validate on."""

Parts = Mapping[str, Chosen]
"""By name (`train`, `valid`, `test`), a source and the numbers of its trajectories (None: all)."""


@dataclass(frozen=True)
class TaskSettings:
    """How data become samples; all defaults are here.

    **Arguments:**

    - `past_steps`: frames of each field in an input.
    - `residual`: whether the change of a field is predicted instead of the field.
    - `valid`, `test`: fractions of the trajectories to validate on and to hold out, if the data have no parts.
    """

    past_steps: int = 1
    residual: bool = False
    valid: float = 0.1
    test: float = 0.1


def simulated_parts(
    pde: str,
    D: int,
    *,
    side: int | None = None,
    trajectories: int | None = None,
    frames: int = FRAMES,
    seed: int = 0,
    validate: bool = False,
    cover: int | None = None,
    planes: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Parts:
    """Simulate an equation to train on, and hold out further simulations with other seeds.

    **Arguments:**

    - `pde`, `D`, `side`, `seed`, `cover`, `planes`, `progress`: as in `ginjax.data.generate`.
    - `trajectories`: number of simulations to train on; by default `TRAIN_TRAJECTORIES` for the dimension.
    - `frames`: time steps in each simulation.
    - `validate`: whether to add a part to validate on.

    **Raises:** `ArgumentError` for a bad size, `NumericsError` if a simulation blows up.
    """
    count = TRAIN_TRAJECTORIES.get(D, 16) if trajectories is None else trajectories

    def made(count: int, offset: int, tell: Callable[[int, int], None] | None = None) -> Source:
        return MemorySource.of(
            simulate_in_memory(
                pde,
                D,
                trajectories=count,
                frames=frames,
                side=side,
                seed=seed + offset,
                cover=cover,
                planes=planes,
                progress=tell,
            )
        )

    parts: dict[str, Chosen] = {"train": (made(count, 0, progress), None)}
    if validate:
        parts["valid"] = made(HELD_OUT_SIMULATIONS, 2 * HELD_OUT_OFFSET), None
    parts["test"] = made(HELD_OUT_SIMULATIONS, HELD_OUT_OFFSET), None
    return parts


def file_parts(
    path: Paths,
    reading: DataReading | None = None,
    *,
    valid: float = TaskSettings.valid,
    test: float | None = None,
    seed: int = 0,
    tuning: bool = False,
) -> Parts:
    """Open the parts of data in files; if the data have no parts, split their trajectories at random.

    **Arguments:**

    - `path`: a file, several files, or a folder.
    - `reading`: what the files do not say.
    - `valid`, `test`, `seed`, `tuning`: for the split, see `source_parts`.

    **Raises:** `ArgumentError` if there is nothing to train on; as `ginjax.data.open_data`.
    """
    reading = reading or DataReading()
    parts = data_splits(path)
    if parts:
        if "train" not in parts:
            raise ArgumentError(
                "data to train on", got=f"{path}, which has {', '.join(parts)}", expected="a part 'train'"
            )
        found: Parts = {part: (reading.open(path, split=part), None) for part in parts}
        return with_validation(found, valid=valid, seed=seed) if tuning else found
    return source_parts(reading.open(path), valid=valid, test=test, seed=seed, tuning=tuning)


def with_validation(parts: Parts, *, valid: float = TaskSettings.valid, seed: int = 0) -> Parts:
    """Add a part `valid` if there is none, taken from a training part of two or more trajectories.

    A tuning is judged by this part.

    **Arguments:**

    - `parts`: parts with a part `train`.
    - `valid`, `seed`: as in `ginjax.data.split_trajectories`; with `valid=0` the parts stay as they are.
    """
    source, chosen = parts["train"]
    numbers = np.arange(source.trajectories) if chosen is None else np.asarray(chosen)
    if "valid" in parts or valid == 0 or len(numbers) < 2:
        return parts
    split = split_trajectories(len(numbers), valid=valid, test=0.0, seed=seed)
    return {**parts, "train": (source, numbers[split["train"]]), "valid": (source, numbers[split["valid"]])}


def source_parts(
    source: Source,
    *,
    valid: float = TaskSettings.valid,
    test: float | None = None,
    seed: int = 0,
    tuning: bool = False,
) -> Parts:
    """Split the trajectories of a source at random.

    **Arguments:**

    - `source`: the data.
    - `valid`, `seed`: as in `ginjax.data.split_trajectories`.
    - `test`: as in `ginjax.data.split_trajectories`; if None, 0.1, or 0 for a tuning that has too few trajectories.
    - `tuning`: whether a trained model is trained further, which is possible with few trajectories. Of two trajectories one
      is for validation and none for testing. A single trajectory is trained on, and its end can be held out, see `cut_parts`.

    **Raises:** as `ginjax.data.split_trajectories`.
    """
    if test is None:
        few = tuning and source.trajectories <= (2 if valid > 0 else 1)
        test = 0.0 if few else TaskSettings.test
    if tuning and test == 0 and source.trajectories == 1:
        return {"train": (source, range(1))}
    try:
        chosen = split_trajectories(source.trajectories, valid=valid, test=test, seed=seed)
    except ArgumentError as error:
        few = 1 if valid == 0 else 2
        if tuning and test > 0 and 1 <= source.trajectories <= few:
            raise ArgumentError(
                error.subject,
                got=error.got,
                expected=error.expected,
                hint="Going on from a model, `test=0` alone is enough; or use more trajectories.",
            ) from error
        raise
    return {part: (source, indices) for part, indices in chosen.items() if len(indices)}


def cut_parts(
    parts: Parts,
    *,
    past_steps: int = 1,
    residual: bool = False,
    unroll: int = 1,
    normalisation: Normalisation | None = None,
    judge: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> WindowTask:
    """Cut the parts of some data into samples.

    **Arguments:**

    - `parts`: from `simulated_parts` or `file_parts`.
    - `past_steps`, `residual`: as in `TaskSettings`.
    - `unroll`: number of successive predictions in the training loss.
    - `normalisation`: scales of a model that is trained further; scales that it lacks are measured on the training part.
    - `judge`: whether to make rollouts by which a tuning is judged, see `make_window_task`.
    - `progress`: called while the scales are measured, as `progress(done, total)` in frames.

    **Raises:** as `make_window_task`.
    """
    source, chosen = parts["train"]
    known = {} if normalisation is None else {scale.field.name: scale for scale in normalisation.everything}
    if (
        normalisation is None
        or not {each.name for each in (*source.schema, *source.constants)} <= known.keys()
    ):
        measured = measure_normalisation(source, trajectories=chosen, progress=progress)
        normalisation = measured.or_else(known)
    return make_window_task(
        parts["train"],
        parts.get("valid"),
        parts.get("test"),
        normalisation,
        past_steps=past_steps,
        unroll=unroll,
        residual=residual,
        judge=judge,
    )
