"""`ginjax verify`: run a converted network beside the one it came from."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._options import Debug, Json, Quiet, Seed
from ._output import Output

if TYPE_CHECKING:
    from ginjax.models import Verification


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
    out = Output(json=json, quiet=quiet)
    from ginjax.models import STAGES, load_pair, verify_transfer, with_condition

    first, second = load_pair(low, high)
    with out.progress(STAGES, "running both networks") as progress:
        # The certificate is in the file that was converted: the higher one, or going down the lower one.
        made = second if second.record.certificate is not None else first
        certificate = made.record.certificate
        parity_lift = certificate is not None and certificate.parity_lift
        result = verify_transfer(
            first.model,
            second.model,
            is_torus=first.record.is_torus,
            side=size,
            seed=seed,
            parity_lift=parity_lift,
            progress=progress.advance,
        )
        result = with_condition(result, first.record, second.record, parity_lift)
    promised = certificate is None or certificate.promises
    out.table(
        f"{low} ({first.record.D}D) and {high} ({second.record.D}D), fields of side {result.side}",
        ("check", "defect", "limit", "holds"),
        verification_rows(result, tol),
    )
    if made.record.certificate_is_stale:
        out.warn("the certificate in the file does not belong to its weights: they have changed since")
    if not promised:
        rule = "?" if certificate is None else certificate.rule
        out.note(f"the rule {rule!r} does not promise compatibility: the lift test is information")
    equivariant = bool(second.record.layers)
    if not equivariant:
        out.note("the model is a plain network: its equivariance defect is information")
    failed = broken_promises(result, tol, promised=promised, equivariant=equivariant)
    payload = verification_payload(result) | {
        "low": str(low),
        "high": str(high),
        "promised": promised,
        "holds": not failed,
        "certificate_stale": made.record.certificate_is_stale,
    }
    out.result(None, payload)
    check_verification(result, tol, promised=promised, equivariant=equivariant)
    out.next_step(f"ginjax inspect {quote(str(high))}")


def verification_rows(result: "Verification", tol: float | None) -> list[tuple[str, ...]]:
    """One row for each check."""
    limits = result.checks(tol)
    return [
        (name, f"{value:.1e}", f"{limit:.0e}", "yes" if value <= limit else "no")
        for name, (value, limit) in limits.items()
    ]


def broken_promises(
    result: "Verification", tol: float | None, *, promised: bool, equivariant: bool
) -> list[str]:
    """The checks that fail among those that were promised to hold."""
    return [
        name
        for name, (value, limit) in result.checks(tol).items()
        if value > limit and (equivariant if name.startswith("equivariance") else promised)
    ]


def check_verification(
    result: "Verification", tol: float | None, *, promised: bool, equivariant: bool
) -> None:
    """Raise `VerificationError` for the first promise that is broken."""
    from ginjax.errors import VerificationError

    failed = broken_promises(result, tol, promised=promised, equivariant=equivariant)
    if not failed:
        return
    value, limit = result.checks(tol)[failed[0]]
    raise VerificationError(
        failed[0],
        got=f"{value:.1e}",
        expected=f"at most {limit:.0e}",
        hint="Convert again with --rescale compatibility (--dtype float64 leaves no rounding to amplify), or check "
        "that one file was made from the other.",
    )


def verification_payload(result: "Verification") -> dict[str, Any]:
    return {
        "side": result.side,
        "dtype": result.dtype,
        "lift_float64": result.lift_float64,
        "lift_own": result.lift_own,
        "equivariance": result.equivariance,
        "noise_float64": result.noise_float64,
        "noise_own": result.noise_own,
        "condition": result.condition,
    }
