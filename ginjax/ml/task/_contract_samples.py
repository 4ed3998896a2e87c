"""Samples of the task that a contract describes, cut out of any data."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, PyTree

from ginjax._memory import free_memory
from ginjax._text import in_bytes, plural
from ginjax.checkpoint import DataContract, check_contract
from ginjax.data import Normalisation, Source, TileSides, Windows, select_fields
from ginjax.errors import MemoryLimitError
from ginjax.geometric import MultiImage
from ginjax.ml.task._crop import Crop
from ginjax.ml.task._frames import Frames, frames_of
from ginjax.ml.task._next_frame import OneStepError, next_frame_error

COPIES = 2
"""Copies of the samples that exist in memory while they are assembled."""


@dataclass(frozen=True)
class OwnTask:
    """Samples of a model's own task: past frames and constants as input, the next frame or its change as target.

    All values are in the scales that the model was trained with. The same samples therefore serve the model itself and, in
    their dimension, every model that it is converted to. Build it with `OwnTask.of`.

    **Arguments:**

    - `windows`: all samples.
    - `indices`: numbers of the samples to use.
    - `frames`: the layout of inputs and predictions.
    - `contract`: contract of the model.
    """

    windows: Windows
    indices: Int[np.ndarray, " batch"]
    frames: Frames
    contract: DataContract

    @classmethod
    def of(
        cls,
        contract: DataContract,
        source: Source,
        trajectories: Sequence[int] | None = None,
        samples: int | None = None,
    ) -> OwnTask:
        """Cut data into samples for a model.

        **Arguments:**

        - `contract`: contract of the model in the dimension of the data (see `DataContract.in_dimension`).
        - `source`: the data; fields that the model does not know are left out.
        - `trajectories`: numbers of the trajectories to use; all by default.
        - `samples`: the most samples to use, spread evenly over all of them.

        **Raises:** `ArgumentError` for data that do not fit the model.
        """
        check_contract(contract, source.contract)
        source.check_frames(contract.past_steps + 1)
        windows = Windows(
            select_fields(source, contract.fields, contract.constants),
            Normalisation.of_contract(contract),
            past_steps=contract.past_steps,
            residual=contract.residual,
            trajectories=trajectories,
        )
        count = len(windows) if samples is None else min(samples, len(windows))
        indices = np.linspace(0, len(windows) - 1, count).round().astype(int)
        return cls(windows, indices, frames_of(contract), contract)

    def pairs(self) -> tuple[MultiImage, MultiImage]:
        """Read inputs and targets of the chosen samples, blocks `(samples, channels, *spatial, D, ..., D)`.

        **Raises:** `MemoryLimitError` if they do not fit into memory; as `Windows.take`.
        """
        self._check_memory()
        return self.windows.take(self.indices)

    def _check_memory(self) -> None:
        free, each = free_memory(), COPIES * self._sample_bytes
        if free is None or each * len(self.indices) <= free:
            return
        sides = " x ".join(map(str, self.windows.source.spatial))
        fit = free // each
        raise MemoryLimitError(
            f"memory for {plural(len(self.indices), 'sample')} of {sides} grid points",
            got=f"about {in_bytes(each * len(self.indices))}",
            expected=f"at most {in_bytes(free)}, which are free",
            hint=f"There is room for `samples={fit}`." if fit else "Use smaller fields of the same spacing.",
        )

    @property
    def _sample_bytes(self) -> int:
        """Bytes of one input and its target, in single precision."""
        D, points = self.contract.D, math.prod(self.windows.source.spatial)
        both = (*self.windows.input_signature, *self.windows.target_signature)
        return 4 * points * sum(channels * D ** len(axes) for (axes, _), channels in both)

    def error(
        self,
        model: PyTree,
        batch_size: int = 8,
        progress: Callable[[int, int], None] | None = None,
        tile: TileSides | None = None,
    ) -> OneStepError:
        """Measure the one-step error of a model, and that of predicting no change.

        **Arguments:**

        - `model`, `batch_size`, `progress`: as in `next_frame_error`.
        - `tile`: as in `Forecaster`.
        """
        crop = None if tile is None else Crop.of(model, self.contract, tile, "tile")
        return next_frame_error(model, self.windows, self.indices, self.frames, batch_size, progress, crop)
