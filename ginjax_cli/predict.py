"""`ginjax predict`: roll out a model from given frames and write the forecast."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ginjax._text import shell_word

from ._config_file import asked_for
from ._data_options import (
    DataAxes,
    DataConditions,
    DataFields,
    DataParity,
    DataPeriodic,
    DataSplit,
    reading_of,
)
from ._options import Debug, Force, Json, Quiet
from ._output import Output
from ._picture_options import PictureWidth
from ._pixels import Tile, pixels, say_tiles
from ._read_as import say_how_read
from ._way_to_convert import names_conversion

if TYPE_CHECKING:
    from ginjax.data import Source


@names_conversion("given")
def predict(
    ctx: typer.Context,
    model: Annotated[Path, typer.Argument(help="The model file.", metavar="MODEL")],
    given: Annotated[
        Path,
        typer.Argument(
            help="Data that contain the frames to start from: a file or a folder.", metavar="INPUT"
        ),
    ],
    steps: Annotated[
        int,
        typer.Option(
            "--steps",
            min=1,
            max=2**20,
            help="Length of the rollout: the number of predictions, each made from the previous ones.",
        ),
    ] = 16,
    start: Annotated[
        int, typer.Option("--start", min=0, help="The first of the frames to start from, counted from 0.")
    ] = 0,
    field: DataFields = None,
    axes: DataAxes = None,
    parity: DataParity = None,
    periodic: DataPeriodic = None,
    condition: DataConditions = None,
    split: DataSplit = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file to write (HDF5).", metavar="FILE")
    ] = Path("forecast.h5"),
    tile: Tile = None,
    gif: Annotated[
        bool,
        typer.Option(
            "--gif",
            help="Write an animation of the first trajectory too, beside the truth as far as the data "
            "contain it. In 3D it shows the central slice.",
        ),
    ] = False,
    width: PictureWidth = "two",
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Roll out a model from given frames of every trajectory, and write the forecast in the layout of The Well.

    The file contains the given frames and then the predictions, in the units of the input. You can compare it frame by
    frame with a simulation from the same start.

    The input may have any layout that 'ginjax data inspect' reads. It must have the dimension, fields, boundaries, grid
    spacing and time step of the training data, and the numbers that the model is told (--condition).
    """
    from ginjax.checkpoint import Claim, check_output, with_name_of_its_own

    out = Output(json=json, quiet=quiet)
    check_output(output, "data", {"the model": model, "the data": given})
    movie = with_name_of_its_own(output).with_suffix(".gif") if gif else None
    targets = (output,) if movie is None else (output, movie)
    claim = ctx.with_resource(Claim(output, targets, work=asked_for(ctx), force=force))

    from ginjax.data import write_well
    from ginjax.ml import Forecaster, condition_remarks, draw_animation, known_contract, predicted
    from ginjax.models import load_model

    loaded = load_model(model)
    record = loaded.record
    forecaster = Forecaster.of(loaded.model, record, pixels("--tile", tile))
    past = forecaster.frames.past_steps
    with (
        reading_of(field, parity, periodic, axes, condition)
        .for_model(record.contract)
        .open(given, split=split) as source
    ):
        origin = {
            "step": "predict",
            "model": record.digest,
            "steps": steps,
            "start": start,
            "input": given.name,
        }
        say_how_read(out, source, record.contract)
        forecast = predicted(forecaster, source, steps=steps, first=start, origin=origin)
        say_tiles(out, forecaster, source)
        for remark in condition_remarks(forecaster.contract, source):
            out.warn(remark)
        with out.progress(source.trajectories * forecast.frames, "rolling out") as progress:
            write_well(
                output,
                forecast,
                name=given.stem,
                about=origin,
                force=claim.replaces(output),
                progress=progress.follow,
            )
        if movie is not None:
            known = min(source.frames_of(0), start + forecast.frames)
            draw_animation(
                movie,
                "",
                forecast.read(0, 0, forecast.frames),
                source.D,
                given=past,
                truth=source.read(0, start, known) if known > start + past else None,
                contract=known_contract(source, forecaster.contract),
                width=width,
                force=claim.replaces(movie),
            )
    claim.done()
    out.fields(f"{model} on {given}", _about(forecast, past, steps))
    if movie is not None:
        out.note(f"wrote {movie}")
    payload = {
        "model": str(model),
        "input": str(given),
        "trajectories": forecast.trajectories,
        "frames": forecast.frames,
        "given_frames": past,
        "steps": steps,
        "fields": [each.name for each in forecast.schema],
        "gif": None if movie is None else str(movie),
    }
    out.result(output, payload)
    out.next_step(f"ginjax data inspect {shell_word(output)}")


def _about(forecast: "Source", past: int, steps: int) -> dict[str, object]:
    return {
        "fields": ", ".join(each.name for each in forecast.schema),
        "grid": "x".join(map(str, forecast.spatial)),
        "trajectories": forecast.trajectories,
        "frames": f"{forecast.frames} in each: {past} given, {steps} predicted",
    }
