"""The pass `convert-scf-to-cf`: structured control flow becomes blocks and branches.

In: `scf.for`, `while`, `if`, `parallel`, `index_switch` and `execute_region` anywhere. Out: `cf.br`, `cf.cond_br`, `cf.switch`; comparisons
and additions of `arith`. What is outside is converted before what is inside, in regions that then have several blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects import cf
from xdsl.dialects.builtin import DenseIntElementsAttr, IndexType, VectorType, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from stepwell.dialects import arith, scf
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.passes import Pass

INDEX = IndexType()


@dataclass(frozen=True)
class ConvertScfToCf(Pass):
    """Convert structured control flow to branches between blocks.

    before:  %r = scf.if %c -> (i32) { f   scf.yield %a } else { g   scf.yield %b }   h(%r)
    after:   cf.cond_br %c, ^then, ^else
             ^then: f   cf.br ^join(%a)
             ^else: g   cf.br ^join(%b)
             ^join(%r): cf.br ^rest
             ^rest: h(%r)
    """

    name: ClassVar[str] = "convert-scf-to-cf"
    anchor: ClassVar[str] = "any"

    allow_pattern_rollback: bool = True
    """Accepted for upstream's sake: nothing here is ever rolled back."""

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in list(op.walk()):
            if inner is not op and inner.parent is not None and (convert := CONVERSIONS.get(inner.name)) is not None:
                convert(inner)


# ---- moving blocks -----------------------------------------------------------------------------------------------------------------


def _append(block: Block, ops: Sequence[Operation], like: Operation) -> None:
    for op in ops:
        op.location = like.location
        block.add_op(op)


def _branch(
    block: Block, target: Block, values: Sequence[SSAValue], like: Operation, attributes: dict[str, Attribute] | None = None
) -> None:
    branch = cf.BranchOp(target, *values)
    branch.attributes |= attributes or {}
    _append(block, [branch], like)


def _fork(block: Block, cond: SSAValue, yes: Block, passed: Sequence[SSAValue], no: Block, like: Operation) -> Operation:
    fork = cf.ConditionalBranchOp(cond, yes, passed, no, [])
    _append(block, [fork], like)
    return fork


def _split_after(op: Operation) -> tuple[Block, Block]:
    """The block of `op` up to and with it, and the rest."""
    block, following = op.parent, op.next_op
    if block is None or following is None:
        raise CompileError(f"'{op.name}' stands where no branch can leave it", location=place(op))
    return block, block.split_before(following)


def _inline(region: Region, target: Block) -> list[Block]:
    """Move the blocks of `region` before `target`."""
    blocks = list(region.blocks)
    region.move_blocks_before(target)
    return blocks


def _finish(op: Operation, values: Sequence[SSAValue]) -> None:
    for result, value in zip(op.results, values, strict=True):
        value.name_hint = value.name_hint or result.name_hint
        result.replace_all_uses_with(value)
    op.detach()
    op.erase()


def _take_end(block: Block) -> tuple[Operation, list[SSAValue]]:
    """Detach the terminator of a block. Its operands."""
    end = block.last_op
    assert end is not None
    values = list(end.operands)
    end.detach()
    end.erase()
    return end, values


def _hints(op: Operation) -> dict[str, Attribute]:
    """What belongs to the branch that closes the loop."""
    return {name: value for name, value in op.attributes.items() if name.startswith("llvm.")}


def _yields_to(blocks: Sequence[Block], target: Block, like: Operation) -> None:
    """Whatever leaves the blocks by `scf.yield` goes to `target`."""
    for block in blocks:
        if isinstance(block.last_op, scf.YieldOp):
            _, values = _take_end(block)
            _branch(block, target, values, like)


def _join(op: Operation, rest: Block) -> Block:
    """Where branches with values for the results of `op` meet, before the rest."""
    if not op.results:
        return rest
    join = Block(arg_types=list(op.result_types))
    region = rest.parent
    assert region is not None
    region.insert_block_before(join, rest)
    _branch(join, rest, [], op)
    return join


# ---- one operation each ---------------------------------------------------------------------------------------------------------------


def _for(op: Any) -> None:
    start, end = _split_after(op)
    lower, upper, step, unsigned = op.lb, op.ub, op.step, op.unsignedCmp is not None
    inits = list(op.iter_args)
    blocks = _inline(op.body, end)
    head, last = blocks[0], blocks[-1]
    first = head.first_op
    assert first is not None
    body = head.split_before(first)
    last = body if last is head else last
    induction, *carried = head.args
    _, yielded = _take_end(last)
    stepped = arith.AddiOp(induction, step)
    _append(last, [stepped], op)
    _branch(last, head, [stepped.result, *yielded], op, _hints(op))
    _branch(start, head, [lower, *inits], op)
    goes_on = arith.CmpiOp(induction, upper, "ult" if unsigned else "slt")
    _append(head, [goes_on], op)
    _fork(head, goes_on.result, body, [], end, op)
    _finish(op, carried)


def _if(op: Any) -> None:
    start, rest = _split_after(op)
    join = _join(op, rest)
    condition = op.cond
    yes = _inline(op.true_region, join)
    no = _inline(op.false_region, join) if op.false_region.blocks else []
    _yields_to([*yes, *no], join, op)
    _fork(start, condition, yes[0], [], no[0] if no else join, op)
    _finish(op, join.args if op.results else [])


