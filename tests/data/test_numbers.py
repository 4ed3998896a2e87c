"""Numbers as they are meant: packed, missing, foreign, and of more digits than single precision holds."""

import h5py
import numpy as np
import pytest
from data.layouts import numbers

from ginjax.data import Windows, from_arrays, measure_normalisation, open_data, survey, write_well
from ginjax.errors import ArgumentError, FileError

AXES = "trajectory,time,x"


def stored(path, values, **attributes):
    with h5py.File(path, "w") as f:
        f["tensor"] = values
        f["x-coordinate"] = np.arange(values.shape[2]) * 0.5
        for name, value in attributes.items():
            f["tensor"].attrs[name] = value
    return open_data(path, fields=["u:0+=tensor"])


def test_packed_numbers_are_unpacked(tmp_path):
    packed = numbers(2, 3, 8).astype(np.int16)
    source = stored(tmp_path / "a", packed, scale_factor=0.5, add_offset=100.0)
    np.testing.assert_array_equal(source.read(1, 0, 3)["u"], packed[1] * 0.5 + 100)
    plain = stored(tmp_path / "b", packed)
    np.testing.assert_array_equal(plain.read(1, 0, 3)["u"], packed[1])


@pytest.mark.parametrize("name", ["_FillValue", "missing_value"])
@pytest.mark.parametrize("dtype", [np.int16, np.float32, ">f8"])
def test_fill_values_are_missing_values(tmp_path, name, dtype):
    values = numbers(2, 3, 8).astype(dtype)
    values[1, 2, 3] = -999
    source = stored(tmp_path / "a", values, **{name: np.array([-999], dtype)})
    found = source.read(1, 0, 3)["u"]
    assert np.isnan(found[2, 3]) and np.isfinite(np.delete(found.reshape(-1), 19)).all()
    (entry,) = survey(source)
    assert entry.bad == 1 and entry.minimum == 0
    with pytest.raises(FileError, match="trajectory 1 holds NaN or infinity"):
        measure_normalisation(source)


@pytest.mark.parametrize(
    ("dtype", "fill"),
    [
        (np.int16, np.int32(65536)),
        (np.uint8, np.int16(-1)),
        (np.int8, np.float32(0.5)),
        (np.float16, np.float32(1e5)),
    ],
)
def test_a_fill_value_that_the_type_cannot_hold_stands_nowhere(tmp_path, dtype, fill):
    """Cast to the type it would be 0, 255, 0 or infinity, and numbers that are there would be missing."""
    values = (numbers(2, 3, 8) % 2).astype(dtype)
    values[0, 0, 0] = np.asarray(fill).astype(dtype) if values.dtype.kind != "f" else 0
    source = stored(tmp_path / "a", values, _FillValue=fill)
    np.testing.assert_array_equal(source.read(0, 0, 3)["u"], values[0].astype(np.float32))
    # the control: one that it can hold
    again = stored(tmp_path / "b", values, _FillValue=np.asarray(1).astype(fill.dtype))
    np.testing.assert_array_equal(np.isnan(again.read(1, 0, 3)["u"]), values[1] == 1)


@pytest.mark.parametrize(
    ("dtype", "said", "missing"),
    [
        (np.float32, {"valid_min": np.float32(30)}, lambda stored: stored < 30),
        (np.float32, {"valid_max": np.float32(40)}, lambda stored: stored > 40),
        (">i2", {"valid_range": np.array([30, 40], ">i2")}, lambda stored: (stored < 30) | (stored > 40)),
        # packed: limits of whole numbers are of what is stored, others of what it means
        (
            np.int16,
            {"scale_factor": 0.5, "valid_range": np.array([30, 40], np.int16)},
            lambda stored: (stored < 30) | (stored > 40),
        ),
        (np.int16, {"scale_factor": 0.5, "valid_max": np.float32(20)}, lambda stored: stored > 40),
    ],
)
def test_numbers_that_are_not_valid_are_missing(tmp_path, dtype, said, missing):
    values = numbers(2, 3, 8).astype(dtype)
    found = stored(tmp_path / "a", values, **said).read(1, 0, 3)["u"]
    np.testing.assert_array_equal(np.isnan(found), missing(values[1].astype(int)))
    assert np.isnan(found).any()
    everything = {name: each for name, each in said.items() if "valid" not in name}
    assert np.isfinite(stored(tmp_path / "b", values, **everything).read(1, 0, 3)["u"]).all()


