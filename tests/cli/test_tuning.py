"""`ginjax train --init`: going on from a model, with and without `--keep-compatible`."""

import json
from dataclasses import replace

import numpy as np
import pytest
from command_line import app, once
from drawn_records import drawn_record, perturbed, small_spec
from helpers import FULL3, ORTHOPLEX5, S
from ml.task.small_tasks import source
from typer.testing import CliRunner

from ginjax.checkpoint import DataContract, Field, FieldScale, convert_record, read_model, write_model
from ginjax.data import write_well
from ginjax.ml.training._settings import LEARNING_RATE, TUNING_RATE
from ginjax.transfer import make_rule

QUICK = (
    "--size", "8", "--trajectories", "2", "--frames", "2", "--steps", "4", "--batch-size", "2",
    "--learning-rate", "0.02",
)  # fmt: skip
DENSITY = Field("density", 0, 0)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, once(args), prog_name="ginjax")


@pytest.fixture
def any_look(monkeypatch):
    """Whatever the first look after the start finds replaces the start."""
    monkeypatch.setattr("ginjax.ml.training._engine.START_MARGIN", float("inf"))


def as_if_trained(record, **known):
    """The record of a model for a density of unit size."""
    scales = (FieldScale(DENSITY, 1.0),)
    return replace(record, contract=replace(record.contract, fields=(DENSITY,), scales=scales, **known))


def small(D=1, **options):
    """A model of one layer, as if trained on a density."""
    record = drawn_record(small_spec("SimpleConvSeries", S, depth=1), D, FULL3, dtype=np.float32, **options)
    return as_if_trained(record)


@pytest.fixture
def converted(tmp_path):
    """The names of a small model in one dimension and of its conversion to two."""
    record = small()
    write_model(tmp_path / "low", record)
    write_model(tmp_path / "high", convert_record(record, 2, make_rule("compatibility")).after)
    return "low", "high"


def tune(run, start, *args, out="tuned"):
    return run("train", "--init", start, *QUICK, "-o", out, *args)


def test_tuning_keeps_what_the_conversion_preserved(run, converted, any_look):
    low, high = converted
    result = tune(run, high, "--keep-compatible")
    assert result.exit_code == 0, result.stderr
    assert "error before tuning" in result.stdout and "compatible with" in result.stdout
    before, after = read_model(high), read_model("tuned")
    assert after.digest != before.digest
    assert after.certificate.exact and not after.certificate_is_stale
    assert (after.certificate.rule, after.certificate.from_dim) == ("compatibility", 1)
    assert after.spec == before.spec and after.D == 2
    verified = run("verify", low, "tuned")
    assert verified.exit_code == 0, verified.stderr
    # What is not a convolution weight is as it was.
    for name, array in before.arrays.items():
        assert (after.arrays[name].tobytes() == array.tobytes()) == (".weight.k" not in name)


def test_ordinary_tuning_does_not(run, converted, any_look):
    low, high = converted
    result = tune(run, high)
    assert result.exit_code == 0, result.stderr
    assert "error before tuning" in result.stdout and "compatible with" not in result.stdout
    assert read_model("tuned").certificate is None
    verified = run("verify", low, "tuned")
    assert verified.exit_code == 0
    assert "all weights of the 2D model were tuned after its conversion" in verified.stderr
    (condition,) = (line for line in verified.stdout.splitlines() if line.startswith("condition (C)"))
    assert condition.split()[-1] == "no"


def test_provenance_and_json(run, converted):
    _, high = converted
    result = tune(run, high, "--keep-compatible", "--json")
    payload = json.loads(result.stdout)
    assert {"error", "error_before", "persistence", "loss", "settings", "sha256", "path"} <= set(payload)
    *earlier, last = read_model("tuned").provenance
    assert tuple(earlier) == read_model(high).provenance
    assert (last["step"], last["kept_compatible"], last["dim"]) == ("tune", True, 2)
    assert last["source"] == read_model(high).digest


