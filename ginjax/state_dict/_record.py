"""What a converted file says of its conversion: the certificate, and what is needed to make it again from two files."""

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
"""For which depths a kernel gives the old network back: all, multiples of the stride, or not."""


@dataclass(frozen=True)
class KernelRecord:
    """What was taken for granted of one kernel.

    **Arguments:**

    - `name`: of the array, in the converted file; `source`: in the one before.
    - `axes`: what the convolution does along each new axis.
    - `holds`: for which depths it is exact; `form`, `beside`: see `Kernel`, in the converted file.
    """

    name: str
    source: str
    axes: tuple[AxisGeometry, ...]
    holds: Holds
    form: Form = "plain"
    beside: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A plain JSON object; `from_json` reads it back."""
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
        """Read what `to_json` wrote; `ArgumentError` for anything else."""
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
    """What is kept of a conversion in the metadata of its file.

    **Arguments:**

    - `version`: of ginjax.
    - `place`: the index of the first new axis in kernels of the higher dimension.
    - `kernels`: one for each array that was carried by the rule.
    - `carried`: other arrays: the name in the file before by the name in this one.
    - `certificate`: how exactly, sealed under a digest of the arrays and of all of this.
    """

    version: str
    place: int
    kernels: tuple[KernelRecord, ...]
    carried: Mapping[str, str]
    certificate: Certificate

    def to_json(self) -> dict[str, Any]:
        """A plain JSON object; `read_record` reads it back."""
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
        """The digest of arrays and of everything that is said of them here, the numbers of the certificate included.

        **Arguments:**

        - `arrays`: by name, or their `array_digest`.
        """
        return model_digest(arrays, self._described() | {"certificate": self.certificate.numbers()})

    def sealed(self, arrays: Mapping[str, np.ndarray] | str) -> "ConversionRecord":
        """The record whose certificate speaks of these arrays."""
        return replace(self, certificate=self.certificate.sealed(self.digest(arrays)))

    def is_stale(self, arrays: Mapping[str, np.ndarray]) -> bool:
        """Whether the arrays, or what is said of them, have changed since the certificate was made."""
        return self.certificate.covers != "model" or self.certificate.digest != self.digest(arrays)

    def text(self) -> str:
        """The entry of the metadata, the same bytes for the same conversion."""
        return dumps(self.to_json())


def read_record(state: StateDict) -> ConversionRecord | None:
    """What a file says of its conversion; None if it says nothing.

    **Raises:** `FileError` for an entry that is no such record.
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
