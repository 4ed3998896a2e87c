import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from command_line import app, once
from helpers import FIXTURES
from sweeps import few
from typer.testing import CliRunner

from ginjax.checkpoint import read_model
from ginjax.data import PLANES_ARE_FOR, DataReading, Normalisation
from ginjax.ml import read_log, training_task

TINY = ("--steps", "3", "--trajectories", "2", "--frames", "2", "--size", "8")
SMALL = ("--arch", "series", "--channels", "2", "--blocks", "1", *TINY)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, once(args), prog_name="ginjax")


def more(*case):
    """Another field by another name, or what there is in the other dimension too: for `-m slow`."""
    return pytest.param(*case, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("pde", "dim", "fields"),
    [
        ("diffusion", "1", ["density"]),
        more("fisher-kpp", "1", ["population"]),
        more("allen-cahn", "1", ["phase"]),
        more("burgers", "1", ["velocity"]),
        ("gray-scott", "1", ["substrate", "activator"]),
        more("diffusion", "2", ["density"]),
        more("burgers", "2", ["velocity"]),
    ],
)
def test_every_equation(run, pde, dim, fields):
    result = run("train", "--pde", pde, "--dim", dim, *SMALL)
    assert result.exit_code == 0, result.stderr
    record = read_model("model.safetensors")
    assert str(record.D) == dim
    assert [field.name for field in record.contract.inputs] == fields
    assert record.contract.predicted == record.contract.fields
    assert record.contract.origin["equation"] == pde
    assert [scale.field.name for scale in Normalisation.of_contract(record.contract).scales] == fields
    (step,) = record.provenance
    assert (step["step"], step["equation"], step["steps"], step["seed"], step["size"]) == (
        "train",
        pde,
        3,
        0,
        8,
    )
    assert "error of predicting no change" in result.stdout
    *_, wrote, _, _, following = result.stderr.splitlines()  # no curve is drawn, and where its state is
    assert wrote == "wrote model.safetensors"
    # Three steps teach nothing, which is not worth converting.
    assert following.startswith(f"next: ginjax train --pde {pde} --dim {dim} --size 8 ")
    assert following.endswith(" --steps 12 --resume") and "--steps 3" not in following


def test_simulations_that_cover_a_dimension(run):
    result = run("train", *SMALL, "--cover", "3")
    assert result.exit_code == 0, result.stderr
    assert (
        "data in 1D begin with the correlation lengths 0.125 and 0.0722 in turn: initial fields in 3D have"
    ) in result.stderr
    record = read_model("model.safetensors")
    assert record.provenance[-1]["cover"] == record.contract.origin["cover"] == 3
    task = training_task(record, record.provenance[-1], None, DataReading())
    assert task.train.source.origin["cover"] == 3  # what it is simulated from again


def test_simulations_in_planes(run):
    words = ("--dim", "3", "--size", "4", "--trajectories", "2", "--frames", "2", "--planes", "flat")
    result = run("train", *words, "--arch", "series", "--channels", "1", "--blocks", "1", "--steps", "2")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.count("planes (flat): fields that are constant along the last axis\n") == 1
    assert result.stderr.count(f"warning: {PLANES_ARE_FOR}") == 1
    record = read_model("model.safetensors")
    # A network that was converted is tuned on planes, as they are meant.
    assert (
        run("convert-d", str(FIXTURES / "diffusion_1d.safetensors"), "--to-dim", "3", "-o", "3d").exit_code
        == 0
    )
    tuned = run("train", "--init", "3d", *words[2:], "-o", "tuned", "--steps", "2", "--dry-run")
    assert tuned.exit_code == 0 and "planes (flat)" in tuned.stderr and "are for" not in tuned.stderr
    assert record.provenance[-1]["planes"] == record.contract.origin["planes"] == "flat"
    source = training_task(record, record.provenance[-1], None, DataReading()).train.source
    assert source.origin["planes"] == "flat" and source.spatial == (4, 4, 4)
    field = source.read(0, 0, 2)["density"]
    assert np.array_equal(field[..., 0], field[..., 1]) and not np.array_equal(
        field[..., 0, :], field[..., 1, :]
    )


def test_going_on_simulates_the_equation_of_the_model(run):
    """Unless another is asked for, whose fields then do not fit."""
    assert run("train", "--pde", "gray-scott", *SMALL, "-o", "low").exit_code == 0
    result = run("train", "--init", "low", *TINY, "-o", "tuned", "--dry-run")
    assert result.exit_code == 0 and "gray-scott" in result.output, result.stderr
    result = run("train", "--init", "low", "--pde", "diffusion", *TINY, "-o", "tuned", "--dry-run")
    assert result.exit_code == 2 and "fields of the data" in result.stderr


