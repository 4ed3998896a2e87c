"""Running of a graph in onnxruntime."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ginjax.errors import UnsupportedError
from ginjax.state_dict import RECORD_KEY

from ._library import runtime_library
from ._read import OnnxNetwork
from ._write import write_onnx

IN_MEMORY = 2**30
_STATE = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
_SOURCE = re.compile(r"/\S*\.(cc|h):\d+.*")
_AT_NODE = re.compile(r"running (\w+) node\. Name:'([^']*)'")


def run_onnx(network: OnnxNetwork, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Run a graph in onnxruntime on a CPU, and return its outputs by name.

    **Raises:** `UnsupportedError` if onnxruntime cannot run the graph or is not installed.
    """
    with Session(network) as session:
        made = session.run(dict(inputs))
    return {each.name: array for each, array in zip(network.model.graph.output, made, strict=True)}


class Session:
    """A graph in onnxruntime; a graph with large weights goes through a file."""

    def __init__(self, network: OnnxNetwork):
        self._network = network
        self._folder: Any = None

    def __enter__(self) -> Session:
        import tempfile
        from pathlib import Path

        runtime = runtime_library()
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        weights = sum(len(each.raw_data) for each in self._network.model.graph.initializer)
        try:
            if weights <= IN_MEMORY:
                source: Any = self._network.model.SerializeToString()
            else:
                self._folder = tempfile.TemporaryDirectory(prefix="ginjax-onnx-")
                source = str(Path(self._folder.name) / "graph.onnx")
                write_onnx(source, OnnxNetwork(self._network.model, None, external=True))
            self._session = runtime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            self.__exit__()
            raise self._refusal(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def run(self, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Compute the outputs for inputs by name.

        **Raises:** `UnsupportedError` if onnxruntime cannot run the graph.
        """
        try:
            return [np.asarray(each) for each in self._session.run(None, inputs)]
        except Exception as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> UnsupportedError:
        # onnxruntime has a class of exceptions for each status; none of them is public.
        if isinstance(error, UnsupportedError):
            return error
        said = " ".join(str(error).split())
        found = _AT_NODE.search(said)
        name = self._network.path
        if name is None:
            name = "the converted graph" if RECORD_KEY in self._network.metadata else "the graph"
        return UnsupportedError(
            f"{name} in onnxruntime",
            got=_SOURCE.sub("", _STATE.sub("", said))[:200].strip()
            if found is None
            else f"a failure at node {found[2]!r} ({found[1]})",
            expected="a graph that it runs on a processor",
        )
