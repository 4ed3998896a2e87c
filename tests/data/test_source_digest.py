"""What makes data the same data, whatever the file is called."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from ginjax.data import (
    Field,
    MemorySource,
    Trajectories,
    _source_digest,
    constants_digest,
    from_arrays,
    open_data,
    source_digest,
    with_conditions,
    write_well,
)

DENSITY, VELOCITY = Field("density", 0, 0), Field("velocity", 1, 0)
SCHEMA = {
    "dimension": 2,
    "spacing": 0.5,
    "time_step": 0.1,
    "periodic": True,
    "fields": [{"name": "density", "order": 0}, {"name": "velocity", "order": 1}],
}


def values():
    rng = np.random.default_rng(0)
    return {
        "density": rng.normal(size=(3, 4, 4, 4)).astype(np.float32),
        "velocity": rng.normal(size=(3, 4, 4, 4, 2)).astype(np.float32),
    }


def source(fields=None, **changes):
    data = Trajectories((DENSITY, VELOCITY), values() if fields is None else fields, 2, 0.5, 0.1)
    return dataclasses.replace(MemorySource.of(data), **changes)


DIGEST = source_digest(source())


def test_a_copy_under_any_name_is_the_same_data(tmp_path):
    write_well(tmp_path / "a.h5", source(), name="a")
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(tmp_path / "a.h5", tmp_path / "elsewhere" / "b.hdf5")
    for path in (tmp_path / "a.h5", tmp_path / "elsewhere" / "b.hdf5"):
        assert source_digest(open_data(path)) == DIGEST
    assert len(DIGEST) == 64 and int(DIGEST, 16) >= 0


def test_two_layouts_of_the_same_values_are_the_same_data(tmp_path):
    np.savez(tmp_path / "a.npz", schema=json.dumps(SCHEMA), **values())
    write_well(tmp_path / "a.h5", source(), name="a")
    found = open_data(tmp_path / "a.npz")
    assert found.layout == "npz" and source_digest(found) == source_digest(open_data(tmp_path / "a.h5"))


def test_what_a_user_may_state_otherwise_does_not_count():
    said = source(spacing=1.0, time_step=None, is_torus=(False, True), origin={"equation": "heat"})
    assert source_digest(said) == DIGEST
    renamed_unit = source(schema=(dataclasses.replace(DENSITY, unit="kg"), VELOCITY))
    assert source_digest(renamed_unit) == DIGEST


def one_value(fields):
    fields["velocity"][2, 3, 1, 2, 0] = np.nextafter(fields["velocity"][2, 3, 1, 2, 0], np.float32(9))


def other_order(fields):
    for name in fields:
        fields[name] = fields[name][[1, 0, 2]]


def fewer_frames(fields):
    for name in fields:
        fields[name] = fields[name][:, :3]


def fewer_trajectories(fields):
    for name in fields:
        fields[name] = fields[name][:2]


def exchanged_frames(fields):
    for name in fields:
        fields[name] = fields[name][:, ::-1]


@pytest.mark.parametrize(
    "change", [one_value, other_order, fewer_frames, fewer_trajectories, exchanged_frames]
)
def test_any_other_values_are_other_data(change):
    fields = values()
    assert source_digest(source(fields)) == DIGEST
    change(fields)
    assert source_digest(source(fields)) != DIGEST


def test_values_that_lie_alike_in_another_grid_are_other_data():
    flat = {name: array.reshape(3, 4, 2, 8, *array.shape[4:]) for name, array in values().items()}
    assert source_digest(source(flat)) != DIGEST
    odd = dataclasses.replace(DENSITY, p=1)
    assert source_digest(source(schema=(odd, VELOCITY))) != DIGEST


def test_only_the_chosen_fields_count():
    fields = values()
    some = source_digest(source(), [DENSITY])
    assert some != DIGEST
    fields["velocity"] += 1
    assert source_digest(source(fields), [DENSITY]) == some
    assert source_digest(source(fields), [VELOCITY, DENSITY]) == source_digest(source(fields))
    assert source_digest(source(fields), [VELOCITY, DENSITY]) != DIGEST


def test_of_much_data_a_sample_is_looked_at(monkeypatch):
    monkeypatch.setattr(_source_digest, "MAX_VALUES", 5 * 48)

    @dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
    class Counted(MemorySource):
        seen: list = dataclasses.field(default_factory=list)

        def _read(self, trajectory, start, stop):
            self.seen.append((trajectory, start, stop))
            return super()._read(trajectory, start, stop)

    counted = Counted(**vars(source()))
    assert source_digest(counted) != DIGEST
    assert len(counted.seen) == 5 and len(set(counted.seen)) == 5
    assert counted.seen[0] == (0, 0, 1) and counted.seen[-1] == (2, 3, 4)
    again = Counted(**vars(source()))
    assert source_digest(again) == source_digest(counted)


def test_constants_have_a_digest_of_their_own():
    """Fields whole, and numbers of trajectories with which trajectory has them."""
    mask = np.arange(3 * 48, dtype=np.float32).reshape(3, 8, 6)

    def digest(mask=mask, viscosity=(1.0, 2.0, 3.0), trajectories=None):
        data = from_arrays(
            {"u": np.zeros((3, 2, 8, 6), np.float32)}, constants={"mask": mask}, periodic=True, spacing=1.0
        )
        return constants_digest(with_conditions(data, {"viscosity": list(viscosity)}), trajectories)

    assert digest() == digest(mask.copy()) == digest(trajectories=[2, 0, 1])
    others = [digest(mask + 1), digest(viscosity=(3.0, 2.0, 1.0)), digest(trajectories=[0, 1])]
    assert len({digest(), *others}) == 4
    assert constants_digest(source()) is None
