"""Which scalar operations combine the terms of a reduction, and their neutral elements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xdsl.dialects.builtin import AnyFloat, Float16Type, FloatAttr, IndexType, IntegerAttr, IntegerType
from xdsl.ir import Attribute, Operation, SSAValue


@dataclass(frozen=True)
class Combiner:
    """An associative and commutative operation: `kind` is its name in `vector.reduction`."""

    kind: str
    neutral: float | str
    """The neutral element: a number, or "smallest" / "largest" value of the type."""


COMBINERS: dict[str, Combiner] = {
    "arith.addf": Combiner("add", 0.0),
    "arith.mulf": Combiner("mul", 1.0),
    "arith.maximumf": Combiner("maximumf", "smallest"),
    "arith.minimumf": Combiner("minimumf", "largest"),
    "arith.maxnumf": Combiner("maxnumf", "smallest"),
    "arith.minnumf": Combiner("minnumf", "largest"),
    "arith.addi": Combiner("add", 0),
    "arith.muli": Combiner("mul", 1),
    "arith.maxsi": Combiner("maxsi", "smallest"),
    "arith.minsi": Combiner("minsi", "largest"),
    "arith.maxui": Combiner("maxui", 0),
    "arith.minui": Combiner("minui", -1),
    "arith.andi": Combiner("and", -1),
    "arith.ori": Combiner("or", 0),
    "arith.xori": Combiner("xor", 0),
}


def combiner_of(op: Operation) -> Combiner | None:
    """How this operation combines two values, None when it is no combiner."""
    return COMBINERS.get(op.name)


def neutral_value(combiner: Combiner, element: Attribute) -> float | int:
    """The neutral element as a Python number."""
    match combiner.neutral, element:
        case "smallest", IntegerType():
            return -(1 << (element.width.data - 1))
        case "largest", IntegerType():
            return (1 << (element.width.data - 1)) - 1
        case "smallest", _:
            return float("-inf")
        case "largest", _:
            return float("inf")
        case (int() | float()) as number, _:
            return number
        case _:
            raise AssertionError(combiner)


def neutral_attr(combiner: Combiner, element: Attribute) -> FloatAttr[Any] | IntegerAttr[Any]:
    """The neutral element as an attribute of a scalar type."""
    value = neutral_value(combiner, element)
    if isinstance(element, AnyFloat | Float16Type):
        return FloatAttr(float(value), element)
    assert isinstance(element, IntegerType | IndexType)
    if isinstance(element, IntegerType) and element.width.data == 1:
        return IntegerAttr(-1 if value else 0, element)
    return IntegerAttr(int(value), element)


def split_combine(op: Operation, accumulator: SSAValue) -> SSAValue | None:
    """The other operand of `op(accumulator, x)`, None when the operation does not combine the accumulator with something."""
    if combiner_of(op) is None or len(op.operands) != 2:
        return None
    lhs, rhs = op.operands
    if lhs is accumulator and rhs is not accumulator:
        return rhs
    if rhs is accumulator and lhs is not accumulator:
        return lhs
    return None
