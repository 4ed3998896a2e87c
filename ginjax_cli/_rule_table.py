"""All rules side by side."""

import math
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from ._output import Output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ginjax.checkpoint import ModelRecord
    from ginjax.ml import OwnTask


def compare_rules(
    out: Output,
    path: Path,
    record: "ModelRecord",
    to_dim: int,
    measured_on: "tuple[OwnTask, str] | None" = None,
) -> None:
    """One line for each rule; nothing is written.

    - `measured_on`: samples in the new dimension to measure errors on, and what to call them.
    """
    from ginjax.checkpoint import convert_record
    from ginjax.errors import ArgumentError
    from ginjax.transfer import DISTINCT_RULES, PLAIN_RULES, growth, make_rule, rule_label

    if not record.layers:
        rules = [(name, None) for name in PLAIN_RULES]
    else:
        rules = DISTINCT_RULES if to_dim > record.D else DISTINCT_RULES[:1]  # going down is unique
    errors = _Errors(*measured_on) if measured_on is not None else None
    rows: list[dict[str, Any]] = []
    left_out: dict[str, str] = {}
    problems = []
    for name, flex in rules:
        try:
            rule = name if name in PLAIN_RULES else make_rule(name, flex)
            conversion = convert_record(record, to_dim, rule)
        except ArgumentError as error:
            problems.append(error)
            left_out[rule_label(name, flex)] = str(error.expected)
            continue
        sizes = growth(*((r.arrays, r.layers, r.banks) for r in (record, conversion.after)))
        rows.append(
            {
                "rule": rule_label(name, flex),
                "residual": conversion.certificate.residual,
                "exact": conversion.certificate.exact,
                "weight_norm": sizes.weights if record.layers else None,
                "noise": sizes.noise if record.layers else None,
                "noise_largest": sizes.noise_largest if record.layers else None,
                "error": None if errors is None else errors.of(conversion.after),
            }
        )
    if not rows:
        raise problems[0]
    _show(out, f"{path}: {record.D}D -> {to_dim}D by every rule", rows, bool(record.layers))
    if errors is not None:
        out.line(f"error: nRMSE of the next frame on {errors.about}; of no change: {errors.unchanged:.4g}")
    if record.layers:
        out.note(
            "new over old: the norm of the weights in the layer that grows most; the response of a path to white "
            "noise, on average and at most"
        )
    note_left_out(out, left_out)
    best, why = _best(rows)
    lifts = best is None and _lifts_parity(record, to_dim)
    why += "; --lift-parity, which makes odd vectors of odd scalars, is" if lifts else ""
    out.line(f"best: {best['rule']}, {why}" if best else f"best: none named, {why}")
    out.result(
        None,
        {
            "from_dim": record.D,
            "to_dim": to_dim,
            "rules": rows,
            "left_out": left_out,
            "best": best["rule"] if best else None,
            "best_by": "error" if errors is not None else "exactness",
            "lift_parity": lifts,
            "data": None if errors is None else errors.about,
            "no_change": None if errors is None else errors.unchanged,
        },
    )
    rule, _, value = (best or rows[0])["rule"].partition(" ")
    out.next_step(
        f"ginjax convert-d {quote(str(path))} --to-dim {to_dim} --rescale {rule}"
        + (f" --flex {value}" if value else "")
        + ("" if best else " --lift-parity" if lifts else " --allow-inexact")
    )


def _lifts_parity(record: "ModelRecord", to_dim: int) -> bool:
    """Whether the parity lift converts a model exactly."""
    from ginjax.checkpoint import convert_record
    from ginjax.errors import ArgumentError

    try:
        return convert_record(record, to_dim, "compatibility", parity_lift=True).certificate.exact
    except ArgumentError:
        return False


def note_left_out(out: Output, left_out: "Mapping[str, str]") -> None:
    """Say once which rules are missing from a table and what they need."""
    for name, need in left_out.items():
        out.note(f"left out: {name}, which needs {need}")


def _show(out: Output, title: str, rows: "list[dict[str, Any]]", by_filters: bool) -> None:
    """The table, with the columns that there are numbers for."""
    measured = rows[0]["error"] is not None
    ratios = ("weight_norm", "noise", "noise_largest") if by_filters else ()
    columns = (
        "rule",
        "residual of (C)" if by_filters else "residual",
        "exact",
        *(("weight norm", "white noise", "largest") if by_filters else ()),
        *(("error",) if measured else ()),
    )
    out.table(
        title,
        columns,
        [
            (
                row["rule"],
                f"{row['residual']:.1e}",
                "yes" if row["exact"] else "no",
                *(f"x {row[name]:.3g}" for name in ratios),
                *((f"{row['error']:.4g}",) if measured else ()),
            )
            for row in rows
        ],
    )


def _best(rows: "list[dict[str, Any]]") -> "tuple[dict[str, Any] | None, str]":
    """The rule to recommend, and on what grounds; without an error only exactness speaks."""
    if rows[0]["error"] is not None:
        # A network that blew up has no number to compare.
        finite = [row for row in rows if math.isfinite(row["error"])]
        if not finite:
            return None, "every rule blew up on the data"
        return min(finite, key=lambda row: row["error"]), "by its error"
    exact = next((row for row in rows if row["exact"]), None)
    if exact is None:
        return None, "no rule is exact here; --data or --pde compares their errors"
    if sum(row["exact"] for row in rows) == 1:
        return exact, "the only exact one"
    nearest = ", and of the exact ones closest to the old filters" if exact["noise"] is not None else ""
    return exact, f"exact{nearest}; --data or --pde compares errors"


class _Errors:
    """One-step errors of converted records on the same samples."""

    def __init__(self, task: "OwnTask", name: str):
        self._task = task
        self.about = f"{len(task.indices)} samples of {name}"
        self.unchanged = float("nan")

    def of(self, after: "ModelRecord") -> float:
        from ginjax.models import from_record

        found = self._task.error(from_record(after))
        self.unchanged = found.persistence
        return found.model
