"""`oldest.txt` is what `pyproject.toml` promises: the lower bound of everything that is needed, as a version."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent


def bounds(requirements: list[str]) -> dict[str, Version]:
    """The version behind `>=` or `==`, the only sign that is allowed, by name."""
    found = {}
    for requirement in map(Requirement, requirements):
        (specifier,) = requirement.specifier
        assert specifier.operator in (">=", "=="), requirement
        found[requirement.name.replace("_", "-")] = Version(specifier.version)
    return found


def test_the_oldest_versions_are_the_lower_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    promised = bounds(project["dependencies"] + project["optional-dependencies"]["test"])
    lines = (ROOT / "tests" / "oldest.txt").read_text("utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert all("==" in line for line in pinned)
    assert bounds(pinned) == promised


def test_a_gpu_needs_no_other_jax():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert bounds(project["optional-dependencies"]["cuda"])["jax"] == bounds(project["dependencies"])["jax"]


def test_another_bound_is_noticed():
    assert bounds(["jax>=0.8"]) == bounds(["jax==0.8.0"]) != bounds(["jax==0.8.1"])
