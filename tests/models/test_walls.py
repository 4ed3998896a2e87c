"""Whole networks beside walls: a mirror is half of a periodic world, and what a network says of its walls is kept."""

import equinox as eqx
import jax
import numpy as np
import pytest
from helpers import ALL_KEYS, SV, S, bank, random_field
from small_models import run
from sweeps import all_but
from wall_padding import continued, cut, largest_difference

from ginjax.checkpoint import Axis, Field, axes_of
from ginjax.errors import ArgumentError
from ginjax.filters import BankRecipe, make_bank
from ginjax.geometric import MultiImage, Signature
from ginjax.models import (
    DilResNet,
    Network,
    ResNet,
    SimpleConvSeries,
    UNet,
    equivariance_defect,
    from_record,
    make_conv,
    to_record,
)

FIELDS = Signature([((0, 0), 1), ((0, 1), 1), ((1, 0), 1)])
CONV = make_bank(1, BankRecipe(3), ALL_KEYS)
UP = make_bank(1, BankRecipe(2), ALL_KEYS)
COMMON = {"use_bias": "scalar", "conv_filters": CONV, "activation_f": "tanh"}

NETWORKS = {
    "ResNet": lambda mode: ResNet(
        1, FIELDS, FIELDS, 2, 1, 1, use_group_norm=False, padding_mode=mode, **COMMON
    ),
    "DilResNet": lambda mode: DilResNet(1, FIELDS, FIELDS, 2, 1, padding_mode=mode, **COMMON),
    "UNet, transposed": lambda mode: UNet(
        1, FIELDS, FIELDS, 2, 2, 1, upsample_filters=UP, padding_mode=mode, **COMMON
    ),
    "UNet, repeated": lambda mode: UNet(
        1, FIELDS, FIELDS, 2, 2, 1, upsample="repeat", padding_mode=mode, **COMMON
    ),
    "SimpleConvSeries": lambda mode: SimpleConvSeries(
        FIELDS, FIELDS, CONV, 2, 2, "scalar", "tanh", padding_mode=mode
    ),
    "products": lambda mode: ResNet(
        1, SV, SV, 2, 1, 1, use_group_norm=False, nonlinearity="product", padding_mode=mode, **COMMON
    ),
}
SIDE = 12


@pytest.mark.parametrize("name", all_but(NETWORKS, "ResNet", "DilResNet", "UNet, transposed"))
def test_a_mirror_is_half_of_a_periodic_world(name):
    mirrored, edged = NETWORKS[name]("MIRROR"), NETWORKS[name]("EDGE")
    x = random_field(mirrored.spec.inputs, 1, SIDE, is_torus=False)
    doubled = continued(x, 0, 0, SIDE, "mirror")
    world = MultiImage(dict(doubled), 1, True)
    half = cut(run(mirrored, world), (SIDE,))
    y = run(mirrored, x)
    assert largest_difference(y, half) < 3e-5
    assert largest_difference(run(edged, x), half) > 1e-3
    assert largest_difference(run(NETWORKS[name]("ZEROS"), x), half) > 1e-3


@pytest.mark.parametrize("words", ["MIRROR", ("CIRCULAR", "EDGE"), ("EDGE", "MIRROR")])
def test_a_plain_convolution_wraps_where_the_field_does_and_mirrors_without_signs(words):
    conv = make_conv(
        2, [((0, 0), 2)], [((0, 0), 1)], "auto", False, None, 3, rhs_dilation=2, padding_mode=words
    )
    torus = (False, True) if words[1] == "MIRROR" else (False, False)
    x = random_field(Signature([((0, 0), 2)]), 2, 6, is_torus=torus)
    wide = x
    for axis, word in enumerate((words,) * 2 if isinstance(words, str) else words):
        how = "periodic" if torus[axis] or word == "CIRCULAR" else word.lower()
        wide = continued(wide, axis, 2, 2, how, signed=False)
    inner = conv.modules[((), 0)]
    wanted = jax.jit(lambda block: inner(block))(wide[((), 0)])
    found = eqx.filter_jit(lambda c, x: c(x))(conv, x)[((), 0)]
    np.testing.assert_allclose(found, wanted, atol=2e-6)
    dark = make_conv(
        2,
        [((0, 0), 2)],
        [((0, 0), 1)],
        "auto",
        False,
        None,
        3,
        rhs_dilation=2,
        padding_mode=("ZEROS", "ZEROS"),
    )
    assert np.abs(np.asarray(dark(x)[((), 0)]) - wanted).max() > 0.05


