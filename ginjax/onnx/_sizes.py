"""Lengths of axes as expressions: what a graph computes from the shapes of its tensors, kept as polynomials.

A graph for grids of any size computes with lengths before it reshapes, resizes or crops. To do the same for the new axis, each
length has to be known as a formula of the lengths that it is computed from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

MAX_TERMS = 64
MAX_DENOMINATOR = 2**31
MAX_DEPTH = 24


@dataclass(frozen=True)
class Length:
    """The length of one axis of one tensor, a positive integer.

    **Arguments:**

    - `tensor`, `axis`: the tensor and its axis, as counted in the old graph.
    - `value`: the number, if the graph states it; comparisons ignore it.
    """

    tensor: str
    axis: int
    value: int | None = None


@dataclass(frozen=True)
class Quotient:
    """The quotient of two lengths: rounded down, up, or exact."""

    kind: Literal["floor", "ceil", "exact"]
    over: Size
    under: Size

    @cached_property
    def depth(self) -> int:
        """The number of nested quotients."""
        return 1 + max(self.over.depth, self.under.depth)


Symbol = Length | Quotient


class TooLong(Exception):
    """A formula with more terms than any network needs."""


@dataclass(frozen=True)
class Size:
    """A polynomial with rational coefficients.

    **Arguments:**

    - `terms`: the factors of each term, sorted, and its coefficient; the terms are sorted, and no coefficient is zero.
    """

    terms: tuple[tuple[tuple[Symbol, ...], Fraction], ...]

    @classmethod
    def of(cls, value: int | float | Fraction) -> Size:
        """A number."""
        number = Fraction(value)
        return cls((((), number),) if number else ())

    @classmethod
    def symbol(cls, symbol: Symbol) -> Size:
        """A single length."""
        return cls((((symbol,), Fraction(1)),))

    @classmethod
    def _collected(cls, terms: list[tuple[tuple[Symbol, ...], Fraction]]) -> Size:
        found: dict[tuple[Symbol, ...], Fraction] = {}
        for factors, number in terms:
            found[factors] = found.get(factors, Fraction(0)) + number
        kept = [(factors, number) for factors, number in found.items() if number]
        if len(kept) > MAX_TERMS or any(
            number.denominator > MAX_DENOMINATOR
            or len(factors) > MAX_TERMS
            or any(isinstance(each, Quotient) and each.depth > MAX_DEPTH for each in factors)
            for factors, number in kept
        ):
            raise TooLong
        return cls(tuple(sorted(kept, key=lambda term: repr(term[0]))))

    @property
    def number(self) -> Fraction | None:
        """The value of an expression without lengths; None for any other."""
        if not self.terms:
            return Fraction(0)
        return self.terms[0][1] if len(self.terms) == 1 and not self.terms[0][0] else None

    @cached_property
    def depth(self) -> int:
        """The number of nested quotients; 0 without any."""
        return max(
            (each.depth for factors, _ in self.terms for each in factors if isinstance(each, Quotient)),
            default=0,
        )

    @cached_property
    def value(self) -> Fraction | None:
        """The value, if the graph states every length in the formula; None otherwise."""
        return self._evaluated(lambda length: None if length.value is None else Fraction(length.value))

    def _evaluated(self, known: Callable[[Length], Fraction | None]) -> Fraction | None:
        total = Fraction(0)
        for factors, number in self.terms:
            for each in factors:
                if isinstance(each, Length):
                    found = known(each)
                else:
                    over, under = each.over._evaluated(known), each.under._evaluated(known)
                    found = None if over is None or not under else _rounded(over / under, each.kind)
                if found is None:
                    return None
                number *= found
            total += number
        return total

    @property
    def whole(self) -> bool:
        """Whether it is an integer for all values of the lengths."""
        return all(
            number.denominator == 1
            and all(isinstance(each, Length) or each.kind != "exact" for each in factors)
            for factors, number in self.terms
        )

    def same(self, other: Size) -> bool:
        """Whether both are equal: as formulas, or by value if the graph states the lengths."""
        return self == other or (self.value is not None and self.value == other.value)

    def __add__(self, other: Size) -> Size:
        return Size._collected([*self.terms, *other.terms])

    def __neg__(self) -> Size:
        return Size(tuple((factors, -number) for factors, number in self.terms))

    def __sub__(self, other: Size) -> Size:
        return self + -other

    def __mul__(self, other: Size) -> Size:
        for one, two in ((self, other), (other, self)):  # q * (a / q) = a
            for factors, number in two.terms if len(two.terms) == 1 else ():
                for i, each in enumerate(factors):
                    if isinstance(each, Quotient) and each.kind == "exact" and each.under == one:
                        rest = Size(((factors[:i] + factors[i + 1 :], number),))
                        return each.over * rest
        return Size._collected(
            [
                (tuple(sorted((*a, *b), key=repr)), m * n)
                for a, m in self.terms
                for b, n in other.terms
            ]
        )  # fmt: skip

    def __truediv__(self, other: Size) -> Size:
        """The exact quotient; if it is not a polynomial, a new symbol for it."""
        found = self.over(other)
        return found if found is not None else Size.symbol(Quotient("exact", self, other))

    def over(self, other: Size) -> Size | None:
        """The quotient as a polynomial; None if it is not one, or for a division by zero."""
        if not other.terms:
            return None
        if self == other:
            return Size.of(1)
        if len(other.terms) != 1:
            ratio = self.terms[0][1] / other.terms[0][1] if self.terms else Fraction(0)
            return Size.of(ratio) if self == Size.of(ratio) * other else None
        factors, number = other.terms[0]
        terms = []
        for own, mine in self.terms:
            rest = list(own)
            for each in factors:
                if each not in rest:
                    return None
                rest.remove(each)
            terms.append((tuple(rest), mine / number))
        return Size._collected(terms)

    @property
    def without_rests(self) -> Size:
        """The formula under the assumption that rounded quotients are exact, as far as these are polynomials."""
        total = Size.of(0)
        for factors, number in self.terms:
            term = Size.of(number)
            for each in factors:
                exact = None
                if isinstance(each, Quotient) and each.kind != "exact":
                    exact = each.over.without_rests.over(each.under.without_rests)
                term = term * (Size.symbol(each) if exact is None else exact)
            total = total + term
        return total

    def rounded(self, kind: Literal["floor", "ceil"]) -> Size:
        """The formula rounded down or up; integer parts are taken out of the rounding."""
        if self.whole:
            return self
        if self.number is not None:
            return Size.of(_rounded(self.number, kind))
        constant = next((number for factors, number in self.terms if not factors), Fraction(0))
        whole = Size.of(_rounded(constant, "floor"))
        rest = self - whole
        if len(rest.terms) == 1 and len(rest.terms[0][0]) == 1 and rest.terms[0][1] == 1:
            only = rest.terms[0][0][0]
            if isinstance(only, Quotient):
                return whole + Size.symbol(Quotient(kind, only.over, only.under))
        under = 1
        for _, number in rest.terms:
            under = under * number.denominator // _gcd(under, number.denominator)
        return whole + Size.symbol(Quotient(kind, rest * Size.of(under), Size.of(under)))

    def __str__(self) -> str:
        return str(self.value) if self.value is not None else f"{len(self.terms)} terms of lengths"


def _rounded(number: Fraction, kind: str) -> Fraction:
    if kind == "exact":
        return number
    down = number.numerator // number.denominator
    return Fraction(down if kind == "floor" or number.denominator == 1 else down + 1)


def _gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


ONE = Size.of(1)


def product(sizes: list[Size]) -> Size:
    """The product of sizes; 1 for an empty list."""
    result = ONE
    for each in sizes:
        result = result * each
    return result
