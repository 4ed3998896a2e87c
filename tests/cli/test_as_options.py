"""The library speaks of arguments, the command line of options: one text, said in both."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from command_line import app
from typer.main import get_command

import ginjax
from ginjax.models import Network
from ginjax_cli._as_options import ARGUMENT, OPTIONS, as_options

LIBRARY = Path(ginjax.__file__).parent
FOR_XLA = LIBRARY / "xla_flags.py"
"""Flags of the compiler, which are no options of ours."""


def texts(source: str) -> Iterator[str]:
    """Every string of a module that is no docstring; `0` for what an f-string puts in."""
    tree = ast.parse(source)
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    silent |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "0" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.value


def wrong(source: str) -> list[str]:
    """Strings that speak of options, or of an argument that the command line cannot say."""
    found = []
    for text in texts(source):
        named = [match[1] for match in ARGUMENT.finditer(text)]
        if (
            re.search(r"(^|[\s(`'])--[a-z]", text)
            or any(name not in OPTIONS for name in named)
            or any(f"`{name}" in as_options(text) for name in named)
        ):
            found.append(text)
    return found


@pytest.mark.parametrize(
    "path", sorted(set(LIBRARY.rglob("*.py")) - {FOR_XLA}), ids=lambda path: str(path.relative_to(LIBRARY))
)
def test_no_text_of_the_library_speaks_of_options(path):
    assert wrong(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "hint = 'Pass --force.'",
        "hint = f'{x} (--force)'",
        "hint = 'Pass `farce`.'",
        "h = 'Pass `dtype=x y`.'",
    ],
)
def test_other_texts_are_found(source):
    assert wrong(source)
    assert wrong(f'"""{source}"""') == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Pass `force=True` to replace it.", "Pass --force to replace it."),
        ("`residual=False`", "--no-residual"),
        ('use `dtype="float64"` or another `dtype`', "use --dtype float64 or another --dtype"),
        ("`fields=['u:1+=Vx,Vy', 'my p:0+']`", "--field u:1+=Vx,Vy --field 'my p:0+'"),
        ("`parity={'b': 'odd'}`", "--parity b=odd"),
        ("`past_steps`: got 2", "--past-steps: got 2"),
        ("`unheard_of=True` and `dtype=x y`", "`unheard_of=True` and `dtype=x y`"),
    ],
)
def test_arguments_become_options(text, said):
    assert as_options(text) == said


def test_the_words_of_a_network_are_options():
    assert {each.name for each in fields(Network)} - {"architecture"} <= set(OPTIONS)


def test_every_option_is_one_of_a_command():
    commands = get_command(app).commands.values()  # pyright: ignore[reportAttributeAccessIssue]
    inner = [each for command in commands for each in getattr(command, "commands", {}).values()]
    known = {
        flag for each in (*commands, *inner) for p in each.params for flag in (*p.opts, *p.secondary_opts)
    }
    assert set(OPTIONS.values()) <= known
    assert "--no-residual" in known and "--force=True" not in known
