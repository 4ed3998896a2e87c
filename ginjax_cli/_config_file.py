"""Options read from a TOML file, and the options that were given, as text."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_BYTES = 2**20
_HOW_IT_IS_SAID = {"force", "json", "quiet", "debug"}
NOT_IN_A_FILE = {"help", "config", "resume", "debug", "dry_run", "print_config"}
"""Parameters that a TOML file cannot set."""


def _read_config(ctx: typer.Context, path: Path | None) -> Path | None:
    """Make the values of the file the defaults of the command. They are then checked as if they had been typed."""
    if path is not None and not ctx.resilient_parsing:
        ctx.default_map = {**(ctx.default_map or {}), **read_config(path, ctx.command.params)}
    return path


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Read options from a TOML file, with lines such as learning-rate = 1e-3. Options on the command "
        "line take precedence. Tables such as [training] only group the options.",
        metavar="FILE",
        is_eager=True,
        callback=_read_config,
    ),
]


def read_config(path: Path, parameters: "Iterable[Any]") -> dict[str, Any]:
    """The values of a TOML file, by the names of the parameters of a command.

    **Raises:** `FileError` for a file that cannot be read, `ArgumentError` for a key that is not an option.
    """
    import tomllib

    from ginjax._unknown_name import did_you_mean
    from ginjax.checkpoint import is_other_kind, read_text, wrong_file
    from ginjax.errors import ArgumentError, FileError

    if is_other_kind(path, "settings", "text"):
        raise wrong_file(path, "settings in TOML")
    text = read_text(path, most=_MOST_BYTES)
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        hint = 'A line is NAME = VALUE, with texts between quotes, as in: pde = "burgers"'
        raise FileError(f"{path}: is not TOML: {error}", hint=hint) from error
    flat: dict[str, Any] = {}
    for key, value in content.items():
        entries = value.items() if isinstance(value, dict) else [(key, value)]
        for name, entry in entries:
            if name in flat:
                raise ArgumentError(f"{path}: {name!r}", got="two values", expected="one")
            flat[name] = entry
    names: dict[str, str] = {}
    opposite: set[str] = set()
    for parameter in parameters:
        if parameter.name not in NOT_IN_A_FILE:
            flags = dict.fromkeys(parameter.opts, False) | dict.fromkeys(parameter.secondary_opts, True)
            known = {flag.removeprefix("--"): no for flag, no in flags.items() if flag.startswith("--")}
            names |= dict.fromkeys(known, parameter.name)
            opposite |= {option for option, no in known.items() if no}
    result: dict[str, Any] = {}
    for name, value in flat.items():
        option = name.replace("_", "-")
        if option not in names or isinstance(value, dict):
            raise ArgumentError(
                f"{path}: {name!r} is no option of this command",
                hint=did_you_mean(
                    option, names, hint="The options are those of the command line, without the dashes."
                ),
            )
        if names[option] in result:
            raise ArgumentError(f"{path}: {name!r}", got="two values", expected="one")
        if option in opposite:
            if not isinstance(value, bool):
                raise ArgumentError(f"{path}: {name!r}", got=repr(value), expected="true or false")
            value = not value
        result[names[option]] = value if isinstance(value, bool | list) else str(value)
    return result


def given_options(ctx: typer.Context, *, without: "Iterable[str]" = ()) -> list[str]:
    """The options that were typed, as words for another command line."""
    words: list[str] = []
    for parameter in ctx.command.params:
        name, value = parameter.name, ctx.params.get(parameter.name or "")
        source = ctx.get_parameter_source(name) if name else None
        typed = source is not None and source.name == "COMMANDLINE"
        if name is None or name in without or not typed or parameter.param_type_name == "argument":
            continue
        flag = max(parameter.opts, key=len)
        if isinstance(value, bool):
            words.append(flag if value else max(parameter.secondary_opts, key=len))
        elif isinstance(value, list | tuple):
            words += [word for each in value for word in (flag, str(each))]
        else:
            words += [flag, str(value)]
    return words


def asked_for(ctx: typer.Context) -> str:
    """A text that identifies the work of a command: it is the same for the same work."""
    return repr(
        sorted((name, str(value)) for name, value in ctx.params.items() if name not in _HOW_IT_IS_SAID)
    )
