"""Find data that a model was not trained on, recognised by their content and not by the name of a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ginjax.checkpoint import DataContract, ModelRecord, check_contract
from ginjax.data import (
    PDES,
    DataReading,
    MemorySource,
    Source,
    data_splits,
    find_pde,
    is_pairs,
    pairs_as_source,
    read_pairs,
    simulate,
)
from ginjax.errors import ArgumentError
from ginjax.ml.task._simulated_task import HELD_OUT_OFFSET, simulate_in_memory
from ginjax.ml.task._training_data import KnownParts, default_parts, parts_of_training

EVALUATED_STEPS = 16
EVALUATED_TRAJECTORIES = 16
"""Number of steps, and number of simulations, on which a model is evaluated."""


@dataclass(frozen=True)
class HeldOut:
    """Trajectories to evaluate on.

    **Arguments:**

    - `source`: the data.
    - `trajectories`: numbers of the trajectories to use.
    - `name`: name of the data.
    - `note`: what the user should know about the choice, or None.
    """

    source: Source
    trajectories: Sequence[int]
    name: str
    note: str | None = None


def simulated_held_out(
    contract: DataContract,
    *,
    pde: str | None = None,
    side: int | None = None,
    trajectories: int | None = None,
    steps: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> HeldOut:
    """Run simulations that no training with the same seed has seen.

    **Arguments:**

    - `contract`: contract of the model, in the dimension to simulate in.
    - `pde`: the equation; if None, that of the training.
    - `side`, `seed`, `progress`: as in `ginjax.data.generate`.
    - `trajectories`: number of simulations, by default `EVALUATED_TRAJECTORIES`.
    - `steps`: predictions in each of them, by default `EVALUATED_STEPS`.

    **Raises:** `ArgumentError` if the simulations do not fit the model.
    """
    trained_on = contract.origin.get("equation")
    pde = trained_on if pde is None and isinstance(trained_on, str) else pde
    if pde is None or pde not in PDES:
        raise ArgumentError(
            "data to evaluate on",
            got="none, and a model that was not trained on simulations",
            expected="data, or the name of an equation (`pde`)",
        )
    _check_equation(contract, pde)
    count, frames = (
        trajectories or EVALUATED_TRAJECTORIES,
        contract.past_steps - 1 + (steps or EVALUATED_STEPS),
    )
    # Raise errors before anything is simulated.
    described = simulate(pde, contract.D, trajectories=count, steps=frames, side=side, seed=seed)
    check_contract(contract, described.contract)
    made = simulate_in_memory(
        pde,
        contract.D,
        trajectories=count,
        frames=frames,
        side=side,
        seed=seed + HELD_OUT_OFFSET,
        progress=progress,
    )
    return HeldOut(MemorySource.of(made), range(count), f"{pde} in {contract.D}D")


def held_out_in_files(
    record: ModelRecord,
    contract: DataContract,
    path: Path,
    reading: DataReading,
    *,
    split: str | None = None,
    count: int | None = None,
    default: str = "test",
) -> HeldOut:
    """Choose trajectories in files to evaluate on: one part of the files or of the training, or else everything.

    Data that the model was trained on are recognised by their digest, see `ginjax.data.source_digest`.

    **Arguments:**

    - `record`: the model.
    - `contract`: contract of the model, in the dimension of the data.
    - `path`: a file or a folder; or a file of pairs, for which `reading` and `split` must not be given.
    - `split`: the part to use; if None, `default`, provided that the data or the training have parts.
    - `count`: the most trajectories to use.

    **Raises:** `ArgumentError` if there is no such part; as `ginjax.data.open_data`.
    """
    name, reading = f"{path.name}, {contract.D}D", reading.for_model(contract)
    if is_pairs(path):
        return _pairs(contract, path, name, reading, split, count)
    parts = data_splits(path)
    if parts:
        part = split or default
        if part not in parts:
            raise ArgumentError(
                "part of the data" if split is None else "`split`",
                got=part,
                expected="one of " + ", ".join(parts),
                hint=f"Name one that is there: `split={parts[0]!r}`." if split is None else None,
            )
        source = reading.open(path, split=part)
        name = f"{name}, part '{part}'"
        known = parts_of_training(record, source)
        if split is not None or part != "test" or not {"train", "valid"} & set(known.parts):
            return HeldOut(source, range(source.trajectories)[:count], name)
        return HeldOut(source, _chosen(known, part, None)[:count], name, known.in_words(part))
    source = reading.open(path)
    return held_out_in_source(record, source, split=split, count=count, default=default, name=path.name)


def held_out_in_source(
    record: ModelRecord,
    source: Source,
    *,
    split: str | None = None,
    count: int | None = None,
    default: str = "test",
    name: str | None = None,
) -> HeldOut:
    """Choose trajectories of data without parts of their own: a part of the model's training, or else everything.

    **Arguments:**

    - `record`, `split`, `count`, `default`: as in `held_out_in_files`.
    - `source`: the data.
    - `name`: name of their file; models of earlier versions recognise their data only by this name.

    **Raises:** `ArgumentError` if there is no such part.
    """
    called = f"{name or source.name}, {source.D}D"
    known = parts_of_training(record, source, name)
    if not known.parts and split is None:
        everything = range(source.trajectories)[:count]
        return HeldOut(source, everything, called, known.note if default == "test" else None)
    if not known.parts:
        known = default_parts(source)
    part = split or default
    chosen = _chosen(known, part, split)[:count]
    return HeldOut(source, chosen, f"{called}, part '{part}'", known.in_words(part))


def _chosen(known: KnownParts, part: str, split: str | None) -> list[int]:
    """Return the trajectories of a part of known data.

    **Raises:** `ArgumentError` if there are none.
    """
    chosen = list(known.held_out(part))
    if not chosen:
        why = f"the model's training used these data for {' and '.join(known.parts)} alone"
        if part == "test":
            why = "no trajectory of these data was held out from the model's training"
        raise ArgumentError(
            "part of the data" if split is None else "`split`",
            got=f"{part}: {why}",
            expected=" or ".join(known.parts),
            hint=f"Add `split={next(iter(known.parts))!r}`, knowing that the model has seen these data; or use others."
            if split is None
            else None,
        )
    return chosen


def data_dimension(path: Path, reading: DataReading) -> int:
    """Find the dimension of data in a file, a folder, or a file of pairs."""
    # All parts have the same dimension, so it does not matter which one is opened.
    return read_pairs(path)[0].D if is_pairs(path) else reading.open(path).D


def _check_equation(contract: DataContract, pde: str) -> None:
    """Check that an equation has the fields of a model."""
    have = find_pde(pde).fields
    wanted = (*contract.fields, *contract.constants)
    if not {(each.name, each.key) for each in wanted} <= {(each.name, each.key) for each in have}:
        raise ArgumentError(
            "`pde`",
            got=f"{pde}, whose fields are {', '.join(each.kind for each in have)}",
            expected=f"an equation with the fields of the model, {', '.join(each.kind for each in wanted)}",
        )


def _pairs(
    contract: DataContract,
    path: Path,
    name: str,
    reading: DataReading,
    split: str | None,
    count: int | None,
) -> HeldOut:
    given = (*reading.given, *(("split",) if split else ()))
    if given:
        raise ArgumentError(
            f"`{given[0]}`", got=f"{path}, a file of pairs", expected="a file of trajectories"
        )
    X, Y = read_pairs(path)
    if X.D != contract.D:
        raise ArgumentError("dimension of the data", got=X.D, expected=contract.D)
    source = pairs_as_source(X, Y, contract.fields, contract.constants, contract.past_steps)
    return HeldOut(source, range(source.trajectories)[:count], name)
