import atexit
import gc
import os
import shutil
import tempfile
from pathlib import Path

import jax
import pytest
from shape_checks import check_shapes, no_shape_checks

from ginjax.xla_flags import set_xla_flags


def share_compiled_programs():
    """Let the processes of one run of the tests, and the commands they start, compile each program once between them."""
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:  # set by the process that began the run
        return
    folder = tempfile.mkdtemp(prefix="ginjax-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, value in (
        ("jax_compilation_cache_dir", folder),
        ("jax_persistent_cache_min_compile_time_secs", 0),
        ("jax_persistent_cache_min_entry_size_bytes", -1),
    ):
        os.environ[name.upper()] = str(value)
        jax.config.update(name, value)


share_compiled_programs()
check_shapes()  # before any test imports the packages
set_xla_flags()  # before any test looks for devices


MAPPINGS = 20_000
"""Of the 65,530 regions of memory that Linux lets a process have; a compiled program holds up to twenty."""


@pytest.fixture(scope="module", autouse=True)
def few_programs_in_memory():
    """Forget the compiled programs of earlier modules before the process runs out of regions of memory and dies."""
    yield
    regions = Path("/proc/self/maps")
    if regions.exists() and regions.read_bytes().count(b"\n") > MAPPINGS:
        jax.clear_caches()
        gc.collect()


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
