"""The forms in which a call accepts data: a source, a path, or sources by part."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ginjax._unknown_name import unknown_name
from ginjax.checkpoint import DataContract, ModelRecord, NewAxis
from ginjax.data import (
    SPACE,
    Axes,
    AxisOrder,
    Conditions,
    DataReading,
    Source,
    from_arrays,
    open_data,
    with_conditions,
)
from ginjax.errors import ArgumentError, GinjaxError
from ginjax.ml import (
    HeldOut,
    OwnTask,
    Parts,
    TrainingMaterial,
    held_out_in_files,
    held_out_in_source,
    material_in_files,
    material_of_parts,
    material_of_source,
    parts_of_training,
    samples_for,
    scaled_contract,
    with_validation,
)

Data = Source | str | os.PathLike[str] | Mapping[str, Source | str | os.PathLike[str]]
"""A source (`from_arrays`, `open_data`, `simulate`), the path of a file or a folder, or one of these for each part: `train`,
and optionally `valid` and `test`. If a file leaves something open, state it in `ginjax.open_data`, which returns a source."""

_EXPECTED = "a source (ginjax.from_arrays, ginjax.open_data, ginjax.simulate), a path, or these by part"


def material_of(
    data: Data,
    *,
    valid: float,
    test: float | None,
    seed: int,
    tuning: bool = False,
    axes: Axes | None = None,
    conditions: Conditions = (),
    like: DataContract | None = None,
) -> TrainingMaterial:
    """Make training material from data.

    **Arguments:**

    - `data`: if they have no parts, their trajectories are split at random.
    - `axes`, `conditions`: of the arrays in a file, see `ginjax.data.open_data`.
    - `like`: the contract of the model that the training starts from, see `ginjax.data.open_data`.
    - `valid`, `test`, `seed`, `tuning`: as in `ginjax.ml.source_parts`.

    **Raises:** `ArgumentError` for something that is not data; as `material_in_files` and `material_of_source`.
    """
    for name, said, takes in (
        ("axes", axes, "ginjax.from_arrays and ginjax.open_data"),
        ("conditions", conditions, "ginjax.data.with_conditions and ginjax.open_data"),
    ):
        if said and not isinstance(data, str | os.PathLike):
            raise ArgumentError(
                name,
                got="data that are no path",
                expected="the path of a file or a folder",
                hint=f"{takes} take {name}.",
            )
    if isinstance(data, Source):
        return material_of_source(data, valid=valid, test=test, seed=seed, tuning=tuning)
    if isinstance(data, str | os.PathLike):
        reading = DataReading(axes=axes or (), conditions=conditions, like=like)
        with _what_a_path_leaves_open(takes={"axes", "conditions"}):
            return material_in_files(Path(data), reading, valid=valid, test=test, seed=seed, tuning=tuning)
    sources = _by_part(data, like)
    parts: Parts = {name: (source.at_hand(), None) for name, source in sources.items()}
    if tuning and "train" in parts:
        parts = with_validation(parts, valid=valid, seed=seed)
    name = sources["train"].name if "train" in sources else "data"
    return material_of_parts(parts, name, judge=valid != 0)


def source_of(data: Data, like: DataContract) -> Source:
    """Turn data into one source; of sources by part, take the part `train`.

    **Arguments:**

    - `like`: the contract of a model, see `ginjax.data.open_data`.

    **Raises:** `ArgumentError` for something that is not data, or without a part `train`.
    """
    if isinstance(data, Source):
        return data.at_hand()
    if isinstance(data, str | os.PathLike):
        return _opened(data, like)
    sources = _by_part(data, like)
    if "train" not in sources:
        raise ArgumentError("parts of the data", got=", ".join(sources) or "none", expected="'train'")
    return sources["train"].at_hand()


def samples_of(
    data: Data,
    record: ModelRecord,
    D: int,
    *,
    samples: int,
    new_boundary: str | Mapping[str, str] | None,
    new_axis: NewAxis | None,
) -> OwnTask:
    """Take samples of a model's own task, in dimension `D` or in that of the model.

    **Arguments:**

    - `data`: if data at a path have parts, the part `train` is used; of sources by part, also `train`.
    - `record`, `samples`, `new_boundary`, `new_axis`: as in `ginjax.ml.samples_for`.

    **Raises:** `ArgumentError` for something that is not data, or does not fit.
    """
    at_path = isinstance(data, str | os.PathLike)
    with _what_a_path_leaves_open():
        found = Path(data) if at_path else source_of(data, scaled_contract(record))
        task, _ = samples_for(
            record,
            (D, record.D),
            found,
            default="train",
            samples=samples,
            new_boundary=new_boundary,
            new_axis=new_axis,
        )
    return task


def held_out_of(
    data: Data,
    record: ModelRecord,
    contract: DataContract,
    *,
    split: str | None,
    count: int | None,
    progress: Callable[[int, int], None] | None = None,
) -> HeldOut:
    """Choose the data to evaluate on: if the model was trained on the given data, those that its training held out.

    **Arguments:**

    - `data`: of sources by part, the part `split` is used, by default `test`.
    - `record`, `contract`, `split`, `count`: as in `held_out_in_files`.
    - `progress`: called during simulations as `progress(done, total)`.

    **Raises:** `ArgumentError` for something that is not data, or a part that is not there.
    """
    if isinstance(data, str | os.PathLike):
        with _what_a_path_leaves_open(takes={"split"}):
            return held_out_in_files(record, contract, Path(data), DataReading(), split=split, count=count)
    if isinstance(data, Source):
        # Simulate only once, before the trajectories are compared.
        return held_out_in_source(record, data.at_hand(progress), split=split, count=count)
    sources, part = _by_part(data, contract), split or "test"
    if part not in sources:
        raise unknown_name(
            "part of the data", part, sources, got=part, expected="one of " + ", ".join(sources)
        )
    source = sources[part].at_hand(progress)
    known = parts_of_training(record, source)
    used = {"train", "valid"} & set(known.parts)
    name = f"{source.name}, {source.D}D, part '{part}'"
    return HeldOut(source, range(source.trajectories)[:count], name, known.note if used else None)


def _by_part(data: object, like: DataContract | None) -> dict[str, Source]:
    """Open sources by part.

    **Raises:** `ArgumentError` for something that is not data.
    """
    if not isinstance(data, Mapping) or not all(
        isinstance(each, Source | str | os.PathLike) for each in data.values()
    ):
        raise ArgumentError("data", got=type(data).__name__, expected=_EXPECTED)
    return {
        str(name): each if isinstance(each, Source) else _opened(each, like) for name, each in data.items()
    }


def _opened(path: str | os.PathLike[str], like: DataContract | None) -> Source:
    with _what_a_path_leaves_open():
        return open_data(path, like=like)


@contextmanager
def _what_a_path_leaves_open(takes: Collection[str] = ()) -> Iterator[None]:
    """If an error asks for an argument of `open_data`, add a hint that `open_data` takes it.

    **Arguments:**

    - `takes`: arguments that the function to which the path was given takes as well.
    """
    try:
        yield
    except GinjaxError as error:
        theirs = set(inspect.signature(open_data).parameters) - {"path", "like", *takes}
        named = theirs & set(re.findall(r"`([a-z_]+)\b", f"{error.subject} {error.hint}"))
        if named:
            words = " and ".join(f"`{name}`" for name in sorted(named))
            said = f"{words} can be said to `ginjax.open_data`, whose result stands in for the path."
            error.hint = said if error.hint is None else f"{error.hint} {said}"
        raise


def start_of(contract: DataContract, start: object) -> tuple[Source, bool]:
    """Make a source to start a forecast from; plain arrays get the axes and units of the model.

    **Arguments:**

    - `contract`: of the model.
    - `start`: a source, a path, or a mapping with every field and constant of the model. Fields have the axes
      `(trajectory, time, *space, D, ..., D)`, without the first axis for one trajectory, without the first two for one frame.
      Constants have no time axis. Conditions are numbers, one for all trajectories or one for each.

    **Returns:** the source, and whether the arrays were one trajectory without an axis for it.

    **Raises:** `ArgumentError` for arrays that are missing, unknown, or of another shape.
    """
    if isinstance(start, Source):
        return start, False
    if isinstance(start, str | os.PathLike):
        return _opened(start, contract), False
    if not isinstance(start, Mapping):
        raise ArgumentError(
            "start",
            got=type(start).__name__,
            expected="a source, a path, or arrays by the names of the fields",
        )
    arrays: Mapping[str, ArrayLike] = start
    wanted = {each.name: each for each in (*contract.fields, *contract.constants)}
    if set(arrays) != set(wanted):
        raise ArgumentError("arrays to start from", got=", ".join(sorted(arrays)), expected=", ".join(wanted))
    D = contract.D
    lacking: dict[int, str] = {}
    fields: dict[str, np.ndarray] = {}
    for each in contract.fields:
        values = np.asarray(arrays[each.name])
        missing = D + each.k + 2 - values.ndim
        if not 0 <= missing <= 2:
            raise ArgumentError(
                f"axes of field '{each.name}', of order {each.k} in {D}D",
                got=f"shape {values.shape}",
                expected=f"{D + each.k + 2}: trajectory, time, space, components (the first one or two may be left out)",
            )
        lacking.setdefault(missing, each.name)
        fields[each.name] = values.reshape((1,) * missing + values.shape)
    if len(lacking) > 1:
        raise ArgumentError(
            "leading axes of the arrays to start from",
            got=", ".join(f"{2 - missing} for '{name}'" for missing, name in lacking.items()),
            expected="the same for all fields",
        )
    told = contract.told
    fixed = {name: each for name, each in wanted.items() if name not in told}
    source = from_arrays(
        fields,
        order={name: each.k for name, each in fixed.items()},
        parity={name: each.p for name, each in fixed.items()},
        unit={name: each.unit for name, each in fixed.items()},
        constants={
            each.name: np.asarray(arrays[each.name]) for each in contract.constants if each.name not in told
        },
        periodic=contract.is_torus,
        spacing=contract.spacing,
        time_step=contract.time_step,
        axes={each.name: AxisOrder.usual(D, each.k).text for each in contract.fields if len(SPACE) >= D},
    )
    numbers = with_conditions(source, {name: arrays[name] for name in told}, kinds=wanted)
    return numbers, bool(lacking.popitem()[0])
