import numpy as np
import pytest

from ginjax.errors import ArgumentError, NumericsError
from ginjax.filters import BankRecipe, FilterBank, bank_from_arrays, make_bank
from ginjax.transfer import (
    RULE_NAMES,
    ConvLayer,
    FilterPair,
    array_digest,
    bank_chain,
    convert_weights,
    empty_block,
    make_rule,
    role_keys,
)

SCALAR, VECTOR = (0, 0, 2), (1, 0, 3)
LAYERS = (
    ConvLayer("encoder.conv", "conv", (SCALAR, VECTOR), (SCALAR, VECTOR)),
    ConvLayer("blocks.0.conv", "conv", (SCALAR, VECTOR), (SCALAR,), stride=2, filter_dilation=2),
)
FULL3, ORTHOPLEX5 = BankRecipe(3), BankRecipe(5, support="orthoplex")


def a_bank(D=1, recipe=FULL3, layers=LAYERS, role="conv") -> FilterBank:
    return make_bank(D, recipe, role_keys(layers, role))


def weights_of(banks: dict[str, FilterBank], layers=LAYERS, dtype=np.float32, seed=0) -> dict:
    rng = np.random.default_rng(seed)
    arrays = {}
    for layer in layers:
        for source, c_in, target, c_out in layer.paths():
            key = source[0] + target[0], (source[1] + target[1]) % 2
            block = banks[layer.role].blocks.get(key)
            if block is not None and len(block):
                shape = (c_out, c_in, len(block))
                arrays[layer.weight_name(source, target)] = rng.standard_normal(shape).astype(dtype)
    return arrays


def convert(
    to_dim, rule="compatibility", flex=None, dtype=np.float32, layers=LAYERS, recipe=FULL3, D=1, **options
):
    start = a_bank(D, recipe, layers)
    arrays = weights_of({"conv": start}, layers, dtype)
    chains = {"conv": bank_chain(start, to_dim)}
    return arrays, *convert_weights(arrays, layers, chains, make_rule(rule, flex), **options)


# --- exactness -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("recipe", [FULL3, ORTHOPLEX5, BankRecipe(2)], ids=["full3", "orthoplex5", "full2"])
@pytest.mark.parametrize(("D", "to_dim"), [(1, 2), (2, 3), (1, 3)])
def test_scalars_and_vectors_are_exact(D, to_dim, recipe, dtype, tolerance):
    _, new, certificate = convert(to_dim, D=D, recipe=recipe, dtype=dtype)
    assert certificate.exact and certificate.residual <= tolerance == certificate.tolerance
    assert all(path.note == "" and path.dropped == () for path in certificate.paths)
    assert (certificate.from_dim, certificate.to_dim) == (D, to_dim)
    assert len(certificate.paths) == 6
    _, _, plain = convert(to_dim, "none", D=D, recipe=recipe, dtype=dtype)
    assert recipe.side == 2 or not plain.exact
    assert {array.dtype for array in new.values()} == {np.dtype(dtype)}


def test_the_certificate_is_that_of_the_weights_as_stored():
    arrays, _, certificate = convert(2, dtype=np.float64)
    assert certificate.residual <= 1e-14
    chains = {"conv": bank_chain(a_bank(), 2)}
    rounded, stored = convert_weights(arrays, LAYERS, chains, make_rule("compatibility"), np.dtype("f4"))
    assert 1e-9 < stored.residual <= 1e-5 == stored.tolerance and stored.exact
    assert {array.dtype.name for array in rounded.values()} == {"float32"}


def test_the_report_of_a_path():
    _, new, certificate = convert(2)
    first = certificate.paths[0]
    assert (first.layer, first.path) == ("encoder.conv", "k0p0->k0p0")
    assert (first.before, first.after, first.free) == (2, 3, 1)
    assert new["encoder.conv.weight.k0p0->k0p0"].shape == (2, 2, 3)
    assert (certificate.rule, certificate.flex, certificate.promises) == ("compatibility", 1.0, True)
    for name, flex, promises in (("none", None, False), ("compat-flex", 0.25, True), ("volume", None, False)):
        certificate = convert(2, name, flex)[2]
        assert (certificate.rule, certificate.flex, certificate.promises) == (name, flex, promises)


