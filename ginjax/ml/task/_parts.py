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
"""Simulations that training holds out to measure the error in the end, and as many to validate on."""

Parts = Mapping[str, Chosen]
"""By name (`train`, `valid`, `test`) a source, and which of its trajectories (None: all)."""


@dataclass(frozen=True)
class TaskSettings:
    """How data become samples; every default stands here.

    **Arguments:**

    - `past_steps`: frames of each field in an input.
    - `residual`: whether the change of a field is predicted instead of the field.
    - `valid`, `test`: fractions of the trajectories to validate on and to hold out, where the data have no parts.
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
    """Simulations of an equation to train on, and others, of other seeds, that are held out.

    **Arguments:**

    - `pde`, `D`, `side`, `seed`, `cover`, `planes`, `progress`: as in `ginjax.data.generate`.
    - `trajectories`: to train on; default by dimension, see `TRAIN_TRAJECTORIES`.
    - `frames`: time steps in each.
    - `validate`: whether there is a part to validate on.

    **Raises:** `ArgumentError` for a bad size, `NumericsError` when a simulation blows up.
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
    """The parts that data in files have, else a random parting of their trajectories.

    **Arguments:**

    - `path`: a file, several, or a folder.
    - `reading`: what the files do not say.
    - `valid`, `test`, `seed`, `tuning`: of the parting, see `source_parts`.

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
    """The same with a part `valid`, taken from two trajectories or more to train on where there is none.

    A tuning needs one to be judged by.

    **Arguments:**

    - `parts`: with a part `train`.
    - `valid`, `seed`: as in `ginjax.data.split_trajectories`; with 0 the parts stay as they are.
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
    """A random parting of the trajectories of a source.

    **Arguments:**

    - `source`: the data.
    - `valid`, `seed`: as in `ginjax.data.split_trajectories`.
    - `test`: as there too; if None, 0.1, or 0 for a tuning whose trajectories are too few.
    - `tuning`: whether few trajectories do for going on from a trained model. Of two, one is validated on and none held
      out to test on; one alone is trained on, and its end can be held out, see `cut_parts`.

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
    """Samples of the parts of some data.

    **Arguments:**

    - `parts`: from `simulated_parts` or `file_parts`.
    - `past_steps`, `residual`: as in `TaskSettings`.
    - `unroll`: predictions in a row that the training loss looks at.
    - `normalisation`: of a model that goes on; what it does not know is measured on the training part.
    - `judge`: whether there are rollouts to judge a tuning by, see `make_window_task`.
    - `progress`: told of the measuring, `progress(done, total)` in frames.

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
