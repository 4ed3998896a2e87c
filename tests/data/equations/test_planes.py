from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import S, bank
from sweeps import few_rows

from ginjax.data import PDES, PLANES, Planes, generate, join, simulate, told_planes
from ginjax.data.sources._simulated import rollout
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage
from ginjax.models import SimpleConvSeries

SIDE = 8


def states(pde, planes):
    """All frames of one trajectory, solved on the grid of the plane, and in 3D from the same initial field."""
    start = pde.initial_state(np.random.default_rng(1), 3, SIDE, planes=planes)
    cube = (SIDE * pde.refinement,) * 3
    in_plane = rollout(pde.solver(3, SIDE, planes=planes), start, 2, pde.sub_steps)
    in_full = rollout(pde.solver(3, SIDE), planes.in_space(start, cube), 2, pde.sub_steps)
    return planes.in_space(np.asarray(in_plane), cube), np.asarray(in_full)


def check(name, planes):
    found, wanted = states(PDES[name], planes)
    np.testing.assert_allclose(found, wanted, atol=3e-6 * np.abs(wanted).max())
    assert np.abs(wanted[-1] - wanted[0]).max() > 0.01 * np.abs(wanted).max()


@pytest.mark.parametrize(
    ("name", "planes"),
    [
        ("burgers", "oblique"),
        ("wave", "oblique"),
        ("burgers", "flat"),
        ("acoustics", "flat"),
        *few_rows(("isothermal", "oblique")),
    ],
)
def test_fields_in_planes_obey_the_equation_in_space(name, planes):
    check(name, PLANES[planes])


@pytest.mark.slow
@pytest.mark.parametrize("planes", PLANES)
@pytest.mark.parametrize("name", [name for name, pde in PDES.items() if pde.planar])
def test_fields_in_planes_obey_every_equation_in_space(name, planes):
    check(name, PLANES[planes])


def test_derivatives_of_other_directions_give_another_solution():
    pde, flat, oblique = PDES["burgers"], *PLANES.values()
    start = pde.initial_state(np.random.default_rng(1), 3, SIDE, planes=flat)
    one, other = (
        rollout(pde.solver(3, SIDE, planes=each), start, 2, pde.sub_steps) for each in (flat, oblique)
    )
    assert np.abs(np.asarray(one - other)).max() > 0.1


def test_fields_are_constant_along_one_direction_and_periodic():
    oblique = generate("burgers", 3, trajectories=1, steps=1, side=SIDE, planes="oblique").fields["velocity"][
        0, 1
    ]
    assert oblique.shape == (SIDE, SIDE, SIDE, 3)
    np.testing.assert_array_equal(np.roll(oblique, (1, -1), (0, 1)), oblique)
    for axis in range(3):
        assert np.abs(np.roll(oblique, 1, axis) - oblique).max() > 1e-3
    flat = generate("burgers", 3, trajectories=1, steps=1, side=SIDE, planes="flat").fields["velocity"][0, 1]
    assert flat.shape == (SIDE, SIDE, 4, 3)
    np.testing.assert_array_equal(flat, np.repeat(flat[:, :, :1], 4, axis=2))
    for each in (flat, oblique):
        assert (each.std(axis=(0, 1, 2)) > 1e-3).all()  # no component is missing


def test_both_planes_take_turns_on_one_grid():
    def frames(planes, trajectories):
        return generate("burgers", 3, trajectories=trajectories, steps=1, side=SIDE, planes=planes).fields[
            "velocity"
        ]

    both, flat, oblique = frames("both", 4), frames("flat", 3), frames("oblique", 4)
    assert both.shape == (4, 2, SIDE, SIDE, SIDE, 3)
    for i in (0, 2):  # each as if it were the only kind
        np.testing.assert_array_equal(both[i], np.repeat(flat[i, :, :, :, :1], SIDE, axis=3))
        np.testing.assert_array_equal(both[i + 1], oblique[i + 1])


def test_each_kind_of_planes_goes_through_the_whole_mixture():
    source = simulate("diffusion", 3, trajectories=4, steps=1, side=SIDE, planes="both", cover=3)
    fields = [source.read(i, 0, 1)["density"][0] for i in range(4)]
    assert [bool((field == field[:, :, :1]).all()) for field in fields] == [True, True, False, False]
    note, what = source.notes
    assert note.startswith("planes in 3D begin with the correlation lengths 0.125 and 0.102 in turn: ")
    assert what.startswith("planes (both): fields that are constant along the last axis and along (1, -1, 0)")


