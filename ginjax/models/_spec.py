"""The specification of a model without its dimension; filters and a random key complete it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ..checkpoint import NewBoundary, spec_in_dimension, spec_padding
from ..errors import ArgumentError, UnsupportedError
from ..geometric import PaddingMode, Signature, SignatureLike
from ..layers import functions_by_name, functions_found

Option = Any
"""A JSON value with tuples instead of lists; in memory also an activation function without a name."""


MAX_CHANNELS = 2**20
"""The largest number of channels of one key in a file."""


@dataclass(frozen=True)
class ModelSpec:
    """The architecture, signatures and options of a model, frozen and hashable.

    **Arguments:**

    - `architecture`: a name in `ARCHITECTURES`.
    - `inputs`, `outputs`: signatures.
    - `options`: the remaining constructor arguments, as sorted pairs.
    """

    architecture: str
    inputs: Signature
    outputs: Signature
    options: tuple[tuple[str, Option], ...]

    @classmethod
    def make(
        cls, architecture: str, inputs: SignatureLike, outputs: SignatureLike, /, **options: Option
    ) -> "ModelSpec":
        """Make a specification from an architecture, its signatures and its options in any order."""
        return cls(
            architecture,
            Signature(inputs),
            Signature(outputs),
            tuple(sorted((name, _frozen(value)) for name, value in options.items())),
        )

    def __getstate__(self) -> dict[str, object]:
        return vars(self) | {"options": functions_by_name(self.options)}

    def __setstate__(self, state: dict[str, object]) -> None:
        for name, value in (state | {"options": functions_found(state["options"])}).items():
            object.__setattr__(self, name, value)

    def option(self, name: str, default: Option = None) -> Option:
        """Return the value of an option, or `default` if the specification has no option of that name."""
        return dict(self.options).get(name, default)

    @property
    def equivariant(self) -> bool:
        """Whether the model is built of invariant filters; a plain network is not."""
        return bool(self.option("equivariant", True))

    def padding(self, D: int) -> tuple[PaddingMode, ...]:
        """Return how fields continue beyond the ends of each axis that is not periodic."""
        return cast(tuple[PaddingMode, ...], spec_padding({"options": dict(self.options)}, D))

    def in_dimension(
        self, D: int, to_dim: int, new: Sequence[NewBoundary] = (), places: Sequence[int] = ()
    ) -> "ModelSpec":
        """Return the specification for another dimension; only options with a value for each axis differ.

        **Arguments:**

        - `D`, `to_dim`: the dimensions before and after.
        - `new`: the boundaries of added axes, see `ginjax.checkpoint.new_boundaries`; all are periodic if empty.
        - `places`: the positions of these axes, see `ginjax.checkpoint.new_axis_places`; the last ones if empty.
        """
        described = {"architecture": self.architecture, "options": dict(self.options)}
        options = spec_in_dimension(described, D, to_dim, new, places)["options"]
        return (
            self
            if options is described["options"]
            else ModelSpec.make(self.architecture, self.inputs, self.outputs, **options)
        )

    def with_options(self, **options: Option) -> "ModelSpec":
        """Return the specification with other values of some options."""
        return ModelSpec.make(
            self.architecture, self.inputs, self.outputs, **{**dict(self.options), **options}
        )

    def to_json(self) -> dict[str, Any]:
        """Return a plain JSON object.

        **Raises:** `UnsupportedError` if the activation is a function without a name.
        """
        options = {}
        for name, value in self.options:
            if callable(value):
                raise UnsupportedError(
                    f"option {name!r} is a function without a name, which a file cannot hold",
                    got=getattr(value, "__name__", type(value).__name__),
                    expected="a name in ACTIVATION_REGISTRY",
                )
            options[name] = _signature_to_json(value) if isinstance(value, Signature) else _thawed(value)
        return {
            "architecture": self.architecture,
            "inputs": _signature_to_json(self.inputs),
            "outputs": _signature_to_json(self.outputs),
            "options": options,
        }

    @classmethod
    def from_json(cls, data: object) -> "ModelSpec":
        """Read a specification from an untrusted JSON object; `ArgumentError` says what is wrong with it."""
        wanted = {"architecture", "inputs", "outputs", "options"}
        if not isinstance(data, Mapping) or set(data) != wanted:
            raise ArgumentError("spec", expected=f"an object with {sorted(wanted)}")
        if not isinstance(data["architecture"], str) or not isinstance(data["options"], Mapping):
            raise ArgumentError("spec", expected="'architecture' a string and 'options' an object")
        options = dict(data["options"])
        for name, value in options.items():
            if not _is_plain(value):
                raise ArgumentError(f"spec, option {name!r}", got=value, expected="no objects")
        if options.get("mid_keys") is not None:
            options["mid_keys"] = signature_from_json(options["mid_keys"])
        return cls.make(
            data["architecture"],
            signature_from_json(data["inputs"]),
            signature_from_json(data["outputs"]),
            **options,
        )


def require_equivariant(spec: ModelSpec) -> None:
    """Refuse a model that is not equivariant, because the transfer acts on the weights of filters."""
    if not spec.equivariant:
        raise UnsupportedError(
            "dimension transfer of a model that is not equivariant",
            got=f"{spec.architecture} with equivariant=False",
            expected="an equivariant model",
            hint="Its kernels are not combinations of invariant filters; build the model with equivariant=True.",
        )


def signature_from_json(rows: object) -> Signature:
    """Read a signature from `[[order, parity, channels], ...]`."""
    if not isinstance(rows, list) or not rows:
        raise ArgumentError("signature", got=rows, expected="a list of [order, parity, channels]")
    for row in rows:
        whole = isinstance(row, list) and len(row) == 3 and all(type(v) is int for v in row)
        if not whole or not (0 <= row[0] <= 16 and row[1] in (0, 1) and 1 <= row[2] <= MAX_CHANNELS):
            raise ArgumentError("signature", got=row, expected="[order, parity, channels]")
    return Signature((((False,) * k, p), c) for k, p, c in rows)


def signature_to_rows(signature: Signature) -> tuple[tuple[int, int, int], ...]:
    """Return `(order, parity, channels)` of each block."""
    return tuple((len(k), p, channels) for (k, p), channels in signature)


def _signature_to_json(signature: Signature) -> list[list[int]]:
    return [list(row) for row in signature_to_rows(signature)]


def _frozen(value: Option) -> Option:
    if isinstance(value, Signature):
        return value
    return tuple(_frozen(v) for v in value) if isinstance(value, list | tuple) else value


def _is_plain(value: object) -> bool:
    """Whether a JSON value is free of objects, which have no frozen form."""
    return all(_is_plain(v) for v in value) if isinstance(value, list) else not isinstance(value, Mapping)


def _thawed(value: Option) -> Option:
    return [_thawed(v) for v in value] if isinstance(value, tuple) else value
