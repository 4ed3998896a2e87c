"""The readers of data files, in the order in which they are tried: one line each, and those that a user adds."""

from __future__ import annotations

from ginjax._registry import Registry, named
from ginjax.data.readers._matlab import MATLAB
from ginjax.data.readers._npz import NUMPY
from ginjax.data.readers._pdearena import PDEARENA
from ginjax.data.readers._pdebench_flat import PDEBENCH
from ginjax.data.readers._pdebench_grouped import PDEBENCH_GROUPED
from ginjax.data.readers._pdebench_incompressible import PDEBENCH_INCOMPRESSIBLE
from ginjax.data.readers._reader import DataReader
from ginjax.data.readers._well import THE_WELL
from ginjax.data.readers._xarray import XARRAY

OWN: tuple[DataReader, ...] = (
    MATLAB,
    THE_WELL,
    PDEBENCH_INCOMPRESSIBLE,
    PDEBENCH,
    PDEARENA,
    PDEBENCH_GROUPED,
    XARRAY,
    NUMPY,
)
"""The readers that come with the library."""


READERS: Registry[DataReader] = Registry(
    "reader",
    {reader.name: reader for reader in OWN},
    home="ginjax.data.readers._registry:READERS",
    group="ginjax.readers",
    check=named("reader", DataReader, "ginjax.data.readers.Reader"),
)
"""Every reader by name: the library's own, then those of `register_reader` and of installed packages. The first reader that
recognises a file reads it.
"""


def register_reader(reader: DataReader) -> DataReader:
    """Register a reader for data files of another layout, until the program ends.

    **Arguments:**

    - `reader`: the reader; see any file of `ginjax/data/readers` for an example.

    **Returns:** `reader`.

    **Raises:** `ArgumentError` for a name that is taken.
    """
    return READERS.add(reader.name, reader)
