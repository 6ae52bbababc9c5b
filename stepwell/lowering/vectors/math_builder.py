"""Writes arithmetic on values of one shape: a scalar, or an n-D vector of any size, which counts as one value.

A function of `expand-math` is written against this builder once, for f32 and f64: numbers that depend on the format come from `b.pick`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import Float32Type, Float64Type, FloatAttr, IntegerAttr, VectorType, f32, f64, i1, i32, i64
from xdsl.ir import Attribute, Block, Operation, SSAValue

from stepwell.dialects import arith, math
from stepwell.ir.constants import splat
from stepwell.ir.text.narrow import as_vector, width_of

INF = float("inf")
NAN = float("nan")

_NO_FLAGS = arith.FastMathFlagsAttr("none")
_NO_OVERFLOW = arith.IntegerOverflowAttr("none")
_FLOAT: dict[str, Attribute] = {"fastmath": _NO_FLAGS}
_INTEGER: dict[str, Attribute] = {"overflowFlags": _NO_OVERFLOW}
_INTEGER_PREDICATES = {
    name: IntegerAttr(i, 64) for i, name in enumerate(("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"))
}
_FLOAT_PREDICATES = {
    name: IntegerAttr(i, 64)
    for i, name in enumerate(
        ("false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true")
    )
}


class Constants:
    """The constants of one function: each is made once, at its beginning."""

    def __init__(self, entry: Block) -> None:
        self._entry = entry
        self._made: dict[tuple[str, Any], SSAValue] = {}

    def get(self, key: str, value: float, type: Attribute) -> SSAValue:
        """A scalar or splat constant of a type; `key` names the type (hashing a type costs more than making a constant)."""
        found = self._made.get((key, repr(value)))
        if found is None:
            op = arith.ConstantOp.create(result_types=[type], properties={"value": _constant(value, type)})
            first = self._entry.first_op
            if first is None:
                self._entry.add_op(op)
            else:
                self._entry.insert_op_before(op, first)
            found = self._made[key, repr(value)] = op.results[0]
        return found


def _constant(value: float, type: Attribute) -> Attribute:
    if (vector := as_vector(type)) is not None:
        return splat(value, vector)
    if (width := width_of(type)) is not None:
        return IntegerAttr(int(value), width)
    assert isinstance(type, Float32Type | Float64Type)
    return FloatAttr(value, type)


class MathBuilder:
    """Inserts ops before `anchor`. All values have the shape of `like`, which is f32 or f64."""

    def __init__(self, anchor: Operation, like: Attribute, constants: Constants) -> None:
        self.anchor = anchor
        assert anchor.parent is not None
        self.block = anchor.parent
        self.constants = constants
        vector = as_vector(like)
        element = vector.element_type if vector is not None else like
        self.double = isinstance(element, Float64Type)
        self.bits = 64 if self.double else 32
        self.mantissa = 52 if self.double else 23
        self.shape: tuple[int, ...] | None = tuple(vector.get_shape()) if vector is not None else None
        self.type = like
        self.int = self._typed(i64 if self.double else i32)
        self.bool = self._typed(i1)
        self._key = f"{'f64' if self.double else 'f32'}{self.shape}"
        self._int_key = f"i{self.bits}{self.shape}"

    def _typed(self, element: Attribute) -> Attribute:
        return element if self.shape is None else VectorType(element, self.shape)

    def pick(self, single: Any, double: Any) -> Any:
        """What belongs to the format."""
        return double if self.double else single

    def to_double(self) -> MathBuilder:
        """A builder of the same shape in f64."""
        return self if self.double else MathBuilder(self.anchor, self._typed(f64), self.constants)

    def to_single(self) -> MathBuilder:
        """A builder of the same shape in f32."""
        return MathBuilder(self.anchor, self._typed(f32), self.constants) if self.double else self

    def _add(self, op: Operation) -> SSAValue:
        self.block.insert_op_before(op, self.anchor)
        return op.results[0]

    # ---- constants

    def const(self, value: float) -> SSAValue:
        """A number of the float type."""
        return self.constants.get(self._key, value, self.type)

    def word(self, value: int) -> SSAValue:
        """A number of the integer type, taken modulo 2^bits."""
        value &= (1 << self.bits) - 1
        return self.constants.get(self._int_key, value - (1 << self.bits) if value >> (self.bits - 1) else value, self.int)

    def _float(self, x: SSAValue | float) -> SSAValue:
        return self.const(x) if isinstance(x, float | int) else x

    def _int(self, x: SSAValue | int) -> SSAValue:
        return self.word(x) if isinstance(x, int) else x

    # ---- floats; a Python number is a constant

    def _binary(self, op: type[Operation], a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        return self._add(op.create(operands=[self._float(a), self._float(b)], result_types=[self.type], properties=_FLOAT.copy()))

    def add(self, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        return self._binary(arith.AddfOp, a, b)

    def sub(self, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        return self._binary(arith.SubfOp, a, b)

    def mul(self, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        return self._binary(arith.MulfOp, a, b)

    def div(self, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        return self._binary(arith.DivfOp, a, b)

    def minimum(self, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        """NaN if one is NaN."""
        return self._binary(arith.MinimumfOp, a, b)

    def maximum(self, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        """NaN if one is NaN."""
        return self._binary(arith.MaximumfOp, a, b)

    def copysign(self, magnitude: SSAValue | float, sign: SSAValue) -> SSAValue:
        return self._binary(math.CopySignOp, magnitude, sign)

    def _unary(self, op: type[Operation], x: SSAValue) -> SSAValue:
        return self._add(op.create(operands=[x], result_types=[self.type], properties=_FLOAT.copy()))

    def abs(self, x: SSAValue) -> SSAValue:
        return self._unary(math.AbsFOp, x)

    def sqrt(self, x: SSAValue) -> SSAValue:
        return self._unary(math.SqrtOp, x)

    def floor(self, x: SSAValue) -> SSAValue:
        return self._unary(math.FloorOp, x)

    def neg(self, x: SSAValue) -> SSAValue:
        return self._unary(arith.NegfOp, x)

    def fma(self, a: SSAValue | float, b: SSAValue | float, c: SSAValue | float) -> SSAValue:
        """a * b + c, rounded once."""
        operands = [self._float(a), self._float(b), self._float(c)]
        return self._add(math.FmaOp.create(operands=operands, result_types=[self.type], properties=_FLOAT.copy()))

    def polynomial(self, x: SSAValue, coefficients: Sequence[float]) -> SSAValue:
        """Horner's rule; lowest power first."""
        total: SSAValue | float = coefficients[-1]
        for coefficient in reversed(coefficients[:-1]):
            total = self.fma(total, x, coefficient)
        return self._float(total)

    # ---- integers

    def _integer(self, op: type[Operation], a: SSAValue | int, b: SSAValue | int, flags: bool = True) -> SSAValue:
        properties = _INTEGER.copy() if flags else {}
        return self._add(op.create(operands=[self._int(a), self._int(b)], result_types=[self.int], properties=properties))

    def int_add(self, a: SSAValue | int, b: SSAValue | int) -> SSAValue:
        return self._integer(arith.AddiOp, a, b)

    def int_sub(self, a: SSAValue | int, b: SSAValue | int) -> SSAValue:
        return self._integer(arith.SubiOp, a, b)

    def shift_left(self, a: SSAValue | int, by: int) -> SSAValue:
        return self._integer(arith.ShLIOp, a, by)

    def shift_right(self, a: SSAValue | int, by: int) -> SSAValue:
        """Arithmetic: the sign is kept."""
        return self._integer(arith.ShRSIOp, a, by, flags=False)

    def int_and(self, a: SSAValue | int, b: SSAValue | int) -> SSAValue:
        return self._integer(arith.AndIOp, a, b, flags=False)

    def int_xor(self, a: SSAValue | int, b: SSAValue | int) -> SSAValue:
        return self._integer(arith.XOrIOp, a, b, flags=False)

    # ---- between the two

    def bits_of(self, x: SSAValue) -> SSAValue:
        """The bits of a float as an integer."""
        return self._add(arith.BitcastOp.create(operands=[x], result_types=[self.int]))

    def from_bits(self, x: SSAValue) -> SSAValue:
        """The float that has these bits."""
        return self._add(arith.BitcastOp.create(operands=[x], result_types=[self.type]))

    def to_float(self, x: SSAValue) -> SSAValue:
        """A signed integer of any width as a float."""
        return self._add(arith.SIToFPOp.create(operands=[x], result_types=[self.type]))

    def narrow_from(self, x: SSAValue) -> SSAValue:
        """An f64 rounded to this builder's f32."""
        return self._add(arith.TruncFOp.create(operands=[x], result_types=[self.type]))

    def widen_from(self, x: SSAValue) -> SSAValue:
        """A narrower float as this builder's type."""
        return self._add(arith.ExtFOp.create(operands=[x], result_types=[self.type]))

    def narrow_int_from(self, x: SSAValue) -> SSAValue:
        """The low bits of an i64 as this builder's i32."""
        return self._add(arith.TruncIOp.create(operands=[x], result_types=[self.int], properties=_INTEGER.copy()))

    # ---- comparison and choice

    def cmp(self, predicate: str, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        """Floats: `ogt`, `ult`, `uno`, ..."""
        properties: dict[str, Attribute] = {"predicate": _FLOAT_PREDICATES[predicate], **_FLOAT}
        return self._add(arith.CmpfOp.create(operands=[self._float(a), self._float(b)], result_types=[self.bool], properties=properties))

    def int_cmp(self, predicate: str, a: SSAValue | int, b: SSAValue | int) -> SSAValue:
        """Integers: `eq`, `slt`, `ult`, ..."""
        properties: dict[str, Attribute] = {"predicate": _INTEGER_PREDICATES[predicate]}
        return self._add(arith.CmpiOp.create(operands=[self._int(a), self._int(b)], result_types=[self.bool], properties=properties))

    def select(self, condition: SSAValue, a: SSAValue | float, b: SSAValue | float) -> SSAValue:
        """a where the condition holds, else b."""
        return self._add(arith.SelectOp.create(operands=[condition, self._float(a), self._float(b)], result_types=[self.type]))

    def int_select(self, condition: SSAValue, a: SSAValue | int, b: SSAValue | int) -> SSAValue:
        """a where the condition holds, else b."""
        return self._add(arith.SelectOp.create(operands=[condition, self._int(a), self._int(b)], result_types=[self.int]))

    def both(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """a and b, of conditions."""
        return self._add(arith.AndIOp.create(operands=[a, b], result_types=[self.bool]))
