"""Networks of other libraries in another dimension, run by an independent convolution."""

from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest
from dense_convolutions import repeated
from other_networks import PATTERNS, modules, parameters, run, write

from ginjax.checkpoint import check_certificate
from ginjax.errors import ArgumentError, UnsupportedError, VerificationError
from ginjax.state_dict import (
    Description,
    Module,
    StateDict,
    convert_state_dict,
    read_record,
    read_state_dict,
    recheck_state_dict,
    write_state_dict,
)

DESCRIBED = Description(**PATTERNS)


def state(arrays=None, metadata=None):
    return StateDict(
        parameters() if arrays is None else arrays, metadata or {"format": "pt"}, "net.safetensors"
    )


def lift_error(low, high, depths, place=1, grid=(4, 6)):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(2, *grid))
    wanted = run(low, x)
    volume = repeated(x, depths, place)
    got = run(high, volume)
    gap = np.abs(got - repeated(wanted, depths, place)).max() / np.abs(wanted).max()
    noise = rng.normal(size=volume.shape)
    one = noise
    for _ in depths:
        one = one.take(0, axis=place)
    apart = np.abs(run(high, noise) - repeated(run(low, one), depths, place)).max()
    return gap, apart / np.abs(wanted).max()


@pytest.mark.parametrize("rule", ["tile", "centre"])
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_repeated_slice_gives_the_old_network_and_noise_does_not(rule, place):
    described = Description(modules=modules(), new_axis=place)
    found = convert_state_dict(state(), 3, rule, described)
    assert found.certificate.exact and found.certificate.promises
    gap, noise = lift_error(state().arrays, found.after.arrays, (4,), 1 if place == "first" else 3)
    assert gap <= 1e-6
    assert noise > 0.05


def test_the_mean_is_wrong_beside_zeros_and_promises_nothing():
    found = convert_state_dict(state(), 3, "mean", DESCRIBED)
    assert not found.certificate.promises and not found.certificate.exact
    assert lift_error(state().arrays, found.after.arrays, (4,))[0] > 1e-2
    assert "zeros" in found.certificate.inexact_paths[0].note
    check_certificate(found.certificate)  # no promise, no refusal
    kept = {name: a for name, a in parameters().items() if not name.startswith(("up", "head"))}
    repeating = Description(transposed=[], stride=["down.weight:2"], padding=["*:1:repeats"])
    assert convert_state_dict(state(kept), 3, "mean", repeating).certificate.exact


def test_from_one_dimension_to_three_at_once_and_back():
    low = state(parameters(1))
    up = convert_state_dict(low, 3, "tile", DESCRIBED)
    assert lift_error(low.arrays, up.after.arrays, (4, 2), grid=(6,))[0] <= 1e-6
    steps = convert_state_dict(convert_state_dict(low, 2, "tile", DESCRIBED).after, 3, "tile", DESCRIBED)
    for name, array in up.after.arrays.items():
        np.testing.assert_array_equal(array, steps.after.arrays[name])
    back = convert_state_dict(up.after, 1, "tile", DESCRIBED)
    assert back.certificate.exact and back.certificate.promises
    for name, array in low.arrays.items():
        np.testing.assert_array_equal(back.after.arrays[name], array)
    changed = {**back.after.arrays, "down.weight": back.after.arrays["down.weight"] + 1}
    assert not recheck_state_dict(up.after, StateDict(changed, back.after.metadata, "x")).holds


def test_going_down_from_a_network_that_was_never_lower_is_measured():
    found = convert_state_dict(state(parameters(3)), 2, "tile", DESCRIBED)
    assert found.after.arrays["down.weight"].shape == (4, 3, 3, 3)
    np.testing.assert_allclose(
        found.after.arrays["down.weight"], parameters(3)["down.weight"].sum(axis=2), rtol=1e-5, atol=1e-6
    )
    assert not found.certificate.promises and found.certificate.residual > 0.1


def test_what_is_no_kernel_stays_bit_for_bit():
    found = convert_state_dict(state(), 3, "tile", DESCRIBED)
    for name, array in parameters().items():
        if not name.endswith("weight") or name == "norm.weight":
            assert found.after.arrays[name].tobytes() == array.tobytes()
            assert found.after.arrays[name].shape == array.shape
    assert found.after.arrays["norm.num_batches_tracked"].dtype == np.int64
    assert found.after.metadata["format"] == "pt"


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn])
def test_narrow_types_are_kept_and_halves_are_exact(dtype):
    found = convert_state_dict(state(parameters(dtype=dtype)), 3, "tile", DESCRIBED)
    assert found.after.arrays["down.weight"].dtype == dtype
    assert found.certificate.exact and found.certificate.residual <= (
        0 if dtype is ml_dtypes.bfloat16 else 1e-3
    )


