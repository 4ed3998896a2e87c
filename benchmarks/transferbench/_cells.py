"""What is compared with what: cases, methods, and the cells that a table is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Literal

from ginjax.data import find_pde

How = Literal["zero-shot", "calibrated", "planes", "planes-then-plateau", "tuned", "plateau", "equal-time"]


@dataclass(frozen=True)
class Case:
    """An equation, a pair of dimensions and the size of our network.

    **Arguments:**

    - `pde`: the name of the equation.
    - `low`, `high`: dimensions of the training and of the test.
    - `channels`, `blocks`: of the ResNet; with `product` its nonlinearity multiplies fields.
    """

    pde: str
    low: int
    high: int
    channels: int = 8
    blocks: int = 1
    product: bool = False

    @property
    def transfer(self) -> str:
        return f"{self.low}to{self.high}"

    @property
    def network(self) -> str:
        return f"{self.channels}x{self.blocks}" + ("-product" if self.product else "")

    @property
    def name(self) -> str:
        return f"{self.pde}/{self.transfer}/{self.network}"

    @property
    def has_planes(self) -> bool:
        """Whether fields of the high dimension that vary in a plane only can be simulated in the low one."""
        return (self.low, self.high) == (2, 3) and find_pde(self.pde).planar

    @property
    def scalar(self) -> bool:
        """Whether all its fields are even scalars."""
        return all(field.key == ((), 0) for field in find_pde(self.pde).fields)


@dataclass(frozen=True)
class Method:
    """One way to a network in the high dimension.

    **Arguments:**

    - `family`: of networks, a name in `FAMILIES`.
    - `how`: what is done there; a family without data there is always zero-shot. Without them calibrating means doing it on
      the data of the low dimension; on planes it is tuned without any data of the high one, if it is converted from 2D to 3D.
    - `label`: in tables.
    - `converted`: whether it was trained in the low dimension first.
    - `scalars_only`: whether it is written for scalar fields only.
    - `noisy`: whether its inputs are disturbed in training, which steadies rollouts, by as much as validation picks.
    """

    family: str
    how: How
    label: str
    converted: bool = True
    scalars_only: bool = False
    noisy: bool = False


METHODS: Mapping[str, Method] = {
    "zero-shot": Method("ours", "zero-shot", "converted, no tuning"),
    "calibrated": Method("ours", "calibrated", "converted, calibrated"),
    "planes": Method("ours", "planes", "converted, tuned on planes to its plateau"),
    "planes-tuned": Method("ours", "planes-then-plateau", "converted, tuned on planes, then on samples"),
    "tuned": Method("ours", "tuned", "converted, tuned by the defaults of `train --init`"),
    "tuned-plateau": Method("ours", "plateau", "converted, tuned to its plateau"),
    "scratch": Method("ours", "plateau", "from scratch to its plateau", converted=False),
    "scratch-noise": Method(
        "ours", "plateau", "from scratch with noise to its plateau", converted=False, noisy=True
    ),
    "scratch-equal-time": Method("ours", "equal-time", "from scratch, equal time", converted=False),
    "plain-centre": Method("plain-centre", "plateau", "plain CNN, central slice"),
    "plain-mean": Method("plain-mean", "plateau", "plain CNN, mean over slices"),
    "fourier": Method("fourier", "plateau", "factorised Fourier operator", scalars_only=True),
    "axial": Method("axial", "plateau", "axially shared network", scalars_only=True),
}
"""Every method by name."""


@dataclass(frozen=True)
class Cell:
    """One network to be measured.

    **Arguments:**

    - `method`: a name in `METHODS`.
    - `samples`: trajectories of the high dimension that it is trained on.
    - `seed`: from 0.
    """

    case: Case
    method: str
    samples: int
    seed: int

    @property
    def name(self) -> str:
        return f"{self.case.name}/{self.method}/n{self.samples}/seed{self.seed}"


@dataclass(frozen=True)
class Request:
    """The cells that are asked for.

    **Arguments:**

    - `samples`: of every method; `scratch_samples` are more of them for training from scratch alone, from which
      follows how many samples the conversion is worth.
    - `seeds`: how many.
    - `only`: patterns such as `allen-cahn/*/scratch/*`; a cell that fits none is left out, unless there are none.
    """

    cases: Sequence[Case]
    samples: Sequence[int] = (0, 1, 16)
    scratch_samples: Sequence[int] = ()
    seeds: int = 3
    only: Sequence[str] = ()

    def cells(self) -> Iterator[Cell]:
        """Whole cases one after the other, and within them whole seeds, which share what they trained."""
        for case in self.cases:
            for seed in range(self.seeds):
                for name, method in METHODS.items():
                    if method.scalars_only and not case.scalar:
                        continue
                    if method.how.startswith("planes") and not case.has_planes:
                        continue
                    own = {*self.samples, *(self.scratch_samples if name == "scratch" else ())}
                    for samples in sorted(own):
                        cell = Cell(case, name, samples, seed)
                        if fits(method, samples) and self.wants(cell):
                            yield cell

    def wants(self, cell: Cell) -> bool:
        return not self.only or any(fnmatch(cell.name, pattern) for pattern in self.only)


def fits(method: Method, samples: int) -> bool:
    """Whether a method exists at a number of samples: our own has a name for each thing that is done with them."""
    if method.how in ("zero-shot", "planes"):
        return samples == 0
    return samples > 0 or method.how == "calibrated" or method.family != "ours"


def parse_network(text: str) -> tuple[int, int, bool]:
    """`8x1`, `24x2-product`: channels, blocks, and whether fields are multiplied."""
    size, _, kind = text.partition("-")
    channels, _, blocks = size.partition("x")
    if kind not in ("", "product"):
        raise ValueError(text)
    return int(channels), int(blocks), kind == "product"


def parse_transfer(text: str) -> tuple[int, int]:
    """`1to3`."""
    low, _, high = text.partition("to")
    if not 1 <= int(low) < int(high) <= 3:
        raise ValueError(text)
    return int(low), int(high)


COMMITTED: Sequence[Case] = (
    Case("allen-cahn", 1, 3),
    Case("diffusion", 1, 3),
    Case("fisher-kpp", 1, 3),
    Case("burgers", 2, 3, product=True),
)
"""The cases of the committed table."""
