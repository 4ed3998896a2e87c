"""Measures the reference library, through its public interface, in its own environment."""

from _serve import limit_memory, serve

limit_memory()

from typing import Any  # noqa: E402

import equinox as eqx  # noqa: E402
import jax  # noqa: E402
import optax  # noqa: E402
from _calls import build_filters, versions  # noqa: E402
from _cases import Case  # noqa: E402
from _prepared import Prepared  # noqa: E402
from _workload import convolution, map_and_loss, random_fields, resnet  # noqa: E402

from ginjax.ml import smse_loss, train_step  # noqa: E402 # pyright: ignore[reportAttributeAccessIssue]


def conv(case: dict[str, Any]) -> Prepared:
    return convolution(Case.from_json(case))


def step(case: dict[str, Any]) -> Prepared:
    """One AdamW step through the library's own `train_step`, which wants an axis of devices in front."""
    size = Case.from_json(case)
    model = resnet(size)
    of_batch, optimizer = map_and_loss(smse_loss), optax.adamw(1e-3)
    x, y = (jax.tree.map(lambda leaf: leaf[None], random_fields(size, seed, 1)) for seed in (0, 1))
    state = [(model, optimizer.init(eqx.filter(model, eqx.is_inexact_array)))]

    def run() -> None:
        fresh, opt_state, loss, _ = train_step(of_batch, state[0][0], optimizer, state[0][1], x, y)
        state[0] = fresh, opt_state
        jax.block_until_ready((loss, eqx.filter(fresh, eqx.is_array)))

    def memory() -> int:
        raise NotImplementedError("its training step does not tell its memory")

    return Prepared(run, memory, {})


if __name__ == "__main__":
    serve({"conv": conv, "step": step}, {"filters": build_filters, "versions": versions})
