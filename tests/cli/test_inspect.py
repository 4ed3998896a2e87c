import copy
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from command_line import app
from helpers import FIXTURES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ginjax.checkpoint import (
    DataContract,
    Field,
    FieldScale,
    convert_file,
    read_file,
    read_model,
    weights_digest,
    write_file,
    write_model,
)
from ginjax.transfer import make_rule

FIXTURE = FIXTURES / "diffusion_1d.safetensors"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, args, prog_name="ginjax")


@pytest.fixture
def converted(tmp_path):
    convert_file(FIXTURE, tmp_path / "m.2d", 2, make_rule("compatibility"))
    return tmp_path / "m.2d"


def test_a_model(run):
    result = run("inspect", str(FIXTURE))
    assert result.exit_code == 0, result.stderr
    record = read_model(FIXTURE)
    for text in (
        "ResNet",
        str(record.parameters),
        "float32",
        "density:0+",
        weights_digest(record.arrays),
        "equation       diffusion",
    ):
        assert text in result.stdout
    assert "Certificate" not in result.stdout
    assert result.stderr == f"next: ginjax convert-d {FIXTURE} --to-dim 2 --rescale compatibility\n"


def test_nothing_is_said_of_walls_where_there_are_none(run, tmp_path):
    assert "padding_mode" not in run("inspect", str(FIXTURE)).stdout
    record = read_model(FIXTURE)
    walled = replace(
        record.contract, axes=(replace(record.contract.axes[0], boundary="wall", padding="zeros"),)
    )
    write_model(tmp_path / "walled", replace(record, contract=walled))
    assert re.search(r"padding_mode +ZEROS", run("inspect", "walled").stdout)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (("series", "--in", "vorticity:0-"), "--to-dim 3 --rescale compatibility --lift-parity"),
        (("series", "--in", "height:0+"), "--to-dim 3 --rescale compatibility"),
        (("resnet", "--in", "height:0+", "--plain"), "--to-dim 3 --rescale centre"),
    ],
)
def test_the_next_command_of_a_model_converts_it(run, words, command):
    small = ("--dim", "2", "--channels", "2", "--blocks", "1", "-o", "a model", "-q")
    assert run("init", *words, *small).exit_code == 0
    assert run("inspect", "a model").stderr == f"next: ginjax convert-d 'a model' {command}\n"


def test_the_task_of_a_model(run, tmp_path):
    record = read_model(FIXTURE)
    assert re.search(r"^task +next frame from the last frame$", run("inspect", str(FIXTURE)).stdout, re.M)
    depth = FieldScale(Field("depth", 0, 0), 1.0)
    about = replace(
        record.contract,
        past_steps=2,
        residual=True,
        time_step=0.5,
        constants=(depth.field,),
        scales=(*record.contract.scales, depth),
    )
    write_model(tmp_path / "m", replace(record, contract=about))
    shown = run("inspect", "m").stdout
    for line in (
        r"task +change to the next frame from the last 2 frames",
        r"time step +0\.5",
        r"constants +depth",
    ):
        assert re.search(rf"^{line}$", shown, re.M)
    write_model(tmp_path / "bare", replace(record, contract=DataContract.unknown((True,))))
    assert not re.search(r"^task", run("inspect", "bare").stdout, re.M)


def test_a_converted_model_shows_its_certificate(run, converted):
    result = run("inspect", converted.name)
    assert "compatible: all 8 paths reproduce the 1D network exactly" in result.stdout
    assert "matches the model" in result.stdout
    assert re.search(r"^convert +rule +compatibility$", result.stdout, re.MULTILINE)


def test_a_stale_certificate_is_pointed_out(run, converted):
    content = read_file(converted)
    name = "decoder.1.conv.bias.k0p0"
    arrays = content.arrays | {name: content.arrays[name] + np.float32(1)}
    write_file(converted, arrays, content.header, force=True)
    result = run("inspect", converted.name)
    assert result.exit_code == 0
    assert "STALE" in result.stdout and "warning: the certificate" in result.stderr
    payload = json.loads(run("inspect", converted.name, "--json").stdout)
    assert payload["certificate"]["stale"] is True and len(payload["warnings"]) == 1


