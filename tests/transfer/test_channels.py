"""Which channel of a layer goes on as which where the fields of a network change, in tables alone."""

import numpy as np
import pytest

from ginjax.errors import UnsupportedError
from ginjax.transfer import (
    ConvLayer,
    KeptChannels,
    PlainLayer,
    carry_channels,
    match_channels,
    match_plain_channels,
    new_targets,
)

SCALAR, VECTOR, SPIN = (0, 0), (1, 0), (0, 1)
MORE = {SCALAR: KeptChannels((0, 1, None, 2), 3)}
"""Two frames, a field that comes after them, a constant."""

OUT = {SCALAR: KeptChannels((0, None), 1)}


def same(count):
    return KeptChannels(tuple(range(count)), count)


def conv(name, inputs, outputs, role="conv"):
    return ConvLayer(name, role, inputs, outputs)


def test_channels_of_the_ends_and_inside():
    before = (conv("a.conv", ((0, 0, 3),), ((0, 0, 5),)), conv("b.conv", ((0, 0, 5),), ((0, 0, 1),)))
    after = (conv("a.conv", ((0, 0, 4),), ((0, 0, 5),)), conv("b.conv", ((0, 0, 5),), ((0, 0, 2),)))
    found = match_channels(before, after, MORE, OUT, ({}, {}))
    assert found["a.conv"].inputs == MORE and found["a.conv"].outputs == {SCALAR: same(5)}
    assert found["b.conv"].inputs == {SCALAR: same(5)} and found["b.conv"].outputs == OUT


def test_what_products_make_of_a_further_field():
    """(s, v v) and (v, s v) become (s, w w, v v), (w, s w) and (v, s v); odd scalars come before vectors."""
    before = (conv("a.conv", ((0, 0, 2 + 3), (1, 0, 6)), ((0, 0, 1),)),)
    after = (conv("a.conv", ((0, 0, 2 + 4 + 3), (0, 1, 8), (1, 0, 6)), ((0, 0, 1),)),)
    partners = "a.nonlinearity.partners"
    shapes = {f"{partners}.k1p0": (3, 3)}, {f"{partners}.k1p0": (3, 3), f"{partners}.k0p1": (4, 4)}
    found = match_channels(before, after, {}, {}, shapes)["a.conv"].inputs
    assert found[SCALAR].origins == (0, 1, None, None, None, None, 2, 3, 4) and found[SCALAR].before == 5
    assert found[SPIN].origins == (None,) * 8 and found[VECTOR] == same(6)


def test_what_products_make_of_the_first_scalars():
    """(v v) and (v) become (s, v v) and (v, s v)."""
    before = (conv("a.conv", ((0, 0, 3), (1, 0, 3)), ((1, 0, 1),)),)
    after = (conv("a.conv", ((0, 0, 2 + 3), (1, 0, 6)), ((1, 0, 1),)),)
    shapes = {"a.nonlinearity.partners.k1p0": (3, 3)}
    found = match_channels(before, after, {}, {}, (shapes, shapes))["a.conv"].inputs
    assert found[SCALAR].origins == (None, None, 0, 1, 2)
    assert found[VECTOR].origins == (0, 1, 2, None, None, None)


def test_a_layer_whose_width_follows_its_fields():
    before, after = (
        (conv("a.conv", ((0, 0, 9),), ((0, 0, 1),)),),
        (conv("a.conv", ((0, 0, 12),), ((0, 0, 1),)),),
    )
    with pytest.raises(UnsupportedError, match=r"block k0p0 of a\.conv.*got 9 channels before and 12 after"):
        match_channels(before, after, MORE, {}, ({}, {}))
    with pytest.raises(UnsupportedError, match=r"c\.conv, as the fields of the network change: got no such"):
        match_channels(before, (*before, conv("c.conv", ((0, 0, 9),), ((0, 0, 1),))), MORE, {}, ({}, {}))


