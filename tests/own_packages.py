"""A package that is not the library's own, as installing it would leave it, and registries that forget it again."""

import importlib
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ginjax._registry import Registry


def describe_package(folder: Path) -> None:
    """Write into a folder the metadata that installing its `pyproject.toml` in place would write."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    about = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, points in project.get("entry-points", {}).items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n")
    importlib.invalidate_caches()


@contextmanager
def unchanged(registry: Registry) -> Iterator[None]:
    """What is added to a registry, or found to be installed, is forgotten at the end, and its modules with it."""
    known, modules = dict(registry._known), set(sys.modules)
    registry.__dict__.pop("_installed", None)
    try:
        yield
    finally:
        for thing in set(registry._known.values()) - set(known.values()):
            module = getattr(thing, "__module__", "")
            if module not in modules:
                sys.modules.pop(module, None)
        registry._known = known
        registry.__dict__.pop("_installed", None)
