"""`ginjax convert-d`: carry a trained network to a higher dimension."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ._options import Debug, Force, Json, OptionalOutputPath, Quiet
from ._output import Output

RuleName = Literal["compatibility", "compat-flex", "spin-embed", "volume", "compatibility-norm", "none"]


def convert_d(
    model: Annotated[Path, typer.Argument(help="The model file to convert.", metavar="MODEL")],
    to_dim: Annotated[int, typer.Option("--to-dim", min=1, max=8, help="Dimension to convert to.")],
    rescale: Annotated[
        RuleName,
        typer.Option(
            "--rescale",
            help="compatibility (spin-embed) reproduces the network exactly on fields that do not vary along the "
            "new axes; compat-flex exposes the freedom that leaves; volume keeps the size of each filter; "
            "compatibility-norm matches tensor norms; none only extends.",
        ),
    ] = "compatibility",
    flex: Annotated[
        float | None,
        typer.Option("--flex", help="For compat-flex: 0 is the sparsest exact solution, 1 the default one."),
    ] = None,
    dtype: Annotated[
        Literal["float16", "float32", "float64"] | None,
        typer.Option("--dtype", help="Precision of the weights written.", show_default="as they are"),
    ] = None,
    allow_inexact: Annotated[
        bool,
        typer.Option("--allow-inexact", help="Write the closest weights where no exact ones exist."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would happen and write nothing.")
    ] = False,
    output: OptionalOutputPath = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Convert a trained network to a higher dimension.

    Solves, for every convolution, which weights in the new dimension give the old network back on fields that
    do not vary along the new axes, checks the result, and writes it with a certificate. Neither data nor a run
    of the network is needed. The same input gives the same bytes.
    """
    from ginjax.checkpoint import check_certificate, check_target, convert_record, read_model, write_model
    from ginjax.transfer import make_rule

    from ._certificate import COLUMNS, certificate_payload, path_rows, show_certificate

    out = Output(json=json, quiet=quiet)
    target = output or model.with_name(f"{model.name.removesuffix('.safetensors')}.{to_dim}d.safetensors")
    if not dry_run:
        check_target(target, force=force)
    conversion = convert_record(read_model(model), to_dim, make_rule(rescale, flex), dtype=dtype)
    certificate, after = conversion.certificate, conversion.after
    title = f"{after.spec['architecture']}, {conversion.before.D}D -> {to_dim}D"
    out.table(title, COLUMNS, path_rows(certificate))
    show_certificate(out, certificate)
    if not allow_inexact:
        check_certificate(certificate)
    payload = {
        "from_dim": conversion.before.D,
        "to_dim": to_dim,
        "parameters_before": conversion.before.parameters,
        "parameters_after": after.parameters,
        "dry_run": dry_run,
        "certificate": certificate_payload(certificate),
    }
    out.line(f"parameters: {conversion.before.parameters} -> {after.parameters}")
    if dry_run:
        out.result(None, payload)
        command = f"ginjax convert-d {model} --to-dim {to_dim} --rescale {rescale}"
        out.next_step(command)
        return
    sha256 = write_model(target, after, force=force)
    out.result(target, payload | {"sha256": sha256})
    out.note(f'use it in Python: ginjax.models.load_model("{target}").model, on {to_dim}D fields')
    out.next_step(f"ginjax verify {model} {target}")
