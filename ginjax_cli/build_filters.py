"""`ginjax build-filters`: the fixed filters a network is made of."""

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
            "--dim", min=1, max=16, help="Dimension of space; may be repeated.", show_default="1, 2, 3"
        ),
    ] = None,
    side: Annotated[int, typer.Option("--side", min=1, max=255, help="Side of the filters in pixels.")] = 3,
    order: Annotated[
        list[int] | None,
        typer.Option(
            "--order", min=0, help="Tensor order of the filters; may be repeated.", show_default="0, 1, 2"
        ),
    ] = None,
    parity: Annotated[
        list[int] | None,
        typer.Option(
            "--parity",
            min=0,
            max=1,
            help="Parity of the filters, 0 (even) or 1 (odd); may be repeated.",
            show_default="0, 1",
        ),
    ] = None,
    scaling: Annotated[
        Literal["one", "normalize", "gaussian"],
        typer.Option(
            "--scaling",
            help="Scaling of the filters: largest entry 1 (one), norm 1 at every pixel (normalize), or that times a "
            "Gaussian (gaussian).",
        ),
    ] = "one",
    support: Annotated[
        Literal["full", "cut", "summed", "orthoplex"],
        typer.Option(
            "--support",
            help="Which filters: all (full); those within --max-l1 (cut); those of equal L1 radius summed up (summed); or "
            "the smallest set that transfer between dimensions maps to itself (orthoplex).",
        ),
    ] = "full",
    max_l1: Annotated[
        float | None,
        typer.Option(
            "--max-l1",
            min=0,
            help="Largest L1 distance from the centre in pixels, for every support but full.",
            show_default="half of side - 1",
        ),
    ] = None,
    output: OutputPath = Path("filters.safetensors"),
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Build the invariant filter bases and write them to a file.

    Lists how many filters there are for each dimension, order and parity, beside the number that the character
    formula of the symmetry group gives for the whole space.
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
                make_block(D, recipe, k, p)  # remembered: the banks below are put together from these
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
    """The formula counts the whole space, so a smaller basis is right only for the supports that sum filters."""
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
