import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ginjax import ml
from ginjax.errors import ArgumentError, FileError


class Model(eqx.Module):
    layers: list
    table: np.ndarray
    name: str

    def __init__(self, width=2, dtype=jnp.float32, seed=0):
        keys = jax.random.split(jax.random.key(seed), 2)
        self.layers = [eqx.nn.Linear(3, width, key=key, dtype=dtype) for key in keys]
        self.table = np.arange(3) + seed
        self.name = "linear"


def test_round_trip_into_another_model_of_the_same_structure(tmp_path):
    path = tmp_path / "weights.safetensors"
    saved = Model(seed=1)
    ml.save(path, saved)
    other = Model(seed=2)
    loaded = ml.load(path, other)
    assert eqx.tree_equal(loaded, saved)
    assert isinstance(loaded.layers[0].weight, jax.Array) and isinstance(loaded.table, np.ndarray)
    assert not eqx.tree_equal(other, saved)


def test_saving_again_replaces_the_file(tmp_path):
    path = tmp_path / "weights.safetensors"
    ml.save(path, Model(seed=1))
    ml.save(str(path), Model(seed=2))
    assert eqx.tree_equal(ml.load(str(path), Model()), Model(seed=2))


def test_the_same_model_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        ml.save(tmp_path / name, Model())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_loading_is_strict(tmp_path):
    path = tmp_path / "weights.safetensors"
    ml.save(path, Model())
    with pytest.raises(
        FileError, match=r"array '.layers\[0\].weight'.*float32 \(2, 3\), expected float32 \(4, 3\)"
    ):
        ml.load(path, Model(width=4))
    with pytest.raises(FileError, match="expected float16"):
        ml.load(path, Model(dtype=jnp.float16))
    with pytest.raises(FileError, match=r"2 missing"):
        ml.load(path, eqx.tree_at(lambda m: m.layers, Model(), [Model().layers[0]] * 3))
    with pytest.raises(FileError):
        ml.load(tmp_path / "absent.safetensors", Model())


def test_random_keys_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match="random key"):
        ml.save(tmp_path / "weights.safetensors", {"key": jax.random.key(0)})
