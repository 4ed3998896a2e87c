"""Combine a network, data and settings into a request for a training, before any data are read."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from ginjax.checkpoint import DataContract, Difference
from ginjax.errors import ArgumentError
from ginjax.ml.task import Crop, TrainingMaterial
from ginjax.ml.training._freeze import frozen_names
from ginjax.ml.training._result import build_network
from ginjax.ml.training._settings import TrainSettings
from ginjax.ml.training._tuning import Start, check_start, task_settings, with_fields_of, with_walls
from ginjax.models import AnyDimensionalModel, Network


@dataclass(frozen=True)
class TrainingRequest:
    """A network, data and settings of a training, checked as far as possible before data are read or simulated.

    **Arguments:**

    - `model`: the initial network.
    - `material`: the data, with the fields of the model.
    - `settings`: settings of the training.
    - `past_steps`, `residual`: settings of the task, see `TaskSettings`.
    - `start`: the model that is trained further; None for a new network.
    - `adapted`: the differences between the data and those of that model.
    - `crop`: the parts of the grid to train on; None for the whole grid.
    """

    model: AnyDimensionalModel
    material: TrainingMaterial
    settings: TrainSettings
    past_steps: int
    residual: bool
    start: Start | None
    adapted: tuple[Difference, ...]
    crop: Crop | None = None

    @property
    def cropped(self) -> str | None:
        """Say which parts of the grid are trained on; None for the whole grid."""
        if self.crop is None:
            return None
        tiling = self.crop.tiling(self.material.spatial, self.settings.unroll)
        times = math.prod(tiling.block) / math.prod(tiling.tile)
        return f"trained on crops of {tiling.in_words()}, {times:.3g} times as many points (`crop`)"

    @property
    def fields(self) -> tuple[str, ...]:
        """Say, in sentences, how the fields of the initial model change."""
        start, data = self.start, self.material.contract
        if start is None:
            return ()
        said = () if start.change is None else start.change.in_words
        have = {each.name for each in start.record.contract.everything}
        left = [each.kind for each in (*data.fields, *data.constants) if each.name not in have]
        beside = f"{', '.join(left)} of the data: left out, the model does not have it" if left else None
        return (*said, beside) if beside else said

    @property
    def walls(self) -> str | None:
        """Say how the network continues fields beyond the ends of non-periodic axes; None if all axes are periodic."""
        axes = self.material.contract.axes
        modes = self.model.spec.padding(len(axes))
        walled = [
            f"{mode} along {axis.name}" for axis, mode in zip(axes, modes, strict=True) if not axis.is_torus
        ]
        if not walled:
            return None
        return f"beyond the ends of its axes the network sees: {', '.join(walled)} (`padding`)"


def request_training(
    material: TrainingMaterial,
    settings: TrainSettings | None = None,
    *,
    network: Network | None = None,
    start: Start | None = None,
    past_steps: int | None = None,
    residual: bool | None = None,
    adapt: Collection[str] = (),
    padding: str | Mapping[str, str] | None = None,
    drop_fields: Collection[str] = (),
) -> TrainingRequest:
    """Combine data, network and settings.

    **Arguments:**

    - `material`: the data.
    - `settings`: settings of the training, by default all defaults; their seed is also that of the initial weights.
    - `network`: settings of a new network; the defaults of `Network` if None.
    - `start`: a model to train further, instead of a new network.
    - `past_steps`, `residual`: settings of the task; if None, those of `start`, or 1 and False without it.
    - `adapt`: aspects in which the model of `start` is to be adapted to the data, see `check_start`.
    - `padding`: how the model of `start` continues fields beyond the walls that it is adapted to, as in `Network`.
    - `drop_fields`: names of fields that the tuned model is not to have: fields of the model, which it then loses, or fields
      of the data, which it then does not gain. All other fields follow the data.

    **Raises:** `ArgumentError` for a network or a grid that does not fit, for data that do not fit the model of `start`, or if
    both `network` and `start` are given.
    """
    settings = settings or TrainSettings()
    past_steps, residual = task_settings(start, past_steps, residual)
    if start is None:
        if drop_fields:
            raise ArgumentError("`drop_fields`", got="a new network", expected="a model to go on from")
        asked = replace(material.contract, past_steps=past_steps, residual=residual)
        model = build_network(network or Network(), asked, material.spatial, settings.seed)
        model.spec.to_json()  # refuses before the training what no file can hold
        frozen_names(model, settings.freeze)  # refuses names that the network does not have
        crop = _crop(model, asked, material, settings)
        return TrainingRequest(model, material, settings, past_steps, residual, None, (), crop)
    if network is not None:
        raise ArgumentError("network and start", got="both", expected="one of them")
    start = with_fields_of(start, material.contract, drop_fields)
    adapted = check_start(start, material.contract, past_steps=past_steps, residual=residual, adapt=adapt)
    if any(each.aspect == "boundary" for each in adapted):
        start = with_walls(start, material.contract.axes, padding)
    elif padding is not None:
        raise ArgumentError(
            "`padding`",
            got="a model that goes on from what it does at the ends of its axes",
            expected="a new network, or `adapt=['boundary']` to data with other boundaries",
        )
    own = start.record.contract
    fitting = material.of_fields(own)
    seen = replace(
        material.contract,
        fields=own.fields or material.contract.fields,
        constants=own.constants if own.fields else material.contract.constants,
        conditions=own.conditions if own.fields else material.contract.conditions,
        past_steps=past_steps,
    )
    frozen_names(start.model, settings.freeze)
    crop = _crop(start.model, seen, material, settings)
    return TrainingRequest(start.model, fitting, settings, past_steps, residual, start, adapted, crop)


def _crop(
    model: AnyDimensionalModel, contract: DataContract, material: TrainingMaterial, settings: TrainSettings
) -> Crop | None:
    """Make the crop that the settings ask for, checked before data are read or simulated."""
    if settings.crop is None:
        return None
    crop = Crop.of(model, contract, settings.crop)
    crop.check_smaller(material.spatial, settings.unroll)
    return crop
