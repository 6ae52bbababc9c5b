"""`transform.loop.*`: loops unrolled, peeled, coalesced, of another kind."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xdsl.ir import Operation

from stepwell.dialects import affine, scf
from stepwell.lowering.affine.loops import promote
from stepwell.lowering.affine.unroll import unroll as unroll_affine
from stepwell.lowering.affine.unroll_jam import unroll_and_jam
from stepwell.lowering.scf.coalescing import coalesce_nest
from stepwell.lowering.scf.parallel_loops import forall_to_for, forall_to_parallel, parallel_to_for
from stepwell.lowering.scf.peeling import peel_first_iteration, peel_last_iteration
from stepwell.lowering.scf.unroll import promote_single
from stepwell.lowering.scf.unroll import unroll as unroll_scf
from stepwell.lowering.transform.handles import integer_of, is_set
from stepwell.lowering.transform.state import State, failure, silenceable


def _unroll(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    factor = integer_of(op, "factor", 1)
    state.consume(op.operands[0], op)
    for target in targets:
        done = unroll_affine(target, factor) if isinstance(target, affine.ForOp) else None
        if isinstance(target, scf.ForOp):
            done = unroll_scf(target, factor)
        if done is None:
            raise silenceable(op, "failed to unroll, incorrect type of payload")
        if not done:
            raise silenceable(op, "failed to unroll")


def _unroll_and_jam(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    state.consume(op.operands[0], op)
    for target in targets:
        if not isinstance(target, affine.ForOp) or not unroll_and_jam(target, integer_of(op, "factor", 1)):
            raise silenceable(op, "failed to unroll and jam")


def _peel(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    state.consume(op.operands[0], op)
    mains: list[Operation] = []
    rests: list[Operation] = []
    for target in targets:
        if not isinstance(target, scf.ForOp):
            raise failure(op, "expected an scf.for")
        if is_set(op, "peel_front"):
            rest = peel_first_iteration(target)
            if rest is None:
                raise silenceable(op, "failed to peel the first iteration")
        else:
            rest = peel_last_iteration(target)
            if rest is None and is_set(op, "fail_if_already_divisible"):
                raise silenceable(op, "failed to peel the last iteration")
        mains.append(target)
        rests.append(rest if rest is not None else target)
    state.set(op.results[0], mains)
    state.set(op.results[1], rests)


def _coalesce(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    state.consume(op.operands[0], op)
    from stepwell.lowering.affine.coalescing import coalesce_nest as coalesce_affine_nest

    for target in targets:
        done = coalesce_affine_nest(target) if isinstance(target, affine.ForOp) else isinstance(target, scf.ForOp) and coalesce_nest(target)
        if not done:
            raise silenceable(op, "failed to coalesce")
    state.set(op.results[0], targets)


def _promote(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    state.consume(op.operands[0], op)
    for target in targets:
        if isinstance(target, affine.ForOp):
            promote(target)
        elif isinstance(target, scf.ForOp):
            promote_single(target)


def _forall_to_for(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    state.consume(op.operands[0], op)
    if len(targets) != 1 or not isinstance(targets[0], scf.ForallOp):
        raise silenceable(op, "expected a single payload op" if len(targets) != 1 else "expected the payload to be scf.forall")
    count = len(targets[0].steps())
    if count != len(op.results):
        raise silenceable(op, f"op expects as many results ({len(op.results)}) as payload has induction variables ({count})")
    loops = forall_to_for(targets[0])
    if not loops:
        raise failure(op, "failed to convert forall into for")
    for result, loop in zip(op.results, loops, strict=True):
        state.set(result, [loop])


def _forall_to_parallel(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    state.consume(op.operands[0], op)
    if len(targets) != 1 or not isinstance(targets[0], scf.ForallOp):
        raise silenceable(op, "expected a single payload op" if len(targets) != 1 else "expected the payload to be scf.forall")
    band = forall_to_parallel(targets[0])
    if band is None:
        raise silenceable(op, "op only bufferized scf.forall can be converted to scf.parallel" if targets[0].outputs else "failed")
    state.set(op.results[0], [band])


def _parallel_to_for(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    state.consume(op.operands[0], op)
    if len(targets) != 1 or not isinstance(targets[0], scf.ParallelOp):
        raise silenceable(op, "expected a single payload op" if len(targets) != 1 else "expected the payload to be scf.parallel")
    loops = parallel_to_for(targets[0])
    if not loops:
        raise silenceable(op, "failed to convert parallel into for")
    state.set(op.results[0], loops)


LOOPS: dict[str, Callable[[Any, State], None]] = {
    "transform.loop.unroll": _unroll,
    "transform.loop.unroll_and_jam": _unroll_and_jam,
    "transform.loop.peel": _peel,
    "transform.loop.coalesce": _coalesce,
    "transform.loop.promote_if_one_iteration": _promote,
    "transform.loop.forall_to_for": _forall_to_for,
    "transform.loop.forall_to_parallel": _forall_to_parallel,
    "transform.loop.parallel_for_to_nested_fors": _parallel_to_for,
}
