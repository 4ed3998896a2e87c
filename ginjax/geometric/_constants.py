"""Constants and the names of losses and weight transfer rules."""

import enum

TINY: float = 1e-5
"""The tolerance of comparisons: smaller numbers count as zero."""


class Losses(enum.Enum):
    """Losses by name, for `ginjax.ml.Mapper`."""

    SMSE = 1
    NRMSE = 2
    NRMSE_PER_PIXEL = 3
    L2_REL = 4
    L2_REL_PER_PIXEL = 5


class Rescaling(enum.Enum):
    """How the weights of a convolution change when a model moves to another dimension."""

    VOLUME = "volume"
    COMPATIBILITY = "compatibility"
    ISOTROPIC = "isotropic"
    COMPAT_FLEX = "compat-flex"
    SPIN_EMBED = "spin-embed"
    NO_SCALING = "none"
    COMPATIBILITY_NORM = "compatibility-norm"
