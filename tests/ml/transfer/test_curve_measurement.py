import json
from dataclasses import asdict, replace
from typing import Any

import jax
import numpy as np
import pytest
from helpers import S, bank

from ginjax.errors import ArgumentError, FileError
from ginjax.ml import (
    FAR_RATES,
    FOLDS,
    RATES,
    Cell,
    CurveRequest,
    CurveSettings,
    equal_steps,
    make_task,
    measure_curve,
    read_cells,
    summarise,
    write_cells,
)
from ginjax.ml.training import fit_counted
from ginjax.models import SimpleConvSeries, named_arrays

TINY = CurveSettings(
    channels=2,
    low_sides={"1": 8},
    high_sides={"2": 8},
    low_trajectories=2,
    low_batch={"1": 2},
    low_steps=3,
    tune_steps=2,
    frames=1,
    held_out=2,
)
REQUEST = CurveRequest(["diffusion"], [(1, 2)], [0, 2], 1)


def cell(error, *, method: Any = "scratch", seed=0, rate=1e-3, samples=4):
    return Cell("diffusion", 1, 2, method, samples, seed, rate, 10, 1.0, 2.0, 4.0, 0.1, error, 0.25)


@pytest.fixture(autouse=True, scope="module")
def clock():
    """A clock that makes the steps from scratch known: a second for anything, and 10 ms for each training step."""
    steps = 0

    def train(*args, **numbers):
        nonlocal steps
        steps = numbers["steps"]
        return fit_counted(*args, **numbers)

    def timed(work):
        nonlocal steps
        steps = 0
        return work(), 1 + 0.01 * steps

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ginjax.ml.transfer._curve_measurement.fit_counted", train)
        patch.setattr("ginjax.ml.transfer._curve_measurement._timed", timed)
        yield


@pytest.fixture
def untrained(monkeypatch):
    """Steps are counted and not done."""
    monkeypatch.setitem(globals(), "fit_counted", lambda model, *_, **__: model)


@pytest.fixture(scope="module")
def cells(clock):
    return measure_curve(REQUEST, TINY)


def test_every_cell_is_measured_once(cells):
    assert [found.key for found in cells] == list(REQUEST.every_key())
    trained = sum(len(rates) for rates in RATES.values())
    assert len(cells) == 2 + trained  # nothing is trained from scratch on 0 samples
    assert len({found.persistence for found in cells}) == 1
    assert all(found.error > 0 for found in cells)


def test_from_scratch_has_all_the_time_of_the_converted_one(cells):
    converted = next(found for found in cells if found.method == "converted" and found.samples)
    scratch = [found for found in cells if found.method == "scratch"]
    assert converted.steps == TINY.tune_steps
    assert converted.before == pytest.approx(3.03)  # data, training of three steps, conversion
    assert all((found.steps, found.before) == (TINY.tune_steps + 303, 0.0) for found in scratch)
    both = converted.before + converted.seconds
    assert [found.seconds for found in scratch] == pytest.approx([both] * len(scratch))
    assert [found.pace for found in cells] == pytest.approx([0.01] * len(cells))
    assert equal_steps(150, 2.0, 0.01) == 350
    assert equal_steps(150, 0.0, 0.01) == 150
    assert equal_steps(150, 2.0, 0.01, 10) == 3500


def test_calibrated_networks_are_converted_by_a_choice_and_not_tuned(cells, tmp_path):
    (found,) = [each for each in cells if each.method == "calibrated"]
    assert (found.samples, found.rate, found.steps) == (2, 0.0, 0)
    converted = next(each for each in cells if each.method == "converted" and not each.samples)
    assert found.before == converted.before and found.error != converted.error
    # A file of a version that did not measure them is read, and lacks their line alone.
    write_cells(tmp_path / "old.json", TINY, [each for each in cells if each.method != "calibrated"])
    old = summarise(read_cells(tmp_path / "old.json", TINY))
    assert {point.method for point in summarise(cells)} - {point.method for point in old} == {"calibrated"}


def test_continuing_measures_only_what_is_missing(cells):
    new = []
    assert measure_curve(REQUEST, TINY, cells, new.append) == cells and not new
    again = measure_curve(REQUEST, TINY, cells[1:], new.append)
    assert [found.key for found in new] == [cells[0].key] and len(again) == len(cells)
    assert new[0].error == cells[0].error


def test_more_time_from_scratch_is_more_steps(clock, untrained):
    only = replace(REQUEST, samples=[2])
    longer = measure_curve(only, replace(TINY, scratch_time=3.0))
    assert {found.steps for found in longer if found.method == "scratch"} == {3 * (TINY.tune_steps + 303)}
    assert {found.steps for found in longer if found.method == "converted"} == {TINY.tune_steps}


