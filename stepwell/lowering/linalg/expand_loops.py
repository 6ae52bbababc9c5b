"""Reshapes and structured operations: an op that reads what was collapsed, or whose result is expanded, loops over the expanded dimensions.

In: `tensor.collapse_shape` before, or `tensor.expand_shape` behind, a structured op on tensors. Out: the op on expanded tensors, with the
reshape on its other side, where it may meet another one.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, TensorType
from xdsl.ir import Attribute, Block, Operation, OpResult, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from stepwell.dialects import linalg, tensor
from stepwell.dialects.layouts import groups_of
from stepwell.dialects.linalg.canonical_base import maps_of, on_tensors
from stepwell.dialects.linalg.dims import TransposeOp
from stepwell.dialects.linalg.verify import is_projected_permutation, sources_of_loops
from stepwell.ir.affine_expressions import add, dim, mul, symbol
from stepwell.ir.effects import is_pure_kind
from stepwell.lowering.building import Builder, Index, static
from stepwell.lowering.linalg.fuse_elementwise import Control, has_one_use

Groups = list[list[int]]


def is_structured(op: object) -> bool:
    """Whether an operation is a structured one of `linalg`."""
    return isinstance(op, linalg.LinalgStructuredOperation | linalg.WholeDims)


def may_expand(op: Any, position: int, groups: Groups, shape: Sequence[int]) -> bool:
    """Whether the loops that an operand is subscripted by can be split so that it has this shape."""
    maps = maps_of(op)
    if not on_tensors(op) or not all(is_projected_permutation(map) for map in maps) or not maps[position].results:
        return False
    extents: dict[AffineExpr, list[int]] = {
        expr: [shape[member] for member in group] for expr, group in zip(maps[position].results, groups, strict=True)
    }
    for number, (value, map) in enumerate(zip(op.operands, maps, strict=True)):
        if number == position or not isinstance(value.type, TensorType):
            continue
        for size, expr in zip(value.type.get_shape(), map.results, strict=True):
            new = extents.get(expr, [size])
            if len(new) > 1 and size != (DYNAMIC_INDEX if DYNAMIC_INDEX in new else prod(new)):
                return False
    return True


class Expansion:
    """What each loop of an op becomes: numbers of new loops, and their extents."""

    def __init__(self, op: Any, position: int, groups: Groups, shape: Sequence[Index], build: Builder) -> None:
        self.maps = maps_of(op)
        self.extents: list[list[Index]] = [[] for _ in range(self.maps[0].num_dims)]
        for expr, group in zip(self.maps[position].results, groups, strict=True):
            assert isinstance(expr, AffineDimExpr)
            self.extents[expr.position] = [shape[member] for member in group]
        sources = sources_of_loops(self.maps)
        for loop, extents in enumerate(self.extents):
            if not extents:
                operand, at = sources[loop]
                extents.append(build.extent(op.operands[operand], at))
        self.loops: Groups = []
        self.count = 0
        for extents in self.extents:
            self.loops.append(list(range(self.count, self.count + len(extents))))
            self.count += len(extents)

    def _positions(self, map: AffineMap) -> list[int]:
        return [expr.position for expr in map.results if isinstance(expr, AffineDimExpr)]

    def map(self, map: AffineMap) -> AffineMap:
        """A map of the old loops as one of the new ones."""
        return AffineMap(self.count, 0, tuple(dim(new) for old in self._positions(map) for new in self.loops[old]))

    def shape(self, map: AffineMap) -> list[Index]:
        """The extents that an operand of this map has."""
        return [extent for old in self._positions(map) for extent in self.extents[old]]

    def groups(self, map: AffineMap) -> Groups:
        """Which dimensions of an operand of this map were one."""
        groups: Groups = []
        first = 0
        for old in self._positions(map):
            groups.append(list(range(first, first + len(self.loops[old]))))
            first += len(self.loops[old])
        return groups

    def operand(self, value: SSAValue, map: AffineMap, build: Builder) -> SSAValue:
        """An operand with its dimensions expanded."""
        if not isinstance(value.type, TensorType) or all(len(self.loops[old]) == 1 for old in self._positions(map)):
            return value
        return build.add(tensor.ExpandShapeOp.get(value, self.groups(map), self.shape(map))).result


def expand(op: Any, position: int, source: SSAValue, groups: Groups, shape: Sequence[Index], build: Builder) -> list[SSAValue]:
    """`op` on expanded operands, inserted by `build`: `source` stands for the operand, or is the op's output. Its results, collapsed."""
    expansion = Expansion(op, position, groups, shape, build)
    inputs: list[SSAValue] = []
    outputs: list[SSAValue] = []
    count = len(op.inputs)
    for number, (value, map) in enumerate(zip(op.operands, expansion.maps, strict=True)):
        new = source if number == position and number < count else expansion.operand(value, map, build)
        (inputs if number < count else outputs).append(new)
    made = build.add(_expanded(op, inputs, outputs, expansion))
    results: list[SSAValue] = []
    for old, new, map in zip(op.results, made.results, expansion.maps[count:], strict=True):
        if old.type != new.type:
            new = build.add(tensor.CollapseShapeOp.get(new, expansion.groups(map), old.type)).result
        results.append(new)
    return results


