import copy
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import FIXTURES, FULL3, ORTHOPLEX5
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_files import write_raw

from ginjax.checkpoint import (
    Axis,
    DataContract,
    DataPart,
    Field,
    FieldScale,
    ModelFile,
    ModelRecord,
    axes_of,
    contract_to_json,
    convert_record,
    read_file,
    read_model,
    write_file,
    write_model,
)
from ginjax.errors import ArgumentError, FileError
from ginjax.filters import BankRecipe, FilterBank, bank_from_arrays, make_bank
from ginjax.transfer import ConvLayer, bank_chain, convert_weights, make_rule, role_keys

FIRST_VERSION = FIXTURES / "schema_1" / "residual_2d.safetensors"
SIGNATURE = ((0, 0, 2), (1, 0, 1))
LAYERS = (
    ConvLayer("first", "conv", ((0, 0, 1), (1, 0, 1)), SIGNATURE),
    ConvLayer("second", "conv", SIGNATURE, ((0, 0, 1), (1, 0, 1)), filter_dilation=2),
)


DENSITY, VELOCITY = Field("density", 0, 0, "kg"), Field("velocity", 1, 0, "m/s")
CONTRACT = DataContract(
    axes_of((True,)),
    fields=(DENSITY, VELOCITY),
    scales=(FieldScale(DENSITY, 2.0, 0.5, 0.1), FieldScale(VELOCITY, 3.0)),
    spacing=0.25,
)


def make_record(bank: FilterBank, seed: int = 0) -> ModelRecord:
    rng = np.random.default_rng(seed)
    arrays = {
        layer.weight_name(source, target): rng.standard_normal((c_out, c_in, len(block))).astype(np.float32)
        for layer in LAYERS
        for source, c_in, target, c_out in layer.paths()
        if len(block := bank.blocks[source[0] + target[0], 0])
    }
    rows = [[0, 0, 1], [1, 0, 1]]
    return ModelRecord(
        spec={"architecture": "SimpleConvSeries", "inputs": rows, "outputs": rows, "options": {"depth": 2}},
        banks={"conv": bank},
        layers=LAYERS,
        arrays=dict(sorted((arrays | {"first.bias.k0p0": np.zeros(2, np.float32)}).items())),
        contract=CONTRACT.in_dimension(bank.D),
        provenance=({"step": "init", "seed": seed},),
    )


def recipe_bank(D: int = 2, recipe: BankRecipe = FULL3) -> FilterBank:
    return make_bank(D, recipe, role_keys(LAYERS, "conv"))


def shuffled(bank: FilterBank, seed: int = 0) -> dict:
    """The filters of a bank in another order and with other signs."""
    rng = np.random.default_rng(seed)
    blocks = {}
    for key, block in bank.blocks.items():
        order, signs = rng.permutation(len(block)), rng.choice([-1.0, 1.0], len(block))
        blocks[key] = block.filters[order] * signs.reshape(-1, *(1,) * (block.filters.ndim - 1))
    return blocks


def assert_same(a: ModelRecord, b: ModelRecord) -> None:
    assert (a.spec, a.banks, a.layers, a.contract) == (b.spec, b.banks, b.layers, b.contract)
    assert (a.plain_layers, a.provenance, a.certificate) == (b.plain_layers, b.provenance, b.certificate)
    assert a.digest == b.digest
    assert list(a.arrays) == list(b.arrays)
    for name in a.arrays:
        assert a.arrays[name].dtype == b.arrays[name].dtype
        np.testing.assert_array_equal(a.arrays[name], b.arrays[name])


BANKS = {
    "recipe": lambda: recipe_bank(),
    "one dimension": lambda: recipe_bank(1),
    "orthoplex": lambda: recipe_bank(2, ORTHOPLEX5),
    "even side": lambda: recipe_bank(2, BankRecipe(2)),
    "shuffled": lambda: bank_from_arrays(2, shuffled(recipe_bank())),
    "no recipe": lambda: bank_from_arrays(2, {k: 1.3 * f for k, f in shuffled(recipe_bank()).items()}),
}


@pytest.mark.parametrize("name", BANKS)
def test_round_trip(tmp_path, name):
    record = make_record(BANKS[name]())
    sha256 = write_model(tmp_path / "m", record)
    back = read_model(tmp_path / "m")
    assert_same(back, record)
    assert back.digest == record.digest
    assert write_model(tmp_path / "again", back) == sha256
    assert (tmp_path / "again").read_bytes() == (tmp_path / "m").read_bytes()


