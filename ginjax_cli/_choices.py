"""Options whose value is one of the names of a registry, known before the library is imported."""

from collections.abc import Callable, Sequence

import typer


class Choice:
    """Takes one of the library's own names, or a name that an installed package offers.

    **Arguments:**

    - `own`: the names of the library's own things, in the order of its registry; a test compares the two.
    - `group`: the entry point group of installed things, see `ginjax._registry.Registry`.
    - `written`: how the command line writes the name of an entry point.
    - `also`: words that the option takes beside names.
    """

    def __init__(
        self, own: Sequence[str], group: str, written: Callable[[str], str] = str, also: Sequence[str] = ()
    ):
        self.own = tuple(own)
        self.also = tuple(also)
        self.group = group
        self._written = written

    @property
    def metavar(self) -> str:
        """How the help shows the choice."""
        return f"[{'|'.join((*self.own, *self.also))}]"

    def __call__(self, name: str) -> str:
        if name in self.own or name in self.also:
            return name
        from importlib.metadata import entry_points  # costs 10 ms, which the library's own names need not pay

        installed = sorted({self._written(name) for name in entry_points(group=self.group).names})
        if name in installed:
            return name
        names = ", ".join(repr(each) for each in (*self.own, *self.also, *installed))
        raise typer.BadParameter(f"{name!r} is not one of {names}.")
