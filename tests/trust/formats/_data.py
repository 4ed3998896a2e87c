"""How every file of data is read and shown."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray
from data.layouts import numbers


def read_data(path: Path) -> Any:
    from ginjax.data import open_data

    with open_data(path, ask=False) as source:
        found = {}
        for index in sorted({0, source.trajectories - 1}):
            for frame in sorted({0, source.frames_of(index) - 1}):
                found |= {f"{n} {index} {frame}": a for n, a in source.read(index, frame, frame + 1).items()}
            found |= {f"{n} {index}": a for n, a in source.read_constants(index).items()}
    return found


READ: dict[str, Any] = {"read": read_data, "command": ("data", "inspect", "{}", "--json")}

PACKED: dict[str, dict[str, Any]] = {"v": {"dtype": "i2", "scale_factor": 0.5, "add_offset": 100.0}}


def flow() -> xarray.Dataset:
    """Two fields and a constant as xarray writes them; with `PACKED`, one of them as whole numbers."""
    axes = ("run", "time", "x", "y")
    coordinates = {"time": 0.5 * np.arange(3), "x": 0.25 * np.arange(4), "y": 0.25 * np.arange(5)}
    fields: dict[str, Any] = {
        "u": (axes, numbers(2, 3, 4, 5), {"units": "m/s"}),
        "v": (axes, numbers(2, 3, 4, 5, start=500)),
        "bed": (axes[2:], numbers(4, 5, start=900)),
    }
    return xarray.Dataset(fields, coordinates)
