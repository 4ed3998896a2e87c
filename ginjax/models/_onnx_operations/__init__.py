"""Translations of the JAX operations in networks to ONNX operators, with one family in each file."""

from . import _convolutions as _convolutions
from . import _entries as _entries
from . import _numbers as _numbers
from . import _padding as _padding
from . import _parts as _parts
from . import _places as _places
from . import _shapes as _shapes
from . import _sums as _sums
from ._registry import OPERATIONS as OPERATIONS