def test_outputs_of_order_two_say_what_remains():
    layers = (ConvLayer("c", "conv", (SCALAR,), ((2, 0, 1),)),)
    for dtype in (np.float64, np.float32):
        certificate = convert(2, layers=layers, dtype=dtype)[2]
        path = certificate.inexact_paths[0]
        assert path.residual == path.residual_new > 0.1
        assert "its old components are exact" in path.note
    # A rule that promises nothing has nothing to excuse.
    assert convert(2, "none", layers=layers)[2].paths[0].note == ""


# --- steps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_one_to_three_goes_through_two(rule):
    layers = (ConvLayer("c", "conv", ((0, 0, 1), (1, 0, 1)), ((0, 0, 2),)),)
    flex = 0.3 if rule == "compat-flex" else None
    recipe = ORTHOPLEX5 if rule == "compatibility-norm" else FULL3
    start = a_bank(1, recipe, layers)
    arrays = weights_of({"conv": start}, layers, np.float64)
    rule = make_rule(rule, flex)
    at_once, certificate = convert_weights(arrays, layers, {"conv": bank_chain(start, 3)}, rule)
    half, _ = convert_weights(arrays, layers, {"conv": bank_chain(start, 2)}, rule)
    chain = {"conv": bank_chain(a_bank(2, recipe, layers), 3)}
    whole, _ = convert_weights(half, layers, chain, rule)
    assert at_once.keys() == whole.keys()
    for name in at_once:
        np.testing.assert_allclose(at_once[name], whole[name], atol=1e-13)
    # Straight up is another thing where there is freedom.
    direct, _ = convert_weights(arrays, layers, {"conv": (start, a_bank(3, recipe, layers))}, rule)
    if rule.name == "volume" or (rule.promises_compatibility and recipe is FULL3):
        assert any(not np.allclose(direct[name], at_once[name]) for name in direct)
    assert certificate.exact == rule.promises_compatibility or rule.name == "compatibility-norm"


def test_bank_chain():
    start = a_bank(1)
    chain = bank_chain(start, 4)
    assert [bank.D for bank in chain] == [1, 2, 3, 4] and chain[0] is start
    assert all(bank.recipe == FULL3 and bank.keys == start.keys for bank in chain)
    target = a_bank(3)
    assert bank_chain(start, 3, target)[-1] is target and len(bank_chain(start, 3, target)) == 3

    assert [bank.D for bank in bank_chain(a_bank(3), 1)] == [3, 2, 1]


@pytest.mark.parametrize("to_dim", [-1, 0, 2])
def test_conversion_goes_to_another_dimension(to_dim):
    with pytest.raises(
        ArgumentError, match=f"got {to_dim}, expected another dimension than the model's own 2"
    ):
        bank_chain(a_bank(2), to_dim)


@pytest.mark.parametrize("layers", [LAYERS, (ConvLayer("c", "conv", (SCALAR,), ((2, 0, 1),)),)])
@pytest.mark.parametrize(("low", "high"), [(1, 2), (2, 3), (1, 3)])
@pytest.mark.parametrize("flex", [0.0, 1.0])
def test_there_and_back_gives_the_old_weights(low, high, layers, flex):
    start, end = a_bank(low, layers=layers), a_bank(high, layers=layers)
    arrays, rule = weights_of({"conv": start}, layers, np.float64), make_rule("compat-flex", flex)
    up, _ = convert_weights(arrays, layers, {"conv": bank_chain(start, high)}, rule)
    down, certificate = convert_weights(up, layers, {"conv": bank_chain(end, low)}, rule)
    assert down.keys() == arrays.keys()
    for name in arrays:
        np.testing.assert_allclose(down[name], arrays[name], atol=1e-12)
    assert (certificate.from_dim, certificate.to_dim) == (high, low)
    assert certificate.exact == (layers is LAYERS)
    notes = {path.note for path in certificate.paths}
    assert notes == {""} if layers is LAYERS else "no field of the lower one shows" in notes.pop()


