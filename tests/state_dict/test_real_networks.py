"""Networks of MONAI and timm with random weights, in 2D and as what their libraries call the same in 3D: converted and run.

`pip install -e '.[foreign-test]'`, then `pytest -m slow tests/state_dict/test_real_networks.py -n 0 -s`.
"""

import json

import numpy as np
import pytest

from ginjax.state_dict import (
    DESCRIBE_LINES,
    Description,
    convert_state_dict,
    read_modules,
    read_state_dict,
    recheck_state_dict,
    write_state_dict,
)

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow


def _monai(name, **options):
    def make(D):
        nets = pytest.importorskip("monai.networks.nets")
        return getattr(nets, name)(spatial_dims=D, **options)

    return make


def _timm(name):
    def make(D):
        library = pytest.importorskip("timm" if D == 2 else "timm_3d")
        return library.create_model(name, pretrained=False, num_classes=4)

    return make


NETWORKS = {
    "MONAI DenseNet121": (_monai("DenseNet121", in_channels=1, out_channels=3), 1, 64),
    "MONAI UNet": (_monai("UNet", in_channels=1, out_channels=2, channels=(8, 16, 32), strides=(2, 2), num_res_units=2), 1, 32),
    "MONAI ResNet": (_monai("ResNet", block="basic", layers=[1, 1, 1, 1], block_inplanes=[8, 16, 32, 64], n_input_channels=1, num_classes=3), 1, 64),
    "MONAI DynUNet": (_monai("DynUNet", in_channels=1, out_channels=2, kernel_size=[3, 3, 3], strides=[1, 2, 2], upsample_kernel_size=[2, 2], filters=[8, 16, 32]), 1, 32),
    "timm resnet18": (_timm("resnet18"), 3, 64),
    "timm convnext_atto": (_timm("convnext_atto"), 3, 64),
}  # fmt: skip
DEPTH = 32


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


def with_random_statistics(network):
    """Norms that are not the identity, so that a mistake about them shows."""
    with torch.no_grad():
        for name, buffer in network.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(0, 0.3)
            elif name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return network.eval()


def save(network, path):
    import safetensors.torch

    state = {name: tensor.contiguous().clone() for name, tensor in network.state_dict().items()}
    safetensors.torch.save_file(state, path)


def load(network, path):
    import safetensors.torch

    network.load_state_dict(safetensors.torch.load_file(path), strict=True)
    return network.eval()


def output(network, x):
    with torch.no_grad():
        y = network(x)
    return y[0] if isinstance(y, list | tuple) else y


def errors(low, high, channels, side, axis=2):
    """The largest difference on repeated slices and on white noise, relative to the largest value."""
    x = torch.randn(1, channels, side, side)
    noise = torch.randn(1, channels, side, side, side).narrow(axis, 0, DEPTH)
    repeated = x.unsqueeze(axis).repeat_interleave(DEPTH, axis)
    found = []
    for volume, plane in ((repeated, x), (noise, noise.select(axis, DEPTH // 2))):
        y, w = output(high, volume), output(low, plane)
        w = w if w.ndim == y.ndim else w.unsqueeze(axis)
        found.append(float((y - w).abs().max() / w.abs().max()))
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_a_converted_network_does_on_a_repeated_slice_what_it_did_on_the_slice(name, tmp_path, monkeypatch):
    make, channels, side = NETWORKS[name]
    monkeypatch.chdir(tmp_path)
    low, high = with_random_statistics(make(2)), make(3)
    save(low, "low.safetensors")
    save(high, "fresh.safetensors")
    exec(DESCRIBE_LINES, {"model": low})
    state, modules = read_state_dict("low.safetensors"), read_modules("modules.json")
    for rule in ("tile", "centre"):
        found = convert_state_dict(state, 3, rule, Description(modules=modules))
        assert found.certificate.exact and found.certificate.promises
        write_state_dict("high.safetensors", found.after, force=True)
        checked = recheck_state_dict(state, read_state_dict("high.safetensors"))
        assert checked.holds and not checked.stale
        lift, noise = errors(low, load(high, "high.safetensors"), channels, side)
        print(f"{name:20} {rule:7} lift {lift:.1e}  noise {noise:.2f}")
        assert lift <= 1e-5
        assert noise > 1e-2
        back = convert_state_dict(found.after, 2, rule, Description(modules=modules)).after
        assert all(np.array_equal(back.arrays[each], array) for each, array in state.arrays.items())
    with_example = convert_state_dict(
        state, 3, "centre", Description(modules=modules), like=read_state_dict("fresh.safetensors")
    )
    assert {row.action for row in with_example.plan.rows} <= {"kernel", "as it is"}
    assert all(
        np.array_equal(with_example.after.arrays[each], array) for each, array in found.after.arrays.items()
    )


def test_the_new_axis_last(tmp_path):
    make, channels, side = NETWORKS["timm resnet18"]
    low, high = with_random_statistics(make(2)), make(3)
    save(low, tmp_path / "low.safetensors")
    strides = ["conv1.weight:2", "layer[234].0.conv1.weight:2"]
    found = convert_state_dict(
        read_state_dict(tmp_path / "low.safetensors"),
        3,
        "tile",
        Description(transposed=[], stride=strides, new_axis="last"),
    )
    write_state_dict(tmp_path / "high.safetensors", found.after)
    lift, noise = errors(low, load(high, tmp_path / "high.safetensors"), channels, side, axis=4)
    assert lift <= 1e-5 < noise


def test_a_wrong_stride_is_what_the_run_finds(tmp_path, monkeypatch):
    """The control: weights of the wrong description pass the certificate, which only knows what was said, and fail the run."""
    make, channels, side = NETWORKS["timm resnet18"]
    monkeypatch.chdir(tmp_path)
    low, high = with_random_statistics(make(2)), make(3)
    save(low, "low.safetensors")
    said = Description(transposed=["layer2.0.conv1.weight:2:1:1"], stride=[])
    found = convert_state_dict(read_state_dict("low.safetensors"), 3, "tile", said)
    assert found.certificate.exact
    write_state_dict("high.safetensors", found.after)
    assert errors(low, load(high, "high.safetensors"), channels, side)[0] > 1e-3


def test_one_module_under_two_names(tmp_path, monkeypatch):
    """Of MONAI's DynUNet the file has every layer of its skips twice, and a loader writes both into the same memory."""
    make, *_ = NETWORKS["MONAI DynUNet"]
    monkeypatch.chdir(tmp_path)
    save(with_random_statistics(make(2)), "low.safetensors")
    exec(DESCRIBE_LINES, {"model": make(2)})
    names = [row["name"] for row in json.loads((tmp_path / "modules.json").read_text())["modules"]]
    assert "input_block.conv1" in names and "skip_layers.downsample.conv1" in names
    found = convert_state_dict(
        read_state_dict("low.safetensors"), 3, "tile", Description(modules=read_modules("modules.json"))
    )
    for one, other in (
        ("input_block", "skip_layers.downsample"),
        ("downsamples.0", "skip_layers.next_layer.downsample"),
    ):
        arrays = [found.after.arrays[f"{each}.conv1.conv.weight"] for each in (one, other)]
        np.testing.assert_array_equal(*arrays)
