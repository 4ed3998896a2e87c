"""Every picture is a figure and a file, and has the same bytes every time."""

import inspect
import io
import re
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from helpers import S, random_field
from matplotlib.figure import Figure
from sweeps import all_but

from ginjax.checkpoint import DataContract, Field, axes_of
from ginjax.errors import ArgumentError, FileError
from ginjax.ml import METRICS, Point, RolloutStudy, draw
from ginjax.ml.draw import picture_format, save_picture
from ginjax.ml.draw._canvas import add_legend, new_figure, panels
from ginjax.ml.draw._style import looks_of
from ginjax.ml.forecast import NO_CHANGE, PERSISTENCE

pytestmark = pytest.mark.pictures


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


@pytest.mark.parametrize("name", all_but(PICTURES, "forecast", "spectra", "transfer_curve", "transfer"))
def test_a_file_is_its_figure_with_the_same_bytes_every_time(tmp_path, monkeypatch, name):
    monkeypatch.setattr("ginjax.ml.draw._save.DPI", 40)
    write, make = draw_and_figure(name)
    write(tmp_path / "a", *drawn(name))
    figure = make(*drawn(name))
    assert isinstance(figure, Figure)
    save_picture(tmp_path / "b", figure, force=False)
    write(tmp_path / "c", *drawn(name, seed=1))
    a, b, c = ((tmp_path / each).read_bytes() for each in "abc")
    assert a == b != c
    assert int.from_bytes(a[16:20]) == int(figure.get_figwidth() * 40)


def test_a_file_has_300_dots_an_inch(tmp_path):
    figure = draw.curve_figure(*drawn("curve"))
    save_picture(tmp_path / "a", figure)
    assert int.from_bytes((tmp_path / "a").read_bytes()[16:20]) == int(figure.get_figwidth() * 300)


def test_legends_say_no_change_as_tables_do():
    title, study = drawn("errors")[0], drawn("errors")[1]
    beside = {**study.errors, PERSISTENCE: study.errors["model"]}
    figure = draw.errors_figure(
        title, replace(study, errors=beside, lost_at={**study.lost_at, PERSISTENCE: None})
    )
    assert {NO_CHANGE, "model"} <= set(said(figure)) and PERSISTENCE not in said(figure)


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


@pytest.mark.parametrize("ending", ["pdf", "svg"])
def test_the_ending_says_the_format_and_nothing_says_the_day(tmp_path, ending):
    written = [tmp_path / f"{name}.{ending}" for name in "ab"]
    for path in written:
        draw.draw_spectra(path, *drawn("spectra"))
    a, b = (path.read_bytes() for path in written)
    assert a == b and a.startswith({"pdf": b"%PDF", "svg": b"<?xml"}[ending])
    assert not re.search(rb"20\d\d-|CreationDate|Matplotlib v", a)
    # the control: what matplotlib writes by itself
    plain = io.BytesIO()
    draw.spectra_figure(*drawn("spectra")).savefig(plain, format=ending)
    assert re.search(rb"20\d\d-|CreationDate", plain.getvalue())


