"""Convert the weights of a whole model: arrays and a layer table in, arrays and a certificate out."""

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ginjax.errors import ArgumentError, NumericsError
from ginjax.filters import FilterBank, FilterBlock

from ._certificate import Certificate, PathReport, tolerance_of
from ._explain import explain
from ._layers import ConvLayer, check_weights, filter_key, path_name
from ._system import FilterPair, Residual, residual, solutions
from .rules import Rule, dropped_filters


def bank_chain(bank: FilterBank, to_dim: int, target: FilterBank | None = None) -> tuple[FilterBank, ...]:
    """The banks a conversion passes through, one dimension at a time.

    **Arguments:**

    - `bank`: of the model as it is.
    - `to_dim`: dimension to reach.
    - `target`: the bank to end with, if it was handed in as arrays. Where either side matches no recipe there is
      nothing to pass through, and the step is taken at once.
    """
    if to_dim <= bank.D:
        raise ArgumentError(
            "dimension to convert to",
            got=to_dim,
            expected=f"more than the model's own {bank.D}",
            hint="Conversion goes to a higher dimension.",
        )
    if target is not None and (bank.recipe is None or target.recipe != bank.recipe):
        return bank, target
    between = tuple(bank.in_dimension(D) for D in range(bank.D + 1, to_dim))
    return (bank, *between, bank.in_dimension(to_dim) if target is None else target)


@functools.lru_cache(maxsize=1024)
def make_pair(
    old: FilterBlock,
    new: FilterBlock,
    D_old: int,
    D_new: int,
    orders: tuple[int, int],
    p: int,
    input_dilation: int,
    filter_dilation: int,
) -> FilterPair:
    """One `FilterPair` object for equal arguments, so that what is solved for it is solved once."""
    return FilterPair(old, new, D_old, D_new, *orders, p, input_dilation, filter_dilation)


def convert_weights(
    arrays: Mapping[str, np.ndarray],
    layers: Sequence[ConvLayer],
    chains: Mapping[str, Sequence[FilterBank]],
    rule: Rule,
    digest: Callable[[Mapping[str, np.ndarray]], str],
    dtype: np.dtype | None = None,
) -> tuple[dict[str, np.ndarray], Certificate]:
    """Apply a rule to every convolution of a model.

    **Arguments:**

    - `arrays`: all arrays of the model by name. Those that are not convolution weights do not depend on the
      dimension and are passed on.
    - `layers`: the layer table.
    - `chains`: for each bank role the banks to pass through, from `bank_chain`.
    - `rule`: what to do with the weights.
    - `digest`: how to compute the digest that ties the certificate to the arrays.
    - `dtype`: of the floating-point arrays in the result; default: as they are.

    **Returns:** the new arrays and the certificate, computed on them as stored.
    """
    layers = tuple(layers)
    check_weights(
        layers,
        {role: chain[0] for role, chain in chains.items()},
        {name: array.shape for name, array in arrays.items()},
    )
    tolerance = tolerance_of(dtype or _common_dtype(arrays))
    result = dict(arrays)
    reports = []
    for layer in layers:
        chain = chains[layer.role]
        for source, c_in, target, c_out in layer.paths():
            name = layer.weight_name(source, target)
            key = filter_key(source, target)
            blocks = [bank.blocks.get(key) for bank in chain]
            old = result.pop(name, None)
            if not any(block is not None and len(block) for block in (blocks[0], blocks[-1])):
                continue
            before = _float64(name, old, (c_out, c_in, 0))
            weights, pairs = before, []
            for a, b in zip(range(len(chain)), range(1, len(chain)), strict=False):
                pairs.append(_pair(layer, chain, blocks, a, b, source, target))
                weights = rule(weights, pairs[-1])
            stored = dtype or (old.dtype if old is not None else _common_dtype(arrays))
            new = np.ascontiguousarray(weights.astype(stored))
            whole = _pair(layer, chain, blocks, 0, len(chain) - 1, source, target)
            gap = residual(whole, before, new)
            if new.shape[-1]:
                result[name] = new
            reports.append(_report(layer, path_name(source, target), whole, gap, tolerance, rule, pairs))
    if dtype is not None:
        result = {n: a.astype(dtype) if a.dtype.kind == "f" else a for n, a in result.items()}
    result = dict(sorted(result.items()))
    first = next(iter(chains.values()))
    certificate = Certificate(
        rule=rule.name,
        flex=getattr(rule, "flex", None),
        promises=rule.promises_compatibility,
        from_dim=first[0].D,
        to_dim=first[-1].D,
        tolerance=tolerance,
        digest=digest(result),
        paths=tuple(reports),
    )
    return result, certificate


def _pair(
    layer: ConvLayer,
    chain: Sequence[FilterBank],
    blocks: Sequence[FilterBlock | None],
    a: int,
    b: int,
    source: tuple[int, int],
    target: tuple[int, int],
) -> FilterPair:
    k, p = filter_key(source, target)
    old, new = (blocks[i] or empty_block(chain[i].D, chain[i].side, k) for i in (a, b))
    return make_pair(
        old,
        new,
        chain[a].D,
        chain[b].D,
        (source[0], target[0]),
        p,
        layer.input_dilation,
        layer.filter_dilation,
    )


@functools.cache
def empty_block(D: int, side: int, k: int) -> FilterBlock:
    """The block of a key that has no filters."""
    return FilterBlock(np.zeros((0, *(side,) * D, *(D,) * k)), ())


def _report(
    layer: ConvLayer,
    path: str,
    whole: FilterPair,
    gap: Residual,
    tolerance: float,
    rule: Rule,
    steps: Sequence[FilterPair],
) -> PathReport:
    by_identity = rule.name in ("none", "volume")
    dropped = (
        tuple(dict.fromkeys(name for pair in steps for name in dropped_filters(pair))) if by_identity else ()
    )
    return PathReport(
        layer=layer.name,
        path=path,
        before=len(whole.old),
        after=len(whole.new),
        residual=gap.total,
        residual_new=gap.new,
        free=solutions(whole).null.shape[1],
        dropped=dropped,
        note=explain(whole, gap, tolerance) if rule.promises_compatibility else "",
    )


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
