"""What one step makes of the shortest waves: of networks whose answer is known, and before rollouts that blow up."""

import dataclasses
import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import FIXTURES

import ginjax
from ginjax.checkpoint import DataContract, axes_of, convert_record
from ginjax.data import Field, FieldScale
from ginjax.errors import GinjaxWarning
from ginjax.geometric import MultiImage, Signature
from ginjax.ml import Forecaster, ShortestWaves, shortest_waves
from ginjax.ml.forecast import growth_of_shortest
from ginjax.models import ModelDesign, from_record, to_record
from ginjax.transfer import make_rule

DENSITY, VELOCITY, DEPTH = Field("density", 0, 0), Field("velocity", 1, 0), Field("depth", 0, 0)


class AlongEveryAxis(eqx.Module):
    """The filter `(b, a, b)` along every axis in turn, which multiplies a wave by the product of `a + 2 b cos(k_i)`."""

    a: float
    b: float

    def __call__(self, x, aux=None):
        def filtered(block):
            for axis in range(1, 1 + x.D):
                block = self.a * block + self.b * (jnp.roll(block, 1, axis) + jnp.roll(block, -1, axis))
            return block

        blocks = {key: filtered(block[:1]) for key, block in x.items()}
        return MultiImage(blocks, x.D, x.is_torus), aux


def forecaster(network, D, **changes):
    known = DataContract(
        axes_of((True,) * D),
        (DENSITY, VELOCITY),
        scales=(FieldScale(DENSITY, 2.0, 1.0), FieldScale(VELOCITY, 4.0)),
        spacing=0.5,
        time_step=0.1,
    )
    return Forecaster(network, dataclasses.replace(known, **changes))


def largest(a, b, D):
    """The same from the formula, over waves of a grid of 8 points an axis with |k| >= pi."""
    k = np.stack(np.meshgrid(*[2 * np.pi * np.fft.fftfreq(8)] * D, indexing="ij"))
    factors = np.abs(np.prod(a + 2 * b * np.cos(k), axis=0))
    return factors[np.square(k).sum(0) >= np.pi**2 - 1e-6].max()


@pytest.mark.parametrize(("a", "b", "D"), [(0.2, -0.5, 1), (0.2, -0.5, 2), (0.5, 0.25, 2)])
def test_the_factor_is_that_of_the_wave_that_grows_most(a, b, D):
    assert growth_of_shortest(forecaster(AlongEveryAxis(a, b), D)) == pytest.approx(
        largest(a, b, D), rel=0.02
    )
    assert largest(a, b, D) != pytest.approx(np.abs(a + 2 * b) ** D, rel=0.1)  # control: that of long waves


def test_fields_that_do_not_move_have_no_part_in_it():
    steady = {
        "constants": (DEPTH,),
        "scales": (FieldScale(DENSITY, 2.0, 1.0), FieldScale(VELOCITY, 4.0), FieldScale(DEPTH, 1.0)),
    }
    found = growth_of_shortest(forecaster(AlongEveryAxis(0.5, 0.25), 1, **steady))
    assert found == pytest.approx(0, abs=0.02)  # 1 if the depth had a part


def test_a_warning_where_the_conversion_adds_growth_and_only_there():
    model = ginjax.load(FIXTURES / "diffusion_1d.safetensors")
    found = shortest_waves(model.record, model.to_dimension(2).record)
    assert found is not None and found.excess < 1.3 and found.warning == ""
    sparse = model.to_dimension(2, rescale="compat-flex", flex=0.0)
    found = shortest_waves(model.record, sparse.record)
    assert found is not None and found.excess > 2 and "blow up" in found.warning
    assert found.rule == "compat-flex" and "such as 'isotropic'" in found.warning
    with pytest.warns(GinjaxWarning, match="blow up"):
        sparse.verify(side=4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.to_dimension(2).verify(side=4)


def test_growth_that_the_lower_dimension_has_too_is_no_matter_of_the_conversion():
    assert ShortestWaves(2.0, 2.1, 1, 3).warning == ""
    assert ShortestWaves(0.1, 2.1, 1, 3).warning != ""
    assert ShortestWaves(0.1, 0.9, 1, 3).warning == ""


def test_the_remedy_is_none_that_was_tried_or_that_does_not_help():
    isotropic, train = "another rule, such as 'isotropic'", "`noise` or `unroll`"
    for rule, by_rule in (
        ("compatibility", True),
        ("compat-flex", True),
        ("isotropic", False),
        ("tile", False),
        (None, False),
    ):
        said = ShortestWaves(0.1, 2.1, 1, 3, rule).warning
        assert (isotropic in said) is by_rule and train in said and said.count("1D already") == 0
    said = ShortestWaves(2.0, 4.1, 1, 3, "compatibility").warning
    assert isotropic not in said and "They grow in 1D already: train that network" in said


def test_models_that_were_never_trained_are_not_rolled_out():
    record = ginjax.load(FIXTURES / "diffusion_1d.safetensors").record
    bare = dataclasses.replace(record, contract=dataclasses.replace(record.contract, scales=()))
    assert shortest_waves(bare, record) is None


def test_of_a_network_that_pools_the_waves_that_grow_most_are_seen():
    """Against all eigenvalues of a step, of a U-Net that mixes waves of all lengths; the control is one that damps them."""
    scales = (FieldScale(DENSITY, 1.0),)
    contract = DataContract(axes_of((True,)), (DENSITY,), scales=scales, spacing=0.5, time_step=0.1)
    signature = Signature([((0, 0), 1)])
    design = ModelDesign("UNet", signature, signature, channels=2, blocks=1, levels=1, upsample="repeat")
    low = to_record(design.build(1, seed=0), contract=contract)
    found = []
    for rule in (make_rule("compat-flex", -1.0), "isotropic"):
        high = convert_record(low, 2, rule).after
        step = Forecaster.of(from_record(high), high)

        def moved(values, model=step.model):
            image = MultiImage({(0, 0): values.reshape(1, 8, 8)}, 2, (True, True))
            return model(image)[0][0, 0].ravel()

        states = jnp.full((64, 5), jnp.arange(-2.0, 3.0)).T
        exact = np.abs(np.linalg.eigvals(jax.jit(jax.vmap(jax.jacfwd(moved)))(states))).max()
        found.append((exact, growth_of_shortest(step), shortest_waves(low, high).warning))
    (wild, seen, warning), (tame, _, silent) = found
    assert wild > 1.5 > tame and 0.4 * wild < seen < 1.3 * wild
    assert warning and not silent
