"""What a worker times, whatever library it measures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Prepared:
    """A computation ready to be timed.

    - `run`: does it once and waits for the result; the first time compiles it.
    - `memory`: bytes of temporary memory by the compiler's account.
    - `facts`: what else is to be recorded with its times.
    """

    run: Callable[[], None]
    memory: Callable[[], int]
    facts: dict[str, Any]
