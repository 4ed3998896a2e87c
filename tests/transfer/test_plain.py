"""Inflated kernels of plain networks, against convolutions carried out tap by tap."""

import itertools
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from dense_convolutions import convolve as dense
from transfer.by_hand import convolve, lift

from ginjax.errors import ArgumentError
from ginjax.transfer import PLAIN_RULES, PlainLayer, array_digest, inflate_weights, plain_condition_residual
from ginjax.transfer._plain_check import plain_residual

SCALAR, VECTOR = (0, 0, 2), (1, 0, 1)
HIDDEN = ((0, 0, 3),)


def a_layer(name="conv", inputs=HIDDEN, outputs=HIDDEN, transposed=False, zero_padded=False) -> PlainLayer:
    return PlainLayer(name, inputs, outputs, transposed, zero_padded)


def channels(signature, D: int) -> int:
    return sum(c * D**k for k, _, c in signature)


def arrays_of(layer: PlainLayer, D: int, side: int = 3, bias: bool = True, dtype=np.float64) -> dict:
    rng = np.random.default_rng(0)
    rows, columns = channels(layer.outputs, D), channels(layer.inputs, D)
    arrays = {f"{layer.name}.weight": rng.standard_normal((rows, columns, *(side,) * D)).astype(dtype)}
    if bias:
        arrays[f"{layer.name}.bias"] = rng.standard_normal((rows, *(1,) * D)).astype(dtype)
    return arrays


def inflate(arrays, layers, D: int, D_new: int, rule):
    return inflate_weights(arrays, layers, D, D_new, rule)


def apply(arrays, layer: PlainLayer, x: np.ndarray, D: int) -> np.ndarray:
    """A plain convolution on a torus: `x` is `(*spatial, channels)`."""
    kernel = np.moveaxis(arrays[f"{layer.name}.weight"], (0, 1), (-1, -2))
    y = convolve(x, kernel, D, 1)
    bias = arrays.get(f"{layer.name}.bias")
    return y if bias is None else y + bias.reshape(-1)


def embedded(x: np.ndarray, signature, D: int, D_new: int, side: int = 4) -> np.ndarray:
    """`E x` of a field whose components are channels, block by block."""
    parts, start = [], 0
    for k, _, c in signature:
        for _ in range(c):
            one = x[..., start : start + D**k].reshape(*x.shape[:D], *(D,) * k)
            lifted = lift(one, D, D_new, k, side)
            parts.append(lifted.reshape(*lifted.shape[:D_new], D_new**k))
            start += D**k
    return np.concatenate(parts, axis=-1)


ENDS = {
    "scalars": (SCALAR,),
    "vectors": ((1, 0, 2),),
    "both": (SCALAR, VECTOR),
    "tensor": ((0, 0, 1), (2, 0, 1)),
}


@pytest.mark.parametrize("rule", PLAIN_RULES)
@pytest.mark.parametrize("dims", [(1, 2), (2, 3), (1, 3)], ids="{0[0]}->{0[1]}".format)
@pytest.mark.parametrize("fields", ENDS)
def test_an_inflated_convolution_commutes_with_the_embedding(fields, dims, rule):
    D, D_new = dims
    for inputs, outputs in ((ENDS[fields], HIDDEN), (HIDDEN, ENDS[fields]), (ENDS[fields], ENDS[fields])):
        layer = a_layer(inputs=inputs, outputs=outputs)
        arrays = arrays_of(layer, D)
        new, certificate = inflate(arrays, [layer], D, D_new, rule)
        x = np.random.default_rng(1).standard_normal((*range(5, 5 + D), channels(inputs, D)))
        wanted = embedded(apply(arrays, layer, x, D), outputs, D, D_new)
        got = apply(new, layer, embedded(x, inputs, D, D_new), D_new)
        np.testing.assert_allclose(got, wanted, atol=1e-12)
        assert certificate.exact and certificate.residual < 1e-14
        # The control: one tap off the central slice, which no rule leaves unbalanced.
        new["conv.weight"][(0, 0, *(0,) * D_new)] += 0.1
        assert np.abs(apply(new, layer, embedded(x, inputs, D, D_new), D_new) - wanted).max() > 1e-3


