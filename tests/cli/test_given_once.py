"""No option is dropped in silence: one that takes a single value and is given several is refused, by every command."""

from collections.abc import Iterator
from typing import Any

import pytest
from command_line import app
from typer.main import get_command
from typer.testing import CliRunner

from ginjax.errors import ArgumentError
from ginjax_cli._config_file import read_config


def commands(group: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in getattr(group, "commands", {}).items():
        yield f"{above}{name}", command
        yield from commands(command, f"{above}{name} ")


COMMANDS = {name: each for name, each in commands(get_command(app)) if not hasattr(each, "commands")}


def refusal(command: Any, words: list[str]) -> str | None:
    """Why the command does not take these words; of what is wrong with its other arguments nothing is said here."""
    context = command.context_class(command, info_name="ginjax")
    try:
        command.parse_args(context, words)
    except ArgumentError as error:
        return error.problem
    except Exception:  # a word that is no value of the option, a missing argument
        return None
    return None


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_one_value_is_given_once(name):
    command = COMMANDS[name]
    for option in (each for each in command.params if each.param_type_name == "option"):
        flags = [*option.opts, *option.secondary_opts]
        value = [] if option.is_flag else ["1"]
        for first in flags:
            for second in flags:
                words = [first, *value, second, *value]
                found = refusal(command, words)
                one = not option.multiple and not (option.is_flag and not option.secondary_opts)
                assert (found is not None and "got it 2 times, expected once" in found) == one, words
            assert refusal(command, [first, *value]) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("data generate --dim 1 --dim 2", "--dim: got it 2 times, expected once\nhint: Several values are one word: --dim 1,2,3"),
        ("train --residual --steps 3 --no-residual", "--residual/--no-residual: got it 2 times, expected once"),
        ("convert-d a.safetensors -o b --output c --output d", "--output: got it 3 times, expected once"),
    ],
)  # fmt: skip
def test_what_is_said(words, said):
    result = CliRunner().invoke(app, words.split())
    assert (result.exit_code, result.stderr) == (2, f"error: {said}\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "--freeze", "encoder", "--freeze", "blocks.0", "--freeze", "encoder"], "--freeze: got 'encoder' twice"),
        (["train", "--log", "tensorboard", "--log", "tensorboard"], "--log: got 'tensorboard' twice"),
        (["train", "--config", "run.toml"], "--freeze: got 'b' twice"),
        (["convert-d", "a", "--to-dim", "2", "--new-boundary", "z=edge", "--new-boundary", "z=edge"], "--new-boundary: got 'z=edge' twice"),
        (["train", "--freeze", "encoder", "--freeze", "blocks.0"], None),
    ],
)  # fmt: skip
def test_a_value_is_given_once(tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text('freeze = ["a", "b", "b"]')
    name, *more = words
    said_ = refusal(COMMANDS[name], more)
    assert said_ == (None if said is None else f"{said}, expected each value once")


def test_what_is_repeated_by_right_is_taken(tmp_path):
    result = CliRunner().invoke(app, ["inspect", "-q", "-q", str(tmp_path / "none")])
    assert result.exit_code == 1 and "there is no such file" in result.stderr


def settings(tmp_path, text: str) -> dict[str, Any]:
    (tmp_path / "run.toml").write_text(text)
    return read_config(tmp_path / "run.toml", COMMANDS["train"].params)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("learning-rate = 1e-3\n[training]\nlearning_rate = 2e-3\n", "learning_rate"),
        ("residual = true\nno-residual = true\n", "no-residual"),
    ],
)
def test_one_option_in_two_spellings_of_a_file(tmp_path, text, name):
    with pytest.raises(ArgumentError, match=f"'{name}': got two values, expected one"):
        settings(tmp_path, text)


def test_the_opposite_of_a_flag_in_a_file(tmp_path):
    assert settings(tmp_path, "no-residual = true\nno-keep-state = false\nnorm = true\n") == {
        "residual": False,
        "keep_state": True,
        "norm": True,
    }
    with pytest.raises(ArgumentError, match="'no-residual': got 'yes', expected true or false"):
        settings(tmp_path, "no-residual = 'yes'\n")
