"""The transfer rules as static methods on filters and weights, for scripts that call them directly."""

import itertools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Num

from ..errors import ArgumentError
from ..filters import FilterBank, banks_from_arrays
from ..geometric import AnyArray, Key, KeyLike, MultiImage, Rescaling, canonical_key
from ..transfer import FilterPair, Rule, bank_chain, empty_block, make_rule
from ..transfer.rules import Extend, scale_to_volume
from ._convert import common_banks, rule_name

Filters = Num[AnyArray, "_filters *_filter_field"]
"""One block of a filter bank, `(filters, *(M,)*D, D, ..., D)`."""

FilterTriple = tuple[Filters, Float[AnyArray, "out in _filters"] | None, int]
"""Filters, weights and dimension. The weights of the new triple may be None, except for `volume_rescale_weights`."""


class StaticRules:
    """Static methods that convert weights, for stride 1; half of the order of the filters counts as input axes."""

    @staticmethod
    def volume_rescale_weights(
        old_filter_triple: FilterTriple, new_filter_triple: FilterTriple, verbose: bool = False
    ) -> Float[Array, "out in _filters"]:
        """Multiply the new weights by the ratio of the Frobenius norms of the summed filters, old to new.

        Positive and negative weights are not separated, and zero-sum filters are no exception; `_transfer_conv_weights`
        treats both apart.
        """
        pair = _pairs_of(old_filter_triple, new_filter_triple)[-1]
        old, new = (np.asarray(t[1], np.float64) for t in (old_filter_triple, new_filter_triple))
        return jnp.asarray(scale_to_volume(old, new, pair), jnp.asarray(new_filter_triple[1]).dtype)

    @staticmethod
    def compatibility_rescale_weights(
        old_filter_triple: FilterTriple, new_filter_triple: FilterTriple, verbose: bool = False
    ) -> Float[Array, "out in _filters"]:
        """Return the exact solution of condition (C)."""
        return _apply(make_rule("compatibility"), old_filter_triple, new_filter_triple)

    @staticmethod
    def compat_flex_rescale_weights(
        old_filter_triple: FilterTriple,
        new_filter_triple: FilterTriple,
        verbose: bool = False,
        flex: float = 1.0,
    ) -> Float[Array, "out in _filters"]:
        """Return the exact solution of condition (C) between the sparsest one (`flex` 0) and the spin solution (1)."""
        return _apply(make_rule("compat-flex", flex), old_filter_triple, new_filter_triple)

    @staticmethod
    def spin_embed_rescale_weights(
        old_filter_triple: FilterTriple, new_filter_triple: FilterTriple, verbose: bool = False
    ) -> Float[Array, "out in _filters"]:
        """Return the weights of `compatibility_rescale_weights`; another name for it."""
        return _apply(make_rule("spin-embed"), old_filter_triple, new_filter_triple)

    @staticmethod
    def compatibility_norm_rescale_weights(
        old_filter_triple: FilterTriple, new_filter_triple: FilterTriple, verbose: bool = False
    ) -> Float[Array, "out in _filters"]:
        """Return the weights of the older variant on tensor norms, for orthoplex banks."""
        return _apply(make_rule("compatibility-norm"), old_filter_triple, new_filter_triple)

    @staticmethod
    def _extend_weights(
        old_weights_block: Float[AnyArray, "out in _filters"],
        filter_key: KeyLike,
        old_filters: MultiImage,
        new_filters: MultiImage,
    ) -> Float[Array, "out in _filters"]:
        """Copy weights by the identity of their filters, and use means for new filters."""
        key = canonical_key(filter_key)
        old_block, new_block = old_filters[key], new_filters[key]
        weights = jnp.asarray(old_weights_block)
        result = np.asarray(weights, np.float64)
        for pair in _pairs((old_block, old_filters.D), (new_block, new_filters.D), parity=key[1]):
            result = Extend()(result, pair)
        return jnp.asarray(result, weights.dtype)

    @staticmethod
    def _transfer_conv_weights(
        weights: Mapping[Key, Mapping[Key, Float[AnyArray, "_out _in _filters"]]],
        old_filters: MultiImage | FilterBank,
        new_filters: MultiImage | FilterBank,
        rescale: Rescaling | str,
        verbose: bool = False,
    ) -> dict[Key, dict[Key, Float[Array, "_out _in _filters"]]]:
        """Convert all weights of one convolution (`weights[in_key][out_key]`) by a rule, at stride 1."""
        chain = bank_chain(*_chain_arguments(*common_banks(old_filters, new_filters)))
        rule = make_rule(rule_name(rescale))
        result: dict[Key, dict[Key, Float[Array, "_out _in _filters"]]] = {}
        for source, row in weights.items():
            for target, block in row.items():
                orders = len(source[0]), len(target[0])
                parity = (source[1] + target[1]) % 2
                values = np.asarray(block, np.float64)
                for a, b in itertools.pairwise(chain):
                    values = rule(values, _bank_pair(a, b, orders, parity))
                result.setdefault(source, {})[target] = jnp.asarray(values, jnp.asarray(block).dtype)
        return result


def _chain_arguments(old: FilterBank, new: FilterBank) -> tuple[FilterBank, int, FilterBank]:
    return old, new.D, new


def _apply(rule: Rule, old: FilterTriple, new: FilterTriple) -> Float[Array, "out in _filters"]:
    weights = np.asarray(old[1], np.float64)
    for pair in _pairs_of(old, new):
        weights = rule(weights, pair)
    return jnp.asarray(weights, jnp.asarray(old[1]).dtype)


def _pairs_of(old: FilterTriple, new: FilterTriple) -> list[FilterPair]:
    return _pairs((old[0], old[2]), (new[0], new[2]))


def _pairs(old: tuple[Filters, int], new: tuple[Filters, int], parity: int | None = None) -> list[FilterPair]:
    """Return the steps between two blocks of filters that are given as arrays; parity 0 is tried before 1."""
    (old_filters, D_old), (new_filters, D_new) = old, new
    order = np.ndim(new_filters) - 1 - D_new
    if order < 0 or order != np.ndim(old_filters) - 1 - D_old:
        raise ArgumentError(
            "filters", got=np.shape(new_filters), expected="the same order in both dimensions"
        )
    arrays = [(D, jax.device_get(f)) for D, f in ((D_old, old_filters), (D_new, new_filters))]
    attempts = [
        (p, banks_from_arrays([(D, {(order, p): f}) for D, f in arrays]))
        for p in ((0, 1) if parity is None else (parity,))
    ]
    p, banks = next((a for a in attempts if a[1][0].recipe is not None), attempts[0])
    chain = bank_chain(*_chain_arguments(*banks))
    half = order // 2
    return [_bank_pair(a, b, (half, order - half), p) for a, b in itertools.pairwise(chain)]


def _bank_pair(a: FilterBank, b: FilterBank, orders: tuple[int, int], p: int) -> FilterPair:
    k = sum(orders)
    old, new = (bank.blocks.get((k, p)) or empty_block(bank.D, bank.side, k) for bank in (a, b))
    return FilterPair(old, new, a.D, b.D, *orders, p)
