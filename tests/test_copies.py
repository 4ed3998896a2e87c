"""What a user holds can be copied and pickled, and is then equal to what it was made of."""

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import equinox as eqx
import jax
import numpy as np
import pytest
from helpers import FULL3, ORTHOPLEX5, SV, bank, random_field
from small_models import ARCHITECTURES, SIDE, run, small_model
from sweeps import few

from ginjax.checkpoint import (
    Conversion,
    DataContract,
    Field,
    FieldScale,
    ModelRecord,
    axes_of,
    convert_record,
)
from ginjax.data import MemorySource, Normalisation, Trajectories, find_pde
from ginjax.filters import BankRecipe, FilterBank, FilterBlock, make_bank
from ginjax.geometric import GeometricImage, MultiImage, PlanarImage
from ginjax.layers import LayerWrapper, VectorNeuronNonlinear
from ginjax.ml import Forecaster
from ginjax.models import LoadedModel, ResNet, to_record
from ginjax.models.blocks import ACTIVATION_REGISTRY
from ginjax.transfer import Certificate, make_rule

HEAT = Field("heat", 0, 0)
WIND = Field("wind", 1, 0)
CONTRACT = DataContract(
    axes_of((True, True)),
    fields=(HEAT, WIND),
    scales=(FieldScale(HEAT, 2.0), FieldScale(WIND, 3.0)),
    origin={"seed": 1},
)


def pickled(value):
    return pickle.loads(pickle.dumps(value))


WAYS = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": pickled}


@pytest.fixture(params=WAYS)
def again(request):
    return WAYS[request.param]


def model(name="ResNet", **how):
    return small_model(name, 2, SV, **how)


def record() -> ModelRecord:
    return to_record(model(), contract=CONTRACT)


def conversion() -> Conversion:
    return convert_record(record(), 3, make_rule("compatibility"))


def certificate() -> Certificate:
    return conversion().certificate


EQUAL_AGAIN = {
    "bank of a recipe": lambda: bank(2),
    "bank of arrays": lambda: FilterBank(2, 5, None, dict(bank(2, ORTHOPLEX5).blocks)),
    "recipe": lambda: FULL3,
    "signature": lambda: SV,
    "MultiImage": lambda: random_field(SV, 2, SIDE),
    "PlanarImage": lambda: PlanarImage.of(random_field(SV, 2, SIDE)),
    "GeometricImage": lambda: GeometricImage(np.arange(32.0).reshape(4, 4, 2), 1, 2, (True, False)),
    "Normalisation": lambda: Normalisation.of_contract(CONTRACT),
    "DataContract": lambda: CONTRACT,
    "equation": lambda: find_pde("gray-scott"),
    "ModelRecord": record,
    "LoadedModel": lambda: LoadedModel(model(), record()),
    "Conversion": conversion,
    "Certificate": certificate,
    "Forecaster": lambda: Forecaster.of(model(), record()),
}


@pytest.mark.parametrize("make", EQUAL_AGAIN.values(), ids=EQUAL_AGAIN)
def test_it_is_equal_again(make, again):
    made = make()
    found = again(made)
    assert type(found) is type(made) and found == made


@pytest.mark.parametrize("name", ["ResNet", *few(*(name for name in ARCHITECTURES if name != "ResNet"))])
def test_a_model_predicts_the_same_again(name, again):
    made, x = model(name), random_field(SV, 2, SIDE)
    before = run(made, x)  # compiled: whatever a program keeps with a model must not get in the way
    found = again(made)
    assert found == made
    after = run(found, x)
    for key, block in before.items():
        np.testing.assert_array_equal(after[key], block)
    # What JAX knows a program by: the copy compiles none of its own.
    structures = [jax.tree.structure(eqx.partition(each, eqx.is_array)[0]) for each in (found, made)]
    assert structures[0] == structures[1] and len({*map(hash, structures)}) == 1
    other = again(model(name, seed=1))
    assert other != made and any(np.any(run(other, x)[key] != before[key]) for key in before)


@pytest.mark.parametrize(
    "said",
    [{"nonlinearity": "product", "activation_f": "tanh"}, {"activation_f": jax.nn.celu}],
    ids=["products", "an activation without a name here"],
)
def test_functions_of_every_nonlinearity_stay_what_they_are(said, again):
    """Those of a layer and of the specification, whether or not they have a name here."""
    filters = make_bank(2, BankRecipe(3), [(k, 0) for k in range(3)])
    made = ResNet(2, SV, SV, 2, num_blocks=1, num_conv=1, use_group_norm=False, conv_filters=filters, **said)
    found = again(made)
    assert found == made and found.spec == made.spec and hash(found.spec) == hash(made.spec)


