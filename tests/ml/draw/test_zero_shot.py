import struct

import numpy as np
import pytest
from helpers import SV, S, V, random_field
from sweeps import few

from ginjax.checkpoint import DataContract, Field, axes_of
from ginjax.errors import FileError
from ginjax.geometric import MultiImage
from ginjax.ml import draw_transfer, transfer_figure
from ginjax.ml.draw._zero_shot import sample_error

pytestmark = pytest.mark.pictures


@pytest.fixture(autouse=True)
def few_dots(monkeypatch):
    monkeypatch.setattr("ginjax.ml.draw._save.DPI", 80)


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


@pytest.mark.parametrize("signature", [SV, *few(V)], ids=["scalar+vector", "vector"])
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


def test_the_difference_has_a_scale_of_its_own():
    """An error of a hundredth is drawn as large as the field, and the field alike in every dimension."""
    rows = [prediction(S, D)[:2] for D in (2, 3)]
    figure = transfer_figure("diffusion", [(before, truth, truth * 1.01) for before, truth in rows])
    images = [axis.images[0] for axis in figure.axes if axis.get_label() != "<colorbar>"]
    assert len(images) == 8
    fields, differences = [each for i, each in enumerate(images) if i % 4 < 3], images[3::4]
    for group in (fields, differences):
        ((low, high),) = {each.get_clim() for each in group}
        assert low == -high
    most = max(np.abs(np.asarray(each.get_array())).max() for each in differences)
    assert differences[0].get_clim()[1] == pytest.approx(most)
    assert most < 0.05 * fields[0].get_clim()[1]


def test_names_places_and_units_are_those_of_the_contracts():
    contracts = [
        DataContract(axes_of((True,) * D), (Field("u", 0, 0, "K"),), spacing=0.5, time_step=0.1)
        for D in (1, 3)
    ]
    figure = transfer_figure("a run", [prediction(S, D) for D in (1, 3)], contracts=contracts)
    lines, difference, *planes = [axis for axis in figure.axes if axis.get_label() != "<colorbar>"]
    assert (lines.get_xlabel(), lines.get_ylabel()) == ("x", "u [K]")
    assert len(lines.lines) == 3 and len(difference.lines) == 1
    low, high = lines.get_ylim()
    assert all(low < each.get_ydata().min() and each.get_ydata().max() < high for each in lines.lines)
    titles = [axis.get_title().replace("\n", "") for axis in planes]
    assert titles[:2] == ["3D, z = 1.5: input, t = 0", "truth, t = 0.1"]
    bars = [axis.get_xlabel() for axis in figure.axes if axis.get_label() == "<colorbar>"]
    assert bars == ["u [K]", "prediction \N{MINUS SIGN} truth [K]"]
    narrow = transfer_figure("a run", [prediction(S, 3)], contracts=contracts[1:], width="one")
    assert sum(bool(axis.images) for axis in narrow.axes) == 3  # no room for the input


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
