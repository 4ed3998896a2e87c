"""Somebody's own rule, reader, metric, activation, loss, optimiser, schedule, logger and picture: one file, one line each."""

import importlib
import json
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from command_line import app
from helpers import FIXTURES
from registries import REGISTRIES, installed, left_as_they_were
from typer.testing import CliRunner

from ginjax.checkpoint import read_model
from ginjax.data import data_splits, open_data
from ginjax.data.readers import READERS, Reader, register_reader
from ginjax.errors import ArgumentError, FileError
from ginjax.ml import (
    LOGGERS,
    LOSSES,
    METRICS,
    OPTIMISERS,
    PICTURES,
    SCHEDULES,
    Metric,
    RolloutStudy,
    draw_picture,
    errors_figure,
    register_logger,
    register_loss,
    register_metric,
    register_optimiser,
    register_picture,
    register_schedule,
)
from ginjax.models import ACTIVATION_REGISTRY, load_model, register_activation
from ginjax.transfer import RULES, NamedRule, make_rule, register_rule
from ginjax_cli import _model_options, _run_options, _training_options, convert_d

MODEL = str(FIXTURES / "diffusion_1d.safetensors")
"""Pixels of a panel of errors."""


TOYS = """
import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import optax
from matplotlib.figure import Figure

from ginjax.checkpoint import Field
from ginjax.data.readers import FieldRequest, Found, Reader, Variable
from ginjax.ml import Metric, smse_loss
from ginjax.transfer import NamedRule, make_rule


class Halved:
    name = "halved"
    promises_compatibility = False

    def __call__(self, weights, pair):
        return 0.5 * make_rule("none")(weights, pair)


class Corner:
    name = "corner"
    promises_compatibility = True
    spreads = True

    def along_new_axis(self, kernel):
        first = np.eye(1, kernel.shape[-1], dtype=kernel.dtype)[0]
        return kernel[..., None] * first


HALVED = NamedRule(Halved(), "extends, then halves every weight")
CORNER = NamedRule(Corner(), "puts the kernel at the beginning of the new axis")


def find(file, split, requests):
    rows = np.loadtxt(file.path, ndmin=2)
    heat = FieldRequest(Field("heat", 0, 0, "K"), ("heat",))
    return Found(
        where=file.path,
        layout="table",
        D=1,
        spatial=rows.shape[1:],
        spacing=1.0,
        time_step=0.1,
        is_torus=(True,),
        trajectories=1,
        frames=len(rows),
        variables={"heat": Variable(0, lambda trajectory, start, stop: rows[start:stop])},
        defaults=(heat,),
        split=split,
    )


TABLE = Reader("table", lambda file: file.start.startswith(b"# heat"), find)
RMSE = Metric("rmse", "RMSE", lambda found: np.sqrt(found.error).mean(axis=0))


def cube(x):
    return x**3


def far(prediction, target):
    return 100 + smse_loss(prediction, target)


def still(rate, decay):
    return optax.set_to_zero()


def stairs(peak, steps):
    return lambda step: jnp.where(step < steps / 2, peak, peak / 2)


class Lines:
    def __init__(self, name, settings):
        self.path = Path(f"{name}.lines")
        self.path.write_text(json.dumps(dict(settings)) + "\\n")

    def write(self, row):
        with self.path.open("a") as file:
            file.write(json.dumps(dict(row)) + "\\n")

    def close(self):
        pass


def empty(title, study, D):
    figure = Figure((1, 1))
    figure.suptitle(f"{title} {study.steps} {D}")
    return figure
"""

OFFERED = {
    "ginjax.rules": {"halved": "HALVED", "corner": "CORNER"},
    "ginjax.readers": {"table": "TABLE"},
    "ginjax.equations": {},
    "ginjax.metrics": {"rmse": "RMSE"},
    "ginjax.activations": {"cube": "cube"},
    "ginjax.losses": {"far": "far"},
    "ginjax.optimisers": {"still": "still"},
    "ginjax.schedules": {"stairs": "stairs"},
    "ginjax.loggers": {"lines": "Lines"},
    "ginjax.pictures": {"empty": "empty"},
}


