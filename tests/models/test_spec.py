"""A spec says all there is to say about a model, and survives a file."""

import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SV, S, bank
from hypothesis import strategies as st
from sweeps import sampled

from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.geometric import Signature
from ginjax.models import ARCHITECTURES, ModelSpec, ResNet, build_model, named_arrays, with_arrays
from ginjax.models._build import outline

SIGNATURES = st.sets(st.sampled_from([(k, p) for k in range(2) for p in range(2)]), min_size=1).flatmap(
    lambda keys: st.tuples(*(st.integers(1, 3).map(lambda c, key=key: (key, c)) for key in sorted(keys)))
)
ACTIVATIONS = st.sampled_from(["relu", "gelu", "tanh", None])
COMMON = {"use_bias": st.sampled_from([True, False, "auto", "scalar", "mean"]), "activation_f": ACTIVATIONS}
FRAMED = COMMON | {
    "depth": st.integers(1, 3),
    "equivariant": st.booleans(),
    "use_group_norm": st.booleans(),
    "mid_keys": st.none() | SIGNATURES,
    "padding_mode": st.sampled_from(["ZEROS", "CIRCULAR"]),
    "kernel_size": st.just(3),
}
OPTIONS = {
    "ResNet": FRAMED
    | {"num_blocks": st.integers(1, 2), "num_conv": st.integers(1, 2), "preactivation_order": st.booleans()},
    "DilResNet": FRAMED | {"num_blocks": st.integers(1, 2)},
    "UNet": FRAMED
    | {
        "num_downsamples": st.integers(1, 2),
        "num_conv": st.integers(1, 2),
        "use_batch_norm": st.booleans(),
        "upsample": st.sampled_from(["transpose", "repeat"]),
    },
    "SimpleConvSeries": COMMON | {"width": st.integers(1, 3), "depth": st.integers(1, 5)},
}
SPECS = st.sampled_from(sorted(OPTIONS)).flatmap(
    lambda name: st.tuples(st.just(name), SIGNATURES, SIGNATURES, st.fixed_dictionaries(OPTIONS[name]))
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 5) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def banks(D: int) -> dict:
    keys = [(k, p) for k in range(3) for p in range(2)]
    return {"conv": bank(D, keys=keys), "upsample": bank(D, keys=keys)}


def resnet_spec(**options) -> ModelSpec:
    return ModelSpec.make("ResNet", SV, S, depth=2, num_blocks=1, **options)


def test_every_architecture_is_covered():
    assert set(OPTIONS) == set(ARCHITECTURES)


@sampled(SPECS, st.integers(1, 2), daily=12, slow=100)
def test_round_trip_through_json(given_spec, D):
    name, inputs, outputs, options = given_spec
    model = outline(ModelSpec.make(name, inputs, outputs, **options), D, banks(D))
    text = json.dumps(model.spec.to_json())
    spec = ModelSpec.from_json(json.loads(text))
    assert spec == model.spec and hash(spec) == hash(model.spec)
    assert json.dumps(spec.to_json()) == text
    again = outline(spec, D, banks(D))
    assert jax.tree.leaves(again) == jax.tree.leaves(model)  # shapes and dtypes of all arrays
    # The model keeps what it was asked for, whatever it filled in.
    assert again.spec.inputs == Signature(inputs) and again.spec.outputs == Signature(outputs)
    for option in ("use_bias", "depth", "activation_f"):
        assert again.spec.option(option) == options[option]


@pytest.mark.parametrize("equivariant", [True, False])
def test_the_same_key_gives_the_same_arrays(equivariant):
    spec = resnet_spec(equivariant=equivariant, kernel_size=3)
    one, same, other = (
        named_arrays(build_model(spec, 1, {"conv": bank(1)}, jax.random.key(seed))) for seed in (5, 5, 6)
    )
    for name, array in one.items():
        np.testing.assert_array_equal(array, same[name])
    assert any(not np.array_equal(one[name], other[name]) for name in one)


def test_an_outline_is_the_model_without_its_numbers():
    spec = resnet_spec()
    model = build_model(spec, 1, {"conv": bank(1)}, jax.random.key(0))
    empty = outline(spec, 1, {"conv": bank(1)})
    assert jax.tree.structure(empty) == jax.tree.structure(model)
    assert not any(eqx.is_array(leaf) for leaf in jax.tree.leaves(empty))
    assert eqx.tree_equal(with_arrays(empty, named_arrays(model)), model)


def test_functions_of_the_registry_are_saved_by_name():
    spec = ResNet(1, S, S, 1, 1, activation_f=jax.nn.relu, conv_filters=bank(1)).spec
    assert spec.option("activation_f") == "relu"
    assert spec == ResNet(1, S, S, 1, 1, activation_f="relu", conv_filters=bank(1)).spec


