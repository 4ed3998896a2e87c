"""`ginjax data inspect`: show what is in data files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ginjax._text import shell_line
from ginjax_cli._as_options import as_options
from ginjax_cli._config_file import given_options
from ginjax_cli._data_options import (
    DataAxes,
    DataConditions,
    DataFields,
    DataParity,
    DataPeriodic,
    DataSplit,
    DataTarget,
    reading_of,
)
from ginjax_cli._options import Debug, Json, Quiet
from ginjax_cli._output import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ginjax.data import FieldSurvey, Source

_COLUMNS = (
    "field",
    "order",
    "parity",
    "unit",
    "varies in time",
    "least",
    "largest",
    "rms",
    "NaN or infinite",
)


def inspect(
    ctx: typer.Context,
    path: Annotated[
        list[Path], typer.Argument(help="A file, several files, or a folder of files.", metavar="PATH...")
    ],
    field: DataFields = None,
    axes: DataAxes = None,
    parity: DataParity = None,
    periodic: DataPeriodic = None,
    condition: DataConditions = None,
    target: DataTarget = None,
    split: DataSplit = None,
    max_frames: Annotated[
        int,
        typer.Option(
            "--max-frames",
            min=0,
            help="Number of frames, drawn at random, whose values are examined. 0 means all.",
        ),
    ] = 1000,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show what is in data files: layout, grid, fields, boundaries, range of values, NaN and infinity.

    The command reads The Well, PDEBench and PDEArena (HDF5), MATLAB, NetCDF, Zarr and NumPy files, which it recognises by
    their content. For everything that a file does not state, it names the option that states it. A folder of files, such
    as one for each run, is one data set.

    An .npz file may state everything in an entry 'schema' of JSON. Only dimension, name and order are required:

    {"dimension": 2, "spacing": 0.1, "time_step": 0.5, "periodic": true, "fields": [{"name": "v", "order": 1, "parity": "even",
    "unit": "m/s", "axes": "trajectory,time,x,y,component"}], "constants": [{"name": "bed", "order": 0}]}
    """
    from ginjax.data import PLANES_ARE_FOR, data_splits, survey, told_planes

    out = Output(json=json, quiet=quiet)
    with reading_of(field, parity, periodic, axes, condition, target=target).open(
        path, split=split, ask=False
    ) as source:
        total = sum(source.frames_of(i) - source.blank for i in range(source.trajectories))
        looked_at = min(total, max_frames or total)
        with out.progress(looked_at, "looking at frames") as progress:
            found = survey(
                source, max_frames=max_frames or None, progress=lambda done, all: progress.update(done)
            )
    parts = data_splits(path)
    out.fields(", ".join(map(str, path)), _about(source, total, parts))
    out.table("Fields", _COLUMNS, [_row(entry) for entry in found])
    if looked_at < total:
        out.note(f"the values are those of {looked_at} of {total} frames (all of them: --max-frames 0)")
    for note in source.notes:
        (out.warn if note.startswith("cannot") or "left out" in note else out.note)(note)
    is_planes = told_planes(source.origin) is not None
    if is_planes:
        out.note(PLANES_ARE_FOR)
    for entry in found:
        if entry.bad:
            out.warn(f"field '{entry.field.name}' holds {entry.bad} values that are NaN or infinite")
        if entry.remark:
            out.warn(entry.remark)
    payload = _payload(source, parts) | {"frames_surveyed": looked_at}
    payload["fields"] = [_field_payload(entry) for entry in found]
    out.result(None, payload)
    if _can_be_trained_on(source, found, parts) and len(path) == 1:
        words = given_options(ctx, without=("split", "max_frames", "json", "quiet"))
        start = ["--init", f"MODEL.{source.D}d.safetensors"] if is_planes else []
        out.next_step(shell_line(["ginjax", "train", *start, "--data", str(path[0]), *words]))


