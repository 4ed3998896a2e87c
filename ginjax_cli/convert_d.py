"""`ginjax convert-d`: convert a trained network to another dimension."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ._choices import Choice
from ._config_file import given_options
from ._conversion_asked import ConversionAsked
from ._cost import DEFAULT_SIZE
from ._data_options import (
    DataAxes,
    DataConditions,
    DataFields,
    DataParity,
    DataPart,
    DataPeriodic,
    Samples,
    reading_of,
    refuse_unread,
)
from ._network_options import (
    DescribeLines,
    Drop,
    FromDim,
    Keep,
    Layout,
    Like,
    Modules,
    NetworkOptions,
    NewAxis,
    Padding,
    Stride,
    Transposed,
)
from ._options import EQUATIONS, Debug, Force, Json, OptionalOutputPath, Quiet, Seed
from ._output import Output
from ._samples_asked import SamplesAsked
from ._way_to_convert import names_conversion

RULES = Choice(
    (
        "compatibility",
        "isotropic",
        "compat-flex",
        "spin-embed",
        "volume",
        "compatibility-norm",
        "none",
        "tile",
        "centre",
        "mean",
    ),
    "ginjax.rules",
    also=("all",),
)
MAX_FLEX = 100.0
"""Far beyond it, the two solutions in the mixture cancel, and fewer digits are left than a file holds."""


@names_conversion("calibrate", "data")
def convert_d(
    ctx: typer.Context,
    model: Annotated[
        Path,
        typer.Argument(
            help="The model file to convert, or a network of another library: as safetensors (one file, or the "
            ".index.json of several), or as an ONNX graph (.onnx).",
            metavar="MODEL",
        ),
    ],
    to_dim: Annotated[int, typer.Option("--to-dim", min=1, max=8, help="The new dimension.")],
    rescale: Annotated[
        str | None,
        typer.Option(
            "--rescale",
            parser=RULES,
            metavar=RULES.metavar,
            help="The rule for the new weights. compatibility reproduces the network exactly on fields that do not vary "
            "along the new axes. isotropic reproduces the network exactly too, and makes filters answer waves of every "
            "direction alike as far as they can: scalars from 1D within the range of the old filters, other paths are "
            "only pulled that way. compat-flex chooses among the exact solutions by --flex. spin-embed is another name "
            "of compatibility. volume keeps the size of each filter. compatibility-norm matches tensor norms. none only "
            "extends the filters. For plain networks and those of other libraries, tile spreads the kernel over as many "
            "slices as its stride has, centre puts the kernel in the central slice of the new axis, and mean spreads "
            "the kernel evenly along the new axis. all compares the rules and writes nothing.",
            show_default="compatibility, or tile for a network of another library",
        ),
    ] = None,
    flex: Annotated[
        float | None,
        typer.Option(
            "--flex",
            min=-MAX_FLEX,
            max=MAX_FLEX,
            help="With --rescale compat-flex: which exact solution to take. 0 is the sparsest, 1 that of compatibility.",
        ),
    ] = None,
    lift_parity: Annotated[
        bool,
        typer.Option(
            "--lift-parity",
            help="Turn odd scalars, such as the vorticity in 2D, into odd vectors along the new axis. This is exact.",
        ),
    ] = False,
    new_boundary: Annotated[
        list[str] | None,
        typer.Option(
            "--new-boundary",
            help="What lies beyond the ends of the new axes: periodic, edge (the last value; exact for every field) or "
            "mirror (the mirror image; exact for even fields). For a single axis: z=edge. May be repeated. Without it, "
            "the new axes of an ONNX graph are padded like its others.",
            metavar="[AXIS=]periodic|edge|mirror",
            show_default="periodic",
        ),
    ] = None,
    pde: Annotated[
        str | None,
        typer.Option(
            "--pde",
            parser=EQUATIONS,
            metavar=EQUATIONS.metavar,
            help="With --rescale all: also show the errors on simulations of this equation in the new dimension.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="With --rescale all: also show the errors on these data of the new dimension, a file or a folder (see "
            "'ginjax data inspect') or pairs.",
            metavar="PATH",
        ),
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            "--calibrate",
            help="Choose among the exact solutions on samples of these data, with one number for each layer. The data "
            "have the new dimension or that of the model; the latter are placed in the new one in random directions. "
            "The choice starts from isotropic, or from --rescale compat-flex. Loads JAX.",
            metavar="PATH",
        ),
    ] = None,
    samples: Samples = None,
    field: DataFields = None,
    axes: DataAxes = None,
    parity: DataParity = None,
    periodic: DataPeriodic = None,
    condition: DataConditions = None,
    split: DataPart = None,
    dtype: Annotated[
        Literal["float16", "float32", "float64"] | None,
        typer.Option("--dtype", help="Precision of the written weights.", show_default="as they are"),
    ] = None,
    tol: Annotated[
        float | None,
        typer.Option("--tol", min=0, help="Largest residual taken as exact.", show_default="by precision"),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Run both networks on random fields before writing. Loads JAX for models."
        ),
    ] = False,
    allow_inexact: Annotated[
        bool,
        typer.Option("--allow-inexact", help="Write the closest weights if no exact ones exist."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would happen, and write nothing.")
    ] = False,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            min=1,
            max=65536,
            help="With --dry-run: grid points along each axis for the cost of a forward pass.",
            show_default=str(DEFAULT_SIZE),
        ),
    ] = None,
    modules: Modules = None,
    like: Like = None,
    layout: Layout = "pytorch",
    transposed: Transposed = None,
    stride: Stride = None,
    padding: Padding = None,
    keep: Keep = None,
    drop: Drop = None,
    new_axis: NewAxis = None,
    from_dim: FromDim = None,
    describe_lines: DescribeLines = False,
    output: OptionalOutputPath = None,
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Convert a trained network to another dimension.

    On the way up, the command computes new weights for every convolution. With them the network does what it did before
    on fields that do not vary along the new axes. The command checks this and writes a certificate with the weights. It
    needs no data and does not run the network, unless --calibrate, --data or --verify ask for it. The way down is unique and undoes the way up. The same input gives the
    same bytes.

    A network of another library, such as MONAI or timm, is converted from its state dict. State with --modules or with
    patterns what this file does not tell (transposed convolutions, strides). An ONNX graph states all of this itself.
    """
    out = Output(json=json, quiet=quiet)
    network = NetworkOptions(
        modules=modules,
        like=like,
        layout=layout,
        transposed=transposed,
        stride=stride,
        padding=padding,
        keep=keep,
        drop=drop,
        new_axis=new_axis,
        from_dim=from_dim,
    )
    from ginjax.onnx import is_onnx

    graph = is_onnx(model)
    not_again = ("dry_run", "size", "json", "quiet", *(() if graph else ("verify",)))
    asked = ConversionAsked(
        source=model,
        to_dim=to_dim,
        rescale=rescale,
        flex=flex,
        lift_parity=lift_parity,
        ends=tuple(new_boundary or ()),
        new_axis=new_axis,
        dtype=dtype,
        tol=tol,
        verify=verify,
        allow_inexact=allow_inexact,
        dry_run=dry_run,
        size=size,
        output=output,
        force=force,
        seed=seed,
        words=tuple(given_options(ctx, without=not_again)),
    )
    if graph:
        from . import _onnx

        _onnx.refuse_meaningless(ctx.params)
        _onnx.convert(out, asked, network)
        return
    if _is_foreign(model, network):
        from . import _state_dict

        _state_dict.refuse_meaningless(ctx.params)
        _state_dict.convert(out, asked, network)
        return
    from . import _convert_model

    if data is None and calibrate is None:
        read = {"field": field, "axes": axes, "parity": parity, "periodic": periodic}
        unread = read | {"condition": condition, "split": split}
        refuse_unread(unread | ({} if pde else {"samples": samples}), "--data or --calibrate")
    compares = rescale == "all"
    _convert_model.refuse_meaningless(ctx.params, compares=compares)
    path = calibrate if data is None else data
    sampled = None
    if path is not None or pde is not None:
        sampled = SamplesAsked(
            path=path,
            reading=reading_of(field, parity, periodic, axes, condition),
            pde=pde,
            count=samples,
            split=split,
            seed=seed,
            new_boundary=asked.new_boundary,
            new_axis=new_axis,
        )
    if compares:
        _convert_model.compare(out, asked, sampled)
    else:
        _convert_model.convert(out, asked, sampled)


def _is_foreign(model: Path, network: NetworkOptions) -> bool:
    """Whether the file holds a network of another library. For other files, options about such networks are refused."""
    from ginjax.errors import ArgumentError
    from ginjax.state_dict import is_state_dict

    if is_state_dict(model):
        return True
    for name in network.given():
        raise ArgumentError(
            f"--{name.replace('_', '-')}",
            got=f"{model}, which is none",
            expected="a network of another library, as safetensors",
        )
    return False