def test_the_folds_share_no_random_field(monkeypatch, untrained):
    """Everything that is simulated follows from the seeds that `make_task` is handed."""
    seen: dict[str, set[tuple[int, int]]] = {}

    def note(pde, D, *, trajectories, frames, side, seed, normalisation):
        seen[settings.fold].add((D, seed))
        return make_task(
            pde,
            D,
            trajectories=trajectories,
            frames=frames,
            side=side,
            seed=seed,
            normalisation=normalisation,
        )

    monkeypatch.setattr("ginjax.ml.transfer._curve_measurement.make_task", note)
    errors = {}
    for settings in (TINY, replace(TINY, fold="validation")):
        seen[settings.fold] = set()
        errors[settings.fold] = [c.error for c in measure_curve(replace(REQUEST, samples=[0]), settings)]
    assert len(seen["test"]) == len(seen["validation"]) == 3  # low training, samples, held-out fields
    assert not seen["test"] & seen["validation"]
    assert not set(errors["test"]) & set(errors["validation"])
    # With as many seeds as a request may have the two still do not meet, nor their held-out fields.
    used = [set(range(first, first + 100)) for first in FOLDS.values()]
    assert not set.intersection(*used)


def every_rate(errors, **which):
    """A cell for every rate from scratch, for one seed."""
    return [cell(error, rate=rate, **which) for rate, error in zip(RATES["scratch"], errors, strict=True)]


def test_the_best_rate_by_the_mean_over_seeds():
    found = summarise(every_rate((0.1, 0.2, 0.9), seed=0) + every_rate((0.5, 0.3, 0.1), seed=1))
    assert len(found) == 1
    assert (found[0].rate, found[0].seeds, found[0].seconds) == (3e-3, 2, 7.0)
    assert (found[0].mean, found[0].spread) == pytest.approx((0.25, 0.05 * 2**0.5))  # n - 1, as everywhere


def test_one_seed_has_no_spread():
    (point,) = summarise(every_rate((0.1, 0.2, 0.9), seed=0))
    assert (point.seeds, point.mean, point.spread) == (1, 0.1, None)


def test_a_point_that_is_not_complete_is_left_out():
    whole = every_rate((0.1, 0.2, 0.3), seed=0) + every_rate((0.1, 0.2, 0.3), seed=1)
    assert len(summarise(whole)) == 1
    for missing in range(len(whole)):  # a rate without one seed, whichever it is
        assert summarise(whole[:missing] + whole[missing + 1 :]) == []
    assert summarise(whole[:1] + whole[3:4]) == []  # one rate alone with all seeds
    # Another method of the same transfer that stands on more seeds
    other = [cell(0.1, method="converted", rate=RATES["converted"][0], seed=seed) for seed in range(3)]
    assert [point.method for point in summarise(whole + other)] == ["converted"]
    assert [point.method for point in summarise(whole + other[:2])] == ["scratch", "converted"]
    assert not summarise(
        found := [replace(found, pde="burgers") for found in other]
    )  # that has a rate of its own
    assert summarise([replace(here, rate=FAR_RATES["burgers"]) for here in found])
    elsewhere = [replace(found, to_dim=3) for found in other]
    assert len(summarise(whole + elsewhere)) == 2


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
    with pytest.raises(ArgumentError, match="other settings"):
        read_cells(path, replace(TINY, fold="validation"))
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


CELL = Cell("diffusion", 1, 2, "converted", 2, 0, 1e-4, 2, 0.5, 0.5, 0.5, 0.5, 0.25, 1.0)


@pytest.mark.parametrize("name", asdict(CELL))
@pytest.mark.parametrize("value", [None, True, [], -1, "x" * 1000])
def test_a_cell_of_other_types_is_refused(tmp_path, name, value):
    path = tmp_path / "cells.json"
    write_cells(path, TINY, [CELL])
    assert read_cells(path, TINY) == [CELL]
    content = json.loads(path.read_text())
    content["cells"][0][name] = value
    path.write_text(json.dumps(content))
    with pytest.raises(FileError, match=f"field '{name}': got"):
        read_cells(path, TINY)
    del content["cells"][0][name]
    path.write_text(json.dumps(content))
    with pytest.raises(FileError, match="field 'cells'"):
        read_cells(path, TINY)


@pytest.mark.parametrize(
    "text", ["", "[" * 10_000, "[]", "{}", '{"schema": 2}', '{"schema": 2, "cells": 1}', "\0"]
)
def test_a_file_that_is_no_curve(tmp_path, text):
    (tmp_path / "cells.json").write_text(text)
    with pytest.raises(FileError, match=r"cells\.json: "):
        read_cells(tmp_path / "cells.json", TINY)
