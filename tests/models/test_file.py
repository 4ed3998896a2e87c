from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import FIXTURES, SIGNATURES, SV, S, assert_close, bank, random_field
from hypothesis import strategies as st
from small_models import ARCHITECTURES, run, small_model
from sweeps import few, sampled

from ginjax.checkpoint import ModelRecord, read_model, write_model
from ginjax.errors import ArgumentError, FileError, GinjaxError, UnsupportedError
from ginjax.geometric import MultiImage
from ginjax.models import (
    ModelDesign,
    ResNet,
    SimpleConvSeries,
    from_record,
    load_model,
    model_banks,
    named_arrays,
    save_model,
    to_record,
)

FIXTURE = FIXTURES / "diffusion_1d.safetensors"


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("signature", ["scalar+vector", *few("scalar", "vector")])
def test_round_trip(tmp_path, name, signature):
    model = small_model(name, 2, SIGNATURES[signature])
    sha256 = save_model(tmp_path / "m", model, is_torus=(True, False), provenance=[{"step": "init"}])
    loaded = load_model(tmp_path / "m")
    assert jax.tree_util.tree_structure(loaded.model) == jax.tree_util.tree_structure(model)
    assert loaded.model.spec == model.spec
    assert loaded.record.is_torus == (True, False)
    assert loaded.record.provenance == ({"step": "init"},)
    for key, array in named_arrays(model).items():
        assert array.tobytes() == named_arrays(loaded.model)[key].tobytes()
    assert write_model(tmp_path / "again", loaded.record) == sha256


def test_a_loaded_model_predicts_the_same(tmp_path):
    model, x = small_model("ResNet", 2, SV), random_field(SV, 2, 4)
    save_model(tmp_path / "m", model)
    assert_close(run(load_model(tmp_path / "m").model, x), run(model, x), 0.0)
    with pytest.raises(AssertionError):
        assert_close(run(small_model("ResNet", 2, SV, seed=1), x), run(model, x), 1e-3)


def test_filters_handed_in_as_arrays_come_back_in_their_order(tmp_path):
    blocks = {
        ((False,) * k, p): jnp.asarray(-block.filters[::-1]) for (k, p), block in bank(2).blocks.items()
    }
    model = SimpleConvSeries(S, S, MultiImage(blocks, 2), 2, 2, "auto", "tanh", jax.random.key(0))
    save_model(tmp_path / "m", model)
    x = random_field(S, 2, 4)
    assert_close(run(load_model(tmp_path / "m").model, x), run(model, x), 0.0)


def test_float64_weights_survive_where_they_are_enabled(tmp_path):
    with jax.enable_x64(True):
        model = small_model("SimpleConvSeries", 1, S, dtype=np.float64)
        save_model(tmp_path / "m", model)
        back = named_arrays(load_model(tmp_path / "m").model)
    assert {a.dtype.name for a in back.values()} == {"float64"}
    assert {a.dtype.name for a in named_arrays(load_model(tmp_path / "m").model).values()} == {"float32"}


def test_a_function_without_a_name_cannot_be_saved(tmp_path):
    model = SimpleConvSeries(S, S, bank(1), 2, 2, "auto", lambda x: x**2, jax.random.key(0))
    with pytest.raises(UnsupportedError, match="activation_f"):
        save_model(tmp_path / "m", model)
    assert not (tmp_path / "m").exists()


def test_an_existing_file_is_kept(tmp_path):
    (tmp_path / "m").write_text("mine")
    model = small_model("SimpleConvSeries", 1, S)
    with pytest.raises(FileError, match="exists already"):
        save_model(tmp_path / "m", model)
    save_model(tmp_path / "m", model, force=True)
    assert load_model(tmp_path / "m").record.D == 1


# --- files whose parts do not fit each other --------------------------------------------------------------------------


def with_spec(record: ModelRecord, options=(), **parts) -> ModelRecord:
    spec = dict(record.spec) | parts
    return replace(record, spec=spec | {"options": dict(spec["options"]) | dict(options)})


def without(record: ModelRecord, name: str) -> ModelRecord:
    return replace(record, arrays={n: a for n, a in record.arrays.items() if n != name})


