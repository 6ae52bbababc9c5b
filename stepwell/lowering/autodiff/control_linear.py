"""The linear program of branches and loops, as reverse mode needs it: an op of its own that computes nothing but tangents.

The op itself gives in further results what the tangents need beside its values: of a branch the values as they are, of a loop their stacks
over the steps. What is the same in every step, and rows of what is scanned, are not stacked.

    %y = nn.if %c { %a = nn.exp %x; yield %a } else { yield %x }
    ->
    %y, %r = nn.if %c { %a = nn.exp %x; yield %a, %a } else { yield %x, zeros }
    %dy = nn.if %c { %1 = nn.mul %dx, %r; yield %1 } else { yield %dx }
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint

from stepwell.dialects import nn
from stepwell.dialects.nn.control import COUNT, yielded
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.lowering.autodiff.differentiate import Tangents, erase_unused, push_forward, reads
from stepwell.lowering.autodiff.emitter import Emitter
from stepwell.lowering.autodiff.regions import append_yield, moving_states, replace, zero_in
from stepwell.lowering.graph.decompose_control import hoist_invariant
from stepwell.lowering.graph.values import tensor


def branches(op: nn.IfOp, tangents: Tangents, emitter: Emitter) -> None:
    """An `nn.if` that gives values and what tangents need, and one that gives tangents."""
    regions, count = (op.then, op.otherwise), len(op.results)
    found: list[list[SSAValue | None]] = []
    programs: list[list[Operation]] = []
    for region in regions:
        tangents_of, program = _linearised(region.block, dict(tangents), set(tangents.values()))
        found.append(tangents_of)
        programs.append(program)
        for constant in [inner for inner in region.block.ops if isinstance(inner, nn.ConstantOp)]:
            constant.detach()
            assert op.parent is not None
            op.parent.insert_op_before(constant, op)
    moving = [i for i in range(count) if any(each[i] is not None for each in found)]
    kept = [_read_from(region.block, program) for region, program in zip(regions, programs, strict=True)]
    linear = [Block(), Block()]
    for block, program, each in zip(linear, programs, found, strict=True):
        _move(program, block)
        block.add_op(nn.YieldOp(*(each[i] or Emitter(InsertPoint.at_end(block)).zeros(tensor(op.results[i])) for i in moving)))
    for region, mine in zip(regions, (0, 1), strict=True):
        append_yield(region.block, [v if side == mine else zero_in(region.block, v) for side in (0, 1) for v in kept[side]])
    new = nn.IfOp(op.condition, *(op.detach_region(region) for region in regions))
    replace(op, new)
    results = iter(new.results[count:])
    for block, values in zip(linear, kept, strict=True):
        _read_instead(block, {v: next(results) for v in values})
    change = nn.IfOp(new.condition, Region(linear[0]), Region(linear[1]))
    emitter.insert(change)
    for i, tangent in zip(moving, change.results, strict=True):
        tangents[new.results[i]] = tangent


def loop(op: nn.LoopOp, tangents: Tangents, emitter: Emitter) -> None:
    """An `nn.loop` that gives values and stacks of what tangents need, and one that gives tangents."""
    trips = op.known_trips
    if trips is None or op.condition is not None:
        why = "it ends when a condition says so" if op.condition is not None else "its number of steps is known only when it runs"
        hint = "forward mode (stepwell.jvp) goes through it; stepwell.scan and fori_loop with a known number of steps have both"
        raise CompileError(f"nn.loop has no derivative in reverse mode: {why}", location=place(op), hint=hint)
    body, count = op.body.block, len(op.carried)
    moving = moving_states(op, tangents)
    scans = [k for k, x in enumerate(op.scanned) if x in tangents]
    rows: list[SSAValue] = list(body.args[1 + count :])
    linear = Block(arg_types=[COUNT, *(op.carried[i].type for i in moving), *(rows[k].type for k in scans)])
    inputs = [*(body.args[1 + i] for i in moving), *(rows[k] for k in scans)]
    known = {**tangents, **dict(zip(inputs, linear.args[1:], strict=True))}
    found, program = _linearised(body, known, {*tangents.values(), *linear.args})
    hoist_invariant(op, program)
    inside = [o for o in program if not _move_out(o, (body, linear), emitter)]
    kept = _read_from(body, inside)
    stacks = [k for k in range(len(op.stacks)) if found[count + k] is not None]
    _move(inside, linear)
    made = Emitter(InsertPoint.at_end(linear))
    states = [found[i] or made.zeros(tensor(op.carried[i])) for i in moving]
    linear.add_op(nn.YieldOp(*states, *(part for k in stacks if (part := found[count + k]) is not None)))
    stacked = [v for v in kept if v not in rows]
    old_scans, old_stacks, carried = op.scans, op.stacks, list(op.carried)
    append_yield(body, stacked)
    new = nn.LoopOp.make(
        op.detach_region(op.body),
        carried,
        trips=trips,
        scanned=old_scans,
        stacks=[*old_stacks, *((0, False) for _ in stacked)],
    )
    replace(op, new)
    results = iter(new.results[count + len(old_stacks) :])
    residuals = [old_scans[rows.index(v)] if v in rows else (next(results), 0, False) for v in kept]
    _read_instead(linear, {v: linear.insert_arg(v.type, len(linear.args)) for v in kept})
    change = nn.LoopOp.make(
        Region(linear),
        [tangents.get(carried[i]) or emitter.zeros(tensor(carried[i])) for i in moving],
        trips=trips,
        scanned=[*((tangents[old_scans[k][0]], *old_scans[k][1:]) for k in scans), *residuals],
        stacks=[old_stacks[k] for k in stacks],
    )
    emitter.insert(change)
    for i, tangent in zip([*moving, *(count + k for k in stacks)], change.results, strict=True):
        tangents[new.results[i]] = tangent


def _linearised(block: Block, known: Tangents, linear: set[SSAValue]) -> tuple[list[SSAValue | None], list[Operation]]:
    """The tangents of what a block yields, and the ops among its own that compute with linear values, in order."""
    assert block.last_op is not None
    emitter = Emitter(InsertPoint.before(block.last_op))
    push_forward(block, known, yielded(block), emitter, interleaved=False)
    found = [known.get(value) for value in yielded(block)]
    erase_unused(emitter.emitted_but(found))
    program: list[Operation] = []
    for op in emitter.emitted:
        if op.parent is not None and any(v in linear for v in reads(op)):
            program.append(op)
            linear.update(op.results)
    return found, program


def _owner(value: SSAValue) -> Block | None:
    """The block that a value is defined in."""
    return value.owner if isinstance(value.owner, Block) else value.owner.parent


def _move_out(op: Operation, blocks: Sequence[Block], emitter: Emitter) -> bool:
    """Compute a tangent before the loop if it is the same in every step."""
    if op.regions or any(_owner(v) in blocks for v in op.operands):
        return False
    op.detach()
    emitter.insert(op)
    return True


def _read_from(block: Block, program: Iterable[Operation]) -> list[SSAValue]:
    """What a linear program reads of a block, beside its own results."""
    own = {r for op in program for r in op.results}
    return list(dict.fromkeys(v for op in program for v in reads(op) if v not in own and _owner(v) is block))


def _move(program: Iterable[Operation], block: Block) -> None:
    for op in program:
        op.detach()
        block.add_op(op)


def _read_instead(block: Block, table: dict[SSAValue, SSAValue]) -> None:
    """Replace values, in the ops of a block alone."""
    for op in block.walk():
        for i, value in enumerate(op.operands):
            if value in table:
                op.operands[i] = table[value]
