"""The command `ginjax`: the list of its commands and nothing else."""

from typing import Annotated

import typer

from ._errors import Edge
from ._options import Debug
from ._output import show_line
from .build_filters import build_filters
from .convert_d import convert_d
from .data import data
from .demo import demo
from .evaluate import evaluate
from .init import init
from .inspect import inspect
from .predict import predict
from .train import train
from .transfer_curve import transfer_curve
from .verify import verify

COMMANDS = {
    "build-filters": build_filters,
    "init": init,
    "train": train,
    "convert-d": convert_d,
    "verify": verify,
    "inspect": inspect,
    "evaluate": evaluate,
    "predict": predict,
    "transfer-curve": transfer_curve,
    "demo": demo,
}

GROUPS = {"data": data}

_HELP = """
Train an equivariant network where data is cheap, run it where data is dear.

Every command has sensible defaults and ends by naming the command that usually comes next.
"""

app = typer.Typer(
    name="ginjax",
    help=_HELP,
    cls=Edge,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        from ginjax._version import __version__

        show_line(f"ginjax {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop."),
    ] = False,
    debug: Debug = False,
) -> None:
    pass


for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)


def main() -> None:
    """The console script."""
    app(prog_name="ginjax")
