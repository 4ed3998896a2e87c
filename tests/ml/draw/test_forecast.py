import numpy as np
import pytest
from matplotlib.quiver import Quiver

from ginjax.ml import draw_animation, draw_forecast
from ginjax.ml.draw._canvas import new_figure
from ginjax.ml.draw._field_panel import draw_field, shown_limits


def axis():
    return new_figure((2, 2)).subplots()


@pytest.mark.parametrize("D", [2, 3])
def test_arrows_lie_where_the_vectors_are_and_colours_are_their_lengths(D):
    values = np.zeros((*(10, 8, 6)[:D], D))
    at = (4, 6, 3)[:D]  # in 3D on the central slice
    values[(*at, slice(None))] = (3.0, 4.0, 12.0)[:D]
    shown = axis()
    limits = shown_limits(values, D)
    draw_field(shown, values, D, limits)
    image = np.asarray(shown.images[0].get_array())
    assert limits == (0.0, 13.0 if D == 3 else 5.0)
    assert (image.shape, image[6, 4], np.count_nonzero(image)) == ((8, 10), limits[1], 1)
    (arrows,) = [each for each in shown.collections if isinstance(each, Quiver)]
    columns = (np.asarray(each) for each in (arrows.X, arrows.Y, arrows.U, arrows.V))
    (drawn,) = [each for each in zip(*columns, strict=True) if each[2:] != (0.0, 0.0)]
    assert drawn == (4, 6, 3.0, 4.0)


def test_ranges():
    assert shown_limits(np.array([-1.0, 3.0]), 1) == (-3.0, 3.0)
    assert shown_limits(np.array([1.0, 3.0, np.nan]), 1) == (1.0, 3.0)
    assert shown_limits(np.array([2.0, 2.0]), 1) == (0.0, 2.0)
    for nothing in (0.0, np.nan, np.inf):
        assert shown_limits(np.full(3, nothing), 1) == (-1.0, 1.0)
    outside = np.zeros((2, 2, 4))
    outside[..., 0] = 5.0  # not on the slice shown
    assert shown_limits(outside, 3) == (-1.0, 1.0)


@pytest.mark.filterwarnings("error")
def test_fields_that_are_lost_are_drawn_as_far_as_they_can(tmp_path):
    fields = {"density": np.zeros((4, 4)), "velocity": np.zeros((4, 4, 2)), "stress": np.ones((4, 4, 2, 2))}
    lost = {name: np.full_like(values, np.nan) for name, values in fields.items()}
    draw_forecast(tmp_path / "p.png", "nothing", {1: (fields, lost)}, 2)
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"


def test_the_same_animation_has_the_same_bytes(tmp_path):
    series = {"density": np.random.default_rng(0).normal(size=(3, 8))}
    for name, factor in (("a", 1), ("b", 1), ("c", -1)):
        draw_animation(tmp_path / name, "a wave", {k: factor * v for k, v in series.items()}, 1)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c
