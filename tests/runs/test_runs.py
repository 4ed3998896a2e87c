import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from helpers import FIXTURES
from unfinished_runs import write_log, write_state

from ginjax.checkpoint import Claim, convert_file, read_model, write_model
from ginjax.errors import FileError
from ginjax.runs import RunNames, compare_runs, list_runs, read_run, spread_of
from ginjax.transfer import make_rule

FIXTURE = FIXTURES / "diffusion_1d.safetensors"


def trained(path, **step):
    """The fixture as a training of today would have written it."""
    record = read_model(FIXTURE)
    last = record.provenance[-1] | {"best_step": 900, "best_loss": 0.125, **step}
    write_model(path, replace(record, provenance=(last,)), force=True)
    return path


def test_a_model(tmp_path):
    error = {"model": 0.01, "persistence": 0.1, "deviation": 0.002}
    run = read_run(trained(tmp_path / "m.safetensors", one_step_error=error))
    assert (run.state, run.D, run.parameters, run.trained_on) == ("model", 1, 3249, "diffusion")
    assert (run.step, run.steps, run.best_step, run.validation) == (1200, 1200, 900, 0.125)
    assert (run.error, run.certificate, run.history) == (error, None, ("train",))
    assert run.settings["learning_rate"] == 0.003 and "size" not in run.settings and run.data["size"] == 64
    assert run.network["architecture"] == "ResNet" and run.network["depth"] == 16


def test_what_was_measured_before_a_conversion_is_not_of_the_converted_model(tmp_path):
    low = trained(tmp_path / "m.safetensors", one_step_error={"model": 0.01})
    convert_file(low, tmp_path / "m.2d.safetensors", 2, make_rule("compatibility"))
    run = read_run(tmp_path / "m.2d.safetensors")
    assert (run.validation, run.error, run.step) == (None, None, 1200)
    assert (run.certificate, run.history) == ("exact, 1D -> 2D", ("train", "convert 1D -> 2D"))
    assert run.trained_on == "diffusion in 1D"
    record = read_model(run.path)
    changed = {name: array + np.float32(1) for name, array in record.arrays.items()}
    write_model(run.path, replace(record, arrays=changed), force=True)
    assert read_run(run.path).certificate == "stale, 1D -> 2D"


def test_a_model_of_an_earlier_version_takes_the_validation_loss_from_its_log(tmp_path):
    record = read_model(FIXTURE)
    step = record.provenance[-1] | {"best_step": 20, "steps_done": 20}
    write_model(tmp_path / "m.safetensors", replace(record, provenance=(step,)))
    write_log(RunNames(tmp_path / "m.safetensors"))
    assert read_run(tmp_path / "m.safetensors").validation == 0.25
    step["steps_done"] = 1200  # the log of another training
    write_model(tmp_path / "m.safetensors", replace(record, provenance=(step,)), force=True)
    assert read_run(tmp_path / "m.safetensors").validation is None


def test_an_unfinished_training(tmp_path):
    names = write_state(tmp_path / "m.safetensors")
    write_log(names)
    for path in (names.state, names.state_file):
        run = read_run(path)
        assert (run.path, run.state, run.D, run.parameters) == (names.state, "interrupted", 1, 15)
        assert (run.step, run.steps, run.best_step, run.validation) == (40, 100, 20, 0.25)
        assert run.trained_on == "diffusion"
        assert [row["step"] for row in run.rows()] == [10, 20, 20]
    with Claim(names.stem, [names.log], force=True):
        run = read_run(names.state)
        assert run.state == "running" and run.claimant is not None and run.claimant.process == os.getpid()
    assert read_run(names.state).state == "interrupted"


def test_what_is_no_run_is_refused_by_name(tmp_path):
    (tmp_path / "d.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    for path, words in (
        (tmp_path, "is a folder of data"),
        (tmp_path / "d.h5", "an HDF5 file"),
        ("no", "no such file"),
    ):
        with pytest.raises(FileError, match=words):
            read_run(path)
    names = write_state(tmp_path / "m.safetensors")
    content = names.state_file.read_bytes()
    names.state_file.write_bytes(content[:-4] + b"\xff" * 4)
    with pytest.raises(FileError, match="checksum"):
        read_run(names.state)


