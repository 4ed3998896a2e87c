"""Rules by the name they have on the command line."""

from ginjax.errors import ArgumentError

from ._compatibility import Compatibility
from ._compatibility_norm import CompatibilityNorm
from ._none import Extend
from ._rule import Rule
from ._volume import Volume

RULE_NAMES = ("compatibility", "compat-flex", "spin-embed", "volume", "compatibility-norm", "none")

DISTINCT_RULES: tuple[tuple[str, float | None], ...] = (
    ("compatibility", None),
    ("compat-flex", 0.0),
    ("volume", None),
    ("compatibility-norm", None),
    ("none", None),
)
"""Rules and flex values that differ, for comparisons: `spin-embed` and `compat-flex` at 1 are `compatibility`."""


def make_rule(name: str, flex: float | None = None) -> Rule:
    """The rule of that name.

    **Arguments:**

    - `name`: one of `RULE_NAMES`.
    - `flex`: for `compat-flex` only: 0 is the sparsest solution, 1 (default) the spin solution.
    """
    if flex is not None and name != "compat-flex":
        raise ArgumentError("flex", got=f"rule {name!r}", expected="rule 'compat-flex'")
    match name:
        case "compatibility" | "spin-embed":
            return Compatibility(1.0, name)
        case "compat-flex":
            return Compatibility(1.0 if flex is None else flex, name)
        case "volume":
            return Volume()
        case "compatibility-norm":
            return CompatibilityNorm()
        case "none":
            return Extend()
    raise ArgumentError("rule", got=repr(name), expected=" or ".join(RULE_NAMES))


def rule_label(name: str, flex: float | None) -> str:
    """How a rule of `DISTINCT_RULES` is called in a table."""
    return name if flex is None else f"{name} {flex:g}"