def test_the_same_command_gives_the_same_bytes(run, converted, tmp_path):
    for name in ("a", "b"):
        assert tune(run, converted[1], "--keep-compatible", "-q", out=name).stdout == f"{name}\n"
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_weights_in_double_precision(run, tmp_path, converted, any_look):
    """Training rounds them to single precision, and the certificate says so."""
    record = convert_record(small(), 2, make_rule("compatibility"), dtype="float64").after
    write_model(tmp_path / "double", record)
    result = tune(run, "double", "--keep-compatible")
    assert result.exit_code == 0, result.stderr
    after = read_model("tuned")
    assert not after.certificate_is_stale and after.certificate.exact
    assert after.certificate.tolerance == 1e-5
    assert {array.dtype.name for array in after.arrays.values()} == {"float32"}


def test_a_tuned_model_can_be_tuned_again_and_taken_down(run, converted, any_look):
    low, high = converted
    assert tune(run, high, "--keep-compatible").exit_code == 0
    assert tune(run, "tuned", "--keep-compatible", "--seed", "1", out="again").exit_code == 0
    assert run("verify", low, "again").exit_code == 0
    assert run("convert-d", "again", "--to-dim", "1", "-o", "down").exit_code == 0
    for name, array in read_model(low).arrays.items():
        np.testing.assert_allclose(read_model("down").arrays[name], array, atol=1e-5)


# --- never worse than the start -----------------------------------------------------------------------------------------


def test_a_tuning_that_finds_nothing_better_keeps_the_start_and_says_so(run, converted):
    low, high = converted
    wild = ("--learning-rate", "10", "--warmup", "0")
    result = tune(run, high, *wild)
    assert result.exit_code == 0, result.stderr
    assert "warning: the tuning, looked at " in result.stderr
    assert "the weights are those it began with, bit for bit" in result.stderr
    assert "the model of --init is kept; the last one is tuned.last.safetensors" in result.stderr
    payload = json.loads(tune(run, high, *wild, "--json", out="again").stdout)
    assert (payload["kept_start"], payload["best_step"]) == (True, 0)
    assert payload["error"] == payload["error_before"]
    assert any("bit for bit" in said for said in payload["warnings"])
    before, after = read_model(high), read_model("tuned")
    assert all(array.tobytes() == before.arrays[name].tobytes() for name, array in after.arrays.items())
    # The certificate speaks of these weights, and goes on to hold.
    assert after.certificate.exact and not after.certificate_is_stale
    assert run("verify", low, "tuned").exit_code == 0
    assert read_model("tuned.last.safetensors").certificate is None


def test_double_precision_survives_a_tuning_that_changes_nothing(run, tmp_path):
    record = convert_record(small(), 2, make_rule("compatibility"), dtype="float64").after
    write_model(tmp_path / "double", record)
    assert tune(run, "double", "--learning-rate", "10", "--warmup", "0").exit_code == 0
    for name, array in read_model("tuned").arrays.items():
        assert array.dtype == np.float64 and array.tobytes() == record.arrays[name].tobytes()


def test_what_a_tuning_is_judged_by(run, converted):
    result = tune(run, converted[1])
    assert "one step and rollouts of 2 steps on the part for validation" in result.stdout
    assert "lowest error by which it is judged" in result.stdout
    assert "lowest validation loss" not in result.stdout


def test_without_a_rate_a_tuning_goes_slower_than_a_new_network(run, converted, tmp_path):
    short = ("--size", "8", "--trajectories", "2", "--frames", "2", "--steps", "1", "-q")
    assert run("train", "--init", converted[1], *short, "-o", "slow").exit_code == 0
    assert (
        run("train", "--dim", "2", "--arch", "series", "--channels", "2", *short, "-o", "new").exit_code == 0
    )
    rates = [read_model(name).provenance[-1]["learning_rate"] for name in ("slow", "new")]
    assert rates == [TUNING_RATE, LEARNING_RATE]


def test_of_one_trajectory_the_end_is_held_out(run, tmp_path, converted):
    write_well(tmp_path / "one.h5", source(trajectories=1, frames=8, D=2, spacing=1.0), name="density")
    result = run("train", "--init", converted[1], "--data", "one.h5", "--steps", "2", "-o", "tuned")
    assert result.exit_code == 0, result.stderr
    assert (
        "no trajectory is held out: the tuning is judged by one step and rollouts of 7 steps" in result.stderr
    )
    assert "into the last frames of each trajectory, which are not trained on" in result.stderr
    assert "error before tuning" in result.stdout
    # Control: a new network is not judged so, and says how it would work.
    new = run("train", "--data", "one.h5", "--steps", "2", "-o", "new")
    assert new.exit_code == 2 and "--valid 0" in new.stderr


