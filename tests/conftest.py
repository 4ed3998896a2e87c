import atexit
import gc
import os
import shutil
import tempfile
from pathlib import Path

import jax
import pytest
from pictures import pytest_runtest_protocol as pytest_runtest_protocol
from processor_time import pytest_runtest_logreport as pytest_runtest_logreport
from processor_time import pytest_runtest_makereport as pytest_runtest_makereport
from processor_time import pytest_runtestloop as pytest_runtestloop
from processor_time import pytest_terminal_summary as pytest_terminal_summary
from shape_checks import check_shapes, no_shape_checks

from ginjax.xla_flags import is_xla_flag, set_xla_flags


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


CHEAP = {
    "xla_cpu_use_fusion_emitters": "false",
    "xla_backend_optimization_level": "0",
    "xla_cpu_parallel_codegen_split_count": "1",
}


def compile_cheaply():
    """Let XLA write its loops itself, in one piece, and LLVM leave them as they are: tests run a program a few times at most.

    A flag that stands in `XLA_FLAGS` already stays as it is. One that this release of XLA does not have is left out (without
    the first there is no other way, as in JAX 0.12).
    """
    flags = os.environ.get("XLA_FLAGS", "")
    for name, value in CHEAP.items():
        if name not in flags and is_xla_flag(name):
            flags += f" --{name}={value}"
    os.environ["XLA_FLAGS"] = flags.strip()


def leave_the_processor_whole():
    """Let no `train` make devices of the cores of this process, or of a command that a test starts: all have the same programs."""
    os.environ.setdefault("JAX_NUM_CPU_DEVICES", "1")
    jax.config.update("jax_num_cpu_devices", int(os.environ["JAX_NUM_CPU_DEVICES"]))


def collect_garbage_seldom():
    """Tracing makes so many short-lived objects that looking for circles among them takes a tenth of the time."""
    gc.set_threshold(50_000, 20, 50)


def pytest_collection_finish():
    """What was imported stays, and is not looked through again."""
    gc.collect()
    gc.freeze()


collect_garbage_seldom()
share_compiled_programs()
compile_cheaply()
leave_the_processor_whole()
check_shapes()  # before any test imports the packages
set_xla_flags()  # before any test looks for devices


MAPPINGS = 40_000
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
