"""Options that take a name from a registry. The names are known before the library is imported."""

from collections.abc import Callable, Sequence

import typer


class Choice:
    """Takes one of the library's own names, or a name that an installed package provides.

    **Arguments:**

    - `own`: the names in the library's registry, in the same order; a test compares the two.
    - `group`: the group of entry points in which installed packages provide more, see `ginjax._registry.Registry`.
    - `written`: turns the name of an entry point into the name on the command line.
    - `also`: further words that the option takes.
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
        """The choices as the help shows them."""
        return f"[{'|'.join((*self.own, *self.also))}]"

    def __call__(self, name: str) -> str:
        if name in self.own or name in self.also:
            return name
        from importlib.metadata import entry_points  # takes 10 ms, which the library's own names do not need

        installed = sorted({self._written(name) for name in entry_points(group=self.group).names})
        if name in installed:
            return name
        names = ", ".join(repr(each) for each in (*self.own, *self.also, *installed))
        raise typer.BadParameter(f"{name!r} is not one of {names}.")
