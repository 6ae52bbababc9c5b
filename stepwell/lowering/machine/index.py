"""Index arithmetic as linear forms, so that constants end up in addresses and never as instructions.

`%k + 1`, `affine.apply (d0 + 16)(%n)` and the like make no instruction; a sum is made only where a bound, a comparison or an address needs
it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineSymExpr,
)

from stepwell.lowering.machine.scopes import Frame, Scope, ScopeKind
from stepwell.lowering.machine.sink import Sink, Token


class Index(NamedTuple):
    """Sum of token * coefficient, plus a constant."""

    terms: tuple[tuple[Token, int], ...]
    constant: int

    def plus(self, other: Index) -> Index:
        if not other.terms:
            return Index(self.terms, self.constant + other.constant) if other.constant else self
        if not self.terms:
            return Index(other.terms, self.constant + other.constant)
        sums = dict(self.terms)
        for token, coefficient in other.terms:
            sums[token] = sums.get(token, 0) + coefficient
        return Index(tuple((t, c) for t, c in sums.items() if c), self.constant + other.constant)

    def times(self, factor: int) -> Index:
        if factor == 1:
            return self
        if factor == 0:
            return ZERO
        return Index(tuple((t, c * factor) for t, c in self.terms), self.constant * factor)

    def minus(self, other: Index) -> Index:
        return self.plus(other.times(-1))

    @property
    def known(self) -> int | None:
        """The value, if it is a constant."""
        return None if self.terms else self.constant


ZERO = Index((), 0)


def constant(value: int) -> Index:
    """A constant index."""
    return Index((), value)


class IndexArithmetic:
    """The part of the walk that makes scalar instructions of indices and addresses, each once and as far out as it can be."""

    sink: Sink
    frame: Frame
    scope: Scope

    # ---- pure instructions

    def pure(self, key: tuple[object, ...], operands: Sequence[Token], emit: Callable[[], Token]) -> Token:
        """The value of a pure scalar instruction, found under `key` or made in the outermost scope where `operands` are known."""
        depths = self.frame.depths
        need = 0
        for operand in operands:
            depth = depths.get(operand, 0)
            if depth > need:
                need = depth
        scope: Scope | None = self.scope
        target: Scope | None = None
        while scope is not None:
            hit = scope.memo.get(key)
            if hit is not None:
                return hit
            if target is None and (scope.depth <= need or scope.kind is not ScopeKind.LOOP):
                target = scope
            if scope.depth <= need:
                break
            scope = scope.parent
        assert target is not None
        if target is self.scope:
            token = emit()
        else:
            token = self.at(target, emit)
        target.memo[key] = token
        depths[token] = target.depth
        return token

    def at(self, scope: Scope, emit: Callable[[], Token]) -> Token:
        """Emit something in an outer scope of the same function, at its present end."""
        here = self.scope
        self.scope = scope
        self.sink.move_to(scope.block)
        token = emit()
        self.scope = here
        self.sink.move_to(here.block)
        return token

    def scalar(self, opcode: str, a: Token | int, b: Token | int) -> Token:
        """A binary instruction on i64; ints are constants."""
        operands = tuple(x for x in (a, b) if not isinstance(x, int))

        def emit() -> Token:
            left, right = (self.sink.integer("i64", x) if isinstance(x, int) else x for x in (a, b))
            return self.sink.binary(opcode, "i64", left, right)

        return self.pure((opcode, a, b), operands, emit)

    def smin_smax(self, which: str, a: Token | int, b: Token | int) -> Token:
        """`smin` or `smax` on i64."""
        operands = tuple(x for x in (a, b) if not isinstance(x, int))

        def emit() -> Token:
            args = [self.sink.integer("i64", x) if isinstance(x, int) else x for x in (a, b)]
            return self.sink.intrinsic(f"llvm.{which}.i64", "i64", ("i64", "i64"), args)

        return self.pure((which, a, b), operands, emit)

    def scaled(self, token: Token, factor: int) -> Token:
        """token * factor."""
        if factor == 1:
            return token
        if factor > 0 and factor & (factor - 1) == 0:
            return self.scalar("shl", token, factor.bit_length() - 1)
        return self.scalar("mul", token, factor)

    def materialise(self, index: Index) -> Token:
        """One i64 of a linear form."""
        if not index.terms:
            return self.sink.integer("i64", index.constant)
        depths = self.frame.depths
        terms = sorted(index.terms, key=lambda term: depths.get(term[0], 0)) if len(index.terms) > 1 else index.terms
        positive = next((i for i, (_, c) in enumerate(terms) if c > 0), None)
        if positive is None:
            total, rest, offset = index.constant, terms, 0
        else:
            token, coefficient = terms[positive]
            total, rest, offset = self.scaled(token, coefficient), [t for i, t in enumerate(terms) if i != positive], index.constant
        for token, coefficient in rest:
            if coefficient > 0:
                total = self.scalar("add", total, self.scaled(token, coefficient))
            else:
                total = self.scalar("sub", total, self.scaled(token, -coefficient))
        return self.scalar("add", total, offset) if offset else total

    def atom(self, token: Token, depth: int | None = None) -> Index:
        """The index that is an i64 value; `depth` is that of the scope that defines it (default: the current one)."""
        self.frame.depths[token] = self.scope.depth if depth is None else depth
        return Index(((token, 1),), 0)

    # ---- arithmetic

    def multiply(self, a: Index, b: Index) -> Index:
        if (known := b.known) is not None:
            return a.times(known)
        if (known := a.known) is not None:
            return b.times(known)
        return self._computed(self.scalar("mul", self.materialise(a), self.materialise(b)))

    def floor_divide(self, a: Index, b: Index) -> Index:
        """Division that rounds towards minus infinity, by a positive divisor."""
        divisor = b.known
        if divisor is None:
            quotient = self._floor_divide(self.materialise(a), self.materialise(b))
            return self._computed(quotient)
        if divisor == 1:
            return a
        if all(c % divisor == 0 for _, c in a.terms):
            return Index(tuple((t, c // divisor) for t, c in a.terms), a.constant // divisor)
        if divisor & (divisor - 1) == 0:
            return self._computed(self.scalar("ashr", self.materialise(a), divisor.bit_length() - 1))
        return self._computed(self._floor_divide(self.materialise(a), divisor))

    def _floor_divide(self, a: Token, b: Token | int) -> Token:
        # For negative a: -1 - (-1 - a) / b, that is: complement, divide, complement.
        sign = self.scalar("ashr", a, 63)
        return self.scalar("xor", self.scalar("sdiv", self.scalar("xor", a, sign), b), sign)

    def ceil_divide(self, a: Index, b: Index) -> Index:
        """Division that rounds towards plus infinity, by a positive divisor."""
        return self.floor_divide(a.plus(b).plus(constant(-1)), b)

    def modulo(self, a: Index, b: Index) -> Index:
        """What `floor_divide` leaves: between 0 and the divisor."""
        divisor = b.known
        if divisor is not None:
            if all(c % divisor == 0 for _, c in a.terms):
                return constant(a.constant % divisor)
            if divisor & (divisor - 1) == 0:
                return self._computed(self.scalar("and", self.materialise(a), divisor - 1))
        return a.minus(self.multiply(self.floor_divide(a, b), b))

    def divide_unsigned(self, a: Index, b: Index) -> Index:
        """Quotient of numbers that are not negative."""
        if (known := b.known) is not None and known & (known - 1) == 0 and known:
            return a if known == 1 else self._computed(self.scalar("lshr", self.materialise(a), known.bit_length() - 1))
        return self._computed(self.scalar("udiv", self.materialise(a), self.materialise(b)))

    def modulo_unsigned(self, a: Index, b: Index) -> Index:
        """Remainder of numbers that are not negative."""
        if (known := b.known) is not None and known & (known - 1) == 0 and known:
            return constant(0) if known == 1 else self._computed(self.scalar("and", self.materialise(a), known - 1))
        return self._computed(self.scalar("urem", self.materialise(a), self.materialise(b)))

    def extreme(self, which: str, values: Sequence[Index]) -> Index:
        """`smin` or `smax` of several indices."""
        known = [v.constant for v in values if not v.terms]
        result: Token | int | None = (min if which == "smin" else max)(known) if known else None
        for value in dict.fromkeys(v for v in values if v.terms):
            token = self.materialise(value)
            result = token if result is None else self.smin_smax(which, token, result)
        assert result is not None
        return constant(result) if isinstance(result, int) else self._computed(result)

    def _computed(self, token: Token) -> Index:
        return Index(((token, 1),), 0)

    def affine(self, expression: AffineExpr, dims: Sequence[Index], symbols: Sequence[Index]) -> Index:
        """The value of an affine expression."""
        if isinstance(expression, AffineDimExpr):
            return dims[expression.position]
        if isinstance(expression, AffineSymExpr):
            return symbols[expression.position]
        if isinstance(expression, AffineConstantExpr):
            return constant(expression.value)
        assert isinstance(expression, AffineBinaryOpExpr)
        a = self.affine(expression.lhs, dims, symbols)
        b = self.affine(expression.rhs, dims, symbols)
        match expression.kind:
            case AffineBinaryOpKind.Add:
                return a.plus(b)
            case AffineBinaryOpKind.Mul:
                return self.multiply(a, b)
            case AffineBinaryOpKind.FloorDiv:
                return self.floor_divide(a, b)
            case AffineBinaryOpKind.CeilDiv:
                return self.ceil_divide(a, b)
            case AffineBinaryOpKind.Mod:
                return self.modulo(a, b)