def test_where_the_values_go():
    layer = a_layer(inputs=((0, 0, 1),), outputs=((1, 0, 1),))
    arrays = {"conv.weight": np.array([[[1.0, 2.0, 4.0]]]), "conv.bias": np.array([[5.0]])}
    centre, _ = inflate(arrays, [layer], 1, 2, "centre")
    zeros = np.zeros((3, 3))
    np.testing.assert_array_equal(centre["conv.weight"], [[[[0, 1, 0], [0, 2, 0], [0, 4, 0]]], [zeros]])
    np.testing.assert_array_equal(centre["conv.bias"], [[[5.0]], [[0.0]]])
    mean, _ = inflate(arrays, [layer], 1, 2, "mean")
    np.testing.assert_allclose(mean["conv.weight"][0, 0], np.outer([1, 2, 4], [1, 1, 1]) / 3)
    assert not mean["conv.weight"][1].any()


def test_even_sides_have_no_middle_and_take_the_lower_one():
    layer = a_layer(inputs=((0, 0, 1),), outputs=((0, 0, 1),))
    new, _ = inflate({"conv.weight": np.ones((1, 1, 4))}, [layer], 1, 2, "centre")
    np.testing.assert_array_equal(new["conv.weight"][0, 0, 0], [0, 1, 0, 0])


@pytest.mark.parametrize("rule", PLAIN_RULES)
def test_a_transposed_kernel_is_repeated(rule):
    """Of stride equal to its side an output pixel meets one tap along the new axis."""
    layer = a_layer(inputs=((0, 0, 1),), outputs=((0, 0, 1),), transposed=True, zero_padded=True)
    kernel = np.array([[[1.0, 2.0]]])
    new, certificate = inflate({"conv.weight": kernel}, [layer], 1, 2, rule)
    np.testing.assert_array_equal(new["conv.weight"], [[[[1, 1], [2, 2]]]])
    assert certificate.exact
    spread = np.kron(np.array([3.0, 5.0]), kernel[0, 0])  # what a transposed convolution does
    high = np.kron(np.array([[3.0, 3.0], [5.0, 5.0]]), new["conv.weight"][0, 0])
    np.testing.assert_array_equal(high, np.repeat(spread[:, None], 4, axis=1))


@pytest.mark.parametrize(("side", "lost"), [(1, 0.0), (3, 1 / 3), (5, 2 / 5), (4, 2 / 4)])
def test_zeros_beyond_the_new_axes_take_part_of_a_spread_kernel(side, lost):
    layer = a_layer(zero_padded=True)
    arrays = arrays_of(layer, 1, side)
    _, spread = inflate(arrays, [layer], 1, 2, "mean")
    assert spread.residual == pytest.approx(lost) and spread.promises == (side == 1)
    assert spread.exact == (side == 1)
    assert ("padded with zeros" in spread.paths[0].note) == (side > 1)
    # Nothing is beyond the central slice, so its certificate is clean.
    _, centre = inflate(arrays, [layer], 1, 2, "centre")
    assert centre.exact and centre.promises and centre.paths[0].note == ""


def test_what_is_lost_along_two_new_axes():
    layer = a_layer(zero_padded=True)
    _, certificate = inflate(arrays_of(layer, 1, 3), [layer], 1, 3, "mean")
    assert certificate.residual == pytest.approx(1 - (2 / 3) ** 2)  # in a corner two thirds remain, twice
    (path,) = certificate.paths
    assert (path.before, path.after) == (3, 27)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("name", ["conv.weight", "conv.bias"])
