"""The two libraries of the extra `onnx`, imported on first use."""

from importlib import import_module
from types import ModuleType

from ginjax.errors import UnsupportedError


def onnx_library(part: str = "") -> ModuleType:
    """The package `onnx`, or a part of it such as `helper`.

    **Raises:** `UnsupportedError` if it is not installed.
    """
    return _found("onnx", part)


def runtime_library() -> ModuleType:
    """The package `onnxruntime`.

    **Raises:** `UnsupportedError` if it is not installed.
    """
    return _found("onnxruntime", "")


def _found(name: str, part: str) -> ModuleType:
    try:
        return import_module(f"{name}.{part}" if part else name)
    except ImportError as error:
        raise UnsupportedError(
            "ONNX",
            got=f"no package {name}",
            expected="it, because it is what reads and writes such files"
            if name == "onnx"
            else "it, because it is what runs such files",
            hint=f"Install it: pip install {name}",
        ) from error
