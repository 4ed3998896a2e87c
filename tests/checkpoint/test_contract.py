"""What is known of data: what fits together, and what comes back from JSON."""

import copy
import json
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ginjax.checkpoint import (
    AXIS_NAMES,
    Axis,
    Condition,
    DataContract,
    DataPart,
    Field,
    FieldScale,
    axes_of,
    contract_from_json,
    contract_to_json,
)
from ginjax.errors import ArgumentError, FileError, GinjaxError

DENSITY, VELOCITY, BED = Field("density", 0, 0, "kg"), Field("velocity", 1, 0, "m/s"), Field("bed", 0, 0)
VORTICITY = Field("vorticity", 0, 1, "1/s")
FULL = DataContract(
    (Axis("x"), Axis("y", "wall", "zeros")),
    fields=(DENSITY, VELOCITY),
    constants=(BED,),
    targets=(DENSITY, VORTICITY),
    scales=(
        FieldScale(DENSITY, 2.0, 0.5, 0.1),
        FieldScale(VELOCITY, 3.0),
        FieldScale(BED, 1.0),
        FieldScale(DENSITY, 4.0),  # what is predicted may be scaled in its own way
        FieldScale(VORTICITY, 5.0),
    ),
    past_steps=3,
    residual=True,
    spacing=0.25,
    time_step=0.04,
    spectrum={"density": ((1.0, 0.5), (2.0, 0.25))},
    layout={"density": "trajectory,time,x,y"},
    parts={"train": DataPart("00ff", (0, 1, 2, 5)), "test": DataPart("00ff")},
    origin={"equation": "none", "parameters": {"a": [1, 2]}},
)


def through_json(contract: DataContract) -> DataContract:
    return contract_from_json(json.loads(json.dumps(contract_to_json(contract), allow_nan=False)), "file")


