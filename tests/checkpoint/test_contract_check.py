"""Data that a model is not for are refused, and by the right name."""

from dataclasses import replace
from typing import get_args

import pytest

from ginjax.checkpoint import (
    ADAPTABLE,
    Aspect,
    Axis,
    Condition,
    DataContract,
    DataPart,
    Difference,
    Field,
    FieldScale,
    check_contract,
    differences,
    unchecked,
)
from ginjax.errors import ArgumentError

DENSITY, VELOCITY, BED = Field("density", 0, 0, "kg"), Field("velocity", 1, 0, "m/s"), Field("bed", 0, 0)
WANTED = DataContract(
    (Axis("x"), Axis("y", "wall", "zeros")),
    fields=(DENSITY, VELOCITY),
    constants=(BED,),
    past_steps=2,
    residual=True,
    spacing=0.25,
    time_step=0.04,
)
OTHERS = {
    "dimension": (
        WANTED.in_dimension(3),
        "dimension of the data: got 3, expected 2, that of the model",
        "ginjax convert-d",
    ),
    "fields": (
        replace(WANTED, fields=(DENSITY,)),
        "fields of the data: got density:0+, expected density:0+, velocity:1+, those of the model",
        "have no other field that",
    ),
    "constants": (
        replace(WANTED, constants=()),
        "constant fields of the data: got none, expected bed:0+, those of the model",
        "have no other field that",
    ),
    "units": (
        replace(WANTED, fields=(DENSITY, replace(VELOCITY, unit="km/h"))),
        "unit of field 'velocity' of the data: got km/h, expected m/s, as in the model's training",
        "convert the data",
    ),
    "boundary": (
        replace(WANTED, axes=(Axis("x", "open", "zeros"), Axis("y"))),
        "boundaries of the data: got x not periodic and y periodic, expected x periodic and y not periodic, as in the model's training",
        "`is_torus`",
    ),
    "spacing": (
        replace(WANTED, spacing=0.5),
        "grid spacing of the data: got 0.5, expected 0.25, as in the model's training",
        "resample the data",
    ),
    "time-step": (
        replace(WANTED, time_step=0.02),
        "time step of the data: got 0.02, expected 0.04, as in the model's training",
        "resample the data",
    ),
    "past-steps": (replace(WANTED, past_steps=1), "`past_steps`: got 1, expected 2, as the model was trained", None),
    "residual": (
        replace(WANTED, residual=False),
        "`residual`, what is predicted: got frames, expected changes, as the model was trained",
        None,
    ),
}  # fmt: skip
TASK = ("past-steps", "residual")


def aspects(wanted, found, **options) -> list[str]:
    return [each.aspect for each in differences(wanted, found, **options)]


def test_every_aspect_is_tried():
    assert list(OTHERS) == list(get_args(Aspect))
    assert set(ADAPTABLE) == {"boundary", "spacing", "time-step"}


def test_equal_contracts_do_not_differ():
    assert differences(WANTED, WANTED, task=True) == ()
    assert check_contract(WANTED, WANTED, task=True) == ()
    assert unchecked(WANTED, WANTED) == ()
    unknown = DataContract.unknown((True, False))
    assert differences(unknown, unknown, task=True) == ()


@pytest.mark.parametrize("aspect", OTHERS)
def test_one_difference_is_found_and_named(aspect):
    found, message, hint = OTHERS[aspect]
    (difference,) = differences(WANTED, found, task=True)
    assert isinstance(difference, Difference) and difference.aspect == aspect
    with pytest.raises(ArgumentError) as caught:
        check_contract(WANTED, found, task=True)
    assert message in caught.value.problem
    assert (hint is None) == (caught.value.hint is None) and (hint or "") in (caught.value.hint or "")


