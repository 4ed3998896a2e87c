"""The options of a training with their final values, as TOML that `--config` reads."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ._config_file import NOT_IN_A_FILE
from ._output import Output
from ._train_seeds import as_asked
from ._without_effect import option_of, without_effect

if TYPE_CHECKING:
    from ginjax.ml import PreparedTraining
    from ginjax.models import Network

_HOW_IT_IS_SAID = {"force", "json", "quiet", "dry_run", "print_config"}


def show_config(
    out: Output, ctx: typer.Context, prepared: "PreparedTraining", network: "Network | None"
) -> None:
    """Print the options of a training in order; with `--json` as values."""
    config = resolved_options(ctx, prepared, network)
    out.text("".join(f"{name} = {_toml(value)}\n" for name, value in config.items()))
    out.result(None, {"config": config})


def resolved_options(
    ctx: typer.Context, prepared: "PreparedTraining", network: "Network | None"
) -> dict[str, Any]:
    """Every option that has an effect, by its name without dashes, with its final value.

    **Arguments:**

    - `prepared`: the training. It contains the values that follow from the data.
    - `network`: the new network that is trained; None if `--init` gives the network.
    """
    request, settings, about = prepared.request, prepared.settings, prepared.about
    values, asked = dict(ctx.params), as_asked(ctx).params
    values |= {
        "dim": request.material.contract.D,
        "past_steps": request.past_steps,
        "residual": request.residual,
        "steps": settings.steps,
        "epochs": None,
        "batch_size": settings.batch_size,
        "learning_rate": settings.learning_rate,
        "schedule": settings.schedule,
        "output": str(asked["output"]),
    }
    if asked["seeds"] is not None:
        values |= {"seed": None, "seeds": asked["seeds"]}
    values |= {name: about[name] for name in ("size", "trajectories", "frames") if ctx.params["data"] is None}
    if ctx.params["data"] is not None and not request.material.has_parts:
        values["test"] = about["test"]
    ignored = set(without_effect(ctx.params)) | _HOW_IT_IS_SAID | NOT_IN_A_FILE
    if request.material.has_parts:
        ignored |= {"valid", "test"}
    if network is not None:
        ignored |= set(network.unused) - {"plain"}
    names = [each.name for each in ctx.command.params if each.name is not None]
    return {
        option_of(ctx, name).removeprefix("--"): _plain(values[name])
        for name in names
        if name in values and name not in ignored and values[name] not in (None, [], ())
    }


def _plain(value: object) -> Any:
    if isinstance(value, Path):
        return str(value)
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _toml(value: Any) -> str:
    """A value in TOML, which writes strings, numbers and lists of them as JSON does."""
    if isinstance(value, Mapping):
        raise TypeError(f"no option has the value {value!r}")
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=True).replace("\x7f", "\\u007f")
