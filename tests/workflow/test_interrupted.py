"""Ctrl-C in a training of a notebook or a script loses nothing."""

import os
import signal

import numpy as np
import pytest

import ginjax
from ginjax._interrupt import Interrupt
from ginjax.ml import KeptRows

SETTINGS = ginjax.TrainSettings(steps=300, batch_size=4, learning_rate=0.02, noise=0.1)
NETWORK = ginjax.Network("series", channels=2, blocks=1)


def weights(model):
    return {name: array.tobytes() for name, array in model.record.arrays.items()}


@pytest.fixture(scope="module")
def data():
    values = np.random.default_rng(0).normal(size=(10, 3, 8)).astype(np.float32)
    return ginjax.from_arrays(
        {"density": values}, order={"density": 0}, periodic=True, spacing=0.5, time_step=0.1
    )


@pytest.fixture(scope="module")
def left_alone(data):
    return ginjax.train(data, SETTINGS, network=NETWORK, progress=False)


def press(monkeypatch, at):
    """Ctrl-C while the log is written, at these rows of it."""
    write, rows = KeptRows.write, iter(range(10**6))

    def pressed(self, row):
        write(self, row)
        if next(rows) in at:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(KeptRows, "write", pressed)


def test_an_interrupted_training_has_a_model_and_goes_on(data, left_alone, monkeypatch):
    press(monkeypatch, {0})
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(
        ginjax.TrainingInterrupted, match=r"after step \d+ of 300.*\.model.*\.resume\(\)"
    ) as caught:
        ginjax.train(data, SETTINGS, network=NETWORK, progress=False)
    assert signal.getsignal(signal.SIGINT) is before
    stopped = caught.value
    assert isinstance(stopped, KeyboardInterrupt) and 0 < stopped.step < stopped.steps == 300
    model = stopped.model
    assert (model.training.steps, model.history[-1]["steps_done"]) == (stopped.step, stopped.step)
    assert weights(model) != weights(left_alone)
    assert set(model.predict(data, 1)) == {"density"}
    press(monkeypatch, {0})  # again, where it goes on
    with pytest.raises(ginjax.TrainingInterrupted) as again:
        stopped.resume(progress=False)
    assert again.value.step > stopped.step
    whole = again.value.resume(progress=False)
    assert weights(whole) == weights(left_alone) and whole.training.steps == 300
    steps = [row["step"] for row in whole.training.rows if "loss" in row]
    assert steps == sorted(set(steps)) and steps[-1] == 300


@pytest.mark.filterwarnings("ignore:the tuning, looked at")
def test_a_tuning_is_interrupted_likewise(data, left_alone, monkeypatch):
    press(monkeypatch, {2})
    with pytest.raises(ginjax.TrainingInterrupted) as caught:
        left_alone.tune(data, SETTINGS, progress=False)
    tuned = caught.value.resume(progress=False)
    assert tuned.training.steps == 300 and tuned.history[-1]["step"] == "tune"


def test_the_second_one_ends_it_at_once(data, monkeypatch):
    write = KeptRows.write

    def twice(self, row):
        write(self, row)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(KeptRows, "write", twice)
    with pytest.raises(KeyboardInterrupt) as caught:
        ginjax.train(data, SETTINGS, network=NETWORK, progress=False)
    assert not isinstance(caught.value, ginjax.TrainingInterrupted)


def test_a_program_with_a_handler_of_its_own_keeps_it():
    seen = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        with Interrupt(own_handlers=False) as interrupt:
            os.kill(os.getpid(), signal.SIGINT)
            assert seen == [signal.SIGINT] and not interrupt.asked()
        with Interrupt() as interrupt:
            os.kill(os.getpid(), signal.SIGINT)
            assert len(seen) == 1 and interrupt.asked()
    finally:
        signal.signal(signal.SIGINT, before)