def _can_be_trained_on(source: "Source", found: "Sequence[FieldSurvey]", parts: tuple[str, ...]) -> bool:
    """Whether `ginjax train` would accept the data, as far as is known without reading all of them."""
    settled = not any(note.startswith(("cannot", "left out")) for note in source.notes)
    finite = all(entry.bad == 0 for entry in found)
    # Data without parts need one trajectory each for training, validation and testing.
    enough = source.frames >= 2 and ("train" in parts if parts else source.trajectories >= 3)
    return settled and finite and enough


def _about(source: "Source", total: int, parts: tuple[str, ...]) -> dict[str, object]:
    from ginjax.data import PLANES_WORDS, told_planes

    axes = zip("xyz", source.is_torus, strict=False)
    orders = {"axes": ", ".join(f"{name} {order}" for name, order in source.read_as.items())}
    by_axes: dict[str, object] = {
        **(orders if source.read_as else {}),
        "dimension": source.D,
        "grid": "x".join(map(str, source.spatial)),
        "trajectories": source.trajectories,
        "frames": f"{total} in all, at least {source.frames} in each",
        "boundaries": ", ".join(f"{axis} {'periodic' if yes else 'not periodic'}" for axis, yes in axes)
        + (f" ({as_options(source.boundaries_from)})" if source.boundaries_from else ""),
    }
    if not source.axes_known:
        by_axes = dict.fromkeys(by_axes, "not known")
    steps = {
        what: "not stated" if value is None else value if unit is None else f"{value:g} {unit}"
        for what, value, unit in (
            ("spacing", source.spacing, source.length_unit),
            ("time step", source.time_step, source.time_unit),
        )
    }
    for what in ("spacing", "time step"):
        if steps[what] == "not stated" and what.replace(" ", "_") in source.conditions:
            steps[what] = "of each trajectory"
    if source.conditions:
        steps["conditions"] = ", ".join(source.conditions)
    planes = told_planes(source.origin)
    if planes is not None:
        by_axes["planes"] = f"{planes}: {PLANES_WORDS[planes]}"
    if source.spacings is not None:
        differing = zip("xyz", source.spacings, strict=False)
        steps["spacing"] = ", ".join(f"{step:g} along {axis}" for axis, step in differing)
    found = {"layout": source.layout, **by_axes, **steps, "parts": ", ".join(parts) or "none"}
    first = ("layout", "axes", "dimension", "planes", "grid", "spacing", "time step")
    return {name: found[name] for name in (*first, *found) if name in found}


def _row(entry: "FieldSurvey") -> tuple[object, ...]:
    field = entry.field
    words = "odd" if field.p else "even", field.unit, "no" if entry.constant else "yes"
    return field.name, field.k, *words, entry.minimum, entry.maximum, entry.rms, entry.bad


def _payload(source: "Source", parts: tuple[str, ...]) -> dict[str, Any]:
    from ginjax.data import told_planes

    by_axes: dict[str, Any] = {
        "dimension": source.D,
        "grid": list(source.spatial),
        "trajectories": source.trajectories,
        "frames": source.frames,
        "is_torus": list(source.is_torus),
        "axes": dict(source.read_as),
    }
    return {
        "layout": source.layout,
        "planes": told_planes(source.origin),
        **(by_axes if source.axes_known else dict.fromkeys(by_axes)),
        "spacing": source.spacing if source.spacings is None else list(source.spacings),
        "time_step": source.time_step,
        "conditions": list(source.conditions),
        "length_unit": source.length_unit,
        "time_unit": source.time_unit,
        "splits": list(parts),
        "origin": dict(source.origin),
        "notes": [as_options(note) for note in source.notes],
    }


def _field_payload(entry: "FieldSurvey") -> dict[str, Any]:
    field = entry.field
    named = {"name": field.name, "order": field.k, "parity": field.p, "unit": field.unit}
    measured = {"minimum": entry.minimum, "maximum": entry.maximum, "rms": entry.rms, "bad": entry.bad}
    return named | {"constant": entry.constant, "values": entry.values} | measured