@pytest.mark.parametrize("trajectories", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_the_next_command_after_a_tuning_in_3d_works(run, tmp_path, trajectories):
    write_model(tmp_path / "high", convert_record(small(), 3, make_rule("compatibility")).after)
    write_well(
        tmp_path / "few.h5", source(trajectories=trajectories, frames=3, D=3, spacing=1.0), name="density"
    )
    result = run("train", "--init", "high", "--data", "few.h5", "--steps", "1", "-o", "tuned")
    assert result.exit_code == 0, result.stderr
    command = result.stderr.splitlines()[-1].removeprefix("next: ginjax ")
    # Control: of three trajectories one is held out, and nothing has to be added.
    assert command == "evaluate tuned --data few.h5" + (" --split train" if trajectories == 1 else "")
    if trajectories == 1:
        bare = run("evaluate", "tuned", "--data", "few.h5", "--steps", "1")
        assert bare.exit_code == 2 and "no trajectory of these data was held out" in bare.stderr
    assert run(*command.split(), "--steps", "1").exit_code == 0


def test_of_two_trajectories_one_judges(run, tmp_path, converted):
    write_well(tmp_path / "two.h5", source(trajectories=2, frames=8, D=2, spacing=1.0), name="density")
    result = run("train", "--init", converted[1], "--data", "two.h5", "--steps", "2", "-o", "tuned")
    assert result.exit_code == 0, result.stderr
    assert "on 1 of 2 trajectories given for training, which are not trained on" in " ".join(
        result.stdout.split()
    )
    assert "no trajectory is held out" not in result.stderr
    assert [len(part.trajectories) for part in read_model("tuned").contract.parts.values()] == [1, 1]


def test_whoever_wants_no_validation_gets_the_last_weights_and_a_warning(run, tmp_path, converted):
    write_well(tmp_path / "one.h5", source(trajectories=1, frames=8, D=2, spacing=1.0), name="density")
    ask = ("--data", "one.h5", "--valid", "0", "--steps", "2", "-o", "tuned")
    result = run("train", "--init", converted[1], *ask)
    assert result.exit_code == 0, result.stderr
    assert "judged" not in result.stdout and "held out" in result.stderr
    assert (
        "nothing was validated on: whether the tuning made the model better or worse is not known"
        in result.stderr
    )
    assert "best_step" not in read_model("tuned").provenance[-1]
    assert read_model("tuned").provenance[-1]["test"] == 0


def test_simulations_need_not_be_validated_on_either(run, converted):
    result = tune(run, converted[1], "--valid", "0", "--learning-rate", "10", "--warmup", "0")
    assert result.exit_code == 0, result.stderr
    assert "judged" not in result.stdout
    assert "whether the tuning made its rollouts better or worse is not known" in result.stderr
    tuned = read_model("tuned")
    assert "best_step" not in tuned.provenance[-1] and set(tuned.contract.parts) == {"train", "test"}
    # Control: with the default the same tuning keeps its start, see above.
    assert tuned.digest != read_model(converted[1]).digest


def test_two_frames_leave_nothing_to_judge_by(run, tmp_path, converted):
    write_well(tmp_path / "short.h5", source(trajectories=1, frames=2, D=2, spacing=1.0), name="density")
    result = run("train", "--init", converted[1], "--data", "short.h5", "--steps", "2", "-o", "tuned")
    assert result.exit_code == 0, result.stderr
    assert "nothing was validated on" in result.stderr and "nothing was held out to measure" in result.stderr


def test_no_test_part_is_taken_from_too_few_trajectories_unsaid(run, tmp_path, converted):
    write_well(tmp_path / "two.h5", source(trajectories=2, frames=4, D=2, spacing=1.0), name="density")
    ask = ("--data", "two.h5", "--test", "0.1", "--steps", "2", "-o", "tuned")
    refused(
        run,
        tmp_path,
        run("train", "--init", converted[1], *ask),
        "number of trajectories: got 2",
        "--test 0 alone",
    )


# --- wrong uses -----------------------------------------------------------------------------------------------------


def refused(run, tmp_path, result, *words):
    assert result.exit_code == 2, result.stderr
    for word in words:
        assert word in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "tuned").exists()


def test_nothing_to_keep(run, tmp_path):
    result = run("train", "--keep-compatible", *QUICK, "-o", "tuned")
    refused(run, tmp_path, result, "--keep-compatible: got no --init", "--init FILE of a converted model")


