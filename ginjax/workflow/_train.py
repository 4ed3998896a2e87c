"""Training a model on data, and loading one from its file."""

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

    - `path`: a file of `Model.save` or of any command that writes models; or `hf://user/name`, with `@revision` and `/file` if
      wanted, see `ginjax.hub.fetch`.

    **Raises:** `FileError` if the file cannot be read or its parts do not fit each other, or is not to be had from the Hub;
    `UnsupportedError` for an address on the Hub without the extra `hub`.
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
    - `axes`: which axis of the arrays in a file is which, where it does not state it, see `ginjax.open_data`.
    - `conditions`: numbers of each trajectory that the network is told, such as `["time_step"]`, see there too.
    - `settings`: how to train; every default stands in `TrainSettings`.
    - `network`: what the network is like inside, or the name of its architecture, such as "resnet".
    - `past_steps`: frames that it sees.
    - `residual`: whether it predicts the change of a field instead of the field.
    - `valid`, `test`: fractions of the trajectories to validate on and to hold out, where the data have no parts. With
      validation the best model is kept, else the last.
    - `progress`: whether to show how far it is.

    **Returns:** the model; its `training` says how it went. The same arguments give the same weights.

    Ctrl-C ends the training in order: the `TrainingInterrupted` that it raises has the model so far and goes on from there. A
    second Ctrl-C ends it at once.

    **Raises:** `ArgumentError` for settings or data that do not fit, `NumericsError` when the loss is NaN or infinite,
    `MemoryLimitError` for a step that takes more memory than there is, `TrainingInterrupted` for Ctrl-C.
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