@pytest.mark.parametrize("said", [{"keep": ["*"]}, {"drop": ["*"]}])
def test_no_certificate_is_given_about_nothing(said):
    with pytest.raises(ArgumentError, match="kernels to convert: got none"):
        convert_state_dict(
            state({"a.weight": np.ones((2, 1, 3, 3), np.float32)}), 3, "tile", Description(**said)
        )


def test_complex_kernels():
    rng = np.random.default_rng(0)
    kernel = (rng.normal(size=(2, 2, 3, 3)) + 1j * rng.normal(size=(2, 2, 3, 3))).astype(np.complex64)
    found = convert_state_dict(
        state({"a.weight": kernel}), 3, "tile", Description(transposed=[], stride=["a.*:2"])
    )
    assert found.certificate.exact
    np.testing.assert_array_equal(found.after.arrays["a.weight"].sum(axis=2), kernel)
    changed = {"a.weight": found.after.arrays["a.weight"] + np.complex64(0.1j)}
    checked = recheck_state_dict(state({"a.weight": kernel}), StateDict(changed, found.after.metadata, "x"))
    assert not checked.holds


def test_a_transposed_kernel_that_makes_a_slice_too_many_is_refused():
    arrays = {**parameters(), "up.weight": np.ones((4, 3, 3, 3), np.float32)}
    arrays["up.weight"] += np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32)
    found = convert_state_dict(
        state(arrays), 3, "tile", Description(transposed=["up.weight:2:0:0"], stride=["down.weight:2"])
    )
    with pytest.raises(VerificationError, match=r"up\.weight"):
        check_certificate(found.certificate)
    assert convert_state_dict(
        state(arrays), 3, "tile", Description(transposed=["up.weight:2"], stride=["down.weight:2"])
    ).certificate.exact


# --- kernels that are divided by a norm -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1")],
)
@pytest.mark.parametrize(("rule", "stride"), [("tile", 2), ("centre", 2), ("mean", 1)])
def test_weight_norm(names, rule, stride):
    rng = np.random.default_rng(0)
    size, direction = rng.uniform(1, 2, (4, 1, 1, 1)), rng.normal(size=(4, 3, 3, 3))
    arrays = {f"a.{names[0]}": size.astype(np.float32), f"a.{names[1]}": direction.astype(np.float32)}
    said = Description(
        transposed=[],
        stride=["a.*:2"] if stride == 2 else [],
        padding=["a.*:1:repeats"] if rule == "mean" else [],
    )
    found = convert_state_dict(state(arrays), 3, rule, said)
    new = found.after.arrays
    assert new[f"a.{names[0]}"].shape == (4, 1, 1, 1, 1)
    old = size * direction / np.sqrt((direction**2).sum(axis=(1, 2, 3), keepdims=True))
    v = new[f"a.{names[1]}"].astype(float)
    used = new[f"a.{names[0]}"] * v / np.sqrt((v**2).sum(axis=(1, 2, 3, 4), keepdims=True))
    np.testing.assert_allclose(used.sum(axis=2), old, rtol=1e-5, atol=1e-6)
    assert found.certificate.exact
    back = convert_state_dict(found.after, 2, rule, said).after.arrays
    v = back[f"a.{names[1]}"].astype(float)
    again = back[f"a.{names[0]}"] * v / np.sqrt((v**2).sum(axis=(1, 2, 3), keepdims=True))
    np.testing.assert_allclose(again, old, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "names",
    [
        ("weight_orig", "weight_u", "weight_v"),
        ("parametrizations.weight.original", "parametrizations.weight.0._u", "parametrizations.weight.0._v"),
    ],
)
def test_spectral_norm_is_kept_in_one_slice_and_never_spread(names):
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(4, 3, 3, 3))
    u, sizes, v = np.linalg.svd(kernel.reshape(4, -1), full_matrices=False)
    values = (kernel, u[:, 0], v[0])
    arrays = {f"a.{name}": value.astype(np.float32) for name, value in zip(names, values, strict=True)}
    strided = Description(transposed=[], stride=["a.*:2"])
    found = convert_state_dict(state(arrays), 3, "centre", strided)
    new = {name: found.after.arrays[f"a.{name}"].astype(float) for name in names}
    sigma = new[names[1]] @ new[names[0]].reshape(4, -1) @ new[names[2]]
    assert sigma == pytest.approx(sizes[0], rel=1e-5)
    top = np.linalg.svd(new[names[0]].reshape(4, -1), compute_uv=False)[0]
    assert sigma == pytest.approx(top, rel=1e-5)  # the next estimate stays what it is
    assert found.certificate.exact
    for rule in ("tile", "mean"):
        with pytest.raises(ArgumentError, match="spectral norm") as caught:
            convert_state_dict(state(arrays), 3, rule, strided)
        assert "'centre'" in caught.value.hint


