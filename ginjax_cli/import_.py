"""`ginjax import`: bring in a trained network from an Equinox checkpoint."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._model_options import (
    FilterFile,
    OptionalActivation,
    OptionalBias,
    OptionalBlocks,
    OptionalChannels,
    OptionalLevels,
    OptionalNorm,
    OptionalSide,
    OptionalSupport,
    Plain,
    parse_fields,
    recipe_in,
)
from ._options import ARCHITECTURES, Debug, Force, Json, OutputPath, Quiet
from ._output import Output

if TYPE_CHECKING:
    from ginjax.filters import BankRecipe


def import_(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            help="A checkpoint of Equinox (.eqx), as the research library ginjax writes it. A line of JSON may "
            "stand before its arrays.",
            metavar="FILE",
        ),
    ],
    architecture: Annotated[
        str,
        typer.Option(
            "--arch",
            parser=ARCHITECTURES,
            help="The architecture of the saved network.",
            metavar=ARCHITECTURES.metavar,
        ),
    ],
    inputs: Annotated[
        list[str],
        typer.Option(
            "--in",
            help="An input field: NAME:ORDER and its parity + (even) or - (odd), such as density:0+. Repeat "
            "it for every field, in the order of the channels.",
            metavar="FIELD",
        ),
    ],
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            "--out",
            help="An output field. May be repeated.",
            metavar="FIELD",
            show_default="the input fields",
        ),
    ] = None,
    constants: Annotated[
        list[str] | None,
        typer.Option(
            "--constant",
            help="An input field that does not vary in time. It comes after the others. May be repeated.",
            metavar="FIELD",
        ),
    ] = None,
    past_steps: Annotated[
        int, typer.Option("--past-steps", min=1, max=4096, help="Number of frames of each field in an input.")
    ] = 1,
    dim: Annotated[
        int | None,
        typer.Option(
            "--dim", min=1, max=8, help="Dimension of space.", show_default="that of the filters or kernels"
        ),
    ] = None,
    periodic: Annotated[
        str,
        typer.Option(
            "--periodic", help="The periodic axes: all, none, or names such as x,y.", metavar="AXES"
        ),
    ] = "all",
    channels: OptionalChannels = None,
    blocks: OptionalBlocks = None,
    levels: OptionalLevels = None,
    activation: OptionalActivation = None,
    norm: OptionalNorm = None,
    bias: OptionalBias = None,
    plain: Plain = False,
    side: OptionalSide = None,
    support: OptionalSupport = None,
    filters: FilterFile = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Any other argument of the constructor, with its value in JSON or as text: num_conv=1, "
            "padding_mode=CIRCULAR or mid_keys=[[0,0,8]]. May be repeated.",
            metavar="NAME=VALUE",
        ),
    ] = None,
    output: OutputPath = Path("model.safetensors"),
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Bring in a network that was saved as an Equinox checkpoint.

    Such a file contains arrays without names, and no description of the network. State the architecture, the fields, and
    every argument of the constructor that does not have its default. The command checks every array of the file against
    this description.
    """
    from ginjax.checkpoint import DataContract, axes_of, check_output, check_target, write_model
    from ginjax.data import periodic_axes
    from ginjax.errors import ArgumentError
    from ginjax.models import count_params, import_eqx, signature_of, spec_from_words, to_record

    out = Output(json=json, quiet=quiet)
    check_output(output, "model", {"the checkpoint": file, "the file of filters": filters})
    check_target(output, force=force)
    fields, constant = tuple(parse_fields(inputs)), tuple(parse_fields(constants or ()))
    targets = tuple(parse_fields(outputs)) if outputs else fields

    def contract(is_torus: tuple[bool, ...]) -> DataContract:
        return DataContract(
            axes_of(is_torus),
            fields=fields,
            constants=constant,
            targets=None if targets == fields else targets,
            past_steps=past_steps,
        )

    words = {
        name: ctx.params[name]
        for name in ("channels", "blocks", "levels", "activation", "norm", "bias", "plain")
    }
    if plain:
        words["side"] = side
    spec = spec_from_words(
        architecture,
        signature_of(contract((True,)).inputs),
        signature_of(targets),
        words,
        _settings(settings),
    )
    imported = import_eqx(file, spec, D=dim, recipe=_recipe(plain, side, support, filters), **_step())
    model = imported.model
    if side is not None and not plain and imported.record.banks["conv"].side != side:
        raise ArgumentError(
            "`side`",
            got=side,
            expected=f"{imported.record.banks['conv'].side}, that of the filters in the file",
        )
    record = to_record(
        model, contract=contract(periodic_axes(periodic, model.D)), provenance=imported.record.provenance
    )
    sha256 = write_model(output, record, force=force)
    parameters = count_params(model)
    out.fields(
        "Imported model",
        {
            "architecture": model.spec.architecture,
            "dimension": model.D,
            "inputs": ", ".join([*inputs, *(constants or ())]),
            "outputs": ", ".join(outputs or inputs),
            "parameters": parameters,
            "filters": _filters(record.banks),
        },
    )
    out.result(
        output,
        {"dimension": model.D, "parameters": parameters, "spec": model.spec.to_json(), "sha256": sha256},
    )
    out.next_step(f"ginjax inspect {quote(str(output))}")


def _step() -> dict[str, Any]:
    from ginjax._version import __version__

    return {"version": __version__}


def _settings(texts: list[str] | None) -> dict[str, object]:
    """Texts such as `NAME=VALUE` as a mapping. A value that is not JSON is taken as text."""
    from ginjax.checkpoint import JsonProblem, parse_json
    from ginjax.errors import ArgumentError

    found: dict[str, object] = {}
    for text in texts or ():
        name, separator, value = text.partition("=")
        if not separator or not name.isidentifier() or name in found:
            raise ArgumentError("--set", got=repr(text), expected="NAME=VALUE, each name once")
        try:
            found[name] = parse_json(value)
        except JsonProblem:
            found[name] = value
    return found


def _recipe(plain: bool, side: int | None, support: str | None, filters: Path | None) -> "BankRecipe | None":
    """The recipe that the user stated; None to find one that fits."""
    from ginjax.errors import ArgumentError
    from ginjax.filters import BankRecipe

    if plain:
        for name, value in (("support", support), ("recipe", filters)):
            if value is not None:
                raise ArgumentError(f"`{name}`", got="`plain=True`", expected="an equivariant network")
        return None
    if filters is not None:
        if side is not None or support is not None:
            name = "side" if side is not None else "support"
            raise ArgumentError(
                f"`{name}`", got="`recipe` as well, which says it already", expected="one of the two"
            )
        return recipe_in(filters)
    if support is None:
        return None
    if side is None:
        raise ArgumentError("`side`", got="nothing", expected="the side of the filters beside `support`")
    return BankRecipe(side, support=support)  # pyright: ignore[reportArgumentType]


def _filters(banks: Any) -> str:
    """As what the filters of the file were recognised."""
    if not banks:
        return "none, an ordinary CNN"
    recipes = {role: bank.recipe for role, bank in banks.items()}
    return ", ".join(
        f"{role}: given as arrays"
        if recipe is None
        else f"{role}: side {recipe.side}, {recipe.support}, {recipe.scaling}"
        for role, recipe in recipes.items()
    )
