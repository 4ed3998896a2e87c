"""`ginjax data`: a group of commands, with one file for each."""

import typer

from ginjax_cli._given_once import GivenOnce

from .convert import convert
from .generate import generate
from .inspect import inspect

data = typer.Typer(help="Inspect and convert data files, and generate data by simulation.")
data.command(cls=GivenOnce)(inspect)
data.command(cls=GivenOnce)(convert)
data.command(cls=GivenOnce)(generate)
