"""Training divided over devices and over processes gives the loss curve of one device."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from command_line import once
from helpers import devices

from ginjax.checkpoint import read_model
from ginjax.cpu_devices import usable_cores
from ginjax.ml import read_log
from ginjax.ml.training._processes import _listening

SMALL = (
    "train", "-q", "--arch", "series", "--channels", "2", "--steps", "12", "--trajectories", "4", "--frames", "4",
    "--size", "8", "--batch-size", "8", "--noise", "0.1", "--validate-every", "6",
)  # fmt: skip


def start(folder, *args, count=1):
    return subprocess.Popen(
        [sys.executable, "-m", "ginjax_cli", *once((*SMALL, *args))],
        cwd=folder,
        env=os.environ | devices(count),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(*processes, within=120):
    for process in processes:
        out, err = process.communicate(timeout=within)
        assert process.returncode == 0, err
        yield out


def curve(folder):
    return np.array([row.get("loss", row.get("validation")) for row in read_log(folder / "model.log.jsonl")])


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    list(finish(start(folder)))
    return curve(folder)


def test_eight_devices(one, tmp_path):
    list(finish(start(tmp_path, "--devices", "8", count=8)))
    assert len(one) == 14
    np.testing.assert_allclose(curve(tmp_path), one, rtol=1e-4)


def test_train_takes_every_core_for_a_device(tmp_path):
    """As far as the user does not say how many devices to make of the processor."""
    free = {name: value for name, value in os.environ.items() if name != "JAX_NUM_CPU_DEVICES"}
    words = once((*SMALL, "--dim", "2", "--size", "64", "--steps", "100", "--dry-run", "--json"))
    ran = subprocess.run(
        [sys.executable, "-m", "ginjax_cli", *words],
        cwd=tmp_path,
        env=free | {"JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    wanted = max(n for n in (1, 2, 4, 8) if n <= usable_cores())
    assert json.loads(ran.stdout)["estimate"]["devices"] == wanted


def test_several_seeds_on_two_cores(tmp_path):
    list(finish(start(tmp_path, "--seeds", "0,1", "--devices", "2", count=2)))
    assert {"model.seed0.safetensors", "model.seed1.safetensors"} <= {
        path.name for path in tmp_path.iterdir()
    }


def together():
    """The options of two processes on this machine, but for their numbers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return "--distributed", "--coordinator", f"localhost:{port}", "--processes", "2", "--process"


def test_two_processes(one, tmp_path):
    together_ = together()
    outputs = list(finish(*(start(tmp_path, *together_, str(i)) for i in range(2))))
    assert outputs == ["model.safetensors\n", ""]  # one of them writes and speaks
    np.testing.assert_allclose(curve(tmp_path), one, rtol=1e-4)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.curve.png", "model.log.jsonl", "model.run", "model.safetensors",
    ]  # fmt: skip


@pytest.mark.slow
def test_two_processes_train_on_the_crops_of_one(tmp_path):
    folders = [tmp_path / name for name in ("alone", "together")]
    for folder in folders:
        folder.mkdir()
    words = ("--size", "24", "--crop", "6", "--blocks", "2", "--validate-every", "12")
    list(finish(start(folders[0], *words)))
    list(
        finish(
            *(start(folders[1], *words, *together_, str(i)) for together_ in [together()] for i in range(2))
        )
    )
    np.testing.assert_allclose(*map(curve, folders), rtol=1e-4)


