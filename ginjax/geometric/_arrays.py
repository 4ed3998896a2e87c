"""Arrays of either library, and where the two are as good."""

import numpy as np
from jax import Array

AnyArray = Array | np.ndarray
"""What a block of an image may be."""