def _execute_region(op: Any) -> None:
    start, rest = _split_after(op)
    for type in op.result_types:
        rest.insert_arg(type, len(rest.args))
    blocks = _inline(op.region, rest)
    _branch(start, blocks[0], [], op)
    _yields_to(blocks, rest, op)
    _finish(op, rest.args)


def _while(op: Any) -> None:
    start, rest = _split_after(op)
    inits, hints = list(op.arguments), _hints(op)
    before = _inline(op.before_region, rest)
    after = _inline(op.after_region, rest)
    _, (condition, *passed) = _take_end(before[-1])
    _branch(start, before[0], inits, op)
    body = after[0]
    if len(after) == 1 and body.first_op is body.last_op and body.last_op is not None and tuple(body.last_op.operands) == tuple(body.args):
        fork = _fork(before[-1], condition, before[0], passed, rest, op)  # the body only passes on what it gets
        fork.attributes |= hints
        parent = body.parent
        assert parent is not None
        parent.erase_block(body)
    else:
        _fork(before[-1], condition, body, passed, rest, op)
        _, yielded = _take_end(after[-1])
        _branch(after[-1], before[0], yielded, op, hints)
    _finish(op, passed)


def _index_switch(op: Any) -> None:
    start, rest = _split_after(op)
    join = _join(op, rest)
    numbers = [int(case) for case in op.cases.get_values()]
    value = arith.IndexCastOp(op.arg, i64)
    cases = [_inline(region, join) for region in op.case_regions]
    default = _inline(op.default_region, join)
    _yields_to([block for blocks in (*cases, default) for block in blocks], join, op)
    values = DenseIntElementsAttr.from_list(VectorType(i64, [len(numbers)]), numbers) if numbers else None
    switch = cf.SwitchOp(value.result, default[0], [], values, [blocks[0] for blocks in cases], [[] for _ in cases])
    _append(start, [value, switch], op)
    _finish(op, join.args if op.results else [])


def _parallel(op: Any) -> None:
    """A nest of `scf.for`, which are converted in turn."""
    reduce: Any = op.body.block.last_op
    carried = list(op.initVals)
    loops: list[Any] = []
    block, before = op.parent, op
    bounds = list(zip(op.lowerBound, op.upperBound, op.step, strict=True))
    types = [value.type for value in carried]
    for lower, upper, step in bounds:
        body = Block(arg_types=[INDEX, *types])
        loop = scf.ForOp(lower, upper, step, carried, Region(body))
        loop.location = op.location
        if isinstance(before, Operation) and before.parent is block and block is op.parent:
            op.parent.insert_op_before(loop, op)
        else:
            block.add_op(loop)
        loops.append(loop)
        block, before, carried = body, None, list(body.args[1:])
    innermost: Block = block
    inner: Block = op.body.block
    for argument, loop in zip(list(inner.args), loops, strict=True):
        loop.body.block.args[0].name_hint = argument.name_hint
        argument.replace_all_uses_with(loop.body.block.args[0])
    values = list(reduce.args)
    regions = [reduce.detach_region(region) for region in list(reduce.regions)]
    reduce.detach()
    reduce.erase()
    for inside in list(inner.ops):
        inside.detach()
        innermost.add_op(inside)
    reduced: list[SSAValue] = []
    for region, accumulated, value in zip(regions, carried, values, strict=True):
        joiner = region.block
        joiner.args[0].replace_all_uses_with(accumulated)
        joiner.args[1].replace_all_uses_with(value)
        _, (result,) = _take_end(joiner)
        for inside in list(joiner.ops):
            inside.detach()
            innermost.add_op(inside)
        reduced.append(result)
    for loop in reversed(loops):
        _append(loop.body.block, [scf.YieldOp(*reduced)], op)
        reduced = list(loop.results)
    _finish(op, reduced)
    for loop in loops:
        _for(loop)


def _forall(op: Any) -> None:
    """As a band of loops; threads that write shared tensors must have been bufferised."""
    if op.results:
        raise CompileError("'scf.forall' with shared tensors cannot become branches", location=place(op), hint="bufferise it first")
    bounds: list[list[SSAValue]] = []
    known: dict[int, SSAValue] = {}
    for side in (op.lower_bounds(), op.upper_bounds(), op.steps()):
        values: list[SSAValue] = []
        for bound in side:
            if isinstance(bound, int):
                if bound not in known:
                    constant = arith.constant_index(bound)
                    constant.location = op.location
                    op.parent.insert_op_before(constant, op)
                    known[bound] = constant.results[0]
                bound = known[bound]
            values.append(bound)
        bounds.append(values)
    body = op.detach_region(op.region)
    _take_end(body.block)
    _append(body.block, [scf.ReduceOp()], op)
    parallel = scf.ParallelOp(bounds[0], bounds[1], bounds[2], body)
    parallel.location = op.location
    op.parent.insert_op_before(parallel, op)
    _finish(op, [])
    _parallel(parallel)


CONVERSIONS: dict[str, Callable[[Any], None]] = {
    "scf.for": _for,
    "scf.if": _if,
    "scf.while": _while,
    "scf.execute_region": _execute_region,
    "scf.index_switch": _index_switch,
    "scf.parallel": _parallel,
    "scf.forall": _forall,
}
