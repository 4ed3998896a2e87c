"""A trained or converted model as the start of further training."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float

from ginjax._unknown_name import unknown_name
from ginjax.checkpoint import (
    ADAPTABLE,
    Aspect,
    Axis,
    DataContract,
    Difference,
    FieldChange,
    ModelRecord,
    change_of_fields,
    check_contract,
)
from ginjax.data import Normalisation
from ginjax.errors import ArgumentError
from ginjax.models import (
    DEFAULT_PADDING,
    AnyDimensionalModel,
    LoadedModel,
    change_fields,
    find_architecture,
    from_record,
    named_arrays,
    outline,
    padding_along,
    padding_option_along,
    unbound_values,
    with_arrays,
)
from ginjax.transfer import (
    Certificate,
    array_digest,
    free_directions,
    project_onto_free,
    recertify,
    tolerance_of,
)


@dataclass(frozen=True)
class Start:
    """A model to train further; build it with `start_from`.

    **Arguments:**

    - `model`, `record`: the model.
    - `free`: the directions to train in if compatibility is kept; None for all.
    - `unbound`: with `free`, values of arrays that may also be trained, because the fields for which compatibility is kept do
      not depend on them, see `ginjax.models.unbound_values`.
    - `change`: how its fields change to fit the data, if they do, see `with_fields_of`.
    """

    model: AnyDimensionalModel
    record: ModelRecord
    free: Mapping[str, Float[np.ndarray, "_filters _free"]] | None
    unbound: Mapping[str, Bool[np.ndarray, " _rows"]] = field(default_factory=dict)
    change: FieldChange | None = None

    @property
    def trained(self) -> bool:
        """Whether the model was trained before, so that a tuning could make it worse and has to improve on it."""
        return self.normalisation is not None

    @property
    def normalisation(self) -> Normalisation | None:
        """The scales of its fields, without those of new fields; None for a model that was never trained."""
        own, contract = (
            self.record.contract,
            self.record.contract if self.change is None else self.change.before,
        )
        if not contract.scales:
            return None
        known, names = Normalisation.of_contract(contract), {each.name for each in own.everything}
        return Normalisation(
            tuple(scale for scale in known.scales if scale.field.name in names),
            tuple(scale for scale in known.constants if scale.field.name in names),
        )

    def settle(self, tuned: AnyDimensionalModel) -> tuple[AnyDimensionalModel, Certificate | None]:
        """Remove the rounding errors of training and certify the tuned model; with all weights free, return it unchanged."""
        record = self.record
        if record.certificate is None or self.free is None:
            return tuned, None
        # Training runs in single precision, whatever the file holds.
        made = named_arrays(tuned)
        arrays = project_onto_free(named_arrays(self.model), made, self.free)
        certificate = recertify(record.certificate, record.layers, record.banks, record.arrays, arrays)
        for name, rows in self.unbound.items():
            arrays[name] = np.array(arrays[name])
            arrays[name][rows] = made[name][rows].astype(arrays[name].dtype)
        if self.unbound:
            certificate = certificate.of_weights(array_digest(arrays), certificate.paths)
        rounding = max(tolerance_of(array.dtype) for array in arrays.values())
        certificate = certificate.with_tolerance(max(certificate.tolerance, rounding))
        return with_arrays(tuned, arrays), certificate

    def as_it_was(self, record: ModelRecord) -> ModelRecord:
        """Make a record after a tuning that found nothing better by a tenth: with the weights of the file, bit for bit.

        The certificate was made for these weights, so it still holds.

        **Arguments:**

        - `record`: the record of the tuning, with its contract and history.
        """
        own = self.record
        made = replace(record, arrays=own.arrays, certificate=None)
        if own.certificate is None or own.certificate_is_stale:
            return made
        return made.certified(own.certificate.of_weights(array_digest(own.arrays), own.certificate.paths))


def start_from(loaded: LoadedModel, *, keep_compatible: bool = False) -> Start:
    """Take a model as the start of a training.

    **Arguments:**

    - `loaded`: the model.
    - `keep_compatible`: train only those parameters that leave the behaviour of a converted model on lower-dimensional
      fields unchanged.

    **Raises:** `ArgumentError` if the model does not say how its fields are scaled, predicts other fields than it sees, or
    there is no compatibility to keep.
    """
    record = loaded.record
    trained = any(step.get("step") in ("train", "tune") for step in record.provenance)
    if not record.contract.scales and (trained or not record.contract.fields):
        raise ArgumentError(
            "the model does not say how its fields are normalised",
            expected="a model written by 'ginjax train' or 'ginjax init', or converted from one",
        )
    if record.contract.targets is not None:
        raise ArgumentError(
            "fields that the model predicts",
            got=", ".join(each.kind for each in record.contract.targets),
            expected=f"{', '.join(each.kind for each in record.contract.fields)}, those that it sees",
            hint="Training predicts the next frame of the fields seen: build the network with its inputs as outputs.",
        )
    start = Start(loaded.model, record, None)
    return keeping_compatible(start) if keep_compatible else start


def keeping_compatible(start: Start) -> Start:
    """Train only those parameters that leave the behaviour on lower-dimensional fields unchanged.

    **Raises:** `ArgumentError` if there is no compatibility to keep.
    """
    unbound = unbound_values(start.record)
    return replace(start, free=_free(start.record, bool(unbound)), unbound=unbound)


def with_fields_of(start: Start, found: DataContract, drop: Collection[str] = ()) -> Start:
    """Adapt a start to the fields of some data, if they differ from those of the model.

    The model gains the fields that it lacks, and loses those that the data lack; see `ginjax.models.change_fields`. A model
    that was never trained gains no fields.

    **Arguments:**

    - `found`: the contract of the data.
    - `drop`: names of fields that the model is not to have, its own or those of the data.

    **Raises:** as `change_of_fields` and `change_fields`.
    """
    own = start.record.contract
    if found.D != own.D:
        return start
    gone = {*drop} if start.trained else {*drop, *_beside(own, found)}
    change = change_of_fields(own, found, gone)
    if change is None:
        return start
    record = change_fields(start.record, change)
    changed = replace(start, model=from_record(record), record=record, change=change)
    return changed if start.free is None else keeping_compatible(changed)


def _beside(own: DataContract, found: DataContract) -> set[str]:
    """The names of the fields that the data have and the model does not."""
    return {each.name for each in found.everything} - {each.name for each in own.everything}


def task_settings(start: Start | None, past_steps: int | None, residual: bool | None) -> tuple[int, bool]:
    """Return the number of past frames and whether changes are predicted: as asked for, or as the model was trained."""
    own = (1, False) if start is None else (start.record.contract.past_steps, start.record.contract.residual)
    return own[0] if past_steps is None else past_steps, own[1] if residual is None else residual


def check_start(
    start: Start,
    found: DataContract,
    *,
    past_steps: int,
    residual: bool,
    adapt: Collection[str] = (),
) -> tuple[Difference, ...]:
    """Refuse to train a model further on data that do not fit it.

    **Arguments:**

    - `start`: the model.
    - `found`: the contract of the data.
    - `past_steps`, `residual`: the task asked for.
    - `adapt`: aspects of `ADAPTABLE` in which the model is to be adapted to the data.

    **Returns:** the differences that the model will be adapted to.

    **Raises:** `ArgumentError` that names the first difference that is not to be adapted to.
    """
    wrong = [aspect for aspect in adapt if aspect not in ADAPTABLE]
    if wrong:
        raise unknown_name("`adapt`", wrong[0], ADAPTABLE)
    own = start.record.contract
    if start.normalisation is None:
        own = replace(own, residual=residual)  # never trained: whether it predicts changes is open
    asked = replace(found, past_steps=past_steps, residual=residual)
    accept: list[Aspect] = [aspect for aspect in ADAPTABLE if aspect in adapt]
    result = check_contract(own, asked, task=True, accept=accept, adapting=True)
    certificate = start.record.certificate if start.free is not None else None
    added = () if certificate is None else certificate.new_axes or range(certificate.from_dim, own.D)
    if any(own.is_torus[i] != asked.is_torus[i] for i in added):
        raise ArgumentError(
            "boundaries to adapt to",
            got="a new axis that is not periodic",
            expected="periodic new axes, without which the network is not compatible with the lower dimension",
        )
    return result


def with_walls(start: Start, axes: Sequence[Axis], padding: object) -> Start:
    """Change how the network continues fields beyond the walls of new data; its weights stay.

    **Arguments:**

    - `axes`: axes of the data. Walls that the model has already stay as they are.
    - `padding`: as in `Network`.

    **Raises:** `ArgumentError` for an architecture without this choice, or a `padding` that does not fit the axes.
    """
    spec, record = start.model.spec, start.record
    own = [None if axis.is_torus else axis.padding for axis in record.contract.axes]
    known = "padding_mode" in find_architecture(spec.architecture).complete(dict(spec.options))
    if padding is None and (not known or all(axis.is_torus for axis in axes)):
        return start
    fresh = padding_along(axes, padding, DEFAULT_PADDING)
    words = [word if kept is None else kept for word, kept in zip(fresh, own, strict=True)]
    option = padding_option_along(axes, None, words, plain=not spec.equivariant)
    walled = spec.with_options(padding_mode=option)
    if spec.equivariant and walled.padding(record.D) == spec.padding(record.D):
        return start
    model = with_arrays(outline(walled, record.D, record.banks), named_arrays(start.model))
    return replace(start, model=model)


def _free(record: ModelRecord, has_others: bool) -> dict[str, Float[np.ndarray, "_filters _free"]]:
    """The directions that keep a converted model compatible; `has_others`: whether other values may be trained too."""
    certificate = record.certificate
    if certificate is None or certificate.to_dim != record.D or certificate.from_dim > record.D:
        raise ArgumentError(
            "compatibility to keep", got="a model that was not converted", expected="a converted model"
        )
    if certificate.parity_lift or record.certificate_is_stale:
        raise ArgumentError(
            "compatibility to keep",
            got="a stale certificate" if record.certificate_is_stale else "a parity lift",
            expected="a model as 'ginjax convert-d' wrote it",
        )
    free = free_directions(record.layers, record.banks, certificate.from_dim)
    if not has_others and not any(basis.shape[1] for basis in free.values()):
        raise ArgumentError(
            "compatibility to keep",
            got="a model whose conversion left no direction free",
            expected="an equivariant model with more than one exact conversion, as full filters have",
        )
    return free
