"""Where conversion is exact, cell by cell: architecture, fields, filters, dimensions, boundaries.

Every day: the algebraic certificate of a third of all cells, and the lift test of a few. With `-m slow` both of every
cell, and with `-n 0 -s` as well the matrix is printed as Markdown, as `docs/results/coverage.md` shows it:

    pytest -n 0 -s -m slow tests/test_coverage_matrix.py

`GINJAX_MATRIX=FILE` writes it to a file.
"""

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from drawn_records import MIDDLE, TENSOR, drawn_record, small_spec
from helpers import (
    FIXTURES,
    FULL2,
    FULL3,
    ORTHOPLEX5,
    SV,
    S,
    V,
    lift_defect,
    random_field,
    relative_difference,
)
from layer_by_layer import run_by_layer
from small_models import run
from strided_series import StridedSeries
from sweeps import few

from ginjax.checkpoint import ModelRecord, convert_record, read_model, write_model
from ginjax.filters import BankRecipe
from ginjax.geometric import MultiImage
from ginjax.models import ARCHITECTURES as REGISTERED
from ginjax.models import ModelSpec, from_record, register_architecture

ARCHITECTURES = {
    "ResNet": ("ResNet", {}),
    "DilResNet": ("DilResNet", {}),
    "UNet, repeat": ("UNet", {"upsample": "repeat"}),
    "SimpleConvSeries": ("SimpleConvSeries", {}),
    "UNet, transpose": ("UNet", {"upsample": "transpose"}),
    "stride 2": ("StridedSeries", {}),
    "stride 2 and back": ("StridedSeries", {"transposed": True}),
}
SIGNATURES = {"scalar": S, "vector": V, "scalar+vector": SV, "2-tensor": TENSOR}
BASES = {"orthoplex 5": ORTHOPLEX5, "full 3": FULL3, "full 5": BankRecipe(5), "full 2": FULL2}
TRANSPOSED = {"UNet, transpose": "upsample_blocks.0.0", "stride 2 and back": "last"}
"""The transposed convolution of those that have one."""
STEPS = ((1, 2), (2, 3), (1, 3), (2, 4), (3, 4))

ORDINARY = [
    (architecture, signature, basis, step)
    for architecture in list(ARCHITECTURES)[:4]
    for signature in ("scalar", "vector", "scalar+vector")
    for basis in ("orthoplex 5", "full 3")
    for step in ((1, 2), (2, 3), (1, 3))
]
"""The 72 cases by which implementations are compared."""

EVERY = list(itertools.product(ARCHITECTURES, SIGNATURES, BASES, STEPS))
"""All cases, some of which cannot be built."""

ALGEBRAIC, LIFT = 1e-12, 1e-9
"""Largest residual of (C) and largest lift defect that count as exact, for float64 weights in float64."""

STORED, SINGLE = 1e-5, 1e-4
"""Largest lift defect of a file in single precision, run in double and in single precision."""

Runner = Callable[[Any, MultiImage], MultiImage]

SIDE, ADDED = 6, {2: 4, 3: 4, 4: 2}
"""Pixels along an old axis, and along an added one by the new dimension."""


