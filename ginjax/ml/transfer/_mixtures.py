"""The exact conversions around that of a rule, with one unknown for each convolution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jax import Array
from jaxtyping import Float, Shaped

from ginjax.checkpoint import Conversion, ModelRecord, NewAxis, convert_record
from ginjax.geometric import AnyArray
from ginjax.ml.transfer._gauss_newton import Unknowns
from ginjax.transfer import make_rule


@dataclass(frozen=True)
class Mixtures:
    r"""Solutions of (C), `a'_rule + t (a'_spin - a'_sparse)`, with one `t` for each convolution.

    The difference of two solutions is in the null space of (C), so every `t` is as exact as the rule.

    **Arguments:**

    - `start`: the conversion by the rule (`t = 0`), in the precision of the file.
    - `arrays`: the same conversion in float64, so that a mixture is rounded only once, at the end.
    - `spread`: by weight name, the difference between the spin solution and the sparsest solution.
    - `owner`: by weight name, the number of its convolution.
    """

    start: Conversion
    arrays: Mapping[str, Shaped[np.ndarray, "..."]]
    spread: Mapping[str, Float[np.ndarray, "_out _in _filters"]]
    owner: Mapping[str, int]

    @classmethod
    def of(
        cls,
        record: ModelRecord,
        to_dim: int,
        rule: str,
        new_boundary: str | Mapping[str, str] | None = None,
        new_axis: NewAxis | None = None,
    ) -> Mixtures:
        """Make the mixtures around a rule of `ginjax.transfer.RULES`, which has to be compatible."""
        start = convert_record(record, to_dim, rule, new_boundary=new_boundary, new_axis=new_axis)
        exact, sparse, spin = (
            convert_record(
                record, to_dim, each, dtype="float64", new_boundary=new_boundary, new_axis=new_axis
            ).after.arrays
            for each in (rule, make_rule("compat-flex", 0.0), make_rule("compat-flex", 1.0))
        )
        owner = {
            layer.weight_name(source, target): i
            for i, layer in enumerate(start.after.layers)
            for source, _, target, _ in layer.paths()
        }
        weights = [name for name in spin if name in owner]
        return cls(start, exact, {name: spin[name] - sparse[name] for name in weights}, owner)

    @property
    def layers(self) -> list[str]:
        """The names of the convolutions."""
        return [layer.name for layer in self.start.after.layers]

    def at(self, t: Unknowns) -> dict[str, Shaped[np.ndarray, "..."]]:
        """Compute all arrays of the mixture; arrays that are not mixed are those of the file."""
        return {
            name: self.arrays[name] + t[self.owner[name]] * self.spread[name]
            if name in self.spread
            else array
            for name, array in self.start.after.arrays.items()
        }

    def traced(self, t: Float[Array, " unknowns"]) -> dict[str, Shaped[AnyArray, "..."]]:
        """Compute the arrays of the mixture in single precision, for use inside a compiled function."""
        arrays: dict[str, Shaped[AnyArray, "..."]] = dict(self.start.after.arrays)
        for name, spread in self.spread.items():
            arrays[name] = arrays[name] + t[self.owner[name]] * spread.astype(np.float32)
        return arrays
