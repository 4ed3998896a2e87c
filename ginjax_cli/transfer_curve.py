"""`ginjax transfer-curve`: error against the number of high-dimensional samples, with and without conversion."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ._options import Debug, Force, Json, Quiet
from ._output import Output
from ._picture_options import PictureFormat, PictureWidth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ginjax.ml import Point

FoldName = Literal["validation", "test"]
_COLUMNS = ("converted", "calibrated", "scratch", "inflated")


def transfer_curve(
    ctx: typer.Context,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="The folder to write to. An unfinished curve there is continued.",
            metavar="DIR",
        ),
    ] = Path("transfer_curve"),
    pde: Annotated[
        str,
        typer.Option(
            "--pde",
            help="Equations to simulate, separated by commas.",
            metavar="NAMES",
            show_default="diffusion, fisher-kpp, allen-cahn, burgers",
        ),
    ] = "diffusion,fisher-kpp,allen-cahn,burgers",
    from_dims: Annotated[
        str, typer.Option("--from", help="Dimensions to train in, separated by commas.", metavar="DIMS")
    ] = "1",
    to_dims: Annotated[
        str,
        typer.Option(
            "--to",
            help="Dimensions to convert to, separated by commas: each of them from every lower one of "
            "--from.",
            metavar="DIMS",
        ),
    ] = "3",
    samples: Annotated[
        str,
        typer.Option(
            "--samples",
            help="Numbers of high-dimensional training trajectories, separated by commas. 0 means no "
            "training there.",
            metavar="COUNTS",
        ),
    ] = "0,1,2,4,8",
    seeds: Annotated[
        int,
        typer.Option(
            "--seeds", min=1, max=100, help="Number of random seeds. Everything is repeated for each seed."
        ),
    ] = 5,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            min=4,
            max=256,
            help="Grid points along each axis in the dimensions of --to.",
            show_default="96, 16 in 2D, 3D, or 16, 12 with --quick",
        ),
    ] = None,
    fold: Annotated[
        FoldName,
        typer.Option(
            "--fold",
            help="Which data to measure on: choose settings on validation, quote the results on test.",
        ),
    ] = "test",
    scratch_time: Annotated[
        float,
        typer.Option(
            "--scratch-time",
            min=0.01,
            max=1000,
            help="Training time of the baseline from scratch, as a multiple of the total time of the "
            "converted network.",
        ),
    ] = 1.0,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Use small grids and short trainings, for a first look and not for results."
        ),
    ] = False,
    picture_format: PictureFormat = "png",
    width: PictureWidth = "two",
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Measure the one-step error against the number of samples in the high dimension, for four kinds of networks.

    Converted: trained in the low dimension, converted, and tuned on the samples. Calibrated: converted, with a choice
    among the exact conversions on a few samples, and not tuned. From scratch: the same network trained on the samples
    only, for the total time of the converted network, with the best of three learning rates. Inflated: a plain network
    from the low dimension with its kernels put into the central slice, and tuned.

    The folds validation and test share no data; the settings were chosen on validation. Every measured error is stored
    at once in DIR/transfer_curve.json: repeat the command to continue. It draws DIR/transfer_curve.png at the end.
    """
    out = Output(json=json, quiet=quiet)

    from ginjax.checkpoint import Claim, check_output, folder_for_work
    from ginjax.data import find_pde
    from ginjax.ml import (
        QUICK,
        CurveRequest,
        CurveSettings,
        draw_transfer_curve,
        measure_curve,
        read_cells,
        summarise,
        write_cells,
    )

    check_output(output, "folder")
    lows, highs = _numbers("--from", from_dims), _numbers("--to", to_dims)
    equations = [find_pde(name.strip()) for name in pde.split(",")]
    for equation in equations:
        for D in {*lows, *highs} & {1, 2, 3}:  # other numbers are refused later
            equation.check_dimension(D)
    request = CurveRequest(
        pdes=[equation.name for equation in equations],
        pairs=[(low, high) for low in lows for high in highs if low < high],
        samples=_numbers("--samples", samples),
        seeds=seeds,
    )
    settings = QUICK if quick else CurveSettings()
    settings = replace(settings, fold=fold, scratch_time=scratch_time)
    if size is not None:
        sides = {**settings.high_sides, **{str(high): size for high in highs}}
        settings = replace(settings, high_sides=sides)
    ctx.with_resource(folder_for_work(output))
    numbers, picture = output / "transfer_curve.json", output / f"transfer_curve.{picture_format}"
    # If there are no numbers to continue from, an existing picture does not belong to this curve.
    claim = ctx.with_resource(
        Claim(output / "transfer_curve", (numbers, picture), force=force or numbers.exists())
    )
    cells = [] if force else read_cells(numbers, settings)
    asked = list(request.every_key())
    with out.progress(len(asked), "measuring") as progress:
        progress.begin(len({cell.key for cell in cells} & set(asked)))

        def keep(cell: Any) -> None:
            cells.append(cell)
            write_cells(numbers, settings, cells)
            progress.advance(status=f"{cell.pde} {cell.from_dim}D->{cell.to_dim}D {cell.method}")

        measure_curve(request, settings, tuple(cells), keep)
    write_cells(numbers, settings, cells)
    points = summarise(cells)
    if left_out := len({cell.key[:5] for cell in cells}) - len(points):
        out.warn(
            f"{left_out} points are left out, not yet measured for every seed and learning rate of their transfer; "
            "ask for all seeds and samples together to complete them"
        )
    claim.done()
    draw_transfer_curve(picture, points, width=width)
    out.table(
        "One-step error (nRMSE) on held-out trajectories, mean and standard deviation over seeds",
        (
            "equation",
            "dims",
            "samples",
            "converted",
            "calibrated",
            "from scratch",
            "inflated",
            "no change",
            "seconds of each",
        ),
        _rows(points),
    )
    out.result(
        numbers,
        {
            "picture": str(picture),
            "settings": asdict(settings),
            "points": [asdict(point) for point in points],
        },
    )
    out.next_step("ginjax train --pde allen-cahn")


def _numbers(option: str, text: str) -> list[int]:
    from ginjax.errors import ArgumentError

    try:
        return sorted({int(part) for part in text.split(",")})
    except ValueError as error:
        raise ArgumentError(option, got=repr(text), expected="whole numbers separated by commas") from error


def _rows(points: "Sequence[Point]") -> list[tuple[object, ...]]:
    """One row for each equation, pair of dimensions and number of samples."""
    by_row: dict[tuple[str, int, int, int], dict[str, Point]] = {}
    for point in points:
        row = by_row.setdefault((point.pde, point.from_dim, point.to_dim, point.samples), {})
        row[point.method] = point

    def error(point: "Point | None") -> str:
        if point is None:
            return "-"
        return f"{point.mean:.2g}" if point.spread is None else f"{point.mean:.2g} ± {point.spread:.1g}"

    return [
        (
            pde,
            f"{low} -> {high}",
            count,
            *(error(row.get(method)) for method in _COLUMNS),
            f"{next(iter(row.values())).persistence:.2g}",
            " / ".join(f"{row[method].seconds:.2g}" if method in row else "-" for method in _COLUMNS),
        )
        for (pde, low, high, count), row in sorted(by_row.items())
    ]
