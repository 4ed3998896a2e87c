import jax
import pytest
from helpers import ORTHOPLEX5, S, assert_close, bank

from ginjax.ml import (
    HELD_OUT_OFFSET,
    STUDY_RULES,
    make_task,
    one_step_error,
    predict,
    zero_shot_prediction,
    zero_shot_study,
)
from ginjax.models import SimpleConvSeries, to_dimension
from ginjax.transfer import make_rule

RULES = (("compatibility", None), ("compat-flex", 0.0), ("compatibility-norm", None))


@pytest.fixture(scope="module")
def tasks():
    low = make_task("diffusion", 1, trajectories=2, frames=1, side=8)
    high = make_task(
        "diffusion",
        2,
        trajectories=2,
        frames=1,
        side=8,
        seed=HELD_OUT_OFFSET,
        normalisation=low.normalisation,
    )
    return low, high


def model(*recipe):
    return SimpleConvSeries(S, S, bank(1, *recipe), 2, 2, "auto", "tanh", jax.random.key(0))


@pytest.fixture(scope="module")
def rows(tasks):
    told = []
    found = zero_shot_study(model(), tasks, RULES, progress=told.append)
    assert told == [f"{row.dim}D {row.rule}" for row in found]
    return found


def test_one_row_for_the_training_dimension_and_one_for_each_rule(rows):
    assert [(row.dim, row.rule) for row in rows] == [
        (1, "trained"), (2, "compatibility"), (2, "compat-flex 0"), (2, "compatibility-norm"),
    ]  # fmt: skip
    assert rows[0].residual is None
    assert all(row.residual is not None and row.residual < 1e-5 for row in rows[1:3])


def test_a_rule_that_does_not_apply_says_so_and_the_others_go_on(rows):
    assert "orthoplex" in rows[3].note
    assert rows[3].error is rows[3].residual is None
    assert rows[3].persistence == pytest.approx(rows[1].persistence)
    assert all(row.note == "" and row.error is not None for row in rows[:3])


def test_it_applies_where_there_are_orthoplex_filters(tasks):
    row = zero_shot_study(model(ORTHOPLEX5), tasks[1:], RULES[2:])[0]
    assert (row.note, row.rule) == ("", "compatibility-norm")
    assert row.error is not None


def test_the_numbers_are_those_of_the_parts(rows, tasks):
    converted, certificate = to_dimension(model(), 2, "compatibility")
    expected = one_step_error(converted, tasks[1])
    assert rows[1].error == pytest.approx(expected.model, rel=1e-5)
    assert rows[1].persistence == pytest.approx(expected.persistence)
    assert rows[1].residual == certificate.residual
    assert rows[0].error == pytest.approx(one_step_error(model(), tasks[0]).model, rel=1e-5)
    assert rows[1].error != pytest.approx(rows[2].error, rel=1e-4)


def test_the_default_rules_exist_and_differ():
    made = [make_rule(*rule) for rule in STUDY_RULES]
    assert len({(rule.name, getattr(rule, "flex", None)) for rule in made}) == len(STUDY_RULES)


def test_predictions_are_in_physical_units(tasks):
    x, y, guess = zero_shot_prediction(model(), tasks[1])
    assert x[0, 0].shape == y[0, 0].shape == guess[0, 0].shape == (1, 8, 8)
    assert_close(tasks[1].normalisation.apply(x), tasks[1].X.get_one(0, keepdims=False), 1e-5)
    converted, _ = to_dimension(model(), 2, "compatibility")
    expected = predict(converted, tasks[1].X).get_one(0, keepdims=False)
    assert_close(tasks[1].normalisation.apply(guess), expected, 1e-4)
    own = zero_shot_prediction(model(), tasks[0])
    assert own[2][0, 0].shape == (1, 8)
