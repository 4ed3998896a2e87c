"""Stop a training whose loss is no longer finite."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ginjax.errors import NumericsError


def check_losses(
    losses: Float[np.ndarray, " steps"], *, first_step: int, what: str = "training loss"
) -> None:
    """Refuse losses that are NaN or infinite.

    **Arguments:**

    - `losses`: the losses of consecutive steps.
    - `first_step`: number of the first of these steps.
    - `what`: name of the losses in the error message.

    **Raises:** `NumericsError` that names the first step with such a loss.
    """
    bad = np.flatnonzero(~np.isfinite(losses))
    if bad.size:
        raise NumericsError(
            f"{what} at step {first_step + int(bad[0])}",
            got=float(losses[bad[0]]),
            expected="a finite number",
            hint="Lower the learning rate, clip the gradient, or look for NaN in the data.",
        )
