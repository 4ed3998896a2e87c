"""The way down: a network of the lower dimension that does what the higher one does on embedded fields."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from drawn_records import MIDDLE, TENSOR, drawn_record, perturbed, small_spec, with_boundary
from helpers import FULL3, ORTHOPLEX5, SV, S, V, lift_defect, random_field
from small_models import run
from sweeps import all_but

from ginjax.checkpoint import ModelRecord, check_certificate, convert_record, read_model, write_model
from ginjax.errors import ArgumentError, VerificationError
from ginjax.filters import BankRecipe
from ginjax.models import from_record, verify_records
from ginjax.transfer import RULE_NAMES, array_digest, make_rule

SIDE, ADDED = 4, 4
FULL5 = BankRecipe(5)
ODD = [((0, 1), 1)]
ARCHITECTURES = ["ResNet", "DilResNet", "UNet", "SimpleConvSeries"]


def down(record: ModelRecord, to_dim: int, rule: str = "compatibility"):
    return convert_record(record, to_dim, rule)


def lift(low: ModelRecord, high: ModelRecord) -> float:
    """`max |f(E x) - E f'(x)| / max |E f'(x)|`, with `f'` the lower network."""
    with jax.enable_x64(True):
        models = from_record(low), from_record(high)
        x = random_field(models[0].spec.inputs, low.D, SIDE, is_torus=low.is_torus, dtype=np.float64)
        return lift_defect(*((lambda f, m=m: run(m, f)) for m in models), x, (ADDED,) * (high.D - low.D))


@pytest.mark.parametrize("name", all_but(ARCHITECTURES, "DilResNet"))
def test_whatever_the_weights_the_lower_network_does_the_same(name):
    """Not only for networks that were converted up: these were drawn in the higher dimension."""
    high = drawn_record(small_spec(name, SV), 2, FULL3)
    done = down(high, 1)
    assert done.certificate.exact and done.certificate.residual <= 1e-12
    assert (done.certificate.from_dim, done.certificate.to_dim) == (2, 1)
    assert lift(done.after, high) <= 1e-9
    weight = next(
        n for n in done.after.arrays if n.startswith(("deco", "layers.1")) and n.endswith("k0p0->k0p0")
    )
    changed = replace(done.after, arrays=perturbed(done.after.arrays, weight, by=0.5))
    assert lift(changed, high) > 1e-3


@pytest.mark.parametrize("dims", [(3, 2), (3, 1)], ids="{0[0]}->{0[1]}".format)
def test_from_three_dimensions(dims):
    high = drawn_record(small_spec("SimpleConvSeries", V), dims[0], FULL3)
    assert lift(down(high, dims[1]).after, high) <= 1e-9


def test_tensors_in_and_zeros_beyond_the_axes_that_stay():
    high = drawn_record(small_spec("ResNet", TENSOR, SV, mid_keys=MIDDLE), 2, FULL5)
    high = with_boundary(high, (False, True))
    low = down(high, 1).after
    assert low.is_torus == (False,)
    assert lift(low, high) <= 1e-9


@pytest.mark.parametrize("recipe", [FULL3, ORTHOPLEX5], ids=["full 3", "orthoplex 5"])
@pytest.mark.parametrize("dims", [(1, 2), (2, 3), (1, 3)], ids="{0[0]}->{0[1]}".format)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_up_and_down_is_the_identity(name, dims, recipe):
    record = drawn_record(small_spec(name, SV), dims[0], recipe)
    for flex in (1.0, 0.0, 0.3):
        up = convert_record(record, dims[1], make_rule("compat-flex", flex)).after
        back = down(up, dims[0]).after
        assert (back.D, back.spec, back.layers, back.is_torus) == (
            record.D, record.spec, record.layers, record.is_torus,
        )  # fmt: skip
        for name_, array in record.arrays.items():
            np.testing.assert_allclose(back.arrays[name_], array, atol=1e-12)
    # The control: what was only extended does not come back.
    extended = down(convert_record(record, dims[1], "none").after, dims[0]).after
    assert max(np.abs(extended.arrays[n] - a).max() for n, a in record.arrays.items()) > 1e-2


def test_up_and_down_in_single_precision_through_files(tmp_path):
    record = drawn_record(small_spec("ResNet", SV), 1, FULL3, dtype=np.float32)
    up = convert_record(record, 3, "compatibility").after
    write_model(tmp_path / "up", up)
    done = down(read_model(tmp_path / "up"), 1)
    for name, array in record.arrays.items():
        assert done.after.arrays[name].dtype == np.float32
        np.testing.assert_allclose(done.after.arrays[name], array, atol=1e-5)
    assert [step["to_dim"] for step in done.after.provenance] == [3, 1]


@pytest.mark.parametrize("dims", [(3, 1)])
def test_two_steps_are_one(dims):
    high = drawn_record(small_spec("ResNet", SV), 3, FULL3)
    stepwise, direct = down(down(high, 2).after, 1).after, down(high, 1).after
    for name, array in direct.arrays.items():
        np.testing.assert_allclose(stepwise.arrays[name], array, atol=1e-12)


def test_what_is_new_in_the_higher_dimension_is_forgotten():
    """Free directions do not show in the lower one."""
    record = drawn_record(small_spec("SimpleConvSeries", S), 1, FULL3)
    ups = [convert_record(record, 2, make_rule("compat-flex", flex)).after for flex in (0.0, 1.0)]
    assert array_digest(ups[0].arrays) != array_digest(ups[1].arrays)
    lows = [down(up, 1).after for up in ups]
    for name, array in lows[0].arrays.items():
        np.testing.assert_allclose(lows[1].arrays[name], array, atol=1e-12)


def test_verification_works_both_ways():
    high = drawn_record(small_spec("SimpleConvSeries", S), 2, FULL3, dtype=np.float32)
    low = down(high, 1).after
    found = verify_records(high, low, side=SIDE)
    assert found == verify_records(replace(low, certificate=None), high, side=SIDE)
    assert found.lifts and found.is_equivariant


# --- where nothing below does the same -----------------------------------------------------------------------------


NOT_BELOW = {
    "transposed": (3, small_spec("UNet", V, upsample="transpose"), "upsample_blocks.0.0 k1p0->k1p0"),
    "tensor output": (3, small_spec("SimpleConvSeries", S, TENSOR, depth=1), "layers.0.conv k0p0->k2p0"),
    "odd path": (2, small_spec("SimpleConvSeries", ODD, V, depth=1), "layers.0.conv k0p1->k1p0"),
}


@pytest.mark.parametrize("case", NOT_BELOW)
def test_it_is_reported(case):
    D, spec, where = NOT_BELOW[case]
    done = down(drawn_record(spec, D, FULL3), D - 1)
    (inexact,) = done.certificate.inexact_paths
    assert f"{inexact.layer} {inexact.path}" == where and inexact.residual > 1e-2
    assert "the higher dimension does something" in inexact.note
    with pytest.raises(VerificationError, match=f"{where} cannot be converted exactly"):
        check_certificate(done.certificate)


def test_axes_that_are_removed_were_periodic():
    high = drawn_record(small_spec("SimpleConvSeries", S), 3, FULL3)
    with pytest.raises(ArgumentError, match="axes to be removed: got z not periodic, continued by zeros"):
        down(with_boundary(high, (True, True, False)), 2)
    assert down(with_boundary(high, (False, True, True)), 1).after.is_torus == (False,)


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_rules_make_no_difference_and_those_that_promise_nothing_are_refused(rule):
    high = drawn_record(small_spec("SimpleConvSeries", SV), 2, FULL3)
    if not make_rule(rule).promises_compatibility:
        with pytest.raises(
            ArgumentError, match=f"rule for going down: got '{rule}', expected 'compatibility'"
        ):
            down(high, 1, rule)
        return
    by_rule, plainly = (array_digest(down(high, 1, *name).after.arrays) for name in ((rule,), ()))
    assert by_rule == plainly
