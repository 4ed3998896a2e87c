"""The training that the options of `ginjax train` ask for, with every check that can be made before work begins."""

from typing import TYPE_CHECKING, Any

import typer

from ._by_axis import by_axis
from ._data_options import reading_of
from ._model_options import network_of
from ._output import Output
from ._pixels import pixels
from ._read_as import say_notes
from ._run_options import parse_interval, parse_seconds
from ._task_options import asked_simulation
from ._train_report import say_request
from ._without_effect import refuse_parting, refuse_without_effect

if TYPE_CHECKING:
    from ginjax.ml import Start, TrainingMaterial, TrainingRequest, TrainSettings

_AS_THEY_ARE = (
    "steps", "epochs", "batch_size", "loss", "learning_rate", "optimiser", "schedule", "warmup", "weight_decay", "clip",
    "noise", "unroll", "patience", "validate_every", "accumulate", "remat", "precision", "seed",
)  # fmt: skip
"""Options that are settings of the training under the same names."""


def asked_settings(ctx: typer.Context) -> "TrainSettings":
    """The settings of the training.

    **Raises:** `ArgumentError` for a value that is not accepted, or an option without effect.
    """
    from ginjax.ml import TrainSettings

    given = ctx.params
    parse_interval("--checkpoint-every", given["checkpoint_every"])
    refuse_without_effect(ctx)
    budget = given["time_budget"]
    same: dict[str, Any] = {name: given[name] for name in _AS_THEY_ARE}
    return TrainSettings(
        **same,
        seconds=None if budget is None else parse_seconds("--time-budget", budget),
        freeze=tuple(given["freeze"] or ()),
        crop=pixels("--crop", given["crop"]),
    )


def asked_request(ctx: typer.Context, settings: "TrainSettings", out: Output) -> "TrainingRequest":
    """Combine data, network and settings, and say what a user has to know about them. Nothing is written or simulated.

    **Raises:** `ArgumentError` for options that do not fit the data, the model of --init or one another; `FileError` for a file
    that cannot be read.
    """
    from ginjax.errors import ArgumentError
    from ginjax.ml import request_training, start_from
    from ginjax.models import load_model

    given = ctx.params
    init, dim, adapt = given["init"], given["dim"], given["adapt"] or ()
    start = None if init is None else start_from(load_model(init), keep_compatible=given["keep_compatible"])
    material = _material(ctx, settings, start)
    if material.has_parts and (start is None or not start.trained):
        refuse_parting(ctx)
    if material.said:
        own = material.contract if start is None else start.record.contract
        say_notes(out, material.said, own, material.contract)
    if dim is not None and dim != material.contract.D:
        known, hint = material.contract.D, "Leave --dim out: data in files state their dimension."
        raise ArgumentError("--dim", got=dim, expected=f"{known}, the dimension of the data", hint=hint)
    request = request_training(
        material,
        settings,
        network=network_of(ctx) if start is None else None,
        start=start,
        past_steps=given["past_steps"],
        residual=given["residual"],
        adapt=adapt,
        padding=None if start is None else by_axis("--padding", given["padding"]),
        drop_fields=given["drop_field"] or (),
    )
    say_request(out, request, adapt)
    return request


def _material(ctx: typer.Context, settings: "TrainSettings", start: "Start | None") -> "TrainingMaterial":
    """The data: files or simulations."""
    from ginjax.ml import material_in_files, simulated_material, task_settings

    given = ctx.params
    valid, tuning = given["valid"], start is not None and start.trained
    if given["data"] is not None:
        kept = (given[name] for name in ("field", "parity", "periodic", "axes", "condition"))
        reading = reading_of(*kept, start=start, target=given["target"], dropped=given["drop_field"])
        return material_in_files(
            given["data"], reading, valid=valid, test=given["test"], seed=settings.seed, tuning=tuning
        )
    looks = tuning or settings.patience is not None or settings.validate_every is not None
    return simulated_material(
        *asked_simulation(ctx, start),
        side=given["size"],
        trajectories=given["trajectories"],
        frames=given["frames"],
        validate=valid != 0 and looks,
        judge=valid != 0,
        seed=settings.seed,
        cover=given["cover"],
        planes=given["planes"],
        needed=task_settings(start, given["past_steps"], given["residual"])[0] + settings.unroll,
    )
