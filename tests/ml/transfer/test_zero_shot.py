import jax
import pytest
from helpers import ORTHOPLEX5, S, assert_close, bank

from ginjax.ml import (
    HELD_OUT_OFFSET,
    make_task,
    one_step_error,
    predict,
    zero_shot_prediction,
    zero_shot_study,
)
from ginjax.models import SimpleConvSeries, to_dimension
from ginjax.transfer import compared_rules, make_rule

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
def study(tasks):
    told = []
    found = zero_shot_study(model(), tasks, RULES, progress=told.append)
    assert told == ["1D trained", "2D compatibility", "2D compat-flex 0", "2D compatibility-norm"]
    return found


@pytest.fixture(scope="module")
def rows(study):
    return study.rows


def test_one_row_for_the_training_dimension_and_one_for_each_rule(rows):
    assert [(row.dim, row.rule) for row in rows] == [
        (1, "trained"), (2, "compatibility"), (2, "compat-flex 0"),
    ]  # fmt: skip
    assert rows[0].residual is None
    assert all(row.residual < 1e-5 for row in rows[1:])


def test_a_rule_that_does_not_apply_is_left_out_and_says_what_it_needs(study, tasks):
    assert study.left_out == {"compatibility-norm": "an orthoplex bank of scalars or vectors on an odd side"}
    found = zero_shot_study(model(ORTHOPLEX5), tasks[1:], RULES[2:])
    assert [row.rule for row in found.rows] == ["compatibility-norm"] and not found.left_out


def test_the_numbers_are_those_of_the_parts(rows, tasks):
    converted, certificate = to_dimension(model(), 2, "compatibility")
    expected = one_step_error(converted, tasks[1])
    assert rows[1].error == pytest.approx(expected.model, rel=1e-5)
    assert rows[1].persistence == pytest.approx(expected.persistence)
    assert rows[1].residual == certificate.residual
    assert rows[0].error == pytest.approx(one_step_error(model(), tasks[0]).model, rel=1e-5)
    assert rows[1].error != pytest.approx(rows[2].error, rel=1e-4)


def test_the_default_rules_exist_and_differ():
    made = [make_rule(*rule) for rule in compared_rules()]
    assert len({(rule.name, getattr(rule, "flex", None)) for rule in made}) == len(compared_rules())


def test_predictions_are_in_physical_units(tasks):
    x, y, guess = zero_shot_prediction(model(), tasks[1])
    assert x[0, 0].shape == y[0, 0].shape == guess[0, 0].shape == (1, 8, 8)
    assert_close(tasks[1].normalisation.apply(x), tasks[1].X.get_one(0, keepdims=False), 1e-5)
    converted, _ = to_dimension(model(), 2, "compatibility")
    expected = predict(converted, tasks[1].X).get_one(0, keepdims=False)
    assert_close(tasks[1].normalisation.apply(guess), expected, 1e-4)
    own = zero_shot_prediction(model(), tasks[0])
    assert own[2][0, 0].shape == (1, 8)
