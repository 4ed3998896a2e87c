"""The rules that can be asked for by name: one line each, and what a user adds."""

from collections.abc import Sequence

from ginjax._registry import Registry
from ginjax.errors import ArgumentError

from ._centre import CENTRE
from ._compatibility import COMPAT_FLEX, COMPATIBILITY, SPIN_EMBED
from ._compatibility_norm import COMPATIBILITY_NORM
from ._isotropic import ISOTROPIC
from ._mean import MEAN
from ._named_rule import NamedRule
from ._none import NONE
from ._rule import PlainRule, Rule
from ._tile import TILE
from ._volume import VOLUME

OWN: tuple[NamedRule, ...] = (
    COMPATIBILITY,
    ISOTROPIC,
    COMPAT_FLEX,
    SPIN_EMBED,
    VOLUME,
    COMPATIBILITY_NORM,
    NONE,
    TILE,
    CENTRE,
    MEAN,
)
"""The rules that come with the library, in the order in which they are listed."""

RULE_NAMES = tuple(named.name for named in OWN if not named.is_plain)
"""The library's own rules for networks of invariant filters."""

PLAIN_RULES = tuple(named.name for named in OWN if named.is_plain)
"""The library's own rules for plain networks."""


def _check(name: str, named: NamedRule) -> None:
    if not isinstance(named, NamedRule) or named.name != name:
        raise ArgumentError(
            f"transfer rule {name!r}",
            got=type(named).__name__,
            expected=f"a ginjax.transfer.NamedRule of the name {name!r}",
        )
    if not name or any(letter.isspace() for letter in name) or name == "all":
        raise ArgumentError(
            "name of the transfer rule",
            got=repr(name),
            expected="one word, but not 'all', which stands for every rule",
        )
    if isinstance(named.rule, type) or not isinstance(named.rule, Rule | PlainRule):
        raise ArgumentError(
            f"transfer rule {name!r}",
            got=f"the class {named.rule.__name__}"
            if isinstance(named.rule, type)
            else type(named.rule).__name__,
            expected="a rule: name, promises_compatibility, and a call (weights, pair) -> weights",
        )


RULES = Registry(
    "transfer rule",
    {named.name: named for named in OWN},
    home="ginjax.transfer.rules._registry:RULES",
    group="ginjax.rules",
    check=_check,
)
"""Every rule by name: the library's own, then those of `register_rule` and of installed packages."""


def register_rule(named: NamedRule) -> NamedRule:
    """Let a rule be asked for by name, until the program ends.

    **Arguments:**

    - `named`: the rule and what is said of it; see any file of `ginjax/transfer/rules` for an example.

    **Returns:** `named`.

    **Raises:** `ArgumentError` for a name that is taken, or for what is not a rule. A rule need not be registered to be
    applied: hand the `Rule` itself over.
    """
    return RULES.add(named.name, named)


def find_rule(name: str, flex: float | None = None) -> Rule | PlainRule:
    """The rule of that name, for networks of either kind.

    **Arguments:**

    - `name`: one of the names in `RULES`.
    - `flex`: for a rule that has one, such as `compat-flex`: 0 is the sparsest solution, 1 (default) the spin solution.

    **Raises:** `ArgumentError` for an unknown name, or a flex that the rule does not have.
    """
    return RULES.find(name).at(flex)


def make_rule(name: str, flex: float | None = None) -> Rule:
    """The rule of that name, for networks of invariant filters.

    **Arguments:**

    - `name`, `flex`: see `find_rule`.

    **Raises:** `ArgumentError` as `find_rule` does, and for a rule of plain networks.
    """
    rule = find_rule(name, flex)
    if not isinstance(rule, Rule):
        raise ArgumentError(
            "transfer rule",
            got=f"{name!r}, which is for plain networks",
            expected="one of " + ", ".join(each for each, named in RULES.items() if not named.is_plain),
        )
    return rule


def compared_rules(plain: bool = False) -> Sequence[tuple[str, float | None]]:
    """The rules and flex values that comparisons set side by side.

    **Arguments:**

    - `plain`: those for plain networks instead of those for networks of invariant filters.

    **Returns:** `(name, flex)` of each. Other names of a rule that is in it are left out: `spin-embed`, and
    `compat-flex` at 1, are `compatibility`.
    """
    return [
        (name, flex) for name, named in RULES.items() if named.is_plain == plain for flex in named.compared_at
    ]


def rule_label(name: str, flex: float | None) -> str:
    """How a rule of `compared_rules` is called in a table."""
    return name if flex is None else f"{name} {flex:g}"
