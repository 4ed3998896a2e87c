"""Rules along a new axis, run: a 1D and a 2D convolution of an independent kind, with the slice and with it repeated."""

import numpy as np
import pytest
from dense_convolutions import convolve, convolve_transposed

from ginjax.errors import ArgumentError
from ginjax.transfer import RULES, AxisGeometry, ProfiledRule, RemarkingRule, find_rule
from ginjax.transfer.rules import profile

ORDINARY = {
    "k3": AxisGeometry(taps=3, before=1, after=1),
    "k3 s2": AxisGeometry(taps=3, stride=2, before=1, after=1),
    "k7 s2": AxisGeometry(taps=7, stride=2, before=3, after=3),
    "k7 s4": AxisGeometry(taps=7, stride=4, before=3, after=3),
    "k2 s2": AxisGeometry(taps=2, stride=2),
    "k4 s4": AxisGeometry(taps=4, stride=4),
    "k4 s2": AxisGeometry(taps=4, stride=2, before=1, after=1),
    "k4 s1": AxisGeometry(taps=4, before=1, after=1),
    "k5 s3": AxisGeometry(taps=5, stride=3, before=2, after=2),
    "k1 s2": AxisGeometry(taps=1, stride=2),
    "k3 valid": AxisGeometry(taps=3),
    "k3 s2 valid": AxisGeometry(taps=3, stride=2),
    "k3 e2": AxisGeometry(taps=3, dilation=2, before=2, after=2),
    "k3 s2 e2": AxisGeometry(taps=3, stride=2, dilation=2, before=2, after=2),
    "k3 s2 fitted": AxisGeometry(taps=3, stride=2, fitted=True),
    "k7 s2 fitted": AxisGeometry(taps=7, stride=2, fitted=True),
    "k4 s2 fitted": AxisGeometry(taps=4, stride=2, fitted=True),
    "k3 s2 circular": AxisGeometry(taps=3, stride=2, before=1, after=1, repeats=True),
}
UNCONDITIONAL = {
    "k3",
    "k2 s2",
    "k4 s4",
    "k4 s2",
    "k4 s1",
    "k1 s2",
    "k3 valid",
    "k3 s2 valid",
    "k3 e2",
    "k3 s2 e2",
    "k3 s2 circular",
}
"""Where `tile` is exact at every depth; elsewhere where the stride divides it."""
MEAN = {"k2 s2", "k4 s4", "k1 s2", "k3 valid", "k3 s2 valid", "k3 s2 circular"}
"""Where `mean` is exact: it meets no zeros."""


def lift_errors(axis, weights):
    """The largest error on a repeated slice, by depth modulo the stride."""
    rng = np.random.default_rng(0)
    kernel, x = rng.normal(size=(2, 3, 3)), rng.normal(size=(3, 4))
    mode = "wrap" if axis.repeats else "constant"
    found = {}
    for depth in range(6 * axis.stride, 8 * axis.stride):
        volume = np.repeat(x[:, None], depth, axis=1)
        across = kernel[:, :, None, :] * weights[:, None]
        wide = along(volume, across, axis, mode)
        wanted = convolve(x, kernel)
        gap = np.abs(wide - wanted[:, None]).max() / np.abs(wanted).max()
        found[depth % axis.stride] = max(found.get(depth % axis.stride, 0.0), gap)
    return found


