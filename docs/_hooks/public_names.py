"""A page for each public package: an entry for every name that it exports, and a check that none is missing.

What is exported is read from the package itself: `from ... import X as X` in its `__init__.pyi`, or in its `__init__.py`
where there is no stub. Names of private modules therefore appear nowhere.
"""

import ast
import re
from pathlib import Path
from typing import Any

MARKER = re.compile(r"^<!-- names of ([\w.]+) -->$", re.MULTILINE)

_expected: dict[str, set[str]] = {}


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    root = Path(config.config_file_path).parent

    def entries(found: re.Match[str]) -> str:
        package = found[1]
        names = exported(root, package)
        if not names:
            raise ValueError(f"{page.file.src_uri}: {package} exports nothing")
        full = [f"{package}.{name}" for name in names]
        _expected.setdefault(page.file.dest_uri, set()).update(full)
        return "\n\n".join(f"::: {name}" for name in full)

    return MARKER.sub(entries, markdown)


def on_post_build(config: Any, **_: Any) -> None:
    """Every exported name has a heading of its own in the page that was built."""
    for uri, names in _expected.items():
        built = (Path(config.site_dir) / uri).read_text(encoding="utf-8")
        missing = sorted(name for name in names if f'id="{name}"' not in built)
        if missing:
            raise ValueError(f"{uri}: no entry for {', '.join(missing)}")


def exported(root: Path, package: str) -> list[str]:
    """The names that a package or module exports, in alphabetical order."""
    place = root.joinpath(*package.split("."))
    candidates = (place / "__init__.pyi", place / "__init__.py", place.with_suffix(".py"))
    path = next(each for each in candidates if each.exists())
    body = ast.parse(path.read_text(encoding="utf-8")).body
    names = {
        alias.name
        for node in body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    if not path.name.startswith("__init__"):
        names |= {node.name for node in body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    return sorted((name for name in names if not name.startswith("_")), key=lambda name: (name.lower(), name))