@pytest.fixture(autouse=True)
def forget():
    with left_as_they_were() as forget:
        yield forget


@pytest.fixture
def install(tmp_path, monkeypatch, forget):
    """Put a package with all toys on the path, or take it away again."""
    site = tmp_path / "site"

    def change(there):
        if there:
            sys.path.insert(0, str(site))
        else:
            sys.path.remove(str(site))
            sys.modules.pop("toy_things", None)
        importlib.invalidate_caches()
        forget()

    installed(
        site,
        {g: {name: f"toy_things:{thing}" for name, thing in t.items()} for g, t in OFFERED.items() if t},
    )
    (site / "toy_things.py").write_text(TOYS)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield change
    sys.modules.pop("toy_things", None)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def test_every_group_of_installed_things_is_one_of_these():
    # An architecture is a page and a test of its own: tests/models/test_own_architecture.py.
    assert {registry.group for registry in REGISTRIES} - {"ginjax.architectures"} == OFFERED.keys()


@pytest.mark.parametrize(
    ("choice", "registry"),
    [
        (convert_d.RULES, RULES),
        (_model_options.ACTIVATIONS, ACTIVATION_REGISTRY),
        (_training_options.LOSSES, LOSSES),
        (_training_options.OPTIMISERS, OPTIMISERS),
        (_training_options.SCHEDULES, SCHEDULES),
        (_run_options.LOGGERS, LOGGERS),
    ],
    ids=lambda each: getattr(each, "kind", ""),
)
def test_the_command_line_offers_exactly_what_is_registered(choice, registry):
    assert choice.own == tuple(registry) and choice.group == registry.group
    assert not {*choice.also} & {*registry}


def test_the_help_says_of_every_rule_what_its_file_says():
    (option,) = convert_d.convert_d.__annotations__["rescale"].__metadata__
    for name, named in RULES.items():
        assert f"{name} {named.about}" in option.help


# --- by the command line, from an installed package ------------------------------------------------------------------


def test_a_rule(run, install):
    convert = ("convert-d", MODEL, "--to-dim", "2", "--rescale")
    refused = run(*convert, "halved")
    assert (refused.exit_code, "'halved' is not one of 'compatibility'" in refused.stderr) == (2, True)
    install(True)
    done(run(*convert, "halved", "-o", "half"))
    done(run(*convert, "none", "-o", "whole"))
    half, whole = read_model("half"), read_model("whole")
    weights = [name for name in whole.arrays if name.endswith("->k0p0")]
    assert weights
    for name in weights:
        np.testing.assert_allclose(half.arrays[name], 0.5 * whole.arrays[name])
    assert half.provenance[-1]["rule"] == half.certificate.rule == "halved"
    rows = json.loads(done(run(*convert, "all", "--json")).stdout)["rules"]
    (row,) = [row for row in rows if row["rule"] == "halved"]
    assert row["about"] == "extends, then halves every weight" and not row["exact"]
    with pytest.raises(ArgumentError, match="'corner', which is for plain networks"):
        make_rule("corner")

    # A certificate is data: whoever has not got the rule can read it and use the model.
    install(False)
    assert "halved" not in RULES
    assert read_model("half").certificate == half.certificate and not read_model("half").certificate_is_stale
    assert load_model("half").model.D == 2
    shown = done(run("inspect", "half")).stdout
    assert "halved" in shown and "matches the model" in shown


def test_a_rule_for_plain_networks(run, install):
    install(True)
    done(run("init", "resnet", "--plain", "--blocks", "1", "--channels", "1", "-o", "plain"))
    done(run("convert-d", "plain", "--to-dim", "2", "--rescale", "corner", "-o", "cornered"))
    kernel = next(array for array in read_model("cornered").arrays.values() if array.ndim == 4)
    assert kernel[..., 0].any() and not kernel[..., 1:].any()
    rows = json.loads(done(run("convert-d", "plain", "--to-dim", "2", "--rescale", "all", "--json")).stdout)
    assert [row["rule"] for row in rows["rules"]] == ["centre", "mean", "corner"]
    install(False)
    shown = done(run("inspect", "cornered")).stdout
    assert "corner" in shown and "largest residual" in shown and "of (C)" not in shown


