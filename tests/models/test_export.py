"""What is exported computes what the network computes; a change of one number is noticed."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from helpers import FIXTURES, random_field, randomised
from sweeps import all_but, few

from ginjax.checkpoint import Field, dense_kernels, read_file, read_model, write_dense
from ginjax.errors import ArgumentError, UnsupportedError, VerificationError
from ginjax.models import (
    Network,
    array_function,
    export_dense,
    export_onnx,
    export_stablehlo,
    from_record,
    to_record,
)
from ginjax.models import _dense_network as dense
from ginjax.models import _export as module
from ginjax.onnx import convert_onnx, read_onnx, verify_onnx

A, V, W = Field("a", 0, 0), Field("v", 1, 0), Field("w", 0, 1)


def record_of(architecture: str, D: int = 2, inputs=(A, V), outputs=(V,), **settings):
    network = Network(architecture, channels=2, blocks=1, **settings).design(inputs, outputs)
    return to_record(randomised(network.build(D)))


def walled(architecture: str, inputs, outputs, **more):
    """A mirror along x, the last value along y."""
    settings = Network(architecture, channels=2, blocks=1, norm=False, bias="auto")
    design = replace(settings.design(inputs, outputs), padding=("MIRROR", "EDGE"), **more)
    return to_record(randomised(design.build(2)), is_torus=False)


RECORDS = {
    "burgers": lambda: read_model(FIXTURES / "burgers_2d.safetensors"),
    "diffusion": lambda: read_model(FIXTURES / "diffusion_1d.safetensors"),
    "unet": lambda: record_of("unet", levels=1, norm=True, bias="mean"),
    "transposed": lambda: record_of("unet", inputs=(A,), outputs=(A,), levels=1, upsample="transpose"),
    "product": lambda: record_of("resnet", nonlinearity="product"),
    "odd": lambda: record_of("series", inputs=(W, V), outputs=(W, A), bias="scalar"),
    "walls": lambda: walled("series", inputs=(W, V), outputs=(W, A)),
    "wide walls": lambda: walled("dilresnet", inputs=(A,), outputs=(A,)),
}


def by_hand(kernel: np.ndarray, x: np.ndarray, dilation: int) -> np.ndarray:
    """Cross-correlation on a periodic grid, `(in, *spatial)` to `(out, *spatial)`."""
    D, side = x.ndim - 1, kernel.shape[2]
    y = np.zeros((len(kernel), *x.shape[1:]))
    for place in np.ndindex(*(side,) * D):
        shift = tuple((side // 2 - m) * dilation for m in place)
        moved = np.roll(x, shift, axis=tuple(range(1, D + 1)))
        y += np.tensordot(kernel[(slice(None), slice(None), *place)], moved, 1)
    return y


@pytest.mark.parametrize("name", ["odd", *few("burgers")])
def test_each_kernel_by_hand(name):
    record = RECORDS[name]()
    model, arrays = from_record(record), dense_kernels(record)
    rng = np.random.default_rng(0)
    for layer in record.layers[:2]:
        conv = model
        for part in layer.name.split("."):
            conv = conv[int(part)] if part.isdigit() else getattr(conv, part)

        x = random_field(conv.input_keys, record.D, 6, int(rng.integers(100)))
        channels = np.asarray(x.to_scalar_multi_image()[0, 0], np.float64)
        y = by_hand(arrays[f"{layer.name}.kernel"].astype(np.float64), channels, layer.filter_dilation)
        spread = (-1, *(1,) * record.D)
        means = y.mean(axis=tuple(range(1, record.D + 1)), keepdims=True)
        y = (
            y
            + arrays[f"{layer.name}.bias"].reshape(spread)
            + arrays[f"{layer.name}.mean_bias"].reshape(spread) * means
        )
        wanted = np.asarray(conv(x).to_scalar_multi_image()[0, 0])
        np.testing.assert_allclose(y, wanted, atol=2e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("name", all_but(RECORDS, "burgers", "wide walls"))
def test_a_network_with_dense_kernels(name, tmp_path):
    record = RECORDS[name]()
    arrays = export_dense(record)
    assert not any("->" in each for each in arrays)
    write_dense(tmp_path / "weights.safetensors", record)
    stored = read_file(tmp_path / "weights.safetensors")
    assert all(np.array_equal(array, stored.arrays[each]) for each, array in arrays.items())
    assert stored.header["digest"] == record.digest
    assert stored.header["padding"] == (["mirror", "edge"] if "walls" in name else ["wrap"] * record.D)


def test_a_mirror_that_changes_no_sign_is_noticed(monkeypatch):
    monkeypatch.setattr(dense, "channel_grades", lambda *_: None)
    with pytest.raises(VerificationError, match="dense kernels computes something else"):
        export_dense(RECORDS["walls"]())


def test_a_wrong_number_is_noticed(monkeypatch):
    record = RECORDS["odd"]()
    right = dense_kernels(record)
    name = next(each for each in right if each.endswith(".kernel"))
    monkeypatch.setattr(module, "dense_kernels", lambda _: right | {name: right[name] * 1.001})
    with pytest.raises(VerificationError, match="dense kernels computes something else"):
        export_dense(record)


@pytest.mark.parametrize("name", ["odd", "walls", *few("burgers", "transposed", "wide walls")])
def test_a_program_for_any_grid_and_batch(name):
    pytest.importorskip("flatbuffers")
    from jax import export

    record = RECORDS[name]()
    run = export.deserialize(bytearray(export_stablehlo(record))).call
    model = from_record(record)
    x = module.random_inputs(model, 2, (10, 12) if name == "wide walls" else (4, 6))
    y = jax.jit(array_function(model, record.is_torus))(x)
    found = run(x)
    assert found.keys() == y.keys()
    for key, block in y.items():
        np.testing.assert_allclose(found[key], block, atol=1e-5 * float(np.abs(block).max()))


def test_a_program_for_one_grid():
    pytest.importorskip("flatbuffers")
    from jax import export

    record = record_of("series", inputs=(A,), outputs=(A,))
    run = export.deserialize(bytearray(export_stablehlo(record, (4, 6)))).call
    assert run({"k0p0": np.zeros((5, 1, 4, 6), np.float32)})["k0p0"].shape == (5, 1, 4, 6)
    with pytest.raises(ValueError, match="shape"):
        run({"k0p0": np.zeros((5, 1, 6, 6), np.float32)})
    plain = record_of("unet", inputs=(A,), outputs=(A,), levels=1, plain=True)
    for each in (plain, walled("resnet", inputs=(A,), outputs=(A,), plain=True)):
        with pytest.raises(ArgumentError, match="for any grid"):
            export_stablehlo(each)
    # Its filters wrap further than a grid may be long.
    far = record_of("dilresnet", D=1, inputs=(A,), outputs=(A,))
    with pytest.raises(ArgumentError, match="DilResNet for any grid"):
        export_stablehlo(far)
    for grid in ((4, 5), (4,), (0, 4)):
        with pytest.raises(ArgumentError, match="grid"):
            export_stablehlo(plain, grid)


@pytest.mark.slow
def test_pytorch_runs_a_network_from_its_kernels():
    torch = pytest.importorskip("torch")
    record = record_of("series", inputs=(A, V), outputs=(V,), activation="gelu")
    arrays = {name: torch.from_numpy(np.array(array)) for name, array in export_dense(record).items()}
    model = from_record(record)
    x = module.random_inputs(model, 3, (6, 8))
    y = np.asarray(array_function(model)(x)["k1p0"])

    def convolved(channels, name):
        padded = torch.nn.functional.pad(channels, (1, 1, 1, 1), mode="circular")
        found = torch.nn.functional.conv2d(padded, arrays[f"{name}.kernel"])
        means = found.mean((2, 3), keepdim=True) * arrays[f"{name}.mean_bias"][:, None, None]
        return found + arrays[f"{name}.bias"][:, None, None] + means

    def components(vectors):
        return vectors.movedim(-1, 2).flatten(1, 2)

    names = [layer.name for layer in record.layers]
    channels = torch.cat([torch.from_numpy(x["k0p0"]), components(torch.from_numpy(x["k1p0"]))], 1)
    for number, name in enumerate(names):
        channels = convolved(channels, name)
        if number == len(names) - 1:
            break
        scalars, rest = channels[:, :2], channels[:, 2:]
        vectors = rest.unflatten(1, (-1, 2))
        mixed = torch.einsum("oc,ncdxy->nodxy", arrays[f"layers.{number}.nonlinearity.weights.k1p0"], vectors)
        direction = mixed / (mixed.norm(dim=2, keepdim=True) + 1e-5)
        along = (vectors * direction).sum(2, keepdim=True)
        bent = torch.nn.functional.gelu(along, approximate="tanh") / (along.abs() + 1e-5)
        vectors = vectors + (bent - 1) * along * direction
        scalars = torch.nn.functional.gelu(scalars, approximate="tanh")
        channels = torch.cat([scalars, vectors.flatten(1, 2)], 1)
    found = channels.unflatten(1, (-1, 2)).movedim(2, -1).numpy()
    np.testing.assert_allclose(found, y, atol=1e-5 * np.abs(y).max())


@pytest.mark.parametrize(
    "name",
    [n if n in ("odd", "walls") else pytest.param(n, marks=pytest.mark.slow) for n in RECORDS],
)
def test_a_graph_of_onnx_for_any_grid(name):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    record = RECORDS[name]()
    graph = onnx.load_from_string(export_onnx(record))  # which runs it against the network
    onnx.checker.check_model(graph, full_check=True)
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.graph.initializer}
    arrays = dense_kernels(record)
    kernels = [kernel for kernel in arrays if kernel.endswith(".kernel")]
    assert kernels and all(np.array_equal(constants[kernel], arrays[kernel]) for kernel in kernels)
    dims = [axis.dim_param for axis in graph.graph.input[0].type.tensor_type.shape.dim]
    assert dims[0] == "batch" and dims[2] == "n0"


@pytest.mark.parametrize(
    "settings",
    [
        {"architecture": "resnet", "activation": "gelu"},
        pytest.param({"architecture": "unet", "levels": 1, "norm": True}, marks=pytest.mark.slow),
        pytest.param({"architecture": "dilresnet", "norm": True}, marks=pytest.mark.slow),
    ],
)
def test_a_graph_of_a_plain_network_for_one_grid(settings):
    pytest.importorskip("onnxruntime")
    record = record_of(inputs=(A,), outputs=(A,), plain=True, **settings)
    export_onnx(record, (8, 8))
    with pytest.raises(ArgumentError, match="Name its sides with `grid`"):
        export_onnx(record)
    with pytest.raises(ArgumentError, match="`grid`"):
        export_onnx(record, (8,))


CARRIED = {
    "unet": {"architecture": "unet", "levels": 1, "norm": True, "bias": "mean"},
    "transposed": {"architecture": "unet", "levels": 1, "upsample": "transpose"},
    "resnet": {"architecture": "resnet", "norm": True},
    "plain unet": {"architecture": "unet", "levels": 1, "norm": True, "plain": True},
}


@pytest.mark.parametrize(
    ("name", "D", "to_dim"),
    [("unet", 1, 3), *(pytest.param(each, 2, 3, marks=pytest.mark.slow) for each in CARRIED)],
)
def test_an_exported_graph_of_scalars_is_carried_to_a_higher_dimension(name, D, to_dim, tmp_path):
    """Patches of the pooling, transposed convolutions, norms, and periodic paddings of fields whose lengths were computed."""
    pytest.importorskip("onnxruntime")
    record = record_of(D=D, inputs=(A, Field("b", 0, 0)), outputs=(A,), **CARRIED[name])
    (tmp_path / "low.onnx").write_bytes(export_onnx(record, (16,) * D if "plain" in name else None))
    low = read_onnx(tmp_path / "low.onnx")
    for options in ({}, {"rule": "mean"}) if "plain" not in name else ({},):
        conversion = convert_onnx(low, to_dim, **options)
        found = verify_onnx(low, conversion.after)
        assert conversion.certificate.promises and found.exact and found.controlled and found.made_again
        assert found.noise > 1e-3


def test_components_are_refused_with_their_place(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "low.onnx").write_bytes(
        export_onnx(record_of("series", inputs=(W, V), outputs=(W, A), bias="scalar"))
    )
    with pytest.raises(UnsupportedError, match="input 'k1p0': got 5 axes") as refused:
        convert_onnx(read_onnx(tmp_path / "low.onnx"), 3)
    assert "convert the model" in str(refused.value)


def test_a_graph_that_computes_something_else_is_noticed(monkeypatch):
    pytest.importorskip("onnxruntime")
    from ginjax.models._onnx_operations import OPERATIONS, _entries

    record = record_of("resnet", D=1, inputs=(A,), outputs=(A,), bias="scalar")
    monkeypatch.setitem(_entries._SAME, "tanh", "Sin")
    with pytest.raises(VerificationError, match="exported graph"):
        export_onnx(record)
    monkeypatch.delitem(OPERATIONS, "tanh")
    with pytest.raises(UnsupportedError, match="operation 'tanh'"):
        export_onnx(record)


@pytest.mark.parametrize(("rows", "resized"), [(2, True), (1, False)])
def test_what_is_repeated_along_two_axes_is_no_field_of_larger_points(rows, resized):
    helper = pytest.importorskip("onnx.helper")
    runtime = pytest.importorskip("onnxruntime")
    from ginjax.models._onnx_operations import OPERATIONS
    from ginjax.models._onnx_program import OPSET, Program

    def function(x):
        return jax.lax.broadcast_in_dim(x, (2, 2, 5), (0, 2)).reshape(4, 5)

    x = np.arange(5.0 * rows, dtype=np.float32).reshape(rows, 5)
    program = Program({}, OPERATIONS)
    (made,) = program.run(jax.make_jaxpr(function)(x), ["x"])
    graph = program.graph
    assert ("Resize" in {node.op_type for node in graph.nodes}) == resized
    ends = (
        [helper.make_tensor_value_info(name, 1, shape)] for name, shape in (("x", x.shape), (made, (4, 5)))
    )
    whole = helper.make_graph(graph.nodes, "repeated", *ends, list(graph.constants.values()))
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    found = runtime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]
    np.testing.assert_array_equal(found, function(x))


@pytest.mark.slow
def test_a_grid_that_windows_reach_round_names_a_larger_one():
    pytest.importorskip("onnxruntime")
    record = record_of("dilresnet", inputs=(A,), outputs=(A,))
    with pytest.raises(UnsupportedError, match=r"A larger one works, such as (\d+)x\1\.") as raised:
        export_onnx(record, (7, 7))
    side = int(raised.value.hint.rsplit("x", 1)[1].rstrip("."))
    export_onnx(record, (side, side))
