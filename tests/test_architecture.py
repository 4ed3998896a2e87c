"""The floors of the house, held by reading the imports of every file.

Each rule is a function from source text to the lines that break it, so that it can be tried on text that does.
"""

import ast
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import typer
from command_line import app
from typer.main import get_command

from ginjax_cli.main import COMMANDS, GROUPS

ROOT = Path(__file__).parent.parent
ORDER = (
    "_version",
    "errors",
    "xla_flags",
    "filters",
    "transfer",
    "checkpoint",
    "geometric",
    "layers",
    "models",
    "data",
    "ml",
)
GROUND = {"_version", "errors", "xla_flags", "filters", "transfer", "checkpoint"}
GROUND_LIBRARIES = {"numpy", "safetensors", "ml_dtypes", "lazy_loader"}
FORBIDDEN_IN_LIBRARY = {"rich", "typer", "click", "ginjax_cli"}
CLI_LIBRARIES = {"typer"}
FILES = sorted(
    path
    for name in ("ginjax", "ginjax_cli")
    for path in (ROOT / name).rglob("*.py*")
    if path.suffix in (".py", ".pyi")
)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts)  # a package is named `a.__init__`, so that one level up is always its folder


def imports(module: str, tree: ast.AST) -> Iterator[str]:
    """The full names of everything imported anywhere below a node, relative and by name at run time included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*module.split(".")[: -node.level], *filter(None, [base])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and called(node).split(".")[-1] in ("import_module", "__import__"):
            yield from (
                a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
            )


def called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def package_of(name: str) -> str | None:
    """`filters` for `ginjax.filters._bank`; None outside of the library."""
    parts = name.split(".")
    return parts[1] if parts[0] == "ginjax" and len(parts) > 1 else None


def outside(name: str) -> str | None:
    """The name of a library that is neither Python's nor ours."""
    top = name.split(".")[0]
    return None if top in sys.stdlib_module_names or top in ("ginjax", "ginjax_cli") else top


def upward(module: str, source: str) -> list[str]:
    """Imports of a package that stands above the module's own."""
    own = package_of(module)
    if own not in ORDER:
        return [f"{module} is in no package of the house"] if own not in (None, "__init__") else []
    allowed = ORDER[: ORDER.index(own) + 1]
    found = imports(module, ast.parse(source))
    return [f"{module} imports {name}" for name in found if (package_of(name) or own) not in allowed]


def heavy_on_the_ground(module: str, source: str) -> list[str]:
    """Libraries that the ground floor does without, JAX above all."""
    if package_of(module) not in GROUND:
        return []
    found = imports(module, ast.parse(source))
    return [f"{module} imports {n}" for n in found if (outside(n) or "numpy") not in GROUND_LIBRARIES]


def printing(module: str, source: str) -> list[str]:
    """In the library: anything that writes to the terminal. In the command line: outside of the one sink."""
    tree = ast.parse(source)
    if module.startswith("ginjax_cli"):
        names = {
            "print",
            "pprint",
            "typer.echo",
            "typer.secho",
            "rich.print",
            "sys.stdout.write",
            "sys.stderr.write",
        }
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node) in names]
        return [] if module == "ginjax_cli._output" else [f"{module}:{node.lineno}" for node in calls]
    found = [
        f"{module} imports {n}" for n in imports(module, tree) if n.split(".")[0] in FORBIDDEN_IN_LIBRARY
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node).split(".")[-1] in ("print", "pprint"):
            found.append(f"{module}:{node.lineno} prints")
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.stdout", "sys.stderr"):
            found.append(f"{module}:{node.lineno} uses {ast.unparse(node)}")
    return found


def heavy_commands(module: str, source: str) -> list[str]:
    """Imports that run when a command file is imported, and so before any `--help`."""
    if not module.startswith("ginjax_cli"):
        return []
    found = [name for node in run_on_import(ast.parse(source).body) for name in imports(module, node)]
    return [
        f"{module} imports {name} at once"
        for name in found
        if (outside(name) or "typer") not in CLI_LIBRARIES
        or package_of(name) not in (None, "errors", "xla_flags")
    ]


def run_on_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that importing a file runs: no bodies of functions, nothing for type checkers only."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from run_on_import(node.orelse)
            continue
        inner = [getattr(node, field, []) for field in ("body", "orelse", "finalbody")]
        inner += [handler.body for handler in getattr(node, "handlers", [])]
        if any(inner):
            for part in inner:
                yield from run_on_import(part)
        else:
            yield node


RULES = [upward, heavy_on_the_ground, printing, heavy_commands]


@pytest.mark.parametrize("rule", RULES)
def test_every_file_keeps_the_rule(rule):
    broken = [line for path in FILES for line in rule(module_of(path), path.read_text("utf-8"))]
    assert broken == []


