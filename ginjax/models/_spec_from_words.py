"""The specification of an existing network, from plain words for options of its constructor."""

import inspect
from collections.abc import Mapping
from typing import Any

from .._unknown_name import unknown_name
from ..errors import ArgumentError
from ..geometric import SignatureLike
from ._architectures import ARCHITECTURE_NAMES, HOW_TO_REGISTER, find_architecture
from ._constructor import constructor_of
from ._spec import ModelSpec, signature_from_json
from .blocks import activation_name


def spec_from_words(
    architecture: str,
    inputs: SignatureLike,
    outputs: SignatureLike,
    words: Mapping[str, object],
    options: Mapping[str, object] | None = None,
) -> ModelSpec:
    """Make the specification of a network that was built by a call of its constructor.

    Options that are not given have the defaults of the constructor, unlike those of `Network`, which has its own defaults.

    **Arguments:**

    - `architecture`: "resnet", "dilresnet", "unet" or "series", or the name in lower case of a registered architecture.
    - `inputs`, `outputs`: signatures.
    - `words`: `channels`, `blocks`, `levels`, `activation`, `norm`, `bias`, `plain`, and `side` for plain kernels, as in
      `Network`; None counts as not given.
    - `options`: arguments of the constructor by their own names, as JSON values; `mid_keys` is `[[order, parity,
      channels], ...]`.

    **Raises:** `ArgumentError` for an unknown architecture or option, an option given twice, or a missing required option.
    """
    if architecture not in ARCHITECTURE_NAMES:
        raise unknown_name("architecture", architecture, ARCHITECTURE_NAMES, hint=HOW_TO_REGISTER)
    cls = find_architecture(ARCHITECTURE_NAMES[architecture])
    said = dict(options or {})
    for word, value in words.items():
        if value is None or (word == "plain" and value is False):
            continue
        name = "kernel_size" if word == "side" else cls.words.get(word)
        if name is None or name not in constructor_of(cls).options:
            raise ArgumentError(
                f"`{word}`", got=f"architecture {architecture!r}, which has none", expected="nothing"
            )
        if name in said:
            raise ArgumentError(
                f"`{word}`", got=f"{name} as well, which is the same", expected="one of the two"
            )
        said[name] = _value(word, value)
    needed = {
        name for name, default in constructor_of(cls).options.items() if default is inspect.Parameter.empty
    }
    for word, name in cls.words.items():
        if name in needed - said.keys():
            raise ArgumentError(
                f"`{word}`", got="nothing", expected=f"a value, for which {cls.architecture} has no default"
            )
    complete = cls.complete(said)
    if "activation_f" in said:
        said["activation_f"] = activation_name(complete["activation_f"])
    if complete.get("mid_keys") is not None:
        said["mid_keys"] = signature_from_json(complete["mid_keys"])
    return ModelSpec.make(cls.architecture, inputs, outputs, **said)


def _value(word: str, value: object) -> Any:
    if word == "plain":
        return not value
    if word in ("activation", "bias") and value == "none":
        return None if word == "activation" else False
    return value