@pytest.mark.parametrize(("name", "stored"), [("recipe", False), ("shuffled", True), ("no recipe", True)])
def test_filters_are_stored_only_where_the_recipe_does_not_give_them_back(tmp_path, name, stored):
    bank = BANKS[name]()
    assert (bank.recipe is None) == (name == "no recipe")
    write_model(tmp_path / "m", make_record(bank))
    names = [n for n in read_file(tmp_path / "m").arrays if n.startswith("bank.")]
    assert bool(names) == stored


def test_shuffled_filters_keep_the_order_their_weights_were_trained_with(tmp_path):
    given = shuffled(recipe_bank(), seed=1)
    write_model(tmp_path / "m", make_record(bank_from_arrays(2, given)))
    for key, block in read_model(tmp_path / "m").banks["conv"].blocks.items():
        np.testing.assert_allclose(block.filters, given[key], atol=1e-12)


@pytest.mark.parametrize("name", ["diffusion_1d", "burgers_2d"])
def test_fixtures(tmp_path, name):
    record = read_model(FIXTURES / f"{name}.safetensors")
    assert name.endswith(f"_{record.D}d")
    write_model(tmp_path / "m", record)
    assert_same(read_model(tmp_path / "m"), record)


def test_a_certificate_is_stale_once_a_weight_changes(tmp_path):
    record = make_record(recipe_bank(1))
    chain = bank_chain(record.banks["conv"], 2)
    arrays, certificate = convert_weights(record.arrays, LAYERS, {"conv": chain}, make_rule("compatibility"))
    new = replace(
        record,
        banks={"conv": chain[-1]},
        contract=CONTRACT.in_dimension(2),
        arrays=arrays,
    ).certified(certificate)
    write_model(tmp_path / "m", new)
    back = read_model(tmp_path / "m")
    assert back.certificate == certificate.sealed(new.digest)
    assert not back.certificate_is_stale
    name = next(iter(arrays))
    changed = arrays | {name: np.nextafter(arrays[name], np.float32(np.inf))}
    write_model(tmp_path / "m", replace(new, arrays=changed), force=True)
    assert read_model(tmp_path / "m").certificate_is_stale


def test_steps_are_added_to_a_new_record():
    record = make_record(recipe_bank())
    longer = record.with_step(step="tune", seed=3)
    assert longer.provenance == (*record.provenance, {"step": "tune", "seed": 3})
    assert len(record.provenance) == 1
    assert longer.parameters == sum(a.size for a in record.arrays.values())


def test_another_kind_of_file_is_named(tmp_path):
    write_file(tmp_path / "m", {}, {"kind": "data"})
    with pytest.raises(FileError, match="is pairs of inputs and targets: expected a model"):
        read_model(tmp_path / "m")


# --- headers nobody should trust ----------------------------------------------------------------------------------


def rewrite(path, change):
    """Write a valid 2D model to `path` with a change to its header and arrays."""
    write_model(path, make_record(recipe_bank()), force=True)
    content = read_file(path)
    header, arrays = copy.deepcopy(content.header), dict(content.arrays)
    change(header, arrays)
    write_file(path, arrays, header, force=True)


def put(path, value):
    """Change one field, by dotted path."""

    def change(header, arrays):
        *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place = header
        for part in way:
            place = place[part]
        place[last] = value

    return change


def drop(path):
    def change(header, arrays):
        *way, last = path.split(".")
        place = header
        for part in way:
            place = place[part]
        del place[last]

    return change


def axes(D: int) -> list:
    return contract_to_json(DataContract(tuple(Axis(f"a{i}") for i in range(D))))["axes"]


def add_array(name, shape=(2,)):
    return lambda header, arrays: arrays.update({name: np.zeros(shape, np.float32)})


