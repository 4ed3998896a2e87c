"""`ginjax verify`: run a converted network beside the one it came from."""

from pathlib import Path
from typing import Annotated

import typer

from ._options import Debug, Json, Quiet, Seed
from ._output import Output


def verify(
    low: Annotated[Path, typer.Argument(help="The model before conversion.", metavar="LOW")],
    high: Annotated[Path, typer.Argument(help="The model it was converted to.", metavar="HIGH")],
    size: Annotated[
        int | None,
        typer.Option(
            "--size", min=2, max=256, help="Pixels along each axis of the fields.", show_default="8"
        ),
    ] = None,
    tol: Annotated[
        float | None,
        typer.Option("--tol", min=0, help="Largest defect accepted, instead of those of the precision."),
    ] = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Check on random fields that a converted network reproduces the original one.

    The lift test compares the two networks on fields that do not vary along the new axes, once with everything
    in float64 and once in the precision of the file. The equivariance defect says how well the converted network
    commutes with rotations and reflections. Exit code 3 means that a promise is not kept; rules that promise
    nothing are only measured.
    """
    from ginjax.errors import VerificationError

    out = Output(json=json, quiet=quiet)
    with out.progress(1, "running both networks") as progress:
        from ginjax.models import LIFT_TOLERANCE, ROUNDED_LIFT_TOLERANCE, load_pair, verify_transfer

        first, second = load_pair(low, high)
        result = verify_transfer(
            first.model, second.model, is_torus=first.record.is_torus, side=size, seed=seed
        )
        progress.advance()
    record = second.record
    certificate = record.certificate
    promised = certificate is None or certificate.promises
    limits = {
        "lift test in float64": (result.lift_float64, tol or ROUNDED_LIFT_TOLERANCE[result.dtype]),
        f"lift test in {result.dtype}": (result.lift_own, tol or LIFT_TOLERANCE[result.dtype]),
        f"equivariance in {result.dtype}": (result.equivariance, tol or LIFT_TOLERANCE[result.dtype]),
    }
    kept = {name: value <= limit for name, (value, limit) in limits.items()}
    out.table(
        f"{low} ({first.record.D}D) and {high} ({record.D}D), fields of side {result.side}",
        ("check", "defect", "limit", "holds"),
        [(n, f"{v:.1e}", f"{limit:.0e}", "yes" if kept[n] else "no") for n, (v, limit) in limits.items()],
    )
    if record.certificate_is_stale:
        out.warn("the certificate in the file does not belong to its weights: they have changed since")
    if not promised:
        rule = "?" if certificate is None else certificate.rule
        out.note(f"the rule {rule!r} does not promise compatibility: the lift test is information")
    failed = [
        name for name, holds in kept.items() if not holds and (promised or name.startswith("equivariance"))
    ]
    payload = {
        "low": str(low),
        "high": str(high),
        "side": result.side,
        "dtype": result.dtype,
        "lift_float64": result.lift_float64,
        "lift_own": result.lift_own,
        "equivariance": result.equivariance,
        "promised": promised,
        "holds": not failed,
        "certificate_stale": record.certificate_is_stale,
    }
    out.result(None, payload)
    if failed:
        value, limit = limits[failed[0]]
        raise VerificationError(
            failed[0],
            got=f"{value:.1e}",
            expected=f"at most {limit:.0e}",
            hint="Convert again with --rescale compatibility, or check that HIGH was made from LOW.",
        )
    out.next_step(f"ginjax inspect {high}")
