"""A transfer rule as it is asked for by name."""

from collections.abc import Callable
from dataclasses import dataclass

from ginjax.errors import ArgumentError

from ._rule import PlainRule, Rule


@dataclass(frozen=True)
class NamedRule:
    """A transfer rule with its name and properties, as its file declares it.

    **Arguments:**

    - `rule`: a `Rule` for networks of invariant filters, or a `PlainRule` for plain ones.
    - `about`: what it does, in one line.
    - `with_flex`: the rule at a given flex, if it has one.
    - `compared_at`: the flex values at which it has a row in comparisons of all rules, None for the rule as it is;
      empty for another name of a rule that is compared already.
    """

    rule: Rule | PlainRule
    about: str
    with_flex: Callable[[float], Rule] | None = None
    compared_at: tuple[float | None, ...] = (None,)

    @property
    def name(self) -> str:
        """What the rule is called."""
        return self.rule.name

    @property
    def is_plain(self) -> bool:
        """Whether it is for plain networks."""
        return not isinstance(self.rule, Rule)

    def at(self, flex: float | None = None) -> Rule | PlainRule:
        """The rule, at a flex if one is given.

        **Raises:** `ArgumentError` for a flex that the rule does not have.
        """
        if flex is None:
            return self.rule
        if self.with_flex is None:
            raise ArgumentError("flex", got=f"rule {self.name!r}", expected="rule 'compat-flex'")
        return self.with_flex(flex)
