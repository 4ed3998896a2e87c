"""Whether data are of the kind a model was trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ginjax.data import Field, Source
from ginjax.errors import ArgumentError

if TYPE_CHECKING:
    from ginjax.ml._rollout import Forecaster

_SAME = 1e-3
"""Spacings and time steps closer than this, relatively, are one and the same."""


def check_fit(forecaster: Forecaster, source: Source, frames: int) -> None:
    """`Forecaster.check`."""
    if source.D != forecaster.D:
        raise ArgumentError(
            "dimension of the data",
            got=source.D,
            expected=f"{forecaster.D}, that of the model",
            hint="'ginjax convert-d' takes a model to another dimension.",
        )
    _check_fields("fields of the data", forecaster.schema, source.schema)
    _check_fields("constant fields of the data", forecaster.constants, source.constants)
    if tuple(source.is_torus) != forecaster.is_torus:
        raise ArgumentError(
            "boundaries of the data",
            got=_boundaries(source.is_torus),
            expected=f"{_boundaries(forecaster.is_torus)}, as the model was trained with",
            hint="If the data are so and the file says otherwise: --periodic AXES.",
        )
    _check_number("grid spacing of the data", source.spacing, forecaster.spacing)
    _check_number("time step of the data", source.time_step, forecaster.time_step)
    if source.frames < frames:
        raise ArgumentError(
            "frames of the data",
            got=source.frames,
            expected=f"at least {frames} in each trajectory",
        )


def _check_fields(subject: str, wanted: Sequence[Field], found: Sequence[Field]) -> None:
    missing = [each for each in wanted if (each.name, each.key) not in [(f.name, f.key) for f in found]]
    if missing:
        raise ArgumentError(
            subject,
            got=", ".join(map(_kind, found)) or "none",
            expected=f"{', '.join(map(_kind, wanted))}, those of the model",
            hint=f"A field under another name is read by --field {_kind(missing[0])}=VARIABLE.",
        )


def _check_number(subject: str, found: float | None, wanted: float | None) -> None:
    # What is not stated cannot be compared, and a single frame has no time step.
    if found is None or wanted is None or math.isclose(found, wanted, rel_tol=_SAME):
        return
    raise ArgumentError(
        subject,
        got=f"{found:g}",
        expected=f"{wanted:g}, as the model was trained with",
        hint="A network knows one grid spacing and one time step: resample the data, or train on them.",
    )


def _kind(each: Field) -> str:
    return f"{each.name}:{each.k}{'-' if each.p else '+'}"


def _boundaries(is_torus: Sequence[bool]) -> str:
    return ", ".join(
        f"{axis} {'periodic' if yes else 'not periodic'}" for axis, yes in zip("xyz", is_torus, strict=False)
    )
