"""Graphs of ONNX in `convert-d`."""

from pathlib import Path
from shlex import join, quote
from typing import TYPE_CHECKING, Any

from ._network_options import NetworkOptions, new_axis_place
from ._onnx_report import conversion_payload, show_rows, slice_by_slice
from ._onnx_verify import check_verification, show_verification, verification_payload
from ._output import Output
from ._state_dict import plain_rule

_SAID_BY_GRAPHS = ("modules", "like", "transposed", "stride", "padding", "keep", "drop")

if TYPE_CHECKING:
    from ginjax.onnx import OnnxConversion

_MEANINGLESS = (
    "flex", "lift_parity", "pde", "data", "calibrate", "samples", "field", "axes", "parity", "periodic", "condition", "split", "dtype", "size",
    "modules", "like", "transposed", "stride", "padding", "keep", "drop",
)  # fmt: skip


def convert(
    out: Output,
    source: Path,
    to_dim: int,
    rule: str,
    options: NetworkOptions,
    target: Path | None,
    *,
    given: dict[str, Any],
    words: list[str],
) -> None:
    """Convert a graph, or show what would become of each of its nodes.

    **Arguments:** as the options of `convert-d`, of which `given` holds all.

    - `words`: the options that were given, for the command that a dry run names.
    """
    from ginjax.checkpoint import check_certificate, check_target
    from ginjax.errors import UnsupportedError
    from ginjax.onnx import (
        check_onnx_target,
        convert_onnx,
        default_onnx_target,
        read_onnx,
        verify_onnx,
        write_onnx,
    )

    from ._certificate import show_certificate

    _refuse_meaningless(given)
    named = target is not None
    target = target or default_onnx_target(source, to_dim)
    network = read_onnx(source)
    check_onnx_target(target, network)
    if not given["dry_run"]:
        check_target(target, force=given["force"], links=named)
    channels_last = options.layout != "pytorch"
    try:
        conversion = convert_onnx(
            network,
            to_dim,
            plain_rule(rule),
            new_axis=new_axis_place(options.new_axis) or "first",
            new_boundary=_boundary(given["new_boundary"]),
            channels_last=channels_last,
            from_dim=options.from_dim,
        )
    except UnsupportedError as error:
        if channels_last:
            error.hint = f"Leave out --layout {options.layout} if the inputs are (batch, channels, *space), as those of PyTorch are."
        raise
    certificate = conversion.certificate.with_tolerance(given["tol"])
    show_rows(out, source, conversion, whole=given["dry_run"])
    show_certificate(out, certificate)
    out.line(f"parameters: {network.parameters} -> {conversion.after.parameters}")
    if not given["allow_inexact"]:
        check_certificate(certificate)
    payload = conversion_payload(conversion) | {"dry_run": given["dry_run"]}
    payload |= _tried(out, conversion, seed=given["seed"])
    if given["verify"]:
        found = verify_onnx(network, conversion.after, seed=given["seed"])
        payload["verification"] = verification_payload(found)
        show_verification(out, source, Path(target.name), found)
        if not given["allow_inexact"]:
            check_verification(source, target, found)
    if given["dry_run"]:
        out.result(None, payload)
        out.next_step(join(["ginjax", "convert-d", str(source), *words]))
        return
    write_onnx(target, conversion.after, force=given["force"])
    out.result(target, payload)
    out.next_step(f"ginjax verify {quote(str(source))} {quote(str(target))}")


def _tried(out: Output, conversion: "OnnxConversion", *, seed: int) -> dict[str, Any]:
    """Run the converted graph once: what that showed, which a graph that was not run has None of."""
    from ginjax.onnx import trial_run

    tried = trial_run(conversion, seed=seed)
    apart = conversion.record.blind or tried.slice_by_slice
    if apart:
        out.note(slice_by_slice(conversion.record))
    if tried.lift is None:
        out.note(f"the converted graph was not run: {tried.why_not}")
    elif conversion.certificate.promises and tried.lift > tried.tolerance:
        out.warn(
            f"the converted graph differs by {tried.lift:.1e} from the graph on fields that repeat one slice, more than {tried.tolerance:.0e}"
        )
    return {
        "trial": {"lift": tried.lift, "noise": tried.noise, "why_not": tried.why_not or None},
        "slice_by_slice": apart,
    }


def _refuse_meaningless(given: dict[str, Any]) -> None:
    from ginjax.errors import ArgumentError

    for name in _MEANINGLESS:
        if given[name] or (given[name] == 0 and given[name] is not False):
            raise ArgumentError(
                f"--{name.replace('_', '-')}",
                got="a graph of ONNX, which says what its layers are"
                if name in _SAID_BY_GRAPHS
                else "a graph of ONNX, which is converted without it",
                expected="none",
            )


def _boundary(texts: list[str] | None) -> str | None:
    """What is beyond the ends of the new axes, one word for all of them."""
    from ginjax.errors import ArgumentError

    if not texts:
        return None
    if len(texts) > 1 or "=" in texts[0]:
        raise ArgumentError(
            "--new-boundary", got=" ".join(texts)[:60], expected="one word, with a graph of ONNX"
        )
    return texts[0]