def test_spectral_norm_of_a_transposed_convolution_goes_by_its_second_axis():
    rng = np.random.default_rng(1)
    kernel = rng.normal(size=(4, 4, 3, 3))
    matrix = np.moveaxis(kernel, 1, 0).reshape(4, -1)
    u, sizes, v = np.linalg.svd(matrix, full_matrices=False)
    arrays = {"a.weight_orig": kernel, "a.weight_u": u[:, 0], "a.weight_v": v[0]}
    found = convert_state_dict(state(arrays), 3, "tile", Description(transposed=["a.*:1:1:0"], stride=[]))
    new = found.after.arrays
    sigma = new["a.weight_u"] @ np.moveaxis(new["a.weight_orig"], 1, 0).reshape(4, -1) @ new["a.weight_v"]
    assert sigma == pytest.approx(sizes[0])
    assert found.certificate.exact


# --- one layer under two names ----------------------------------------------------------------------------------------


def test_aliases_have_to_be_described_alike():
    twice = parameters() | {"again.weight": parameters()["down.weight"]}
    with pytest.raises(
        ArgumentError, match=r"'down\.weight' and 'again\.weight', which hold the same numbers"
    ):
        convert_state_dict(state(twice), 3, "tile", DESCRIBED)
    both = Description(transposed=["up.weight:2"], stride=["down.weight:2", "again.weight:2"])
    found = convert_state_dict(state(twice), 3, "tile", both).after.arrays
    np.testing.assert_array_equal(found["again.weight"], found["down.weight"])
    zeros = {name: np.zeros((3, 3, 3, 3), np.float32) for name in ("a.weight", "b.weight")}
    convert_state_dict(state(zeros), 3, "tile", Description(transposed=[], stride=["b.*:2"]))


# --- the certificate, again -------------------------------------------------------------------------------------------


def test_a_certificate_is_made_again_from_two_files(tmp_path):
    source = read_state_dict(write(tmp_path / "net.safetensors"))
    found = convert_state_dict(source, 3, "tile", DESCRIBED)
    write_state_dict(tmp_path / "out.safetensors", found.after)
    again = read_state_dict(tmp_path / "out.safetensors")
    checked = recheck_state_dict(source, again)
    assert checked.holds and not checked.stale and checked.changed == ()
    assert checked.certificate.residual == found.certificate.residual
    trained = StateDict(
        {
            **again.arrays,
            "down.weight": again.arrays["down.weight"] * 1.01,
            "norm.bias": again.arrays["norm.bias"] + 1,
        },
        again.metadata,
        again.path,
    )
    checked = recheck_state_dict(source, trained)
    assert not checked.holds and checked.stale and checked.changed == ("norm.bias",)
    assert [path.layer for path in checked.certificate.inexact_paths] == ["down.weight"]


def test_equal_conversions_are_equal_files(tmp_path):
    source = read_state_dict(write(tmp_path / "net.safetensors"))
    for name in ("a", "b"):
        write_state_dict(tmp_path / name, convert_state_dict(source, 3, "tile", DESCRIBED).after)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# --- kernels of Flax and Keras ----------------------------------------------------------------------------------------


def test_kernels_of_flax_have_their_axes_in_front():
    rng = np.random.default_rng(0)
    arrays = {
        "Conv_0.kernel": rng.normal(size=(3, 3, 2, 4)).astype(np.float32),
        "Conv_0.bias": np.zeros(4, np.float32),
        "Dense_0.kernel": rng.normal(size=(4, 2)).astype(np.float32),
    }
    said = Description(layout="flax", transposed=[], stride=["Conv_0.kernel:2"])
    found = convert_state_dict(state(arrays), 3, "tile", said)
    new = found.after.arrays["Conv_0.kernel"]
    assert new.shape == (3, 3, 3, 2, 4)
    # Of an even depth "SAME" pads the end alone: the first two taps meet the field everywhere.
    np.testing.assert_array_equal(
        new, np.multiply.outer([0.5, 0.5, 0], arrays["Conv_0.kernel"]).astype(np.float32)
    )
    assert found.after.arrays["Dense_0.kernel"].shape == (4, 2)
    with pytest.raises(ArgumentError, match="no convolution kernels"):
        convert_state_dict(state(arrays), 3, "tile", Description(transposed=[], stride=[]))


