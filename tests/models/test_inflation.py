"""Plain networks with inflated kernels agree with the ones they came from on embedded fields."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from drawn_records import drawn_record, perturbed, small_spec
from helpers import SV, lift_defect, random_field
from small_models import run
from sweeps import all_but

from ginjax.checkpoint import (
    ModelRecord,
    check_certificate,
    convert_record,
    inflate_record,
    read_model,
    write_model,
)
from ginjax.errors import ArgumentError, UnsupportedError, VerificationError
from ginjax.models import ResNet, from_record, verify_records
from ginjax.models._named_arrays import plain_table

SIDE, ADDED = 4, 4
ARCHITECTURES = {
    "ResNet": ("ResNet", {}),
    "DilResNet": ("DilResNet", {}),
    "UNet, transpose": ("UNet", {"upsample": "transpose"}),
    "UNet, repeat": ("UNet", {"upsample": "repeat"}),
}


def plain(name="ResNet", D=1, padding_mode="CIRCULAR", **options) -> ModelRecord:
    architecture, defaults = ARCHITECTURES[name]
    options = defaults | {"kernel_size": 3, "equivariant": False, "padding_mode": padding_mode} | options
    return drawn_record(small_spec(architecture, SV, **options), D)


def lift(before: ModelRecord, after: ModelRecord) -> float:
    with jax.enable_x64(True):
        low, high = from_record(before), from_record(after)
        x = random_field(SV, low.D, SIDE, dtype=np.float64)
        return lift_defect(lambda f: run(low, f), lambda f: run(high, f), x, (ADDED,) * (high.D - low.D))


@pytest.mark.parametrize("name", all_but(ARCHITECTURES, "DilResNet", "UNet, transpose"))
def test_periodic_networks_lift_exactly_by_either_rule(name):
    record = plain(name)
    for rule in ("centre", "mean"):
        done = inflate_record(record, 2, rule)
        assert done.certificate.exact and done.certificate.residual < 1e-14
        assert lift(record, done.after) <= 1e-9
    first = record.plain_layers[0].name
    changed = perturbed(done.after.arrays, f"{first}.weight", by=0.5)
    assert lift(record, replace(done.after, arrays=changed)) > 1e-4


@pytest.mark.parametrize("dims", [(2, 3), (1, 3)], ids="{0[0]}->{0[1]}".format)
def test_other_dimensions(dims):
    record = plain(D=dims[0])
    assert lift(record, inflate_record(record, dims[1], "mean").after) <= 1e-9


def test_zeros_beyond_the_boundary_are_met_by_the_spread_kernel_only():
    record = plain(padding_mode="ZEROS")
    centre, mean = (inflate_record(record, 2, rule) for rule in ("centre", "mean"))
    assert centre.certificate.exact and centre.certificate.promises
    assert lift(record, centre.after) <= 1e-9
    assert not mean.certificate.exact and mean.certificate.residual == pytest.approx(1 / 3)
    assert lift(record, mean.after) > 1e-2
    inexact = {path.layer for path in mean.certificate.inexact_paths}
    # A kernel of one pixel has nothing to lose.
    sides = {layer.name: record.arrays[f"{layer.name}.weight"].shape[-1] for layer in record.plain_layers}
    assert inexact == {name for name, side in sides.items() if side > 1} and len(inexact) < len(sides)
    assert all("padded with zeros" in path.note for path in mean.certificate.inexact_paths)


@pytest.mark.parametrize("padding_mode", ["REFLECT", "REPLICATE"])
def test_paddings_that_continue_a_constant_lose_nothing(padding_mode):
    record = plain(padding_mode=padding_mode)
    mean = inflate_record(record, 2, "mean")
    assert mean.certificate.exact
    assert lift(record, mean.after) <= 1e-9


@pytest.mark.parametrize("rule", ["centre", "mean"])
def test_the_record_afterwards(tmp_path, rule):
    record = plain("UNet, transpose")
    record = replace(record, arrays={name: a.astype(np.float32) for name, a in record.arrays.items()})
    done = convert_record(record, 3, rule)
    after = done.after
    assert (after.D, after.is_torus, after.spec) == (3, (True,) * 3, record.spec)
    assert (after.layers, after.banks, after.plain_layers) == ((), {}, record.plain_layers)
    assert plain_table(from_record(after)) == record.plain_layers
    assert after.provenance[-1]["rule"] == rule and after.certificate == done.certificate
    assert {a.dtype for a in after.arrays.values()} == {np.dtype(np.float32)}
    write_model(tmp_path / "m", after)
    again = read_model(tmp_path / "m")
    assert again.digest == after.digest and again.certificate == done.certificate
    assert not again.certificate_is_stale
    name = f"{record.plain_layers[0].name}.weight"
    assert replace(after, arrays=perturbed(after.arrays, name)).certificate_is_stale


def test_verification_runs_both():
    record = plain()
    record = replace(record, arrays={name: a.astype(np.float32) for name, a in record.arrays.items()})
    found = verify_records(record, inflate_record(record, 2, "centre").after, side=SIDE)
    assert found.lifts and not found.is_equivariant


def test_a_broken_promise():
    """Nobody promises anything for a kernel that is spread."""
    mean = inflate_record(plain(padding_mode="ZEROS"), 2, "mean").certificate
    check_certificate(mean)
    with pytest.raises(VerificationError, match=r"channels .*cannot be converted exactly"):
        check_certificate(replace(mean, promises=True))


def test_each_kind_of_model_has_its_rules():
    equivariant = drawn_record(small_spec("ResNet", SV), 1)
    for rule in ("centre", "mean"):
        with pytest.raises(
            ArgumentError, match=f"inflation of an equivariant model: got rule '{rule}'"
        ) as caught:
            convert_record(equivariant, 2, rule)
        assert "'compatibility'" in caught.value.hint
    with pytest.raises(ArgumentError, match="without invariant filters") as caught:
        convert_record(plain(), 2, "compatibility")
    assert "'centre'" in caught.value.hint


@pytest.mark.parametrize("to_dim", [1, 2])
def test_kernels_are_not_deflated(to_dim):
    with pytest.raises(ArgumentError, match=f"dimension to convert to: got {to_dim}, expected more than 2"):
        inflate_record(plain(D=2), to_dim, "centre")


def test_the_precision_is_not_chosen_here():
    with pytest.raises(ArgumentError, match="dtype: got 'float64', expected none with the rule 'mean'"):
        convert_record(plain(), 2, "mean", dtype="float64")


def test_tensor_fields_inside_have_another_number_of_channels_in_every_dimension():
    model = ResNet(1, SV, SV, 2, num_blocks=1, equivariant=False, kernel_size=3, mid_keys=SV)
    with pytest.raises(UnsupportedError, match="plain model with tensor fields in the middle"):
        plain_table(model)
