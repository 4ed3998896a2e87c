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

    `ginjax.train`, `ginjax.load`, `Model.tune` and `Model.to_dimension` return one; `Model.of` makes one of a network
    that was built by hand. It does not change: what changes something returns another model.

    **Arguments:**

    - `network`: an Equinox module, for one sample: `network(x)[0]` of a normalised `MultiImage`.
    - `record`: all that its file holds.
    - `parent`: the model that it was converted from, in this program; None otherwise.
    - `training`: how its last training went, in this program; None otherwise.
    """

    network: AnyDimensionalModel
    record: ModelRecord
    parent: Model | None = None
    training: Training | None = None

    @classmethod
    def of(cls, network: AnyDimensionalModel, contract: DataContract | None = None) -> Model:
        """A network that was built or trained by hand.

        **Arguments:**

        - `network`: the network.
        - `contract`: what its data are like, such as `ginjax.from_arrays(...).contract`; None if nothing is known but
          that they are periodic.
        """
        return cls(network, to_record(network, contract=contract))

    @property
    def D(self) -> int:
        """The dimension."""
        return self.record.D

    @property
    def contract(self) -> DataContract:
        """What the model's data have to be like: fields with unit and scale, axes, past frames, spacing, time step."""
        return self.record.contract

    @property
    def history(self) -> tuple[Mapping[str, Any], ...]:
        """Every step so far, the oldest first; copies, which may be changed."""
        return copy.deepcopy(self.record.provenance)

    @property
    def certificate(self) -> Certificate | None:
        """What its last conversion preserved; None if it was never converted."""
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
        """Go on from given frames, each prediction made from those before it.

        **Arguments:**

        - `start`: a source, the path of data, or by name one array for every field and constant of the model, in physical
          units: fields `(trajectory, time, *space, D, ..., D)`, or without the first axis for one trajectory, or without
          the first two for one frame; constants without the axis of time.
        - `steps`: how many predictions.
        - `first`: the oldest frame that is seen, from 0; the last frames are gone on from if None. To compare with what
          came of the first frames, say 0.
        - `tile`: predict parts of the grid of so many pixels along every axis, or along those that are named (`{"x": 64}`), one
          after the other, to save memory. The result differs by rounding only.
        - `progress`: whether to show how far it is.

        **Returns:** by field, the predictions `(trajectory, steps, *space, D, ..., D)`, without the first axis where the
        arrays had none. Float32, in physical units.

        **Raises:** `ArgumentError` for data that the model is not for, `NumericsError` when a rollout blows up,
        `UnsupportedError` for tiles of a network that looks at the whole field at once.
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

        - `data`: a source, a path, or sources by part; if None, new simulations of the equation it was trained on. Of
          data that the model knows from its training it takes the part that was held out.
        - `steps`: predictions; as many as the data allow (16 in simulations) if None.
        - `trajectories`: at most so many; all (16 simulations) if None.
        - `split`: the part of the data, "train", "valid" or "test".
        - `beside`: other models for the same data, by the name they get in tables and pictures.
        - `tile`: as in `predict`.
        - `seed`: of simulations.
        - `progress`: whether to show how far it is.

        **Raises:** `ArgumentError` for data that a model is not for.
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
        - `width`: "one" or "two" columns of a journal, or millimetres.
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
        """Go on training, on data of the model's dimension: a converted model with the few samples there are, say.

        Rollouts on held-out frames choose the weights, and those of this model are the first to choose from: where no step
        makes it better by a tenth, it comes back bit for bit, and `training.kept_start` says so. Of a single trajectory the
        end is held out.

        **Arguments:**

        - `data`, `settings`, `progress`: as in `ginjax.train`.
        - `valid`: as there, but taken also from data that have parts and none to validate on; with 0 nothing is held out
          to choose by, and the last weights are taken: data that bring a part `valid` are at most measured on in the end.
        - `test`: as there; by default 0.1, or 0 where there are one or two trajectories.
        - `keep_compatible`: train only what leaves the behaviour of a converted model on lower-dimensional fields
          unchanged.
        - `adapt`: aspects in which the data may differ from those of the model: "boundary", "spacing", "time-step".
        - `padding`: how the network goes on beyond the walls that it is adapted to, as in `ginjax.Network`.
        - `drop_fields`: names of fields that the model is not to have: its own, which it loses, or those of the data, which
          it does not gain. Without them it takes over the fields of the data where these have more, or fewer, see
          `with_fields_of`.

        **Returns:** the tuned model; its scales and past frames are those of this one.

        **Raises:** as `ginjax.train`; `ArgumentError` for data that differ from those of the model in another aspect.
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
        """The same model for the fields of some data: what they have beside its own it gains, what they lack it loses.

        Nothing is trained. Whatever the new fields are, the old ones are predicted as before but for rounding, and the new ones
        stay at their mean, or do not change. Of a field that is lost the model goes on as if it were at its mean. A
        certificate goes on to hold for the fields that the model had. `tune` does this by itself.

        **Arguments:**

        - `data`: as in `ginjax.train`, of the model's dimension. On all of them the scales of new fields are measured.
        - `drop_fields`: names of fields that the model is not to have, its own or those of the data.

        **Raises:** `ArgumentError` for data that lack some of its fields and have others, which may be the same under other
        names; `UnsupportedError` for a network that cannot be changed so.
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
        """The same network in another dimension, with its weights converted and a certificate of what that preserved.

        **Arguments:**

        - `D`: the dimension.
        - `rescale`: the rule, by the name it has on the command line or from `ginjax.transfer.make_rule`.
        - `flex`: for "compat-flex": 0 is the sparsest exact solution, 1 the default one.
        - `lift_parity`: turn odd scalars (vorticity in 2D) into odd vectors along the new axis.
        - `new_boundary`: what the new axes do at their ends: "periodic", as they do if nothing is said, "edge" (the last value
          again and again) or "mirror" (its mirror image, for even fields); one word, or words by the name of the axis.
        - `new_axis`: which axes of the new dimension are the new ones, such as "y" or "x,z"; the last if None. Axes keep their
          order: with "y" those of a plane, x and y, become x and z. On the way down, which axes go: those that a conversion
          added, or the last.
        - `dtype`: of the weights, "float16", "float32" or "float64"; as they are if None.
        - `allow_inexact`: whether a rule that promises compatibility may break its promise.

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
        """The same network in a higher dimension, by the exact conversion that fits a few samples best.

        See `ginjax.ml.calibrate` for what is minimised.

        **Arguments:**

        - `D`: the dimension.
        - `data`: as in `ginjax.train`, of that dimension, or of this model's own. Those are laid into the new one in random
          directions, which is right where physics prefers none. Of data with parts the part `train` is used.
        - `rescale`: the rule to start from, "isotropic" or "compat-flex".
        - `samples`: at most so many of the data.
        - `seed`: of the directions.
        - `new_boundary`, `new_axis`: what the new axes do at their ends, and which they are, as in `to_dimension`.
        - `progress`: whether to show how far it is.

        **Returns:** a model whose `parent` is this one; its history says what was chosen.

        **Raises:** `ArgumentError` for data that do not fit, `UnsupportedError` for data of the low dimension if the network
        sees too far, has a norm or fields of odd parity.
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

        - `low`: the other model, of a lower dimension (or of a higher one, for a model that was converted down); its
          `parent` if None.
        - `side`: pixels along each axis; 8, or as many as a U-Net needs, if None.
        - `seed`: of the fields.
        - `tolerance`: the largest defect accepted, in place of those of the precision.

        **Returns:** every check with what was found and the largest value accepted. A `GinjaxWarning` says beforehand what
        takes minutes or gigabytes, and if rollouts are likely to blow up, see `ginjax.ml.shortest_waves`.

        **Raises:** `VerificationError` if something that the conversion promised does not hold; `ArgumentError` without a
        model to compare with; `MemoryLimitError` for a grid that memory has no room for.
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
        """The same model with another network of the same kind, such as one changed by `equinox.tree_at`.

        Contract and history stay. A certificate stays too, and is stale: it speaks of the weights that it was made for.

        **Arguments:**

        - `network`: of the specification and dimension of this one.

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
        """Write the model into one file, which every command reads.

        **Arguments:**

        - `path`: the file, by custom `NAME.safetensors`.
        - `force`: replace a file that is there.

        **Returns:** the path.

        **Raises:** `FileError` for a file that is there or cannot be written, `ArgumentError` for a name of another kind of
          file, such as `model.onnx`.
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
        """Publish the model with its card on the Hugging Face Hub, from where `ginjax.load("hf://user/name")` loads it.

        **Arguments:** as of `ginjax.hub.push_model`.

        - `evaluation`: the card then tells its errors.

        **Returns:** the address of these bytes for ever, and the page of the commit.

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
        """What tables and pictures call it: its architecture."""
        return self.network.spec.architecture

    @cached_property
    def _forecaster(self) -> Forecaster:
        """The model as it is rolled out; kept, because it holds the compiled step, and left out of copies and pickles."""
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
