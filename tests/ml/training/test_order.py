import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ginjax.errors import ArgumentError
from ginjax.ml.task._samples import count_samples, take
from ginjax.ml.training._order import BatchOrder, EpochOrder, training_keys

KEY = jax.random.key(0)


def epochs(samples, batch_size, count=1, key=KEY):
    return EpochOrder(key, samples, batch_size).between(0, -(-samples // batch_size) * count)


@pytest.mark.parametrize(("samples", "batch_size"), [(10, 5), (10, 4), (3, 8)])
def test_an_epoch_misses_no_sample_and_repeats_as_few_as_it_can(samples, batch_size):
    two = epochs(samples, batch_size, 2)
    per_epoch = -(-samples // batch_size)
    assert two.shape == (2 * per_epoch, batch_size)
    for batches in (two[:per_epoch], two[per_epoch:]):
        counts = np.bincount(batches.ravel(), minlength=samples)
        assert counts.min() >= 1 and counts.max() - counts.min() <= 1
        # what fills the last batch up is the beginning of the same epoch
        np.testing.assert_array_equal(batches.ravel()[samples:], batches.ravel()[: batches.size - samples])


def test_epochs_are_shuffled_by_the_key():
    first = epochs(10, 5)
    np.testing.assert_array_equal(first, epochs(10, 5))
    assert (first != epochs(10, 5, key=jax.random.key(1))).any()
    assert (first.ravel() != np.arange(10)).any()
    assert (epochs(10, 5, 2)[2:] != first).any()


def test_a_key_of_a_training_becomes_two_that_share_no_draw():
    def words(key):
        return tuple(np.asarray(jax.random.key_data(key)).tolist())

    def drawn(order, step):
        """The keys of epochs and of steps."""
        return [{words(jax.random.fold_in(key, n)) for n in range(20)} for key in (order, step)]

    order, step = training_keys(KEY)
    epochs_of, steps_of = drawn(order, step)
    assert not (epochs_of | {words(order)}) & (steps_of | {words(step)})
    # control: one key for both, as it was, and a key beside its own half, which JAX derives from it by 1
    epochs_of, steps_of = drawn(KEY, KEY)
    assert epochs_of == steps_of
    assert words(step) in drawn(KEY, step)[0]


def test_the_stream_gives_every_sample_equally_often():
    drawn = BatchOrder(KEY, 6, 4).between(0, 9).ravel()
    np.testing.assert_array_equal(np.bincount(drawn), [6] * 6)
    for start in range(0, 36, 6):
        assert sorted(drawn[start : start + 6]) == list(range(6))
    assert (drawn[:6] != drawn[6:12]).any()


@pytest.mark.parametrize("order", [BatchOrder, EpochOrder])
def test_an_order_can_be_entered_at_any_step(order):
    whole = order(KEY, 6, 4).between(0, 9)
    entered = order(KEY, 6, 4)
    for start, stop in ((7, 9), (0, 1), (2, 7)):
        np.testing.assert_array_equal(entered.between(start, stop), whole[start:stop])


def test_a_batch_may_hold_every_sample_several_times():
    large = BatchOrder(KEY, 3, 8).between(1, 3)
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