@pytest.mark.trust
@pytest.mark.parametrize("lost", (0, 1))
def test_one_of_two_processes_is_killed_and_the_training_goes_on(one, tmp_path, lost):
    state, more = (
        tmp_path / "model.run" / "state.safetensors",
        ("--steps", "400", "--checkpoint-every", "20", "--validate-every", "400"),
    )
    words = together()
    pair = [start(tmp_path, *more, *words, str(i)) for i in range(2)]
    until = time.monotonic() + 600
    while not state.exists() and time.monotonic() < until:
        time.sleep(0.05)
    pair[lost].kill()
    _, said = pair[1 - lost].communicate(timeout=300)
    assert pair[1 - lost].returncode == 1, said
    assert (
        "error: another process of the training was lost\nhint: Start all of them again with --resume" in said
    )
    pair[lost].communicate()
    assert state.exists() and not (tmp_path / "model.safetensors").exists()
    words = together()
    list(finish(*(start(tmp_path, *more, "--resume", *words, str(i)) for i in range(2)), within=600))
    assert read_model(tmp_path / "model.safetensors").provenance[-1]["steps_done"] == 400
    losses = [row for row in read_log(tmp_path / "model.log.jsonl") if "loss" in row]
    assert [row["step"] for row in losses] == [*range(2, 401, 2)]  # each once


@pytest.mark.trust
@pytest.mark.parametrize("lost", (0, 1))
def test_one_of_two_processes_is_killed_while_the_other_computes_alone(tmp_path, lost):
    """JAX then aborts the other one from a thread of its own, and no exception tells of it."""
    code = (
        "import ginjax.ml, time; from ginjax.ml.training import _processes; _processes.SILENCE = 10; "
        "ginjax.ml.prepare_training = lambda *_, **__: (print('alone', flush=True), time.sleep(600)); "
        "from ginjax_cli.main import main; main()"
    )
    words = together()
    pair = [
        subprocess.Popen(
            [sys.executable, "-c", code, *SMALL, *words, str(i)],
            cwd=tmp_path,
            env=os.environ | {"JAX_PLATFORMS": "cpu"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(2)
    ]
    for process in pair:
        assert process.stdout is not None and process.stdout.readline() == "alone\n"
    pair[lost].kill()
    began = time.monotonic()
    _, said = pair[1 - lost].communicate(timeout=120)
    pair[lost].communicate()
    assert pair[1 - lost].returncode == 1 and time.monotonic() - began < 60, said
    assert said.endswith(
        "error: JAX gave up this process, most likely because another one of the training was lost\n"
        "hint: Start all of them again with --resume: the training goes on from its last saved state.\n"
    )


@pytest.mark.trust
def test_ctrl_c_while_the_others_are_waited_for(tmp_path):
    words = together()
    port = int(words[2].partition(":")[2])
    process = start(tmp_path, *words, "0")
    until, waits = time.monotonic() + 120, False
    while not waits and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            waits = True
    assert waits
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, "interrupted\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.trust
@pytest.mark.parametrize("number", (0, 1))
def test_one_of_two_processes_never_comes(tmp_path, number):
    code = "from ginjax.ml.training import _processes; _processes.WAIT = 5; from ginjax_cli.main import main; main()"
    process = subprocess.run(
        [sys.executable, "-c", code, *SMALL, *together(), str(number)],
        cwd=tmp_path,
        env=os.environ | {"JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == 1
    assert "error: not all processes of the training arrived within 5 s" in process.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.trust
def test_the_disk_of_one_host_is_full(tmp_path):
    """The one who writes says so, and the other does not wait for it."""
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); from ginjax_cli.main import main; main()"
    words = together()
    pair = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                code,
                *once((*SMALL, "--steps", "2000", "--checkpoint-every", "5")),
                *words,
                str(i),
            ],
            cwd=tmp_path,
            env={**os.environ, "JAX_PLATFORMS": "cpu", "JAX_ENABLE_COMPILATION_CACHE": "false"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(2)
    ]
    said = [process.communicate(timeout=240)[1] for process in pair]
    assert [process.returncode for process in pair] == [1, 1], said
    assert "cannot be written: File too large" in said[0], said[0]
    assert "another process of the training was lost" in said[1], said[1]


def test_the_coordinator_listens_where_it_was_told_to():
    where = {
        "localhost:1": "127.0.0.1:1",
        "127.0.0.1:2": "127.0.0.1:2",
        "[::1]:3": "[::1]:3",
        "10.0.0.7:4": "10.0.0.7:4",
    }
    assert {each: _listening(each) for each in where} == where
    assert _listening("node0:4000") is None and _listening(None) is None  # a name may have other addresses