def test_weights_are_carried_and_the_rest_is_zero_or_fresh():
    rng = np.random.default_rng(0)
    before = (conv("a.conv", ((0, 0, 3),), ((0, 0, 1),)),)
    after = (conv("a.conv", ((0, 0, 4), (1, 0, 1)), ((0, 0, 2), (1, 0, 1))),)
    outputs = OUT | {VECTOR: KeptChannels((None,), 0)}
    channels = match_channels(before, after, MORE | {VECTOR: KeptChannels((None,), 0)}, outputs, ({}, {}))
    name = "a.conv.weight.k0p0->k0p0"
    old = {name: rng.normal(size=(1, 3, 2)), "a.conv.bias.k0p0": np.array([7.0]), "norm.scale": np.ones(2)}
    fresh = {
        name: rng.normal(size=(2, 4, 2)),
        "a.conv.weight.k1p0->k0p0": rng.normal(size=(2, 1, 1)),
        "a.conv.weight.k0p0->k1p0": rng.normal(size=(1, 4, 1)),
        "a.conv.bias.k0p0": np.array([0.5, 0.25]),
        "norm.scale": np.zeros(2),
        "more.scale": np.full(1, 3.0),
    }
    found = carry_channels(old, fresh, channels)
    np.testing.assert_array_equal(found[name][0, [0, 1, 3]], old[name][0])
    assert not found[name][0, 2].any() and not found["a.conv.weight.k1p0->k0p0"][0].any()
    for untouched, row in ((name, 1), ("a.conv.weight.k1p0->k0p0", 1), ("a.conv.weight.k0p0->k1p0", 0)):
        np.testing.assert_array_equal(found[untouched][row], fresh[untouched][row])
    assert found["a.conv.bias.k0p0"].tolist() == [7.0, 0.25]
    assert found["norm.scale"].tolist() == [1, 1] and found["more.scale"].tolist() == [3]
    last = carry_channels(old, fresh, channels, frozenset({"a.conv"}))
    assert not last[name][1].any() and not last["a.conv.weight.k0p0->k1p0"].any()
    assert last["a.conv.bias.k0p0"].tolist() == [7.0, 0.0]
    free = new_targets({n: a.shape for n, a in fresh.items()}, channels, frozenset(old))
    assert {n: rows.tolist() for n, rows in free.items()} == {
        name: [False, True],
        "a.conv.weight.k1p0->k0p0": [False, True],
        "a.conv.weight.k0p0->k1p0": [True],
        "a.conv.bias.k0p0": [False, True],
        "more.scale": [True],
    }
    with pytest.raises(UnsupportedError, match=r"array 'norm\.scale'.*got \(3,\) before and \(2,\) after"):
        carry_channels(old | {"norm.scale": np.ones(3)}, fresh, channels)


def test_components_are_the_channels_of_plain_kernels():
    """A vector of two components behind a scalar: a second scalar comes between them."""
    ends = {SCALAR: KeptChannels((0, None), 1), VECTOR: same(1)}
    rows = ((0, 0, 1), (1, 0, 1)), ((0, 0, 2), (1, 0, 1))
    before, after = (
        (
            PlainLayer("in", own, ((0, 0, 4),), False, False),
            PlainLayer("mid", ((0, 0, 4),), ((0, 0, 4),), False, False),
        )
        for own in rows
    )
    found = match_plain_channels(before, after, ends, ends, 2)
    assert found["in"].inputs[SCALAR].origins == (0, None, 1, 2)
    assert found["in"].outputs[SCALAR] == found["mid"].inputs[SCALAR] == same(4)
    old = np.arange(12.0).reshape(4, 3, 1, 1)
    carried = carry_channels({"in.weight": old}, {"in.weight": np.ones((4, 4, 1, 1))}, found)["in.weight"]
    np.testing.assert_array_equal(carried[:, [0, 2, 3]], old)
    assert not carried[:, 1].any()
    with pytest.raises(UnsupportedError, match="block k0p0 of in"):
        match_plain_channels(before, after, {VECTOR: same(1)}, ends, 2)
