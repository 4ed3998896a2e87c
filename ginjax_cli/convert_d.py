"""`ginjax convert-d`: carry a trained network to another dimension."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ._data_options import DataFields, DataParity, DataPart, DataPeriodic
from ._options import Debug, Equation, Force, Json, OptionalOutputPath, Quiet, Seed
from ._output import Output
from ._own_task import Samples, own_task, refuse_unread
from ._rule_table import compare_rules

if TYPE_CHECKING:
    from ginjax.checkpoint import Conversion, ModelRecord
    from ginjax.ml import OwnTask
    from ginjax.models import Verification

RuleName = Literal[
    "compatibility",
    "compat-flex",
    "spin-embed",
    "volume",
    "compatibility-norm",
    "none",
    "centre",
    "mean",
    "all",
]
DEFAULT_SIZE = 32
MAX_FLEX = 100.0
"""Far beyond it the two solutions that are mixed cancel to fewer digits than a file holds."""


def convert_d(
    model: Annotated[Path, typer.Argument(help="The model file to convert.", metavar="MODEL")],
    to_dim: Annotated[int, typer.Option("--to-dim", min=1, max=8, help="Dimension to convert to.")],
    rescale: Annotated[
        RuleName,
        typer.Option(
            "--rescale",
            help="compatibility (spin-embed) reproduces the network exactly on fields that do not vary along the "
            "new axes; compat-flex exposes the freedom that leaves; volume keeps the size of each filter; "
            "compatibility-norm matches tensor norms; none only extends. For plain models: centre or mean. "
            "all compares the rules and writes nothing.",
        ),
    ] = "compatibility",
    flex: Annotated[
        float | None,
        typer.Option(
            "--flex",
            min=-MAX_FLEX,
            max=MAX_FLEX,
            help="For compat-flex: 0 is the sparsest exact solution, 1 the default one.",
        ),
    ] = None,
    lift_parity: Annotated[
        bool,
        typer.Option(
            "--lift-parity",
            help="Turn odd scalars (vorticity in 2D) into odd vectors along the new axis, which is exact.",
        ),
    ] = False,
    pde: Annotated[
        Equation | None,
        typer.Option("--pde", help="With all: add the error on held-out simulations in the new dimension."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="With all: add the error on these data in the new dimension; a file or a folder, see 'ginjax data "
            "inspect', or pairs.",
            metavar="PATH",
        ),
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            "--calibrate",
            help="For compat-flex: choose flex for each layer on samples of these data in the new dimension (loads "
            "JAX); the training part, if the data have parts.",
            metavar="PATH",
        ),
    ] = None,
    samples: Samples = None,
    field: DataFields = None,
    parity: DataParity = None,
    periodic: DataPeriodic = None,
    split: DataPart = None,
    dtype: Annotated[
        Literal["float16", "float32", "float64"] | None,
        typer.Option("--dtype", help="Precision of the weights written.", show_default="as they are"),
    ] = None,
    tol: Annotated[
        float | None,
        typer.Option("--tol", min=0, help="Largest residual accepted.", show_default="by precision"),
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
            help="With --dry-run: grid points along each axis.",
            show_default=str(DEFAULT_SIZE),
        ),
    ] = None,
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
    """
    from ginjax.checkpoint import check_certificate, check_target, convert_record, read_model, write_model
    from ginjax.errors import ArgumentError
    from ginjax.transfer import PLAIN_RULES, make_rule

    from ._certificate import certificate_payload, show_certificate, show_paths
    from ._cost import show_cost

    out = Output(json=json, quiet=quiet)
    reading = {"field": field, "parity": parity, "periodic": periodic, "split": split}
    if data is None and calibrate is None:
        refuse_unread(reading | ({} if pde else {"samples": samples}), "--data or --calibrate")
    if rescale == "all":
        _refuse_with_all(
            {
                "--flex": flex,
                "--lift-parity": lift_parity,
                "--calibrate": calibrate,
                "--dtype": dtype,
                "--tol": tol,
                "--verify": verify,
                "--allow-inexact": allow_inexact,
                "--output": output,
                "--dry-run": dry_run,
                "--size": size,
            }
        )
        if data is not None and pde is not None:
            raise ArgumentError("--pde", got="--data", expected="one of them")
        record, on = read_model(model), None
        if data is not None or pde is not None:
            on = own_task(out, record, to_dim, data, pde=pde, samples=samples, seed=seed, **reading)
        compare_rules(out, model, record, to_dim, on)
        return
    if size is not None and not dry_run:
        raise ArgumentError("--size", got="a conversion to be written", expected="--dry-run")
    for name, value in (("--pde", pde), ("--data", data)):
        if value is not None:
            raise ArgumentError(name, got=f"--rescale {rescale}", expected="--rescale all")
    if flex is not None and rescale in PLAIN_RULES:
        raise ArgumentError("flex", got=f"rule {rescale!r}", expected="rule 'compat-flex'")
    target = output or model.parent / f"{model.name.removesuffix('.safetensors')}.{to_dim}d.safetensors"
    if not dry_run:
        check_target(target, force=force)
    record, chosen = read_model(model), {}
    if calibrate is None:
        rule = rescale if rescale in PLAIN_RULES else make_rule(rescale, flex)
        conversion = convert_record(record, to_dim, rule, dtype=dtype, parity_lift=lift_parity)
    else:
        _check_alone(rescale, {"--flex": flex, "--dtype": dtype, "--lift-parity": lift_parity})
        task = own_task(out, record, to_dim, calibrate, default="train", samples=samples, **reading)
        conversion, chosen = _calibrate(out, record, to_dim, *task)
    # The file keeps the tolerance of its precision; --tol is about this run.
    certificate, after = conversion.certificate.with_tolerance(tol), conversion.after
    title = f"{after.spec['architecture']}, {conversion.before.D}D -> {to_dim}D"
    show_paths(out, title, certificate)
    show_certificate(out, certificate)
    costs = (
        show_cost(out, (conversion.before, after), DEFAULT_SIZE if size is None else size)
        if dry_run
        else None
    )
    if not allow_inexact:
        check_certificate(certificate)
    payload: dict[str, Any] = chosen | {
        "from_dim": conversion.before.D,
        "to_dim": to_dim,
        "parameters_before": conversion.before.parameters,
        "parameters_after": after.parameters,
        "dry_run": dry_run,
        "certificate": certificate_payload(certificate),
    }
    out.line(f"parameters: {conversion.before.parameters} -> {after.parameters}")
    if verify:
        payload["verification"] = _verify(out, conversion, seed, allow_inexact)
    if dry_run:
        out.result(None, payload | {"cost": costs})
        command = f"ginjax convert-d {quote(str(model))} --to-dim {to_dim} --rescale {rescale}"
        command += "" if flex is None else f" --flex {flex:g}"
        command += " --lift-parity" if lift_parity else ""
        command += "" if calibrate is None else f" --calibrate {quote(str(calibrate))}"
        command += "" if samples is None else f" --samples {samples}"
        for name, value in reading.items():
            for each in value if isinstance(value, list) else [value] if value else []:
                command += f" --{name} {quote(each)}"
        out.next_step(command)
        return
    sha256 = write_model(target, after, force=force)
    out.result(target, payload | {"sha256": sha256})
    out.note(f"use it in Python: ginjax.models.load_model({str(target)!r}).model, on {to_dim}D fields")
    low, high = (model, target) if to_dim > conversion.before.D else (target, model)
    out.next_step(f"ginjax verify {quote(str(low))} {quote(str(high))}")