# --- construction ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Field("u", -1, 0), "tensor order of field 'u': got -1"),
        (lambda: Field("u", 0, 2), "parity of field 'u': got 2"),
        (lambda: FieldScale(DENSITY, 0.0), "normalisation of field 'density'"),
        (lambda: FieldScale(DENSITY, float("nan")), "normalisation of field 'density'"),
        (lambda: FieldScale(DENSITY, 1.0, float("inf")), "normalisation of field 'density'"),
        (lambda: FieldScale(DENSITY, 1.0, 0.0, 0.0), "increments of field 'density'"),
        (lambda: FieldScale(VELOCITY, 1.0, 0.1), "offset of field 'velocity': got 0.1, expected 0"),
        (lambda: FieldScale(VORTICITY, 1.0, 0.1), "offset of field 'vorticity'"),
        (lambda: Axis("x", "torus", "wrap"), "boundary of axis 'x': got 'torus', expected periodic or"),
        (lambda: Axis("x", "wall", "reflect"), "padding of axis 'x': got 'reflect', expected wrap or"),
        (lambda: Axis("x", "wall", "wrap"), "got 'wrap' where the axis is wall"),
        (lambda: Axis("x", "periodic", "zeros"), "got 'zeros' where the axis is periodic"),
        (lambda: DataContract(()), "axes of the data: got none"),
        (lambda: DataContract((Axis("x"), Axis("x"))), "axes of the data: got .*each name once"),
        (lambda: DataContract((Axis("x"),), (DENSITY, DENSITY)), "fields of the data: got .*each name once"),
        (lambda: DataContract((Axis("x"),), past_steps=0), "past_steps: got 0"),
        (
            lambda: replace(FULL, scales=FULL.scales[:-1]),
            "scales of the fields: got .*expected .*'vorticity'",
        ),
        (lambda: replace(FULL, scales=FULL.scales[::-1]), "scales of the fields"),
        (lambda: replace(FULL, constants=()), "scales of the fields"),
    ],
)
def test_what_does_not_fit(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_what_follows_from_the_rest():
    assert (FULL.D, FULL.is_torus) == (2, (True, False))
    assert FULL.predicted == FULL.targets and replace(FULL, targets=None, scales=()).predicted == FULL.fields
    assert FULL.inputs == (DENSITY,) * 3 + (VELOCITY,) * 3 + (BED,)
    assert FULL.everything == (DENSITY, VELOCITY, BED, DENSITY, VORTICITY)
    assert replace(FULL, scales=()).scales == ()  # not measured


def test_of_some_data_nothing_is_known_but_the_axes():
    unknown = DataContract.unknown((True, False, True))
    assert unknown.axes == (Axis("x"), Axis("y", "bounded", "zeros"), Axis("z"))
    assert (unknown.fields, unknown.scales, unknown.spacing, unknown.past_steps) == ((), (), None, 1)
    assert axes_of((False,), ("height",)) == (Axis("height", "bounded", "zeros"),)
    assert through_json(unknown) == unknown


# --- JSON -----------------------------------------------------------------------------------------------------------


def test_all_of_it_comes_back():
    found = through_json(FULL)
    assert found == FULL
    assert [scale.scale for scale in found.scales] == [2.0, 3.0, 1.0, 4.0, 5.0]
    assert contract_to_json(found) == contract_to_json(FULL)


def test_whole_numbers_and_those_of_numpy_are_the_same_in_a_file():
    """A digest is made of the JSON, so equal contracts need equal text, before and after a file."""
    axes = (Axis("x"),)
    texts = set()
    for number in (int, float, np.float64):
        scales = (FieldScale(DENSITY, number(2), number(0), number(3)),)
        contract = DataContract(axes, (DENSITY,), scales=scales, spacing=number(1), time_step=number(4))
        texts |= {json.dumps(contract_to_json(each)) for each in (contract, through_json(contract))}
    assert len(texts) == 1


def test_trajectories_are_stored_as_runs():
    stored = contract_to_json(FULL)["parts"]
    assert stored["train"] == {"digest": "00ff", "trajectories": [[0, 3], [5, 6]], "each": []}
    assert stored["test"] == {"digest": "00ff", "trajectories": None, "each": []}
    none = replace(FULL, parts={"test": DataPart("00ff", ())})
    assert through_json(none).parts["test"].trajectories == ()


# What is printable: no control characters, and of the separators the space alone.
NAMES = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=1, max_size=8)
SIZES = st.floats(1e-30, 1e30, allow_nan=False)
FIELDS = st.lists(
    st.builds(
        Field, NAMES, st.integers(0, 3), st.integers(0, 1), st.sampled_from(["1", "m/s", "unknown", ""])
    ),
    max_size=3,
    unique_by=lambda field: field.name,
).map(tuple)


@st.composite
def contracts(draw) -> DataContract:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    ends = [("periodic", "wrap"), ("bounded", "zeros"), ("wall", "zeros"), ("open", "zeros")]
    axes = tuple(Axis(name, *draw(st.sampled_from(ends))) for name in names)
    fields, constants, targets = draw(FIELDS), draw(FIELDS), draw(st.none() | FIELDS)

    def scale(field: Field) -> FieldScale:
        even_scalar = (field.k, field.p) == (0, 0)
        offset = draw(st.floats(-1e9, 1e9)) if even_scalar else 0.0
        return FieldScale(field, draw(SIZES), offset, draw(st.none() | SIZES))

    scaled = (*fields, *constants, *(targets or ())) if draw(st.booleans()) else ()
    part = st.builds(
        DataPart,
        st.text("0123456789abcdef", max_size=64),
        st.none()
        | st.sets(st.integers(0, 30) | st.integers(10**6, 10**6 + 9)).map(lambda s: tuple(sorted(s))),
    )
    pairs = st.lists(st.tuples(SIZES, SIZES), max_size=3).map(tuple)
    return DataContract(
        axes,
        fields,
        constants,
        targets,
        scales=tuple(map(scale, scaled)),
        past_steps=draw(st.integers(1, 9)),
        residual=draw(st.booleans()),
        spacing=draw(st.none() | SIZES),
        time_step=draw(st.none() | SIZES),
        spectrum=draw(st.none() | st.dictionaries(NAMES, pairs, max_size=2)),
        layout=draw(st.none() | st.dictionaries(NAMES, NAMES, max_size=2)),
        parts=draw(st.dictionaries(st.sampled_from(["train", "valid", "test"]), part)),
        origin=draw(
            st.dictionaries(NAMES, st.none() | st.integers(-9, 9) | NAMES | st.lists(NAMES), max_size=2)
        ),
    )


