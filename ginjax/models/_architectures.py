"""The architectures by name: the library's own, and those that users register."""

from collections.abc import Iterator, Mapping
from typing import NoReturn, TypeVar

from .._registry import Registry
from .._unknown_name import unknown_name
from ..errors import ArgumentError
from ._any_dimensional import AnyDimensionalModel
from ._constructor import constructor_of
from .arch import DilResNet, ResNet, SimpleConvSeries, UNet

OWN: tuple[type[AnyDimensionalModel], ...] = (ResNet, DilResNet, UNet, SimpleConvSeries)
"""The architectures of the library, in the order in which they are listed."""

WORDS = (
    "channels",
    "blocks",
    "levels",
    "activation",
    "norm",
    "bias",
    "upsample",
    "plain",
    "nonlinearity",
    "padding",
)
"""The words that an architecture may map to its own arguments in its `words`."""

HOW_TO_REGISTER = "Import the file that registers it with ginjax.models.register_architecture, or install the package that brings it."

_Architecture = TypeVar("_Architecture", bound=type[AnyDimensionalModel])


def check_architecture(name: str, cls: type[AnyDimensionalModel]) -> None:
    """Refuse a class that does not declare all that an architecture must declare.

    **Raises:** `ArgumentError` that names what is missing.
    """

    def refuse(got: str, expected: str) -> NoReturn:
        raise ArgumentError(
            f"architecture {name!r}",
            got=got,
            expected=expected,
            hint="What a class has to declare stands in ginjax.models.AnyDimensionalModel.",
        )

    if not (isinstance(cls, type) and issubclass(cls, AnyDimensionalModel)):
        refuse(
            cls.__name__ if isinstance(cls, type) else type(cls).__name__,
            "a subclass of ginjax.models.AnyDimensionalModel",
        )
    if not name or cls.architecture != name:
        refuse(f"{cls.__name__}.architecture = {cls.architecture!r}", repr(name or cls.__name__))
    word = name.lower()
    if cls.command_name() != word:
        refuse(f"{cls.command_name()!r} on the command line", f"{word!r}, its name in lower case")
    if ARCHITECTURE_NAMES.get(word, name) != name:
        refuse(f"{word!r} on the command line, which is taken", "a name of its own")
    constructor, bounded = constructor_of(cls), {**cls.sizes, **cls.repeats}
    if boundless := sorted(constructor.counts - bounded.keys()):
        refuse(
            f"no largest value of {', '.join(boundless)}", "one in sizes or repeats for every whole number"
        )
    if surplus := sorted({*cls.words.values(), *bounded} - constructor.options.keys()):
        refuse(
            f"{', '.join(surplus)} in words, sizes or repeats",
            f"options of its constructor: {', '.join(constructor.options)}",
        )
    if unknown := sorted(cls.words.keys() - set(WORDS)):
        refuse(f"{', '.join(unknown)} in words", f"words among {', '.join(WORDS)}")


ARCHITECTURES: Registry[type[AnyDimensionalModel]] = Registry(
    "architecture",
    {cls.architecture: cls for cls in OWN},
    home="ginjax.models._architectures:ARCHITECTURES",
    group="ginjax.architectures",
    check=check_architecture,
)
"""Every architecture by its name in files: the library's own, registered ones, and those of installed packages."""


class _CommandNames(Mapping[str, str]):
    """A view of `ARCHITECTURES` by command-line name; looking at it imports no installed package."""

    def __init__(self) -> None:
        # Only the library's own architectures may have a command-line name other than their name in lower case.
        self._own = {cls.architecture: cls.command_name() for cls in OWN}

    def __getitem__(self, word: str) -> str:
        for name in ARCHITECTURES:
            if self._own.get(name, name.lower()) == word:
                return name
        raise KeyError(word)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(self._own.get(name, name.lower()) for name in ARCHITECTURES))

    def __len__(self) -> int:
        return len(list(iter(self)))


ARCHITECTURE_NAMES: Mapping[str, str] = _CommandNames()
"""The name in `ARCHITECTURES` of each architecture, by its name on the command line."""


def find_architecture(name: str) -> type[AnyDimensionalModel]:
    """Return the class of an architecture by its name in files.

    **Raises:** `ArgumentError` that lists the known names and says how to register one.
    """
    if name not in ARCHITECTURES:
        raise unknown_name("architecture", name, ARCHITECTURES, hint=HOW_TO_REGISTER)
    return ARCHITECTURES[name]


def register_architecture(cls: _Architecture) -> _Architecture:
    """Register an architecture by name until the program ends, as a decorator of its class or as a call.

    Its model files can then be loaded, and `Network` and `ModelDesign` can build it, as for the library's own architectures.
    The command line finds it if its package has an entry point of the group `ginjax.architectures`.

    **Arguments:**

    - `cls`: the class; `AnyDimensionalModel` says what it must declare.

    **Returns:** `cls`.

    **Raises:** `ArgumentError` for a name that is taken, or for a class that does not declare all that it must.
    """
    return ARCHITECTURES.add(getattr(cls, "architecture", ""), cls)  # pyright: ignore[reportReturnType]
