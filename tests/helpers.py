"""What several test modules share: golden cases, case tables, and the two properties everything rests on."""

import json
import os
import re
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import load_file

from ginjax.filters import BankRecipe, FilterBank, make_bank
from ginjax.geometric import MultiImage, Signature, make_all_operators
from ginjax.transfer import embed_field

FIXTURES = Path(__file__).parent.parent / "fixtures"
GOLDEN = Path(os.environ.get("GINJAX_GOLDEN", FIXTURES / "golden"))

S = Signature([((0, 0), 1)])
V = Signature([((1, 0), 1)])
SV = Signature([((0, 0), 1), ((1, 0), 1)])
SIGNATURES = {"scalar": S, "vector": V, "scalar+vector": SV}

FULL3 = BankRecipe(3)
FULL2 = BankRecipe(2)
ORTHOPLEX5 = BankRecipe(5, support="orthoplex")
EVEN_KEYS = tuple((k, 0) for k in range(5))
ALL_KEYS = tuple((k, p) for k in range(4) for p in range(2))


def bank(D: int, recipe: BankRecipe = FULL3, keys=((0, 0), (1, 0), (2, 0))) -> FilterBank:
    return make_bank(D, recipe, keys)


def devices(count: int) -> dict[str, str]:
    """Variables of a process that takes the processor for several devices, and compiles as cheaply as the tests do."""
    return {"JAX_NUM_CPU_DEVICES": str(count), "JAX_PLATFORMS": "cpu"}


def on_processor() -> bool:
    """Whether programs run on a processor: a GPU rounds roots and quotients less well, and has half precision."""
    return jax.default_backend() == "cpu"


