"""Every core of the processor as a device of its own."""

import os
import subprocess
import sys

import pytest

from ginjax import _control_groups, xla_flags
from ginjax.cpu_devices import usable_cores
from ginjax.xla_flags import is_xla_flag, let_devices_wait

FREE = {name: value for name, value in os.environ.items() if name not in ("XLA_FLAGS", "JAX_NUM_CPU_DEVICES")}


def told(code: str, **variables: str) -> list[str]:
    command = [
        sys.executable,
        "-c",
        f"from ginjax.cpu_devices import one_device_per_core\nimport jax\n{code}",
    ]
    env = FREE | {"JAX_PLATFORMS": "cpu"} | variables
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.split()


ASK = "print(one_device_per_core(), len(jax.devices()))"
THREE = "import ginjax.cpu_devices as m; m.usable_cores = lambda: 3\n"


def test_every_core_is_a_device():
    assert told(THREE + ASK) == ["True", "3"]
    assert told(ASK) == [str(usable_cores() > 1), str(usable_cores())]


@pytest.mark.parametrize(
    "variables",
    [{"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}, {"JAX_NUM_CPU_DEVICES": "2"}],
)
def test_what_the_user_set_stays(variables):
    assert told(THREE + ASK, **variables) == ["False", "2"]


def test_after_jax_has_looked_for_devices_nothing_changes():
    assert told(f"{THREE}jax.devices()\nprint(one_device_per_core(), len(jax.devices()))") == ["False", "1"]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="processes are not bound to cores here")
def test_the_cores_that_the_process_may_use(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(_control_groups, "_GROUPS", tmp_path / "group")
    monkeypatch.setattr(_control_groups, "_ROOT", tmp_path / "root")
    assert usable_cores() == 8
    (tmp_path / "root" / "a" / "b").mkdir(parents=True)
    (tmp_path / "group").write_text("1:memory:/other\n0::/a/b\n")
    for inner, outer, cores in (
        ("max 100000", "max 100000", 8),
        ("max 100000", "350000 100000", 3),  # of the group around the own one
        ("200000 100000", "350000 100000", 2),
        ("50000 100000", "max 100000", 1),
        ("1600000 100000", "", 8),
        ("damaged", "3", 8),
    ):
        (tmp_path / "root" / "a" / "b" / "cpu.max").write_text(inner + "\n")
        (tmp_path / "root" / "a" / "cpu.max").write_text(outer + "\n")
        assert usable_cores() == cores, (inner, outer)


LATE = "xla_cpu_collective_call_terminate_timeout_seconds"


def test_devices_may_wait_for_one_another(monkeypatch):
    """Only with flags that this release has: the process would die of others."""
    monkeypatch.setenv("XLA_FLAGS", f"--{LATE}=7")
    let_devices_wait()
    assert os.environ["XLA_FLAGS"].count(LATE) == 1 and f"--{LATE}=7" in os.environ["XLA_FLAGS"]
    monkeypatch.delenv("XLA_FLAGS")
    let_devices_wait()
    assert os.environ["XLA_FLAGS"] == f"--{LATE}=600"
    assert is_xla_flag(LATE) and not is_xla_flag("xla_cpu_no_such_flag")
    monkeypatch.setattr(xla_flags, "_WAITING", "xla_cpu_no_such_flag")
    let_devices_wait()
    assert os.environ["XLA_FLAGS"] == f"--{LATE}=600"
    assert told(f"import os\n{THREE}one_device_per_core(); print(os.environ['XLA_FLAGS'])") == [
        f"--{LATE}=600"
    ]
