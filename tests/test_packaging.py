"""What `pyproject.toml` and the texts say about installing: declared, of one kind, and never somebody else's project.

On the public package index the name of this project belongs to another one. So no text may tell anyone to install it by
name: it is installed from a clone, and optional libraries are named themselves.
"""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from ginjax._version import __version__
from ginjax.data.readers._xarray import NEEDED
from ginjax.hub import NEEDED as HUB_NEEDED
from ginjax.ml.training._optional import OPTIONAL, how_to_install

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NAME = PROJECT["name"]

FOLDERS = ("ginjax", "ginjax_cli", "docs", "tests", "benchmarks", "fixtures", ".ci")
TEXTS = {".py", ".pyi", ".md", ".toml", ".yml", ".yaml", ".txt", ".cff", ".sh", ""}
SKIPPED = {"__pycache__", ".venv"}

SAME_COMMAND = r"(?:[^&;|\n]|\n(?!\n))"
BY_NAME = re.compile(
    rf"\b(pip3?|pipx|uv|conda|mamba|poetry|pdm)\b{SAME_COMMAND}{{0,60}}?\s(install|add)\b{SAME_COMMAND}{{0,60}}?"
    rf"[\s'\"]{NAME}(?=[\s'\"`\[=<>~!.,)]|$)",
    re.MULTILINE,
)
AN_EXTRA = re.compile(rf"\b{NAME}\[")


def by_name(text: str) -> list[str]:
    """Everything in a text that installs this project, or one of its extras, by name."""
    return [found[0] for pattern in (BY_NAME, AN_EXTRA) for found in pattern.finditer(text)]


def texts() -> list[Path]:
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    found = [path for path in (*ROOT.iterdir(), *inside) if path.is_file() and path.suffix in TEXTS]
    return [path for path in found if not SKIPPED & {*path.parts} and path.name != ".git"]


def test_nothing_is_installed_by_a_name_that_is_not_ours():
    found = {path.relative_to(ROOT).as_posix(): by_name(path.read_text("utf-8")) for path in texts()}
    assert {name: words for name, words in found.items() if words} == {
        "pyproject.toml": [f"{NAME}["]  # the extra `dev` takes the others in: pip asks no index for that
    }
    assert {
        "README.md",
        "pyproject.toml",
        ".ci/run",
        "ginjax/ml/training/_epochs.py",
        "benchmarks/README.md",
    } <= {*found}


@pytest.mark.parametrize(
    "text",
    [
        f"pip install {NAME}",
        f"`pip install {NAME}`.",
        f"python -m pip install --quiet '{NAME}[wandb]'",
        f"hint=\"pip install '{NAME}[wandb]'\"",
        f"pip install -U {NAME}==0.1.8",
        f"uv pip install {NAME}",
        f"uv add {NAME}",
        f"conda install -c conda-forge {NAME}",
        f"pip install\n    {NAME}",
        f"with the extra {NAME}[wandb]",
    ],
)
def test_an_installation_by_name_is_found(text):
    assert by_name(text)


@pytest.mark.parametrize(
    "text",
    [
        f".venv/bin/pip install -q . && .venv/bin/{NAME} convert-d model.safetensors",
        f"pip install -e '.[test]'\n\nand then type {NAME} train; that is all",
        "pip install 'wandb>=0.19'",
        f"pip install -e .; {NAME} train",
        f"{NAME} train",
    ],
)
def test_other_installations_are_left_alone(text):
    assert by_name(text) == []


# --- what is needed --------------------------------------------------------------------------------------------------


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: list[str]) -> dict[str, str]:
    """The specifier of each requirement by its name."""
    return {plain(each.name): str(each.specifier) for each in map(Requirement, requirements)}


def test_what_is_said_to_be_missing_is_what_the_extras_ask_for():
    extras = PROJECT["optional-dependencies"]
    asked = {
        each: text
        for kind in ("tensorboard", "wandb", "mlflow")
        for each, text in declared(extras[kind]).items()
    }
    assert {plain(library): bound for library, bound in OPTIONAL.items()} == asked
    assert declared(extras["xarray"]) == NEEDED
    assert extras["hub"] == [HUB_NEEDED]
    assert how_to_install("wandb") == "pip install 'wandb>=0.19'"


IMPORTED_AS = {"PIL": "pillow"}


def libraries(source: str) -> set[str]:
    """The libraries that a module imports, under the names they are installed by."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.split(".")[0])
    own = {*sys.stdlib_module_names, "ginjax", "ginjax_cli"}
    return {plain(IMPORTED_AS.get(name, name)) for name in names - own}


def test_every_library_that_is_imported_is_declared():
    needed = {*declared(PROJECT["dependencies"])}
    files = [path for package in ("ginjax", "ginjax_cli") for path in (ROOT / package).rglob("*.py*")]
    sources = [path.read_text("utf-8") for path in files if path.suffix in (".py", ".pyi")]
    assert set().union(*map(libraries, sources)) - needed == set()


def test_an_undeclared_library_is_noticed():
    assert libraries("import numpy\ndef f():\n    from PIL.Image import open\nimport scipy.linalg") == {
        *("numpy", "pillow", "scipy")
    }


# --- versions --------------------------------------------------------------------------------------------------------


def releases(changelog: str) -> dict[str, str]:
    """The date of each version in the headings of the changelog, newest first."""
    return dict(re.findall(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$", changelog, re.MULTILINE))


def cited(text: str) -> dict[str, str]:
    """The keys of one line of a CITATION.cff."""
    return dict(re.findall(r"^([a-z-]+): *(\S.*)$", text, re.MULTILINE))


def test_the_version_to_cite_is_that_of_the_package_and_the_newest_of_the_changelog():
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    citation = cited((ROOT / "CITATION.cff").read_text("utf-8"))
    assert next(iter(releases(changelog).items())) == (citation["version"], citation["date-released"])
    assert citation["version"] == __version__ and citation["license"] == PROJECT["license"]
    assert releases("## 0.2.0\n## Unreleased\n") == {}


def test_the_changelog_has_the_usual_categories():
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    usual = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert {*re.findall(r"^### (.*)$", text, re.MULTILINE)} <= usual
    assert re.findall(r"^## (\S+)", text, re.MULTILINE) == ["Unreleased", *releases(text)]


def test_authors_are_those_of_the_license_and_of_the_citation():
    (author,) = PROJECT["authors"]
    for file in ("LICENSE", "CITATION.cff"):
        assert author["name"] in (ROOT / file).read_text("utf-8")


def test_checkers_are_pinned_in_one_place():
    run = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "-e '.[dev]'" in run and "==" not in re.sub(r"(?m)^\s*#.*$", "", run)
    pinned = {
        each.name for each in map(Requirement, PROJECT["optional-dependencies"]["dev"]) if "==" in str(each)
    }
    assert {"ruff", "pyright", "mkdocs", "mkdocs-material"} <= pinned
