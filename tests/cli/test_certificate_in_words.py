"""The verdict of a certificate, in words."""

import json

import pytest
from command_line import app
from helpers import FIXTURES
from raw_files import with_checksum
from safetensors import safe_open
from safetensors.numpy import load_file, save
from typer.testing import CliRunner

from ginjax.checkpoint import convert_file
from ginjax.transfer import Certificate, PathReport, make_rule
from ginjax_cli._certificate import verdict_of


def certificate(paths, wrong=0, to_dim=3):
    reports = tuple(
        PathReport(f"conv{i}", "channels", 3, 9, 1.0 if i < wrong else 0.0, 0.0, 0) for i in range(paths)
    )
    return Certificate("tile", None, True, 2, to_dim, 1e-5, False, "", reports)


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (certificate(0), "compatible: there are no convolutions that could change what the 2D network does"),
        (certificate(1), "compatible: the only convolution reproduces the 2D network exactly"),
        (certificate(2), "compatible: all 2 convolutions reproduce the 2D network exactly"),
        (
            certificate(1, to_dim=1),
            "compatible: the only convolution does what the 2D network does on fields of the lower dimension",
        ),
        (certificate(1, wrong=1), "the only convolution does not reproduce the 2D network"),
        (certificate(3, wrong=1), "1 of 3 convolutions does not reproduce the 2D network"),
        (certificate(3, wrong=2), "2 of 3 convolutions do not reproduce the 2D network"),
    ],
)
def test_the_verdict_counts_what_it_speaks_of(made, verdict):
    assert verdict_of(made) == verdict


@pytest.mark.parametrize("what", ["note", "layer", "path", "dropped"])
def test_words_of_a_file_of_any_length_are_shortened(tmp_path, what):
    """Each of them, so that a line of several is short as well."""
    path = tmp_path / "high.safetensors"
    convert_file(FIXTURES / "diffusion_1d.safetensors", path, 2, make_rule("compatibility"))
    arrays, header = load_file(path), json.loads(metadata_of(path))
    long = "x" * 9000
    for each in header["certificate"]["paths"]:
        each |= {"note": "why", what: [long] if what == "dropped" else long}
    path.write_bytes(save(arrays, {"ginjax": json.dumps(with_checksum(header, arrays))}))
    shown = CliRunner().invoke(app, ["inspect", str(path)], prog_name="ginjax")
    assert shown.exit_code == 0 and "xxx" in shown.output
    assert max(map(len, shown.output.splitlines())) < 2500


def metadata_of(path):
    with safe_open(path, "numpy") as file:
        return file.metadata()["ginjax"]