def test_a_function_without_a_name_works_but_cannot_be_saved():
    def cube(x):
        return x**3

    model = ResNet(1, S, S, 1, 1, activation_f=cube, use_group_norm=False, conv_filters=bank(1))
    assert model.spec.option("activation_f") is cube
    with pytest.raises(UnsupportedError, match=r"'activation_f' is a function without a name.*got cube"):
        model.spec.to_json()
    assert model.encoder[0].nonlinearity.scalar_activation(jnp.asarray(2.0)) == 8


@pytest.mark.parametrize(
    "spec, message",
    [
        (ModelSpec.make("Transformer", S, S), "architecture: got 'Transformer', expected ResNet or"),
        (resnet_spec(colour="red"), "options of ResNet: got .*colour"),
        (resnet_spec(D=2), "options of ResNet"),
        (resnet_spec(key=1), "options of ResNet"),
        (ModelSpec.make("ResNet", S, S), "options of ResNet: got .*depth"),
        (ModelSpec.make("SimpleConvSeries", S, S, width=1, depth=1), "options of SimpleConvSeries"),
        (resnet_spec(activation_f="swoosh"), "activation: got 'swoosh'"),
        (resnet_spec(activation_f=3), "activation"),
        (resnet_spec(num_conv=0), "num_conv"),
        (resnet_spec(num_conv=10**9), "num_conv"),
        (resnet_spec(mid_keys=Signature([((2, 0), 1)])), "group normalisation"),
        (resnet_spec(equivariant=False), "kernel_size"),
        (ModelSpec.make("ResNet", S, S, depth=True), "depth"),
        (ModelSpec.make("ResNet", S, S, depth=0), "depth: got 0"),
        (ModelSpec.make("ResNet", S, [], depth=1), "at least one channel each"),
        (ModelSpec.make("UNet", S, S, depth=1, upsample="zoom"), "upsample: got 'zoom'"),
    ],
)
def test_a_spec_that_makes_no_model_says_why(spec, message):
    with pytest.raises((ArgumentError, UnsupportedError), match=message):
        outline(spec, 1, {"conv": bank(1)})


@pytest.mark.parametrize("options", [{}, {"equivariant": False}])
@pytest.mark.parametrize("name", ["ResNet", "SimpleConvSeries"])
def test_missing_filters_are_an_error_of_the_caller(name, options):
    spec = ModelSpec.make(name, S, S, depth=1, **options)
    with pytest.raises(ArgumentError, match=r"banks|invariant_filters|kernel_size|options"):
        build_model(spec, 1, {})


@pytest.mark.parametrize(
    "change, message",
    [
        ({"architecture": 3}, "'architecture' a string"),
        ({"options": []}, "'options' an object"),
        ({"more": 1}, "an object with"),
        ({"inputs": [[0, 0]]}, r"\[order, parity, channels\]"),
        ({"inputs": [[0, 0, True]]}, r"\[order, parity, channels\]"),
        ({"inputs": []}, "signature"),
        ({"outputs": [[0, 0, 1], [0, 0, 2]]}, "key appears twice"),
        ({"outputs": [[99, 0, 1]]}, "signature"),
        ({"options": {"mid_keys": [[0, 2, 1]]}}, "signature"),
        ({"options": {"depth": {"a": 1}}}, "option 'depth'"),
        ({"options": {"kernel_size": [[{}]]}}, "option 'kernel_size'"),
    ],
)
def test_json_that_is_no_spec_says_why(change, message):
    with pytest.raises(ArgumentError, match=message):
        ModelSpec.from_json(resnet_spec().to_json() | change)


def test_options_cannot_replace_the_fields_of_a_spec():
    options = {"architecture": "UNet", "inputs": 1, "cls": 2, "self": 3, "D": 4}
    spec = ModelSpec.from_json(resnet_spec().to_json() | {"options": options})
    assert spec.architecture == "ResNet" and spec.inputs == SV
    with pytest.raises(ArgumentError, match="options of ResNet"):
        outline(spec, 1, {"conv": bank(1)})


@sampled(JSON, JSON, JSON, daily=50, slow=500)
def test_any_json_gives_a_spec_or_an_argument_error(whole, inputs, options):
    for data in (whole, resnet_spec().to_json() | {"inputs": inputs, "options": options}):
        try:
            spec = ModelSpec.from_json(data)
        except ArgumentError:
            continue
        assert hash(spec) == hash(ModelSpec.from_json(json.loads(json.dumps(spec.to_json()))))
