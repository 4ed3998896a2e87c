"""Train the same model with several seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ginjax._text import table_lines
from ginjax.data import Axes, Source
from ginjax.errors import ArgumentError
from ginjax.ml import TaskSettings, TrainSettings
from ginjax.models import Network
from ginjax.runs import SeedFiles, SeedSummary, Spread, check_seeds, run_of
from ginjax.workflow._data import Data
from ginjax.workflow._model import Model
from ginjax.workflow._train import load, train


@dataclass(frozen=True, repr=False)
class SeedStudy:
    """The models of one training with several seeds, and their statistics.

    **Arguments:**

    - `models`: the models by seed.
    - `summary`: errors by seed, with mean and standard deviation.
    """

    models: Mapping[int, Model]
    summary: SeedSummary

    @property
    def error(self) -> Spread | None:
        """Mean and standard deviation of the one-step error over the seeds; None if nothing was held out."""
        return self.summary.error

    @property
    def validation(self) -> Spread | None:
        """Mean and standard deviation of the lowest validation loss over the seeds; None without validation."""
        return self.summary.validation

    def __repr__(self) -> str:
        return "\n".join(table_lines(*self.summary.table()))


def train_seeds(
    data: Data,
    seeds: Iterable[int],
    settings: TrainSettings | None = None,
    *,
    folder: str | Path | None = None,
    axes: Axes | None = None,
    network: Network | str | None = None,
    past_steps: int = TaskSettings.past_steps,
    residual: bool = TaskSettings.residual,
    valid: float = TaskSettings.valid,
    test: float = TaskSettings.test,
    force: bool = False,
    progress: bool = True,
) -> SeedStudy:
    """Train once for each seed, and give mean and standard deviation of the errors.

    A seed decides the initial weights and the order of the samples. If the data have no parts, it also decides which
    trajectories are held out. Each model is the one that `ginjax.train` gives with this seed.

    **Arguments:**

    - `data`, `axes`, `network`, `past_steps`, `residual`, `valid`, `test`, `progress`: as in `ginjax.train`.
    - `seeds`: the seeds.
    - `settings`: how to train; its own seed is ignored.
    - `folder`: an existing folder in which each model is saved as soon as it is trained (`model.seed0.safetensors`), with a
      summary (`model.seeds.json`). A second call with the same arguments trains only the models that are missing.
    - `force`: train all models anew, whatever is in the folder.

    **Returns:** the models and the summary.

    **Raises:** as `ginjax.train`; `FileError` for a folder that holds models of other settings.
    """
    chosen, settings = check_seeds(seeds), settings or TrainSettings()
    arguments: dict[str, Any] = {
        "axes": axes,
        "network": network,
        "past_steps": past_steps,
        "residual": residual,
        "valid": valid,
        "test": test,
    }
    asked = {name: str(value) for name, value in arguments.items() if value is not None}
    asked |= {"data": _described(data), **replace(settings, seed=0).to_json()}
    files, there = None, ()
    if folder is not None:
        if not Path(folder).is_dir():
            raise ArgumentError("folder", got=repr(str(folder)), expected="a folder that is there")
        files = SeedFiles(Path(folder) / "model.safetensors")
        there = files.begin(asked, chosen, force=force)
    models: dict[int, Model] = {}
    for seed in chosen:
        if files is not None and seed in there:
            models[seed] = load(files.model(seed))
            continue
        models[seed] = train(data, replace(settings, seed=seed), **arguments, progress=progress)
        if files is not None:
            models[seed].save(files.model(seed), force=force)
    if files is not None:
        return SeedStudy(models, files.finish(asked, chosen))
    runs = {seed: run_of(model.record, f"seed {seed}") for seed, model in models.items()}
    return SeedStudy(models, SeedSummary(runs))


def _described(data: Data) -> Any:
    """A name for data, to tell calls with the same data from calls with others."""
    if isinstance(data, Source):
        return [data.name, data.D, list(data.spatial), data.trajectories]
    if isinstance(data, Mapping):
        return {str(part): _described(each) for part, each in data.items()}
    return str(data)
