"""What a verification takes is said, or refused, before it begins."""

import dataclasses

import pytest
from helpers import FIXTURES

from ginjax.checkpoint import convert_record, read_model
from ginjax.errors import MemoryLimitError
from ginjax.models import VerificationEffort, verification_effort


@pytest.fixture(scope="module")
def low():
    return read_model(FIXTURES / "diffusion_1d.safetensors")


def effort(low, D, **said):
    return verification_effort(low, convert_record(low, D, "compatibility").after, **{"side": 8, **said})


def test_high_dimensions_are_told_of_and_low_ones_are_not(low):
    assert effort(low, 2).warning is None and effort(low, 4).warning is None
    found = effort(low, 7)
    assert found.seconds > 300 and found.memory > 2**32
    assert found.warning is not None and "the 7D network on 2097152 grid points takes about " in found.warning
    smaller = effort(low, 7, side=4)
    assert smaller.memory == found.memory // 2**7 and smaller.warning is None
    assert effort(low, 3, samples=50, spatial=(64,)).seconds > 50 * effort(low, 3).seconds


def test_more_memory_than_there_is(monkeypatch):
    found = VerificationEffort(7, (8,) * 7, 1.0, 100)
    for free, refused in ((99, True), (100, False), (None, False)):
        monkeypatch.setattr("ginjax.models.verify._effort.free_memory", lambda free=free: free)
        if refused:
            with pytest.raises(MemoryLimitError, match="about 100 bytes, expected at most 99 bytes"):
                found.check()
        else:
            found.check()
    assert dataclasses.replace(found, memory=2**31).warning is not None
