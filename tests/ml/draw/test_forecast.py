"""Pictures of fields: places, times and units from the contract, one scale a field, and marks for what lies off it."""

import matplotlib
import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.quiver import Quiver
from PIL import Image

from ginjax.checkpoint import Axis, DataContract, Field, axes_of
from ginjax.ml import animation_figure, draw_animation, draw_forecast, forecast_figure
from ginjax.ml.draw._canvas import new_figure
from ginjax.ml.draw._colours import Scale, diverging, sequential
from ginjax.ml.draw._field_panel import curve_scale, draw_plane
from ginjax.ml.draw._labels import Labels

pytestmark = pytest.mark.pictures

FIELDS = (Field("height", 0, 0, "m"), Field("flow", 1, 0, "m/s"), Field("share", 0, 0, "1"))


def known(D, **more):
    return DataContract(
        axes_of((True,) * D), FIELDS, spacing=0.25, time_step=0.4, length_unit="km", time_unit="h", **more
    )


def fields(D, seed=0, side=6):
    rng = np.random.default_rng(seed)
    grid = (side, side - 1, side + 6)[:D]
    return {"height": rng.uniform(1, 2, grid), "flow": rng.normal(size=(*grid, D))}


def panels_and_bars(figure):
    bars = [axis for axis in figure.axes if axis.get_label() == "<colorbar>"]
    return [axis for axis in figure.axes if axis not in bars], bars


def titles(figure):
    return [axis.get_title().replace("\n", "") for axis in panels_and_bars(figure)[0]]


def hatches(axis):
    return [each for each in axis.collections if isinstance(each, PolyCollection) and each.get_hatch()]


@pytest.mark.parametrize("D", [2, 3])
def test_arrows_lie_where_the_vectors_are_and_colours_are_their_lengths(D):
    values = np.zeros((*(10, 8, 6)[:D], D))
    at = (4, 6, 3)[:D]  # in 3D on the central slice
    values[(*at, slice(None))] = (3.0, 4.0, 12.0)[:D]
    shown = new_figure("two", 2).subplots()
    length = 13.0 if D == 3 else 5.0
    draw_plane(shown, values, Labels.of(known(D), D), Scale(0.0, length), 5.0)
    image = np.asarray(shown.images[0].get_array())
    assert (image.shape, image[6, 4], np.count_nonzero(image)) == ((8, 10), length, 1)
    (arrows,) = [each for each in shown.collections if isinstance(each, Quiver)]
    columns = (np.asarray(each) for each in (arrows.X, arrows.Y, arrows.U, arrows.V))
    (drawn,) = [each for each in zip(*columns, strict=True) if each[2:] != (0.0, 0.0)]
    assert drawn == (4 * 0.25, 6 * 0.25, 3.0, 4.0)


def test_ranges():
    nothing = [np.full(3, np.nan)]
    for given, (low, high), signed in (
        ([np.array([-1.0, 3.0])], (-3.0, 3.0), True),
        ([np.array([1.0, 3.0, np.nan])], (1.0, 3.0), False),
        ([np.array([-2.0]), np.array([-1.0])], (-2.0, -1.0), False),
        ([np.array([2.0, 2.0])], (0.0, 2.0), False),
        ([np.array([-2.0, -2.0])], (-2.0, 0.0), False),
        ([np.zeros(3)], (0.0, 1.0), False),
        (nothing, (-1.0, 1.0), True),
    ):
        found = Scale.of(given)
        assert (found.low, found.high, found.signed) == (low, high, signed)
    assert Scale.of([np.array([2.0, 3.0])], lengths=True) == Scale(0.0, 3.0)
    assert Scale.of(nothing, lengths=True) == Scale(0.0, 1.0)
    # curves are shown as far as they go, unless that would flatten the truth
    truth = [np.array([1.0, 2.0])]
    assert curve_scale(truth, [np.array([0.5, 2.5])]) == Scale(0.5, 2.5)
    assert curve_scale(truth, [np.array([-1e9, 1e9])]) == Scale(0.0, 3.0)


def test_colours_are_told_apart_in_grey_and_sign_has_two_hues():
    def light(map_):
        return np.asarray(map_(np.linspace(0, 1, 101)))[:, :3] @ [0.2126, 0.7152, 0.0722]

    for mine in (sequential(), diverging()):
        assert (np.diff(light(mine)) > -1e-3).all() and np.ptp(light(mine)) > 0.6
    usual = np.diff(light(matplotlib.colormaps["RdBu_r"]))  # the control: it is light in the middle
    assert (usual > 0.001).any() and (usual < -0.001).any()
    low, middle, high = (np.asarray(diverging()(x))[:3] for x in (0.0, 0.5, 1.0))
    assert np.ptp(middle) < 0.02 and low.argmax() == 2 and high.argmin() == 2


