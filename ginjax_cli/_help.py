"""The help of a command on a narrow terminal: the descriptions give way, never the names of the options."""

from typing import Any

from typer.core import TyperCommand

_DESCRIBED_BY = 2
"""The last columns of a table of options: the values of an option, and its description."""


class WholeNames(TyperCommand):
    """A command whose help shows the name of every option in full, however narrow the terminal is.

    Typer lets Rich narrow all columns of its tables alike, and Rich ends a name that no longer fits with an ellipsis.
    Typer has no setting for that. So the tables that it makes while it writes this help are of a class that keeps
    the columns with names as wide as they have to be.
    """

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help of the command."""
        from rich.table import Table
        from typer import rich_utils

        class NamesFirst(Table):
            def add_row(self, *cells: Any, **settings: Any) -> None:
                super().add_row(*cells, **settings)
                for column in self.columns[:-_DESCRIBED_BY]:
                    column.no_wrap = True

        try:
            setattr(rich_utils, "Table", NamesFirst)  # noqa: B010, to a type checker it is another class
            super().format_help(ctx, formatter)
        finally:
            setattr(rich_utils, "Table", Table)  # noqa: B010