def test_hash_and_digest_are_the_same_again(again):
    filters = bank(2)
    found = again(filters)
    assert (hash(found), found.digest) == (hash(filters), filters.digest) != (hash(bank(3)), bank(3).digest)
    made = record()
    assert again(made).digest == made.digest != again(replace(made, provenance=(), spec={})).digest


def test_nothing_in_a_bank_can_be_written_to(again):
    filters = again(bank(2))
    with pytest.raises(TypeError):
        filters.blocks[0, 0] = filters.blocks[1, 0]  # pyright: ignore[reportIndexIssue]
    for block in filters.blocks.values():
        with pytest.raises(ValueError, match="read-only"):
            block.filters[:] = 0
    # Without the block's own care an array forgets that it is read only.
    pickled(bank(2).blocks[0, 0].filters)[:] = 0


def test_a_deep_copy_shares_no_memory():
    filters = bank(2)
    for found, shared in (
        (copy.copy(filters), True),
        (copy.deepcopy(filters), False),
        (pickled(filters), False),
    ):
        assert np.shares_memory(found.blocks[0, 0].filters, filters.blocks[0, 0].filters) is shared


def test_the_array_of_a_block_stays_the_callers():
    own = np.ones((1, 3, 3))
    block = FilterBlock(own, ())
    with pytest.raises(ValueError, match="read-only"):
        block.filters[0, 0, 0] = 2
    own[0, 0, 0] = 2


@pytest.mark.parametrize("name", ACTIVATION_REGISTRY)
def test_an_activation_stays_the_function_it_is(name, again):
    function = ACTIVATION_REGISTRY[name]
    layer = VectorNeuronNonlinear([((1, 0), 1)], 2, function, key=jax.random.key(0))
    assert again(layer).scalar_activation is function and again(layer) == layer
    wrapped = LayerWrapper(eqx.nn.Lambda(function), SV)
    assert again(wrapped) == wrapped
    assert [module.fn for module in again(wrapped).modules.values()] == [function, function]


def test_jax_alone_loses_its_functions():
    assert copy.deepcopy(jax.numpy.tanh) is not jax.numpy.tanh
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(jax.numpy.tanh)


def test_an_activation_without_a_name_is_left_to_pickle():
    layer = VectorNeuronNonlinear([((0, 0), 1)], 2, lambda x: 2 * x)
    assert copy.deepcopy(layer) == layer
    with pytest.raises((AttributeError, pickle.PicklingError)):
        pickle.dumps(layer)


def test_a_changed_record_is_another_one():
    made = record()
    name, weight = next((name, array) for name, array in made.arrays.items() if array.ndim > 1)
    for changed in (
        {name: np.nextafter(weight, 9)},
        {name: weight.astype(np.float64)},
        {name: weight.reshape(-1)},
        {"more": weight},
    ):
        assert replace(made, arrays=dict(made.arrays) | changed) != made
    assert replace(made, provenance=({"command": "train"},)) != made
    assert made != "record"


def test_a_forecaster_that_has_run_can_be_pickled(again):
    rng = np.random.default_rng(0)
    fields = {"heat": rng.normal(size=(1, 2, 4, 4)), "wind": rng.normal(size=(1, 2, 4, 4, 2))}
    source = MemorySource.of(Trajectories((HEAT, WIND), fields, 2, 0.5, 0.1))
    made = Forecaster.of(model(), record())
    (before,) = made.roll_out(made.start(source, [0]), 1)
    found = again(made)
    (after,) = found.roll_out(found.start(again(source), [0]), 1)
    for name in before:
        np.testing.assert_array_equal(after[name], before[name])


def keys_in_another_process(image: MultiImage, filters: FilterBank) -> tuple[list, str]:
    return list(image), filters.digest


@pytest.mark.slow
def test_another_process_gets_the_same():
    image, filters = random_field(SV, 2, SIDE), bank(2)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        keys, digest = pool.submit(keys_in_another_process, image, filters).result()
    assert (keys, digest) == (list(image), filters.digest)
