"""What a tuning is judged by: which frames, and the errors of rollouts on them."""

from dataclasses import replace

import equinox as eqx
import jax
import numpy as np
import pytest
from ml.task.small_tasks import network, source

from ginjax.data import Windows, measure_normalisation
from ginjax.errors import ArgumentError
from ginjax.ml import make_window_task, nrmse_loss
from ginjax.ml.task import DIVERGED, predict, rollout_errors
from ginjax.ml.task._judged import HORIZON, MOST_ROLLS, held_ends, judged_part


def judged_task(data, valid=None, train=None, judge=True, **said):
    return make_window_task(
        (data, train),
        None if valid is None else (data, valid),
        None,
        measure_normalisation(data),
        judge=judge,
        **said,
    )


def frames_of(windows):
    """Every (trajectory, frame) that a target of the windows holds."""
    starts = [windows.locate(i) for i in range(len(windows))]
    first, steps = windows.past_steps, windows.future_steps
    return {(t, start + first + i) for t, start in starts for i in range(steps)}


def test_validation_trajectories_are_rolled_out_from_their_first_frames():
    task = judged_task(source(trajectories=9, frames=4), valid=range(3, 9), train=[0, 1, 2])
    judged = task.judged
    assert (judged.steps, judged.at_ends) == (3, False)
    located = [judged.rolls.locate(i) for i in judged.roll_indices]
    assert len(located) == MOST_ROLLS and {start for _, start in located} == {0}
    assert {trajectory for trajectory, _ in located} <= set(range(3, 9))
    assert str(judged) == (
        "one step and rollouts of 3 steps on 6 of 9 trajectories given for training, which are not trained on"
    )
    assert frames_of(judged.ones).isdisjoint(frames_of(task.train))


def test_long_trajectories_are_not_rolled_out_to_their_end():
    judged = judged_task(source(trajectories=2, frames=30), valid=[1], train=[0]).judged
    assert judged.steps == HORIZON and len(judged.roll_indices) == 1


@pytest.mark.parametrize(("past_steps", "unroll"), [(1, 1), (2, 2)])
def test_without_a_part_the_ends_of_trajectories_are_held_out(past_steps, unroll):
    data = source(trajectories=2, frames=9)
    task = judged_task(data, past_steps=past_steps, unroll=unroll)
    assert task.valid is None and task.judged.at_ends and set(task.parts) == {"train"}
    trained, ones = frames_of(task.train), frames_of(task.judged.ones)
    # The last two of nine frames, and everything before them is trained on.
    assert ones == {(t, frame) for t in (0, 1) for frame in (7, 8)}
    assert trained == {(t, frame) for t in (0, 1) for frame in range(past_steps, 7)}
    steps = task.judged.steps
    assert steps == min(HORIZON, 9 - past_steps)
    lasts = {task.judged.rolls.locate(i)[1] + past_steps + steps - 1 for i in task.judged.roll_indices}
    assert lasts == {8}
    assert "which are not trained on" in str(task.judged)
    # Control: where nothing is judged nothing is left out.
    whole = judged_task(data, past_steps=past_steps, unroll=unroll, judge=False)
    assert whole.judged is None and frames_of(whole.train) > trained


def test_trajectories_too_short_to_be_parted_are_trained_on_whole():
    assert held_ends((source(frames=2), None), 1, 1) is None
    task = judged_task(source(trajectories=2, frames=2))
    assert task.judged is None and len(task.train) == 2
    with pytest.raises(ArgumentError, match="spans"):
        Windows(task.train.source, task.normalisation, spans=[(0, 2), (0, 3)])


def test_the_error_of_a_part_with_ends_is_measured_there():
    task = judged_task(source(trajectories=1, frames=9))
    error = task.error(network(task))
    assert error is not None and error.persistence > 0
    assert replace(task, judged=None).error(network(task)) is None


def test_data_that_are_all_for_validation_are_called_a_part():
    train, valid = source(trajectories=2, frames=4), source(5, trajectories=2, frames=4)
    task = make_window_task((train, None), (valid, None), None, measure_normalisation(train), judge=True)
    assert str(task.judged) == "one step and rollouts of 3 steps on the part for validation"


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("judge", [False, True])
def test_the_error_is_one_of_one_step_however_many_the_loss_looks_at(judge, residual):
    data = source(trajectories=2, frames=6)
    long, short = (judged_task(data, [1], [0], judge, unroll=n, residual=residual) for n in (3, 1))
    assert long.valid.future_steps == 3
    model = network(short)
    assert long.error(model) == short.error(model) is not None
    # Control: what is trained on has another error.
    assert judged_task(data, [0], [0], judge, unroll=3, residual=residual).error(model) != short.error(model)


def test_errors_of_roll_outs_are_those_of_feeding_predictions_back():
    data = source(trajectories=5, frames=4)
    task = judged_task(data)
    windows = Windows(data, task.normalisation, future_steps=3)
    model, numbers = network(task), np.arange(len(windows))
    found = rollout_errors(windows, numbers, task.frames, batch_size=2)(model)
    x, y = windows.take(numbers)
    for step in range(3):
        x = predict(model, x)
        truth = {key: block[:, step : step + 1] for key, block in y.items()}
        each = nrmse_loss(x, type(y)(truth, y.D, y.is_torus), reduce=None)
        np.testing.assert_allclose(found[step], np.exp(np.mean(np.log(each))), rtol=1e-4)


def test_a_model_that_predicts_changes_is_compared_as_fields():
    data = source(trajectories=3, frames=4)
    task = judged_task(data, residual=True)
    judged = judged_part((data, None), task.normalisation, 1)
    assert judged is not None
    # A network of zeros predicts no change: its error is that of the frame before.
    zero = jax.tree.map(lambda leaf: 0 * leaf if eqx.is_inexact_array(leaf) else leaf, network(task))
    errors = rollout_errors(judged.rolls, judged.roll_indices, task.frames)(zero)
    x, y = judged.rolls.take(judged.roll_indices)
    for step in range(3):
        truth = type(y)({key: block[:, step : step + 1] for key, block in y.items()}, y.D, y.is_torus)
        each = nrmse_loss(x, truth, reduce=None)
        np.testing.assert_allclose(errors[step], np.exp(np.mean(np.log(each))), rtol=1e-4)


def test_what_blows_up_has_an_error_that_can_be_written_down():
    data = source(trajectories=2, frames=9)
    task = judged_task(data)
    model = network(task)
    wild = jax.tree.map(lambda leaf: leaf * 1e12 if eqx.is_inexact_array(leaf) else leaf, model)
    judged = task.judged
    errors = rollout_errors(judged.rolls, judged.roll_indices, task.frames)(wild)
    assert errors[-1] == pytest.approx(DIVERGED) and np.isfinite(errors).all()
