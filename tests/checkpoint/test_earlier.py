"""Files of the first version, written by it and kept, are read as what they say and convert as they did then."""

import copy
import json

import numpy as np
import pytest
from helpers import FIXTURES
from raw_files import write_raw

from ginjax.checkpoint import (
    DataContract,
    Field,
    FieldScale,
    axes_of,
    convert_record,
    read_file,
    read_model,
    write_model,
)
from ginjax.errors import FileError, GinjaxError
from ginjax.transfer import array_digest

FOLDER = FIXTURES / "schema_1"
EXPECTED = {row["file"]: row for row in json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))}
"""By file: digest, and by array sum and sum of squares; the same of every conversion that the first version could do.

The digests are those that the first version gave; the sums were taken of arrays with these digests.
"""

CONVERSIONS = [
    pytest.param(
        row["file"], which, id=f"{row['file'].partition('.')[0]}, {which['to_dim']}, {which['rule']}"
    )
    for row in EXPECTED.values()
    for which in row["conversions"]
]

DENSITY, PHASE, VORTICITY = Field("density", 0, 0), Field("phase", 0, 0), Field("vorticity", 0, 1)
MASS, VELOCITY, BED = Field("density", 0, 0, "kg"), Field("velocity", 1, 0, "m/s"), Field("bed", 0, 0)
DIFFUSION = {
    "fields": (DENSITY,),
    "scales": (FieldScale(DENSITY, 0.8140252773816778, -0.01496790709551542),),
    "spacing": 0.0625,
    "time_step": 0.04,
    "origin": {
        "correlation_length": 0.125,
        "equation": "diffusion",
        "parameters": {"diffusivity": 0.04},
        "seed": 0,
    },
}
CONTRACTS = {
    "converted_2d": DataContract(axes_of((True, True)), **DIFFUSION),
    "diffusion_1d": DataContract(axes_of((True,)), **DIFFUSION),
    "nameless_1d": DataContract.unknown((True,)),
    "odd_2d": DataContract(axes_of((True, True)), (VORTICITY, DENSITY)),
    "plain_2d": DataContract(axes_of((True, True)), (DENSITY,)),
    "residual_2d": DataContract(
        axes_of((True, False)),
        (MASS, VELOCITY),
        (BED,),
        scales=(
            FieldScale(MASS, 1.0032622511574216, 0.023190339566314815, 1.4051539811835185),
            FieldScale(VELOCITY, 0.9926141711441111, 0.0, 1.4021332323309261),
            FieldScale(BED, 1.0361323431304672, 0.004727727257062497),
        ),
        past_steps=2,
        residual=True,
        spacing=0.0625,
        time_step=0.04,
        origin={"file": "own.npz"},
    ),
    "series_2d": DataContract(axes_of((True, True)), (Field("velocity", 1, 0),)),
    "unet_1d": DataContract(axes_of((True,)), (DENSITY,), targets=(PHASE,)),
}


def read(name: str):
    return read_model(FOLDER / f"{name}.safetensors")


def test_there_is_a_contract_and_a_row_for_every_file():
    files = {path.stem for path in FOLDER.glob("*.safetensors")}
    assert files == set(CONTRACTS) == {name.removesuffix(".safetensors") for name in EXPECTED}
    assert all(read_file(FOLDER / name).header["schema"] == 1 for name in EXPECTED)
    assert len(CONVERSIONS) == 30


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_contract_is_what_the_file_says(name):
    record = read(name)
    assert record.contract == CONTRACTS[name]
    assert name.endswith(f"_{record.D}d")
    assert [axis.padding for axis in record.contract.axes] == [
        "wrap" if periodic else "zeros" for periodic in record.is_torus
    ]


@pytest.mark.parametrize("name", CONTRACTS)
def test_written_again_it_is_a_file_of_today(tmp_path, name):
    record = read(name)
    write_model(tmp_path / "m", record)
    assert read_file(tmp_path / "m").header["schema"] == 2
    again = read_model(tmp_path / "m")
    assert (again.contract, again.digest) == (record.contract, record.digest)
    assert (again.certificate, again.provenance) == (record.certificate, record.provenance)