def test_the_same_seed_gives_the_same_bytes(run, tmp_path):
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        assert run("train", *SMALL, "--seed", seed, "-o", name).exit_code == 0
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


def test_json(run):
    result = run("train", *SMALL, "--json")
    assert result.stderr == ""
    payload = json.loads(result.stdout)
    assert {"error", "loss", "parameters", "path", "persistence", "settings", "sha256", "warnings"} <= set(
        payload
    )
    assert {
        "batch_size", "dim", "equation", "frames", "learning_rate", "seed", "size", "steps", "trajectories",
    } <= set(payload["settings"])  # fmt: skip
    assert payload["error"] > payload["persistence"]  # three steps teach nothing
    assert len(payload["warnings"]) == 1


def test_quiet_prints_the_path_and_what_must_not_be_missed(run):
    result = run("train", *SMALL, "-q", "-o", "m.st")
    assert result.stdout == "m.st\n"
    (warning,) = result.stderr.splitlines()
    assert warning.startswith("warning: the network does no better than predicting no change")


def test_filters_of_a_file(run):
    run("build-filters", "-q", "--side", "5", "--support", "orthoplex")
    result = run("train", *SMALL, "--filters", "filters.safetensors")
    assert result.exit_code == 0, result.stderr
    recipe = read_model("model.safetensors").banks["conv"].recipe
    assert (recipe.side, recipe.support) == (5, "orthoplex")


class Worked(Exception):
    pass


def work(*args, **kwargs):
    raise Worked


def test_an_existing_file_is_refused_before_any_work(run, tmp_path, monkeypatch):
    monkeypatch.setattr("ginjax.ml.task._training_material.simulated_parts", work)
    assert isinstance(run("train", *SMALL).exception, Worked)
    (tmp_path / "model.safetensors").write_text("mine")
    result = run("train", *SMALL)
    assert result.exit_code == 1
    assert "exists already" in result.stderr and "--force" in result.stderr
    assert isinstance(run("train", *SMALL, "--force").exception, Worked)
    assert (tmp_path / "model.safetensors").read_text() == "mine"


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("--pde", "heat"), 2, "'heat' is not one of 'diffusion', 'fisher-kpp'"),
        (("--dim", "4"), 2, "'--dim'"),
        (("--size", "3"), 2, "'--size'"),
        (("--steps", "0"), 2, "'--steps'"),
        (("--frames", "0"), 2, "'--frames'"),
        (("--trajectories", "1"), 2, "'--trajectories'"),
        (("--batch-size", "0"), 2, "'--batch-size'"),
        (("--learning-rate", "0"), 2, "'--learning-rate'"),
        (("--learning-rate", "nan"), 2, "'--learning-rate'"),
        (("--learning-rate", "fast"), 2, "'--learning-rate'"),
        (("--arch", "unet", "--size", "10"), 2, "got 10, expected a multiple of 4"),
        (("--arch", "unet", "--levels", "7"), 2, "got 64, expected a multiple of 128"),
        (("--arch", "series", "--norm"), 2, "--norm: got architecture 'series'"),
        (("--activation", "cosine"), 2, "'cosine'"),
        (("--side", "4", "--support", "orthoplex"), 2, "odd side"),
        (("--filters", "absent"), 1, "no such file"),
        (
            ("--filters", str(FIXTURES / "diffusion_1d.safetensors")),
            1,
            "is a model: expected a file of filters",
        ),
        (("-o", "no/folder"), 1, "does not exist"),
        (("surplus",), 2, "surplus"),
    ],
)
def test_bad_input_is_answered_before_any_work(run, tmp_path, monkeypatch, args, code, message):
    monkeypatch.setattr("ginjax.ml.task._training_material.simulated_parts", work)
    result = run("train", *args)
    assert result.exit_code == code
    first, *hint = result.stderr.splitlines()
    assert first.startswith("error: ") and message in first
    assert len(hint) <= 1 and all(line.startswith("hint: ") for line in hint)
    assert list(tmp_path.iterdir()) == []


def test_data_that_would_fill_the_memory(run, tmp_path):
    result = run("train", *SMALL, "--trajectories", "1000000000")
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "values, expected at most" in result.stderr and "fewer trajectories" in result.stderr


