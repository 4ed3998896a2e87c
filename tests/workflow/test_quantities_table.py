"""The table of physical quantities of an evaluation."""

import numpy as np

from ginjax.ml import PERSISTENCE, RolloutStudy
from ginjax.workflow import Evaluation


def evaluation(quantities, steps=3):
    curve = {"nrmse": np.full(steps, 0.1)}
    errors = {name: dict.fromkeys(quantities, curve) for name in ("model", PERSISTENCE)}
    lost = dict.fromkeys(errors)
    return Evaluation("m", "d", RolloutStudy(steps, 1, errors, lost, steps, {}, {}, quantities), 2, (4, 4))


MEAN = {"mean": {"truth": np.ones(3), "model": np.arange(3.0), PERSISTENCE: np.zeros(3)}}
ENERGY = {
    "energy": {"truth": np.arange(3.0), "model": np.array([4, np.nan, np.nan]), PERSISTENCE: np.ones(3)}
}


def test_a_velocity_is_compared_at_the_first_and_the_last_step():
    found = evaluation({"density": MEAN, "velocity": ENERGY})
    columns, rows = found.quantities_table()
    assert columns == ("step", "field", "quantity", "truth", "model")
    assert rows == [
        (1, "density", "mean", 1.0, 0.0),
        (1, "velocity", "energy", 0.0, 4.0),
        (3, "density", "mean", 1.0, 2.0),
        (3, "velocity", "energy", 2.0, None),  # a rollout that is lost has no number
    ]
    assert "energy" in repr(found) and found.to_json()["quantities"]["density"]["mean"]["model"] == [0, 1, 2]


def test_scalars_by_themselves_have_no_such_table():
    found = evaluation({"density": MEAN})
    assert found.quantities_table()[1] == [] and "quantity" not in repr(found)


def test_one_step_is_shown_once():
    short = {name: values[:1] for name, values in ENERGY["energy"].items()}
    assert len(evaluation({"velocity": {"energy": short}}, steps=1).quantities_table()[1]) == 1
