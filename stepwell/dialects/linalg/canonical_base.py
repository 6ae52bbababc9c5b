"""What patterns about structured ops share: who made a value, rebuilding an op on other operands."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import MemRefType, TensorType
from xdsl.ir import Attribute, Operation, OpResult, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint

from stepwell.dialects.tensor import CastOp


def maker(value: SSAValue) -> Operation | None:
    """The operation whose result a value is."""
    return value.op if isinstance(value, OpResult) else None


def maps_of(op: Any) -> list[AffineMap]:
    """The indexing maps of a structured op."""
    return [attribute.data for attribute in op.get_indexing_maps()]


def on_tensors(op: Operation) -> bool:
    """Whether a structured op takes no memref."""
    return not any(isinstance(value.type, MemRefType) for value in op.operands)


def rebuilt(op: Operation, operands: Sequence[SSAValue], types: Sequence[Attribute]) -> Operation:
    """The op with other operands and results; it takes the regions along."""
    regions = [op.detach_region(region) for region in list(op.regions)]
    made = type(op).create(
        operands=operands, result_types=types, properties=dict(op.properties), attributes=dict(op.attributes), regions=regions
    )
    made.location = op.location
    return made


def cast_back(made: Operation, old: Operation, rewriter: PatternRewriter) -> list[SSAValue]:
    """The results of `made`, which stands in front of `old`, in the types that `old` had."""
    results: list[SSAValue] = []
    for new, result in zip(made.results, old.results, strict=True):
        if new.type == result.type:
            results.append(new)
            continue
        back = CastOp(new, result.type)
        rewriter.insert(back, InsertPoint.before(old))
        results.append(back.dest)
    return results


def replace_with(old: Operation, operands: Sequence[SSAValue], rewriter: PatternRewriter) -> None:
    """Rebuild a destination-passing op on these operands, whose outputs stand last; casts give its old types back."""
    count = len(old.results)
    outputs = cast(Any, old).outputs
    tensors = [new.type for new in operands[len(operands) - len(outputs) :] if isinstance(new.type, TensorType)]
    made = rebuilt(old, operands, tensors[:count])
    rewriter.insert(made, InsertPoint.before(old))
    rewriter.replace(old, [], cast_back(made, old, rewriter))
