"""The layers of a network, written to a JSON file by ten lines in the network's own language."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ginjax.checkpoint import JsonProblem, parse_json, read_text
from ginjax.errors import ArgumentError, FileError

MAX_BYTES = 2**26
_SETTINGS = (
    "kernel_size", "stride", "padding", "dilation", "output_padding", "groups", "padding_mode",
    "count_include_pad", "ceil_mode", "mode", "align_corners", "scale_factor", "size", "upscale_factor",
    "out_channels", "num_features", "num_channels", "in_features", "out_features",
)  # fmt: skip

DESCRIBE_LINES = f"""\
import json, numbers
keys = {" ".join(_SETTINGS)!r}.split()
rows = []
for name, module in model.named_modules(remove_duplicate=False):  # the same layer under two names counts twice
    kinds = [kind.__name__ for kind in type(module).__mro__]
    settings = {{key: getattr(module, key) for key in keys if hasattr(module, key)}}
    rows.append({{"name": name, "kinds": kinds, "settings": settings}})
plain = lambda value: int(value) if isinstance(value, numbers.Integral) else str(value)
with open("modules.json", "w") as file:
    json.dump({{"modules": rows}}, file, default=plain)
"""
"""Python code for the owner of the network, which is called `model`; it writes what `read_modules` reads."""


@dataclass(frozen=True)
class Module:
    """One layer of a network.

    **Arguments:**

    - `name`: its dotted path.
    - `kinds`: names of its class and of the base classes.
    - `settings`: stride, padding and so on, as numbers, lists of numbers, or words.
    """

    name: str
    kinds: tuple[str, ...]
    settings: Mapping[str, Any]

    @property
    def convolution(self) -> str | None:
        """The name of its convolution class, ordinary or transposed, such as `Conv2d`; None for other layers."""
        return next((kind for kind in self.kinds if kind in _CONVOLUTIONS), None)

    def of_axis(self, setting: str, axes: Sequence[int], dims: tuple[int, int], default: int) -> list[int]:
        """A setting along some axes of the network in the higher of two dimensions.

        **Arguments:**

        - `setting`: such as `"stride"`.
        - `axes`: the axes, counted from 0 among all in the higher dimension.
        - `dims`: the lower and the higher dimension; the described network has one of them.
        - `default`: the value if the setting is not stated.

        **Raises:** `ArgumentError` if the existing axes differ, so that a new one could be like any of them.
        """
        value = self.settings.get(setting, default)
        if type(value) is int:
            return [value] * len(axes)
        if not isinstance(value, list) or not all(type(each) is int for each in value):
            raise ArgumentError(f"{setting} of {self.name!r}", got=repr(value)[:60], expected="whole numbers")
        if len(value) == dims[1]:
            return [value[axis] for axis in axes]
        if value and len(set(value)) == 1:
            return [value[0]] * len(axes)
        raise ArgumentError(
            f"{setting} of {self.name!r} along the new axis",
            got=f"{value} along those that are there",
            hint="Describe the network of the higher dimension, which says it, or say it by a pattern.",
        )


_CONVOLUTIONS = frozenset(
    f"{kind}{D}d" for kind in ("Conv", "ConvTranspose", "LazyConv", "LazyConvTranspose") for D in (1, 2, 3)
)


def read_modules(path: str | os.PathLike[str]) -> tuple[Module, ...]:
    """Read what `DESCRIBE_LINES` writes.

    **Raises:** `FileError` that names the file and says what is wrong with it.
    """
    try:
        content = parse_json(read_text(path, most=MAX_BYTES))
    except JsonProblem as problem:
        raise FileError(f"{path}: cannot be read: {problem}", hint=_HINT) from problem
    rows = content.get("modules") if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise FileError(f"{path}: has no list of modules", hint=_HINT)
    return tuple(_module(row, path) for row in rows)


_HINT = "The lines in ginjax.state_dict.DESCRIBE_LINES write such a file."


def _module(row: object, path: str | os.PathLike[str]) -> Module:
    if not isinstance(row, dict):
        raise FileError(f"{path}: a module is no object", hint=_HINT)
    name, kinds, settings = row.get("name"), row.get("kinds"), row.get("settings")
    if not isinstance(name, str) or not isinstance(settings, dict):
        raise FileError(f"{path}: a module without name or settings", hint=_HINT)
    if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
        raise FileError(f"{path}: module {name!r} without the names of its classes", hint=_HINT)
    return Module(name, tuple(kinds), settings)


def varying_modules(modules: Sequence[Module]) -> list[str]:
    """Find layers without weights that turn a field that is constant along an axis into one that is not.

    **Returns:** a sentence for each kind of such a layer, with the name of the first.
    """
    found: dict[str, list[str]] = {}
    for module in modules:
        problem = _breaks(module)
        if problem:
            found.setdefault(problem, []).append(module.name)
    return [
        f"{names[0]!r}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {problem}"
        for problem, names in found.items()
    ]


def _breaks(module: Module) -> str:
    kind = module.kinds[0] if module.kinds else ""
    said = module.settings
    padding = said.get("padding")
    padded = any(padding) if isinstance(padding, list) else bool(padding)
    if any(each.startswith("AvgPool") for each in module.kinds) and padded and said.get("count_include_pad"):
        return "average pooling that counts its padding pulls the end slices towards zero (count_include_pad=False does not)"
    if kind.startswith("LPPool"):
        return "pooling by sums grows with the number of slices"
    if kind.startswith(("PixelShuffle", "PixelUnshuffle")):
        return "pixel shuffle needs other numbers of channels in the new dimension"
    if kind.startswith("Upsample") and said.get("mode") == "bicubic":
        return "bicubic resizing has no form in three dimensions"
    return ""


def normalises_kernel(module: Module) -> bool:
    """Whether a layer standardises its kernel before it uses it (weight standardisation): new zeros would change the result."""
    return any("StdConv" in kind or "WSConv" in kind for kind in module.kinds)


def flattening_modules(modules: Sequence[Module], dim: int) -> dict[str, int]:
    """Find linear layers on a flattened grid of channels: their weights belong to one size of the grid.

    **Arguments:**

    - `modules`: the layers in the order of the network.
    - `dim`: its dimension.

    **Returns:** by name, the side `s` of the grid: the layer has `s ** dim` inputs for each channel of the layer before.
    """
    found, channels = {}, None
    for module in modules:
        inputs = module.settings.get("in_features")
        if type(inputs) is int and type(channels) is int and channels > 0 and inputs % channels == 0:
            side = round((inputs // channels) ** (1 / dim))
            if side > 1 and side**dim * channels == inputs:
                found[module.name] = side
        given = [
            module.settings.get(name)
            for name in ("out_channels", "num_features", "num_channels", "out_features")
        ]
        channels = next((each for each in given if type(each) is int), channels)
    return found