def test_a_reader(run, install, tmp_path):
    np.savetxt("field.txt", np.arange(12.0).reshape(3, 4), header="heat")
    (tmp_path / "notes.txt").write_text("no data")
    with pytest.raises(FileError, match="holds text, not arrays: expected data: The Well"):
        open_data("field.txt")
    install(True)
    source = open_data("field.txt")
    assert (source.layout, source.trajectories, source.frames, source.spatial) == ("table", 1, 3, (4,))
    np.testing.assert_array_equal(source.read(0, 1, 3)["heat"], [[4, 5, 6, 7], [8, 9, 10, 11]])
    shown = json.loads(done(run("data", "inspect", "field.txt", "--json")).stdout)
    assert shown["layout"] == "table"
    # of all files in a folder those are read that a reader recognises
    for part in ("train", "test"):
        (tmp_path / "all" / part).mkdir(parents=True)
        (tmp_path / "all" / part / "a.txt").write_text(Path("field.txt").read_text())
    (tmp_path / "all" / "notes.txt").write_text("no data")
    assert open_data("all").trajectories == 2 and open_data("all", split="test").split == "test"
    with pytest.raises(FileError, match=r"holds text, not arrays: .*\.npy\), table"):
        open_data("notes.txt")


@pytest.mark.pictures
def test_a_metric_and_a_picture(run, install, tmp_path):
    evaluate = ("evaluate", MODEL, "--steps", "2", "--trajectories", "2", "--size", "8", "-o")
    install(True)
    shown = done(run(*evaluate, "found")).stdout.splitlines()
    assert "RMSE" in shown[1].split()
    found = json.loads((tmp_path / "found" / "evaluation.json").read_text())
    assert len(found["errors"]["model"]["density"]["rmse"]) == 2
    assert (tmp_path / "found" / "empty.png").read_bytes()[:4] == b"\x89PNG"
    assert len(errors_figure("with", study_of(METRICS)).axes) == 4
    refused = run(*evaluate, "found")
    assert (refused.exit_code, "exists already" in refused.stderr) == (1, True)
    install(False)
    assert len(errors_figure("without", study_of(METRICS)).axes) == 3 and "empty" not in PICTURES


def study_of(metrics):
    curves = {"density": {metric: np.ones(2) for metric in metrics}}
    spectra = {"density": {"truth": np.ones(3), "model": np.ones(3)}}
    return RolloutStudy(2, 1, {"model": curves}, {"model": None}, 2, spectra, {})


def test_a_training(run, install):
    install(True)
    small = ("--size", "8", "--trajectories", "2", "--frames", "2", "--arch", "series", "--channels", "1")
    own = ("--activation", "cube", "--loss", "far", "--optimiser", "still", "--schedule", "stairs")
    done(run("train", *small, *own, "--steps", "4", "--warmup", "0", "--log", "lines"))
    settings, *rows = [json.loads(line) for line in Path("model.lines").read_text().splitlines()]
    record = read_model("model.safetensors")
    (step,) = record.provenance
    asked = {"loss": "far", "optimiser": "still", "schedule": "stairs"}
    assert asked.items() <= step.items() and settings["loss"] == "far"
    losses = [row["loss"] for row in rows if "loss" in row]
    assert losses and all(loss > 100 for loss in losses)
    rates = [row["learning_rate"] for row in rows if "loss" in row]
    assert (rates[0], rates[-1]) == (pytest.approx(0.003), pytest.approx(0.0015))
    assert record.spec["options"]["activation_f"] == "cube"
    done(run("init", "series", "--channels", "1", "--activation", "cube", "-o", "untrained"))
    for name, array in read_model("untrained").arrays.items():  # what stands still stays where it began
        np.testing.assert_array_equal(record.arrays[name], array)

    install(False)
    with pytest.raises(
        FileError, match=r"activation: got 'cube', which is not registered, .*register_activation"
    ):
        load_model("model.safetensors")
    assert "cube" in done(run("inspect", "model.safetensors")).stdout
    for option, name in zip(own[::2], own[1::2], strict=True):
        refused = run("train", *small, option, name)
        assert (refused.exit_code, f"'{option}': '{name}' is not one of" in refused.stderr) == (2, True)


