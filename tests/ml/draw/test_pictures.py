"""Every picture is a figure and a file, and has the same bytes every time."""

import inspect
from dataclasses import replace

import numpy as np
import pytest
from helpers import S, random_field
from matplotlib.figure import Figure

from ginjax.errors import FileError
from ginjax.ml import METRICS, Point, RolloutStudy, draw
from ginjax.ml.draw import save_picture
from ginjax.ml.draw._canvas import add_legend, new_figure, panels
from ginjax.ml.draw._style import DPI, looks_of
from ginjax.ml.forecast import NO_CHANGE, PERSISTENCE


def drawn(name, seed=0):
    """The arguments of a picture behind its path."""
    rng = np.random.default_rng(seed)
    fields = {"density": rng.normal(size=(4, 4)), "velocity": rng.normal(size=(4, 4, 2))}
    curves = {"density": {metric: rng.uniform(0.1, 1, 3) for metric in METRICS}}
    energies = {"density": {"truth": rng.uniform(0.1, 1, 4), "model": rng.uniform(0.1, 1, 4)}}
    each = random_field(S, 1, 6, seed)
    return {
        "forecast": ("a forecast", {1: (fields, fields)}, 2),
        "errors": ("errors", RolloutStudy(3, 1, {"model": curves}, {"model": 2}, 3, energies, {})),
        "spectra": ("spectra", energies),
        "curve": ("training", [{"step": i, "loss": rng.uniform(0.1, 1)} for i in (1, 2)]),
        "transfer_curve": (
            [
                Point("wave", 1, 2, "converted", n, 2, 0.0, rng.uniform(0.1, 0.2), 0.01, 1.0, 0.5)
                for n in (0, 4)
            ],
        ),
        "transfer": ("transfer", [(each, each, each)]),
    }[name]


PICTURES = ("forecast", "errors", "spectra", "curve", "transfer_curve", "transfer")


def draw_and_figure(name):
    return getattr(draw, f"draw_{name}"), getattr(draw, f"{name}_figure")


@pytest.mark.parametrize("name", PICTURES)
def test_a_file_is_its_figure_with_the_same_bytes_every_time(tmp_path, name):
    write, make = draw_and_figure(name)
    write(tmp_path / "a", *drawn(name))
    figure = make(*drawn(name))
    assert isinstance(figure, Figure)
    save_picture(tmp_path / "b", figure, force=False)
    write(tmp_path / "c", *drawn(name, seed=1))
    a, b, c = ((tmp_path / each).read_bytes() for each in "abc")
    assert a == b != c
    assert int.from_bytes(a[16:20]) == int(figure.get_figwidth() * DPI)


def test_legends_say_no_change_as_tables_do():
    title, study = drawn("errors")[0], drawn("errors")[1]
    beside = {**study.errors, PERSISTENCE: study.errors["model"]}
    figure = draw.errors_figure(
        title, replace(study, errors=beside, lost_at={**study.lost_at, PERSISTENCE: None})
    )
    said = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert NO_CHANGE in said and "model" in said and PERSISTENCE not in said


def test_a_frame_of_an_animation_is_a_figure():
    series = {"density": np.arange(12.0).reshape(3, 4)}
    figure = draw.animation_figure("a wave", series, 1, 2)
    figure.draw_without_rendering()
    assert isinstance(figure, Figure)
    assert figure.get_suptitle() == "a wave, step 2, predicted"
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), series["density"][2])


@pytest.mark.parametrize("name", [*PICTURES, "animation"])
def test_a_figure_takes_what_its_file_takes(name):
    write, make = ([*inspect.signature(each).parameters] for each in draw_and_figure(name))
    extra = {"frame"} if name == "animation" else set()
    assert set(make) - extra == set(write) - {"path", "force"}
    assert make[0] == write[1]


def test_a_file_that_is_there_is_kept_whole(tmp_path):
    path = tmp_path / "p.png"
    path.write_text("mine")
    with pytest.raises(FileError, match="exists already"):
        draw.draw_spectra(path, *drawn("spectra"))
    assert path.read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == ["p.png"]


def test_every_forecast_has_its_own_look():
    looks = looks_of(["truth", "model", "b", "a", PERSISTENCE, "from scratch"])
    assert len(set(looks.values())) == 6
    assert looks["model"] == looks_of(["model"])["model"]


def test_a_picture_grows_by_what_is_written_around_it():
    def panel_height(names):
        figure = new_figure(127, 2.5)
        axis = panels(figure, 1, 1)[0, 0]
        add_legend(figure, {name: axis.plot([1, 2])[0] for name in names})
        figure.draw_without_rendering()
        return axis.get_window_extent().height, figure.bbox.height

    (few, low), (many, high) = (
        panel_height("ab"),
        panel_height([f"forecast number {i}" * 3 for i in range(9)]),
    )
    assert high > 1.3 * low
    assert many == pytest.approx(few, rel=0.1)


def test_nothing_to_name_is_no_legend():
    figure = new_figure(60, 2)
    add_legend(figure, {})
    assert figure.legends == []
