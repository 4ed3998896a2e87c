"""Graphs of ONNX, and those that were converted; without the library of the format there are none."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from trust.formats._data import numbers
from trust.formats._format import a_format, same


def read_graph(path: Path) -> Any:
    from onnx import numpy_helper

    from ginjax.onnx import convert_onnx, read_onnx, read_onnx_record

    network = read_onnx(path)
    record = read_onnx_record(network)
    if record is None:
        convert_onnx(network, 3)
    return {
        "arrays": {tensor.name: numpy_helper.to_array(tensor) for tensor in network.model.graph.initializer},
        "graph": network.model.graph.SerializeToString(deterministic=True),
        "record": record,
        "claims": record is not None and not record.is_stale(network),
    }


def weights_of_the_graph(path: Path, sound: Any, found: Any) -> bool:
    """Weights are those in the file; a certificate stands only beside the graph that it was made of."""
    import onnx

    if found["claims"] and not all(found[each] == sound[each] for each in ("record", "graph")):
        return False
    there = onnx.load(path).graph.initializer
    return same(path, {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in there}, found["arrays"])


def graph(path: Path) -> None:
    from onnx import helper, numpy_helper

    arrays = {"k": numbers(4, 2, 3, 3), "s": numbers(4), "u": numbers(4, 1, 2, 2)}
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["a"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("InstanceNormalization", ["a", "s", "s"], ["b"]),
        helper.make_node("ConvTranspose", ["b", "u"], ["y"], strides=[2, 2]),
    ]
    shapes = {"x": ["n", 2, "h", "w"], "y": ["n", 1, "h", "w"]}
    x, y = (helper.make_tensor_value_info(name, 1, shape) for name, shape in shapes.items())
    constants = [numpy_helper.from_array(np.float32(array), name) for name, array in arrays.items()]
    made = helper.make_graph(nodes, "graph", [x], [y], constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString(deterministic=True))


def converted_graph(path: Path) -> None:
    from ginjax.onnx import convert_onnx, read_onnx, write_onnx

    source = path.with_name("source")
    graph(source)
    write_onnx(path, convert_onnx(read_onnx(source), 3).after, force=True)


if find_spec("onnx") is not None:
    a_format("graph (ONNX)", read_graph, weights_of_the_graph)(graph)
    a_format("graph (ONNX), converted", read_graph, weights_of_the_graph)(converted_graph)
