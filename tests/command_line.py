"""The program with all its commands, as the tests call it."""

from ginjax_cli.main import make_app

app = make_app()
