"""All rules side by side."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ._output import Output

if TYPE_CHECKING:
    from ginjax.checkpoint import ModelRecord


def compare_rules(
    out: Output, path: Path, record: "ModelRecord", to_dim: int, pde: str | None, seed: int
) -> None:
    """One line for each rule; nothing is written."""
    from ginjax.checkpoint import convert_record
    from ginjax.errors import ArgumentError
    from ginjax.transfer import PLAIN_RULES, growth, make_rule

    if record.layers:
        rules = [
            ("compatibility", None),
            ("compat-flex", 0.0),
            ("volume", None),
            ("compatibility-norm", None),
        ]
        rules.append(("none", None))
    else:
        rules = [(name, None) for name in PLAIN_RULES]
    measure = _error_on(pde, record, to_dim, seed) if pde is not None else None
    rows, notes = [], []
    for name, flex in rules:
        try:
            rule = name if name in PLAIN_RULES else make_rule(name, flex)
            conversion = convert_record(record, to_dim, rule)
        except ArgumentError as error:
            notes.append(error.problem)
            continue
        sizes = growth(*((r.arrays, r.layers, r.banks) for r in (record, conversion.after)))
        rows.append(
            {
                "rule": name if flex is None else f"{name} {flex:g}",
                "residual": conversion.certificate.residual,
                "exact": conversion.certificate.exact,
                "weight_norm": sizes.weights if record.layers else None,
                "noise": sizes.noise if record.layers else None,
                "noise_largest": sizes.noise_largest if record.layers else None,
                "error": None if measure is None else measure(conversion.after),
            }
        )
    if not rows:
        raise ArgumentError("rules", got="; ".join(notes), expected="a rule that can be applied")
    out.table(
        f"{path}: {record.D}D -> {to_dim}D by every rule",
        ("rule", "residual of (C)", "exact", "weight norm", "white noise", "largest", "error"),
        [
            (
                row["rule"],
                f"{row['residual']:.1e}",
                "yes" if row["exact"] else "no",
                *(
                    "-" if row[k] is None else f"x {row[k]:.3g}"
                    for k in ("weight_norm", "noise", "noise_largest")
                ),
                "-" if row["error"] is None else f"{row['error']:.4g}",
            )
            for row in rows
        ],
    )
    for note in notes:
        out.note(note)
    if measure is None:
        best = next((row for row in rows if row["exact"]), rows[0])
    else:
        best = min(rows, key=lambda row: row["error"])
    rule, _, value = best["rule"].partition(" ")
    out.line(f"best: {best['rule']}")
    out.result(None, {"from_dim": record.D, "to_dim": to_dim, "rules": rows, "best": best["rule"]})
    out.next_step(
        f"ginjax convert-d {quote(str(path))} --to-dim {to_dim} --rescale {rule}"
        + (f" --flex {value}" if value else "")
    )


def _error_on(pde: str, record: "ModelRecord", to_dim: int, seed: int):
    """A function from a converted record to its one-step error on held-out simulations."""
    from ginjax.data import Normalisation, find_pde
    from ginjax.errors import ArgumentError
    from ginjax.ml import HELD_OUT_OFFSET, make_task, one_step_error
    from ginjax.models import from_record

    from ._model_options import signature_of

    stored = (record.data or {}).get("normalisation")
    if stored is None:
        raise ArgumentError(
            "--pde", got="a model that was not trained on data", expected="a model written by 'ginjax train'"
        )
    fields = sorted([k, p, count] for (k, p), count in signature_of(find_pde(pde).fields))
    if not sorted(record.spec["inputs"]) == sorted(record.spec["outputs"]) == fields:
        raise ArgumentError("--pde", got=f"{pde!r}", expected="an equation with the fields of the model")
    task = make_task(
        pde,
        to_dim,
        trajectories=4,
        frames=4,
        seed=seed + HELD_OUT_OFFSET,
        normalisation=Normalisation.from_json(stored),
    )
    return lambda after: one_step_error(from_record(after), task, batch_size=8).model