def test_the_certificate_is_measured_on_the_arrays(name, transposed):
    layer = a_layer(outputs=ENDS["both"], transposed=transposed)
    arrays = arrays_of(layer, 2, 2)
    new, certificate = inflate(arrays, [layer], 2, 3, "mean")
    assert certificate.residual < 1e-14
    new[name] = new[name] + 0.0
    new[name][1] += 0.25  # an old component; the last channel is a new one
    moved = plain_residual(layer, arrays, new, (2, 3))
    assert moved.old > 0.01 and moved.new < 1e-14
    new[name][-1] += 0.25
    assert plain_residual(layer, arrays, new, (2, 3)).new > 0.01
    assert plain_condition_residual((arrays, 2), (new, 3), [layer]) > 0.01


@pytest.mark.parametrize("rule", PLAIN_RULES)
def test_two_steps_are_one(rule):
    layer = a_layer(inputs=ENDS["both"], outputs=ENDS["tensor"])
    arrays = arrays_of(layer, 1)
    direct, _ = inflate(arrays, [layer], 1, 3, rule)
    half, _ = inflate(arrays, [layer], 1, 2, rule)
    stepwise, _ = inflate(half, [layer], 2, 3, rule)
    for name in arrays:
        np.testing.assert_allclose(stepwise[name], direct[name], atol=1e-15)


def test_what_belongs_to_no_layer_is_passed_on_and_dtypes_stay():
    layer = a_layer()
    arrays = arrays_of(layer, 2, dtype=np.float32) | {"norm.scale": np.arange(3.0, dtype=np.float32)}
    new, certificate = inflate(arrays, [layer], 2, 3, "mean")
    assert list(new) == ["conv.bias", "conv.weight", "norm.scale"]
    np.testing.assert_array_equal(new["norm.scale"], arrays["norm.scale"])
    assert {a.dtype for a in new.values()} == {np.dtype(np.float32)}
    assert all(a.flags.c_contiguous for a in new.values())
    assert (certificate.from_dim, certificate.to_dim, certificate.tolerance) == (2, 3, 1e-5)
    assert certificate.digest == array_digest(new) and not certificate.parity_lift
    assert arrays["conv.weight"].shape == (3, 3, 3, 3)


def test_a_layer_without_bias():
    layer = a_layer()
    new, _ = inflate(arrays_of(layer, 1, bias=False), [layer], 1, 2, "centre")
    assert list(new) == ["conv.weight"]


@pytest.mark.parametrize(
    ("dims", "rule", "message"),
    [
        ((2, 2), "mean", "dimension to convert to: got 2, expected more than 2"),
        ((2, 1), "centre", "dimension to convert to: got 1, expected more than 2"),
        ((1, 2), "volume", "rule for a plain network: got 'volume', which is for invariant filters"),
    ],
)
def test_what_makes_no_sense(dims, rule, message):
    layer = a_layer()
    with pytest.raises(ArgumentError, match=message):
        inflate(arrays_of(layer, dims[0]), [layer], *dims, rule)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda kernel: kernel, r"float64 of shape \(3, 3, 3\), expected float64 of shape \(3, 3, 3, 3\)"),
        (lambda kernel: np.stack([kernel] * 3, -1).astype("f4"), "float32 of shape"),
    ],
)
def test_a_rule_that_makes_another_kernel_is_named(make, problem):
    rule = SimpleNamespace(name="own", promises_compatibility=True, spreads=False, along_new_axis=make)
    with pytest.raises(ArgumentError, match=f"what rule 'own' makes of a kernel .*: got {problem}"):
        inflate(arrays_of(a_layer(), 1), [a_layer()], 1, 2, rule)


def test_a_rule_that_promises_nothing_is_believed():
    rule = SimpleNamespace(
        name="own",
        promises_compatibility=False,
        spreads=False,
        along_new_axis=lambda k: np.stack([k] * 3, -1),
    )
    _, certificate = inflate(arrays_of(a_layer(), 1), [a_layer()], 1, 2, rule)
    assert not certificate.promises and not certificate.exact and certificate.rule == "own"


@pytest.mark.parametrize("shape", [(3, 3), (3, 2, 3), (2, 3, 3), (3, 3, 3, 3)])
def test_kernels_that_do_not_fit_their_layer_are_refused(shape):
    with pytest.raises(ArgumentError, match=r"array 'conv.weight': got .*, expected \(3, 3, \.\.\.\)"):
        inflate({"conv.weight": np.zeros(shape)}, [a_layer()], 1, 2, "mean")


