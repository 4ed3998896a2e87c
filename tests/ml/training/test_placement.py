"""Over how many devices a batch is divided."""

import os
import subprocess
import sys
from types import SimpleNamespace

import helpers
import pytest

from ginjax.errors import ArgumentError
from ginjax.ml.training import Placement, fitting_placement
from ginjax.ml.training._devices import CORE_POINTS
from ginjax.ml.training._feed import RESIDENT_BYTES, _room


def devices(count: int, platform: str, processes: int = 1) -> Placement:
    each = (SimpleNamespace(platform=platform, process_index=i * processes // count) for i in range(count))
    return Placement(tuple(each))


@pytest.mark.parametrize(
    ("batch", "accumulate", "points", "cores"),
    [
        (8, 1, CORE_POINTS, 4),
        (6, 1, CORE_POINTS, 3),  # four do not divide the batch
        (7, 1, CORE_POINTS, 1),
        (8, 4, CORE_POINTS, 2),  # two samples of a part
        (8, 2, CORE_POINTS // 2, 2),  # four samples of a part
        (8, 1, CORE_POINTS // 4, 2),  # each core needs enough points
        (8, 1, CORE_POINTS // 8, 1),
        (8, 1, CORE_POINTS // 8 - 1, 1),
        (8, 1, 1, 1),
        (2, 1, 2 * CORE_POINTS, 2),
        (8, 1, None, 4),
    ],
)
def test_cores_of_a_processor(batch, accumulate, points, cores):
    assert fitting_placement(devices(4, "cpu"), batch, accumulate, points).shares == cores


def test_devices_with_memory_of_their_own_are_all_used():
    assert fitting_placement(devices(4, "gpu"), 8, 1, 1).shares == 4


def test_processes_stay_together():
    pair = devices(4, "cpu", processes=2)
    assert fitting_placement(pair, 8, 1, 1) == pair
    with pytest.raises(ArgumentError, match="batch_size"):
        fitting_placement(pair, 6, 1, 1)


def test_cores_share_the_room_for_samples():
    """Each has a copy of them, in one memory."""
    assert _room(devices(4, "cpu")) == RESIDENT_BYTES // 4
    assert _room(Placement()) == RESIDENT_BYTES


def test_in_words():
    assert (devices(2, "cpu").kind, devices(2, "gpu").kind, devices(2, "cpu", processes=2).kind) == (
        "core", "device", "device",
    )  # fmt: skip


TRAINED = """
import jax, jax.numpy as jnp, numpy as np
from ginjax.ml.training import local_placement
where = local_placement()
model = where.replicate({"w": jnp.arange(3.0), "name": "x"})
one = where.one_copy(model)
assert len(model["w"].devices()) == 2 and one["w"].devices() == {jax.devices()[0]}, one["w"].devices()
np.testing.assert_array_equal(one["w"], np.arange(3.0))
assert one["name"] == "x"
"""


def test_a_model_that_every_device_has_is_looked_at_on_one():
    """Every device would validate it, and cores of a processor would take turns."""
    ran = subprocess.run(
        [sys.executable, "-c", TRAINED], env=os.environ | helpers.devices(2), capture_output=True
    )
    assert ran.returncode == 0, ran.stderr.decode()
