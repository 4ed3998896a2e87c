"""Networks of MONAI and timm with random weights, exported by PyTorch in 2D: carried to 3D and run beside themselves.

`pip install -e '.[foreign-test]'`, then `pytest -m slow tests/onnx_graphs/test_real_networks.py -n 0 -s`.
"""

import pytest

from ginjax.onnx import convert_onnx, read_onnx, verify_onnx, write_onnx

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def _monai(name, **options):
    return lambda: getattr(pytest.importorskip("monai.networks.nets"), name)(spatial_dims=2, **options)


def _timm(name):
    return lambda: pytest.importorskip("timm").create_model(name, pretrained=False, num_classes=4)


NETWORKS = {
    "MONAI UNet": (_monai("UNet", in_channels=1, out_channels=2, channels=(8, 16, 32), strides=(2, 2), num_res_units=2), 1),
    "MONAI DenseNet121": (_monai("DenseNet121", in_channels=1, out_channels=3), 1),
    "MONAI ResNet": (_monai("ResNet", block="basic", layers=[1, 1, 1, 1], block_inplanes=[8, 16, 32, 64], n_input_channels=1, num_classes=3), 1),
    "MONAI DynUNet": (_monai("DynUNet", in_channels=1, out_channels=2, kernel_size=[3, 3, 3], strides=[1, 2, 2], upsample_kernel_size=[2, 2], filters=[8, 16, 32]), 1),
    "MONAI SegResNet": (_monai("SegResNet", in_channels=1, out_channels=2, init_filters=8, blocks_down=(1, 1, 1), blocks_up=(1, 1)), 1),
    "timm resnet18": (_timm("resnet18"), 3),
    "timm convnext_atto": (_timm("convnext_atto"), 3),
    "timm convnextv2_atto": (_timm("convnextv2_atto"), 3),
    "timm efficientnet_b0": (_timm("efficientnet_b0"), 3),
    "timm mobilenetv3_small_100": (_timm("mobilenetv3_small_100"), 3),
}  # fmt: skip
REFUSED = {
    "timm vit_tiny_patch16_224": (
        _timm("vit_tiny_patch16_224"),
        3,
        224,
        "positions in one row put beside others",
    ),
    "timm swin_tiny_patch4_window7_224": (_timm("swin_tiny_patch4_window7_224"), 3, 224, "each position"),
}


def exported(make, channels, side, path, *, free):
    """Write a network with random statistics, by the exporter that needs no further library."""
    torch.manual_seed(0)
    network = make().eval()
    with torch.no_grad():
        for name, buffer in network.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_()
            elif name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
    axes = {"x": {0: "batch", 2: "rows", 3: "columns"}} if free else None
    x = torch.randn(1, channels, side, side)
    torch.onnx.export(
        network, (x,), path, input_names=["x"], dynamic_axes=axes, dynamo=False, opset_version=17
    )
    return read_onnx(path)


@pytest.mark.parametrize("free", [False, True], ids=["stated", "free"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_converted_network_does_on_a_repeated_slice_what_it_did_on_the_slice(name, free, tmp_path):
    make, channels = NETWORKS[name]
    low = exported(make, channels, 64, tmp_path / "low.onnx", free=free)
    for rule in ("tile", "centre"):
        conversion = convert_onnx(low, 3, rule)
        assert conversion.certificate.exact and conversion.certificate.promises
        write_onnx(tmp_path / "high.onnx", conversion.after, force=True)
        found = verify_onnx(low, read_onnx(tmp_path / "high.onnx"))
        print(
            f"{name:28} {'free' if free else 'stated':7} {rule:7} lift {found.lift:.1e}  noise {found.noise:.2f}"
        )
        assert found.lift <= 1e-5
        assert found.noise > 100 * found.lift and found.made_again and not found.stale


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_bound_to_its_grid_is_refused(name, tmp_path):
    from ginjax.errors import UnsupportedError

    make, channels, side, words = REFUSED[name]
    low = exported(make, channels, side, tmp_path / "low.onnx", free=False)
    with pytest.raises(UnsupportedError, match=words):
        convert_onnx(low, 3)
