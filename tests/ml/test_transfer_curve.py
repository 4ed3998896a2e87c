import json
from dataclasses import asdict, replace
from typing import Any

import jax
import numpy as np
import pytest
from helpers import S, bank

from ginjax.errors import ArgumentError, FileError
from ginjax.ml import (
    RATES,
    Cell,
    CurveRequest,
    CurveSettings,
    equal_steps,
    fit_counted,
    make_task,
    measure_curve,
    read_cells,
    summarise,
    write_cells,
)
from ginjax.models import SimpleConvSeries, named_arrays

TINY = CurveSettings(
    channels=2,
    sides={"1": 8, "2": 8},
    low_trajectories={"1": 2},
    low_steps=3,
    tune_steps=2,
    frames=1,
    held_out=2,
)
REQUEST = CurveRequest(["diffusion"], [(1, 2)], [0, 2], 1)


def cell(error, *, method: Any = "scratch", seed=0, rate=1e-3, samples=4):
    return Cell("diffusion", 1, 2, method, samples, seed, rate, 10, 1.0, 2.0, 4.0, error, 0.25)


def one_millisecond(work):
    return work(), 1e-3


@pytest.fixture(autouse=True, scope="module")
def clock():
    """A clock that makes the steps from scratch known: 2 ms before, 1/200 ms a step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ginjax.ml._transfer_curve._timed", one_millisecond)
        yield


@pytest.fixture(scope="module")
def cells(clock):
    return measure_curve(REQUEST, TINY)


def test_every_cell_is_measured_once(cells):
    assert [found.key for found in cells] == list(REQUEST.every_key())
    assert len(cells) == 2 + 1 + 2 * len(RATES["scratch"])  # nothing is trained from scratch on 0 samples
    assert len({found.persistence for found in cells}) == 1
    assert all(found.error > 0 for found in cells)


def test_from_scratch_has_all_the_time_of_the_converted_one(cells):
    converted = next(found for found in cells if found.method == "converted" and found.samples)
    scratch = [found for found in cells if found.method == "scratch"]
    assert converted.steps == TINY.tune_steps and converted.before == 2e-3
    assert all((found.steps, found.before) == (TINY.tune_steps + 400, 0.0) for found in scratch)
    assert equal_steps(150, 2.0, 0.01) == 350
    assert equal_steps(150, 0.0, 0.01) == 150


def test_continuing_measures_only_what_is_missing(cells):
    new = []
    assert measure_curve(REQUEST, TINY, cells, new.append) == cells and not new
    again = measure_curve(REQUEST, TINY, cells[1:], new.append)
    assert [found.key for found in new] == [cells[0].key] and len(again) == len(cells)
    assert new[0].error == cells[0].error


def test_the_best_rate_by_the_mean_over_seeds():
    found = summarise(
        [cell(0.1, seed=0), cell(0.5, seed=1), cell(0.2, rate=3e-3), cell(0.3, seed=1, rate=3e-3)]
    )
    assert len(found) == 1
    assert (found[0].rate, found[0].seeds, found[0].seconds) == (3e-3, 2, 7.0)
    assert (found[0].mean, found[0].spread) == pytest.approx((0.25, 0.05))


def test_a_rate_with_fewer_seeds_does_not_win_by_luck():
    found = summarise([cell(0.4, seed=0), cell(0.4, seed=1), cell(0.01, rate=1e-2)])
    assert found[0].rate == 1e-3


def test_cells_survive_the_file(tmp_path, cells):
    path = tmp_path / "curve.json"
    assert read_cells(path, TINY) == []
    write_cells(path, TINY, cells)
    assert read_cells(path, TINY) == cells
    content = json.loads(path.read_text())
    assert set(content) == {"schema", "settings", "points", "cells"}
    assert content["settings"] == asdict(TINY)
    with pytest.raises(ArgumentError, match="other settings"):
        read_cells(path, replace(TINY, tune_steps=3))
    path.write_text("[]")
    with pytest.raises(FileError, match="no transfer curve"):
        read_cells(path, TINY)


@pytest.mark.parametrize(
    "changed",
    [{"pdes": []}, {"samples": [-1]}, {"seeds": 0}, {"pairs": [(2, 2)]}, {"pairs": [(1, 4)]}, {"pairs": []}],
)
def test_what_cannot_be_measured_is_refused(changed):
    with pytest.raises(ArgumentError):
        replace(REQUEST, **changed)


def test_counted_training_sees_only_its_pairs_and_stops_where_told():
    task = make_task("diffusion", 1, trajectories=2, frames=2, side=8)
    model = SimpleConvSeries(S, S, bank(1), 2, 2, "auto", "tanh", jax.random.key(0))
    numbers = {"rate": 1e-2, "batch": 4, "key": jax.random.key(1)}

    def weights(task_X, **changed):
        asked: dict[str, Any] = numbers | {"pairs": 2, "steps": 5} | changed
        trained = fit_counted(model, task_X, task.Y, **asked)
        return np.concatenate([array.ravel() for array in named_arrays(trained).values()])

    spoilt = task.X.get_subset([0, 1, 0, 0])
    base = weights(task.X)
    assert np.array_equal(base, weights(spoilt))
    assert not np.array_equal(weights(task.X, pairs=4), weights(spoilt, pairs=4))
    start = np.concatenate([array.ravel() for array in named_arrays(model).values()])
    assert np.array_equal(weights(task.X, steps=0), start) and not np.array_equal(base, start)
