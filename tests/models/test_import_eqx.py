"""Checkpoints of the reference library against the outputs that it stored beside them."""

import equinox as eqx
import jax
import numpy as np
import pytest
from helpers import (
    FIXTURES,
    GOLDEN,
    Golden,
    assert_close,
    golden_cases,
    reference_images,
    relative_difference,
)
from sweeps import all_but

import ginjax.ml as ml
from ginjax.checkpoint import read_eqx, write_model
from ginjax.errors import ArgumentError, FileError
from ginjax.filters import BankRecipe
from ginjax.geometric import MultiImage, Signature
from ginjax.models import ModelSpec, ResNet, import_eqx, load_model, named_arrays, with_arrays
from ginjax.models._eqx_tree import Additive, entries_of, split_records

KINDS = ("ResNet", "DilResNet", "UNet", "SimpleConvSeries")
MORE = {"resnet_3d_sv", "unet_2d", "resnet_1d"}
"""Of networks that are there with scalars and vectors in 2D as well."""
CASES = [name for name in golden_cases(*KINDS) if (GOLDEN / f"{name}.eqx").exists()]

NORMS = FIXTURES / "reference" / "norms_2d.eqx"


def norms_spec(**changed) -> ModelSpec:
    fields = Signature([((0, 0), 1), ((0, 1), 1), ((1, 0), 1)])
    return ModelSpec.make("ResNet", fields, fields, **{"depth": 2, "num_blocks": 1, "num_conv": 1, **changed})


def spec_of(golden: Golden, **changed) -> ModelSpec:
    signatures = golden.signature("input_keys"), golden.signature("output_keys")
    return ModelSpec.make(golden.case["kind"], *signatures, **{**golden.kwargs(), **changed})


@pytest.mark.parametrize("name", all_but(CASES, *MORE.intersection(CASES)))
def test_every_stored_checkpoint(name, tmp_path):
    golden = Golden(name)
    imported = import_eqx(GOLDEN / f"{name}.eqx", spec_of(golden))
    write_model(tmp_path / "model.safetensors", imported.record)
    model = load_model(tmp_path / "model.safetensors").model
    assert golden.case["D"] == model.D
    y, _ = eqx.filter_jit(model)(golden.image("x", model.D))
    # The filters of order 2 in three dimensions are rounded in the file; the recipe's exact ones take their place.
    assert_close(y, golden.image("y", model.D), 3e-4 if name == "resnet_3d_sv" else 1e-5)


def test_odd_scalars_norms_and_settings_beside_the_arrays():
    """Trained norms, filters of both parities, a line of JSON: saved by `save_plus` of the reference library."""
    model = import_eqx(NORMS, norms_spec())
    assert model.record.provenance == (
        {"step": "import", "further": {"depth": 2, "num_blocks": 1, "num_conv": 1}},
    )
    x, y = reference_images("norms_2d")
    assert_close(eqx.filter_jit(model.model)(x)[0], y, 1e-5)


def test_filters_of_another_order_sign_and_basis_make_the_same_network(tmp_path):
    """`ml.load` keeps the filters of the model it is given."""
    x, y = reference_images("norms_2d")
    right = import_eqx(NORMS, norms_spec()).model
    blocks = right.encoder[0].conv.invariant_filters
    rng = np.random.default_rng(0)
    mixed = {
        key: np.einsum("ij,j...->i...", np.linalg.qr(rng.standard_normal((len(b), len(b))))[0], b)
        for key, b in blocks.items()
    }
    model = ResNet(
        2, *[right.spec.inputs] * 2, 2, 1, 1, conv_filters=MultiImage(mixed, 2), key=jax.random.key(1)
    )
    assert model.encoder[0].conv.bank.recipe is None
    loaded, further = ml.load_plus(NORMS, model)
    assert further["depth"] == 2
    run = eqx.filter_jit(lambda model, x: model(x)[0])
    assert_close(run(loaded, x), y, 1e-4)
    # The control: the arrays as they are, with these filters, are another network.
    unmixed = with_arrays(model, named_arrays(right))
    assert relative_difference(run(unmixed, x), y) > 0.1


def test_plain_trees_are_read_leaf_by_leaf(tmp_path):
    tree = {"layer": eqx.nn.Linear(2, 3, key=jax.random.key(0)), "rate": 0.5, "steps": 3, "on": True}
    eqx.tree_serialise_leaves(tmp_path / "run.eqx", tree)
    other = {"layer": eqx.nn.Linear(2, 3, key=jax.random.key(1)), "rate": 0.0, "steps": 0, "on": False}
    loaded = ml.load(tmp_path / "run.eqx", other)
    assert eqx.tree_equal(loaded, tree)
    other["steps"] = 0.0
    with pytest.raises(FileError, match=r"array 5 of 5: got int64 \(\)"):
        ml.load(tmp_path / "run.eqx", other)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"depth": 3}, r"array 1 of 89: got float32 \(2, 1, 3\), expected \(3, 1, 3\)"),
        ({"num_conv": 2}, "expected .* for blocks.0.1"),
        ({"num_blocks": 3}, "expected"),
        ({"use_group_norm": False}, "expected"),
        ({"use_bias": False}, "expected filters of side 3"),
        ({"equivariant": False, "kernel_size": 3}, "holds another|expected"),
        ({"mid_keys": (((0, 0), 2),)}, "expected"),
    ],
)
def test_another_network_is_refused_with_the_first_array_that_differs(changed, words):
    with pytest.raises(FileError, match=words):
        import_eqx(NORMS, norms_spec(**changed))


def test_a_constant_added_to_odd_scalars_is_refused(tmp_path):
    content = read_eqx(NORMS)
    arrays = list(content.arrays)
    model = import_eqx(NORMS, norms_spec()).model
    entries = list(entries_of(model))
    records = split_records(content.arrays, 2)
    place = next(i for i, each in enumerate(entries) if isinstance(each, Additive))
    number = sum(len(each) if isinstance(each, dict) else 1 for each in records[:place])
    assert not arrays[number].any()
    arrays[number] = arrays[number] + np.float32(0.1)
    path = tmp_path / "run.eqx"
    with open(path, "wb") as stream:
        for array in arrays:
            np.save(stream, array)
    with pytest.raises(FileError, match=r"blocks\.0\.0\.group_norm adds a constant to odd scalars"):
        import_eqx(path, norms_spec())


def test_a_recipe_that_is_asked_for():
    """In one dimension shells of equal L1 radius are the orbits; which one it is decides what the network is in two."""
    golden = Golden("series_1d")
    path, spec = GOLDEN / "series_1d.eqx", spec_of(golden)
    found = import_eqx(path, spec).record.banks["conv"]
    asked = import_eqx(path, spec, recipe=BankRecipe(5, support="orthoplex")).record.banks["conv"]
    assert (found.recipe.support, asked.recipe.support) == ("full", "orthoplex")
    with pytest.raises(ArgumentError, match="filters"):
        import_eqx(path, spec, recipe=BankRecipe(3))
