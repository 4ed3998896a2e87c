"""A user's architecture, that of `docs/guides/own-architecture.md`, goes wherever the library's own go."""

import os
import subprocess
import sys
from dataclasses import replace
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import typer
from drawn_records import drawn_record, perturbed, small_spec
from fenced import blocks
from helpers import FIXTURES, SV, S, bank
from registries import as_if_installed, left_as_they_were

from ginjax.checkpoint import Field, change_of_fields, convert_record, read_model, write_model
from ginjax.errors import ArgumentError, FileError, UnsupportedError
from ginjax.geometric import Signature
from ginjax.layers import LayerNorm
from ginjax.models import (
    ARCHITECTURE_NAMES,
    ARCHITECTURES,
    AnyDimensionalModel,
    ConvBlock,
    ModelDesign,
    ModelSpec,
    Network,
    ResNet,
    SimpleConvSeries,
    change_fields,
    from_record,
    layer_table,
    load_model,
    named_arrays,
    register_architecture,
    save_model,
    to_dimension,
    to_record,
    verify_records,
)
from ginjax.models._architectures import OWN, check_architecture
from ginjax_cli._options import ARCHITECTURES as CHOICE

ROOT = FIXTURES.parent
GUIDE = ROOT / "docs" / "guides" / "own-architecture.md"
NAMES = ("ResNet", "DilResNet", "UNet", "SimpleConvSeries", "TwoBranch")
DENSITY = [Field("density", 0, 0)]


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The package of the guide in a folder of its own."""
    folder = tmp_path_factory.mktemp("two_branch")
    for block in blocks(GUIDE.read_text("utf-8")):
        if block.action == "file":
            (folder / block.note).write_text(block.text, "utf-8")
    as_if_installed(folder)
    return folder


@pytest.fixture
def installed(package, monkeypatch):
    """The package is installed for one test."""
    monkeypatch.syspath_prepend(package)
    with left_as_they_were():
        yield


def toy_record(D: int = 1, signature=SV, **options):
    return drawn_record(small_spec("TwoBranch", signature, **{"depth": 2, "num_conv": 1} | options), D)


def filled(cls, *arguments, **options):
    """A model with ones for weights, which no random numbers have to be compiled for."""
    empty = eqx.filter_eval_shape(cls, *arguments, **options)
    return jax.tree.map(
        lambda a: jnp.ones(a.shape, a.dtype) if isinstance(a, jax.ShapeDtypeStruct) else a, empty
    )


# --- names -----------------------------------------------------------------------------------------------------------


def test_the_command_line_offers_exactly_what_is_registered(installed):
    assert CHOICE.own == tuple(cls.command_name() for cls in OWN) == ("resnet", "dilresnet", "unet", "series")
    assert tuple(ARCHITECTURES) == NAMES == (*(cls.architecture for cls in OWN), "TwoBranch")
    assert tuple(ARCHITECTURE_NAMES.items()) == (
        *zip(CHOICE.own, NAMES[:4], strict=True),
        ("twobranch", "TwoBranch"),
    )
    assert len(ARCHITECTURE_NAMES) == 5 and "two_branch" not in sys.modules  # nothing was imported for that
    assert CHOICE("twobranch") == "twobranch"
    for wrong in ("TwoBranch", "vgg"):
        with pytest.raises(typer.BadParameter, match=f"'{wrong}' is not one of 'resnet', .*'twobranch'"):
            CHOICE(wrong)


def test_names_are_gone_with_the_package():
    assert tuple(ARCHITECTURES) == NAMES[:4] and "twobranch" not in ARCHITECTURE_NAMES
    with pytest.raises(typer.BadParameter, match="'twobranch' is not one of 'resnet'"):
        CHOICE("twobranch")
    with pytest.raises(ArgumentError, match="architecture: got 'twobranch', expected resnet or") as caught:
        Network("twobranch")
    assert "register_architecture" in caught.value.hint


# --- the words of the command line -----------------------------------------------------------------------------------


def test_the_words_of_the_command_line_become_its_options(installed):
    network = Network("twobranch", channels=3, blocks=1, bias="none", activation="gelu")
    spec = network.design(DENSITY, DENSITY).spec()
    assert spec.architecture == "TwoBranch"
    assert dict(spec.options) == {
        "depth": 3,
        "num_conv": 1,
        "use_bias": False,
        "activation_f": "gelu",
        "equivariant": True,
        "mid_keys": Signature([((0, 0), 3)]),
        "padding_mode": "ZEROS",
    }
    plain = replace(network, plain=True, side=5).design(DENSITY, DENSITY).spec()
    assert dict(plain.options).items() >= {"equivariant": False, "kernel_size": 5}.items()
    assert plain.option("mid_keys") is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"levels": 3}, "`levels`: got architecture 'twobranch', expected architecture unet$"),
        ({"upsample": "transpose"}, "`upsample`: got architecture 'twobranch', expected architecture unet$"),
        (
            {"norm": True},
            "`norm`: got architecture 'twobranch', expected architecture resnet or dilresnet or unet$",
        ),
        (
            {"architecture": "series", "plain": True},
            "`plain`: got .*'series', expected architecture resnet or dilresnet or unet$",
        ),
        (
            {"architecture": "dilresnet", "levels": 3},
            "`levels`: got architecture 'dilresnet', expected architecture unet$",
        ),
    ],
)
def test_words_that_an_architecture_does_not_use_are_refused(installed, settings, message):
    with pytest.raises(ArgumentError, match=message):
        Network(**{"architecture": "twobranch"} | settings)
    Network(
        **{"architecture": "unet", "plain": True, "levels": 3} | {"norm": True}
    )  # control: it has them all


def test_a_grid_is_checked_by_what_the_class_declares():
    thirds = declared(grid_factor_of=classmethod(lambda cls, options: 3 * options["depth"]))
    with left_as_they_were():
        register_architecture(thirds)
        design = ModelDesign("Fresh", S, S, channels=2)
        design.check_grid(12)
        with pytest.raises(ArgumentError, match="got 9, expected a multiple of 6") as caught:
            design.check_grid(9)
    assert caught.value.hint == "Choose another side of the grid."  # it has no levels


# --- the way of a model ----------------------------------------------------------------------------------------------


def test_it_is_built_saved_loaded_and_converted(installed, tmp_path):
    design = ModelDesign("TwoBranch", S, S, channels=1, blocks=1)
    model = design.build(1)
    save_model(tmp_path / "m", model)
    loaded = load_model(tmp_path / "m").model
    assert type(loaded) is ARCHITECTURES["TwoBranch"] and loaded.spec == model.spec
    for name, array in named_arrays(model).items():
        np.testing.assert_array_equal(named_arrays(loaded)[name], array)
    there, certificate = to_dimension(loaded, 2, "compatibility")
    assert there.D == 2 and certificate.exact
    by_hand = loaded.convertD(design.banks(2)["conv"])
    by_file = from_record(convert_record(read_model(tmp_path / "m"), 2, "compatibility").after)
    for other in (by_hand, by_file):
        for name, array in named_arrays(there).items():
            np.testing.assert_array_equal(named_arrays(other)[name], array)


def test_it_converts_exactly_and_is_equivariant(installed):
    low = toy_record(1, SV)
    high = convert_record(low, 2, "compatibility").after
    good = verify_records(low, high, side=5)
    assert good.lift_float64 < 1e-9 and good.equivariance < 1e-9 and good.condition < 1e-9
    moved = replace(high, arrays=perturbed(high.arrays, "far.0.conv.weight.k0p0->k0p0"))
    assert verify_records(low, moved, side=5).lift_float64 > 1e-3


def test_its_plain_variant_is_inflated(installed, tmp_path):
    record = toy_record(1, SV, equivariant=False, kernel_size=3)
    rows = {layer.name.removesuffix(".modules.k0p0"): layer for layer in record.plain_layers}
    ends = ((0, 0, 1), (1, 0, 1))
    assert {name for name, row in rows.items() if row.inputs == ends} == {"near.0.conv", "far.0.conv"}
    assert {name for name, row in rows.items() if row.outputs == ends} == {"last.conv"}
    write_model(tmp_path / "m", convert_record(record, 2, "centre").after)
    assert load_model(tmp_path / "m").model.D == 2


def test_a_plain_variant_has_to_say_where_fields_come_in(installed, monkeypatch):
    monkeypatch.setattr("two_branch.TwoBranch.last_convs", ())
    with pytest.raises(
        UnsupportedError, match="plain variant of TwoBranch: got no first_convs or last_convs"
    ):
        toy_record(1, S, equivariant=False, kernel_size=3)


# --- hostile files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_counts_of_a_file_are_checked_before_anything_is_built(installed, monkeypatch, name):
    record = toy_record(1, S) if name == "TwoBranch" else drawn_record(small_spec(name, S), 1)
    cls, built = ARCHITECTURES[name], []
    monkeypatch.setattr("ginjax.models._file.outline", lambda *parts: built.append(parts))

    def load(**options) -> None:
        from_record(replace(record, spec=record.spec | {"options": record.spec["options"] | options}))

    for option, most in {**cls.sizes, **cls.repeats}.items():
        for value in (0, -1, most + 1, 10**30, True, 1.5, "3", [1]):
            with pytest.raises(
                ArgumentError, match=f"^{option}: got .*, expected a whole number from 1 to {most}$"
            ):
                load(**{option: value})
    for option, most in cls.repeats.items():
        with pytest.raises(ArgumentError, match=rf"got \d+ layers, expected {len(record.layers)}$"):
            load(**{option: most})
    with pytest.raises(ArgumentError, match=f"options of {name}: got 'colour', not known, expected those"):
        load(colour=3)
    assert built == []
    with pytest.raises(
        ArgumentError, match="layer table"
    ):  # control: what was saved is built, here to nothing
        load()
    assert len(built) == 1


# --- what could not be loaded again ----------------------------------------------------------------------------------


class Louder(SimpleConvSeries):
    """A subclass that behaves in another way under the same name."""

    def __call__(self, x, aux_data=None):
        y, aux_data = super().__call__(x, aux_data)
        return y * 2, aux_data


class Named(Louder):
    architecture = "Louder"


def test_a_class_that_a_file_would_not_bring_back_is_not_written(tmp_path):
    arguments = (S, S, bank(1), 1, 1, "auto", "tanh")
    for cls, message in (
        (
            Louder,
            "the class Louder in a file: got architecture 'SimpleConvSeries', which is SimpleConvSeries",
        ),
        (Named, "the class Named in a file: got no architecture of it, expected a registered class"),
    ):
        with pytest.raises(UnsupportedError, match=message) as caught:
            save_model(tmp_path / "m", filled(cls, *arguments))
        assert "register_architecture" in caught.value.hint and not (tmp_path / "m").exists()
    with left_as_they_were():
        assert register_architecture(Named) is Named
        save_model(tmp_path / "m", filled(Named, *arguments))
        assert type(load_model(tmp_path / "m").model) is Named
        assert to_record(filled(SimpleConvSeries, *arguments)).spec["architecture"] == "SimpleConvSeries"
        again = type("Named", (Louder,), {"architecture": "Louder", "__module__": Named.__module__})
        register_architecture(again)  # as a notebook does that runs a cell once more
        with pytest.raises(UnsupportedError, match="registered again") as caught:
            save_model(tmp_path / "m", filled(Named, *arguments), force=True)
    with pytest.raises(FileError, match="architecture: got 'Louder', expected ResNet or DilResNet") as caught:
        load_model(tmp_path / "m")
    assert "register_architecture" in caught.value.hint and "corrupt" not in caught.value.hint


class Deeper(ResNet):
    """A subclass with a constructor of its own, which calls that of its base."""

    architecture = "Deeper"
    repeats = {"num_blocks": 4, "half": 4}  # noqa: RUF012

    def __init__(self, D, input_keys, output_keys, half: int = 1, conv_filters=None, key=None):
        super().__init__(D, input_keys, output_keys, 1, 2 * half, 1, conv_filters=conv_filters, key=key)
        self.spec = self.spec_of(locals())

    @classmethod
    def least_layers(cls, options):
        return 2 * options["half"]


def test_a_subclass_describes_itself_by_its_own_constructor():
    model = eqx.filter_eval_shape(Deeper, 1, S, S, 2, conv_filters=bank(1))
    assert model.spec.architecture == "Deeper" and model.spec.options == (("half", 2),)
    assert len(model.blocks) == 4 and len(layer_table(model)) == 8
    with pytest.raises(ArgumentError, match="num_blocks: got 6, expected a whole number from 1 to 4"):
        eqx.filter_eval_shape(Deeper, 1, S, S, 3, conv_filters=bank(1))


def test_a_package_that_is_broken_is_not_called_a_corrupt_file(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "torn"\nversion = "1"\n'
        '[project.entry-points."ginjax.architectures"]\nTorn = "torn_architecture:Torn"\n'
    )
    as_if_installed(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    record = drawn_record(small_spec("ResNet", S), 1)
    write_model(tmp_path / "m", replace(record, spec=record.spec | {"architecture": "Torn"}))
    with (
        left_as_they_were(),
        pytest.raises(FileError, match="ModuleNotFoundError on importing") as caught,
    ):
        load_model(tmp_path / "m")
    assert caught.value.hint == "Update that package, or uninstall it."


# --- registration ----------------------------------------------------------------------------------------------------


def declared(**facts) -> type:
    """A class that says all that a registration asks for, but for `facts`."""

    def constructor(self, D, input_keys, output_keys, depth: int, more=None, conv_filters=None, key=None):
        pass

    own = {"architecture": "Fresh", "sizes": {"depth": 8}, "words": {"channels": "depth"}}
    return type("Fresh", (AnyDimensionalModel,), own | {"__init__": constructor} | facts)


def count_by_default(self, D, input_keys, output_keys, depth=2, rounds=3, conv_filters=None, key=None):
    pass


def no_names(self, *parts):
    pass


@pytest.mark.parametrize("cls", OWN)
def test_the_librarys_own_declare_enough(cls):
    if cls is SimpleConvSeries:  # control: its name on the command line is older than the rule
        with pytest.raises(
            ArgumentError, match="got 'series' on the command line, expected 'simpleconvseries'"
        ):
            check_architecture(cls.architecture, cls)
        cls = type(cls.__name__, (cls,), {})
    check_architecture(cls.architecture, cls)


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (3, "architecture '': got int, expected a subclass of ginjax.models.AnyDimensionalModel"),
        (ConvBlock, "expected a subclass of ginjax.models.AnyDimensionalModel"),
        (Louder, "name of the architecture: got 'SimpleConvSeries', which is taken"),
        (declared(architecture=""), "Fresh.architecture = '', expected 'Fresh'"),
        (declared(architecture="RESNET"), "got 'resnet' on the command line, which is taken"),
        (declared(architecture="Series"), "got 'series' on the command line, which is taken"),
        (
            declared(command_name=classmethod(lambda cls: "new")),
            "'new' on the command line, expected 'fresh'",
        ),
        (declared(sizes={}), "no largest value of depth, expected one in sizes or repeats"),
        (declared(__init__=count_by_default), "no largest value of rounds"),
        (
            declared(words={"channels": "width"}),
            "width in words, sizes or repeats, expected options .*: depth, more",
        ),
        (declared(repeats={"layers": 3}), "layers in words, sizes or repeats"),
        (declared(words={"colour": "depth"}), "colour in words, expected words among channels, blocks"),
        (declared(__init__=no_names), r"constructor of Fresh: got \(parts\), expected \(D, input_keys"),
    ],
)
def test_a_class_that_does_not_declare_enough_is_refused(cls, message):
    with left_as_they_were():
        with pytest.raises(ArgumentError, match=message):
            register_architecture(cls)
        assert tuple(ARCHITECTURES) == NAMES[:4]
        assert register_architecture(declared()).architecture in ARCHITECTURES  # control
        assert register_architecture(ResNet) is ResNet  # it is that already


# --- other fields ----------------------------------------------------------------------------------------------------


class NormFirst(SimpleConvSeries):
    """A norm over the input, whose statistics a further field changes."""

    architecture = "NormFirst"
    words: ClassVar = {"channels": "width"}

    norm: LayerNorm

    def __init__(self, input_keys, target_keys, conv_filters, width=2, depth=1, key=None):
        super().__init__(input_keys, target_keys, conv_filters, width, depth, "auto", "gelu", key)
        self.norm = LayerNorm(input_keys, self.D)

    def __call__(self, x, aux_data=None):
        return super().__call__(self.norm(x), aux_data)


class Loudest(SimpleConvSeries):
    """Divides by the largest value of its input: no array shows that a further field matters."""

    architecture = "Loudest"
    words: ClassVar = {"channels": "width"}

    def __init__(self, input_keys, target_keys, conv_filters, width=2, depth=1, key=None):
        super().__init__(input_keys, target_keys, conv_filters, width, depth, "auto", "gelu", key)

    def __call__(self, x, aux_data=None):
        return super().__call__(x / max(jnp.abs(block).max() for block in x.values()), aux_data)


def with_more(record):
    own = replace(record.contract, fields=tuple(DENSITY))
    found = replace(own, fields=(*DENSITY, Field("velocity", 1, 0), Field("pressure", 0, 0)))
    change = change_of_fields(own, found)
    return change_fields(replace(record, contract=own), change)


def test_a_network_of_the_user_gains_fields(installed):
    found = with_more(toy_record(1, S))
    assert [each.name for each in found.contract.fields] == ["density", "velocity", "pressure"]
    assert not found.arrays["last.conv.weight.k0p0->k1p0"].any()


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (NormFirst, r"array 'norm\..*got \(1,\) before and \(2,\) after"),
        (Loudest, "other fields for a Loudest: got a network that computes something else of its old fields"),
    ],
)
def test_one_that_sees_its_new_fields_in_its_old_ones_does_not(cls, message):
    with left_as_they_were():
        register_architecture(cls)
        record = drawn_record(ModelSpec.make(cls.architecture, S, S, width=2, depth=1), 1)
        with pytest.raises(UnsupportedError, match=message):
            with_more(record)


# --- the command line ------------------------------------------------------------------------------------------------

LIGHT = """
import sys
from ginjax_cli.main import main
try:
    main()
finally:
    sys.exit("jax" in sys.modules or "two_branch" in sys.modules)
"""


def test_it_is_trained_by_the_command_line_and_converted_by_the_file_alone(package, tmp_path):
    def run(*words: str, path: str) -> None:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    small = ("--channels", "1", "--blocks", "1", "--steps", "1", "--trajectories", "2", "--frames", "2")
    both = f"{ROOT}{os.pathsep}{package}"
    run("-m", "ginjax_cli", "train", "--arch", "twobranch", *small, "--size", "8", "-o", "m", path=both)
    assert read_model(tmp_path / "m").spec["architecture"] == "TwoBranch"
    run("-c", LIGHT, "convert-d", "m", "--to-dim", "2", "-o", "m2", path=str(ROOT))
    assert read_model(tmp_path / "m2").certificate.exact
