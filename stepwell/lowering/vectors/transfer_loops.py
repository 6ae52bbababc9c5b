"""Transfers of several dimensions taken apart: loops over a buffer of vectors, or unrolled; of one dimension element by element.

A transfer that is under way is described by what a new one of it would have (`Transfer`): one step walks its first dimension, and hands the
transfer of the others on.
"""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xdsl.dialects.builtin import TensorType, VectorType
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap
from xdsl.rewriter import InsertPoint

from stepwell.dialects import arith, scf, vector
from stepwell.dialects.vector.fold_transfers import bounds_of, map_of, vector_of_transfer
from stepwell.dialects.vector.moves import ExtractOp
from stepwell.dialects.vector.shapes import shape_of
from stepwell.ir.affine_expressions import dim
from stepwell.lowering.building import Builder, Index
from stepwell.lowering.vectors.rows import without_first

Step = Callable[["Transfer", Builder], SSAValue | None]
"""What is done where a step is taken, with the transfer of the other dimensions; gives what the loop carries, if anything."""


@dataclass(frozen=True)
class Transfer:
    """A read or a write."""

    source: SSAValue
    indices: tuple[Index, ...]
    results: tuple[AffineExpr, ...]
    """The map."""
    bounds: tuple[bool, ...]
    type: Any
    """The vector's; in the end that of one element."""
    padding: SSAValue | None
    mask: SSAValue | None

    @classmethod
    def of(cls, op: Any) -> Transfer:
        """That of an operation."""
        padding = op.padding if op.name == "vector.transfer_read" else None
        return cls(op.source, tuple(op.indices), map_of(op).results, tuple(bounds_of(op)), vector_of_transfer(op), padding, op.mask)

    @property
    def dimension(self) -> int | None:
        """The dimension of the source that is walked first; None where the first dimension of the vector repeats."""
        first = self.results[0]
        return first.position if isinstance(first, AffineDimExpr) else None

    @property
    def checks_mask(self) -> bool:
        """Whether a step along the first dimension has a lane of the mask of its own."""
        return self.mask is not None and len(shape_of(self.mask.type)) == 1 and self.dimension is not None

    @property
    def narrows_mask(self) -> bool:
        """Whether a step along the first dimension takes a row of the mask."""
        return self.mask is not None and len(shape_of(self.mask.type)) > 1 and self.dimension is not None

    def rest(self, build: Builder, number: Index) -> Transfer:
        """The transfer of the other dimensions, `number` steps along the first. Its mask is not said yet."""
        return replace(
            self,
            indices=self.moved(build, number),
            results=self.results[1:],
            bounds=self.bounds[1:],
            type=without_first(self.type),
            mask=self.mask if not self.checks_mask else None,
        )

    def moved(self, build: Builder, number: Index) -> tuple[Index, ...]:
        """The indices after so many steps."""
        found = list(self.indices)
        if (walked := self.dimension) is not None:
            found[walked] = build.apply(dim(0) + dim(1), [found[walked], number])
        return tuple(found)

    def read(self, build: Builder) -> SSAValue:
        """The transfer as an operation."""
        assert self.padding is not None
        map = AffineMap(len(self.indices), 0, self.results)
        made = vector.TransferReadOp.get(
            self.source, self._values(build), self.padding, self._vector(), mask=self.mask, in_bounds=self.bounds, permutation_map=map
        )
        return build.add(made).result

    def write(self, build: Builder, value: SSAValue, source: SSAValue) -> SSAValue | None:
        """The transfer as an operation; a tensor that was written."""
        map = AffineMap(len(self.indices), 0, self.results)
        made = vector.TransferWriteOp.get(value, source, self._values(build), mask=self.mask, in_bounds=self.bounds, permutation_map=map)
        return build.add(made).result

    def _values(self, build: Builder) -> list[SSAValue]:
        return [build.index(index) for index in self.indices]

    def _vector(self) -> Any:
        return self.type if isinstance(self.type, VectorType) else VectorType(self.type, [])

    # ---- conditions

    def guarded(
        self, build: Builder, number: Index, inside: Step, outside: Callable[[Builder], SSAValue | None], carried: Attribute | None
    ) -> SSAValue | None:
        """Do `inside` where step `number` is in bounds and not masked off, otherwise `outside`; what both give is carried."""
        condition = self._condition(build, number)
        if condition is None:
            return inside(self, build)
        then, otherwise = Block(), Block()
        made = build.add(scf.IfOp(condition, [] if carried is None else [carried], Region(then), Region(otherwise)))
        _end(then, inside(self, Builder(InsertPoint.at_end(then), build.like)))
        _end(otherwise, outside(Builder(InsertPoint.at_end(otherwise), build.like)))
        if carried is None and otherwise.first_op is otherwise.last_op:
            made.false_region.erase_block(otherwise)
        return made.results[0] if made.results else None

    def _condition(self, build: Builder, number: Index) -> SSAValue | None:
        condition: SSAValue | None = None
        if (walked := self.dimension) is not None and not self.bounds[0]:
            extent = build.index(build.extent(self.source, walked))
            place = build.index(build.apply(dim(0) + dim(1), [self.indices[walked], number]))
            condition = build.add(arith.CmpiOp(extent, place, "sgt")).results[0]
        if self.checks_mask:
            assert self.mask is not None
            lane = build.add(ExtractOp(self.mask, [number])).result
            condition = lane if condition is None else build.add(arith.AndIOp(condition, lane)).results[0]
        return condition


def _end(block: Block, result: SSAValue | None) -> None:
    block.add_op(scf.YieldOp(*([] if result is None else [result])))


def loop(
    build: Builder, end: Index, inits: Sequence[SSAValue], body: Callable[[Builder, SSAValue, Sequence[SSAValue]], Sequence[SSAValue]]
) -> Operation:
    """`scf.for` from 0 to `end`."""
    lower, upper, step = build.index(0), build.index(end), build.index(1)
    block = Block(arg_types=[lower.type, *(value.type for value in inits)])
    made = build.add(scf.ForOp(lower, upper, step, list(inits), Region(block)))
    results = body(Builder(InsertPoint.at_end(block), build.like), block.args[0], block.args[1:])
    block.add_op(scf.YieldOp(*results))
    return made


def is_tensor(op: Any) -> bool:
    """Whether a transfer reads or writes a tensor."""
    return isinstance(op.source.type, TensorType)


def same_elements(op: Any) -> bool:
    """Whether vector and source have elements of the same type."""
    return vector_of_transfer(op).element_type == op.source.type.element_type