def without_progress(text):
    """The lines that are there however fast the machine is."""
    estimate = (
        "parameters ",
        "samples ",
        "steps ",
        "memory of a step ",
        "compiling took ",
        "seconds a step ",
        "time to the end ",
    )
    said = ("simulating ", "training: ", "the batch has ", *estimate)
    return [line for line in text.splitlines() if not line.startswith(said)]


def test_a_training_that_diverges(run, tmp_path):
    wild = ("--arch", "series", "--blocks", "8", "--activation", "relu", "--learning-rate", "10", *TINY)
    result = run("train", *wild, "--steps", "40")
    assert result.exit_code == 1
    first, hint = without_progress(result.stderr)
    assert first.startswith("error: training loss at step") and "expected a finite number" in first
    assert "Lower the learning rate" in hint
    # The log shows how it went wrong; that it may be replaced is noted beside it.
    assert sorted(path.name for path in tmp_path.iterdir()) == [".model.ginjax-lock", "model.log.jsonl"]
    assert run("train", *SMALL).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.log.jsonl",
        "model.run",
        "model.safetensors",
    ]


@pytest.mark.parametrize("name", ["model.log.jsonl", "model.curve.png", "model.last.safetensors"])
def test_no_file_beside_the_model_is_replaced_by_mistake(run, tmp_path, name):
    """Nor through a link, nor waited for, and all of it before any work."""
    (tmp_path / name).write_text("mine")
    refused = run("train", *SMALL)
    assert refused.exit_code == 1 and f"{name}: the file exists already" in refused.stderr
    assert (tmp_path / name).read_text() == "mine"
    (tmp_path / "other").write_text("mine")
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("other")
    refused = run("train", *SMALL, "--force")
    assert refused.exit_code == 1 and f"{name}: is a symbolic link" in refused.stderr
    assert (tmp_path / "other").read_text() == "mine"
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    refused = run("train", *SMALL, "--force")
    assert refused.exit_code == 1 and f"{name}: is not a regular file" in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["other", name])


def test_settings_are_not_waited_for(run, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "deep.toml").write_text("a = " + "[" * 100_000)
    (tmp_path / "large.toml").write_text("#" * 2**21)
    for name, words in (
        ("pipe", "is not a regular file"),
        ("/dev/zero", "is not a regular file"),
        (".", "is a folder"),
        ("none", "there is no such file"),
        ("deep.toml", "is not TOML"),
        ("large.toml", "at most"),
    ):
        refused = run("train", "--config", name, *SMALL)
        assert refused.exit_code == 1 and words in refused.stderr, refused.stderr
        assert refused.stderr.startswith("error: ")


LONG = ("train", *SMALL, "--steps", "4000", "--noise", "0.01")


def start(folder, *args):
    return subprocess.Popen(
        [sys.executable, "-m", "ginjax_cli", *once([*LONG, *args])],
        cwd=folder,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(path, process):
    while not path.exists() and process.poll() is None:
        time.sleep(0.01)


def killed_now_and_then(folder, pauses, *args):
    """Run to the end, killed each time a saved state has been there for a while."""
    state, kills = folder / "model.run" / "state.safetensors", 0
    for pause in pauses:
        process = start(folder, "--checkpoint-every", "50", "--resume", *args)
        before = state.read_bytes() if state.exists() else b""
        while process.poll() is None and (not state.exists() or state.read_bytes() == before):
            time.sleep(0.005)
        time.sleep(pause)
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        if process.returncode == 0:
            return kills
    process = start(folder, "--resume", *args)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return kills


@pytest.fixture(scope="module")
def left_alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    process = start(folder, "-q")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return folder


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_with_the_same_bytes(left_alone, tmp_path):
    pauses = np.random.default_rng(0).uniform(0, 0.08, 10)
    kills = killed_now_and_then(tmp_path, pauses, "-q")
    assert kills == 10
    assert (tmp_path / "model.safetensors").read_bytes() == (left_alone / "model.safetensors").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        path.name for path in left_alone.iterdir()
    )
    logs = [
        [(row["step"], row["loss"]) for row in read_log(folder / "model.log.jsonl")]
        for folder in (tmp_path, left_alone)
    ]
    assert [step for step, _ in logs[0]] == [step for step, _ in logs[1]]


