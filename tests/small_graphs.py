"""Graphs of ONNX written by hand, each with one thing that a conversion has to know."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
TensorProto, helper, numpy_helper = onnx.TensorProto, onnx.helper, onnx.numpy_helper


def weights(*shape, seed=0, dtype=np.float32):
    """Random weights that neither grow nor vanish."""
    fan = max(int(np.prod(shape[1:])), 1) if len(shape) > 1 else 1
    return (np.random.default_rng(seed).normal(size=shape) / np.sqrt(fan)).astype(dtype)


def make(
    nodes, constants=None, *, dims=(2, 3, "H", "W"), opset=17, outputs=("y",), dtype=np.float32, inputs=None
):
    """A model of nodes that read `x` and make `y`.

    **Arguments:**

    - `nodes`: `(operator, inputs, outputs, attributes)`.
    - `constants`: arrays by name.
    - `dims`: of `x`; `inputs`: of further inputs, by name.
    """
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    made = [
        helper.make_node(op, ins.split(), outs.split(), name=f"{op.lower()}{i}", **attributes)
        for i, (op, ins, outs, attributes) in enumerate(nodes)
    ]
    for node in made:
        for i, name in enumerate(node.input):
            if name == "_":
                node.input[i] = ""
    fields = {"x": dims} | (inputs or {})
    graph = helper.make_graph(
        made,
        "graph",
        [helper.make_tensor_value_info(name, kind, list(shape)) for name, shape in fields.items()],
        [helper.make_tensor_value_info(name, kind, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(a), name) for name, a in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    shapes = {each.name: each for each in onnx.shape_inference.infer_shapes(model).graph.output}
    for output in graph.output:
        output.type.tensor_type.shape.CopyFrom(shapes[output.name].type.tensor_type.shape)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


@dataclass(frozen=True)
class Case:
    """A graph and how it is converted."""

    name: str
    make: Callable[[], "onnx.ModelProto"]
    options: dict = field(default_factory=dict)
    to_dim: int = 3


CASES: list[Case] = []


def case(name, nodes, constants=None, *, to_dim=3, options=None, **more):
    CASES.append(Case(name, lambda: make(nodes, constants, **more), options or {}, to_dim))


def ints(*values):
    return np.array(values, np.int64)


def floats(*values):
    return np.array(values, np.float32)


K = weights(4, 3, 3, 3)
SAME = {"pads": [1, 1, 1, 1]}
STEM = ("Conv", "x k", "h", SAME)

# --- convolutions -----------------------------------------------------------------------------------------------------
case("convolution with bias", [("Conv", "x k b", "y", SAME)], {"k": K, "b": weights(4)})
case("stride 2", [("Conv", "x k", "y", SAME | {"strides": [2, 2]})], {"k": K})
case(
    "stride 2, side 7",
    [("Conv", "x k", "y", {"pads": [3] * 4, "strides": [2, 2]})],
    {"k": weights(4, 3, 7, 7)},
)
case("patches", [("Conv", "x k", "y", {"strides": [4, 4]})], {"k": weights(4, 3, 4, 4)})
case("uneven padding", [("Conv", "x k", "y", {"pads": [0, 1, 2, 1]})], {"k": K})
case("dilation", [("Conv", "x k", "y", {"pads": [2] * 4, "dilations": [2, 2]})], {"k": K})
case("groups", [("Conv", "x k", "y", SAME | {"group": 3})], {"k": weights(3, 1, 3, 3)})
case("no padding", [("Conv", "x k", "y", {})], {"k": K})
case("VALID", [("Conv", "x k", "y", {"auto_pad": "VALID"})], {"k": K})
case("SAME_UPPER", [("Conv", "x k", "y", {"auto_pad": "SAME_UPPER", "strides": [2, 2]})], {"k": K})
case("SAME_LOWER", [("Conv", "x k", "y", {"auto_pad": "SAME_LOWER"})], {"k": weights(4, 3, 4, 4)})
case("kernels that differ by axis", [("Conv", "x k", "h", {"pads": [0, 1, 0, 1]}), ("Conv", "h l", "y", {"pads": [1, 0, 1, 0]})], {"k": weights(4, 3, 1, 3), "l": weights(4, 4, 3, 1)})  # fmt: skip
case("one kernel for two layers", [STEM, ("Conv", "h l", "a", SAME), ("Conv", "a l", "y", SAME | {"strides": [2, 2]})], {"k": K, "l": weights(4, 4, 3, 3)})  # fmt: skip
case(
    "kernel from a node",
    [("Constant", "", "k", {"value": numpy_helper.from_array(K)}), ("Conv", "x k", "y", SAME)],
)
case("kernel that is computed of constants", [("Transpose", "t", "k", {"perm": [3, 2, 0, 1]}), ("Conv", "x k", "y", SAME)], {"t": K.transpose(2, 3, 1, 0)})  # fmt: skip
case("half precision", [("Conv", "x k", "y", SAME)], {"k": K.astype(np.float16)}, dtype=np.float16)
case(
    "last axis new",
    [("Conv", "x k", "y", SAME | {"strides": [2, 2]})],
    {"k": K},
    options={"new_axis": "last"},
)
case("centre", [("Conv", "x k", "y", SAME | {"strides": [2, 2]})], {"k": K}, options={"rule": "centre"})
case(
    "mean with periodic ends",
    [("Conv", "x k", "y", SAME)],
    {"k": K},
    options={"rule": "mean", "new_boundary": "periodic"},
)
case(
    "mean with edge", [("Conv", "x k", "y", SAME)], {"k": K}, options={"rule": "mean", "new_boundary": "edge"}
)
case("mean with edge, SAME", [("Conv", "x k", "y", {"auto_pad": "SAME_UPPER"})], {"k": K}, options={"rule": "mean", "new_boundary": "edge"})  # fmt: skip
case(
    "1D to 2D", [("Conv", "x k", "y", {"pads": [1, 1]})], {"k": weights(4, 3, 3)}, dims=(2, 3, "L"), to_dim=2
)
case(
    "1D to 3D",
    [("Conv", "x k", "y", {"pads": [1, 1], "strides": [2]})],
    {"k": weights(4, 3, 3)},
    dims=(2, 3, "L"),
)
case(
    "transposed",
    [("ConvTranspose", "x k b", "y", {"strides": [2, 2]})],
    {"k": weights(3, 4, 2, 2), "b": weights(4)},
)
case("transposed, output padding", [("ConvTranspose", "x k", "y", SAME | {"strides": [2, 2], "output_padding": [1, 1]})], {"k": weights(3, 4, 3, 3)})  # fmt: skip
case("transposed, SAME", [("ConvTranspose", "x k", "y", {"strides": [2, 2], "auto_pad": "SAME_UPPER"})], {"k": weights(3, 4, 3, 3)})  # fmt: skip
case("transposed, output shape", [("ConvTranspose", "x k", "y", {"strides": [2, 2], "output_shape": [16, 16]})], {"k": weights(3, 4, 4, 4)}, dims=(2, 3, 8, 8))  # fmt: skip

# --- padding by nodes -------------------------------------------------------------------------------------------------
for mode in ("constant", "edge", "reflect", "wrap"):
    case(f"pad {mode}", [("Pad", "x p", "h", {"mode": mode}), ("Conv", "h k", "y", {})], {"k": K, "p": ints(0, 0, 1, 1, 0, 0, 1, 1)}, opset=19)  # fmt: skip
    case(f"pad {mode} before a norm", [("Pad", "x p", "h", {"mode": mode}), ("Sigmoid", "h", "g", {}), ("Conv", "g k", "y", {})], {"k": K, "p": ints(0, 0, 1, 1, 0, 0, 1, 1)}, opset=19)  # fmt: skip
case("pad some axes", [("Pad", "x p _ a", "h", {}), ("Conv", "h k", "y", {})], {"k": K, "p": ints(1, 1, 1, 1), "a": ints(-2, -1)}, opset=18)  # fmt: skip
case("pad, then maximum", [("Add", "x n", "m", {}), ("Pad", "m p", "h", {}), ("MaxPool", "h", "y", {"kernel_shape": [3, 3], "strides": [2, 2]})], {"n": floats(-3), "p": ints(0, 0, 1, 1, 0, 0, 1, 1)})  # fmt: skip
case("pad, then mean", [("Pad", "x p", "h", {}), ("AveragePool", "h", "y", {"kernel_shape": [3, 3]})], {"p": ints(0, 0, 1, 1, 0, 0, 1, 1)})  # fmt: skip
case(
    "crop",
    [("Pad", "x p", "h", {}), ("Conv", "h k", "y", SAME)],
    {"k": K, "p": ints(0, 0, -1, -2, 0, 0, -1, -2)},
)
case("pad to a multiple", [("Shape", "x", "s", {}), ("Gather", "s two", "n", {"axis": 0}), ("Add", "n seven", "m", {}), ("Div", "m eight", "q", {}), ("Mul", "q eight", "l", {}), ("Sub", "l n", "d", {}), ("Concat", "z z z z z z d z", "p", {"axis": 0}), ("Pad", "x p", "y", {})], {"two": ints(2), "seven": ints(7), "eight": ints(8), "z": ints(0)}, dims=(2, 3, "H", "W"))  # fmt: skip
case("periodic padding by parts", [("Slice", "x m e t", "a", {}), ("Slice", "x z o t", "b", {}), ("Concat", "a x b", "h", {"axis": 2}), ("Slice", "h m e u", "c", {}), ("Slice", "h z o u", "d", {}), ("Concat", "c h d", "g", {"axis": 3}), ("Conv", "g k", "y", {"strides": [2, 2]})], {"k": K, "m": ints(-1), "e": ints(2**62), "t": ints(2), "z": ints(0), "o": ints(1), "u": ints(3)}, options={"rule": "mean"})  # fmt: skip

# --- pooling ----------------------------------------------------------------------------------------------------------
for kind in ("MaxPool", "AveragePool"):
    case(f"{kind}", [STEM, (kind, "h", "y", {"kernel_shape": [2, 2], "strides": [2, 2]})], {"k": K})
    case(
        f"{kind}, padded",
        [STEM, (kind, "h", "y", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4})],
        {"k": K},
    )
    case(
        f"{kind}, rounded up",
        [STEM, (kind, "h", "y", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1})],
        {"k": K},
    )
    case(
        f"{kind}, SAME",
        [STEM, (kind, "h", "y", {"kernel_shape": [2, 2], "auto_pad": "SAME_UPPER"})],
        {"k": K},
    )
    case(f"{kind} over all", [STEM, (kind, "h", "g", {"kernel_shape": [8, 8]}), ("Flatten", "g", "f", {}), ("Gemm", "f w", "y", {})], {"k": K, "w": weights(4, 5)}, dims=(2, 3, 8, 8))  # fmt: skip
case("mean that counts its padding", [STEM, ("AveragePool", "h", "y", {"kernel_shape": [3, 3], "pads": [1] * 4, "count_include_pad": 1})], {"k": K})  # fmt: skip
for p in (1, 2):
    case(f"LpPool {p}", [STEM, ("LpPool", "h", "y", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4, "p": p})], {"k": K})  # fmt: skip
    case(f"GlobalLpPool {p}", [STEM, ("GlobalLpPool", "h", "y", {"p": p})], {"k": K})
case("global mean, then a head", [STEM, ("GlobalAveragePool", "h", "g", {}), ("Conv", "g w", "c", {}), ("Flatten", "c", "f", {}), ("Gemm", "f v b", "y", {"transB": 1})], {"k": K, "w": weights(6, 4, 1, 1), "v": weights(5, 6), "b": weights(5)})  # fmt: skip
case("global maximum, squeezed", [STEM, ("GlobalMaxPool", "h", "g", {}), ("Squeeze", "g a", "f", {}), ("MatMul", "f v", "y", {})], {"k": K, "a": ints(2, 3), "v": weights(4, 5)})  # fmt: skip
case("squeezed one by one", [STEM, ("GlobalMaxPool", "h", "g", {}), ("Squeeze", "g a", "e", {}), ("Squeeze", "e b", "f", {}), ("MatMul", "f v", "y", {})], {"k": K, "a": ints(3), "b": ints(2), "v": weights(4, 5)})  # fmt: skip

# --- norms ------------------------------------------------------------------------------------------------------------
C4 = {"s": weights(4), "t": weights(4, seed=1)}
case("BatchNormalization", [STEM, ("BatchNormalization", "h s t m v", "y", {})], {"k": K, "m": weights(4), "v": weights(4) ** 2 + 1, **C4})  # fmt: skip
case("InstanceNormalization", [STEM, ("InstanceNormalization", "h s t", "y", {})], {"k": K, **C4})
case(
    "GroupNormalization",
    [STEM, ("GroupNormalization", "h s t", "y", {"num_groups": 2})],
    {"k": K, **C4},
    opset=21,
)
case("norm of groups by reshaping", [STEM, ("Reshape", "h r", "g", {}), ("InstanceNormalization", "g s t", "n", {}), ("Shape", "h", "sh", {}), ("Reshape", "n sh", "o", {}), ("Mul", "o u", "y", {})], {"k": K, "r": ints(0, 2, -1), "s": floats(1, 1), "t": floats(0, 0), "u": weights(4, 1, 1)})  # fmt: skip
case("norm of groups on a stated grid", [STEM, ("Reshape", "h r", "g", {}), ("InstanceNormalization", "g s t", "n", {}), ("Reshape", "n q", "o", {}), ("Mul", "o u", "y", {})], {"k": K, "r": ints(2, 2, 128), "q": ints(2, 4, 8, 8), "s": floats(1, 1), "t": floats(0, 0), "u": weights(4, 1, 1)}, dims=(2, 3, 8, 8))  # fmt: skip
case("LayerNormalization by channel", [STEM, ("Transpose", "h", "a", {"perm": [0, 2, 3, 1]}), ("LayerNormalization", "a s t", "b", {"axis": -1}), ("Transpose", "b", "y", {"perm": [0, 3, 1, 2]})], {"k": K, **C4})  # fmt: skip
case("LayerNormalization over space", [STEM, ("LayerNormalization", "h s", "y", {"axis": 1})], {"k": K, "s": weights(4, 8, 8)}, dims=(2, 3, 8, 8))  # fmt: skip
case("MeanVarianceNormalization", [STEM, ("MeanVarianceNormalization", "h", "y", {"axes": [2, 3]})], {"k": K})
case("LpNormalization", [STEM, ("LpNormalization", "h", "y", {"axis": 1})], {"k": K})
case("LRN", [STEM, ("LRN", "h", "y", {"size": 3})], {"k": K})

# --- reductions -------------------------------------------------------------------------------------------------------
for kind in ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceL1", "ReduceL2", "ReduceSumSquare"):
    case(f"{kind} over space", [STEM, (kind, "h a", "g", {"keepdims": 1}), ("Mul", "h g", "y", {})], {"k": K, "a": ints(2, 3)}, opset=18)  # fmt: skip
    case(f"{kind}, axes left out", [STEM, (kind, "h a", "g", {"keepdims": 0}), ("MatMul", "g w", "y", {})], {"k": K, "a": ints(-1, -2), "w": weights(4, 2)}, opset=18)  # fmt: skip
case("mean over channels", [STEM, ("ReduceMean", "h", "g", {"axes": [1]}), ("Mul", "h g", "y", {})], {"k": K})
case(
    "mean over one axis of space",
    [STEM, ("ReduceMean", "h", "g", {"axes": [3]}), ("Mul", "h g", "y", {})],
    {"k": K},
)
case("mean over one axis, then the other", [STEM, ("ReduceMean", "h", "g", {"axes": [3]}), ("ReduceMean", "g", "i", {"axes": [2]}), ("Mul", "h i", "y", {})], {"k": K})  # fmt: skip
case("squeeze and excitation", [STEM, ("ReduceMean", "h", "g", {"axes": [2, 3], "keepdims": 0}), ("Gemm", "g w", "f", {}), ("Unsqueeze", "f a", "u", {}), ("Mul", "u h", "y", {})], {"k": K, "w": weights(4, 4), "a": ints(2, 3)})  # fmt: skip
case(
    "everything to one number",
    [STEM, ("ReduceMean", "h", "g", {"keepdims": 0}), ("Mul", "h g", "y", {})],
    {"k": K},
)

# --- resizing ---------------------------------------------------------------------------------------------------------
case(
    "nearest by factors",
    [STEM, ("Resize", "h _ f", "y", {"mode": "nearest"})],
    {"k": K, "f": floats(1, 1, 2, 2)},
)
case(
    "linear by factors",
    [STEM, ("Resize", "h _ f", "y", {"mode": "linear"})],
    {"k": K, "f": floats(1, 1, 2, 2)},
)
case("linear, corners aligned", [STEM, ("Resize", "h _ f", "y", {"mode": "linear", "coordinate_transformation_mode": "align_corners"})], {"k": K, "f": floats(1, 1, 1.5, 1.5)})  # fmt: skip
case("by sizes of a stated grid", [("Conv", "x k", "h", SAME | {"strides": [2, 2]}), ("Resize", "h _ _ s", "u", {"mode": "linear"}), ("Concat", "x u", "y", {"axis": 1})], {"k": K, "s": ints(2, 4, 8, 8)}, dims=(2, 3, 8, 8))  # fmt: skip
case("by the sizes of another field", [("Conv", "x k", "h", SAME | {"strides": [2, 2]}), ("Shape", "x", "a", {}), ("Slice", "a two four", "b", {}), ("Shape", "h", "c", {}), ("Slice", "c zero two", "d", {}), ("Concat", "d b", "s", {"axis": 0}), ("Resize", "h _ _ s", "u", {"mode": "nearest"}), ("Concat", "x u", "y", {"axis": 1})], {"k": K, "zero": ints(0), "two": ints(2), "four": ints(4)})  # fmt: skip
case("by factors that are computed", [("Shape", "x", "a", {}), ("Gather", "a i", "n", {"axis": 0}), ("Mul", "n two", "m", {}), ("Cast", "m", "g", {"to": 1}), ("Cast", "n", "h", {"to": 1}), ("Div", "g h", "f", {}), ("Concat", "one f", "s", {"axis": 0}), ("Resize", "x _ s", "y", {"mode": "nearest"})], {"i": ints(2, 3), "two": ints(2), "one": floats(1, 1)})  # fmt: skip
case(
    "some axes",
    [STEM, ("Resize", "h _ f", "y", {"mode": "nearest", "axes": [2, 3]})],
    {"k": K, "f": floats(2, 2)},
    opset=18,
)
case("cubic", [STEM, ("Resize", "h _ f", "y", {"mode": "cubic"})], {"k": K, "f": floats(1, 1, 2, 2)})
case("version 11", [("Conv", "x k", "h", SAME), ("Resize", "h r f", "u", {"mode": "nearest"}), ("Unsqueeze", "b", "c", {"axes": [1, 2]}), ("Add", "u c", "g", {}), ("ReduceSum", "g", "s", {"axes": [2, 3]}), ("Mul", "g s", "y", {})], {"k": K, "r": floats(), "f": floats(1, 1, 2, 2), "b": weights(4)}, opset=11)  # fmt: skip
case("a pooled branch resized", [STEM, ("GlobalAveragePool", "h", "g", {}), ("Shape", "h", "a", {}), ("Slice", "a two four", "b", {}), ("Concat", "n b", "s", {"axis": 0}), ("Resize", "g _ _ s", "u", {"mode": "linear"}), ("Concat", "h u", "y", {"axis": 1})], {"k": K, "two": ints(2), "four": ints(4), "n": ints(2, 4)})  # fmt: skip
case("pixels from channels", [("Conv", "x k", "h", SAME), ("DepthToSpace", "h", "u", {"blocksize": 2}), ("Resize", "x _ f", "v", {"mode": "nearest"}), ("Concat", "u v", "y", {"axis": 1})], {"k": K, "f": floats(1, 1, 2, 2)})  # fmt: skip
case(
    "channels from pixels",
    [("SpaceToDepth", "x", "h", {"blocksize": 2}), ("Conv", "h k", "y", SAME)],
    {"k": weights(4, 12, 3, 3)},
)

# --- shapes -----------------------------------------------------------------------------------------------------------
case("slope of each channel", [STEM, ("PRelu", "h s", "y", {})], {"k": K, "s": weights(4, 1, 1)})
case(
    "numbers for each position",
    [STEM, ("Add", "h p", "y", {})],
    {"k": K, "p": weights(1, 4, 8, 8)},
    dims=(2, 3, 8, 8),
)
case("a field that is computed", [STEM, ("Shape", "h", "s", {}), ("ConstantOfShape", "s", "o", {"value": numpy_helper.from_array(floats(2))}), ("Mul", "h o", "y", {})], {"k": K})  # fmt: skip
case("coordinates as channels", [("Concat", "x c", "h", {"axis": 1}), ("Conv", "h k", "y", SAME)], {"k": weights(4, 5, 3, 3), "c": weights(2, 2, 8, 8)}, dims=(2, 3, 8, 8))  # fmt: skip
case("channels parted", [STEM, ("Split", "h n", "a b", {"axis": 1}), ("Sigmoid", "b", "g", {}), ("Mul", "a g", "y", {})], {"k": K, "n": ints(2, 2)})  # fmt: skip
case("some channels", [STEM, ("Slice", "h z two o", "a", {}), ("Gather", "h i", "b", {"axis": 1}), ("Concat", "a b", "y", {"axis": 1})], {"k": K, "z": ints(0), "two": ints(2), "o": ints(1), "i": ints(3, 0)})  # fmt: skip
case("a channel by an index without axes", [STEM, ("Reshape", "i none", "j", {}), ("Gather", "h j", "g", {"axis": 1}), ("Unsqueeze", "g one", "u", {}), ("Concat", "h u", "y", {"axis": 1})], {"k": K, "i": ints(2), "none": ints(), "one": ints(1)})  # fmt: skip
case("softmax and the largest", [STEM, ("Softmax", "h", "p", {"axis": 1}), ("ReduceMax", "p", "m", {"axes": [1]}), ("Div", "p m", "y", {})], {"k": K})  # fmt: skip
case("channels shuffled", [STEM, ("Reshape", "h r", "a", {}), ("Transpose", "a", "b", {"perm": [0, 2, 1, 3, 4]}), ("Shape", "h", "s", {}), ("Reshape", "b s", "y", {})], {"k": K, "r": ints(2, 2, 2, 8, 8)}, dims=(2, 3, 8, 8))  # fmt: skip
case("cropped", [("Conv", "x k", "h", {}), ("Slice", "x a b c", "g", {}), ("Concat", "h g", "y", {"axis": 1})], {"k": K, "a": ints(1, 1), "b": ints(-1, -1), "c": ints(2, 3)})  # fmt: skip
case("cropped on a stated grid", [("Conv", "x k", "h", {}), ("Slice", "x a b c", "g", {}), ("Concat", "h g", "y", {"axis": 1})], {"k": K, "a": ints(1, 1), "b": ints(7, 7), "c": ints(2, 3)}, dims=(2, 3, 8, 8))  # fmt: skip
case("every second point", [("Conv", "x k", "h", SAME | {"strides": [2, 2]}), ("Slice", "x z e c t", "g", {}), ("Concat", "h g", "y", {"axis": 1})], {"k": K, "z": ints(0, 0), "e": ints(2**62, 2**62), "c": ints(2, 3), "t": ints(2, 2)})  # fmt: skip
case("rolled", [("Slice", "x z t u", "a", {}), ("Slice", "x t e u", "b", {}), ("Concat", "b a", "h", {"axis": 2}), ("Conv", "h k", "y", SAME)], {"k": K, "z": ints(0), "t": ints(2), "e": ints(2**62), "u": ints(2)})  # fmt: skip
case("expanded", [STEM, ("GlobalAveragePool", "h", "g", {}), ("Shape", "h", "s", {}), ("Expand", "g s", "u", {}), ("Concat", "h u", "y", {"axis": 1})], {"k": K})  # fmt: skip
case("channels last inside", [STEM, ("Transpose", "h", "a", {"perm": [0, 2, 3, 1]}), ("MatMul", "a w", "b", {}), ("Add", "b v", "c", {}), ("Transpose", "c", "y", {"perm": [0, 3, 1, 2]})], {"k": K, "w": weights(4, 5), "v": weights(5)})  # fmt: skip
case("channels last outside", [("Transpose", "x", "a", {"perm": [0, 3, 1, 2]}), ("Conv", "a k", "b", SAME), ("Transpose", "b", "y", {"perm": [0, 2, 3, 1]})], {"k": K}, dims=(2, "H", "W", 3), options={"channels_last": True})  # fmt: skip
case("another input", [STEM, ("Gemm", "t w", "f", {}), ("Unsqueeze", "f a", "u", {}), ("Add", "h u", "y", {})], {"k": K, "w": weights(6, 4), "a": ints(2, 3)}, inputs={"t": (2, 6)})  # fmt: skip
case("Clip, Where and Pow", [STEM, ("Clip", "h lo hi", "a", {}), ("Greater", "a z", "c", {}), ("Where", "c a z", "b", {}), ("Pow", "b p", "y", {})], {"k": K, "lo": floats(-1).reshape(()), "hi": floats(1).reshape(()), "z": floats(0).reshape(()), "p": floats(2)})  # fmt: skip

ROW = ("Reshape", "h r", "q", {})
case("sums over positions in one row", [STEM, ROW, ("ReduceSum", "q a", "s", {}), ("ReduceSumSquare", "q", "t", {"axes": [2], "keepdims": 0}), ("ReduceL2", "q", "u", {"axes": [2], "keepdims": 0}), ("Reshape", "s g", "v", {}), ("Concat", "v t u", "y", {"axis": 1})], {"k": K, "r": ints(0, 0, -1), "a": ints(2), "g": ints(0, -1)})  # fmt: skip
case("sums over channels and positions, last", [STEM, ROW, ("ReduceSum", "q a", "y", {})], {"k": K, "r": ints(0, 0, -1), "a": ints(1, 2)}, options={"new_axis": "last"})  # fmt: skip
case("a channel of positions in one row", [STEM, ROW, ("Gather", "q i", "g", {"axis": 1}), ("Shape", "h", "s", {}), ("Slice", "s two four", "b", {}), ("Concat", "m b", "c", {"axis": 0}), ("Reshape", "g c", "y", {})], {"k": K, "r": ints(0, 0, -1), "i": ints(2, 0), "two": ints(2), "four": ints(4), "m": ints(0, 0)})  # fmt: skip

PARTED = [
    STEM,
    ("Reshape", "h r", "p", {}),
    ("Transpose", "p", "t", {"perm": [0, 1, 2, 4, 3, 5]}),
    ("Reshape", "t s", "q", {}),
]
PATCHES = {"k": K, "r": ints(2, 4, 4, 2, 4, 2), "s": ints(2, 4, 4, 4, 4), "w": weights(4, 4, 2, 2)}
BACK = [("ConvTranspose", "m w", "u", {"strides": [2, 2]}), ("Concat", "u h", "y", {"axis": 1})]
ON_8 = {"dims": (2, 3, 8, 8)}
for kind in ("ReduceMax", "ReduceMean", "ReduceSum"):
    axes = {} if kind == "ReduceSum" else {"axes": [4]}
    case(f"patches by {kind}", [*PARTED, (kind, "q a" if not axes else "q", "m", {"keepdims": 0, **axes}), *BACK], PATCHES | {"a": ints(4)}, **ON_8)  # fmt: skip
case("patches, last axis new", [*PARTED, ("ReduceMax", "q", "m", {"keepdims": 0, "axes": [4]}), *BACK], PATCHES, options={"new_axis": "last"}, **ON_8)  # fmt: skip
case("patches from 1D to 3D", [("Conv", "x k", "h", {"pads": [1, 1]}), ("Reshape", "h r", "p", {}), ("ReduceMin", "p", "m", {"axes": [3], "keepdims": 0}), ("ConvTranspose", "m w", "u", {"strides": [2]}), ("Concat", "u h", "y", {"axis": 1})], {"k": weights(4, 3, 3), "r": ints(0, 0, -1, 2), "w": weights(4, 4, 2)}, dims=(2, 3, "L"))  # fmt: skip
case("a point of each patch", [*PARTED, ("Abs", "q", "b", {}), ("ArgMax", "b", "i", {"axis": 4}), ("GatherElements", "q i", "g", {"axis": 4}), ("Squeeze", "g a", "m", {}), *BACK], PATCHES | {"a": ints(4)}, **ON_8)  # fmt: skip
case("a channel for each point", [STEM, ("ArgMax", "h", "i", {"axis": 1}), ("GatherElements", "h i", "y", {"axis": 1})], {"k": K})  # fmt: skip
HALVES = [("Shape", "h", "s", {}), ("Slice", "s two four", "f", {}), ("Div", "f d", "e", {})]
case("patches of a free grid, and a periodic padding of what they become", [STEM, *HALVES, ("Slice", "e z one", "e0", {}), ("Slice", "e one d", "e1", {}), ("Concat", "c e0 d e1 d", "n", {"axis": 0}), ("Reshape", "h n", "p", {}), ("ReduceMean", "p", "m", {"axes": [3, 5], "keepdims": 0}), ("ConvTranspose", "m w", "u", {"strides": [2, 2]}), ("Concat", "u h", "v", {"axis": 1}), ("Mul", "e d", "g", {}), ("Slice", "g z one", "g0", {}), ("Sub", "g0 one", "l0", {}), ("Slice", "v l0 g0 two", "a", {}), ("Slice", "v z one two", "b", {}), ("Concat", "a v b", "o", {"axis": 2}), ("Conv", "o q", "y", {})], {"k": K, "two": ints(2), "four": ints(4), "d": ints(2), "z": ints(0), "one": ints(1), "c": ints(0, 4), "w": weights(4, 4, 2, 2), "q": weights(4, 8, 3, 1)})  # fmt: skip
case("a kernel that is turned round", [("Slice", "k m l a m", "r", {}), ("Conv", "x r", "y", SAME)], {"k": K, "m": ints(-1, -1), "l": ints(-(2**62), -(2**62)), "a": ints(2, 3)})  # fmt: skip

# --- attention --------------------------------------------------------------------------------------------------------
FLAT = [("Reshape", "h r", "q", {}), ("Transpose", "q", "t", {"perm": [0, 2, 1]})]
case("attention", [STEM, *FLAT, ("MatMul", "t q", "a", {}), ("Softmax", "a", "p", {"axis": -1}), ("MatMul", "p t", "o", {}), ("Transpose", "o", "u", {"perm": [0, 2, 1]}), ("Shape", "h", "s", {}), ("Reshape", "u s", "y", {})], {"k": K, "r": ints(0, 0, -1)})  # fmt: skip
case("sum over positions", [STEM, *FLAT, ("MatMul", "q t", "c", {}), ("MatMul", "c q", "o", {}), ("Shape", "h", "s", {}), ("Reshape", "o s", "y", {})], {"k": K, "r": ints(0, 0, -1)})  # fmt: skip
case("weights of positions, summed", [STEM, ("Reshape", "h r", "q", {}), ("Softmax", "q", "p", {"axis": -1}), ("Mul", "p q", "m", {}), ("ReduceSum", "m a", "y", {"keepdims": 0})], {"k": K, "r": ints(0, 0, -1), "a": ints(2)})  # fmt: skip

# --- the new axis behind the others, and 1D ---------------------------------------------------------------------------
LAST = {"new_axis": "last"}
case("global mean and a head, last", [STEM, ("GlobalAveragePool", "h", "g", {}), ("Flatten", "g", "f", {}), ("Gemm", "f v", "y", {})], {"k": K, "v": weights(4, 5)}, options=LAST)  # fmt: skip
case("channels last inside, last", [STEM, ("Transpose", "h", "a", {"perm": [0, 2, 3, 1]}), ("MatMul", "a w", "b", {}), ("Add", "b v", "c", {}), ("Transpose", "c", "y", {"perm": [0, 3, 1, 2]})], {"k": K, "w": weights(4, 5), "v": weights(5)}, options=LAST)  # fmt: skip
case("numbers for each position, last", [STEM, ("Add", "h p", "y", {})], {"k": K, "p": weights(1, 4, 8, 8)}, dims=(2, 3, 8, 8), options=LAST)  # fmt: skip
case(
    "slope of each channel, last",
    [STEM, ("PRelu", "h s", "y", {})],
    {"k": K, "s": weights(4, 1, 1)},
    options=LAST,
)
STEM_1D = ("Conv", "x k", "h", {"pads": [1, 1]})
case("attention in 1D", [STEM_1D, ("Transpose", "h", "t", {"perm": [0, 2, 1]}), ("MatMul", "t h", "a", {}), ("Softmax", "a", "p", {"axis": -1}), ("MatMul", "p t", "o", {}), ("Transpose", "o", "y", {"perm": [0, 2, 1]})], {"k": weights(4, 3, 3)}, dims=(2, 3, "L"), to_dim=2)  # fmt: skip
case("norm and head in 1D, last", [STEM_1D, ("InstanceNormalization", "h s t", "n", {}), ("GlobalMaxPool", "n", "g", {}), ("Flatten", "g", "f", {}), ("Gemm", "f v", "y", {})], {"k": weights(4, 3, 3), "v": weights(4, 5), **C4}, dims=(2, 3, "L"), options=LAST)  # fmt: skip
