"""Conversion of the weights of a whole model: arrays and a layer table in, arrays and a certificate out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ginjax.errors import ArgumentError, NumericsError
from ginjax.filters import FilterBank

from ._certificate import Certificate, PathReport, tolerance_of
from ._digest import array_digest
from ._explain import explain
from ._layers import ConvLayer, FieldKey, check_weights, path_name
from ._pairs import bank_block, lifted_path, path_pair
from ._rounding import compatible_rounding
from ._system import (
    FilterPair,
    Residual,
    collapse_matrix,
    residual,
    residual_downward,
    solutions,
)
from .rules import RemarkingRule, Rule, dropped_filters


def bank_chain(bank: FilterBank, to_dim: int, target: FilterBank | None = None) -> tuple[FilterBank, ...]:
    """The banks that a conversion passes through, one dimension at a time, up or down.

    **Arguments:**

    - `bank`: the current bank of the model.
    - `to_dim`: the new dimension.
    - `target`: the last bank, if it is given as arrays. If one of the two banks matches no recipe, there are no banks in between,
      and the conversion is a single step.
    """
    if to_dim == bank.D or to_dim < 1:
        raise ArgumentError(
            "dimension to convert to",
            got=to_dim,
            expected=f"another dimension than the model's own {bank.D}",
            hint=f"The model is in {bank.D}D already: ask for {bank.D + 1}, or another one."
            if to_dim > 0
            else None,
        )
    if target is not None and (bank.recipe is None or target.recipe != bank.recipe):
        return bank, target
    step = 1 if to_dim > bank.D else -1
    between = tuple(bank.in_dimension(D) for D in range(bank.D + step, to_dim, step))
    return (bank, *between, bank.in_dimension(to_dim) if target is None else target)


def convert_weights(
    arrays: Mapping[str, np.ndarray],
    layers: Sequence[ConvLayer],
    chains: Mapping[str, Sequence[FilterBank]],
    rule: Rule,
    dtype: np.dtype | None = None,
    parity_lift: bool = False,
) -> tuple[dict[str, np.ndarray], Certificate]:
    """Apply a rule to every convolution of a model.

    **Arguments:**

    - `arrays`: all arrays of the model by name. Those that are not convolution weights do not depend on the
      dimension and stay as they are.
    - `layers`: the layer table.
    - `chains`: for each bank role, the banks to pass through, from `bank_chain`. With `parity_lift` there are two of them,
      the second with the filters of the lifted keys.
    - `rule`: the transfer rule. On the way down, only rules that promise compatibility make sense.
    - `dtype`: dtype of the floating-point arrays in the result; unchanged by default.
    - `parity_lift`: turn odd scalars into odd vectors along the added axis, see `lift_key`.

    **Returns:** the new arrays, and the certificate computed on them as stored.
    """
    layers = tuple(layers)
    first = next(iter(chains.values()))
    _check_direction(first[0].D, first[-1].D, rule, parity_lift)
    check_weights(
        layers,
        {role: chain[0] for role, chain in chains.items()},
        {name: array.shape for name, array in arrays.items()},
    )
    result = dict(arrays)
    converted: dict[str, np.ndarray] = {}
    reports = []
    for layer in layers:
        for source, c_in, target, c_out in layer.paths():
            path = _Path(tuple(chains[layer.role]), layer, source, target, parity_lift)
            name = layer.weight_name(source, target)
            old = result.pop(name, None)
            if not path.exists:
                continue
            before = _float64(name, old, (c_out, c_in, 0))
            stored = dtype or (old.dtype if old is not None else _common_dtype(arrays))
            new = np.ascontiguousarray(path.rounded(rule, path.apply(rule, before), stored))
            if new.shape[-1]:
                converted[layer.weight_name(*path.new_keys)] = new
            reports.append(path.report(rule, before, new))
    if parity_lift:
        result = _lift_names(result)
    result |= converted
    if dtype is not None:
        result = {n: a.astype(dtype) if a.dtype.kind == "f" else a for n, a in result.items()}
    result = dict(sorted(result.items()))
    certificate = Certificate(
        rule=rule.name,
        flex=getattr(rule, "flex", None),
        promises=rule.promises_compatibility,
        from_dim=first[0].D,
        to_dim=first[-1].D,
        tolerance=tolerance_of(dtype or _common_dtype(arrays)),
        parity_lift=parity_lift,
        digest=array_digest(result),
        paths=tuple(reports),
    )
    return result, certificate


def _check_direction(from_dim: int, to_dim: int, rule: Rule, parity_lift: bool) -> None:
    if to_dim < from_dim and not rule.promises_compatibility:
        raise ArgumentError(
            "rule for going down",
            got=repr(rule.name),
            expected="'compatibility'",
            hint="The way down is unique: sum over the axes that go, keep the components that stay.",
        )
    if parity_lift and (to_dim != from_dim + 1 or not rule.promises_compatibility):
        raise ArgumentError(
            "parity lift",
            got=f"{from_dim} -> {to_dim} with rule {rule.name!r}",
            expected="one dimension up with a compatible rule",
        )


@dataclass(frozen=True)
class _Path:
    """One path of one convolution through a chain of banks."""

    chain: tuple[FilterBank, ...]
    layer: ConvLayer
    source: FieldKey
    target: FieldKey
    parity_lift: bool

    @property
    def new_keys(self) -> tuple[FieldKey, FieldKey]:
        return lifted_path(self.source, self.target, self.parity_lift)

    @property
    def upward(self) -> bool:
        return self.chain[-1].D > self.chain[0].D

    @property
    def exists(self) -> bool:
        """Whether it has filters before or after."""
        ends = (self.chain[0], self.source, self.target), (self.chain[-1], *self.new_keys)
        return any(len(bank_block(*end)) > 0 for end in ends)

    def apply(self, rule: Rule, weights: np.ndarray) -> np.ndarray:
        """Carry weights `(out, in, n)` through the chain in float64."""
        for i in range(len(self.chain) - 1):
            pair = self._pair(i, i + 1)
            weights = self._by(rule, weights, pair) if self.upward else weights @ collapse_matrix(pair).T
        return weights

    def _by(self, rule: Rule, weights: np.ndarray, pair: FilterPair) -> np.ndarray:
        new = np.asarray(rule(weights, pair))
        wanted = (*weights.shape[:2], len(pair.new))
        if new.shape != wanted:
            raise ArgumentError(
                f"what rule {rule.name!r} makes of {self.layer.name} {path_name(self.source, self.target)}",
                got=f"weights of shape {new.shape}",
                expected=f"(out, in, new filters) = {wanted}",
            )
        return new

    def rounded(self, rule: Rule, weights: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """The weights in the precision of the file."""
        if not (rule.promises_compatibility and self.upward):
            return weights.astype(dtype)
        return compatible_rounding(self._pair(0, len(self.chain) - 1), weights, dtype)

    def report(self, rule: Rule, before: np.ndarray, new: np.ndarray) -> PathReport:
        whole = self._pair(0, len(self.chain) - 1)
        dropped: dict[str, None] = {}
        if self.upward:
            gap, free = residual(whole, before, new), solutions(whole).null.shape[1]
            if not rule.promises_compatibility:
                for i in range(len(self.chain) - 1):
                    dropped |= dict.fromkeys(dropped_filters(self._pair(i, i + 1)))
        else:
            gap, free = residual_downward(whole, new, before), 0
        return PathReport(
            layer=self.layer.name,
            path=path_name(*self.new_keys),
            before=before.shape[-1],
            after=new.shape[-1],
            residual=gap.total,
            residual_new=gap.new,
            free=free,
            dropped=tuple(dropped),
            note=self._note(rule, whole, gap, tolerance_of(new.dtype)),
        )

    def _note(self, rule: Rule, whole: FilterPair, gap: Residual, tolerance: float) -> str:
        if not rule.promises_compatibility:
            return ""
        if not self.upward and gap.total > tolerance:
            return "the higher dimension does something here that no field of the lower one shows"
        return "; ".join(filter(None, (explain(whole, gap, tolerance), *self._remarks(rule))))

    def _remarks(self, rule: Rule) -> list[str]:
        """What the rule remarks about the steps on the way up, each remark once."""
        if not isinstance(rule, RemarkingRule) or not self.upward:
            return []
        return list(dict.fromkeys(rule.remark(self._pair(i, i + 1)) for i in range(len(self.chain) - 1)))

    def _pair(self, a: int, b: int) -> FilterPair:
        low, high = (self.chain[i] for i in ((a, b) if self.upward else (b, a)))
        return path_pair(self.layer, self.source, self.target, low, high, self.parity_lift)


def _lift_names(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Give arrays of odd scalars the names of odd vectors.

    The norm of a vector also has a factor for the mean, which starts at 0 and changes nothing.
    """
    lifted = {}
    for name, array in arrays.items():
        stem, _, key = name.rpartition(".")
        lifted[f"{stem}.k1p1" if key == "k0p1" else name] = array
        if key == "k0p1" and stem.endswith(".scale"):
            lifted[f"{stem.removesuffix('.scale')}.bias.k1p1"] = np.zeros_like(array)
    return lifted


def _float64(name: str, array: np.ndarray | None, empty: tuple[int, ...]) -> np.ndarray:
    if array is None:
        return np.zeros(empty)
    values = array.astype(np.float64)
    if not np.all(np.isfinite(values)):
        raise NumericsError(f"array {name!r} holds NaN or infinity", hint="Train the model again.")
    return values


def _common_dtype(arrays: Mapping[str, np.ndarray]) -> np.dtype:
    """The widest floating-point dtype of the model's arrays (float32 if it has none)."""
    kinds = {a.dtype for a in arrays.values() if a.dtype.kind == "f" or a.dtype.name == "bfloat16"}
    return max(kinds, key=lambda d: (d.itemsize, d.name), default=np.dtype(np.float32))
