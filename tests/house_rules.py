"""The rules of the house: functions from the source text of a file to the lines of it that break them."""

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
ORDER = (
    "_version",
    "_text",
    "errors",
    "_not_carried",
    "_unknown_name",
    "_registry",
    "_streams",
    "_counted",
    "_progress",
    "_interrupt",
    "_control_groups",
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
    "_jax_triton",
    "cpu_devices",
    "geometric",
    "layers",
    "models",
    "data",
    "ml",
    "workflow",
)
GROUND = {
    "_version",
    "_text",
    "errors",
    "_registry",
    "_unknown_name",
    "_streams",
    "_interrupt",
    "_control_groups",
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

FILES = sorted(
    path
    for name in ("ginjax", "ginjax_cli")
    for path in (ROOT / name).rglob("*.py*")
    if path.suffix in (".py", ".pyi")
)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts)  # a package is named `a.__init__`, so that one level up is always its folder


@cache
def parsed(source: str) -> ast.Module:
    return ast.parse(source)


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
    return written(node.func)


def written(node: ast.expr) -> str:
    """The text of an expression; `ast.unparse` takes a hundred times as long for a name with dots."""
    if isinstance(node, ast.Name):
        return node.id
    return f"{written(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ast.unparse(node)


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
    found = imports(module, parsed(source))
    return [f"{module} imports {name}" for name in found if (package_of(name) or own) not in allowed]


def heavy_on_the_ground(module: str, source: str) -> list[str]:
    """Libraries that the ground floor does without, JAX above all."""
    if package_of(module) not in GROUND:
        return []
    found = imports(module, parsed(source))
    return [f"{module} imports {n}" for n in found if (outside(n) or "numpy") not in GROUND_LIBRARIES]


def printing(module: str, source: str) -> list[str]:
    """In the library: anything that writes to the terminal, but for progress. In the command line: outside of the one sink."""
    tree = parsed(source)
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
        elif isinstance(node, ast.Attribute) and written(node) in ("sys.stdout", "sys.stderr"):
            found.append(f"{module}:{node.lineno} uses {ast.unparse(node)}")
    return found


def heavy_commands(module: str, source: str) -> list[str]:
    """Imports that run when a command file is imported, and so before any `--help`."""
    if not module.startswith("ginjax_cli"):
        return []
    found = [name for node in run_on_import(parsed(source).body) for name in imports(module, node)]
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


ROOMS = {
    "models": ("blocks", "arch", "verify"),
    "data": ("equations", "sources", "readers"),
    "ml": ("score", "task", "training", "forecast", "transfer", "draw"),
}
"""The rooms of a package, each importing only from those before it."""

ROOMS_ALONE = {"ml"}
"""Packages that consist of rooms; in others, files outside of the rooms may use any of them, and be used by any."""


def upward_in_rooms(module: str, source: str) -> list[str]:
    """Imports of a room of a package that stands above the module's own, and files that are in no room where all have to be."""
    package, own = package_of(module), room_of(module)
    if package not in ROOMS or own is None:
        return []
    alone = package in ROOMS_ALONE
    if own not in ROOMS[package]:
        return [f"{module} is in no room of ginjax.{package}"] if alone else []
    rooms = ROOMS[package]
    below = rooms[: rooms.index(own) + 1]
    found = [name for name in imports(module, parsed(source)) if package_of(name) == package]
    return [
        f"{module} imports {name}"
        for name in found
        if room_of(name) not in below and (alone or room_of(name) in rooms)
    ]


def room_of(name: str) -> str | None:
    """`score` for `ginjax.ml.score._losses`, empty for `ginjax.ml` itself; None outside of packages with rooms."""
    parts = name.split(".")
    if package_of(name) not in ROOMS or parts[2:] == ["__init__"]:
        return None
    return parts[2] if len(parts) > 2 else ""


def internals_of_jax(module: str, source: str) -> list[str]:
    """Uses of what JAX does not promise, and decisions by the text of an exception, outside of the one file for them."""
    if module in ("ginjax._jax_internals", "ginjax._jax_triton"):
        return []
    tree = parsed(source)
    names = [(name, "imports") for name in imports(module, tree)]
    names += [(written(node), "uses") for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
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
        for name, count in parameter_counts(parsed(source), "")
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
        for name in imports(module, parsed(source)):
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
    upward_in_rooms,
    internals_of_jax,
    many_parameters,
]