@pytest.mark.parametrize("D", [1, 2, 3])
def test_axes_times_slices_and_units_are_those_of_the_contract(D):
    truth = fields(D)
    figure = forecast_figure("a run", {1: (truth, truth), 8: (truth, truth)}, D, contract=known(D))
    panels, bars = panels_and_bars(figure)
    assert panels[-1].get_xlabel() == "x [km]"
    assert figure.get_suptitle() == ("a run, z = 1.5 km" if D == 3 else "a run")
    assert any("t = 0.4 h" in each for each in titles(figure))
    assert any("t = 3.2 h" in each for each in titles(figure))
    if D == 1:
        assert not bars
        named = [axis.get_ylabel() for axis in panels[::4]]
        assert named == ["height [m]", "flow [m/s]"]
        np.testing.assert_array_equal(panels[0].lines[0].get_xdata(), np.arange(6) * 0.25)
        return
    assert panels[0].get_ylabel() == "y [km]"
    extent = panels[0].images[0].get_extent()
    np.testing.assert_allclose(extent, (-0.125, 1.375, -0.125, 1.125))
    assert [bar.get_xlabel().replace("\n", " ") for bar in bars] == [
        "height [m]", "prediction \N{MINUS SIGN} truth [m]", "|flow| [m/s]", "|prediction \N{MINUS SIGN} truth| [m/s]",
    ]  # fmt: skip


def test_what_is_not_known_is_counted():
    truth = fields(2)
    figure = forecast_figure("", {8: (truth, truth)}, 2)
    panels, bars = panels_and_bars(figure)
    assert panels[-1].get_xlabel() == "x [grid points]" and titles(figure)[0] == "truth, step 8"
    assert bars[0].get_xlabel() == "height" and figure.get_suptitle() == ""
    for axis in panels:
        assert all(float(tick).is_integer() for tick in axis.get_xticks())
    # a quantity without a unit, and axes of other names
    share = {"share": truth["height"]}
    named = DataContract((Axis("r"), Axis("z")), FIELDS, spacing=0.5)
    figure = forecast_figure("", {1: (share, share)}, 2, contract=named)
    panels, bars = panels_and_bars(figure)
    assert (panels[0].get_xlabel(), panels[0].get_ylabel()) == ("r", "z")
    assert bars[0].get_xlabel() == "share"


def test_a_field_has_one_map_and_one_scale_in_all_rows():
    truth = fields(2)
    late = {name: 0.1 * values for name, values in truth.items()}
    figure = forecast_figure("", {1: (truth, truth), 8: (late, truth)}, 2, contract=known(2))
    panels, bars = panels_and_bars(figure)
    assert (len(panels), len(bars)) == (12, 4)
    shown = [axis.images[0] for axis in panels]
    for block in (shown[:6], shown[6:]):
        fields_, differences = [each for i, each in enumerate(block) if i % 3 < 2], block[2::3]
        for group in (fields_, differences):
            assert len({each.get_clim() for each in group}) == 1
            assert len({id(each.get_cmap()) for each in group}) == 1
        assert fields_[0].get_clim() != differences[0].get_clim()
    low, high = shown[0].get_clim()
    assert low == late["height"].min() and high == truth["height"].max()
    assert shown[6].get_clim()[0] == 0.0  # lengths


def test_values_off_the_scale_are_marked():
    truth, within = fields(2), fields(2)
    beyond = {name: values.copy() for name, values in truth.items()}
    beyond["height"][0, 1] = 9.0
    beyond["height"][2, 3] = -9.0
    beyond["height"][4, 4] = np.nan
    figure = forecast_figure("", {1: (truth, beyond)}, 2)
    panels, bars = panels_and_bars(figure)
    outside, lost = hatches(panels[1])
    assert [len(each.get_paths()) for each in (outside, lost)] == [2, 1]
    assert titles(figure)[1] == "prediction (7% off the scale, 3% not finite)"
    assert bars[0]._colorbar.extend == "both"
    image = panels[1].images[0]
    colours = image.to_rgba(np.asarray([9.0, -9.0]))
    assert not np.allclose(colours[0], image.to_rgba(np.asarray([truth["height"].max()]))[0])
    assert not np.allclose(colours[0], colours[1])
    # the control: a prediction like the truth
    figure = forecast_figure("", {1: (truth, within)}, 2)
    panels, bars = panels_and_bars(figure)
    assert not any(hatches(axis) for axis in panels) and bars[0]._colorbar.extend == "neither"
    assert titles(figure)[:3] == ["truth, step 1", "prediction", "difference, 0.0% of truth"]


