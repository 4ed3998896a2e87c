"""A model: a network, its data contract, its history and its certificate, in one object."""

from __future__ import annotations

import copy
import os
import tempfile
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ginjax._progress import ProgressBar, show_progress
from ginjax._version import __version__
from ginjax.checkpoint import (
    DataContract,
    ModelRecord,
    NewAxis,
    check_output,
    write_model,
)
from ginjax.data import Source
from ginjax.errors import ArgumentError, GinjaxWarning
from ginjax.hub import HubAddress, Pushed, push_model
from ginjax.ml import (
    Forecaster,
    TaskSettings,
    TrainedModel,
    TrainSettings,
    record_with_fields_of,
)
from ginjax.ml.task import told_or_dropped
from ginjax.models import (
    AnyDimensionalModel,
    LoadedModel,
    Verification,
    from_record,
    named_arrays,
    to_record,
)
from ginjax.transfer import Certificate, PlainRule, Rule, array_digest
from ginjax.workflow._arguments import check_whole
from ginjax.workflow._conversion import calibrated, converted
from ginjax.workflow._data import Data, source_of
from ginjax.workflow._evaluation import MODEL, Evaluation
from ginjax.workflow._model_in_words import in_words
from ginjax.workflow._rollouts import check_names_beside, evaluation_of, forecast_from, to_evaluate_on
from ginjax.workflow._training import Training, carry_out
from ginjax.workflow._tuning import request_tuning, several
from ginjax.workflow._verification import verified

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ginjax.ml.draw import Width


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A network with its data contract, its history, and the certificate of its last conversion.

    `ginjax.train`, `ginjax.load`, `Model.tune` and `Model.to_dimension` return a model; `Model.of` makes one from a network
    that was built by hand. A model is immutable: every method that changes something returns a new one.

    **Arguments:**

    - `network`: an Equinox module that takes one sample: `network(x)[0]` for a normalised `MultiImage`.
    - `record`: everything that the model's file holds.
    - `parent`: the model that this one was converted from in the same program; None otherwise.
    - `training`: how the last training of this model in the same program went; None otherwise.
    """

    network: AnyDimensionalModel
    record: ModelRecord
    parent: Model | None = None
    training: Training | None = None

    @classmethod
    def of(cls, network: AnyDimensionalModel, contract: DataContract | None = None) -> Model:
        """Make a model from a network that was built or trained by hand.

        **Arguments:**

        - `network`: the network.
        - `contract`: what the data are like, such as `ginjax.from_arrays(...).contract`. None if nothing is known about them
          except that they are periodic.
        """
        return cls(network, to_record(network, contract=contract))

    @property
    def D(self) -> int:
        """The spatial dimension."""
        return self.record.D

    @property
    def contract(self) -> DataContract:
        """What the model's data have to be like: fields with unit and scale, axes, past frames, spacing, time step."""
        return self.record.contract

    @property
    def history(self) -> tuple[Mapping[str, Any], ...]:
        """All steps so far, the oldest first. They are copies, so you may change them."""
        return copy.deepcopy(self.record.provenance)

    @property
    def certificate(self) -> Certificate | None:
        """What the last conversion preserved; None if the model was never converted."""
        return self.record.certificate

    def predict(
        self,
        start: Source | str | os.PathLike[str] | Mapping[str, ArrayLike],
        steps: int = 1,
        *,
        first: int | None = None,
        tile: int | Mapping[str, int] | None = None,
        progress: bool = False,
    ) -> dict[str, np.ndarray]:
        """Predict the frames that follow given frames, each prediction from those before it.

        **Arguments:**

        - `start`: a source, the path of data, or a mapping with one array in physical units for every field and constant of the
          model. Fields have the axes `(trajectory, time, *space, D, ..., D)`; leave out the first axis for one trajectory, the
          first two for one frame. Constants have no time axis.
        - `steps`: number of predictions.
        - `first`: index (from 0) of the oldest frame in the first input. If None, the forecast starts from the last frames. To
          compare a forecast with the frames that follow the first ones, use 0.
        - `tile`: predict the grid in tiles of so many pixels, along every axis or along the named ones (`{"x": 64}`), one tile
          after the other. This saves memory; the result differs only by rounding.
        - `progress`: whether to show progress.

        **Returns:** by field, the predictions `(trajectory, steps, *space, D, ..., D)`, without the first axis if the given
        arrays had none. Float32, in physical units.

        **Raises:** `ArgumentError` for data that do not fit the model, and for tiles if the network looks at the whole field at
        once; `NumericsError` if a rollout blows up.
        """
        return forecast_from(
            start, self._by_tiles(tile), steps, first=first, show=_shown(progress), stacklevel=2
        )

    def evaluate(
        self,
        data: Data | None = None,
        *,
        steps: int | None = None,
        trajectories: int | None = None,
        split: str | None = None,
        beside: Mapping[str, Model] | None = None,
        tile: int | Mapping[str, int] | None = None,
        seed: int = 0,
        progress: bool = True,
    ) -> Evaluation:
        """Roll the model out on trajectories that it was not trained on, and compare with the truth.

        **Arguments:**

        - `data`: a source, a path, or sources by part. If None, the equation of the training is simulated anew. If the model
          was trained on these data, it is evaluated on the part that the training held out.
        - `steps`: number of predictions; if None, as many as the data allow (16 for simulations).
        - `trajectories`: the most trajectories to use; if None, all of them (16 for simulations).
        - `split`: the part of the data, "train", "valid" or "test".
        - `beside`: other models to evaluate on the same data, by the name they get in tables and pictures.
        - `tile`: as in `predict`.
        - `seed`: seed of the simulations.
        - `progress`: whether to show progress.

        **Raises:** `ArgumentError` for data that do not fit one of the models.
        """
        models, show = {MODEL: self, **(beside or {})}, _shown(progress)
        check_names_beside(tuple(beside or ()))
        forecasters = {name: each._by_tiles(tile) for name, each in models.items()}
        held_out = to_evaluate_on(
            data,
            self.record,
            forecasters[MODEL],
            steps=steps,
            trajectories=trajectories,
            split=split,
            seed=seed,
            show=show,
        )
        networks = {name: each.network for name, each in models.items()}
        return evaluation_of(networks, forecasters, held_out, steps=steps, tile=tile, show=show)

    def plot(
        self,
        data: Data | None = None,
        *,
        steps: int | None = None,
        width: Width = "two",
        progress: bool = True,
    ) -> Figure:
        """Draw a forecast of one trajectory beside the truth, and the difference.

        **Arguments:**

        - `data`, `steps`, `progress`: as in `evaluate`.
        - `width`: "one" or "two" journal columns, or a number of millimetres.
        """
        found = self.evaluate(data, steps=steps, trajectories=1, progress=progress)
        return found.plot("fields", width=width)

    def tune(
        self,
        data: Data,
        settings: TrainSettings | None = None,
        *,
        keep_compatible: bool = False,
        adapt: str | Collection[str] = (),
        padding: str | Mapping[str, str] | None = None,
        drop_fields: str | Collection[str] = (),
        valid: float = TaskSettings.valid,
        test: float | None = None,
        progress: bool = True,
    ) -> Model:
        """Train the model further on data of its dimension: for example a converted model on the few samples there are.

        Rollouts on held-out frames choose the weights to keep. The weights of this model are among the candidates: if no step
        improves on them by a tenth, the model is returned bit for bit, and `training.kept_start` is True. If the data have only
        one trajectory, its end is held out.

        **Arguments:**

        - `data`, `settings`, `progress`: as in `ginjax.train`.
        - `valid`: as in `ginjax.train`, but a part to validate on is also taken from data that have parts and lack this one.
          With 0 nothing is held out to choose the weights by, and the last weights are kept; a part `valid` of the data then at
          most serves to measure the error at the end.
        - `test`: as in `ginjax.train`; by default 0.1, or 0 if there are one or two trajectories (with `valid=0`, only one).
        - `keep_compatible`: train only those parameters that leave the behaviour of a converted model on lower-dimensional
          fields unchanged.
        - `adapt`: aspects in which the data may differ from those of the model: "boundary", "spacing", "time-step".
        - `padding`: how the network continues fields beyond the walls that it is adapted to, as in `ginjax.Network`.
        - `drop_fields`: names of fields that the tuned model is not to have: fields of the model, which it then loses, or fields
          of the data, which it then does not gain. All other fields follow the data, see `with_fields_of`.

        **Returns:** the tuned model, with the same scales and number of past frames as this one.

        **Raises:** as `ginjax.train`; `ArgumentError` for data that differ from the model's in another aspect.
        """
        request = request_tuning(
            LoadedModel(self.network, self.record),
            data,
            settings,
            keep_compatible=keep_compatible,
            adapt=adapt,
            padding=padding,
            drop_fields=drop_fields,
            valid=valid,
            test=test,
        )
        for said in request.fields:
            warnings.warn(said, GinjaxWarning, stacklevel=2)

        def tuned(made: TrainedModel, training: Training) -> Model:
            parent = self.parent if keep_compatible or training.kept_start else None
            return Model(made.model, made.record, parent, training)

        model, training = carry_out(request, _shown(progress), tuned)
        training.warn(stacklevel=2)
        return model

    def with_fields_of(self, data: Data, *, drop_fields: str | Collection[str] = ()) -> Model:
        """Adapt the model to the fields of some data: add the fields it lacks, drop those that the data lack.

        Nothing is trained. The old fields are predicted as before, except for rounding, whatever the values of the new fields.
        New fields are predicted to stay at their mean, or not to change. The model treats a dropped field as if it were at
        its mean. A certificate still holds for the fields that the model had. `tune` calls this by itself.

        **Arguments:**

        - `data`: as in `ginjax.train`, of the model's dimension. The scales of new fields are measured on all of the data.
        - `drop_fields`: names of fields that the model is not to have, its own or those of the data.

        **Raises:** `ArgumentError` for data that lack some of the model's fields and have others, because these may be the same
        fields under other names; `UnsupportedError` for a network that cannot be changed in this way.
        """
        dropped = several(drop_fields)
        like = self.record.contract.without_conditions(dropped)
        with told_or_dropped(like):
            source = source_of(data, like)
        record = record_with_fields_of(self.record, source, dropped)
        return self if record is self.record else Model(from_record(record), record, parent=self.parent)

    def to_dimension(
        self,
        D: int,
        rescale: str | Rule | PlainRule = "compatibility",
        *,
        flex: float | None = None,
        lift_parity: bool = False,
        new_boundary: str | Mapping[str, str] | None = None,
        new_axis: NewAxis | None = None,
        dtype: str | None = None,
        allow_inexact: bool = False,
    ) -> Model:
        """Convert the network to another dimension, with a certificate of what the conversion preserves.

        **Arguments:**

        - `D`: the new dimension.
        - `rescale`: the rule, by its name on the command line or from `ginjax.transfer.make_rule`.
        - `flex`: for "compat-flex": 0 is the sparsest exact solution, 1 the default one.
        - `lift_parity`: turn odd scalars (vorticity in 2D) into odd vectors along the new axis.
        - `new_boundary`: how fields continue beyond the ends of the new axes: "periodic" (the default), "edge" (the last value
          is repeated) or "mirror" (the mirror image, for even fields). One word for all new axes, or words by axis name.
        - `new_axis`: which axes of the new dimension are new, such as "y" or "x,z"; the last ones if None. The old axes keep
          their order: with "y", the axes x and y of a plane become x and z. For a lower `D`: which axes are removed; by default
          those that a conversion added, otherwise the last ones.
        - `dtype`: type of the weights, "float16", "float32" or "float64"; unchanged if None.
        - `allow_inexact`: accept a rule that promises compatibility and breaks its promise.

        **Returns:** a model whose `parent` is this one.

        **Raises:** `VerificationError` for a broken promise, `ArgumentError` and `UnsupportedError` for what cannot be
        converted.
        """
        conversion = converted(
            self.record,
            D,
            rescale,
            flex=flex,
            lift_parity=lift_parity,
            new_boundary=new_boundary,
            new_axis=new_axis,
            dtype=dtype,
            allow_inexact=allow_inexact,
        )
        return self._child(conversion.after)

    def calibrate(
        self,
        D: int,
        data: Data,
        rescale: str = "isotropic",
        *,
        samples: int = 16,
        seed: int = 0,
        new_boundary: str | Mapping[str, str] | None = None,
        new_axis: NewAxis | None = None,
        progress: bool = True,
    ) -> Model:
        """Convert the network to a higher dimension by the exact conversion that fits a few samples best.

        See `ginjax.ml.calibrate` for what is minimised.

        **Arguments:**

        - `D`: the new dimension.
        - `data`: as in `ginjax.train`, either of the new dimension or of this model's own. Data of the model's own dimension are
          embedded in the new one in random directions, which is right only if the physics prefers no direction. If the data
          have parts, the part `train` is used.
        - `rescale`: the rule to start from, "isotropic" or "compat-flex".
        - `samples`: the most samples to use.
        - `seed`: seed of the random directions.
        - `new_boundary`, `new_axis`: as in `to_dimension`.
        - `progress`: whether to show progress.

        **Returns:** a model whose `parent` is this one; its history says what was chosen.

        **Raises:** `ArgumentError` for data that do not fit; for data of the lower dimension also if the
        network sees too far, or has a norm or fields of odd parity.
        """
        conversion = calibrated(
            self.record,
            D,
            data,
            rescale,
            samples=samples,
            seed=seed,
            new_boundary=new_boundary,
            new_axis=new_axis,
            show=_shown(progress),
        )
        return self._child(conversion.after)

    def verify(
        self,
        low: Model | None = None,
        *,
        side: int | None = None,
        seed: int = 0,
        tolerance: float | None = None,
    ) -> Verification:
        """Run the model beside the one it was converted from, on random fields that do not vary along the new axes.

        **Arguments:**

        - `low`: the other model, of a lower dimension (or of a higher one if this model was converted down); `parent` if None.
        - `side`: pixels along each axis; if None 8, or as many as a U-Net needs.
        - `seed`: seed of the random fields.
        - `tolerance`: the largest defect to accept, instead of the limits that belong to the precision.

        **Returns:** every check, with the value found and the largest value accepted. A `GinjaxWarning` is given beforehand if
        the check takes minutes or gigabytes, and afterwards if rollouts are likely to blow up (`ginjax.ml.shortest_waves`).

        **Raises:** `VerificationError` if something that the conversion promised does not hold; `ArgumentError` if there is no
        model to compare with; `MemoryLimitError` if the grid does not fit into memory.
        """
        other = self.parent if low is None else low
        if not isinstance(other, Model | None):
            raise ArgumentError("low", got=type(other).__name__, expected="a Model, from ginjax.load say")
        if side is not None:
            check_whole("side", side, least=2)
        if other is None:
            raise ArgumentError(
                "model to verify against",
                got="none, and a model that was not converted in this program",
                expected="verify(low=...), with the model that it was converted from",
            )
        if other.D == self.D:
            raise ArgumentError(
                "dimension of the model to verify against", got=other.D, expected=f"another one than {self.D}"
            )
        below, above = sorted((self, other), key=lambda model: model.D)
        return verified(
            below.record,
            above.record,
            below.network,
            side=side,
            seed=seed,
            tolerance=tolerance,
            stacklevel=2,
        )

    def with_network(self, network: AnyDimensionalModel) -> Model:
        """Replace the network by another of the same kind, such as one changed with `equinox.tree_at`.

        The contract stays, and the history gets a step "edit". A certificate stays too but becomes stale, because it is about
        the weights that it was made for.

        **Arguments:**

        - `network`: a network with the same specification and dimension.

        **Raises:** `ArgumentError` for a network of another kind.
        """
        if not isinstance(network, AnyDimensionalModel):
            raise ArgumentError(
                "network", got=type(network).__name__, expected="a network such as that of the model"
            )
        if network.spec != self.network.spec or network.D != self.D:
            raise ArgumentError(
                "network",
                got=f"{network.spec.architecture} in {network.D}D with other settings",
                expected=f"a {self.network.spec.architecture} in {self.D}D as that of the model",
                hint="Model.of(network, contract) makes a model of another network.",
            )
        if array_digest(named_arrays(network)) == array_digest(self.record.arrays):
            return replace(self, network=network)
        record = to_record(
            network,
            contract=self.contract,
            provenance=(*self.history, {"step": "edit", "version": __version__}),
            certificate=self.certificate,
        )
        return Model(network, record, parent=self.parent)

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> Path:
        """Write the model to one file, which every command can read.

        **Arguments:**

        - `path`: the file, by convention `NAME.safetensors`.
        - `force`: replace an existing file.

        **Returns:** the path.

        **Raises:** `FileError` if the file exists or cannot be written, `ArgumentError` for a name that belongs to another kind
        of file, such as `model.onnx`.
        """
        check_output(path, "model", argument="path of the model")
        write_model(path, self.record, force=force)
        return Path(path)

    def push_to_hub(
        self,
        address: str,
        *,
        evaluation: Evaluation | None = None,
        private: bool = False,
        message: str | None = None,
        progress: bool = False,
    ) -> Pushed:
        """Publish the model with its card on the Hugging Face Hub; `ginjax.load("hf://user/name")` loads it from there.

        **Arguments:** those of `ginjax.hub.push_model`, and

        - `evaluation`: an evaluation whose errors the card then shows.

        **Returns:** the permanent address of exactly this file, and the web page of the commit.

        **Raises:** as `ginjax.hub.push_model`.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = self.save(Path(folder) / HubAddress.parse(address).file.rpartition("/")[2])
            return push_model(
                path,
                address,
                evaluation=None if evaluation is None else evaluation.to_json(),
                private=private,
                message=message,
                progress=progress,
            )

    @property
    def name(self) -> str:
        """The name of the model in tables and pictures: its architecture."""
        return self.network.spec.architecture

    @cached_property
    def _forecaster(self) -> Forecaster:
        """The forecaster of the model, kept because it holds the compiled step; not part of copies and pickles."""
        return Forecaster.of(self.network, self.record)

    def _child(self, record: ModelRecord) -> Model:
        """The model that this one was converted into."""
        return Model(from_record(record), record, parent=self)

    def _by_tiles(self, tile: int | Mapping[str, int] | None) -> Forecaster:
        return self._forecaster if tile is None else replace(self._forecaster, tile=tile)

    def __reduce__(self) -> tuple[Callable[..., Model], tuple[object, ...]]:
        return Model, (self.network, self.record, self.parent, self.training)

    def __repr__(self) -> str:
        return f"Model({in_words(self.name, self.record)})"


def _shown(progress: bool) -> Callable[..., ProgressBar]:
    return show_progress if progress else ProgressBar
