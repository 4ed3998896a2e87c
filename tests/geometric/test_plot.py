import io

import numpy as np
import pytest
from matplotlib.figure import Figure

import ginjax.geometric as geom
from ginjax.errors import ArgumentError, UnsupportedError

V = ((False,), 0)


def drawn(figure: Figure) -> Figure:
    figure.savefig(io.BytesIO(), dpi=20)
    return figure


def test_every_channel_has_a_panel():
    rng = np.random.default_rng(0)
    blocks = {(0, 0): rng.normal(size=(2, 3, 4, 6)), (1, 0): rng.normal(size=(2, 1, 4, 6, 2))}
    x = geom.MultiImage(blocks, 2)
    figure = drawn(x.plot(col_titles=("density",), row_titles=("first",)))
    titles = [ax.get_title() for ax in figure.axes[:4]]
    assert titles == ["density", "k0p0 1", "k0p0 2", "k1p0 0"]
    assert [figure.axes[i].get_ylabel() for i in (0, 4)] == ["first", "sample 1"]
    # The first axis of the data runs to the right, the second upwards.
    shown = figure.axes[0].images[0]
    np.testing.assert_array_equal(shown.get_array(), blocks[0, 0][0, 0].T)
    assert shown.origin == "lower"
    assert len(drawn(x.get_one(0, keepdims=False).plot(colorbar=True)).axes) == 8
    arrows = next(c for c in figure.axes[3].collections if hasattr(c, "U"))
    np.testing.assert_allclose(arrows.U, blocks[1, 0][0, 0, ..., 0].ravel(), rtol=1e-6)


@pytest.mark.parametrize(("D", "k"), [(1, 0), (1, 1), (2, 2), (3, 0), (3, 1)])
def test_one_image_in_every_dimension(D, k):
    image = geom.GeometricImage(np.ones((4,) * D + (D,) * k), 0, D)
    figure = drawn(image.plot(title="a field", vmin=0, vmax=2))
    assert figure.axes[0].get_title().startswith("a field")
    assert image.plot(figure.axes[0]) is figure


def test_what_is_not_drawn():
    with pytest.raises(UnsupportedError, match="4 dimensions"):
        geom.GeometricImage(np.ones((2,) * 4), 0, 4).plot()
    for shape in ((2, 2), (1, 1, 1, 2, 2), (500, 2, 2)):
        with pytest.raises(ArgumentError):
            geom.MultiImage({(0, 0): np.ones(shape)}, 2).plot()
