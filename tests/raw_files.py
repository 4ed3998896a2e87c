"""Files with headers as they are given: of earlier versions, and what nobody should write."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from ginjax.transfer import model_digest


def with_checksum(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The header with the checksum that belongs to it and the arrays; the first version had none."""
    rest = {name: value for name, value in header.items() if name != "checksum"}
    return rest if rest.get("schema") == 1 else rest | {"checksum": model_digest(arrays, rest)}


def write_raw(
    path: Path, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray], *, renew: bool = True
) -> None:
    """Write a file without asking whether its header makes sense; `renew` gives it the checksum that belongs to it."""
    stored = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    whole = with_checksum(header, arrays) if renew else header
    path.write_bytes(save(stored, metadata={"ginjax": json.dumps(whole)}))
