"""`ginjax init`: write an untrained network."""

from pathlib import Path
from typing import Annotated

import typer

from ginjax._text import in_bytes, shell_word

from ._by_axis import by_axis
from ._model_options import (
    Activation,
    Bias,
    Blocks,
    Channels,
    FilterFile,
    Levels,
    NonlinearityName,
    Norm,
    Padding,
    Plain,
    Side,
    Support,
    Upsample,
    network_of,
    parse_fields,
)
from ._options import ARCHITECTURES, Debug, Force, Json, OutputPath, Quiet, Seed
from ._output import Output


def init(
    ctx: typer.Context,
    architecture: Annotated[
        str,
        typer.Argument(
            parser=ARCHITECTURES,
            help="resnet, dilresnet, unet or series, or an architecture of an installed package.",
            metavar="ARCH",
        ),
    ],
    dim: Annotated[int, typer.Option("--dim", min=1, max=8, help="Dimension of space.")] = 1,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--in",
            help="An input field: NAME:ORDER and its parity + (even) or - (odd), such as density:0+. May be "
            "repeated.",
            metavar="FIELD",
            show_default="density:0+",
        ),
    ] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            "--out",
            help="An output field. May be repeated.",
            metavar="FIELD",
            show_default="the input fields",
        ),
    ] = None,
    channels: Channels = 16,
    blocks: Blocks = 2,
    levels: Levels = 2,
    side: Side = 3,
    support: Support = "full",
    filters: FilterFile = None,
    activation: Activation = "tanh",
    norm: Norm = False,
    bias: Bias = "auto",
    upsample: Upsample = "repeat",
    plain: Plain = False,
    nonlinearity: NonlinearityName = "vector-neuron",
    padding: Padding = None,
    output: OutputPath = Path("model.safetensors"),
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Build an untrained network and write it to a model file.

    Every axis is periodic, except those that --padding names. A --padding without a name means all axes.
    """
    from ginjax.checkpoint import check_output, check_target

    out = Output(json=json, quiet=quiet)
    check_output(output, "model", {"the file of filters": filters})
    check_target(output, force=force)
    sources = parse_fields(inputs or ["density:0+"])
    targets = parse_fields(outputs) if outputs else sources

    from ginjax._version import __version__
    from ginjax.checkpoint import DataContract, axes_of
    from ginjax.models import count_params, save_model

    network = network_of(ctx)
    walled = by_axis("--padding", padding)
    axes = axes_of((walled is None or isinstance(walled, dict),) * dim)
    if isinstance(walled, dict):
        axes = axes_of(tuple(axis.name not in walled for axis in axes))
    design = network.design(sources, targets, axes)
    model = design.build(dim, seed)
    contract = DataContract(
        axes,
        fields=tuple(sources),
        targets=None if targets == sources else tuple(targets),
    )
    sha256 = save_model(
        output,
        model,
        contract=contract,
        provenance=[{"step": "init", "version": __version__, "seed": seed}],
        force=force,
    )
    parameters = count_params(model)
    out.fields(
        "Untrained model",
        {
            "architecture": design.architecture,
            "dimension": dim,
            "inputs": ", ".join(inputs or ["density:0+"]),
            "outputs": ", ".join(outputs or inputs or ["density:0+"]),
            "channels": channels,
            "parameters": parameters,
            "size of the weights": in_bytes(4 * parameters),
        },
    )
    out.result(
        output,
        {
            "dimension": dim,
            "parameters": parameters,
            "weight_bytes": 4 * parameters,
            "spec": model.spec.to_json(),
            "sha256": sha256,
        },
    )
    out.next_step(f"ginjax inspect {shell_word(output)}")
