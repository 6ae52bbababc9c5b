"""Affine expressions as arithmetic: in an expression and its operands, out `arith` operations that compute it, in upstream's order.

Divisions round down (`floordiv`), up (`ceildiv`), and a remainder is never negative (`mod`), where those of `arith` round to zero.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.arith import IntegerOverflowFlag
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineBinaryOpExpr, AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap, AffineSymExpr
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import arith
from stepwell.dialects.affine.maps import INDEX
from stepwell.ir.affine_expressions import ADD, CEIL, FLOOR, MOD, MUL
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place

NSW = arith.IntegerOverflowAttr([IntegerOverflowFlag.NSW])
NSW_NUW = arith.IntegerOverflowAttr([IntegerOverflowFlag.NSW, IntegerOverflowFlag.NUW])
NO_FLAGS = arith.IntegerOverflowAttr("none")


class Arithmetic:
    """Puts operations in front of one that they are for."""

    def __init__(self, before: Operation) -> None:
        self.before = before

    def insert(self, op: Operation) -> SSAValue:
        """Insert an operation; its first result."""
        op.location = self.before.location
        Rewriter.insert_op(op, InsertPoint.before(self.before))
        return op.results[0] if op.results else self.before.operands[0]

    def constant(self, value: int) -> SSAValue:
        """A number of type index."""
        return self.insert(arith.ConstantOp.create(properties={"value": IntegerAttr(value, INDEX)}, result_types=[INDEX]))

    def binary(self, kind: type[Operation], lhs: SSAValue, rhs: SSAValue, flags: Attribute | None = None) -> SSAValue:
        """An operation on two values of one type."""
        properties = {"overflowFlags": flags} if flags is not None else {}
        return self.insert(kind.create(operands=[lhs, rhs], result_types=[lhs.type], properties=properties))

    def add(self, lhs: SSAValue, rhs: SSAValue, flags: Attribute = NO_FLAGS) -> SSAValue:
        """`lhs + rhs`"""
        return self.binary(arith.AddiOp, lhs, rhs, flags)

    def subtract(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`lhs - rhs`"""
        return self.binary(arith.SubiOp, lhs, rhs, NO_FLAGS)

    def multiply(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`lhs * rhs`"""
        return self.binary(arith.MuliOp, lhs, rhs, NSW)

    def compare(self, lhs: SSAValue, rhs: SSAValue, predicate: str) -> SSAValue:
        """A condition."""
        return self.insert(arith.CmpiOp(lhs, rhs, predicate))

    def select(self, condition: SSAValue, yes: SSAValue, no: SSAValue) -> SSAValue:
        """One of two values."""
        return self.insert(arith.SelectOp.create(operands=[condition, yes, no], result_types=[yes.type]))

    # ---- affine expressions

    def expression(self, expr: AffineExpr, dims: Sequence[SSAValue], symbols: Sequence[SSAValue]) -> SSAValue:
        """What an expression is worth."""
        if isinstance(expr, AffineConstantExpr):
            return self.constant(expr.value)
        if isinstance(expr, AffineDimExpr):
            return dims[expr.position]
        if isinstance(expr, AffineSymExpr):
            return symbols[expr.position]
        assert isinstance(expr, AffineBinaryOpExpr)
        if expr.kind in (MOD, FLOOR, CEIL) and isinstance(expr.rhs, AffineConstantExpr) and expr.rhs.value <= 0:
            what = "modulo" if expr.kind is MOD else "division"
            raise CompileError(f"'{self.before.name}' op {what} by non-positive value is not supported", location=place(self.before))
        lhs = self.expression(expr.lhs, dims, symbols)
        rhs = self.expression(expr.rhs, dims, symbols)
        if expr.kind is ADD:
            return self.add(lhs, rhs)
        if expr.kind is MUL:
            return self.multiply(lhs, rhs)
        if expr.kind is MOD:
            return self._modulo(lhs, rhs)
        return self._floor(lhs, rhs) if expr.kind is FLOOR else self._ceil(lhs, rhs)

    def _modulo(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`r < 0 ? r + b : r` where r is what `arith.remsi` gives."""
        remainder = self.binary(arith.RemSIOp, lhs, rhs)
        negative = self.compare(remainder, self.constant(0), "slt")
        return self.select(negative, self.add(remainder, rhs), remainder)

    def _floor(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`a < 0 ? -1 - (-1 - a) / b : a / b`"""
        zero, minus_one = self.constant(0), self.constant(-1)
        negative = self.compare(lhs, zero, "slt")
        dividend = self.select(negative, self.subtract(minus_one, lhs), lhs)
        quotient = self.binary(arith.DivSIOp, dividend, rhs)
        return self.select(negative, self.subtract(minus_one, quotient), quotient)

    def _ceil(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`a <= 0 ? -(-a / b) : (a - 1) / b + 1`"""
        zero, one = self.constant(0), self.constant(1)
        not_positive = self.compare(lhs, zero, "sle")
        negated, decremented = self.subtract(zero, lhs), self.subtract(lhs, one)
        quotient = self.binary(arith.DivSIOp, self.select(not_positive, negated, decremented), rhs)
        negated, incremented = self.subtract(zero, quotient), self.add(quotient, one)
        return self.select(not_positive, negated, incremented)

    def results(self, map: AffineMap, operands: Sequence[SSAValue]) -> list[SSAValue]:
        """What the results of a map are worth."""
        dims, symbols = operands[: map.num_dims], operands[map.num_dims :]
        return [self.expression(expr, dims, symbols) for expr in map.results]

    def extremum(self, values: Sequence[SSAValue], kind: type[Operation]) -> SSAValue:
        """The least or the greatest of some values."""
        found = values[0]
        for value in values[1:]:
            found = self.binary(kind, found, value)
        return found
