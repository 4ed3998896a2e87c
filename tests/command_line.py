"""The program with all its commands, as the tests call it."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import typer.testing
from typer.main import get_command

from ginjax_cli.main import make_app

app = make_app()


@cache
def program() -> Any:
    """All commands with their options, which take 15 ms to be put together."""
    return get_command(app)


def _put_together(asked: typer.Typer) -> Any:
    return program() if asked is app else get_command(asked)


typer.testing._get_command = _put_together
"""`CliRunner` would put all commands together anew in each call."""


def changed(words: Sequence[str], *more: str) -> list[str]:
    """The words of a command with other options that have values, in place of what the words said of them."""
    again = {word for word in more if word.startswith("--")}
    kept = [w for at, w in enumerate(words) if w not in again and (at == 0 or words[at - 1] not in again)]
    return [*kept, *more]


REPEATED = {
    "--field",
    "--axes",
    "--parity",
    "--target",
    "--padding",
    "--adapt",
    "--freeze",
    "--log",
    "--new-boundary",
}


def once(words: Sequence[str]) -> list[str]:
    """The words of a command with the last of every option that takes one value, as tests say what differs from a short one."""
    last = {word: at for at, word in enumerate(words) if word.startswith("--") and word not in REPEATED}
    early = {at for at, word in enumerate(words) if last.get(word, at) != at}
    valued = {at + 1 for at in early if not words[at + 1].startswith("--")}
    return [word for at, word in enumerate(words) if at not in early | valued]