def along(volume, kernel, axis, mode):
    """A convolution with stride, padding and dilation along the first axis only."""
    n = volume.shape[1]
    before, after = axis.before, axis.after
    if axis.fitted:
        total = max((-(-n // axis.stride) - 1) * axis.stride + axis.reach - n, 0)
        before, after = total // 2, total - total // 2
    padded = np.pad(volume, [(0, 0), (before, after), (0, 0)], mode=mode)
    rows = (padded.shape[1] - axis.reach) // axis.stride + 1
    out = []
    for i in range(rows):
        taps = [padded[:, i * axis.stride + axis.dilation * t] for t in range(axis.taps)]
        out.append(sum(convolve(tap, kernel[:, :, t]) for t, tap in enumerate(taps)))
    return np.stack(out, axis=1)


@pytest.mark.parametrize("name", ORDINARY)
def test_rules_are_exact_where_they_say_so_and_nowhere_else(name):
    axis = ORDINARY[name]
    centre, tile, mean = (lift_errors(axis, profile(find_rule(r), axis)) for r in ("centre", "tile", "mean"))
    assert max(centre.values()) <= 1e-12
    assert tile[0] <= 1e-12
    assert (max(tile.values()) <= 1e-12) == (name in UNCONDITIONAL)
    assert (max(mean.values()) <= 1e-12) == (name in MEAN)
    for divides in (False, True):  # what is said without running anything
        for rule, errors in (("centre", centre), ("tile", tile), ("mean", mean)):
            sums = axis.patterns(divides) @ profile(find_rule(rule), axis)
            measured = errors[0] if divides else max(errors.values())
            assert bool(np.abs(sums - 1).max() < 1e-12) == (measured <= 1e-12)


def test_tile_reads_every_slice_and_centre_does_not():
    for name, axis in ORDINARY.items():
        if (
            axis.taps < axis.stride or axis.dilation > 1
        ):  # taps of an even distance see every other slice at most
            continue
        read = {}
        for rule in ("tile", "centre"):
            weights = profile(find_rule(rule), axis)
            depth = 8 * axis.stride
            before, _ = axis.pads(depth)
            rows = len(axis.meets(depth))
            taps = np.flatnonzero(weights)
            read[rule] = {i * axis.stride - before + t for i in range(rows) for t in taps} & set(range(depth))
        assert len(read["tile"]) >= 8 * axis.stride - axis.reach, name
        if axis.stride > 1:
            assert len(read["centre"]) <= 9, name


TRANSPOSED = {
    "k2 s2": (2, 2, 0, 0),
    "k3 s2": (3, 2, 1, 1),
    "k4 s2": (4, 2, 1, 0),
    "k4 s4": (4, 4, 0, 0),
    "k3 s1": (3, 1, 1, 0),
}


@pytest.mark.parametrize("name", TRANSPOSED)
@pytest.mark.parametrize("rule", ["tile", "centre", "mean"])
def test_transposed_kernels_are_exact_to_both_ends(name, rule):
    k, s, p, more = TRANSPOSED[name]
    axis = AxisGeometry(k, s, 1, p, p, more, transposed=True)
    assert gap_of_transposed(axis, profile(find_rule(rule), axis)) <= 1e-12


def test_a_transposed_convolution_that_makes_one_slice_too_many_is_wrong_at_its_end():
    axis = AxisGeometry(3, 2, transposed=True)
    weights = profile(find_rule("tile"), axis)
    assert gap_of_transposed(axis, weights) > 0.1
    assert np.abs(axis.patterns(True) @ weights - 1).max() == 1


def test_phase_averages_are_wrong_at_the_ends():
    axis = AxisGeometry(4, 2, 1, 1, 1, transposed=True)
    assert gap_of_transposed(axis, np.full(4, 0.5)) > 0.1


def gap_of_transposed(axis, weights):
    """Along the first of two axes alone: a kernel that is one point wide in the other."""
    rng = np.random.default_rng(1)
    kernel, x = rng.normal(size=(3, 2)), rng.normal(size=(3, 4))
    spread = convolve_transposed(
        np.repeat(np.eye(1), 5, axis=1), weights[None, None], stride=axis.stride, padding=axis.before,
        output_padding=axis.output_padding,
    )[0]  # fmt: skip
    wide = spread[:, None, None] * (x.T @ kernel)
    wanted = np.broadcast_to(x.T @ kernel, wide.shape)
    return np.abs(wide - wanted).max() / np.abs(wanted).max()


def test_tile_is_centre_at_stride_1():
    for side in (1, 2, 3, 4, 5):
        kernel = np.arange(4.0 * side).reshape(2, 2, side)
        tile, centre = (find_rule(rule).along_new_axis(kernel) for rule in ("tile", "centre"))
        np.testing.assert_array_equal(tile, centre)


def test_a_rule_without_a_profile_is_asked_about_ones():
    class Corner:
        name, promises_compatibility, spreads = "corner", True, True

        def along_new_axis(self, kernel):
            return kernel[..., None] * np.eye(1, kernel.shape[-1], 0)[0]

    np.testing.assert_array_equal(profile(Corner(), AxisGeometry(3)), [1, 0, 0])


@pytest.mark.parametrize(
    "fields", [{"taps": 0}, {"taps": 3, "stride": 65}, {"taps": 3, "before": -1}, {"taps": True}]
)
def test_absurd_geometries_are_refused(fields):
    with pytest.raises(ArgumentError):
        AxisGeometry(**fields)


def test_geometries_as_json():
    axis = AxisGeometry(3, 2, 1, 1, 1, 1, transposed=True)
    assert AxisGeometry.from_json(axis.to_json()) == axis
    for broken in ({}, {**axis.to_json(), "fitted": 1}, {**axis.to_json(), "stride": 2.0}, [], "x"):
        with pytest.raises(ArgumentError):
            AxisGeometry.from_json(broken)


def test_the_largest_geometries_are_soon_done():
    for transposed in (False, True):
        axis = AxisGeometry(256, 64, 64, 1024, 1024, transposed=transposed)
        assert axis.patterns(divides=True).shape[1] == 256
    assert AxisGeometry(64, 8, 1, 31, 31).patterns(divides=False).shape[1] == 64


def test_what_a_rule_can_say_besides_is_a_protocol():
    rules = {name: named.rule for name, named in RULES.items()}
    assert {name for name, rule in rules.items() if isinstance(rule, ProfiledRule)} == {
        "tile",
        "centre",
        "mean",
    }
    assert {name for name, rule in rules.items() if isinstance(rule, RemarkingRule)} == {"isotropic"}
