"""Equations by name, the library's own and a user's."""

import copy
import dataclasses
import importlib.util
import math
import pickle

import numpy as np
import pytest

from ginjax.data import PDES, find_pde, generate
from ginjax.data.equations import _registry, register_pde
from ginjax.errors import ArgumentError
from ginjax_cli._options import EQUATIONS

TOY = '''
import numpy as np

from ginjax.checkpoint import Field
from ginjax.data.equations import PDE


def ramp(draw, D):
    """One wave along the first axis, moved by a random phase."""
    phase = draw().ravel()[0]
    side = draw().shape[0]
    wave = np.cos(2 * np.pi * np.arange(side) / side + phase)
    return np.broadcast_to(wave.reshape(side, *(1,) * (D - 1)), (side,) * D)[None]


TOY = PDE(
    name="toy",
    equation="u_t = nu Lap(u)",
    fields=(Field("heat", 0, 0),),
    parameters={"diffusivity": 0.1},
    stepper="exponax.stepper:Diffusion",
    time_step=0.25,
    sub_steps=1,
    correlation_length=0.1,
    initial=ramp,
    refinement=1,
)
'''


@pytest.fixture
def own_registry(monkeypatch):
    """What a test registers is gone afterwards."""
    monkeypatch.setattr(PDES, "_known", dict(PDES._known))


@pytest.fixture
def toy(tmp_path):
    path = tmp_path / "toy_equation.py"
    path.write_text(TOY)
    spec = importlib.util.spec_from_file_location("toy_equation", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.TOY


def test_the_command_line_offers_exactly_what_is_registered():
    assert EQUATIONS.own == tuple(PDES) == tuple(pde.name for pde in _registry.OWN)


def test_names_and_descriptions_belong_together():
    assert len(PDES) == len(_registry.OWN) == 12
    for name, pde in PDES.items():
        assert find_pde(name) is pde and pde.name == name


@pytest.mark.usefixtures("own_registry")
def test_an_equation_is_one_file_and_one_call(toy):
    with pytest.raises(ArgumentError, match="'toy'"):
        generate("toy", 1, trajectories=1, steps=1, side=8)
    assert register_pde(toy) is toy
    assert tuple(PDES)[-1] == "toy"
    for D in (1, 2):
        heat = generate("toy", D, trajectories=1, steps=2, side=8).fields["heat"][0]
        rate = 0.1 * (2 * math.pi / toy.extent(8)) ** 2 * toy.time_step
        np.testing.assert_allclose(heat[2], math.exp(-2 * rate) * heat[0], atol=1e-5)
        assert np.abs(heat[0]).max() > 0.5


def test_what_one_test_registers_is_gone():
    assert "toy" not in PDES


@pytest.mark.usefixtures("own_registry")
def test_a_name_that_is_taken_is_refused(toy):
    register_pde(toy)
    for taken in (dataclasses.replace(toy, time_step=0.5), dataclasses.replace(toy, name="wave")):
        with pytest.raises(ArgumentError, match=rf"got '{taken.name}', which is taken, expected a name"):
            register_pde(taken)
    assert register_pde(toy) is toy  # a cell of a notebook that is run again


@pytest.mark.parametrize("name", PDES)
def test_copies_and_pickles_are_equal(name):
    pde = PDES[name]
    for other in (copy.copy(pde), copy.deepcopy(pde), pickle.loads(pickle.dumps(pde))):
        assert other == pde and other is not pde
        with pytest.raises(TypeError):
            other.parameters["diffusivity"] = 1.0
    # control: the parameters by themselves cannot be copied
    with pytest.raises(TypeError, match="mappingproxy"):
        copy.deepcopy(pde.parameters)


def test_the_table_of_equations_is_one_object():
    assert copy.deepcopy({"of": PDES})["of"] is PDES
    assert pickle.loads(pickle.dumps(PDES)) is PDES
    with pytest.raises(TypeError):
        PDES["wave"] = PDES["diffusion"]


def test_parameters_are_kept_as_they_were_handed_over():
    own = {"diffusivity": 0.5}
    changed = dataclasses.replace(PDES["diffusion"], parameters=own)
    own["diffusivity"] = 7.0
    assert changed.parameters["diffusivity"] == 0.5


@pytest.mark.parametrize("stepper", ["Diffusion", "exponax.stepper:", ":Diffusion"])
def test_a_stepper_without_module_or_name_is_refused(stepper):
    with pytest.raises(ArgumentError, match="stepper of diffusion"):
        dataclasses.replace(PDES["diffusion"], stepper=stepper)
