"""The program `ginjax`: the list of its commands, and nothing else."""

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
"""Each command is a function in a file of the same name, see `file_of`."""

GROUPS = ("data", "hub")
"""Each group is a command with commands of its own, in a folder of the same name."""

COMPUTING = ("train", "verify", "evaluate", "predict", "transfer-curve", "demo")
"""The commands that run networks. They need memory of the same sizes again and again."""

_HELP = """
Train an equivariant network where data is cheap, run it where data is dear.

Most options have sensible defaults. Most commands end by naming the command that usually comes next.
"""


def make_app(names: Collection[str] = (*GROUPS, *COMMANDS)) -> typer.Typer:
    """The program with some of its commands. Only these commands are imported."""
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
    """The name of a command as Python can write it: both its file and its function are called so."""
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
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit."),
    ] = False,
    debug: Debug = False,
) -> None:
    pass


def _asked(arguments: Sequence[str]) -> Collection[str]:
    """The one command that will run. All of them if that is not clear, because then they are listed."""
    every = (*GROUPS, *COMMANDS)
    first = next((argument for argument in arguments if argument != "--debug"), None)
    return (first,) if first in every else every


def main() -> None:
    """The console script."""
    # Imported objects stay. Searching them for garbage every 700 allocations takes a twentieth of a short command.
    gc.set_threshold(50_000)
    open_streams()
    set_xla_flags()
    asked = _asked(sys.argv[1:])
    if len(asked) == 1 and set(asked) <= set(COMPUTING):
        keep_freed_memory()
    make_app(asked)(prog_name="ginjax")
