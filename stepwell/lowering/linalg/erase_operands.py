"""Patterns that make `linalg.generic` read and compute no more than is used: operands and results that nobody needs go."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import AffineMapAttr, TensorType
from xdsl.ir import Block, Operation, OpResult, Region, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects import linalg, tensor
from stepwell.dialects.linalg.canonical_base import maps_of, on_tensors
from stepwell.lowering.building import Builder, inverse_of


def reads(op: linalg.GenericOp, position: int) -> bool:
    """Whether the body uses the element of an operand."""
    return bool(op.body.block.args[position].uses)


class _Kept:
    """Which operands of an op stay. The loops' extents must be told by those that do."""

    def __init__(self, op: linalg.GenericOp) -> None:
        self.op = op
        self.maps = maps_of(op)
        self.places: dict[int, int] = {}
        """The operand that stands for each one, both by their old numbers."""
        self._dropped: set[int] = set()
        self._inputs()
        self._outputs()

    def _drop(self, position: int) -> bool:
        dropped = self._dropped | {position}
        maps = [map for number, map in enumerate(self.maps) if number not in dropped]
        loops = len(self.op.iterator_types)
        if (inverse_of(maps, loops) is None) if maps else loops:
            return False
        self._dropped = dropped
        return True

    def _inputs(self) -> None:
        known: dict[tuple[SSAValue, AffineMap], int] = {}
        for position, value in enumerate(self.op.inputs):
            if not reads(self.op, position) and self._drop(position):
                continue
            self.places[position] = known.setdefault((value, self.maps[position]), position)
            if self.places[position] != position:
                self._dropped.add(position)

    def _outputs(self) -> None:
        op, first = self.op, len(self.op.inputs)
        end = cast(Operation, op.body.block.last_op)
        known: dict[tuple[SSAValue, AffineMap, SSAValue], int] = {}
        for number, value in enumerate(op.outputs):
            position = first + number
            self.places[position] = position
            if not on_tensors(op):
                continue
            if self._is_dead(number, end) and self._drop(position):
                del self.places[position]
                continue
            if not reads(op, position):
                key = (value, self.maps[position], end.operands[number])
                self.places[position] = known.setdefault(key, position)
                if self.places[position] != position:
                    self._dropped.add(position)

    def _is_dead(self, number: int, end: Operation) -> bool:
        if self.op.results[number].uses:
            return False
        argument = self.op.body.block.args[len(self.op.inputs) + number]
        uses = list(argument.uses)
        return not uses or (len(uses) == 1 and uses[0].operation is end and end.operands[number] is argument)

    def operands(self) -> list[int]:
        """The old numbers of the operands that stay."""
        return [position for position in range(len(self.op.operands)) if self.places.get(position) == position]


class DeduplicateAndRemoveDeadOperandsAndResults(RewritePattern):
    """before:  %0:2 = linalg.generic ins(%a, %a, %b) outs(%x, %y) { only %a is read }   use(%0#0)
    after:   %0 = linalg.generic ins(%a) outs(%x)"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: linalg.GenericOp, rewriter: PatternRewriter) -> None:
        kept = _Kept(op)
        positions = kept.operands()
        if len(positions) == len(op.operands):
            return
        first = len(op.inputs)
        old, block = op.body.block, Block()
        for position in positions:
            new = block.insert_arg(old.args[position].type, len(block.args))
            new.name_hint = old.args[position].name_hint
        for position, place in kept.places.items():
            old.args[position].replace_all_uses_with(block.args[positions.index(place)])
        yielded = list(cast(Operation, old.last_op).operands)
        for argument in old.args:
            for use in list(argument.uses):  # of outputs that go: only what is yielded for them
                yielded[use.index] = block.args[0] if block.args else argument
        for inner in list(old.ops)[:-1]:
            inner.detach()
            block.add_op(inner)
        outputs = [position for position in positions if position >= first]
        block.add_op(linalg.YieldOp(*(yielded[position - first] for position in outputs)))
        maps = [AffineMapAttr(kept.maps[position]) for position in positions]
        inputs = [op.operands[position] for position in positions if position < first]
        outs = [op.operands[position] for position in outputs]
        new_op = linalg.GenericOp(inputs, outs, Region(block), maps, op.iterator_types, None, op.doc, op.library_call)
        new_op.attributes.update(op.attributes)
        rewriter.insert(new_op, InsertPoint.before(op))
        results: list[SSAValue | None] = []
        for number in range(len(op.results)):
            place = kept.places.get(first + number)
            results.append(None if place is None else new_op.results[outputs.index(place)])
        rewriter.replace(op, [], results)


class RemoveUnusedCycle(RewritePattern):
    """What an output accumulates, and nobody reads, is not accumulated.

    before:  ^bb0(%in, %out): %0 = addf %in, %out   yield %0     and the result is not used
    after:   ^bb0(%in, %out): yield %out
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: linalg.GenericOp, rewriter: PatternRewriter) -> None:
        if not on_tensors(op):
            return
        end = cast(Operation, op.body.block.last_op)
        for number, result in enumerate(op.results):
            argument = op.body.block.args[len(op.inputs) + number]
            uses = list(argument.uses)
            if result.uses or len(uses) != 1:
                continue
            cycle = uses[0].operation
            if len(cycle.results) != 1 or cycle is end:
                continue
            users = list(cycle.results[0].uses)
            if len(users) == 1 and users[0].operation is end and users[0].index == number:
                rewriter.replace(cycle, [], [argument])
                rewriter.notify_op_modified(op)


class RemoveOutsDependency(RewritePattern):
    """An output whose elements the body does not read is of a `tensor.empty`."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: linalg.GenericOp, rewriter: PatternRewriter) -> None:
        for position in range(len(op.inputs), len(op.operands)):
            value = op.operands[position]
            type: Any = value.type
            if reads(op, position) or not isinstance(type, TensorType) or type.encoding.name == "sparse_tensor.encoding":
                continue
            if isinstance(value, OpResult) and isinstance(value.op, tensor.EmptyOp):
                continue
            build = Builder(InsertPoint.before(op), op, rewriter)
            op.operands[position] = build.empty(build.extents(value), type.element_type)
            rewriter.notify_op_modified(op)
