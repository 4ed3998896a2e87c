"""The worlds with walls obey their laws, and the page on walls shows what the committed measurement says."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def walls():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import walls
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    return walls


@pytest.mark.parametrize("D", [2, 3])
def test_heat_goes_nowhere_and_sound_keeps_its_energy(walls, D):
    rng = np.random.default_rng(0)
    heat = walls.heat(D, 8, rng)["temperature"]
    mean = heat.mean(axis=tuple(range(1, D + 1)))
    np.testing.assert_allclose(mean, mean[0], atol=1e-12)
    assert heat[-1].std() < 0.9 * heat[0].std()
    sound = walls.sound(D, 8, rng)
    assert sound["velocity"].shape == (walls.FRAMES, *(8,) * D, D)
    energy = sum((values**2).reshape(walls.FRAMES, -1).sum(1) for values in sound.values())
    assert np.ptp(energy) < 0.02 * energy.mean()
    # Control: half of it does not keep its energy.
    assert np.ptp((sound["pressure"] ** 2).reshape(walls.FRAMES, -1).sum(1)) > 0.1 * energy.mean()


def test_sound_obeys_its_equations(walls):
    """By central differences in time: `u_t = -grad p`, with the slope taken from the cosines of the mirrored field."""
    before = walls.SOUND
    walls.SOUND = 1e-3
    try:
        sound = walls.sound(1, 16, np.random.default_rng(1))
    finally:
        walls.SOUND = before
    pressure, velocity = sound["pressure"], sound["velocity"][..., 0]
    mirrored = np.concatenate([pressure, pressure[:, ::-1]], axis=1)
    waves = 2j * np.pi * np.fft.fftfreq(32)
    slope = np.fft.ifft(np.fft.fft(mirrored, axis=1) * waves, axis=1).real[:, :16]
    np.testing.assert_allclose((velocity[2:] - velocity[:-2]) / 2e-3, -slope[1:-1], atol=1e-6)


def test_the_table_of_the_page_is_that_of_the_results(walls):
    results = json.loads(walls.RESULTS.read_text())
    page = (ROOT / "docs" / "guides" / "walls.md").read_text(encoding="utf-8")
    assert {cell.name for cell in walls.cells()} == results.keys()
    assert walls.report(results) in page
    one = {name: dict.fromkeys(row, 0.5) for name, row in results.items()}
    assert walls.report(one) not in page