def _refuse_with_all(options: dict[str, Any]) -> None:
    """Options of one conversion mean nothing to a comparison of all of them."""
    from ginjax.errors import ArgumentError

    for name, value in options.items():
        if value is not None and value is not False:
            raise ArgumentError(
                name, got="--rescale all, which compares and writes nothing", expected="one rule"
            )


def _check_alone(rescale: str, others: dict[str, Any]) -> None:
    """Calibration chooses the flex of one rule; what else would shape the weights is refused."""
    from ginjax.errors import ArgumentError

    if rescale != "compat-flex":
        raise ArgumentError("--calibrate", got=f"--rescale {rescale}", expected="--rescale compat-flex")
    for name, value in others.items():
        if value:
            raise ArgumentError("--calibrate", got=name, expected=f"no {name}")


def _calibrate(
    out: Output, record: "ModelRecord", to_dim: int, task: "OwnTask", name: str
) -> "tuple[Conversion, dict[str, Any]]":
    """Convert with one flex for each layer, chosen on samples of the model's own task."""
    from ginjax.ml import calibrate

    X, Y = task.pairs()
    conversion, chosen = calibrate(record, to_dim, X, Y)
    out.table(
        f"Chosen on {X.get_L()} samples of {name} in {chosen.evaluations} evaluations: "
        f"relative squared error {chosen.loss_before:.2e} -> {chosen.loss_after:.2e}",
        ("layer", "flex"),
        [
            (layer, f"{value:.3f}" + (" (at its bound)" if layer in chosen.at_bound else ""))
            for layer, value in chosen.flex.items()
        ],
    )
    if chosen.at_bound:
        out.note("a flex at its bound means that the samples ask for more than is safe, or say little there")
    return conversion, {
        "calibrated_flex": dict(chosen.flex),
        "at_bound": list(chosen.at_bound),
        "data": name,
        "samples": X.get_L(),
        "loss_before": chosen.loss_before,
        "loss_after": chosen.loss_after,
    }


def _verify(out: Output, conversion: "Conversion", seed: int, allow_inexact: bool) -> dict[str, Any]:
    """Run both networks; a promise that is not kept is an error before anything is written."""
    from ginjax.models import STAGES, verify_records

    from .verify import check_verification, verification_payload, verification_rows

    with out.progress(STAGES, "running both networks") as progress:
        result: Verification = verify_records(
            conversion.before, conversion.after, seed=seed, progress=progress.advance
        )
    out.table("Verification", ("check", "defect", "limit", "holds"), verification_rows(result, None))
    promised = conversion.certificate.promises and not allow_inexact
    check_verification(result, None, promised=promised, equivariant=bool(conversion.after.layers))
    return verification_payload(result)
