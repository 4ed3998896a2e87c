import numpy as np
import pytest
from transfer.by_hand import lift

from ginjax.errors import ArgumentError
from ginjax.transfer import embed_field, lift_key, old_components, restrict_field


def field(D: int, k: int, leading: tuple[int, ...] = ()) -> np.ndarray:
    shape = (*leading, *range(2, 2 + D), *(D,) * k)
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("k", [0, 1, 2, 3])
@pytest.mark.parametrize(("D", "n"), [(1, 1), (1, 2), (2, 1), (3, 1)])
def test_constant_along_the_added_axes_and_zero_in_the_added_components(D, n, k):
    x = field(D, k)
    y = embed_field(x, D, k, (3,) * n)
    assert y.shape == (*x.shape[:D], *(3,) * n, *(D + n,) * k)
    assert y.dtype == x.dtype and y.flags.c_contiguous and y.flags.writeable
    np.testing.assert_array_equal(y, lift(x, D, D + n, k, 3))
    np.testing.assert_array_equal(restrict_field(y, D + n, k, n), x)
    # Restricting forgets what was not embedded.
    y[(*(0,) * D, *(-1,) * n)] += 1.0
    np.testing.assert_array_equal(restrict_field(y, D + n, k, n), x)


@pytest.mark.parametrize("leading", [(4,), (2, 3)])
def test_leading_axes_are_carried_along(leading):
    x = field(2, 1, leading)
    y = embed_field(x, 2, 1, (5,))
    assert y.shape == (*leading, 2, 3, 5, 3)
    one = (0,) * len(leading)
    np.testing.assert_array_equal(y[one], embed_field(x[one], 2, 1, (5,)))
    assert restrict_field(y, 3, 1, 1).shape == x.shape


def test_one_axis_at_a_time_is_the_same():
    x = field(1, 2)
    stepwise = embed_field(embed_field(x, 1, 2, (3,)), 2, 2, (4,))
    np.testing.assert_array_equal(stepwise, embed_field(x, 1, 2, (3, 4)))
    np.testing.assert_array_equal(embed_field(x, 1, 2, ()), x)


def test_old_components():
    assert old_components(2, 3, 0).tolist() == [0]
    assert old_components(2, 3, 1).tolist() == [0, 1]
    assert old_components(2, 3, 2).tolist() == [0, 1, 3, 4]
    for k in range(4):
        marked = np.zeros((3,) * k)
        marked[(slice(0, 2),) * k] = 1
        assert old_components(2, 3, k).tolist() == np.flatnonzero(marked).tolist()


@pytest.mark.parametrize(("D", "k"), [(1, 0), (2, 0), (2, 1)])
def test_a_lifted_field_stands_along_the_added_axis(D, k):
    x = field(D, k)
    y = embed_field(x, D, k, (3,), lifted=True)
    assert y.shape == (*x.shape[:D], 3, *(D + 1,) * (k + 1)) and y.dtype == x.dtype
    np.testing.assert_array_equal(y, lift(x, D, D + 1, k, 3, parity_lift=True))
    with pytest.raises(ArgumentError, match="parity lift: got 2 added axes, expected one"):
        embed_field(x, D, k, (3, 3), lifted=True)


def test_only_odd_scalars_are_lifted():
    assert [lift_key((k, p)) for k in (0, 1, 2) for p in (0, 1)] == [
        *((0, 0), (1, 1), (1, 0), (1, 1), (2, 0), (2, 1))
    ]


def test_too_few_axes():
    with pytest.raises(ArgumentError, match=r"field: got 2 axes, expected at least 2 \+ 1 \(space, tensor\)"):
        embed_field(np.zeros((3, 3)), 2, 1, (3,))
    with pytest.raises(ArgumentError, match=r"field: got 3 axes, expected at least 3 \+ 1"):
        restrict_field(np.zeros((3, 3, 3)), 3, 1, 1)


@pytest.mark.parametrize("n", [-1, 2, 3])
def test_some_axis_has_to_be_left(n):
    with pytest.raises(ArgumentError, match=f"number of axes to drop: got {n}, expected fewer than all 2"):
        restrict_field(np.zeros((3, 3)), 2, 0, n)