def test_a_record_says_what_its_network_does_beyond_the_walls():
    model = SimpleConvSeries(SV, SV, bank(2), 2, 1, "auto", None, padding_mode=("MIRROR", "EDGE"))
    record = to_record(model, is_torus=(True, False))
    assert record.contract.axes == (Axis("x"), Axis("y", "bounded", "edge"))
    again = from_record(record)
    assert again.spec == model.spec and again.spec.option("padding_mode") == ("MIRROR", "EDGE")
    assert again.layers[0].conv.padding_mode == ("mirror", "edge")
    wrong = record.contract.axes[0], Axis("y", "bounded", "mirror")
    changed = record.__class__(**{**vars(record), "contract": record.contract.__class__(wrong)})
    with pytest.raises(
        ArgumentError, match="padding of axis 'y': got mirror, expected 'edge', that of the network"
    ):
        from_record(changed)
    plain = SimpleConvSeries(SV, SV, bank(2), 2, 1, "auto", None)
    assert "padding_mode" not in dict(plain.spec.options)  # as in files of earlier versions
    assert to_record(plain, is_torus=False).contract.axes == axes_of((False, False))


def test_words_that_say_the_same_are_one():
    def option(value, **options):
        return SimpleConvSeries(S, S, bank(2), 2, 1, "auto", None, padding_mode=value).spec.option(
            "padding_mode"
        )

    assert option("mirror") == option(("MIRROR", "mirror")) == option(["mirror"] * 2) == "MIRROR"
    assert option(["mirror", "edge"]) == ("MIRROR", "EDGE")
    for wrong in ("symmetric", 3, (), ("MIRROR", "EDGE", "EDGE"), ("CIRCULAR", "EDGE")):
        with pytest.raises(ArgumentError, match="padding_mode"):
            option(wrong)
    # Equinox's own words never meant anything to an equivariant network, and files may hold them.
    assert ResNet(1, S, S, 2, 1, 1, conv_filters=CONV, padding_mode="CIRCULAR").encoder[
        0
    ].conv.padding_mode == ("zeros",)


WALLED = axes_of((True, False, False))


@pytest.mark.parametrize(
    "asked, axes, option",
    [
        (None, axes_of((True, True)), "ZEROS"),
        ("edge", WALLED, "EDGE"),
        ("zeros", WALLED, "ZEROS"),
        ({"y": "edge", "z": "edge"}, WALLED, "EDGE"),
        ({"y": "edge", "z": "zeros"}, WALLED, ("MIRROR", "EDGE", "ZEROS")),
    ],
)
def test_a_network_is_asked_by_axis(asked, axes, option):
    fields = [Field("density", 0, 0)]
    assert Network(padding=asked).design(fields, fields, axes).padding == option
    assert isinstance(hash(Network(padding=asked)), int)
    if axes is WALLED:
        words = Network(padding=asked, plain=True).design(fields, fields, axes).padding
        assert words == (option if isinstance(option, tuple) else (option,) * 3)


@pytest.mark.parametrize(
    "asked, axes, message",
    [
        ("reflect", WALLED, "`padding`: got 'reflect', expected zeros or mirror or edge"),
        ({"y": "wrap"}, WALLED, "`padding`: got 'wrap'"),
        ({"x": "edge"}, WALLED, "`padding` of axis 'x': got a periodic axis, expected y or z"),
        ({"w": "edge"}, WALLED, "`padding` of axis 'w': got no such axis, expected y or z"),
        (
            "mirror",
            axes_of((True,)),
            "`padding`: got 'mirror', expected data with an axis that is not periodic",
        ),
        (3, WALLED, "`padding`: got 3, expected a word, or words by the name of the axis"),
    ],
)
def test_what_cannot_be_padded_is_refused(asked, axes, message):
    with pytest.raises(ArgumentError) as caught:
        Network(padding=asked).design([Field("density", 0, 0)], [Field("density", 0, 0)], axes)
    assert message in str(caught.value)


def test_the_defect_is_measured_at_the_walls_there_are():
    model = SimpleConvSeries(SV, SV, bank(2), 2, 1, "auto", None, padding_mode=("MIRROR", "EDGE"))
    x = random_field(SV, 2, 4, is_torus=False)
    assert equivariance_defect(model, x) < 1e-5  # axes that are not alike are not exchanged
    swap = np.array([[0, 1], [1, 0]])
    moved = run(model, x.times_group_element(swap))
    assert largest_difference(moved, run(model, x).times_group_element(swap)) > 0.01
