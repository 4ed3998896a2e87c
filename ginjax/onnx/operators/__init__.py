"""The conversion of each ONNX operator to the next dimension, one file for each family of operators."""

from . import _attention as _attention
from . import _elementwise as _elementwise
from . import _folded as _folded
from . import _joined as _joined
from . import _kernels as _kernels
from . import _norms as _norms
from . import _one_axis as _one_axis
from . import _padding as _padding
from . import _pools as _pools
from . import _reductions as _reductions
from . import _reshaped as _reshaped
from . import _resize as _resize
from . import _slices as _slices
from ._kernels import ENDS as ENDS
from ._registry import OPERATORS as OPERATORS
