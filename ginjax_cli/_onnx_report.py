"""How an ONNX graph and its conversion are shown."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from ._output import Output
from ._state_dict_report import shape_text

if TYPE_CHECKING:
    from ginjax.onnx import OnnxConversion, OnnxRecord


def slice_by_slice(record: "OnnxRecord") -> str:
    """A note on a converted graph that treats slices one by one."""
    way = (
        ""
        if record.rule == "mean"
        else "; --rescale mean mixes them where there are kernels of more than one point"
    )
    return f"nothing is mixed along the new axis, slices are treated one by one{way}"


def show_rows(out: Output, source: Path, conversion: "OnnxConversion", *, whole: bool) -> None:
    """Show one row for each node. Without `whole`, only kernels and nodes with a note have a row."""
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


def conversion_payload(conversion: "OnnxConversion") -> dict[str, Any]:
    """The conversion as plain values."""
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


def show(out: Output, path: Path) -> tuple[dict[str, Any], str | None]:
    """Show what is in a graph. Return the payload, and the command that comes next."""
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
            out.note(slice_by_slice(record))
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
