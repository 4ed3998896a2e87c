import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import SV, S, random_field
from small_models import defect_over_group, run

from ginjax.errors import ArgumentError
from ginjax.geometric import MultiImage, Signature, make_all_operators, make_C2_group
from ginjax.models import GroupAverage, LastStepIdentity, ModelWrapper, MultiImageModule

SCALAR, VECTOR = ((), 0), ((False,), 0)


def plain_model(**options) -> ModelWrapper:
    """An ordinary CNN on the three components of a scalar and a vector."""
    cnn = eqx.nn.Conv(2, 3, 3, 3, padding=1, padding_mode="CIRCULAR", key=jax.random.key(0))
    return ModelWrapper(2, eqx.nn.Sequential([cnn, eqx.nn.Lambda(jnp.tanh)]), SV, True, **options)


def test_a_plain_network_sees_components_as_channels():
    x = random_field(SV, 2, 4)
    model = plain_model()
    y, aux = model(x, "aux")
    channels = jnp.concatenate([x[SCALAR], jnp.moveaxis(x[VECTOR][0], -1, 0)])
    out = model.model(channels)
    np.testing.assert_allclose(y[SCALAR], out[:1], atol=1e-6)
    np.testing.assert_allclose(y[VECTOR], jnp.moveaxis(out[1:], 0, -1)[None], atol=1e-6)
    assert aux == "aux" and y.get_signature() == SV


def test_output_keys_and_periodicity_are_as_asked_for():
    model = ModelWrapper(1, lambda c: jnp.concatenate([c, c]), [((0, 0), 2)], [False])
    y, _ = model(random_field(S, 1, 4))
    assert y.is_torus == (False,) and y.get_signature() == Signature([((0, 0), 2)])
    wrong = ModelWrapper(1, lambda c: c, [((0, 0), 2)], True)
    with pytest.raises(ArgumentError, match="channels"):
        wrong(random_field(S, 1, 4))


def test_auxiliary_data_reaches_the_network():
    model = ModelWrapper(1, lambda c, count: (2 * c, count + 1), S, True, pass_aux_data=True)
    x = random_field(S, 1, 4)
    y, count = model(x, 41)
    assert count == 42
    np.testing.assert_array_equal(y[SCALAR], 2 * x[SCALAR])


# --- averages over a group -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["always", "at inference", "by inference_mode"])
def test_an_average_is_equivariant(how):
    operators = make_all_operators(2)
    model = {
        "always": lambda: GroupAverage(plain_model(), operators, always_average=True),
        "at inference": lambda: GroupAverage(plain_model(), operators, inference=True),
        "by inference_mode": lambda: eqx.nn.inference_mode(GroupAverage(plain_model(), operators)),
    }[how]()
    assert defect_over_group(model, random_field(SV, 2, 4)) < 1e-5


def test_in_training_the_model_is_called_as_it_is():
    model, x = plain_model(), random_field(SV, 2, 4)
    average = GroupAverage(model, make_all_operators(2))
    assert average(x)[0] == model(x)[0]
    assert defect_over_group(average, x) > 1e-2
    back = eqx.nn.inference_mode(eqx.nn.inference_mode(average), value=False)
    assert not back.inference


def test_an_average_over_a_subgroup_is_equivariant_under_it_only():
    average = GroupAverage(plain_model(), make_C2_group(2), always_average=True)
    assert defect_over_group(average, random_field(SV, 2, 4)) > 1e-3


def test_an_average_by_hand():
    x = random_field(SV, 1, 4)

    class Shift(MultiImageModule):
        def __call__(self, x, aux_data=None):
            return MultiImage({SCALAR: jnp.roll(x[SCALAR], 1, 1), VECTOR: x[VECTOR] + 1}, 1), aux_data

    y, _ = GroupAverage(Shift(), [np.eye(1), -np.eye(1)], always_average=True)(x)
    rolled = (jnp.roll(x[SCALAR], 1, 1) + jnp.roll(x[SCALAR], -1, 1)) / 2
    np.testing.assert_allclose(y[SCALAR], rolled, atol=1e-6)
    np.testing.assert_allclose(y[VECTOR], x[VECTOR], atol=1e-6)  # +1 and -1 cancel


def test_an_average_needs_operators():
    with pytest.raises(ArgumentError, match="at least the identity"):
        GroupAverage(plain_model(), [])


# --- persistence -----------------------------------------------------------------------------------------------------


def test_persistence():
    x = random_field([((0, 0), 3), ((1, 0), 2)], 2, 4)
    y, aux = LastStepIdentity()(x, "aux")
    np.testing.assert_array_equal(y[SCALAR], x[SCALAR][2:])
    np.testing.assert_array_equal(y[VECTOR], x[VECTOR][1:])
    assert aux == "aux"
    zero, _ = LastStepIdentity(residual=True)(x)
    assert zero.get_signature() == y.get_signature()
    assert not np.asarray(zero.to_vector()).any()


def test_the_base_of_all_models_is_the_identity():
    x = random_field(SV, 2, 4)
    assert run(MultiImageModule(), x) == x
