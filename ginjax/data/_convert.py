"""From data in any layout to a file of The Well's, in which everything is stated; and on another grid if need be."""

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
"""Of a number in single precision."""


def state_steps(
    source: Source, *, data_spacing: float | None = None, data_time_step: float | None = None
) -> Source:
    """The same data with the grid spacing and the time step that their user knows, where they do not state them.

    **Arguments:**

    - `source`: the data.
    - `data_spacing`, `data_time_step`: positive numbers; None to leave them as they are.

    **Raises:** `ArgumentError` for a number that contradicts the data, or is none.
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
    """Write data of any layout to one file that states everything, so that whoever reads it is asked nothing.

    The file has the layout of The Well, see `write_well`. Memory stays that of a few frames. The order of axes, fields,
    parities and boundaries that were said when the data were opened stand in it.

    **Arguments:**

    - `path`: the file to write; it is complete or absent.
    - `source`: the data.
    - `name`: name of the data set.
    - `force`: replace a file that is there.
    - `progress`: called as `progress(done, total)` with numbers of frames.

    **Returns:** the fields of which the file now holds values that are NaN or infinite, which no training takes.

    **Raises:** `ArgumentError` for boundaries that nobody has said, which a file would turn from an assumption into a statement,
    and for a name that ends as files of another format do; otherwise as `write_well`.
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
    """What brings data to another grid spacing and time step, see `resample`.

    **Arguments:**

    - `spacing`: the new spacing; None if it stays.
    - `every`: how many frames of the data make one step.
    """

    spacing: float | None
    every: int


def resampling_for(source: Source, spacing: float | None, time_step: float | None) -> Resampling:
    """How data are brought to the spacing and the time step that a model was trained with.

    **Arguments:**

    - `source`: the data.
    - `spacing`, `time_step`: those of the model; None where it does not say.

    **Raises:** `ArgumentError` if there is no way, saying why.
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
