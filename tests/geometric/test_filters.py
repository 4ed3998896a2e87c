import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from ginjax import geometric as geom
from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.geometric import FilterScaling

STORED = load_file(Path(__file__).parents[2] / "fixtures" / "golden" / "filters.safetensors")


@pytest.mark.parametrize("D", [1, 2])
@pytest.mark.parametrize("operators", [geom.make_all_operators, geom.make_C2_group], ids=["B_D", "C2^D"])
def test_filters_are_invariant(D, operators):
    group = operators(D)
    filters = geom.get_invariant_filters([3], [0, 1, 2], [0, 1], D, group)
    assert filters.get_n_leading() == 1
    # Every element is checked where the bases are made; here only that nothing is mixed up on the way.
    for g in (group[1], group[-1]):
        assert filters.times_group_element(g) == filters
    if len(group) < 2**D * math.factorial(D):
        # More filters are left alone by fewer operators, so some are not by all.
        assert any(filters.times_group_element(g) != filters for g in geom.make_all_operators(D)[-2:])


@pytest.mark.parametrize("scale", [FilterScaling.ONE, FilterScaling.NORMALIZE, FilterScaling.GAUSSIAN])
@pytest.mark.parametrize("k", [0, 1])
def test_filters_match_the_stored_ones_up_to_order_and_sign(scale, k):
    stored = STORED[f"D2_M3_k{k}_p0_{scale.name}"]
    block = geom.get_invariant_filters([3], [k], [0], 2, geom.make_all_operators(2), scale)[(k, 0)]
    assert block.dtype == np.float32 and block.shape == stored.shape
    for one in stored:
        distance = [min(np.abs(one - other).max(), np.abs(one + other).max()) for other in block]
        assert min(distance) < 1e-5


def test_support_can_be_limited_and_summed():
    operators = geom.make_all_operators(2)
    cut = geom.get_invariant_filters([5], [0], [0], 2, operators, FilterScaling.ONE, max_pixel_l1=2)
    summed = geom.get_invariant_filters(
        [5], [0], [0], 2, operators, FilterScaling.ONE, max_pixel_l1=2, combine_equal_l1=True
    )
    every_shell = geom.get_invariant_filters(
        [5], [0], [0], 2, operators, FilterScaling.ONE, combine_equal_l1=True
    )
    assert (len(cut[(0, 0)]), len(summed[(0, 0)]), len(every_shell[(0, 0)])) == (4, 3, 5)
    np.testing.assert_array_equal(summed[(0, 0)].sum(0), cut[(0, 0)].sum(0))
    np.testing.assert_array_equal(every_shell[(0, 0)].sum(0), np.ones((5, 5)))


def test_explicit_groups_take_the_same_options():
    whole, part = geom.make_all_operators(2), geom.make_C2_group(2)
    options = {"scale": FilterScaling.GAUSSIAN, "max_pixel_l1": 1, "combine_equal_l1": True}
    a = geom.get_invariant_filters([3], [0], [0], 2, whole, **options)
    b = geom.get_invariant_filters([3], [0], [0], 2, part, **options)
    assert a == b


def test_empty_filter_sets_are_omitted():
    filters = geom.get_invariant_filters([3], [0, 1], [0, 1], 3, geom.make_all_operators(3))
    assert list(filters) == [((), 0), ((False,), 0)]


def test_lists_and_dictionaries_take_several_sides():
    operators = geom.make_all_operators(2)
    by_key, longest = geom.get_invariant_filters_dict([2, 3], [0, 1], [0, 1], 2, operators)
    assert set(by_key) == {(2, M, k, p) for M in (2, 3) for k in (0, 1) for p in (0, 1)}
    assert by_key[(2, 3, 0, 1)] == []
    one = by_key[(2, 3, 1, 0)][0]
    assert (type(one), one.M, one.k, one.parity) == (geom.GeometricFilter, 3, 1, 0)
    assert longest[2, 3] == 3
    flat = geom.get_invariant_filters_list([2, 3], [0, 1], [0, 1], 2, operators)
    assert len(flat) == sum(map(len, by_key.values()))


def test_clear_errors():
    operators = geom.make_all_operators(2)
    with pytest.raises(ArgumentError, match="get_invariant_filters_dict"):
        geom.get_invariant_filters([3, 5], [0], [0], 2, operators)
    with pytest.raises(UnsupportedError, match="ZERO_SUM"):
        geom.get_invariant_filters([3], [0], [0], 2, operators, FilterScaling.ZERO_SUM)
    with pytest.raises(ArgumentError):
        geom.get_invariant_filters([3], [0], [0], 2, operators[1:])
