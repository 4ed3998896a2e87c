"""The architectures that can be asked for by name: one line each, and what a user adds."""

from collections.abc import Iterator, Mapping
from typing import NoReturn, TypeVar

from .._registry import Registry
from .._unknown_name import unknown_name
from ..errors import ArgumentError
from ._any_dimensional import AnyDimensionalModel
from ._constructor import constructor_of
from .arch import DilResNet, ResNet, SimpleConvSeries, UNet

OWN: tuple[type[AnyDimensionalModel], ...] = (ResNet, DilResNet, UNet, SimpleConvSeries)
"""The architectures that come with the library, in the order in which they are listed."""

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
"""What an architecture may call by another name in its `words`."""

HOW_TO_REGISTER = "Import the file that registers it with ginjax.models.register_architecture, or install the package that brings it."

_Architecture = TypeVar("_Architecture", bound=type[AnyDimensionalModel])


def check_architecture(name: str, cls: type[AnyDimensionalModel]) -> None:
    """Refuse a class that does not say what the library has to know of an architecture.

    **Raises:** `ArgumentError` with what is missing.
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
"""Every architecture by its name in files: the library's own, those of `register_architecture` and of installed packages."""


class _CommandNames(Mapping[str, str]):
    """A view of `ARCHITECTURES`; nothing installed is imported to look at it."""

    def __init__(self) -> None:
        # Only the library's own may have other names than those that follow from the names in files.
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
"""What the command line calls each architecture, and its name in `ARCHITECTURES`."""


def find_architecture(name: str) -> type[AnyDimensionalModel]:
    """The class of an architecture by its name in files.

    **Raises:** `ArgumentError` that lists the names there are and says how one is registered.
    """
    if name not in ARCHITECTURES:
        raise unknown_name("architecture", name, ARCHITECTURES, hint=HOW_TO_REGISTER)
    return ARCHITECTURES[name]


def register_architecture(cls: _Architecture) -> _Architecture:
    """Let an architecture be asked for by name, until the program ends; as a decorator of its class or as a call.

    Its files are loaded, and `Network` and `ModelDesign` build it, as if it were one of the library's own. The command
    line knows it once its package has an entry point of the group `ginjax.architectures`.

    **Arguments:**

    - `cls`: the class; what it has to declare stands in `AnyDimensionalModel`.

    **Returns:** `cls`.

    **Raises:** `ArgumentError` for a name that is taken, or a class that does not declare all it has to.
    """
    return ARCHITECTURES.add(getattr(cls, "architecture", ""), cls)  # pyright: ignore[reportReturnType]
