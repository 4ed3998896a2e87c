"""`ginjax build-filters`: the fixed filters of which a network is made."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from ginjax._text import shell_word

from ._options import Debug, Force, Json, OutputPath, Quiet
from ._output import Output

if TYPE_CHECKING:
    from ginjax.filters import BankRecipe, FilterBank

_COLUMNS = ("dim", "side", "order", "parity", "filters", "character formula", "orbits", "pixels")


def build_filters(
    dim: Annotated[
        list[int] | None,
        typer.Option(
            "--dim", min=1, max=16, help="Dimension of space. May be repeated.", show_default="1, 2, 3"
        ),
    ] = None,
    side: Annotated[
        int, typer.Option("--side", min=1, max=255, help="Side length of the filters in pixels.")
    ] = 3,
    order: Annotated[
        list[int] | None,
        typer.Option(
            "--order", min=0, help="Tensor order of the filters. May be repeated.", show_default="0, 1, 2"
        ),
    ] = None,
    parity: Annotated[
        list[int] | None,
        typer.Option(
            "--parity",
            min=0,
            max=1,
            help="Parity of the filters: 0 (even) or 1 (odd). May be repeated.",
            show_default="0, 1",
        ),
    ] = None,
    scaling: Annotated[
        Literal["one", "normalize", "gaussian"],
        typer.Option(
            "--scaling",
            help="Scaling of the filters: largest entry 1 (one), norm 1 at every pixel that is not zero "
            "(normalize), or the second times exp(-r), with the distance r from the centre in pixels "
            "(gaussian).",
        ),
    ] = "one",
    support: Annotated[
        Literal["full", "cut", "summed", "orthoplex"],
        typer.Option(
            "--support",
            help="Which filters to build: all (full); those within --max-l1 (cut); the same, with filters of "
            "equal L1 radius added up (summed); or a small set that conversions map to itself (orthoplex).",
        ),
    ] = "full",
    max_l1: Annotated[
        float | None,
        typer.Option(
            "--max-l1",
            min=0,
            help="Largest L1 distance from the centre in pixels, for every support except full.",
            show_default="half of (side - 1)",
        ),
    ] = None,
    output: OutputPath = Path("filters.safetensors"),
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Build the invariant filter bases and write them to a file.

    The command lists the number of filters for each dimension, order and parity. Beside it stands the number that the
    character formula of the symmetry group gives for the space of all invariant filters. You need the file only for the
    option --filters of other commands, which build their filters themselves without it.
    """
    from ginjax.checkpoint import check_output, check_target, write_banks
    from ginjax.filters import BankRecipe, make_bank, make_block

    out = Output(json=json, quiet=quiet)
    check_output(output, "filters")
    check_target(output, force=force)
    recipe = BankRecipe(side, scaling=scaling, support=support, max_pixel_l1=max_l1)
    dims = sorted(set(dim or (1, 2, 3)))
    keys = sorted({(k, p) for k in order or (0, 1, 2) for p in parity or (0, 1)})

    with out.progress(len(dims) * len(keys), "building filters") as progress:
        for D in dims:
            for k, p in keys:
                make_block(D, recipe, k, p)  # cached: the banks below consist of these blocks
                progress.advance(status=f"dimension {D}, order {k}, parity {p}")
    banks = [make_bank(D, recipe, keys) for D in dims]
    rows = [_row(bank, recipe, k, p) for bank in banks for k, p in bank.keys]
    _check_counts(rows, support)
    digest = write_banks(output, banks, force=force)

    out.table("Filters invariant under rotations and reflections of the grid", _COLUMNS, rows)
    names = [name.replace(" ", "_") for name in _COLUMNS]
    payload: dict[str, Any] = {
        "bases": [dict(zip(names, row, strict=True)) for row in rows],
        "banks": {str(bank.D): bank.digest for bank in banks},
        "recipe": recipe.to_json(),
        "sha256": digest,
    }
    out.result(output, payload)
    out.next_step(f"ginjax train --filters {shell_word(output)}")


def _row(bank: "FilterBank", recipe: "BankRecipe", k: int, p: int) -> tuple[int, ...]:
    from ginjax.filters import character_count, hyperoctahedral, pixel_orbits

    limit = recipe.max_pixel_l1
    unit = 1.0 if recipe.side % 2 else 0.5  # coordinates on even sides count half-pixels
    orbits = [
        len(orbit.positions)
        for orbit in pixel_orbits(hyperoctahedral(bank.D), recipe.side)
        if limit is None or sum(orbit.representative) * unit <= limit + 1e-9
    ]
    formula = character_count(bank.D, recipe.side, k, p, limit)
    return bank.D, recipe.side, k, p, len(bank.blocks[k, p]), formula, len(orbits), sum(orbits)


def _check_counts(rows: list[tuple[int, ...]], support: str) -> None:
    """Compare with the formula, which counts the whole space. Only supports that add up filters may have fewer."""
    from ginjax.errors import VerificationError

    summed = support in ("summed", "orthoplex")
    for row in rows:
        found = cast("dict[str, int]", dict(zip(_COLUMNS, row, strict=True)))
        filters, formula = found["filters"], found["character formula"]
        if filters > formula or (filters < formula and not summed):
            raise VerificationError(
                f"filters of dimension {found['dim']}, order {found['order']}, parity {found['parity']}",
                got=filters,
                expected=f"{formula} by the character formula",
                hint="This is a defect of ginjax: please report it.",
            )