MISFITS = {
    "architecture": (lambda r: with_spec(r, architecture="os.system"), "architecture"),
    "unknown option": (lambda r: with_spec(r, {"colour": 3}), "options of ResNet"),
    "activation": (lambda r: with_spec(r, {"activation_f": "exec"}), "activation"),
    "activation of another type": (lambda r: with_spec(r, {"activation_f": [3]}), "activation"),
    "bias": (lambda r: with_spec(r, {"use_bias": "never"}), "use_bias"),
    "more blocks": (lambda r: with_spec(r, {"num_blocks": 3}), "layer table"),
    "more blocks than layers": (lambda r: with_spec(r, {"num_blocks": 4096}), "got 8192 layers"),
    "10^9 blocks": (lambda r: with_spec(r, {"num_blocks": 10**9}), "num_blocks"),
    "10^9 layers a block": (lambda r: with_spec(r, {"num_conv": 10**9}), "num_conv"),
    "a negative number of blocks": (lambda r: with_spec(r, {"num_blocks": -1}), "num_blocks"),
    "10^5 channels": (lambda r: with_spec(r, {"mid_keys": [[0, 0, 10**5]]}), "layer table"),
    "other fields": (lambda r: with_spec(r, inputs=[[1, 0, 1]]), ""),
    "not equivariant": (lambda r: with_spec(r, {"equivariant": False}), ""),
    "norm": (lambda r: with_spec(r, {"use_group_norm": True}), "arrays of the model"),
    "no bias": (lambda r: without(r, "decoder.1.conv.bias.k0p0"), "1 missing"),
    "surplus": (lambda r: replace(r, arrays=dict(r.arrays) | {"zzz": np.zeros(1)}), "1 not known"),
    "shape": (
        lambda r: replace(r, arrays=dict(r.arrays) | {"decoder.1.conv.bias.k0p0": np.zeros(7)}),
        "decoder.1.conv.bias",
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_misfits_are_named(tmp_path, name):
    change, message = MISFITS[name]
    write_model(tmp_path / "m.safetensors", change(read_model(FIXTURE)))
    with pytest.raises(FileError) as caught:
        load_model(tmp_path / "m.safetensors")
    assert "m.safetensors" in caught.value.problem and message in caught.value.problem
    assert caught.value.hint
    assert "\n" not in caught.value.problem and len(caught.value.problem) < 400


BASES = [
    read_model(FIXTURE),
    to_record(ResNet(1, S, S, 2, num_blocks=1, equivariant=False, kernel_size=3, key=jax.random.key(0))),
]
OPTIONS = st.sampled_from([*sorted(read_model(FIXTURE).spec["options"]), "key", "D", "conv_filters", "spec"])
VALUES = st.sampled_from(
    [None, True, 0, -1, 1, 2, 3.5, 10**6, 10**30, "", "tanh", "auto", [], [1], [[0, 0, 1]], {}, {"a": 1}]
)


@sampled(st.sampled_from(BASES), OPTIONS, VALUES, daily=60, slow=300)
def test_any_option_is_a_model_or_a_clear_error(base, option, value):
    record = with_spec(base, {option: value})
    try:
        model = from_record(record)
    except GinjaxError as error:
        assert len(error.problem) < 400
    else:
        assert list(named_arrays(model)) == list(record.arrays)


def test_a_record_is_of_its_own_model_only():
    record = to_record(small_model("ResNet", 1, S))
    other = to_record(small_model("DilResNet", 1, S))
    with pytest.raises(ArgumentError, match="layer table"):
        from_record(replace(record, layers=other.layers))
    assert from_record(record).D == 1


def exchanged():
    """Networks of which a file would bring back another one, by what is changed; last one that it brings back."""
    tanh = ModelDesign("ResNet", S, S, 2, 2).build(2)
    relu = ModelDesign("ResNet", S, S, 2, 2, activation="relu").build(2)
    options = dict(tanh.spec.options) | {"preactivation_order": False}
    spec = replace(tanh.spec, options=tuple(sorted(options.items())))
    other_order = ResNet.from_spec(spec, 2, model_banks(tanh)).blocks[0]
    return {
        "a layer fewer": eqx.tree_at(lambda m: m.blocks, tanh, tanh.blocks[:1]),
        "an activation": eqx.tree_at(
            lambda m: m.blocks[0][0].nonlinearity, tanh, relu.blocks[0][0].nonlinearity
        ),
        "a setting": eqx.tree_at(lambda m: m.blocks[0], tanh, other_order),
        "values": jax.tree.map(lambda a: a.astype("float16") if eqx.is_inexact_array(a) else a, tanh),
    }


def test_a_network_that_its_file_would_not_bring_back_is_not_written(tmp_path):
    *wrong, (_, values) = exchanged().items()
    for what, model in wrong:
        with pytest.raises(UnsupportedError, match="a ResNet that was changed by hand in a file"):
            save_model(tmp_path / what, model)
        assert not (tmp_path / what).exists()
    save_model(tmp_path / "control", values)
    back = named_arrays(load_model(tmp_path / "control").model)
    assert back.keys() == named_arrays(values).keys()
    assert all(np.array_equal(back[name], array) for name, array in named_arrays(values).items())
