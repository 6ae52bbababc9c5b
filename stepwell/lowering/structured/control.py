"""Loops and branches of `@main` as the passes over it see them.

In: `scf.for`, `scf.while`, `scf.if`. Out: what they carry, in one form for both loops. A `scf.while` of `@main` decides in its first region
and computes in its second: the first holds arithmetic on numbers only, and passes on what it was given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from xdsl.ir import Block, Operation, SSAValue

from stepwell.dialects import scf
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.structured.kernels import is_tensor, location_of

Loop = scf.ForOp | scf.WhileOp


@dataclass(frozen=True)
class Carried:
    """One value that a loop carries: with what it begins (operand number), its argument in the body, the number of the yielded value that
    takes its place, the result; and the argument of the deciding region, if there is one."""

    init: int
    argument: SSAValue
    yielded: int
    result: SSAValue
    decided: SSAValue | None = None


def carried_by(op: Loop) -> list[Carried]:
    """What a loop carries and gives. Raises CompileError for a `scf.while` of another form."""
    if isinstance(op, scf.ForOp):
        pairs = zip(op.body.block.args[1:], op.results, strict=True)
        return [Carried(3 + i, argument, i, result) for i, (argument, result) in enumerate(pairs)]
    before = op.before_region.block
    condition = before.last_op
    if not isinstance(condition, scf.ConditionOp):
        raise CompileError("'scf.while' decides by no 'scf.condition'", location=location_of(op))
    for inner in before.ops:
        if inner is not condition and (inner.regions or any(is_tensor(v) for v in (*inner.operands, *inner.results))):
            raise CompileError(
                f"'{inner.name}' stands where a 'scf.while' decides", location=location_of(inner), hint="compute in its second region"
            )
    carried: list[Carried] = []
    for argument, value, result in zip(op.after_region.block.args, condition.operands[1:], op.results, strict=True):
        if is_tensor(value) and value not in before.args:
            raise CompileError("'scf.while' passes on a tensor that it was not given", location=location_of(op))
        if value in before.args:
            i = before.args.index(cast(Any, value))
            carried.append(Carried(i, argument, i, result, value))
    given = {each.init for each in carried}
    if any(is_tensor(argument) and i not in given for i, argument in enumerate(before.args)) or len(given) < len(carried):
        raise CompileError("'scf.while' passes on a tensor twice, or not at all", location=location_of(op))
    return carried


def body_of(op: Loop) -> Block:
    """The block that a loop runs again and again."""
    return op.body.block if isinstance(op, scf.ForOp) else op.after_region.block


def branches_of(op: scf.IfOp) -> list[Block]:
    """The blocks of an `scf.if`, of which one runs."""
    return [region.block for region in op.regions if region.blocks]


def yield_of(block: Block) -> Operation:
    """The terminator of a body or branch."""
    last = block.last_op
    assert last is not None
    return last
