"""Graphs that are carried to a higher dimension, run in onnxruntime beside those they came from."""

import numpy as np
import pytest
from small_graphs import CASES, onnx

from ginjax.onnx import OnnxNetwork, convert_onnx, verify_onnx

pytest.importorskip("onnxruntime")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_field_that_repeats_a_slice_gives_what_the_slice_gives(case):
    low = OnnxNetwork(case.make())
    conversion = convert_onnx(low, case.to_dim, **case.options)
    onnx.checker.check_model(conversion.after.model, full_check=True)
    found = verify_onnx(low, conversion.after, size=8)
    assert found.lift <= (5e-3 if "half" in case.name else 1e-5)
    assert found.reaction > 0.05  # the control: another field
    assert conversion.record.blind or found.noise > 1e-3  # the control: white noise along the new axis
    assert conversion.certificate.exact and found.made_again and not found.stale
    assert np.isfinite(found.noise)
