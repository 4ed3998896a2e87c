import jax
import pytest

from ginjax.xla_flags import set_xla_flags

set_xla_flags()  # before any test looks for devices


@pytest.fixture
def x64():
    """Float64 for one test; everywhere else arrays are float32."""
    with jax.enable_x64(True):
        yield
