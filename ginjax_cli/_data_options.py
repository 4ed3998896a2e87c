"""Options for reading data files, shared by the commands that read data: fields, parities, boundaries, parts."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ginjax.data import DataReading
    from ginjax.ml import Start

_PANEL = "Reading data"
_SAMPLES = 16

Samples = Annotated[
    int | None,
    typer.Option(
        "--samples",
        min=1,
        help="Number of samples to use. They are spread evenly over the data.",
        show_default=str(_SAMPLES),
        rich_help_panel=_PANEL,
    ),
]

DataFields = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        help="Read only this field: NAME:ORDER, its parity + (even) or - (odd), and the variables that hold "
        "its components, such as velocity:1+=Vx,Vy. Without an order, pressure=p gives p another name and "
        "leaves out no field. May be repeated.",
        metavar="FIELD",
        show_default="those of the file",
        rich_help_panel=_PANEL,
    ),
]
DataAxes = Annotated[
    list[str] | None,
    typer.Option(
        "--axes",
        help="The axes of the arrays in the order in which they are stored, such as "
        "trajectory,time,x,y,component. Component appears once for each tensor index; without trajectory "
        "each file is one simulation. For single arrays: --axes u=time,x,y --axes v=time,x,y,component.",
        metavar="AXES",
        show_default="what the file says",
        rich_help_panel=_PANEL,
    ),
]
DataParity = Annotated[
    list[str] | None,
    typer.Option(
        "--parity",
        help="Parity of a field, if the file does not state it, such as magnetic_field=odd. May be repeated.",
        metavar="NAME=odd|even",
        rich_help_panel=_PANEL,
    ),
]
DataPeriodic = Annotated[
    str | None,
    typer.Option(
        "--periodic",
        help="The periodic axes: all, none, or names such as x,y.",
        metavar="AXES",
        show_default="what the file says",
        rich_help_panel=_PANEL,
    ),
]
DataTarget = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        help="For pairs of input and target that are not a time series: the field to predict. All other "
        "fields are inputs. May be repeated.",
        metavar="FIELD",
        show_default="the next frame of a time series",
        rich_help_panel=_PANEL,
    ),
]
DataConditions = Annotated[
    list[str] | None,
    typer.Option(
        "--condition",
        help="Tell the network a number of each trajectory, as an input that is constant in space and time. "
        "NAME is a number in the file, or time_step or spacing, which may then differ between trajectories. "
        "viscosity=nu takes the number that the file calls nu; viscosity=0.1 states one that the file lacks. "
        "May be repeated.",
        metavar="NAME",
        show_default="the scalars of a file of The Well, or the conditions of the model",
        rich_help_panel=_PANEL,
    ),
]
DataSplit = Annotated[
    Literal["train", "valid", "test"] | None,
    typer.Option(
        "--split", help="Read only this part of the data.", show_default="everything", rich_help_panel=_PANEL
    ),
]

DataPart = Annotated[
    Literal["train", "valid", "test"] | None,
    typer.Option(
        "--split",
        help="The part of the data to use.",
        show_default="train to calibrate, test otherwise, or everything if the data have no parts",
        rich_help_panel=_PANEL,
    ),
]


def reading_of(
    field: "Sequence[str] | None" = None,
    parity: "Sequence[str] | None" = None,
    periodic: str | None = None,
    axes: "Sequence[str] | None" = None,
    condition: "Sequence[str] | None" = None,
    *,
    start: "Start | None" = None,
    target: "Sequence[str] | None" = None,
    dropped: "Sequence[str] | None" = None,
) -> "DataReading":
    """How to read data: what the options of a command say, and what the model says from which a training starts.

    **Arguments:**

    - `dropped`: fields and conditions that this model loses, so that the data need not state them.
    """
    from ginjax.data import DataReading

    said = DataReading(
        tuple(field or ()),
        parse_parities(parity or ()),
        periodic,
        tuple(axes or ()),
        tuple(target or ()),
        conditions=tuple(condition or ()),
    )
    if start is None:
        return said
    return said.for_model(start.record.contract.without_conditions(dropped or ()))


def reading_words(ctx: typer.Context) -> list[str]:
    """The options about reading data, for the next command on the same data."""
    from ._config_file import given_options

    kept = ("field", "axes", "parity", "periodic", "condition", "split")
    return given_options(ctx, without=[p.name for p in ctx.command.params if p.name and p.name not in kept])


def parse_parities(texts: "Sequence[str]") -> dict[str, str]:
    """Parities such as `NAME=odd` as a mapping."""
    from ginjax.errors import ArgumentError

    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name or name in found:
            raise ArgumentError("--parity", got=repr(text), expected="NAME=odd or NAME=even, each name once")
        found[name] = value
    return found


def refuse_unread(given: "Mapping[str, object]", needed: str) -> None:
    """Refuse options about data if no data are read."""
    from ginjax.errors import ArgumentError

    for name, value in given.items():
        if value:
            raise ArgumentError(f"--{name}", got="no data to read", expected=needed)
