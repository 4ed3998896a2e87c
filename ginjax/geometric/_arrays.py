"""What counts as an array."""

import numpy as np
from jax import Array

AnyArray = Array | np.ndarray
"""An array of either library, as blocks of images are."""
