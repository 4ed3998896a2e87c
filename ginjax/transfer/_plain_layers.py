"""The table of plain convolutions: what a conversion has to know of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ginjax.errors import ArgumentError

from ._layers import signature_rows

_FIELDS = {"name", "inputs", "outputs", "transposed", "zero_padded"}
_MAX_LEVEL = 64


@dataclass(frozen=True)
class PlainLayer:
    """One plain convolution, free of the dimension.

    **Arguments:**

    - `name`: dotted path; its arrays are `<name>.weight`, `(out, in, *(M,)*D)`, and `<name>.bias`, `(out, 1, ...)`.
    - `inputs`, `outputs`: `(order, parity, channels)` of the fields whose components are its channels.
    - `transposed`: a transposed convolution of stride equal to its side.
    - `zero_padded`: whether it meets zeros beyond the boundary; other paddings continue a constant.
    - `level`: down-samplings between the input of the model and the output of this convolution. It is about cost
      alone, so it is no part of what makes two rows equal.
    """

    name: str
    inputs: tuple[tuple[int, int, int], ...]
    outputs: tuple[tuple[int, int, int], ...]
    transposed: bool
    zero_padded: bool
    level: int = field(default=0, compare=False)

    def to_json(self) -> dict[str, object]:
        """A plain JSON object; `from_json` reads it back."""
        return {
            "name": self.name,
            "inputs": [list(row) for row in self.inputs],
            "outputs": [list(row) for row in self.outputs],
            "transposed": self.transposed,
            "zero_padded": self.zero_padded,
            "level": self.level,
        }

    @classmethod
    def from_json(cls, data: Any) -> "PlainLayer":
        """Read a row that may come from anywhere; `ArgumentError` says what is wrong with it."""
        # The level came later: a row without it is one of level 0.
        fields = set(data) - {"level"} if isinstance(data, Mapping) else set()
        if fields != _FIELDS or not isinstance(data["name"], str):
            raise ArgumentError("table of plain layers", expected=f"rows with {sorted(_FIELDS)}")
        if not all(isinstance(data[flag], bool) for flag in ("transposed", "zero_padded")):
            raise ArgumentError(
                "table of plain layers", expected="true or false for transposed and zero_padded"
            )
        if not all(isinstance(data[side], list) for side in ("inputs", "outputs")):
            raise ArgumentError("table of plain layers", expected="lists of [order, parity, channels]")
        level = data.get("level", 0)
        if type(level) is not int or not 0 <= level <= _MAX_LEVEL:
            raise ArgumentError("table of plain layers, 'level'", got=level, expected=f"0 to {_MAX_LEVEL}")
        return cls(
            data["name"],
            signature_rows(data["inputs"]),
            signature_rows(data["outputs"]),
            data["transposed"],
            data["zero_padded"],
            level,
        )
