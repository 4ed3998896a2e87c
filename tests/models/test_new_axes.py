"""Conversions whose new axis is not the last: against fields that are laid into the higher dimension by hand."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_records import drawn_record, small_spec
from helpers import FULL3
from small_models import run
from sweeps import few_rows

from ginjax.checkpoint import (
    Axis,
    DataContract,
    Field,
    added_axes,
    axes_of,
    convert_record,
    read_model,
    write_model,
)
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage
from ginjax.models import Verification, from_record, verify_records, with_condition

SCALAR, VECTOR, SPIN = ((), 0), ((False,), 0), ((), 1)
KEYS = [(SCALAR, 1), (VECTOR, 1)]
WALLS = (Axis("x"), Axis("y", "wall", "mirror"))
SIDE = 4


def record_of(keys=KEYS, axes=WALLS, D=2, **options):
    options = {"depth": 2, "padding_mode": ("ZEROS", "MIRROR")[:D]} | options
    record = drawn_record(small_spec("SimpleConvSeries", keys, **options), D, FULL3, dtype=np.float32)
    return replace(record, contract=DataContract(axes))


def field_of(D, keys=KEYS, torus=(True, False), seed=0):
    rng = np.random.default_rng(seed)
    blocks = {
        key: rng.normal(size=(count, *range(SIDE, SIDE + D), *(D,) * len(key[0]))).astype(np.float32)
        for key, count in keys
    }
    return MultiImage(blocks, D, torus)


def by_hand(x, new, torus, sign=1):
    """A field of a plane, or of a line, in 3D: constant along the new axes, its components those of the old ones."""
    old = [i for i in range(3) if i not in new]
    blocks = {}
    for (k, p), block in x.items():
        values = np.asarray(block)
        grid = values.shape[1 : 1 + x.D]
        shape = [1, 1, 1]
        for axis, side in zip(old, grid, strict=True):
            shape[axis] = side
        full = [SIDE + 1 if i in new else shape[i] for i in range(3)]
        vectors = len(k)
        laid = np.zeros((len(values), *full, *(3,) * vectors), np.float32)
        if vectors:
            for component, axis in enumerate(old):
                laid[..., axis] = values[..., component].reshape(len(values), *shape)
        else:
            laid[...] = values.reshape(len(values), *shape)
        blocks[k, p] = laid * sign**p
    return MultiImage(blocks, 3, torus)


def gap(a, b):
    largest = max(np.abs(np.asarray(a[key])).max() for key in a)
    return max(np.abs(np.asarray(a[key]) - np.asarray(b[key])).max() for key in a) / largest


@pytest.mark.parametrize(
    ("asked", "new", "torus"),
    [
        ("y", [1], (True, True, False)),
        *few_rows(("x", [0], (True, True, False))),
        ("first", [0], (True, True, False)),
    ],
)
def test_walls_along_y_become_walls_along_z(asked, new, torus):
    low = record_of()
    made = convert_record(low, 3, "compatibility", new_axis=asked).after
    assert [axis.name for axis in made.contract.axes] == ["x", "y", "z"] and made.is_torus == torus
    assert made.contract.axes[2] == Axis("z", "wall", "mirror")
    assert made.spec["options"]["padding_mode"] == ["ZEROS", "ZEROS", "MIRROR"]
    assert made.certificate.new_axes == tuple(new) == tuple(made.provenance[-1]["new_axes"])
    assert added_axes(low, made) == tuple(new)
    x = field_of(2)
    high, y = from_record(made), run(from_record(low), x)
    assert gap(by_hand(y, new, torus), run(high, by_hand(x, new, torus))) < 1e-5
    # The control: the network whose new axis is the last has its walls along y.
    last = from_record(convert_record(low, 3, "compatibility").after)
    assert gap(by_hand(y, new, torus), run(last, by_hand(x, new, torus))) > 1e-2


def test_verification_follows_the_history():
    low = record_of()
    made = convert_record(low, 3, "compatibility", new_axis="y").after
    found = verify_records(low, made, side=4)
    assert found.lifts and found.is_equivariant
    with pytest.raises(
        ArgumentError, match="padding of axis 1 of the second model: got zeros, expected 'mirror'"
    ):
        verify_records(low, replace(made, provenance=()), side=4)


def test_the_weights_are_the_same_wherever_the_axis_is():
    low = record_of()
    last, middle = (convert_record(low, 3, "compatibility", new_axis=axis).after for axis in (None, "y"))
    assert all((last.arrays[name] == middle.arrays[name]).all() for name in last.arrays)
    assert last.certificate.new_axes == () and "new_axes" not in last.certificate.to_json()
    assert convert_record(low, 3, "compatibility", new_axis="z").after == last


def test_two_new_axes_around_an_old_one():
    low = record_of(KEYS, (Axis("x", "bounded", "edge"),), D=1, padding_mode="EDGE")
    made = convert_record(low, 3, "compatibility", new_axis="x,z", new_boundary={"z": "edge"}).after
    assert [axis.in_words for axis in made.contract.axes] == [
        "x periodic",
        "y not periodic (edge)",
        "z not periodic (edge)",
    ]
    assert made.certificate.new_boundaries == ("periodic", "edge")
    torus = (True, False, False)
    x = field_of(1, torus=(False,))
    y = run(from_record(low), x)
    assert gap(by_hand(y, [0, 2], torus), run(from_record(made), by_hand(x, [0, 2], torus))) < 1e-5


def test_the_parity_lift_puts_vorticity_along_the_new_axis():
    keys = [(VECTOR, 1), (SPIN, 1)]
    low = record_of(keys, axes_of((True, True)), padding_mode="ZEROS")
    made = convert_record(low, 3, "compatibility", parity_lift=True, new_axis="y").after
    x = field_of(2, keys, (True, True))

    def laid(fields, sign=-1):
        even = by_hand(MultiImage({VECTOR: fields[VECTOR]}, 2, (True, True)), [1], (True,) * 3)
        # x, z and y, in this order, are a left-handed frame: curl (u, v) is minus the component along y.
        spin = by_hand(MultiImage({SCALAR: np.asarray(fields[SPIN])}, 2, (True, True)), [1], (True,) * 3)
        odd = np.zeros((*np.asarray(spin[SCALAR]).shape, 3), np.float32)
        odd[..., 1] = sign * np.asarray(spin[SCALAR])
        return MultiImage({VECTOR: even[VECTOR], ((False,), 1): odd}, 3, (True,) * 3)

    y, high = run(from_record(low), x), from_record(made)
    assert gap(laid(y), run(high, laid(x))) < 1e-5
    assert gap(laid(y, sign=1), run(high, laid(x, sign=1))) > 1e-2  # the control


@pytest.mark.slow
def test_verification_knows_the_lift_along_another_axis():
    low = record_of([(VECTOR, 1), (SPIN, 1)], axes_of((True, True)), padding_mode="ZEROS")
    made = convert_record(low, 3, "compatibility", parity_lift=True, new_axis="y").after
    found = verify_records(low, made, side=4)
    assert found.lifts and found.is_equivariant


@pytest.mark.parametrize("rule", ["centre", "mean"])
def test_plain_kernels_turn_with_the_axes(rule):
    spec = small_spec("ResNet", KEYS, equivariant=False, kernel_size=3, padding_mode=("CIRCULAR", "EDGE"))
    low = replace(
        drawn_record(spec, 2, dtype=np.float32), contract=DataContract((Axis("x"), Axis("y", "wall", "edge")))
    )
    made = convert_record(low, 3, rule, new_axis="y").after
    assert not made.certificate_is_stale and made.spec["options"]["padding_mode"][2] == "EDGE"
    torus = (True, True, False)
    x = field_of(2)
    y = run(from_record(low), x)
    assert gap(by_hand(y, [1], torus), run(from_record(made), by_hand(x, [1], torus))) < 1e-5
    kernels = with_condition(Verification("float32", 4, 0.0, 0.0, 0.0), low, made, False, [1])
    assert kernels.condition < 1e-5
    assert with_condition(kernels, low, made, False).condition > 1e-2  # the control: as if it were the last


def test_the_way_down_takes_the_axes_that_were_added(tmp_path):
    low = record_of()
    up = convert_record(low, 3, "compatibility", new_axis="y").after
    write_model(tmp_path / "up", up)
    assert read_model(tmp_path / "up") == up
    down = convert_record(read_model(tmp_path / "up"), 2, "compatibility").after
    assert down.contract.axes == low.contract.axes and down.spec["options"] == low.spec["options"]
    for name, array in low.arrays.items():
        np.testing.assert_allclose(down.arrays[name], array, atol=1e-6)
    assert added_axes(down, up) == (1,)
    walled = record_of(axes=(Axis("x"), Axis("y", "wall", "zeros")), padding_mode="ZEROS")
    up = convert_record(walled, 3, "compatibility", new_axis="y").after
    with pytest.raises(ArgumentError, match="axes to be removed: got z not periodic, continued by zeros"):
        convert_record(up, 2, "compatibility", new_axis="z")


def test_steps_one_after_the_other():
    low = record_of(KEYS, (Axis("x", "bounded", "edge"),), D=1, padding_mode="EDGE")
    plane = convert_record(low, 2, "compatibility", new_axis="x").after
    space = convert_record(plane, 3, "compatibility", new_axis="y").after
    assert [axis.is_torus for axis in space.contract.axes] == [True, True, False]
    assert added_axes(low, space) == (0, 1) and added_axes(plane, space) == (1,)
    x = field_of(1, torus=(False,))
    y, torus = run(from_record(low), x), (True, True, False)
    assert gap(by_hand(y, [0, 1], torus), run(from_record(space), by_hand(x, [0, 1], torus))) < 1e-5


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("w", "`new_axis`: got 'w', expected one of x, y, z, the axes in 3D"),
        ("x,y", "`new_axis`: got 'x,y', expected one of x, y, z"),
        ("", "`new_axis`: got ''"),
    ],
)
def test_axes_that_cannot_be_meant(asked, message):
    with pytest.raises(ArgumentError, match=message):
        convert_record(record_of(), 3, "compatibility", new_axis=asked)
    with pytest.raises(ArgumentError, match="`new_boundary` of axis 'z': got no new axis, expected y"):
        convert_record(record_of(), 3, "compatibility", new_axis="y", new_boundary={"z": "edge"})


def test_axes_with_names_of_their_own():
    named = record_of(axes=(Axis("r"), Axis("phi", "wall", "mirror")))
    assert [axis.name for axis in convert_record(named, 3, "compatibility").after.contract.axes] == [
        "r",
        "phi",
        "x",
    ]
    with pytest.raises(ArgumentError, match="`new_axis`: got axes named r, phi, expected axes named x, y"):
        convert_record(named, 3, "compatibility", new_axis="y")


def test_fields_and_axes_change_together():
    field = Field("density", 0, 0)
    contract = DataContract(WALLS, (field,))
    low = replace(record_of([(SCALAR, 1)]), contract=contract)
    made = convert_record(low, 3, "compatibility", new_axis="y").after
    assert made.contract.fields == (field,) and made.contract.is_torus == (True, True, False)