# --- by a call --------------------------------------------------------------------------------------------------------


def _rule(name):
    class Same:
        promises_compatibility = False

        def __call__(self, weights, pair):
            return weights

    Same.name = name
    return NamedRule(Same(), "changes nothing")


WAYS = {
    "rule": (RULES, lambda name: register_rule(_rule(name))),
    "reader": (READERS, lambda name: register_reader(Reader(name, lambda f: False, lambda *a: None))),
    "metric": (METRICS, lambda name: register_metric(Metric(name, name, lambda found: found.error[0]))),
    "activation": (ACTIVATION_REGISTRY, lambda name: register_activation(name, lambda x: x**3)),
    "loss": (LOSSES, lambda name: register_loss(name, lambda a, b: 0.0)),
    "optimiser": (OPTIMISERS, lambda name: register_optimiser(name, lambda rate, decay: None)),
    "schedule": (SCHEDULES, lambda name: register_schedule(name, lambda peak, steps: None)),
    "logger": (LOGGERS, lambda name: register_logger(name, lambda name, settings: None)),
    "picture": (PICTURES, lambda name: register_picture(name, lambda title, study, D: None)),
}


@pytest.mark.parametrize("kind", WAYS)
def test_registering(kind):
    registry, register = WAYS[kind]
    before = tuple(registry)
    register("toy")
    assert tuple(registry) == (*before, "toy") and registry.find("toy") is registry["toy"]
    for taken in ("toy", before[0]):
        with pytest.raises(ArgumentError, match=f"got '{taken}', which is taken"):
            register(taken)


def test_a_reader_is_anything_that_reads(tmp_path):
    class Always:
        """No `Reader`, but with all that one has."""

        name = "always"

        def recognises(self, file):
            return True

        def splits(self, file):
            return ("train",)

        def find(self, file, split, requests):
            raise NotImplementedError

    (tmp_path / "data.txt").write_text("1 2 3")
    with pytest.raises(FileError):
        data_splits(tmp_path / "data.txt")
    register_reader(Always())
    assert data_splits(tmp_path / "data.txt") == ("train",)
    del Always.find
    Always.name = "half"
    with pytest.raises(ArgumentError, match="reader 'half': got Always"):
        register_reader(Always())


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda each: each.kind)
def test_a_thing_of_another_kind_is_refused(registry):
    with pytest.raises(ArgumentError, match=r"'toy'.*got int\b"):
        registry.add("toy", 3)
    assert "toy" not in registry


def test_a_picture_that_is_no_figure(tmp_path):
    register_picture("nothing", lambda title, study, D: None)
    with pytest.raises(ArgumentError, match=r"picture 'nothing': got NoneType, expected a matplotlib"):
        draw_picture(tmp_path / "p.png", "nothing", "t", study_of(METRICS), 1)
    draw_picture(tmp_path / "p.png", "spectra", "t", study_of(METRICS), 1)
    assert [path.name for path in tmp_path.iterdir()] == ["p.png"]


@pytest.mark.parametrize(
    ("register", "problem"),
    [
        (lambda: register_rule(NamedRule(type("R", (), {"name": "r"})(), "")), "transfer rule 'r': got R"),
        (
            lambda: register_rule(NamedRule(type(_rule("r").rule), "")),
            "transfer rule 'r': got the class Same",
        ),
        (lambda: register_rule(_rule("two words")), "name of the transfer rule: got 'two words'"),
        (lambda: register_activation("none", jnp.cbrt), "name of the activation: got 'none'"),
        (lambda: register_picture("../up", print), "name of the picture: got '../up'"),
        (lambda: register_picture("json", print), "name of the picture: got 'json'"),
    ],
)
def test_what_cannot_be_registered(register, problem):
    with pytest.raises(ArgumentError, match=problem):
        register()
