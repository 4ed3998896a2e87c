"""ONNX graphs in `convert-d`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from ._conversion_asked import ConversionAsked
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


def convert(out: Output, asked: ConversionAsked, options: NetworkOptions) -> None:
    """Convert a graph, or show what would happen to each of its nodes.

    **Arguments:**

    - `options`: the options about the network.
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

    source, dry_run = asked.source, asked.dry_run
    target = asked.output or default_onnx_target(source, asked.to_dim)
    network = read_onnx(source)
    check_onnx_target(target, network)
    if not dry_run:
        check_target(target, force=asked.force, links=asked.output is not None)
    channels_last = options.layout != "pytorch"
    try:
        conversion = convert_onnx(
            network,
            asked.to_dim,
            plain_rule(asked.rescale),
            new_axis=new_axis_place(options.new_axis) or "first",
            new_boundary=_boundary(asked.ends),
            channels_last=channels_last,
            from_dim=options.from_dim,
        )
    except UnsupportedError as error:
        if channels_last:
            error.hint = f"Leave out --layout {options.layout} if the inputs are (batch, channels, *space), as those of PyTorch are."
        raise
    certificate = conversion.certificate.with_tolerance(asked.tol)
    show_rows(out, source, conversion, whole=dry_run)
    show_certificate(out, certificate)
    out.line(f"parameters: {network.parameters} -> {conversion.after.parameters}")
    if not asked.allow_inexact:
        check_certificate(certificate)
    payload = conversion_payload(conversion) | {"dry_run": dry_run}
    payload |= _tried(out, conversion, seed=asked.seed)
    if asked.verify:
        found = verify_onnx(network, conversion.after, seed=asked.seed)
        payload["verification"] = verification_payload(found)
        show_verification(out, source, Path(target.name), found)
        if not asked.allow_inexact:
            check_verification(source, target, found)
    if dry_run:
        out.result(None, payload)
        out.next_step(asked.command())
        return
    write_onnx(target, conversion.after, force=asked.force)
    out.result(target, payload)
    out.next_step(f"ginjax verify {quote(str(source))} {quote(str(target))}")


def _tried(out: Output, conversion: "OnnxConversion", *, seed: int) -> dict[str, Any]:
    """Run the converted graph once and return what that showed; None for a graph that was not run."""
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


def refuse_meaningless(given: Mapping[str, Any]) -> None:
    """Refuse options about what a graph states itself, and options that its conversion does not use."""
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


def _boundary(texts: Sequence[str]) -> str | None:
    """What lies beyond the ends of the new axes: one word for all of them."""
    from ginjax.errors import ArgumentError

    if not texts:
        return None
    if len(texts) > 1 or "=" in texts[0]:
        raise ArgumentError(
            "--new-boundary", got=" ".join(texts)[:60], expected="one word, with a graph of ONNX"
        )
    return texts[0]
