import struct

import numpy as np
import pytest
from helpers import SV, S, V, random_field

from ginjax.errors import FileError
from ginjax.geometric import MultiImage
from ginjax.ml import draw_transfer
from ginjax.ml.draw._zero_shot import sample_error

PNG = b"\x89PNG\r\n\x1a\n"


def prediction(signature, D, seed=0):
    return tuple(random_field(signature, D, 6, seed + i) for i in range(3))


def size(path):
    data = path.read_bytes()
    assert data[:8] == PNG
    return struct.unpack(">II", data[16:24])


def test_a_row_for_each_dimension(tmp_path):
    rows = [prediction(S, D) for D in (1, 2, 3)]
    for count in (1, 3):
        draw_transfer(tmp_path / f"{count}.png", "diffusion", rows[:count])
    (wide, low), (same, high) = (size(tmp_path / f"{count}.png") for count in (1, 3))
    assert wide == same
    assert high > 2 * low


@pytest.mark.parametrize("signature", [V, SV], ids=["vector", "scalar+vector"])
def test_vectors(tmp_path, signature):
    draw_transfer(tmp_path / "p.png", "burgers", [prediction(signature, D) for D in (1, 2, 3)])
    assert size(tmp_path / "p.png")[0] > 500


def test_the_same_fields_give_the_same_bytes(tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        draw_transfer(tmp_path / name, "diffusion", [prediction(S, 1, seed)])
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("D", [1, 2])
@pytest.mark.parametrize("value", [0.0, np.nan])
def test_fields_without_a_scale(tmp_path, value, D):
    zeros, odd = (random_field(S, D, 4) * factor for factor in (0.0, value))
    draw_transfer(tmp_path / "p.png", "nothing", [(zeros, zeros, odd)])
    assert size(tmp_path / "p.png")


def test_the_error_of_a_sample_is_over_all_its_components():
    _, truth, _ = prediction(SV, 2)
    assert sample_error(truth, truth) == 0.0
    assert sample_error(truth, truth * 1.25) == pytest.approx(0.25, rel=1e-5)
    blocks = [np.asarray(block) for block in truth.values()]
    missing = MultiImage({**dict(truth.items()), ((), 0): truth[0, 0] * 0}, 2)
    expected = np.linalg.norm(blocks[0]) / np.sqrt(sum(np.sum(block**2) for block in blocks))
    assert sample_error(truth, missing) == pytest.approx(expected, rel=1e-5)
    assert np.isnan(sample_error(truth * 0.0, truth))


def test_the_difference_has_a_scale_of_its_own(monkeypatch, tmp_path):
    """An error of a hundredth is drawn as large as the field."""
    from matplotlib.axes import Axes

    drawn = []
    show = Axes.imshow
    monkeypatch.setattr(Axes, "imshow", lambda axis, *a, **k: drawn.append((a[0], k)) or show(axis, *a, **k))
    before, truth, _ = prediction(S, 2)
    draw_transfer(tmp_path / "p.png", "diffusion", [(before, truth, truth * 1.01)])
    fields, (difference, scale) = drawn[:3], drawn[3]
    assert len({k["vmax"] for _, k in fields}) == 1 and all(k["vmin"] == -k["vmax"] for _, k in drawn)
    assert scale["vmax"] == pytest.approx(np.abs(difference).max())
    assert scale["vmax"] < 0.05 * fields[0][1]["vmax"]


def test_an_existing_file_is_kept(tmp_path):
    path = tmp_path / "p.png"
    path.write_text("mine")
    with pytest.raises(FileError, match="exists already"):
        draw_transfer(path, "diffusion", [prediction(S, 1)])
    assert path.read_text() == "mine"
    draw_transfer(path, "diffusion", [prediction(S, 1)], force=True)
    assert size(path)


def test_no_window_system_and_no_global_figures(tmp_path):
    import matplotlib.pyplot as plt

    draw_transfer(tmp_path / "p.png", "diffusion", [prediction(S, 1)])
    assert plt.get_fignums() == []
    assert np.isfinite(size(tmp_path / "p.png")).all()
