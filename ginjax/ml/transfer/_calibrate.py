"""Calibration: choosing among the exact conversions with a few samples of the new dimension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Shaped

from ginjax.checkpoint import Conversion, ModelRecord, convert_record
from ginjax.errors import ArgumentError
from ginjax.geometric import AnyArray, MultiImage, compiled
from ginjax.ml.task import predict
from ginjax.ml.transfer._gauss_newton import Fit, Unknowns, gauss_newton
from ginjax.models import from_record, with_arrays
from ginjax.transfer import make_rule, recomputed, round_converted

FLEX_RANGE = (-1.0, 3.0)
"""Bounds on a choice: a layer the samples say little about must not run away."""


@dataclass(frozen=True)
class Calibration:
    """The flex chosen for each convolution, and the error before and after.

    **Arguments:**

    - `flex`: for each convolution the mixture of the sparsest (0) and the spin solution (1).
    - `loss_before`, `loss_after`: relative squared error on the samples at `flex = 1` and at the choice.
    - `evaluations`: runs of the network over the samples, derivatives not counted.
    """

    flex: Mapping[str, float]
    loss_before: float
    loss_after: float
    evaluations: int

    @property
    def at_bound(self) -> tuple[str, ...]:
        """The convolutions whose choice would lie outside of `FLEX_RANGE` and was held there."""
        return tuple(name for name, value in self.flex.items() if value in FLEX_RANGE)


def calibrate(
    record: ModelRecord,
    to_dim: int,
    X: MultiImage,
    Y: MultiImage,
    *,
    evaluations: int = 12,
    new_boundary: str | Mapping[str, str] | None = None,
) -> tuple[Conversion, Calibration]:
    r"""Convert by `compat-flex` with one `flex` for each convolution, chosen on a few samples.

    Every mixture `(1 - t) a'_sparse + t a'_spin` solves condition (C), so nothing that is preserved changes. The
    mixtures `t`, within `FLEX_RANGE`, minimise `|f'_t(X) - Y|^2 / |Y|^2` by damped Gauss-Newton steps from `t = 1`.

    **Arguments:**

    - `record`: the model before conversion.
    - `to_dim`: a higher dimension.
    - `X`, `Y`: normalised inputs and targets there, blocks `(samples, channels, *spatial, D, ..., D)`.
    - `evaluations`: the most runs of the network over the samples.
    - `new_boundary`: as in `ginjax.checkpoint.convert_record`.

    **Raises:** `ArgumentError` for a dimension that is not higher, or samples of another one; `NumericsError` if the
    converted network gives NaN or infinity on the samples.
    """
    if to_dim <= record.D:
        raise ArgumentError(
            "dimension to calibrate in",
            got=to_dim,
            expected=f"more than {record.D}",
            hint="Going down is unique: there is nothing to choose.",
        )
    if to_dim != X.D:
        raise ArgumentError("dimension of the samples", got=X.D, expected=to_dim)
    mixtures = _Mixtures.of(record, to_dim, new_boundary)
    fit = _fit(mixtures, X, Y, evaluations)
    flex = {name: float(value) for name, value in zip(mixtures.layers, fit.t, strict=True)}
    spin = mixtures.spin
    dtypes = {name: array.dtype for name, array in spin.after.arrays.items()}
    arrays = round_converted(mixtures.at(fit.t), spin.after.layers, record.banks, spin.after.banks, dtypes)
    certificate = recomputed(
        replace(spin.certificate, flex=None),
        (record.arrays, record.layers, record.banks),
        (arrays, spin.after.layers, spin.after.banks),
    )
    *history, last = spin.after.provenance
    chosen = dict(last) | {"flex": None, "calibrated_flex": flex, "samples": X.get_L()}
    after = replace(spin.after, arrays=arrays, provenance=(*history, chosen)).certified(certificate)
    return Conversion(record, after, after.certificate or certificate), Calibration(
        flex, fit.first, fit.loss, fit.evaluations
    )


@dataclass(frozen=True)
class _Mixtures:
    """The exact solutions between the sparsest and the spin solution, one unknown for each convolution.

    **Arguments:**

    - `spin`: the conversion at 1 everywhere, in the precision of the file.
    - `arrays`: the same in float64, so that a mixture is rounded once, at the end.
    - `spread`: by weight name the way from the sparsest solution to it; `owner`: the convolution it belongs to.
    """

    spin: Conversion
    arrays: Mapping[str, Shaped[np.ndarray, "..."]]
    spread: Mapping[str, Float[np.ndarray, "_out _in _filters"]]
    owner: Mapping[str, int]

    @classmethod
    def of(cls, record: ModelRecord, to_dim: int, new_boundary: str | Mapping[str, str] | None) -> _Mixtures:
        spin = convert_record(record, to_dim, make_rule("compat-flex", 1.0), new_boundary=new_boundary)
        sparse, whole = (
            convert_record(
                record, to_dim, make_rule("compat-flex", flex), dtype="float64", new_boundary=new_boundary
            ).after.arrays
            for flex in (0.0, 1.0)
        )
        owner = {
            layer.weight_name(source, target): i
            for i, layer in enumerate(spin.after.layers)
            for source, _, target, _ in layer.paths()
        }
        weights = [name for name in whole if name in owner]
        return cls(spin, whole, {name: whole[name] - sparse[name] for name in weights}, owner)

    @property
    def layers(self) -> list[str]:
        return [layer.name for layer in self.spin.after.layers]

    def at(self, t: Unknowns) -> dict[str, Shaped[np.ndarray, "..."]]:
        """All arrays of the mixture; those that are not mixed as they are in the file."""
        return {
            name: self.arrays[name] + (t[self.owner[name]] - 1) * self.spread[name]
            if name in self.spread
            else array
            for name, array in self.spin.after.arrays.items()
        }

    def traced(self, t: Float[Array, " unknowns"]) -> dict[str, Shaped[AnyArray, "..."]]:
        """The same in single precision, for a network to be differentiated."""
        arrays: dict[str, Shaped[AnyArray, "..."]] = dict(self.spin.after.arrays)
        for name, spread in self.spread.items():
            arrays[name] = arrays[name] + (t[self.owner[name]] - 1) * spread.astype(np.float32)
        return arrays


def _fit(mixtures: _Mixtures, X: MultiImage, Y: MultiImage, evaluations: int) -> Fit:
    """The mixture whose network comes closest to the targets."""
    model = from_record(mixtures.spin.after)
    target = jnp.concatenate([block.ravel() for block in Y.values()])
    size = jnp.linalg.norm(target)

    @compiled
    def residuals(t: Float[Array, " unknowns"]) -> Float[Array, " residuals"]:
        prediction = predict(with_arrays(model, mixtures.traced(t)), X)
        return (jnp.concatenate([prediction[key].ravel() for key in Y]) - target) / size

    jacobian = compiled(jax.jacfwd(residuals))
    return gauss_newton(
        lambda t: np.asarray(residuals(jnp.asarray(t, jnp.float32)), np.float64),
        lambda t: np.asarray(jacobian(jnp.asarray(t, jnp.float32)), np.float64),
        np.ones(len(mixtures.layers)),
        FLEX_RANGE,
        evaluations,
    )
