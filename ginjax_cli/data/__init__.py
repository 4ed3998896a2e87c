"""`ginjax data`: a command of commands, a file each."""

import typer

from .convert import convert
from .generate import generate
from .inspect import inspect

data = typer.Typer(help="Inspect and convert data files, and generate data by simulation.")
data.command()(inspect)
data.command()(convert)
data.command()(generate)
