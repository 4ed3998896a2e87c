"""The layer table: what a conversion needs to know about each convolution of a model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ginjax.errors import ArgumentError
from ginjax.filters import FilterBank

FieldKey = tuple[int, int]
"""Order and parity `(k, p)` of a field."""


def key_name(key: FieldKey) -> str:
    """Name of a key: `(1, 0) -> "k1p0"`."""
    return f"k{key[0]}p{key[1]}"


@dataclass(frozen=True)
class ConvLayer:
    """One convolution, described independently of the dimension.

    **Arguments:**

    - `name`: dotted path in the model, such as `blocks.0.1.conv`.
    - `role`: the bank it uses, `"conv"`, `"upsample"` or `"product"`.
    - `inputs`, `outputs`: `(order, parity, channels)` of each block of the field.
    - `stride`, `input_dilation`, `filter_dilation`: equal along every axis.
    - `level`: number of down-samplings between the input of the model and the output of this convolution.
    """

    name: str
    role: str
    inputs: tuple[tuple[int, int, int], ...]
    outputs: tuple[tuple[int, int, int], ...]
    stride: int = 1
    input_dilation: int = 1
    filter_dilation: int = 1
    level: int = 0

    def paths(self) -> Iterator[tuple[FieldKey, int, FieldKey, int]]:
        """`(input key, input channels, output key, output channels)` of every path, in canonical order."""
        for k_in, p_in, c_in in self.inputs:
            for k_out, p_out, c_out in self.outputs:
                yield (k_in, p_in), c_in, (k_out, p_out), c_out

    def weight_name(self, source: FieldKey, target: FieldKey) -> str:
        """Name of the array of weights of a path, from the key `source` to the key `target`."""
        return f"{self.name}.weight.{path_name(source, target)}"

    def to_json(self) -> dict[str, object]:
        """Convert to a plain JSON object that `from_json` can read."""
        return {
            "name": self.name,
            "role": self.role,
            "inputs": [list(i) for i in self.inputs],
            "outputs": [list(o) for o in self.outputs],
            "stride": self.stride,
            "input_dilation": self.input_dilation,
            "filter_dilation": self.filter_dilation,
            "level": self.level,
        }

    @classmethod
    def from_json(cls, data: object) -> "ConvLayer":
        """Read a row from an untrusted value; an `ArgumentError` says what is wrong with it."""
        if not isinstance(data, Mapping) or set(data) != set(_ROW_TYPES):
            raise ArgumentError("layer table", got=_short(data), expected=f"rows with {sorted(_ROW_TYPES)}")
        for field, kind in _ROW_TYPES.items():
            if not isinstance(data[field], kind) or isinstance(data[field], bool):
                raise ArgumentError(
                    f"layer table, {field!r}", got=_short(data[field]), expected=kind.__name__
                )
        for field in ("stride", "input_dilation", "filter_dilation"):
            if not 1 <= data[field] <= 2**16:
                raise ArgumentError(f"layer table, {field!r}", got=data[field], expected="1 to 65536")
        if not 0 <= data["level"] <= 64:
            raise ArgumentError("layer table, 'level'", got=data["level"], expected="0 to 64")
        return cls(
            name=data["name"],
            role=data["role"],
            inputs=signature_rows(data["inputs"]),
            outputs=signature_rows(data["outputs"]),
            stride=data["stride"],
            input_dilation=data["input_dilation"],
            filter_dilation=data["filter_dilation"],
            level=data["level"],
        )


_ROW_TYPES = {
    "name": str,
    "role": str,
    "inputs": list,
    "outputs": list,
    "stride": int,
    "input_dilation": int,
    "filter_dilation": int,
    "level": int,
}


def path_name(source: FieldKey, target: FieldKey) -> str:
    """Name of a path: `(0, 0), (1, 0) -> "k0p0->k1p0"`."""
    return f"{key_name(source)}->{key_name(target)}"


def filter_key(source: FieldKey, target: FieldKey) -> tuple[int, int]:
    """Order and parity of the filters of a path."""
    return source[0] + target[0], (source[1] + target[1]) % 2


def role_keys(layers: tuple[ConvLayer, ...], role: str) -> set[tuple[int, int]]:
    """The filter keys that the layers of one role can use."""
    return {
        filter_key(source, target)
        for layer in layers
        if layer.role == role
        for source, _, target, _ in layer.paths()
    }


def check_weights(
    layers: tuple[ConvLayer, ...], banks: Mapping[str, FilterBank], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    """Check that the arrays of a model are those that its layer table and banks require.

    **Arguments:**

    - `layers`: the layer table.
    - `banks`: the filters by role.
    - `shapes`: the shape of each array by name.

    **Raises:** `ArgumentError` that names the first array that is missing, unknown or of another shape.
    """
    for layer in layers:
        if layer.role not in banks:
            raise ArgumentError(
                f"layer {layer.name}", got=f"bank role {layer.role!r}", expected=sorted(banks)
            )
        bank = banks[layer.role]
        for source, c_in, target, c_out in layer.paths():
            block = bank.blocks.get(filter_key(source, target))
            name = layer.weight_name(source, target)
            expected = (c_out, c_in, len(block)) if block is not None and len(block) else None
            if shapes.get(name) != expected:
                raise ArgumentError(
                    f"array {name!r}", got=shapes.get(name, "none"), expected=expected or "none"
                )


def signature_rows(rows: list, subject: str = "layer table") -> tuple[tuple[int, int, int], ...]:
    """Read `[[order, parity, channels], ...]` from an untrusted value."""
    result = []
    for row in rows:
        whole = isinstance(row, list) and len(row) == 3 and all(type(c) is int for c in row)
        if not whole or not (0 <= row[0] <= 16 and row[1] in (0, 1) and 1 <= row[2] <= 2**20):
            raise ArgumentError(subject, got=_short(row), expected="[order, parity, channels]")
        result.append((row[0], row[1], row[2]))
    if len({row[:2] for row in result}) != len(result):
        raise ArgumentError(subject, got=_short(rows), expected="each order and parity once")
    return tuple(result)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
