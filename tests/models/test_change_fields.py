"""Models that gain and lose fields compute what they did of the others."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_records import drawn_record, small_banks, small_spec
from helpers import FULL3, S
from small_models import run

from ginjax.checkpoint import (
    DataContract,
    Field,
    FieldChange,
    axes_of,
    change_of_fields,
    convert_record,
)
from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.filters import bank_from_arrays
from ginjax.geometric import MultiImage, make_all_operators
from ginjax.models import (
    GroupAverage,
    LastStepIdentity,
    ModelWrapper,
    change_fields,
    from_record,
    signature_of,
    unbound_values,
    verify_records,
    with_changed_fields,
)

DENSITY, VELOCITY, PRESSURE = Field("density", 0, 0), Field("velocity", 1, 0), Field("pressure", 0, 0)
SPIN, BED, TWIST = Field("spin", 0, 1), Field("bed", 0, 0), Field("twist", 1, 1)
CHANGES = {
    "a scalar more": ((DENSITY, VELOCITY), (), (DENSITY, VELOCITY, PRESSURE), (), 1),
    "between frames and constants": ((DENSITY, VELOCITY), (BED,), (DENSITY, VELOCITY, PRESSURE), (BED,), 2),
    "a vector for a network of scalars": ((DENSITY,), (), (DENSITY, VELOCITY), (), 1),
    "scalars of both parities for one of vectors": ((VELOCITY,), (), (VELOCITY, DENSITY, SPIN), (), 1),
    "a constant of a new kind": ((DENSITY, SPIN), (BED,), (DENSITY, SPIN), (BED, TWIST), 1),
    "a vector less": ((DENSITY, VELOCITY), (), (DENSITY,), (), 1),
    "a scalar and a constant less": ((DENSITY, VELOCITY, PRESSURE), (BED,), (DENSITY, VELOCITY), (), 2),
}
NETWORKS = {
    "series": ("SimpleConvSeries", {}),
    "one convolution": ("SimpleConvSeries", {"depth": 1}),
    "resnet": ("ResNet", {}),
    "resnet, products": ("ResNet", {"nonlinearity": "product"}),
    "dilresnet": ("DilResNet", {}),
    "unet": ("UNet", {}),
    "unet, transposed": ("UNet", {"upsample": "transpose"}),
    "unet, products": ("UNet", {"nonlinearity": "product"}),
    "series, products": ("SimpleConvSeries", {"nonlinearity": "product"}),
    "plain resnet": ("ResNet", {"equivariant": False, "kernel_size": 3}),
    "plain unet": ("UNet", {"equivariant": False, "kernel_size": 3}),
}
DAILY = {
    ("series", change) for change in CHANGES
} | {
    ("resnet, products", "a vector for a network of scalars"),
    ("unet", "between frames and constants"),
    ("plain resnet", "a vector for a network of scalars"),
}  # fmt: skip
CASES = [
    pytest.param(network, change, marks=() if (network, change) in DAILY else pytest.mark.slow)
    for network in NETWORKS
    for change in CHANGES
]


def contract(fields, constants=(), past=1, D=2):
    return DataContract(axes_of((True,) * D), tuple(fields), tuple(constants), past_steps=past)


def record_of(network, known, D=2):
    architecture, options = NETWORKS[network]
    spec = small_spec(architecture, signature_of(known.inputs), signature_of(known.predicted), **options)
    return replace(drawn_record(spec, D, FULL3, dtype=np.float32), contract=known)


def values_of(known, side=4):
    return {
        (each.name, frame): np.random.default_rng([frame, *map(ord, each.name)])
        .normal(size=(side,) * known.D + (known.D,) * each.k)
        .astype(np.float32)
        for each, frame in known.inputs_named
    }


def predicted(record, values, zero=(), model=None):
    """By name what a model makes of its fields, each set to its own values or to zero."""
    known, blocks, places, found = record.contract, {}, {}, {}
    for each, frame in known.inputs_named:
        blocks.setdefault(each.key, []).append(values[each.name, frame] * (each.name not in zero))
    x = MultiImage({key: np.stack(some) for key, some in blocks.items()}, known.D, known.is_torus)
    y = run(from_record(record) if model is None else model, x)
    for each in known.predicted:
        places[each.key] = places.get(each.key, -1) + 1
        found[each.name] = np.asarray(y[each.key][places[each.key]])
    return found


def gap(a, b):
    return max(np.abs(a[name] - b[name]).max() / np.abs(a[name]).max() for name in a if name in b)


@pytest.mark.parametrize(("network", "change"), CASES)
def test_what_stays_is_predicted_as_before(network, change):
    fields, constants, *new, past = CHANGES[change]
    before, found = contract(fields, constants, past), contract(*new, past)
    made = change_of_fields(before, found)
    old = record_of(network, before)
    changed = change_fields(old, made)
    values = values_of(before) | values_of(made.after)
    gone = {each.name for each in made.dropped}
    was, now = predicted(old, values, zero=gone), predicted(changed, values)
    assert gap(was, now) < 1e-5  # the rounding of a norm
    for each in made.added:
        if each.name in now:
            assert np.abs(now[each.name]).max() == 0  # its mean, or no change
    if gone:  # the control: what a field that is lost was worth
        assert gap(predicted(old, values), now) > 1e-3


def test_all_paths_from_what_is_new_are_needed_to_be_zero():
    """The control: with any of them left as a new network has it, the old outputs move."""
    fields, constants, *new, past = CHANGES["a vector for a network of scalars"]
    before = contract(fields, constants, past)
    old = record_of("series", before)
    changed = change_fields(old, change_of_fields(before, contract(*new, past)))
    values = values_of(changed.contract)
    was, rng = predicted(old, values), np.random.default_rng(0)
    paths = [name for name in changed.arrays if name.endswith("k1p0->k0p0")]
    assert len(paths) == 2 and all(not changed.arrays[name].any() for name in paths)
    for name in paths:
        moved = changed.arrays | {name: rng.normal(size=changed.arrays[name].shape).astype(np.float32)}
        assert gap(was, predicted(replace(changed, arrays=moved), values)) > 1e-3


def test_new_channels_inside_are_not_dead():
    """All zero, they and the weights behind them would have no gradient for ever."""
    before = contract((DENSITY,))
    made = change_of_fields(before, contract((DENSITY, VELOCITY)))
    arrays = change_fields(record_of("series", before), made).arrays
    assert arrays["layers.0.conv.weight.k1p0->k1p0"].any() and arrays["layers.0.conv.weight.k0p0->k1p0"].any()
    assert not arrays["layers.1.conv.weight.k1p0->k1p0"].any()  # the outputs of the network


def test_the_seed_decides():
    before = contract((DENSITY,))
    made, old = change_of_fields(before, contract((DENSITY, VELOCITY))), record_of("series", before)
    assert change_fields(old, made) == change_fields(old, made)
    assert change_fields(old, made, seed=1) != change_fields(old, made)


# --- wrappers --------------------------------------------------------------------------------------------------------


def test_wrappers_go_on_around_the_network():
    before = contract((DENSITY,), D=1)
    made = change_of_fields(before, contract((DENSITY, PRESSURE), D=1))
    old = record_of("series", before, D=1)
    whole = GroupAverage(from_record(old), make_all_operators(1), always_average=True)
    changed = with_changed_fields(whole, before, made.after)
    values, new = values_of(made.after), replace(old, contract=made.after)
    assert gap(predicted(old, values, model=whole), predicted(new, values, model=changed)) < 2e-6
    identity = LastStepIdentity()
    assert with_changed_fields(identity, before, made.after) is identity
    with pytest.raises(UnsupportedError, match="other fields for a ModelWrapper"):
        with_changed_fields(ModelWrapper(1, lambda x: x, S, True), before, made.after)


# --- certificates ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def converted():
    low = record_of("series", contract((DENSITY,), D=1), D=1)
    return low, convert_record(low, 2, "compatibility").after


@pytest.mark.parametrize("more", [PRESSURE, VELOCITY])
def test_a_certificate_goes_on_to_hold_for_the_fields_that_there_were(converted, more):
    low, high = converted
    made = change_of_fields(high.contract, contract((DENSITY, more)))
    grown = change_fields(high, made)
    assert not grown.certificate_is_stale and grown.certificate.covers == "model"
    assert grown.certificate.fields == ("density",) and grown.certificate.paths == high.certificate.paths
    assert grown.provenance[-1]["added"] == [more.kind] and grown.provenance[-1]["source"] == high.digest
    found = verify_records(low, grown, side=4)
    assert found.lifts and found.is_equivariant and found.condition < 1e-6
    # The control: the weights between old fields alone are what the lift test is about.
    name = "layers.0.conv.weight.k0p0->k0p0"
    broken = grown.arrays[name] + np.float32(0.1)
    spoilt = replace(grown, arrays=grown.arrays | {name: broken})
    assert spoilt.certificate_is_stale and not verify_records(low, spoilt, side=4).lifts


def test_a_certificate_of_lost_fields(converted):
    low = record_of("series", contract((DENSITY, VELOCITY), D=1), D=1)
    high = convert_record(low, 2, "compatibility").after
    less = change_fields(high, change_of_fields(high.contract, contract((DENSITY,))))
    assert less.certificate.fields == ("density",) and not less.certificate_is_stale
    assert verify_records(low, less, side=4).lifts


def test_values_that_no_certified_field_depends_on(converted):
    _, high = converted
    assert unbound_values(high) == {}
    grown = change_fields(high, change_of_fields(high.contract, contract((DENSITY, VELOCITY, PRESSURE))))
    free = unbound_values(grown)
    assert free["layers.0.conv.weight.k0p0->k1p0"].all() and free["layers.0.nonlinearity.weights.k1p0"].all()
    assert "layers.0.conv.weight.k1p0->k0p0" not in free and "layers.0.conv.weight.k0p0->k0p0" not in free
    assert free["layers.1.conv.weight.k0p0->k0p0"].tolist() == [False, True]
    assert free["layers.1.conv.bias.k0p0"].tolist() == [False, True]
    rng = np.random.default_rng(0)
    moved = dict(grown.arrays)
    for name, rows in free.items():
        moved[name] = moved[name] + rng.normal(size=moved[name].shape).astype(np.float32) * rows.reshape(
            -1, *(1,) * (moved[name].ndim - 1)
        )
    values = values_of(grown.contract)
    was = predicted(high, values)
    now = predicted(replace(grown, arrays=moved), values)
    assert gap(was, now) < 1e-5  # the rounding of a norm and np.abs(now["velocity"]).max() > 1e-2


# --- what cannot be --------------------------------------------------------------------------------------------------


def test_fields_that_may_be_the_same_under_another_name():
    own = contract((DENSITY, VELOCITY))
    assert change_of_fields(own, own) is None
    assert change_of_fields(own, contract((DENSITY, Field("u", 1, 0)))) is None
    assert change_of_fields(own, contract((Field("rho", 0, 0),))) is None
    said = change_of_fields(own, contract((DENSITY, Field("u", 1, 0))), drop=["velocity"])
    assert [each.name for each in said.after.fields] == ["density", "u"]
    assert change_of_fields(own, contract((DENSITY, VELOCITY, BED)), drop=["bed"]) is None
    with pytest.raises(ArgumentError, match="`drop_fields`: got 'heat', expected fields of the model or of"):
        change_of_fields(own, own, drop=["heat"])
    with pytest.raises(ArgumentError, match="`drop_fields`: got every field"):
        change_of_fields(own, own, drop=["density", "velocity"])


def test_filters_that_match_no_recipe():
    before = contract((DENSITY,), D=1)
    spec = small_spec("SimpleConvSeries", S)
    made = small_banks(spec, 1, FULL3)["conv"].blocks[0, 0].filters
    bank = bank_from_arrays(1, {(0, 0): made + np.array([[0.1, 0.4, 0.1]]) * np.ones((2, 1))})
    assert bank.recipe is None
    record = replace(drawn_record(spec, 1, dtype=np.float32, banks={"conv": bank}), contract=before)
    more = change_of_fields(before, contract((DENSITY, PRESSURE), D=1))
    assert change_fields(record, more).banks["conv"] == bank
    with pytest.raises(UnsupportedError, match="filters that match no recipe: got no filters of order 1"):
        change_fields(record, change_of_fields(before, contract((DENSITY, VELOCITY), D=1)))


def test_what_is_said_of_a_change_does_not_contradict_itself():
    two, new = contract((DENSITY, VELOCITY)), contract((DENSITY, VELOCITY, PRESSURE))
    kept = change_of_fields(two, new, ["velocity"]).in_words
    assert kept == (
        "the model gains pressure:0+: until it is trained on these, they change nothing of its other predictions",
        "the model loses velocity:1+: it goes on as if that were at its mean everywhere",
    )
    none = change_of_fields(two, new, ["density", "velocity"]).in_words
    assert none == (
        "the model gains pressure:0+, of which it has yet to learn everything",
        "the model loses density:0+, velocity:1+: nothing that it predicted is left",
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("presure", "Did you mean 'pressure'?"),
        (
            "density,velocity, pressure",
            "Name each by itself: `drop_fields=['density', 'velocity', 'pressure']`.",
        ),
        ("x", None),
    ],
)
def test_a_name_that_no_field_has_is_refused_with_what_was_meant(name, hint):
    new = contract((PRESSURE, VELOCITY, DENSITY))
    with pytest.raises(ArgumentError) as raised:
        change_of_fields(contract((DENSITY, VELOCITY)), new, [name])
    assert raised.value.hint == hint
    assert "fields of the model or of the data: density, velocity, pressure" in raised.value.problem


def test_scales_that_are_known_go_into_the_contract():
    own = contract((DENSITY,))
    made = change_of_fields(own, contract((DENSITY, PRESSURE)))
    assert isinstance(made, FieldChange) and made.after.scales == ()
    assert made.in_words == (
        "the model gains pressure:0+: until it is trained on these, its other predictions stay what they were",
    )
