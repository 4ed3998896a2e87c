"""Free directions: weights may move along them, and along nothing else, without a trace on embedded fields."""

from dataclasses import replace

import numpy as np
import pytest
from transfer.by_hand import lift_error

from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.filters import BankRecipe, bank_from_arrays, make_bank
from ginjax.transfer import (
    ConvLayer,
    FilterPair,
    array_digest,
    bank_chain,
    convert_weights,
    free_directions,
    make_rule,
    project_onto_free,
    recertify,
    residual,
    role_keys,
)

SCALAR, VECTOR = (0, 0, 1), (1, 0, 1)
FULL2, FULL3, ORTHOPLEX5 = BankRecipe(2), BankRecipe(3), BankRecipe(5, support="orthoplex")
LAYERS = (
    ConvLayer("a", "conv", (SCALAR, VECTOR), (SCALAR, VECTOR)),
    ConvLayer("b", "conv", (VECTOR,), (SCALAR,), filter_dilation=2),
)


class Converted:
    """A model before and after, with its certificate."""

    def __init__(self, dims=(2, 3), layers=LAYERS, recipe=FULL3, rule="compatibility", dtype=np.float64):
        self.layers, (self.D, D_new) = layers, dims
        bank = make_bank(self.D, recipe, role_keys(layers, "conv"))
        rng = np.random.default_rng(0)
        self.old = {"norm.scale": np.ones(3, dtype)}
        for layer in layers:
            for source, c_in, target, c_out in layer.paths():
                n = len(bank.blocks[source[0] + target[0], (source[1] + target[1]) % 2])
                if n:
                    self.old[layer.weight_name(source, target)] = rng.standard_normal(
                        (c_out, c_in, n)
                    ).astype(dtype)
        chain = bank_chain(bank, D_new)
        self.low, self.banks = {"conv": bank}, {"conv": chain[-1]}
        made = make_rule(rule)
        self.arrays, self.certificate = convert_weights(self.old, layers, {"conv": chain}, made)
        self.free = free_directions(layers, self.banks, self.D)

    def recertify(self, arrays):
        return recertify(self.certificate, self.layers, self.banks, self.arrays, arrays)

    def pair(self, layer: ConvLayer, source, target) -> FilterPair:
        key = source[0] + target[0], (source[1] + target[1]) % 2
        blocks = (banks["conv"].blocks[key] for banks in (self.low, self.banks))
        dilations = layer.input_dilation, layer.filter_dilation
        return FilterPair(*blocks, self.D, self.banks["conv"].D, source[0], target[0], key[1], *dilations)

    def lift_errors(self, arrays) -> list[float]:
        return [
            max(lift_error(self.pair(layer, source, target), self.old[name], arrays[name]))
            for layer in self.layers
            for source, _, target, _ in layer.paths()
            for name in (layer.weight_name(source, target),)
        ]

    def moved(self, size: float = 1.0, along_free: bool = True):
        """Every weight moved at random: along the free directions, or across them."""
        rng = np.random.default_rng(1)
        arrays = dict(self.arrays)
        for name, directions in self.free.items():
            step = rng.standard_normal(arrays[name].shape)
            kept = step @ directions @ directions.T
            step = kept if along_free else step - kept
            arrays[name] = (arrays[name] + size * step).astype(arrays[name].dtype)
        return arrays


@pytest.fixture(scope="module")
def model() -> Converted:
    return Converted()


def test_their_number_and_form(model):
    assert {name: basis.shape[1] for name, basis in model.free.items()} == {
        "a.weight.k0p0->k0p0": 1,
        "a.weight.k0p0->k1p0": 1,
        "a.weight.k1p0->k0p0": 1,
        "a.weight.k1p0->k1p0": 3,
        "b.weight.k1p0->k0p0": 1,
    }
    for name, basis in model.free.items():
        assert basis.shape[0] == model.arrays[name].shape[-1]
        np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-12)
    reported = {f"{p.layer}.weight.{p.path}": p.free for p in model.certificate.paths}
    assert reported == {name: basis.shape[1] for name, basis in model.free.items()}


@pytest.mark.parametrize("dims", [(1, 2), (2, 3), (1, 3)], ids="{0[0]}->{0[1]}".format)
def test_moving_along_them_leaves_no_trace(dims):
    model = Converted(dims)
    assert max(model.lift_errors(model.arrays)) < 1e-12
    along = model.moved(3.0)
    assert max(np.abs(along[n] - model.arrays[n]).max() for n in along) > 0.5
    assert max(model.lift_errors(along)) < 1e-12
    assert min(model.lift_errors(model.moved(0.1, along_free=False))) > 1e-3


def test_orthoplex_filters_of_scalars_have_none():
    model = Converted(layers=(ConvLayer("a", "conv", (SCALAR,), (SCALAR,)),), recipe=ORTHOPLEX5)
    assert {n: b.shape for n, b in model.free.items()} == {"a.weight.k0p0->k0p0": (3, 0)}


