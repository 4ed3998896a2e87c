"""The help of every command on a terminal of 80 characters."""

from collections.abc import Iterator
from typing import Any

import pytest
from command_line import app, program
from typer.testing import CliRunner


def commands(command: Any, *names: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield names, command
    for name, each in getattr(command, "commands", {}).items():
        yield from commands(each, *names, name)


ALL = dict(commands(program()))


def test_all_commands_are_looked_at():
    assert {(), ("train",), ("data",), ("data", "generate"), ("hub", "push")} <= ALL.keys() and len(ALL) > 20


@pytest.mark.parametrize("width", [80, 72])
@pytest.mark.parametrize("names", ALL, ids=lambda names: " ".join(names) or "ginjax")
def test_every_name_of_an_option_is_whole(names, width):
    result = CliRunner().invoke(app, [*names, "--help"], prog_name="ginjax", env={"COLUMNS": str(width)})
    assert result.exit_code == 0 and (width < 80 or "…" not in result.stdout)
    assert max(map(len, result.stdout.splitlines())) <= width
    words = {part for word in result.stdout.split() for part in word.split(",")}
    for option in ALL[names].params:
        if option.param_type_name == "option":
            assert {*option.opts, *option.secondary_opts} <= words