def assert_same(found, wanted) -> None:
    """Bit for bit on processors. For a GPU the compiler chooses the order of sums anew for every program."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    if on_processor():
        np.testing.assert_array_equal(found, wanted)
    else:
        np.testing.assert_allclose(found, wanted, atol=1e-6 * max(1.0, float(np.abs(wanted).max())))


# --- golden cases ----------------------------------------------------------------------------------------------------


def golden_index() -> dict:
    return json.loads((GOLDEN / "index.json").read_text())


def golden_cases(*kinds: str) -> list[str]:
    return sorted(name for name, case in golden_index().items() if case["kind"] in kinds)


class Golden:
    """One case of the golden directory: its description and its tensors."""

    def __init__(self, name: str):
        self.name = name
        self.case = golden_index()[name]
        self.tensors = load_file(GOLDEN / f"{name}.safetensors")

    def keyed(self, prefix: str) -> dict:
        """Tensors named `prefix/k1p0`, by key."""
        found = {}
        for name, tensor in self.tensors.items():
            match = re.fullmatch(rf"{re.escape(prefix)}/k(\d+)p(\d+)", name)
            if match:
                found[(False,) * int(match[1]), int(match[2])] = jnp.asarray(tensor)
        return found

    def image(self, prefix: str, D: int | None = None) -> MultiImage:
        blocks = self.keyed(prefix)
        return MultiImage(blocks, self.dimension(blocks) if D is None else D, self.case.get("is_torus", True))

    def dimension(self, blocks: dict) -> int:
        (k, _), block = max(blocks.items(), key=lambda item: len(item[0][0]))
        return block.shape[-1] if k else block.ndim - 1

    def parameters(self, prefix: str) -> dict[str, np.ndarray]:
        return {n[len(prefix) :]: t for n, t in self.tensors.items() if n.startswith(f"{prefix}.")}

    def signature(self, name: str) -> Signature:
        return Signature(((k, p), c) for k, p, c in self.case[name])

    def kwargs(self) -> dict:
        return {k: _tupled(v) for k, v in self.case.get("kwargs", {}).items()}


def reference_images(name: str, *prefixes: str) -> list[MultiImage]:
    """Images of `fixtures/reference/NAME.safetensors` by the prefix of their names, on a periodic grid."""
    stored = load_file(FIXTURES / "reference" / f"{name}.safetensors")
    images = []
    for prefix in prefixes or ("x", "y"):
        blocks = {}
        for each, block in stored.items():
            if found := re.fullmatch(rf"{prefix}/k(\d+)p(\d+)", each):
                blocks[(False,) * int(found[1]), int(found[2])] = jnp.asarray(block)
        images.append(MultiImage(blocks, 2))
    return images


def _tupled(value):
    return tuple(_tupled(v) for v in value) if isinstance(value, list) else value


def with_parameters(model, parameters: dict[str, np.ndarray]):
    """The model with the parameters at paths such as `.blocks[0][1].conv.bias[((), 0)]`; every array is replaced."""
    arrays = [leaf for leaf in jax.tree_util.tree_leaves(model) if eqx.is_array(leaf)]
    assert len(parameters) == len(arrays), (len(parameters), len(arrays))
    for path, value in parameters.items():
        model = eqx.tree_at(lambda m, path=path: _at(m, path), model, jnp.asarray(value))
    return model


def _at(root, path: str):
    for attribute, index in re.findall(r"\.(\w+)|\[((?:\([^\[\]]*\))|\d+)\]", path):
        if attribute:
            root = getattr(root, attribute)
        elif index.startswith("("):
            k, p = re.fullmatch(r"\(\((.*)\), (\d+)\)", index).groups()
            root = root[(False,) * k.count("False"), int(p)]
        else:
            root = root[int(index)]
    return root


# --- fields ----------------------------------------------------------------------------------------------------------


def random_field(signature, D: int, side: int, seed: int = 0, is_torus=True, dtype=np.float32) -> MultiImage:
    rng = np.random.default_rng(seed)
    blocks = {
        key: jnp.asarray(rng.standard_normal((c, *(side,) * D, *(D,) * len(key[0]))), dtype)
        for key, c in Signature(signature)
    }
    return MultiImage(blocks, D, is_torus)


def embed(x: MultiImage, added: tuple[int, ...]) -> MultiImage:
    """`E x`: constant along the added (periodic) axes, components zero-padded."""
    blocks = {
        key: jnp.asarray(embed_field(np.asarray(block), x.D, len(key[0]), added)) for key, block in x.items()
    }
    return MultiImage(blocks, x.D + len(added), (*x.is_torus, *(True,) * len(added)))


def randomised(model, seed: int = 0, scale: float = 0.3):
    """The model with every array moved at random, so that biases and norms are not at their initial values."""
    rng = np.random.default_rng(seed)

    def moved(a):
        return jnp.asarray(np.asarray(a) + (scale * rng.standard_normal(a.shape)).astype(a.dtype))

    return jax.tree_util.tree_map(lambda a: moved(a) if eqx.is_array(a) else a, model)


def as_float64(tree):
    return jax.tree_util.tree_map(
        lambda a: jnp.asarray(np.asarray(a, np.float64)) if eqx.is_inexact_array(a) else a, tree
    )


def relative_difference(a: MultiImage, b: MultiImage) -> float:
    """Largest absolute difference over all blocks, relative to the largest entry of `b`."""
    assert set(a.keys()) == set(b.keys())
    pairs = [(np.asarray(a[key]), np.asarray(b[key])) for key in b]  # in NumPy, which compiles nothing
    return max(float(np.abs(x - y).max()) for x, y in pairs) / max(float(np.abs(y).max()) for _, y in pairs)


def assert_close(a: MultiImage, b: MultiImage, tolerance: float) -> None:
    assert relative_difference(a, b) <= tolerance


def act(g: np.ndarray, x: MultiImage) -> MultiImage:
    """The definition of the group action, in NumPy: `det(g)^p g^(x)k A(g^-1 i)`, `i` from the centre of the grid."""
    blocks = {}
    for (k, p), block in x.items():
        array = np.asarray(block)
        centre = ((array.shape[1] - 1) / 2,) * x.D
        shaped = np.reshape(centre, (x.D, *(1,) * x.D))
        pixels = np.indices(array.shape[1 : 1 + x.D]) - shaped
        source = np.rint(np.tensordot(g.T, pixels, 1) + shaped).astype(int)
        moved = array[:, *source] * round(np.linalg.det(g)) ** p
        for axis in range(1 + x.D, moved.ndim):
            moved = np.moveaxis(np.tensordot(moved, g.astype(array.dtype), (axis, 1)), -1, axis)
        blocks[k, p] = jnp.asarray(moved)
    return MultiImage(blocks, x.D, x.is_torus)


# --- properties ------------------------------------------------------------------------------------------------------


def equivariance_defect(function, x: MultiImage) -> float:
    """`max_g |f(g x) - g f(x)| / max |f(x)|` over all of `B_D`, with one compiled function."""
    y = function(x)
    return max(relative_difference(function(act(g, x)), act(g, y)) for g in make_all_operators(x.D))


def lift_defect(low, high, x: MultiImage, added: tuple[int, ...], coarser: int = 1) -> float:
    """`max |f'(E x) - E f(x)| / max |E f(x)|`; `coarser` is by how much the output has fewer pixels along an axis."""
    return relative_difference(high(embed(x, added)), embed(low(x), tuple(n // coarser for n in added)))
