"""Every picture shows every name as it is, whatever it is."""

import io
import re
import warnings

import numpy as np
import pytest
from helpers import V, random_field
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from sweeps import few, few_rows

from ginjax.ml import METRICS, Point, RolloutStudy, draw
from ginjax.ml.draw._canvas import add_legend, new_figure, panels, set_titles
from ginjax.ml.draw._literal_figure import visible
from ginjax.ml.draw._wrapped import wrapped

pytestmark = pytest.mark.pictures

NAMES = [
    r"$\frac{$",
    "$x$ costs 5$",
    "a_b^c",
    "_hidden",
    "100%",
    "Dichte über λ → ∞ 密度 🙂",
    "two\nlines",
    "ha\udcfflf",  # of a file whose name is no UTF-8
    "bell\x07 and tab\t",
    " " * 3,
    "W" * 200,
    "many words " * 18,
]
FEW = [NAMES[0], NAMES[3], NAMES[7], NAMES[10]]


def forecast(names):
    rng = np.random.default_rng(0)
    fields = {name: rng.normal(size=(4, 4)) for name in names}
    return draw.forecast_figure(names[0], {1: (fields, fields)}, 2)


def animation(names):
    series = {name: np.random.default_rng(0).normal(size=(2, 6)) for name in names}
    return draw.animation_figure(names[0], series, 1, 1)


def study(names):
    curves = {field: {metric: np.array([0.1, 0.2]) for metric in METRICS} for field in names}
    energies = {field: {"truth": np.ones(4), **{name: np.ones(4) for name in names}} for field in names}
    return RolloutStudy(2, 1, dict.fromkeys(names, curves), dict.fromkeys(names), 2, energies, {})


def errors(names):
    return draw.errors_figure(names[0], study(names))


def spectra(names):
    return draw.spectra_figure(names[0], study(names).spectra)


def training_curve(names):
    return draw.curve_figure(names[0], [{"step": 1, "loss": 1.0}, {"step": 2, "loss": 0.01}], best_step=1)


def transfer_curve(names):
    points = [
        Point(name, 1, 2, "converted", n, 1, 0.0, 0.1, 0.01, 1.0, 0.5) for name in names for n in (0, 1)
    ]
    return draw.transfer_curve_figure(points)


def zero_shot(names):
    return draw.transfer_figure(names[0], [tuple(random_field(V, 2, 4, i) for i in range(3))])


PICTURES = {
    each.__name__: each
    for each in (forecast, animation, errors, spectra, training_curve, transfer_curve, zero_shot)
}


def names_shown(picture, names):
    """Those of the names that a picture has to show."""
    return names[:1] if picture in ("training_curve", "zero_shot") else names


def texts(figure):
    return [text for text in figure.findobj(Text) if text.get_text()]


def is_number(text):
    """What matplotlib writes along axes: `0.5`, `1e-3`, a power of ten."""
    return re.fullmatch(r"[-\N{MINUS SIGN}+.\de]+|\$\\mathdefault\{.*\}\$", text.get_text())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("picture", "hostile"),
    [("spectra", FEW), *((each, FEW[:2]) for each in PICTURES), *few_rows(*((p, FEW) for p in PICTURES))],
)
def test_hostile_names_are_drawn_and_shown_as_they_are(picture, hostile):
    figure = PICTURES[picture](hostile)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=40)
    assert png.getvalue()[:4] == b"\x89PNG"
    names = [text for text in texts(figure) if not is_number(text)]
    assert not any(text.get_parse_math() for text in names)
    shown = [text.get_text().replace("\n", "") for text in names]
    for name in names_shown(picture, hostile):
        assert any(visible(name) in each for each in shown), name


@pytest.mark.parametrize("picture", PICTURES)
def test_a_figure_without_the_canvas_stops_at_such_a_name(picture, monkeypatch):
    """The control: with matplotlib's own figure the same pictures fail."""

    def plain(width, height):
        figure = Figure(figsize=(7, height or 1), layout="constrained")
        FigureCanvasAgg(figure)
        return figure

    module = {"training_curve": "_training_curve", "zero_shot": "_zero_shot"}.get(picture, f"_{picture}")
    monkeypatch.setattr(f"ginjax.ml.draw.{module}.new_figure", plain)
    with pytest.raises(ValueError, match="frac"):
        PICTURES[picture]([NAMES[0]]).savefig(io.BytesIO(), format="png")


