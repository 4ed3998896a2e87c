"""Conversion of data of any layout to a file in the layout of The Well, and the choice of a grid and time step for a model."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from ginjax.checkpoint import axes_of, ends_in_words
from ginjax.data._not_finite import NotFinite
from ginjax.data._resample import SAME, resample
from ginjax.data._write_well import MAX_ABOUT, write_well
from ginjax.data.sources import Source, refuse_unequal, spacings_in_words
from ginjax.errors import ArgumentError

_BYTES = 4
"""Bytes of a number in single precision."""


def state_steps(
    source: Source, *, data_spacing: float | None = None, data_time_step: float | None = None
) -> Source:
    """Add a grid spacing and a time step that the user knows to data that do not state them.

    **Arguments:**

    - `source`: the data.
    - `data_spacing`, `data_time_step`: positive numbers; None to leave the value as it is.

    **Returns:** the same data with these numbers.

    **Raises:** `ArgumentError` for a value that is not a positive number, or that contradicts the data.
    """
    found = source
    said = (("spacing", "data_spacing", data_spacing), ("time_step", "data_time_step", data_time_step))
    for name, argument, value in said:
        if value is None:
            continue
        if not (math.isfinite(value) and value > 0):
            raise ArgumentError(f"`{argument}`", got=value, expected="a positive number")
        stated = getattr(source, name)
        if name == "spacing" and source.spacings is not None:
            raise ArgumentError(
                f"`{argument}`",
                got=f"{value:g}",
                expected=f"{spacings_in_words(source.spacings)}, which the data state",
                hint="Another one is made of the data with `spacing`.",
            )
        if stated is not None and not math.isclose(stated, value, rel_tol=SAME):
            raise ArgumentError(
                f"`{argument}`",
                got=f"{value:g}",
                expected=f"{stated:g}, which the data state",
                hint="Another one is made of the data with `spacing`."
                if name == "spacing"
                else "Another one is made of the data with `every`.",
            )
        if stated is None:
            found = replace(found, **{name: float(value)})
    return found


_OTHER_ENDINGS = (".npz", ".npy", ".mat", ".nc", ".zarr", ".csv", ".pt", ".safetensors")


def convert_data(
    path: str | os.PathLike[str],
    source: Source,
    *,
    name: str,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NotFinite, ...]:
    """Write data of any layout to one file that states everything, so that nobody who reads it has to state anything.

    The file has the layout of The Well, see `write_well`. Only a few frames are in memory at a time. The file also states the
    order of axes, the fields, the parities and the boundaries that were stated when the data were opened.

    **Arguments:**

    - `path`: the file to write; it is complete or absent.
    - `source`: the data.
    - `name`: name of the data set.
    - `force`: replace an existing file.
    - `progress`: called as `progress(done, total)` with numbers of frames.

    **Returns:** the fields that have NaN or infinite values in the new file. Such data cannot be used for training.

    **Raises:** `ArgumentError` if nobody has stated the boundaries, because the file would turn an assumption into a statement;
    for a name with the ending of another format; for a spacing that differs along the axes. Otherwise as `write_well`.
    """
    ending = os.path.splitext(path)[1].lower()
    if ending in _OTHER_ENDINGS:
        raise ArgumentError(
            "`output`",
            got=f"a name that ends in {ending}",
            expected="one that ends in .hdf5, which is what is written",
        )
    if source.spacings is not None:
        refuse_unequal(source.name, source.spatial, source.spacings, source.is_torus)
    if source.boundaries_assumed:
        raise ArgumentError(
            "boundaries of the data",
            got="not stated by the data",
            expected="known before they are written down",
            hint=f"Say which axes are periodic with `is_torus`. Otherwise {ends_in_words(axes_of(source.is_torus))} is assumed.",
        )
    about = {"step": "convert", "of": dict(source.origin), "axes": dict(source.read_as)}
    if len(json.dumps(about)) > MAX_ABOUT // 2:
        about["of"] = {"data": source.name}
    return write_well(path, source, name=name, about=about, force=force, progress=progress)


def well_size(source: Source) -> int:
    """Bytes that the values of a source take in a file of single precision."""
    points = math.prod(source.spatial)
    steady = [each for each in source.constants if each.name not in source.conditions]
    varying, fixed = (sum(source.D**each.k for each in fields) for fields in (source.schema, steady))
    return _BYTES * source.trajectories * points * (source.frames * varying + fixed)


@dataclass(frozen=True)
class Resampling:
    """How to bring data to another grid spacing and time step, see `resample`.

    **Arguments:**

    - `spacing`: the new spacing; None if it stays as it is.
    - `every`: how many frames of the data make one step.
    """

    spacing: float | None
    every: int


def resampling_for(source: Source, spacing: float | None, time_step: float | None) -> Resampling:
    """Find out how data can be brought to the spacing and the time step that a model was trained with.

    **Arguments:**

    - `source`: the data.
    - `spacing`, `time_step`: those of the model; None if the model does not state them.

    **Raises:** `ArgumentError` with the reason, if it is not possible.
    """
    every = 1
    if time_step is not None and source.time_step is not None:
        ratio = time_step / source.time_step
        every = max(round(ratio), 1)
        if not math.isclose(ratio, every, rel_tol=SAME):
            raise ArgumentError(
                "time step of the data",
                got=f"{source.time_step:g}",
                expected=f"{time_step:g} divided by a whole number: frames can be left out, but not made up",
            )
    wanted = spacing if source.spacing is not None else None
    if wanted is not None and math.isclose(wanted, source.spacing or 0.0, rel_tol=SAME):
        wanted = None
    resample(source, spacing=wanted, every=every)
    return Resampling(wanted, every)
