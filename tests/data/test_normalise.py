import json
from dataclasses import replace

import numpy as np
import pytest

from ginjax.checkpoint import DataContract, axes_of, contract_from_json, contract_to_json
from ginjax.data import Field, FieldScale, Normalisation, Trajectories, measure_normalisation
from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage

SCALAR, VECTOR = ((), 0), ((False,), 0)
SCHEMA = (Field("a", 0, 0, "K"), Field("b", 0, 0), Field("v", 1, 0, "m/s"))
SCALES = Normalisation(
    (FieldScale(SCHEMA[0], 2.0, 10.0), FieldScale(SCHEMA[1], 4.0, -1.0), FieldScale(SCHEMA[2], 0.5))
)


def test_each_field_has_one_scale_and_frames_share_it():
    image = MultiImage({SCALAR: np.full((1, 4, 2, 2), 14.0), VECTOR: np.full((1, 2, 2, 2, 2), 3.0)}, 2)
    normal = SCALES.apply(image)
    np.testing.assert_array_equal(normal[SCALAR][0, :, 0, 0], [2, 2, 3.75, 3.75])
    np.testing.assert_array_equal(normal[VECTOR], np.full((1, 2, 2, 2, 2), 6.0))
    back = SCALES.invert(normal)
    np.testing.assert_array_equal(back[SCALAR], image[SCALAR])
    np.testing.assert_array_equal(back[VECTOR], image[VECTOR])


def test_dtype_is_kept():
    image = MultiImage({VECTOR: np.ones((1, 2, 1), np.float32)}, 1)
    only_vector = Normalisation(SCALES.scales[2:])
    assert only_vector.apply(image)[VECTOR].dtype == np.float32


def test_measured_scales_by_hand():
    a = np.array([[[1.0, 3.0], [5.0, 7.0]]])
    v = np.array([[[[3.0], [4.0]], [[0.0], [0.0]]]])
    constant = np.full((1, 2, 2), 7.0)
    measured = measure_normalisation(
        Trajectories(SCHEMA, {"a": a, "b": constant, "v": v}, 1, 1.0, 1.0)
    ).scales
    assert (measured[0].offset, measured[0].scale) == (4.0, np.sqrt(5.0))
    assert (measured[1].offset, measured[1].scale) == (7.0, 1.0)
    assert (measured[2].offset, measured[2].scale) == (0.0, 2.5)


def test_a_contract_carries_the_scales_through_json():
    steady = FieldScale(Field("c", 0, 0, "m"), 3.0, 1.0)
    contract = DataContract(
        axes_of((True,)), SCHEMA, (steady.field,), scales=(*SCALES.scales, steady), past_steps=2
    )
    read = contract_from_json(json.loads(json.dumps(contract_to_json(contract))), "here")
    assert Normalisation.of_contract(read) == Normalisation(SCALES.scales, (steady,))
    with pytest.raises(
        ArgumentError, match="scales of the fields: got none, expected those of a trained model"
    ):
        Normalisation.of_contract(replace(contract, scales=()))


def test_what_would_break_symmetry_or_arithmetic_is_refused():
    with pytest.raises(ArgumentError, match="offset of field 'v'"):
        FieldScale(SCHEMA[2], 1.0, 0.5)
    with pytest.raises(ArgumentError, match="offset of field 'w'"):
        FieldScale(Field("w", 0, 1), 1.0, 0.5)
    with pytest.raises(ArgumentError, match="scale 0"):
        FieldScale(SCHEMA[0], 0.0)
    with pytest.raises(ArgumentError, match="multiple of its 2 fields"):
        SCALES.apply(MultiImage({SCALAR: np.zeros((1, 3, 2))}, 1))
    with pytest.raises(ArgumentError, match="NaN"):
        measure_normalisation(Trajectories(SCHEMA[:1], {"a": np.full((1, 1, 2), np.nan)}, 1, 1.0, 1.0))
