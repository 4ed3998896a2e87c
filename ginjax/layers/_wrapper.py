"""Wrappers that apply an ordinary layer to each block of an image."""

from collections.abc import Callable
from typing import TypeVar

from ..errors import ArgumentError
from ..geometric import Key, MultiImage, Signature, SignatureLike, full_precision
from ._functions_by_name import FunctionsByName

_Aux = TypeVar("_Aux")


def _module_for(modules: dict[Key, Callable], key: Key) -> Callable:
    if key not in modules:
        raise ArgumentError(
            "the wrapper has no module for a key of its input", got=key, expected=f"one of {list(modules)}"
        )
    return modules[key]


class LayerWrapper(FunctionsByName):
    """Apply a module to each block of an image: `y[key] = modules[key](x[key])`.

    All keys start with the same module. Its parameters are then independent for each key.

    **Arguments:**

    - `module`: a function from a block to a block, on the same or another grid.
    - `input_keys`: the signature.

    **Raises:** `ArgumentError`, in a call, for a key that is not in `input_keys`.
    """

    modules: dict[Key, Callable]

    def __init__(self, module: Callable, input_keys: SignatureLike):
        self.modules = {key: module for key, _ in Signature(input_keys)}

    def __call__(self, x: MultiImage) -> MultiImage:
        with full_precision():
            blocks = {key: _module_for(self.modules, key)(block) for key, block in x.items()}
        return MultiImage(blocks, x.D, x.is_torus)


class LayerWrapperAux(FunctionsByName):
    """Apply a module with auxiliary data to each block: `y[key], aux = modules[key](x[key], aux)`, key after key.

    Arguments and errors are as in `LayerWrapper`. The module takes and returns the auxiliary data too, such as
    `eqx.nn.BatchNorm` with its state.
    """

    modules: dict[Key, Callable]

    def __init__(self, module: Callable, input_keys: SignatureLike):
        self.modules = {key: module for key, _ in Signature(input_keys)}

    def __call__(self, x: MultiImage, aux_data: _Aux) -> tuple[MultiImage, _Aux]:
        blocks = {}
        for key, block in x.items():
            blocks[key], aux_data = _module_for(self.modules, key)(block, aux_data)
        return MultiImage(blocks, x.D, x.is_torus), aux_data
