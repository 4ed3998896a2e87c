"""A table that compares all rules."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ginjax._text import shell_word

from ._output import Output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ginjax.checkpoint import ModelRecord
    from ginjax.ml import RuleComparison


def show_comparison(
    out: Output,
    path: Path,
    record: "ModelRecord",
    to_dim: int,
    found: "RuleComparison",
    about: str | None,
    words: "Sequence[str]" = (),
) -> None:
    """Show one row for each rule, the recommended rule, and the command that converts by it.

    **Arguments:**

    - `about`: the samples on which errors were measured, or None.
    - `words`: the options about the new axes, for the next command.
    """
    by_filters = bool(record.layers)
    _table(out, f"{path}: {record.D}D -> {to_dim}D by every rule", found, by_filters)
    if about is not None:
        out.line(f"error: one-step error (nRMSE) on {about}; of no change: {found.no_change:.4g}")
    if by_filters:
        out.note(
            "ratios of the converted model to the original: weight norm, of the layer where it grows most; response of a "
            "path to white noise, on average and the largest"
        )
    note_left_out(out, found.left_out)
    more = about is None and bool(found.rows[1:])
    errors = "; --data or --pde compares the errors of the rules" if more else ""
    out.line(f"best: {found.best.rule if found.best else 'none named'}, {found.why}{errors}")
    out.result(
        None,
        {
            "from_dim": record.D,
            "to_dim": to_dim,
            "rules": [asdict(row) for row in found.rows],
            "left_out": dict(found.left_out),
            "best": found.best.rule if found.best else None,
            "best_by": "error" if about is not None else "exactness",
            "lift_parity": found.lift_parity,
            "data": about,
            "no_change": found.no_change,
        },
    )
    rule, _, value = (found.best or found.rows[0]).rule.partition(" ")
    out.next_step(
        f"ginjax convert-d {shell_word(path)} --to-dim {to_dim} --rescale {rule}"
        + (f" --flex {value}" if value else "")
        + "".join(f" {each}" for each in words)
        + ("" if found.best else " --lift-parity" if found.lift_parity else " --allow-inexact")
    )


def note_left_out(out: Output, left_out: "Mapping[str, str]") -> None:
    """Say which rules are missing from a table, and what each of them needs."""
    for name, need in left_out.items():
        out.note(f"left out: {name}, which needs {need}")


def _table(out: Output, title: str, found: "RuleComparison", by_filters: bool) -> None:
    """Show the table, with those columns for which there are numbers."""
    measured = found.rows[0].error is not None
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
                row.rule,
                f"{row.residual:.1e}",
                "yes" if row.exact else "no",
                *(
                    f"x {ratio:.3g}"
                    for ratio in (row.weight_norm, row.noise, row.noise_largest)
                    if ratio is not None
                ),
                *((f"{row.error:.4g}",) if row.error is not None else ()),
            )
            for row in found.rows
        ],
    )
