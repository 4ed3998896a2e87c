"""Measures PyTorch on the plain convolution and network, in its own environment."""

from _serve import limit_memory, serve

limit_memory()

import os  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from importlib.metadata import version  # noqa: E402
from typing import Any  # noqa: E402

import torch  # noqa: E402
from _cases import Case  # noqa: E402
from _prepared import Prepared  # noqa: E402
from torch import Tensor, nn  # noqa: E402

torch.set_num_threads(len(os.sched_getaffinity(0)))
CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


def plain_conv(case: dict[str, Any]) -> Prepared:
    """Value and gradients of `<w, conv(x)>` for a periodic convolution with as many numbers at each pixel."""
    size = Case.from_json(case)
    torch.manual_seed(0)
    c = size.plain_channels
    layer = _conv(size, c, c, size.M, bias=False)
    x, w = (torch.randn(size.batch, c, *(size.N,) * size.D) for _ in range(2))
    x.requires_grad_()

    def run() -> None:
        x.grad = layer.weight.grad = None
        torch.vdot(w.ravel(), layer(x).ravel()).backward()

    return Prepared(run, _unknown, {})


def step(case: dict[str, Any]) -> Prepared:
    """One AdamW step of the network that `equivariant=False` makes."""
    size = Case.from_json(case)
    torch.manual_seed(0)
    fields = sum(size.D**k for k in size.orders)
    model = Plain(size, fields)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=1e-4)
    x, y = (torch.randn(size.batch, fields, *(size.N,) * size.D) for _ in range(2))

    def run() -> None:
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()

    return Prepared(run, _unknown, {"parameters": sum(p.numel() for p in model.parameters())})


class Plain(nn.Module):
    """The residual network of `ginjax.models.ResNet` with `equivariant=False`: the same layers in the same order."""

    def __init__(self, case: Case, fields: int):
        super().__init__()
        c = case.plain_channels
        self.encoder = nn.Sequential(_conv(case, fields, c, 1), _gelu(), _conv(case, c, c, 1), _gelu())
        self.blocks = nn.ModuleList(nn.Sequential(*_block(case, c)) for _ in range(case.blocks))
        self.decoder = nn.Sequential(_conv(case, c, c, 1), _gelu(), _conv(case, c, fields, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.encoder(x)
        for block in self.blocks:
            x = x + block(x)
        return self.decoder(x)


def _block(case: Case, channels: int) -> Iterator[nn.Module]:
    for _ in range(2):
        yield nn.GroupNorm(1, channels)
        yield _gelu()
        yield _conv(case, channels, channels, case.M)


def _conv(case: Case, inputs: int, outputs: int, side: int, bias: bool = True) -> nn.Module:
    around = {"padding": side // 2, "padding_mode": "circular"} if side > 1 else {}
    return CONVOLUTIONS[case.D](inputs, outputs, side, bias=bias, **around)


def _gelu() -> nn.Module:
    return nn.GELU(approximate="tanh")


def _unknown() -> int:
    raise NotImplementedError("PyTorch does not tell the memory of a program")


def versions() -> dict[str, str]:
    return {"torch": version("torch").split("+")[0]}


if __name__ == "__main__":
    serve({"plain_conv": plain_conv, "step": step}, {"versions": versions})
