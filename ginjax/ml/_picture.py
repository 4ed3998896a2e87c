"""The picture of a transfer: trained in one dimension, predicting in two and three."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from ginjax.checkpoint import atomic_write
from ginjax.geometric import MultiImage

Prediction = tuple[MultiImage, MultiImage, MultiImage]
"""Input, truth and prediction of one sample in physical units."""


def draw_transfer(
    path: str | os.PathLike[str], title: str, predictions: Sequence[Prediction], *, force: bool = False
) -> None:
    """Draw one row for each dimension: input, truth, prediction, difference.

    Fields in one dimension are curves, in two dimensions images, in three the middle slice. A vector field is
    shown by its first component, with arrows of its first two. The difference has a scale of its own, and above it
    stands the error of this sample relative to the truth.

    **Arguments:**

    - `path`: the PNG file to write.
    - `title`: of the whole picture.
    - `predictions`: one for each dimension.
    - `force`: replace a file that is there.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 2.6 * len(predictions) + 0.5), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    axes = figure.subplots(len(predictions), 4, squeeze=False)
    for row, prediction in zip(axes, predictions, strict=True):
        _draw_row(figure, row, prediction)
    atomic_write(
        path,
        lambda stream: figure.savefig(stream, format="png", dpi=110, metadata={"Software": None}),
        force=force,
    )


def _draw_row(figure, row, prediction: Prediction) -> None:
    D = prediction[0].D
    before, truth, guess = (_first_component(image) for image in prediction)
    slices = [_middle(values) for values in (before, truth, guess, guess - truth)]
    where = "3D slice" if D == 3 else f"{D}D"
    error = sample_error(*prediction[1:])
    relative = f", {error:.1%} of the truth" if np.isfinite(error) else ""
    names = ("input", "truth one step later", "prediction", f"difference{relative}")
    for axis, name in zip(row, names, strict=True):
        axis.set_title(f"{where}: {name}", fontsize=9)
        axis.tick_params(labelsize=7)
    # A good prediction differs by so little that on the scale of the fields its difference would be blank.
    limits = [_limit(slices[:3])] * 3 + [_limit(slices[3:])]
    for axis, values, limit in zip(row, slices, limits, strict=True):
        if D == 1:
            axis.plot(values, lw=1.2)
            axis.set_ylim(-1.05 * limit, 1.05 * limit)
            axis.set_xlabel("pixel", fontsize=8)
        else:
            axis.imshow(values.T, origin="lower", cmap="RdBu_r", vmin=-limit, vmax=limit)
    if D == 1:
        return
    for axis, image in zip(row, prediction, strict=False):
        _draw_arrows(axis, image)
    for shown, beside, label in ((row[0], list(row[:3]), "field"), (row[3], row[3], "difference")):
        bar = figure.colorbar(shown.images[0], ax=beside, shrink=0.85)
        bar.set_label(label, fontsize=8)
        bar.ax.tick_params(labelsize=7)


def sample_error(truth: MultiImage, guess: MultiImage) -> float:
    """Norm of the error of one sample over all its components, relative to that of the truth; NaN where it has none."""
    error = sum(float(np.sum((np.asarray(guess[key]) - np.asarray(truth[key])) ** 2)) for key in truth)
    size = sum(float(np.sum(np.asarray(block) ** 2)) for block in truth.values())
    return (error / size) ** 0.5 if size > 0 else float("nan")


def _limit(slices: Sequence[np.ndarray]) -> float:
    """The largest finite size of any value, 1 if there is none."""
    return max(float(np.abs(s[np.isfinite(s)]).max(initial=0.0)) for s in slices) or 1.0


def _first_component(image: MultiImage) -> np.ndarray:
    """The first channel of the first block, and of a tensor its first component."""
    key = next(iter(image.keys()))
    block = np.asarray(image[key])[0]
    return block[(Ellipsis, *(0,) * len(key[0]))]


def _middle(values: np.ndarray) -> np.ndarray:
    """The first two axes, the others at their middle."""
    return (
        values[(slice(None), slice(None), *(n // 2 for n in values.shape[2:]))] if values.ndim > 2 else values
    )


def _draw_arrows(axis, image: MultiImage) -> None:
    key = next(iter(image.keys()))
    if len(key[0]) != 1:
        return
    block = np.asarray(image[key])[0]
    u, v = (_middle(block[..., i]) for i in (0, 1))
    step = max(1, u.shape[0] // 12)
    grid = np.arange(0, u.shape[0], step), np.arange(0, u.shape[1], step)
    axis.quiver(*grid, u[::step, ::step].T, v[::step, ::step].T, width=0.006)
