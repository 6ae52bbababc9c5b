"""Forward mode through branches and loops: tangents are computed beside the values, in the same op.

In: `nn.if` or `nn.loop`, and tangents of what it reads. Out: an op with more results, in its place.
"""

from __future__ import annotations

from xdsl.ir import Block, SSAValue
from xdsl.rewriter import InsertPoint

from stepwell.dialects import nn
from stepwell.dialects.nn.control import yielded
from stepwell.lowering.autodiff.differentiate import Tangents, push_forward
from stepwell.lowering.autodiff.emitter import Emitter
from stepwell.lowering.autodiff.regions import append_yield, moving_states, replace, set_yield, zero_in
from stepwell.lowering.graph.values import tensor


def branches(op: nn.IfOp, tangents: Tangents, emitter: Emitter) -> None:
    """Every branch gives the tangents of what it yields, too."""
    regions = op.then, op.otherwise
    emitter.go_to(InsertPoint.before(op))
    found = [_pushed(region.block, dict(tangents)) for region in regions]
    moving = [i for i in range(len(op.results)) if any(each[i] is not None for each in found)]
    for region, each in zip(regions, found, strict=True):
        append_yield(region.block, [each[i] or zero_in(region.block, op.results[i]) for i in moving])
    new = nn.IfOp(op.condition, *(op.detach_region(region) for region in regions))
    replace(op, new, emitter)
    for i, tangent in zip(moving, new.results[len(found[0]) :], strict=True):
        tangents[new.results[i]] = tangent


def loop(op: nn.LoopOp, tangents: Tangents, emitter: Emitter) -> None:
    """A step carries the tangents of its state, scans those of what it scans, and stacks those of what it stacks."""
    block, count = op.body.block, len(op.carried)
    emitter.go_to(InsertPoint.before(op))
    moving = moving_states(op, tangents)
    known = dict(tangents)
    for j, i in enumerate(moving):
        known[block.args[1 + i]] = block.insert_arg(op.carried[i].type, 1 + count + j)
    rows = list(block.args[1 + count + len(moving) :])
    scans = [k for k, x in enumerate(op.scanned) if x in tangents]
    for k in scans:
        known[rows[k]] = block.insert_arg(rows[k].type, len(block.args))
    before = int(op.condition is not None)
    found = _pushed(block, known)
    values = list(yielded(block))
    states = [found[before + i] or zero_in(block, op.carried[i]) for i in moving]
    stacks = [k for k in range(len(op.stacks)) if found[before + count + k] is not None]
    parts = [found[before + count + k] for k in stacks]
    set_yield(block, [*values[: before + count], *states, *values[before + count :], *(p for p in parts if p is not None)])
    new = nn.LoopOp.make(
        op.detach_region(op.body),
        [*op.carried, *(tangents.get(op.carried[i]) or emitter.zeros(tensor(op.carried[i])) for i in moving)],
        trips=op.known_trips,
        count=op.count,
        condition=op.condition,
        scanned=[*op.scans, *((tangents[op.scans[k][0]], *op.scans[k][1:]) for k in scans)],
        stacks=[*op.stacks, *(op.stacks[k] for k in stacks)],
    )
    old = [*range(count), *(count + len(moving) + k for k in range(len(op.stacks)))]
    replace(op, new, emitter, old)
    for i, tangent in zip(moving, new.results[count:], strict=False):
        tangents[new.results[i]] = tangent
    for k, tangent in zip(stacks, new.results[count + len(moving) + len(op.stacks) :], strict=True):
        tangents[new.results[count + len(moving) + k]] = tangent


def _pushed(block: Block, known: Tangents) -> list[SSAValue | None]:
    push_forward(block, known, yielded(block), Emitter(InsertPoint.at_end(block)), interleaved=True)
    return [known.get(value) for value in yielded(block)]