def test_another_ending_is_refused(tmp_path):
    assert [picture_format(each) for each in ("a", "a.b/c", "x.PDF", "y.svg")] == ["png", "png", "pdf", "svg"]
    with pytest.raises(ArgumentError, match=r"got '.jpg' in .*p.jpg, expected .png or .pdf or .svg"):
        draw.draw_spectra(tmp_path / "p.jpg", *drawn("spectra"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["errors", "spectra", "curve", "transfer_curve", "transfer"])
def test_widths_are_those_of_columns(name):
    _, make = draw_and_figure(name)
    for width, millimetres in (("one", 89), ("two", 183), (120, 120)):
        assert make(*drawn(name), width=width).get_figwidth() * 25.4 == pytest.approx(millimetres)
    for wrong in ("three", 10, 1e4, True, float("nan")):
        with pytest.raises(ArgumentError, match=r"width.*'one' or 'two' columns, or 60 to 600 millimetres"):
            make(*drawn(name), width=wrong)


def test_the_looks_are_not_those_that_the_user_set_and_theirs_stay():
    before = draw.errors_figure(*drawn("errors"))
    with matplotlib.rc_context({"axes.facecolor": "black", "lines.linewidth": 9.0, "text.usetex": True}):
        figure = draw.errors_figure(*drawn("errors"))
        assert matplotlib.rcParams["lines.linewidth"] == 9.0
    for one, other in zip(before.axes, figure.axes, strict=True):
        assert one.get_facecolor() == other.get_facecolor() == (1.0, 1.0, 1.0, 1.0)
        assert one.lines[0].get_linewidth() == other.lines[0].get_linewidth() < 2


def test_times_and_spreads_of_errors():
    title, study = drawn("errors")
    rows = study.errors["model"]["density"]["nrmse"] * np.linspace(0.5, 2.0, 5)[:, None]
    contract = DataContract(axes_of((True,)), (Field("density", 0, 0),), time_step=0.5, time_unit="s")
    spread = replace(
        study,
        trajectories=5,
        contract=contract,
        lost_at={"model": None},
        errors_by_trajectory={"model": {"density": {"nrmse": rows}}},
    )
    figure = draw.errors_figure(title, spread)
    shown = figure.axes[0]
    np.testing.assert_allclose(shown.lines[0].get_xdata(), [0.5, 1.0, 1.5])
    assert figure.axes[0].get_xlabel() == "t [s]"
    (band,) = shown.collections
    drawn_band = band.get_paths()[0].vertices
    np.testing.assert_allclose(
        (drawn_band[:, 1].min(), drawn_band[:, 1].max()),
        (np.percentile(rows, 16, axis=0).min(), np.percentile(rows, 84, axis=0).max()),
    )
    assert said(figure)[-1] == "middle 68% of 5 trajectories"
    assert not figure.axes[1].collections  # nothing is known of the spread of the others
    assert draw.errors_figure(title, study).axes[0].get_xlabel() == "step"


def said(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_logarithmic_axes_end_where_nothing_matters():
    """A blow-up leaves the panel, and so does the rounding below a spectrum."""
    title, study = drawn("errors")
    wild = {"density": {metric: np.array([0.1, 1e9, 1e30]) for metric in METRICS}}
    calm = {"density": {metric: np.full(3, 0.5) for metric in METRICS}}
    figure = draw.errors_figure(
        title,
        replace(study, errors={"model": wild, PERSISTENCE: calm}, lost_at={"model": None, PERSISTENCE: None}),
    )
    low, high = figure.axes[0].get_ylim()
    assert 0.05 < low < 0.1 and 5 < high < 20
    steep = {"density": {"truth": 10.0 ** -np.arange(0.0, 26.0, 2.0), "model": np.full(13, 1e-3)}}
    figure = draw.spectra_figure("", steep)
    low, high = figure.axes[0].get_ylim()
    assert 1e-11 < low < 1e-9 and high < 0.1


def test_spectra_say_wave_numbers_units_and_the_transform():
    (title, energies), grid = drawn("spectra"), (8, 6)
    contract = DataContract(
        axes_of((True, False)), (Field("density", 0, 0, "kg/m3"),), spacing=0.5, length_unit="m"
    )
    figure = draw.spectra_figure(
        title, {"density": {k: np.ones(9) for k in energies["density"]}}, contract=contract, grid=grid
    )
    (axis,) = figure.axes
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("wave number 2π/λ [1/m]", "energy [(kg/m3)²]")
    np.testing.assert_allclose(axis.lines[0].get_xdata(), 2 * np.pi / 4 * np.arange(1, 5))  # no corners
    assert figure.get_suptitle() == "spectra, cosine transform along y"
    plain = draw.spectra_figure(title, {"density": {"truth": np.ones(5)}})
    assert plain.axes[0].get_ylabel() == "energy"
    figure = draw.spectra_figure(title, energies)
    assert figure.axes[0].get_xlabel() == "waves along the longest axis"
    assert figure.get_suptitle() == "spectra"


def test_a_training_is_raw_and_smoothed():
    rng = np.random.default_rng(0)
    rows = [
        {"step": i, "loss": float(np.exp(-i / 50 + rng.normal())), "learning_rate": 1e-3}
        for i in range(1, 201)
    ]
    rows[20]["loss"] = 1e12
    upper, lower = draw.curve_figure("", rows).axes
    raw, smooth = upper.lines
    assert raw.get_alpha() < 0.5 and smooth.get_linewidth() > raw.get_linewidth()
    np.testing.assert_array_equal(raw.get_ydata(), [row["loss"] for row in rows])
    log = np.log([row["loss"] for row in rows])
    np.testing.assert_allclose(smooth.get_ydata()[100], np.exp(log[95:106].mean()))
    for end, own in ((0, log[:6]), (-1, log[-6:])):  # of several points there too
        np.testing.assert_allclose(smooth.get_ydata()[end], np.exp(own.mean()))
    assert np.diff(np.log(smooth.get_ydata()[40:])).std() < 0.5 * np.diff(log[40:]).std()
    assert upper.get_ylim()[1] < 1e6 and lower.get_ylim()[0] == 0.0
    (few,) = draw.curve_figure("", rows[:10]).axes[0].lines
    np.testing.assert_array_equal(few.get_ydata(), [row["loss"] for row in rows[:10]])


@pytest.mark.parametrize("width", ["one", "two"])
@pytest.mark.parametrize("spread", [0.01, None])  # None: of one seed
def test_the_legend_of_a_single_panel_is_whole_and_beside_the_curves(width, spread):
    points = [
        Point("wave", 1, 2, method, n, 2, 0.0, 0.1, spread, 1.0, 0.5)
        for method in ("converted", "calibrated", "scratch", "inflated")
        for n in (0, 4)
    ]
    figure = draw.transfer_curve_figure(points, width=width)
    figure.draw_without_rendering()
    (axis,), (legend,) = figure.axes, figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0
    assert box.y1 < axis.get_window_extent().y0
    assert len(legend.get_texts()) == (5 if spread is None else 6)


def test_a_picture_that_takes_a_width_is_told_it():
    told = []
    draw.register_picture("narrow", lambda title, study, D, width: told.append(width) or Figure())
    draw.register_picture("plain", lambda title, study, D: Figure())
    try:
        for name in ("narrow", "plain"):
            draw.picture_figure(name, "t", drawn("errors")[1], 1, width="one")
    finally:
        for name in ("narrow", "plain"):
            draw.PICTURES._known.pop(name)
    assert told == ["one"]


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
