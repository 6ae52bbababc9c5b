"""What canonicalizes `scf`: one class per pattern, each of which shows what it does. What flows through regions is treated by
`stepwell.ir.transforms.region_branches`, foralls by `stepwell.dialects.scf.forall_canonical`."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance, and so do lambdas that tables hold.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import IntegerAttr, i1
from xdsl.ir import Block, Operation, OpResult, Region, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects import arith, scf
from stepwell.dialects.arith.matching import number
from stepwell.dialects.scf.forall_canonical import FORALL
from stepwell.dialects.tensor.facts import forgets_extents
from stepwell.ir.rewrite.folding import constant_of
from stepwell.ir.transforms.region_branches import VALUE_FLOW, rebuild


def integer(value: SSAValue) -> int | None:
    """The value of an integer constant."""
    found = number(value)
    return found if isinstance(found, int) else None


def inline_block(block: Block, op: Operation, rewriter: PatternRewriter, arguments: Sequence[SSAValue] = ()) -> None:
    """Put what a block does in the place of `op`; what its terminator has for operands are the results."""
    end = block.last_op
    assert end is not None
    results = list(end.operands)
    replaced: dict[SSAValue, SSAValue] = dict(zip(block.args, arguments, strict=True))
    rewriter.erase(end)
    rewriter.inline_block(block, InsertPoint.before(op), arguments)
    rewriter.replace(op, (), [replaced.get(value, value) for value in results])


# ---- for -----------------------------------------------------------------------------------------------------------------------------


class SimplifyTrivialLoop(RewritePattern):
    """A loop that does not run is its initial values, one that runs once is its body, and one that only yields what is known outside is
    that, if it runs.

    before:  %r = scf.for %i = %c0 to %c1 step %c1 iter_args(%x = %a) { %y = f(%i, %x)   scf.yield %y }
    after:   %r = f(%c0, %a)
    """

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        lower, upper, *_ = op._operands  # pyright: ignore[reportPrivateUsage]  # the property builds a view
        if lower is upper:
            rewriter.replace(op, (), list(op.iter_args))
            return
        trips = _trips(op)
        if trips is None:
            return
        if trips == 0:
            rewriter.replace(op, (), list(op.iter_args))
        elif trips == 1:
            inline_block(op.body.block, op, rewriter, [op.lb, *op.iter_args])
        elif op.body.block.first_op is op.body.block.last_op:
            yielded = list(op.body.block.last_op.operands)
            if not any(op.is_ancestor(value.owner) for value in yielded):
                rewriter.replace(op, (), yielded)


def _trips(op: Any) -> int | None:
    """How often the body runs, where it is known."""
    first, last, by, *_ = op._operands  # pyright: ignore[reportPrivateUsage]  # the property builds a view
    lower = integer(first)
    upper = integer(last) if lower is not None else None
    if lower is None or upper is None or op.unsignedCmp is not None:
        return None
    step = integer(by)
    if lower >= upper:
        return 0
    return None if step is None or step <= 0 else -((lower - upper) // step)


class CarryUncastTensors(RewritePattern):
    """What a loop carries is of the type that it had before it was cast to a less precise one.

    before:  %c = tensor.cast %t : tensor<4xf32> to tensor<?xf32>   %r = scf.for ... iter_args(%x = %c) -> tensor<?xf32> { ... }
    after:   %r = scf.for ... iter_args(%x = %t) -> tensor<4xf32> { %c = tensor.cast %x   ...   yield cast of it }   cast %r
    """

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        if not op.results:
            return
        for index, init in enumerate(op.iter_args):
            cast = init.op if isinstance(init, OpResult) and init.op.name == "tensor.cast" else None
            if cast is None or not forgets_extents(cast.operands[0].type, init.type):
                continue
            result = op.results[index]
            if len(list(result.uses)) == 1 and (user := next(iter(result.uses)).operation).name == "tensor.cast":
                if user.results[0].type != cast.operands[0].type:
                    continue
            self._rewrite(op, index, cast, rewriter)
            return

    def _rewrite(self, op: Any, index: int, cast: Operation, rewriter: PatternRewriter) -> None:
        source = cast.operands[0]
        block: Block = op.body.block
        old = block.args[index + 1]
        argument = block.insert_arg(source.type, index + 1)
        argument.name_hint = old.name_hint
        inner = type(cast).create(operands=[argument], result_types=[old.type])
        rewriter.insert(inner, InsertPoint.at_start(block))
        rewriter.replace_all_uses_with(old, inner.results[0])
        block.erase_arg(old)
        end = block.last_op
        assert end is not None
        uncast = type(cast).create(operands=[end.operands[index]], result_types=[source.type])
        rewriter.insert(uncast, InsertPoint.before(end))
        end.operands[index] = uncast.results[0]
        rewriter.notify_op_modified(end)
        operands = list(op.operands)
        operands[3 + index] = source
        types = [source.type if k == index else t for k, t in enumerate(op.result_types)]
        regions = [op.detach_region(region) for region in list(op.regions)]
        new = type(op).create(
            operands=operands, result_types=types, properties=dict(op.properties), attributes=dict(op.attributes), regions=regions
        )
        back = type(cast).create(operands=[new.results[index]], result_types=[old.type])
        rewriter.replace(op, [new, back], [back.results[0] if k == index else r for k, r in enumerate(new.results)])


# ---- if ------------------------------------------------------------------------------------------------------------------------------


class ChooseBranch(RewritePattern):
    """before:  %r = scf.if %true -> (i32) { f   scf.yield %a } else { ... }
    after:   f   with %a for %r"""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        condition = integer(op.cond)
        if condition is None:
            return
        region: Region = op.true_region if condition else op.false_region
        if not region.blocks:
            rewriter.erase(op)
        elif len(region.blocks) == 1:
            inline_block(region.block, op, rewriter)


class DropEmptyElse(RewritePattern):
    """before:  scf.if %c { f } else { }
    after:   scf.if %c { f }"""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        region: Region = op.false_region
        if op.results or len(region.blocks) != 1 or region.block.first_op is not region.block.last_op:
            return
        rewriter.erase(region.block.last_op)  # pyright: ignore[reportArgumentType]  # there is one block with one operation
        region.erase_block(region.block)
        rewriter.notify_op_modified(op)


class SelectInsteadOfYield(RewritePattern):
    """What both branches know from outside is selected.

    before:  %r:2 = scf.if %c -> (i32, i32) { scf.yield %a, %x } else { scf.yield %b, %y }
    after:   %s = arith.select %c, %a, %b   %r = scf.if %c -> (i32) { scf.yield %x } else { scf.yield %y }
    """

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        if not op.results or not op.false_region.blocks:
            return
        yes, no = op.true_region.block.last_op, op.false_region.block.last_op
        outside = [
            index
            for index, (a, b) in enumerate(zip(yes.operands, no.operands, strict=True))
            if not op.is_ancestor(a.owner) and not op.is_ancestor(b.owner)
        ]
        if not outside:
            return
        for index in outside:
            a, b = yes.operands[index], no.operands[index]
            if a is b:
                value = a
            else:
                select = arith.SelectOp.create(operands=[op.cond, a, b], result_types=[a.type])
                rewriter.insert(select, InsertPoint.before(op))
                value = select.results[0]
            rewriter.replace_all_uses_with(op.results[index], value)
        kept = [index for index in range(len(op.results)) if index not in outside]
        for end in (yes, no):
            end.operands = [end.operands[index] for index in kept]
            rewriter.notify_op_modified(end)
        rebuild(op, rewriter, [op.cond], kept)


class KnownCondition(RewritePattern):
    """Inside the branches the condition is known.

    before:  scf.if %c { use(%c) } else { use(%c) }
    after:   scf.if %c { use(%true) } else { use(%false) }
    """

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        if constant_of(op.cond) is not None:
            return
        for region, known in ((op.true_region, -1), (op.false_region, 0)):
            inside = [use for use in op.cond.uses if region.blocks and region.is_ancestor(use.operation)]
            if not inside:
                continue
            constant = arith.ConstantOp.create(properties={"value": IntegerAttr(known, i1)}, result_types=[i1])
            rewriter.insert(constant, InsertPoint.before(op))
            rewriter.replace_uses_with_if(op.cond, constant.results[0], lambda use, region=region: region.is_ancestor(use.operation))


class CombineNeighbours(RewritePattern):
    """Of two neighbours with one condition, the second one's branches join the first one's.

    before:  scf.if %c { f }   scf.if %c { g }
    after:   scf.if %c { f   g }
    """

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        before: Any = op.prev_op
        if not isinstance(before, scf.IfOp) or before.cond is not op.cond:
            return
        yielded: list[list[SSAValue]] = []
        for mine, first in ((op.true_region, before.true_region), (op.false_region, before.false_region)):
            yielded.append(self._join(first, mine, before, rewriter))
        types = [*before.result_types, *op.result_types]
        for region, values in zip((before.true_region, before.false_region), yielded, strict=True):
            if region.blocks:
                rewriter.insert(scf.YieldOp(*values), InsertPoint.at_end(region.block))
        regions = [before.detach_region(region) for region in list(before.regions)]
        new = scf.IfOp.create(operands=[op.cond], result_types=types, regions=regions, attributes=dict(before.attributes))
        count = len(before.results)
        rewriter.insert(new, InsertPoint.before(op))
        rewriter.replace(before, (), new.results[:count])
        rewriter.replace(op, (), new.results[count:])

    def _join(self, first: Region, second: Region, before: Any, rewriter: PatternRewriter) -> list[SSAValue]:
        """Append what `second` does to `first`, without yields. What they yield."""
        if not first.blocks and second.blocks:
            first.add_block(Block())
        values: list[SSAValue] = []
        if first.blocks and first.block.last_op is not None:
            values = list(first.block.last_op.operands)
            rewriter.erase(first.block.last_op)
        if second.blocks:
            number = {result: value for result, value in zip(before.results, values, strict=False)}
            for result, value in number.items():
                rewriter.replace_uses_with_if(result, value, lambda use: second.is_ancestor(use.operation))
            end = second.block.last_op
            assert end is not None
            values += list(end.operands)
            rewriter.erase(end)
            rewriter.inline_block(second.block, InsertPoint.at_end(first.block))
        return values


class CombineNested(RewritePattern):
    """before:  scf.if %a { scf.if %b { f } }
    after:   %c = arith.andi %a, %b   scf.if %c { f }"""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        if op.results or any(block.first_op is not block.last_op for block in op.false_region.blocks):
            return
        inner: Any = op.true_region.block.first_op
        if not isinstance(inner, scf.IfOp) or inner.results or inner.next_op is not op.true_region.block.last_op:
            return
        if any(block.first_op is not block.last_op for block in inner.false_region.blocks) or op.is_ancestor(inner.cond.owner):
            return
        both = arith.AndIOp.create(operands=[op.cond, inner.cond], result_types=[i1])
        region = inner.detach_region(inner.true_region)
        new = scf.IfOp.create(operands=[both.results[0]], result_types=[], regions=[region, Region()], attributes=dict(op.attributes))
        rewriter.replace(op, [both, new], [])


class EraseIdle(RewritePattern):
    """An `scf.if` without results whose branches do nothing goes."""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        if not op.results and all(block.first_op is block.last_op for region in op.regions for block in region.blocks):
            rewriter.erase(op)


# ---- switch, execute_region ------------------------------------------------------------------------------------------------------------


class ChooseCase(RewritePattern):
    """before:  scf.index_switch %c2 case 2 { f } default { g }
    after:   f"""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        value = integer(op.arg)
        if value is None:
            return
        region = op.default_region
        for case, candidate in zip(op.cases.get_values(), op.case_regions, strict=True):
            if case == value:
                region = candidate
        inline_block(region.block, op, rewriter)


class InlineExecuteRegion(RewritePattern):
    """before:  %r = scf.execute_region -> i32 { f   scf.yield %a }
    after:   f   with %a for %r"""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        if len(op.region.blocks) == 1 and op.no_inline is None and isinstance(op.region.block.last_op, scf.YieldOp):
            inline_block(op.region.block, op, rewriter)


# ---- while --------------------------------------------------------------------------------------------------------------------------


class WhileConditionIsKnown(RewritePattern):
    """In the body, and in what is passed to it, the condition is true; a condition that is false from the start makes the body dead.

    before:  scf.while { scf.condition(%c) %c } do { ^bb0(%x: i1): use(%x) }
    after:   scf.while { scf.condition(%c) %c } do { ^bb0(%x: i1): use(%true) }
    """

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        condition = op.before_region.block.last_op
        if constant_of(condition.operands[0]) is not None:
            return
        for value, argument in zip(condition.operands[1:], op.after_region.block.args, strict=True):
            if value is condition.operands[0] and argument.first_use is not None:
                constant = arith.ConstantOp.create(properties={"value": IntegerAttr(-1, i1)}, result_types=[i1])
                rewriter.insert(constant, InsertPoint.before(op))
                rewriter.replace_all_uses_with(argument, constant.results[0])


# ---- parallel ----------------------------------------------------------------------------------------------------------------------


class SingleIterationDimensions(RewritePattern):
    """Loops of a band that run once go, and with them the whole band if that is all; a loop that does not run makes the band idle.

    before:  scf.parallel (%i, %j) = (%c0, %c0) to (%c1, %n) step (%c1, %c1) { f(%i, %j) }
    after:   scf.parallel (%j) = (%c0) to (%n) step (%c1) { f(%c0, %j) }
    """

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        lower, upper, steps = list(op.lowerBound), list(op.upperBound), list(op.step)
        kept: list[int] = []
        for index, (a, b, s) in enumerate(zip(lower, upper, steps, strict=True)):
            first, last, step = integer(a), integer(b), integer(s)
            if first is None or last is None or step is None:
                kept.append(index)
            elif first >= last:
                rewriter.replace(op, (), list(op.initVals))
                return
            elif first + step < last:
                kept.append(index)
        if len(kept) == len(lower):
            return
        block: Block = op.body.block
        if not kept:
            self._inline(op, rewriter)
            return
        for index in reversed(range(len(lower))):
            if index not in kept:
                rewriter.replace_all_uses_with(block.args[index], lower[index])
                block.erase_arg(block.args[index])
        body = op.detach_region(op.body)
        new = scf.ParallelOp([lower[i] for i in kept], [upper[i] for i in kept], [steps[i] for i in kept], body, list(op.initVals))
        new.attributes |= op.attributes
        rewriter.replace(op, new)

    def _inline(self, op: Any, rewriter: PatternRewriter) -> None:
        block: Block = op.body.block
        reduce: Any = block.last_op
        values: list[SSAValue] = []
        bounds = list(op.lowerBound)
        replaced = dict(zip(block.args, bounds, strict=True))
        inits, reduced = list(op.initVals), [replaced.get(value, value) for value in reduce.args]
        regions = [reduce.detach_region(region) for region in list(reduce.regions)]
        rewriter.erase(reduce)
        rewriter.inline_block(block, InsertPoint.before(op), bounds)
        for region, init, value in zip(regions, inits, reduced, strict=True):
            inner = region.block
            end = inner.last_op
            assert end is not None
            joined = dict(zip(inner.args, (init, value), strict=True))
            result = end.operands[0]
            end.detach()
            end.erase()
            rewriter.inline_block(inner, InsertPoint.before(op), [init, value])
            values.append(joined.get(result, result))
        rewriter.replace(op, (), values)


class MergeNestedBands(RewritePattern):
    """before:  scf.parallel (%i) = ... { scf.parallel (%j) = ... { f(%i, %j) } }
    after:   scf.parallel (%i, %j) = ... { f(%i, %j) }"""

    def match_and_rewrite(self, op: Any, rewriter: PatternRewriter, /) -> None:
        outer: Block = op.body.block
        inner: Any = outer.first_op
        if not isinstance(inner, scf.ParallelOp) or inner.next_op is not outer.last_op:
            return
        bounds = [*inner.lowerBound, *inner.upperBound, *inner.step]
        if op.initVals or inner.initVals or any(value in outer.args for value in bounds):
            return
        count = len(outer.args)
        block: Block = inner.body.block
        for index, argument in enumerate(list(outer.args)):
            new = block.insert_arg(argument.type, index)
            new.name_hint = argument.name_hint
            rewriter.replace_all_uses_with(argument, new)
        assert len(block.args) > count
        body = inner.detach_region(inner.body)
        merged = scf.ParallelOp([*op.lowerBound, *inner.lowerBound], [*op.upperBound, *inner.upperBound], [*op.step, *inner.step], body)
        merged.attributes |= op.attributes
        rewriter.replace(op, merged)


PATTERNS: dict[str, tuple[RewritePattern, ...]] = {
    "scf.for": (SimplifyTrivialLoop(), *VALUE_FLOW, CarryUncastTensors()),
    "scf.while": (*VALUE_FLOW, WhileConditionIsKnown()),
    "scf.if": (
        ChooseBranch(),
        EraseIdle(),
        DropEmptyElse(),
        *VALUE_FLOW,
        KnownCondition(),
        SelectInsteadOfYield(),
        CombineNested(),
        CombineNeighbours(),
    ),
    "scf.index_switch": (ChooseCase(), *VALUE_FLOW),
    "scf.execute_region": (InlineExecuteRegion(), *VALUE_FLOW),
    "scf.parallel": (SingleIterationDimensions(), MergeNestedBands()),
    "scf.forall": FORALL,
}
