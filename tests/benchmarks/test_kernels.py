"""What is read from the compiler's output, against numbers counted by hand.

The texts are XLA's for an H100, less what names sources and settings. `convolution.hlo`: value and gradients of
`<w, y>` for a periodic convolution with 3 x 3 taps of `x`, 2 samples of 3 channels on 8 x 8 pixels, to 5 channels.
`loop.hlo`: the product of a 256 x 16 and a 16 x 32 matrix in highest precision, 64 rows at a time.
"""

from pathlib import Path

import pytest
from gpu._hlo import parse
from gpu._kernels import Kernel, kernels

TEXTS = Path(__file__).parent / "hlo"
X, Y, PADDED, TAPS = 4 * 2 * 3 * 8 * 8, 4 * 2 * 5 * 8 * 8, 4 * 2 * 3 * 10 * 10, 4 * 5 * 3 * 3 * 3
ROWS_IN, ROWS_OUT, MATRIX, WHOLE, INDEX = 4 * 64 * 16, 4 * 64 * 32, 4 * 16 * 32, 4 * 256 * 32, 4


def text_of(name: str) -> str:
    return (TEXTS / f"{name}.hlo").read_text("utf-8")


def by_name(text: str) -> dict[str, Kernel]:
    return {kernel.name: kernel for kernel in kernels(parse(text))}


def edited(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def test_kernels_of_a_convolution():
    found = by_name(text_of("convolution"))
    assert {name: (kernel.kind, kernel.read, kernel.written) for name, kernel in found.items()} == {
        "wrapped_transpose": ("copy", Y, Y),
        "loop_transpose_fusion": ("concatenate", X, PADDED),
        "wrapped_transpose.1": ("copy", TAPS, TAPS),
        "cudnn-conv.1": ("convolution", PADDED + TAPS, Y),
        "input_reduce_fusion": ("reduce", 2 * Y, 4),
        "cudnn-conv-bw-filter.1": ("convolution", PADDED + Y, TAPS),
        "wrapped_transpose.2": ("copy", TAPS, TAPS),
        "cudnn-conv-bw-input.1": ("convolution", Y + TAPS, PADDED),
        "loop_transpose_fusion.1": ("elementwise", PADDED, X),
    }
    assert {kernel.times for kernel in found.values()} == {1}


def test_operations_of_a_convolution():
    found = by_name(text_of("convolution"))
    # Two for each sample, output channel, pixel, input channel and tap, in all three directions.
    work = {"tf32": 2 * 2 * 5 * 8 * 8 * 3 * 3 * 3}
    for name in ("cudnn-conv.1", "cudnn-conv-bw-filter.1", "cudnn-conv-bw-input.1"):
        assert found[name].operations == work
    # A product and a sum of 640 numbers; the margins of 10 x 10 pixels added along one axis, then the other.
    assert found["input_reduce_fusion"].operations == {"elementwise": 2 * 640}
    assert found["loop_transpose_fusion.1"].operations == {
        "elementwise": 2 * (2 * 10 * 8 * 3 + 2 * 8 * 8 * 3)
    }
    assert not found["loop_transpose_fusion"].operations


def test_kernels_of_a_loop():
    found = by_name(text_of("loop"))
    assert {
        name: (kernel.kind, kernel.read, kernel.written, kernel.times) for name, kernel in found.items()
    } == {
        "copy.9": ("copy", INDEX, INDEX, 1),
        "loop_broadcast_fusion": ("copy", 0, WHOLE, 1),
        "loop_dynamic_slice_fusion": ("copy", ROWS_IN + INDEX, ROWS_IN, 4),
        "gemm_fusion_dot_general.5": ("product", ROWS_IN + MATRIX, ROWS_OUT, 4),
        "loop_dynamic_update_slice_fusion": ("write slab", ROWS_OUT + INDEX, ROWS_OUT, 4),
        "loop_add_fusion": ("elementwise", INDEX, INDEX, 4),
    }
    assert found["gemm_fusion_dot_general.5"].operations == {"fp32": 2 * 64 * 32 * 16}


def test_a_longer_loop_launches_more():
    text = edited(text_of("loop"), '"n":"4"', '"n":"8"')
    assert by_name(text)["gemm_fusion_dot_general.5"].times == 8
    assert len(kernels(parse(text))) == 6


def test_a_loop_of_unknown_length_is_one_turn_and_its_condition():
    text = edited(text_of("loop"), "known_trip_count", "unknown")
    found = by_name(text)
    assert found["gemm_fusion_dot_general.5"].times == 1
    assert found["loop_compare_fusion"].written == 1


def test_a_buffer_that_is_not_updated_in_place_counts_whole():
    text = edited(
        text_of("loop"),
        "dynamic-update-slice(%param_0.2, %copy.11, %select_n.9.2, %constant_30_1)",
        "add(%param_0.2, %param_0.2)",
    )
    found = by_name(text)["loop_dynamic_update_slice_fusion"]
    assert (found.kind, found.read, found.written) == ("elementwise", WHOLE + ROWS_OUT + INDEX, WHOLE)


@pytest.mark.parametrize(
    ("attribute", "kind"),
    [
        ("operand_precision={highest,highest}", "fp32"),
        ("operand_precision={high,high}", "tf32"),
        ("frontend_attributes={}", "tf32"),
        ("algorithm=dot_tf32_tf32_f32", "tf32"),
        ("algorithm=dot_tf32_tf32_f32_x3", "tf32x3"),
    ],
)
def test_precision_of_a_product(attribute, kind):
    text = edited(text_of("loop"), "operand_precision={highest,highest}", attribute)
    assert list(by_name(text)["gemm_fusion_dot_general.5"].operations) == [kind]


def test_a_precision_without_a_peak_is_refused():
    text = edited(text_of("loop"), "operand_precision={highest,highest}", "algorithm=dot_f8")
    with pytest.raises(ValueError, match="dot_f8"):
        kernels(parse(text))


def test_other_text_is_refused():
    with pytest.raises(ValueError, match="no ENTRY"):
        parse("module @jit_f {\n}\n")
    with pytest.raises(ValueError, match="not an operation"):
        parse("ENTRY %main (x: f32[]) -> f32[] {\n  %x = f32[] 7\n}\n")
