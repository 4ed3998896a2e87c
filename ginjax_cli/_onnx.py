"""Graphs of ONNX in `convert-d`, `verify` and `inspect`."""

from pathlib import Path
from shlex import join, quote
from typing import TYPE_CHECKING, Any

from ._network_options import NetworkOptions, new_axis_place
from ._output import Output
from ._state_dict import plain_rule
from ._state_dict_report import shape_text

_SAID_BY_GRAPHS = ("modules", "like", "transposed", "stride", "padding", "keep", "drop")

if TYPE_CHECKING:
    from ginjax.onnx import OnnxConversion, OnnxRecord, OnnxVerification

_MEANINGLESS = (
    "flex", "lift_parity", "pde", "data", "calibrate", "samples", "field", "axes", "parity", "periodic", "split", "dtype", "size",
    "modules", "like", "transposed", "stride", "padding", "keep", "drop",
)  # fmt: skip

_SLICE_BY_SLICE = (
    "nothing is mixed along the new axis: slices are treated one by one; --rescale mean mixes them"
)


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
    target = target or default_onnx_target(source, to_dim)
    network = read_onnx(source)
    check_onnx_target(target, network)
    if not given["dry_run"]:
        check_target(target, force=given["force"])
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
    _show_rows(out, source, conversion, whole=given["dry_run"])
    show_certificate(out, certificate)
    out.line(f"parameters: {network.parameters} -> {conversion.after.parameters}")
    if not given["allow_inexact"]:
        check_certificate(certificate)
    payload = _payload(conversion) | {"dry_run": given["dry_run"]}
    payload |= _tried(out, conversion, seed=given["seed"])
    if given["verify"]:
        found = verify_onnx(network, conversion.after, seed=given["seed"])
        payload["verification"] = _verification_payload(found)
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
        out.note(_slice_by_slice(conversion.record))
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


def _slice_by_slice(record: "OnnxRecord") -> str:
    """What it means that a converted graph treats slices one by one."""
    way = (
        ""
        if record.rule == "mean"
        else "; --rescale mean mixes them where there are kernels of more than one point"
    )
    return f"nothing is mixed along the new axis, slices are treated one by one{way}"


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


def _show_rows(out: Output, source: Path, conversion: "OnnxConversion", *, whole: bool) -> None:
    """One row a node; in a conversion that is carried out only for kernels, and where something was assumed."""
    from collections import Counter

    certificate = conversion.certificate
    residuals = {path.layer: path.residual for path in certificate.paths}
    shown = [
        row
        for row in conversion.rows
        if (whole and row.kind != "Constant") or row.action == "kernel" or row.note
    ]
    rows = [
        (
            row.node,
            row.kind,
            shape_text(row.before),
            shape_text(row.after),
            certificate.rule if row.action == "kernel" else row.action,
            f"{residuals[row.node]:.1e}" if row.node in residuals else None,
            row.note or None,
        )
        for row in shown
    ]
    out.table(
        f"{source.name}, {certificate.from_dim}D -> {certificate.to_dim}D",
        ("node", "operator", "before", "after", "how", "residual", "along the new axis"),
        rows,
    )
    others = Counter(row.action for row in conversion.rows if row not in shown)
    if others:
        counts = ", ".join(f"{n} {action}" for action, n in sorted(others.items()))
        out.line(f"nodes without a row: {counts}" + ("" if whole else " (--dry-run shows each)"))


def _payload(conversion: "OnnxConversion") -> dict[str, Any]:
    from ._certificate import certificate_payload

    certificate, record = conversion.certificate, conversion.record
    return {
        "from_dim": certificate.from_dim,
        "to_dim": certificate.to_dim,
        "new_axis": "last" if record.last else "first",
        "new_boundary": record.boundary,
        "parameters_before": conversion.before.parameters,
        "parameters_after": conversion.after.parameters,
        "nodes": [
            {
                "name": row.node,
                "operator": row.kind,
                "inputs": list(row.inputs),
                "before": None if row.before is None else list(row.before),
                "after": None if row.after is None else list(row.after),
                "action": row.action,
                "note": row.note,
            }
            for row in conversion.rows
        ],
        "certificate": certificate_payload(certificate),
    }


