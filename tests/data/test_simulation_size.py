import pytest

from ginjax.data import PDES, simulate, simulation_size


def held(name, D, **options):
    """Bytes of one trajectory."""
    source = simulate(name, D, trajectories=1, **options)
    return sum(each.nbytes for each in source.read(0, 0, source.frames).values())


@pytest.mark.parametrize("planes", [None, "flat", "oblique", "both"])
@pytest.mark.parametrize("name", ["diffusion", "burgers"])
def test_memory_holds_a_trajectory_and_its_copy(name, planes):
    sizes = {"steps": 1, "side": 24, "planes": planes}
    said = simulation_size(PDES[name], 3, trajectories=3, **sizes)
    one = held(name, 3, **sizes)
    assert said.disk == 3 * one
    assert said.memory >= 2 * one


def test_planes_need_the_room_of_what_is_laid_out_in_space():
    sizes = {"trajectories": 1, "steps": 8, "side": 64}
    plane = simulation_size(PDES["burgers"], 2, **sizes)
    oblique = simulation_size(PDES["burgers"], 3, planes="oblique", **sizes)
    # control: the solver's grid by itself, in three components, is less than what is held
    assert 1.5 * plane.memory < oblique.disk < oblique.memory / 2