@pytest.fixture(scope="module", autouse=True)
def strided_series():
    """One more architecture for as long as the matrix needs it: one line of registration."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(REGISTERED, "_known", dict(REGISTERED._known))
        register_architecture(StridedSeries)
        yield


@dataclass(frozen=True)
class Cell:
    """One conversion; `periodic` is about the old axes, added ones always are."""

    architecture: str
    signature: str
    basis: str
    step: tuple[int, int]
    periodic: bool = True

    @property
    def spec(self) -> ModelSpec:
        architecture, options = ARCHITECTURES[self.architecture]
        inputs = SIGNATURES[self.signature]
        if self.signature != "2-tensor":
            return small_spec(architecture, inputs, **options)
        # Scalars and vectors in the middle and at the end: outputs of order 2 are another matter. A series takes
        # its middle from its ends, so it has one layer.
        inner = {"depth": 1} if architecture == "SimpleConvSeries" else {"mid_keys": MIDDLE}
        return small_spec(architecture, inputs, SV, **options, **inner)

    @property
    def is_exact(self) -> bool:
        """What theory says. A transposed convolution of side 2 is exact for scalars, and for vectors out of 1D."""
        if self.architecture not in TRANSPOSED or self.signature == "scalar":
            return True
        return self.signature == "vector" and self.step[0] == 1

    @property
    def is_possible(self) -> bool:
        """Nearest-neighbour up-sampling wants an odd side; a stride meets the grid evenly with an even one."""
        if self.basis == "full 2":
            return self.architecture != "UNet, repeat"
        return ARCHITECTURES[self.architecture][0] != "StridedSeries"

    @property
    def is_large(self) -> bool:
        """Filters of order 3 and side 5 in four dimensions: millions of entries, half a minute to solve for."""
        return self.signature == "2-tensor" and self.basis == "full 5" and self.step[1] == 4

    @property
    def label(self) -> str:
        boundary = "periodic" if self.periodic else "mixed"
        return f"{self.architecture}, {self.signature}, {self.basis}, {arrow(self.step)}, {boundary}"

    def record(self, **options) -> ModelRecord:
        return drawn_record(
            self.spec, self.step[0], BASES[self.basis], seed=self.step[1], is_torus=self.periodic, **options
        )


def arrow(step: tuple[int, int]) -> str:
    return f"{step[0]}→{step[1]}"


def lift(before: ModelRecord, after: ModelRecord, dtype: str = "float64", run: Runner = run) -> float:
    """`max |f'(E x) - E f(x)| / max |E f(x)|` with everything in one precision."""
    low, high = (
        replace(record, arrays={name: a.astype(dtype) for name, a in record.arrays.items()})
        for record in (before, after)
    )
    added = (ADDED[high.D],) * (high.D - low.D)
    halved = low.spec["architecture"] == "StridedSeries" and not low.spec["options"]["transposed"]
    with jax.enable_x64(dtype == "float64"):
        models = from_record(low), from_record(high)
        x = random_field(models[0].spec.inputs, low.D, SIDE, is_torus=low.is_torus, dtype=dtype)
        return lift_defect(*((lambda f, m=m: run(m, f)) for m in models), x, added, 2 if halved else 1)


def convert(record: ModelRecord, step: tuple[int, int]) -> ModelRecord:
    return convert_record(record, step[1], "compatibility").after


# --- the certificate of every cell ----------------------------------------------------------------------------------


def certify(cell: Cell) -> None:
    """The residual of (C) from float64 weights, and what is said of it."""
    done = convert_record(cell.record(), cell.step[1], "compatibility")
    certificate, added = done.certificate, cell.step[1] - cell.step[0]
    assert done.after.is_torus == (cell.periodic,) * cell.step[0] + (True,) * added
    assert certificate.exact == cell.is_exact, cell.label
    if cell.is_exact:
        assert certificate.residual <= ALGEBRAIC, cell.label
        assert not any(path.note for path in certificate.paths)
    else:
        assert certificate.residual > 0.1, cell.label
        # Nothing but the transposed convolutions is inexact, and each says why.
        for path in certificate.inexact_paths:
            assert path.layer == TRANSPOSED[cell.architecture] and path.note.startswith(
                "transposed convolution"
            )


@pytest.mark.parametrize("in_turn", [True, *few(False)], ids=["boundaries in turn", "every boundary"])
@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_certificate_of_every_cell(architecture, signature, in_turn):
    every = itertools.product(BASES, STEPS, (True, False))
    for basis, step, periodic in itertools.islice(every, 0, None, 3 if in_turn else 1):
        cell = Cell(architecture, signature, basis, step, periodic)
        if cell.is_possible and not cell.is_large:
            certify(cell)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", list(ARCHITECTURES)[:5])
def test_the_certificate_of_large_cells(architecture):
    for step in ((2, 4), (3, 4)):
        cell = Cell(architecture, "2-tensor", "full 5", step)
        assert cell.is_large
        certify(cell)


@pytest.mark.parametrize("rule", ["none", "volume"])
def test_no_other_rule_is_exact_anywhere(rule):
    for architecture, signature, basis, step in ORDINARY:
        record = Cell(architecture, signature, basis, step).record()
        certificate = convert_record(record, step[1], rule).certificate
        assert not certificate.exact and certificate.residual > 1e-3


def test_tensor_outputs_keep_their_old_components():
    for basis, step in itertools.product(("orthoplex 5", "full 3", "full 5"), ((1, 2), (2, 3))):
        spec = small_spec("SimpleConvSeries", S, TENSOR, depth=1)
        certificate = convert_record(
            drawn_record(spec, step[0], BASES[basis]), step[1], "compatibility"
        ).certificate
        (path,) = certificate.paths
        assert not certificate.exact and path.residual == path.residual_new > 0.01
        assert path.note.startswith("output of order 2")


# --- the lift test of a few -----------------------------------------------------------------------------------------

FEW = [
    Cell("ResNet", "2-tensor", "full 3", (1, 2), False),
    Cell("UNet, transpose", "scalar", "full 5", (1, 3)),
    Cell("SimpleConvSeries", "scalar+vector", "full 3", (2, 4)),
    Cell("SimpleConvSeries", "vector", "orthoplex 5", (3, 4), False),
    Cell("ResNet", "scalar+vector", "full 2", (2, 3), False),
    Cell("stride 2", "scalar+vector", "full 2", (2, 3), False),
    Cell("stride 2", "vector", "full 2", (1, 3)),
    Cell("stride 2 and back", "vector", "full 2", (1, 2)),
    Cell("stride 2 and back", "scalar", "full 2", (2, 3), False),
]


MORE = [
    Cell("DilResNet", "vector", "full 3", (2, 3)),
    Cell("UNet, repeat", "scalar+vector", "full 3", (2, 3), False),
]
"""Whole networks of `models/verify/test_lift.py`."""


@pytest.mark.parametrize("cell", [*FEW, *few(*MORE)], ids=lambda cell: cell.label)
def test_the_lift_test_of_a_few(cell):
    record = cell.record()
    assert cell.is_exact
    assert lift(record, convert_record(record, cell.step[1], "compatibility").after) <= LIFT
    assert lift(record, convert_record(record, cell.step[1], "none").after) > 1e-3


# --- the whole matrix -----------------------------------------------------------------------------------------------


@pytest.fixture
def few_programs():
    """Compiled programs are forgotten after the test: a thousand of them use up the memory maps of a process."""
    yield
    jax.clear_caches()


TABLES = {
    "float64": ("Weights and networks in float64", LIFT),
    "stored": ("Weights stored in float32, networks in float64", STORED),
    "float32": ("Everything in float32 (the ordinary cases)", SINGLE),
}
"""Title and limit of each table."""

Defects = dict[str, dict[Cell, float]]


@pytest.fixture(scope="module")
def matrix():
    """Lift defects by table and cell; shown at the end."""
    defects: Defects = {name: {} for name in TABLES}
    yield defects
    if defects["float64"]:
        text = as_markdown(defects)
        print(f"\n{text}")
        if "GINJAX_MATRIX" in os.environ:
            Path(os.environ["GINJAX_MATRIX"]).write_text(text + "\n")


def as_markdown(defects: Defects) -> str:
    """Every table that has entries, and how many of the ordinary cases are exact."""
    lines = []
    for name, (title, limit) in TABLES.items():
        if defects[name]:
            lines += [f"*{title}; exact up to {limit:.0e}*", ""]
            for basis in BASES:
                of_basis = {cell: defect for cell, defect in defects[name].items() if cell.basis == basis}
                if of_basis:
                    lines += [f"Filters: {basis}", "", *_table(of_basis, limit), ""]
    ordinary = [Cell(*case) for case in ORDINARY]
    measured = [cell for cell in ordinary if cell in defects["float64"]]
    exact = sum(defects["float64"][cell] <= LIFT for cell in measured)
    cells = len(defects["float64"])
    return "\n".join(
        [
            *lines,
            f"Ordinary cases: {len(ordinary)}, run: {len(measured)}, exact: {exact}. All cells run: {cells}.",
        ]
    )


def _table(defects: dict[Cell, float], limit: float) -> list[str]:
    """Rows architecture and fields, columns dimensions, of cells with one basis; the larger of both boundaries."""
    order = list(itertools.product(ARCHITECTURES, SIGNATURES))
    rows = [row for row in order if any((cell.architecture, cell.signature) == row for cell in defects)]
    basis = next(iter(defects)).basis
    columns = [step for step in STEPS if any(cell.step == step for cell in defects)]
    lines = [
        "| architecture | fields | " + " | ".join(arrow(step) for step in columns) + " |",
        "|---|---|" + "---:|" * len(columns),
    ]
    for architecture, signature in rows:
        entries = []
        for step in columns:
            found = [
                defects[cell]
                for periodic in (True, False)
                if (cell := Cell(architecture, signature, basis, step, periodic)) in defects
            ]
            worst = max(found, default=None)
            entries.append("-" if worst is None else f"{worst:.0e}" if worst <= limit else f"**{worst:.2g}**")
        lines.append(f"| {architecture} | {signature} | " + " | ".join(entries) + " |")
    return lines


def test_the_matrix_as_a_table():
    good, bad = Cell(*ORDINARY[0]), Cell("UNet, transpose", "vector", "full 3", (2, 3), False)
    other = replace(good, basis="full 3")
    defects = {"float64": {bad: 0.25, good: 2e-15, replace(good, periodic=False): 3e-15, other: 3e-15}}
    assert as_markdown(defects | {"stored": {good: 2e-6}, "float32": {}}).splitlines() == [
        "*Weights and networks in float64; exact up to 1e-09*",
        "",
        "Filters: orthoplex 5",
        "",
        "| architecture | fields | 1→2 |",
        "|---|---|---:|",
        "| ResNet | scalar | 3e-15 |",
        "",
        "Filters: full 3",
        "",
        "| architecture | fields | 1→2 | 2→3 |",
        "|---|---|---:|---:|",
        "| ResNet | scalar | 3e-15 | - |",
        "| UNet, transpose | vector | - | **0.25** |",
        "",
        "*Weights stored in float32, networks in float64; exact up to 1e-05*",
        "",
        "Filters: orthoplex 5",
        "",
        "| architecture | fields | 1→2 |",
        "|---|---|---:|",
        "| ResNet | scalar | 2e-06 |",
        "",
        "Ordinary cases: 72, run: 2, exact: 2. All cells run: 4.",
    ]
    assert len(ORDINARY) == len(set(ORDINARY)) == 72


def test_the_published_matrix_is_that_of_the_cells():
    """Every cell has its entry in the page, bold exactly where it cannot be exact, and the summary is its maximum."""
    published = read_markdown((FIXTURES.parent / "docs/results/coverage.md").read_text(encoding="utf-8"))
    assert published.keys() == {title for title, _ in TABLES.values()}
    for name, (title, limit) in TABLES.items():
        cells = [Cell(*case) for case in (ORDINARY if name == "float32" else EVERY)]
        wanted = {(c.basis, c.architecture, c.signature, c.step): c.is_exact for c in cells if c.is_possible}
        assert {place: is_exact for place, (_, is_exact) in published[title].items()} == wanted
        assert all((value <= limit) == is_exact for value, is_exact in published[title].values())
    worst = dict.fromkeys(ARCHITECTURES, 0.0)
    for (_, architecture, _, _), (value, is_exact) in published[TABLES["stored"][0]].items():
        worst[architecture] = max(worst[architecture], value if is_exact else 0.0)
    summary = read_summary((FIXTURES.parent / "docs/results/coverage.md").read_text(encoding="utf-8"))
    assert summary.keys() == ARCHITECTURES.keys()
    for architecture, (*by_signature, stored) in summary.items():
        assert float(stored.split()[0]) == worst[architecture]
        for signature, shown in zip(SIGNATURES, by_signature, strict=True):
            found = [
                entry
                for (_, *row, _), entry in published[TABLES["float64"][0]].items()
                if row == [architecture, signature]
            ]
            exact = [value for value, is_exact in found if is_exact]
            if shown.startswith("exact in"):
                assert shown == f"exact in {len(exact)} of {len(found)}"
            else:
                assert len(exact) == len(found) and float(shown) == max(exact)


def read_markdown(page: str) -> dict[str, dict[tuple, tuple[float, bool]]]:
    """By title, and by basis, architecture, fields and step: the number, and whether it is shown as exact."""
    tables: dict = {}
    title, basis, steps = "", "", []
    for line in page.split("<!-- matrix -->")[1].split("<!-- /matrix -->")[0].splitlines():
        entries = [entry.strip() for entry in line.strip("|").split(" | ")]
        if line.startswith("*"):
            title = line.strip("*").split(";")[0]
        elif line.startswith("Filters: "):
            basis = line.removeprefix("Filters: ")
        elif line.startswith("| architecture"):
            steps = [next(step for step in STEPS if arrow(step) == entry) for entry in entries[2:]]
        elif line.startswith("| "):
            for step, entry in zip(steps, entries[2:], strict=True):
                if entry != "-":
                    place = (basis, entries[0], entries[1], step)
                    tables.setdefault(title, {})[place] = (float(entry.strip("*")), "*" not in entry)
    return tables


def read_summary(page: str) -> dict[str, list[str]]:
    rows = page.split("| architecture | scalar |")[1].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    return {first: rest for first, *rest in cells}


def test_a_network_by_layers_is_the_network():
    record = FEW[0].record()
    with jax.enable_x64(True):
        model = from_record(record)
        x = random_field(model.spec.inputs, record.D, SIDE, dtype="float64")
        whole, by_layer = run(model, x), run_by_layer(model, x)
        assert relative_difference(by_layer, whole) < 1e-13


@pytest.mark.slow
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("periodic", [True, False], ids=["periodic", "mixed"])
def test_the_lift_test_of_every_cell(matrix, tmp_path, periodic, signature, basis):
    """All cells of one group, whose layers are the same: the whole group is measured before anything is judged."""
    if basis == next(iter(BASES)):
        jax.clear_caches()  # the bases share norms and nonlinearities; see `few_programs`
    wrong = []
    for architecture, step in itertools.product(ARCHITECTURES, STEPS):
        cell = Cell(architecture, signature, basis, step, periodic)
        if not cell.is_possible:
            continue
        before = cell.record()
        defect = matrix["float64"][cell] = lift(before, convert(before, step), run=run_by_layer)
        if (defect <= LIFT) != cell.is_exact:
            wrong.append(f"{cell.label}: {defect:.1e}")
        # The same through files in single precision: what is left is the rounding of the weights.
        single = as_single(before)
        paths = tmp_path / "low", tmp_path / "high"
        for path, record in zip(paths, (single, convert(single, step)), strict=True):
            write_model(path, record, force=True)
        defect = matrix["stored"][cell] = lift(*map(read_model, paths), run=run_by_layer)
        if (defect <= STORED) != cell.is_exact:
            wrong.append(f"{cell.label}, stored in single precision: {defect:.1e}")
    assert wrong == []


def as_single(record: ModelRecord) -> ModelRecord:
    return replace(record, arrays={name: a.astype(np.float32) for name, a in record.arrays.items()})


@pytest.mark.slow
@pytest.mark.parametrize("basis", ["orthoplex 5", "full 3"])
@pytest.mark.parametrize("signature", list(SIGNATURES)[:3])
def test_single_precision(matrix, few_programs, signature, basis):
    wrong = []
    for case in ORDINARY:
        cell = Cell(*case)
        if (cell.signature, cell.basis) != (signature, basis):
            continue
        before = cell.record(dtype=np.float32)
        defect = lift(before, convert(before, cell.step), "float32", run_by_layer)
        matrix["float32"][cell] = defect
        if defect > SINGLE:
            wrong.append(f"{cell.label}: {defect:.1e}")
    assert wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("step", [(1, 2), (2, 3)], ids=arrow)
@pytest.mark.parametrize("basis", ["orthoplex 5", "full 3"])
def test_single_precision_through_eight_normalised_blocks(few_programs, basis, step):
    """Compiled as a whole, as a user runs it."""
    spec = small_spec("ResNet", SV, num_blocks=8, num_conv=2)
    before = drawn_record(spec, step[0], BASES[basis], dtype=np.float32)
    after = convert(before, step)
    assert lift(before, after, "float32") <= SINGLE
    assert lift(before, after) <= STORED
    assert lift(before, convert_record(before, step[1], "none").after, "float32") > 1e-2