def test_truth_and_prediction_of_one_dimension_share_a_panel():
    truth, guess = fields(1), fields(1, seed=1)
    figure = forecast_figure("", {3: (truth, guess)}, 1)
    panels, _ = panels_and_bars(figure)
    assert len(panels) == 4
    below, above = panels[0].lines
    np.testing.assert_array_equal(below.get_ydata(), truth["height"])
    np.testing.assert_array_equal(above.get_ydata(), guess["height"])
    (difference,) = panels[1].lines
    np.testing.assert_array_equal(difference.get_ydata(), guess["height"] - truth["height"])
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["truth", "prediction"]


@pytest.mark.parametrize("D", [1, 3])
def test_nothing_is_cut_off_in_one_column(D):
    truth = fields(D)
    figure = forecast_figure("a run", {1: (truth, fields(D, 1))}, D, contract=known(D), width="one")
    assert figure.get_figwidth() == pytest.approx(89 / 25.4)
    figure.draw_without_rendering()
    for axis in figure.axes:
        box = axis.get_tightbbox()
        assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1 and box.y0 >= -1 and box.y1 <= figure.bbox.y1 + 1


@pytest.mark.filterwarnings("error")
def test_fields_that_are_lost_are_drawn_as_far_as_they_can(tmp_path):
    fields = {"density": np.zeros((4, 4)), "velocity": np.zeros((4, 4, 2)), "stress": np.ones((4, 4, 2, 2))}
    lost = {name: np.full_like(values, np.nan) for name, values in fields.items()}
    draw_forecast(tmp_path / "p.png", "nothing", {1: (fields, lost)}, 2)
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"


# --- animations -------------------------------------------------------------------------------------------------------


def series(D, frames, seed=0):
    rng = np.random.default_rng(seed)
    grid = (6, 5, 4)[:D]
    return {"height": rng.uniform(1, 2, (frames, *grid)), "flow": rng.normal(size=(frames, *grid, D))}


def test_a_frame_has_truth_bar_time_and_slice():
    forecast, truth = series(3, 4), series(3, 3, seed=1)
    figure = animation_figure("a run", forecast, 3, 2, given=1, truth=truth, contract=known(3))
    panels, bars = panels_and_bars(figure)
    assert figure.get_suptitle() == "a run, t = 0.8 h, z = 0.5 km, predicted"
    assert [each.split(" (")[0] for each in titles(figure)] == ["truth", "prediction"] * 2
    assert [bar.get_xlabel() for bar in bars] == ["height [m]", "|flow| [m/s]"]
    np.testing.assert_array_equal(panels[0].images[0].get_array(), truth["height"][2, :, :, 2].T)
    np.testing.assert_array_equal(panels[1].images[0].get_array(), forecast["height"][2, :, :, 2].T)
    assert panels[0].images[0].get_clim() == panels[1].images[0].get_clim()


def test_beyond_the_truth_there_is_none_and_colours_stay():
    forecast, truth = {"height": series(2, 2)["height"]}, {"height": series(2, 1, seed=1)["height"]}
    first, last = (
        panels_and_bars(animation_figure("", forecast, 2, frame, truth=truth))[0] for frame in (0, 1)
    )
    assert first[0].images and not last[0].images and last[0].texts[0].get_text() == "no truth"
    limits = {axis.images[0].get_clim() for axis in (*first, last[1])}
    assert limits == {(truth["height"].min(), truth["height"].max())}


def test_an_animation_is_as_wide_as_two_columns_and_keeps_the_colours_of_the_maps(tmp_path):
    forecast = {"height": series(2, 2)["height"]}
    draw_animation(tmp_path / "a.gif", "", forecast, 2, contract=known(2))
    with Image.open(tmp_path / "a.gif") as movie:
        assert movie.n_frames == 2 and movie.width == int(183 / 25.4 * 130)
        shown = np.asarray(movie.convert("RGB"), np.float64).reshape(-1, 3) / 255
    highest = np.asarray(sequential()(1.0))[:3]
    assert np.abs(shown - highest).max(axis=1).min() < 0.01


def test_the_same_animation_has_the_same_bytes(tmp_path):
    series = {"density": np.random.default_rng(0).normal(size=(3, 8))}
    for name, factor in (("a", 1), ("b", 1), ("c", -1)):
        draw_animation(tmp_path / name, "a wave", {k: factor * v for k, v in series.items()}, 1)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c
