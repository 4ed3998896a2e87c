"""The measured side: a process that prepares computations, times them and answers in lines of JSON."""

import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

Handler = Callable[..., Any]
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "processor": time.process_time}
"""Seconds that pass, and seconds that the processor spends on this process."""

MEMORY_VARIABLE = "GINJAX_BENCHMARK_MEMORY"


def limit_memory() -> None:
    """Refuse allocations past the limit in the environment, before the machine has to."""
    limit = int(os.environ.get(MEMORY_VARIABLE, 0))
    if limit:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def serve(kinds: dict[str, Callable[..., Any]], calls: dict[str, Handler]) -> None:
    """Answer until standard input ends.

    A request `{"do": "prepare", "name", "kind", ...}` makes a computation with `kinds[kind]` and runs it once; its
    `"clock"`, one of `CLOCKS`, counts the seconds, the one on the wall if it says none. `run` times it, `memory` asks the
    compiler, `drop` forgets it. Other names are looked up in `calls`. Standard output carries answers alone: what libraries
    print goes to standard error.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    ready: dict[str, Any] = {}
    clocks: dict[str, Callable[[], float]] = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = answer(request, ready, clocks, kinds, calls)
        except Exception as error:  # whatever a library raises is a result of the measurement
            reply = {"failed": reason(error)}
        gc.collect()
        answers.write(json.dumps(reply) + "\n")


def answer(
    request: dict[str, Any],
    ready: dict[str, Any],
    clocks: dict[str, Callable[[], float]],
    kinds: dict[str, Any],
    calls: dict[str, Handler],
) -> Any:
    """What comes of one request of `serve`; `ready` and `clocks` hold what was prepared, and the clock of each."""
    match request.pop("do"):
        case "prepare":
            name, kind = request.pop("name"), request.pop("kind")
            clock = clocks[name] = CLOCKS[request.pop("clock", "wall")]
            started = clock()
            ready[name] = kinds[kind](**request)
            built = clock()
            ready[name].run()
            first = clock()
            # Some libraries compile again when they first see their own output.
            ready[name].run()
            ready[name].run()
            return {"build_s": built - started, "first_s": first - built, **ready[name].facts}
        case "run":
            run, clock, seconds = ready[request["name"]].run, clocks[request["name"]], []
            for _ in range(request["times"]):
                started = clock()
                run()
                seconds.append(clock() - started)
            return seconds
        case "memory":
            return ready[request["name"]].memory()
        case "drop":
            ready.pop(request["name"], None)
            return None
        case other:
            return calls[other](**request)


def reason(error: BaseException) -> str:
    """One line that says what went wrong, without the source it went wrong in."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    starved = isinstance(error, MemoryError) or any(
        sign in text for sign in ("RESOURCE_EXHAUSTED", "Out of memory", "bad_alloc", "Cannot allocate")
    )
    return "out of memory" if starved else text[:200]
