"""Conversion to a world with walls along the new axes: exact where it may be, refused where it cannot be, and certified."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from drawn_records import drawn_record, small_spec
from helpers import ALL_KEYS, SV, S
from small_models import run
from sweeps import all_but

from ginjax.checkpoint import (
    Axis,
    ModelRecord,
    axes_of,
    check_contract,
    conversion_differences,
    convert_record,
    new_boundaries,
    read_model,
    spec_padding,
    with_padding,
    write_model,
)
from ginjax.errors import ArgumentError
from ginjax.filters import BankRecipe, make_bank
from ginjax.geometric import MultiImage, Signature
from ginjax.models import SimpleConvSeries, from_record, to_record, verify_records
from ginjax.models.blocks import product_bank
from ginjax.transfer import Certificate

ODD = Signature([((1, 1), 1)])


CONV = make_bank(1, BankRecipe(3), [(0, 0), (1, 0), (2, 0)])


def walled(record: ModelRecord, torus: tuple[bool, ...]) -> ModelRecord:
    contract = replace(record.contract, axes=axes_of(torus))
    return replace(record, contract=with_padding(contract, spec_padding(record.spec, record.D)))


def drawn(name="SimpleConvSeries", signature=SV, D=1, torus=None, **options) -> ModelRecord:
    products = {"conv": CONV, "product": product_bank(CONV)} if options.get("nonlinearity") else None
    record = drawn_record(small_spec(name, signature, **options), D, banks=products)
    return walled(record, (False,) * D if torus is None else torus)


def with_zeros(record: ModelRecord) -> ModelRecord:
    """The control: zeros beyond the last axis."""
    words = [*(word.upper() for word in spec_padding(record.spec, record.D)[:-1]), "ZEROS"]
    spec = {**record.spec, "options": {**record.spec["options"], "padding_mode": words}}
    return replace(record, spec=spec, contract=with_padding(record.contract, spec_padding(spec, record.D)))


CASES = {
    "mirror on both": ("SimpleConvSeries", SV, "MIRROR", "mirror", {}),
    "edge on both": ("SimpleConvSeries", SV, "EDGE", "edge", {}),
    "zeros, then mirror": ("SimpleConvSeries", SV, "ZEROS", "mirror", {}),
    "mirror, then periodic": ("SimpleConvSeries", SV, "MIRROR", "periodic", {}),
    "odd fields, edge": ("SimpleConvSeries", ODD, "MIRROR", "edge", {}),
    "DilResNet": ("DilResNet", S, "MIRROR", "edge", {"use_group_norm": False}),
    "UNet": ("UNet", SV, "MIRROR", "mirror", {}),
    "products": ("ResNet", SV, "EDGE", "mirror", {"nonlinearity": "product", "use_group_norm": False}),
    "plain": (
        "ResNet",
        SV,
        ["MIRROR"],
        "mirror",
        {"equivariant": False, "kernel_size": 3, "use_group_norm": False},
    ),
}


@pytest.mark.parametrize(
    "case", all_but(CASES, "mirror on both", "edge on both", "DilResNet", "UNet", "products")
)
def test_the_lift_holds_beside_walls(case):
    name, signature, words, new, options = CASES[case]
    low = drawn(name, signature, padding_mode=words, **options)
    done = convert_record(low, 2, "mean" if case == "plain" else "compatibility", new_boundary=new)
    after = done.after
    assert done.certificate.exact and after.is_torus == (False, new == "periodic")
    found = verify_records(low, after)
    assert found.lift_float64 < 1e-9
    if new != "periodic":
        broken = verify_records(low, with_zeros(after), side=found.side)
        assert broken.lift_float64 > 1e-3
    assert case == "plain" or found.is_equivariant


def test_a_mirror_of_odd_fields_is_refused_and_would_be_wrong():
    low = drawn(signature=ODD, padding_mode="MIRROR")
    with pytest.raises(
        ArgumentError, match=r"`new_boundary`: got 'mirror', and odd fields in layers\.0\.conv"
    ) as caught:
        convert_record(low, 2, "compatibility", new_boundary="mirror")
    assert "'edge' or 'periodic'" in str(caught.value)
    good = convert_record(low, 2, "compatibility", new_boundary="edge").after
    spec = {**good.spec, "options": {**good.spec["options"], "padding_mode": "MIRROR"}}
    wrong = replace(good, spec=spec, contract=with_padding(good.contract, ("mirror", "mirror")))
    assert verify_records(low, good, side=8).lift_float64 < 1e-9
    assert verify_records(low, wrong, side=8).lift_float64 > 1e-3
    # A rule that promises nothing breaks no promise.
    assert convert_record(low, 2, "volume", new_boundary="mirror").after.contract.axes[1].padding == "mirror"


@pytest.mark.parametrize("low_dim, words", [(1, "MIRROR"), (2, ("MIRROR", "EDGE")), (2, "EDGE")])
def test_the_no_flux_laplacian_of_three_dimensions(low_dim, words):
    """The stencil 1, -2, 1 beside walls becomes the seven-point Laplacian of a closed box, whose waves are cosines."""
    recipe = BankRecipe(3, support="orthoplex")
    model = SimpleConvSeries(
        S, S, make_bank(low_dim, recipe, [(0, 0)]), 1, 1, False, None, padding_mode=words
    )
    record = to_record(model, is_torus=False)
    filters = record.banks["conv"].blocks[0, 0].filters.reshape(2, -1)
    stencil = np.zeros((3,) * low_dim)
    stencil[(1,) * low_dim] = -2 * low_dim
    for axis in range(low_dim):
        for place in (0, 2):
            stencil[tuple(place if i == axis else 1 for i in range(low_dim))] = 1
    weights = np.linalg.lstsq(filters.T, stencil.ravel(), rcond=None)[0]
    (name,) = (each for each in record.arrays if "weight" in each)
    record = replace(record, arrays={**record.arrays, name: weights.reshape(1, 1, 2)})
    done = convert_record(record, 3, "compatibility", new_boundary="mirror")
    assert done.certificate.exact
    sides, waves = (6, 5, 4), (2, 1, 3)
    lines = [np.cos(np.pi * k * (np.arange(n) + 0.5) / n) for n, k in zip(sides, waves, strict=True)]
    wave = np.einsum("i,j,k->ijk", *lines)
    growth = -sum(4 * np.sin(np.pi * k / (2 * n)) ** 2 for n, k in zip(sides, waves, strict=True))
    field = np.random.default_rng(0).standard_normal(sides)
    padded = np.pad(field, 1, "edge")
    inside = (slice(1, -1),) * 3
    laplacian = sum(np.roll(padded, s, a)[inside] for a in range(3) for s in (1, -1)) - 6 * field
    with jax.enable_x64(True):
        high = from_record(done.after)

        def step(values: np.ndarray, torus=False) -> np.ndarray:
            return np.asarray(run(high, MultiImage({((), 0): values[None]}, 3, torus))[((), 0)])[0]

        np.testing.assert_allclose(step(wave), growth * wave, atol=1e-12)
        np.testing.assert_allclose(step(field), laplacian, atol=1e-12)
        assert step(field).sum() == pytest.approx(0, abs=1e-10)  # nothing flows out
        assert np.abs(step(wave, True) - growth * wave).max() > 0.1


def test_the_certificate_says_what_it_assumes_and_covers_it(tmp_path):
    low = drawn(D=2, padding_mode="MIRROR")
    done = convert_record(low, 3, "compatibility", new_boundary="edge")
    certificate = done.certificate
    assert certificate.new_boundaries == ("edge",) and certificate.covers == "model"
    write_model(tmp_path / "m", done.after)
    again = read_model(tmp_path / "m")
    assert again == done.after and not again.certificate_is_stale
    assert again.provenance[-1]["new_boundaries"] == ["edge"]
    other = replace(certificate, new_boundaries=("mirror",))
    assert replace(again, certificate=other).certificate_is_stale
    assert with_zeros(again).certificate_is_stale
    axes = (*again.contract.axes[:2], Axis("z"))
    assert replace(again, contract=replace(again.contract, axes=axes)).certificate_is_stale
    assert Certificate.from_json(certificate.to_json()) == certificate
    for wrong in ("edge", ["zeros"], [1], {}):
        with pytest.raises(ArgumentError, match="certificate"):
            Certificate.from_json({**certificate.to_json(), "new_boundaries": wrong})


def test_a_periodic_conversion_says_no_more_than_it_did():
    low = drawn(D=2)
    plainly, named = (
        convert_record(low, 3, "compatibility", new_boundary=word) for word in (None, "periodic")
    )
    assert plainly.after == named.after and plainly.after.digest == named.after.digest
    assert plainly.after.spec == low.spec
    assert "new_boundaries" not in plainly.certificate.to_json()
    assert "new_boundaries" not in plainly.after.provenance[-1]


def test_a_box_takes_data_with_walls_all_around():
    low = drawn(D=2, padding_mode="MIRROR")
    low = replace(low, contract=replace(low.contract, fields=()))
    box = convert_record(low, 3, "compatibility", new_boundary="mirror").after.contract
    closed, open_ended = (replace(box, axes=axes_of((False, False, last))) for last in (False, True))
    assert check_contract(box, closed) == ()
    with pytest.raises(ArgumentError, match="boundaries of the data"):
        check_contract(box, open_ended)
    channel = convert_record(low, 3, "compatibility").after.contract
    assert check_contract(channel, open_ended) == ()
    with pytest.raises(ArgumentError, match="boundaries of the data"):
        check_contract(channel, closed)
    assert conversion_differences(low.contract, box, lifted=False) == ()


def test_one_step_and_two_come_to_the_same_and_the_way_back_undoes_it():
    low = drawn(D=1, padding_mode="MIRROR")
    at_once = convert_record(low, 3, "compatibility", new_boundary={"y": "mirror", "z": "edge"}).after
    middle = convert_record(low, 2, "compatibility", new_boundary="mirror").after
    twice = convert_record(middle, 3, "compatibility", new_boundary="edge").after
    assert at_once.spec == twice.spec and at_once.contract == twice.contract
    assert at_once.spec["options"]["padding_mode"] == ["MIRROR", "MIRROR", "EDGE"]
    for name in at_once.arrays:
        np.testing.assert_allclose(at_once.arrays[name], twice.arrays[name], atol=1e-12)
    back = convert_record(twice, 1, "compatibility").after
    assert back.spec == low.spec and back.contract.axes == low.contract.axes
    for name in low.arrays:
        np.testing.assert_allclose(back.arrays[name], low.arrays[name], atol=1e-12)
    with pytest.raises(ArgumentError, match="axes to be removed: got y not periodic, continued by zeros"):
        convert_record(drawn(D=2), 1, "compatibility")


def test_models_in_memory_keep_their_walls_and_get_periodic_axes():
    model = SimpleConvSeries(
        SV, SV, make_bank(2, BankRecipe(3), ALL_KEYS), 2, 1, "auto", None, padding_mode=("MIRROR", "EDGE")
    )
    high = model.convertD(make_bank(3, BankRecipe(3), ALL_KEYS))
    assert high.spec.option("padding_mode") == ("MIRROR", "EDGE", "ZEROS")
    assert high.spec.padding(3) == ("mirror", "edge", "zeros")


@pytest.mark.parametrize(
    "asked, to_dim, message",
    [
        ("zeros", 3, "`new_boundary`: got 'zeros', expected periodic or edge or mirror"),
        ("wall", 3, "`new_boundary`: got 'wall'"),
        ({"y": "edge"}, 3, "`new_boundary` of axis 'y': got no new axis, expected z"),
        ({"z": "reflect"}, 3, "`new_boundary`: got 'reflect'"),
        ("edge", 1, "`new_boundary`: got 'edge', expected a conversion to a higher dimension"),
    ],
)
def test_what_is_no_boundary_of_a_new_axis(asked, to_dim, message):
    with pytest.raises(ArgumentError) as caught:
        convert_record(drawn(D=2), to_dim, "compatibility", new_boundary=asked)
    assert message in str(caught.value)


def test_boundaries_by_axis():
    axes = axes_of((True,))
    assert new_boundaries("edge", axes, 3) == ("edge", "edge")
    assert new_boundaries({"z": "mirror"}, axes, 3) == ("periodic", "mirror")
    assert new_boundaries(None, axes, 3) == new_boundaries({"y": "periodic"}, axes, 3) == ()
    assert new_boundaries("edge", axes_of((True, True), ("x", "z")), 3) == ("edge",)


def test_a_network_that_looks_at_no_walls_gets_none():
    plain = drawn_record(small_spec("ResNet", S, equivariant=False, kernel_size=3, padding_mode="REFLECT"), 1)
    with pytest.raises(ArgumentError, match="walls along new axes of a plain network"):
        convert_record(plain, 2, "centre", new_boundary="edge")
    wrapping = drawn_record(
        small_spec("ResNet", S, equivariant=False, kernel_size=3, padding_mode="CIRCULAR"), 1
    )
    done = convert_record(wrapping, 2, "centre", new_boundary="edge")
    assert done.after.spec["options"]["padding_mode"] == ["CIRCULAR", "EDGE"]
    assert verify_records(wrapping, done.after).lift_float64 < 1e-9
    other = replace(plain, spec={**plain.spec, "architecture": "Other", "options": {}})
    with pytest.raises(ArgumentError, match="walls along new axes of a Other"):
        convert_record(other, 2, "centre", new_boundary="edge")


@pytest.mark.parametrize("value", [None, 3, ["MIRROR"], [1, 2], {}, ["EDGE", None], ["EDGE", "REFLECT"]])
def test_a_file_with_another_word_is_refused(value):
    with pytest.raises(ArgumentError, match="option 'padding_mode'"):
        spec_padding({"options": {"padding_mode": value}}, 2)
