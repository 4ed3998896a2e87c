"""One file for each layout of HDF5 data, and one for NumPy files; `HDF5_READERS` is the order in which they are asked."""

from types import ModuleType

from ginjax.data.readers import _pdearena, _pdebench_flat, _pdebench_grouped, _pdebench_incompressible, _well
from ginjax.data.readers._hdf5 import Hdf5 as Hdf5
from ginjax.data.readers._npz import find_numpy as find_numpy

# A module here has `recognises(file)`, `splits(file)` and `find(file, split)`.
HDF5_READERS: tuple[ModuleType, ...] = (
    _well,
    _pdebench_incompressible,
    _pdebench_flat,
    _pdearena,
    _pdebench_grouped,
)
