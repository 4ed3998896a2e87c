"""The rules as static methods, against their closed forms and against the transfer of whole models."""

import numpy as np
import pytest
from helpers import FULL3, ORTHOPLEX5, bank

from ginjax.errors import ArgumentError
from ginjax.filters import FilterBank
from ginjax.geometric import MultiImage, Rescaling
from ginjax.models import AnyDimensionalModel as Model
from ginjax.transfer import FilterPair, make_rule

SCALAR, VECTOR = ((), 0), ((False,), 0)


def random_weights(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((2, 3, n))


def triples(low: int, high: int, k: int, recipe=FULL3):
    """Old and new `(filters, weights, D)`; the new weights are those of the extension."""
    old, new = (bank(D, recipe).blocks[k, 0] for D in (low, high))
    weights = random_weights(len(old))
    pair = FilterPair(old, new, low, high, k // 2, k - k // 2, 0)
    extended = make_rule("none")(weights, pair) if high == low + 1 else None
    return (old.filters, weights, low), (new.filters, extended, high), pair


def image(filters: FilterBank) -> MultiImage:
    return MultiImage({key: block.filters for key, block in filters.blocks.items()}, filters.D)


def test_closed_form_from_one_to_two_dimensions():
    old, new, _ = triples(1, 2, 0)
    alpha, beta = np.moveaxis(old[1], -1, 0)
    expected = np.stack([alpha - 2 * beta / 3, beta / 3, beta / 3], -1)
    for rule in (Model.compatibility_rescale_weights, Model.spin_embed_rescale_weights):
        np.testing.assert_allclose(rule(old, new), expected, atol=1e-6)


def test_closed_form_from_two_to_three_dimensions():
    old, new, _ = triples(2, 3, 0)
    alpha, beta, gamma = np.moveaxis(old[1], -1, 0)
    z = (4 * gamma - beta) / 9
    expected = np.stack(
        [alpha - 2 * beta + 4 * gamma - 8 * z, beta - 2 * gamma + 4 * z, gamma - 2 * z, z], -1
    )
    np.testing.assert_allclose(Model.compat_flex_rescale_weights(old, new), expected, atol=1e-5)
    sparse = Model.compat_flex_rescale_weights(old, new, flex=0.0)
    assert np.abs(sparse - expected).max() > 1e-2
    np.testing.assert_allclose(sparse[..., 3], 0, atol=1e-6)


@pytest.mark.parametrize("k", [0, 1, 2])
@pytest.mark.parametrize(
    "method, name",
    [
        (Model.compatibility_rescale_weights, "compatibility"),
        (Model.compat_flex_rescale_weights, "compat-flex"),
        (Model.spin_embed_rescale_weights, "spin-embed"),
    ],
)
def test_methods_are_the_rules_of_the_transfer(method, name, k):
    old, new, pair = triples(1, 2, k)
    np.testing.assert_allclose(method(old, new), make_rule(name)(old[1], pair), atol=1e-6)


def test_two_steps_are_composed():
    (_, weights, _), _, first = triples(1, 2, 2)
    _, _, second = triples(2, 3, 2)
    old, new, _ = triples(1, 3, 2)
    expected = make_rule("compatibility")(make_rule("compatibility")(weights, first), second)
    np.testing.assert_allclose(Model.compatibility_rescale_weights(old, new), expected, atol=1e-5)


def test_volume_is_a_ratio_of_norms():
    old, new, _ = triples(1, 2, 0)

    def size(filters, weights, D):
        return np.abs(np.einsum("oin,n->oi", weights, filters.sum(axis=tuple(range(1, D + 1)))))

    expected = new[1] * (size(*old) / (size(*new) + 1e-5))[..., None]
    np.testing.assert_allclose(Model.volume_rescale_weights(old, new), expected, rtol=1e-5)


def test_extension_takes_means():
    old, new = bank(1), bank(2)
    w = random_weights(2)
    extended = Model._extend_weights(w, (0, 0), image(old), image(new))
    # Centre and face are known; the edge starts from the mean of what is off the centre.
    np.testing.assert_allclose(extended, np.concatenate([w, w[..., 1:]], -1), atol=1e-6)


def test_compatibility_norm_is_for_orthoplex_banks():
    old, new, pair = triples(1, 2, 0, ORTHOPLEX5)
    expected = make_rule("compatibility-norm")(old[1], pair)
    np.testing.assert_allclose(Model.compatibility_norm_rescale_weights(old, new), expected, atol=1e-6)
    with pytest.raises(ArgumentError, match="compatibility-norm"):
        Model.compatibility_norm_rescale_weights(*triples(1, 2, 0)[:2])


@pytest.mark.parametrize("rule", [Rescaling.COMPATIBILITY, Rescaling.VOLUME, "none"])
def test_all_weights_of_a_convolution(rule):
    old, new = bank(1), bank(2)
    weights, expected = {}, {}
    for source in (SCALAR, VECTOR):
        for target in (SCALAR, VECTOR):
            orders = len(source[0]), len(target[0])
            pair = FilterPair(old.blocks[sum(orders), 0], new.blocks[sum(orders), 0], 1, 2, *orders, 0)
            w = random_weights(len(pair.old), seed=sum(orders)).astype(np.float32)
            weights.setdefault(source, {})[target] = w
            name = rule.value if isinstance(rule, Rescaling) else rule
            expected[source, target] = make_rule(name)(w.astype(np.float64), pair)
    for filters in ((old, new), (image(old), image(new))):
        moved = Model._transfer_conv_weights(weights, *filters, rule)
        for (source, target), w in expected.items():
            np.testing.assert_allclose(moved[source][target], w, atol=1e-5)


def test_filters_of_different_orders_are_refused():
    old, _, _ = triples(1, 2, 0)
    _, new, _ = triples(1, 2, 1)
    with pytest.raises(ArgumentError, match="the same order in both dimensions"):
        Model.compatibility_rescale_weights(old, new)
