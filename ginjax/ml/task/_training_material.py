"""Data to train on, described before any are read or simulated, in the words that a model's history keeps."""

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

    - `contract`, `spatial`: what they are like.
    - `name`, `title`: what to call them, without and with the dimension.
    - `parts`: reads or simulates them, telling how far it is.
    - `said`: what to tell of them, sentence by sentence: how they were read, or which initial fields simulations have.
    - `about`: what the history of a model says of them once they are cut into samples; `training_task` reads it.
    - `judge`: whether a tuning chooses its weights by held-out frames; not where `valid=0` was asked for.
    - `has_parts`: whether files are parted already, so that no fractions of them are.
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
        """The same with the fields of a model only, in its order."""
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
    """Simulations of an equation.

    **Arguments:**

    - `pde`, `D`, `side`, `trajectories`, `frames`, `validate`, `seed`, `cover`, `planes`: as in `simulated_parts`.
    - `judge`: as in `TrainingMaterial`.
    - `needed`: frames of a sample.

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
        f"{pde} in {D}D",
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
    """Data in a file or a folder.

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
    """Where data lack a number that the model which is gone on from is told, say that it need not be told it any more.

    **Arguments:**

    - `start`: the contract of that model, if there is one.
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
    """Data that are a source already, such as those of `ginjax.data.from_arrays`.

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
    """The fraction that was held out to test on."""
    return (TaskSettings.test if "test" in parts else 0.0) if test is None else test


def material_of_parts(
    parts: Parts, name: str, *, judge: bool = True, about: Mapping[str, object] | None = None
) -> TrainingMaterial:
    """Data whose parts are known.

    **Arguments:**

    - `parts`: with a part `train`.
    - `name`: what to call them, without the dimension.
    - `judge`: as in `TrainingMaterial`.
    - `about`: for the history of the model: the fractions that they were parted by.

    **Raises:** `ArgumentError` without a part `train`, for a part that is unknown, or for parts that are not alike.
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
