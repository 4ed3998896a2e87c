"""Opening of data by their content."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from ginjax._unknown_name import unknown_name
from ginjax.checkpoint import DataContract, Field, Reading
from ginjax.data._axis_order import Axes, AxisOrder, parse_axes
from ginjax.data._data_files import Paths, data_files, name_of, passed_over, reader_of
from ginjax.data._found import Found
from ginjax.data._renamed import renamed
from ginjax.data._request import (
    ConditionRequest,
    Conditions,
    FieldRequest,
    parse_conditions,
    parse_fields,
    parse_parity,
)
from ginjax.data.readers import DataFile, DataReader
from ginjax.data.sources import MissingCondition, Source, assemble, join, paired
from ginjax.errors import ArgumentError, FileError, GinjaxError
from ginjax.geometric import parse_torus

SPLITS = ("train", "valid", "test")


def open_data(
    path: Paths,
    *,
    fields: Sequence[str] = (),
    axes: Axes | None = None,
    target: Sequence[str] = (),
    parity: Mapping[str, object] | None = None,
    split: str | None = None,
    is_torus: bool | Iterable[bool] | None = None,
    like: DataContract | None = None,
    ask: bool = True,
    unequal: bool = False,
    conditions: Conditions = (),
    dimensions: Collection[int] = (),
) -> Source:
    """Open time series for reading, in any known layout. The content of a file decides, not its name.

    **Arguments:**

    - `path`: a file, several, or a folder of files of the same layout.
    - `fields`: exactly the fields to use, such as `density:0+` or `velocity:1+=Vx,Vy`; those of the layout if empty. An entry
      without an order only renames: `pressure=p` reads what the file calls `p` as `pressure`, and the other fields stay as they
      are.
    - `axes`: the order in which the axes of the arrays are stored, if the file does not state it:
      `"trajectory,time,x,y,component"`. An array without an axis `trajectory` is a single simulation. If the order differs
      between arrays, state it by array: `{"u": "trajectory,time,x,y,component", "p": "trajectory,time,x,y"}`.
    - `target`: the fields to predict, for pairs of input and target that are not time series, such as coefficients and
      solutions of Darcy flow. All other fields are inputs. The arrays have no axis `time`, and a `trajectory` is a pair.
    - `parity`: "even" or "odd" by field name; replaces what the layout suggests.
    - `split`: "train", "valid" or "test", if the data are split that way (see `data_splits`); all data by default.
    - `is_torus`: whether the axes are periodic; replaces what the layout says.
    - `like`: the contract of a model. What was stated about its training files also applies to files of the same kind here,
      unless these arguments state something else.
    - `ask`: whether to raise an error for what cannot be inferred; otherwise it becomes a note of the source.
    - `unequal`: whether the grid spacing may differ along the axes (`Source.spacings`), for data that `resample` will bring to
      a single spacing. Networks cannot take such data.
    - `conditions`: numbers of each trajectory that a network receives as inputs that are the same everywhere on the grid: names
      of numbers in the file, or `time_step` and `spacing`, which may then differ between trajectories or files. `viscosity=nu`
      takes a number that the file calls `nu`; `viscosity=0.1`, or `{"viscosity": 0.1}`, gives one that the file does not state.
    - `dimensions`: dimensions that the data may have, if a file does not state it. If empty, the dimension of `like`, or any
      without it.

    **Returns:** a source; several files become one source, in the order of their names.

    **Raises:** `ArgumentError` if the user has to state something, or stated it wrongly; `FileError` for data that cannot be
    used.
    """
    if split is not None and split not in SPLITS:
        raise unknown_name("split", split, SPLITS, expected="one of " + ", ".join(SPLITS))
    torus = tuple(is_torus) if isinstance(is_torus, Iterable) else is_torus
    model = () if like is None else like.everything
    said = _Said(
        tuple(fields),
        parse_parity(parity or {}),
        parse_axes(axes),
        torus,
        tuple(target),
        model=model,
        unequal=unequal,
        conditions=parse_conditions(conditions),
        dimensions=tuple(dimensions) or (() if like is None else (like.D,)),
    ).told_as(like)
    if like is not None and like.reading is not None and _kind(path) == like.reading.kind:
        kept_said = said.or_else(like.reading, like.layout or {})
        try:
            return _open(path, kept_said, split, ask)
        except MissingCondition:
            raise
        except GinjaxError as error:
            if kept_said.target:
                with suppress(GinjaxError):  # data for a prediction need not hold the targets
                    return _open(path, kept_said.without_targets(like.fields), split, ask)
            # Files of the same kind may hold other arrays: then they are read without what was stated before, if possible.
            try:
                return _open(path, said, split, ask)
            except GinjaxError:
                kept = ", ".join(
                    [*like.reading.fields, *(f"{n}={t}" if n else t for n, t in (like.layout or {}).items())]
                )
                if not kept:
                    raise error from None
                what = error.subject.removeprefix(f"{name_of(path)}: ")
                raise type(error)(
                    f"{name_of(path)}: read as the data of the model ({kept}): {what}",
                    got=error.got,
                    expected=error.expected,
                    hint="Say how to read these data with `fields` and `axes`: that goes before what the model keeps."
                    + (f" {error.hint}" if error.hint else ""),
                ) from None
    return _open(path, said, split, ask)


@dataclass(frozen=True)
class _Said:
    """What the user states about files, see `open_data`."""

    fields: tuple[str, ...]
    parity: Mapping[str, int]
    axes: Mapping[str, AxisOrder]
    torus: bool | tuple[bool, ...] | None
    target: tuple[str, ...] = ()
    known: tuple[Field, ...] = ()
    model: tuple[Field, ...] = ()
    unequal: bool = False
    conditions: tuple[ConditionRequest, ...] = ()
    dimensions: tuple[int, ...] = ()

    def told_as(self, like: DataContract | None) -> _Said:
        """Add the conditions of a model, which apply to files of any kind."""
        said = {each.name for each in self.conditions}
        more = (each.name for each in (like.conditions if like is not None else ()) if each.name not in said)
        return replace(self, conditions=(*self.conditions, *map(ConditionRequest, more)))

    def without_targets(self, known: tuple[Field, ...]) -> _Said:
        """The same for data that do not hold the targets, whose kinds are then known."""
        requests, renamings = parse_fields(self.fields)
        of = {each.field.name: each.parts for each in requests} | {
            each.name: each.parts for each in renamings
        }
        arrays = {part for name in self.target for part in of.get(name, ())}
        return replace(
            self,
            fields=tuple(text for text in self.fields if _name_in(text) not in self.target),
            axes={name: order for name, order in self.axes.items() if name not in {*self.target, *arrays}},
            known=known,
        )

    def or_else(self, kept: Reading, axes: Mapping[str, str]) -> _Said:
        """The same, completed by what was stated before."""
        names = {_name_in(text) for text in self.fields}
        renames = not parse_fields(self.fields)[0]
        fields = self.fields
        if renames and kept.fields:
            # New names for some fields only: the others are those stated before.
            own = {each.name: each.kind for each in self.model}
            mine = [
                f"{own[_name_in(text)]}={text.partition('=')[2]}" if _name_in(text) in own else text
                for text in fields
            ]
            fields = (*(text for text in kept.fields if _name_in(text) not in names), *mine)
        parity = parse_parity(kept.parity if renames else {})
        called = {each.name: each for each in parse_conditions(kept.conditions)}
        return replace(
            self,
            fields=fields,
            parity={**parity, **self.parity},
            axes=self.axes or parse_axes(axes),
            torus=kept.periodic if self.torus is None else self.torus,
            target=self.target or kept.target,
            known=(),
            conditions=tuple(
                called.get(each.name, each) if each == ConditionRequest(each.name) else each
                for each in self.conditions
            ),
        )

    def to_be_kept(self, found: Found) -> Reading | None:
        """What a model trained on this file has to remember; None if nothing was stated or had to be."""
        called = tuple(
            f"{each.name}={each.variable}" for each in self.conditions if each.variable is not None
        )
        if not (self.fields or self.parity or found.read_as or self.target or called) and self.torus is None:
            return None
        periodic = None if self.torus is None else parse_torus(self.torus, found.D)
        words = {name: "odd" if p else "even" for name, p in self.parity.items()}
        return Reading(found.reader, self.fields, words, periodic, self.target, called)


def _open(path: Paths, said: _Said, split: str | None, ask: bool) -> Source:
    requests, renamings = parse_fields(said.fields)
    files = data_files(path)
    founds = [
        renamed(found, renamings, said.model)
        for file, folder in files
        for found in _find(file, folder, split, requests, said)
    ]
    if not founds:
        raise ArgumentError(
            f"{name_of(path)}: has no part '{split}'",
            hint=f"It has {', '.join(data_splits(path)) or 'no parts'}.",
        )
    others = {each.name for each in renamings}
    sources = [
        assemble(
            found,
            # If some fields are fully stated, those that are only renamed count as stated, too.
            (*requests, *(each for each in found.defaults if each.field.name in others)) if requests else (),
            said.parity,
            said.torus,
            reading=said.to_be_kept(found),
            ask=ask,
            pairs=bool(said.target),
            unequal=said.unequal,
            conditions=said.conditions,
            model=said.model,
        )
        for found in founds
    ]
    joined = join(sources, [found.where for found in founds], split)
    if said.target:
        joined = paired(joined, said.target, said.known)
    left = passed_over(path, {file for file, _ in files})
    return replace(joined, notes=(*joined.notes, left)) if left else joined


def _name_in(text: str) -> str:
    """The field name in a text of `fields`."""
    return text.partition("=")[0].partition(":")[0]


def _kind(path: Paths) -> str | None:
    """The name of the reader of the first file; None if there is none."""
    try:
        with _recognised(DataFile(data_files(path)[0][0])) as (reader, _):
            return reader.name
    except GinjaxError:
        return None


def data_splits(path: Paths) -> tuple[str, ...]:
    """Which of "train", "valid" and "test" the data are split into, by folders or inside the files.

    **Arguments:**

    - `path`: as in `open_data`.

    **Returns:** the splits, in that order; empty if the data are not split.
    """
    present: set[str] = set()
    for file, folder in data_files(path):
        with _recognised(DataFile(file)) as (reader, opened):
            present.update(reader.splits(opened) or ([folder] if folder else []))
    return tuple(split for split in SPLITS if split in present)


def _check_not_empty(found: Found) -> None:
    """Refuse a file without a trajectory, a frame or a point.

    **Raises:** `FileError` for such a file.
    """
    for what, number in (("trajectories", found.trajectories), ("frames", found.frames)):
        if number < 1:
            raise FileError(f"{found.where}: {what}", got=number, expected="at least 1")
    if 0 in found.spatial:
        raise FileError(
            f"{found.where}: grid", got="x".join(map(str, found.spatial)), expected="points on every axis"
        )


def _find(
    file: str,
    folder: str | None,
    split: str | None,
    requests: tuple[FieldRequest, ...],
    said: _Said,
) -> list[Found]:
    """The parts of a file that belong to a split."""
    with _recognised(DataFile(file, said.axes, said.dimensions, pairs=bool(said.target))) as (reader, opened):
        inside = reader.splits(opened)
        if split is not None and split not in (inside or (folder,)):
            return []
        wanted = ([split] if split else list(inside)) if inside else [folder]
        founds = [reader.find(opened, each, requests) for each in wanted]
        for found in founds:
            _check_not_empty(found)
            if said.axes and not found.read_as:
                raise ArgumentError(
                    "`axes`",
                    got=f"{file}, whose layout {found.layout} says itself which axis is which",
                    expected="none for such files",
                )
        return [replace(found, reader=reader.name) for found in founds]


@contextmanager
def _recognised(opened: DataFile) -> Iterator[tuple[DataReader, DataFile]]:
    """A file and its reader. The file is closed at the end, because there may be thousands; reading opens it again."""
    try:
        yield reader_of(opened), opened
    finally:
        opened.close()
