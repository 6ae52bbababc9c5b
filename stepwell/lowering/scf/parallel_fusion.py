"""The pass `scf-parallel-loop-fusion`: neighbouring bands of parallel loops over the same points in, one band out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.ir import Block, BlockArgument, Operation, OpResult, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.traits import MemoryEffectKind, get_effects

from stepwell.dialects import memref, scf
from stepwell.ir.passes import Pass

ALLOCATIONS = frozenset({"memref.alloc", "memref.alloca"})


@dataclass(frozen=True)
class ParallelLoopFusion(Pass):
    """Fuse a band into the next one where no point needs what another one writes.

    before:  scf.parallel (%i) = (%a) to (%b) step (%s) { f(%i) }   scf.parallel (%i) = (%a) to (%b) step (%s) { g(%i) }
    after:   scf.parallel (%i) = (%a) to (%b) step (%s) { f(%i)   g(%i) }
    """

    name: ClassVar[str] = "scf-parallel-loop-fusion"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in list(op.walk()):
            for region in inner.regions:
                for block in region.blocks:
                    for chain in _chains(block):
                        _fuse_chain(chain)


def _chains(block: Block) -> list[list[scf.ParallelOp]]:
    """Bands with nothing between them that has effects or regions."""
    chains: list[list[scf.ParallelOp]] = [[]]
    for op in block.ops:
        if isinstance(op, scf.ParallelOp):
            chains[-1].append(op)
        elif op.regions or get_effects(op) != set():
            chains.append([])
    return chains


def _fuse_chain(chain: Sequence[scf.ParallelOp]) -> None:
    if not chain:
        return
    first = chain[0]
    for second in chain[1:]:
        first = _fuse(first, second) if _may_fuse(first, second) else second


# ---- whether ------------------------------------------------------------------------------------------------------------------------


def _may_fuse(first: scf.ParallelOp, second: scf.ParallelOp) -> bool:
    if any(isinstance(op, scf.ParallelOp) for band in (first, second) for op in band.body.block.walk()):
        return False
    bounds = [(*band.lowerBound, *band.upperBound, *band.step) for band in (first, second)]
    if len(bounds[0]) != len(bounds[1]) or any(a is not b for a, b in zip(*bounds, strict=True)):
        return False
    if not _results_are_used_behind(first, second):
        return False
    same = dict(zip(first.body.block.args, second.body.block.args, strict=True))
    accesses = [_accesses(band) for band in (first, second)]
    if accesses[0] is None or accesses[1] is None:
        return False
    return all(_may_share(a, b, same) for a in accesses[0] for b in accesses[1])


def _results_are_used_behind(first: scf.ParallelOp, second: scf.ParallelOp) -> bool:
    block = first.parent
    behind: set[Operation] = set()
    op = second.next_op
    while op is not None:
        behind.add(op)
        op = op.next_op
    for result in first.results:
        for use in result.uses:
            user: Operation | None = use.operation
            while user is not None and user.parent is not block:
                user = user.parent_op()
            if user not in behind:
                return False
    return True


def _accesses(band: scf.ParallelOp) -> list[Operation] | None:
    """The loads and stores in a band; None where something else touches memory."""
    found: list[Operation] = []
    for op in band.body.block.walk():
        if isinstance(op, memref.LoadOp | memref.StoreOp):
            found.append(op)
        elif not op.regions and not isinstance(op, scf.ReduceOp | scf.YieldOp) and op.name != "scf.reduce.return":
            effects = get_effects(op)
            if effects is None or any(effect.kind is not MemoryEffectKind.ALLOC for effect in effects):
                return None
    return found


def _may_share(a: Operation, b: Operation, same: dict[Any, Any]) -> bool:
    """Whether an access of the first band and one of the second may be in one iteration: one point touches what another one does only
    if neither writes."""
    if isinstance(a, memref.LoadOp) and isinstance(b, memref.LoadOp):
        return True
    (first, places), (second, others) = _place(a), _place(b)
    if first is not second:
        return not _may_alias(first, second)
    return all(_are_equal(x, y, same) for x, y in zip(places, others, strict=True))


def _place(op: Operation) -> tuple[SSAValue, Sequence[SSAValue]]:
    if isinstance(op, memref.StoreOp):
        return op.memref, op.indices
    load = cast(memref.LoadOp, op)
    return load.memref, load.indices


def _may_alias(a: SSAValue, b: SSAValue) -> bool:
    """Memory that was allocated here is nobody else's; what is a view may be of anything."""
    return not ((_is_allocated(a) and _is_root(b)) or (_is_allocated(b) and _is_root(a)))


def _is_allocated(value: SSAValue) -> bool:
    return isinstance(value, OpResult) and value.op.name in ALLOCATIONS


def _is_root(value: SSAValue) -> bool:
    if isinstance(value, BlockArgument):
        parent = value.block.parent_op()
        return parent is not None and parent.name == "func.func" and value.block.prev_block is None
    return _is_allocated(value) or (isinstance(value, OpResult) and value.op.name == "memref.get_global")


def _are_equal(a: SSAValue, b: SSAValue, same: dict[Any, Any]) -> bool:
    """Whether two subscripts are the same at the same point."""
    if a is b:
        return not isinstance(a, BlockArgument) or a not in same
    if a in same:
        return same[a] is b
    if not isinstance(a, OpResult) or not isinstance(b, OpResult) or a.index != b.index or a.op.name != b.op.name:
        return False
    if a.op.regions or get_effects(a.op) != set() or a.op.properties != b.op.properties or a.op.attributes != b.op.attributes:
        return False
    if len(a.op.operands) != len(b.op.operands):
        return False
    return all(_are_equal(x, y, same) for x, y in zip(a.op.operands, b.op.operands, strict=True))


# ---- how ----------------------------------------------------------------------------------------------------------------------------


def _fuse(first: scf.ParallelOp, second: scf.ParallelOp) -> scf.ParallelOp:
    """One band at the place of the second, with the reductions of both."""
    ends = [cast(scf.ReduceOp, band.body.block.last_op) for band in (first, second)]
    reduced = [value for end in ends for value in end.args]
    reductions = [end.detach_region(region) for end in ends for region in list(end.regions)]
    inits = [*first.initVals, *second.initVals]
    bounds = (list(second.lowerBound), list(second.upperBound), list(second.step))
    for end in ends:
        end.detach()
        end.erase()
    body = second.detach_region(second.body)
    block = body.block
    known = dict(zip(first.body.block.args, block.args, strict=True))
    start = block.first_op
    at = InsertPoint.before(start) if start is not None else InsertPoint.at_end(block)
    Rewriter.inline_block(first.body.block, at, list(block.args))
    block.add_op(scf.ReduceOp([known.get(value, value) for value in reduced], reductions))  # pyright: ignore[reportArgumentType, reportCallIssue]
    band = scf.ParallelOp(*bounds, body, inits)
    band.attributes.update(second.attributes)
    band.location = second.location
    Rewriter.insert_op(band, InsertPoint.before(second))
    count = len(first.results)
    Rewriter.replace_op(first, [], band.results[:count])
    Rewriter.replace_op(second, [], band.results[count:])
    return band