def test_the_certificate_speaks_of_the_weights_and_is_not_stale(tmp_path):
    record = read("converted_2d")
    assert record.certificate.covers == "weights" and record.certificate.exact
    assert (
        record.certificate.digest
        == array_digest(record.arrays)
        == EXPECTED["converted_2d.safetensors"]["weights"]
    )
    assert not record.certificate_is_stale
    write_model(tmp_path / "m", record)
    again = read_model(tmp_path / "m")
    assert again.certificate.covers == "weights" and not again.certificate_is_stale
    # The control: one weight in its last bit.
    content = read_file(FOLDER / "converted_2d.safetensors")
    weight = next(name for name in content.arrays if ".weight." in name)
    moved = content.arrays | {weight: np.nextafter(content.arrays[weight], np.float32(9))}
    write_raw(tmp_path / "moved", content.header, moved)
    assert read_model(tmp_path / "moved").certificate_is_stale
    assert all(read(name).certificate is None for name in CONTRACTS if name != "converted_2d")


# --- weights --------------------------------------------------------------------------------------------------------


def agree(arrays, sums) -> bool:
    """Whether sum and sum of squares of every array are as stated, the first relative to what could cancel in it."""
    assert list(arrays) == sorted(sums)
    found = {name: array.astype(np.float64) for name, array in arrays.items()}
    return all(
        abs(found[name].sum() - total) <= 1e-5 * np.sqrt(found[name].size * squares)
        and abs((found[name] ** 2).sum() - squares) <= 1e-5 * squares
        for name, (total, squares) in sums.items()
    )


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_weights_are_those_of_the_file(name):
    record, row = read(name), EXPECTED[f"{name}.safetensors"]
    assert array_digest(record.arrays) == row["weights"]
    assert agree(record.arrays, row["sums"])


@pytest.mark.parametrize(("file", "which"), CONVERSIONS)
def test_conversions_give_what_they_gave(file, which):
    done = converted(file, which)
    assert agree(done.after.arrays, which["sums"])
    if which["residual"] > 1e-5:  # what is less is rounding
        assert done.certificate.residual == pytest.approx(which["residual"], rel=1e-5)
    else:
        assert done.certificate.exact
    assert done.certificate.covers == "model" and not done.after.certificate_is_stale


def converted(file, which):
    return convert_record(
        read_model(FOLDER / file), which["to_dim"], which["rule"], parity_lift=which["parity_lift"]
    )


def test_the_sums_tell_the_rules_apart():
    to_3d = [which for which in EXPECTED["diffusion_1d.safetensors"]["conversions"] if which["to_dim"] == 3]
    arrays = [converted("diffusion_1d.safetensors", which).after.arrays for which in to_3d]
    assert len(arrays) == 3
    for i, found in enumerate(arrays):
        assert [agree(found, which["sums"]) for which in to_3d] == [i == j for j in range(3)]


@pytest.mark.slow
@pytest.mark.parametrize(("file", "which"), CONVERSIONS)
def test_conversions_give_the_same_bits(file, which):
    """Holds on the machine that wrote the files; elsewhere LAPACK may round the last bit otherwise."""
    done = converted(file, which)
    assert array_digest(done.after.arrays) == which["weights"]
    assert done.certificate.residual == which["residual"]


@pytest.mark.parametrize("file", EXPECTED)
def test_what_could_not_be_converted_still_cannot(file):
    done = {
        tuple(which[part] for part in ("to_dim", "rule", "parity_lift"))
        for which in EXPECTED[file]["conversions"]
    }
    for to_dim in (1, 2, 3):
        for rule in ("compatibility", "volume", "none", "centre", "mean"):
            for lift in (False, True):
                if to_dim != EXPECTED[file]["D"] and (to_dim, rule, lift) not in done:
                    with pytest.raises(GinjaxError):
                        convert_record(read_model(FOLDER / file), to_dim, rule, parity_lift=lift)


