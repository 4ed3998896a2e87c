"""`ginjax data generate`: simulate data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ginjax._text import in_bytes, shell_word
from ginjax_cli._config_file import asked_for
from ginjax_cli._options import (
    EQUATIONS,
    Debug,
    Force,
    Json,
    PlanesName,
    Quiet,
    Seed,
    cover_option,
    planes_option,
)
from ginjax_cli._output import Output

_OF_A_FILE = ("cover", "correlation_lengths", "planes")
"""What the origin of a file says about its initial fields, if they are not the default ones."""


def generate(
    ctx: typer.Context,
    pde: Annotated[
        str,
        typer.Option("--pde", parser=EQUATIONS, metavar=EQUATIONS.metavar, help="The equation to simulate."),
    ] = "diffusion",
    dim: Annotated[
        str | None,
        typer.Option(
            "--dim",
            help="Dimensions of space, separated by commas.",
            metavar="1,2,3",
            show_default="all dimensions of the equation",
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            min=4,
            max=1024,
            help="Grid points along each axis.",
            show_default="64, 32, 16 in 1D, 2D, 3D",
        ),
    ] = None,
    trajectories: Annotated[
        int | None,
        typer.Option(
            "--trajectories",
            min=1,
            max=2**24,
            help="Number of simulations in each dimension.",
            show_default="256, 48, 16 in 1D, 2D, 3D",
        ),
    ] = None,
    frames: Annotated[
        int,
        typer.Option(
            "--frames",
            min=1,
            max=2**20,
            help="Number of time steps in each simulation, after the initial frame.",
        ),
    ] = 8,
    cover: Annotated[int | None, cover_option()] = None,
    planes: Annotated[PlanesName | None, planes_option()] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            help="Simulate with several time steps or coefficients in turn, such as time_step=0.02,0.04. If "
            "this option is repeated, every combination is used. A network is told the numbers.",
            metavar="NAME=NUMBERS",
            show_default="those of the equation",
        ),
    ] = None,
    folder: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="The folder to write to. It is made if it does not exist.", metavar="DIR"
        ),
    ] = Path("data"),
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Simulate one equation in several dimensions, and write one file in the layout of The Well for each.

    All files have the same equation, coefficients, distribution of initial fields, grid spacing and time step. So a
    filter covers the same length in every dimension, and a network meets the same local dynamics. Domains of equal
    length with fewer points in 3D would not have this property.

    Lengths and times are in the units of the dimensionless equation. Boundaries are periodic. The same seed gives the
    same bytes. If the disk has too little free space, the command refuses at once.
    """
    from ginjax.checkpoint import Claim, check_output, folder_for_work
    from ginjax.data import check_room, find_pde, simulate, simulation_size, write_well
    from ginjax.ml import TRAIN_TRAJECTORIES

    out = Output(json=json, quiet=quiet)
    check_output(folder, "folder")
    equation = find_pde(pde)
    dims = equation.dimensions if dim is None else _parse_dims(dim)
    numbers = _parse_vary(vary or ())
    counts = {D: trajectories or TRAIN_TRAJECTORIES[D] for D in dims}
    sizes = [
        simulation_size(equation, D, trajectories=count, steps=frames, side=size, planes=planes)
        for D, count in counts.items()
    ]
    # Data in the dimension that is to be covered are not changed.
    covering = [D for D in dims if planes is not None or (cover or 0) > D] or dims
    sources = {
        D: simulate(
            equation,
            D,
            trajectories=count,
            steps=frames,
            side=size,
            seed=seed,
            cover=cover if D in covering else None,
            planes=planes,
            vary=numbers,
        )
        for D, count in counts.items()
    }
    ctx.with_resource(folder_for_work(folder))
    suffix = "" if planes is None else f"_{planes}"
    targets = {D: folder / f"{pde}_{D}d{suffix}.hdf5" for D in dims}
    claim = ctx.with_resource(
        Claim(folder / f"{pde}{suffix}", tuple(targets.values()), work=asked_for(ctx), force=force)
    )
    out.note(
        f"about {in_bytes(sum(each.disk for each in sizes))} on disk, and up to "
        f"{in_bytes(max(each.memory for each in sizes))} of memory while simulating"
    )
    check_room(folder, [each.disk for each in sizes])
    rows, files = [], []
    for D, target in targets.items():
        count, source = counts[D], sources[D]
        for note in source.notes:
            out.note(note)
        with out.progress(count * source.frames, f"simulating {pde} in {D}D") as progress:
            write_well(
                target,
                source,
                name=pde,
                parameters={name: each for name, each in equation.parameters.items() if name not in numbers},
                about={"step": "generate", "formula": equation.equation, **source.origin},
                force=claim.replaces(target),
                progress=progress.follow,
            )
        grid, bytes_ = "x".join(map(str, source.spatial)), target.stat().st_size
        rows.append((str(target), D, grid, count, source.frames, f"{bytes_ / 2**20:.1f}"))
        files.append({"path": str(target), "dim": D, "grid": list(source.spatial), "trajectories": count,
                      "frames": source.frames, "bytes": bytes_}
                     | {key: source.origin[key] for key in _OF_A_FILE if key in source.origin})  # fmt: skip
    claim.done()
    said = {"time_step": equation.time_step, **equation.parameters}
    said = {
        name: " or ".join(f"{each:g}" for each in numbers.get(name, (value,))) for name, value in said.items()
    }
    step = said.pop("time_step")
    out.fields(
        f"{pde}: {equation.equation}",
        {
            "coefficients": ", ".join(f"{name} {value}" for name, value in said.items()),
            "fields": ", ".join(_kind(each) for each in equation.fields),
            "grid spacing": equation.spacing,
            "time step": step,
        },
    )
    out.table("Files", ("file", "dim", "grid", "trajectories", "frames", "MiB"), rows)
    step_of_all = next(iter(sources.values())).time_step
    payload = {"equation": pde, "spacing": equation.spacing, "time_step": step_of_all, "seed": seed}
    payload |= {"vary": numbers} if numbers else {}
    out.result(folder, payload | {"parameters": dict(equation.parameters), "files": files})
    out.next_step(f"ginjax data inspect {shell_word(str(next(iter(targets.values()))))}")


def _parse_vary(texts: Sequence[str]) -> dict[str, list[float]]:
    from ginjax.errors import ArgumentError

    found: dict[str, list[float]] = {}
    for text in texts:
        name, separator, values = text.partition("=")
        try:
            numbers = [float(each) for each in values.split(",")]
        except ValueError:
            numbers = []
        if not separator or not name or not numbers or name in found:
            raise ArgumentError(
                "--vary",
                got=repr(text),
                expected="NAME=NUMBER,NUMBER,..., each name once, such as time_step=0.02,0.04",
            )
        found[name] = numbers
    return found


def _parse_dims(text: str) -> list[int]:
    from ginjax.errors import ArgumentError

    parts = [part.strip() for part in text.split(",")]
    if not set(parts) <= {"1", "2", "3"} or len(set(parts)) != len(parts):
        raise ArgumentError("--dim", got=repr(text), expected="some of 1, 2 and 3, separated by commas")
    return sorted(int(part) for part in parts)


def _kind(field: Any) -> str:
    return f"{field.name}:{field.k}{'-' if field.p else '+'}"
