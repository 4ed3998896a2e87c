"""`ginjax hub`: a group of commands, with one file for each."""

import typer

from ginjax_cli._given_once import GivenOnce

from .pull import pull
from .push import push

hub = typer.Typer(help="Publish models on the Hugging Face Hub, and fetch models from there.")
hub.command(cls=GivenOnce)(push)
hub.command(cls=GivenOnce)(pull)