# --- headers nobody should trust ------------------------------------------------------------------------------------

GONE = object()
HOSTILE = {
    "no dimension": ("dimension", GONE, "'dimension' is missing"),
    "dimension 0": ("dimension", 0, "'dimension'"),
    "dimension 10^30": ("dimension", 10**30, "'dimension'"),
    "dimension true": ("dimension", True, "'dimension'"),
    "another dimension": ("dimension", 3, "'is_torus'"),
    "no boundaries": ("is_torus", GONE, "'is_torus' is missing"),
    "torus too long": ("is_torus", [True] * 3, "'is_torus'"),
    "torus of numbers": ("is_torus", [1, 0], "'is_torus'"),
    "data a list": ("data", [], "'data'"),
    "data a number": ("data", 3, "'data'"),
    "inputs an object": ("data.inputs", {}, "'inputs'"),
    "inputs": ("data.inputs", [{"name": "x"}], "'data.inputs'"),
    "inputs of numbers": ("data.inputs", [3], "'data.inputs'"),
    "name": ("data.inputs.0.name", 3, "'data.inputs'"),
    "order true": ("data.inputs.0.order", True, "'data.inputs'"),
    "order negative": ("data.inputs.2", {"name": "new", "order": -1, "parity": 0}, "'order'"),
    "order absurd": ("data.inputs.2", {"name": "new", "order": 10**30, "parity": 0}, "'order'"),
    "order of another scale": ("data.inputs.2.order", 1, "scale of field 'bed'"),
    "parity": ("data.outputs.0.parity", 2, "density"),
    "outputs": ("data.outputs", "density", "'outputs'"),
    "name twice": ("data.inputs.1", {"name": "density", "order": 0, "parity": 0}, "'contract.fields'"),
    "constants": ("data.constants", "bed", "'constants'"),
    "normalisation": ("data.normalisation", [{"name": "density"}], "'data.normalisation'"),
    "normalisation of another field": ("data.normalisation.0.k", 1, "scale of field 'density'"),
    "some scales": ("data.normalisation", [{"name": "bed", "k": 0, "p": 0, "scale": 1.0}], "all or none"),
    "scale": ("data.normalisation.0.scale", "large", "'scale'"),
    "scale 0": ("data.normalisation.0.scale", 0.0, "normalisation of field 'density'"),
    "offset of a vector": ("data.normalisation.1.offset", 1.0, "offset of field 'velocity'"),
    "increment": ("data.normalisation.0.increment", -1.0, "increments of field 'density'"),
    "past steps": ("data.past_steps", 0, "'past_steps'"),
    "past steps absurd": ("data.past_steps", 10**9, "'past_steps'"),
    "residual": ("data.residual", 1, "'residual'"),
    "spacing": ("data.spacing", -1.0, "'spacing'"),
    "time step": ("data.time_step", "0.1", "'time_step'"),
    "origin": ("data.origin", [], "'origin'"),
}  # fmt: skip


def change(header, way: str, value) -> dict:
    header = copy.deepcopy(header)
    *parts, last = [int(part) if part.isdigit() else part for part in way.split(".")]
    place = header
    for part in parts:
        place = place[part]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return header


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_headers_are_refused_by_part(tmp_path, name):
    way, value, message = HOSTILE[name]
    content = read_file(FOLDER / "residual_2d.safetensors")
    path = tmp_path / "m.safetensors"
    write_raw(path, change(content.header, way, value), content.arrays)
    with pytest.raises(FileError) as caught:
        read_model(path)
    assert "m.safetensors" in caught.value.problem and message in caught.value.problem
    assert caught.value.hint and "\n" not in caught.value.problem and len(caught.value.problem) < 400


def test_the_way_of_changing_does_no_harm_by_itself(tmp_path):
    content = read_file(FOLDER / "residual_2d.safetensors")
    write_raw(tmp_path / "m", change(content.header, "dimension", 2), content.arrays)
    assert read_model(tmp_path / "m").contract == CONTRACTS["residual_2d"]
