"""`ginjax convert-d`: carry a trained network to another dimension."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ginjax._text import shell_line, shell_word

from ._by_axis import by_axis
from ._calibrate_conversion import calibrate_conversion, rule_to_calibrate
from ._choices import Choice
from ._config_file import given_options
from ._data_options import (
    DataAxes,
    DataConditions,
    DataFields,
    DataParity,
    DataPart,
    DataPeriodic,
    Samples,
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
from ._rule_table import show_comparison
from ._samples_asked import SamplesAsked
from ._verify_conversion import verify_conversion
from ._way_to_convert import names_conversion

if TYPE_CHECKING:
    from ginjax.checkpoint import Conversion
    from ginjax.transfer import Certificate

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
DEFAULT_SIZE = 32
_OF_ONE_CONVERSION = (
    "flex",
    "lift_parity",
    "calibrate",
    "dtype",
    "tol",
    "verify",
    "allow_inexact",
    "output",
    "dry_run",
    "size",
)
MAX_FLEX = 100.0
"""Far beyond it the two solutions that are mixed cancel to fewer digits than a file holds."""


@names_conversion("calibrate", "data")
def convert_d(
    ctx: typer.Context,
    model: Annotated[
        Path,
        typer.Argument(
            help="The model file to convert, or a network of another library: as safetensors (one file, or the .index.json of "
            "several), or as a graph (.onnx).",
            metavar="MODEL",
        ),
    ],
    to_dim: Annotated[int, typer.Option("--to-dim", min=1, max=8, help="Dimension to convert to.")],
    rescale: Annotated[
        str | None,
        typer.Option(
            "--rescale",
            parser=RULES,
            metavar=RULES.metavar,
            help="Rule for the new weights. compatibility reproduces the network exactly on fields that do not vary along the "
            "new axes; isotropic reproduces the network exactly too, and makes filters answer waves of every direction alike as "
            "far as they can: scalars from 1D within the range of the old filters, other paths are only pulled that way; "
            "compat-flex chooses among the exact solutions, by --flex; spin-embed is another name of compatibility; volume keeps the size of each filter; compatibility-norm matches tensor norms; none only "
            "extends the filters. For plain networks and those of other libraries: tile spreads the kernel over as many slices as its "
            "stride has; centre puts the kernel in the central slice of the new axis; mean spreads the kernel evenly along the "
            "new axis. all compares the rules and writes nothing.",
            show_default="compatibility, or tile for a network of another library",
        ),
    ] = None,
    flex: Annotated[
        float | None,
        typer.Option(
            "--flex",
            min=-MAX_FLEX,
            max=MAX_FLEX,
            help="With --rescale compat-flex: which exact solution; 0 is the sparsest, 1 that of compatibility.",
        ),
    ] = None,
    lift_parity: Annotated[
        bool,
        typer.Option(
            "--lift-parity",
            help="Turn odd scalars, such as vorticity in 2D, into odd vectors along the new axis, which is exact.",
        ),
    ] = False,
    new_boundary: Annotated[
        list[str] | None,
        typer.Option(
            "--new-boundary",
            help="What the new axes do at their ends: periodic, edge (the last value goes on beyond it; exact for every field) or "
            "mirror (its mirror image; exact for even fields); for all of them, or by axis, such as z=edge; may be repeated. "
            "Those of a graph of ONNX do what its other axes do, unless periodic or edge is asked for.",
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
            help="With --rescale all: add the error on held-out simulations of this equation in the new dimension.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="With --rescale all: add the error on these data in the new dimension: a file or a folder, see 'ginjax "
            "data inspect', or pairs.",
            metavar="PATH",
        ),
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            "--calibrate",
            help="Choose among the exact solutions, one number a layer, on samples of these data: in the new dimension, or in "
            "that of the model, which are laid into the new one in random directions. Starts from --rescale isotropic, or "
            "from compat-flex if that is asked for. On the training set, if the data are split. Loads JAX.",
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
        typer.Option("--dtype", help="Precision of the weights written.", show_default="as they are"),
    ] = None,
    tol: Annotated[
        float | None,
        typer.Option("--tol", min=0, help="Largest residual accepted as exact.", show_default="by precision"),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Also run both networks on random fields before writing (loads JAX)."),
    ] = False,
    allow_inexact: Annotated[
        bool,
        typer.Option("--allow-inexact", help="Write the closest weights where no exact ones exist."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would happen and write nothing.")
    ] = False,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            min=1,
            max=65536,
            help="With --dry-run: grid points along each axis, for the cost of a forward pass.",
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

    Going up solves, for every convolution, which weights in the new dimension give the old network back on fields
    that do not vary along the new axes, checks the result, and writes it with a certificate. Neither data nor a
    run of the network is needed. Going down is unique and undoes it. The same input gives the same bytes.

    A network of another library, such as MONAI or timm, is carried over by its state dict; what the file does not tell
    (transposed convolutions, strides) is said by --modules or by patterns. A graph of ONNX says all of that itself.
    """
    out = Output(json=json, quiet=quiet)
    network = NetworkOptions(
        modules, like, layout, transposed, stride, padding, keep, drop, new_axis, from_dim
    )
    from ginjax.onnx import is_onnx

    if is_onnx(model):
        from . import _onnx

        words = given_options(ctx, without=("dry_run", "json", "quiet"))
        _onnx.convert(out, model, to_dim, rescale or "tile", network, output, given=ctx.params, words=words)
        return
    if _is_foreign(model, network):
        from . import _state_dict

        _state_dict.refuse_meaningless(ctx.params)
        _state_dict.convert(
            out,
            model,
            to_dim,
            rescale or "tile",
            network,
            output,
            tol=tol,
            allow_inexact=allow_inexact,
            dry_run=dry_run,
            force=force,
            words=given_options(ctx, without=("dry_run", "json", "quiet")),
        )
        return
    ctx.params["rescale"] = rescale = rescale or "compatibility"
    how = (field, parity, periodic, axes, condition)
    ends = by_axis("--new-boundary", new_boundary)
    if data is None and calibrate is None:
        read = {"field": field, "axes": axes, "parity": parity, "periodic": periodic}
        unread = read | {"condition": condition, "split": split}
        refuse_unread(unread | ({} if pde else {"samples": samples}), "--data or --calibrate")
    if rescale == "all":
        _refuse_with_all(ctx)
        sampled = SamplesAsked(data, how, pde, samples, split, seed, ends, new_axis)
        _compare(out, model, to_dim, sampled, tuple(new_boundary or ()))
        return
    _check_one_rule(ctx)
    target = output or model.parent / f"{model.name.removesuffix('.safetensors')}.{to_dim}d.safetensors"
    from ginjax.checkpoint import check_output, check_target

    check_output(target, "model", {"the model to be converted": model, "the data": calibrate})
    if not dry_run:
        check_target(target, force=force, links=output is not None)
    from ginjax.checkpoint import check_certificate, convert_record, read_model, to_be_lifted
    from ginjax.transfer import find_rule

    record, chosen = read_model(model), {}
    if calibrate is None:
        rule = find_rule(rescale, flex)
        conversion = convert_record(
            record,
            to_dim,
            rule,
            dtype=dtype,
            parity_lift=lift_parity,
            new_boundary=ends,
            new_axis=new_axis,
        )
    else:
        conversion, chosen = calibrate_conversion(
            out,
            record,
            to_dim,
            rule_to_calibrate(ctx),
            SamplesAsked(calibrate, how, None, samples, split, seed, ends, new_axis),
        )
    # The file keeps the tolerance of its precision; --tol is about this run.
    certificate = conversion.certificate.with_tolerance(tol)
    payload = chosen | _report(out, conversion, certificate, dry_run)
    costs = _costs(out, conversion, size) if dry_run else None
    if not allow_inexact:
        check_certificate(certificate)
    out.line(f"parameters: {conversion.before.parameters} -> {conversion.after.parameters}")
    odd = to_be_lifted(record) if to_dim > record.D and not lift_parity else None
    if odd is not None:
        out.note(odd)
    if verify:
        payload["verification"] = verify_conversion(out, conversion, seed, allow_inexact)
    if dry_run:
        out.result(None, payload | {"cost": costs})
        words = given_options(ctx, without=("dry_run", "size", "json", "quiet", "verify"))
        if "--rescale" not in words and calibrate is None:
            words += ["--rescale", rescale]
        out.next_step(shell_line(["ginjax", "convert-d", str(model), *words]))
        return
    _write(out, conversion, model, target, payload, force=force)


