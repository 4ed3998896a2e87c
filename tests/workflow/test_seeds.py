"""One training with several seeds, from Python."""

import numpy as np
import pytest

import ginjax
from ginjax.errors import ArgumentError, FileError

SETTINGS = ginjax.TrainSettings(steps=2, batch_size=4, validate_every=2)
NETWORK = ginjax.Network("series", channels=2, blocks=1)


@pytest.fixture(scope="module")
def data():
    values = np.random.default_rng(0).normal(size=(8, 3, 8)).astype(np.float32)
    return ginjax.from_arrays(
        {"density": values},
        order={"density": 0},
        axes="trajectory,time,x",
        periodic=True,
        spacing=0.1,
        time_step=0.1,
    )


def test_mean_and_spread_and_going_on(data, tmp_path):
    def study(seeds, settings=SETTINGS, **more):
        return ginjax.train_seeds(data, seeds, settings, network=NETWORK, progress=False, **more)

    found = study((0, 1), folder=tmp_path)
    alone = ginjax.train(data, SETTINGS, network=NETWORK, progress=False)
    assert found.models[0].record == alone.record
    errors = [model.training.error.model for model in found.models.values()]
    assert found.error.mean == pytest.approx(np.mean(errors))
    assert found.error.deviation == pytest.approx(np.std(errors, ddof=1)) and found.error.n == 2
    assert found.validation is not None and "±" in repr(found)
    before = (tmp_path / "model.seed1.safetensors").stat()
    (tmp_path / "model.seed0.safetensors").unlink()
    again = study((0, 1), folder=tmp_path)
    assert again.models[0].record == found.models[0].record and again.models[1].training is None
    assert (tmp_path / "model.seed1.safetensors").stat() == before
    with pytest.raises(FileError, match="steps: got 3"):
        study((0,), ginjax.TrainSettings(steps=3, batch_size=4), folder=tmp_path)
    with pytest.raises(ArgumentError, match="folder"):
        study((0,), folder=tmp_path / "none")
    with pytest.raises(ArgumentError, match="whole numbers"):
        study((0.5,))
