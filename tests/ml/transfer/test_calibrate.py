"""Choosing among exact solutions on samples."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from ginjax.checkpoint import convert_record
from ginjax.data import Normalisation
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage, Signature
from ginjax.ml import Calibration, calibrate, make_task, predict
from ginjax.ml.forecast import Forecaster, ShortestWaves, growth_of_shortest
from ginjax.ml.transfer import _calibrate
from ginjax.ml.transfer._calibrate import MOVES
from ginjax.ml.transfer._mixtures import Mixtures
from ginjax.ml.transfer._reach import reach
from ginjax.ml.transfer._short_wave_limit import ShortWaveLimit, as_complex, responses
from ginjax.models import ModelDesign, from_record, to_record
from ginjax.transfer import condition_residual, make_rule

SCALAR = Signature([((0, 0), 1)])


@pytest.fixture(scope="module")
def low():
    return to_record(ModelDesign("SimpleConvSeries", SCALAR, SCALAR, channels=3, blocks=2).build(1, seed=11))


@pytest.fixture(scope="module")
def samples():
    task = make_task("diffusion", 2, trajectories=2, frames=2, side=8, seed=5)
    assert isinstance(task.normalisation, Normalisation)
    return task


def test_a_known_choice_is_found_again(low, samples, monkeypatch):
    # The targets are what the network gives at flex 0.4 in every layer, 0.6 before the spin solution.
    wanted = from_record(convert_record(low, 2, make_rule("compat-flex", 0.4)).after)
    target = predict(wanted, samples.X)
    _, near = calibrate(low, 2, samples.X, target, "compat-flex", evaluations=30)
    # Without the price of moving it is found whole.
    monkeypatch.setattr("ginjax.ml.transfer._calibrate.PULL", 0.0)
    conversion, chosen = calibrate(low, 2, samples.X, target, "compat-flex", evaluations=30)
    assert chosen.loss_before > 1e-4  # control: the starting point is not the answer
    assert chosen.loss_after < 1e-3 * chosen.loss_before
    assert conversion.certificate.exact
    np.testing.assert_allclose(list(chosen.moves.values()), -0.6, atol=0.1)
    assert chosen.loss_after < near.loss_after < 0.01 * near.loss_before
    assert sum(t**2 for t in near.moves.values()) < sum(t**2 for t in chosen.moves.values())


@pytest.mark.parametrize("rule", ["isotropic", "compat-flex"])
def test_it_never_gets_worse_and_stays_in_bounds(low, samples, rule):
    conversion, chosen = calibrate(low, 2, samples.X, samples.Y, rule, evaluations=4)
    assert chosen.loss_after <= chosen.loss_before and chosen.rule == rule and not chosen.turned
    assert chosen.evaluations <= 4
    assert all(MOVES[0] <= t <= MOVES[1] for t in chosen.moves.values()) and any(chosen.moves.values())
    assert conversion.certificate.exact
    assert conversion.after.provenance[-1]["calibrated_moves"] == dict(chosen.moves)
    # The certificate is that of these weights against the old ones, not a bound on it.
    sides = [(record.arrays, record.layers, record.banks) for record in (low, conversion.after)]
    assert conversion.certificate.residual == condition_residual(*sides) < 1e-6
    # Rounded as conversions are: no further from (C) than the one it started from, within its own largest weights.
    assert conversion.certificate.residual < 3 * convert_record(low, 2, "compatibility").certificate.residual
    assert conversion.certificate.digest == conversion.after.digest
    again, _ = calibrate(low, 2, samples.X, samples.Y, rule, evaluations=4)
    assert again.after.digest == conversion.after.digest


def test_a_choice_that_was_held_at_a_bound_is_known():
    held = Calibration("isotropic", {"a": MOVES[1], "b": 0.3, "c": MOVES[0]}, 1.0, 0.5, 4)
    assert held.at_bound == ("a", "c")


def test_where_there_is_nothing_to_choose(low, samples):
    high = convert_record(low, 3, "compatibility").after
    with pytest.raises(ArgumentError, match="dimension to calibrate in: got 2, expected more than 3"):
        calibrate(high, 2, samples.X, samples.Y)
    with pytest.raises(ArgumentError, match="dimension of the samples: got 2, expected 3 or 1"):
        calibrate(low, 3, samples.X, samples.Y)
    with pytest.raises(
        ArgumentError, match="rule to calibrate: got volume, expected isotropic or compat-flex"
    ):
        calibrate(low, 2, samples.X, samples.Y, "volume")


@pytest.fixture(scope="module")
def low_samples():
    """Smooth fields in 1D."""
    random = np.random.default_rng(3)
    x = 2 * np.pi * np.arange(16) / 16
    waves = np.stack([np.sin(n * x) for n in (1, 2, 3)] + [np.cos(n * x) for n in (1, 2, 3)])
    field = (random.normal(size=(6, 6)) @ waves)[:, None].astype(np.float32)
    return field


def test_samples_of_the_low_dimension_do_where_physics_has_no_direction(low_samples):
    """The stencil `1, -2, 1` becomes the isotropic one of nine points, which is half way between sparsest and spin."""
    design = ModelDesign("SimpleConvSeries", SCALAR, SCALAR, channels=1, blocks=1, activation=None)
    record = to_record(design.build(1, seed=0))
    (name,) = (name for name in record.arrays if "weight" in name)
    bank = next(iter(record.banks.values()))
    # Filters are orthogonal: the centre, and the two neighbours.
    stencil = np.array([0.1, -0.2, 0.1])
    filters = bank.blocks[0, 0].filters.reshape(2, 3)
    weights = filters @ stencil / np.square(filters).sum(1)
    record = replace(record, arrays=dict(record.arrays) | {name: weights[None, None].astype(np.float32)})
    X = MultiImage({(0, 0): jnp.asarray(low_samples)}, 1)
    Y = predict(from_record(record), X)
    np.testing.assert_allclose(Y[0, 0][:, 0, 3], low_samples[:, 0, 2:5] @ stencil, rtol=1e-4)
    conversion, chosen = calibrate(record, 2, X, Y, "compat-flex")
    assert chosen.turned and conversion.certificate.exact
    np.testing.assert_allclose(list(chosen.moves.values()), -0.5, atol=0.03)
    assert chosen.loss_after < 0.05 * chosen.loss_before


def test_which_samples_of_the_low_dimension_are_refused(low, low_samples):
    X = MultiImage({(0, 0): jnp.asarray(low_samples)}, 1)
    with pytest.raises(ArgumentError, match="targets of the samples: got zero everywhere"):
        calibrate(low, 2, X, X * 0)
    none = MultiImage({(0, 0): jnp.asarray(low_samples[:0])}, 1)
    with pytest.raises(ArgumentError, match="samples to calibrate on: got 0, expected 1 or more"):
        calibrate(low, 2, none, none)
    X = MultiImage({(0, 0): jnp.asarray(low_samples)}, 1, (False,))
    with pytest.raises(ArgumentError, match=r"axes of the low-dimensional samples.*periodic"):
        calibrate(low, 2, X, X)


def test_how_far_a_network_sees(low, low_samples):
    X = MultiImage({(0, 0): jnp.asarray(low_samples)}, 1)
    assert reach(from_record(low), X) == 2  # two convolutions of side 3
    far = ModelDesign("DilResNet", SCALAR, SCALAR, channels=2, blocks=1).build(1, seed=0)
    with pytest.raises(ArgumentError, match="sees further than 16 grid points"):
        reach(far, X)


def test_a_norm_is_refused_a_field_that_is_cut_out(low, samples):
    """It divides by what the whole field has; the control is the same network without."""
    plain, normed = (
        ModelDesign("ResNet", SCALAR, SCALAR, channels=2, blocks=1, norm=norm).build(2, seed=0)
        for norm in (False, True)
    )
    assert reach(plain, samples.X) == 6
    with pytest.raises(ArgumentError, match="depends on the whole field, as a norm makes it"):
        reach(normed, samples.X)


def test_a_choice_that_is_taken_back_says_its_own_error(low, samples, monkeypatch):
    """Short waves that grow by as much as the weights were moved, until a tenth of the way is allowed."""
    design = ModelDesign("UNet", SCALAR, SCALAR, channels=2, blocks=1, levels=1, upsample="repeat")
    record = to_record(design.build(1, seed=0))
    start = Mixtures.of(record, 2, "isotropic").start.after.arrays

    def waves(_, high):
        moved = max(float(np.abs(high.arrays[name] - array).max()) for name, array in start.items())
        return ShortestWaves(1.0, 1.0 + moved, 1, 2)

    free, freely = calibrate(record, 2, samples.X, samples.Y, evaluations=3)
    most = waves(None, free.after).high - 1
    monkeypatch.setattr(_calibrate, "shortest_waves", lambda a, b: replace(waves(a, b), low=1.0 + 0.3 * most))
    held, chosen = calibrate(record, 2, samples.X, samples.Y, evaluations=3)
    np.testing.assert_allclose(
        list(chosen.moves.values()), np.array(list(freely.moves.values())) / 4, atol=1e-6
    )
    assert held.after.provenance[-1]["calibrated_moves"] == dict(chosen.moves)
    error = predict(from_record(held.after), samples.X) - samples.Y
    assert chosen.loss_after == pytest.approx(
        float(jnp.sum(error[0, 0] ** 2) / jnp.sum(samples.Y[0, 0] ** 2)), rel=1e-4
    )
    assert freely.loss_after < chosen.loss_after < chosen.loss_before


@pytest.fixture(scope="module")
def forecasters(samples):
    """A network in 1D that knows its data, and its conversion."""
    low = to_record(
        ModelDesign("SimpleConvSeries", SCALAR, SCALAR, channels=2, blocks=1).build(1, seed=2),
        contract=make_task("diffusion", 1, trajectories=2, frames=2, side=8, seed=5).contract,
    )
    return low, convert_record(low, 2, make_rule("compat-flex", 0.0)).after


def test_responses_are_those_of_the_network_to_short_waves(forecasters):
    """Against a wave that is put through the network."""
    _, high = forecasters
    forecaster = Forecaster.of(from_record(high), high)
    found = as_complex(responses(forecaster, forecaster.model))
    # States -2 to 2; waves of 4 x 4 points with a wave number of pi or more, (0, pi) among them.
    assert found.shape == (5, 7, 1, 1)
    y = np.indices((4, 4))[1]
    small, level = 1e-2, 1.0
    answers = []
    for sign in (1, -1):
        wave = level + sign * small * np.cos(np.pi * y)
        x_in = MultiImage({(0, 0): jnp.asarray(wave, jnp.float32)[None, None]}, 2)
        answers.append(np.asarray(forecaster.step(x_in)[1][0, 0])[0, 0])
    factor = (answers[0] - answers[1])[0, 0] / (2 * small)
    k = 2 * np.pi * np.fft.fftfreq(4)
    short = np.argwhere(k[:, None] ** 2 + k[None] ** 2 >= np.pi**2 - 1e-6).tolist()
    assert found[3, short.index([0, 2]), 0, 0] == pytest.approx(factor, rel=2e-2)


def test_the_limit_is_that_of_the_low_dimension_and_its_slope_is_right(forecasters):
    low, high = forecasters
    limit = ShortWaveLimit.of(low, high)
    assert limit is not None and np.all(limit.most >= 0.95)
    random = np.random.default_rng(0)
    found, change = random.normal(size=(2, 5, 3, 2, 2)) + 1j * random.normal(size=(2, 5, 3, 2, 2))
    ahead, back = (limit.excess(found + step * change).sum() for step in (1e-6, -1e-6))
    slope = limit.slope(found, change[..., None]).sum()
    assert slope == pytest.approx((ahead - back) / 2e-6, rel=1e-4) and slope != 0
    assert not ShortWaveLimit(limit.forecaster, np.full(5, 1e9)).excess(found).any()
    # Nothing to hold where nothing is rolled out.
    bare = replace(low, contract=replace(low.contract, scales={}))
    assert ShortWaveLimit.of(bare, bare) is None


def test_short_waves_do_not_grow_though_samples_say_nothing_of_them(forecasters):
    """The control is the same choice without a limit."""
    low, _ = forecasters
    # Smooth fields, with answers of a solution whose short waves grow.
    wild = from_record(convert_record(low, 2, make_rule("compat-flex", -2.0)).after)
    n = np.arange(8) * 2 * np.pi / 8
    X = MultiImage({(0, 0): jnp.asarray(np.sin(n[:, None] + n[None]), jnp.float32)[None, None]}, 2)
    Y = predict(wild, X)
    grown = []
    for record in (low, replace(low, contract=replace(low.contract, scales={}))):
        conversion, chosen = calibrate(record, 2, X, Y, "compat-flex")
        assert chosen.limited == bool(record.contract.scales)
        after = replace(conversion.after, contract=Mixtures.of(low, 2, "isotropic").start.after.contract)
        grown.append(growth_of_shortest(Forecaster.of(from_record(after), after)))
    held, free = grown
    most = ShortWaveLimit.of(low, after).most.max()
    assert held < most + 0.15 < free