@pytest.mark.parametrize("rule", ["none", "volume", "compatibility-norm"])
def test_the_way_down_is_for_compatible_rules(rule):
    with pytest.raises(ArgumentError, match=f"rule for going down: got '{rule}', expected 'compatibility'"):
        convert(1, rule, D=2)


def test_filters_of_no_recipe_go_at_once_to_those_handed_in():
    keys = a_bank().keys
    twice = bank_from_arrays(1, {key: 2 * a_bank().blocks[key].filters for key in keys})
    target = a_bank(3)
    assert twice.recipe is None and bank_chain(twice, 3, target) == (twice, target)
    other = make_bank(3, BankRecipe(3, "gaussian"), keys)
    assert bank_chain(a_bank(), 3, other) == (a_bank(), other)
    with pytest.raises(ArgumentError, match="no known recipe"):
        bank_chain(twice, 3)
    arrays = weights_of({"conv": twice})
    _, certificate = convert_weights(
        arrays, LAYERS, {"conv": bank_chain(twice, 3, target)}, make_rule("compatibility")
    )
    assert certificate.exact


@pytest.mark.parametrize("rule", ["compatibility", "compat-flex"])
def test_order_and_signs_of_filters_handed_in_do_not_matter(rule):
    """The same function of the field, whatever the order and the signs its filters are stored in."""
    start, rng = a_bank(), np.random.default_rng(0)
    signs = {key: rng.choice([-1.0, 1.0], len(b)) for key, b in start.blocks.items()}
    orders = {key: rng.permutation(len(b)) for key, b in start.blocks.items()}
    given = bank_from_arrays(
        1, {key: (b.filters.T * signs[key]).T[orders[key]] for key, b in start.blocks.items()}
    )
    assert given.recipe == FULL3 and given != start
    arrays = weights_of({"conv": start}, dtype=np.float64)
    moved = {}
    for layer in LAYERS:
        for source, _, target, _ in layer.paths():
            key, name = (source[0] + target[0], 0), layer.weight_name(source, target)
            moved[name] = (arrays[name] * signs[key])[..., orders[key]]
    results = [
        convert_weights(a, LAYERS, {"conv": bank_chain(b, 2)}, make_rule(rule))[0]
        for a, b in ((arrays, start), (moved, given))
    ]
    for name in arrays:
        np.testing.assert_allclose(results[0][name], results[1][name], atol=1e-12)


# --- arrays ----------------------------------------------------------------------------------------------------------


def test_arrays_outside_of_the_table_pass_through():
    start = a_bank()
    others = {
        "encoder.conv.bias.k0p0": np.arange(2, dtype=np.float32),
        "norm.scale": np.ones(3, np.float64),
        "steps": np.array(7, np.int32),
        "z.mask": np.array([True, False]),
    }
    arrays = weights_of({"conv": start}) | others
    before = {name: array.copy() for name, array in arrays.items()}
    chains = {"conv": bank_chain(start, 2)}
    new, certificate = convert_weights(arrays, LAYERS, chains, make_rule("compatibility"))
    assert new.keys() == arrays.keys() and list(new) == sorted(new)
    for name, array in others.items():
        assert new[name] is array
    for name, array in new.items():
        assert array.dtype == before[name].dtype and array.flags.c_contiguous
        np.testing.assert_array_equal(arrays[name], before[name])  # what was handed in is left alone
    assert certificate.digest == array_digest(new)
    assert certificate.tolerance == 1e-12  # of the widest array, which is not rounded


