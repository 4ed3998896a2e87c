"""The parity lift of a record: odd scalars become odd vectors, in every place where a file names a field."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from drawn_records import drawn_record, small_spec
from helpers import FULL3, ORTHOPLEX5

from ginjax.checkpoint import (
    DataContract,
    Field,
    FieldScale,
    axes_of,
    check_certificate,
    convert_file,
    convert_record,
    read_model,
    write_model,
)
from ginjax.checkpoint._lift import lift_record
from ginjax.errors import ArgumentError, VerificationError
from ginjax.filters import BankRecipe, bank_from_arrays
from ginjax.models import from_record
from ginjax.transfer import RULE_NAMES, lift_key, make_rule

FLOW = [((0, 1), 1), ((1, 0), 2)]
"""A plane flow: vorticity, and two velocities."""
FULL5 = BankRecipe(5)
PROMISING = ["compatibility", "isotropic", "compat-flex", "spin-embed"]


def flow(architecture="ResNet", D=2, recipe=FULL3, dtype=np.float64, signature=FLOW, **options):
    return drawn_record(small_spec(architecture, signature, **options), D, recipe, dtype=dtype)


# --- what is renamed ------------------------------------------------------------------------------------------------


def test_every_odd_scalar_is_renamed_and_nothing_else():
    record = flow(mid_keys=[((0, 0), 2), ((0, 1), 3), ((1, 0), 2)])
    vorticity, velocity = Field("vorticity", 0, 1, "1/s"), Field("velocity", 1, 0, "m/s")
    contract = DataContract(
        axes_of((True, True)),
        fields=(vorticity, velocity),
        targets=(vorticity,),
        scales=(FieldScale(vorticity, 2.0), FieldScale(velocity, 3.0), FieldScale(vorticity, 2.0)),
        spacing=0.1,
    )
    lifted = lift_record(replace(record, contract=contract))
    assert lifted.spec["inputs"] == lifted.spec["outputs"] == [[1, 0, 2], [1, 1, 1]]
    assert lifted.spec["options"]["mid_keys"] == [[0, 0, 2], [1, 0, 2], [1, 1, 3]]
    kept = {name: value for name, value in record.spec["options"].items() if name != "mid_keys"}
    assert kept == {name: value for name, value in lifted.spec["options"].items() if name != "mid_keys"}
    for before, after in zip(record.layers, lifted.layers, strict=True):
        assert after.inputs == tuple(sorted((*lift_key((k, p)), c) for k, p, c in before.inputs))
        assert replace(after, inputs=before.inputs, outputs=before.outputs) == before
    lifted_vorticity = Field("vorticity", 1, 1, "1/s")
    assert lifted.contract.fields == (lifted_vorticity, velocity)
    assert lifted.contract.targets == (lifted_vorticity,)
    assert [(scale.field, scale.scale) for scale in lifted.contract.scales] == [
        (lifted_vorticity, 2.0),
        (velocity, 3.0),
        (lifted_vorticity, 2.0),
    ]
    assert lifted.contract.spacing == 0.1
    # The record it was given is as it was.
    assert record.spec["inputs"] == [[0, 1, 1], [1, 0, 2]] and contract.fields == (vorticity, velocity)


def test_a_record_without_data_or_a_middle_of_its_own():
    lifted = lift_record(flow("SimpleConvSeries"))
    assert lifted.contract == DataContract.unknown((True, True)) and "mid_keys" not in lifted.spec["options"]


@pytest.mark.parametrize(
    ("signature", "got"),
    [
        ([((0, 0), 1)], "no odd scalars"),
        ([((1, 1), 1)], "no odd scalars"),
        ([((0, 1), 1), ((1, 1), 1)], "odd scalars and odd vectors"),
    ],
)
def test_models_it_is_not_for(signature, got):
    record = flow("SimpleConvSeries", signature=signature)
    with pytest.raises(ArgumentError, match=f"parity lift: got {got}, expected a model with odd scalars"):
        lift_record(record)
    with pytest.raises(ArgumentError, match="parity lift"):
        convert_record(record, 3, "compatibility", parity_lift=True)


# --- the conversion -------------------------------------------------------------------------------------------------

ARCHITECTURES = ["ResNet", "DilResNet", "UNet", "SimpleConvSeries"]


@pytest.mark.parametrize("recipe", [FULL3, FULL5, ORTHOPLEX5], ids=["full 3", "full 5", "orthoplex 5"])
@pytest.mark.parametrize("dims", [(1, 2), (2, 3)], ids="{0[0]}->{0[1]}".format)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_path_is_exact(architecture, dims, recipe):
    for signature in (FLOW, [((0, 0), 1), ((0, 1), 1)], [((0, 1), 1)]):
        record = flow(architecture, dims[0], recipe, signature=signature)
        done = convert_record(record, dims[1], "compatibility", parity_lift=True)
        assert done.certificate.exact and done.certificate.residual <= 1e-12
        assert done.certificate.parity_lift and not any(path.note for path in done.certificate.paths)
        assert {path.path for path in done.certificate.paths} <= {
            f"k{a[0]}p{a[1]}->k{b[0]}p{b[1]}"
            for a, b in itertools.product([(0, 0), (1, 0), (1, 1)], repeat=2)
        }
        # The control: the same fields zero-padded.
        plain = convert_record(record, dims[1], "compatibility").certificate
        odd_paths = [path for path in plain.paths if "p0->" in path.path and "p1" in path.path]
        assert plain.exact == (not any(path.before for path in odd_paths))


def test_zero_padding_cannot_carry_odd_paths():
    record = flow(recipe=FULL3)
    done = convert_record(record, 3, "compatibility")
    assert {path.path for path in done.certificate.inexact_paths} == {"k0p1->k1p0", "k1p0->k0p1"}
    with pytest.raises(VerificationError):
        check_certificate(done.certificate)
    check_certificate(convert_record(record, 3, "compatibility", parity_lift=True).certificate)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_arrays_are_those_of_the_lifted_model(architecture):
    """Norms, biases and nonlinearities move to the new names as they are."""
    record = flow(architecture)
    after = convert_record(record, 3, "compatibility", parity_lift=True).after
    assert from_record(after).spec.to_json() == after.spec  # all arrays are there, of the right shapes
    assert not any("k0p1" in name for name in after.arrays)
    renamed = {
        name.replace("k0p1", "k1p1"): array
        for name, array in record.arrays.items()
        if ".weight.k" not in name
    }
    for name, array in renamed.items():
        np.testing.assert_array_equal(after.arrays[name], array)
    added = {name for name in after.arrays if ".weight.k" not in name} - set(renamed)
    # The norm of a vector adds a multiple of the mean, which that of an odd scalar does not have.
    assert added == {
        n.replace(".scale.k0p1", ".bias.k1p1") for n in record.arrays if n.endswith(".scale.k0p1")
    }
    assert not any(after.arrays[name].any() for name in added)
    assert bool(added) == (architecture != "SimpleConvSeries")


def test_the_rest_of_the_record():
    record = flow(dtype=np.float32)
    done = convert_record(record, 3, make_rule("compat-flex", 0.5), parity_lift=True)
    after = done.after
    assert (after.D, after.is_torus, after.certificate) == (3, (True,) * 3, done.certificate)
    assert set(after.banks["conv"].keys) == {(2, 0), (2, 1)}  # of two vectors, even and odd
    assert after.provenance[-1]["parity_lift"] is True
    assert (
        convert_record(flow(signature=[((0, 0), 1)]), 3, "none").after.provenance[-1]["parity_lift"] is False
    )
    assert {a.dtype for a in after.arrays.values()} == {np.dtype(np.float32)}
    assert not after.certificate_is_stale and done.before is record


def test_through_a_file(tmp_path):
    record = flow(dtype=np.float32)
    write_model(tmp_path / "low", record)
    done = convert_file(tmp_path / "low", tmp_path / "high", 3, "compatibility", parity_lift=True)
    again = read_model(tmp_path / "high")
    assert again.digest == done.after.digest and again.certificate == done.certificate
    assert (again.spec, again.layers) == (done.after.spec, done.after.layers)


# --- what it is not for ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to_dim", [1, 4])
def test_it_takes_one_dimension_up(to_dim):
    with pytest.raises(ArgumentError, match=f"parity lift: got 2 -> {to_dim} with rule 'compatibility'"):
        convert_record(flow("SimpleConvSeries"), to_dim, "compatibility", parity_lift=True)


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_it_takes_a_rule_that_promises(rule):
    record = flow("SimpleConvSeries")
    if rule in PROMISING:
        assert convert_record(record, 3, rule, parity_lift=True).certificate.exact
        return
    with pytest.raises(ArgumentError, match="expected one dimension up with a compatible rule"):
        convert_record(record, 3, rule, parity_lift=True)


def test_it_takes_filters_of_a_recipe():
    """The filters of the lifted fields have to be built."""
    record = flow("SimpleConvSeries", D=1, recipe=FULL3, signature=[((0, 1), 1)], depth=1)
    blocks = {(0, 0): 1.3 * record.banks["conv"].blocks[0, 0].filters}
    bank = bank_from_arrays(1, blocks)
    assert bank.recipe is None
    target = bank_from_arrays(2, {(0, 0): np.full((1, 3, 3), 0.7)})
    with pytest.raises(ArgumentError, match="parity lift: got filters that match no recipe"):
        convert_record(
            replace(record, banks={"conv": bank}),
            2,
            "compatibility",
            banks={"conv": target},
            parity_lift=True,
        )


@pytest.mark.parametrize("rule", ["centre", "mean"])
def test_plain_models_have_no_parity(rule):
    spec = small_spec("ResNet", FLOW, equivariant=False, kernel_size=3, padding_mode="CIRCULAR")
    record = drawn_record(spec, 2)
    with pytest.raises(ArgumentError, match="parity lift"):
        convert_record(record, 3, rule, parity_lift=True)
