"""Which scalar operations combine the terms of a reduction, and their neutral elements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from xdsl.dialects.builtin import AnyFloat, Float16Type, FloatAttr, IndexType, IntegerAttr, IntegerType, i1
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects import affine, arith


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
    integer = cast(Any, element)
    return IntegerAttr(-1 if element == i1 and value else int(value), integer)


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


def unconditional(func: Any) -> None:
    """`acc = c ? acc + x : acc` -> `acc = acc + (c ? x : 0)`: a conditional accumulation becomes one that rfactor and vectors understand.

    For every combiner and its neutral element. The new constants stand at the start of the function.
    """
    for store in [op for op in func.walk() if isinstance(op, affine.StoreOp)]:
        select = store.operands[0].owner
        if not isinstance(select, arith.SelectOp) or not select.results[0].has_one_use():
            continue
        condition, then, other = select.operands
        for combined, kept in ((then, other), (other, then)):
            combine = combined.owner
            if not isinstance(combine, Operation) or not combined.has_one_use() or (combiner := combiner_of(combine)) is None:
                continue
            load = kept.owner
            if not isinstance(load, affine.LoadOp) or load.operands[0] is not store.operands[1] or load.operands[1:] != store.operands[2:]:
                continue
            if load.map != store.map or (term := split_combine(combine, kept)) is None:
                continue
            neutral = arith.ConstantOp.create(result_types=[term.type], properties={"value": neutral_attr(combiner, term.type)})
            func.body.block.insert_op_before(neutral, func.body.block.first_op)
            zero = neutral.results[0]
            chosen = (condition, term, zero) if combined is then else (condition, zero, term)
            masked = arith.SelectOp.create(operands=chosen, result_types=[term.type])
            block = combine.parent
            assert block is not None
            block.insert_op_before(masked, combine)
            combine.operands = [masked.results[0] if operand is term else operand for operand in combine.operands]
            store.operands = [combined, *store.operands[1:]]
            select.detach()
            select.erase()
            break
