"""Control flow that is decided: conditions and numbers of steps that turned out to be constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import Tensor, constant_value
from stepwell.dialects.nn.control import COUNT, yielded
from stepwell.lowering.graph.patterns import Pattern, Replacement, Site


def _truth(value: SSAValue) -> bool | None:
    known = constant_value(value)
    return None if known is None else bool(known)


def known_branch(op: nn.IfOp, site: Site) -> Replacement:
    """if of a constant -> the branch that is taken"""
    truth = _truth(op.condition)
    return None if truth is None else site.inline((op.then if truth else op.otherwise).block)


def no_step(op: nn.LoopOp, site: Site) -> Replacement:
    """A loop of no step -> what it would carry, and empty stacks"""
    never = op.condition is not None and _truth(op.condition) is False
    if not (op.known_trips == 0 or never) or any(0 not in r.type.get_shape() for r in op.results[len(op.carried) :]):  # type: ignore[attr-defined]
        return None
    stacks: list[Tensor] = [r.type for r in op.results[len(op.carried) :]]  # type: ignore[misc]
    return [*op.carried, *(site.splat(0, type) for type in stacks)]


def one_step(op: nn.LoopOp, site: Site) -> Replacement:
    """A loop of one step -> its body"""
    if op.known_trips != 1 or op.condition is not None:
        return None
    zero = site.splat(0, COUNT)
    slices = [
        site.make(nn.ReshapeOp, x, result_type=a.type) for x, a in zip(op.scanned, op.body.block.args[1 + len(op.carried) :], strict=True)
    ]
    values = list(site.inline(op.body.block, [zero, *op.carried, *slices]))
    parts = zip(values[len(op.carried) :], op.results[len(op.carried) :], strict=True)
    return [*values[: len(op.carried)], *(site.make(nn.ReshapeOp, part, result_type=result.type) for part, result in parts)]


def known_count(op: nn.LoopOp, site: Site) -> Replacement:
    """count(constant), and a condition that always holds -> trips, no condition"""
    count = None if op.count is None else constant_value(op.count)
    values = yielded(op.body.block)
    endless = op.condition is not None and _truth(op.condition) is True and _truth(values[0]) is True
    if count is None and not (endless and (op.count is not None or op.known_trips is not None)):
        return None
    trips = op.known_trips if count is None else max(int(count), 0)
    last = op.body.block.last_op
    assert last is not None
    kept = list(values[1:] if endless else values)
    body = op.detach_region(op.body)
    body.block.erase_op(last)
    body.block.add_op(nn.YieldOp(*kept))
    again = nn.LoopOp.make(
        body,
        op.carried,
        trips=trips,
        count=op.count if count is None and trips is None else None,
        condition=None if endless else op.condition,
        scanned=op.scans,
        stacks=op.stacks,
    )
    again.location = op.location
    site.insert(again)
    return list(again.results)


CONTROL: Mapping[type[Operation], Sequence[Pattern]] = {nn.IfOp: (known_branch,), nn.LoopOp: (known_count, no_step, one_step)}
