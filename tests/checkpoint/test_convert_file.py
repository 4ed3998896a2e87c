import subprocess
import sys
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import FIXTURES

from ginjax.checkpoint import (
    Conversion,
    axes_of,
    check_certificate,
    convert_file,
    convert_record,
    read_model,
    write_model,
)
from ginjax.errors import ArgumentError, FileError, NumericsError, VerificationError
from ginjax.filters import BankRecipe, bank_from_arrays
from ginjax.models import ModelDesign, from_record, named_arrays, save_model, to_dimension, to_record
from ginjax.transfer import array_digest, make_rule

FIXTURE_1D = FIXTURES / "diffusion_1d.safetensors"
FIXTURE_2D = FIXTURES / "burgers_2d.safetensors"
STEPS = [(FIXTURE_1D, 2), (FIXTURE_1D, 3), (FIXTURE_2D, 3)]
RULES = [
    ("compatibility", None),
    ("isotropic", None),
    ("compat-flex", 0.0),
    ("compat-flex", 0.5),
    ("spin-embed", None),
    ("volume", None),
    ("none", None),
]
EXACT = {"float64": 1e-12, "float32": 1e-5}


def ids(case):
    return case.stem if hasattr(case, "stem") else None


@pytest.mark.parametrize(("source", "to_dim"), STEPS, ids=ids)
def test_a_conversion_is_exact_and_leaves_the_rest_alone(tmp_path, source, to_dim):
    before = read_model(source)
    done = convert_file(source, tmp_path / "m", to_dim, make_rule("compatibility"))
    after = read_model(tmp_path / "m")
    assert isinstance(done, Conversion) and after.digest == done.after.digest
    assert after.certificate == done.certificate
    assert not after.certificate_is_stale
    assert done.certificate.exact and done.certificate.residual <= EXACT["float32"]
    assert all(path.note == "" for path in done.certificate.paths)
    assert (after.D, after.is_torus) == (to_dim, (True,) * to_dim)
    assert (after.spec, after.layers) == (before.spec, before.layers)
    assert after.contract == replace(before.contract, axes=axes_of((True,) * to_dim))
    assert after.contract.fields or source != FIXTURE_1D
    assert {name: bank.recipe for name, bank in after.banks.items()} == {
        name: bank.recipe for name, bank in before.banks.items()
    }
    weights = {name for name in before.arrays if ".weight." in name}
    for name in set(before.arrays) - weights:
        np.testing.assert_array_equal(after.arrays[name], before.arrays[name])
    assert all(a.dtype == np.float32 for a in after.arrays.values())
    *steps, last = after.provenance
    assert tuple(steps) == before.provenance
    assert (last["step"], last["from_dim"], last["to_dim"]) == ("convert", before.D, to_dim)
    assert last["source"] == before.digest


@pytest.mark.parametrize(("source", "to_dim"), STEPS, ids=ids)
def test_equal_input_gives_equal_bytes(tmp_path, source, to_dim):
    for name in ("a", "b"):
        convert_file(source, tmp_path / name, to_dim, make_rule("compatibility"))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(("rule", "flex"), RULES)
@pytest.mark.parametrize(("source", "to_dim"), STEPS, ids=ids)
def test_a_file_and_a_model_convert_to_the_same_bits(source, to_dim, rule, flex):
    record = read_model(source)
    by_file = convert_record(record, to_dim, make_rule(rule, flex))
    model, certificate = to_dimension(from_record(record), to_dim, rule, flex)
    arrays = named_arrays(model)
    assert list(arrays) == list(by_file.after.arrays)
    for name, array in arrays.items():
        assert array.tobytes() == by_file.after.arrays[name].tobytes(), name
    # In memory a certificate speaks of the weights, in a record of all of it.
    assert certificate.numbers() == by_file.certificate.numbers()
    assert (certificate.covers, certificate.digest) == ("weights", array_digest(arrays))
    assert by_file.certificate == certificate.sealed(by_file.after.digest)


def test_the_rules_do_differ():
    record = read_model(FIXTURE_1D)
    found = [convert_record(record, 3, make_rule(rule, flex)).after for rule, flex in RULES]
    assert len({after.digest for after in found}) == len(RULES)  # the certificate names the rule
    assert (
        len({array_digest(after.arrays) for after in found}) == len(RULES) - 1
    )  # spin-embed is compatibility by another name


def float64(path) -> object:
    record = read_model(path)
    return replace(record, arrays={name: a.astype(np.float64) for name, a in record.arrays.items()})


def largest_difference(a, b) -> float:
    assert list(a.arrays) == list(b.arrays)
    scale = max(np.abs(x).max() for x in b.arrays.values())
    return max(np.abs(x.astype(float) - b.arrays[n]).max() for n, x in a.arrays.items()) / scale


