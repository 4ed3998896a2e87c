"""Rates that are true, and what a training is said to take."""

import gc

import jax
import numpy as np
import pytest
from ml.task.small_tasks import network, source

from ginjax._text import in_bytes, in_time
from ginjax.data import measure_normalisation
from ginjax.errors import MemoryLimitError
from ginjax.ml import (
    KeptRows,
    LogBook,
    Measuring,
    Progress,
    Report,
    StepMemory,
    TrainSettings,
    make_window_task,
    measure_step,
    time_left,
    train_model,
)
from ginjax.ml.training._step_rate import StepRate
from ginjax.ml.training._what_fits import ways_that_fit


def late_in_pairs(count=40, steps=15, rate=60.0):
    """Reports of which every second one comes when the steps of the next are done too."""
    for i in range(1, count + 1):
        yield i * steps, (i + i % 2) * steps / rate


def test_reports_that_come_late_do_not_spoil_the_rate():
    rate, two_by_two = StepRate(), []
    before = (0, 0.0)
    for step, seconds in late_in_pairs():
        rate.note(step, seconds)
        passed = seconds - before[1]
        two_by_two.append((step - before[0]) / passed if passed else float("inf"))
        before = step, seconds
        if step > 8 * 15:
            assert rate.value == pytest.approx(60, rel=0.15)
    assert max(two_by_two) == float("inf")  # what the last two reports alone would say


def test_the_rate_is_that_of_the_last_seconds():
    rate = StepRate()
    for i in range(100):
        rate.note(i, float(i))
    assert rate.value == pytest.approx(1.0)
    for i in range(100):
        rate.note(100 + 10 * i, 100.0 + i)
    assert rate.value == pytest.approx(10.0) and rate.steps < 200
    assert StepRate().value is None


def test_a_log_counts_steps_alone():
    """Not compiling, nor validation, which the times of a row hold."""
    kept = KeptRows()
    book = LogBook([kept], lambda step: 0.1, every=10)
    seconds, on_steps = 30.0, 0.0
    for i in range(1, 20):
        seconds, on_steps = seconds + 1.0, on_steps + 0.5
        book.note(Report(10 * i, np.ones(10), seconds, step_seconds=on_steps))
        seconds += 5.0
        book.note(Report(10 * i, np.empty(0), seconds, validation=1.0, step_seconds=on_steps))
    book.close(190, seconds)
    rates = [row["rate"] for row in kept.rows if "loss" in row]
    assert rates[0] is None and set(rates[1:]) == {20.0}


# --- memory ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def task():
    data = source(0)
    return make_window_task((data, None), None, None, measure_normalisation(data))


SETTINGS = TrainSettings(steps=3, batch_size=8)


def test_memory_is_what_the_program_says(task):
    model = network(task)
    found = measure_step(model, task, SETTINGS)
    assert found.working and found.working > 0 and found.samples > 0 and found.state > 0
    assert found.total == found.working + found.samples + found.state
    small = measure_step(model, task, TrainSettings(steps=3, batch_size=8, accumulate=8))
    assert small.working < found.working  # pyright: ignore[reportOptionalOperand]
    told = []
    train_model(model, task, SETTINGS, on_compiled=lambda memory, seconds: told.append((memory, seconds)))
    ((memory, seconds),) = told
    assert (memory.working, memory.state, seconds > 0) == (found.working, found.state, True)


