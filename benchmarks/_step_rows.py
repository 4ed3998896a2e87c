"""Rows of training steps: time, first time, memory."""

from collections.abc import Callable, Iterator

from _cases import CONVOLUTIONS, LARGE, PRODUCTS, STEPS, Case
from _rows import OURS, TORCH, UPSTREAM, Bench, Row, ask_fresh, compare, raced, words
from _workers import FailedError, Lane

REMAT, BFLOAT16 = "ours, rematerialised", "ours, bfloat16"
DIVIDED, PLAIN_DIVIDED = "ours, divided among cores", "plain, divided among cores"
NEURONS, MULTIPLIED = "vector neurons", "products"


def steps(bench: Bench, wanted: Callable[[str], bool]) -> Iterator[Row]:
    """Training steps of residual networks, with AdamW."""
    for name, case in (STEPS | LARGE).items():
        if not wanted(name) or (bench.quick and name in LARGE):
            continue
        ours = bench.start(OURS)
        kinds = {
            "ours": {},
            "plain": {"equivariant": False},
            REMAT: {"remat": True},
            BFLOAT16: {"precision": "bfloat16"},
        }
        can_divide = bench.cores > 1 and case.batch % bench.cores == 0
        if can_divide:
            kinds |= {DIVIDED: {"divided": True}, PLAIN_DIVIDED: {"divided": True, "equivariant": False}}
        lanes = {lane: Lane(ours, "step", {"case": case.to_json(), **more}) for lane, more in kinds.items()}
        if bench.with_upstream:
            lanes["upstream"] = Lane(bench.start(UPSTREAM), "step", {"case": case.to_json()})
        if bench.with_torch:
            lanes["PyTorch"] = Lane(bench.start(TORCH), "step", {"case": case.to_json()})
        row = raced(bench, name, f"training step, {words(case)}", case, lanes)
        compare(row, "ours", "upstream", 1 / 20 if name in STEPS else None)
        compare(row, "ours", "plain", 1.0 if name in STEPS else None)
        target = 1.0 if name in STEPS else None
        compare(row, "ours", "PyTorch", None if can_divide else target)
        if can_divide:
            compare(row, DIVIDED, "PyTorch", target)
            compare(row, DIVIDED, PLAIN_DIVIDED)
            compare(row, DIVIDED, "ours")
        compare(row, REMAT, "ours")
        compare(row, BFLOAT16, "ours")
        yield row


def first_steps(bench: Bench, wanted: Callable[[str], bool]) -> Iterator[Row]:
    """The first step, compilation included, each in a process that has done nothing else."""
    rows: list[tuple[str, str, str, Case, float | None]] = [
        (f"first-{name}", "first step", "step", case, 1 / 3) for name, case in STEPS.items()
    ]
    rows.append(("first-conv", "first run, convolution", "conv", CONVOLUTIONS["conv-3d-vector"], None))
    for name, what, kind, case, target in rows:
        if not wanted(name):
            continue
        request = {"do": "prepare", "name": name, "kind": kind, "case": case.to_json()}
        plain = {"equivariant": False} if kind == "step" else {"kind": "plain_conv"}
        requests = {"ours": (OURS, request), "plain": (OURS, {**request, **plain})}
        if bench.with_upstream:
            requests["upstream"] = (UPSTREAM, request)
        row = Row(name, f"{what}, {words(case)}", "seconds", {}, case=case.to_json())
        ask_fresh(bench, row, requests, 1 if bench.quick else 5, "first_s")
        compare(row, "ours", "upstream", target)
        compare(row, "ours", "plain")
        yield row


def product_rows(bench: Bench, wanted: Callable[[str], bool]) -> Iterator[Row]:
    """Steps and first steps with products of fields against those with vector neurons, without norm, in processor time."""
    for name, case in PRODUCTS.items():
        requests = {
            lane: {
                "case": case.to_json(),
                "options": {"use_group_norm": False, "nonlinearity": nonlinearity},
                "clock": "processor",
            }
            for lane, nonlinearity in ((NEURONS, "vector-neuron"), (MULTIPLIED, "product"))
        }
        if wanted(name):
            ours = bench.start(OURS)
            lanes = {lane: Lane(ours, "step", request) for lane, request in requests.items()}
            row = raced(bench, name, f"training step, {words(case)}, no norm", case, lanes)
            compare(row, MULTIPLIED, NEURONS, 3.0)
            yield row
        if wanted(f"first-{name}"):
            fresh = {
                lane: (OURS, {"do": "prepare", "name": lane, "kind": "step", **request})
                for lane, request in requests.items()
            }
            title = f"first step, {words(case)}, no norm"
            row = Row(f"first-{name}", title, "seconds", {}, case=case.to_json())
            ask_fresh(bench, row, fresh, 1 if bench.quick else 5, "first_s")
            compare(row, MULTIPLIED, NEURONS, 1.5)
            yield row


def memory_rows(bench: Bench, wanted: Callable[[str], bool]) -> Iterator[Row]:
    """Temporary memory of a training step, by the compiler's account."""
    for name, case in (STEPS | LARGE).items():
        if not wanted(f"memory-{name}") or (bench.quick and name in LARGE):
            continue
        worker, lanes = bench.start(OURS), {}
        for lane, more in {
            "plain": {"equivariant": False},
            "ours": {},
            REMAT: {"remat": True},
            BFLOAT16: {"precision": "bfloat16"},
        }.items():
            try:
                worker.ask("prepare", name=lane, kind="step", case=case.to_json(), **more)
                size = float(worker.ask("memory", name=lane))
                lanes[lane] = {"median": size, "q1": size, "q3": size}
            except FailedError as error:
                lanes[lane] = {"failed": str(error)}
        worker.close()
        row = Row(f"memory-{name}", f"memory of a training step, {words(case)}", "bytes", lanes)
        row.case = case.to_json()
        for lane, target in (("ours", 2.0), (REMAT, 1.0), (BFLOAT16, None)):
            compare(row, lane, "plain", target)
        yield row
