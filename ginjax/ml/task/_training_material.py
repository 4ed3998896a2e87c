"""Descriptions of data to train on, made before the data are read or simulated; a model's history keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ginjax.checkpoint import DataContract, check_contract
from ginjax.data import DEFAULT_SIDES, DataReading, Source, data_splits, select_fields, simulate
from ginjax.data.sources import MissingCondition
from ginjax.errors import ArgumentError
from ginjax.ml.task._parts import Parts, TaskSettings, file_parts, simulated_parts, source_parts
from ginjax.ml.task._simulated_task import FRAMES, TRAIN_TRAJECTORIES
from ginjax.ml.task._window_task import WindowTask

Told = Callable[[int, int], None]
"""`progress(done, total)`."""


@dataclass(frozen=True)
class TrainingMaterial:
    """Data to train on.

    **Arguments:**

    - `contract`, `spatial`: contract and grid of the data.
    - `name`, `title`: names of the data, without and with the dimension.
    - `parts`: reads or simulates the data, and reports progress.
    - `said`: sentences about the data for the user: how they were read, or which initial fields simulations have.
    - `about`: given the samples, returns what the history of a model says about the data; `training_task` reads it.
    - `judge`: whether a tuning chooses its weights by held-out frames; False if `valid=0` was asked for.
    - `has_parts`: whether the files have parts already, so that `valid` and `test` are not used to split them.
    """

    contract: DataContract
    spatial: tuple[int, ...]
    name: str
    title: str
    parts: Callable[[Told | None], Parts]
    about: Callable[[WindowTask], dict[str, object]]
    said: tuple[str, ...] = ()
    judge: bool = True
    has_parts: bool = False

    def of_fields(self, contract: DataContract) -> TrainingMaterial:
        """Keep only the fields of a model, in its order."""
        if not contract.fields:
            return self

        def selected(progress: Told | None) -> Parts:
            return {
                name: (select_fields(source, contract.fields, contract.constants), chosen)
                for name, (source, chosen) in self.parts(progress).items()
            }

        return replace(self, parts=selected)


def simulated_material(
    pde: str,
    D: int,
    *,
    side: int | None = None,
    trajectories: int | None = None,
    frames: int = FRAMES,
    validate: bool = False,
    judge: bool = True,
    seed: int = 0,
    cover: int | None = None,
    planes: str | None = None,
    needed: int = 2,
) -> TrainingMaterial:
    """Describe simulations of an equation as training data.

    **Arguments:**

    - `pde`, `D`, `side`, `trajectories`, `frames`, `validate`, `seed`, `cover`, `planes`: as in `simulated_parts`.
    - `judge`: as in `TrainingMaterial`.
    - `needed`: number of frames in a sample.

    **Raises:** `ArgumentError` for a bad size.
    """
    if frames + 1 < needed:
        raise ArgumentError(
            "`frames`", got=frames, expected=f"at least {needed - 1} for `past_steps` and `unroll`"
        )
    count = trajectories or TRAIN_TRAJECTORIES.get(D, 16)
    described = simulate(
        pde, D, trajectories=count, steps=frames, side=side, seed=seed, cover=cover, planes=planes
    )
    sides = DEFAULT_SIDES[D] if side is None else side

    def parts(progress: Told | None) -> Parts:
        return simulated_parts(
            pde,
            D,
            side=sides,
            trajectories=count,
            frames=frames,
            seed=seed,
            validate=validate,
            cover=cover,
            planes=planes,
            progress=progress,
        )

    about: dict[str, object] = {"equation": pde, "dim": D, "size": sides}
    about |= {"trajectories": count, "frames": frames}
    about |= {name: each for name, each in (("cover", cover), ("planes", planes)) if each is not None}
    return TrainingMaterial(
        described.contract,
        described.spatial,
        pde,
        f"{pde} in {D}D" + ("" if planes is None else f", in planes ({planes})"),
        parts,
        lambda task: about,
        described.notes,
        judge,
    )


def material_in_files(
    path: Path,
    reading: DataReading,
    *,
    valid: float = TaskSettings.valid,
    test: float | None = None,
    seed: int = 0,
    tuning: bool = False,
) -> TrainingMaterial:
    """Describe data in a file or a folder as training data.

    **Arguments:**

    - `path`, `reading`, `valid`, `test`, `seed`, `tuning`: as in `file_parts`.

    **Raises:** as `file_parts`.
    """
    with told_or_dropped(reading.like):
        parts = file_parts(path, reading, valid=valid, test=test, seed=seed, tuning=tuning)
    about = {"valid": valid, "test": _fraction(parts, test)}
    material = material_of_parts(parts, path.name, judge=valid != 0, about=about)
    return replace(material, has_parts=bool(data_splits(path)))


@contextmanager
def told_or_dropped(start: DataContract | None) -> Iterator[None]:
    """If data lack a condition that is an input of the initial model, add a hint that the model can drop this input.

    **Arguments:**

    - `start`: the contract of the initial model, if there is one.
    """
    try:
        yield
    except MissingCondition as error:
        if start is not None and error.condition in start.told:
            error.hint = (
                f"{error.hint} Or `drop_fields=['{error.condition}']`: the network is not told it any more."
            )
        raise


def material_of_source(
    source: Source,
    *,
    valid: float = TaskSettings.valid,
    test: float | None = None,
    seed: int = 0,
    tuning: bool = False,
) -> TrainingMaterial:
    """Describe a source as training data, such as a source from `ginjax.data.from_arrays`.

    **Arguments:**

    - `source`: the data.
    - `valid`, `test`, `seed`, `tuning`: as in `source_parts`.

    **Raises:** as `source_parts`.
    """
    known = source_parts(source, valid=valid, test=test, seed=seed, tuning=tuning)
    about = {"valid": valid, "test": _fraction(known, test)}
    material = material_of_parts(known, source.name, judge=valid != 0, about=about)

    def parts(progress: Told | None) -> Parts:
        held = source.at_hand(progress)
        return {name: (held, chosen) for name, (_, chosen) in known.items()}

    return replace(material, parts=parts)


def _fraction(parts: Parts, test: float | None) -> float:
    """Find the fraction that was held out to test on."""
    return (TaskSettings.test if "test" in parts else 0.0) if test is None else test


def material_of_parts(
    parts: Parts, name: str, *, judge: bool = True, about: Mapping[str, object] | None = None
) -> TrainingMaterial:
    """Describe data with known parts as training data.

    **Arguments:**

    - `parts`: parts with a part `train`.
    - `name`: name of the data, without the dimension.
    - `judge`: as in `TrainingMaterial`.
    - `about`: the fractions of the split, for the history of the model.

    **Raises:** `ArgumentError` without a part `train`, for an unknown part, or for parts with different contracts.
    """
    wrong = sorted(set(parts) - {"train", "valid", "test"})
    if wrong or "train" not in parts:
        raise ArgumentError(
            "parts of the data",
            got=", ".join(parts) or "none",
            expected="'train', and perhaps 'valid' and 'test'",
        )
    source = parts["train"][0]
    for part, (other, _) in parts.items():
        try:
            check_contract(source.contract, other.contract)
        except ArgumentError as error:
            raise ArgumentError(
                f"part '{part}' of the data: {error.subject}", got=error.got, expected=error.expected
            ) from error

    def told(task: WindowTask) -> dict[str, object]:
        count = len(task.train.trajectories)
        shape = {"dim": source.D, "size": list(source.spatial), "trajectories": count}
        return {"data": name, **shape, **(about or {})}

    title = f"{name}, {source.D}D"
    said = (*source.in_words, *source.notes)
    return TrainingMaterial(
        source.contract,
        source.spatial,
        name,
        title,
        lambda progress: parts,
        told,
        said,
        judge,
    )
