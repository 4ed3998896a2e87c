"""`ginjax data`: a command of commands, a file each."""

import typer

from .generate import generate
from .inspect import inspect

data = typer.Typer(help="Inspect data files, and generate data by simulation.")
data.command()(inspect)
data.command()(generate)