@settings(max_examples=25, deadline=None)
@given(contracts())
def test_every_contract_comes_back(contract):
    found = through_json(contract)
    assert found == contract
    assert contract_to_json(found) == contract_to_json(contract)


# --- JSON nobody should trust ---------------------------------------------------------------------------------------


def with_value(way: str, value):
    data = copy.deepcopy(contract_to_json(FULL))
    *parts, last = [int(part) if part.isdigit() else part for part in way.split(".")]
    place = data
    for part in parts:
        place = place[part]
    place[last] = value
    return data


FIELD = {"name": "density", "order": 0, "parity": 0, "unit": "1", "scale": 1.0}
HOSTILE = [
    ("axes", 3, "'axes'"),
    ("axes", [], "'axes'"),
    ("axes", [3], "axes of the data"),
    ("axes", contract_to_json(FULL)["axes"] * 5, "'axes'"),
    ("axes.1.name", "x", "each name once"),
    ("axes.0.name", 3, "'name'"),
    ("axes.0.boundary", "torus", "boundary of axis 'x'"),
    ("axes.0.boundary", ["periodic"], "'boundary'"),
    ("axes.0.boundary", "wall", "padding of axis 'x'"),
    ("axes.1.padding", "reflect", "padding of axis 'y'"),
    ("axes.1.padding", None, "'padding'"),
    ("fields", {}, "'fields'"),
    ("fields", [3], "'contract.fields'"),
    ("fields", [FIELD] * 2, "each name once"),
    ("fields", [FIELD] * 2000, "'fields'"),
    ("fields.0", {"name": "u"}, "'order'"),
    ("fields.0.name", "", "'name'"),
    ("fields.0.name", "u" * 300, "'name'"),
    ("fields.0.order", True, "'order'"),
    ("fields.0.order", -1, "'order'"),
    ("fields.0.order", 10**9, "'order'"),
    ("fields.0.parity", 2, "'parity'"),
    ("fields.0.parity", 0.0, "'parity'"),
    ("fields.0.unit", 3, "'unit'"),
    ("fields.0.scale", "2", "'scale'"),
    ("fields.0.scale", 0, "normalisation of field 'density'"),
    ("fields.0.scale", 10**400, "'scale'"),
    ("fields.0.scale", None, "got 4 of 5, expected all or none"),
    ("fields.0.offset", [], "'offset'"),
    ("fields.0.increment", -1.0, "increments of field 'density'"),
    ("fields.1.offset", 0.1, "offset of field 'velocity'"),
    ("constants", [FIELD] * 2, "each name once"),
    ("targets", [FIELD] * 2, "each name once"),
    ("targets", 3, "'targets'"),
    ("conditions", {}, "'conditions'"),
    ("past_steps", 0, "'past_steps'"),
    ("past_steps", 10**9, "'past_steps'"),
    ("past_steps", True, "'past_steps'"),
    ("residual", 1, "'residual'"),
    ("spacing", 0, "'spacing'"),
    ("spacing", "1", "'spacing'"),
    ("time_step", -0.5, "'time_step'"),
    ("spectrum", [], "'spectrum'"),
    ("spectrum.density", [[1.0]], "'contract.spectrum'"),
    ("spectrum.density", [[1.0, True]], "'contract.spectrum'"),
    ("spectrum.density", 3, "'contract.spectrum'"),
    ("layout", [], "'layout'"),
    ("layout.density", ["x"], "'contract.layout'"),
    ("parts", [], "'parts'"),
    ("parts", {str(i): {"digest": ""} for i in range(17)}, "'parts'"),
    ("parts.train", 3, "'contract.parts'"),
    ("parts.train.digest", None, "'digest'"),
    ("parts.train.digest", "0" * 129, "'digest'"),
    ("parts.train.trajectories", 3, "'trajectories'"),
    ("parts.train.trajectories", [3], "[first, end] pairs"),
    ("parts.train.trajectories", [[0, 1, 2]], "[first, end] pairs"),
    ("parts.train.trajectories", [[0, 1.0]], "[first, end] pairs"),
    ("parts.train.trajectories", [[5, 6], [0, 3]], "rising pairs"),
    ("parts.train.trajectories", [[0, 3], [2, 4]], "rising pairs"),
    ("parts.train.trajectories", [[3, 3]], "rising pairs"),
    ("parts.train.trajectories", [[-1, 3]], "rising pairs"),
    ("parts.train.trajectories", [[0, 2**40]], "few enough"),
    ("parts.train.trajectories", [[0, 9], [9, 2**24 + 1]], "few enough"),
    ("parts.train.trajectories", [[2**40, 2**40 + 1]], "few enough"),
    ("origin", [], "'origin'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("way", "value", "message"), HOSTILE, ids=[f"{case[0]} {i}" for i, case in enumerate(HOSTILE)]
)
def test_hostile_json_is_refused_by_part(way, value, message):
    start = time.perf_counter()
    with pytest.raises((ArgumentError, FileError)) as caught:
        contract_from_json(with_value(way, value), "m.safetensors")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 600
    assert time.perf_counter() - start < 2


def test_the_way_of_changing_does_no_harm_by_itself():
    assert contract_from_json(with_value("past_steps", 3), "file") == FULL


@pytest.mark.parametrize("padding", ["mirror", "edge"])
def test_what_a_network_does_beyond_a_wall_is_kept(padding):
    walled = replace(FULL, axes=(Axis("x"), Axis("y", "wall", padding)))
    assert through_json(walled) == walled
    assert through_json(FULL).axes[1].padding == "zeros"
    assert walled.axes[1].in_words == f"y not periodic ({padding})"
    with pytest.raises(ArgumentError, match="padding of axis 'y': got 'mirror' where the axis is periodic"):
        Axis("y", "periodic", "mirror")


NUMBER = Field("nu", 0, 0)
TOLD = DataContract(
    axes_of((True,)),
    (Field("u", 0, 0),),
    (NUMBER, Field("time_step", 0, 0)),
    conditions=(Condition("nu"), Condition("time_step", 0.1, 0.4)),
    spacing=0.5,
)


def test_conditions_are_constants_that_are_marked():
    assert through_json(TOLD) == TOLD
    assert [each.name for each in TOLD.inputs] == ["u", "nu", "time_step"]
    assert contract_to_json(TOLD)["conditions"][1] == {"name": "time_step", "low": 0.1, "high": 0.4}
    assert TOLD.in_dimension(3).conditions == TOLD.conditions
    # What is told of each trajectory is never completed by one number for all.
    other = replace(TOLD, conditions=(), constants=(), time_step=0.3, spacing=0.7)
    assert TOLD.completed_by(other).time_step is None
    assert replace(TOLD, conditions=()).completed_by(other).time_step == 0.3


def test_fields_that_are_gained_or_lost_take_their_conditions_along():
    fewer = TOLD.with_fields(TOLD.fields, [NUMBER])
    assert fewer.conditions == (Condition("nu"),)
    gained = replace(fewer, time_step=0.2).with_fields(TOLD.fields, TOLD.constants, TOLD.conditions)
    assert (gained.told, gained.time_step) == (TOLD.told, None)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (3, "'contract.conditions'"),
        ({}, "'name'"),
        ({"name": "mu"}, "condition 'mu': got"),
        ({"name": "nu", "low": 1.0}, "range of condition 'nu'"),
        ({"name": "nu", "low": 1.0, "high": 0.5}, "range of condition 'nu'"),
        ({"name": "nu", "low": "1", "high": 2.0}, "'low'"),
    ],
)
def test_conditions_that_are_none_are_refused(row, message):
    with pytest.raises((ArgumentError, FileError)) as caught:
        contract_from_json(contract_to_json(TOLD) | {"conditions": [row]}, "m")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("values", "far"),
    [
        ([0.1, 0.4], None),
        ([0.42], None),
        ([0.44], "0.44"),
        ([0.05, 0.2, 0.9], "0.05 to 0.9"),
        ([0.1001], None),
    ],
)
def test_a_number_far_from_those_of_the_training_is_remarked_by_name(values, far):
    remark = Condition("time_step", 0.1, 0.4).remark(values)
    assert remark is None if far is None else f"condition 'time_step' is {far}: " in str(remark)
    assert Condition("time_step").remark(values) is None
    assert Condition("nu", 0.1, 0.1).remark([0.1]) is None
    assert "at 0.1 only" in str(Condition("nu", 0.1, 0.1).remark([0.11]))


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.sampled_from([2**31, 2**63, -(10**30), 10**400, 0.5, -0.0, 1e308])
    | st.sampled_from(["", "periodic", "wrap", "density", "x", "a" * 100]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)


