"""The floors of the house, held by reading the imports of every file."""

from importlib import import_module

import pytest
import typer
from command_line import app
from house_rules import (
    FILES,
    MAX_PARAMETERS,
    PROMISED,
    ROOT,
    RULES,
    circles,
    heavy_commands,
    heavy_on_the_ground,
    imports,
    internals_of_jax,
    many_parameters,
    module_of,
    parameter_counts,
    parsed,
    printing,
    upward,
    upward_in_rooms,
)
from typer.main import get_command

from ginjax_cli.main import COMMANDS, GROUPS, file_of

THIRTEEN = ", ".join(f"a{i}" for i in range(13))


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
        (upward_in_rooms, "ginjax.ml.score._x", "from ginjax.ml.task import y"),
        (upward_in_rooms, "ginjax.ml.training.__init__", "from ..forecast._x import y as y"),
        (upward_in_rooms, "ginjax.ml.transfer._x", "def f():\n    from ...ml.draw import y"),
        (upward_in_rooms, "ginjax.ml.draw._x", "from ginjax.ml import train"),
        (upward_in_rooms, "ginjax.ml.draw._x", "import ginjax.ml"),
        (upward_in_rooms, "ginjax.ml._x", ""),
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
        for name, count in parameter_counts(parsed(path.read_text("utf-8")), "")
        if count > MAX_PARAMETERS
    }
    assert names >= PROMISED


def test_the_files_were_found():
    names = {module_of(path) for path in FILES}
    assert {"ginjax.errors", "ginjax.filters.__init__", "ginjax.checkpoint._file", "ginjax_cli.main"} <= names


def test_the_package_itself_imports_nothing_but_what_makes_names_lazy():
    source = (ROOT / "ginjax" / "__init__.py").read_text("utf-8")
    assert list(imports("ginjax.__init__", parsed(source))) == ["lazy_loader"]


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
