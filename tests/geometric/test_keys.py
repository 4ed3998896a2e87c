import copy
import pickle

import jax
import pytest

from ginjax import geometric as geom
from ginjax.errors import ArgumentError, UnsupportedError


def test_canonical_key_accepts_orders_and_axis_tuples():
    assert geom.canonical_key((0, 0)) == ((), 0)
    assert geom.canonical_key((2, 3)) == ((False, False), 1)
    assert geom.canonical_key([(True, False), 0]) == ((True, False), 0)


@pytest.mark.parametrize("key", [None, (1,), (-1, 0), ("a", 0), (1, 0.5), 3])
def test_canonical_key_refuses_other_things(key):
    with pytest.raises(ArgumentError, match="not a field key"):
        geom.canonical_key(key)


@pytest.mark.parametrize(("key", "name"), [((0, 0), "k0p0"), ((1, 1), "k1p1"), ((12, 0), "k12p0")])
def test_key_names_round_trip(key, name):
    assert geom.key_name(key) == name
    assert geom.parse_key_name(name) == geom.canonical_key(key)


@pytest.mark.parametrize("name", ["k1", "k01p0", "k1p2", "k1p0x", "k-1p0", ""])
def test_malformed_key_names_are_refused(name):
    with pytest.raises(ArgumentError):
        geom.parse_key_name(name)


def test_covariant_keys_have_no_name():
    with pytest.raises(UnsupportedError, match="covariant"):
        geom.key_name(((True,), 0))


def test_signature_is_a_sorted_hashable_tuple():
    a = geom.Signature((((2, 0), 1), (((False,), 1), 4), ((1, 0), 2), ((0, 1), 3)))
    assert a == ((((), 1), 3), (((False,), 0), 2), (((False,), 1), 4), (((False, False), 0), 1))
    assert hash(a) == hash(geom.Signature(reversed(a)))
    assert geom.Signature(a) == copy.deepcopy(a) == pickle.loads(pickle.dumps(a))


@pytest.mark.parametrize("entries", [[((0, 0), 1), (((), 0), 2)], [((0, 0), -1)], [(0, 0)], [((0, 0), 1.5)]])
def test_bad_signatures_are_refused(entries):
    with pytest.raises(ArgumentError):
        geom.Signature(entries)


def test_signature_union_gives_every_key_n_channels():
    union = geom.signature_union([((1, 0), 2)], [((0, 0), 5), ((1, 0), 1)], 7)
    assert union == ((((), 0), 7), (((False,), 0), 7))


def test_parse_shape():
    assert geom.parse_shape((4, 5, 2, 2), 2) == ((4, 5), 2)
    assert geom.parse_shape((4,), 1) == ((4,), 0)
    for shape in ((4, 5, 3), (4,)):
        with pytest.raises(ArgumentError):
            geom.parse_shape(shape, 2)


def test_parse_torus():
    assert geom.parse_torus(True, 2) == (True, True)
    assert geom.parse_torus([True, False], 2) == (True, False)
    with pytest.raises(ArgumentError):
        geom.parse_torus((True,), 2)


def test_signature_is_one_static_leaf():
    # A plain tuple would be taken apart by JAX into bools and integers.
    assert len(jax.tree.leaves(geom.Signature([((1, 0), 2)]))) == 1
