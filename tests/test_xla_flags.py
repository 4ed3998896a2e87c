"""Settings of XLA for a whole process."""

import os
import subprocess
import sys

import pytest

from ginjax.xla_flags import set_xla_flags

OURS = "--xla_backend_extra_options=xla_cpu_disable_loop_unrolling"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, OURS),
        ("", OURS),
        ("--xla_cpu_multi_thread_eigen=false", f"--xla_cpu_multi_thread_eigen=false {OURS}"),
        (OURS, OURS),
        ("--xla_backend_extra_options=other", "--xla_backend_extra_options=other"),
    ],
)
def test_what_the_user_set_stays(monkeypatch, before, after):
    if before is None:
        monkeypatch.delenv("XLA_FLAGS", raising=False)
    else:
        monkeypatch.setenv("XLA_FLAGS", before)
    set_xla_flags()
    assert os.environ["XLA_FLAGS"] == after


def test_the_command_line_asks_before_jax_starts():
    code = (
        "import os, sys, ginjax_cli.main as m; sys.argv = ['ginjax', '--version']\n"
        "try: m.main()\n"
        "finally: print(os.environ.get('XLA_FLAGS'), 'jax' in sys.modules)"
    )
    plain = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    ran = subprocess.run([sys.executable, "-c", code], env=plain, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == f"{OURS} False"