BAD = {
    "no contract": (drop("contract"), "'contract' is missing"),
    "contract": (put("contract", []), "'contract'"),
    "dimension 0": (put("contract.axes", []), "'axes'"),
    "dimension 9": (put("contract.axes", axes(9)), "'axes'"),
    "axes true": (put("contract.axes", True), "'axes'"),
    "another dimension": (put("contract.axes", axes(1)), "expected (2, 1, 2)"),
    "no spec": (put("spec", {}), "'spec.architecture'"),
    "architecture": (put("spec.architecture", 3), "'spec.architecture'"),
    "no inputs": (put("spec.inputs", []), "'spec.inputs'"),
    "inputs": (put("spec.inputs", [[0, 0]]), "'spec.inputs'"),
    "negative order": (put("spec.outputs", [[-1, 0, 1]]), "'spec.outputs'"),
    "middle": (put("spec.options", {"mid_keys": [3]}), "'spec.options.mid_keys'"),
    "options": (put("spec.options", []), "'spec.options'"),
    "layers": (put("layers", {}), "'layers'"),
    "layer": (put("layers.0", []), "layer table"),
    "layer field": (put("layers.0.stride", 0), "'stride'"),
    "layer twice": (put("layers.1.name", "first"), "layer table"),
    "layer role": (put("layers.0.role", "other"), "role 'other'"),
    "layer channels": (put("layers.0.inputs", [[0, 0, 2**40]]), "channels"),
    "other channels": (put("layers.0.inputs", [[0, 0, 7]]), "got (2, 1, 3), expected (2, 7, 3)"),
    "no layer of that name": (put("layers.0.name", "third"), "third"),
    "one axis too many": (put("contract.axes", axes(3)), "expected (2, 1, 4)"),
    "axes of numbers": (put("contract.axes", [1, 0]), "axes of the data"),
    "boundary of numbers": (put("contract.axes.0.boundary", 1), "'boundary'"),
    "boundary": (put("contract.axes.0.boundary", "torus"), "boundary of axis 'x'"),
    "banks": (put("banks", []), "'banks'"),
    "bank": (put("banks.conv", 3), "bank 'conv'"),
    "no bank": (put("banks", {}), "bank role 'conv'"),
    "bank role": (put("banks.other", {}), "role of a bank"),
    "bank keys": (put("banks.conv.keys", [[0, 2]]), "key of a bank"),
    "bank order": (put("banks.conv.keys", [[33, 0]]), "key of a bank"),
    "too many keys": (put("banks.conv.keys", [[0, 0]] * 65), "'keys'"),
    "keys twice over": (put("banks.conv.keys", [0]), "key of a bank"),
    "missing key": (put("banks.conv.keys", [[0, 0]]), "expected none"),
    "no recipe": (put("banks.conv.recipe", None), "neither recipe nor filters"),
    "recipe": (put("banks.conv.recipe", [3]), "bank recipe"),
    "code in the recipe": (put("banks.conv.recipe.run", "os.system"), "bank recipe"),
    "side": (put("banks.conv.recipe.side", 0), "side of the filters"),
    "another side": (put("banks.conv.recipe.side", 5), "expected (2, 1, 6)"),
    "scaling": (put("banks.conv.recipe.scaling", "stencil"), "scaling"),
    "stored but absent": (put("banks.conv.stored", True), "bank.conv.k0p0"),
    "stored": (put("banks.conv.stored", 1), "'stored'"),
    "filters of no bank": (add_array("bank.conv.k0p0", (3, 3, 3)), "filter arrays"),
    "weight missing": (lambda h, a: a.pop("first.weight.k0p0->k0p0"), "expected (2, 1, 3)"),
    "weight shape": (add_array("first.weight.k0p0->k0p0", (2, 1, 4)), "got (2, 1, 4)"),
    "weight of no filters": (add_array("second.weight.k0p0->k1p0", (1, 2, 9)), "second.weight"),
    "fields": (put("contract.fields", {}), "'fields'"),
    "field": (put("contract.fields", [{"name": "x"}]), "'order'"),
    "provenance": (put("provenance", {}), "'provenance'"),
    "step": (put("provenance", [3]), "'provenance'"),
    "certificate": (put("certificate", []), "certificate"),
    "certificate fields": (put("certificate", {"paths": [{}]}), "certificate"),
}


@pytest.mark.parametrize("name", BAD)
def test_malformed_headers_are_named(tmp_path, name):
    change, message = BAD[name]
    rewrite(tmp_path / "m.safetensors", change)
    with pytest.raises(FileError) as caught:
        read_model(tmp_path / "m.safetensors")
    assert "m.safetensors" in caught.value.problem
    assert message in caught.value.problem
    assert caught.value.hint
    assert len(caught.value.problem) < 400


def test_the_way_of_changing_a_header_does_no_harm_by_itself(tmp_path):
    rewrite(tmp_path / "m", lambda header, arrays: None)
    assert_same(read_model(tmp_path / "m"), make_record(recipe_bank()))


