"""The pass `buffer-deallocation-simplification`: what is known of where buffers come from is taken out of `bufferization.dealloc`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.arith import ConstantOp, OrIOp
from xdsl.dialects.builtin import BoolAttr, i1
from xdsl.ir import BlockArgument, Operation, OpResult, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects.memref.more import OwnershipDeallocOp
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.folding import constant_of
from stepwell.ir.rewrite.pattern_set import CanonicalPatternsOf
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily
from stepwell.lowering.buffers.origins import BufferOrigins, is_allocation, view_base


@dataclass(frozen=True)
class BufferDeallocationSimplification(Pass):
    """Simplify deallocations.

    before:  %a = memref.alloc()   %0 = bufferization.dealloc (%a) if (%true) retain (%a)
    after:   %a = memref.alloc()   // %0 is %true
    """

    name: ClassVar[str] = "buffer-deallocation-simplification"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        origins = BufferOrigins(op)
        patterns = (
            RemoveMemrefsThatAreRetained(origins),
            RemoveRetainedThatCannotAlias(origins),
            SplitMemrefsThatAliasNoOther(origins),
            RetainedThatIsAlwaysOwned(origins),
        )
        rewrite_greedily(op, patterns, how=Greediness(fold=False, simplify="normal"))
        rewrite_greedily(op, CanonicalPatternsOf((), ("bufferization.dealloc",)), how=Greediness(unique_constants=True, simplify="normal"))


class _Pattern(RewritePattern):
    def __init__(self, origins: BufferOrigins) -> None:
        self._origins = origins

    def may_alias(self, others: Sequence[SSAValue], buffer: SSAValue) -> bool:
        """Whether a buffer may be the same allocation as one of the others."""
        return any(not _are_apart(other, buffer) and self._origins.same_allocation(other, buffer) is not False for other in others)


def _are_apart(a: SSAValue, b: SSAValue) -> bool:
    """Whether one was made after the other had been passed to the block."""
    a, b = view_base(a), view_base(b)
    return any(
        is_allocation(made)
        and isinstance(given, BlockArgument)
        and given.block.find_ancestor_op_in_block(cast(OpResult, made).op) is not None
        for made, given in ((a, b), (b, a))
    )


def _dealloc(memrefs: Sequence[SSAValue], conditions: Sequence[SSAValue], retained: Sequence[SSAValue]) -> OwnershipDeallocOp:
    return OwnershipDeallocOp(operands=[memrefs, conditions, retained], result_types=[[i1] * len(retained)])


def _stated(buffer: SSAValue) -> list[SSAValue]:
    """A buffer, and what it is the base of."""
    maker = buffer.owner
    if isinstance(maker, Operation) and maker.name == "memref.extract_strided_metadata":
        return [buffer, maker.operands[0]]
    return [buffer]


def _update(op: OwnershipDeallocOp, kept: Sequence[tuple[SSAValue, SSAValue]], rewriter: PatternRewriter) -> None:
    """Leave only these buffers and conditions to free."""
    if len(kept) < len(op.memrefs):
        new = _dealloc([buffer for buffer, _ in kept], [condition for _, condition in kept], op.retained)
        rewriter.replace(op, new, new.results)


class RemoveMemrefsThatAreRetained(_Pattern):
    """What is retained for sure is not freed; whether it is owned is then known.

    before:  %0:2 = bufferization.dealloc (%m) if (%c) retain (%m, %r)
    after:   %0:2 = bufferization.dealloc retain (%m, %r)   %1 = arith.ori %0#0, %c   // instead of %0#0
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: OwnershipDeallocOp, rewriter: PatternRewriter, /) -> None:
        if len(set(op.retained)) != len(op.retained):
            return
        kept: list[tuple[SSAValue, SSAValue]] = []
        for buffer, condition in zip(op.memrefs, op.conditions, strict=True):
            if not any(self._remove(op, name, condition, rewriter) for name in _stated(buffer)):
                kept.append((buffer, condition))
        _update(op, kept, rewriter)

    def _remove(self, op: OwnershipDeallocOp, buffer: SSAValue, condition: SSAValue, rewriter: PatternRewriter) -> bool:
        same = [self._origins.same_allocation(retained, buffer) for retained in op.retained]
        if None in same or True not in same:
            return False
        point = InsertPoint.after(op)
        for result, is_same in zip(op.results, same, strict=True):
            if is_same:
                uses = list(result.uses)
                joined = OrIOp(result, condition)
                rewriter.insert(joined, point)
                for use in uses:
                    use.operation.operands[use.index] = joined.result
                    rewriter.notify_op_modified(use.operation)
        return True