@pytest.mark.parametrize(("side", "stride"), [(2, 2), (3, 2), (4, 2), (5, 3), (3, 4)])
def test_transposed_kernels_of_flax_run_backwards(side, stride):
    from jax.lax import conv_transpose  # what Flax calls

    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(side, 2, 3)).astype(np.float32)
    x = rng.normal(size=(1, 4, 2)).astype(np.float32)
    found = convert_state_dict(
        state({"up.kernel": kernel}),
        2,
        "tile",
        Description(layout="flax", transposed=[f"up*:{stride}"], stride=[]),
    )
    new = found.after.arrays["up.kernel"]
    low = conv_transpose(x, kernel, (stride,), "SAME", dimension_numbers=("NHC", "HIO", "NHC"))
    high = conv_transpose(
        np.repeat(x[:, None], 5, 1), new, (stride,) * 2, "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    if side < stride:  # some points meet no tap
        assert not found.certificate.exact
        return
    assert found.certificate.exact
    np.testing.assert_allclose(high, np.repeat(low[:, None], 5 * stride, 1), rtol=1e-5, atol=1e-5)


# --- what a description says ------------------------------------------------------------------------------------------


def test_modules_and_patterns_say_the_same():
    by_modules = convert_state_dict(state(), 3, "tile", Description(modules=modules()))
    by_higher = convert_state_dict(state(), 3, "tile", Description(modules=modules(3)))
    by_patterns = convert_state_dict(state(), 3, "tile", DESCRIBED)
    for name, array in by_modules.after.arrays.items():
        np.testing.assert_array_equal(array, by_patterns.after.arrays[name])
        np.testing.assert_array_equal(array, by_higher.after.arrays[name])
    assumed = {row.name: row.assumed for row in by_higher.plan.rows if row.assumed}
    assert assumed == {}
    assert {row.assumed for row in by_modules.plan.rows if row.action == "kernel"} == {
        ("new axis like the others",),
        (),
    }


def test_strides_that_differ_need_the_network_of_the_higher_dimension():
    uneven = [Module("a", ("Conv2d",), {"kernel_size": [3, 3], "stride": [2, 1], "padding": [1, 1]})]
    arrays = {"a.weight": np.random.default_rng(0).normal(size=(2, 2, 3, 3))}
    with pytest.raises(ArgumentError, match="stride of 'a' along the new axis"):
        convert_state_dict(state(arrays), 3, "tile", Description(modules=uneven))
    higher = [Module("a", ("Conv3d",), {"kernel_size": [1, 3, 3], "stride": [1, 2, 1], "padding": [0, 1, 1]})]
    found = convert_state_dict(state(arrays), 3, "tile", Description(modules=higher))
    assert found.after.arrays["a.weight"].shape == (2, 2, 1, 3, 3)


def test_what_stands_before_all_names_is_taken_away():
    wrapped = {f"module.{name}": array for name, array in parameters().items()}
    found = convert_state_dict(state(wrapped), 3, "tile", Description(modules=modules()))
    assert set(found.after.arrays) == set(wrapped)
    assert any("'module.'" in note for note in found.plan.notes)


def test_an_example_gives_names_depths_and_what_is_missing():
    like = parameters(3, seed=1)
    like["stem.weight"] = like["stem.weight"][:, :, :1]
    like["new_head.weight"] = np.ones((5, 3), np.float32)
    wrapped = {f"model.{name}": array for name, array in parameters().items()} | {
        "model.old_head.weight": np.ones((4, 3), np.float32)
    }
    said = Description(transposed=["*up.weight:2"], stride=["*down.weight:2"], drop=["model.old_head.*"])
    found = convert_state_dict(state(wrapped), 3, "tile", said, like=state(like))
    assert {name: a.shape for name, a in found.after.arrays.items()} == {
        name: a.shape for name, a in like.items()
    }
    by_name = {row.name: row for row in found.plan.rows}
    assert by_name["new_head.weight"].action == "from like"
    assert recheck_state_dict(state(wrapped), found.after).holds
    with pytest.raises(UnsupportedError, match=r"old_head.*not in the example"):
        convert_state_dict(
            state(wrapped),
            3,
            "tile",
            Description(transposed=["*up.weight:2"], stride=["*down.weight:2"]),
            like=state(like),
        )
    other = {**like, "down.weight": like["down.weight"][:2]}
    with pytest.raises(UnsupportedError, match=r"down\.weight.*the example has 2x3x3x3x3"):
        convert_state_dict(state(), 3, "tile", DESCRIBED, like=state(other))


def test_an_example_with_its_new_axis_last():
    like = parameters(3)
    like["stem.weight"] = like["stem.weight"][..., :1]
    found = convert_state_dict(state(), 3, "tile", DESCRIBED, like=state(like))
    assert found.plan.where == "last" and found.certificate.exact
    assert found.after.arrays["stem.weight"].shape == (3, 2, 3, 3, 1)


def test_a_certificate_that_covers_less_than_everything_is_stale():
    found = convert_state_dict(state(), 3, "tile", DESCRIBED)
    record = read_record(found.after)
    assert not record.is_stale(found.after.arrays)
    less = replace(record, certificate=replace(record.certificate, covers="weights"))
    assert less.is_stale(found.after.arrays)
