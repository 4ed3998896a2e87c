"""What is done with each array, and what has to be said first."""

import numpy as np
import pytest
from other_networks import PATTERNS, modules, parameters

from ginjax.errors import ArgumentError, UnsupportedError
from ginjax.state_dict import Description, Module, StateDict, convert_state_dict, plan_state_dict
from ginjax.transfer import find_rule

TILE, CENTRE = (find_rule(name) for name in ("tile", "centre"))


def state(**more):
    return StateDict(parameters() | more, {}, "net.safetensors")


def plan(described=None, rule=TILE, to_dim=3, **more):
    return plan_state_dict(state(**more), to_dim, rule, described or Description(**PATTERNS))


def test_every_array_has_a_row():
    found = {row.name: row for row in plan().rows}
    assert {name: (row.action, row.after) for name, row in found.items()} == {
        "stem.weight": ("kernel", (3, 2, 3, 3, 3)),
        "stem.bias": ("as it is", (3,)),
        "norm.weight": ("as it is", (3,)),
        "norm.bias": ("as it is", (3,)),
        "norm.running_mean": ("as it is", (3,)),
        "norm.running_var": ("as it is", (3,)),
        "norm.num_batches_tracked": ("as it is", ()),
        "down.weight": ("kernel", (4, 3, 3, 3, 3)),
        "up.weight": ("kernel", (4, 3, 2, 2, 2)),
        "up.bias": ("as it is", (3,)),
        "head.weight": ("kernel", (2, 3, 1, 1, 1)),
    }
    assert found["stem.weight"].assumed == ("padding 1",)
    assert found["head.weight"].assumed == () and found["head.weight"].said_by == ""


def test_nothing_is_guessed():
    found = plan(Description())
    # The bias of the stem shows an ordinary convolution, that of the transposed one what it is; strides nobody knows.
    assert {row.name: row.problem for row in found.unclear} == {
        "stem.weight": "stride",
        "down.weight": "transposed or not, and its stride",
        "up.weight": "stride of a transposed convolution, as its bias shows",
    }
    with pytest.raises(ArgumentError, match=r"kernel 'stem\.weight' and 2 more") as caught:
        found.check()
    assert "`modules`" in caught.value.hint
    by_bias = plan(Description(), CENTRE)
    assert "stem.weight" not in {
        row.name for row in by_bias.unclear
    }  # which centre need not know the stride of


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ({"weight": (0, 2, 3, 3)}, "a kernel without entries"),
        ({"weight": (2, 0, 3, 3)}, "a kernel without entries"),
        ({"weight_v": (3, 2, 3, 3), "weight_g": (4, 1, 1, 1)}, r"weight norm has the shape \(4, 1, 1, 1\)"),
        ({"weight_v": (3, 2, 3, 3), "weight_g": (3, 1, 1, 1, 1)}, r"weight norm has the shape \(3, 1, 1, 1, 1\)"),
        ({"weight_orig": (3, 2, 3, 3), "weight_u": (2,), "weight_v": (27,)}, "spectral norm has vectors of 2 and 27"),
        ({"weight_orig": (3, 2, 3, 3), "weight_u": (3,), "weight_v": (9,)}, "spectral norm has vectors of 3 and 9"),
    ],
)  # fmt: skip
def test_arrays_of_a_kernel_that_do_not_fit_are_refused(shapes, words):
    arrays = {f"a.{name}": np.ones(shape, np.float32) for name, shape in shapes.items()}
    described = Description() if "entries" in words else Description(transposed=[], stride=["a.*:2"])
    for rule in (TILE, CENTRE):
        found = plan_state_dict(StateDict(arrays, {}, "x"), 3, rule, described)
        with pytest.raises(UnsupportedError, match=words):
            found.check()


@pytest.mark.parametrize("size", [(), (1,), (3,), (3, 1, 1, 1), (1, 1, 1, 1)])
def test_sizes_of_a_weight_norm_that_fit_are_taken(size):
    arrays = {"a.weight_v": np.ones((3, 2, 3, 3), np.float32), "a.weight_g": np.ones(size, np.float32)}
    described = Description(transposed=[], stride=["a.*:1"])
    assert convert_state_dict(StateDict(arrays, {}, "x"), 3, "centre", described).certificate.exact


def test_a_depthwise_transposed_layer_does_not_fool_the_bias():
    arrays = {"a.weight": np.ones((4, 1, 3, 3), np.float32), "a.bias": np.ones(4, np.float32)}
    found = plan_state_dict(StateDict(arrays, {}, "x"), 3, CENTRE)
    assert found.unclear[0].problem == "transposed or not, and its stride"


