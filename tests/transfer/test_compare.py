"""Growth of weights and of white noise, against convolutions of noise carried out tap by tap."""

from dataclasses import astuple

import numpy as np
import pytest
from transfer.by_hand import convolve

from ginjax.filters import BankRecipe, make_bank
from ginjax.transfer import ConvLayer, Growth, growth, make_rule, role_keys
from ginjax.transfer._convert import bank_chain, convert_weights

SCALAR, VECTOR = (0, 0, 2), (1, 0, 1)
FULL3 = BankRecipe(3)


def model(layers, D=1, seed=0):
    bank = make_bank(D, FULL3, role_keys(tuple(layers), "conv"))
    rng = np.random.default_rng(seed)
    arrays = {}
    for layer in layers:
        for source, c_in, target, c_out in layer.paths():
            n = len(bank.blocks[source[0] + target[0], 0])
            arrays[layer.weight_name(source, target)] = rng.standard_normal((c_out, c_in, n))
    return arrays, layers, {"conv": bank}


def converted(before, D, rule="compatibility"):
    arrays, layers, banks = before
    chains = {"conv": bank_chain(banks["conv"], D)}
    new, _ = convert_weights(arrays, layers, chains, make_rule(rule))
    return new, layers, {"conv": chains["conv"][-1]}


def scaled(model, factor: float):
    return {name: factor * a for name, a in model[0].items()}, *model[1:]


def noise_of(model, source, target, samples: int = 40_000) -> float:
    """Standard deviation of the output of one path on white noise, seen at one pixel of many small fields."""
    arrays, (layer,), banks = model
    bank = banks["conv"]
    D, (w,) = bank.D, [arrays[layer.weight_name(source, target)]]
    kernel = np.tensordot(w, bank.blocks[source[0] + target[0], 0].filters, 1)  # (out, in, *M, *D^k)
    rng = np.random.default_rng(0)
    squares, seen = 0.0, 0
    side = 8 if D > 1 else 64
    for _ in range(max(1, samples // (side**D * len(kernel)))):
        y = 0.0
        for i in range(kernel.shape[1]):
            x = rng.standard_normal((*(side,) * D, *(D,) * source[0]))
            y = y + np.stack([convolve(x, kernel[o, i], D, source[0]) for o in range(len(kernel))])
        squares, seen = squares + float((y**2).sum()), seen + np.size(y)
    return np.sqrt(squares / seen)


@pytest.mark.parametrize(("source", "target"), [((0, 0), (0, 0)), ((0, 0), (1, 0)), ((1, 0), (1, 0))])
def test_noise_is_what_a_convolution_makes_of_it(source, target):
    before = model([ConvLayer("conv", "conv", ((*source, 2),), ((*target, 2),))])
    after = converted(before, 2)
    expected = noise_of(after, source, target) / noise_of(before, source, target)
    found = growth(before, after)
    assert found.noise == found.noise_largest == pytest.approx(expected, rel=0.03)


def test_the_same_model_does_not_grow():
    before = model([ConvLayer("a", "conv", (SCALAR, VECTOR), (SCALAR, VECTOR))])
    assert astuple(growth(before, before)) == pytest.approx((1, 1, 1))


def test_everything_is_proportional_to_the_weights():
    before = model(
        [ConvLayer("a", "conv", (SCALAR,), (SCALAR, VECTOR)), ConvLayer("b", "conv", (VECTOR,), (SCALAR,))]
    )
    found = growth(before, scaled(before, 3.0))
    assert (found.weights, found.noise, found.noise_largest) == pytest.approx((3, 3, 3))


def test_the_mean_is_geometric_and_the_largest_stands_out():
    layers = [ConvLayer(name, "conv", (SCALAR,), (SCALAR,)) for name in "ab"]
    before = model(layers)
    arrays = dict(before[0])
    arrays["a.weight.k0p0->k0p0"] = 4 * arrays["a.weight.k0p0->k0p0"]
    found = growth(before, (arrays, *before[1:]))
    assert (found.weights, found.noise, found.noise_largest) == pytest.approx((4, 2, 4))


def test_the_weights_are_counted_by_layer():
    layer = ConvLayer("a", "conv", (SCALAR,), (SCALAR, VECTOR))
    before = model([layer])
    names = [layer.weight_name(s, t) for s, _, t, _ in layer.paths()]
    arrays = dict(before[0]) | {names[0]: 2 * before[0][names[0]]}
    norms = [np.linalg.norm(before[0][name]) for name in names]
    expected = np.hypot(2 * norms[0], norms[1]) / np.hypot(*norms)
    assert growth(before, (arrays, *before[1:])).weights == pytest.approx(expected)


def test_layers_of_zeros_and_paths_without_filters_say_nothing():
    dead, live = (ConvLayer(name, "conv", (SCALAR,), (SCALAR,)) for name in ("dead", "live"))
    before = model([dead, live])
    arrays = dict(before[0]) | {"dead.weight.k0p0->k0p0": np.zeros((2, 2, 2))}
    still = arrays, *before[1:]
    assert astuple(growth(still, scaled(still, 2.0))) == pytest.approx((2, 2, 2))
    nothing = scaled(still, 0.0)
    assert growth(nothing, nothing) == Growth(1.0, 1.0, 1.0)
    assert growth(still, nothing) == Growth(0.0, 0.0, 0.0)


def test_a_path_that_only_one_dimension_has_is_left_out():
    """Odd scalars of side 3 act on even ones in one dimension and not in two."""
    layer = ConvLayer("a", "conv", ((0, 0, 1), (0, 1, 1)), ((0, 0, 1),))
    old, new = (make_bank(D, FULL3, [(0, 0), (0, 1)]) for D in (1, 2))
    assert (len(old.blocks[0, 1]), len(new.blocks[0, 1])) == (1, 0)
    even, odd = "a.weight.k0p0->k0p0", "a.weight.k0p1->k0p0"
    before = {even: np.ones((1, 1, 2)), odd: np.ones((1, 1, 1))}
    found = growth((before, [layer], {"conv": old}), ({even: np.ones((1, 1, 3))}, [layer], {"conv": new}))
    # Nine taps of one instead of three.
    assert found.noise_largest == pytest.approx(np.sqrt(9 / 3))
    assert found.noise == pytest.approx(np.sqrt(9 / 3))
    assert found.weights == pytest.approx(1.0)


def test_the_rules_differ():
    before = model([ConvLayer("a", "conv", (SCALAR, VECTOR), (SCALAR, VECTOR))])
    found = {
        rule: growth(before, converted(before, 3, rule)).noise for rule in ("compatibility", "volume", "none")
    }
    assert found["compatibility"] < found["none"] and found["volume"] < found["none"]
    assert len(set(found.values())) == 3
