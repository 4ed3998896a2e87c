"""Constants and the names of the weight transfer rules."""

import enum

TINY: float = 1e-5
"""Numbers smaller than this count as zero in tolerant comparisons."""


class Rescaling(enum.Enum):
    """How the weights of a convolution change when a model moves to another dimension."""

    VOLUME = "volume"
    COMPATIBILITY = "compatibility"
    ISOTROPIC = "isotropic"
    COMPAT_FLEX = "compat-flex"
    SPIN_EMBED = "spin-embed"
    NO_SCALING = "none"
    COMPATIBILITY_NORM = "compatibility-norm"