def test_a_pattern_against_the_bias_is_refused():
    with pytest.raises(
        ArgumentError, match=r"'up\.weight'.*an ordinary convolution.*expected a transposed one"
    ):
        plan(Description(transposed=[], stride=[]))
    with pytest.raises(
        ArgumentError, match=r"'stem\.weight'.*a transposed convolution.*expected an ordinary one"
    ):
        plan(Description(transposed=["*:2"], stride=[]))


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"stride": ["down.weight"]}, "expected PATTERN:VALUE"),
        ({"stride": ["down.weight:two"]}, "a whole number from 1"),
        ({"stride": ["down.weight:0"]}, "a whole number from 1"),
        ({"stride": ["down.weight:65"]}, "1 to 64"),
        ({"stride": ["dwon.weight:2"]}, "'dwon.weight:2', which fits no array"),
        ({"transposed": ["up*:2:0:0:0"]}, "expected PATTERN:VALUE"),
        ({"padding": ["*:1:wraps"]}, "'repeats'"),
        ({"keep": ["nothing"]}, "`keep`: got 'nothing'"),
        ({"drop": ["nothing"]}, "`drop`: got 'nothing'"),
        ({"layout": "caffe"}, "pytorch or flax or keras"),
        ({"from_dim": 1}, "`from_dim`: got 1, expected 2"),
        ({"stride": ["*.weight:2"], "transposed": ["up.weight:2"]}, "`transposed` and `stride`"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(said, problem):
    with pytest.raises(ArgumentError, match=problem.replace("[", r"\[")):
        plan(Description(**{**PATTERNS, **said}))


@pytest.mark.parametrize(
    ("name", "shape", "dtype"),
    [
        ("pos_embed", (1, 64, 8), np.float32),
        ("encoder.pos_embedding", (64, 8), np.float32),
        ("blocks.0.attn.relative_position_bias_table", (169, 4), np.float32),
        ("blocks.0.attn.rel_pos_h", (13, 8), np.float32),
        ("index", (49, 49), np.int64),
        ("mystery", (3, 4, 5), np.float32),
        ("norm2.weight", (8, 16, 16), np.float32),
        ("table", (4, 7, 7, 2), np.float32),
    ],
)
def test_what_has_no_meaning_is_named_and_kept_or_dropped_by_choice(name, shape, dtype):
    array = np.ones(shape, dtype)
    said = Description(**PATTERNS, from_dim=2)
    with pytest.raises(UnsupportedError, match=f"array '{name}'") as caught:
        plan(said, **{name: array}).check()
    assert "`keep`" in caught.value.hint and "`drop`" in caught.value.hint
    kept = plan(Description(**PATTERNS, from_dim=2, keep=[name]), **{name: array})
    kept.check()
    assert {row.name: row.action for row in kept.rows}[name] == "kept"
    dropped = plan(Description(**PATTERNS, from_dim=2, drop=[name]), **{name: array})
    assert {row.name: row.after for row in dropped.rows}[name] is None


def test_what_is_broadcast_over_space_gets_an_axis_more_and_loses_it_again():
    found = convert_state_dict(
        state(scale=np.ones((3, 1, 1), np.float32)), 3, "tile", Description(**PATTERNS)
    )
    assert found.after.arrays["scale"].shape == (3, 1, 1, 1)
    back = convert_state_dict(found.after, 2, "tile", Description(**PATTERNS))
    assert back.after.arrays["scale"].shape == (3, 1, 1)


def test_kernels_whose_sides_differ_need_their_depth():
    wide = {"a.weight": np.ones((2, 2, 1, 7), np.float32)}
    found = plan_state_dict(StateDict(wide, {}, "x"), 3, TILE, Description(transposed=[], stride=[]))
    assert found.unclear[0].problem == "depth of a kernel 1x7"


def test_convolutions_of_other_dimensions_stay_if_the_modules_show_them():
    eca = {"eca.weight": np.ones((1, 1, 3), np.float32)}
    with pytest.raises(ArgumentError, match="kernels of several: 1 of 1D, 4 of 2D"):
        plan(**eca)
    described = (*modules(), Module("eca", ("Conv1d",), {"kernel_size": [3], "stride": [1], "padding": [1]}))
    found = plan(Description(modules=described, from_dim=2), **eca)
    found.check()
    assert {row.name: row.action for row in found.rows}["eca.weight"] == "as it is"


def test_kernels_that_the_modules_do_not_have_are_named():
    with pytest.raises(ArgumentError, match=r"'other\.weight'.*none of the convolutions described"):
        plan(Description(modules=modules()), **{"other.weight": np.ones((2, 2, 3, 3), np.float32)}).check()


@pytest.mark.parametrize(
    ("kinds", "sides", "problem"),
    [
        (("Conv2d",), [5, 5], r"kernel_size of 'stem': got \[5, 5\], expected \[3, 3\]"),
        (("Conv3d",), [3, 3, 5], "kernel_size of 'stem'"),
        (("Conv2d",), 5, "kernel_size of 'stem'"),
        (
            ("ConvTranspose2d",),
            [3, 3],
            "class of 'stem': got ConvTranspose2d, expected an ordinary convolution",
        ),
    ],
)
def test_modules_of_another_network_are_refused(kinds, sides, problem):
    n = len(sides) if isinstance(sides, list) else 2
    wrong = Module("stem", kinds, {"kernel_size": sides, "stride": [1] * n, "padding": [1] * n})
    with pytest.raises(ArgumentError, match=problem):
        plan(Description(modules=(wrong, *modules()[1:])))


def test_layers_that_standardise_their_kernels_are_refused():
    rows = [
        Module(
            "a", ("ScaledStdConv2d", "Conv2d"), {"kernel_size": [3, 3], "stride": [1, 1], "padding": [1, 1]}
        )
    ]
    arrays = {"a.weight": np.ones((2, 2, 3, 3), np.float32)}
    found = plan_state_dict(StateDict(arrays, {}, "x"), 3, TILE, Description(modules=rows))
    with pytest.raises(UnsupportedError, match="standardises"):
        found.check()


def test_layers_without_weights_that_do_not_keep_a_constant_are_named():
    rows = [
        Module(
            "pool", ("AvgPool2d",), {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": True}
        ),
        Module(
            "fine", ("AvgPool2d",), {"kernel_size": 2, "stride": 2, "padding": 0, "count_include_pad": True}
        ),
        Module("max", ("MaxPool2d",), {"kernel_size": 3, "stride": 2, "padding": 1}),
        Module("up2", ("Upsample",), {"mode": "bicubic"}),
        Module("shuffle", ("PixelShuffle",), {"upscale_factor": 2}),
    ]
    warnings = plan(Description(modules=(*modules(), *rows))).warnings
    assert [each.split(":")[0] for each in warnings] == ["'pool'", "'up2'", "'shuffle'"]


def test_linear_layers_on_a_flattened_grid_are_named():
    rows = [
        Module(
            "conv",
            ("Conv2d",),
            {"kernel_size": [3, 3], "stride": [1, 1], "padding": [1, 1], "out_channels": 4},
        ),
        Module("fc1", ("Linear",), {"in_features": 4 * 49, "out_features": 8}),
        Module("fc2", ("Linear",), {"in_features": 8, "out_features": 32}),
        Module("fc3", ("Linear",), {"in_features": 32, "out_features": 2}),
    ]
    arrays = {
        "conv.weight": np.ones((4, 1, 3, 3), np.float32),
        "fc1.weight": np.ones((8, 196), np.float32),
        "fc2.weight": np.ones((32, 8), np.float32),
        "fc3.weight": np.ones((2, 32), np.float32),
    }
    wrapped = {f"module.{name}": array for name, array in arrays.items()}
    for given in (arrays, wrapped):
        found = plan_state_dict(StateDict(given, {}, "x"), 3, TILE, Description(modules=rows))
        assert [row.name.removeprefix("module.") for row in found.meaningless] == ["fc1.weight"]
        with pytest.raises(UnsupportedError, match="flattened grid of 7x7 points"):
            found.check()


@pytest.mark.parametrize("to_dim", [0, 2, 4])
def test_dimensions_that_are_none(to_dim):
    with pytest.raises(ArgumentError, match="dimension to convert to"):
        plan(to_dim=to_dim)


def test_padding_of_tensorflow_is_known_by_its_class():
    rows = [
        Module("a", ("Conv2dSame", "Conv2d"), {"kernel_size": [3, 3], "stride": [2, 2], "padding": [0, 0]})
    ]
    arrays = {"a.weight": np.random.default_rng(0).normal(size=(2, 2, 3, 3))}
    found = convert_state_dict(StateDict(arrays, {}, "x"), 3, "tile", Description(modules=rows))
    np.testing.assert_array_equal(found.after.arrays["a.weight"][:, :, 2], 0)
    assert found.certificate.exact
