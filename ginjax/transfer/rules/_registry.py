"""The rules that can be requested by name: one line each, and those that a user adds."""

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
"""The rules that come with the library, in the order of the list."""

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
    """Register a rule under its name, until the program ends.

    **Arguments:**

    - `named`: the rule and its properties; see any file of `ginjax/transfer/rules` for an example.

    **Returns:** `named`.

    **Raises:** `ArgumentError` for a name that is taken, or for an object that is not a rule. To apply a rule it need not be
    registered: pass the `Rule` itself.
    """
    return RULES.add(named.name, named)


def find_rule(name: str, flex: float | None = None) -> Rule | PlainRule:
    """Look up a rule by name, for networks of either kind.

    **Arguments:**

    - `name`: one of the names in `RULES`.
    - `flex`: for a rule that has one, such as `compat-flex`: 0 is the sparsest solution, 1 (default) is the spin solution.

    **Raises:** `ArgumentError` for an unknown name, or a flex that the rule does not have.
    """
    return RULES.find(name).at(flex)


def make_rule(name: str, flex: float | None = None) -> Rule:
    """Look up a rule by name, for networks of invariant filters.

    **Arguments:**

    - `name`, `flex`: see `find_rule`.

    **Raises:** `ArgumentError` as in `find_rule`, and for a rule of plain networks.
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
    """The rules and flex values that comparisons of all rules include.

    **Arguments:**

    - `plain`: whether to return the rules for plain networks instead of those for networks of invariant filters.

    **Returns:** `(name, flex)` of each. Second names of a rule are left out: `spin-embed`, and `compat-flex` at 1, are the same
    as `compatibility`.
    """
    return [
        (name, flex) for name, named in RULES.items() if named.is_plain == plain for flex in named.compared_at
    ]


def rule_label(name: str, flex: float | None) -> str:
    """The name of a rule of `compared_rules` in a table."""
    return name if flex is None else f"{name} {flex:g}"
