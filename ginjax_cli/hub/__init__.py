"""`ginjax hub`: a command of commands, a file each."""

import typer

from ginjax_cli._given_once import GivenOnce

from .pull import pull
from .push import push

hub = typer.Typer(help="Publish models on the Hugging Face Hub, and fetch them from there.")
hub.command(cls=GivenOnce)(push)
hub.command(cls=GivenOnce)(pull)
