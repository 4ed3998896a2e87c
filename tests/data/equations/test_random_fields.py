import math

import numpy as np
import pytest

from ginjax.data import gaussian_field
from ginjax.data.equations._random_fields import normal_cdf

SPACING, LENGTH = 0.5, 1.0


def covariance(D, side, lag, count):
    """Mean of `g(x) g(x + lag e_axis)` for each axis, over many fields."""
    rng = np.random.default_rng(3)
    total = np.zeros(D)
    for _ in range(count):
        field = gaussian_field(rng, D, side=side, spacing=SPACING, correlation_length=LENGTH)
        total += [np.mean(field * np.roll(field, lag, axis)) for axis in range(D)]
    return total / count


@pytest.mark.parametrize(("D", "side", "count"), [(1, 64, 800), (2, 32, 100), (3, 16, 100)])
def test_covariance_is_the_same_gaussian_in_every_dimension(D, side, count):
    for lag in (0, 2, 3):
        expected = math.exp(-0.5 * (lag * SPACING / LENGTH) ** 2)
        np.testing.assert_allclose(covariance(D, side, lag, count), expected, atol=0.06)
    # control: twice the lag is clearly another value
    assert abs(covariance(D, side, 4, 20)[0] - math.exp(-0.5)) > 0.2


def test_nyquist_mode_is_absent():
    rng = np.random.default_rng(0)
    field = gaussian_field(rng, 2, side=8, spacing=1.0, correlation_length=0.1)
    spectrum = np.fft.fft2(field)
    np.testing.assert_allclose(spectrum[4], 0, atol=1e-9)
    np.testing.assert_allclose(spectrum[:, 4], 0, atol=1e-9)
    assert np.abs(spectrum[3]).max() > 0.1


def test_normal_cdf():
    np.testing.assert_allclose(normal_cdf(np.array([0.0, 1.959964, -8.0])), [0.5, 0.975, 0], atol=1e-6)
