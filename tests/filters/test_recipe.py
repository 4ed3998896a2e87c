import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ginjax.errors import ArgumentError
from ginjax.filters import SCALINGS, BankRecipe


@st.composite
def recipes(draw) -> BankRecipe:
    support = draw(st.sampled_from(("full", "cut", "summed", "orthoplex")))
    side = draw(st.integers(1, 255))
    if support == "orthoplex":
        side -= 1 - side % 2
    return BankRecipe(
        side,
        "one" if support == "orthoplex" else draw(st.sampled_from(SCALINGS)),
        support,
        None if support == "full" else draw(st.none() | st.integers(0, 9) | st.floats(0, 1e4)),
        draw(st.booleans()),
        draw(st.sampled_from(("hyperoctahedral", "reflections"))),
    )


@given(recipes())
def test_a_recipe_survives_json(recipe):
    assert BankRecipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(BankRecipe(3).to_json())), JSON)
def test_a_recipe_with_one_field_of_junk_is_refused_or_valid(field, junk):
    data = BankRecipe(3).to_json() | {field: junk}
    try:
        recipe = BankRecipe.from_json(data)
    except ArgumentError:
        return
    assert BankRecipe.from_json(recipe.to_json()) == recipe


@given(JSON)
def test_junk_is_no_recipe(junk):
    with pytest.raises(ArgumentError):
        BankRecipe.from_json(junk)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"side": 0}, "side of the filters: got 0, expected a whole number from 1 to 255"),
        ({"side": 256}, "side of the filters: got 256"),
        ({"side": 3.0}, "side of the filters: got 3.0"),
        ({"side": True}, "side of the filters: got True"),
        ({"side": "3"}, "side of the filters: got 3"),
        ({"scaling": "stencil"}, "scaling: got 'stencil', expected one or normalize or gaussian"),
        ({"support": "ball"}, "support: got 'ball', expected full or cut or summed or orthoplex"),
        ({"group": "B2"}, "group: got 'B2', expected hyperoctahedral or reflections"),
        ({"split_k2": 1}, "split_k2: got 1, expected true or false"),
        ({"max_pixel_l1": 1}, "max_pixel_l1: got 1, expected nothing for support 'full'"),
        ({"support": "cut", "max_pixel_l1": -1}, "max_pixel_l1: got -1, expected a radius in pixels"),
        ({"support": "cut", "max_pixel_l1": float("nan")}, "max_pixel_l1: got nan"),
        ({"support": "cut", "max_pixel_l1": True}, "max_pixel_l1: got True"),
        ({"support": "cut", "max_pixel_l1": "1"}, "max_pixel_l1: got '1'"),
        ({"support": "orthoplex", "side": 4}, "'orthoplex': got side 4, scaling one, expected an odd side"),
        (
            {"support": "orthoplex", "scaling": "gaussian"},
            "got side 3, scaling gaussian.*use 'summed' or 'cut'",
        ),
        ({"colour": "red"}, "bank recipe: got .*colour.*expected an object with keys"),
    ],
)
def test_what_a_recipe_refuses(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        BankRecipe.from_json({"side": 3} | arguments)


def test_a_recipe_needs_a_side():
    with pytest.raises(ArgumentError, match="bank recipe"):
        BankRecipe.from_json({"scaling": "one"})


def test_the_default_radius_is_half_the_side():
    for side in (3, 4, 5):
        assert BankRecipe(side, support="cut").max_pixel_l1 == (side - 1) / 2
    assert BankRecipe(5, support="cut") == BankRecipe(5, support="cut", max_pixel_l1=2)
    assert BankRecipe(5).max_pixel_l1 is None
