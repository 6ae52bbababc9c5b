"""Where a value of `@main` is to be written: a tensor that nobody has written yet, or a view of one.

A `Place` is decided while the program is walked backwards, long before the ops that stand for it are made. `make` makes them in front of
the op that needs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Block, Operation, SSAValue

from stepwell.dialects import tensor
from stepwell.lowering.structured.kernels import insert_before, shape_of
from stepwell.lowering.structured.static_layouts import Groups, Layout, Slice, collapse, contiguous, expand, extract, groups_of


@dataclass
class Base:
    """The whole tensor that places are parts of: a `tensor.empty` at the top of its block, made when it is first needed, or a given
    value."""

    block: Block
    type: TensorType[Any]
    value: SSAValue | None = None

    def make(self) -> SSAValue:
        if self.value is None:
            empty = tensor.EmptyOp.create(result_types=[self.type])
            first = self.block.first_op
            assert first is not None
            insert_before(first, empty)
            self.value = empty.tensor
        return self.value


@dataclass(frozen=True)
class _Reshape:
    groups: Groups
    shape: tuple[int, ...]
    is_expansion: bool


@dataclass
class Place:
    """A base seen through views, outermost first."""

    base: Base
    layout: Layout
    views: tuple[Slice | _Reshape, ...] = ()
    is_disjoint: bool | None = field(default=None, compare=False)
    """Whether the insertions into this place share no element; None until that has been asked."""

    @staticmethod
    def of_value(value: SSAValue, block: Block, layout: Layout | None = None) -> Place:
        """The place of a value that is there already."""
        type = cast(TensorType[Any], value.type)
        return Place(Base(block, type, value), layout or contiguous(type.get_shape()))

    def slice(self, box: Slice) -> Place:
        """The part of it that a slice takes."""
        return Place(self.base, self.layout.slice(box.sizes, box.steps, box.kept), (*self.views, box))

    def before_reshape(self, op: tensor.CollapseShapeOp | tensor.ExpandShapeOp) -> Place | None:
        """Where the operand of a reshape must be written for the result to stand here; None where the place has gaps that forbid it."""
        groups, shape = groups_of(op), shape_of(op.operands[0])
        if isinstance(op, tensor.CollapseShapeOp):
            view = _Reshape(groups, shape, True)
            layout = self.layout.expand(groups, shape)
        else:
            view = _Reshape(groups, shape, False)
            collapsed = self.layout.collapse(groups)
            if collapsed is None:
                return None
            layout = collapsed
        return Place(self.base, layout, (*self.views, view))

    def offsets(self) -> Iterator[SSAValue]:
        """The values that the place depends on."""
        for view in self.views:
            if isinstance(view, Slice):
                yield from (o for o in view.offsets if isinstance(o, SSAValue))

    def make(self, before: Operation) -> SSAValue:
        """The tensor that stands for the place; its views are made in front of `before`."""
        value = self.base.make()
        for view in self.views:
            if isinstance(view, Slice):
                op: Operation = extract(value, view)
            elif view.is_expansion:
                op = expand(value, view.groups, view.shape)
            else:
                op = collapse(value, view.groups)
            insert_before(before, op)
            value = op.results[0]
        return value
