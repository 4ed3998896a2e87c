"""Checking arrays against their annotations, in every call of the packages that are full of them.

The annotations of arrays, such as `Float[Array, "channels pixels"]`, say more than a type checker reads. Here they are
compared with the arrays themselves, sizes that one call names twice among them. Everything else pyright checks. A function
without an array among its annotations stays as it is, so that calling it takes no longer.
"""

import ast
import contextlib
import dataclasses
import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader
from itertools import takewhile
from typing import Any, get_args, get_origin, get_type_hints

from beartype.door import is_bearable
from jaxtyping import AbstractArray, TypeCheckError, config, jaxtyped

PACKAGES = ("ginjax.geometric", "ginjax.layers", "ginjax.ml", "ginjax.models")

COMPILED = ".checked-1.pyc"
"""Where the byte code of checked modules is kept beside that of the same modules as they are; the number goes up with changes here."""


def check_shapes() -> None:
    """From now on, in packages that have not been imported yet."""
    sys.meta_path.insert(0, _Finder())


def is_checked(module: str) -> bool:
    return module.startswith(PACKAGES)


# --- one function ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrays:
    """The annotations of a function that speak of arrays, by the names of its parameters."""

    names: tuple[str, ...]
    """Of parameters that are given by place."""
    hints: Mapping[str, Any]
    more: Any
    """Of each of `*args`; None if it is no array."""
    named: Any
    """Of each of `**kwargs`, likewise."""
    returned: Any

    def refused(self, args: tuple, kwargs: Mapping[str, Any]) -> str | None:
        """The first parameter that is not what its annotation says."""
        for name, value in (*zip(self.names, args, strict=False), *kwargs.items()):
            hint = self.hints.get(name, None if name in self.names else self.named)
            if hint is not None and not fits(value, hint):
                return name
        if self.more is not None and not all(fits(each, self.more) for each in args[len(self.names) :]):
            return "args"
        return None


_KNOWN: dict[types.CodeType, Arrays | None] = {}
"""By code: a function within another is made anew in each call of that."""


def checked(of: Any) -> Any:
    """A function with its arrays checked, or a class of data with those of its fields; as it is if it is annotated with none."""
    if inspect.isclass(of):
        if dataclasses.is_dataclass(of) and not hasattr(of.__init__, "arrays"):
            new = checked(of.__init__)
            if new is not of.__init__:
                of.__init__ = new
        return of
    if isinstance(of, classmethod | staticmethod):
        return type(of)(checked(of.__func__))
    if isinstance(of, property):
        return property(*(each and checked(each) for each in (of.fget, of.fset, of.fdel)))
    if of.__code__ not in _KNOWN:
        _KNOWN[of.__code__] = arrays_of(of)
    arrays = _KNOWN[of.__code__]
    return of if arrays is None else _comparing(of, arrays)


def _comparing(function: Callable, arrays: Arrays) -> Callable:
    @functools.wraps(function)
    def compared(*args, **kwargs):
        __tracebackhide__ = True
        if config.jaxtyping_disable:
            return function(*args, **kwargs)
        with jaxtyped("context"):
            wrong = arrays.refused(args, kwargs)
            if wrong is not None:
                inspect.signature(function).bind(
                    *args, **kwargs
                )  # a call with the wrong arguments says so itself
                raise TypeCheckError(
                    f"{_called(function)}: parameter '{wrong}' {_beside(arrays, args, kwargs)}"
                )
            found = function(*args, **kwargs)
            if arrays.returned is not None and not fits(found, arrays.returned):
                raise TypeCheckError(
                    f"{_called(function)}: return value {_shape(found)}, not {arrays.returned}; {_beside(arrays, args, kwargs)}"
                )
            return found

    compared.arrays = arrays  # pyright: ignore[reportFunctionMemberAccess]
    return compared


