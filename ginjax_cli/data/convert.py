"""`ginjax data convert`: write data of any layout as one file that states everything."""

from dataclasses import asdict, replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from ginjax_cli._config_file import asked_for
from ginjax_cli._data_options import (
    DataAxes,
    DataConditions,
    DataFields,
    DataParity,
    DataPeriodic,
    DataSplit,
    reading_of,
)
from ginjax_cli._options import Debug, Force, Json, OutputPath, Quiet
from ginjax_cli._output import Output

if TYPE_CHECKING:
    from ginjax.data import Source

_PANEL = "Another grid or time step"


def convert(
    ctx: typer.Context,
    path: Annotated[
        list[Path], typer.Argument(help="A file, several files, or a folder of files.", metavar="IN...")
    ],
    output: OutputPath,
    field: DataFields = None,
    axes: DataAxes = None,
    parity: DataParity = None,
    periodic: DataPeriodic = None,
    condition: DataConditions = None,
    split: DataSplit = None,
    data_spacing: Annotated[
        float | None,
        typer.Option(
            "--data-spacing",
            help="The grid spacing of the data, if they do not state it.",
            metavar="NUMBER",
            rich_help_panel="Reading data",
        ),
    ] = None,
    data_time_step: Annotated[
        float | None,
        typer.Option(
            "--data-time-step",
            help="The time step of the data, if they do not state it.",
            metavar="NUMBER",
            rich_help_panel="Reading data",
        ),
    ] = None,
    spacing: Annotated[
        float | None,
        typer.Option(
            "--spacing",
            help="The grid spacing to write. Periodic axes are resampled as sums of waves, other axes by "
            "means of blocks.",
            metavar="NUMBER",
            show_default="that of the data",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    means: Annotated[
        bool,
        typer.Option(
            "--means",
            help="Take means of blocks along periodic axes too. This suits fields with jumps.",
            rich_help_panel=_PANEL,
        ),
    ] = False,
    every: Annotated[
        int,
        typer.Option(
            "--every",
            min=1,
            help="Write only every Nth frame, beginning with the first.",
            rich_help_panel=_PANEL,
        ),
    ] = 1,
    frames: Annotated[
        int | None,
        typer.Option(
            "--frames",
            min=1,
            help="Write only this many frames of each trajectory, the first ones.",
            show_default="all",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write data of any layout as one HDF5 file in the layout of The Well.

    The file states everything that you say with --axes, --field, --parity, --periodic, --data-spacing and
    --data-time-step, so that no command asks for it again. The command reads all formats that 'ginjax data inspect'
    reads, a few frames at a time. It writes without compression, which is fastest for training.

    With --spacing and --every the file gets another grid spacing and time step, such as those of a model.
    """
    from ginjax.checkpoint import Claim, check_output
    from ginjax.data import check_room, convert_data, data_splits, resample, state_steps, well_size

    out = Output(json=json, quiet=quiet)
    check_output(output, "data", {"the data": path})
    claim = ctx.with_resource(Claim(output, (output,), work=asked_for(ctx), force=force))
    reading = replace(reading_of(field, parity, periodic, axes, condition), unequal=True)
    with reading.open(path, split=split) as opened:
        stated = state_steps(opened, data_spacing=data_spacing, data_time_step=data_time_step)
        source = resample(stated, spacing=spacing, every=every, frames=frames, means=means)
        for each in (*stated.in_words, *source.notes):
            out.note(each)
        parts = data_splits(path)
        if split is None and len(parts) > 1:
            out.warn(
                f"the parts {', '.join(parts)} are written as one; to keep them, convert each with `split`, into folders "
                "of these names"
            )
        check_room(output.absolute().parent, [well_size(source)])
        with out.progress(source.trajectories * source.frames, "writing frames") as progress:
            not_finite = convert_data(
                output,
                source,
                name=path[0].stem,
                force=claim.replaces(output),
                progress=progress.follow,
            )
    claim.done()
    out.fields(str(output), _about(source))
    for each in not_finite:
        out.warn(f"{each.in_words}; no training takes them")
    out.result(output, _payload(source) | {"not_finite": [asdict(each) for each in not_finite]})
    out.next_step(f"ginjax data inspect {quote(str(output))}")


def _about(source: "Source") -> dict[str, object]:
    from ginjax.checkpoint import axes_of, ends_in_words

    return {
        "fields": ", ".join(each.kind for each in source.schema),
        "constants": ", ".join(each.kind for each in source.constants) or "none",
        "grid": "x".join(map(str, source.spatial)),
        "spacing": "not stated" if source.spacing is None else source.spacing,
        "trajectories": source.trajectories,
        "frames": source.frames,
        "time step": "not stated" if source.time_step is None else source.time_step,
        "boundaries": ends_in_words(axes_of(tuple(source.is_torus))),
    }


def _payload(source: "Source") -> dict[str, object]:
    return {
        "dimension": source.D,
        "grid": list(source.spatial),
        "trajectories": source.trajectories,
        "frames": source.frames,
        "spacing": source.spacing,
        "time_step": source.time_step,
        "is_torus": list(source.is_torus),
        "fields": [each.kind for each in source.schema],
        "constants": [each.kind for each in source.constants],
        "notes": list(source.notes),
    }