def _is_foreign(model: Path, network: NetworkOptions) -> bool:
    """Whether the file holds a network of another library; options about such a network are refused for any other."""
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


def _compare(out: Output, model: Path, to_dim: int, samples: SamplesAsked, ends: "tuple[str, ...]") -> None:
    """Every rule beside the others; nothing is written."""
    from ginjax.checkpoint import read_model
    from ginjax.ml.transfer import compare_rules

    record = read_model(model)
    task = about = None
    if samples.path is not None or samples.pde is not None:
        task, name = samples.of(out, record, to_dim)
        about = f"{len(task.indices)} samples of {name}"
    found = compare_rules(record, to_dim, task, samples.new_boundary, samples.new_axis)
    words = [f"--new-boundary {shell_word(each)}" for each in ends]
    words += [] if samples.new_axis is None else [f"--new-axis {shell_word(samples.new_axis)}"]
    show_comparison(out, model, record, to_dim, found, about, words)


def _report(
    out: Output, conversion: "Conversion", certificate: "Certificate", dry_run: bool
) -> dict[str, Any]:
    """Show what happened to each layer, and say it as plain values."""
    from ._certificate import axes_in_words, certificate_payload, show_certificate, show_paths

    before, after = conversion.before, conversion.after
    moved = axes_in_words(before.contract, after.contract, certificate)
    if moved is not None:
        out.note(moved)
    show_paths(out, f"{after.spec['architecture']}, {before.D}D -> {after.D}D", certificate)
    show_certificate(out, certificate)
    return {
        "from_dim": before.D,
        "to_dim": after.D,
        "parameters_before": before.parameters,
        "parameters_after": after.parameters,
        "dry_run": dry_run,
        "certificate": certificate_payload(certificate),
    }