def arrays_of(function: Callable) -> Arrays | None:
    """The arrays among the annotations of a function; None if there are none."""
    hints = {name: hint for name, hint in evaluated(function).items() if speaks_of_arrays(hint)}
    if not hints:
        return None
    kinds = inspect.signature(function).parameters.values()
    by_kind = {each.kind: hints.get(each.name) for each in kinds}
    placed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    single = {each.name for each in kinds if each.kind in (*placed, inspect.Parameter.KEYWORD_ONLY)}
    return Arrays(
        tuple(each.name for each in kinds if each.kind in placed),
        {name: hints.get(name) for name in single},
        by_kind.get(inspect.Parameter.VAR_POSITIONAL),
        by_kind.get(inspect.Parameter.VAR_KEYWORD),
        hints.get("return"),
    )


def evaluated(function: Callable) -> dict[str, Any]:
    """The annotations of a function, none of them as a string; without those of names that only a type checker sees."""
    with contextlib.suppress(Exception):
        return get_type_hints(function, include_extras=True)
    found = {}
    for name, hint in function.__annotations__.items():
        one = types.SimpleNamespace(__annotations__={name: hint})
        with contextlib.suppress(Exception):
            found |= get_type_hints(one, function.__globals__, include_extras=True)
    return found


def fits(value: object, hint: Any) -> bool:
    return isinstance(value, hint) if is_array(hint) else is_bearable(value, hint)


def is_array(hint: object) -> bool:
    return (
        isinstance(hint, type)
        and not isinstance(hint, types.GenericAlias)
        and issubclass(hint, AbstractArray)
    )


def speaks_of_arrays(hint: object) -> bool:
    """Whether a hint has arrays that can be looked at; not those that a function takes which is handed in."""
    if get_origin(hint) is Callable:
        return False
    return is_array(hint) or any(map(speaks_of_arrays, get_args(hint)))


def _called(function: Callable) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _beside(arrays: Arrays, args: tuple, kwargs: Mapping[str, Any]) -> str:
    given = dict(zip(arrays.names, args, strict=False)) | dict(kwargs)
    hinted = {name: hint for name, hint in arrays.hints.items() if hint is not None and name in given}
    return "of " + ", ".join(f"{name}: {hint} = {_shape(given[name])}" for name, hint in hinted.items())


def _shape(value: object) -> str:
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    return f"{type(value).__name__}" if shape is None else f"{dtype}{list(shape)}"


@contextlib.contextmanager
def no_shape_checks() -> Iterator[None]:
    """For a test of what the library itself says to an array of a wrong shape."""
    config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        config.update("jaxtyping_disable", False)


# --- every function of a module ------------------------------------------------------------------------------------


class _Finder(MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        spec = PathFinder.find_spec(fullname, path, target) if is_checked(fullname) else None
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Reads a module with `checked` above each of its functions and classes."""

    def source_to_code(self, data, path, *, _optimize=-1):
        tree = compile(data, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
        return super().source_to_code(with_checks(tree), path)

    def get_data(self, path):
        return super().get_data(_beside_the_usual(path))

    def set_data(self, path, data, *, _mode=0o666):
        return super().set_data(_beside_the_usual(path), data, _mode=_mode)


def _beside_the_usual(path: str) -> str:
    return path.removesuffix(".pyc") + COMPILED if path.endswith(".pyc") else path


def with_checks(tree: ast.Module) -> ast.Module:
    """A module with `checked` above its functions, below their other decorators, and above its classes and their other ones."""
    for node in list(ast.walk(tree)):
        if isinstance(node, ast.ClassDef):
            node.decorator_list.insert(0, _decorator(node))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_annotated(node):
            node.decorator_list.append(_decorator(node))
    tree.body.insert(
        sum(1 for _ in takewhile(_stays_first, tree.body)),
        ast.Import(names=[ast.alias(__name__)], lineno=1, col_offset=0),
    )
    return ast.fix_missing_locations(tree)


def _decorator(node: ast.stmt) -> ast.expr:
    made = ast.parse(f"{__name__}.checked", mode="eval").body
    return ast.copy_location(made, node)


def _is_annotated(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    every = (
        *node.args.posonlyargs,
        *node.args.args,
        *node.args.kwonlyargs,
        node.args.vararg,
        node.args.kwarg,
    )
    return node.returns is not None or any(each is not None and each.annotation is not None for each in every)


def _stays_first(node: ast.stmt) -> bool:
    """The docstring of a module, and what it takes from the future."""
    said = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return said or (isinstance(node, ast.ImportFrom) and node.module == "__future__")