class RemoveRetainedThatCannotAlias(_Pattern):
    """What no freed buffer can be is not owned through them.

    before:  %0:2 = bufferization.dealloc (%m) if (%c) retain (%m, %r)
    after:   %0 = bufferization.dealloc (%m) if (%c) retain (%m)   // %0#1 is %false
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: OwnershipDeallocOp, rewriter: PatternRewriter, /) -> None:
        kept = [self.may_alias(op.memrefs, retained) for retained in op.retained]
        if all(kept):
            return
        new = _dealloc(op.memrefs, op.conditions, [value for value, stays in zip(op.retained, kept, strict=True) if stays])
        results = iter(new.results)
        made: list[Operation] = []
        values: list[SSAValue] = []
        for stays in kept:
            if not stays:
                made.append(ConstantOp(BoolAttr.from_bool(False)))
            values.append(next(results) if stays else made[-1].results[0])
        rewriter.replace(op, [*made, new], values)


class SplitMemrefsThatAliasNoOther(_Pattern):
    """A buffer that is none of the others is freed by itself: that needs no comparison with them.

    before:  %0 = bufferization.dealloc (%m, %n) if (%c, %d) retain (%r)
    after:   %1 = bufferization.dealloc (%m) if (%c) retain (%r)   %2 = bufferization.dealloc (%n) if (%d) retain (%r)
             %0 = arith.ori %2, %1
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: OwnershipDeallocOp, rewriter: PatternRewriter, /) -> None:
        if len(op.memrefs) <= 1:
            return
        split: list[Operation] = []
        left: list[tuple[SSAValue, SSAValue]] = []
        for index, (buffer, condition) in enumerate(zip(op.memrefs, op.conditions, strict=True)):
            others = [other for number, other in enumerate(op.memrefs) if number != index]
            if self.may_alias(others, buffer):
                left.append((buffer, condition))
            else:
                split.append(_dealloc([buffer], [condition], op.retained))
        if not split:
            return
        last = _dealloc([buffer for buffer, _ in left], [condition for _, condition in left], op.retained)
        made: list[Operation] = [*split, last]
        values: list[SSAValue] = list(last.results)
        for part in split:
            for index, result in enumerate(part.results):
                joined = OrIOp(values[index], result)
                made.append(joined)
                values[index] = joined.result
        rewriter.replace(op, made, values)


class RetainedThatIsAlwaysOwned(_Pattern):
    """What is retained and was owned for sure is owned; where that holds for all that is retained, they need not be compared.

    before:  %0 = bufferization.dealloc (%m, %n) if (%true, %c) retain (%m)
    after:   %0 = bufferization.dealloc (%n) if (%c) retain (%m)   // %true instead of %0
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: OwnershipDeallocOp, rewriter: PatternRewriter, /) -> None:
        kept: list[tuple[SSAValue, SSAValue]] = []
        owned: dict[int, SSAValue] = {}
        for buffer, condition in zip(op.memrefs, op.conditions, strict=True):
            known = constant_of(condition)
            same = [
                index
                for index, retained in enumerate(op.retained)
                if known is not None
                and bool(cast(Any, known).value.data)
                and any(self._origins.same_allocation(retained, name) for name in _stated(buffer))
            ]
            owned |= dict.fromkeys(same, condition)
            if not same:
                kept.append((buffer, condition))
        for index, condition in owned.items():
            if op.results[index].first_use is not None:
                rewriter.replace_all_uses_with(op.results[index], condition)
        if len(owned) == len(op.retained):
            _update(op, kept, rewriter)
