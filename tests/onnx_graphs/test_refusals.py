"""What cannot be carried is named with its place in the graph."""

import numpy as np
import pytest
from small_graphs import SAME, STEM, K, floats, ints, make, weights

from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.onnx import OnnxNetwork, convert_onnx

HERE = {"dims": (2, 3, 8, 8)}
REFUSED = {
    "features of a flattened grid": ([STEM, ("Flatten", "h", "f", {}), ("Gemm", "f w", "y", {})], {"w": weights(256, 5)}, HERE, "gemm2.*'f', 'w'.*made of positions"),
    "the same, channels last": ([STEM, ("Transpose", "h", "t", {"perm": [0, 2, 3, 1]}), ("Reshape", "t r", "f", {}), ("MatMul", "f w", "y", {})], {"r": ints(2, -1), "w": weights(256, 5)}, HERE, "matmul3"),
    "places of a field": ([STEM, ("GridSample", "h g", "y", {})], {"g": weights(2, 8, 8, 2)}, HERE, "gridsample1.*no form"),
    "a kernel that is computed": ([("Conv", "x k", "a", SAME), ("ReduceMean", "a", "m", {"axes": [0], "keepdims": 0}), ("Unsqueeze", "m z", "q", {}), ("Conv", "a q", "y", {})], {"z": ints(0)}, HERE, "conv3.*a kernel that the graph computes"),
    "a point of space": ([STEM, ("ArgMax", "h", "y", {"axis": 2})], {}, {}, "argmax1.*an axis of space"),
    "places of the largest": ([STEM, ("MaxPool", "h", "y i", {"kernel_shape": [2, 2]}), ("Cast", "i", "z", {"to": 1})], {}, {"outputs": ("y", "z")}, "maxpool1.*places"),
    "a norm in training": ([STEM, ("BatchNormalization", "h s s s s", "y m v", {"training_mode": 1})], {"s": weights(4)}, {}, "batchnormalization1.*evaluation mode"),
    "a table of positions": ([STEM, ("Reshape", "h r", "q", {}), ("Add", "q p", "y", {})], {"r": ints(0, 0, -1), "p": weights(1, 4, 64)}, HERE, "add2.*each position"),
    "weights of positions": ([STEM, ("Reshape", "h r", "q", {}), ("Softmax", "q", "y", {})], {"r": ints(0, 0, -1)}, HERE, "output 'y'.*weights of positions"),
    "a window over a row": ([STEM, ("Reshape", "h r", "q", {}), ("Conv", "q w", "y", {"pads": [1, 1]})], {"r": ints(0, 0, -1), "w": weights(4, 4, 3)}, {}, "conv2.*neighbours are others"),
    "a field parted along space": ([STEM, ("Split", "h", "a y", {"axis": 2})], {}, HERE, "split1.*parted along space"),
    "a product over space": ([STEM, ("ReduceProd", "h", "y", {"axes": [2, 3]})], {}, {}, "reduceprod1"),
    "a stride without end": ([("Conv", "x k", "y", {"strides": [2**40, 1]})], {}, {}, "conv0.*strides"),
    "padding without end": ([("Conv", "x k", "y", {"pads": [2**31 - 2] * 4})], {}, {}, "conv0.*0 to 1024"),
    "a shape that does not fit": ([STEM, ("Reshape", "h r", "y", {"allowzero": 1})], {"r": ints(0, 7)}, HERE, "reshape1.*do not fit"),
    "NaN": ([("Conv", "x q", "y", SAME)], {"q": K * float("nan")}, {}, "conv0.*NaN"),
    "the same axis twice": ([STEM, ("Unsqueeze", "h z", "u", {}), ("Squeeze", "u z", "y", {})], {"z": ints(1, 1)}, HERE, r"unsqueeze1.*axes \[1, 1\].*each axis once"),
    "more output padding than axes": ([("ConvTranspose", "x t", "y", {"strides": [2, 2], "output_padding": [1, 1, 1]})], {"t": weights(3, 4, 2, 2)}, {}, r"convtranspose0.*output_padding \[1, 1, 1\]"),
    "an output shape of too few axes": ([("ConvTranspose", "x t", "y", {"strides": [2, 2], "output_shape": [16]})], {"t": weights(3, 4, 2, 2)}, HERE, r"convtranspose0.*output_shape \[16\]"),
    "lengths plus a truth value": ([STEM, ("Shape", "h", "s", {}), ("Add", "s b", "t", {}), ("Reshape", "h t", "y", {})], {"b": np.array([True])}, {}, "reshape3.*not computed of lengths"),
    "a product with a truth value": ([STEM, ("ReduceProd", "b", "s", {}), ("Reshape", "h s", "y", {})], {"b": np.array([True, False])}, {}, "reshape2.*not even the number of axes"),
    "an operator of a later version": ([STEM, ("GroupNormalization", "h s s", "y", {"num_groups": 2})], {"s": weights(4)}, {}, "groupnormalization1.*version 17 does not have"),
    "crop of a region": ([STEM, ("Resize", "h o f", "y", {"coordinate_transformation_mode": "tf_crop_and_resize"})], {"o": floats(0, 0, 0, 0, 1, 1, 1, 1), "f": floats(1, 1, 2, 2)}, {}, "resize1"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_node_that_cannot_be_carried_is_named(name):
    nodes, constants, more, words = REFUSED[name]
    with pytest.raises(UnsupportedError, match=words):
        convert_onnx(OnnxNetwork(make(nodes, {"k": K, **constants}, **more)), 3)


@pytest.mark.parametrize("to_dim", [1, 2, 4])
def test_graphs_go_up_only(to_dim):
    with pytest.raises(ArgumentError, match="dimension"):
        convert_onnx(OnnxNetwork(make([STEM], {"k": K}, outputs=("h",))), to_dim)


@pytest.mark.parametrize(("options", "words"), [({"rule": "compatibility"}, "rule"), ({"new_boundary": "mirror"}, "new_boundary")])  # fmt: skip
def test_what_is_asked_for_must_mean_something(options, words):
    with pytest.raises(ArgumentError, match=words):
        convert_onnx(OnnxNetwork(make([STEM], {"k": K}, outputs=("h",))), 3, **options)


def test_graphs_that_are_not_sound_are_refused():
    sound = make([STEM, ("Relu", "h", "y", {})], {"k": K})
    for change, words in (
        (lambda m: m.graph.node.reverse(), "no node before it makes"),
        (lambda m: m.graph.node[1].input.__setitem__(0, "y"), "no node before it makes"),
        (lambda m: m.graph.node[1].output.__setitem__(0, "h"), "there already"),
        (lambda m: m.graph.output[0].__setattr__("name", "z"), "no output 'z'"),
        (lambda m: m.graph.node[0].input.append("x"), None),
        (lambda m: m.graph.node[0].attribute.add(name="group", f=0.5, type=1), "attribute 'group'"),
        (lambda m: m.graph.initializer[0].dims.__setitem__(0, 2**50), "tensor 'k'"),
        (lambda m: m.graph.initializer[0].ClearField("raw_data"), "tensor 'k'"),
        (lambda m: m.opset_import[0].__setattr__("version", 9), "version 9"),
        (lambda m: m.opset_import[0].__setattr__("version", 9999), "version 9999"),
        (lambda m: m.functions.add(name="own"), "functions of its own"),
        (lambda m: m.graph.input[0].type.tensor_type.ClearField("shape"), "no shape"),
        (lambda m: m.graph.input[0].type.tensor_type.__setattr__("elem_type", 0), "input 'x': got type 0"),
        (lambda m: m.graph.input[0].type.tensor_type.__setattr__("elem_type", 99), "input 'x': got type 99"),
        (lambda m: m.graph.input[0].ClearField("type"), "input 'x': got no shape"),
        (lambda m: m.graph.node[1].input.__setitem__(0, ""), "got no input 0"),
        (lambda m: m.graph.node[0].input.__setitem__(1, ""), "got no input 1"),
        (lambda m: m.graph.node[1].output.__setitem__(0, ""), "got no output 0"),
        (lambda m: m.graph.node[1].output.pop(), "got 0 outputs"),
    ):
        model = type(sound)()
        model.CopyFrom(sound)
        change(model)
        if words is None:
            convert_onnx(OnnxNetwork(model), 3)
            continue
        with pytest.raises(UnsupportedError, match=words):
            convert_onnx(OnnxNetwork(model), 3)
