"""How the conversion of a network of another library is shown: its arrays, its certificate, and a check to run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._output import Output

if TYPE_CHECKING:
    from ginjax.state_dict import Plan, StateDictConversion, TensorPlan

BASELINE = (
    "compare with the 2D network itself, run on the slices of all three orientations and averaged: in small trials it was better than every "
    "converted network before training"
)


def show_rows(
    out: Output, source: Path, plan: "Plan", conversion: "StateDictConversion | None", *, whole: bool
) -> None:
    """Show one row for each array. Without `whole`, only arrays that change have a row."""
    certificate = None if conversion is None else conversion.certificate
    residuals = {} if certificate is None else {path.layer: path.residual for path in certificate.paths}
    rule = plan.rule.name if plan.to_dim > plan.from_dim else "sum"
    rows = [
        (
            row.source or row.name,
            shape_text(row.before),
            shape_text(row.after),
            rule if row.action == "kernel" else row.action,
            f"{residuals[row.name]:.1e}" if row.name in residuals else None,
            _along(row),
            row.said_by or None,
            row.problem or ", ".join(row.assumed) or None,
        )
        for row in plan.rows
        if whole or row.action not in ("as it is", "kept")
    ]
    out.table(
        f"{source.name}, {plan.from_dim}D -> {plan.to_dim}D",
        (
            "array",
            "before",
            "after",
            "rule",
            "residual",
            "along the new axis",
            "said by",
            "assumed or missing",
        ),
        rows,
    )
    others = len(plan.rows) - len(rows)
    if others:
        out.line(
            f"{others} other {'array is' if others == 1 else 'arrays are'} passed on as {'it is' if others == 1 else 'they are'}"
        )
    for note in plan.notes:
        out.note(note)
    for warning in plan.warnings:
        out.warn(warning)


def _along(row: "TensorPlan") -> str | None:
    """How a kernel acts along the first of the new axes."""
    if not row.axes:
        return None
    words = row.axes[0].words()
    return words or ("stride 1" if row.axes[0].taps > 1 else "1 tap")


def show_conversion(out: Output, source: Path, conversion: "StateDictConversion", *, whole: bool) -> None:
    """Show what happened to the arrays, and the certificate."""
    from ._certificate import show_certificate

    show_rows(out, source, conversion.plan, conversion, whole=whole)
    show_certificate(out, conversion.certificate)
    out.line(f"parameters: {conversion.before.parameters} -> {conversion.after.parameters}")


def say_check(out: Output, conversion: "StateDictConversion") -> None:
    """Say what a certificate of the weights cannot show, and how to check it."""
    plan = conversion.plan
    low, high = sorted((plan.from_dim, plan.to_dim))
    axis = (
        plan.layout.place(low, plan.where)
        if not plan.layout.spatial_first
        else 1
        if plan.where == "first"
        else low + 1
    )
    out.note(
        "the certificate is about the weights: pooling, resizing and other layers without weights are not in the file. "
        "Run both networks once, for instance:"
    )
    for line in check_lines(low, high, axis, torch=plan.layout.name == "pytorch"):
        out.note(line)
    if (plan.from_dim, plan.to_dim) == (2, 3):
        out.note(BASELINE)


def check_lines(low: int, high: int, axis: int, *, torch: bool) -> list[str]:
    """Lines of Python that run the networks of both dimensions on a field that does not vary along the new axes.

    **Arguments:**

    - `low`, `high`: the dimensions; `axis`: the place of the new axes in the fields.
    - `torch`: write PyTorch; otherwise NumPy, whose functions take arrays of other libraries too.
    """
    added = range(high - low)
    if torch:
        repeated = "x" + "".join(f".unsqueeze({axis}).repeat_interleave(32, {axis})" for _ in added)
        wanted = "w" + "".join(f".unsqueeze({axis})" for _ in added)
        largest = "(y - w).abs().max() / w.abs().max()"
    else:
        repeated = wanted = "x"
        for _ in added:
            repeated = f"np.repeat(np.expand_dims({repeated}, {axis}), 32, {axis})"
            wanted = f"np.expand_dims({wanted}, {axis})"
        wanted = wanted.replace("x, ", "w, ")
        largest = "np.abs(y - w).max() / np.abs(w).max()"
    return [
        f"x = ...  # an input of f{low}, the {low}D network; f{high} is the {high}D one, both in evaluation mode",
        f"y, w = f{high}({repeated}), f{low}(x)",
        f"w = w if y.ndim == w.ndim else {wanted}",
        f"print({largest})  # about 1e-6 in float32",
    ]


def conversion_payload(conversion: "StateDictConversion") -> dict[str, Any]:
    """The conversion as plain values."""
    from ._certificate import certificate_payload

    plan = conversion.plan
    residuals = {path.layer: path.residual for path in conversion.certificate.paths}
    return {
        "from_dim": plan.from_dim,
        "to_dim": plan.to_dim,
        "new_axis": plan.where,
        "layout": plan.layout.name,
        "parameters_before": conversion.before.parameters,
        "parameters_after": conversion.after.parameters,
        "arrays": [
            {
                "name": row.name,
                "source": row.source,
                "before": None if row.before is None else list(row.before),
                "after": None if row.after is None else list(row.after),
                "action": row.action,
                "residual": residuals.get(row.name),
                "axes": [axis.to_json() for axis in row.axes],
                "said_by": row.said_by,
                "assumed": list(row.assumed),
            }
            for row in plan.rows
        ],
        "notes": list(plan.notes),
        "certificate": certificate_payload(conversion.certificate),
    }


def shape_text(shape: "tuple[int, ...] | None") -> str | None:
    """A shape as text such as 3x3; None for no shape."""
    return None if shape is None else "x".join(map(str, shape)) or "1"
