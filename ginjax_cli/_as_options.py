"""Messages of the library, with the arguments that they name written as options of the command line.

A message of the library writes an argument in backticks, alone (`freeze`) or with a value (`force=True`). Users of
Python read it as it is. Users of the command line read `--freeze` and `--force` in its place.
"""

import ast
import re
from shlex import quote

OPTIONS = {
    "accumulate": "--accumulate",
    "activation": "--activation",
    "adapt": "--adapt",
    "allow_inexact": "--allow-inexact",
    "axes": "--axes",
    "batch_size": "--batch-size",
    "bias": "--bias",
    "blocks": "--blocks",
    "channels": "--channels",
    "clip": "--clip",
    "conditions": "--condition",
    "cover": "--cover",
    "crop": "--crop",
    "csv": "--csv",
    "data_spacing": "--data-spacing",
    "data_time_step": "--data-time-step",
    "devices": "--devices",
    "drop": "--drop",
    "drop_fields": "--drop-field",
    "dtype": "--dtype",
    "epochs": "--epochs",
    "every": "--every",
    "fields": "--field",
    "flex": "--flex",
    "force": "--force",
    "format": "--format",
    "frames": "--frames",
    "freeze": "--freeze",
    "from_dim": "--from-dim",
    "gif": "--gif",
    "grid": "--grid",
    "is_torus": "--periodic",
    "keep": "--keep",
    "layout": "--layout",
    "learning_rate": "--learning-rate",
    "levels": "--levels",
    "lift_parity": "--lift-parity",
    "like": "--like",
    "loss": "--loss",
    "means": "--means",
    "modules": "--modules",
    "new_axis": "--new-axis",
    "new_boundary": "--new-boundary",
    "noise": "--noise",
    "nonlinearity": "--nonlinearity",
    "norm": "--norm",
    "optimiser": "--optimiser",
    "output": "--output",
    "padding": "--padding",
    "parity": "--parity",
    "past_steps": "--past-steps",
    "patience": "--patience",
    "pde": "--pde",
    "plain": "--plain",
    "planes": "--planes",
    "precision": "--precision",
    "print_config": "--print-config",
    "recipe": "--filters",
    "remat": "--remat",
    "residual": "--residual",
    "resume": "--resume",
    "samples": "--samples",
    "schedule": "--schedule",
    "seconds": "--time-budget",
    "seed": "--seed",
    "seeds": "--seeds",
    "side": "--side",
    "size": "--size",
    "spacing": "--spacing",
    "split": "--split",
    "steps": "--steps",
    "stride": "--stride",
    "support": "--support",
    "target": "--target",
    "test": "--test",
    "trajectories": "--trajectories",
    "tile": "--tile",
    "to_dim": "--to-dim",
    "transposed": "--transposed",
    "unroll": "--unroll",
    "upsample": "--upsample",
    "valid": "--valid",
    "vary": "--vary",
    "validate_every": "--validate-every",
    "warmup": "--warmup",
    "weight_decay": "--weight-decay",
    "width": "--width",
}
"""The option for each argument that messages name."""

ARGUMENT = re.compile(r"`([a-z_]+)(?:=([^`]*))?`")


def as_options(text: str) -> str:
    """The text with every argument written as its option. Names that are not in `OPTIONS` stay as they are."""
    return ARGUMENT.sub(_option, text)


def _option(found: re.Match[str]) -> str:
    name, value = found.groups()
    if name not in OPTIONS:
        return found[0]
    flag = OPTIONS[name]
    if value is None:
        return flag
    try:
        said = ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return found[0]
    if isinstance(said, bool):
        return flag if said else f"--no-{flag.removeprefix('--')}"
    if isinstance(said, dict):
        said = [f"{key}={each}" for key, each in said.items()]
    each_value = said if isinstance(said, list) else [said]
    return " ".join(f"{flag} {quote(str(each))}" for each in each_value)
