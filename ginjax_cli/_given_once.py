"""A command that refuses a repeated option if the option takes one value, and a repeated value if it takes several."""

from typing import Any

from ._help import WholeNames


class GivenOnce(WholeNames):
    """A command that never silently drops an option.

    If an option takes one value, a parser keeps the last value that was given. With `--dim 1 --dim 2` nobody would
    notice that the first value is ignored. A flag without an opposite may be repeated, because nothing is lost.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments of the command.

        **Raises:** `ArgumentError` if an option that takes one value was given several times, or if an option that takes
        several values was given the same value twice.
        """
        if not ctx.resilient_parsing:
            _, _, order = self.make_parser(ctx).parse_args(args=list(args))
            for option in dict.fromkeys(order):
                if order.count(option) > 1 and _takes_one(option):
                    raise _given_again(option, order.count(option))
        rest = super().parse_args(ctx, args)
        if not ctx.resilient_parsing:
            for option in self.params:
                values = [*map(str, ctx.params.get(option.name or "") or ())] if option.multiple else []
                for value in values:
                    if values.count(value) > 1:
                        raise _said_again(option, value)
        return rest


def _takes_one(option: Any) -> bool:
    if option.param_type_name != "option" or option.multiple or option.count:
        return False
    return bool(option.secondary_opts) or not option.is_flag


def _said_again(option: Any, value: str) -> Exception:
    from ginjax.errors import ArgumentError

    name = max(option.opts, key=len)
    return ArgumentError(name, got=f"{value!r} twice", expected="each value once")


def _given_again(option: Any, times: int) -> Exception:
    from ginjax.errors import ArgumentError

    name = "/".join(max(each, key=len) for each in (option.opts, option.secondary_opts) if each)
    several = option.metavar is not None and "," in option.metavar
    return ArgumentError(
        name,
        got=f"it {times} times",
        expected="once",
        hint=f"Several values are one word: {name} {option.metavar}" if several else None,
    )
