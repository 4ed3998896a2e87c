"""Train a model on data, and load a model from its file."""

from __future__ import annotations

import os

from ginjax._progress import ProgressBar, show_progress
from ginjax.data import Axes, Conditions
from ginjax.errors import ArgumentError
from ginjax.hub import fetch, is_hub_address
from ginjax.ml import TaskSettings, TrainSettings, request_training
from ginjax.models import Network, load_model
from ginjax.workflow._arguments import check_kind
from ginjax.workflow._data import Data, material_of
from ginjax.workflow._model import Model
from ginjax.workflow._training import carry_out


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model from its file, or from the Hugging Face Hub.

    **Arguments:**

    - `path`: a file from `Model.save` or from any command that writes models; or an address `hf://user/name`, optionally with
      `@revision` and `/file`, see `ginjax.hub.fetch`.

    **Raises:** `FileError` if the file cannot be read, its parts do not fit each other, or the Hub does not provide it;
    `UnsupportedError` for an address on the Hub if the extra `hub` is not installed.
    """
    if not isinstance(path, str | os.PathLike):
        raise ArgumentError("path", got=repr(path)[:60], expected="the path of a model file")
    loaded = load_model(fetch(path).path if isinstance(path, str) and is_hub_address(path) else path)
    return Model(loaded.model, loaded.record)


def train(
    data: Data,
    settings: TrainSettings | None = None,
    *,
    axes: Axes | None = None,
    conditions: Conditions = (),
    network: Network | str | None = None,
    past_steps: int = TaskSettings.past_steps,
    residual: bool = TaskSettings.residual,
    valid: float = TaskSettings.valid,
    test: float = TaskSettings.test,
    progress: bool = True,
) -> Model:
    """Train a network to predict the next frame.

    **Arguments:**

    - `data`: a source (`ginjax.from_arrays`, `ginjax.open_data`, `ginjax.simulate`), the path of a file or a folder, or
      sources by part: `{"train": ..., "valid": ..., "test": ...}`.
    - `axes`: the order of the axes of arrays in a file that does not state it, see `ginjax.open_data`.
    - `conditions`: numbers of each trajectory that are inputs of the network, such as `["time_step"]`, see `ginjax.open_data`.
    - `settings`: how to train; `TrainSettings` lists every default.
    - `network`: the settings of the network, or the name of its architecture, such as "resnet".
    - `past_steps`: number of frames in an input.
    - `residual`: whether the network predicts the change of a field instead of the field.
    - `valid`, `test`: fractions of the trajectories to validate on and to hold out, if the data have no parts. With validation
      the best weights are kept, otherwise the last ones.
    - `progress`: whether to show progress.

    **Returns:** the model; its `training` says how the training went. The same arguments give the same weights.

    Ctrl-C ends the training cleanly and raises `TrainingInterrupted`, which has the model so far and can
    resume the training. A second Ctrl-C ends it at once.

    **Raises:** `ArgumentError` for settings or data that do not fit, `NumericsError` if the loss is NaN or infinite,
    `MemoryLimitError` for a step that needs more memory than there is, `TrainingInterrupted` after Ctrl-C.
    """
    check_kind("settings", settings, TrainSettings, "a ginjax.TrainSettings")
    check_kind("network", network, Network | str, "a ginjax.Network, or the name of an architecture")
    settings = settings or TrainSettings()
    request = request_training(
        material_of(data, valid=valid, test=test, seed=settings.seed, axes=axes, conditions=conditions),
        settings,
        network=Network(network) if isinstance(network, str) else network,
        past_steps=past_steps,
        residual=residual,
    )
    model, training = carry_out(
        request,
        show_progress if progress else ProgressBar,
        lambda made, training: Model(made.model, made.record, training=training),
    )
    training.warn(stacklevel=2)
    return model
