"""`ginjax verify`: run a converted network and the original one, and compare them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ginjax._text import shell_word

from ._data_options import (
    DataAxes,
    DataConditions,
    DataFields,
    DataParity,
    DataPart,
    DataPeriodic,
    Samples,
    reading_of,
    refuse_unread,
)
from ._options import Debug, Json, Quiet, Seed
from ._output import Output
from ._read_as import say_how_read
from ._way_to_convert import names_conversion

if TYPE_CHECKING:
    from ginjax.data import DataReading
    from ginjax.geometric import MultiImage
    from ginjax.ml import ShortestWaves
    from ginjax.models import LoadedModel, Verification


WAY_OUT = (
    "Convert again with --rescale compatibility (--dtype float64 leaves no rounding to amplify), or check that one file was "
    "made from the other."
)


@names_conversion("data")
def verify(
    low: Annotated[Path, typer.Argument(help="The model file of the lower dimension.", metavar="LOW")],
    high: Annotated[Path, typer.Argument(help="The model file of the higher dimension.", metavar="HIGH")],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="Data in the dimension of LOW for the lift test, or in that of HIGH to measure its error: a "
            "file or a folder (see 'ginjax data inspect'), or pairs.",
            metavar="PATH",
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            min=2,
            max=256,
            help="Grid points along each axis of random fields, or along the new axes of the given data.",
            show_default="8 (more if the network needs it), or 32 for ONNX graphs",
        ),
    ] = None,
    tol: Annotated[
        float | None,
        typer.Option("--tol", min=0, help="Largest defect that is accepted.", show_default="by precision"),
    ] = None,
    samples: Samples = None,
    field: DataFields = None,
    axes: DataAxes = None,
    parity: DataParity = None,
    periodic: DataPeriodic = None,
    condition: DataConditions = None,
    split: DataPart = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Check on random or given fields that a converted network reproduces the original one.

    The lift test compares the two networks on fields that do not vary along the new axes, in float64 and in the
    precision of the file. The equivariance defect says how far the converted network is from commuting with rotations
    and reflections. Exit code 3 means that a promise is not kept. Rules that promise nothing are only measured.

    Networks of other libraries are not run: the command computes their certificate again from both files. ONNX graphs
    are run by onnxruntime.
    """
    out = Output(json=json, quiet=quiet)
    from ginjax.onnx import is_onnx

    if is_onnx(low) or is_onnx(high):
        from . import _onnx_verify

        given = {
            "data": data,
            "samples": samples,
            "field": field,
            "axes": axes,
            "parity": parity,
            "periodic": periodic,
            "condition": condition,
        }
        refuse_unread(given | {"split": split}, "models of ginjax")
        _onnx_verify.verify(out, low, high, size=size, tol=tol, seed=seed)
        return
    from ginjax.state_dict import is_state_dict

    if is_state_dict(high) and is_state_dict(low):
        from . import _state_dict

        refuse_unread(
            {"data": data, "size": size, "samples": samples, "split": split},
            "models of ginjax, which can be run",
        )
        _state_dict.verify(out, low, high, tol)
        return
    import jax

    from ginjax.checkpoint import added_axes, conversion_differences, to_be_lifted
    from ginjax.ml import shortest_waves
    from ginjax.models import (
        STAGES,
        certificate_between,
        default_side,
        from_record,
        load_pair,
        on_shared_fields,
        promises_between,
        shared_inputs,
        verification_effort,
        verify_transfer,
        with_condition,
    )

    reading = reading_of(field, parity, periodic, axes, condition)
    if data is None:
        unread = {
            "field": field,
            "axes": axes,
            "parity": parity,
            "periodic": periodic,
            "condition": condition,
            "split": split,
            "samples": samples,
        }
        refuse_unread(unread, "--data PATH")
    first, second = load_pair(low, high)
    given = None if data is None else _read(out, data, (first, second), samples, reading, split)
    effort = verification_effort(
        first.record,
        second.record,
        side=default_side(first.model, walled=not all(second.record.is_torus)) if size is None else size,
        **({} if given is None else given.shape()),
    )
    if effort.warning is not None:
        out.note(effort.warning)
    effort.check()
    with out.progress(STAGES, "running both networks") as progress:
        # The certificate is in the file that a conversion wrote: the higher one, or on the way down the lower one.
        certificate = certificate_between(first.record, second.record)
        made = second if certificate is second.record.certificate else first
        parity_lift = certificate is not None and certificate.parity_lift
        places = added_axes(first.record, second.record)
        shared = on_shared_fields(first.record, second.record, parity_lift)
        same = shared[0] is first.record and shared[1] is second.record
        with jax.enable_x64(True):
            models = (first.model, second.model) if same else tuple(map(from_record, shared))
        fields = None if given is None else given.fields
        if fields is not None and not same:
            fields = shared_inputs(fields, first.record.contract, shared[0].contract)
        result = verify_transfer(
            *models,
            whole=None if same else second.model,
            is_torus=first.record.is_torus,
            new_axes=places,
            new_torus=tuple(second.record.is_torus[i] for i in places),
            side=size,
            seed=seed,
            parity_lift=parity_lift,
            fields=fields,
            progress=progress.advance,
        )
        result = with_condition(result, *shared, parity_lift, places)
    promises = promises_between(first.record, second.record)
    on = f"fields of side {result.side}" if given is None or given.fields is None else given.name
    out.table(
        f"{low} ({first.record.D}D) and {high} ({second.record.D}D), {on}",
        ("check", "defect", "limit", "holds"),
        result.rows(tol),
    )
    if given is not None:
        out.line(
            f"one-step error on {given.name} (nRMSE): {given.error:.4g}; of no change: {given.no_change:.4g}"
        )
    stale = certificate is not None and made.record.certificate_is_stale
    if stale:
        out.warn("the certificate does not belong to the model in the file, which has changed since")
    if not same:
        both = ", ".join(each.name for each in shared[0].contract.everything)
        out.note(
            f"the two models have other fields: compared on those of both ({both}), the others at their means"
        )
    for each in conversion_differences(
        *(record.contract for record in shared), lifted=parity_lift, new_axes=places
    ):
        out.warn(
            f"the two models are not for the same data: {each.subject}: {each.got} against {each.expected}"
        )
    if promises.why_not is not None:
        out.note(f"{promises.why_not}: the lift test is information")
    odd = None if parity_lift else to_be_lifted(first.record)
    if odd is not None:
        out.note(odd)
    if not promises.equivariant:
        out.note("the model is a plain network: its equivariance defect is information")
    waves = shortest_waves(first.record, second.record)
    show_waves(out, waves)
    failed = promises.broken(result, tol)
    payload = verification_payload(result) | {
        "low": str(low),
        "high": str(high),
        "promised": promises.compatible,
        "holds": not failed,
        "certificate_stale": stale,
        "data": None if given is None else given.payload(),
        "shortest_waves": waves_payload(waves),
    }
    out.result(None, payload)
    promises.check(result, tol, way_out=WAY_OUT)
    out.next_step(f"ginjax inspect {shell_word(high)}")


