"""Data of one field in a file, and a network for them: as small as they go, and of one shape."""

from pathlib import Path

import numpy as np

from ginjax.checkpoint import ModelRecord
from ginjax.data import DataReading, Field, MemorySource, Trajectories, write_well
from ginjax.ml import (
    TrainSettings,
    build_network,
    cut_parts,
    file_parts,
    finish_training,
    train_model,
)
from ginjax.models import Network

DENSITY = Field("density", 0, 0)
NETWORK = Network("series", channels=2, blocks=1)
READ = DataReading()
SIDE = 8


def source(seed: int = 0, trajectories: int = 10, frames: int = 3, D: int = 1, **said) -> MemorySource:
    """White noise."""
    shape = (trajectories, frames, *(SIDE,) * D)
    values = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    told = {"spacing": 0.5, "time_step": 0.1, "is_torus": True} | said
    return MemorySource.of(Trajectories((DENSITY,), {"density": values}, D, **told))


def stored(path: Path, seed: int = 0, trajectories: int = 10, **said) -> Path:
    """The same in a file."""
    write_well(path, source(seed, trajectories, **said), name="density")
    return path


def task_of(path: Path, **settings):
    """Samples of a file as `ginjax train --data` cuts them."""
    return cut_parts(file_parts(path, READ), **settings)


def network(task, seed: int = 0):
    return build_network(NETWORK, task.contract, task.train.source.spatial, seed)


def trained_record(path: Path, name: str | None = None, **settings) -> ModelRecord:
    """A model as `ginjax train --data` makes it of a file."""
    task = task_of(path)
    trained = train_model(network(task), task, TrainSettings(**{"steps": 2} | settings))
    about = {"data": path.name if name is None else name, "valid": 0.1, "test": 0.1}
    return finish_training(trained, task, about).record
