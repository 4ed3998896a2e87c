"""The command `ginjax`: the list of its commands and nothing else."""

import gc
import sys
from collections.abc import Collection, Sequence
from importlib import import_module
from keyword import iskeyword
from typing import Annotated, Any

import typer

from ginjax.host_memory import keep_freed_memory
from ginjax.xla_flags import set_xla_flags

from ._errors import Edge
from ._given_once import GivenOnce
from ._options import Debug
from ._output import open_streams, show_line

COMMANDS = (
    "build-filters",
    "init",
    "import",
    "train",
    "convert-d",
    "verify",
    "inspect",
    "runs",
    "compare",
    "evaluate",
    "predict",
    "export",
    "card",
    "transfer-curve",
    "demo",
)
"""Each is a function in a file of its name, see `file_of`."""

GROUPS = ("data", "hub")
"""Each is a command with commands of its own, likewise."""

COMPUTING = ("train", "verify", "evaluate", "predict", "transfer-curve", "demo")
"""Those that run networks, again and again with the same memory."""

_HELP = """
Train an equivariant network where data is cheap, run it where data is dear.

Every command has sensible defaults, and most end by naming the command that usually comes next.
"""


def make_app(names: Collection[str] = (*GROUPS, *COMMANDS)) -> typer.Typer:
    """The program with some of its commands, none of which is imported without being asked for."""
    app = typer.Typer(
        name="ginjax",
        help=_HELP,
        cls=Edge,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(_root)
    for name in GROUPS:
        if name in names:
            app.add_typer(_load(name), name=name)
    for name in COMMANDS:
        if name in names:
            app.command(name, cls=GivenOnce)(_load(name))
    return app


def _load(name: str) -> Any:
    own = file_of(name)
    return getattr(import_module(f".{own}", __package__), own)


def file_of(name: str) -> str:
    """The file of a command, and its function in there: its name as Python can write it."""
    own = name.replace("-", "_")
    return f"{own}_" if iskeyword(own) else own


def _show_version(asked: bool) -> None:
    if asked:
        from ginjax._version import __version__

        show_line(f"ginjax {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop."),
    ] = False,
    debug: Debug = False,
) -> None:
    pass


def _asked(arguments: Sequence[str]) -> Collection[str]:
    """The one command that will run; all of them, to be listed, where that is not clear."""
    every = (*GROUPS, *COMMANDS)
    first = next((argument for argument in arguments if argument != "--debug"), None)
    return (first,) if first in every else every


def main() -> None:
    """The console script."""
    # What is imported stays: to look it through for garbage every 700 objects is a twentieth of a short command.
    gc.set_threshold(50_000)
    open_streams()
    set_xla_flags()
    asked = _asked(sys.argv[1:])
    if len(asked) == 1 and set(asked) <= set(COMPUTING):
        keep_freed_memory()
    make_app(asked)(prog_name="ginjax")
