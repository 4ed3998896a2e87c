"""The floors of the house, held by reading the imports of every file.

Each rule is a function from source text to the lines that break it, so that it can be tried on text that does.
"""

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path

import pytest
import typer
from command_line import app
from typer.main import get_command

from ginjax_cli.main import COMMANDS, GROUPS, file_of

ROOT = Path(__file__).parent.parent
ORDER = (
    "_version",
    "_text",
    "errors",
    "_not_carried",
    "_registry",
    "_streams",
    "_progress",
    "_interrupt",
    "_memory",
    "host_memory",
    "xla_flags",
    "filters",
    "transfer",
    "checkpoint",
    "state_dict",
    "onnx",
    "runs",
    "hub",
    "_jax_internals",
    "geometric",
    "layers",
    "models",
    "data",
    "ml",
    "workflow",
)
ML_ORDER = ("score", "task", "training", "forecast", "transfer", "draw")
GROUND = {
    "_version",
    "_text",
    "errors",
    "_registry",
    "_streams",
    "_interrupt",
    "_memory",
    "host_memory",
    "xla_flags",
    "filters",
    "transfer",
    "checkpoint",
    "state_dict",
    "onnx",
    "runs",
    "hub",
}
GROUND_LIBRARIES = {"numpy", "safetensors", "ml_dtypes", "lazy_loader"}
SHOWS_PROGRESS = "ginjax._progress"
FORBIDDEN_IN_LIBRARY = {"rich", "typer", "click", "ginjax_cli"}
CLI_LIBRARIES = {"typer"}
AT_ONCE = (None, "errors", "host_memory", "xla_flags", "_jax_internals", "_text", "_streams", "_interrupt")
"""What files of the command line import of the library before any command runs: nothing of it imports NumPy."""
JAX_INTERNALS = ("jax.extend", "jax.interpreters", "jax._src", "jax.core", "jaxlib")
IN_ANNOTATIONS = {"jax.core.ShapedArray"}
MAX_PARAMETERS = 12
PROMISED = {
    "ginjax.models.arch._resnet.ResNet.__init__",
    "ginjax.models.arch._dil_resnet.DilResNet.__init__",
    "ginjax.models.arch._unet.UNet.__init__",
    "ginjax.models.blocks._conv_block.ConvBlock.__init__",
    "ginjax.models.blocks._make_conv.make_conv",
    "ginjax.ml.training._epochs.train",
}
"""What users of the reference library call with its many arguments."""

THIRTEEN = ", ".join(f"a{i}" for i in range(13))
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
    """In the library: anything that writes to the terminal, but for progress. In the command line: outside of the one sink."""
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
    if module == SHOWS_PROGRESS:
        return []
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
        if (outside(name) or "typer") not in CLI_LIBRARIES or package_of(name) not in AT_ONCE
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


def upward_in_ml(module: str, source: str) -> list[str]:
    """Imports of a room of `ginjax.ml` that stands above the module's own."""
    own = room_of(module)
    if own is None:
        return []
    if own not in ML_ORDER:
        return [f"{module} is in no room of ginjax.ml"]
    allowed = ML_ORDER[: ML_ORDER.index(own) + 1]
    found = imports(module, ast.parse(source))
    return [f"{module} imports {name}" for name in found if room_of(name, own) not in allowed]


def room_of(name: str, default: str | None = None) -> str | None:
    """`score` for `ginjax.ml.score._losses`; a name of `ginjax.ml` itself is in no room."""
    parts = name.split(".")
    if parts[:2] != ["ginjax", "ml"] or parts[2:] == ["__init__"]:
        return default
    return parts[2] if len(parts) > 2 else ""


ROOM_ORDERS = {
    "models": ("blocks", "arch", "verify"),
    "data": ("equations", "sources", "readers"),
}
"""Rooms of other packages, each importing only from those before it; files outside of them may use any."""


def upward_in_rooms(module: str, source: str) -> list[str]:
    """Imports of a room of `models` or `data` that stands above the module's own."""
    _, package, room, *_ = [*module.split("."), "", "", ""]
    order = ROOM_ORDERS.get(package, ())
    if room not in order:
        return []
    above = {f"ginjax.{package}.{each}" for each in order[order.index(room) + 1 :]}
    return [
        f"{module} imports {name}"
        for name in imports(module, ast.parse(source))
        if ".".join(name.split(".")[:3]) in above
    ]


