"""The record of a conversion in the converted file: the certificate, and what is needed to measure it again from two files."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from ginjax.checkpoint import JsonProblem, dumps, parse_json
from ginjax.errors import ArgumentError, FileError
from ginjax.transfer import AxisGeometry, Certificate, model_digest

from ._kernels import Form
from ._read import StateDict

RECORD_KEY = "ginjax.conversion"
SCHEMA = 1
Holds = Literal["always", "divides", "no"]
"""The depths for which a kernel reproduces the old network: all, multiples of the stride, or none."""


@dataclass(frozen=True)
class KernelRecord:
    """What the conversion of one kernel was based on.

    **Arguments:**

    - `name`: name of the array in the converted file; `source`: its name in the file before.
    - `axes`: the geometry of the convolution along each new axis.
    - `holds`: the depths for which it is exact; `form`, `beside`: as in `Kernel`, for the converted file.
    """

    name: str
    source: str
    axes: tuple[AxisGeometry, ...]
    holds: Holds
    form: Form = "plain"
    beside: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Convert to a plain JSON object that `from_json` can read."""
        return {
            "name": self.name,
            "source": self.source,
            "axes": [axis.to_json() for axis in self.axes],
            "holds": self.holds,
            "form": self.form,
            "beside": list(self.beside),
        }

    @classmethod
    def from_json(cls, data: Any) -> "KernelRecord":
        """Read what `to_json` wrote; an `ArgumentError` for any other value."""
        if not isinstance(data, dict) or set(data) != {"name", "source", "axes", "holds", "form", "beside"}:
            raise ArgumentError("kernel of a conversion", expected="an object with all its fields")
        if not all(isinstance(each, str) for each in (data["name"], data["source"])):
            raise ArgumentError("kernel of a conversion", expected="names")
        if data["holds"] not in get_args(Holds) or data["form"] not in get_args(Form):
            raise ArgumentError(f"kernel {data['name']!r}", expected="a known form, and when it holds")
        if not isinstance(data["axes"], list) or not 1 <= len(data["axes"]) <= 2:
            raise ArgumentError(f"kernel {data['name']!r}", expected="one or two axes")
        if not isinstance(data["beside"], list) or not all(isinstance(each, str) for each in data["beside"]):
            raise ArgumentError(f"kernel {data['name']!r}", expected="names of the arrays beside it")
        axes = tuple(AxisGeometry.from_json(axis) for axis in data["axes"])
        return cls(data["name"], data["source"], axes, data["holds"], data["form"], tuple(data["beside"]))


@dataclass(frozen=True)
class ConversionRecord:
    """The record of a conversion in the metadata of its file.

    **Arguments:**

    - `version`: version of ginjax.
    - `place`: the index of the first new axis in kernels of the higher dimension.
    - `kernels`: one for each array that was converted by the rule.
    - `carried`: for the other arrays, the name in the file before by the name in this file.
    - `certificate`: the certificate, sealed with a digest of the arrays and of this whole record.
    """

    version: str
    place: int
    kernels: tuple[KernelRecord, ...]
    carried: Mapping[str, str]
    certificate: Certificate

    def to_json(self) -> dict[str, Any]:
        """Convert to a plain JSON object that `read_record` can read."""
        return self._described() | {"certificate": self.certificate.to_json()}

    def _described(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "version": self.version,
            "place": self.place,
            "kernels": [each.to_json() for each in self.kernels],
            "carried": dict(self.carried),
        }

    def digest(self, arrays: Mapping[str, np.ndarray] | str) -> str:
        """The digest of arrays and of this record about them, including the numbers of the certificate.

        **Arguments:**

        - `arrays`: the arrays by name, or their `array_digest`.
        """
        return model_digest(arrays, self._described() | {"certificate": self.certificate.numbers()})

    def sealed(self, arrays: Mapping[str, np.ndarray] | str) -> "ConversionRecord":
        """The record with its certificate sealed for these arrays."""
        return replace(self, certificate=self.certificate.sealed(self.digest(arrays)))

    def is_stale(self, arrays: Mapping[str, np.ndarray]) -> bool:
        """Whether the arrays or the record have changed since the certificate was made."""
        return self.certificate.covers != "model" or self.certificate.digest != self.digest(arrays)

    def text(self) -> str:
        """The metadata entry; the same conversion gives the same bytes."""
        return dumps(self.to_json())


def read_record(state: StateDict) -> ConversionRecord | None:
    """Read the record of a conversion from a file; None if it has none.

    **Raises:** `FileError` for an entry that is not such a record.
    """
    text = state.metadata.get(RECORD_KEY)
    if text is None:
        return None
    try:
        data = parse_json(text)
        return _from_json(data)
    except (JsonProblem, ArgumentError) as problem:
        raise FileError(
            f"{state.path}: the metadata {RECORD_KEY!r} cannot be read: {problem}",
            hint="The file is corrupt or was changed by hand.",
        ) from problem


def _from_json(data: object) -> ConversionRecord:
    fields = {"schema", "version", "place", "kernels", "carried", "certificate"}
    if not isinstance(data, dict) or not fields <= set(data):
        raise ArgumentError("conversion", expected=f"an object with {sorted(fields)}")
    if data["schema"] != SCHEMA:
        raise ArgumentError("schema of the conversion", got=repr(data["schema"])[:40], expected=SCHEMA)
    if type(data["place"]) is not int or not 0 <= data["place"] <= 4:
        raise ArgumentError("place of the new axes", got=repr(data["place"])[:40], expected="0 to 4")
    carried, kernels = data["carried"], data["kernels"]
    if not isinstance(data["version"], str) or not isinstance(kernels, list):
        raise ArgumentError("conversion", expected="a version and a list of kernels")
    if not isinstance(carried, dict) or not all(isinstance(each, str) for each in carried.values()):
        raise ArgumentError("arrays carried over", expected="names by names")
    return ConversionRecord(
        data["version"],
        data["place"],
        tuple(KernelRecord.from_json(row) for row in kernels),
        carried,
        Certificate.from_json(data["certificate"]),
    )
