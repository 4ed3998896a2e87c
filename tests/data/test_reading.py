"""What a user says of data over what the file says."""

import dataclasses

import numpy as np
import pytest

from ginjax.data import DataReading, Field, MemorySource, Trajectories, write_well
from ginjax.errors import ArgumentError

FLOW = Field("flow", 0, 0)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    found = tmp_path_factory.mktemp("reading") / "flow.h5"
    rng = np.random.default_rng(0)
    fields = {name: rng.normal(size=(2, 2, 4, 4)).astype(np.float32) for name in ("flow", "other")}
    data = Trajectories((FLOW, Field("other", 0, 0)), fields, 2, 0.5, 0.1)
    write_well(found, dataclasses.replace(MemorySource.of(data), is_torus=(True, False)), name="flow")
    return found


def test_nothing_said_is_what_the_file_says(path):
    reading = DataReading()
    assert reading.given == () and reading.open(path).is_torus == (True, False)
    assert [each.name for each in reading.open(path).schema] == ["flow", "other"]


@pytest.mark.parametrize(
    ("periodic", "expected"), [("all", (True, True)), ("none", (False, False)), ("y", (False, True))]
)
def test_periodic_axes(path, periodic, expected):
    assert DataReading(periodic=periodic).open(path).is_torus == expected


def test_fields_and_parities(path):
    reading = DataReading(("flow:0-=flow",), {}, "all")
    assert reading.given == ("fields", "is_torus")
    assert reading.open(path).schema == (
        dataclasses.replace(FLOW, p=1, unit=reading.open(path).schema[0].unit),
    )
    odd = DataReading(parity={"flow": "odd"})
    assert odd.given == ("parity",)
    assert [each.p for each in odd.open(path).schema] == [1, 0]


@pytest.mark.parametrize("periodic", ["z", "x,x", "w", "x,", "X"])
def test_axes_that_are_none(path, periodic):
    with pytest.raises(ArgumentError, match=r"periodic axes: got .*, expected all, none, or some of x, y"):
        DataReading(periodic=periodic).open(path)
