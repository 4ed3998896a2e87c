"""The training loop on a linear model: groups of steps, parts of a batch, saved states, reasons to stop."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from ginjax import ml
from ginjax.errors import ArgumentError, FileError
from ginjax.geometric import MultiImage
from ginjax.ml.training import _clock, _feed
from ginjax.ml.training._order import BatchOrder, EpochOrder
from ginjax.ml.training._plan import Pace

SCALAR = ((), 0)
KEY = jax.random.key(3)
OPTIMISER = optax.adam(0.05)


class Affine(eqx.Module):
    """`y = weight x + bias`."""

    weight: jax.Array
    bias: jax.Array

    def __init__(self):
        self.weight, self.bias = jnp.array(0.5), jnp.array(0.0)

    def __call__(self, x, aux_data=None):
        return MultiImage({SCALAR: self.weight * x[SCALAR] + self.bias}, x.D, x.is_torus), aux_data


class Listed:
    """Samples that are read when asked for, as from a file."""

    def __init__(self, samples=10):
        self.x = np.random.default_rng(0).standard_normal((samples, 1, 4)).astype(np.float32)
        self.read = 0

    def __len__(self):
        return len(self.x)

    def take(self, indices):
        self.read += len(indices)
        x = self.x[indices]
        return MultiImage({SCALAR: x}, 1), MultiImage({SCALAR: 2 * x + 1}, 1)


def train(steps=30, *, state=None, samples=None, augment=None, optimiser=OPTIMISER, **options):
    plan = {name: options.pop(name) for name in list(options) if name in ml.Plan.__dataclass_fields__}
    plan = ml.Plan(**({"steps": steps, "batch_size": 4} | plan))
    hooks = {name: options.pop(name) for name in list(options) if name in ml.Hooks.__dataclass_fields__}
    state, progress, reason = ml.run(
        ml.initial_state(Affine(), optimiser) if state is None else state,
        samples or Listed(),
        plan=plan,
        map_and_loss=ml.Objective(),
        optimizer=optimiser,
        key=KEY,
        augment=augment,
        hooks=ml.Hooks(**hooks),
        **options,
    )
    return state, progress, reason


def same(a, b):
    return all(
        np.asarray(x).tobytes() == np.asarray(y).tobytes()
        for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    )


@pytest.fixture(scope="module")
def whole():
    return train(augment=ml.Noise(0.1))[0]


@pytest.mark.parametrize("group", [1, 7])
def test_how_steps_are_grouped_does_not_change_a_bit(whole, group):
    assert same(train(augment=ml.Noise(0.1), steps_per_dispatch=group)[0], whole)
    assert not same(train(steps_per_dispatch=group)[0], whole)  # control: noise is at work


def watched(**options):
    """A training whose order and noise are watched: the key of the order, what it gave, and the keys of the noise."""
    keys, rows, noise = [], [], []

    class Watched(BatchOrder):
        def __init__(self, key, samples, batch_size):
            super().__init__(key, samples, batch_size)
            keys.append(key)

        def between(self, start, stop):
            rows.append(super().between(start, stop))
            return rows[-1]

    def augment(x, key):
        jax.debug.callback(lambda words: noise.append(tuple(words.tolist())), jax.random.key_data(key))
        return x

    train(6, order=Watched, augment=augment if options.pop("noisy", True) else None, **options)
    jax.effects_barrier()
    return keys[0], np.concatenate(rows), noise


def test_the_order_and_the_noise_have_keys_of_their_own():
    def words(key, number):
        return tuple(np.asarray(jax.random.key_data(jax.random.fold_in(key, number))).tolist())

    key, rows, noise = watched()
    order_key, step_key = jax.random.split(KEY)
    np.testing.assert_array_equal(jax.random.key_data(key), jax.random.key_data(order_key))
    assert sorted(noise) == sorted(words(step_key, step) for step in range(6))
    assert not set(noise) & {words(key, epoch) for epoch in range(6)}
    # control: with one key for both, as it was, every epoch meets a step
    assert {words(KEY, epoch) for epoch in range(3)} <= {words(KEY, step) for step in range(6)}
    # the order is the same without noise, and another with another order
    np.testing.assert_array_equal(watched(noisy=False)[1], rows)
    np.testing.assert_array_equal(rows, BatchOrder(order_key, 10, 4).between(0, 6))
    assert (rows != BatchOrder(KEY, 10, 4).between(0, 6)).any()


@pytest.mark.parametrize("group", [1, 5])
def test_the_order_is_an_argument(group):
    epochs = train(order=EpochOrder)[0]
    assert same(train(order=EpochOrder, steps_per_dispatch=group)[0], epochs)
    assert not same(train()[0], epochs)  # control: ten samples in batches of four, the third is filled up


def test_samples_read_on_the_way_give_the_same_bits(whole, monkeypatch):
    monkeypatch.setattr(_feed, "_room", lambda _: 0)
    samples = Listed()
    assert same(train(augment=ml.Noise(0.1), samples=samples, steps_per_dispatch=4)[0], whole)
    assert 1 + 30 * 4 <= samples.read <= 1 + 36 * 4  # only the batches, and those read ahead


def test_parts_of_a_batch_are_the_whole_batch():
    # With plain gradient descent nothing hides a wrong factor.
    one, two, twice = (
        train(5, optimiser=optax.sgd(rate), accumulate=parts)[0].model
        for rate, parts in ((0.1, 1), (0.1, 2), (0.2, 1))
    )
    np.testing.assert_allclose([one.weight, one.bias], [two.weight, two.bias], rtol=1e-5)
    assert abs(float(one.bias - twice.bias)) > 0.1
    with pytest.raises(ArgumentError, match="batch_size: got 4, expected a positive multiple of 3"):
        train(5, accumulate=3)


def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(whole, tmp_path):
    settings = {"steps": 30, "sides": (4,)}
    file = ml.RunFile(tmp_path / "m.run", settings)
    asked = iter([False, False, True])
    _, stopped, reason = train(
        augment=ml.Noise(0.1), steps_per_dispatch=4, save=file.save, interrupted=lambda: next(asked)
    )
    assert (reason, stopped.step) == ("asked", 12)
    state, progress = ml.RunFile(tmp_path / "m.run", settings).load(ml.initial_state(Affine(), OPTIMISER))
    assert progress.step == 12 and progress.first_loss == stopped.first_loss
    state, progress, reason = train(augment=ml.Noise(0.1), state=state, progress=progress)
    assert (reason, progress.step) == ("steps", 30)
    assert same(state, whole)
    file.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_state_of_another_training_is_refused(tmp_path):
    state = ml.initial_state(Affine(), OPTIMISER)
    ml.RunFile(tmp_path / "m.run", {"seed": 30}).save(state, ml.Progress())
    with pytest.raises(FileError, match="`seed`: got 40, expected 30, as in the training of this state"):
        ml.RunFile(tmp_path / "m.run", {"seed": 40}).load(state)
    with pytest.raises(FileError, match="missing"):
        ml.RunFile(tmp_path / "m.run", {"seed": 30}).load(ml.initial_state(Affine(), optax.lion(0.1)))


def test_states_are_saved_as_often_as_asked():
    seen = []
    train(10, save_every=3, save=lambda state, progress: seen.append(progress.step))
    assert seen == [3, 6, 9]


def test_patience_ends_a_training_and_the_best_model_is_kept():
    losses = iter([3.0, 1.0, 2.0, 1.5, 9.0])
    weights = []

    def validate(model, aux_data):
        weights.append(float(model.weight))
        return next(losses)

    _, progress, reason = train(100, validate=validate, validate_every=2, patience=1)
    assert (reason, progress.step, progress.best_step, progress.best_loss) == ("patience", 8, 4, 1.0)
    assert float(progress.best_model.weight) == weights[1] != weights[-1]


@pytest.mark.parametrize(
    ("losses", "best_step", "misses"),
    [([1.0, 0.95, 0.91, 1.2], 0, 1), ([1.0, 0.89, 0.88, 0.885], 4, 1), ([1.0, 2.0, 3.0, 0.5], 6, 0)],
)
def test_the_start_gives_way_to_what_is_clearly_better(losses, best_step, misses):
    given, weights = iter(losses), []

    def validate(model, aux_data):
        weights.append(float(model.weight))
        return next(given)

    _, progress, _ = train(6, validate=validate, validate_every=2, validate_start=True)
    assert (progress.best_step, progress.misses, progress.looks) == (best_step, misses, 3)
    assert (progress.best_loss, progress.lowest_loss) == (losses[best_step // 2], min(losses))
    assert float(progress.best_model.weight) == weights[best_step // 2]
    # Control: without a look before the first step the lowest loss of all is taken.
    given, weights = iter(losses[1:]), []
    _, progress, _ = train(6, validate=validate, validate_every=2)
    assert progress.best_loss == min(losses[1:]) and len(weights) == 3


SLOWLY = [1.0, 0.99, 0.98, 0.97, 0.96, 0.95, 0.97, 0.96, 0.98, 0.96]


def slowly(step=0, **options):
    """A tuning that becomes better at every look for a while, but not by enough to replace its start; a look every second step."""
    given = iter(SLOWLY[step // 2 + (step > 0) :])
    options |= {"validate": lambda model, aux_data: next(given), "validate_every": 2}
    return train(100, validate_start=True, patience=2, **options)


def test_patience_counts_from_the_lowest_loss_of_a_tuning_that_keeps_its_start():
    _, progress, reason = slowly()
    assert (reason, progress.step, progress.best_step, progress.best_loss) == ("patience", 16, 0, 1.0)
    assert (progress.lowest_loss, progress.misses, progress.looks) == (0.95, 3, 8)


def test_patience_of_an_interrupted_tuning_counts_on(tmp_path):
    file = ml.RunFile(tmp_path / "m.run", {"steps": 100})
    asked = iter([False] * 6 + [True])
    _, stopped, reason = slowly(save=file.save, steps_per_dispatch=2, interrupted=lambda: next(asked))
    assert (reason, stopped.step, stopped.misses) == ("asked", 14, 2)
    state, progress = file.load(ml.initial_state(Affine(), OPTIMISER))
    assert (progress.lowest_loss, progress.misses, progress.looks) == (0.95, 2, 7)
    _, progress, reason = slowly(14, state=state, progress=progress)
    assert (reason, progress.step, progress.misses, progress.looks) == ("patience", 16, 3, 8)


def test_a_look_sees_the_state_and_may_end_a_training():
    seen, reports = [], []

    def look(state, report):
        seen.append((report.step, report.validation, float(state.model.weight)))
        return len(seen) == 3

    state, progress, reason = train(
        None,
        validate_every=5,
        patience=0,  # the hook chooses in place of patience
        validate=lambda model, aux_data: float(len(seen)),
        on_look=look,
        on_report=reports.append,
    )
    assert (reason, progress.step, progress.best_model) == ("stopped", 15, None)
    assert [(step, loss) for step, loss, _ in seen] == [(5, 0.0), (10, 1.0), (15, 2.0)]
    assert [weight for *_, weight in seen] == [float(train(step)[0].model.weight) for step in (5, 10, 15)]
    # all losses up to a look are told before it
    assert sum(len(report.losses) for report in reports) == 15
    assert [report.validation for report in reports if not report.losses.size] == [0.0, 1.0, 2.0]
    assert float(state.model.weight) == seen[-1][-1]
    # without a validation the hook is asked all the same, and at the end
    seen.clear()
    _, _, reason = train(7, validate_every=5, on_look=look)
    assert reason == "steps" and [(step, loss) for step, loss, _ in seen] == [(5, None), (7, None)]


def test_a_training_ends_when_its_time_is_used_up():
    _, progress, reason = train(None, seconds=0.01, steps_per_dispatch=2)
    assert reason == "seconds" and progress.step > 0 and progress.seconds >= 0.01
    with pytest.raises(ArgumentError, match="neither steps nor seconds"):
        train(None)


class Clock:
    """Time that passes by hand."""

    now = 0.0

    def monotonic(self):
        return self.now


def test_looks_come_at_equal_times_where_no_number_of_steps_says_when(monkeypatch):
    """And the time of steps holds neither them, nor saved states, nor compiling."""
    clock, looks, reports = Clock(), [], []
    monkeypatch.setattr(_clock, "time", clock)

    def validate(model, aux_data):
        looks.append(clock.now)
        clock.now += 100.0
        return 1.0

    def step(report):
        reports.append(report)
        clock.now += 1.0 if report.losses.size else 0.0

    def compiled(memory, seconds):
        assert memory.working > 0 and not reports
        clock.now += 1000.0  # counts, as the time before it does, for nothing

    def save(state, progress):
        clock.now += 500.0

    _, _, reason = train(
        None,
        seconds=3000.0,
        validate_seconds=10.0,
        steps_per_dispatch=1,
        save_every=20,
        validate=validate,
        on_report=step,
        on_compiled=compiled,
        save=save,
    )
    assert reason == "seconds" and len(looks) > 5
    on_steps = [each for each in reports if each.losses.size]
    assert [each.step_seconds - on_steps[0].step_seconds for each in on_steps] == [
        pytest.approx(each.step - 1, abs=1.5) for each in on_steps
    ]
    assert on_steps[-1].seconds > 2000 > 10 * on_steps[-1].step_seconds
    between = np.diff([each.step for each in reports if each.validation is not None])
    assert (between >= 8).all() and (between <= 12).all(), between


def test_the_state_is_saved_in_the_end_where_it_is_to_be_kept():
    saved = []
    train(5, save=lambda state, progress: saved.append(progress.step), save_end=True)
    train(5, save=lambda state, progress: saved.append(-progress.step))
    assert saved == [5]


def test_the_pace_follows_the_speed_and_grows_carefully():
    pace = Pace(None, most=100)
    counts = []
    for seconds in (0.001, 0.001, 0.001, 10.0):
        counts.append(pace.count)
        pace.observe(pace.count, seconds)
    assert counts == [1, 8, 64, 100] and pace.count == 2


def test_unrolled_steps_by_hand():
    # x -> w x: predictions w x and w^2 x against the targets 2 x and 4 x, the mean of both errors.
    x = np.random.default_rng(1).standard_normal((3, 2, 4)).astype(np.float32)  # two fields
    y = np.stack([2 * x, 4 * x], axis=2).reshape(3, 4, 4)  # fields x frames, time fastest
    X, Y = MultiImage({SCALAR: x}, 1), MultiImage({SCALAR: y}, 1)
    loss, _ = ml.Objective(unroll=2)(Affine(), X, Y, None)
    square = (x**2).sum(axis=1).mean()
    np.testing.assert_allclose(loss, square * ((0.5 - 2) ** 2 + (0.25 - 4) ** 2) / 2, rtol=1e-5)


def test_predicted_changes_are_added_to_the_newest_frame():
    # One field, two past frames, one constant; the model sees (older, newer, constant).
    class Newest(eqx.Module):
        def __call__(self, x, aux_data=None):
            return MultiImage({SCALAR: x[SCALAR][1:2]}, x.D), aux_data

    frames = ml.Frames(past_steps=2, constants={SCALAR: 1}, increments={SCALAR: np.array([0.5])})
    x = MultiImage({SCALAR: jnp.array([1.0, 2.0, 7.0]).reshape(1, 3, 1)}, 1)
    change = MultiImage({SCALAR: jnp.full((1, 1, 1), 2.0)}, 1)
    assert frames.as_fields(x, change)[SCALAR].ravel().tolist() == [3.0]
    assert frames.next_input(x, change)[SCALAR].ravel().tolist() == [2.0, 3.0, 7.0]
    # The second prediction is that of the input (2, 3, 7), so the changes are 2 and 3.
    Y = MultiImage({SCALAR: jnp.array([2.0, 3.0]).reshape(1, 2, 1)}, 1)
    assert float(ml.Objective(unroll=2, frames=frames)(Newest(), x, Y, None)[0]) == 0


def test_noise_has_its_size_and_leaves_constants_alone():
    x = MultiImage({SCALAR: jnp.zeros((50, 3, 64))}, 1)
    noisy = ml.Noise(0.3, {SCALAR: 1})(x, KEY)[SCALAR]
    assert float(noisy[:, :2].std()) == pytest.approx(0.3, rel=0.05)
    assert not noisy[:, 2].any()
