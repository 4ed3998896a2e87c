"""A certificate is of one model: whatever a prediction depends on makes it stale when it changes."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import FIXTURES

from ginjax.checkpoint import Axis, ModelRecord, convert_record, read_model, write_model
from ginjax.filters import make_bank, nameless_bank
from ginjax.transfer import array_digest

SOURCE = FIXTURES / "schema_1" / "residual_2d.safetensors"
PLAIN = FIXTURES / "schema_1" / "plain_2d.safetensors"


@pytest.fixture(scope="module")
def record() -> ModelRecord:
    """Of two fields and a constant, one axis of three not periodic."""
    return convert_record(read_model(SOURCE), 3, "compatibility").after


def with_filters(record: ModelRecord, moved: bool) -> ModelRecord:
    """The record with filters of no recipe, which a file stores; one entry of one moved in its last bit."""
    bank = record.banks["conv"]
    blocks = {key: 1.3 * block.filters for key, block in bank.blocks.items()}
    if moved:
        place = blocks[1, 0].nonzero()
        place = tuple(index[:1] for index in place)
        blocks[1, 0][place] = np.nextafter(blocks[1, 0][place], 9)
    return replace(record, banks={"conv": nameless_bank(3, blocks)})


def with_recipe(record: ModelRecord, **recipe) -> ModelRecord:
    bank = record.banks["conv"]
    return replace(record, banks={"conv": make_bank(3, replace(bank.recipe, **recipe), bank.keys)})


def with_layer(record: ModelRecord, which: int = 0, **row) -> ModelRecord:
    layers = list(record.layers)
    layers[which] = replace(layers[which], **row)
    return replace(record, layers=tuple(layers))


def with_option(record: ModelRecord, **options) -> ModelRecord:
    assert set(options) <= set(record.spec["options"])
    return replace(record, spec=record.spec | {"options": record.spec["options"] | options})


def with_contract(record: ModelRecord, **parts) -> ModelRecord:
    return replace(record, contract=replace(record.contract, **parts))


def with_scale(record: ModelRecord, **numbers) -> ModelRecord:
    first, *others = record.contract.scales
    return with_contract(record, scales=(replace(first, **numbers), *others))


def with_certificate(record: ModelRecord, **numbers) -> ModelRecord:
    return replace(record, certificate=replace(record.certificate, **numbers))


def with_path(record: ModelRecord, **numbers) -> ModelRecord:
    first, *others = record.certificate.paths
    return with_certificate(record, paths=(replace(first, **numbers), *others))


def with_array(record: ModelRecord, part: str) -> ModelRecord:
    name = next(name for name in record.arrays if part in name)
    moved = np.nextafter(record.arrays[name], np.float32(9))
    return replace(record, arrays=dict(record.arrays) | {name: moved})


CHANGES = {
    "weight": lambda r: with_array(r, ".weight."),
    "bias": lambda r: with_array(r, ".bias."),
    "recipe: scaling": lambda r: with_recipe(r, scaling="gaussian"),
    "recipe: order-2 split": lambda r: with_recipe(r, split_k2=False),
    "filters of no recipe": lambda r: with_filters(r, moved=False),
    "activation": lambda r: with_option(r, activation_f="relu"),
    "layer: dilation": lambda r: with_layer(r, filter_dilation=2),
    "layer: stride": lambda r: with_layer(r, stride=2),
    "layer: level": lambda r: with_layer(r, level=1),
    "order of layers": lambda r: replace(r, layers=r.layers[::-1]),
    "boundary": lambda r: with_contract(r, axes=(Axis("x"), Axis("y"), Axis("z"))),
    "kind of boundary": lambda r: with_contract(r, axes=(Axis("x"), Axis("y", "wall", "zeros"), Axis("z"))),
    "name of an axis": lambda r: with_contract(r, axes=(Axis("u"), *r.contract.axes[1:])),
    "spacing": lambda r: with_contract(r, spacing=0.125),
    "time step": lambda r: with_contract(r, time_step=None),
    "residual": lambda r: with_contract(r, residual=False),
    "past steps": lambda r: with_contract(r, past_steps=1),
    "scale": lambda r: with_scale(r, scale=1.0),
    "offset": lambda r: with_scale(r, offset=0.0),
    "increment": lambda r: with_scale(r, increment=None),
    "scales": lambda r: with_contract(r, scales=()),
    "unit": lambda r: with_contract(r, fields=(replace(r.contract.fields[0], unit="g"), *r.contract.fields[1:]), scales=()),
    "certificate: residual": lambda r: with_path(r, residual=0.0),
    "certificate: new residual": lambda r: with_path(r, residual_new=1e-9),
    "certificate: free directions": lambda r: with_path(r, free=0),
    "certificate: note": lambda r: with_path(r, note="all is well"),
    "certificate: a path less": lambda r: with_certificate(r, paths=r.certificate.paths[1:]),
    "certificate: dimension": lambda r: with_certificate(r, to_dim=4),
    "certificate: tolerance": lambda r: with_certificate(r, tolerance=1.0),
    "certificate: rule": lambda r: with_certificate(r, rule="volume"),
    "certificate: promise": lambda r: with_certificate(r, promises=False),
    "certificate: digest": lambda r: with_certificate(r, digest="0" * 64),
    "certificate: what it covers": lambda r: with_certificate(r, covers="weights"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_makes_the_certificate_stale(tmp_path, record, name):
    changed = CHANGES[name](record)
    assert not record.certificate_is_stale and changed.certificate_is_stale
    write_model(tmp_path / "m", changed)  # a hand that also renews the checksum
    assert read_model(tmp_path / "m").certificate_is_stale


def test_through_a_file_it_stays_fresh(tmp_path, record):
    write_model(tmp_path / "m", record)
    again = read_model(tmp_path / "m")
    assert again.certificate == record.certificate and again.certificate.covers == "model"
    assert again.digest == record.digest and not again.certificate_is_stale


def test_where_a_model_came_from_does_not_matter(tmp_path, record):
    longer = replace(record.with_step(step="looked at"), arrays=dict(reversed(record.arrays.items())))
    longer = replace(longer, spec=dict(reversed(longer.spec.items())))
    assert longer.provenance != record.provenance and longer.digest == record.digest
    write_model(tmp_path / "m", longer)
    assert not read_model(tmp_path / "m").certificate_is_stale


def test_one_stored_filter(tmp_path, record):
    of_weights = replace(record.certificate, covers="weights", digest=array_digest(record.arrays))
    stored = with_filters(record, moved=False).certified(of_weights)
    moved = replace(with_filters(record, moved=True), certificate=stored.certificate)
    for each, stale in ((stored, False), (moved, True)):
        assert each.certificate_is_stale == stale
        write_model(tmp_path / "m", each, force=True)
        assert read_model(tmp_path / "m").certificate_is_stale == stale


def test_a_certificate_of_the_weights_alone(record):
    of_weights = replace(record.certificate, covers="weights", digest=array_digest(record.arrays))
    held = replace(record, certificate=of_weights)
    assert not held.certificate_is_stale
    assert not with_option(held, activation_f="relu").certificate_is_stale  # all that the first version knew
    assert with_array(held, ".weight.").certificate_is_stale
    sealed = held.certified(of_weights)
    assert sealed.certificate == record.certificate and not sealed.certificate_is_stale
    assert with_option(sealed, activation_f="relu").certificate_is_stale


def test_a_certificate_of_other_weights_is_not_made_to_fit(record):
    of_weights = replace(record.certificate, covers="weights", digest=array_digest(record.arrays))
    moved = with_array(replace(record, certificate=None), ".weight.")
    assert not moved.certificate_is_stale
    assert moved.certified(of_weights).certificate == of_weights
    assert moved.certified(of_weights).certificate_is_stale
    assert with_option(record, activation_f="relu").certified(record.certificate).certificate_is_stale
    assert record.certified(None).certificate is None


def test_of_a_plain_model(tmp_path):
    record = convert_record(read_model(PLAIN), 3, "centre").after
    assert record.certificate.covers == "model" and not record.certificate_is_stale
    write_model(tmp_path / "m", record)
    assert not read_model(tmp_path / "m").certificate_is_stale
    first, *others = record.plain_layers
    padded = replace(record, plain_layers=(replace(first, zero_padded=not first.zero_padded), *others))
    assert padded.certificate_is_stale
