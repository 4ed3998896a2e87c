"""Samples of a model's own task, from files, sources or simulations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ginjax.checkpoint import DataContract, ModelRecord, NewAxis, new_axis_places, new_boundaries
from ginjax.data import DataReading, Source, is_pairs
from ginjax.errors import ArgumentError
from ginjax.ml.task._contract_samples import OwnTask
from ginjax.ml.task._held_out import HeldOut, data_dimension, held_out_in_files, simulated_held_out
from ginjax.ml.task._model_contract import bare_contract, scaled_contract

SAMPLES = 16
"""Number of samples on which a conversion is measured or calibrated."""

_FEW = 4
"""Number of simulations, and of steps in each, if only one-step samples are needed."""


def samples_for(
    record: ModelRecord,
    D: int | tuple[int, ...],
    data: Path | Source | None,
    reading: DataReading = DataReading(),
    *,
    pde: str | None = None,
    default: str = "test",
    samples: int | None = None,
    seed: int = 0,
    split: str | None = None,
    new_boundary: str | Mapping[str, str] | None = None,
    new_axis: NewAxis | None = None,
) -> tuple[OwnTask, HeldOut]:
    """Make samples in dimension `D` of the task that a model was trained for.

    **Arguments:**

    - `record`: the model.
    - `D`: the dimension, or several dimensions, one of which the data must have.
    - `data`: a path, read as `reading` says; or a source, of which all trajectories are used. If None, `pde` is simulated.
    - `default`: the part to use of data at a path, unless `split` is given.
    - `samples`: number of samples, by default `SAMPLES`.
    - `seed`: seed of the simulations.
    - `new_boundary`: boundaries of added axes, see `ginjax.checkpoint.new_boundaries`.
    - `new_axis`: which axes are added, see `ginjax.checkpoint.new_axis_places`.

    **Returns:** the samples, and the data they come from.

    **Raises:** `ArgumentError` for data that do not fit.
    """
    contract = _contract_for(record, data)
    several = D if isinstance(D, tuple) else (D,)
    if data is None:
        found = several[0]
    else:
        known = reading.for_model(contract, several)
        found = data.D if isinstance(data, Source) else data_dimension(data, known)
    if found not in several:
        expected = " or ".join(
            f"{each} ({'converted to' if each != record.D else 'of the model'})" for each in several
        )
        raise ArgumentError("dimension of the data", got=found, expected=expected)
    if found != contract.D:
        places = new_axis_places(new_axis, contract.axes, found)
        new = new_boundaries(new_boundary, contract.axes, found, places) if found > contract.D else ()
        contract = contract.in_dimension(found, new, places)
    if data is None:
        held_out = simulated_held_out(contract, pde=pde, trajectories=_FEW, steps=_FEW, seed=seed)
    elif isinstance(data, Source):
        held_out = HeldOut(data, range(data.trajectories), data.name)
    else:
        held_out = held_out_in_files(record, contract, data, reading, split=split, default=default)
    count = SAMPLES if samples is None else samples
    return OwnTask.of(contract, held_out.source, held_out.trajectories, count), held_out


def _contract_for(record: ModelRecord, data: Path | Source | None) -> DataContract:
    """The contract of a model, which may say nothing about its data if these are a file of pairs."""
    silent = not record.contract.scales
    pairs = silent and isinstance(data, Path) and is_pairs(data)
    return bare_contract(record) if pairs else scaled_contract(record)
