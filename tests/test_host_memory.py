"""Memory that a process keeps for its programs."""

import subprocess
import sys

import pytest

from ginjax import host_memory
from ginjax.host_memory import keep_freed_memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="settings of the C library of Linux")

BLOCKS = """
import ctypes, resource, sys
from ginjax._memory import _kept_by_heap
from ginjax.host_memory import keep_freed_memory
taken = sys.argv[1] == "kept" and keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.argtypes, libc.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
def filled(size):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = libc.malloc(size)
    ctypes.memset(block, 1, size)
    libc.free(block)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
filled(2**26)
print(int(taken), filled(2**26), _kept_by_heap())
"""


def pages_filled(how: str, **limits: int) -> tuple[int, int, int]:
    """Whether glibc took the settings, pages that a block of 64 MiB takes the second time, and what is kept after it."""
    lines = [
        f"import resource; resource.setrlimit(resource.{name}, ({n}, {n}))" for name, n in limits.items()
    ]
    code = "\n".join([*lines, BLOCKS])
    ran = subprocess.run([sys.executable, "-c", code, how], capture_output=True, text=True, check=True)
    taken, pages, kept = map(int, ran.stdout.split())
    return taken, pages, kept


def test_a_block_that_was_freed_is_used_again():
    taken, pages, kept = pages_filled("kept")
    if not taken:
        pytest.skip("another C library")
    assert pages < 8
    assert 2**26 <= kept < 2**27


def test_without_it_every_page_is_filled_again():
    taken, pages, kept = pages_filled("default")
    assert not taken
    assert pages >= 2**26 // 2**21  # of 2 MiB at most
    assert kept < 2**24


def test_it_works_within_a_limit_of_address_space():
    taken, pages, _ = pages_filled("kept", RLIMIT_AS=2**29)
    assert not taken or pages < 8


@pytest.mark.parametrize("allowed", [None, 2**30])
def test_room_is_made_within_limits(monkeypatch, tmp_path, allowed):
    import resource

    unlimited = resource.RLIM_INFINITY
    limit = (unlimited if allowed is None else allowed, unlimited)
    monkeypatch.setattr(resource, "getrlimit", lambda _: limit)
    monkeypatch.setattr(host_memory, "_STRICT", tmp_path / "overcommit")
    assert host_memory._room() == 2**28 if allowed else host_memory._room() > 2**28
    (tmp_path / "overcommit").write_text("2\n")
    assert host_memory._room() == 0


def test_elsewhere_nothing_is_changed(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()


def test_the_command_line_asks_where_it_computes():
    code = (
        "import sys, ginjax_cli.main as m; m.keep_freed_memory = lambda: print('asked')\n"
        "for line in (['train', '--help'], ['inspect', '--help'], ['--help']):\n"
        "    sys.argv = ['ginjax', *line]\n"
        "    try: m.main()\n"
        "    except SystemExit: print('end')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    words = [line for line in ran.stdout.splitlines() if line in ("asked", "end")]
    assert words == ["asked", "end", "end", "end"]
