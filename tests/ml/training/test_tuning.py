"""A model as the start of further training."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_records import drawn_record, small_spec
from helpers import FULL3, S

from ginjax.checkpoint import DataContract, Field, FieldScale, axes_of, convert_record
from ginjax.data import Normalisation
from ginjax.errors import ArgumentError
from ginjax.ml import check_start, start_from, task_settings
from ginjax.models import LoadedModel, from_record, named_arrays, with_arrays

DENSITY = Field("density", 0, 0)
SCALE = FieldScale(DENSITY, 2.0, 1.0)
KNOWN = DataContract(axes_of((True,)), (DENSITY,), scales=(SCALE,), spacing=0.5, time_step=0.1)
SPEC = small_spec("SimpleConvSeries", S, depth=1)


def loaded(contract=KNOWN, provenance=({"step": "train"},), D=1):
    record = replace(drawn_record(SPEC, 1, FULL3, dtype=np.float32), contract=contract, provenance=provenance)
    record = record if D == 1 else convert_record(record, D, "compatibility").after
    return LoadedModel(from_record(record), record)


def check(start, found, **settings):
    return check_start(start, found, **{"past_steps": 1, "residual": False} | settings)


# --- where it starts ---------------------------------------------------------------------------------------------------


def test_a_trained_model_goes_on_in_its_own_scales():
    start = start_from(loaded())
    assert start.normalisation == Normalisation((SCALE,)) and start.free is None
    assert task_settings(start, None, None) == (1, False)
    assert task_settings(start, 3, True) == (3, True)
    seen = start_from(loaded(replace(KNOWN, past_steps=2, residual=True)))
    assert task_settings(seen, None, None) == (2, True) and task_settings(None, None, None) == (1, False)


def test_a_model_that_was_never_trained_has_no_scales_yet():
    for provenance in ((), ({"step": "init"},), ({"step": "init"}, {"step": "convert"})):
        assert start_from(loaded(replace(KNOWN, scales=()), provenance)).normalisation is None


@pytest.mark.parametrize(
    ("contract", "provenance"),
    [
        (replace(KNOWN, scales=()), ({"step": "train"},)),
        (replace(KNOWN, scales=()), ({"step": "init"}, {"step": "tune"})),
        (DataContract.unknown((True,)), ({"step": "init"},)),
    ],
)
def test_a_model_that_does_not_say_how_its_fields_are_scaled(contract, provenance):
    with pytest.raises(ArgumentError, match="does not say how its fields are normalised"):
        start_from(loaded(contract, provenance))


# --- what it may go on with ---------------------------------------------------------------------------------------------

OTHERS = {
    "spacing": ({"spacing": 0.25}, "grid spacing of the data: got 0.25, expected 0.5"),
    "time-step": ({"time_step": 0.2}, "time step of the data: got 0.2, expected 0.1"),
    "boundary": (
        {"axes": axes_of((False,))},
        "boundaries of the data: got x not periodic, expected x periodic",
    ),
}


@pytest.mark.parametrize("aspect", OTHERS)
def test_other_data_are_refused_unless_the_model_is_to_be_adapted(aspect):
    changes, message = OTHERS[aspect]
    start, found = start_from(loaded()), replace(KNOWN, scales=(), **changes)
    with pytest.raises(ArgumentError, match=message) as caught:
        check(start, found)
    assert caught.value.hint == f"`adapt=[{aspect!r}]` trains the network for these data from now on."
    (difference,) = check(start, found, adapt=[aspect])
    assert difference.aspect == aspect
    for wrong in OTHERS.keys() - {aspect}:
        with pytest.raises(ArgumentError, match=message):
            check(start, found, adapt=[wrong])


def test_what_is_the_same_or_not_known_needs_no_leave():
    start = start_from(loaded())
    assert check(start, KNOWN) == ()
    assert check(start, KNOWN, adapt=list(OTHERS)) == ()
    assert check(start, replace(KNOWN, spacing=None, time_step=None)) == ()
    fresh = start_from(loaded(DataContract(axes_of((True,)), (DENSITY,)), ({"step": "init"},)))
    assert check(fresh, KNOWN) == ()


@pytest.mark.parametrize(
    ("changes", "settings", "message"),
    [
        (
            {"fields": (Field("heat", 0, 0),)},
            {},
            "fields of the data: got heat:0.*`fields=.'density=heat'.`.*`drop_fields=.'density'.`",
        ),
        ({"axes": axes_of((True, True))}, {}, "dimension of the data: got 2, expected 1.*convert-d"),
        ({}, {"past_steps": 2}, "`past_steps`: got 2, expected 1, as the model was trained"),
        (
            {},
            {"residual": True},
            "`residual`, what is predicted: got changes, expected frames, as the model was trained",
        ),
        ({}, {"adapt": ["fields"]}, "`adapt`: got 'fields', expected boundary or spacing"),
        ({}, {"adapt": ["time_step"]}, "`adapt`: got 'time_step'"),
    ],
)
def test_what_no_training_could_adapt_to(changes, settings, message):
    found = replace(KNOWN, scales=(), **changes)
    with pytest.raises(ArgumentError, match=message):
        check(start_from(loaded()), found, **settings)


def test_units_that_are_known_and_differ():
    metres = replace(DENSITY, unit="kg/m^3")
    start = start_from(loaded(replace(KNOWN, fields=(metres,), scales=(replace(SCALE, field=metres),))))
    for unit in ("1", "unknown", "kg/m^3"):
        assert check(start, replace(KNOWN, fields=(replace(DENSITY, unit=unit),), scales=())) == ()
    with pytest.raises(
        ArgumentError, match=r"unit of field 'density' of the data: got g/cm\^3, expected kg/m"
    ):
        check(start, replace(KNOWN, fields=(replace(DENSITY, unit="g/cm^3"),), scales=()))


# --- what is kept ------------------------------------------------------------------------------------------------------


def test_settling_takes_back_what_would_break_the_conversion():
    start = start_from(loaded(D=2), keep_compatible=True)
    arrays = named_arrays(start.model)
    name = next(name for name in start.free if start.free[name].shape[1])
    along = start.free[name][:, 0].reshape((1, 1, -1)).astype(np.float32)
    moved = with_arrays(start.model, arrays | {name: arrays[name] + along + np.float32(1e-3)})
    settled, certificate = start.settle(moved)
    assert certificate.exact and start.record.certificate.exact
    gone = named_arrays(settled)[name] - arrays[name]
    basis = start.free[name]
    np.testing.assert_allclose(gone.reshape(-1), basis @ (basis.T @ gone.reshape(-1)), atol=1e-6)
    assert np.abs(gone).max() > 0.1
    free = start_from(loaded(D=2))
    assert free.settle(moved) == (moved, None)


def test_there_has_to_be_something_to_keep():
    with pytest.raises(ArgumentError, match="compatibility to keep: got a model that was not converted"):
        start_from(loaded(), keep_compatible=True)
    high = loaded(D=2)
    arrays = {name: array + np.float32(0.1) for name, array in high.record.arrays.items()}
    stale = replace(high.record, arrays=arrays)
    with pytest.raises(ArgumentError, match="compatibility to keep: got a stale certificate"):
        start_from(LoadedModel(high.model, stale), keep_compatible=True)


def test_new_axes_stay_periodic_where_compatibility_is_kept():
    start = start_from(loaded(D=2), keep_compatible=True)
    own = start.record.contract
    for torus, fits in (((False, True), True), ((True, False), False)):
        found = replace(own, axes=axes_of(torus), scales=())
        if fits:
            assert check(start, found, adapt=["boundary"])
            continue
        with pytest.raises(
            ArgumentError, match="boundaries to adapt to: got a new axis that is not periodic"
        ):
            check(start, found, adapt=["boundary"])
        free = replace(start, free=None)
        assert check(free, found, adapt=["boundary"])[0].values == (
            ["periodic", "periodic"],
            ["periodic", "bounded"],
        )


def test_a_network_that_was_never_trained_may_predict_changes():
    untrained = start_from(loaded(replace(KNOWN, scales=()), provenance=({"step": "init"},)))
    assert check(untrained, replace(KNOWN, scales=()), residual=True) == ()
    with pytest.raises(ArgumentError, match="`past_steps`"):
        check(untrained, replace(KNOWN, scales=()), past_steps=2)
