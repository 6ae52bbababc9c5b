"""What canonicalizes `scf.forall`: one class per pattern, each of which shows what it does."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance, and so do lambdas that tables hold.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import DYNAMIC_INDEX, DenseArrayBase, i32, i64
from xdsl.ir import Block, Operation, OpResult, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects import arith
from stepwell.dialects.known_indices import known, with_constants
from stepwell.dialects.tensor.facts import forgets_extents

Mixed = list[int | SSAValue]


def rebuilt(op: Any, bounds: Sequence[Mixed], outputs: Sequence[SSAValue], rewriter: PatternRewriter) -> Operation:
    """A forall like `op`, whose body it takes, before it."""
    lower, upper, steps = bounds
    parts = [[value for value in side if isinstance(value, SSAValue)] for side in (lower, upper, steps)]
    properties = dict(op.properties)
    for name, side in (("staticLowerBound", lower), ("staticUpperBound", upper), ("staticStep", steps)):
        properties[name] = DenseArrayBase.from_list(i64, [DYNAMIC_INDEX if isinstance(value, SSAValue) else value for value in side])
    properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [*map(len, parts), len(outputs)])
    region = op.detach_region(op.region)
    new = type(op).create(
        operands=[*(value for part in parts for value in part), *outputs],
        result_types=[value.type for value in outputs],
        properties=properties,
        attributes=dict(op.attributes),
        regions=[region],
    )
    rewriter.insert(new, InsertPoint.before(op))
    return new


def _replace(op: Operation, values: Sequence[SSAValue], rewriter: PatternRewriter) -> None:
    rewriter.replace(op, (), list(values))


class FoldBounds(RewritePattern):
    """before:  scf.forall (%i) in (%c8)
    after:   scf.forall (%i) in (8)"""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        before = [op.lower_bounds(), op.upper_bounds(), op.steps()]
        after = [with_constants(side) for side in before]
        if all(isinstance(a, int) or a is b for x, y in zip(before, after, strict=True) for a, b in zip(x, y, strict=True)):
            return
        _replace(op, rebuilt(op, after, list(op.outputs), rewriter).results, rewriter)


class SingleOrNoIterations(RewritePattern):
    """Loops that run once go, and the whole band if that is all, its parallel insertions made plain ones; one that never runs makes it
    its outputs. A band that is mapped to threads keeps its loops, but their indices are known.

    before:  scf.forall (%i, %j) = (0, 0) to (1, %n) step (8, 1) { f(%i, %j) }
    after:   scf.forall (%j) in (%n) { f(%c0, %j) }
    """

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        bounds = [op.lower_bounds(), op.upper_bounds(), op.steps()]
        kept: list[int] = []
        for index, (lower, upper, step) in enumerate(zip(*bounds, strict=True)):
            first, last, by = known(lower), known(upper), known(step)
            if first is not None and last is not None and first >= last:
                _replace(op, list(op.outputs), rewriter)
                return
            if first is None or last is None or by is None or first + by < last:
                kept.append(index)
        rank = len(bounds[0])
        if len(kept) == rank and rank:
            return
        mapped = op.mapping is not None and len(op.mapping.data) > 0
        if mapped:
            self._make_known(op, [index for index in range(rank) if index not in kept], bounds[0], rewriter)
        elif not kept:
            _inline(op, bounds[0], rewriter)
        else:
            self._collapse(op, bounds, kept, rewriter)

    def _make_known(self, op: Any, single: list[int], lower: Mixed, rewriter: PatternRewriter) -> None:
        for index in single:
            argument = op.region.block.args[index]
            if argument.first_use is not None:
                rewriter.replace_all_uses_with(argument, _value(lower[index], op, rewriter))

    def _collapse(self, op: Any, bounds: list[Mixed], kept: list[int], rewriter: PatternRewriter) -> None:
        block: Block = op.region.block
        for index in reversed(range(len(bounds[0]))):
            if index not in kept:
                argument = block.args[index]
                if argument.first_use is not None:
                    rewriter.replace_all_uses_with(argument, _value(bounds[0][index], op, rewriter))
                block.erase_arg(argument)
        new = rebuilt(op, [[side[index] for index in kept] for side in bounds], list(op.outputs), rewriter)
        _replace(op, new.results, rewriter)


def _value(bound: int | SSAValue, op: Operation, rewriter: PatternRewriter) -> SSAValue:
    if isinstance(bound, SSAValue):
        return bound
    constant = arith.constant_index(bound)
    rewriter.insert(constant, InsertPoint.before(op))
    return constant.results[0]


def _inline(op: Any, lower: Mixed, rewriter: PatternRewriter) -> None:
    """The body once, in the place of the forall."""
    from stepwell.dialects.tensor import InsertSliceOp

    block: Block = op.region.block
    end: Any = block.last_op
    if any(inner.name != "tensor.parallel_insert_slice" for inner in end.region.block.ops):
        return
    outputs = list(op.outputs)
    shared = block.args[len(lower) :]
    arguments = [*(_value(bound, op, rewriter) for bound in lower), *outputs]
    latest: dict[SSAValue, SSAValue] = dict(zip(shared, outputs, strict=True))
    insertions = list(end.region.block.ops)
    for insertion in insertions:
        target = insertion.operands[1]
        operands: list[Any] = [insertion.operands[0], latest.get(target, target), *insertion.operands[2:]]
        made = InsertSliceOp.create(operands=operands, result_types=[insertion.operands[1].type], properties=dict(insertion.properties))
        rewriter.insert(made, InsertPoint.before(end))
        latest[target] = made.results[0]
    rewriter.erase(end)
    rewriter.inline_block(block, InsertPoint.before(op), arguments)
    _replace(op, [latest[argument] for argument in shared], rewriter)


class DropUnchangedOutputs(RewritePattern):
    """A shared output that no thread writes is not shared: the body reads what is outside.

    before:  %r:2 = scf.forall ... shared_outs(%x = %a, %y = %b) { use(%x)   in_parallel { insert into %y } }
    after:   %r = scf.forall ... shared_outs(%y = %b) { use(%a)   in_parallel { insert into %y } }   with %a for %r#0
    """

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        block: Block = op.region.block
        rank = len(op.staticUpperBound)
        end: Any = block.last_op
        if end.name != "scf.forall.in_parallel" or any(inner.name != "tensor.parallel_insert_slice" for inner in end.region.block.ops):
            return
        written = {inner.operands[1] for inner in end.region.block.ops}
        shared = block.args[rank:]
        unused = {index for index, argument in enumerate(shared) if argument in written and op.results[index].first_use is None}
        dropped = {index for index, argument in enumerate(shared) if argument not in written or index in unused}
        if not dropped:
            return
        outputs = list(op.outputs)
        for index in sorted(dropped, reverse=True):
            argument = shared[index]
            for inner in [inner for inner in end.region.block.ops if inner.operands[1] is argument]:
                rewriter.erase(inner)
            rewriter.replace_all_uses_with(argument, outputs[index])
            block.erase_arg(argument)
        kept = [index for index in range(len(outputs)) if index not in dropped]
        new = rebuilt(op, [op.lower_bounds(), op.upper_bounds(), op.steps()], [outputs[index] for index in kept], rewriter)
        results = iter(new.results)
        _replace(op, [next(results) if index in kept else outputs[index] for index in range(len(outputs))], rewriter)


class ShareUncastTensors(RewritePattern):
    """before:  %c = tensor.cast %t : tensor<4xf32> to tensor<?xf32>   %r = scf.forall ... shared_outs(%x = %c) -> tensor<?xf32>
    after:   %r = scf.forall ... shared_outs(%x = %t) -> tensor<4xf32>   tensor.cast %r"""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:

        outputs = list(op.outputs)
        casts: dict[int, Operation] = {}
        for index, value in enumerate(outputs):
            cast = value.op if isinstance(value, OpResult) and value.op.name == "tensor.cast" else None
            if cast is not None and forgets_extents(cast.operands[0].type, value.type):
                casts[index] = cast
        if not casts:
            return
        block: Block = op.region.block
        rank = len(op.staticUpperBound)
        for index, cast in casts.items():
            old = block.args[rank + index]
            argument = block.insert_arg(cast.operands[0].type, rank + index)
            argument.name_hint = old.name_hint
            inner = type(cast).create(operands=[argument], result_types=[old.type])
            rewriter.insert(inner, InsertPoint.at_start(block))
            end: Any = block.last_op
            for use in [use for use in old.uses if end.is_ancestor(use.operation) and use.index == 1]:
                use.operation.operands[1] = argument
                rewriter.notify_op_modified(use.operation)
            rewriter.replace_all_uses_with(old, inner.results[0])
            block.erase_arg(old)
        sources = [casts[index].operands[0] if index in casts else value for index, value in enumerate(outputs)]
        new = rebuilt(op, [op.lower_bounds(), op.upper_bounds(), op.steps()], sources, rewriter)
        results: list[SSAValue] = list(new.results)
        for index, cast in casts.items():
            back = type(cast).create(operands=[new.results[index]], result_types=[outputs[index].type])
            rewriter.insert(back, InsertPoint.before(op))
            results[index] = back.results[0]
        _replace(op, results, rewriter)


FORALL: tuple[RewritePattern, ...] = (
    FoldBounds(),
    SingleOrNoIterations(),
    DropUnchangedOutputs(),
    ShareUncastTensors(),
)