@pytest.mark.parametrize(
    "said",
    [
        {"valid_range": [2.0]},
        {"valid_range": [3.0, 2.0]},
        {"valid_min": np.nan},
        {"valid_max": "large"},
        {"scale_factor": 0.0},
        {"scale_factor": np.nan},
        {"scale_factor": [1.0, 2.0]},
        {"scale_factor": "2"},
        {"add_offset": np.inf},
        {"add_offset": [0.0, 1.0]},
        {"_Unsigned": "perhaps"},
    ],
)
def test_what_says_nothing_of_packed_numbers_is_refused(tmp_path, said):
    with pytest.raises(FileError, match=f"dataset 'tensor': attribute '{next(iter(said))}'"):
        stored(tmp_path / "a", numbers(2, 3, 8).astype(np.int16), **said).read(0, 0, 1)


@pytest.mark.parametrize("dtype", [np.int8, ">i2"])
def test_whole_numbers_without_a_sign_have_none(tmp_path, dtype):
    values = (numbers(2, 3, 8) - 24).astype(dtype)
    top = 2 ** (8 * values.dtype.itemsize)
    meant = np.where(values < 0, values.astype(int) + top, values)
    source = stored(tmp_path / "a", values, _Unsigned="true", scale_factor=0.5, _FillValue=values[0, 0, 0])
    expected = meant[0] * 0.5
    expected[0, 0] = np.nan
    np.testing.assert_array_equal(source.read(0, 0, 3)["u"], expected.astype(np.float32))
    signed = stored(tmp_path / "b", values, _Unsigned="false").read(0, 0, 3)["u"]
    np.testing.assert_array_equal(signed, values[0])


def test_a_mask_gets_an_answer_that_can_be_followed(tmp_path):
    values = np.random.default_rng(0).normal(size=(4, 3, 8)).astype(np.float32)
    values[:, :, 5] = np.nan
    np.savez(tmp_path / "a.npz", u=values)
    with pytest.raises(
        FileError, match=r"at 1 values of every frame.*the mask as a field that does not vary"
    ):
        measure_normalisation(open_data(tmp_path / "a.npz", axes=AXES))
    # As the hint says:
    mask = np.isnan(values[:, 0]).astype(np.float32)
    np.savez(tmp_path / "b.npz", u=np.nan_to_num(values), mask=mask)
    source = open_data(tmp_path / "b.npz", axes=[AXES, "mask=trajectory,x"])
    assert [each.name for each in source.constants] == ["mask"]
    measure_normalisation(source)


@pytest.mark.parametrize("dtype", [">f4", ">f8", ">i4", np.float16, np.int8, np.uint16, bool])
@pytest.mark.parametrize("kind", ["npz", "h5"])
def test_foreign_types_have_their_values(tmp_path, dtype, kind):
    values = (numbers(2, 3, 8) % 2).astype(dtype)
    if kind == "npz":
        np.savez(tmp_path / "a.npz", u=values)
        source = open_data(tmp_path / "a.npz", fields=["u:0+"], axes=AXES)
    else:
        source = stored(tmp_path / "a", values)
    found = source.read(1, 0, 3)["u"]
    np.testing.assert_array_equal(found, values[1].astype(np.float32))
    assert found.dtype == np.float32 and found.dtype.isnative


def small_on_large(n=6):
    waves = np.random.default_rng(0).normal(size=(n, 4, 16))
    return 101325 + 0.001 * waves, waves


def by_file(path, values):
    np.savez(path, p=values)
    return open_data(path, fields=["p:0+"], axes=AXES)


@pytest.mark.parametrize("make", [by_file, lambda path, values: from_arrays({"p": values}, periodic=True)])
@pytest.mark.parametrize("residual", [False, True])
def test_double_precision_lasts_until_values_are_centred_and_scaled(tmp_path, make, residual):
    values, waves = small_on_large()
    source = make(tmp_path / "a.npz", values)
    normalisation = measure_normalisation(source)
    scale = normalisation.of("p")
    assert scale.scale == pytest.approx(0.001 * waves.std(), rel=1e-4)
    X, Y = Windows(source, normalisation, residual=residual).take([0, 4])
    np.testing.assert_allclose(X[(), 0][1, 0], (waves[1, 1] - waves.mean()) / waves.std(), atol=1e-4)
    assert X[(), 0].dtype == Y[(), 0].dtype == np.float32 and Y[(), 0].std() > 0.5
    # The control: in single precision the field is a constant.
    assert np.ptp(source.read(0, 0, 4)["p"]) == 0 and np.ptp(source.read(0, 0, 4, precise=True)["p"]) > 0
    assert measure_normalisation(make(tmp_path / "b.npz", values.astype(np.float32))).of("p").scale == 1.0


