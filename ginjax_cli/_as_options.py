"""What the library says of its arguments, said again in the options of the command line.

A message of the library writes an argument between backticks, alone (`freeze`) or with a value (`force=True`). Whoever calls
it from Python reads that as it stands; whoever uses the command line reads `--freeze` and `--force`.
"""

import ast
import re
from shlex import quote

OPTIONS = {
    "activation": "--activation",
    "adapt": "--adapt",
    "allow_inexact": "--allow-inexact",
    "axes": "--axes",
    "bias": "--bias",
    "blocks": "--blocks",
    "channels": "--channels",
    "cover": "--cover",
    "dtype": "--dtype",
    "fields": "--field",
    "flex": "--flex",
    "force": "--force",
    "frames": "--frames",
    "freeze": "--freeze",
    "is_torus": "--periodic",
    "levels": "--levels",
    "lift_parity": "--lift-parity",
    "noise": "--noise",
    "nonlinearity": "--nonlinearity",
    "norm": "--norm",
    "parity": "--parity",
    "past_steps": "--past-steps",
    "pde": "--pde",
    "plain": "--plain",
    "planes": "--planes",
    "recipe": "--filters",
    "residual": "--residual",
    "resume": "--resume",
    "seeds": "--seeds",
    "side": "--side",
    "split": "--split",
    "support": "--support",
    "test": "--test",
    "unroll": "--unroll",
    "upsample": "--upsample",
    "valid": "--valid",
}
"""The option for each argument that a message names."""

ARGUMENT = re.compile(r"`([a-z_]+)(?:=([^`]*))?`")


def as_options(text: str) -> str:
    """The text with every argument as an option; what is no argument of `OPTIONS` stays as it is."""
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
