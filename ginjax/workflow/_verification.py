"""Compare a model with the one that it was converted from."""

from __future__ import annotations

import warnings

from ginjax.checkpoint import ModelRecord
from ginjax.errors import GinjaxWarning
from ginjax.ml import shortest_waves
from ginjax.models import (
    AnyDimensionalModel,
    Verification,
    default_side,
    promises_between,
    verification_effort,
    verify_records,
)


def verified(
    low: ModelRecord,
    high: ModelRecord,
    below: AnyDimensionalModel,
    *,
    side: int | None,
    seed: int,
    tolerance: float | None,
    stacklevel: int,
) -> Verification:
    """`Model.verify` for two records.

    **Arguments:**

    - `below`: the network of `low`.
    - `side`, `seed`, `tolerance`: as in `Model.verify`.
    - `stacklevel`: as in `warnings.warn`, counted from the caller of this function.
    """
    walled = not all(high.is_torus)
    effort = verification_effort(low, high, side=side or default_side(below, walled=walled))
    if effort.warning is not None:
        warnings.warn(effort.warning, GinjaxWarning, stacklevel=stacklevel + 1)
    effort.check()
    found = verify_records(low, high, side=side, seed=seed)
    promises_between(low, high).check(found, tolerance)
    waves = shortest_waves(low, high)
    if waves is not None and waves.warning:
        warnings.warn(waves.warning, GinjaxWarning, stacklevel=stacklevel + 1)
    return found
