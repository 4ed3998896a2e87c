"""A prediction made tile by tile is that of the whole field."""

import pickle
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ginjax import Model
from ginjax.checkpoint import DataContract, axes_of
from ginjax.data import Field, FieldScale, MemorySource, Trajectories
from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.geometric import MultiImage
from ginjax.ml import Forecaster, OwnTask, predicted, study_rollouts
from ginjax.ml.task import step_by_tiles
from ginjax.models import Network, ReceptiveField, receptive_field

U, V = Field("u", 0, 0), Field("v", 1, 0)
BOX = (False, False)


def forecaster(flags, fields=(U,), seed=0, residual=False, **network):
    """A network with every parameter away from its initial value, and the data that it is for."""
    D = len(flags)
    scales = tuple(FieldScale(each, 1.0, 0.0, 0.5) for each in fields)
    contract = DataContract(
        axes_of(flags), fields, scales=scales, spacing=1.0, time_step=1.0, residual=residual
    )
    settings = Network(**{"channels": 2, "blocks": 1} | network)
    model = settings.design(fields, fields, contract.axes).build(D, seed)
    arrays, rest = eqx.partition(model, eqx.is_inexact_array)
    rng = np.random.default_rng(seed)
    arrays = jax.tree.map(lambda a: a + 0.1 * rng.standard_normal(a.shape).astype(a.dtype), arrays)
    return Forecaster(eqx.combine(arrays, rest), contract)


def image(known, sides, batch=1):
    rng = np.random.default_rng(1)
    blocks = {
        each.key: rng.standard_normal((batch, 1, *sides, *(len(sides),) * each.k)).astype(np.float32)
        for each in known.contract.fields
    }
    return MultiImage(blocks, len(sides), known.contract.is_torus)


def difference(a, b) -> float:
    return max(
        float(np.abs(np.asarray(a[key]) - np.asarray(b[key])).max() / np.abs(np.asarray(a[key])).max())
        for key in a
    )


CASES = {
    "vectors between mirrors": ((False, True), (U, V), (16, 14), {"x": 5}, {"bias": "scalar", "architecture": "series"}),
    "pooling between mirrors": ((False,), (U,), (48,), 4, {"architecture": "unet", "levels": 1}),
    "dilation": ((True,), (U,), (80,), 7, {"architecture": "dilresnet"}),
    "plain, zeros at the ends of a ring": ((False,), (U,), (40,), 8, {"plain": True, "padding": "zeros"}),
}  # fmt: skip
SWEPT = {
    "edge": ((False,), (U, V), (24,), 5, {"bias": "scalar", "architecture": "series", "blocks": 2, "padding": "edge", "side": 5}),
    "transposed": ((True,), (U,), (48,), 4, {"architecture": "unet", "levels": 1, "upsample": "transpose"}),
    "three walls of three kinds": ((False, True, False), (U,), (14, 14, 14), {"x": 4, "z": 4}, {
        "architecture": "series", "blocks": 2, "padding": {"x": "mirror", "z": "edge"}}),
    "zeros": (BOX, (U,), (24, 24), 6, {"padding": "zeros", "architecture": "series", "blocks": 2, "side": 5}),
    "pooling": ((True, False), (U,), (32, 32), 4, {"architecture": "unet", "levels": 1}),
    "transposed in the plane": (BOX, (U,), (32, 32), 4, {"architecture": "unet", "levels": 1, "upsample": "transpose"}),
    "two poolings": ((True,), (U,), (96,), 8, {"architecture": "unet", "levels": 2}),
    "three poolings, plain": ((False,), (U,), (256,), 16, {"architecture": "unet", "levels": 3, "plain": True}),
    "dilation beside a wall": ((False,), (U,), (80,), 7, {"architecture": "dilresnet"}),
    "plain": ((True, False), (U, V), (20, 20), 6, {"plain": True}),
    "products": ((True,), (U, V), (40,), 6, {"nonlinearity": "product", "bias": "scalar"}),
}  # fmt: skip
SLOW = [pytest.param(case, marks=pytest.mark.slow) for case in SWEPT]


