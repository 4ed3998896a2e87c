"""Training divided over devices and over processes gives the loss curve of one device."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from ginjax.ml import read_log

SMALL = (
    "train", "-q", "--arch", "series", "--channels", "2", "--steps", "12", "--trajectories", "4", "--frames", "4",
    "--size", "8", "--batch-size", "8", "--noise", "0.1", "--validate-every", "6",
)  # fmt: skip


def start(folder, *args, devices=1):
    flags = {"XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}", "JAX_PLATFORMS": "cpu"}
    return subprocess.Popen(
        [sys.executable, "-m", "ginjax_cli", *SMALL, *args],
        cwd=folder,
        env=os.environ | flags,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(*processes):
    for process in processes:
        out, err = process.communicate(timeout=120)
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
    list(finish(start(tmp_path, devices=8)))
    assert len(one) == 14
    np.testing.assert_allclose(curve(tmp_path), one, rtol=1e-4)


def test_two_processes(one, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    together = ("--distributed", "--coordinator", f"127.0.0.1:{port}", "--processes", "2", "--process")
    outputs = list(finish(*(start(tmp_path, *together, str(i)) for i in range(2))))
    assert outputs == ["model.safetensors\n", ""]  # one of them writes and speaks
    np.testing.assert_allclose(curve(tmp_path), one, rtol=1e-4)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.curve.png", "model.log.jsonl", "model.run", "model.safetensors",
    ]  # fmt: skip
