"""The programs that the benchmarks compare compute what they say."""

import itertools
import re
from dataclasses import replace

import jax
import numpy as np
import pytest
from _cases import Case
from _prepared import Prepared
from _programs import on_arrays, plain_convolution, training_step
from _serve import CLOCKS, answer
from _workload import random_fields, shapes_of
from gpu._lanes import LANES, build, settings
from sweeps import few_rows

from ginjax.geometric.conv import _fused

FLAT = Case(2, 4, 3, 2, (0, 1), 2)
STEP = replace(FLAT, orders=(0,), channels=1, blocks=1)


def test_the_order_of_axes_changes_no_number():
    first, shapes = plain_convolution(FLAT)
    last, shapes_last = plain_convolution(FLAT, channels_last=True)
    rng = np.random.default_rng(0)
    kernel, x, w = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    turned = kernel.transpose(2, 3, 1, 0), x.transpose(0, 2, 3, 1), w.transpose(0, 2, 3, 1)
    assert tuple(a.shape for a in turned) == shapes_last
    value, (of_kernel, of_x) = first(kernel, x, w)
    value_last, (of_kernel_last, of_x_last) = last(*turned)
    np.testing.assert_allclose(value, value_last, rtol=1e-5)
    np.testing.assert_allclose(of_kernel.transpose(2, 3, 1, 0), of_kernel_last, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(of_x.transpose(0, 2, 3, 1), of_x_last, rtol=1e-4, atol=1e-4)


def test_a_plain_convolution_is_periodic_and_as_wide():
    function, (kernel, x, _) = plain_convolution(FLAT)
    assert x == (2, 2 + 2 * 2, 4, 4)
    middle = np.zeros(kernel, np.float32)
    middle[:, :, 0, 0] = np.eye(6)  # one pixel back along both axes
    fields = np.random.default_rng(0).standard_normal(x).astype(np.float32)
    value, _ = function(middle, fields, np.roll(fields, (1, 1), (2, 3)))
    np.testing.assert_allclose(value, np.sum(fields**2), rtol=1e-5)


def test_a_step_on_arrays_is_the_step():
    update, state = training_step(STEP)
    x, y = random_fields(STEP, 0, 1), random_fields(STEP, 1, 1)
    function, arrays = on_arrays(update, state)
    shapes = jax.eval_shape(function, arrays, x, y)
    leaves = jax.tree.leaves(shapes)
    before = jax.tree.leaves(arrays)
    assert [leaf.shape for leaf in leaves[: len(before)]] == [leaf.shape for leaf in before]
    assert leaves[len(before)].shape == ()


def lowered(case: Case, lane: str) -> str:
    """A lane's program before the compiler sees it."""
    with settings(LANES[lane]):
        program = build(case, LANES[lane])
        lowered = jax.jit(program.function).trace(*program.arguments).lower(lowering_platforms=("cuda",))
    return lowered.as_text()


@pytest.mark.parametrize(
    ("case", "network"), [(STEP, "ours"), (FLAT, "plain"), *few_rows((FLAT, "ours"), (STEP, "plain"))]
)
def test_products_have_the_precision_of_their_lane(monkeypatch, case, network):
    def precisions(lane: str) -> set[str]:
        return set(
            re.findall(r"precision(?:_config)? = \[(?:#stablehlo<precision )?(\w+)", lowered(case, lane))
        )

    if network == "ours":  # the products of its convolutions are within kernels
        asked, is_rounded = [], _fused.is_rounded
        monkeypatch.setattr(_fused, "is_rounded", lambda each: asked.append(is_rounded(each)) or asked[-1])
        for lane, rounded in (("ours", False), ("ours, TF32", True)):
            asked.clear()
            assert "ginjax_fused_conv" in lowered(case, lane) and set(asked) == {rounded}
        assert precisions("by XLA") == {"HIGHEST"}
        return
    assert precisions(network) == {"HIGHEST"}
    assert "HIGH" in precisions(f"{network}, TF32")  # JAX's word for TF32


def test_a_network_of_a_lane_is_built_without_its_fields():
    big = replace(STEP, N=4096)
    _, x, _ = build(big, LANES["plain"]).arguments
    shapes = [leaf.shape for leaf in jax.tree.leaves(x)]
    assert shapes == list(shapes_of(big, 1).values())
    assert all(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(x))


def test_options_reach_the_network():
    case = replace(FLAT, blocks=1)
    networks = [training_step(case, **said)[1][0] for said in ({"nonlinearity": "product"}, {})]
    assert [network.spec.option("nonlinearity") for network in networks] == ["product", None]


def test_a_computation_is_timed_by_the_clock_it_was_prepared_with(monkeypatch):
    ticks = itertools.count()
    monkeypatch.setitem(CLOCKS, "processor", lambda: float(next(ticks)))
    ready, clocks = {}, {}

    def ask(**request):
        return answer(request, ready, clocks, {"nothing": lambda: Prepared(lambda: None, lambda: 0, {})}, {})

    assert ask(do="prepare", name="a", kind="nothing", clock="processor") == {"build_s": 1, "first_s": 1}
    assert ask(do="run", name="a", times=2) == [1, 1]
    assert next(ticks) == 7
    ask(do="prepare", name="b", kind="nothing")  # control: the clock on the wall
    assert ask(do="run", name="b", times=1) != [1] and next(ticks) == 8
