"""`nn.if` and `nn.loop` become `scf` on tensors.

    nn.if    -> scf.if on the element of the condition
    nn.loop  -> scf.for, or scf.while where a condition may end it early; its number of steps is a constant or the element of the count

A scanned tensor is read by `tensor.extract_slice` at the step, a stack is carried and written by `tensor.insert_slice`: no copy of the
whole is ever made. A state that is stacked lives in the stack. The number of the step is a tensor only where the body asks for it. What is
the same in every step stands before the loop.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import IndexType, IntegerAttr, i1, i64
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.rewriter import Rewriter

from stepwell.dialects import arith, nn, scf, tensor
from stepwell.dialects.nn.base import DYNAMIC, NnOp, Tensor, is_float
from stepwell.dialects.nn.control import COUNT, yielded
from stepwell.ir.constants import tensor_type
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place

INDEX = IndexType()


def lower_control(root: Operation) -> None:
    """Replace every `nn.if` and `nn.loop` inside of an operation."""
    for op in list(root.walk()):
        if isinstance(op, nn.IfOp):
            _lower_if(op)
        elif isinstance(op, nn.LoopOp):
            _lower_loop(op)


class _Writer:
    """Appends operations to a block, or puts them in front of one."""

    def __init__(self, block: Block, before: Operation | None, location: Any) -> None:
        self._block, self._before, self._location = block, before, location

    def __call__(self, op: Operation) -> SSAValue:
        op.location = self._location
        if self._before is None:
            self._block.add_op(op)
        else:
            self._block.insert_op_before(op, self._before)
        return op.results[0] if op.results else cast(SSAValue, None)

    def index(self, value: int) -> SSAValue:
        return self(arith.ConstantOp.create(properties={"value": IntegerAttr(value, INDEX)}, result_types=[INDEX]))

    def element(self, value: SSAValue) -> SSAValue:
        """The element of a tensor of rank 0."""
        return self(tensor.ExtractOp.create(operands=[value], result_types=[cast(Tensor, value.type).element_type]))


def _in_front_of(op: Operation) -> _Writer:
    block = op.parent
    assert block is not None
    return _Writer(block, op, op.location)


def _taken(op: Operation, region: Region) -> tuple[Block, Sequence[SSAValue]]:
    """The block of a region, detached and without its yield; and what it yielded."""
    block = region.block
    values = list(yielded(block))
    last = block.last_op
    assert last is not None
    Rewriter.erase_op(last)
    region.detach_block(block)
    return block, values


def _replace(op: Operation, values: Sequence[SSAValue]) -> None:
    for old, new in zip(op.results, values, strict=True):
        if new.name_hint is None:
            new.name_hint = old.name_hint
        old.replace_all_uses_with(new)
    Rewriter.erase_op(op)


def _lower_if(op: nn.IfOp) -> None:
    write = _in_front_of(op)
    regions: list[Region] = []
    for region in (op.then, op.otherwise):
        block, values = _taken(op, region)
        block.add_op(scf.YieldOp(*values))
        regions.append(Region(block))
    new = scf.IfOp(write.element(op.condition), list(op.result_types), regions[0], regions[1])
    write(new)
    _replace(op, new.results)


def hoist_invariant(op: nn.LoopOp, but: Container[Operation] = ()) -> None:
    """Move in front of a loop what every step would compute again, `but` some ops. What divides integers stays: it may fail where no step
    is taken."""
    block = op.body.block
    outer = op.parent
    assert outer is not None
    for inner in list(block.ops):
        if not isinstance(inner, NnOp) or inner in but or _may_fail(inner):
            continue
        if not any(o.owner is block or (isinstance(o.owner, Operation) and o.owner.parent is block) for o in inner.operands):
            inner.detach()
            outer.insert_op_before(inner, op)


def _may_fail(op: NnOp) -> bool:
    return isinstance(op, (nn.DivOp, nn.ModOp)) and not is_float(cast(Tensor, op.results[0].type).element_type)


def _lower_loop(op: nn.LoopOp) -> None:
    if any(DYNAMIC in cast(Tensor, r.type).get_shape() for r in op.results):
        raise CompileError("nn.loop: what it carries has no known shape", location=place(op), hint="give the model's inputs static shapes")
    hoist_invariant(op)
    write = _in_front_of(op)
    zero, one = write.index(0), write.index(1)
    known = op.known_trips
    end: SSAValue | None = None
    if known is not None:
        end = write.index(known)
    elif op.count is not None:
        end = write(arith.IndexCastOp.create(operands=[write.element(op.count)], result_types=[INDEX]))
    if op.condition is None:
        assert end is not None
        kept = _kept_in_stacks(op)
        inits = [v for i, v in enumerate(op.carried) if i not in kept.values()]
        for k, result in enumerate(op.results[len(op.carried) :]):
            inits.append(_stack(op, k, kept.get(k), cast(Tensor, result.type), write))
        body = _body(op, Block(arg_types=[INDEX, *(v.type for v in inits)]), one, known, kept)
        loop: Operation = scf.ForOp(zero, end, one, inits, body)
        write(loop)
        _replace(op, _results(op, loop, kept, write))
        return
    inits = list(op.carried)
    types = [INDEX, i1, *(v.type for v in inits)]
    before = Block(arg_types=types)
    decide = _Writer(before, None, op.location)
    goes: SSAValue = before.args[1]
    if end is not None:
        less = decide(arith.CmpiOp.create(operands=[before.args[0], end], properties={"predicate": IntegerAttr(2, i64)}, result_types=[i1]))
        goes = decide(arith.AndIOp.create(operands=[less, goes], result_types=[i1]))
    decide(scf.ConditionOp(goes, before.args[0], *before.args[2:]))
    after = _body(op, Block(arg_types=[INDEX, *(v.type for v in inits)]), one, known, {})
    loop = scf.WhileOp.create(
        operands=[zero, write.element(op.condition), *inits],
        result_types=[INDEX, *(v.type for v in inits)],
        regions=[Region(before), Region(after)],
    )
    write(loop)
    _replace(op, loop.results[1:])


# ---- states that are stacked ----------------------------------------------------------------------------------------------------


def _kept_in_stacks(op: nn.LoopOp) -> dict[int, int]:
    """Stacks along axis 0 whose parts are what the loop carries on: stack -> carried. The stack has then room for what the loop began
    with, and a step reads what the step before has written: nothing is copied."""
    values, kept = yielded(op.body.block), dict[int, int]()
    if not op.known_trips:
        return kept
    for k, (axis, _) in enumerate(op.stacks):
        part = values[len(op.carried) + k]
        found = [i for i in range(len(op.carried)) if values[i] is part and i not in kept.values()]
        if axis == 0 and found:
            kept[k] = found[0]
    return kept


def _stack(op: nn.LoopOp, k: int, carried: int | None, type: Tensor, write: _Writer) -> SSAValue:
    """A stack before the first step."""
    if carried is None:
        return write(tensor.EmptyOp((), type))
    trips, *part = type.get_shape()
    longer = tensor_type((trips + 1, *part), type.element_type)
    at = trips if op.stacks[k][1] else 0
    offsets, sizes = _box(longer, 0, at)
    return write(tensor.InsertSliceOp(op.carried[carried], write(tensor.EmptyOp((), longer)), offsets, sizes, [1] * len(sizes)))


def _results(op: nn.LoopOp, loop: Operation, kept: dict[int, int], write: _Writer) -> list[SSAValue]:
    """What a loop gives, out of what the new one gives."""
    count = len(op.carried)
    states = iter(loop.results[: count - len(kept)])
    values: dict[int, SSAValue] = {i: next(states) for i in range(count) if i not in kept.values()}
    for k, stack in enumerate(loop.results[count - len(kept) :]):
        values[count + k] = stack
        if k in kept:
            trips, *part = cast(Tensor, stack.type).get_shape()
            backward, zeros = op.stacks[k][1], [0] * len(part)
            first, last = (0, 0) if backward else (1, trips - 1)
            values[count + k] = write(nn.SliceOp.make(stack, starts=[first, *zeros], ends=[first + trips - 1, *part]))
            final = write(nn.SliceOp.make(stack, starts=[last, *zeros], ends=[last + 1, *part]))
            values[kept[k]] = write(nn.ReshapeOp.make(final, result_type=op.results[kept[k]].type))
    return [values[i] for i in range(len(op.results))]


def _body(op: nn.LoopOp, target: Block, one: SSAValue, trips: int | None, kept: dict[int, int]) -> Block:
    """Fill the body of the new loop, whose arguments are the index of the step, what is carried, and the stacks."""
    number, *state = target.args
    moving = [i for i in range(len(op.carried)) if i not in kept.values()]
    stacks = state[len(moving) :]
    scans, axes, while_ = op.scans, op.stacks, op.condition is not None
    source = op.body.block
    op.body.detach_block(source)
    step, *rest = source.args
    write = _Writer(target, None, op.location)

    if step.uses:
        empty = write(tensor.EmptyOp((), COUNT))
        cast_ = write(arith.IndexCastOp.create(operands=[number], result_types=[i64]))
        step.replace_all_uses_with(write(tensor.InsertOp.create(operands=[cast_, empty], result_types=[COUNT])))
    backwards: list[SSAValue] = []

    def at(backward: bool) -> SSAValue:
        if not backward:
            return number
        if not backwards:
            assert trips is not None
            backwards.append(write(arith.SubiOp(write.index(trips - 1), number)))
        return backwards[0]

    # Known before the body computes, so that parts are computed in their places.
    places = [at(backward) for _, backward in axes]
    for i, value in zip(moving, state, strict=False):
        rest[i].replace_all_uses_with(value)
        value.name_hint = rest[i].name_hint
    for k, i in kept.items():
        following = write(arith.AddiOp(places[k], one))
        before, places[k] = (following, places[k]) if axes[k][1] else (places[k], following)
        offsets, sizes = _box(cast(Tensor, stacks[k].type), 0, before)
        rest[i].replace_all_uses_with(write(tensor.ExtractSliceOp(stacks[k], offsets, sizes, [1] * len(sizes), rest[i].type)))  # type: ignore[arg-type]
    for argument, (x, axis, backward) in zip(rest[len(op.carried) :], scans, strict=True):
        offsets, sizes = _box(cast(Tensor, x.type), axis, at(backward))
        row = tensor.ExtractSliceOp(x, offsets, sizes, [1] * len(sizes), argument.type)  # type: ignore[arg-type]
        argument.replace_all_uses_with(write(row))
    values = list(yielded(source))  # read here, where arguments have been replaced
    last = source.last_op
    assert last is not None
    Rewriter.erase_op(last)
    for inner in list(source.ops):
        inner.detach()
        target.add_op(inner)
    flag = [write.element(values[0])] if while_ else []
    results = values[len(flag) :]
    parts: list[SSAValue] = []
    for part, stack, (axis, _), place_ in zip(results[len(op.carried) :], stacks, axes, places, strict=True):
        offsets, sizes = _box(cast(Tensor, stack.type), axis, place_)
        parts.append(write(tensor.InsertSliceOp(part, stack, offsets, sizes, [1] * len(sizes))))
    counted = [write(arith.AddiOp(number, one)), *flag] if while_ else []
    write(scf.YieldOp(*counted, *(results[i] for i in moving), *parts))
    return target


def _box(type: Tensor, axis: int, at: SSAValue | int) -> tuple[list[Any], list[int]]:
    shape = type.get_shape()
    return [at if d == axis else 0 for d in range(len(shape))], [1 if d == axis else extent for d, extent in enumerate(shape)]