def places(value, way=()):
    yield way
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from places(item, (*way, name))


PLACES = [".".join(map(str, way)) for way in places(contract_to_json(FULL)) if way]


@settings(max_examples=200, deadline=None)
@given(way=st.sampled_from(PLACES), junk=JUNK)
def test_junk_anywhere_is_a_contract_or_a_clear_error(way, junk):
    try:
        found = contract_from_json(with_value(way, junk), "file")
    except GinjaxError as error:
        assert len(str(error)) < 600
    else:
        assert through_json(found) == found


# --- other dimensions -----------------------------------------------------------------------------------------------


def test_added_axes_are_periodic_and_have_names_of_their_own():
    high = FULL.in_dimension(4)
    assert high.axes == (*FULL.axes, Axis("z"), Axis("axis4"))
    turned = replace(FULL, axes=(Axis("z"), Axis("x"))).in_dimension(3)
    assert [axis.name for axis in turned.axes] == ["z", "x", "y"]
    named = replace(FULL, axes=(Axis("height", "wall", "zeros"),)).in_dimension(8)
    assert [axis.name for axis in named.axes] == ["height", *AXIS_NAMES[:7]]
    assert named.is_torus == (False, *(True,) * 7)


def test_axes_are_removed_from_the_end():
    assert FULL.in_dimension(1).axes == FULL.axes[:1]
    assert FULL.in_dimension(5).in_dimension(2) == replace(FULL, layout=None)


@pytest.mark.parametrize("D", [1, 2, 3])
def test_the_task_stays_but_how_arrays_were_read(D):
    assert replace(FULL.in_dimension(D), axes=FULL.axes) == replace(FULL, layout=None)


def test_the_lift_turns_odd_scalars_into_odd_vectors():
    lifted = FULL.lifted()
    vector = Field("vorticity", 1, 1, "1/s")
    assert lifted.targets == (DENSITY, vector)
    assert (lifted.fields, lifted.constants) == (FULL.fields, FULL.constants)
    assert lifted.scales == (*FULL.scales[:-1], FieldScale(vector, 5.0))
    assert replace(lifted, targets=FULL.targets, scales=FULL.scales) == FULL
    plain = replace(FULL, targets=None, scales=())
    assert plain.lifted() == plain
    moving = DataContract((Axis("x"),), (VORTICITY,), (replace(VORTICITY, name="spin"),)).lifted()
    assert [(each.k, each.p) for each in moving.everything] == [(1, 1), (1, 1)]