@pytest.mark.parametrize("case", [*CASES, *SLOW])
def test_tiles_give_the_whole_field(case):
    flags, fields, sides, tile, settings = (CASES | SWEPT)[case]
    whole = forecaster(flags, fields, **settings)
    if case.endswith("of a ring"):
        # Data that are periodic, and a network that does not know it.
        whole = replace(whole, contract=replace(whole.contract, axes=axes_of((True,))))
    tiled = replace(whole, tile=tile)
    x = image(whole, sides)
    tiling = tiled.tiling(sides)
    assert tiling is not None and tiling.count > 1
    for one, other in zip(whole.step(x), tiled.step(x), strict=True):
        assert difference(one, other) < 1e-6
    # Control: with less of a halo than the network looks it is another field.
    tile = tuple(
        n if b == n else t + 2 * tiling.factor
        for t, b, n in zip(tiling.tile, tiling.block, sides, strict=True)
    )
    less = replace(tiling, halo=tiling.halo - tiling.factor, tile=tile)
    assert difference(whole.step(x)[0], step_by_tiles(tiled._step, whole.model, x, less)[0]) > 3e-6


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"norm": True}, "group norms"),
        ({"bias": "mean"}, "biases that are multiples of means"),
    ],
)
def test_networks_that_look_at_the_whole_field_are_refused(settings, message):
    known = replace(forecaster((True,), **settings), tile=8)
    with pytest.raises(ArgumentError, match=f"^`tile`: .*{message}") as caught:
        known.tiling((64,))
    assert "norm=False" in caught.value.hint


class OfMeans(eqx.Module):
    """A layer that nobody knows."""

    def __call__(self, x):
        return MultiImage({key: block - block.mean() for key, block in x.items()}, x.D, x.is_torus), None


class HalfAround(eqx.Module):
    """Goes around the axis, then pads."""

    def __call__(self, x):
        blocks = {}
        for key, block in x.items():
            seen = block + 0.5 * jnp.roll(block, 1, axis=1)
            blocks[key] = seen + jnp.pad(seen, ((0, 0), (1, 0)))[:, :-1]
        return MultiImage(blocks, x.D, x.is_torus), None


def test_layers_that_nobody_knows_are_found_out():
    with pytest.raises(UnsupportedError, match="the network looks at the whole field at once"):
        receptive_field(OfMeans(), [((0, 0), 1)], (True,))
    with pytest.raises(UnsupportedError, match="goes around axis 0 in some of its layers"):
        receptive_field(HalfAround(), [((0, 0), 1)], (True,))


@pytest.mark.parametrize(
    ("settings", "reach"),
    [
        # Convolutions of side 3: two of encoder and decoder each, two of the block.
        ({}, 6),
        # Plain, encoder and decoder have kernels of one pixel.
        pytest.param({"plain": True}, 2, marks=pytest.mark.slow),
        # 1 + 2 + 4 + 8 + 4 + 2 + 1, and four of encoder and decoder.
        pytest.param({"architecture": "dilresnet"}, 26, marks=pytest.mark.slow),
        pytest.param({"architecture": "series", "blocks": 3, "side": 5}, 6, marks=pytest.mark.slow),
    ],
)
def test_the_reach_is_that_of_the_layers(settings, reach):
    known = forecaster((True,), **settings)
    found = receptive_field(known.model, known.model.spec.inputs, (True,))
    assert found == ReceptiveField(reach, 1, (True,))


@pytest.fixture(scope="module")
def small():
    """A network and random data: that it has learnt nothing does not matter."""
    known = forecaster((True,), residual=True, architecture="series", blocks=2)
    values = np.random.default_rng(0).standard_normal((2, 5, 30)).astype(np.float32)
    source = MemorySource.of(Trajectories((U,), {"u": values}, 1, 1.0, 1.0))
    return known, source


def test_roll_outs_and_errors_by_tiles(small):
    known, source = small
    tiled = replace(known, tile=7)
    one, other = (study_rollouts({"model": each}, source, [0, 1]) for each in (known, tiled))
    np.testing.assert_allclose(
        one.errors["model"]["u"]["nrmse"], other.errors["model"]["u"]["nrmse"], rtol=1e-5
    )
    model = Model.of(known.model, known.contract)
    for name, values in model.predict(source, 2, first=0).items():
        np.testing.assert_allclose(
            model.predict(source, 2, first=0, tile={"x": 7})[name], values, rtol=1e-5, atol=1e-6
        )
    assert pickle.loads(pickle.dumps(tiled)).tile == 7
    task = OwnTask.of(known.contract, source)
    first, second = task.error(known.model), task.error(known.model, tile=7)
    for name in ("model", "persistence", "deviation", "persistence_deviation"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), rtol=1e-5)


def test_forecasts_by_tiles_are_read_frame_by_frame(small):
    known, source = small
    whole, tiled = (predicted(each, source, steps=3) for each in (known, replace(known, tile=7)))
    assert (whole.in_order, tiled.in_order) == (False, True)
    for trajectory, start, stop in ((0, 0, 2), (0, 2, 4), (1, 0, 4), (1, 3, 4), (0, 1, 2), (0, 0, 1)):
        a, b = (each.read(trajectory, start, stop)["u"] for each in (whole, tiled))
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert not tiled.newest
