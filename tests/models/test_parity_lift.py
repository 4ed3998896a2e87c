"""Whole networks under the parity lift: an odd scalar of a plane is the last component of an odd vector of space."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_records import drawn_record, perturbed, small_spec, with_boundary
from helpers import FULL3, random_field, relative_difference
from small_models import defect_over_group, run

from ginjax.checkpoint import ModelRecord, convert_record
from ginjax.filters import BankRecipe
from ginjax.geometric import MultiImage
from ginjax.models import from_record, verify_records
from ginjax.transfer import embed_field, lift_key

SIDE, ADDED = 4, 2
FLOW = [((0, 1), 1), ((1, 0), 1)]
EVERYTHING = [((0, 0), 1), ((0, 1), 1), ((1, 0), 1)]
ARCHITECTURES = {
    "ResNet": ("ResNet", {}),
    "DilResNet": ("DilResNet", {}),
    "UNet": ("UNet", {}),
    "SimpleConvSeries": ("SimpleConvSeries", {}),
}


def flow(name="ResNet", D=2, signature=FLOW, recipe=FULL3, **options) -> ModelRecord:
    architecture, defaults = ARCHITECTURES[name]
    return drawn_record(small_spec(architecture, signature, **defaults | options), D, recipe)


def lifted(record: ModelRecord, **options) -> ModelRecord:
    return convert_record(record, record.D + 1, "compatibility", parity_lift=True, **options).after


def lift_embedding(x: MultiImage, lift: bool = True) -> MultiImage:
    """`E x`: odd scalars along the added axis, everything else zero-padded."""
    blocks = {}
    for (k, p), block in x.items():
        order = len(k)
        moves = lift and (order, p) == (0, 1)
        assert not lift or lift_key((order, p)) == ((1, 1) if moves else (order, p))
        embedded = embed_field(np.asarray(block), x.D, order, (ADDED,), lifted=moves)
        blocks[order + moves, p] = jnp.asarray(embedded)
    return MultiImage(blocks, x.D + 1, (*x.is_torus, True))


def defect(before: ModelRecord, after: ModelRecord, dtype=np.float64, is_torus=True) -> float:
    """`max |f'(E x) - E f(x)| / max |E f(x)|`."""
    with jax.enable_x64(dtype == np.float64):
        low, high = from_record(before), from_record(after)
        x = random_field(low.spec.inputs, low.D, SIDE, is_torus=is_torus, dtype=dtype)
        return relative_difference(run(high, lift_embedding(x)), lift_embedding(run(low, x)))


def cases():
    """Every day a series of layers in three dimensions, and a network with norms and pooling."""
    for name in ARCHITECTURES:
        for D in (1, 2):
            daily = (name, D) in (("SimpleConvSeries", 2), ("UNet", 1))
            marks = () if daily else pytest.mark.slow
            yield pytest.param(name, D, marks=marks, id=f"{name}, {D} to {D + 1}")


@pytest.mark.parametrize(("name", "D"), list(cases()))
def test_a_whole_network_lifts_exactly(name, D):
    record = flow(name, D)
    after = lifted(record)
    assert defect(record, after) <= 1e-9
    # The control: a weight of an odd path, the one that zero-padding would lose.
    weight = next(n for n in after.arrays if n.startswith(("deco", "layers.1")) and n.endswith("k1p1->k1p0"))
    assert defect(record, replace(after, arrays=perturbed(after.arrays, weight))) > 1e-4


def test_scalars_vorticity_and_velocity_with_zeros_beyond_the_old_axes():
    record = with_boundary(flow("SimpleConvSeries", 1, EVERYTHING, BankRecipe(5)), (False,))
    after = lifted(record)
    assert after.is_torus == (False, True)
    assert defect(record, after, is_torus=(False,)) <= 1e-9


def test_other_biases_and_nonlinearities():
    record = flow("ResNet", 1, use_bias="mean", activation_f="relu")
    assert defect(record, lifted(record)) <= 1e-9


def test_single_precision():
    """The new components stay exactly zero: noise there would be magnified by every norm that follows."""
    record = flow("ResNet", 1)
    record = replace(record, arrays={name: a.astype(np.float32) for name, a in record.arrays.items()})
    after = lifted(record)
    assert defect(record, after, np.float32) <= 1e-4
    low, high = from_record(record), from_record(after)
    y = run(high, lift_embedding(random_field(low.spec.inputs, 1, SIDE)))
    vorticity, velocity = np.asarray(y[1, 1]), np.asarray(y[1, 0])
    assert not vorticity[..., 0].any() and not velocity[..., 1].any()
    assert vorticity[..., 1].any() and velocity[..., 0].any()


def test_a_lifted_network_is_equivariant():
    with jax.enable_x64(True):
        high = from_record(lifted(flow("ResNet", 1)))
        x = random_field(high.spec.inputs, 2, SIDE, dtype=np.float64)
        assert defect_over_group(high, x) <= 1e-9
        # The control: a vector of the other parity turns another way.
        wrong = MultiImage({(1, 1): x[1, 0], (1, 0): x[1, 1]}, 2, x.is_torus)
        assert relative_difference(run(high, wrong), run(high, x)) > 1e-3


def test_zero_padding_instead_is_not_compatible():
    record = flow("SimpleConvSeries", 1)
    after = convert_record(record, 2, "compatibility").after
    with jax.enable_x64(True):
        low, high = from_record(record), from_record(after)
        x = random_field(low.spec.inputs, 1, SIDE, dtype=np.float64)
        padded, wanted = lift_embedding(x, lift=False), lift_embedding(run(low, x), lift=False)
        assert relative_difference(run(high, padded), wanted) > 1e-2


def test_verification_knows_the_lift():
    record = flow("SimpleConvSeries", 1)
    after = lifted(record)
    found = verify_records(record, after, side=SIDE)
    assert found.lift_float64 <= 1e-9 and found.lifts and found.is_equivariant
    changed = perturbed(after.arrays, "layers.0.conv.weight.k1p1->k1p0")
    assert not verify_records(record, replace(after, arrays=changed), side=SIDE).lifts


def test_transposed_up_convolutions_are_reported():
    """They carry what was an odd scalar exactly, and even vectors only out of one dimension."""
    for D, expected in ((1, set()), (2, {"k1p0->k1p0", "k1p0->k1p1"})):
        record = flow("UNet", D, upsample="transpose")
        inexact = convert_record(record, D + 1, "compatibility", parity_lift=True).certificate.inexact_paths
        assert {path.layer for path in inexact} <= {"upsample_blocks.0.0"}
        assert {path.path for path in inexact} == expected
        assert all(path.note.startswith("transposed convolution") for path in inexact)