@dataclass(frozen=True)
class _Given:
    """What follows from data in one of the two dimensions.

    **Arguments:**

    - `dim`, `name`: the dimension and the name of the data.
    - `samples`: the number of samples used.
    - `error`, `no_change`: the one-step error of the model of that dimension, and that of predicting no change.
    - `fields`: inputs of the lower model for the lift test; None for data of the higher dimension.
    """

    dim: int
    name: str
    samples: int
    error: float
    no_change: float
    fields: "MultiImage | None"

    def shape(self) -> dict[str, Any]:
        """The number and the size of the inputs of the lift test; nothing if there are none."""
        if self.fields is None:
            return {}
        return {"samples": self.fields.get_L(), "spatial": self.fields.get_spatial_dims()}

    def payload(self) -> dict[str, Any]:
        return {
            "dimension": self.dim,
            "name": self.name,
            "samples": self.samples,
            "error": self.error,
            "no_change": self.no_change,
            "lifted": self.fields is not None,
        }


def _read(
    out: Output,
    path: Path,
    models: "tuple[LoadedModel, LoadedModel]",
    samples: int | None,
    reading: "DataReading",
    split: str | None,
) -> _Given:
    """Samples for the model that has the dimension of the data, and the error of that model on them."""
    from ginjax.errors import ArgumentError
    from ginjax.ml import samples_for
    from ginjax.models import from_record

    D = _dimension(path, reading, models)
    fitting = [each for each in models if each.record.D == D]
    if not fitting:
        raise ArgumentError(
            "dimension of the data",
            got=D,
            expected=" or ".join(str(each.record.D) for each in models) + ", those of the models",
        )
    chosen = fitting[0]
    task, held_out = samples_for(chosen.record, D, path, reading, samples=samples, split=split)
    say_how_read(out, held_out.source, chosen.record.contract)
    if held_out.note:
        out.note(held_out.note)
    found = task.error(from_record(chosen.record))
    fields = task.pairs()[0] if chosen is models[0] else None
    return _Given(D, held_out.name, len(task.indices), found.model, found.persistence, fields)


def _dimension(path: Path, reading: "DataReading", models: "tuple[LoadedModel, LoadedModel]") -> int:
    """The dimension of the data, read in the same way as the training data of one of the models."""
    from ginjax.errors import GinjaxError
    from ginjax.ml import data_dimension

    low, high = (each.record.contract for each in models)
    try:
        return data_dimension(path, reading.for_model(low, (low.D, high.D)))
    except GinjaxError:
        return data_dimension(path, reading.for_model(high, (low.D, high.D)))


def show_waves(out: Output, waves: "ShortestWaves | None") -> None:
    """Say how the shortest waves grow in a rollout, if the models can be rolled out."""
    if waves is None:
        return
    out.line(
        f"the shortest waves of the grid, in one step: x {waves.low:.2g} in {waves.low_dim}D, "
        f"x {waves.high:.2g} in {waves.high_dim}D (growth that the conversion adds endangers rollouts)"
    )
    if waves.warning:
        out.warn(waves.warning)


def waves_payload(waves: "ShortestWaves | None") -> dict[str, float] | None:
    """The growth of the shortest waves as plain values, or None."""
    return None if waves is None else {"low": waves.low, "high": waves.high}


def verification_payload(result: "Verification") -> dict[str, Any]:
    """The verification as plain values."""
    return {
        "side": result.side,
        "dtype": result.dtype,
        "lift_float64": result.lift_float64,
        "lift_own": result.lift_own,
        "equivariance": result.equivariance,
        "noise_float64": result.noise_float64,
        "noise_own": result.noise_own,
        "noise_high": result.noise_high,
        "condition": result.condition,
    }
