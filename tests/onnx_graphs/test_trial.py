"""The run of a converted graph before it is written."""

import sys

import numpy as np
import pytest
from small_graphs import CASES, STEM, K, ints, make, numpy_helper, weights

from ginjax.errors import UnsupportedError
from ginjax.onnx import OnnxNetwork, convert_onnx, trial_run, verify_onnx
from ginjax.onnx._graph import Graph

pytest.importorskip("onnxruntime")
BY_INDEX = next(each for each in CASES if each.name == "a channel by an index without axes")


def with_an_axis(self, array, name):
    """A constant that is a vector of one number where it should have no axis."""
    made = self.name(name)
    self.constants[made] = numpy_helper.from_array(np.ascontiguousarray(array), made)
    return made


def test_constants_keep_their_axes():
    graph = Graph((), 17)
    assert list(graph.constants[graph.numbers(2)].dims) == []
    assert list(graph.constants[graph.constant(np.ones((2, 3)).T, "t")].dims) == [3, 2]


def test_what_does_not_run_is_refused(monkeypatch):
    low = OnnxNetwork(BY_INDEX.make())
    assert trial_run(convert_onnx(low, 3)).lift < 1e-6
    monkeypatch.setattr(Graph, "constant", with_an_axis)
    with pytest.raises(UnsupportedError, match=r"the converted graph.*as the one before conversion does"):
        trial_run(convert_onnx(low, 3))


def test_outputs_of_other_shapes_are_refused(monkeypatch):
    """Such as those of an index that adds an axis where nothing after it minds."""
    nodes = [STEM, ("Reshape", "i none", "j", {}), ("Gather", "h j", "y", {"axis": 1})]
    low = OnnxNetwork(make(nodes, {"k": K, "i": ints(2), "none": ints()}, dims=(2, 3, 8, 8)))
    assert trial_run(convert_onnx(low, 3)).lift < 1e-6
    monkeypatch.setattr(Graph, "constant", with_an_axis)
    with pytest.raises(UnsupportedError, match="converted graph"):
        trial_run(convert_onnx(low, 3))


def test_windows_without_padding_run_on_an_axis_as_long_as_its_neighbour():
    low = OnnxNetwork(
        make([("Conv", "x k", "h", {}), ("Conv", "h d", "y", {})], {"k": K, "d": weights(4, 4, 5, 5)})
    )
    assert trial_run(convert_onnx(low, 3, "mean")).lift < 1e-6


def test_nothing_is_run_without_onnxruntime(monkeypatch):
    conversion = convert_onnx(OnnxNetwork(BY_INDEX.make()), 3)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    tried = trial_run(conversion)
    assert tried.lift is None and not tried.slice_by_slice and "not installed" in tried.why_not


@pytest.mark.parametrize(("mean", "mixes"), [(0.0, False), (1.0, True)])
def test_whether_slices_are_mixed_is_measured(mean, mixes):
    """A mean over space that is multiplied by zero mixes nothing, though its operator would."""
    nodes = [STEM, ("GlobalAveragePool", "h", "g", {}), ("Mul", "g w", "m", {}), ("Add", "h m", "y", {})]
    low = OnnxNetwork(make(nodes, {"k": K, "w": np.full((1, 4, 1, 1), mean, np.float32)}))
    conversion = convert_onnx(low, 3)
    found = verify_onnx(low, conversion.after, size=8)
    assert not conversion.record.blind and found.controlled
    assert found.slice_by_slice is trial_run(conversion).slice_by_slice is not mixes
