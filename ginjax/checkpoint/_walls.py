"""The continuation of fields beyond walls, which a model file states both in its specification and in its contract."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast, get_args

from ginjax._unknown_name import unknown_name
from ginjax.errors import ArgumentError

from ._contract import Axis, DataContract, NewBoundary, PaddingWord, new_axis_names

NEW_BOUNDARIES: tuple[NewBoundary, ...] = get_args(NewBoundary)
"""Every `NewBoundary`."""

OPTION = "padding_mode"
"""The option of the specification: one word in capitals, or a list with one word for each axis."""

UNSAID_AT_DEFAULT = frozenset({"SimpleConvSeries"})
"""Architectures that have the option, but omit it from the specification if it has its default."""

_FOLLOWS_FIELD = ("ZEROS", "MIRROR", "EDGE", "CIRCULAR")


def spec_padding(spec: Mapping[str, Any], D: int) -> tuple[PaddingWord, ...]:
    """How a network with this specification continues fields, along each axis that is not periodic.

    **Raises:** `ArgumentError` if there is not one word for each axis.
    """
    words = _words(spec, D)
    return tuple(cast(PaddingWord, word.lower()) if word in ("MIRROR", "EDGE") else "zeros" for word in words)


def with_padding(contract: DataContract, padding: Sequence[PaddingWord]) -> DataContract:
    """Set how a network continues fields along the axes of a contract that are not periodic.

    **Arguments:**

    - `contract`: the contract.
    - `padding`: one for each axis, from `spec_padding`.
    """
    axes = tuple(
        axis if axis.is_torus else replace(axis, padding=word)
        for axis, word in zip(contract.axes, padding, strict=True)
    )
    return contract if axes == contract.axes else replace(contract, axes=axes)


def check_padding(spec: Mapping[str, Any], contract: DataContract) -> None:
    """Refuse a file whose specification and contract contradict each other about its walls.

    **Raises:** `ArgumentError` that names the axis.
    """
    for axis, word in zip(contract.axes, spec_padding(spec, contract.D), strict=True):
        if not axis.is_torus and axis.padding != word:
            raise ArgumentError(
                f"padding of axis {axis.name!r}", got=axis.padding, expected=f"{word!r}, that of the network"
            )


def new_boundaries(
    asked: str | Mapping[str, str] | None, axes: Sequence[Axis], D: int, places: Sequence[int] = ()
) -> tuple[NewBoundary, ...]:
    """The boundary of each axis that a conversion adds; empty if all are periodic.

    **Arguments:**

    - `asked`: one word of `NEW_BOUNDARIES` for all added axes, or words by axis name, with all others periodic;
      None for periodic axes.
    - `axes`: the axes before the conversion.
    - `D`: the new dimension.
    - `places`: the places of the added axes, see `new_axis_places`; the last ones if empty.

    **Raises:** `ArgumentError` for an unknown word or axis, or on the way down, where no axis is added.
    """
    if asked is None or asked == {}:
        return ()
    names = new_axis_names(axes, D, places) if len(axes) < D else []
    if not names:
        raise ArgumentError("`new_boundary`", got=repr(asked), expected="a conversion to a higher dimension")
    by_name = dict.fromkeys(names, asked) if isinstance(asked, str) else dict(asked)
    for name, word in by_name.items():
        if name not in names:
            raise ArgumentError(
                f"`new_boundary` of axis {name!r}", got="no new axis", expected=" or ".join(names)
            )
        if word not in NEW_BOUNDARIES:
            hint = "Zeros on a new axis would not reproduce the network." if word == "zeros" else None
            raise unknown_name("`new_boundary`", word, NEW_BOUNDARIES, hint=hint)
    words: tuple[NewBoundary, ...] = tuple(cast(NewBoundary, by_name.get(name, "periodic")) for name in names)
    return () if set(words) == {"periodic"} else words


def spec_in_dimension(
    spec: Mapping[str, Any],
    D: int,
    to_dim: int,
    new: Sequence[NewBoundary] = (),
    places: Sequence[int] = (),
) -> Mapping[str, Any]:
    """The specification of a network in another dimension; it differs if the axes differ in their padding.

    **Arguments:**

    - `spec`: the specification in dimension `D`, as a JSON object.
    - `D`, `to_dim`: the dimensions before and after.
    - `new`: the boundaries of the axes added to reach `to_dim`, from `new_boundaries`.
    - `places`: the places of the axes that are added or removed, see `new_axis_places`; the last ones if empty.

    **Raises:** `ArgumentError` for walls along new axes of a network whose padding does not depend on the field, or that
    has no option for it.
    """
    options = spec.get("options", {})
    value = options.get(OPTION, "ZEROS")
    if not new and isinstance(value, str):
        return spec
    if OPTION not in options and spec.get("architecture") not in UNSAID_AT_DEFAULT:
        raise ArgumentError(
            f"walls along new axes of a {spec.get('architecture')}",
            got=f"an architecture without the option {OPTION!r}",
            expected="periodic new axes",
        )
    equivariant = options.get("equivariant", True)
    if not equivariant and isinstance(value, str) and value.upper() not in _FOLLOWS_FIELD[1:]:
        raise ArgumentError(
            "walls along new axes of a plain network",
            got=f"{OPTION}={value!r} along every axis, periodic or not",
            expected="a network whose padding follows the field",
        )
    high = max(D, to_dim)
    places = places or range(min(D, to_dim), high)
    own = iter(_words(spec, D))
    added = iter("ZEROS" if word == "periodic" else word.upper() for word in new or ("periodic",) * high)
    if to_dim > D:
        words = [next(added) if i in places else next(own) for i in range(to_dim)]
    else:
        words = [word for i, word in enumerate(own) if i not in places]
    if equivariant:
        words = [word if word in _FOLLOWS_FIELD[:3] else "ZEROS" for word in words]
    chosen = words[0] if equivariant and len(set(words)) == 1 else words
    return {**spec, "options": {**options, OPTION: chosen}}


def _words(spec: Mapping[str, Any], D: int) -> list[str]:
    value = spec.get("options", {}).get(OPTION, "ZEROS")
    listed = value if isinstance(value, list | tuple) else ()
    words = [value] * D if isinstance(value, str) else list(listed)
    if len(words) != D or not all(isinstance(word, str) for word in words):
        raise ArgumentError(f"option {OPTION!r}", got=repr(value)[:60], expected=f"a word, or {D} of them")
    words = [word.upper() for word in words]
    if listed and not set(words) <= set(_FOLLOWS_FIELD):
        raise ArgumentError(f"option {OPTION!r}", got=repr(value)[:60], expected=", ".join(_FOLLOWS_FIELD))
    return words
