"""The programs that are compared: lanes of a case, built from what the other benchmarks run."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
from _cases import Case
from _programs import on_arrays, plain_convolution, training_step
from _workload import convolution_program, shapes_of

import ginjax.geometric as geom
from ginjax.geometric.conv._ways import Way, use_way

PRECISIONS = {"float32": "highest", "tf32": "tensorfloat32", "tf32x3": "TF32_TF32_F32_X3"}
"""JAX's names of the precisions of products."""


@dataclass(frozen=True)
class Lane:
    """One way to compute a case.

    - `network`: this library's, or an ordinary one with as many numbers at each pixel.
    - `precision`: of products, one of `PRECISIONS`.
    - `way`: overrules the library's own choice of how to compute its convolutions.
    - `channels_last`: the order of axes of an ordinary convolution.
    """

    network: Literal["ours", "plain"]
    precision: str = "float32"
    way: Way | None = None
    channels_last: bool = False


LANES = {
    "ours": Lane("ours"),
    "ours, TF32": Lane("ours", "tf32"),
    "ours, TF32 x 3": Lane("ours", "tf32x3"),
    "by XLA": Lane("ours", way="basis"),
    "dense": Lane("ours", way="dense"),
    "dense, TF32": Lane("ours", "tf32", way="dense"),
    "plain": Lane("plain"),
    "plain, TF32": Lane("plain", "tf32"),
    "plain, TF32, channels last": Lane("plain", "tf32", channels_last=True),
}
CONVOLUTION_LANES = (
    "ours",
    "ours, TF32",
    "by XLA",
    "dense",
    "plain",
    "plain, TF32",
    "plain, TF32, channels last",
)
STEP_LANES = ("ours", "ours, TF32", "by XLA", "plain", "plain, TF32")
"""Those of a full run; `TF32 x 3` ends the compiler, and so the run, with some sizes."""


@dataclass(frozen=True)
class Program:
    """A function of arrays, its arguments or their shapes, and the numbers of those that are donated.

    - `filters`: of a convolution of ours, the number of filters by tensor order.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    donated: tuple[int, ...] = ()
    filters: dict[str, int] | None = None


def build(case: Case, lane: Lane) -> Program:
    """The program of a lane: forward and backward pass of a convolution, or a training step."""
    if case.blocks:
        update, state = training_step(case, equivariant=lane.network == "ours")
        function, arrays = on_arrays(update, state)
        return Program(function, (arrays, _fields(case, 1), _fields(case, 1)), (0,))
    if lane.network == "plain":
        function, shapes = plain_convolution(case, lane.channels_last)
        return Program(function, tuple(jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes))
    function, weights, facts = convolution_program(case)
    filters = {str(order): count for order, count in facts["filters"].items()}
    return Program(function, (weights, _fields(case), _fields(case)), filters=filters)


@contextlib.contextmanager
def settings(lane: Lane) -> Iterator[None]:
    """What has to hold while a lane's program is built and traced."""
    with use_way(lane.way), jax.default_matmul_precision(PRECISIONS[lane.precision]):
        yield


def _fields(case: Case, channels: int | None = None) -> Any:
    """A batch of fields without numbers: those of a GPU's size need not fit in here."""
    blocks = {
        key: jax.ShapeDtypeStruct(shape, jnp.float32) for key, shape in shapes_of(case, channels).items()
    }
    return jax.eval_shape(lambda blocks: geom.MultiImage(blocks, case.D), blocks)
