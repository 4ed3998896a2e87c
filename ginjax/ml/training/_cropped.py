"""Train on parts of the grid: the crops of a task, and crops that might fit into memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jaxtyping import PyTree

from ginjax.errors import ArgumentError
from ginjax.ml.task import Crop, WindowTask
from ginjax.ml.training._settings import TrainSettings

LEAST = 4
"""Pixels of the smallest crop that is tried."""


def with_crop(model: PyTree, task: WindowTask, settings: TrainSettings) -> WindowTask:
    """Set the crops of a task as the settings ask for, or use whole fields.

    **Arguments:**

    - `model`: the network, whose receptive field determines what is read around a crop.
    - `task`: the samples.
    - `settings`: settings of the training.

    **Raises:** `ArgumentError` for a network that looks at the whole field at once, or a crop that is the whole grid
    together with its halo.
    """
    if settings.crop is None or (task.crop is not None and task.crop.sides == settings.crop):
        return task if settings.crop is not None or task.crop is None else replace(task, crop=None)
    crop = Crop.of(model, task.contract, settings.crop)
    crop.check_smaller(task.train.source.spatial, settings.unroll)
    return replace(task, crop=crop)


def smaller_crops(model: PyTree, task: WindowTask, settings: TrainSettings, share: float) -> Sequence[int]:
    """Suggest crops to try if a step needs too much memory, the largest first.

    **Arguments:**

    - `model`, `task`, `settings`: model, samples and settings of the training.
    - `share`: available memory as a fraction of the memory that a step needs.

    **Returns:** at most two sides of crops; none for a network or a grid that does not allow them.
    """
    spatial = task.train.source.spatial
    try:
        crop = task.crop or Crop.of(model, task.contract, 1)
    except ArgumentError:
        return ()
    factor = crop.field.factor
    found = []
    side = max(spatial)
    while side >= 2 * max(factor, LEAST):
        side = factor * max(side // (2 * factor), 1)
        try:
            tiling = replace(crop, sides=side).tiling(spatial, settings.unroll)
        except ArgumentError:
            continue
        volume = whole = 1
        for n, block in zip(spatial, tiling.block, strict=True):
            volume, whole = volume * block, whole * n
        if not tiling.is_whole and volume <= share * whole:
            found.append(side)
    return found[:2]