def verify(out: Output, low: Path, high: Path, *, size: int | None, tol: float | None, seed: int) -> None:
    """Run both graphs."""
    from ginjax.checkpoint import wrong_file
    from ginjax.onnx import is_onnx, read_onnx, verify_onnx

    for path in (low, high):
        if not is_onnx(path):
            raise wrong_file(path, "a graph of ONNX, as the other one is")
    found = verify_onnx(read_onnx(low), read_onnx(high), size=size, tolerance=tol, seed=seed)
    show_verification(out, low, high, found)
    holds = not found.promised or (found.exact and found.controlled)
    out.result(None, _verification_payload(found) | {"low": str(low), "high": str(high), "holds": holds})
    check_verification(low, high, found)
    out.next_step(f"ginjax inspect {quote(str(high))}")


def show_verification(out: Output, low: Path, high: Path, found: "OnnxVerification") -> None:
    """The differences of both runs, and what stands behind them."""
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
        out.note(_slice_by_slice(found.record))
    if not found.promised:
        out.note("the rule promises nothing here: the differences are information")


def check_verification(low: Path, high: Path, found: "OnnxVerification") -> None:
    """Refuse a pair that does not keep what the rule promises.

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


def _verification_payload(found: "OnnxVerification") -> dict[str, Any]:
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


def show(out: Output, path: Path) -> tuple[dict[str, Any], str | None]:
    """Show what is in a graph; its payload, and the command that comes next."""
    from collections import Counter

    from ginjax.errors import GinjaxError
    from ginjax.onnx import EXPORT_AGAIN, dimension_of_graph, is_exported, read_onnx, read_onnx_record

    from ._certificate import certificate_payload, show_certificate, show_paths

    network = read_onnx(path)
    graph, record = network.model.graph, read_onnx_record(network)
    try:
        dim: int | None = dimension_of_graph(network)
    except GinjaxError:
        dim = None
    constants = {tensor.name for tensor in graph.initializer}
    inputs = {each.name: _dims(each) for each in graph.input if each.name not in constants}
    outputs = {each.name: _dims(each) for each in graph.output}
    kinds = Counter(f"{node.domain}.{node.op_type}".lstrip(".") for node in graph.node)
    out.fields(
        str(path),
        {
            "kind": "graph of ONNX",
            "operators": f"version {network.opset}",
            "dimension": dim,
            "nodes": len(graph.node),
            "parameters": network.parameters,
            **{f"input {name}": " x ".join(dims) for name, dims in inputs.items()},
            **{f"output {name}": " x ".join(dims) for name, dims in outputs.items()},
        },
    )
    out.table("Operators", ("operator", "nodes"), sorted(kinds.items()))
    stale = record is not None and record.is_stale(network)
    if record is not None:
        show_paths(out, "Conversion", record.certificate)
        show_certificate(out, record.certificate, stale=stale)
        if record.blind:
            out.note(_slice_by_slice(record))
    payload = {
        "kind": "onnx",
        "opset": network.opset,
        "dimension": dim,
        "parameters": network.parameters,
        "inputs": inputs,
        "outputs": outputs,
        "operators": dict(kinds),
        "metadata": {name: text for name, text in network.metadata.items() if len(text) < 1000},
        "certificate": None if record is None else certificate_payload(record.certificate, stale=stale),
    }
    if dim is None or dim > 2:
        return payload, None
    if is_exported(network):
        out.note(f"for another dimension: {EXPORT_AGAIN}")
        return payload, None
    return payload, f"ginjax convert-d {quote(str(path))} --to-dim {dim + 1} --dry-run"


def _dims(info: Any) -> list[str]:
    """The lengths of the axes of an input or output, as numbers or names."""
    if not info.type.HasField("tensor_type"):
        return []
    dims = info.type.tensor_type.shape.dim
    return [str(each.dim_value) if each.HasField("dim_value") else each.dim_param or "?" for each in dims]