def internals_of_jax(module: str, source: str) -> list[str]:
    """Uses of what JAX does not promise, and decisions by the text of an exception, outside of the one file for them."""
    if module == "ginjax._jax_internals":
        return []
    tree = ast.parse(source)
    names = [(name, "imports") for name in imports(module, tree)]
    names += [(ast.unparse(node), "uses") for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    found = [
        f"{module} {does} {name}"
        for name, does in names
        if any(name == inner or name.startswith(f"{inner}.") for inner in JAX_INTERNALS)
        and name not in IN_ANNOTATIONS
    ]
    return found + [f"{module}:{line} decides by the text of an exception" for line in decided_by_text(tree)]


def decided_by_text(tree: ast.AST) -> Iterator[int]:
    """Lines that compare or search `str(error)` or `error.args`, where `error` was caught or is said to be an exception."""
    for scope in ast.walk(tree):
        errors = caught(scope)
        for node in ast.walk(scope) if errors else ():
            if isinstance(node, ast.Compare):
                asked = [node.left, *node.comparators]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                searches = called(node).split(".")[0] == "re" or node.func.attr in (
                    "startswith",
                    "endswith",
                    "find",
                )
                asked = [node.func.value, *node.args] if searches else []
            else:
                continue
            texts = {f"str({error})" for error in errors} | {f"{error}.args" for error in errors}
            if any(text in ast.unparse(part) for part in asked for text in texts):
                yield node.lineno


def caught(scope: ast.AST) -> set[str]:
    """The names under which a handler or a function knows exceptions."""
    if isinstance(scope, ast.ExceptHandler):
        return {scope.name} - {None}  # pyright: ignore[reportReturnType]
    if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        arguments = (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs)
        return {
            a.arg
            for a in arguments
            if a.annotation is not None and ast.unparse(a.annotation).endswith(("Exception", "Error"))
        }
    return set()


def many_parameters(module: str, source: str) -> list[str]:
    """Functions and methods with more parameters than anyone can keep in mind."""
    file = module.split(".")[-1]
    return [
        f"{module}.{name} has {count} parameters"
        for name, count in parameter_counts(ast.parse(source), "")
        if count > MAX_PARAMETERS
        and f"{module}.{name}" not in PROMISED
        and not (
            module.startswith("ginjax_cli.") and name == file
        )  # a command: its options are its parameters
    ]


def parameter_counts(tree: ast.AST, within: str, in_class: bool = False) -> Iterator[tuple[str, int]]:
    """Every function below a node by its dotted name, and how many parameters it has beside `self` or `cls`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            name = within + ("lambda" if isinstance(node, ast.Lambda) else node.name)
            positional = [*node.args.posonlyargs, *node.args.args]
            own = in_class and positional[:1] != [] and positional[0].arg in ("self", "cls")
            several = [each for each in (node.args.vararg, node.args.kwarg) if each is not None]
            yield name, len(positional) + len(node.args.kwonlyargs) + len(several) - own
            yield from parameter_counts(node, f"{name}.")
        elif isinstance(node, ast.ClassDef):
            yield from parameter_counts(node, f"{within}{node.name}.", in_class=True)
        else:
            yield from parameter_counts(node, within, in_class)


def circles(sources: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Modules that import each other, directly or through others; stubs are read as the packages they stand for.

    To import a name from a package is to import the package. That Python runs the packages around a module first does
    not count.
    """
    edges: dict[str, set[str]] = {module.removesuffix(".__init__"): set() for module, _ in sources}
    for module, source in sources:
        for name in imports(module, ast.parse(source)):
            while name and name not in edges:
                name = name.rpartition(".")[0]
            edges[module.removesuffix(".__init__")] |= {name} if name else set()
    reached = {module: reachable(module, edges) for module in edges}
    groups = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in edges
        if module in reached[module]
    }
    return sorted(list(group) for group in groups)


