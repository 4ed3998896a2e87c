"""All rules side by side, without a terminal."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_records import drawn_record, small_spec
from helpers import FULL3, ORTHOPLEX5, S, V
from ml.task.small_tasks import DENSITY, source

from ginjax.checkpoint import DataContract, FieldScale, axes_of, convert_record
from ginjax.errors import ArgumentError
from ginjax.ml import OwnTask, compare_rules
from ginjax.models import from_record
from ginjax.transfer import compared_rules, rule_label

KNOWN = DataContract(axes_of((True,)), (DENSITY,), scales=(FieldScale(DENSITY, 1.0),))
RECORD = replace(
    drawn_record(small_spec("SimpleConvSeries", S, depth=1), 1, FULL3, dtype=np.float32), contract=KNOWN
)


def test_every_rule_has_a_row_or_a_reason():
    found = compare_rules(RECORD, 2)
    labels = {rule_label(name, flex) for name, flex in compared_rules()}
    assert {row.rule for row in found.rows} | found.left_out.keys() == labels
    assert not {row.rule for row in found.rows} & found.left_out.keys()
    by_name = {row.rule: row for row in found.rows}
    certificate = convert_record(RECORD, 2, "compatibility").certificate
    assert by_name["compatibility"].exact and by_name["compatibility"].residual == certificate.residual
    assert not by_name["none"].exact and by_name["none"].residual > 0.01
    assert all(row.error is None and row.weight_norm > 0 for row in found.rows) and found.no_change is None
    assert found.best.exact and found.why.startswith("exact")


def test_errors_decide_where_there_are_samples():
    task = OwnTask.of(KNOWN.in_dimension(2), source(D=2, trajectories=2), samples=3)
    found = compare_rules(RECORD, 2, task)
    errors = {row.rule: row.error for row in found.rows}
    converted = convert_record(RECORD, 2, "compatibility").after
    assert errors["compatibility"] == pytest.approx(task.error(from_record(converted)).model, rel=1e-5)
    assert (found.best.rule, found.why) == (min(errors, key=errors.get), "by its error")
    assert found.no_change == pytest.approx(task.error(from_record(converted)).persistence)
    assert not found.lift_parity


def test_going_down_there_is_one_rule():
    high = convert_record(RECORD, 2, "compatibility").after
    found = compare_rules(high, 1)
    assert [row.rule for row in found.rows] == [rule_label(*compared_rules()[0])]
    assert found.best is found.rows[0] and found.why.startswith("the only exact one")


def test_a_plain_model_has_rules_of_its_own():
    spec = small_spec("ResNet", S, equivariant=False, kernel_size=3, padding_mode="CIRCULAR")
    found = compare_rules(drawn_record(spec, 1, dtype=np.float32), 2)
    # At stride 1, which all of our own have, `tile` is `centre`.
    assert [row.rule for row in found.rows] == ["centre", "mean"] and found.left_out == {}
    assert all((row.weight_norm, row.noise, row.noise_largest) == (None,) * 3 for row in found.rows)


def test_where_no_rule_is_exact_the_parity_lift_is_named():
    odd = drawn_record(small_spec("SimpleConvSeries", [((0, 1), 1)], V, depth=1), 2, FULL3)
    found = compare_rules(odd, 3)
    assert not any(row.exact for row in found.rows)
    assert found.best is None and found.lift_parity and "`lift_parity=True`" in found.why


def test_what_no_rule_fits_is_refused_with_a_reason():
    with pytest.raises(ArgumentError):
        compare_rules(RECORD, 1)
    left = compare_rules(drawn_record(small_spec("SimpleConvSeries", S, depth=1), 1, ORTHOPLEX5), 2)
    assert left.rows
