"""The options of an architecture, read from the signature of its constructor, which alone defines them."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..errors import ArgumentError

_ASIDE = frozenset({"D", "key"})
_FILTERS = "_filters"
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Constructor:
    """A constructor `([D,] inputs, outputs, options..., <role>_filters..., key)`; the order after `outputs` is free.

    **Arguments:**

    - `takes`: which of `D` and `key` are arguments; a constructor without `D` takes the dimension from its filters.
    - `ends`: the names of the arguments for the signatures of input and output.
    - `options`: every other argument, with its default or `inspect.Parameter.empty`.
    - `roles`: the roles of the filter banks among the arguments.
    - `counts`: the options that are whole numbers, according to their annotation or default.
    """

    takes: frozenset[str]
    ends: tuple[str, str]
    options: Mapping[str, Any]
    roles: tuple[str, ...]
    counts: frozenset[str]

    @property
    def names(self) -> set[str]:
        """The arguments that go into a spec."""
        return {*self.ends, *self.options}

    def with_defaults(self, given: Mapping[str, Any], architecture: str) -> dict[str, Any]:
        """Return options with the defaults filled in.

        **Raises:** `ArgumentError` for an unknown option, or if a required option is missing.
        """
        unknown = sorted(given.keys() - self.options.keys())
        needed = {name for name, default in self.options.items() if default is inspect.Parameter.empty}
        missing = sorted(needed - given.keys())
        if unknown or missing:
            raise ArgumentError(
                f"options of {architecture}",
                got=f"{', '.join(repr(name)[:40] for name in unknown[:3])}, not known"
                if unknown
                else f"no {', '.join(missing)}",
                expected=f"those of its constructor: {', '.join(self.options)}",
            )
        return {**self.options, **given}


@cache
def constructor_of(cls: type) -> Constructor:
    """Read the signature of a class's constructor.

    **Raises:** `ArgumentError` for a constructor without signatures of input and output, or with arguments without names.
    """
    _, *parameters = inspect.signature(cls.__init__).parameters.values()
    own = [each for each in parameters if each.name not in _ASIDE and not each.name.endswith(_FILTERS)]
    if len(own) < 2 or any(each.kind not in _NAMED for each in own):
        raise ArgumentError(
            f"constructor of {cls.__name__}",
            got=f"({', '.join(each.name for each in parameters)})",
            expected="(D, input_keys, output_keys, ...), each argument with a name",
        )
    first, second, *options = own
    names = [each.name for each in parameters]
    return Constructor(
        takes=_ASIDE & set(names),
        ends=(first.name, second.name),
        options={each.name: each.default for each in options},
        roles=tuple(name.removesuffix(_FILTERS) for name in names if name.endswith(_FILTERS)),
        counts=frozenset(each.name for each in options if _is_count(each)),
    )


def _is_count(parameter: inspect.Parameter) -> bool:
    text = parameter.annotation if isinstance(parameter.annotation, str) else str(parameter.annotation)
    return type(parameter.default) is int or re.search(r"\bint\b", text) is not None