def test_filters(run):
    run("build-filters", "-q", "--dim", "2")
    result = run("inspect", "filters.safetensors")
    assert result.exit_code == 0
    assert "d2.k1p0" in result.stdout and "2x3x3x2" in result.stdout
    assert result.stderr == "next: ginjax train --filters filters.safetensors\n"
    payload = json.loads(run("inspect", "filters.safetensors", "--json").stdout)
    assert set(payload) == {"arrays", "header", "kind", "path", "warnings"}
    assert payload["arrays"][0] == {"name": "d2.k0p0", "dtype": "float64", "shape": [3, 3, 3]}


def test_json(run):
    result = run("inspect", str(FIXTURE), "--json")
    assert result.stderr == ""
    payload = json.loads(result.stdout)
    assert {
        "banks", "certificate", "contract", "digest", "dimension", "is_torus", "kind", "layers", "parameters", "path", "provenance",
        "spec", "warnings", "weights_digest",
    } <= set(payload)  # fmt: skip
    assert payload["certificate"] is None
    assert payload["parameters"] == read_model(FIXTURE).parameters


def test_quiet_says_nothing(run):
    result = run("inspect", str(FIXTURE), "-q")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_bad_files_are_one_line_and_a_hint(run, tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text("density:0+\n" * 10)
    (tmp_path / "data").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    (tmp_path / "noise").write_bytes(b"\xff" * 100)
    shutil.copy(FIXTURE, tmp_path / "cut")
    with open(tmp_path / "cut", "r+b") as stream:
        stream.truncate(FIXTURE.stat().st_size - 1000)
    for name, message in {
        "absent": "there is no such file",
        ".": "is a folder",
        "empty": "the file is empty",
        "text": "text: is text",
        "data": "is an HDF5 file",
        "noise": "the header claims",
        "cut": "ends at byte",
        "a\nb": "no such file",
    }.items():
        result = run("inspect", name)
        assert result.exit_code == 1, name
        first, *hint = result.stderr.splitlines()
        assert message in first and len(hint) == 1
        assert result.stdout == ""


def test_text_of_a_file_cannot_steer_the_terminal(run, tmp_path):
    record = read_model(FIXTURE)
    (density,), (scale,) = record.contract.fields, record.contract.scales
    named = replace(density, name="\x1b[2Jgone\nnext: rm")
    contract = replace(record.contract, fields=(named,), scales=(replace(scale, field=named),))
    write_model(tmp_path / "m", replace(record, contract=contract))
    result = run("inspect", "m")
    assert "\x1b" not in result.stdout
    assert "\\x1b[2Jgone\\nnext: rm" in result.stdout


WAYS = [
    ("spec", "options"), ("spec", "inputs"), ("contract",), ("contract", "fields"), ("contract", "axes"), ("contract", "parts"),
    ("contract", "fields", 0, "scale"), ("contract", "axes", 0, "boundary"), ("contract", "parts", "train"), ("contract", "origin"), ("provenance",),
    ("provenance", 0), ("certificate",), ("certificate", "flex"), ("certificate", "paths"), ("certificate", "residual"),
    ("certificate", "paths", 0, "residual"), ("certificate", "tolerance"), ("certificate", "rule"),
]  # fmt: skip
JUNK = st.sampled_from(
    [None, [], {}, "", "\x1b", -1, 0.5, 10**400, True, [[]], [{}], {"a": {"b": [1]}}, [None], "x" * 999]
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(way=st.sampled_from(WAYS), junk=JUNK)
def test_whatever_a_header_says(run, converted, tmp_path, way, junk):
    """No file makes a command of the ground floor end with a traceback."""
    content = read_file(converted)
    header = copy.deepcopy(content.header)
    place = header
    for part in way[:-1]:
        place = place[part]
    place[way[-1]] = junk
    write_file(tmp_path / "junk", content.arrays, header, force=True)
    for args in (
        ("inspect", "junk"),
        ("inspect", "junk", "--json"),
        ("convert-d", "junk", "--to-dim", "3", "--dry-run"),
    ):
        result = run(*args)
        assert result.exit_code in (0, 1, 2), (args, result.exception)
        assert isinstance(result.exception, SystemExit | None)
        if result.exit_code:
            assert len(result.stderr.splitlines()) <= 2
            assert "junk" in result.stderr


def test_stored_filters_show_the_symmetries_that_they_have(run, tmp_path):
    record = read_model(FIXTURES / "schema_1" / "nameless_1d.safetensors")
    write_model(tmp_path / "m", record)
    assert "given as arrays, with 2 of 2 symmetries" in run("inspect", "m").stdout
