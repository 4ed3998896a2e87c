"""A trained or converted model as the start of further training."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from ginjax.checkpoint import (
    ADAPTABLE,
    Aspect,
    Axis,
    DataContract,
    Difference,
    ModelRecord,
    check_contract,
)
from ginjax.data import Normalisation
from ginjax.errors import ArgumentError
from ginjax.models import (
    DEFAULT_PADDING,
    AnyDimensionalModel,
    LoadedModel,
    find_architecture,
    named_arrays,
    outline,
    padding_along,
    padding_option_along,
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
    """A model to go on from; build it with `start_from`.

    **Arguments:**

    - `model`, `record`: the model.
    - `free`: the directions to train in, where compatibility is kept; None for all.
    """

    model: AnyDimensionalModel
    record: ModelRecord
    free: Mapping[str, Float[np.ndarray, "_filters _free"]] | None

    @property
    def trained(self) -> bool:
        """Whether there is a training that going on could make worse, so that the model as it is has to be beaten."""
        return self.normalisation is not None

    @property
    def normalisation(self) -> Normalisation | None:
        """The scales of its fields; None for a model that was never trained, whose scales are those of its first data."""
        contract = self.record.contract
        return Normalisation.of_contract(contract) if contract.scales else None

    def settle(self, tuned: AnyDimensionalModel) -> tuple[AnyDimensionalModel, Certificate | None]:
        """The tuned model without the rounding that training added, and its certificate; with all weights free, as it is."""
        record = self.record
        if record.certificate is None or self.free is None:
            return tuned, None
        # Training runs in single precision, whatever the file holds.
        arrays = project_onto_free(named_arrays(self.model), named_arrays(tuned), self.free)
        certificate = recertify(record.certificate, record.layers, record.banks, record.arrays, arrays)
        rounding = max(tolerance_of(array.dtype) for array in arrays.values())
        certificate = certificate.with_tolerance(max(certificate.tolerance, rounding))
        return with_arrays(tuned, arrays), certificate

    def as_it_was(self, record: ModelRecord) -> ModelRecord:
        """A record of the model after a tuning that found nothing better: the weights of the file, bit for bit.

        They are those that the certificate was made for, which therefore goes on to hold.

        **Arguments:**

        - `record`: of the tuning, with its contract and history.
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
    - `keep_compatible`: train only what leaves the behaviour of a converted model on lower-dimensional fields unchanged.

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
    return Start(loaded.model, record, _free(record) if keep_compatible else None)


def task_settings(start: Start | None, past_steps: int | None, residual: bool | None) -> tuple[int, bool]:
    """Frames seen and whether changes are predicted: as asked for, or as the model was trained."""
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
    """Refuse to go on from a model on data that it is not for.

    **Arguments:**

    - `start`: the model.
    - `found`: the contract of the data.
    - `past_steps`, `residual`: the task asked for.
    - `adapt`: aspects of `ADAPTABLE` in which the model is to be adapted to the data.

    **Returns:** what it will be adapted to.

    **Raises:** `ArgumentError` naming the first difference that is not to be adapted to.
    """
    wrong = [aspect for aspect in adapt if aspect not in ADAPTABLE]
    if wrong:
        raise ArgumentError("`adapt`", got=repr(wrong[0]), expected=" or ".join(ADAPTABLE))
    own = start.record.contract
    if start.normalisation is None:
        own = replace(own, residual=residual)  # never trained: whether it predicts changes is open
    asked = replace(found, past_steps=past_steps, residual=residual)
    accept: list[Aspect] = [aspect for aspect in ADAPTABLE if aspect in adapt]
    result = check_contract(own, asked, task=True, accept=accept, adapting=True)
    low = start.record.certificate.from_dim if start.free is not None and start.record.certificate else own.D
    if own.is_torus[low:] != asked.is_torus[low:]:
        raise ArgumentError(
            "boundaries to adapt to",
            got="a new axis that is not periodic",
            expected="periodic new axes, without which the network is not compatible with the lower dimension",
        )
    return result


def with_walls(start: Start, axes: Sequence[Axis], padding: object) -> Start:
    """The same start with a network that goes on beyond the walls of new data in another way; its weights stay.

    **Arguments:**

    - `axes`: of the data. Walls that the model has already stay as they are.
    - `padding`: as in `Network`.

    **Raises:** `ArgumentError` for an architecture without the choice, or a `padding` that does not fit the axes.
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


def _free(record: ModelRecord) -> dict[str, Float[np.ndarray, "_filters _free"]]:
    """The directions that leave a converted model compatible."""
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
    if not any(basis.shape[1] for basis in free.values()):
        raise ArgumentError(
            "compatibility to keep",
            got="a model whose conversion left no direction free",
            expected="an equivariant model with more than one exact conversion, as full filters have",
        )
    return free
