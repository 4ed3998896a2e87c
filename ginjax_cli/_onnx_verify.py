"""ONNX graphs in `verify`."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from ._onnx_report import slice_by_slice
from ._output import Output
from ._state_dict_report import shape_text

if TYPE_CHECKING:
    from ginjax.onnx import OnnxVerification


def verify(out: Output, low: Path, high: Path, *, size: int | None, tol: float | None, seed: int) -> None:
    """Run both graphs and compare what they give."""
    from ginjax.checkpoint import wrong_file
    from ginjax.onnx import is_onnx, read_onnx, verify_onnx

    for path in (low, high):
        if not is_onnx(path):
            raise wrong_file(path, "a graph of ONNX, as the other one is")
    found = verify_onnx(read_onnx(low), read_onnx(high), size=size, tolerance=tol, seed=seed)
    show_verification(out, low, high, found)
    holds = not found.promised or (found.exact and found.controlled)
    out.result(None, verification_payload(found) | {"low": str(low), "high": str(high), "holds": holds})
    check_verification(low, high, found)
    out.next_step(f"ginjax inspect {quote(str(high))}")


def show_verification(out: Output, low: Path, high: Path, found: "OnnxVerification") -> None:
    """Show the differences between both runs, and how the second graph was made."""
    out.table(
        f"{low} and {high}, fields of shape {shape_text(found.shape)}",
        ("check", "difference", "limit", "holds"),
        [
            ("fields that repeat one slice", f"{found.lift:.1e}", f"{found.tolerance:.0e}", "yes" if found.exact else "no"),
            (
                "control: white noise",
                f"{found.noise:.1e}",
                "none: slice by slice" if found.slice_by_slice else "differs",
                "yes",
            ),
            ("control: another field", f"{found.reaction:.1e}", "differs", "yes" if found.controlled else "no"),
        ],
    )  # fmt: skip
    if found.record is None:
        out.note("the second graph does not say how it was made")
    elif found.stale:
        out.warn("the certificate does not belong to the graph in the file, which has changed since")
    elif not found.made_again:
        out.warn(
            "the second graph is not what converting the first one gives: one of the two was changed since"
        )
    elif found.made_again:
        out.line(f"converting {low} again gives the graph of {high}, byte for byte")
    if found.slice_by_slice and found.record is not None:
        out.note(slice_by_slice(found.record))
    if not found.promised:
        out.note("the rule promises nothing here: the differences are information")


def check_verification(low: Path, high: Path, found: "OnnxVerification") -> None:
    """Refuse a pair of graphs that does not keep the promise of the rule.

    **Raises:** `VerificationError`.
    """
    from ginjax.errors import VerificationError

    if not found.promised or (found.exact and found.controlled):
        return
    if not found.exact:
        raise VerificationError(
            f"{high} does not do what {low} does",
            got=f"a relative difference of {found.lift:.1e}",
            expected=f"at most {found.tolerance:.0e}",
            hint="Check that one file was made from the other; training either of them changes it.",
        )
    raise VerificationError(
        f"the comparison of {low} and {high} shows nothing",
        got=f"outputs of {low} for two random fields that differ by {found.reaction:.1e}",
        expected=f"more than {10 * found.tolerance:.0e}, an output that depends on the input",
        hint="Export the network with its trained weights.",
    )


def verification_payload(found: "OnnxVerification") -> dict[str, Any]:
    """The verification as plain values."""
    return {
        "lift": found.lift,
        "noise": found.noise,
        "reaction": found.reaction,
        "tolerance": found.tolerance,
        "shape": list(found.shape),
        "promised": found.promised,
        "certificate_stale": found.stale,
        "made_again": found.made_again,
        "slice_by_slice": found.slice_by_slice,
    }
