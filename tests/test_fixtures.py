"""The shipped models do in three dimensions what the README says."""

import numpy as np
from helpers import FIXTURES

from ginjax.data import Normalisation, read_pairs
from ginjax.ml import nrmse_loss, predict
from ginjax.models import load_model, to_dimension


def test_zero_shot_prediction_of_real_3d_fields():
    loaded = load_model(FIXTURES / "diffusion_1d.safetensors")
    assert loaded.record.data is not None
    normalisation = Normalisation.from_json(loaded.record.data["normalisation"])
    pairs = read_pairs(FIXTURES / "diffusion_3d_fields.safetensors")
    x, y = (normalisation.apply(image) for image in pairs)
    persistence = float(nrmse_loss(x, y))
    exact, certificate = to_dimension(loaded.model, 3, "compatibility")
    assert certificate.exact
    error = float(nrmse_loss(predict(exact, x), y))
    assert error < 0.15 * persistence
    extended, _ = to_dimension(loaded.model, 3, "none")  # control: the extension alone does not transfer
    assert float(nrmse_loss(predict(extended, x), y)) > persistence
    assert np.isfinite(error)