@pytest.mark.parametrize("number", [signal.SIGINT, *few(signal.SIGHUP)])
def test_an_interrupted_run_says_how_to_go_on_and_does(tmp_path, number):
    process = start(tmp_path, "--checkpoint-every", "20")
    wait_for(tmp_path / "model.run" / "state.safetensors", process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    stopped, following = without_progress(err)
    assert stopped.startswith("interrupted after step ") and stopped.endswith("its state is in model.run")
    assert following.startswith("go on with: ginjax train ") and following.endswith(" --resume")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.log.jsonl", "model.run"]


CLOSED = 'exec "$@" >&- 2>&-'


OPENED = """
import os, pathlib
from ginjax_cli.main import main
try:
    main()
finally:
    devices = [os.fstat(number).st_rdev for number in (1, 2)]
    pathlib.Path("opened").write_text(str(devices == [os.stat(os.devnull).st_rdev] * 2))
"""


def test_streams_that_are_closed(tmp_path):
    """A command opens them before it does anything, so that no file takes the number of one and receives its text."""
    words = [sys.executable, "-c", OPENED, "build-filters", "--dim", "1"]
    done = subprocess.run(["bash", "-c", CLOSED, "bash", *words], cwd=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "opened").read_text() == "True"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["filters.safetensors", "opened"]


@pytest.mark.slow
@pytest.mark.parametrize("how", [CLOSED, '"$@" 2>&1 | head -n 1', 'nohup "$@" >/dev/full'])
def test_output_that_has_nowhere_to_go(tmp_path, how):
    """Streams that are closed, that nobody reads, and a log on a full disk."""
    words = [sys.executable, "-m", "ginjax_cli", "train", *SMALL]
    script = ["bash", "-c", how, "bash", *words]
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert read_model(tmp_path / "model.safetensors").D == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.log.jsonl",
        "model.run",
        "model.safetensors",
    ]
    assert done.returncode == (1 if "full" in how else 0)


def test_a_waiting_run_is_not_lost_by_mistake(run, tmp_path):
    (tmp_path / "model.run").mkdir()
    result = run("train", *SMALL)
    assert result.exit_code == 1
    assert "holds the state of a run" in result.stderr and "--resume" in result.stderr
    assert run("train", *SMALL, "--force").exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.log.jsonl",
        "model.run",
        "model.safetensors",
    ]


