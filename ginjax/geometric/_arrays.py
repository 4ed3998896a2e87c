"""The type of arrays that are accepted."""

import numpy as np
from jax import Array

AnyArray = Array | np.ndarray
"""An array of JAX or NumPy; blocks of images are such arrays."""