@pytest.mark.parametrize(
    ("rule", "module", "source"),
    [
        (upward, "ginjax.filters._x", "from ginjax.transfer import y"),
        (upward, "ginjax.filters._x", "import ginjax.models"),
        (upward, "ginjax.filters._x", "from ..layers import conv"),
        (upward, "ginjax.filters._x", "from .. import layers"),
        (upward, "ginjax.transfer.rules._x", "from ...models._rules import y"),
        (upward, "ginjax.transfer.__init__", "def f():\n    from ginjax import models"),
        (upward, "ginjax.models.__init__", "from ..ml import train as train"),
        (upward, "ginjax.geometric._x", "import importlib\nimportlib.import_module('ginjax.ml')"),
        (upward, "ginjax.misc._x", ""),
        (heavy_on_the_ground, "ginjax.transfer._x", "import jax.numpy as jnp"),
        (heavy_on_the_ground, "ginjax.transfer._x", "def f():\n    from equinox import nn"),
        (heavy_on_the_ground, "ginjax.checkpoint._x", "try:\n    import jaxtyping\nexcept ImportError: pass"),
        (heavy_on_the_ground, "ginjax.filters._x", "__import__('optax')"),
        (heavy_on_the_ground, "ginjax.errors", "import exponax"),
        (printing, "ginjax.ml._x", "def f(x):\n    print(x)"),
        (printing, "ginjax.ml._x", "import jax\njax.debug.print('x')"),
        (printing, "ginjax.ml._x", "import sys\nsys.stderr.write('x')"),
        (printing, "ginjax.ml._x", "def f():\n    from rich.progress import track"),
        (printing, "ginjax.ml._x", "import typer"),
        (printing, "ginjax.ml._x", "from ginjax_cli._output import Output"),
        (printing, "ginjax_cli.train", "print('x')"),
        (printing, "ginjax_cli.train", "import typer\ntyper.echo('x')"),
        (heavy_commands, "ginjax_cli.train", "import jax"),
        (heavy_commands, "ginjax_cli.train", "import numpy as np"),
        (heavy_commands, "ginjax_cli.train", "from ginjax.filters import make_bank"),
        (heavy_commands, "ginjax_cli.train", "from rich.table import Table"),
        (heavy_commands, "ginjax_cli.train", "try:\n    import numpy\nexcept ImportError: pass"),
        (heavy_commands, "ginjax_cli.train", "class A:\n    import numpy"),
    ],
)
def test_each_rule_can_fail(rule, module, source):
    assert rule(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "ginjax.filters._x",
            "import functools\nimport numpy as np\nfrom ._y import z\nfrom ginjax.errors import E",
        ),
        (
            "ginjax.transfer.rules.__init__",
            "from ._volume import volume as volume\nfrom .._system import solve",
        ),
        ("ginjax.checkpoint._x", "from ..transfer import convert\nfrom safetensors.numpy import save"),
        (
            "ginjax.models._x",
            "import jax\nfrom ..checkpoint import read_file\nfrom ginjax.transfer import rules",
        ),
        ("ginjax.ml._x", "text = 'print(x)'"),
        ("ginjax_cli.train", "import typer\nfrom ._output import Output\ndef train():\n    import jax"),
        ("ginjax_cli.train", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy as np"),
        ("ginjax_cli._output", "import sys\nsys.stdout.write('x')"),
    ],
)
def test_the_rules_allow_what_they_should(module, source):
    assert [line for rule in RULES for line in rule(module, source)] == []


def test_the_files_were_found():
    names = {module_of(path) for path in FILES}
    assert {"ginjax.errors", "ginjax.filters.__init__", "ginjax.checkpoint._file", "ginjax_cli.main"} <= names


def test_the_package_itself_imports_nothing():
    assert (
        list(imports("ginjax.__init__", ast.parse((ROOT / "ginjax" / "__init__.py").read_text("utf-8"))))
        == []
    )


def without_help(application: typer.Typer) -> list[str]:
    """Commands, options and arguments that say nothing about themselves."""
    commands = get_command(application).commands  # pyright: ignore[reportAttributeAccessIssue]
    silent = [name for name, command in commands.items() if not (command.help or "").strip()]
    for name, command in commands.items():
        silent += [
            f"{name} {p.name}" for p in command.params if p.name != "help" and not getattr(p, "help", None)
        ]
    return silent


def test_every_command_has_help():
    groups = [import_module(f"ginjax_cli.{name}").__dict__[name] for name in GROUPS]
    assert [name for application in (app, *groups) for name in without_help(application)] == []
    assert {*get_command(app).commands} == {*GROUPS, *COMMANDS}  # pyright: ignore[reportAttributeAccessIssue]


def test_every_command_file_is_registered():
    files = {path.stem for path in (ROOT / "ginjax_cli").glob("[a-z]*.py")} - {"main"}
    assert files == {name.replace("-", "_") for name in (*GROUPS, *COMMANDS)}


def test_missing_help_is_noticed():
    silent = typer.Typer()

    @silent.command("mute")
    def mute(argument: str, option: int = 1) -> None:
        pass

    @silent.command("told")
    def told(option: int = typer.Option(1, help="A number.")) -> None:
        """Do something."""

    assert without_help(silent) == ["mute", "mute argument", "mute option"]