HUGE = [
    ("dimension 8, order 12", 8, 3, [[12, 0]]),
    ("dimension 8, side 255", 8, 255, [[0, 0]]),
    ("dimension 2, side 200", 2, 200, [[0, 0]]),
    ("dimension 3, side 31, vectors", 3, 31, [[1, 0]]),
    ("dimension 2, order 10", 2, 5, [[10, 0]]),
    ("dimension 8, order 3", 8, 3, [[3, 0]]),
    ("order 32", 2, 3, [[32, 0]]),
]


@pytest.mark.parametrize(("D", "side", "keys"), [case[1:] for case in HUGE], ids=[case[0] for case in HUGE])
@pytest.mark.parametrize("support", ["full", "cut"])
def test_a_bank_of_absurd_size_is_refused_by_counting(tmp_path, D, side, keys, support):
    def change(header, arrays):
        header["contract"]["axes"] = axes(D)
        header["banks"]["conv"] |= {"keys": keys}
        header["banks"]["conv"]["recipe"] |= {"side": side, "support": support}

    rewrite(tmp_path / "m", change)
    start = time.perf_counter()
    with pytest.raises(FileError, match="filter bank"):
        read_model(tmp_path / "m")
    assert time.perf_counter() - start < 0.2


def test_what_could_not_be_read_back_is_not_written(tmp_path):
    bank = make_bank(3, FULL3, [(0, 0)])
    wide = replace(bank, side=255)
    with pytest.raises(ArgumentError, match="filter bank"):
        write_model(tmp_path / "m", replace(make_record(recipe_bank()), banks={"conv": wide}))
    assert not (tmp_path / "m").exists()


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.sampled_from([2**31, 2**63, -(10**30), 10**400, 0.5, -0.0, 1e308])
    | st.sampled_from(["", "conv", "k0p0", "full", "../x", "\x1b[31m", "a" * 100]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)


def places(value, way=()):
    """Every place in a JSON value."""
    yield way
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from places(item, (*way, name))


def of_schema_2() -> ModelFile:
    """A model with all there is to know, and a certificate."""
    bed = Field("bed", 0, 0)
    contract = replace(
        CONTRACT,
        constants=(bed,),
        targets=(DENSITY,),
        scales=(*CONTRACT.scales, FieldScale(bed, 1.0), CONTRACT.scales[0]),
        spectrum={"density": ((1.0, 0.5), (2.0, 0.25))},
        parts={"train": DataPart("00ff", (0, 1, 2, 5))},
        origin={"equation": "none", "parameters": {"a": [1, 2]}},
    )
    low = replace(make_record(recipe_bank(1)), contract=contract)
    record = convert_record(low, 2, "compatibility").after
    record = replace(record, contract=replace(record.contract, layout={"density": "trajectory,time,x,y"}))
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder) / "m", record)
        return read_file(Path(folder) / "m")


VALID = {1: read_file(FIRST_VERSION), 2: of_schema_2()}
PLACES = [
    (schema, way)
    for schema, file in VALID.items()
    for way in places(file.header)
    if way and way[0] not in ("kind", "schema", "checksum")
]


@settings(max_examples=200, deadline=2000, derandomize=True)
@given(where=st.sampled_from(PLACES), junk=JUNK, delete=st.booleans())
def test_junk_anywhere_in_a_header(tmp_path_factory, where, junk, delete):
    schema, way = where
    header = copy.deepcopy(VALID[schema].header)
    place = header
    for part in way[:-1]:
        place = place[part]
    if delete:
        del place[way[-1]]
    else:
        place[way[-1]] = junk
    path = tmp_path_factory.getbasetemp() / "junk.safetensors"
    write_raw(path, header, VALID[schema].arrays)
    try:
        record = read_model(path)
    except FileError as error:
        assert "junk.safetensors" in error.problem
        assert "\n" not in error.problem
    else:
        write_model(path, record, force=True)  # what was accepted is whole
        assert_same(read_model(path), record)


def test_stored_filters_are_checked_for_invariance(tmp_path):
    """Whether or not there is a certificate that would be stale."""
    write_model(tmp_path / "m", make_record(BANKS["no recipe"]()))
    content = read_file(tmp_path / "m")
    for name, array in content.arrays.items():
        if name.startswith("bank.") and array.size:
            changed = array.copy()
            changed[0, :, :] += np.arange(9.0).reshape(3, 3, *(1,) * (array.ndim - 3))
            write_file(tmp_path / "edited", content.arrays | {name: changed}, content.header, force=True)
            with pytest.raises(FileError, match="filters that change under every reflection and rotation"):
                read_model(tmp_path / "edited")
