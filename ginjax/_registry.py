"""Objects that can be requested by name: those of the library, those that a program adds, and those of installed packages."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Generic, TypeVar

from ginjax._unknown_name import unknown_name
from ginjax.errors import ArgumentError, GinjaxWarning

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Thing = TypeVar("Thing")


class Registry(Mapping[str, Thing], Generic[Thing]):
    """Objects of one kind by name, in this order: those of the library, those added, those of installed packages.

    An installed package provides an object through a Python entry point of the group `ginjax.<plural of the kind>`, whose
    name is the name of the object. It is imported only if this object, or all objects, are requested. A file can cause the import
    only by naming the object. Objects of the library and added ones take precedence over installed ones of the same name. Copies
    and pickles of a registry are the registry itself.

    **Arguments:**

    - `kind`: the kind of object in one or two words, such as `"transfer rule"`, for messages.
    - `own`: the library's own objects by name, in the order of the list.
    - `home`: where the registry is defined, `"module:NAME"`.
    - `group`: the entry point group of installed objects; None for no such group.
    - `check`: called as `check(name, thing)` for everything that is added or installed; raises `ArgumentError` for
      an object that is not of this kind.
    """

    def __init__(
        self,
        kind: str,
        own: Mapping[str, Thing],
        *,
        home: str,
        group: str | None = None,
        check: Callable[[str, Thing], None] = lambda name, thing: None,
    ):
        self.kind = kind
        self.group = group
        self._known = dict(own)
        self._home = home
        self._check = check

    def __getitem__(self, name: str) -> Thing:
        if name not in self._known and name in self._installed:
            self._load(name)
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._known or name in self._installed

    def __iter__(self) -> Iterator[str]:
        yield from self._known
        yield from (name for name in self._installed if name not in self._known)

    def __len__(self) -> int:
        return len({*self._known, *self._installed})

    def find(self, name: str) -> Thing:
        """Look up an object by name.

        **Raises:** `ArgumentError` that lists the known names, or says why an installed package cannot be used.
        """
        try:
            return self[name]
        except KeyError:
            raise unknown_name(self.kind, name, self, expected="one of " + ", ".join(self)) from None

    def add(self, name: str, thing: Thing) -> Thing:
        """Register an object under a name, until the program ends.

        An object replaces an earlier one with the same definition, for example when a notebook cell runs again or a module
        is imported again.

        **Returns:** `thing`.

        **Raises:** `ArgumentError` for a name that is taken, or for an object that is not of this kind.
        """
        if name in self._known and not _same_definition(self._known[name], thing):
            raise ArgumentError(
                f"name of the {self.kind}", got=f"{name!r}, which is taken", expected="a name of its own"
            )
        self._check(name, thing)
        if not isinstance(name, str) or not name or not name.isprintable() or name != name.strip():
            raise ArgumentError(
                f"name of the {self.kind}", got=repr(name)[:60], expected="a text without space around it"
            )
        self._known[name] = thing
        return thing

    def usable(self) -> Iterator[tuple[str, Thing]]:
        """Names and objects, without those of installed packages that cannot be imported; a `GinjaxWarning` says which."""
        for name in self:
            try:
                yield name, self[name]
            except ArgumentError as error:
                warnings.warn(f"left out: {error}", GinjaxWarning, stacklevel=3)

    def _load(self, name: str) -> None:
        point, *others = self._installed[name]
        if others:
            raise ArgumentError(
                f"{self.kind} {name!r}",
                got=f"packages {', '.join(_package(each) for each in (point, *others))}",
                expected="one package that offers it",
                hint="Uninstall the others.",
            )
        try:
            thing = point.load()
        except Exception as error:
            raise ArgumentError(
                f"{self.kind} {name!r}",
                got=f"{type(error).__name__} on importing it from {point.value} of {_package(point)}: {error}",
                expected="an installed package that can be imported",
                hint="Update that package, or uninstall it.",
            ) from error
        # The import may itself have added the thing.
        if name not in self._known:
            self.add(name, thing)

    @cached_property
    def _installed(self) -> Mapping[str, tuple[EntryPoint, ...]]:
        if self.group is None:
            return {}
        from importlib.metadata import entry_points  # costs 10 ms, which most commands can avoid

        found: dict[str, tuple[EntryPoint, ...]] = {}
        for point in entry_points(group=self.group):
            found[point.name] = (*found.get(point.name, ()), point)
        return found

    def __repr__(self) -> str:
        return f"{self._home.rpartition(':')[2]}({', '.join(self)})"

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return _registry_at, (self._home,)


def named(kind: str, cls: type, public: str) -> Callable[[str, object], None]:
    """The check of a registry whose objects are of one class and know their own name.

    **Arguments:**

    - `kind`: as in `Registry`.
    - `cls`: the class; its attribute `name` is the name of an object.
    - `public`: where users find the class, such as `"ginjax.data.PDE"`.
    """

    def check(name: str, thing: object) -> None:
        if not isinstance(thing, cls) or getattr(thing, "name", None) != name:
            raise ArgumentError(
                f"{kind} {name!r}",
                got=f"{type(thing).__name__} of the name {getattr(thing, 'name', None)!r}"
                if isinstance(thing, cls)
                else type(thing).__name__,
                expected=f"a {public} of the name {name!r}",
            )

    return check


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value


def _same_definition(one: object, other: object) -> bool:
    """Whether two objects are the same, or classes or functions of the same name in a module, or made of these in the same way.

    The result of a function (a closure, a lambda) has no name of its own, so it is the same as itself only.
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if is_dataclass(one) and not isinstance(one, type):
        return all(_same_definition(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    at = [(getattr(each, "__module__", None), getattr(each, "__qualname__", None)) for each in (one, other)]
    if at[0][1] is not None:
        return at[0] == at[1] and "<" not in str(at[0][1])
    return isinstance(one, str | int | float | tuple) and one == other


def _registry_at(home: str) -> object:
    module, _, name = home.partition(":")
    return getattr(import_module(module), name)
