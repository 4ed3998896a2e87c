import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ginjax.errors import ArgumentError
from ginjax.ml._batches import BatchOrder, count_samples, epoch_batches, take

KEY = jax.random.key(0)


@pytest.mark.parametrize(("samples", "batch_size"), [(10, 5), (10, 4), (3, 8)])
def test_an_epoch_misses_no_sample_and_repeats_as_few_as_it_can(samples, batch_size):
    batches = epoch_batches(KEY, samples, batch_size)
    assert batches.shape == (-(-samples // batch_size), batch_size)
    counts = np.bincount(batches.ravel(), minlength=samples)
    assert counts.min() >= 1 and counts.max() - counts.min() <= 1


def test_epochs_are_shuffled_by_the_key():
    first = epoch_batches(KEY, 10, 5)
    np.testing.assert_array_equal(first, epoch_batches(KEY, 10, 5))
    assert (first != epoch_batches(jax.random.key(1), 10, 5)).any()
    assert (first.ravel() != np.arange(10)).any()


def test_the_stream_gives_every_sample_equally_often():
    drawn = BatchOrder(KEY, 6, 4).between(0, 9).ravel()
    np.testing.assert_array_equal(np.bincount(drawn), [6] * 6)
    for start in range(0, 36, 6):
        assert sorted(drawn[start : start + 6]) == list(range(6))
    assert (drawn[:6] != drawn[6:12]).any()


def test_the_stream_can_be_entered_at_any_step():
    whole = BatchOrder(KEY, 6, 4).between(0, 9)
    entered = BatchOrder(KEY, 6, 4)
    for start, stop in ((7, 9), (0, 1), (2, 7)):
        np.testing.assert_array_equal(entered.between(start, stop), whole[start:stop])
    large = BatchOrder(KEY, 3, 8).between(1, 3)  # a batch may hold every sample several times
    np.testing.assert_array_equal(np.bincount(large.ravel(), minlength=3).sum(), 16)


def test_take_works_on_device_and_host_arrays():
    tree = {"device": jnp.arange(4.0), "host": np.arange(4.0)}
    taken = take(tree, np.array([3, 1]))
    np.testing.assert_array_equal(taken["device"], [3, 1])
    np.testing.assert_array_equal(taken["host"], [3, 1])
    assert isinstance(taken["host"], np.ndarray)


def test_inputs_and_targets_must_have_equally_many_samples():
    assert count_samples(np.zeros((3, 1)), np.zeros((3, 2))) == 3
    for X, Y in ((np.zeros(3), np.zeros(2)), (np.zeros(0), np.zeros(0))):
        with pytest.raises(ArgumentError, match="number of samples"):
            count_samples(X, Y)