def reachable(start: str, edges: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for module in edges[waiting.pop()] - found:
            found.add(module)
            waiting.append(module)
    return found


RULES = [
    upward,
    heavy_on_the_ground,
    printing,
    heavy_commands,
    upward_in_ml,
    upward_in_rooms,
    internals_of_jax,
    many_parameters,
]


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
        (upward_in_rooms, "ginjax.models.blocks._x", "from ..arch import ResNet"),
        (upward_in_rooms, "ginjax.models.arch._x", "from ginjax.models.verify._lift_test import y"),
        (upward_in_rooms, "ginjax.data.equations._x", "def f():\n    from ginjax.data.sources import Source"),
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
        (upward, "ginjax.checkpoint._x", "from ginjax import _jax_internals"),
        (upward, "ginjax._jax_internals", "from .geometric import MultiImage"),
        (upward_in_ml, "ginjax.ml.score._x", "from ginjax.ml.task import y"),
        (upward_in_ml, "ginjax.ml.training.__init__", "from ..forecast._x import y as y"),
        (upward_in_ml, "ginjax.ml.transfer._x", "def f():\n    from ...ml.draw import y"),
        (upward_in_ml, "ginjax.ml.draw._x", "from ginjax.ml import train"),
        (upward_in_ml, "ginjax.ml.draw._x", "import ginjax.ml"),
        (upward_in_ml, "ginjax.ml._x", ""),
        (internals_of_jax, "ginjax.ml.task._x", "from jax._src import core"),
        (internals_of_jax, "ginjax.ml.task._x", "from jax.core import Tracer"),
        (internals_of_jax, "ginjax.ml.task._x", "import jax.interpreters.mlir as mlir"),
        (internals_of_jax, "ginjax.ml.task._x", "def f():\n    from jax.extend.core import Primitive"),
        (internals_of_jax, "ginjax.ml.task._x", "import jax\nx = jax.core.Tracer"),
        (internals_of_jax, "ginjax_cli._x", "import jaxlib"),
        (internals_of_jax, "ginjax.ml._x", "try:\n    f()\nexcept E as e:\n    if 'memory' in str(e): g()"),
        (internals_of_jax, "ginjax.ml._x", "try:\n    f()\nexcept E as e:\n    ok = str(e).startswith('X')"),
        (internals_of_jax, "ginjax.ml._x", "try:\n    f()\nexcept E as e:\n    ok = re.search('X', str(e))"),
        (internals_of_jax, "ginjax_cli._x", "def f(error: BaseException):\n    return 'x' in error.args[0]"),
        (many_parameters, "ginjax.ml.task._x", f"def f({THIRTEEN}): pass"),
        (many_parameters, "ginjax.ml.task._x", f"def f(x, *, {THIRTEEN[4:]}, **more): pass"),
        (many_parameters, "ginjax.ml.task._x", f"class A:\n    def f(self, {THIRTEEN}): pass"),
        (many_parameters, "ginjax.ml.task._x", f"def f():\n    async def g({THIRTEEN}): pass"),
        (many_parameters, "ginjax.ml.task._x", f"f = lambda {THIRTEEN}: 0"),
        (many_parameters, "ginjax.ml.task._x", f"def f(self, {THIRTEEN[4:]}): pass"),
        (many_parameters, "ginjax_cli.train", f"def run({THIRTEEN}): pass"),
        (many_parameters, "ginjax.ml.training.train", f"def train({THIRTEEN}): pass"),
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
        ("ginjax.ml.score._x", "text = 'print(x)'"),
        ("ginjax_cli.train", "import typer\nfrom ._output import Output\ndef train():\n    import jax"),
        ("ginjax_cli.train", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy as np"),
        ("ginjax_cli._output", "import sys\nsys.stdout.write('x')"),
        ("ginjax_cli._errors", "from ginjax._jax_internals import is_out_of_memory"),
        (
            "ginjax._jax_internals",
            "from jax._src import core\ndef f(error: Exception):\n    return 'x' in str(error)",
        ),
        (
            "ginjax.geometric._x",
            "from ginjax._jax_internals import primitive\nfrom jax.core import ShapedArray",
        ),
        (
            "ginjax.ml.draw._x",
            "from ginjax.ml.score import y\nfrom ..transfer._x import z\nfrom ._y import w",
        ),
        (
            "ginjax.ml.training._x",
            "from ginjax.ml.training import _y\nfrom ginjax.transfer import bank_chain",
        ),
        ("ginjax.ml.__init__", "from .draw import y as y\nfrom .score import z as z"),
        ("ginjax.ml.task._x", "try:\n    f()\nexcept E as e:\n    raise A(str(e)) from e"),
        ("ginjax.ml.task._x", "x = 'jax.core'\njaxcore.f()"),
        ("ginjax.ml.task._x", f"class A:\n    def f(self, {THIRTEEN[4:]}): pass"),
        ("ginjax_cli.train", f"def train({THIRTEEN}): pass"),
        ("ginjax.ml.training._epochs", f"def train({THIRTEEN}): pass"),
    ],
)
def test_the_rules_allow_what_they_should(module, source):
    assert [line for rule in RULES for line in rule(module, source)] == []


