"""Rivals in environments of their own, made once: the reference library with the same JAX as this one, and PyTorch."""

import subprocess
import sys
import venv
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

UPSTREAM = "ginjax==0.1.8"
TORCH = "torch==2.13.0"
# What importing it needs; its own list of requirements also names tools that it does not import.
IMPORTED = (TORCH, "matplotlib", "imageio", "wandb")
SAME_AS_HERE = ("jax", "jaxlib", "equinox", "numpy", "optax")


def upstream_python(folder: Path) -> Path:
    """The interpreter of the reference library's environment in `folder`; see `_environment`."""
    same = [f"{name}=={version(name)}" for name in SAME_AS_HERE]
    return _environment(folder, UPSTREAM, (["--no-deps", UPSTREAM], [*same, *IMPORTED]))


def torch_python(folder: Path) -> Path:
    """The interpreter of PyTorch's environment in `folder`, in its build for processors; see `_environment`."""
    index = ["--index-url", "https://download.pytorch.org/whl/cpu"]
    return _environment(folder, TORCH, ([*index, TORCH, "numpy"],))


def _environment(folder: Path, what: str, installed: Sequence[Sequence[str]]) -> Path:
    """The interpreter of the environment in `folder`, which is created unless it is complete.

    **Raises:** `subprocess.CalledProcessError` if installing fails.
    """
    python = folder / "bin" / "python"
    done = folder / "complete"
    if not done.exists():
        print(f"installing {what} into {folder}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        for arguments in installed:
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", *arguments], check=True)
        done.touch()
    return python
