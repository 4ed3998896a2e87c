import jax
import pytest
from shape_checks import check_shapes, no_shape_checks

from ginjax.xla_flags import set_xla_flags

check_shapes()  # before any test imports the packages
set_xla_flags()  # before any test looks for devices


@pytest.fixture
def x64():
    """Float64 for one test; everywhere else arrays are float32."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def wrong_arrays():
    """For a test of what the library itself says to arrays of a wrong shape or type."""
    with no_shape_checks():
        yield
