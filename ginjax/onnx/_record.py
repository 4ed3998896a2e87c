"""The record of a conversion in the metadata of a converted graph."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from ginjax.checkpoint import JsonProblem, dumps, parse_json
from ginjax.errors import ArgumentError, FileError
from ginjax.state_dict import RECORD_KEY
from ginjax.transfer import Certificate, model_digest

from ._read import OnnxNetwork, tensors_of
from ._walk import Boundary

_SCHEMA = 1
_FIELDS = {"schema", "version", "rule", "last", "boundary", "channels_last", "blind", "stride", "certificate"}
_SINCE = {"new_axes"}
"""Fields that records of earlier versions do not have."""


@dataclass(frozen=True)
class OnnxRecord:
    """The record of a conversion.

    **Arguments:**

    - `version`: version of ginjax.
    - `rule`: the rule for kernels along the new axes; `last`: whether the new axes come after the others; `boundary`: how fields
      continue beyond their ends where the graph pads with zeros; `channels_last`: whether the channels are the last axis.
    - `blind`: whether the network treats the slices of a field one by one.
    - `stride`: points of the new axis that become one point at the coarsest level.
    - `new_axes`: for each output, the places of the new axes; None in a record that does not state them.
    - `certificate`: how exactly each new kernel reproduces the old one, sealed with a digest of the whole graph and of this
      record.
    """

    version: str
    rule: str
    last: bool
    boundary: Boundary
    channels_last: bool
    blind: bool
    stride: int
    certificate: Certificate
    new_axes: tuple[tuple[int, ...], ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Convert to a plain JSON object that `read_onnx_record` can read."""
        return self._described() | {"certificate": self.certificate.to_json()}

    def _described(self) -> dict[str, Any]:
        said = {} if self.new_axes is None else {"new_axes": [list(places) for places in self.new_axes]}
        return said | {
            "schema": _SCHEMA,
            "version": self.version,
            "rule": self.rule,
            "last": self.last,
            "boundary": self.boundary,
            "channels_last": self.channels_last,
            "blind": self.blind,
            "stride": self.stride,
        }

    def _digest(self, network: OnnxNetwork) -> str:
        """The digest of a graph and of this record about it, including the numbers of the certificate."""
        said = self._described() | {"certificate": self.certificate.numbers()}
        return model_digest(graph_digest(network), said)

    def sealed(self, network: OnnxNetwork) -> OnnxRecord:
        """The record with its certificate sealed for this graph."""
        return replace(self, certificate=self.certificate.sealed(self._digest(network)))

    def is_stale(self, network: OnnxNetwork) -> bool:
        """Whether the graph has changed since the certificate was made, or the certificate covers only a part of it."""
        return self.certificate.covers != "model" or self.certificate.digest != self._digest(network)

    def put_into(self, network: OnnxNetwork) -> None:
        """Store the record in the metadata of a graph, in place of an earlier record."""
        kept = [(each.key, each.value) for each in network.model.metadata_props if each.key != RECORD_KEY]
        del network.model.metadata_props[:]
        for key, value in (*kept, (RECORD_KEY, dumps(self.to_json()))):
            entry = network.model.metadata_props.add()
            entry.key, entry.value = key, value


def graph_digest(network: OnnxNetwork) -> str:
    """SHA-256, in hexadecimal, of a graph and its weights, in whatever files these are."""
    digest = hashlib.sha256()
    model = type(network.model)()
    model.CopyFrom(network.model)
    del model.metadata_props[:]
    for tensor in tensors_of(model.graph):
        digest.update(hashlib.sha256(tensor.raw_data).digest())
        tensor.ClearField("raw_data")
    digest.update(model.SerializeToString(deterministic=True))
    return digest.hexdigest()


def read_onnx_record(network: OnnxNetwork) -> OnnxRecord | None:
    """Read the record of a conversion from a graph; None if it has none.

    **Raises:** `FileError` for an entry that is not such a record.
    """
    text = network.metadata.get(RECORD_KEY)
    if text is None:
        return None
    try:
        return _from_json(parse_json(text))
    except (JsonProblem, ArgumentError) as problem:
        raise FileError(
            f"{network.path}: the metadata {RECORD_KEY!r} cannot be read: {problem}",
            hint="The file is corrupt or was changed by hand.",
        ) from problem


def _from_json(data: object) -> OnnxRecord:
    if not isinstance(data, dict) or set(data) - _SINCE != _FIELDS:
        raise ArgumentError("conversion", expected=f"an object with {sorted(_FIELDS)}")
    if data["schema"] != _SCHEMA:
        raise ArgumentError("schema of the conversion", got=repr(data["schema"])[:40], expected=_SCHEMA)
    if not all(type(data[name]) is bool for name in ("last", "channels_last", "blind")):
        raise ArgumentError("conversion", expected="true or false for last, channels_last and blind")
    if not all(isinstance(data[name], str) for name in ("version", "rule")):
        raise ArgumentError("conversion", expected="texts for version and rule")
    if data["boundary"] not in get_args(Boundary):
        raise ArgumentError("boundary of a conversion", expected=" or ".join(get_args(Boundary)))
    if type(data["stride"]) is not int or not 1 <= data["stride"] <= 2**20:
        raise ArgumentError("stride of a conversion", expected="1 to 2^20")
    return OnnxRecord(
        version=data["version"],
        rule=data["rule"],
        last=data["last"],
        boundary=cast(Boundary, data["boundary"]),
        channels_last=data["channels_last"],
        blind=data["blind"],
        stride=data["stride"],
        certificate=Certificate.from_json(data["certificate"]),
        new_axes=_places(data.get("new_axes")),
    )


def _places(found: Any) -> tuple[tuple[int, ...], ...] | None:
    if found is None:
        return None
    if not isinstance(found, list) or not all(map(_is_row, found)):
        raise ArgumentError("new axes of a conversion", expected="a list of places for each output")
    return tuple(map(tuple, found))


def _is_row(found: object) -> bool:
    return isinstance(found, list) and all(type(n) is int and 0 <= n < 64 for n in found)
