import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ginjax.errors import ArgumentError
from ginjax.filters import BankRecipe, make_bank
from ginjax.transfer import ConvLayer, check_weights, filter_key, key_name, path_name, role_keys

LAYER = ConvLayer("blocks.0.conv", "conv", ((0, 0, 2), (1, 0, 3)), ((0, 1, 4),), 2, 1, 4)
BLOCKS = st.lists(
    st.tuples(st.integers(0, 16), st.integers(0, 1), st.integers(1, 2**20)),
    unique_by=lambda row: row[:2],
    max_size=4,
).map(tuple)
SIZES = st.integers(1, 2**16)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_names():
    assert key_name((1, 0)) == "k1p0"
    assert path_name((0, 0), (2, 1)) == "k0p0->k2p1"
    assert LAYER.weight_name((1, 0), (0, 1)) == "blocks.0.conv.weight.k1p0->k0p1"
    assert list(LAYER.paths()) == [((0, 0), 2, (0, 1), 4), ((1, 0), 3, (0, 1), 4)]


def test_the_filters_of_a_path():
    assert filter_key((1, 0), (2, 1)) == (3, 1)
    assert filter_key((0, 1), (0, 1)) == (0, 0)  # between two odd fields the filter is even
    up = replace(LAYER, role="upsample", outputs=((0, 0, 1),))
    assert role_keys((LAYER, up), "conv") == {(0, 1), (1, 1)}
    assert role_keys((LAYER, up), "upsample") == {(0, 0), (1, 0)}
    assert role_keys((LAYER,), "upsample") == set()


@given(st.builds(ConvLayer, st.text(), st.text(), BLOCKS, BLOCKS, SIZES, SIZES, SIZES))
def test_a_row_survives_json(layer):
    assert ConvLayer.from_json(json.loads(json.dumps(layer.to_json()))) == layer


@settings(deadline=None)
@given(JSON)
def test_junk_is_no_row(junk):
    with pytest.raises(ArgumentError):
        ConvLayer.from_json(junk)


@given(st.sampled_from(sorted(LAYER.to_json())), JSON)
def test_a_row_with_one_field_of_junk_is_refused_or_valid(field, junk):
    try:
        layer = ConvLayer.from_json(LAYER.to_json() | {field: junk})
    except ArgumentError:
        return
    assert ConvLayer.from_json(layer.to_json()) == layer


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, "layer table, 'name': got 3, expected str"),
        ({"role": None}, "layer table, 'role': got None, expected str"),
        ({"inputs": "k0p0"}, "layer table, 'inputs': got 'k0p0', expected list"),
        ({"outputs": {}}, "layer table, 'outputs': got {}, expected list"),
        ({"stride": 1.0}, "layer table, 'stride': got 1.0, expected int"),
        ({"stride": True}, "layer table, 'stride': got True, expected int"),
        ({"stride": 0}, "layer table, 'stride': got 0, expected 1 to 65536"),
        ({"input_dilation": -2}, "layer table, 'input_dilation': got -2, expected 1 to 65536"),
        ({"filter_dilation": 2**16 + 1}, "layer table, 'filter_dilation': got 65537, expected 1 to 65536"),
        ({"inputs": [3]}, r"layer table: got 3, expected \[order, parity, channels\]"),
        ({"inputs": [[0, 0]]}, r"got \[0, 0\], expected \[order, parity, channels\]"),
        ({"inputs": [[0, 0, 1, 1]]}, "order, parity, channels"),
        ({"inputs": [[0, 0, 1.0]]}, "order, parity, channels"),
        ({"inputs": [[0, False, 1]]}, "order, parity, channels"),
        ({"inputs": [[-1, 0, 1]]}, "order, parity, channels"),
        ({"inputs": [[17, 0, 1]]}, "order, parity, channels"),
        ({"inputs": [[0, 2, 1]]}, "order, parity, channels"),
        ({"outputs": [[0, 0, 0]]}, "order, parity, channels"),
        ({"outputs": [[0, 0, 2**20 + 1]]}, "order, parity, channels"),
        ({"outputs": [[0, 0, 1], [0, 0, 2]]}, "expected each order and parity once"),
        ({"extra": 1}, "expected rows with"),
        ({"name": "x" * 200, "stride": "y" * 200}, r"got 'y{56}\.\.\., expected int"),
    ],
)
def test_malformed_rows(change, message):
    assert ConvLayer.from_json(LAYER.to_json()) == LAYER
    with pytest.raises(ArgumentError, match=message):
        ConvLayer.from_json(LAYER.to_json() | change)


@pytest.mark.parametrize("field", sorted(LAYER.to_json()))
def test_no_field_may_be_missing(field):
    data = LAYER.to_json()
    del data[field]
    with pytest.raises(ArgumentError, match=r"layer table: got .*expected rows with"):
        ConvLayer.from_json(data)


# --- arrays and table ------------------------------------------------------------------------------------------------

SCALARS = ConvLayer("c", "conv", ((0, 0, 2),), ((0, 0, 3), (0, 1, 1)))
"""With side-3 filters in two dimensions the odd path has no filters, hence no array."""


def shapes(**changes) -> dict:
    return {"c.weight.k0p0->k0p0": (3, 2, 3), "c.bias.k0p0": (3,)} | changes


def check(given, role="conv"):
    check_weights((SCALARS,), {role: make_bank(2, BankRecipe(3), [(0, 0), (0, 1)])}, given)


def test_arrays_that_fit():
    check(shapes())
    # A key that the bank does not have at all is a path without filters.
    check_weights((SCALARS,), {"conv": make_bank(2, BankRecipe(3), [(0, 0)])}, shapes())


def test_arrays_that_do_not_fit():
    with pytest.raises(
        ArgumentError, match=r"array 'c.weight.k0p0->k0p0': got \(3, 2, 4\), expected \(3, 2, 3\)"
    ):
        check(shapes(**{"c.weight.k0p0->k0p0": (3, 2, 4)}))
    with pytest.raises(ArgumentError, match=r"k0p0->k0p0': got none, expected \(3, 2, 3\)"):
        check({})
    with pytest.raises(ArgumentError, match=r"k0p0->k0p1': got \(1, 2, 1\), expected none"):
        check(shapes(**{"c.weight.k0p0->k0p1": (1, 2, 1)}))
    with pytest.raises(ArgumentError, match=r"layer c: got bank role 'conv', expected \['upsample'\]"):
        check(shapes(), role="upsample")


def test_shapes_of_real_arrays():
    check({"c.weight.k0p0->k0p0": np.zeros((3, 2, 3)).shape})
