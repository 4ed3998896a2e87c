"""Going on from a model on data with other fields than it has."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_records import drawn_record, small_spec
from helpers import FULL3, S

from ginjax.checkpoint import DataContract, Field, FieldScale, axes_of, convert_record
from ginjax.data import MemorySource, Trajectories, measure_normalisation
from ginjax.errors import ArgumentError
from ginjax.ml import TrainSettings, material_of_source, prepare_training, request_training, start_from
from ginjax.ml.training._tuning import with_fields_of
from ginjax.models import LoadedModel, from_record, verify_records

DENSITY, PRESSURE, HEAT = (Field(name, 0, 0) for name in ("density", "pressure", "heat"))
SCALE = FieldScale(DENSITY, 2.0, 1.0, 0.5)
KNOWN = DataContract(axes_of((True,)), (DENSITY,), scales=(SCALE,), spacing=0.5, time_step=0.1)
SPEC = small_spec("SimpleConvSeries", S, depth=1)


class _Silent:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def follow(self, done, total):
        return None


def record(contract=KNOWN, D=1, provenance=({"step": "train"},)):
    made = replace(drawn_record(SPEC, 1, FULL3, dtype=np.float32), contract=contract, provenance=provenance)
    return made if D == 1 else convert_record(made, D, "compatibility").after


def start(made, **settings):
    return start_from(LoadedModel(from_record(made), made), **settings)


def source(*fields, D=1, frames=3):
    shape = (5, frames, *(8,) * D)
    values = {
        each.name: (5 + np.random.default_rng(i).normal(size=shape)).astype(np.float32)
        for i, each in enumerate(fields)
    }
    return MemorySource.of(Trajectories(fields, values, D, spacing=0.5, time_step=0.1, is_torus=True))


def prepared(begin, *fields, D=1, drop=(), **settings):
    material = material_of_source(source(*fields, D=D), valid=0.0, test=0.0, tuning=True)
    asked = TrainSettings(**{"steps": 2, "batch_size": 2} | settings)
    request = request_training(material, asked, start=begin, drop_fields=drop)
    return prepare_training(request, lambda title: _Silent())


def test_old_fields_keep_their_scales_and_new_ones_are_measured():
    task = prepared(start(record()), PRESSURE, DENSITY)
    measured = measure_normalisation(source(PRESSURE, DENSITY)).of("pressure")
    assert task.task.contract.scales == (SCALE, measured)
    assert task.request.fields == (
        "the model gains pressure:0+: until it is trained on these, its other predictions stay what they were",
    )
    trained = task.train()
    made = task.finish(trained).record
    assert made.contract.scales == (SCALE, measured)
    assert [step["step"] for step in made.provenance] == ["train", "fields", "tune"]


def test_the_error_before_is_that_of_the_model_as_it_was():
    """At its beginning a model with a further field predicts the old one as before."""
    alone, both = (prepared(start(record()), *fields) for fields in ((DENSITY,), (DENSITY, PRESSURE)))
    x = alone.task.train.take([0])[0]
    wide = both.task.train.take([0])[0]
    one = from_record(record())
    other = both.request.model
    single, double = (
        np.asarray(model(type(x)({key: block[0] for key, block in given.items()}, 1))[0][(), 0])
        for model, given in ((one, x), (other, wide))
    )
    np.testing.assert_allclose(double[:1], single, rtol=1e-6)
    assert np.abs(single).max() > 0.1 and not double[1].any()


def test_what_a_model_is_not_to_have():
    begin = start(record())
    left = prepared(begin, DENSITY, PRESSURE, drop=["pressure"])
    assert left.request.start.change is None
    assert left.request.fields == ("pressure:0+ of the data: left out, the model does not have it",)
    assert [each.name for each in left.task.contract.fields] == ["density"]
    swapped = prepared(begin, PRESSURE, drop=["density"])
    assert [each.name for each in swapped.task.contract.fields] == ["pressure"]
    assert swapped.request.fields[1].startswith("the model loses density:0+")


def test_a_field_that_may_be_another_by_name_is_asked_for():
    with pytest.raises(ArgumentError, match="fields of the data: got heat:0") as caught:
        prepared(start(record()), HEAT)
    assert "fields=['density=heat']" in caught.value.hint
    assert "drop_fields=['density']" in caught.value.hint
    with pytest.raises(ArgumentError, match="`drop_fields`: got a new network"):
        request_training(material_of_source(source(DENSITY)), drop_fields=["density"])


def test_a_network_that_was_never_trained_keeps_to_its_fields():
    fresh = start(record(replace(KNOWN, scales=()), provenance=({"step": "init"},)))
    assert with_fields_of(fresh, source(DENSITY, PRESSURE).contract) is fresh


def test_compatibility_is_kept_of_the_fields_that_there_were():
    low, high = record(), record(D=2)
    task = prepared(start(high, keep_compatible=True), DENSITY, PRESSURE, D=2, steps=6, learning_rate=0.05)
    begin = task.request.start
    assert set(begin.unbound) == {
        "layers.0.conv.weight.k0p0->k0p0",
        "layers.0.conv.bias.k0p0",
    }
    made = task.finish(task.train()).record
    assert made.certificate.exact and made.certificate.fields == ("density",)
    assert not made.certificate_is_stale
    found = verify_records(low, made, side=4)
    assert found.lifts and found.condition < 1e-5
    name = "layers.0.conv.weight.k0p0->k0p0"
    moved = np.abs(made.arrays[name] - begin.record.arrays[name])
    assert moved[0].max() > 1e-3 and moved[1].max() > 1e-3
    # The control: with all weights free the low-dimensional behaviour is gone, and so is the certificate.
    free = prepared(start(high), DENSITY, PRESSURE, D=2, steps=6, learning_rate=0.05)
    freed = free.finish(free.train()).record
    assert freed.certificate is None and not verify_records(low, freed, side=4).lifts
    # Once more, from the file, with nothing new.
    again = start(made, keep_compatible=True)
    assert again.unbound.keys() == begin.unbound.keys()
