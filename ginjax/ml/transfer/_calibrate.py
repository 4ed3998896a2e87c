"""Calibration: choose among the exact conversions with a few samples of the new dimension or of the old one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ginjax._unknown_name import unknown_name
from ginjax.checkpoint import Conversion, ModelRecord, NewAxis
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage
from ginjax.ml.forecast import shortest_waves
from ginjax.ml.transfer._gauss_newton import Fit, Quadratic, Unknowns, gauss_newton
from ginjax.ml.transfer._mixtures import Mixtures
from ginjax.ml.transfer._reach import reach
from ginjax.ml.transfer._sample_errors import SampleErrors
from ginjax.ml.transfer._short_wave_limit import ShortWaveExcess, ShortWaveLimit
from ginjax.ml.transfer._turned import turned
from ginjax.models import from_record
from ginjax.transfer import recomputed, round_converted

MOVES = (-2.0, 2.0)
"""Bounds on each choice: it must not run away if the samples say little about a convolution."""

CALIBRATED_RULES = ("isotropic", "compat-flex")
"""The rules that a calibration can start from; "compat-flex" with flex 1."""

EVALUATIONS = 12
"""The most runs of the network over the samples in a calibration."""

PULL = 0.05
"""The penalty for moving every convolution by one, relative to the error of the start."""

LIMIT_WEIGHT = 0.3
"""Weight of the excess of short-wave responses over their limit, beside errors relative to the size of the targets."""

INSIDE = 8
"""Grid points along each axis of a turned field at which errors count; the points around them are inputs only."""

_HALVINGS = 4


@dataclass(frozen=True)
class Calibration:
    """The choice for each convolution, and the error before and after.

    **Arguments:**

    - `rule`: the rule that the calibration started from.
    - `moves`: for each convolution, how far its weights were moved in the direction from the sparsest to the spin solution.
    - `loss_before`, `loss_after`: relative squared error on the samples with the rule's own weights and with the choice.
    - `evaluations`: runs of the network over the samples, without those for derivatives.
    - `turned`: whether the samples were of the low dimension.
    - `limited`: whether short-wave responses above their limit were penalised, see `ShortWaveLimit`.
    """

    rule: str
    moves: Mapping[str, float]
    loss_before: float
    loss_after: float
    evaluations: int
    turned: bool = False
    limited: bool = True

    @property
    def at_bound(self) -> tuple[str, ...]:
        """The convolutions whose choice was held at a bound of `MOVES`, because it would lie outside."""
        return tuple(name for name, value in self.moves.items() if value in MOVES)


def calibrate(
    record: ModelRecord,
    to_dim: int,
    X: MultiImage,
    Y: MultiImage,
    rule: str = "isotropic",
    *,
    evaluations: int = EVALUATIONS,
    seed: int = 0,
    new_boundary: str | Mapping[str, str] | None = None,
    new_axis: NewAxis | None = None,
    progress: Callable[[], None] | None = None,
) -> tuple[Conversion, Calibration]:
    r"""Convert by a rule, then choose for each convolution among the exact solutions around it, on a few samples.

    There is one `t` for each convolution. The weights `a'_rule + t (a'_spin - a'_sparse)` all solve condition (C), so
    everything that the rule preserves stays preserved. Damped Gauss-Newton steps from zero choose the `t` within `MOVES`
    that minimise

    `|f'_t(X) - Y|^2 / |Y|^2 + LIMIT_WEIGHT^2 sum max(0, |lambda_t| - most)^2 + PULL loss_before mean(t^2)`

    Here `lambda_t` are the eigenvalues of the response to short waves (wave numbers of at least pi per grid point), and `most`
    is the largest absolute eigenvalue in the low dimension, but at least 0.95 (`ShortWaveLimit`). Networks that pool have no
    such limit. Instead, if their short waves finally grow more than with the rule alone, all `t` are halved until they do not,
    at most four times, and otherwise set to zero.

    **Arguments:**

    - `record`: the model before conversion.
    - `to_dim`: a higher dimension.
    - `X`, `Y`: normalised inputs and targets, blocks `(samples, channels, *spatial, D, ..., D)`, either in the new dimension,
      or in that of the model and periodic. Samples in the dimension of the model are embedded in the new one in random
      directions, which is right only if the physics prefers no direction.
    - `rule`: one of `CALIBRATED_RULES`.
    - `evaluations`: the most runs of the network over the samples. Derivatives are computed by differences and need one more
      run for each convolution, which does not count.
    - `seed`: seed of the random directions.
    - `new_boundary`, `new_axis`: as in `ginjax.checkpoint.convert_record`.
    - `progress`: called after each of the evaluations.

    **Raises:** `ArgumentError` for a dimension that is not higher, samples of another dimension, no samples, or targets that
    are zero, and for samples of the low dimension if the network sees too far, or has a norm or fields of odd
    parity; `NumericsError` if the converted network gives NaN or infinity on the samples; `MemoryLimitError` for fields that
    are too large for the network.
    """
    if to_dim <= record.D:
        raise ArgumentError(
            "dimension to calibrate in",
            got=to_dim,
            expected=f"more than {record.D}",
            hint="Going down is unique: there is nothing to choose.",
        )
    if X.D not in (record.D, to_dim):
        raise ArgumentError("dimension of the samples", got=X.D, expected=f"{to_dim} or {record.D}")
    if rule not in CALIBRATED_RULES:
        raise unknown_name("rule to calibrate", rule, CALIBRATED_RULES, got=str(rule))
    if not X.get_L():
        raise ArgumentError("samples to calibrate on", got=0, expected="1 or more")
    if not any(np.any(np.asarray(block)) for block in Y.values()):
        raise ArgumentError(
            "targets of the samples", got="zero everywhere", expected="fields to compare with"
        )
    whole = to_dim == X.D
    inside = (slice(None),) * to_dim
    if not whole:
        model = from_record(record)
        margin, factor = reach(model, X), getattr(model, "grid_factor", 1)
        side = -(-(2 * margin + INSIDE) // factor) * factor
        X, Y = turned((X, Y), to_dim, side, seed)
        inside = (slice(margin, side - margin),) * to_dim
    mixtures = Mixtures.of(record, to_dim, rule, new_boundary, new_axis)
    limit = ShortWaveLimit.of(record, mixtures.start.after)
    errors = SampleErrors(mixtures, X, Y, inside)
    excess = None if limit is None else ShortWaveExcess(limit, mixtures)
    fit = _fit(errors, excess, len(mixtures.layers), evaluations, progress)
    t, conversion = fit.t, _rounded(mixtures, fit.t, record, X.get_L())
    if limit is None:
        t, conversion = _as_steady(mixtures, t, record, conversion, X.get_L())
    return conversion, Calibration(
        rule,
        {name: float(value) for name, value in zip(mixtures.layers, t, strict=True)},
        errors.loss(np.zeros_like(t)),
        errors.loss(t),
        fit.evaluations,
        turned=not whole,
        limited=limit is not None,
    )


def _fit(
    errors: SampleErrors,
    excess: ShortWaveExcess | None,
    count: int,
    evaluations: int,
    progress: Callable[[], None] | None,
) -> Fit:
    """Choose the `t` that minimise the errors, the penalty for moving, and the excess of short waves over their limit."""
    errors.check_memory()
    pull = PULL * errors.loss(np.zeros(count)) / count

    def loss(t: Unknowns) -> float:
        found = errors.loss(t) + pull * float(t @ t)
        if excess is not None:
            found += LIMIT_WEIGHT**2 * excess.loss(t)
        if progress is not None:
            progress()
        return found

    def quadratic(t: Unknowns) -> Quadratic:
        normal, slope = errors.quadratic(t)
        normal, slope = normal + pull * np.eye(count), slope + pull * t
        if excess is None:
            return normal, slope
        beyond, towards = excess.quadratic(t)
        return normal + LIMIT_WEIGHT**2 * beyond, slope + LIMIT_WEIGHT**2 * towards

    return gauss_newton(loss, quadratic, np.zeros(count), MOVES, evaluations)


def _rounded(mixtures: Mixtures, t: Unknowns, record: ModelRecord, samples: int) -> Conversion:
    """Round the choice to the precision of the file, and certify what is stored."""
    start = mixtures.start
    dtypes = {name: array.dtype for name, array in start.after.arrays.items()}
    arrays = round_converted(mixtures.at(t), start.after.layers, record.banks, start.after.banks, dtypes)
    certificate = recomputed(
        replace(start.certificate, flex=None),
        (record.arrays, record.layers, record.banks),
        (arrays, start.after.layers, start.after.banks),
    )
    *history, last = start.after.provenance
    moves = {name: float(value) for name, value in zip(mixtures.layers, t, strict=True)}
    chosen = dict(last) | {"flex": None, "calibrated_moves": moves, "samples": samples}
    after = replace(start.after, arrays=arrays, provenance=(*history, chosen)).certified(certificate)
    return Conversion(record, after, after.certificate or certificate)


def _as_steady(
    mixtures: Mixtures, t: Unknowns, record: ModelRecord, conversion: Conversion, samples: int
) -> tuple[Unknowns, Conversion]:
    """Halve the choice until short waves grow no more than with the rule alone."""
    allowed = shortest_waves(record, mixtures.start.after)
    if allowed is None:
        return t, conversion
    for part in (*(0.5**i for i in range(_HALVINGS + 1)), 0.0):
        if part < 1:
            conversion = _rounded(mixtures, part * t, record, samples)
        found = shortest_waves(record, conversion.after)
        if found is None or found.high <= max(allowed.high, found.low, 1.0):
            return part * t, conversion
    return np.zeros_like(t), conversion