def test_a_step_that_does_not_fit_is_refused_with_what_fits(task, monkeypatch):
    model, steps = network(task), []
    whole = measure_step(model, task, SETTINGS).working or 0
    smallest = measure_step(model, task, TrainSettings(steps=3, batch_size=8, accumulate=8)).working or 0
    for free, hint in (
        ((whole + smallest) // 2, r"It fits with .*`accumulate=[248]` \("),
        (1, "Nothing that was tried fits"),
    ):
        monkeypatch.setattr("ginjax.ml.training._step_memory._free", lambda placement, free=free: free)
        with pytest.raises(MemoryLimitError, match=hint) as caught:
            train_model(model, task, SETTINGS, on_report=steps.append)
        assert f"at most {in_bytes(free)}" in str(caught.value)
    assert steps == []
    monkeypatch.setattr("ginjax.ml.training._step_memory._free", lambda placement: whole)
    train_model(model, task, SETTINGS, on_report=steps.append)
    assert steps


def test_nothing_of_a_refused_training_is_kept_while_other_ways_are_compiled(task, monkeypatch, request):
    def held():
        gc.collect()
        return sum(array.nbytes for array in jax.live_arrays())

    request.addfinalizer(gc.unfreeze)
    gc.freeze()  # what is there already need not be looked through each time
    model, found, within = network(task), [], []
    before = held()
    train_model(model, task, SETTINGS, on_compiled=lambda memory, seconds: within.append(held() - before))
    before = held()
    monkeypatch.setattr("ginjax.ml.training._step_memory._free", lambda placement: 1)
    monkeypatch.setattr(
        "ginjax.ml.training._train_model.ways_that_fit",
        lambda *_, **__: found.append(held() - before) or "none",
    )
    with pytest.raises(MemoryLimitError):
        train_model(model, task, SETTINGS)
    assert found[0] < 64 < within[0]  # at most a random key; the control is a training that fits


def test_ways_are_measured_before_they_are_named():
    def measure(settings):
        return StepMemory(0, 0, 100 // settings.accumulate // (2 if settings.remat else 1), 30)

    settings = TrainSettings(batch_size=8)
    hint = ways_that_fit(measure, settings, StepMemory(0, 0, 100, 30))
    assert hint == "It fits with `accumulate=4` (25 bytes); a smaller `batch_size` takes less too."
    hint = ways_that_fit(measure, TrainSettings(batch_size=2), StepMemory(0, 0, 100, 30))
    assert hint.startswith("It fits with `accumulate=2` and `remat=True` (25 bytes)")
    assert StepMemory(0, 0, None, 30).fits and StepMemory(0, 0, 30).fits and not StepMemory(0, 0, 31, 30).fits


# --- estimates ---------------------------------------------------------------------------------------------------------


def measured(settings, **said):
    measuring = Measuring(100, 50, settings)
    measuring.begin(Progress(said.get("done", 0), said.get("spent", 0.0)))
    measuring.compiled(StepMemory(10, 20, 30, 1000), 3.0)
    assert not measuring.is_enough()
    begun = said.get("done", 0)
    measuring.note(Report(begun + 1, np.ones(1), 3.5, step_seconds=0.5))
    assert not measuring.is_enough()
    measuring.note(Report(begun + 11, np.ones(10), 5.5, step_seconds=2.5))
    assert measuring.is_enough()
    return measuring.estimate()


@pytest.mark.parametrize(("seconds", "said"), [(12.34, "12 (measured on 1)"), (104.2, "104 (measured on 1)")])
def test_one_step_that_takes_long_is_measured_once(seconds, said):
    measuring = Measuring(100, 50, TrainSettings(steps=10, batch_size=10))
    measuring.begin(Progress())
    measuring.compiled(StepMemory(10, 20, 30, 1000), 3.0)
    measuring.note(Report(1, np.ones(1), 3.0 + seconds, step_seconds=seconds))
    assert measuring.is_enough()
    assert measuring.estimate().rows()["seconds a step"] == said


def test_an_estimate_of_steps():
    found = measured(TrainSettings(steps=101, batch_size=10))
    assert (found.step_seconds, found.measured, found.seconds_left) == (0.2, 10, pytest.approx(20.2))
    assert found.steps_in_budget is None and found.warning is None
    assert found.rows()["seconds a step"] == "0.2 (measured on 10)"
    assert found.rows()["steps"] == "101 (20.2 epochs)"
    assert found.to_json()["memory_bytes"] == 60
    rest = measured(TrainSettings(steps=101, batch_size=10), done=51)
    assert rest.seconds_left == pytest.approx(10.0)


def test_an_estimate_of_time():
    found = measured(TrainSettings(seconds=63.0, batch_size=10))
    assert (found.steps_in_budget, found.seconds_left, found.warning) == (300, None, None)
    both = measured(TrainSettings(seconds=63.0, steps=400, batch_size=10))
    assert both.warning is not None and "300 of 400 steps" in both.warning
    enough = measured(TrainSettings(seconds=63.0, steps=300, batch_size=10))
    assert enough.warning is None
    report = Report(5, np.ones(5), 21.0)
    assert time_left(report, found.settings) == {"share": pytest.approx(1 / 3), "left": 42.0}
    assert time_left(report, both.settings) == {}


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 bytes"),
        (900, "900 bytes"),
        (2**20, "1 MiB"),
        (1000 * 2**20, "0.977 GiB"),
        (5 * 2**33, "40 GiB"),
    ],
)
def test_bytes_in_words(size, said):
    assert in_bytes(size) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0123, "0.012 s"),
        (45, "45 s"),
        (100, "1.7 min"),
        (1200, "20 min"),
        (9000, "2.5 h"),
        (3e5, "3.5 days"),
    ],
)
def test_times_in_words(seconds, said):
    assert in_time(seconds) == said
