import numpy as np
import pytest

from ginjax.errors import ArgumentError
from ginjax.ml import energy_spectrum


def wave(spatial, vector, amplitude):
    phase = sum(
        2 * np.pi * n * np.arange(side).reshape(-1, *(1,) * (len(spatial) - 1 - axis)) / side
        for axis, (side, n) in enumerate(zip(spatial, vector, strict=True))
    )
    return amplitude * np.sin(phase)


@pytest.mark.parametrize(
    ("spatial", "vector", "shell"),
    [((16,), (3,), 3), ((12, 12), (3, 4), 5), ((8, 8, 8), (2, 2, 1), 3), ((16, 8), (0, 2), 4)],
)
def test_a_plane_wave_is_in_one_shell(spatial, vector, shell):
    energy = energy_spectrum(wave(spatial, vector, 3.0)[None], len(spatial))[0]
    assert energy[shell] == pytest.approx(4.5)  # the mean square of 3 sin
    assert np.delete(energy, shell) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("shape", "D"), [((2, 7), 1), ((2, 6, 5, 2), 2), ((1, 4, 6, 5, 3, 3), 3)])
def test_shells_add_up_to_the_mean_square(shape, D):
    values = np.random.default_rng(0).normal(1.0, 1.0, shape)
    axes = tuple(range(1, 1 + D))
    expected = np.square(values).mean(axis=axes).reshape(shape[0], -1).sum(axis=1)
    energy = energy_spectrum(values, D)
    np.testing.assert_allclose(energy.sum(axis=1), expected)
    mean = np.square(values.mean(axis=axes)).reshape(shape[0], -1).sum(axis=1)
    np.testing.assert_allclose(energy[:, 0], mean)
    assert not np.allclose(energy[:, 1:].sum(axis=1), expected)  # the mean is energy too


def test_a_lost_field_has_no_spectrum_and_too_few_axes_are_refused():
    assert np.isnan(energy_spectrum(np.array([[1.0, np.nan, 2.0, 0.0]]), 1)).all()
    with pytest.raises(ArgumentError, match="axes of the field"):
        energy_spectrum(np.zeros((2, 4)), 2)


@pytest.mark.parametrize(("n", "m", "shell"), [(16, 3, 2), (16, 4, 2), (9, 5, 3)])
def test_a_cosine_between_walls_is_in_one_shell(n, m, shell):
    """Half waves fit between walls; as a periodic field the same one leaks into every shell."""
    values = 3.0 * np.cos(np.pi * m * (np.arange(n) + 0.5) / n)[None]
    energy = energy_spectrum(values, 1, (False,))[0]
    assert energy[shell] == pytest.approx(4.5)
    assert np.delete(energy, shell) == pytest.approx(0.0, abs=1e-12)
    if m % 2:
        assert energy_spectrum(values, 1)[0][1:].min() > 1e-4


def test_shells_between_walls_add_up_to_the_mean_square():
    values = np.random.default_rng(0).normal(1.0, 1.0, (2, 6, 5, 2))
    energy = energy_spectrum(values, 2, (True, False))
    np.testing.assert_allclose(energy.sum(axis=1), np.square(values).mean(axis=(1, 2)).sum(axis=1))
    mean = np.square(values.mean(axis=(1, 2))).sum(axis=1)
    np.testing.assert_allclose(energy[:, 0], mean)
    np.testing.assert_array_equal(energy_spectrum(values, 2, (True, True)), energy_spectrum(values, 2))