def test_a_model_that_was_not_converted(run, tmp_path, converted):
    result = tune(run, converted[0], "--keep-compatible")
    refused(run, tmp_path, result, "compatibility to keep: got a model that was not converted")


def test_a_model_that_was_converted_down(run, tmp_path):
    write_model(tmp_path / "down", convert_record(small(2), 1, make_rule("compatibility")).after)
    refused(run, tmp_path, tune(run, "down", "--keep-compatible"), "expected a converted model")


def test_another_dimension(run, tmp_path, converted):
    refused(
        run,
        tmp_path,
        tune(run, converted[1], "--dim", "1"),
        "--dim: got 1, expected 2, the dimension of the model of --init",
    )


def test_a_stale_certificate(run, tmp_path, converted):
    record = read_model(converted[1])
    name = next(name for name in record.arrays if ".weight.k" in name)
    write_model(tmp_path / "stale", replace(record, arrays=perturbed(record.arrays, name)))
    refused(
        run,
        tmp_path,
        tune(run, "stale", "--keep-compatible"),
        "got a stale certificate",
        "as 'ginjax convert-d'",
    )


def test_a_parity_lift(run, tmp_path):
    record = drawn_record(small_spec("SimpleConvSeries", [((0, 1), 1)], depth=1), 1, dtype=np.float32)
    odd = Field("density", 0, 1)
    about = replace(record.contract, fields=(odd,), scales=(FieldScale(odd, 1.0),))
    record = replace(record, contract=about)
    write_model(tmp_path / "lifted", convert_record(record, 2, "compatibility", parity_lift=True).after)
    refused(run, tmp_path, tune(run, "lifted", "--keep-compatible"), "got a parity lift")


def test_a_plain_model_has_nothing_to_keep(run, tmp_path):
    spec = small_spec("ResNet", S, equivariant=False, kernel_size=3, padding_mode="CIRCULAR")
    record = as_if_trained(drawn_record(spec, 1, dtype=np.float32))
    write_model(tmp_path / "plain", convert_record(record, 2, "centre").after)
    refused(run, tmp_path, tune(run, "plain", "--keep-compatible"), "left no direction free")


def test_a_conversion_that_has_one_solution(run, tmp_path):
    record = drawn_record(small_spec("SimpleConvSeries", S, depth=1), 1, ORTHOPLEX5, dtype=np.float32)
    write_model(tmp_path / "one", convert_record(as_if_trained(record), 2, "compatibility").after)
    refused(run, tmp_path, tune(run, "one", "--keep-compatible"), "left no direction free")


def test_a_model_that_does_not_say_how_its_fields_are_normalised(run, tmp_path, converted):
    record = read_model(converted[1])
    write_model(tmp_path / "bare", replace(record, contract=DataContract.unknown(record.is_torus)))
    refused(run, tmp_path, tune(run, "bare"), "does not say how its fields are normalised")


def test_an_equation_with_other_fields(run, tmp_path, converted):
    message = "fields of the data: got velocity:1+, expected density:0+, those of the model"
    refused(run, tmp_path, tune(run, converted[1], "--pde", "burgers"), message)


def test_a_dimension_that_is_not_simulated(run, tmp_path):
    write_model(tmp_path / "four", convert_record(small(), 4, make_rule("compatibility")).after)
    refused(run, tmp_path, tune(run, "four"), "dimension of the model: got 4, expected 1, 2 or 3")


def test_a_missing_file(run, tmp_path):
    result = tune(run, "absent")
    assert result.exit_code == 1 and "no such file" in result.stderr


def test_tuning_goes_on_with_the_task_of_the_model(run):
    small = ("--arch", "series", "--channels", "2", "--blocks", "1")
    first = run("train", *QUICK, *small, "--residual", "-o", "a.safetensors")
    assert first.exit_code == 0, first.stderr
    again = ["train", "--init", "a.safetensors", *QUICK, "-o", "b.safetensors"]
    assert run(*again).exit_code == 0
    assert read_model("b.safetensors").contract.residual is True
    refused = run(*again[:-1], "c.safetensors", "--no-residual")
    assert refused.exit_code == 2
    assert (
        "--residual, what is predicted: got frames, expected changes, as the model was trained"
        in refused.stderr
    )