def test_a_folder(tmp_path):
    trained(tmp_path / "b.safetensors")
    trained(tmp_path / "b.last.safetensors")
    trained(tmp_path / "alone.last.safetensors")
    trained(tmp_path / "no_suffix")
    write_state(tmp_path / "a.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(FIXTURE.read_bytes()[:-100])
    (tmp_path / "log.safetensors").write_text('{"step": 1, "seconds": 0}\n')
    (tmp_path / "notes.txt").write_text("to do")
    (tmp_path / "plain").mkdir()
    (tmp_path / "circle.safetensors").symlink_to("circle.safetensors")
    trained(tmp_path / "plain" / "c.safetensors")
    found = list_runs(tmp_path)
    assert [(run.path.name, run.state) for run in found.runs] == [
        ("a.run", "interrupted"),
        ("alone.last.safetensors", "model"),
        ("b.safetensors", "model"),
        ("no_suffix", "model"),
    ]
    assert [path.name for path, _ in found.unread] == ["cut.safetensors", "log.safetensors"]
    assert "ends at byte" in found.unread[0][1] and "the log of a training" in found.unread[1][1]
    assert [run.path.name for run in list_runs(tmp_path, recursive=True).runs][-1] == "c.safetensors"
    with pytest.raises(FileError, match="cannot be listed"):
        list_runs(tmp_path / "notes.txt")


def test_a_state_that_is_kept_beside_its_model_is_not_taken_for_an_interruption(tmp_path):
    trained(tmp_path / "m.safetensors")
    names = write_state(tmp_path / "m.safetensors", step=1200, steps=1200)
    assert read_run(names.state).state == "finished"
    (run,) = list_runs(tmp_path).runs
    assert (run.path.name, run.state) == ("m.safetensors", "model")
    write_state(tmp_path / "m.safetensors", step=1300, steps=2000)  # it is being extended
    (run,) = list_runs(tmp_path).runs
    assert (run.path.name, run.state, run.step) == ("m.run", "interrupted", 1300)


def test_a_training_that_goes_on_from_a_model_hides_neither_the_state_nor_the_model(tmp_path):
    trained(tmp_path / "m.safetensors")
    names = RunNames(tmp_path / "m.safetensors")
    with Claim(names.stem, [names.log], force=True):
        (run,) = list_runs(tmp_path).runs
        assert (run.path.name, run.state) == ("m.safetensors", "running")
        write_state(names.output)
        (run,) = list_runs(tmp_path).runs
        assert (run.path.name, run.state, run.step) == ("m.run", "running", 40)


CLAIMS = """
import sys, time
from pathlib import Path
from ginjax.checkpoint import Claim
with Claim(Path("m"), [Path("m.log.jsonl")]), Claim(Path("other"), [Path("other.json")]):
    Path("m.log.jsonl").write_text('{"step": 7, "loss": 1.0, "seconds": 1.0}\\n')
    print("claimed", flush=True)
    time.sleep(60)
"""


def test_a_training_that_saved_nothing_is_known_by_its_claim(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", CLAIMS], cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=os.environ
    )
    try:
        assert child.stdout is not None and child.stdout.readline() == "claimed\n"
        (run,) = list_runs(tmp_path).runs  # what claims no log is some other command
        assert (run.state, run.step, run.path.name) == ("running", 7, "m.log.jsonl")
        assert run.claimant is not None and run.claimant.process == child.pid
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    (run,) = list_runs(tmp_path).runs
    assert (run.state, run.step) == ("lost", 7)


def test_whoever_looks_at_a_claim_does_not_keep_others_from_it(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    name = tmp_path / "m"
    lock = tmp_path / ".m.ginjax-lock"
    lock.write_text("")
    with open(lock) as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        begun = time.process_time()
        with pytest.raises(FileError, match="is being written"):
            Claim(name, [tmp_path / "m.log.jsonl"])
        assert time.process_time() - begun < 1
        fcntl.flock(looking, fcntl.LOCK_UN)
        with Claim(name, [tmp_path / "m.log.jsonl"]):
            pass


def test_differences(tmp_path):
    one = read_run(trained(tmp_path / "a.safetensors"))
    two = read_run(trained(tmp_path / "b.safetensors", learning_rate=0.01, seed=1, size=32))
    three = read_run(write_state(tmp_path / "c.safetensors").state)
    assert compare_runs([one, one]) == ()
    found = {(each.aspect, each.name): each.values for each in compare_runs([one, two])}
    assert found == {
        ("data", "size"): (64, 32),
        ("training", "learning_rate"): (0.003, 0.01),
        ("training", "seed"): (0, 1),
    }
    found = {(each.aspect, each.name): each.values for each in compare_runs([one, two, three])}
    assert found["network", "parameters"] == (3249, 3249, 15)
    assert found["training", "learning_rate"] == (0.003, 0.01, 0.003)
    assert found["data", "trajectories"] == (256, 256, 4)


def test_spread():
    assert spread_of([]) is None
    one, two = spread_of([0.5]), spread_of([1.0, 2.0, 4.0])
    assert one is not None and two is not None
    assert (str(one), one.n, one.deviation) == ("0.5", 1, None)
    assert (two.mean, two.n) == (7 / 3, 3)
    np.testing.assert_allclose(two.deviation, np.sqrt(7 / 3))  # by hand: ((4/3)^2 + (1/3)^2 + (5/3)^2) / 2
    assert str(two) == "2.33 ± 1.5"


def test_a_state_says_the_settings_that_it_leaves_out(tmp_path):
    """Beside its model it would differ from it in nothing but words."""
    from ginjax.ml.score import DEFAULT_LOSS

    write_state(tmp_path / "m.safetensors")
    assert read_run(tmp_path / "m.run").settings["loss"] == DEFAULT_LOSS
