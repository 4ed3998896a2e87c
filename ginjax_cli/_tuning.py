"""A model in a file as the start of further training."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ._model_options import signature_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from ginjax.checkpoint import ModelRecord
    from ginjax.data import Field, Normalisation
    from ginjax.models import AnyDimensionalModel, ModelSpec
    from ginjax.transfer import Certificate


@dataclass(frozen=True)
class Start:
    """A model to go on from."""

    model: "AnyDimensionalModel"
    record: "ModelRecord"
    normalisation: "Normalisation"
    free: "dict[str, np.ndarray] | None"

    def settle(self, tuned: "AnyDimensionalModel") -> "tuple[AnyDimensionalModel, Certificate]":
        """The tuned model without the rounding that training added, and its certificate."""
        from ginjax.checkpoint import weights_digest
        from ginjax.models import named_arrays, with_arrays
        from ginjax.transfer import project_onto_free, recertify, tolerance_of

        record = self.record
        if record.certificate is None or self.free is None:
            raise AssertionError
        # Training runs in single precision, whatever the file holds.
        arrays = project_onto_free(named_arrays(self.model), named_arrays(tuned), self.free)
        certificate = recertify(
            record.certificate, record.layers, record.banks, record.arrays, arrays, weights_digest
        )
        rounding = max(tolerance_of(array.dtype) for array in arrays.values())
        certificate = certificate.with_tolerance(max(certificate.tolerance, rounding))
        return with_arrays(tuned, arrays), certificate


def read_start(path: Path, dim: int | None, keep_compatible: bool) -> Start:
    from ginjax.data import Normalisation
    from ginjax.errors import ArgumentError
    from ginjax.models import load_model
    from ginjax.transfer import free_directions

    loaded = load_model(path)
    record = loaded.record
    if dim is not None and dim != record.D:
        raise ArgumentError("--dim", got=dim, expected=f"{record.D}, the dimension of {path}")
    if record.D > 3:
        raise ArgumentError("dimension of the model", got=record.D, expected="1, 2 or 3, to be simulated")
    stored = (record.data or {}).get("normalisation")
    if not stored:
        raise ArgumentError(
            f"{path} does not say how its fields are normalised",
            expected="a model written by 'ginjax train', or converted from one",
        )
    free = None
    if keep_compatible:
        certificate = record.certificate
        if certificate is None or certificate.to_dim != record.D or certificate.from_dim > record.D:
            raise ArgumentError(
                "--keep-compatible", got=f"{path}, which was not converted", expected="a converted model"
            )
        if certificate.parity_lift or record.certificate_is_stale:
            raise ArgumentError(
                "--keep-compatible",
                got="a stale certificate" if record.certificate_is_stale else "a parity lift",
                expected="a model as 'ginjax convert-d' wrote it",
            )
        free = free_directions(record.layers, record.banks, certificate.from_dim)
        if not any(basis.shape[1] for basis in free.values()):
            raise ArgumentError(
                "--keep-compatible",
                got=f"{path}, whose conversion left no direction free",
                expected="an equivariant model with more than one exact conversion, as full filters have",
            )
    return Start(loaded.model, record, Normalisation.from_json(stored), free)


def check_fields(spec: "ModelSpec", inputs: "Sequence[Field]", outputs: "Sequence[Field]") -> None:
    """Refuse data whose fields are not those of a model.

    - `inputs`: one field for each channel of the inputs.
    """
    from ginjax.errors import ArgumentError
    from ginjax.geometric import Signature

    for name, signature, fields in (("fields", spec.outputs, outputs), ("inputs", spec.inputs, inputs)):
        if signature != Signature(signature_of(fields)):
            raise ArgumentError(
                f"{name} of the model",
                got=signature,
                expected=f"those of the data: {[f.name for f in fields]}",
            )


def task_of(start: Start | None, past_steps: int | None, residual: bool | None) -> tuple[int, bool]:
    """Frames seen, and whether changes are predicted: as asked for, or as the model was trained.

    **Raises:** `ArgumentError` if a model is to go on with another task than its own.
    """
    from ginjax.errors import ArgumentError

    about = {} if start is None else start.record.data or {}
    own_steps, own_residual = int(about.get("past_steps", 1)), bool(about.get("residual", False))
    if start is not None:
        for name, asked, own in (
            ("--past-steps", past_steps, own_steps),
            ("--residual", residual, own_residual),
        ):
            if asked is not None and asked != own:
                raise ArgumentError(name, got=asked, expected=f"{own}, as the model of --init was trained")
    return own_steps if past_steps is None else past_steps, own_residual if residual is None else residual
