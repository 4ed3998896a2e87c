"""Packages whose names are imported when first used."""

import subprocess
import sys

import pytest

import ginjax.checkpoint
import ginjax.transfer


@pytest.mark.parametrize("package", [ginjax.transfer, ginjax.checkpoint])
def test_every_name_is_there(package):
    assert len(package.__all__) > 20
    assert set(package.__all__) <= set(dir(package))
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError):
        _ = package.no_such_name


def test_reading_a_file_does_not_load_the_conversion():
    code = (
        "import sys; from ginjax.checkpoint import read_model\n"
        "print([m for m in ('ginjax.transfer._convert', 'ginjax.checkpoint._convert_file') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