def correlations(planes):
    """Of neighbours along each axis of space, over many draws; equal along all axes that a field varies along."""
    pde, rng = replace(PDES["diffusion"], refinement=1), np.random.default_rng(0)
    found = []
    for _ in range(200):
        field = planes.in_space(pde.initial_state(rng, 3, 16, planes=planes)[0], (16,) * 3)
        found.append(
            [(field * each).mean() for each in (field, *(np.roll(field, 1, axis) for axis in range(3)))]
        )
    return np.mean(found, axis=0)[1:] / np.mean(found, axis=0)[0]


def test_initial_fields_have_the_law_of_those_in_space():
    wanted = np.exp(-((1 / 16) ** 2) / (2 * PDES["diffusion"].correlation_length ** 2))
    x, y, z = correlations(PLANES["oblique"])
    # A displacement by one along x is one of 1/sqrt(2) in the plane.
    np.testing.assert_allclose([x, y, z], [wanted**0.5, wanted**0.5, wanted], rtol=0.03)
    np.testing.assert_allclose(correlations(PLANES["flat"]), [wanted, wanted, 1], rtol=0.03)


def test_slabs_are_thick_enough_for_any_filter():
    """A network of a large receptive field gives on a slab what it gives on a cube."""
    slab = generate("diffusion", 3, trajectories=1, steps=1, side=SIDE, planes="flat").fields["density"][
        0, :1
    ]
    network = SimpleConvSeries(S, S, bank(3), 1, 3, "auto", "tanh", jax.random.key(0))

    def run(field):
        return np.asarray(network(MultiImage({(0, 0): jnp.asarray(field)}, 3, (True,) * 3))[0][0, 0])

    thin, thick = run(slab), run(np.repeat(slab, 2, axis=3))
    np.testing.assert_allclose(np.repeat(thin, 2, axis=3), thick, atol=1e-6)
    assert np.abs(thin - slab).max() > 0.01


def test_planes_are_part_of_the_origin_and_can_cover():
    source = simulate("diffusion", 3, trajectories=2, steps=1, side=SIDE, planes="oblique", cover=3)
    assert (source.origin["planes"], source.origin["cover"], source.spatial) == ("oblique", 3, (SIDE,) * 3)
    assert source.origin["correlation_lengths"] == pytest.approx([0.125, 0.125 * (2 / 3) ** 0.5])


@pytest.mark.parametrize(
    ("D", "planes", "message"),
    [
        (3, "tilted", "`planes`: got 'tilted', expected 'flat' or 'oblique' or 'both'"),
        (2, "flat", "`planes`: got a simulation in 2D, expected one in 3D"),
    ],
)
def test_unknown_planes_are_refused(D, planes, message):
    with pytest.raises(ArgumentError, match=message):
        simulate("diffusion", D, trajectories=1, steps=1, side=SIDE, planes=planes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stepper": "exponax.stepper:Wave"}, "`planes` of wave: a step that differs by"),
        ({"planar": False}, "`planes` of wave: it has none"),
    ],
)
def test_a_solver_that_does_not_use_the_derivatives_is_refused(changes, message):
    own = replace(PDES["wave"], **changes)
    with pytest.raises(ArgumentError, match=message):
        simulate(own, 3, trajectories=1, steps=1, side=SIDE, planes="oblique")


def test_rows_say_where_fields_are_thin():
    assert Planes(((0, 1, 0), (0, 0, 1))).spatial(16) == (4, 16, 16)


def test_data_of_which_some_only_are_planes_are_none():
    made = {
        planes: simulate("diffusion", 3, trajectories=1, steps=1, side=SIDE, planes=planes)
        for planes in ("oblique", "both", None)
    }
    for parts, told in (
        (["oblique", "oblique"], "oblique"),
        (["oblique", None], None),
        ([None, "oblique"], None),
        ([None, None], None),
    ):
        joined = join([made[each] for each in parts], [str(each) for each in parts], None)
        assert told_planes(joined.origin) == told
        assert told_planes({"about": dict(joined.origin)}) == told  # once they were converted
