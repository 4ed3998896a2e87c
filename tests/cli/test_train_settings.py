"""Every default stands in one place, whichever way a setting comes in."""

import inspect
import typing
from dataclasses import fields

import pytest
from command_line import app
from typer.testing import CliRunner

from ginjax.data import DEFAULT_SIDES
from ginjax.ml import BATCH_SIZES, STEPS, TRAIN_TRAJECTORIES, TrainSettings, file_parts, simulated_parts
from ginjax.ml.task import TaskSettings
from ginjax.models import Network
from ginjax_cli.init import init
from ginjax_cli.train import train

ALL = {
    "steps": 7,
    "batch-size": 3,
    "learning-rate": 0.02,
    "loss": "nrmse",
    "optimiser": "lion",
    "schedule": "linear",
    "warmup": 0.2,
    "weight-decay": 0.1,
    "clip": 0.5,
    "noise": 0.1,
    "unroll": 2,
    "patience": 3,
    "validate-every": 4,
    "freeze": ["encoder", "*.bias.*"],
    "accumulate": 3,
    "remat": True,
    "precision": "bfloat16",
    "crop": "x=8",
    "seed": 5,
    "time-budget": "2m",
}
WITHOUT_AN_END = {"time-budget": "2m", "seed": 1}
EPOCHS = {"epochs": 2.5, "clip": 0.0, "crop": 6}


def defaults(command):
    return {name: each.default for name, each in inspect.signature(command).parameters.items()}


def shown(command, name):
    """What the help shows as the default of an option."""
    hint = typing.get_type_hints(command, include_extras=True)[name]
    return hint.__metadata__[0].show_default


NAMES = {"seconds": "time_budget", "recipe": "filters"}


@pytest.mark.parametrize("setting", [each.name for each in fields(TrainSettings)])
def test_the_defaults_of_training_are_those_of_the_settings(setting):
    given = defaults(train)[NAMES.get(setting, setting)]
    default = getattr(TrainSettings(), setting)
    assert (given or ()) == default if setting == "freeze" else given == default


@pytest.mark.parametrize("command", [train, init])
@pytest.mark.parametrize("setting", [each.name for each in fields(Network)])
def test_the_defaults_of_the_network_are_those_of_the_settings(command, setting):
    given = defaults(command)[NAMES.get(setting, setting)]
    # `init` asks for the architecture as an argument.
    required = command is init and setting == "architecture"
    assert given is inspect.Parameter.empty if required else given == getattr(Network(), setting)


def test_the_defaults_of_the_task_are_those_of_the_settings():
    given, task = defaults(train), TaskSettings()
    assert (given["valid"], given["test"]) == (task.valid, None)
    assert shown(train, "test").startswith(f"{task.test},")
    assert (given["valid"], given["test"]) == tuple(defaults(file_parts)[name] for name in ("valid", "test"))
    assert given["past_steps"] is given["residual"] is None
    assert shown(train, "past_steps").startswith(f"{task.past_steps},")
    assert shown(train, "residual").startswith("yes" if task.residual else "no")
    assert given["frames"] == defaults(simulated_parts)["frames"]


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("steps", STEPS),
        ("batch_size", BATCH_SIZES),
        ("trajectories", TRAIN_TRAJECTORIES),
        ("size", DEFAULT_SIDES),
    ],
)
def test_the_help_says_what_follows_from_the_dimension(name, table):
    assert defaults(train)[name] is None
    numbers = ", ".join(str(table[D]) for D in (1, 2, 3))
    assert shown(train, name) == f"{numbers} in 1D, 2D, 3D"


# --- the ways in -------------------------------------------------------------------------------------------------------


class Asked(Exception):
    pass


@pytest.fixture
def settings_of(tmp_path, monkeypatch):
    """The settings that a command line comes to; nothing is trained."""
    monkeypatch.chdir(tmp_path)

    def stop(*args, **kwargs):
        raise Asked(TrainSettings(*args, **kwargs))

    monkeypatch.setattr("ginjax.ml.TrainSettings", stop)

    def call(*args):
        result = CliRunner().invoke(app, ["train", *args], prog_name="ginjax")
        assert isinstance(result.exception, Asked), result.stderr
        return result.exception.args[0]

    return call


def flags(options):
    for name, value in options.items():
        for each in value if isinstance(value, list) else [value]:
            yield from (f"--{name}",) if each is True else (f"--{name}", str(each))


def toml(options):
    def text(value):
        return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')

    return "".join(f"{name} = {text(value)}\n" for name, value in options.items())


@pytest.mark.parametrize("options", [{}, ALL, WITHOUT_AN_END, EPOCHS])
def test_a_config_file_and_flags_come_to_the_same(settings_of, tmp_path, options):
    (tmp_path / "run.toml").write_text(toml(options))
    said = settings_of(*flags(options))
    assert settings_of("--config", "run.toml") == said
    (tmp_path / "grouped.toml").write_text("[training]\n" + toml(options))
    assert settings_of("--config", "grouped.toml") == said
    names = {name: "seconds" if name == "time-budget" else name.replace("-", "_") for name in options}
    changed = {each.name for each in fields(said) if getattr(said, each.name) != each.default}
    assert changed == set(names.values())
    assert TrainSettings.from_json(said.to_json()) == said


def test_all_of_them_were_tried():
    tried = {name.replace("-", "_") for name in (*ALL, *WITHOUT_AN_END, *EPOCHS)}
    assert {NAMES.get(each.name, each.name) for each in fields(TrainSettings)} == tried
