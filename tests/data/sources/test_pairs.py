"""Pairs of input and target in a file."""

import numpy as np
import pytest

from ginjax.checkpoint import write_file
from ginjax.data import read_pairs, write_pairs
from ginjax.errors import FileError
from ginjax.geometric import MultiImage


def image(samples: int = 3) -> MultiImage:
    rng = np.random.default_rng(0)
    return MultiImage(
        {
            (0, 0): rng.standard_normal((samples, 2, 4, 4)).astype(np.float32),
            (1, 0): rng.standard_normal((samples, 1, 4, 4, 2)).astype(np.float32),
        },
        2,
    )


def test_round_trip(tmp_path):
    X, Y = image(), image() * 2.0
    write_pairs(tmp_path / "a.safetensors", X, Y, about={"from": "here"})
    found = read_pairs(tmp_path / "a.safetensors")
    assert found[0] == X and found[1] == Y
    assert found[0] != Y


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"input.k0p0": np.zeros((2, 1, 4, 4))}, "do not fit"),
        ({"input.k0p0": np.zeros((2, 1, 4, 4)), "target.k0p0": np.zeros((3, 1, 4, 4))}, "do not fit"),
        ({"input.k0p0": np.full((2, 1, 4, 4), np.nan), "target.k0p0": np.zeros((2, 1, 4, 4))}, "NaN"),
        ({"other": np.zeros(3)}, "expected input"),
        ({"input.k9": np.zeros((2, 1, 4, 4))}, "key name"),
        ({"input.k1p0": np.zeros((2, 1, 4, 4, 3)), "target.k0p0": np.zeros((2, 1, 4, 4))}, "tensor axes"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path, arrays, problem):
    path = tmp_path / "a.safetensors"
    write_file(path, arrays, {"kind": "data", "dimension": 2})
    with pytest.raises(FileError, match=problem) as caught:
        read_pairs(path)
    assert str(path) in str(caught.value)