def _expanded(op: Any, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue], expansion: Expansion) -> Operation:
    if isinstance(op, TransposeOp):
        permutation = op.dims()
        order = [new for n in range(len(permutation)) for new in expansion.loops[list(permutation).index(n)]]
        return TransposeOp.get(inputs[0], outputs[0], [order.index(n) for n in range(len(order))])
    if isinstance(op, linalg.FillOp | linalg.CopyOp):
        return type(op)(inputs, outputs, [value.type for value in outputs])
    iterators = list(op.get_iterator_types())
    body = op.regions[0].clone()
    _expand_indices(body.block, expansion)
    maps = [AffineMapAttr(expansion.map(map)) for map in expansion.maps]
    return linalg.GenericOp(inputs, outputs, body, maps, [iterators[n] for n, loops in enumerate(expansion.loops) for _ in loops])


def _expand_indices(body: Block, expansion: Expansion) -> None:
    """The counter of an old loop, from those of the loops that it became."""
    for op in list(body.ops):
        if not isinstance(op, linalg.IndexOp):
            continue
        old = op.dim.value.data
        loops = expansion.loops[old]
        if loops == [old]:
            continue
        build = Builder(InsertPoint.after(op), op)
        inner = [build.add(linalg.IndexOp(loop)).result for loop in loops[1:]]
        value: Index = build.add(linalg.IndexOp(loops[0])).result
        for counter, extent in zip(inner, expansion.extents[old][1:], strict=True):
            value = build.apply(add(dim(0), mul(dim(1), symbol(0))), [counter, value], [extent])
        op.result.replace_all_uses_with(build.index(value))
        body.erase_op(op)


def _move_before(values: Sequence[Index], op: Operation) -> bool:
    """Bring what the values come from in front of an op. Whether that could be; if not, nothing has moved."""
    behind: list[Operation] = []
    later = op.next_op
    while later is not None:
        behind.append(later)
        later = later.next_op
    order = {inner: number for number, inner in enumerate(behind)}
    needed: set[Operation] = set()
    pending = [value for value in values if isinstance(value, SSAValue)]
    while pending:
        owner = pending.pop().owner
        if owner is op or (isinstance(owner, Operation) and owner in order and not is_pure_kind(type(owner))):
            return False
        if isinstance(owner, Operation) and owner in order and owner not in needed:
            needed.add(owner)
            pending += owner.operands
    for owner in sorted(needed, key=order.__getitem__):
        owner.detach()
        assert op.parent is not None
        op.parent.insert_op_before(owner, op)
    return True


