"""The run of a converted graph before it is written."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from small_graphs import CASES, STEM, K, ints, make, numpy_helper, weights

from ginjax.errors import ArgumentError, FileError, UnsupportedError
from ginjax.onnx import OnnxNetwork, _verify, convert_onnx, read_onnx_record, trial_run, verify_onnx
from ginjax.onnx._graph import Graph
from ginjax.onnx._random_fields import widest_gap

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


@pytest.mark.parametrize("kind", ["AveragePool", "MaxPool"])
def test_a_pool_without_padding_too(kind):
    """onnxruntime runs it on an axis that is shorter than its window, and gives no points."""
    low = OnnxNetwork(make([STEM, (kind, "h", "y", {"kernel_shape": [3, 3]})], {"k": K}))
    conversion = convert_onnx(low, 3)
    assert trial_run(conversion).lift < 1e-6
    assert verify_onnx(low, conversion.after).exact


def test_outputs_without_points_are_not_compared():
    with pytest.raises(ArgumentError, match=r"outputs: got shape \(2, 0, 3\), expected a slice"):
        widest_gap([np.ones((2, 3))], [np.ones((2, 0, 3))], [(1,)], whole=False)


def test_an_output_whose_type_is_not_stated():
    low = OnnxNetwork(make([STEM, ("Relu", "h", "y", {})], {"k": K}))
    low.model.graph.output[0].ClearField("type")
    conversion = convert_onnx(low, 3)
    assert trial_run(conversion).lift < 1e-6 and verify_onnx(low, conversion.after).exact


@pytest.mark.parametrize("kind", [0, 99])
def test_an_input_of_a_type_that_there_is_not(kind):
    low = OnnxNetwork(make([STEM, ("Relu", "h", "y", {})], {"k": K}))
    high = convert_onnx(low, 3).after
    low.model.graph.input[0].type.tensor_type.elem_type = kind
    with pytest.raises(UnsupportedError, match=f"input 'x': got type {kind}"):
        verify_onnx(low, high)


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


def turned():
    """A graph whose output has its channels last, so that the new axis stands elsewhere than in the input."""
    nodes = [STEM, ("Transpose", "h", "y", {"perm": [0, 2, 3, 1]})]
    return OnnxNetwork(make(nodes, {"k": K}, dims=(2, 3, 8, 8)))


def test_where_the_new_axis_of_an_output_is_stands_in_the_record():
    low = turned()
    high = convert_onnx(low, 3).after
    record = read_onnx_record(high)
    assert record is not None and record.new_axes == ((1,),)
    assert verify_onnx(low, high, size=8).lift < 1e-6
    # The control: a record of an earlier version does not say it, and lengths that are equal do not either.
    replace(record, new_axes=None).put_into(high)
    assert verify_onnx(low, high, size=8).lift > 0.1


@pytest.mark.parametrize("new_axes", [1, [1], [[-1]], [["a"]], [[True]]])
def test_places_that_are_none_are_refused(new_axes):
    high = convert_onnx(turned(), 3).after
    entry = next(each for each in high.model.metadata_props if "new_axes" in each.value)
    entry.value = json.dumps(json.loads(entry.value) | {"new_axes": new_axes})
    with pytest.raises(FileError, match="new axes"):
        read_onnx_record(high)


@pytest.mark.parametrize(("per_point", "exact"), [(1e-6, True), (1e-4, False)])
def test_roundings_that_grow_with_the_depth_are_no_difference(monkeypatch, per_point, exact):
    """Sums over more points are rounded more often; a difference that a few slices show is none of that."""
    real = _verify.Session.run

    def rounded(self, inputs):
        depth = inputs["x"].shape[2] if inputs["x"].ndim == 5 else 0
        return [each * (1 + per_point * depth) for each in real(self, inputs)]

    monkeypatch.setattr(_verify.Session, "run", rounded)
    low = OnnxNetwork(make([STEM, ("Relu", "h", "y", {})], {"k": K}))
    found = verify_onnx(low, convert_onnx(low, 3).after)
    assert found.lift > 1e-5 and found.exact == exact
