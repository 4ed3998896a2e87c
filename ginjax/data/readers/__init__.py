"""Readers for the layouts of data files, one file each. A new reader is a file here and a line in `_registry.py`."""

from ginjax.data._found import Found as Found
from ginjax.data._found import Variable as Variable
from ginjax.data._found import number_variable as number_variable
from ginjax.data._request import FieldRequest as FieldRequest
from ginjax.data.readers._counted import ASSUMED as ASSUMED
from ginjax.data.readers._counted import COUNTED as COUNTED
from ginjax.data.readers._data_file import DataFile as DataFile
from ginjax.data.readers._foreign import Foreign as Foreign
from ginjax.data.readers._foreign import foreign_case as foreign_case
from ginjax.data.readers._foreign import foreign_file as foreign_file
from ginjax.data.readers._foreign import table_hint as table_hint
from ginjax.data.readers._hdf5 import Hdf5 as Hdf5
from ginjax.data.readers._hdf5_tree import ANY_HDF5 as ANY_HDF5
from ginjax.data.readers._reader import DataReader as DataReader
from ginjax.data.readers._reader import Reader as Reader
from ginjax.data.readers._reader import hdf5_reader as hdf5_reader
from ginjax.data.readers._registry import OWN as OWN
from ginjax.data.readers._registry import READERS as READERS
from ginjax.data.readers._registry import register_reader as register_reader
from ginjax.data.readers._well import MAX_ABOUT as MAX_ABOUT
from ginjax.data.readers._zarr_store import is_zarr as is_zarr
