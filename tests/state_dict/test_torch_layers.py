"""Layers of PyTorch that store more than a kernel, or pad otherwise: converted, loaded with `strict=True`, run.

In the environment of `test_real_networks.py`.
"""

import pytest

from ginjax.errors import ArgumentError
from ginjax.state_dict import (
    DESCRIBE_LINES,
    Description,
    convert_state_dict,
    read_modules,
    read_state_dict,
    write_state_dict,
)

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def one_thread(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


def kinds(D):
    nn = torch.nn
    return (
        (nn.Conv2d, nn.ConvTranspose2d, nn.AvgPool2d)
        if D == 2
        else (nn.Conv3d, nn.ConvTranspose3d, nn.AvgPool3d)
    )


def convert(low, high, rule, described_by):
    import safetensors.torch

    state = {name: tensor.contiguous().clone() for name, tensor in low.state_dict().items()}
    safetensors.torch.save_file(state, "low.safetensors")
    exec(DESCRIBE_LINES, {"model": described_by})
    said = Description(modules=read_modules("modules.json"))
    found = convert_state_dict(read_state_dict("low.safetensors"), 3, rule, said)
    write_state_dict("high.safetensors", found.after)
    high.load_state_dict(safetensors.torch.load_file("high.safetensors"), strict=True)
    return found


def lift_error(low, high, channels, side=16, depth=16):
    x = torch.randn(1, channels, side, side)
    with torch.no_grad():
        y = high.eval()(x.unsqueeze(2).repeat_interleave(depth, 2))
        w = low.eval()(x).unsqueeze(2)
    return float((y - w).abs().max() / w.abs().max())


def normed(D, norm, transposed=True):
    """Strided, transposed and ordinary convolutions under a norm, whose estimates one step has changed."""
    conv, up, _ = kinds(D)
    nn = torch.nn
    back = up(4, 4, 4, 2, 1) if transposed else conv(4, 4, 3, 1, 1)
    network = nn.Sequential(
        norm(conv(2, 4, 3, 2, 1)), nn.ReLU(), norm(conv(4, 4, 4, 2, 1)), nn.ReLU(), norm(back), nn.Tanh(), norm(conv(4, 2, 3, 1, 1))
    )  # fmt: skip
    network.train()(torch.randn(1, 2, *(16,) * D))
    return network


@pytest.mark.parametrize("way", ["old", "new"])
def test_weight_norm(way):
    home = torch.nn.utils if way == "old" else torch.nn.utils.parametrizations
    low, high = (normed(D, home.weight_norm) for D in (2, 3))
    found = convert(low, high, "tile", low)
    assert found.certificate.exact
    assert lift_error(low, high, 2) <= 1e-5


@pytest.mark.parametrize("way", ["old", "new"])
def test_spectral_norm(way):
    home = torch.nn.utils if way == "old" else torch.nn.utils.parametrizations
    low, high = (normed(D, home.spectral_norm, transposed=False) for D in (2, 3))
    assert convert(low, high, "centre", low).certificate.exact
    assert lift_error(low, high, 2) <= 1e-5
    low.train()(torch.randn(1, 2, 16, 16))  # the next estimate, which must be the same in both
    high.train()(torch.randn(1, 2, 16, 16, 16))
    assert lift_error(low, high, 2) <= 1e-3
    with pytest.raises(ArgumentError, match="spectral norm"):
        convert(low, high, "tile", low)


@pytest.mark.parametrize("rule", ["tile", "centre", "mean"])
def test_padding_that_repeats_values(rule):
    def make(D):
        conv, *_ = kinds(D)
        return torch.nn.Sequential(
            conv(2, 4, 3, 1, 1, padding_mode="circular"),
            torch.nn.ReLU(),
            conv(4, 2, 3, 2, 1, padding_mode="circular"),
        )

    low, high = make(2), make(3)
    assert convert(low, high, rule, low).certificate.exact
    assert lift_error(low, high, 2) <= 1e-5


@pytest.mark.parametrize("rule", ["tile", "centre"])
def test_dilations_and_paddings_by_name(rule):
    def make(D):
        conv, *_ = kinds(D)
        return torch.nn.Sequential(
            conv(2, 4, 3, 1, padding="same", dilation=2),
            torch.nn.ReLU(),
            conv(4, 4, 3, 1, 2, dilation=2, groups=4),
            conv(4, 2, 5, 2, padding="valid"),
        )

    low, high = make(2), make(3)
    assert convert(low, high, rule, low).certificate.exact
    assert lift_error(low, high, 2, side=32, depth=24) <= 1e-5


def test_pooling_that_counts_its_padding_is_what_the_warning_says():
    def make(D):
        conv, _, pool = kinds(D)
        return torch.nn.Sequential(conv(2, 4, 3, 1, 1), pool(3, 2, 1), conv(4, 2, 3, 1, 1))

    low, high = make(2), make(3)
    found = convert(low, high, "tile", low)
    assert found.certificate.exact and "counts its padding" in found.plan.warnings[0]
    assert lift_error(low, high, 2) > 1e-2


def test_kernels_and_strides_that_differ_from_axis_to_axis():
    """nnU-Net on anisotropic volumes: the first kernels and strides do nothing along the new axis."""
    unet = pytest.importorskip("dynamic_network_architectures.architectures.unet").PlainConvUNet
    nn = torch.nn
    sides = {2: [[3, 3]] * 3, 3: [[1, 3, 3], [3, 3, 3], [3, 3, 3]]}
    strides = {2: [[1, 1], [2, 2], [2, 2]], 3: [[1, 1, 1], [1, 2, 2], [2, 2, 2]]}
    norms = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
    low, high = (
        unet(1, 3, [4, 8, 16], kinds(D)[0], sides[D], strides[D], 2, 3, 2, conv_bias=True, norm_op=norms[D], nonlin=nn.LeakyReLU)
        for D in (2, 3)
    )  # fmt: skip
    assert convert(low, high, "tile", high).certificate.exact
    assert lift_error(low, high, 1, side=32) <= 1e-5


def test_a_shared_layer_that_is_stored_once():
    import safetensors.torch

    class Twice(torch.nn.Module):
        def __init__(self, D):
            super().__init__()
            self.a = self.b = kinds(D)[0](2, 2, 3, 1, 1)

        def forward(self, x):
            return self.b(self.a(x))

    low, high = Twice(2), Twice(3)
    safetensors.torch.save_model(low, "low.safetensors")
    found = convert_state_dict(
        read_state_dict("low.safetensors"), 3, "tile", Description(transposed=[], stride=[])
    )
    assert found.after.metadata["b.weight"] == "a.weight"
    write_state_dict("high.safetensors", found.after)
    assert safetensors.torch.load_model(high, "high.safetensors") == (set(), [])
    assert lift_error(low, high, 2) <= 1e-5
