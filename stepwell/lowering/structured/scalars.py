"""Scalar arithmetic in the body of a structured op, in `arith` and `math`.

In: scalar values of a body. Out: new ops at the end of that body. f16 and bf16 are widened to f32 where a body begins and rounded where
it ends, so that nothing here sees them. Integers are signless: whoever knows that they are unsigned says so.
"""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import (
    BFloat16Type,
    Float16Type,
    Float32Type,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    f32,
    i1,
    i64,
)
from xdsl.dialects.utils import FastMathFlag
from xdsl.ir import Attribute, Block, Operation, SSAValue

from stepwell.dialects import arith, math
from stepwell.dialects.nn.base import is_float
from stepwell.ir.constants import NARROW_FLOATS

INDEX = IndexType()
_NO_FLAGS = {"fastmath": arith.FastMathFlagsAttr("none")}
_CONTRACT = {"fastmath": arith.FastMathFlagsAttr([FastMathFlag.ALLOW_CONTRACT])}
_NO_OVERFLOW = {"overflowFlags": arith.IntegerOverflowAttr("none")}
_COMPARE_FLOAT = {name: {"predicate": IntegerAttr(i, i64), **_NO_FLAGS} for i, name in enumerate(arith.CMPF_PREDICATES)}
_COMPARE_INT = {name: {"predicate": IntegerAttr(i, i64)} for i, name in enumerate(arith.CMPI_PREDICATES)}
_INTEGERS = {width: IntegerType(8 if width in (2, 4) else width) for width in (1, 2, 4, 8, 16, 32, 64)}
"""The integer that stores one of a width."""


def is_half(element: Attribute) -> bool:
    """f16 or bf16."""
    return isinstance(element, (Float16Type, BFloat16Type))


def wide(element: Attribute) -> Attribute:
    """The element type in which arithmetic happens."""
    return f32 if is_half(element) else element


def width_of(integer: Any) -> int:
    """The bits of an integer type."""
    return cast(IntegerType, integer).width.data


def signless(element: Attribute) -> Attribute:
    """The element type at level 2: `ui8` is `i8`, and so is every type of at most a byte but `i1`."""
    if isinstance(element, IntegerType):
        return _INTEGERS[width_of(element)]
    return _INTEGERS[8] if type(element) in NARROW_FLOATS else element


def _traps(divisor: SSAValue, unsigned: bool) -> tuple[int, ...]:
    """The values by which a division may trap, 0 and, of the least signed number, -1: those that this divisor may have."""
    traps = (0,) if unsigned else (0, -1)
    owner = divisor.owner
    if isinstance(owner, arith.ConstantOp) and isinstance(owner.value, IntegerAttr):
        return tuple(trap for trap in traps if trap == owner.value.value.data)
    return traps


def _number(value: float | bool, type: Attribute) -> Attribute:
    if isinstance(type, IndexType):
        return IntegerAttr(int(value), type)
    if not isinstance(type, IntegerType):
        return FloatAttr(float(value), cast(Any, type))
    integer = cast(IntegerType, type)
    width = integer.width.data
    bits = int(value) & ((1 << width) - 1)
    negative = width > 1 and bits >> (width - 1)
    return IntegerAttr(bits - (1 << width) if negative else bits, integer)


