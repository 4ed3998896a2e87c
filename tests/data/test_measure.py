"""Measuring scales over a stream of frames."""

from dataclasses import replace

import numpy as np
import pytest
from data.layouts import by_seed, numbers, well_file

from ginjax.checkpoint import contract_from_json, contract_to_json
from ginjax.data import (
    Field,
    MemorySource,
    Normalisation,
    Trajectories,
    _frames,
    measure_normalisation,
    open_data,
    survey,
)
from ginjax.errors import ArgumentError, FileError


def drifting():
    """Large mean, small deviation, and a drift in time: naive sums of squares would lose the deviation."""
    rng = np.random.default_rng(1)
    time = np.arange(7)[:, None, None]
    a = (1e4 + time + rng.standard_normal((5, 7, 4, 4))).astype(np.float32)
    v = rng.standard_normal((5, 7, 4, 4, 2)).astype(np.float32) + 3
    return Trajectories((Field("a", 0, 0), Field("v", 1, 0)), {"a": a, "v": v}, 2, 1.0, 1.0)


def test_a_stream_gives_what_the_whole_would(monkeypatch):
    monkeypatch.setattr(_frames, "MAX_VALUES_AT_ONCE", 100)
    data = drifting()
    streamed, whole = measure_normalisation(MemorySource.of(data)), measure_normalisation(data)
    for a, b in zip(streamed.scales, whole.scales, strict=True):
        assert a.scale == pytest.approx(b.scale, rel=1e-10)
        assert a.offset == pytest.approx(b.offset, rel=1e-12)
        change = np.diff(data.fields[a.field.name].astype(float), axis=1)
        assert a.increment == pytest.approx(np.sqrt(np.square(change).mean()), rel=1e-10)
    # the vector is not shifted, and has one scale for both components
    assert streamed.scales[1].offset == 0 and streamed.scales[1].scale == pytest.approx(np.sqrt(10), rel=0.05)


def test_a_sample_estimates_the_whole_and_the_seed_decides():
    source = MemorySource.of(drifting())
    seen = []
    some = measure_normalisation(source, max_samples=20, progress=lambda *done: seen.append(done))
    assert seen[-1][0] == seen[-1][1] <= 20
    assert some.scales[0].scale == pytest.approx(measure_normalisation(source).scales[0].scale, rel=0.2)
    assert some == measure_normalisation(source, max_samples=20)
    assert some != measure_normalisation(source, max_samples=20, seed=1)


def test_only_the_chosen_trajectories_count(tmp_path):
    source = open_data(by_seed(tmp_path / "a", channels=1, lengths=(2, 4, 3)))
    one = measure_normalisation(source, trajectories=[1]).scales[0]
    values = numbers(4, 4, 4, start=1000).astype(float)
    assert one.offset == pytest.approx(values.mean()) and one.scale == pytest.approx(values.std())
    assert one.increment == pytest.approx(16.0)
    with pytest.raises(ArgumentError, match="trajectories to measure"):
        measure_normalisation(source, trajectories=[])


def test_constants_are_measured_once_a_trajectory(tmp_path):
    fields = {"p": (0, numbers(3, 5, 4, 6), True, True, (True, True))}
    source = open_data(
        well_file(tmp_path / "a", fields, scalars={"nu": (np.float32([1, 2, 6]), True, False)})
    )
    scale = measure_normalisation(source)
    nu = scale.of("nu")
    assert (nu.offset, nu.scale, nu.increment) == (3.0, pytest.approx(np.sqrt(14 / 3)), None)
    assert [entry.field.name for entry in scale.constants] == ["nu"]
    contract = replace(source.contract, scales=(*scale.scales, *scale.constants))
    assert Normalisation.of_contract(contract_from_json(contract_to_json(contract), "here")) == scale


def test_gaps_are_counted_by_the_survey_and_refused_by_the_measure():
    data = drifting()
    data.fields["v"][2, 3, 0] = np.nan
    data.fields["a"][4, 6, 1, 1] = np.inf
    source = MemorySource.of(data)
    found = {entry.field.name: entry for entry in survey(source)}
    assert (found["v"].bad, found["a"].bad, found["v"].values) == (8, 1, 5 * 7 * 32)
    good = data.fields["v"][np.isfinite(data.fields["v"])]
    assert (found["v"].minimum, found["v"].maximum) == (good.min(), good.max())
    assert found["v"].rms == pytest.approx(np.sqrt(np.square(good.astype(float)).mean()))
    with pytest.raises(FileError, match="of trajectory 2 holds NaN or infinity"):
        measure_normalisation(source)
    assert sum(entry.values for entry in survey(source, max_frames=3)) <= 3 * 48
