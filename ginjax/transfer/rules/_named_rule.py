"""A transfer rule with its name and properties."""

from collections.abc import Callable
from dataclasses import dataclass

from ginjax.errors import ArgumentError

from ._rule import PlainRule, Rule


@dataclass(frozen=True)
class NamedRule:
    """A transfer rule with its name and properties, as its file declares them.

    **Arguments:**

    - `rule`: a `Rule` for networks of invariant filters, or a `PlainRule` for plain ones.
    - `about`: what it does, in one line.
    - `with_flex`: a function that gives the rule at a flex, if the rule has one.
    - `compared_at`: the flex values at which comparisons of all rules have a row for it, None for the rule without a flex;
      empty for a second name of a rule that is already compared.
    """

    rule: Rule | PlainRule
    about: str
    with_flex: Callable[[float], Rule] | None = None
    compared_at: tuple[float | None, ...] = (None,)

    @property
    def name(self) -> str:
        """Name of the rule."""
        return self.rule.name

    @property
    def is_plain(self) -> bool:
        """Whether the rule is for plain networks."""
        return not isinstance(self.rule, Rule)

    def at(self, flex: float | None = None) -> Rule | PlainRule:
        """The rule, at a flex if one is given.

        **Raises:** `ArgumentError` for a flex if the rule has none.
        """
        if flex is None:
            return self.rule
        if self.with_flex is None:
            raise ArgumentError("flex", got=f"rule {self.name!r}", expected="rule 'compat-flex'")
        return self.with_flex(flex)