def test_another_dtype_is_for_all_floating_point_arrays():
    start = a_bank()
    arrays = weights_of({"conv": start}) | {"b": np.ones(2, np.float32), "n": np.array(7, np.int32)}
    chains = {"conv": bank_chain(start, 2)}
    new, certificate = convert_weights(
        arrays, LAYERS, chains, make_rule("compatibility"), dtype=np.dtype(np.float64)
    )
    assert {name: array.dtype.name for name, array in new.items()} == {
        name: "int32" if name == "n" else "float64" for name in arrays
    }
    assert certificate.exact and certificate.tolerance == 1e-12


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_numbers(bad):
    start = a_bank()
    arrays = weights_of({"conv": start})
    name = "blocks.0.conv.weight.k1p0->k0p0"
    arrays[name][0, 0, 0] = bad
    chains = {"conv": bank_chain(start, 2)}
    with pytest.raises(NumericsError, match=f"array '{name}' holds NaN or infinity"):
        convert_weights(arrays, LAYERS, chains, make_rule("compatibility"))


def test_arrays_that_do_not_fit_the_table():
    start = a_bank()
    arrays = weights_of({"conv": start})
    chains = {"conv": bank_chain(start, 2)}
    for name in arrays:
        with pytest.raises(ArgumentError, match=f"array '{name}': got none"):
            convert_weights({n: a for n, a in arrays.items() if n != name}, LAYERS, chains, make_rule("none"))


# --- several banks, empty banks --------------------------------------------------------------------------------------


def test_a_rule_that_makes_weights_of_another_shape_is_named():
    class Keeps:
        name = "keeps"
        promises_compatibility = False

        def __call__(self, weights, pair):
            return weights

    start = a_bank()
    arrays = weights_of({"conv": start})
    problem = r"what rule 'keeps' makes of encoder\.conv k0p0->k0p0: got weights of shape \(2, 2, 2\), expected .*3\)"
    with pytest.raises(ArgumentError, match=problem):
        convert_weights(arrays, LAYERS, {"conv": bank_chain(start, 2)}, Keeps())


def test_each_role_has_its_own_chain():
    layers = (
        ConvLayer("down", "conv", (SCALAR,), (SCALAR,)),
        ConvLayer("up", "upsample", (SCALAR,), (SCALAR,), input_dilation=2),
    )
    banks = {
        "conv": make_bank(1, FULL3, role_keys(layers, "conv")),
        "upsample": make_bank(1, BankRecipe(2), role_keys(layers, "upsample")),
    }
    arrays = weights_of(banks, layers, np.float64)
    chains = {role: bank_chain(bank, 3) for role, bank in banks.items()}
    new, certificate = convert_weights(arrays, layers, chains, make_rule("compatibility"))
    assert certificate.exact and new["down.weight.k0p0->k0p0"].shape == (2, 2, 4)
    np.testing.assert_allclose(new["up.weight.k0p0->k0p0"], arrays["up.weight.k0p0->k0p0"])
    up_as_plain = (layers[0], ConvLayer("up", "upsample", (SCALAR,), (SCALAR,)))
    plain, _ = convert_weights(arrays, up_as_plain, chains, make_rule("compatibility"))
    np.testing.assert_allclose(4 * plain["up.weight.k0p0->k0p0"], new["up.weight.k0p0->k0p0"])


PSEUDO = (0, 1, 1)
ODD = (ConvLayer("c", "conv", (SCALAR,), (SCALAR, PSEUDO)),)


