"""`scf.for` of known bounds unrolled: the body several times, and a loop for what is left."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import IndexType, IntegerAttr, IntegerType
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import arith, scf
from stepwell.lowering.building import Builder, number

_NONE = arith.IntegerOverflowAttr("none")


def trips(loop: scf.ForOp) -> int | None:
    """How often a loop runs, where that is known."""
    lower, upper, step = number(loop.lb), number(loop.ub), number(loop.step)
    if lower is None or upper is None or step is None or step <= 0:
        return None
    return max(0, -((lower - upper) // step))


def _constant(value: int, like: SSAValue, build: Builder) -> SSAValue:
    type = cast("IndexType | IntegerType", like.type)
    return build.constant(IntegerAttr(value, type), type)


def promote_single(loop: scf.ForOp) -> bool:
    """Put the body of a loop that runs once in its place. Whether it did."""
    if trips(loop) != 1:
        return False
    block = loop.body.block
    end = cast(Operation, block.last_op)
    values = [loop.lb, *loop.iter_args]
    results = [values[block.args.index(v)] if v in block.args else v for v in end.operands]  # pyright: ignore[reportArgumentType]
    end.detach()
    end.erase()
    Rewriter.inline_block(block, InsertPoint.before(loop), values)
    Rewriter.replace_op(loop, [], results)
    return True


def unroll(loop: scf.ForOp, factor: int) -> bool:
    """Write the body so often. Whether the bounds are known, and the loop runs so often."""
    count = trips(loop)
    if factor == 1:
        return count != 1 or promote_single(loop)
    if count is None or count < factor:
        return False
    lower, step = number(loop.lb), number(loop.step)
    assert lower is not None
    assert step is not None
    build = Builder(loop)
    whole = count - count % factor
    split = _constant(lower + whole * step, loop.lb, build)
    if whole != count:
        rest = loop.clone()
        Rewriter.insert_op(rest, InsertPoint.after(loop))
        for old, new in zip(loop.results, rest.results, strict=True):
            old.replace_all_uses_with(new)
        rest.operands[0] = split
        for position, result in enumerate(loop.results):
            rest.operands[3 + position] = result
        promote_single(rest)
        loop.operands[1] = split
    old_step = loop.step
    loop.operands[2] = _constant(step * factor, loop.step, build)
    _repeat_body(loop, factor, step, old_step)
    promote_single(loop)
    return True


def _repeat_body(loop: scf.ForOp, factor: int, step: int, like: SSAValue) -> None:
    block = loop.body.block
    end = cast(Operation, block.last_op)
    ops, yielded = list(block.ops)[:-1], list(end.operands)
    last = list(yielded)
    used = bool(block.args[0].uses)
    for copy in range(1, factor):
        build = Builder(InsertPoint.before(end), loop)
        known: dict[SSAValue, SSAValue] = dict(zip(block.args[1:], last, strict=True))
        if used:
            by = _constant(copy * step, like, build)
            moved = arith.AddiOp.create(operands=[block.args[0], by], result_types=[like.type], properties={"overflowFlags": _NONE})
            known[block.args[0]] = build.add(moved).results[0]
        for op in ops:
            build.add(op.clone(known))
        last = [known.get(value, value) for value in yielded]
    end.operands = last