def test_a_transposed_convolution_has_its_own():
    layers = tuple(
        ConvLayer(name, "conv", (SCALAR,), (SCALAR,), input_dilation=d) for name, d in (("a", 1), ("b", 2))
    )
    free = free_directions(layers, {"conv": make_bank(3, FULL3, [(0, 0)])}, 2)
    assert [basis.shape[1] for basis in free.values()] == [1, 0]


def test_a_path_without_filters_has_no_weights_to_move():
    layers = (ConvLayer("a", "conv", ((0, 0, 1), (0, 1, 1)), ((0, 0, 1),)),)
    bank = make_bank(2, FULL3, [(0, 0), (0, 1)])
    assert len(bank.blocks[0, 1]) == 0
    assert list(free_directions(layers, {"conv": bank}, 1)) == ["a.weight.k0p0->k0p0"]


@pytest.mark.parametrize("from_dim", [0, 3, 4])
def test_they_belong_to_a_lower_dimension(model, from_dim):
    with pytest.raises(ArgumentError, match=f"dimension converted from: got {from_dim}, expected 1 to 2"):
        free_directions(LAYERS, model.banks, from_dim)


def test_filters_of_no_recipe_have_no_lower_dimension():
    layers = (ConvLayer("a", "conv", (SCALAR,), (SCALAR,)),)
    bank = bank_from_arrays(2, {(0, 0): np.arange(9.0).reshape(1, 3, 3)})
    with pytest.raises(UnsupportedError, match="match no recipe"):
        free_directions(layers, {"conv": bank}, 1)


# --- the projection -------------------------------------------------------------------------------------------------


def test_the_projection_keeps_what_is_free_and_undoes_the_rest(model):
    along, across = model.moved(), model.moved(along_free=False)
    for name, array in project_onto_free(model.arrays, along, model.free).items():
        np.testing.assert_allclose(array, along[name], atol=1e-12)
    for name, array in project_onto_free(model.arrays, across, model.free).items():
        np.testing.assert_allclose(array, model.arrays[name], atol=1e-12)


def test_projecting_twice_is_projecting_once(model):
    rng = np.random.default_rng(2)
    anything = {name: array + rng.standard_normal(array.shape) for name, array in model.arrays.items()}
    once = project_onto_free(model.arrays, anything, model.free)
    twice = project_onto_free(model.arrays, once, model.free)
    for name in once:
        np.testing.assert_allclose(twice[name], once[name], atol=1e-12)
    assert max(model.lift_errors(once)) < 1e-12 < 1e-3 < max(model.lift_errors(anything))
    # The nearest point: what was taken away is at right angles to what stayed.
    for name, basis in model.free.items():
        np.testing.assert_allclose((anything[name] - once[name]) @ basis, 0, atol=1e-12)


def test_other_arrays_are_those_from_before(model):
    changed = model.moved() | {"norm.scale": np.zeros(3)}
    projected = project_onto_free(model.arrays, changed, model.free)
    np.testing.assert_array_equal(projected["norm.scale"], 1.0)
    assert list(projected) == sorted(model.arrays)


def test_the_projection_keeps_the_precision():
    model = Converted(dtype=np.float32)
    projected = project_onto_free(model.arrays, model.moved(along_free=False), model.free)
    assert {a.dtype for a in projected.values()} == {np.dtype(np.float32)}
    for name, array in projected.items():
        np.testing.assert_allclose(array, model.arrays[name], atol=1e-6)


# --- the certificate afterwards -------------------------------------------------------------------------------------


def test_nothing_changed_gives_the_same_certificate(model):
    assert model.recertify(model.arrays) == model.certificate


@pytest.mark.parametrize("along_free", [True, False])
@pytest.mark.parametrize("dims", [(1, 2), (2, 3), (1, 3)], ids="{0[0]}->{0[1]}".format)
def test_its_numbers_equal_a_recomputation(dims, along_free):
    model = Converted(dims)
    arrays = model.moved(0.3, along_free)
    certificate = model.recertify(arrays)
    assert certificate.digest == array_digest(arrays) != model.certificate.digest
    assert certificate.exact == along_free
    stated = {(path.layer, path.path): path.residual for path in certificate.paths}
    for layer in LAYERS:
        for source, _, target, _ in layer.paths():
            name = layer.weight_name(source, target)
            found = residual(model.pair(layer, source, target), model.old[name], arrays[name]).total
            # The weights before conversion are not at hand, so "relative" is to what the conversion made of them.
            assert stated[layer.name, name.rpartition(".")[2]] == pytest.approx(found, rel=1e-6, abs=1e-12)
    assert replace(certificate, paths=(), digest="") == replace(model.certificate, paths=(), digest="")


def test_what_the_conversion_left_over_stays():
    """Transposed convolutions of vectors out of two dimensions are not exact, before and after."""
    layers = (ConvLayer("up", "conv", (VECTOR,), (VECTOR,), input_dilation=2),)
    model = Converted(layers=layers, recipe=FULL2)
    before = model.certificate.residual
    assert before > 0.1
    assert model.recertify(model.moved()).residual == pytest.approx(before)
    assert model.recertify(model.moved(along_free=False)).residual > before + 1e-3
