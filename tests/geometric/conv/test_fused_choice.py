"""Where convolutions go by the kernel for GPUs: which of them, in which programs, for which devices."""

import sys
from functools import partial
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import FULL3, assert_same, bank
from jax import export

from ginjax._jax_triton import has_triton
from ginjax.filters import BankRecipe
from ginjax.geometric import ConvGeometry, Signature
from ginjax.geometric.conv._bank_conv import _conv, bank_conv
from ginjax.geometric.conv._fused_cover import covers
from ginjax.geometric.conv._mixing import make_mixing
from ginjax.geometric.conv._ways import choose_way, use_way

pytestmark = pytest.mark.gpu

KERNEL = "ginjax_fused"


def scalars(sources: int, targets: int, recipe: BankRecipe = FULL3, D: int = 1):
    return make_mixing(bank(D, recipe), *(Signature([((0, 0), n)]) for n in (sources, targets)))


MIXING = scalars(2, 3)
AXES = ConvGeometry.resolve(1, (True,)).axes((10,), 3)
RNG = np.random.default_rng(0)
X, W = (jnp.asarray(RNG.standard_normal(shape), jnp.float32) for shape in ((2, 2, 10), (MIXING.weights,)))


def convolved(way=None, mixing=MIXING, axes=AXES):
    def run(x, w):
        with use_way(way):
            return bank_conv(x, w, mixing, axes)

    return run


def text_for(platform: str, way=None, **options) -> str:
    run = jax.jit(jax.grad(lambda x, w: convolved(way)(x, w).sum(), (0, 1)), **options)
    return run.trace(X, W).lower(lowering_platforms=(platform,)).as_text()


def test_a_program_for_a_gpu_holds_the_kernels():
    assert KERNEL in text_for("cuda", "fused")
    assert KERNEL not in text_for("cpu", "fused")


def test_a_program_for_one_gpu_gets_them_unasked():
    assert KERNEL in text_for("cuda")
    assert KERNEL not in text_for("cuda", "basis")
    assert KERNEL not in text_for("rocm")


@pytest.mark.parametrize(
    ("capabilities", "held"),
    [(["9.0"], True), (["12.0", "8.0"], True), (["7.5"], False), (["9.0", "7.0"], False)],
)
def test_a_gpu_that_kernels_are_not_compiled_for_gets_none(monkeypatch, capabilities, held):
    def devices(*, backend):
        if backend != "cuda":
            raise RuntimeError("the kernel is compiled for what is said to be known")
        return [SimpleNamespace(compute_capability=each) for each in capabilities]

    monkeypatch.setattr(jax, "local_devices", devices)
    for way in (None, "fused"):
        assert (KERNEL in text_for("cuda", way)) == held


@pytest.mark.parametrize("way", [None, "fused"])
@pytest.mark.parametrize("batch", [2, "batch"])
def test_an_exported_program_holds_none(way, batch):
    """It runs on other machines: a kernel is made for one kind of GPU, or for one version of the compiler."""
    shape = export.symbolic_shape(f"{batch}, 2, 10")
    run = jax.jit(jax.grad(lambda x, w: convolved(way)(x, w).sum(), (0, 1)))
    for platforms in (("cpu",), ("cuda",), ("cpu", "cuda")):
        made = export.export(run, platforms=platforms)(jax.ShapeDtypeStruct(shape, X.dtype), W)
        assert "triton" not in made.mlir_module() and "while" not in made.mlir_module()


def test_a_release_without_the_way_to_write_kernels_does_without(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax.experimental.pallas.triton", None)
    has_triton.cache_clear()
    try:
        assert not has_triton()
        assert KERNEL not in text_for("cuda", "fused")
        assert_same(jax.jit(convolved("fused"))(X, W), jax.jit(convolved("basis"))(X, W))
    finally:
        has_triton.cache_clear()


def test_outside_of_compiled_functions_it_is_compiled_for_the_device_it_runs_on():
    run = partial(_conv.impl, mixing=MIXING, axes=AXES, precision="highest", way=None)
    assert "ginjax_conv" in str(jax.make_jaxpr(run)(X, W))
    wanted = convolved()(X, W)
    with jax.disable_jit():
        assert_same(convolved()(X, W), wanted)


def test_what_it_does_not_cover_goes_another_way():
    assert covers(MIXING, AXES, X) and covers(MIXING.adjoint, AXES, X)
    assert covers(MIXING, AXES, X.astype(jnp.float16)) and not covers(MIXING, AXES, X[:0])
    point = scalars(2, 3, BankRecipe(1))
    axes, w = ConvGeometry.resolve(1, (True,)).axes((10,), 1), W[: point.weights]
    assert not covers(point, axes, X)
    assert_same(convolved("fused", point, axes)(X, w), convolved(choose_way(point), point, axes)(X, w))


def plane(side: int, **options):
    return ConvGeometry.resolve(2, (False, False), **options).axes((side, side), 3)


@pytest.mark.parametrize(
    ("channels", "axes", "batch", "covered"),
    [
        ((1, 1), plane(2**14), 1, True),
        ((1, 1), plane(2**15), 1, False),  # as many numbers as there are positions
        ((1, 16), plane(2**12), 2, True),
        ((1, 64), plane(2**12), 2, False),  # of the gradient that comes back
        ((1, 1), plane(2**13, lhs_dilation=2), 1, True),
        ((1, 1), plane(2**14, lhs_dilation=2), 1, False),  # spread apart
        ((1, 1), plane(2**14, stride=2), 1, True),
        ((2, 1), plane(2**8), 2**13, False),
        ((1, 1), plane(2), 2**16 - 1, True),
        ((1, 1), plane(2), 2**16, False),  # as many blocks along an axis as a GPU counts
        ((2**16, 1), plane(2), 1, False),
    ],
)
def test_whose_numbers_are_too_many_to_be_counted(channels, axes, batch, covered):
    mixing = scalars(*channels, D=2)
    x = jax.ShapeDtypeStruct((batch, channels[0], axes[0].size, axes[0].size), jnp.float32)
    assert covers(mixing, axes, x) == covered
