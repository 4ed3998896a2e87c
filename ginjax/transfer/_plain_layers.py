"""The table of plain convolutions: what a conversion needs to know about each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ginjax.errors import ArgumentError

from ._axis_geometry import MAX_PADDING, MAX_STRIDE, AxisGeometry
from ._layers import signature_rows

_FIELDS = {"name", "inputs", "outputs", "transposed", "zero_padded"}
_MAX_LEVEL = 64
_WHOLE = {"stride": MAX_STRIDE, "dilation": MAX_STRIDE}


@dataclass(frozen=True)
class PlainLayer:
    """One plain convolution, described independently of the dimension.

    **Arguments:**

    - `name`: dotted path; its arrays are `<name>.weight`, `(out, in, *(M,)*D)`, and `<name>.bias`, `(out, 1, ...)`.
    - `inputs`, `outputs`: `(order, parity, channels)` of the fields whose components are its channels.
    - `transposed`: whether it is a transposed convolution, whose stride is then the side of its kernel.
    - `zero_padded`: whether it meets zeros beyond the boundary; other paddings continue a constant.
    - `stride`, `dilation`: those of an ordinary convolution, along every axis.
    - `padding`: points before and after, along every axis; None for the padding that keeps the size, divided by the stride.
    - `level`: number of down-samplings between the input of the model and the output of this convolution. It only matters for the
      cost, so two rows can be equal with different levels.
    """

    name: str
    inputs: tuple[tuple[int, int, int], ...]
    outputs: tuple[tuple[int, int, int], ...]
    transposed: bool
    zero_padded: bool
    level: int = field(default=0, compare=False)
    stride: int = 1
    dilation: int = 1
    padding: tuple[int, int] | None = None

    @property
    def is_ordinary(self) -> bool:
        """Whether it is a convolution without stride and dilation that keeps the size of a field."""
        return not self.transposed and (self.stride, self.dilation, self.padding) == (1, 1, None)

    def axis(self, side: int) -> AxisGeometry:
        """Its geometry along an axis, for a kernel of that side."""
        before, after = self.padding or (0, 0)
        return AxisGeometry(
            side,
            self.stride,
            self.dilation,
            before,
            after,
            repeats=not self.zero_padded,
            fitted=self.padding is None,
        )

    def to_json(self) -> dict[str, object]:
        """Convert to a plain JSON object that `from_json` can read."""
        row: dict[str, object] = {
            "name": self.name,
            "inputs": [list(row) for row in self.inputs],
            "outputs": [list(row) for row in self.outputs],
            "transposed": self.transposed,
            "zero_padded": self.zero_padded,
            "level": self.level,
        }
        # Later additions: a layer without them is written as before, so that digests do not change.
        row |= {name: getattr(self, name) for name in _WHOLE if getattr(self, name) != 1}
        return row if self.padding is None else row | {"padding": list(self.padding)}

    @classmethod
    def from_json(cls, data: Any) -> "PlainLayer":
        """Read a row from an untrusted value; an `ArgumentError` says what is wrong with it."""
        # Later additions, too: a row without them has level 0 and stride 1.
        fields = set(data) - {"level", "padding", *_WHOLE} if isinstance(data, Mapping) else set()
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
        for name, most in _WHOLE.items():
            value = data.get(name, 1)
            if type(value) is not int or not 1 <= value <= most:
                raise ArgumentError(f"table of plain layers, {name!r}", got=value, expected=f"1 to {most}")
        return cls(
            data["name"],
            signature_rows(data["inputs"]),
            signature_rows(data["outputs"]),
            data["transposed"],
            data["zero_padded"],
            level,
            data.get("stride", 1),
            data.get("dilation", 1),
            _padding(data.get("padding")),
        )


def _padding(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2 or not all(type(each) is int for each in value):
        raise ArgumentError("table of plain layers, 'padding'", got=value, expected="two whole numbers")
    before, after = value
    if not (0 <= before <= MAX_PADDING and 0 <= after <= MAX_PADDING):
        raise ArgumentError("table of plain layers, 'padding'", got=value, expected=f"0 to {MAX_PADDING}")
    return before, after
