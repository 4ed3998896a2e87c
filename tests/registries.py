"""The registries, how a test leaves them as they were, and packages as installing them would leave them."""

import importlib
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ginjax.data import PDES, READERS
from ginjax.ml import LOGGERS, LOSSES, METRICS, OPTIMISERS, PICTURES, SCHEDULES
from ginjax.models import ACTIVATION_REGISTRY, ARCHITECTURES
from ginjax.transfer import RULES

REGISTRIES = (
    ARCHITECTURES,
    RULES,
    READERS,
    PDES,
    METRICS,
    ACTIVATION_REGISTRY,
    LOSSES,
    OPTIMISERS,
    SCHEDULES,
    LOGGERS,
    PICTURES,
)


@contextmanager
def left_as_they_were() -> Iterator[Callable[[], None]]:
    """What is added or installed inside is gone afterwards.

    Gives a function that makes the registries forget what was added, and look for installed packages once more.
    """
    own, modules = [dict(registry._known) for registry in REGISTRIES], set(sys.modules)

    def forget() -> None:
        for registry, known in zip(REGISTRIES, own, strict=True):
            for name in set(registry._known) - set(known):
                module = getattr(registry._known[name], "__module__", "")
                if module not in modules:
                    sys.modules.pop(module, None)
            registry._known = dict(known)
            registry.__dict__.pop("_installed", None)

    forget()
    try:
        yield forget
    finally:
        forget()


def installed(folder: Path, entries: dict[str, dict[str, str]], name: str = "own_things") -> None:
    """Write what `pip install` leaves behind of a package that offers things.

    - `folder`: on the path of modules.
    - `entries`: by entry point group, `module:NAME` by the name of a thing.
    """
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in things.items())
            for group, things in entries.items()
        )
    )
    importlib.invalidate_caches()


def as_if_installed(folder: Path) -> None:
    """What installing the project in a folder, in place, would make of its entry points."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    installed(folder, project["entry-points"], project["name"].replace("-", "_"))
