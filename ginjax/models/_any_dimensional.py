"""The interface of an architecture: everything that the rest of the library uses of it."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import equinox as eqx
from jax import Array

from ..errors import ArgumentError
from ..filters import BankRecipe, FilterBank
from ..geometric import MultiImage, PlanarImage, Rescaling
from ..layers import as_bank, field_signature
from ._constructor import constructor_of
from ._convert import convert_certified, transfer_certified
from ._module import MultiImageModule
from ._named_arrays import model_banks
from ._rules import StaticRules
from ._settings import NetworkSettings
from ._spec import ModelSpec
from .blocks import activation_name, padding_option, product_recipe


class AnyDimensionalModel(StaticRules, MultiImageModule):
    """The base class of every architecture: a model whose weights can be converted to another dimension.

    The constructor is `([D,] input_keys, output_keys, options..., <role>_filters..., key)`. Its options are read from its
    signature and become the options of the spec. They are plain values, except `mid_keys`, which is a signature. The class
    declares everything else:

    - `spec`: the description of the model without its dimension. The constructor begins with
      `self.spec = self.spec_of(locals())`.
    - `D`: the dimension of the model.
    - `architecture`: the name in files, such as `"ResNet"`.
    - `words`: for every word of the command line and of `Network` that the architecture uses, the name of the constructor's
      argument. The words are `channels`, `blocks`, `levels`, `activation`, `norm`, `bias`, `upsample`, `nonlinearity`,
      `padding` (`padding_mode`, passed to every convolution) and `plain`, whose argument (`equivariant`) has the opposite
      meaning.
    - `sizes`: the largest value of each option that counts channels or pixels.
    - `repeats`: the largest value of each option that counts parts that are built one by one, such as blocks. Every whole
      number among the options must be in `sizes` or `repeats`. Values below 1 or above the largest are refused.
    - `added_options`: options that were added when files of the architecture existed already. The spec leaves them out
      while they are at their defaults.
    - `first_convs`, `last_convs`: for an architecture with a plain variant, the dotted names of the plain convolutions whose
      channels are the components of the input and of the output.
    """

    architecture: ClassVar[str] = ""
    words: ClassVar[Mapping[str, str]] = {}
    sizes: ClassVar[Mapping[str, int]] = {}
    repeats: ClassVar[Mapping[str, int]] = {}
    added_options: ClassVar[frozenset[str]] = frozenset()
    first_convs: ClassVar[tuple[str, ...]] = ()
    last_convs: ClassVar[tuple[str, ...]] = ()

    spec: eqx.AbstractVar[ModelSpec]
    D: eqx.AbstractVar[int]

    @classmethod
    def command_name(cls) -> str:
        """The name on the command line: `architecture` in lower case."""
        return cls.architecture.lower()

    @classmethod
    def options_from(cls, settings: NetworkSettings) -> dict[str, Any]:
        """Return the options of the constructor for the given settings.

        Besides those in `words` these are `mid_keys` or, for a plain network, `kernel_size` and (on periodic data)
        `padding_mode`, each if the constructor has it.
        """
        options = {argument: getattr(settings, word) for word, argument in cls.words.items()}
        if "plain" in cls.words:
            options[cls.words["plain"]] = not settings.plain
        inside: dict[str, Any] = {"mid_keys": settings.middle}
        if settings.plain:
            inside = {"kernel_size": settings.recipe.side}
            if settings.padding == "ZEROS":
                inside["padding_mode"] = "CIRCULAR"
        defaults = constructor_of(cls).options
        options |= {name: inside[name] for name in inside.keys() & defaults.keys()}
        return cls._without_added(options)

    @classmethod
    def bank_recipes(cls, options: Mapping[str, Any], recipe: BankRecipe) -> dict[str, BankRecipe]:
        """Return the recipe of each filter bank by role, given the recipe of the ordinary convolutions."""
        products = {"product": product_recipe(recipe)} if options.get("nonlinearity") == "product" else {}
        return {"conv": recipe} | products

    @classmethod
    def grid_factor_of(cls, options: Mapping[str, Any]) -> int:
        """Return the number that must divide the sides of the grid, for given options."""
        return 1

    @classmethod
    def least_layers(cls, options: Mapping[str, Any]) -> int:
        """Return a lower bound on the number of convolutions; a file with fewer is refused before a model is built."""
        return max((options[name] for name in cls.repeats), default=1)

    @classmethod
    def complete(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Add the constructor's defaults to options, and check every count.

        **Raises:** `ArgumentError` for an unknown or missing option, or a count out of its range.
        """
        constructor = constructor_of(cls)
        found = constructor.with_defaults(options, cls.architecture)
        cls._check_counts(found, constructor.options)
        return found

    @classmethod
    def _check_counts(cls, options: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        most = {**cls.sizes, **cls.repeats}
        for name in (each for each in most if each in options):
            value = options[name]
            whole = type(value) is int and 1 <= value <= most[name]
            if not whole and not (value is None and defaults[name] is None):
                raise ArgumentError(
                    name, got=repr(value)[:40], expected=f"a whole number from 1 to {most[name]}"
                )

    @classmethod
    def from_spec(
        cls, spec: ModelSpec, D: int, banks: Mapping[str, FilterBank], key: Array | None = None
    ) -> Self:
        """Build an untrained model of this class.

        **Arguments:**

        - `spec`: the specification; its architecture must be this class.
        - `D`: the dimension.
        - `banks`: filters by role.
        - `key`: random key of the initial weights.
        """
        constructor = constructor_of(cls)
        given: dict[str, Any] = {f"{role}_filters": banks.get(role) for role in constructor.roles}
        given |= {name: value for name, value in (("D", D), ("key", key)) if name in constructor.takes}
        ends = dict(zip(constructor.ends, (spec.inputs, spec.outputs), strict=True))
        build: Any = cls
        return build(**ends, **dict(spec.options), **given)

    def spec_of(self, arguments: Mapping[str, Any]) -> ModelSpec:
        """Make the spec of a model from the arguments of its constructor, `locals()` at the start of the constructor.

        Every argument except `D`, the two signatures, the filters and `key` is an option. If a subclass calls the
        constructor of its base class, the options are those of the base class there.

        **Raises:** `ArgumentError` for a count out of its range, or an unknown activation.
        """
        classes = (each for each in type(self).__mro__ if issubclass(each, AnyDimensionalModel))
        constructor = next(each for each in map(constructor_of, classes) if each.names <= arguments.keys())
        options = self._without_added({name: arguments[name] for name in constructor.options})
        self._check_counts(options, constructor.options)
        if "activation_f" in options:
            options["activation_f"] = activation_name(options["activation_f"])
        if "padding_mode" in options:
            options["padding_mode"] = padding_option(
                options["padding_mode"], equivariant=bool(options.get("equivariant", True))
            )
        if options.get("mid_keys") is not None:
            options["mid_keys"] = field_signature(options["mid_keys"])
        return ModelSpec.make(self.architecture, *(arguments[name] for name in constructor.ends), **options)

    @classmethod
    def _without_added(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Drop the `added_options` that are at their defaults."""
        defaults = constructor_of(cls).options
        return {
            name: value
            for name, value in options.items()
            if name not in cls.added_options or value != defaults.get(name)
        }

    @property
    def grid_factor(self) -> int:
        """The number that must divide the sides of the grid."""
        return self.grid_factor_of(dict(self.spec.options))

    @property
    def output_convs(self) -> tuple[str, ...]:
        """The dotted names of the convolutions, or of the modules with them, whose outputs are those of the network."""
        return self.last_convs

    def level_of(self, name: str) -> int:
        """Return the number of down-samplings before the output of the convolution with that dotted name."""
        return 0

    def enter(self, x: MultiImage) -> Any:
        """Convert a field to the form in which the network computes: a `PlanarImage` or, if plain, scalar channels."""
        return PlanarImage.of(x) if self.spec.equivariant else x.to_scalar_multi_image()

    def leave(self, x: Any) -> MultiImage:
        """Convert the output back from the form of `enter`."""
        return x.to_image() if self.spec.equivariant else x.from_scalar_multi_image(self.spec.outputs)

    def convertD(
        self,
        conv_filters: MultiImage | FilterBank,
        rescale: Rescaling | str = Rescaling.COMPATIBILITY,
        key: Array | None = None,
        *,
        upsample_filters: MultiImage | FilterBank | None = None,
        flex: float | None = None,
    ) -> "AnyDimensionalModel":
        """Convert the model to the dimension of `conv_filters`.

        **Arguments:**

        - `conv_filters`: filters in the new dimension, of the same recipe as the model's own filters.
        - `rescale`: the rule, as an enum member or by its command-line name; see `ginjax.transfer.make_rule`.
        - `key`: not used, because the transfer determines every weight; accepted for old scripts.
        - `upsample_filters`: filters of the transposed convolutions of a UNet, if it has them.
        - `flex`: the parameter of the rule `compat-flex`.

        **Raises:** `UnsupportedError` for a model that is not equivariant.
        """
        banks = {"conv": conv_filters}
        if upsample_filters is not None:
            banks["upsample"] = upsample_filters
        products = model_banks(self).get("product")
        if products is not None:
            banks["product"] = products.in_dimension(as_bank(conv_filters).D)
        return convert_certified(self, banks, rescale, flex)[0]

    def transfer_weights(
        self, new_model: "AnyDimensionalModel", rescale: Rescaling | str, verbose: bool = False
    ) -> "AnyDimensionalModel":
        """Return `new_model` with this model's weights, transferred by a rule; neither model is changed."""
        return transfer_certified(self, new_model, rescale)[0]
