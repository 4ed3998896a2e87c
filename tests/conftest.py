import jax
import pytest


@pytest.fixture
def x64():
    """Float64 for one test; everywhere else arrays are float32."""
    with jax.enable_x64(True):
        yield
