"""Options of training that would have no effect because of other options."""

from collections.abc import Iterable, Mapping
from typing import Any

import typer

from ._model_options import NETWORK_OPTIONS, said

SIMULATED = ("pde", "size", "trajectories", "frames", "cover", "planes")
"""Options about simulations."""

READ = ("field", "axes", "parity", "periodic", "condition", "target", "valid", "test")
"""Options about data in files."""

_WITHOUT_DECAY = ("adam", "sgd", "momentum", "rmsprop")
_VALIDATION = ("patience", "validate_every")


def without_effect(given: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The options that have no effect beside the others, and for each what prevents it and what it needs.

    **Arguments:**

    - `given`: the values of all options of `ginjax train`, by the name of the parameter.
    """
    found: dict[str, tuple[str, str]] = {}

    def add(names: Iterable[str], got: str, expected: str) -> None:
        found.update({name: (got, expected) for name in names if name not in found})

    if given["data"] is not None:
        add(SIMULATED, "--data as well", "one of the two")
    else:
        # Simulations may be without validation too.
        add([n for n in READ if n != "valid" or given["valid"] != 0], "no --data", "--data PATH")
    if given["init"] is not None:
        add([*NETWORK_OPTIONS, "filters"], "--init as well, whose network it is", "one of the two")
    else:
        add(["keep_compatible"], "no --init", "--init FILE of a converted model")
        add(["adapt"], "no --init", "--init FILE of a model to be adapted")
        add(["drop_field"], "no --init", "--init FILE of a model that is to lose a field")
    if given["filters"] is not None:
        add(["side", "support"], "--filters as well, which says it already", "one of the two")
    if given["optimiser"] in _WITHOUT_DECAY:
        add(["weight_decay"], f"--optimiser {given['optimiser']}, which has none", "adamw or lion")
    if given["time_budget"] is not None and given["steps"] is None and given["epochs"] is None:
        add(["warmup"], "--time-budget alone, for which it is 100 steps", "--steps or --epochs as well")
    if given["valid"] == 0:
        add(_VALIDATION, "--valid 0", "something to validate on")
    if not given["distributed"]:
        add(["coordinator", "processes", "process"], "no --distributed", "--distributed as well")
    else:
        add(["devices"], "--distributed as well", "one of the two")
    if given["dry_run"]:
        add(["resume"], "--dry-run, which begins anew and keeps nothing", "one of the two")
    return found


def refuse_without_effect(ctx: typer.Context) -> None:
    """Refuse options that would be ignored.

    **Raises:** `ArgumentError` for the first of them that was given.
    """
    from ginjax.errors import ArgumentError

    for name, (got, expected) in without_effect(ctx.params).items():
        if said(ctx, name) and ctx.params[name] is not False:
            raise ArgumentError(option_of(ctx, name), got=got, expected=expected)


def refuse_parting(ctx: typer.Context) -> None:
    """Refuse fractions of parts if the data already have parts.

    **Raises:** `ArgumentError` if one was given.
    """
    from ginjax.errors import ArgumentError

    for name in ("valid", "test"):
        if said(ctx, name):
            raise ArgumentError(
                option_of(ctx, name), got="data that have parts already", expected="data without parts"
            )


def option_of(ctx: typer.Context, name: str) -> str:
    """The name of a parameter on the command line."""
    return next(max(each.opts, key=len) for each in ctx.command.params if each.name == name)
