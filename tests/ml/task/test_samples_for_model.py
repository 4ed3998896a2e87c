"""Samples of a model's own task, wherever the data come from."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_records import drawn_record, small_spec
from helpers import FULL3, S
from ml.task.small_tasks import DENSITY, READ, source, stored, trained_record

from ginjax.checkpoint import DataContract
from ginjax.data import Normalisation, Windows, write_pairs
from ginjax.errors import ArgumentError, FileError
from ginjax.ml import samples_for


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("samples") / "d.h5")


@pytest.fixture(scope="module")
def record(path):
    return trained_record(path)


def test_samples_of_the_part_that_was_held_out_or_is_asked_for(record, path):
    task, held_out = samples_for(record, 1, path, READ)
    assert held_out.name == "d.h5, 1D, part 'test'" and len(task.indices) == 2
    training, _ = samples_for(record, 1, path, READ, default="train", samples=5)
    assert len(training.indices) == 5 and len(training.windows) == 16
    same, _ = samples_for(record, 1, path, READ, split="train", samples=5)
    np.testing.assert_array_equal(same.pairs()[0][DENSITY.key], training.pairs()[0][DENSITY.key])
    assert len(samples_for(record, 1, path, READ, split="train")[0].indices) == 16


def test_samples_in_the_dimension_converted_to(record, tmp_path):
    flat = stored(tmp_path / "flat.h5", trajectories=2, D=2)
    task, held_out = samples_for(record, 2, flat, READ)
    assert task.pairs()[0][DENSITY.key].shape == (4, 1, 8, 8) and held_out.source.D == 2
    scale = record.contract.scales[0]
    read = source(trajectories=2, D=2).read(0, 0, 1)["density"]
    np.testing.assert_allclose(
        task.pairs()[0][DENSITY.key][0],
        (read - np.float32(scale.offset)) / np.float32(scale.scale),
        rtol=1e-4,
        atol=1e-5,
    )
    with pytest.raises(ArgumentError, match=r"dimension of the data: got 2, expected 1 \(of the model\)"):
        samples_for(record, 1, flat, READ)
    with pytest.raises(ArgumentError, match=r"dimension of the data: got 2, expected 3 \(converted to\)"):
        samples_for(record, 3, flat, READ)


def test_other_data_are_refused(record, tmp_path):
    slow = stored(tmp_path / "slow.h5", time_step=0.3)
    with pytest.raises(ArgumentError, match=r"time step of the data: got 0\.3, expected 0\.1"):
        samples_for(record, 1, slow, READ)
    with pytest.raises(ArgumentError, match="data to evaluate on: got none"):
        samples_for(record, 1, None, READ)


def test_simulations(record):
    from ginjax.data import simulate

    made = simulate("diffusion", 1, trajectories=1, steps=1).contract
    known = replace(record.contract, spacing=made.spacing, time_step=made.time_step)
    task, held_out = samples_for(replace(record, contract=known), 2, None, READ, pde="diffusion", samples=3)
    assert held_out.name == "diffusion in 2D" and len(task.indices) == 3
    again, _ = samples_for(replace(record, contract=known), 2, None, READ, pde="diffusion", samples=3, seed=1)
    assert np.abs(again.pairs()[0][DENSITY.key] - task.pairs()[0][DENSITY.key]).max() > 0.1


def test_pairs_do_without_what_a_model_does_not_say(record, path, tmp_path):
    raw = Normalisation((replace(record.contract.scales[0], scale=1.0, offset=0.0),))
    X, Y = Windows(source(), raw).take(np.arange(4))
    write_pairs(tmp_path / "pairs", X, Y)
    bare = drawn_record(small_spec("SimpleConvSeries", S, depth=1), 1, FULL3, dtype=np.float32)
    assert bare.contract == DataContract.unknown((True,))
    task, _ = samples_for(bare, 1, tmp_path / "pairs", READ)
    np.testing.assert_array_equal(task.pairs()[0][DENSITY.key], X[DENSITY.key])
    scaled, _ = samples_for(record, 1, tmp_path / "pairs", READ)
    assert np.abs(scaled.pairs()[0][DENSITY.key] - X[DENSITY.key]).max() > 1e-3
    with pytest.raises(FileError, match="does not say how its fields are normalised"):
        samples_for(bare, 1, path, READ)