def _costs(out: Output, conversion: "Conversion", size: int | None) -> Any:
    """What the network costs before and after."""
    from ._cost import show_cost

    return show_cost(out, (conversion.before, conversion.after), DEFAULT_SIZE if size is None else size)


def _write(
    out: Output, conversion: "Conversion", model: Path, target: Path, payload: dict[str, Any], *, force: bool
) -> None:
    """Write the converted model and name what can be done with it."""
    from ginjax.checkpoint import write_model

    sha256 = write_model(target, conversion.after, force=force)
    out.result(target, payload | {"sha256": sha256})
    D = conversion.after.D
    out.note(f"use it in Python: ginjax.load({str(target)!r}), on {D}D fields")
    low, high = (model, target) if conversion.before.D < D else (target, model)
    out.next_step(f"ginjax verify {shell_word(low)} {shell_word(high)}")


def _refuse_with_all(ctx: typer.Context) -> None:
    """Options of one conversion mean nothing to a comparison of all of them."""
    from ginjax.errors import ArgumentError

    for name in _OF_ONE_CONVERSION:
        if ctx.params[name] is not None and ctx.params[name] is not False:
            raise ArgumentError(
                f"--{name.replace('_', '-')}",
                got="--rescale all, which compares and writes nothing",
                expected="one rule",
            )
    if ctx.params["data"] is not None and ctx.params["pde"] is not None:
        raise ArgumentError("--pde", got="--data as well", expected="one of the two")


def _check_one_rule(ctx: typer.Context) -> None:
    """Refuse options that would be ignored or contradict the rule."""
    from ginjax.errors import ArgumentError
    from ginjax.transfer import find_rule

    given = ctx.params
    rescale = given["rescale"]
    if given["size"] is not None and not given["dry_run"]:
        raise ArgumentError("--size", got="a conversion to be written", expected="--dry-run")
    for name in ("pde", "data"):
        if given[name] is not None:
            raise ArgumentError(f"--{name}", got=f"--rescale {rescale}", expected="--rescale all")
    find_rule(rescale, given["flex"])
    if given["calibrate"] is None:
        return
    # Calibration shapes the weights around one rule; what else would shape them is refused.
    rule_to_calibrate(ctx)
    for name in ("flex", "dtype", "lift_parity"):
        if given[name]:
            option = f"--{name.replace('_', '-')}"
            raise ArgumentError("--calibrate", got=option, expected=f"no {option}")
