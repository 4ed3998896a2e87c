"""A model in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ginjax.checkpoint import ModelRecord


def in_words(architecture: str, record: ModelRecord) -> str:
    """Say what a model is, what it sees, what was done to it, and whether its certificate holds."""
    contract, certificate = record.contract, record.certificate
    seen = ", ".join(each.kind for each in (*contract.fields, *contract.constants))
    parts = [
        f"{architecture} in {record.D}D",
        seen or "fields unknown",
        f"{record.parameters:,} parameters",
        *map(_said, record.provenance),
    ]
    if certificate is not None:
        state = "stale" if record.certificate_is_stale else "exact" if certificate.exact else "not exact"
        parts.append(f"certificate {state}")
    return "; ".join(parts)


def _said(step: Mapping[str, Any]) -> str:
    """Say in a few words what a step of the history did."""
    match step.get("step"):
        case "train" | "tune" as what:
            done, on = step.get("steps_done", step.get("steps")), step.get("equation", step.get("data"))
            return f"{'trained' if what == 'train' else 'tuned'} {done} steps on {on}"
        case "convert":
            return f"converted {step.get('from_dim')}D -> {step.get('to_dim')}D by {step.get('rule')}"
        case "edit":
            return "changed by hand"
        case "init":
            return "not trained"
    return str(step.get("step"))
