"""Reverse mode of branches and loops: the transposes of their linear programs.

Of a branch: the same condition, every branch transposed. Of a loop: from the last step to the first; the cotangents of its state are
carried, those of what it stacked are scanned, those of what it scanned are stacked, and those of what every step reads are added up.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint

from stepwell.dialects import nn
from stepwell.dialects.nn.control import COUNT, yielded
from stepwell.lowering.autodiff.differentiate import erase_unused, pull_back
from stepwell.lowering.autodiff.emitter import Emitter
from stepwell.lowering.graph.values import tensor

Cotangents = list[tuple[SSAValue, SSAValue]]


def branches(op: nn.IfOp, linear: set[SSAValue], cotangents: Sequence[SSAValue | None], emitter: Emitter) -> Cotangents:
    """(linear value, its cotangent) for all that the branches read."""
    captured = _captured(op, linear)
    blocks: list[Block] = []
    found: list[list[SSAValue | None]] = []
    for region in (op.then, op.otherwise):
        block, values = _opened(region)
        seeds = [(v, c) for v, c in zip(values, cotangents, strict=True) if c is not None]
        found.append(_transposed(block, captured, seeds))
        blocks.append(block)
    used = [i for i in range(len(captured)) if any(each[i] is not None for each in found)]
    if not used:
        return []
    for block, each in zip(blocks, found, strict=True):
        end = Emitter(InsertPoint.at_end(block))
        block.add_op(nn.YieldOp(*[each[i] or end.zeros(tensor(captured[i])) for i in used]))
    new = nn.IfOp(op.condition, Region(blocks[0]), Region(blocks[1]))
    emitter.insert(new)
    return [(captured[i], result) for i, result in zip(used, new.results, strict=True)]


def loop(op: nn.LoopOp, linear: set[SSAValue], cotangents: Sequence[SSAValue | None], emitter: Emitter) -> Cotangents:
    """(linear value, its cotangent) for the first state, all that is scanned, and all that the steps read. All states are linear."""
    count = len(op.carried)
    captured = _captured(op, linear)
    block, values = _opened(op.body)
    states, rows = list(block.args[1 : 1 + count]), list(block.args[1 + count :])
    swept = [k for k, x in enumerate(op.scanned) if x in linear]
    fixed = [k for k in range(len(rows)) if k not in swept]
    stacks = [k for k in range(len(op.stacks)) if cotangents[count + k] is not None]
    body = Block(arg_types=[COUNT, *(s.type for s in states), *(values[count + k].type for k in stacks), *(rows[k].type for k in fixed)])
    _, *arguments = body.args
    for k, row in zip(fixed, arguments[count + len(stacks) :], strict=True):
        rows[k].replace_all_uses_with(row)
    for inner in list(block.ops):
        inner.detach()
        body.add_op(inner)
    seeds = list(zip([*values[:count], *(values[count + k] for k in stacks)], arguments, strict=False))
    found = _transposed(body, [*states, *(rows[k] for k in swept), *captured], seeds)
    end = Emitter(InsertPoint.at_end(body))
    before = [part or end.zeros(tensor(state)) for part, state in zip(found, states, strict=False)]
    parts = [part or end.zeros(tensor(rows[k])) for part, k in zip(found[count:], swept, strict=False)]
    sums = [(value, part) for value, part in zip(captured, found[count + len(swept) :], strict=True) if part is not None]
    totals = [end.add(body.insert_arg(value.type, 1 + count + j), part) for j, (value, part) in enumerate(sums)]
    body.add_op(nn.YieldOp(*before, *totals, *parts))

    def turned(entry: tuple[int, bool]) -> tuple[int, bool]:
        return entry[0], not entry[1]

    scans = op.scans
    initial = [c or emitter.zeros(tensor(state)) for c, state in zip(cotangents, op.carried, strict=False)]
    new = nn.LoopOp.make(
        Region(body),
        [*initial, *(emitter.zeros(tensor(value)) for value, _ in sums)],
        trips=op.known_trips,
        scanned=[
            *((c, *turned(op.stacks[k])) for k in stacks if (c := cotangents[count + k]) is not None),
            *((scans[k][0], *turned(scans[k][1:])) for k in fixed),
        ],
        stacks=[turned(scans[k][1:]) for k in swept],
    )
    emitter.insert(new)
    read = [*op.carried, *(value for value, _ in sums), *(op.scanned[k] for k in swept)]
    return [(value, part) for value, part in zip(read, new.results, strict=True) if value in linear]


def _captured(op: Operation, linear: set[SSAValue]) -> list[SSAValue]:
    """The linear values of the block around it that the regions of an op read."""
    return list(dict.fromkeys(v for region in op.regions for inner in region.walk() for v in inner.operands if v in linear))


def _opened(region: Region) -> tuple[Block, list[SSAValue]]:
    """A copy of the block of a region, without its yield; and what it yielded."""
    region = region.clone()
    block, values = region.block, list(yielded(region.block))
    last = block.last_op
    assert last is not None
    block.erase_op(last)
    region.detach_block(block)
    return block, values


def _transposed(block: Block, inputs: Sequence[SSAValue], seeds: Sequence[tuple[SSAValue, SSAValue]]) -> list[SSAValue | None]:
    """Replace the ops of a block by their transpose: cotangents of `inputs`, given those of values."""
    program = list(block.ops)
    emitter = Emitter(InsertPoint.at_end(block))
    found = pull_back(program, inputs, seeds, emitter)
    kept = {value.owner for value in found if value is not None}
    erase_unused([op for op in block.ops if op not in kept])
    return found