@pytest.mark.parametrize("rule", ["compatibility", "volume", "none"])
def test_a_path_whose_new_bank_is_empty_is_dropped_and_reported(rule):
    arrays, new, certificate = convert(2, rule, layers=ODD)
    assert set(arrays) - set(new) == {"c.weight.k0p0->k0p1"}
    odd = certificate.paths[1]
    assert (odd.path, odd.before, odd.after, odd.residual) == ("k0p0->k0p1", 1, 0, 1.0)
    assert odd.note.startswith("odd path") if rule == "compatibility" else odd.dropped == ("(1)",)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_parity_lift_makes_odd_scalars_exact(dtype):
    layers = (ConvLayer("c", "conv", (SCALAR, VECTOR, PSEUDO), (SCALAR, VECTOR, PSEUDO)),)
    lifted = (ConvLayer("c", "conv", (SCALAR, VECTOR, (1, 1, 1)), (SCALAR, VECTOR, (1, 1, 1))),)
    start, end = a_bank(2, layers=layers), a_bank(3, layers=lifted)
    arrays = weights_of({"conv": start}, layers, dtype) | {"norm.scale.k0p1": np.ones(1, dtype)}
    options = ({"conv": (start, end)}, make_rule("compatibility"))
    new, certificate = convert_weights(arrays, layers, *options, parity_lift=True)
    assert certificate.exact and certificate.parity_lift and {path.note for path in certificate.paths} == {""}
    assert "c.weight.k1p0->k1p1" in new and not any("k0p1" in name for name in new)
    np.testing.assert_array_equal(new["norm.scale.k1p1"], [1])
    np.testing.assert_array_equal(new["norm.bias.k1p1"], [0])
    assert {array.dtype for array in new.values()} == {np.dtype(dtype)}
    plain, certificate = convert_weights(arrays, layers, {"conv": bank_chain(start, 3)}, *options[1:])
    assert not certificate.exact and not certificate.parity_lift and "norm.scale.k0p1" in plain


@pytest.mark.parametrize(("to_dim", "rule"), [(3, "compatibility"), (2, "volume")])
def test_the_parity_lift_goes_one_dimension_up_by_a_compatible_rule(to_dim, rule):
    with pytest.raises(ArgumentError, match=r"parity lift: got 1 -> .*, expected one dimension up"):
        convert(to_dim, rule, parity_lift=True)


def test_a_path_without_filters_on_either_side_is_not_there():
    _, new, certificate = convert(3, D=2, layers=ODD)
    assert list(new) == ["c.weight.k0p0->k0p0"] and len(certificate.paths) == 1
    assert certificate.exact


@pytest.mark.parametrize("rule", ["compatibility", "compat-flex", "volume", "none"])
def test_a_path_whose_old_bank_is_empty_starts_at_zero(rule):
    layers = (ConvLayer("c", "conv", ((1, 0, 2),), ((1, 1, 3),)),)
    arrays, new, certificate = convert(2, rule, layers=layers, recipe=BankRecipe(1))
    assert arrays == {} and list(new) == ["c.weight.k1p0->k1p1"]
    np.testing.assert_array_equal(new["c.weight.k1p0->k1p1"], np.zeros((3, 2, 1)))
    assert new["c.weight.k1p0->k1p1"].dtype == np.float32
    assert (certificate.paths[0].before, certificate.paths[0].after) == (0, 1) and certificate.exact


@pytest.mark.parametrize("rule", [name for name in RULE_NAMES if name != "compatibility-norm"])
@pytest.mark.parametrize("recipe", [BankRecipe(1), BankRecipe(3, support="cut", max_pixel_l1=0)], ids=str)
def test_the_centre_alone(recipe, rule):
    layers = (ConvLayer("c", "conv", (SCALAR, VECTOR), (SCALAR, VECTOR)),)
    arrays, new, certificate = convert(3, rule, layers=layers, recipe=recipe, dtype=np.float64)
    assert set(arrays) == {"c.weight.k0p0->k0p0", "c.weight.k1p0->k1p0"} == set(new)
    # One filter on either side: `volume` adds 1e-5 to its denominator, and `delta_ij` has norm sqrt(D).
    shrunk = np.sqrt(3) if rule == "volume" else 1.0
    for name, factor in (("c.weight.k0p0->k0p0", 1.0), ("c.weight.k1p0->k1p0", shrunk)):
        np.testing.assert_allclose(new[name] * factor, arrays[name], atol=5e-5 if rule == "volume" else 1e-12)
    assert certificate.exact == (rule != "volume")


def test_an_empty_block():
    block = empty_block(3, 5, 2)
    assert block.filters.shape == (0, 5, 5, 5, 3, 3) and len(block) == 0
    assert empty_block(3, 5, 2) is block
    assert FilterPair(empty_block(1, 3, 0), a_bank(2).blocks[0, 0], 1, 2, 0, 0, 0).side == 3
