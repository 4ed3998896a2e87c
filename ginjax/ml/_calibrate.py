"""Choosing among the exact solutions with a few samples of the new dimension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ginjax.checkpoint import Conversion, ModelRecord, convert_record, weights_digest
from ginjax.errors import NumericsError
from ginjax.geometric import MultiImage
from ginjax.ml._one_step import predict
from ginjax.models import from_record, with_arrays
from ginjax.transfer import make_rule, recertify

DAMPING = 1e-3
"""First damping of a Gauss-Newton step, relative to the diagonal; ten times more after a step that fails."""


FLEX_RANGE = (-1.0, 3.0)
"""Bounds on a choice: a layer the samples say little about must not run away."""


@dataclass(frozen=True)
class Calibration:
    """What was chosen and what it bought.

    - `flex`: for each convolution the mixture of the sparsest (0) and the spin solution (1).
    - `loss_before`, `loss_after`: relative squared error on the samples at `flex = 1` and at the choice.
    - `evaluations`: runs of the network over the samples, derivatives not counted.
    """

    flex: Mapping[str, float]
    loss_before: float
    loss_after: float
    evaluations: int


def calibrate(
    record: ModelRecord, to_dim: int, X: MultiImage, Y: MultiImage, *, evaluations: int = 12
) -> tuple[Conversion, Calibration]:
    r"""Convert by `compat-flex` with one `flex` for each convolution, chosen on a few samples.

    Every mixture `(1 - t) a'_sparse + t a'_spin` solves condition (C), so nothing that is preserved changes. The
    mixtures `t`, within `FLEX_RANGE`, minimise `|f'_t(X) - Y|^2 / |Y|^2` by damped Gauss-Newton steps from `t = 1`.

    **Arguments:**

    - `record`: the model before conversion.
    - `to_dim`: a higher dimension.
    - `X`, `Y`: normalised inputs and targets there, blocks `(samples, channels, *spatial, D, ..., D)`.
    - `evaluations`: the most runs of the network over the samples.

    **Raises:** `NumericsError` if the converted network gives NaN or infinity on the samples.
    """
    spin = convert_record(record, to_dim, make_rule("compat-flex", 1.0))
    # The mixture is formed in float64 and rounded once, at the end.
    ends = [
        convert_record(record, to_dim, make_rule("compat-flex", flex), dtype="float64").after.arrays
        for flex in (0.0, 1.0)
    ]
    layers = [layer.name for layer in spin.after.layers]
    spread = {
        name: ends[1][name] - ends[0][name]
        for layer in spin.after.layers
        for name in spin.after.arrays
        if name.startswith(f"{layer.name}.weight.")
    }
    owner = {name: layers.index(name.rpartition(".weight.")[0]) for name in spread}
    model = from_record(spin.after)
    target = jnp.concatenate([block.ravel() for block in Y.values()])
    size = jnp.linalg.norm(target)

    def mixed(t: Array) -> dict[str, Array | np.ndarray]:
        arrays: dict[str, Array | np.ndarray] = dict(spin.after.arrays)
        for name, difference in spread.items():
            arrays[name] = spin.after.arrays[name] + (t[owner[name]] - 1) * difference.astype(np.float32)
        return arrays

    @eqx.filter_jit
    def residuals(t: Array) -> Array:
        prediction = predict(with_arrays(model, mixed(t)), X)
        return (jnp.concatenate([prediction[key].ravel() for key in Y]) - target) / size

    jacobian = eqx.filter_jit(jax.jacfwd(residuals))
    t, damping = np.ones(len(layers)), DAMPING
    r = np.asarray(residuals(jnp.asarray(t, jnp.float32)), np.float64)
    first = loss = float(r @ r)
    if not np.isfinite(loss):
        raise NumericsError("the converted network gives NaN or infinity on the samples")
    used = 1
    while used < evaluations:
        J = np.asarray(jacobian(jnp.asarray(t, jnp.float32)), np.float64)
        normal = J.T @ J
        while used < evaluations:
            step = np.linalg.lstsq(normal + damping * np.diag(np.diag(normal) + 1e-12), -J.T @ r, rcond=None)[
                0
            ]
            candidate = np.clip(t + step, *FLEX_RANGE)
            trial = np.asarray(residuals(jnp.asarray(candidate, jnp.float32)), np.float64)
            used += 1
            trial_loss = float(trial @ trial)
            if np.isfinite(trial_loss) and trial_loss < loss:
                break
            damping *= 10
        else:
            break
        gain = loss - trial_loss
        t, r, loss, damping = candidate, trial, trial_loss, damping / 10
        if gain < 1e-4 * loss:
            break
    arrays = {
        name: (ends[1][name] + (t[owner[name]] - 1) * spread[name]).astype(array.dtype)
        if name in spread
        else array
        for name, array in spin.after.arrays.items()
    }
    certificate = recertify(
        replace(spin.certificate, flex=None),
        spin.after.layers,
        spin.after.banks,
        spin.after.arrays,
        arrays,
        weights_digest,
    )
    flex = {name: float(value) for name, value in zip(layers, t, strict=True)}
    *history, last = spin.after.provenance
    chosen = dict(last) | {"flex": None, "calibrated_flex": flex, "samples": X.get_L()}
    after = replace(spin.after, arrays=arrays, certificate=certificate, provenance=(*history, chosen))
    return Conversion(record, after, certificate), Calibration(flex, first, loss, used)
