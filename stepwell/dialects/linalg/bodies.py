"""The bodies of named structured ops: what each computes of one element of every operand, made of `arith` and `math`.

In: the name of a body and the types of the operands. Out: the region. Raises VerifyException where the types allow none.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from typing import cast as typed

from xdsl.dialects.builtin import (
    ComplexType,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    i1,
)
from xdsl.dialects.linalg.ops import YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects import arith, math
from stepwell.dialects.linalg.verify import (
    element_or_self,
)
from stepwell.dialects.support import is_float
from stepwell.ir.rules import shown


class _Body:
    """Builds scalar arithmetic at the end of a block, on floats or integers alike."""

    def __init__(self, block: Block, unsigned: bool) -> None:
        self._block = block
        self._unsigned = unsigned

    def add(self, op: Operation) -> SSAValue:
        self._block.add_op(op)
        return op.results[0]

    def cast(self, value: SSAValue, type: Attribute) -> SSAValue:
        """`value` as a `type`, by the cast that fits."""
        source: Attribute = value.type
        if source == type:
            return value
        kinds = _kind(source), _kind(type)
        wider = getattr(type, "bitwidth", 64) > getattr(source, "bitwidth", 64)
        if kinds == ("float", "float"):
            return self.add(arith.ExtFOp(value, type) if wider else arith.TruncFOp(value, type))
        if kinds == ("int", "int"):
            grow = arith.ExtUIOp if self._unsigned else arith.ExtSIOp
            return self.add(grow(value, type) if wider else arith.TruncIOp(value, type))
        if kinds == ("int", "float"):
            return self.add((arith.UIToFPOp if self._unsigned else arith.SIToFPOp)(value, type))
        if kinds == ("float", "int"):
            return self.add((arith.FPToUIOp if self._unsigned else arith.FPToSIOp)(value, type))
        if "index" in kinds and "int" in kinds:
            return self.add(arith.IndexCastOp(value, type))
        if isinstance(type, ComplexType):
            return self._to_complex(value, type)
        return value  # another type's arithmetic: its verifier will say

    def _to_complex(self, value: SSAValue, type: ComplexType[Any]) -> SSAValue:
        """A real number, or a complex one of other parts."""
        from xdsl.dialects import complex

        part: Any = type.element_type
        if isinstance(value.type, ComplexType):
            real = self.cast(self.add(complex.ReOp(value)), part)
            imaginary = self.cast(self.add(complex.ImOp(value)), part)
        elif _group(value.type) == _group(part):
            real = self.cast(value, part)
            zero = FloatAttr(0.0, part) if is_float(part) else IntegerAttr(0, part)
            imaginary = self.add(arith.ConstantOp(zero))
        else:
            return value
        return self.add(complex.CreateOp.create(operands=[real, imaginary], result_types=[type]))

    def binary(self, kind: str, a: SSAValue, b: SSAValue) -> SSAValue:
        float_op, signed_op, unsigned_op = OPERATIONS[kind]
        if _group(a.type) != _group(b.type) or not _group(a.type):
            raise VerifyException(
                "Cannot build binary Linalg operation: expects allComplex, allFloatingPoint, or allInteger, "
                f"got '{shown(a.type)}' and '{shown(b.type)}'"
            )
        if isinstance(a.type, ComplexType):
            return self._complex(kind, a, b)
        op = float_op if _kind(a.type) not in ("int", "index") else unsigned_op if self._unsigned else signed_op
        if self._unsigned and kind in ("max", "min") and (op is float_op or typed(Any, a.type) == i1):
            raise VerifyException(f"unsupported operation: unsigned {kind} not on uint")
        if op is None:
            raise VerifyException(f"unsupported non numeric type for '{kind}': '{shown(a.type)}'")
        if isinstance(a.type, IntegerType) and a.type.bitwidth == 1 and kind in ("add", "mul"):
            op = arith.OrIOp if kind == "add" else arith.AndIOp
        return self.add(op(a, b))

    def _complex(self, kind: str, a: SSAValue, b: SSAValue) -> SSAValue:
        from xdsl.dialects import complex

        ops: dict[str, Any] = {"add": complex.AddOp, "sub": complex.SubOp, "mul": complex.MulOp, "div": complex.DivOp}
        if kind not in ops:
            raise VerifyException(f"has no '{kind}' of {a.type}")
        return self.add(ops[kind].create(operands=[a, b], result_types=[a.type], properties={"fastmath": arith.NO_FLAGS}))


OPERATIONS: dict[str, tuple[Any, Any, Any]] = {
    "add": (arith.AddfOp, arith.AddiOp, arith.AddiOp),
    "sub": (arith.SubfOp, arith.SubiOp, arith.SubiOp),
    "mul": (arith.MulfOp, arith.MuliOp, arith.MuliOp),
    "div": (arith.DivfOp, arith.DivSIOp, arith.DivUIOp),
    "max": (arith.MaximumfOp, arith.MaxSIOp, arith.MaxUIOp),
    "min": (arith.MinimumfOp, arith.MinSIOp, arith.MinUIOp),
    "powf": (math.PowFOp, None, None),
}
FUNCTIONS: dict[str, Any] = {
    **{"exp": math.ExpOp, "log": math.LogOp, "abs": math.AbsFOp, "ceil": math.CeilOp, "floor": math.FloorOp, "negf": arith.NegfOp},
    **{
        "sin": math.SinOp,
        "cos": math.CosOp,
        "tan": math.TanOp,
        "round": math.RoundOp,
        "sqrt": math.SqrtOp,
        "rsqrt": math.RsqrtOp,
        "tanh": math.TanhOp,
        "erf": math.ErfOp,
    },
    **{"asin": math.AsinOp, "acos": math.AcosOp, "atan": math.AtanOp},
    **{"asinh": math.AsinhOp, "acosh": math.AcoshOp, "atanh": math.AtanhOp},
}
ARITIES = {**dict.fromkeys(OPERATIONS, 2), **dict.fromkeys(FUNCTIONS, 1), "square": 1, "reciprocal": 1, "select": 3}


def _group(type: Attribute) -> str:
    """Types of one group can be computed with one another."""
    if isinstance(type, ComplexType):
        return "complex"
    return {"int": "int", "index": "int", "float": "float"}.get(_kind(type), "")


def _kind(type: Attribute) -> str:
    if isinstance(type, IntegerType):
        return "int"
    return "index" if isinstance(type, IndexType) else "float" if is_float(type) else "other"


def _build(body: str, build: _Body, arguments: Sequence[SSAValue]) -> SSAValue:
    """The value that a body yields; the last argument is the old element of the output."""
    *inputs, old = arguments
    type: Attribute = old.type
    if body in ("mul_add", "mul_add_q", "sum", "max_window", "min_window"):
        values = [build.cast(value, type) for value in inputs]
        if body == "mul_add_q":
            values = [build.binary("sub", values[0], values[2]), build.binary("sub", values[1], values[3])]
        if body in ("mul_add", "mul_add_q"):
            return build.binary("add", old, build.binary("mul", values[0], values[1]))
        return build.binary({"sum": "add", "max_window": "max", "min_window": "min"}[body], old, values[0])
    if body == "copy":
        return build.cast(inputs[0], type)
    if body == "select":
        return build.add(arith.SelectOp(inputs[0], build.cast(inputs[1], type), build.cast(inputs[2], type)))
    values = inputs  # named elementwise operations cast nothing
    if body in OPERATIONS:
        return build.binary(body, values[0], values[1])
    if body == "square":
        return build.binary("mul", values[0], values[0])
    if body == "reciprocal":
        one = build.add(arith.ConstantOp(FloatAttr(1.0, typed(Any, type)) if is_float(type) else IntegerAttr(1, typed(Any, type))))
        return build.binary("div", one, values[0])
    if body == "abs" and not is_float(type):
        return build.add(math.AbsIOp(values[0]))
    return build.add(FUNCTIONS[body](values[0]))


def body_region(body: str, types: Sequence[Attribute], unsigned: bool = False) -> Region:
    """The body over operands of these types, inputs then the output."""
    block = Block(arg_types=[element_or_self(type) for type in types])
    result = _build(body, _Body(block, unsigned), block.args)
    block.add_op(YieldOp(result))
    return Region(block)
