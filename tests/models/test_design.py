import itertools

import jax
import numpy as np
import pytest
from helpers import SV, S, V, random_field

from ginjax.errors import ArgumentError
from ginjax.filters import BankRecipe
from ginjax.geometric import Signature
from ginjax.models import (
    ARCHITECTURES,
    ModelDesign,
    build_model,
    count_params,
    layer_table,
    named_arrays,
)
from ginjax.models._build import outline
from ginjax.models._design import MAX_PARAMETERS
from ginjax.models._spec import ModelSpec
from ginjax.transfer import role_keys

RECIPES = {
    "full": BankRecipe(3),
    "cut": BankRecipe(3, support="cut"),
    "orthoplex": BankRecipe(3, support="orthoplex"),
}


def design(architecture="ResNet", signature=SV, **settings) -> ModelDesign:
    return ModelDesign(
        architecture, signature, signature, **{"channels": 2, "blocks": 1, "levels": 1} | settings
    )


def outlined(made: ModelDesign, D: int):
    return outline(made.spec(), D, made.banks(D))


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(("architecture", "D"), list(itertools.product(ARCHITECTURES, (1, 2, 3))))
def test_every_design_is_a_model_in_every_dimension(architecture, D, recipe):
    made = design(architecture, recipe=RECIPES[recipe])
    model = outlined(made, D)
    assert (model.D, model.spec.inputs, model.spec.outputs) == (D, SV, SV)
    assert dict(made.spec().options).items() <= dict(model.spec.options).items()
    assert ModelSpec.from_json(made.spec().to_json()) == made.spec()
    for role, bank in made.banks(D).items():
        assert bank.D == D
        assert set(bank.keys) >= role_keys(layer_table(model), role)


@pytest.mark.parametrize("upsample", ["repeat", "transpose"])
def test_a_unet_has_a_second_bank_where_it_needs_one(upsample):
    made = design("UNet", upsample=upsample)
    assert set(made.banks(2)) == ({"conv", "upsample"} if upsample == "transpose" else {"conv"})
    assert {layer.role for layer in layer_table(outlined(made, 2))} == set(made.banks(2))


def test_the_middle_has_every_key_and_even_scalars():
    made = ModelDesign("ResNet", V, Signature([((0, 1), 1)]), channels=3)
    assert {((len(k), p), c) for (k, p), c in made.middle} == {((1, 0), 3), ((0, 1), 3), ((0, 0), 3)}


def test_the_same_seed_gives_the_same_weights():
    made = design("SimpleConvSeries", S)
    a, b, c = (named_arrays(made.build(1, seed)) for seed in (0, 0, 1))
    assert all(a[name].tobytes() == b[name].tobytes() for name in a)
    assert any(a[name].tobytes() != c[name].tobytes() for name in a)


def test_what_is_built_is_what_was_outlined():
    made = design("SimpleConvSeries", S)
    model = made.build(1)
    leaves = jax.tree_util.tree_leaves(outlined(made, 1))
    shapes = [leaf.shape for leaf in leaves if isinstance(leaf, jax.ShapeDtypeStruct)]
    assert count_params(model) == sum(int(np.prod(shape)) for shape in shapes)
    y, _ = build_model(made.spec(), 1, made.banks(1), jax.random.key(0))(random_field(S, 1, 4))
    assert y.get_signature_dict() == random_field(S, 1, 4).get_signature_dict()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"architecture": "VGG"}, "architecture: got 'VGG', expected ResNet or"),
        ({"activation": "cosine"}, "activation: got 'cosine', which is not registered, expected one of relu"),
        (
            {"architecture": "SimpleConvSeries", "norm": True},
            "norm: got architecture 'SimpleConvSeries', which has none",
        ),
        ({"architecture": "UNet", "recipe": BankRecipe(2)}, "expected an odd side with upsample='repeat'"),
        ({"bias": "never"}, "use_bias"),
        ({"blocks": 0}, "num_blocks"),
        ({"channels": 0}, "0"),
    ],
)
def test_settings_that_do_not_fit(settings, message):
    with pytest.raises(ArgumentError) as caught:
        design(**settings).build(1)
    assert message in caught.value.problem


@pytest.mark.parametrize(
    ("settings", "D"),
    [
        ({"channels": 4096, "blocks": 64}, 1),
        ({"architecture": "UNet", "channels": 64, "levels": 12}, 1),
        ({"architecture": "SimpleConvSeries", "channels": 4096, "blocks": 32}, 2),
        ({"recipe": BankRecipe(9), "channels": 4096}, 3),
    ],
)
def test_a_model_that_fills_the_memory_is_refused_before_it_is_built(settings, D):
    with pytest.raises(ArgumentError, match=f"parameters, expected at most {MAX_PARAMETERS}") as caught:
        design(signature=S, **settings).build(D)
    assert "channels" in caught.value.hint


def test_a_bank_that_fills_the_memory_is_refused_before_it_is_built():
    with pytest.raises(ArgumentError, match="filter bank"):
        design(recipe=BankRecipe(31)).build(3)


def test_a_grid_that_cannot_be_halved():
    made = design("UNet", levels=3)
    made.check_grid(16)
    with pytest.raises(
        ArgumentError, match="got 12, expected a multiple of 8 for 3 down-samplings"
    ) as caught:
        made.check_grid(12)
    assert "`levels`" in caught.value.hint
    design("ResNet", levels=3).check_grid(13)
