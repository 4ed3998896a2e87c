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
    shown by its first component, with arrows of its first two.

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
    scale = np.linalg.norm(truth)
    relative = f" ({np.linalg.norm(guess - truth) / scale:.1%})" if scale > 0 else ""
    names = ("input", "truth one step later", "prediction", f"difference{relative}")
    slices = [_middle(values) for values in (before, truth, guess, guess - truth)]
    limit = max(float(np.abs(s[np.isfinite(s)]).max(initial=0.0)) for s in slices[:3]) or 1.0
    for axis, name in zip(row, names, strict=True):
        where = "3D slice" if D == 3 else f"{D}D"
        axis.set_title(f"{where}: {name}", fontsize=9)
        axis.tick_params(labelsize=7)
    if D == 1:
        _draw_curves(row, slices, limit)
        return
    for axis, values in zip(row, slices, strict=True):
        axis.imshow(values.T, origin="lower", cmap="RdBu_r", vmin=-limit, vmax=limit)
    for axis, image in zip(row, prediction, strict=False):
        _draw_arrows(axis, image)
    figure.colorbar(row[0].images[0], ax=list(row), shrink=0.85)


def _draw_curves(row, curves: Sequence[np.ndarray], limit: float) -> None:
    for axis, values in zip(row, curves, strict=True):
        axis.plot(values, lw=1.2)
        axis.set_ylim(-1.05 * limit, 1.05 * limit)
        axis.set_xlabel("pixel", fontsize=8)


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