@pytest.mark.parametrize(("rule", "flex"), RULES)
def test_two_steps_equal_one(rule, flex):
    made = make_rule(rule, flex)
    record = float64(FIXTURE_1D)
    direct = convert_record(record, 3, made).after
    stepwise = convert_record(convert_record(record, 2, made).after, 3, made).after
    assert largest_difference(stepwise, direct) <= 1e-12
    other = convert_record(record, 3, make_rule("none" if rule != "none" else "volume")).after
    assert largest_difference(other, direct) > 1e-3


@pytest.mark.parametrize(("source", "to_dim"), STEPS, ids=ids)
def test_float64_weights_are_exact_to_rounding(source, to_dim):
    certificate = convert_record(float64(source), to_dim, make_rule("compatibility")).certificate
    assert certificate.tolerance == EXACT["float64"]
    assert 0 < certificate.residual <= EXACT["float64"]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_precision_of_the_result_can_be_chosen(tmp_path, dtype):
    done = convert_file(FIXTURE_1D, tmp_path / "m", 2, make_rule("compatibility"), dtype=dtype)
    after = read_model(tmp_path / "m")
    assert {a.dtype.name for a in after.arrays.values()} == {dtype}
    assert done.certificate.exact
    assert not after.certificate_is_stale


def test_numbers_beyond_the_precision_are_refused(tmp_path):
    record = read_model(FIXTURE_1D)
    large = replace(record, arrays={name: a * np.float32(1e6) for name, a in record.arrays.items()})
    assert convert_record(large, 2, make_rule("compatibility")).certificate.exact
    with pytest.raises(NumericsError, match="range of float16") as caught:
        convert_record(large, 2, make_rule("compatibility"), dtype="float16")
    assert "`dtype`" in caught.value.hint
    with pytest.raises(NumericsError, match="range of float32"):
        convert_record(record, 2, make_rule("compat-flex", 1e300))


def test_weights_with_nan_are_refused():
    record = read_model(FIXTURE_1D)
    name = next(name for name in record.arrays if ".weight." in name)
    bad = replace(record, arrays=record.arrays | {name: record.arrays[name] * np.float32(np.nan)})
    with pytest.raises(NumericsError, match="NaN"):
        convert_record(bad, 2, make_rule("compatibility"))


# --- what cannot be converted ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def transposed(tmp_path_factory):
    """A UNet with transposed up-convolutions of side 2 on a scalar and a vector, which no weights convert exactly."""
    signature = [((0, 0), 1), ((1, 0), 1)]
    design = ModelDesign("UNet", signature, signature, 2, blocks=1, levels=1, upsample="transpose")
    path = tmp_path_factory.mktemp("unet") / "unet.safetensors"
    save_model(path, filled(design))
    return path


def filled(design, D: int = 1, seed: int = 0):
    """A model with random weights, drawn by NumPy because JAX would compile a program for each shape."""
    rng = np.random.default_rng(seed)
    model = eqx.filter_eval_shape(design.build, D)
    return jax.tree_util.tree_map(
        lambda x: (
            jnp.asarray(rng.standard_normal(x.shape), x.dtype) if isinstance(x, jax.ShapeDtypeStruct) else x
        ),
        model,
    )


def test_a_broken_promise_is_not_written(tmp_path, transposed):
    with pytest.raises(VerificationError, match=r"upsample_blocks\.0\.0 k0p0->k1p0") as caught:
        convert_file(transposed, tmp_path / "m", 2, make_rule("compatibility"))
    assert "transposed convolution" in caught.value.hint.lower()
    assert "`allow_inexact=True`" in caught.value.hint
    assert not (tmp_path / "m").exists()
    done = convert_file(transposed, tmp_path / "m", 2, make_rule("compatibility"), allow_inexact=True)
    assert not done.certificate.exact
    assert read_model(tmp_path / "m").certificate.inexact_paths == done.certificate.inexact_paths


@pytest.mark.parametrize("rule", ["volume", "none"])
def test_rules_that_promise_nothing_are_not_held_to_it(tmp_path, transposed, rule):
    done = convert_file(transposed, tmp_path / "m", 2, make_rule(rule))
    assert not done.certificate.exact
    assert not done.certificate.promises
    check_certificate(done.certificate)
    check_certificate(replace(done.certificate, promises=True, paths=()))
    with pytest.raises(VerificationError):
        check_certificate(replace(done.certificate, promises=True))