def test_a_missing_kernel_is_named():
    with pytest.raises(ArgumentError, match=r"array 'conv\.weight': got nothing"):
        inflate({}, [a_layer()], 1, 2, "mean")


# --- the table in a file --------------------------------------------------------------------------------------------


def test_a_row_survives_json():
    for transposed, zero_padded in itertools.product((True, False), repeat=2):
        layer = a_layer(inputs=ENDS["both"], transposed=transposed, zero_padded=zero_padded)
        assert PlainLayer.from_json(json.loads(json.dumps(layer.to_json()))) == layer


def test_a_row_without_a_level_is_read_and_equal():
    deep = replace(a_layer(), level=3)
    assert PlainLayer.from_json(deep.to_json()).level == 3
    row = deep.to_json()
    del row["level"]
    assert PlainLayer.from_json(row).level == 0 and PlainLayer.from_json(row) == deep


@pytest.mark.parametrize(
    "change",
    [
        {"name": 3},
        {"zero_padded": 1},
        {"transposed": "no"},
        {"inputs": "all"},
        {"inputs": [[0, 0]]},
        {"outputs": [[0, 0, 0]]},
        {"outputs": [[0, 2, 1]]},
        {"inputs": [[0, 0, 1], [0, 0, 1]]},
        {"surplus": 1},
        {"level": -1},
        {"level": True},
    ],
    ids=str,
)
def test_a_row_that_is_wrong_is_refused(change):
    with pytest.raises(ArgumentError):
        PlainLayer.from_json(a_layer().to_json() | change)


@pytest.mark.parametrize("row", [None, [], "conv", {}])
def test_what_is_no_row_is_refused(row):
    with pytest.raises(ArgumentError, match="table of plain layers"):
        PlainLayer.from_json(row)


# --- strides ----------------------------------------------------------------------------------------------------------

STRIDED = {
    "same": {},
    "padding 1": {"padding": (1, 1)},
    "dilated": {"dilation": 2, "padding": (2, 2), "stride": 1},
}


@pytest.mark.parametrize("name", STRIDED)
def test_strided_kernels_go_by_their_taps(name):
    layer = replace(a_layer(zero_padded=True), **{"stride": 2, **STRIDED[name]})
    old = arrays_of(layer, 1)
    rng = np.random.default_rng(3)
    x = rng.normal(size=(3, 6))
    options = {"stride": layer.stride, "dilation": layer.dilation}
    options["padding"] = "same" if layer.padding is None else layer.padding[0]
    wanted = dense(x, old["conv.weight"], **options)[..., None]
    for rule in ("tile", "centre", "mean"):
        new, certificate = inflate(old, [layer], 1, 2, rule)
        got = dense(np.repeat(x[..., None], 6, -1), new["conv.weight"], **options)
        exact = np.abs(got - wanted).max() <= 1e-12
        assert exact == certificate.exact == certificate.promises == (rule != "mean")
    tile, centre = (inflate(old, [layer], 1, 2, rule)[0]["conv.weight"] for rule in ("tile", "centre"))
    assert np.array_equal(tile, centre) == (layer.stride == 1)
    if layer.stride == 2:
        assert "divides the grid" in inflate(old, [layer], 1, 2, "tile")[1].paths[0].note


def test_a_layer_with_a_stride_as_json():
    layer = replace(a_layer(), stride=2, padding=(1, 0))
    assert PlainLayer.from_json(json.loads(json.dumps(layer.to_json()))) == layer
    assert set(a_layer().to_json()) == {"name", "inputs", "outputs", "transposed", "zero_padded", "level"}
    for wrong in ({"stride": 0}, {"stride": True}, {"padding": [1]}, {"padding": [0, -1]}, {"dilation": 2.0}):
        with pytest.raises(ArgumentError):
            PlainLayer.from_json(layer.to_json() | wrong)