RHO, FLOW, HEAT = replace(DENSITY, name="rho"), replace(VELOCITY, name="flow"), Field("heat", 0, 0)
NONE = "The data, as they were read, have no other field that"


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ((DENSITY,), f"{NONE} velocity:1+ could be."),
        ((DENSITY, RHO), f"{NONE} velocity:1+ could be."),
        ((RHO, VELOCITY), "A field under another name is read by `fields=['density=rho']`."),
        ((RHO, HEAT, VELOCITY), "A field under another name is read by `fields=['density=rho']`."),
        ((RHO, FLOW), "Fields under other names are read by `fields=['density=rho', 'velocity=flow']`."),
        ((FLOW, RHO), "Fields under other names are read by `fields=['density=rho', 'velocity=flow']`."),
        ((RHO,), f"{NONE} density:0+, velocity:1+ could be."),
        ((RHO, HEAT), f"{NONE} density:0+, velocity:1+ could be."),
        ((replace(DENSITY, p=1), VELOCITY), "A field under another name is read by `fields=['density:0+=density']`."),
        ((replace(DENSITY, k=1), VELOCITY), f"{NONE} density:0+ could be."),
        ((DENSITY, RHO, HEAT), "A vector is read from its components by `fields=['velocity=rho,heat']`."),
    ],
)  # fmt: skip
def test_another_name_is_offered_only_where_it_makes_all_missing_fields(fields, hint):
    (difference,) = differences(WANTED, replace(WANTED, fields=fields))
    assert difference.hint == hint


def test_of_another_equation_a_field_is_offered_only_if_all_fields_fit():
    model = replace(WANTED, fields=(DENSITY,), origin={"equation": "diffusion"})
    file = {"file": "data.hdf5", "about": {"equation": "gray-scott"}}
    for fields, origin, offered in (
        ((HEAT,), file, True),
        ((RHO, HEAT), file, False),
        ((FLOW,), file, False),
        ((HEAT,), {"equation": "gray-scott"}, False),  # simulated, so that no file is read
        ((RHO, HEAT), {}, True),
        ((RHO, HEAT), {"first": {"about": {"equation": "diffusion"}}}, True),
    ):
        (difference,) = differences(model, replace(model, fields=fields, origin=origin))
        assert ("`fields=" in (difference.hint or "")) is offered, (fields, origin)
        if not offered:
            assert difference.hint == (
                "The model was trained on diffusion and the data are of gray-scott: none of their fields is density:0+ "
                "under another name."
            )


@pytest.mark.parametrize("aspect", OTHERS)
def test_exactly_what_is_accepted_passes(aspect):
    found = OTHERS[aspect][0]
    assert check_contract(WANTED, found, task=True, accept=[aspect]) == differences(WANTED, found, task=True)
    others = [other for other in OTHERS if other != aspect]
    with pytest.raises(ArgumentError):
        check_contract(WANTED, found, task=True, accept=others)


@pytest.mark.parametrize("aspect", TASK)
def test_data_as_such_do_not_say_what_the_task_is(aspect):
    found = OTHERS[aspect][0]
    assert differences(WANTED, found) == () and check_contract(WANTED, found) == ()
    assert aspects(WANTED, found, task=True) == [aspect]


def test_all_differences_are_listed_and_the_first_not_accepted_is_refused():
    found = replace(
        OTHERS["boundary"][0],
        fields=(replace(VELOCITY, unit="km/h"),),
        constants=(),
        spacing=1.0,
        time_step=1.0,
        past_steps=1,
        residual=False,
    )
    every = [aspect for aspect in OTHERS if aspect != "dimension"]
    assert aspects(WANTED, found, task=True) == every
    for i, aspect in enumerate(every):
        with pytest.raises(ArgumentError) as caught:
            check_contract(WANTED, found, task=True, accept=every[:i])
        assert OTHERS[aspect][1].partition(":")[0] in caught.value.problem
    assert [each.aspect for each in check_contract(WANTED, found, task=True, accept=every)] == every


def test_in_another_dimension_nothing_else_is_compared():
    found = replace(WANTED.in_dimension(1), fields=(), constants=(), spacing=9.0)
    assert aspects(WANTED, found, task=True) == ["dimension"]


# --- what does not matter -------------------------------------------------------------------------------------------


