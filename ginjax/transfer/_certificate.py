"""The algebraic certificate: how a conversion changed each path, and how exactly."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from ginjax._text import LONGEST_CELL, LONGEST_PART, clean
from ginjax.errors import ArgumentError

TOLERANCES = {
    "float64": 1e-12,
    "float32": 1e-5,
    "float16": 1e-2,
    "bfloat16": 5e-2,
    "float8_e4m3fn": 2e-1,
    "float8_e5m2": 4e-1,
}
"""Largest residual of (C) that counts as exact, by precision of the stored weights."""


def tolerance_of(dtype: np.dtype) -> float:
    """The residual up to which weights of this precision count as exact."""
    return TOLERANCES.get(np.dtype(dtype).name, TOLERANCES["float32"])


Coverage = Literal["weights", "model"]
"""What a digest covers: the weights alone, or everything that a prediction depends on."""


@dataclass(frozen=True)
class PathReport:
    """One path of one convolution.

    **Arguments:**

    - `layer`, `path`: names of both, such as `blocks.0.1.conv` and `k0p0->k1p0`.
    - `before`, `after`: number of filters before and after.
    - `residual`: residual of condition (C) on the stored weights, relative to the largest entry; `residual_new` is
      the part of it on output components that involve an added axis.
    - `free`: number of directions in which the weights could move without changing what (C) preserves.
    - `dropped`: names of old filters that have no counterpart (only for rules that match filters by identity).
    - `note`: why the path is not exact, in words; empty if it is.
    """

    layer: str
    path: str
    before: int
    after: int
    residual: float
    residual_new: float
    free: int
    dropped: tuple[str, ...] = ()
    note: str = ""

    @property
    def called(self) -> str:
        """Layer and path for messages; long names from a file are shortened."""
        return f"{clean(self.layer, LONGEST_CELL)} {clean(self.path, LONGEST_CELL)}"

    @property
    def reason(self) -> str:
        """Why the path is not exact, for messages; empty if it is."""
        return clean(self.note, LONGEST_PART)


@dataclass(frozen=True)
class Certificate:
    """The algebraic certificate of a conversion, computed without running the network.

    **Arguments:**

    - `rule`, `flex`: the rule that was applied; `promises`: whether it promises compatibility.
    - `from_dim`, `to_dim`: the dimensions.
    - `tolerance`: largest residual that counts as exact at the precision of the stored weights.
    - `parity_lift`: whether odd scalars became odd vectors along the added axis.
    - `new_boundaries`: how fields continue beyond the ends of each added axis, `"periodic"`, `"edge"` or `"mirror"`; empty
      if all are periodic. The residuals hold for these boundaries only.
    - `new_axes`: places, counted from 0, of the axes that only the higher dimension has; empty if they are the last.
    - `fields`: the fields that the certificate is about, if the model has gained or lost others since; empty if it is about all.
      They are predicted as in the lower dimension, whatever the new fields are, as long as no field varies along the new axes.
    - `digest`: digest of what the certificate covers. If the digest is a different one now, the certificate is stale.
    - `covers`: what the digest covers. After a conversion of arrays it is the weights alone. In a file it is everything
      that a prediction depends on, including the numbers of the certificate. Earlier versions covered the weights only.
    """

    rule: str
    flex: float | None
    promises: bool
    from_dim: int
    to_dim: int
    tolerance: float
    parity_lift: bool
    digest: str
    paths: tuple[PathReport, ...]
    covers: Coverage = "weights"
    new_boundaries: tuple[str, ...] = ()
    new_axes: tuple[int, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def residual(self) -> float:
        """The largest residual over all paths."""
        return max((path.residual for path in self.paths), default=0.0)

    @property
    def exact(self) -> bool:
        """Whether every residual is within the tolerance."""
        return self.residual <= self.tolerance

    @property
    def inexact_paths(self) -> tuple[PathReport, ...]:
        """The paths whose residual is beyond the tolerance."""
        return tuple(path for path in self.paths if path.residual > self.tolerance)

    def __str__(self) -> str:
        verdict = (
            "exact" if self.exact else f"{len(self.inexact_paths)} of {len(self.paths)} paths are not exact"
        )
        return (
            f"{self.from_dim}D -> {self.to_dim}D by {self.rule}: {verdict}, largest residual {self.residual:.1e} "
            f"of {len(self.paths)} paths"
        )

    def with_tolerance(self, tolerance: float | None) -> "Certificate":
        """The same certificate with another tolerance; None keeps its own."""
        return self if tolerance is None else replace(self, tolerance=tolerance)

    def of_weights(self, digest: str, paths: tuple[PathReport, ...]) -> "Certificate":
        """The same certificate with the paths and the digest of other weights."""
        return replace(self, digest=digest, paths=paths, covers="weights")

    def numbers(self) -> dict[str, object]:
        """The content of the certificate as JSON, without the digest that covers it."""
        return {name: value for name, value in self.to_json().items() if name not in ("digest", "covers")}

    def sealed(self, digest: str) -> "Certificate":
        """The same certificate with a digest of the whole model, which includes its own `numbers`."""
        return replace(self, digest=digest, covers="model")

    def to_json(self) -> dict[str, object]:
        """Convert to a plain JSON object that `from_json` can read."""
        data = asdict(self)
        for name in ("new_boundaries", "new_axes", "fields"):
            if not data[name]:
                del data[name]  # keeps the digest of files of earlier versions
        data["paths"] = [asdict(path) | {"dropped": list(path.dropped)} for path in self.paths]
        return data | {"residual": self.residual, "exact": self.exact}

    @classmethod
    def from_json(cls, data: object) -> "Certificate":
        """Read what `to_json` wrote; an `ArgumentError` says what is wrong with any other value."""
        if not isinstance(data, Mapping) or not isinstance(data.get("paths"), list):
            raise ArgumentError("certificate", expected="an object with the fields of a certificate")
        try:
            _check_types(data, _OWN_TYPES)
            paths = tuple(_path_from_json(row) for row in data["paths"])
            new = data.get("new_boundaries", [])
            if not isinstance(new, list | tuple) or not set(new) <= {"periodic", "edge", "mirror"}:
                raise ValueError(f"new_boundaries = {new!r}"[:60])
            places = data.get("new_axes", [])
            if not isinstance(places, list | tuple) or not all(
                type(each) is int and 0 <= each < 8 for each in places
            ):
                raise ValueError(f"new_axes = {places!r}"[:60])
            fields = data.get("fields", [])
            if not isinstance(fields, list | tuple) or not all(isinstance(each, str) for each in fields):
                raise ValueError(f"fields = {fields!r}"[:60])
            covers = data.get("covers", "weights")  # files of schema 1 do not state it
            if covers not in get_args(Coverage):
                raise ValueError(f"covers = {covers!r}"[:60])
            return cls(
                **{name: data[name] for name in _OWN_TYPES},
                paths=paths,
                covers=covers,
                new_boundaries=tuple(new),
                new_axes=tuple(places),
                fields=tuple(fields),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ArgumentError(
                "certificate", got=str(error), expected="all fields of a certificate"
            ) from None


_OWN_TYPES: dict[str, type | tuple[type, ...]] = {
    "rule": str,
    "flex": (int, float, type(None)),
    "promises": bool,
    "from_dim": int,
    "to_dim": int,
    "tolerance": (int, float),
    "parity_lift": bool,
    "digest": str,
}
_PATH_TYPES: dict[str, type | tuple[type, ...]] = {
    "layer": str,
    "path": str,
    "before": int,
    "after": int,
    "residual": (int, float),
    "residual_new": (int, float),
    "free": int,
    "dropped": list,
    "note": str,
}


def _path_from_json(row: Mapping[str, Any]) -> PathReport:
    if set(row) != set(_PATH_TYPES):
        raise ValueError(f"path with fields {sorted(row)}")
    _check_types(row, _PATH_TYPES)
    values = dict(row)
    values["dropped"] = tuple(str(name) for name in row["dropped"])
    return PathReport(**values)


def _check_types(data: Mapping[str, object], types: Mapping[str, type | tuple[type, ...]]) -> None:
    for name, kind in types.items():
        value = data[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"{name} = {value!r}"[:60])
        if isinstance(value, int) and abs(value) >= 2**53:  # no float holds it
            raise ValueError(f"{name} is too large")