class Scalars:
    """Appends scalar ops to a block. Every method returns the result."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self._constants: dict[tuple[Any, Attribute], SSAValue] = {}

    def add(self, op: Operation) -> SSAValue:
        """Append an op."""
        self.block.add_op(op)
        return op.results[0]

    def constant(self, value: float | bool, type: Attribute) -> SSAValue:
        """A constant, made once in this block. Integers of any sign that have the bits of the type are welcome."""
        key = (repr(value), type)
        if key not in self._constants:
            self._constants[key] = self.add(arith.ConstantOp.create(result_types=(type,), properties={"value": _number(value, type)}))
        return self._constants[key]

    def like(self, value: float, x: SSAValue) -> SSAValue:
        """A constant of the type of x."""
        return self.constant(value, x.type)

    def unary(self, op_class: type[Operation], x: SSAValue) -> SSAValue:
        """A `math` op, or `arith.negf`."""
        return self.add(op_class.create(operands=(x,), result_types=(x.type,), properties=_NO_FLAGS))

    def binary(self, op_class: type[Operation], a: SSAValue, b: SSAValue) -> SSAValue:
        """An integer op without flags."""
        return self.add(op_class.create(operands=(a, b), result_types=(a.type,)))

    def convert(self, op_class: type[Operation], x: SSAValue, to: Attribute) -> SSAValue:
        """A conversion op."""
        return self.add(op_class.create(operands=(x,), result_types=(to,)))

    # -- arithmetic on either kind of number

    def _arithmetic(self, floats: type[Operation], integers: type[Operation], a: SSAValue, b: SSAValue, contract: bool = False) -> SSAValue:
        if is_float(a.type):
            return self.add(floats.create(operands=(a, b), result_types=(a.type,), properties=_CONTRACT if contract else _NO_FLAGS))
        return self.add(integers.create(operands=(a, b), result_types=(a.type,), properties=_NO_OVERFLOW))

    def plus(self, a: SSAValue, b: SSAValue, *, contract: bool = False) -> SSAValue:
        """a + b."""
        return self._arithmetic(arith.AddfOp, arith.AddiOp, a, b, contract)

    def minus(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """a - b."""
        return self._arithmetic(arith.SubfOp, arith.SubiOp, a, b)

    def times(self, a: SSAValue, b: SSAValue, *, contract: bool = False) -> SSAValue:
        """a b."""
        return self._arithmetic(arith.MulfOp, arith.MuliOp, a, b, contract)

    def over(self, a: SSAValue, b: SSAValue, *, unsigned: bool = False) -> SSAValue:
        """a / b, integers rounded towards zero; an integer over 0 is 0, and the least number over -1 is itself."""
        if is_float(a.type):
            return self._arithmetic(arith.DivfOp, arith.DivSIOp, a, b)
        quotient = self.binary(arith.DivUIOp if unsigned else arith.DivSIOp, a, self._divisor(b, unsigned))
        for trap in _traps(b, unsigned):
            known = self.negative(a) if trap else self.like(0, a)
            quotient = self.select(self.compare("eq", b, self.like(trap, b)), known, quotient)
        return quotient

    def left_over(self, a: SSAValue, b: SSAValue, *, unsigned: bool = False) -> SSAValue:
        """The remainder of integers, with the sign of a; 0 where b is 0."""
        return self.binary(arith.RemUIOp if unsigned else arith.RemSIOp, a, self._divisor(b, unsigned))

    def _divisor(self, b: SSAValue, unsigned: bool) -> SSAValue:
        """b, with 1 for what processors end the program on; the remainder of that is 0, as it is to be."""
        divisor = b
        for trap in _traps(b, unsigned):
            divisor = self.select(self.compare("eq", b, self.like(trap, b)), self.like(1, b), divisor)
        return divisor

    def negative(self, a: SSAValue) -> SSAValue:
        """-a."""
        return self.unary(arith.NegfOp, a) if is_float(a.type) else self.minus(self.like(0, a), a)

    def remainder(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """The remainder of floats, with the sign of a."""
        return self.add(arith.RemfOp.create(operands=(a, b), result_types=(a.type,), properties=_NO_FLAGS))

    def larger(self, a: SSAValue, b: SSAValue, *, unsigned: bool = False) -> SSAValue:
        """max, NaN if one is."""
        if is_float(a.type):
            return self._arithmetic(arith.MaximumfOp, arith.MaxSIOp, a, b)
        return self.binary(arith.MaxUIOp if unsigned else arith.MaxSIOp, a, b)

    def smaller(self, a: SSAValue, b: SSAValue, *, unsigned: bool = False) -> SSAValue:
        """min, NaN if one is."""
        if is_float(a.type):
            return self._arithmetic(arith.MinimumfOp, arith.MinSIOp, a, b)
        return self.binary(arith.MinUIOp if unsigned else arith.MinSIOp, a, b)

    def compare(self, predicate: str, a: SSAValue, b: SSAValue, *, unsigned: bool = False) -> SSAValue:
        """`eq ne lt le gt ge`; false where an operand is NaN, but for `ne`."""
        if is_float(a.type):
            name = "une" if predicate == "ne" else "o" + predicate
            return self.add(arith.CmpfOp.create(operands=(a, b), result_types=(i1,), properties=_COMPARE_FLOAT[name]))
        name = predicate if predicate in ("eq", "ne") else ("u" if unsigned else "s") + predicate
        return self.add(arith.CmpiOp.create(operands=(a, b), result_types=(i1,), properties=_COMPARE_INT[name]))

    def is_nan(self, a: SSAValue) -> SSAValue:
        """Whether a float is NaN."""
        return self.add(arith.CmpfOp.create(operands=(a, a), result_types=(i1,), properties=_COMPARE_FLOAT["uno"]))

    def select(self, condition: SSAValue, a: SSAValue, b: SSAValue) -> SSAValue:
        """a if the condition holds, else b."""
        return self.add(arith.SelectOp.create(operands=(condition, a, b), result_types=(a.type,)))

    def both(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """a and b."""
        return self.binary(arith.AndIOp, a, b)

    def either(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """a or b."""
        return self.binary(arith.OrIOp, a, b)

    # -- functions

    def exp(self, x: SSAValue) -> SSAValue:
        """e to the power x."""
        return self.unary(math.ExpOp, x)

    def log(self, x: SSAValue) -> SSAValue:
        """Natural logarithm."""
        return self.unary(math.LogOp, x)

    def sqrt(self, x: SSAValue) -> SSAValue:
        """Square root."""
        return self.unary(math.SqrtOp, x)

    def magnitude(self, x: SSAValue) -> SSAValue:
        """|x|."""
        if is_float(x.type):
            return self.unary(math.AbsFOp, x)
        return self.add(math.AbsIOp.create(operands=(x,), result_types=(x.type,)))

    # -- conversions

    def widen(self, x: SSAValue) -> SSAValue:
        """f16 and bf16 as f32."""
        return self.convert(arith.ExtFOp, x, f32) if is_half(x.type) else x

    def narrow(self, x: SSAValue, element: Attribute) -> SSAValue:
        """f32 rounded to an f16 or bf16 that is asked for."""
        return self.convert(arith.TruncFOp, x, element) if is_half(element) and isinstance(x.type, Float32Type) else x

    def to_index(self, x: SSAValue, *, unsigned: bool = False) -> SSAValue:
        """An integer as an index."""
        type = x.type
        if unsigned and isinstance(type, IntegerType) and width_of(type) < 64:
            x = self.convert(arith.ExtUIOp, x, i64)
        return self.convert(arith.IndexCastOp, x, INDEX)

    def from_index(self, x: SSAValue, element: Attribute) -> SSAValue:
        """An index as a number."""
        if not is_float(element):
            return self.convert(arith.IndexCastOp, x, element)
        return self.convert(arith.SIToFPOp, self.convert(arith.IndexCastOp, x, i64), element)