def test_what_is_written_keeps_the_digits_it_needs(tmp_path):
    values, _ = small_on_large()
    write_well(tmp_path / "a.h5", by_file(tmp_path / "a.npz", values), name="p")
    np.testing.assert_array_equal(open_data(tmp_path / "a.h5").read(2, 0, 4, precise=True)["p"], values[2])
    write_well(tmp_path / "b.h5", by_file(tmp_path / "b.npz", values - 101325), name="p")
    assert open_data(tmp_path / "b.h5").read(2, 0, 4, precise=True)["p"].dtype == np.float32


@pytest.mark.parametrize(
    ("value", "words"), [(1e31, "largest value: got 1e.31, expected"), (1e40, "beyond the range of float32")]
)
def test_magnitudes_that_no_network_can_be_shown_are_named(tmp_path, value, words):
    values = np.ones((4, 3, 8))
    values[0, 0, 0] = value
    source = by_file(tmp_path / "a.npz", values)
    with pytest.raises(FileError, match=words):
        measure_normalisation(source)
    assert "are they fill values" in survey(source)[0].remark


def test_a_survey_measures_what_squares_cannot_hold(tmp_path):
    values = np.random.default_rng(0).normal(size=(4, 3, 8))
    (plain,), (large,) = (survey(by_file(tmp_path / "a.npz", values * unit)) for unit in (1.0, 1e300))
    assert plain.rms == pytest.approx(np.sqrt(np.square(values).mean()), rel=1e-12)
    assert large.rms == pytest.approx(1e300 * plain.rms, rel=1e-12)


def test_a_number_at_many_points_is_pointed_out():
    values = np.random.default_rng(0).normal(size=(4, 3, 64)).astype(np.float32)
    (entry,) = survey(from_arrays({"u": values}, periodic=True))
    assert entry.remark is None
    values[..., :16] = -9999
    (entry,) = survey(from_arrays({"u": values}, periodic=True))
    assert "'u' is -9999 at 25% of all points" in entry.remark


def test_foreign_arrays_do_not_spoil_the_fields_that_were_named(tmp_path):
    u = numbers(3, 5, 8)
    others = {"names": np.array(["a", "b"]), "objects": np.array([{}, None]), "x": np.arange(8), "done": True}
    np.savez(tmp_path / "a.npz", u=u, **others)
    source = open_data(tmp_path / "a.npz", fields=["u:0+"])
    np.testing.assert_array_equal(source.read(1, 0, 5)["u"], u[1])
    np.testing.assert_array_equal(open_data(tmp_path / "a.npz", axes={"u": AXES}).read(1, 0, 5)["u"], u[1])
    with pytest.raises(FileError, match="field 'names': it holds values of type <U1"):
        open_data(tmp_path / "a.npz", fields=["names:0+"])
    np.savez(tmp_path / "b.npz", z=u * 1j)
    for how in ({}, {"fields": ["z:0+"]}, {"axes": AXES}):
        with pytest.raises(FileError, match="it holds values of type complex64, expected real numbers"):
            open_data(tmp_path / "b.npz", **how)
    with pytest.raises(FileError, match="field 'o': it holds values of type object, expected real numbers"):
        open_data(tmp_path / "a.npz", fields=["u:0+", "o:0+=objects"])


@pytest.mark.parametrize("parity", ["even", "odd"])
def test_a_parity_that_the_schema_states_is_believed(tmp_path, parity):
    def schema(said):
        return f'{{"dimension": 1, "fields": [{{"name": "vorticity", "order": 0{said}}}]}}'

    np.savez(tmp_path / "a.npz", schema=schema(f', "parity": "{parity}"'), vorticity=numbers(3, 5, 8))
    assert open_data(tmp_path / "a.npz").schema[0].p == int(parity == "odd")
    np.savez(tmp_path / "b.npz", schema=schema(""), vorticity=numbers(3, 5, 8))
    with pytest.raises(ArgumentError, match="whether 'vorticity' is odd"):
        open_data(tmp_path / "b.npz")


def test_a_schema_may_state_axes(tmp_path):
    u = numbers(3, 8, 5)
    schema = '{"dimension": 1, "fields": [{"name": "u", "order": 0, "axes": "trajectory,x,time"}]}'
    np.savez(tmp_path / "a.npz", schema=schema, u=u)
    source = open_data(tmp_path / "a.npz")
    np.testing.assert_array_equal(source.read(1, 2, 4)["u"], u[1].T[2:4])
    np.savez(tmp_path / "c.npz", schema=schema.replace(",x,", " , x, "), u=u)
    np.testing.assert_array_equal(open_data(tmp_path / "c.npz").read(1, 2, 4)["u"], u[1].T[2:4])
    np.savez(tmp_path / "b.npz", schema=schema.replace("trajectory", "trial"), u=u)
    with pytest.raises(FileError, match=r"axes of 'u' in the schema: got .*'trial' is no axis"):
        open_data(tmp_path / "b.npz")
