from dataclasses import replace

import pytest

from ginjax.data import PDES, covering_factors, generate, measure_coverage, simulate
from ginjax.data.equations import with_length
from ginjax.errors import ArgumentError


@pytest.mark.parametrize(("D", "target"), [(1, 2), (1, 3), (2, 3)])
def test_the_shortest_length_covers_gradient_and_laplacian_of_a_gaussian_field(D, target):
    *_, shortest = factors = covering_factors(D, target)
    assert factors[0] == 1 and list(factors) == sorted(factors, reverse=True)
    assert D / shortest**2 == pytest.approx(target)
    assert D * (D + 2) / shortest**4 >= target * (target + 2)


@pytest.mark.parametrize("name", ["allen-cahn", "gray-scott", "burgers"])
def test_what_was_measured_on_the_initial_fields(name):
    coverage = measure_coverage(PDES[name], 1, 3)
    assert 0.85 < coverage.gradient < 1.15 and 0.7 < coverage.laplacian < 1.15
    assert coverage.lengths[0] == PDES[name].correlation_length
    assert "initial fields in 3D" in str(coverage) and "later" not in str(coverage)


def test_one_length_does_not_cover(monkeypatch):
    monkeypatch.setattr("ginjax.data.equations._cover.LENGTHS", 1)
    alone = measure_coverage(PDES["allen-cahn"], 1, 3)
    assert alone.gradient > 1.5 and alone.laplacian > 1.8


def test_fields_that_are_long_forgotten_are_spoken_of():
    assert str(measure_coverage(PDES["kuramoto-sivashinsky"], 2, 3)).endswith("begin 20 time steps later")


def test_trajectories_take_the_lengths_in_turn_and_keep_their_random_numbers():
    asked = {"trajectories": 4, "steps": 1, "side": 8, "seed": 3}
    mixed = generate("diffusion", 1, cover=3, **asked).fields["density"]
    shorter = with_length(PDES["diffusion"], covering_factors(1, 3)[1])
    alone = [generate(pde, 1, **asked).fields["density"] for pde in (PDES["diffusion"], shorter)]
    for index in range(4):
        assert mixed[index].tobytes() == alone[index % 2][index].tobytes()
        assert mixed[index].tobytes() != alone[1 - index % 2][index].tobytes()
    fewer = generate("diffusion", 1, cover=3, **asked | {"trajectories": 2}).fields["density"]
    assert fewer.tobytes() == mixed[:2].tobytes()


def test_data_say_what_they_cover():
    source = simulate("diffusion", 1, trajectories=1, steps=1, side=8, cover=2)
    assert source.origin["cover"] == 2
    assert source.origin["correlation_lengths"] == pytest.approx([0.125, 0.125 * 0.5**0.5])
    (note,) = source.notes
    assert note.startswith(
        "data in 1D begin with the correlation lengths 0.125 and 0.0884 in turn: initial fields"
    )
    plain = simulate("diffusion", 1, trajectories=1, steps=1, side=8)
    assert not {"cover", "correlation_lengths", "planes"} & set(plain.origin) and not plain.notes


@pytest.mark.parametrize(
    ("D", "cover", "message"),
    [
        (1, 1, "`cover`: got 1, expected a dimension that the data, which vary in 1,"),
        (1, 4, "`cover`: got 4, expected"),
        (2, 2, "`cover`: got 2, expected"),
        (3, 3, "`cover`: got data in 3D, expected data of a lower dimension"),
    ],
)
def test_dimensions_that_cannot_be_covered(D, cover, message):
    with pytest.raises(ArgumentError, match=message):
        simulate("diffusion", D, trajectories=1, steps=1, side=8, cover=cover)


def test_another_length_is_another_equation():
    pde = PDES["wave"]
    assert with_length(pde, 1) is pde
    half = with_length(pde, 0.5)
    assert replace(half, correlation_length=pde.correlation_length) == pde
    assert half.correlation_length == pde.correlation_length / 2
