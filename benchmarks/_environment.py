"""The reference library in an environment of its own, made once, with the same JAX as this one."""

import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

UPSTREAM = "ginjax==0.1.8"
# What importing it needs; its own list of requirements also names tools that it does not import.
IMPORTED = ("torch==2.13.0", "matplotlib", "imageio", "wandb")
SAME_AS_HERE = ("jax", "jaxlib", "equinox", "numpy", "optax")


def upstream_python(folder: Path) -> Path:
    """The interpreter of the environment in `folder`, which is created unless it is complete.

    **Raises:** `subprocess.CalledProcessError` if installing fails.
    """
    python = folder / "bin" / "python"
    done = folder / "complete"
    if not done.exists():
        print(f"installing {UPSTREAM} into {folder}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, "--no-deps", UPSTREAM], check=True)
        subprocess.run([*install, *(f"{n}=={version(n)}" for n in SAME_AS_HERE), *IMPORTED], check=True)
        done.touch()
    return python