def test_an_odd_path_is_named(tmp_path):
    signature = [((1, 0), 1), ((0, 1), 1)]
    save_model(tmp_path / "m", filled(ModelDesign("SimpleConvSeries", signature, signature, 2, blocks=1), 2))
    with pytest.raises(VerificationError, match=r"layers\.0\.conv k\dp\d->k\dp\d \(and \d more\)") as caught:
        convert_file(tmp_path / "m", tmp_path / "n", 3, make_rule("compatibility"))
    assert caught.value.hint.startswith("Odd path")
    assert "volume" in caught.value.hint


def test_filters_of_no_recipe_need_their_counterpart(tmp_path):
    record = read_model(FIXTURE_1D)
    bank = bank_from_arrays(1, {(0, 0): 1.3 * record.banks["conv"].blocks[0, 0].filters})
    write_model(tmp_path / "m", replace(record, banks={"conv": bank}))
    with pytest.raises(ArgumentError, match="no known recipe") as caught:
        convert_file(tmp_path / "m", tmp_path / "n", 2, make_rule("compatibility"))
    assert "dimension 2" in caught.value.hint
    assert not (tmp_path / "n").exists()


def test_a_bank_too_large_in_the_new_dimension_is_refused_by_counting():
    record = read_model(FIXTURE_1D)
    wide = replace(record.banks["conv"].recipe, side=31)
    bank = bank_from_arrays(1, {(0, 0): np.eye(31)[:1] + np.eye(31)[-1:]})
    with pytest.raises(ArgumentError, match="filter bank"):
        convert_record(replace(record, banks={"conv": replace(bank, recipe=wide)}), 8, make_rule("none"))


def test_what_is_left_by_rounding_is_called_so():
    certificate = convert_record(read_model(FIXTURE_1D), 2, make_rule("compatibility")).certificate
    with pytest.raises(VerificationError) as caught:
        check_certificate(replace(certificate, tolerance=0.0))
    assert caught.value.hint.startswith("What is left is rounding: accept a larger residual")


def plain(side: int):
    signature = [((0, 0), 1)]
    recipe = BankRecipe(side)
    return to_record(
        filled(ModelDesign("ResNet", signature, signature, 1, blocks=1, recipe=recipe, plain=True))
    )


def test_kernels_of_a_plain_model_are_inflated_within_reason():
    assert convert_record(plain(3), 3, "centre").after.D == 3
    with pytest.raises(ArgumentError, match="dtype: got 'float64', expected none with the rule 'mean'"):
        convert_record(plain(3), 3, "mean", dtype="float64")
    with pytest.raises(ArgumentError, match="weights, expected at most"):
        convert_record(plain(31), 8, "mean")


def test_what_makes_no_sense(tmp_path):
    record = read_model(FIXTURE_1D)
    rule = make_rule("compatibility")
    with pytest.raises(ArgumentError, match="dimension to convert to"):
        convert_record(record, 1, rule)
    with pytest.raises(ArgumentError, match="dtype: got 'int8'"):
        convert_record(record, 2, rule, dtype="int8")
    with pytest.raises(ArgumentError, match="without invariant filters"):
        convert_record(replace(record, layers=(), banks={}), 2, rule)
    with pytest.raises(FileError, match="no such file"):
        convert_file(tmp_path / "absent", tmp_path / "m", 2, rule)


def test_an_existing_file_is_kept(tmp_path):
    (tmp_path / "m").write_text("mine")
    with pytest.raises(FileError, match="exists already"):
        convert_file(FIXTURE_1D, tmp_path / "m", 2, make_rule("none"))
    assert (tmp_path / "m").read_text() == "mine"
    convert_file(FIXTURE_1D, tmp_path / "m", 2, make_rule("none"), force=True)
    assert read_model(tmp_path / "m").D == 2


def test_the_source_is_told_from_its_conversion_by_digest():
    record = read_model(FIXTURE_1D)
    done = convert_record(record, 2, make_rule("none"))
    assert done.before is record
    assert done.certificate.digest == done.after.digest != record.digest
    assert done.after.provenance[-1]["source"] == record.digest


HEAVY = ("jax", "jaxlib", "equinox", "optax", "matplotlib", "h5py", "jaxtyping")


@pytest.mark.parametrize(
    "args",
    [
        ["convert-d", str(FIXTURE_1D), "--to-dim", "3", "-q", "-o", "m"],
        ["convert-d", str(FIXTURE_2D), "--to-dim", "3", "-q", "-o", "m", "--rescale", "volume"],
        ["inspect", str(FIXTURE_1D), "-q"],
        ["build-filters", "-q"],
    ],
    ids=lambda args: args[0],
)
def test_no_command_of_the_ground_floor_imports_jax(tmp_path, args):
    code = (
        "import sys, runpy\n"
        f"sys.argv = ['ginjax', *{args!r}]\n"
        "try: runpy.run_module('ginjax_cli', run_name='__main__')\n"
        f"finally: print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "[]\n")