class FoldWithProducerReshape(RewritePattern):
    """before:  %1 = tensor.collapse_shape %0   %2 = linalg.generic ins(%1)
    after:   %1 = linalg.generic ins(%0)   %2 = tensor.collapse_shape %1"""

    def __init__(self, control: Control = has_one_use) -> None:
        self._control = control

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        if not is_structured(op):
            return
        structured: Any = op
        for position, value in enumerate(structured.inputs):
            reshape = value.op if isinstance(value, OpResult) else None
            if not isinstance(reshape, tensor.CollapseShapeOp) or not self._control(value):
                continue
            groups = groups_of(reshape.reassociation)
            reshape_type: Any = reshape.src.type
            if not may_expand(op, position, groups, reshape_type.get_shape()):
                continue
            build = Builder(InsertPoint.before(op), op, rewriter)
            rewriter.replace(op, [], expand(op, position, reshape.src, groups, build.extents(reshape.src), build))
            return


class FoldReshapeWithGenericOp(RewritePattern):
    """before:  %1 = linalg.generic ins(%0)   %2 = tensor.expand_shape %1
    after:   %1 = tensor.expand_shape %0   %2 = linalg.generic ins(%1)"""

    def __init__(self, control: Control = has_one_use) -> None:
        self._control = control

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.ExpandShapeOp, rewriter: PatternRewriter) -> None:
        producer: Any = op.src.op if isinstance(op.src, OpResult) else None
        if not is_structured(producer):
            return
        position = len(producer.inputs) + op.src.index  # pyright: ignore[reportAttributeAccessIssue]  # it is a result
        groups, shape = groups_of(op.reassociation), op.mixed_output_shape()
        if not self._control(op.src) or not may_expand(producer, position, groups, static(shape)):
            return
        if not _move_before(shape, producer):
            return
        build = Builder(InsertPoint.before(producer), producer, rewriter)
        results = expand(producer, position, op.src, groups, shape, build)
        mine = results[op.src.index]  # pyright: ignore[reportAttributeAccessIssue]
        if isinstance(mine, OpResult) and isinstance(mine.op, tensor.CollapseShapeOp):
            mine = mine.op.src
        rewriter.replace(op, [], [mine])
        rewriter.replace(producer, [], results)


class BubbleUpExpandThroughCollapse(RewritePattern):
    """An expansion of what was collapsed goes first, where the two touch different dimensions.

    before:  %1 = tensor.collapse_shape %0 [[0, 1], [2]]   %2 = tensor.expand_shape %1 [[0], [1, 2]]
    after:   %1 = tensor.expand_shape %0 [[0], [1], [2, 3]]   %2 = tensor.collapse_shape %1 [[0, 1], [2], [3]]
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.ExpandShapeOp, rewriter: PatternRewriter) -> None:
        before = op.src.op if isinstance(op.src, OpResult) else None
        if not isinstance(before, tensor.CollapseShapeOp):
            return
        collapsed, expanded = groups_of(before.reassociation), groups_of(op.reassociation)
        source: Any = before.src.type
        if not expanded or not all(self._may_pass(*pair, source, op) for pair in zip(collapsed, expanded, strict=True)):
            return
        build = Builder(InsertPoint.before(op), op, rewriter)
        sizes, shape = build.extents(before.src), op.mixed_output_shape()
        new: list[Index] = []
        split: Groups = []
        joined: Groups = []
        middle = 0
        for old, made in zip(collapsed, expanded, strict=True):
            count = max(len(old), len(made))
            new += [sizes[n] for n in old] if len(old) > len(made) else [shape[n] for n in made]
            members = list(range(middle, middle + count))
            middle += count
            split += [members] if len(old) == 1 and count > 1 else [[n] for n in members]
            joined += [members] if len(made) == 1 and count > 1 else [[n] for n in members]
        value = before.src
        if len(split) != len(new):
            value = build.add(tensor.ExpandShapeOp.get(value, split, new)).result
        if len(joined) != len(new):
            value = build.add(tensor.CollapseShapeOp.get(value, joined, op.result.type)).result
        rewriter.replace(op, [], [value])

    def _may_pass(self, old: Sequence[int], new: Sequence[int], source: TensorType[Attribute], op: tensor.ExpandShapeOp) -> bool:
        if len(old) != len(new):
            return len(old) == 1 or len(new) == 1
        before = [source.get_shape()[n] for n in old]
        after = [op.static_output_shape.get_values()[n] for n in new]
        return before == after and before.count(DYNAMIC_INDEX) <= 1