def test_what_is_not_known_is_not_compared_and_said_to_be_so():
    for name, aspect in (("spacing", "spacing"), ("time_step", "time-step")):
        unknown = replace(WANTED, **{name: None})
        for sides in ((WANTED, unknown), (unknown, WANTED), (unknown, unknown)):
            assert differences(*sides) == ()
            assert unchecked(*sides) == (aspect,)
    nothing = replace(WANTED, spacing=None, time_step=None)
    assert unchecked(WANTED, nothing) == ("spacing", "time-step")


@pytest.mark.parametrize("name", ["spacing", "time_step"])
def test_numbers_are_the_same_within_a_thousandth(name):
    value = getattr(WANTED, name)
    assert differences(WANTED, replace(WANTED, **{name: 1.0009 * value})) == ()
    assert len(differences(WANTED, replace(WANTED, **{name: 1.002 * value}))) == 1


def test_a_model_that_knows_no_fields_asks_for_none():
    unknown = DataContract.unknown((True, False))
    assert differences(unknown, WANTED) == ()
    assert aspects(WANTED, unknown) == ["fields", "constants"]


def test_more_fields_in_the_data_do_not_matter():
    pressure = Field("pressure", 0, 0, "Pa")
    more = replace(WANTED, fields=(pressure, VELOCITY, DENSITY), constants=(pressure, BED))
    assert differences(WANTED, more, task=True) == ()
    assert aspects(more, WANTED) == ["fields", "constants"]


def test_a_field_of_another_kind_is_another_field():
    odd = replace(WANTED, fields=(replace(DENSITY, p=1), VELOCITY))
    (difference,) = differences(WANTED, odd)
    assert (difference.aspect, difference.got) == ("fields", "density:0-, velocity:1+")
    assert aspects(WANTED, replace(WANTED, fields=(DENSITY, replace(VELOCITY, k=0)))) == ["fields"]
    assert aspects(WANTED, replace(WANTED, fields=(DENSITY, replace(VELOCITY, name="u")))) == ["fields"]


@pytest.mark.parametrize("unit", ["1", "unknown", ""])
def test_a_unit_that_says_nothing_is_not_compared(unit):
    silent = replace(WANTED, fields=(replace(DENSITY, unit=unit), VELOCITY))
    assert differences(WANTED, silent) == differences(silent, WANTED) == ()


def test_a_boundary_that_is_not_stated_may_be_a_wall_or_open():
    for boundary in ("bounded", "open"):
        assert differences(WANTED, replace(WANTED, axes=(Axis("x"), Axis("y", boundary, "zeros")))) == ()
    assert aspects(WANTED, replace(WANTED, axes=(Axis("x"), Axis("y")))) == ["boundary"]


def test_names_of_axes_scales_parts_and_origin_do_not_matter():
    scales = tuple(FieldScale(field, 3.0) for field in WANTED.everything)
    found = replace(
        WANTED,
        axes=(Axis("u"), Axis("v", "wall", "zeros")),
        scales=scales,
        parts={"train": DataPart("00ff")},
        origin={"file": "own.npz"},
        layout={"density": "x,y"},
    )
    assert differences(WANTED, found, task=True) == ()


@pytest.mark.parametrize("accept", [["colour"], ["spacing", "time_step"]])
def test_an_unknown_difference_to_accept(accept):
    with pytest.raises(ArgumentError, match=r"difference to accept: got .*, expected dimension or fields or"):
        check_contract(WANTED, WANTED, accept=accept)


def test_a_condition_is_asked_for_by_name_and_a_step_that_differs_is_not_taken_for_unknown():
    step = Field("time_step", 0, 0)
    told = replace(WANTED, constants=(BED, step), conditions=(Condition("time_step"),), time_step=None)
    for found in (WANTED, replace(WANTED, time_step=0.3)):
        (lacking,) = differences(told, found)
        assert lacking.subject == "condition 'time_step' of the data"
        assert lacking.hint == "`conditions=['time_step=NUMBER']` says it."
    assert differences(told, replace(told, time_step=0.3)) == ()  # data at one step, which is told
    assert "time-step" not in unchecked(told, told)
    # A model that is told nothing does not take data of several steps.
    (several,) = differences(WANTED, told)
    assert (several.subject, several.got) == ("time step of the data", "one for each trajectory")
    assert differences(WANTED, replace(told, time_step=0.04)) == ()