@pytest.mark.filterwarnings("error")
def test_a_legend_holds_every_name():
    figure = new_figure(150, 2)
    axis = panels(figure, 1, 1)[0, 0]
    add_legend(figure, {name: axis.plot([1, 2])[0] for name in NAMES})
    figure.draw_without_rendering()
    (legend,) = figure.legends
    found = [text.get_text().replace("\n", "") for text in legend.get_texts()]
    assert found == [visible(name).replace("\n", "") for name in NAMES]
    assert not any(text.get_parse_math() for text in legend.get_texts())
    # nothing is cut off, and the panel is not covered
    whole, shown = figure.bbox, legend.get_window_extent()
    assert whole.x0 <= shown.x0 and shown.x1 <= whole.x1 and whole.y0 <= shown.y0
    assert shown.y1 < axis.get_window_extent().y0
    # control: matplotlib's own legend leaves names out that begin with an underscore
    axis.plot([1, 2], label="_hidden")
    axis.plot([1, 2], label="seen")
    assert [text.get_text() for text in axis.legend().get_texts()] == ["seen"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", [*FEW, *few(*(name for name in NAMES if name not in FEW))])
def test_titles_stay_on_the_picture_and_beside_one_another(name):
    figure = new_figure(178, 2.5)
    row = panels(figure, 1, 2)[0]
    set_titles(figure, row, [name, name])
    figure.draw_without_rendering()
    left, right = (axis.title.get_window_extent() for axis in row)
    assert figure.bbox.x0 <= left.x0 and right.x1 <= figure.bbox.x1
    assert left.x1 <= right.x0
    assert right.y1 <= figure.bbox.y1
    assert min(axis.get_window_extent().height for axis in row) > 0.8 * figure.dpi


def test_numbers_along_a_logarithmic_axis_are_still_powers():
    figure = new_figure(76, 3)
    axis = panels(figure, 1, 1)[0, 0]
    axis.loglog([1, 1e6], [1, 1e6])
    figure.draw_without_rendering()
    powers = [text for text in axis.get_xticklabels() if "10^" in text.get_text()]
    assert powers and all(text.get_parse_math() for text in powers)


def test_names_along_an_axis_are_names():
    figure = new_figure(76, 3)
    axis = panels(figure, 1, 1)[0, 0]
    axis.bar([0, 1], [1, 2])
    axis.set_xticks([0, 1], NAMES[:2])
    figure.draw_without_rendering()
    assert [text.get_text() for text in axis.get_xticklabels()] == NAMES[:2]
    assert not any(text.get_parse_math() for text in axis.get_xticklabels())


@pytest.mark.parametrize("name", NAMES)
def test_the_lines_of_a_name_are_the_name_and_fit(name):
    figure = new_figure(102, 2)
    lines = wrapped(figure, name, 3.0, 9).split("\n")
    assert "".join(lines) == visible(name).replace("\n", "")
    for line in lines:
        width = figure.text(0, 0, line.rstrip(), fontsize=9, parse_math=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # letters that the font lacks
            assert width.get_window_extent().width <= 3.0 * figure.dpi + 1


def test_a_name_without_end_is_cut_off():
    figure = new_figure(102, 2)
    for endless in ("W" * 20_000, "\n" * 1000):
        lines = wrapped(figure, endless, 2.0, 9).split("\n")
        assert len(lines) == 12 and lines[-1].endswith("…")


def test_what_cannot_be_drawn_is_written_out():
    assert visible("a\x1b[31m\udcff\t") == r"a\x1b[31m\udcff\t"
    assert visible("ä → ∞\n$x$_") == "ä → ∞\n$x$_"
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", visible("".join(map(chr, range(0x300)))))
