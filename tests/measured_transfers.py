"""Results of the benchmark of transfers, made up."""

from dataclasses import replace

from transferbench._cells import Case, Cell
from transferbench._results import Result, Seconds

CASE = Case("diffusion", 1, 3)


def result(method="zero-shot", samples=0, seed=0, error=0.1, **changed):
    """A measured network of one case."""
    made = Result(
        Cell(CASE, method, samples, seed),
        rule="compatibility",
        cover=False,
        rate=0.0,
        steps=0,
        levelled=None,
        parameters=10,
        errors={1: error, 20: 2 * error},
        diverged=0.0,
        unchanged={1: 0.3, 20: 0.9},
        validation=(error, 2 * error),
        seconds=Seconds(low_training=1.0),
    )
    return replace(made, **changed)
