"""Compare all transfer rules on one model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ginjax.checkpoint import ModelRecord, NewAxis, convert_record
from ginjax.errors import ArgumentError
from ginjax.ml.task import OwnTask
from ginjax.models import from_record
from ginjax.transfer import RULES, compared_rules, find_rule, growth, rule_label


@dataclass(frozen=True)
class RuleRow:
    """The result of converting a model by one rule.

    **Arguments:**

    - `rule`: name of the rule, with its flex value if it has one.
    - `about`: what the rule does, in one line.
    - `residual`, `exact`: residual and exactness of condition (C), or of the kernels of a plain model.
    - `weight_norm`: norm of the new weights divided by that of the old ones, in the layer where it grows most.
    - `noise`, `noise_largest`: new divided by old response of a path to white noise, on average and at most. These and
      `weight_norm` are None for plain models.
    - `error`: one-step error (nRMSE) on samples in the new dimension; None without samples.
    """

    rule: str
    residual: float
    exact: bool
    weight_norm: float | None
    noise: float | None
    noise_largest: float | None
    error: float | None
    about: str = ""


@dataclass(frozen=True)
class RuleComparison:
    """The transfer rules side by side, and the recommended rule.

    **Arguments:**

    - `rows`: one row for each rule that fits the model.
    - `left_out`: the other rules, and what they need.
    - `no_change`: the error of predicting no change; None without samples.
    - `best`: the recommended rule, or None.
    - `why`: the reason for the recommendation.
    - `lift_parity`: whether no rule is recommended but the parity lift is exact.
    """

    rows: tuple[RuleRow, ...]
    left_out: Mapping[str, str]
    no_change: float | None
    best: RuleRow | None
    why: str
    lift_parity: bool


def compare_rules(
    record: ModelRecord,
    to_dim: int,
    task: OwnTask | None = None,
    new_boundary: str | Mapping[str, str] | None = None,
    new_axis: NewAxis | None = None,
) -> RuleComparison:
    """Convert a model by every rule that fits it, and compare the results; nothing is written.

    **Arguments:**

    - `record`: the model.
    - `to_dim`: dimension to convert to.
    - `task`: samples in that dimension on which one-step errors are measured.
    - `new_boundary`, `new_axis`: as in `ginjax.checkpoint.convert_record`.

    **Raises:** `ArgumentError` if no rule fits, with the reason of the first rule.
    """
    rows: list[RuleRow] = []
    left_out: dict[str, str] = {}
    problems, no_change = [], None
    for name, flex in _rules(record, to_dim):
        try:
            conversion = convert_record(
                record, to_dim, find_rule(name, flex), new_boundary=new_boundary, new_axis=new_axis
            )
        except ArgumentError as problem:
            problems.append(problem)
            left_out[rule_label(name, flex)] = str(problem.expected)
            continue
        sides = [(r.arrays, r.layers, r.banks) for r in (record, conversion.after)]
        sizes = growth(*sides) if record.layers else None
        found = None if task is None else task.error(from_record(conversion.after))
        no_change = None if found is None else found.persistence
        rows.append(
            RuleRow(
                rule=rule_label(name, flex),
                residual=conversion.certificate.residual,
                exact=conversion.certificate.exact,
                weight_norm=None if sizes is None else sizes.weights,
                noise=None if sizes is None else sizes.noise,
                noise_largest=None if sizes is None else sizes.noise_largest,
                error=None if found is None else found.model,
                about=RULES[name].about,
            )
        )
    if not rows:
        raise problems[0]
    best, why = _best(rows)
    lifts = best is None and _lifts_parity(record, to_dim)
    why += "; `lift_parity=True`, which makes odd vectors of odd scalars, is" if lifts else ""
    return RuleComparison(tuple(rows), left_out, no_change, best, why, lifts)


def _rules(record: ModelRecord, to_dim: int) -> list[tuple[str, float | None]]:
    if not record.layers:
        return list(compared_rules(plain=True))
    return list(compared_rules()) if to_dim > record.D else [("compatibility", None)]  # going down is unique


def _best(rows: list[RuleRow]) -> tuple[RuleRow | None, str]:
    """Choose the rule to recommend, and say why; without errors, exactness alone decides."""
    if rows[0].error is not None:
        # A network that blew up has no number to compare.
        finite = [
            (row.error, i) for i, row in enumerate(rows) if row.error is not None and math.isfinite(row.error)
        ]
        if not finite:
            return None, "every rule blew up on the data"
        return rows[min(finite)[1]], "by its error"
    exact = next((row for row in rows if row.exact), None)
    if exact is None:
        return None, "no rule is exact here"
    if sum(row.exact for row in rows) == 1:
        return exact, "the only exact one"
    nearest = ", and of the exact ones closest to the old filters" if exact.noise is not None else ""
    return exact, f"exact{nearest}"


def _lifts_parity(record: ModelRecord, to_dim: int) -> bool:
    """Whether the parity lift converts a model exactly."""
    try:
        return convert_record(record, to_dim, "compatibility", parity_lift=True).certificate.exact
    except ArgumentError:
        return False