def test_a_run_goes_on_in_process(run, tmp_path, monkeypatch):
    """The state of an interrupted run, other settings, and the end."""
    asked = iter([False, True])
    monkeypatch.setattr("ginjax_cli._interrupt.Interrupt.asked", lambda self: next(asked, False))
    long = (*SMALL, "--blocks", "2", "--steps", "12", "--validate-every", "4", "--freeze", "layers.0")
    result = run("train", *long)
    assert result.exit_code == 130, result.stderr
    assert "--freeze layers.0 --resume" in result.stderr
    other = run("train", *long, "--resume", "--noise", "0.1")
    assert other.exit_code == 1
    assert "--noise: got 0.1, expected 0.0, as in the training of this state" in other.stderr
    assert "hint: Go on with the same, or begin anew (--force). What may be changed: " in other.stderr
    again = run("train", *long, "--resume")
    assert again.exit_code == 0, again.stderr
    assert "going on after step " in again.stderr and "lowest validation loss" in again.stdout
    assert run("train", *long, "-o", "alone.safetensors").exit_code == 0
    assert (tmp_path / "alone.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()
    (step,) = read_model("model.safetensors").provenance
    assert (step["freeze"], step["validate_every"], step["optimiser"]) == (["layers.0"], 4, "adamw")


def test_a_run_does_not_go_on_with_other_data_of_the_same_name(run, tmp_path, monkeypatch):
    def store(seed):
        values = np.random.default_rng(seed).standard_normal((5, 3, 8)).astype(np.float32)
        np.savez(tmp_path / "d.npz", density=values)

    asked = iter([False, True])
    monkeypatch.setattr("ginjax_cli._interrupt.Interrupt.asked", lambda self: next(asked, False))
    words = (
        "train",
        "--data",
        "d.npz",
        "--field",
        "density:0+=density",
        "--axes",
        "trajectory,time,x",
        "--periodic",
        "all",
        "--arch",
        "series",
    )
    words += ("--channels", "2", "--steps", "12", "--batch-size", "2")
    store(0)
    assert run(*words).exit_code == 130
    store(1)
    refused = run(*words, "--resume")
    assert refused.exit_code == 1, refused.stderr
    assert (
        "digest of the data: got" in refused.stderr and "as in the training of this state" in refused.stderr
    )
    store(0)
    again = run(*words, "--resume")
    assert again.exit_code == 0 and "going on after step" in again.stderr


def test_a_config_file_and_flags_that_win(run, tmp_path):
    config = tmp_path / "run.toml"
    config.write_text(
        'pde = "fisher-kpp"\n[network]\narch = "series"\nchannels = 2\n'
        "[training]\nsteps = 7\nlearning-rate = 1e-2\ntrajectories = 2\nframes = 2\nsize = 8\n"
    )
    result = run("train", "--config", "run.toml", "--steps", "3")
    assert result.exit_code == 0, result.stderr
    (step,) = read_model("model.safetensors").provenance
    assert (step["equation"], step["steps"], step["learning_rate"]) == ("fisher-kpp", 3, 1e-2)
    for text, code, words in (
        (
            "stepss = 3",
            2,
            "'stepss' is no option of this command\nhint: Did you mean 'steps'? The options are",
        ),
        ("steps = 0", 2, "'--steps'"),
        ("steps = ", 1, "is not TOML"),
        ("a = {b = {c = 1}}", 2, "'b' is no option"),
    ):
        config.write_text(text)
        refused = run("train", "--config", "run.toml", "--force")
        assert refused.exit_code == code and words in refused.stderr, refused.stderr
    assert run("train", "--config", "absent.toml").exit_code == 1


def test_data_in_a_file(run, tmp_path):
    rng = np.random.default_rng(0)
    series = rng.standard_normal((5, 6, 8)).astype(np.float32)
    np.savez(tmp_path / "d.npz", density=series)
    data = (
        "--data",
        "d.npz",
        "--field",
        "density:0+=density",
        "--axes",
        "trajectory,time,x",
        "--periodic",
        "all",
        "--valid",
        "0.2",
        "--test",
        "0.2",
    )
    result = run(
        "train", *data, "--past-steps", "2", "--residual", "--unroll", "2", "--arch", "series", "--channels", "2", "--blocks", "1",
        "--epochs", "2", "--batch-size", "3",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    record = read_model("model.safetensors")
    assert record.contract.past_steps == 2 and record.contract.residual is True
    (step,) = record.provenance
    # Three trajectories of six frames, four in each sample: nine samples, in batches of three, twice.
    assert (step["data"], step["trajectories"], step["steps"]) == ("d.npz", 3, 6)
    assert "lowest validation loss" in result.stdout and "one-step error" in result.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--steps", "3", "--epochs", "1"), "--steps and --epochs: got both"),
        (("--time-budget", "soon"), "a time such as 90s"),
        (("--time-budget", "3s", "--schedule", "cosine"), "a number of steps"),
        (("--checkpoint-every", "0"), "--checkpoint-every: got '0'"),
        (("--process", "1"), "no --distributed"),
        (("--devices", "99"), "devices: got 99"),
        (("--valid", "0.2"), "--valid: got no --data"),
        (("--test", "0"), "--test: got no --data"),
        (("--data", "x.npz", "--pde", "burgers"), "--pde: got --data"),
        (("--data", "x.npz", "--cover", "3"), "--cover: got --data"),
        (("--dim", "2", "--cover", "2"), "--cover: got 2, expected a dimension that the data"),
        (("--data", "x.npz", "--planes", "flat"), "--planes: got --data"),
        (("--planes", "flat"), "--planes: got a simulation in 1D, expected one in 3D"),
        (("--log", "paper"), "'paper' is not one of 'tensorboard', 'wandb', 'mlflow'"),
        (("--accumulate", "3", "--batch-size", "4"), "a positive multiple of 3"),
        (("--freeze", "head"), "--freeze: got 'head'"),
        (("--unroll", "3"), "--frames: got 2"),
    ],
)
def test_options_that_do_not_fit(run, args, message):
    result = run("train", *(() if {"--data", "--time-budget"} & set(args) else SMALL), *args)
    assert result.exit_code == 2, result.stderr
    assert message in result.stderr


def test_an_interruption_as_json_is_a_result(run, monkeypatch):
    asked = iter([False, True])
    monkeypatch.setattr("ginjax_cli._interrupt.Interrupt.asked", lambda self: next(asked, False))
    result = run("train", *SMALL, "--steps", "12", "--json")
    assert (result.exit_code, result.stderr) == (130, "")
    payload = json.loads(result.stdout)
    assert payload["interrupted"] is True and payload["state"] == "model.run" and payload["steps_done"] > 0
    assert payload["go_on_with"].endswith(" --resume") and payload["path"] is None
