"""How much memory is left, of the system and of the control groups of a process."""

import pytest

from ginjax import _control_groups, _memory
from ginjax._memory import free_memory


@pytest.fixture
def system(tmp_path, monkeypatch):
    for name, text in (
        ("meminfo", "MemTotal:  1000 kB\nMemAvailable:    300 kB\n"),
        ("group", "0::/a/b\n"),
        ("root/a/memory.max", "200000\n"),
        ("root/a/memory.current", "150000\n"),
        ("root/a/memory.stat", "anon 3\ninactive_file 20000\n"),
        ("root/a/b/memory.max", "max\n"),
        ("root/a/b/memory.current", "1\n"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(_memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(_control_groups, "_GROUPS", tmp_path / "group")
    monkeypatch.setattr(_control_groups, "_ROOT", tmp_path / "root")
    monkeypatch.setattr(_memory, "_MAPPINGS", tmp_path / "smaps")
    return tmp_path


def test_the_smallest_limit_counts(system):
    assert free_memory() == 70_000  # of the group around the own one, with what it keeps of files
    (system / "root/a/b/memory.max").write_text("60001\n")
    assert free_memory() == 60_000  # of the own one
    (system / "root/a/b/memory.max").write_text("max\n")
    (system / "root/a/memory.max").write_text("10000000\n")
    assert free_memory() == 300 * 1024
    (system / "meminfo").unlink()
    (system / "group").unlink()
    assert free_memory() is None


def test_of_this_computer():
    found = free_memory()
    assert found is None or found > 2**20


def test_what_the_heap_keeps_is_free(system, monkeypatch):
    heap = "01-02 rw-p 0 00:00 0 [heap]\nSize: 90 kB\nRss: 50 kB\nVmFlags: rd wr\n"
    (system / "smaps").write_text(
        f"00-01 r--p 0 00:00 0\nRss: 7 kB\n{heap}{heap}02-03 r--p 0 00:00 0 [stack]\nRss: 7 kB\n"
        "03-04 r--p 0 00:00 0 [heap]\nRss: not read, of the tens of thousands that there may be\n"
    )
    monkeypatch.setattr(_memory, "_in_use", lambda: 40 * 1024)
    assert free_memory() == 70_000 + 60 * 1024
    monkeypatch.setattr(_memory, "_in_use", lambda: 101 * 1024)
    assert free_memory() == 70_000
