"""What the folds and patterns of `arith` ask of values and operations: numbers, what gives a value, flags, predicates."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance, and so do lambdas that tables hold. The view that
# `operands` builds costs more than most folds: they look at `_operands`.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false
# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import Any, cast

from xdsl.ir import Attribute, Operation, OpResult, SSAValue

from stepwell.dialects.arith.numbers import Number, element_type, splat_or_scalar, unsigned, width_of
from stepwell.ir.rewrite.folding import Folded, constant_of

SWAPPED = {
    "eq": "eq",
    "ne": "ne",
    "slt": "sgt",
    "sle": "sge",
    "sgt": "slt",
    "sge": "sle",
    "ult": "ugt",
    "ule": "uge",
    "ugt": "ult",
    "uge": "ule",
}


def number(value: SSAValue) -> Number | None:
    """The one value of a scalar or splat constant; integers are signed."""
    attribute = constant_of(value)
    return None if attribute is None else splat_or_scalar(attribute)


def defining(value: SSAValue, name: str) -> Any:
    """The operation of that name that gives `value`, or None."""
    if value.__class__ is not OpResult:  # `isinstance` asks abstract classes at length
        return None
    op = cast("OpResult", value).op
    return op if op.name == name else None


def flags(op: Operation) -> set[str]:
    """The fast-math flags that hold."""
    found: Any = op.properties.get("fastmath")
    return {flag.value for flag in found.data} if found is not None else set()


def overflow_flags(op: Operation) -> set[str]:
    """`nsw`, `nuw`."""
    found: Any = op.properties.get("overflowFlags")
    return {flag.value for flag in found.data} if found is not None else set()


def rounding_mode(op: Operation) -> str | None:
    """How an operation rounds; None where it does not say."""
    found: Any = op.properties.get("roundingmode")
    return None if found is None else str(found.data.value)


def operand_width(op: Operation) -> int:
    """The bits of an element of the first operand."""
    first, *_ = op._operands
    return width_of(element_type(first.type))


def compare(predicate: str, a: int, b: int, bits: int) -> bool:
    """Of integers, given as signed."""
    if predicate[0] == "u":
        a, b = unsigned(a, bits), unsigned(b, bits)
    return {"eq": a == b, "ne": a != b, "lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b}[predicate[-2:]]


def folded(attribute: Attribute | None) -> Folded:
    """A fold to one constant, if there is one."""
    return None if attribute is None else (attribute,)