def test_no_modules_import_each_other():
    library = [path for path in FILES if path.is_relative_to(ROOT / "ginjax")]
    assert circles([(module_of(path), path.read_text("utf-8")) for path in library]) == []


@pytest.mark.parametrize(
    "sources",
    [
        {"g.a": "from g import b", "g.b": "import g.a, free", "free.__init__": ""},
        {"g.a": "from .b import x", "g.b": "from .c import x", "g.c": "def f():\n    from .a import x"},
        {"g.p.__init__": "from .x import y as y", "g.p.x": "from g.p import z"},
        {"g.p.__init__": "from .x import y as y", "g.p.x": "from ..q import z", "g.q": "from .p import y"},
        {"g.__init__": "from g.p.x import y", "g.p.x": "from g import version"},
        {"g.a": "if TYPE_CHECKING:\n    from .b import x", "g.b": "from .a import y"},
        {"g.a": "import importlib\nimportlib.import_module('g.b')", "g.b": "from .a import y"},
    ],
)
def test_circles_are_found(sources):
    (circle,) = circles(list(sources.items()))
    assert circle == sorted({module.removesuffix(".__init__") for module in sources} - {"free"})


@pytest.mark.parametrize(
    "sources",
    [
        {"g.a": "from .b import x", "g.b": "import os", "g.__init__": "from .a import x"},
        {
            "g.p.__init__": "from .x import y",
            "g.p.x": "from .z import w",
            "g.p.z": "import g.q.r",
            "g.q.r": "",
        },
        # That `g.p` runs before `g.p.x` does not count; nor does a name of `g.q` that is itself a module.
        {
            "g.p.__init__": "from ..q import r",
            "g.q.r": "from ..p.x import y",
            "g.p.x": "",
            "g.q.__init__": "",
        },
    ],
)
def test_trees_are_no_circles(sources):
    assert circles(list(sources.items())) == []


def test_a_stub_counts_as_its_package():
    lazy = [("g.p.__init__", "import lazy_loader"), ("g.p.x", "from g.p import y")]
    assert circles(lazy) == []
    assert circles([*lazy, ("g.p.__init__", "from .x import y as y")]) == [["g.p", "g.p.x"]]


def test_everything_promised_is_there():
    names = {
        f"{module_of(path)}.{name}"
        for path in FILES
        if path.suffix == ".py"
        for name, count in parameter_counts(ast.parse(path.read_text("utf-8")), "")
        if count > MAX_PARAMETERS
    }
    assert names >= PROMISED


def test_the_files_were_found():
    names = {module_of(path) for path in FILES}
    assert {"ginjax.errors", "ginjax.filters.__init__", "ginjax.checkpoint._file", "ginjax_cli.main"} <= names


def test_the_package_itself_imports_nothing_but_what_makes_names_lazy():
    source = (ROOT / "ginjax" / "__init__.py").read_text("utf-8")
    assert list(imports("ginjax.__init__", ast.parse(source))) == ["lazy_loader"]


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
    folder = ROOT / "ginjax_cli"
    files = {
        path.stem
        for path in (*folder.glob("[a-z]*.py"), *(each.parent for each in folder.glob("*/__init__.py")))
    }
    files -= {"main"}
    assert files == {file_of(name) for name in (*GROUPS, *COMMANDS)}


def test_missing_help_is_noticed():
    silent = typer.Typer()

    @silent.command("mute")
    def mute(argument: str, option: int = 1) -> None:
        pass

    @silent.command("told")
    def told(option: int = typer.Option(1, help="A number.")) -> None:
        """Do something."""

    assert without_help(silent) == ["mute", "mute argument", "mute option"]
