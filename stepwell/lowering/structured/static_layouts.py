"""Where the elements of a static tensor will lie once it is a buffer: its shape and its strides, and what views make of them.

In: the shape of a tensor of `@main`. Out: a `Layout`, or None where a view cannot be had without a copy. Offsets are left out: nothing
depends on them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, IntegerAttr, i64
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects import arith, tensor
from stepwell.dialects.support import mixed
from stepwell.ir.constants import DYNAMIC, tensor_type
from stepwell.lowering.structured.kernels import constant_index

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Layout:
    """Shape and strides, in elements."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def is_readable(self) -> bool:
        """Whether a kernel takes it: the innermost stride is 1 (the stride of an extent of 1 does not matter)."""
        return not self.shape or self.strides[-1] == 1 or self.shape[-1] == 1

    def slice(self, sizes: Sequence[int], steps: Sequence[int], kept: Sequence[int]) -> Layout:
        """A box of it, of which the dimensions `kept` remain."""
        return Layout(tuple(sizes[d] for d in kept), tuple(self.strides[d] * steps[d] for d in kept))

    def expand(self, groups: Groups, shape: Sequence[int]) -> Layout:
        """Each dimension cut into those of its group, row-major."""
        strides = [1] * len(shape)
        for group, stride in zip(groups, self.strides, strict=False):
            for d in reversed(group):
                strides[d] = stride
                stride *= shape[d]
        return Layout(tuple(shape), tuple(strides))

    def collapse(self, groups: Groups) -> Layout | None:
        """The dimensions of each group as one; None where they are not contiguous."""
        shape: list[int] = []
        strides: list[int] = []
        for group in groups:
            extent = 1
            # An extent of 1 says nothing about contiguity.
            relevant = [d for d in group if self.shape[d] != 1] or list(group[:1])
            for outer, inner in itertools.pairwise(relevant):
                if self.strides[outer] != self.strides[inner] * self.shape[inner]:
                    return None
            for d in group:
                extent *= self.shape[d]
            shape.append(extent)
            strides.append(self.strides[relevant[-1]] if relevant else 1)
        return Layout(tuple(shape), tuple(strides))


def contiguous(shape: Sequence[int]) -> Layout:
    """The row-major layout."""
    strides = [1] * len(shape)
    for d in reversed(range(len(shape) - 1)):
        strides[d] = strides[d + 1] * shape[d + 1]
    return Layout(tuple(shape), tuple(strides))


# ---- slices and reshapes as data ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Slice:
    """The box that an `extract_slice` reads or an `insert_slice` writes; `shape` is the box without dropped extents of 1."""

    offsets: tuple[int | SSAValue, ...]
    sizes: tuple[int, ...]
    steps: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def kept(self) -> list[int]:
        """The dimensions of the box that the slice's tensor has."""
        kept: list[int] = []
        rest = list(self.shape)
        for d, size in enumerate(self.sizes):
            if rest and size == rest[0]:
                kept.append(d)
                rest.pop(0)
        return kept

    def is_disjoint(self, other: Slice) -> bool:
        """Whether two boxes of one tensor certainly share no element."""
        for a, size_a, step_a, b, size_b, step_b in zip(
            self.offsets, self.sizes, self.steps, other.offsets, other.sizes, other.steps, strict=True
        ):
            (root_a, start_a), (root_b, start_b) = _linear(a), _linear(b)
            if root_a is root_b and (start_a + (size_a - 1) * step_a < start_b or start_b + (size_b - 1) * step_b < start_a):
                return True
        return False

    def is_static(self) -> bool:
        return all(isinstance(o, int) for o in self.offsets)


def _linear(offset: int | SSAValue) -> tuple[SSAValue | None, int]:
    """An offset as a value plus a number: of `t` and `t + 1` it is known that they differ."""
    start = 0
    while isinstance(offset, SSAValue):
        op = offset.owner
        if not isinstance(op, arith.AddiOp) or (known := constant_index(op.operands[1])) is None:
            return offset, start
        offset, start = op.operands[0], start + known
    return None, start + offset


def slice_of(op: tensor.ExtractSliceOp | tensor.InsertSliceOp) -> Slice | None:
    """The box of an op; None where sizes or steps are not static."""
    sizes, steps = tuple(op.static_sizes.get_values()), tuple(op.static_strides.get_values())
    if op.sizes or op.strides:
        return None
    small = op.result if isinstance(op, tensor.ExtractSliceOp) else op.source
    shape = tuple(cast(Any, small.type).get_shape())
    return Slice(tuple(mixed(op.static_offsets, op.offsets)), tuple(map(int, sizes)), tuple(map(int, steps)), shape)


def extract(source: SSAValue, box: Slice) -> tensor.ExtractSliceOp:
    """A new `tensor.extract_slice`."""
    element = cast(Any, source.type).element_type
    return tensor.ExtractSliceOp(source, box.offsets, box.sizes, box.steps, tensor_type(box.shape, element))


def insert(source: SSAValue, dest: SSAValue, box: Slice) -> tensor.InsertSliceOp:
    """A new `tensor.insert_slice`."""
    dynamic = [o for o in box.offsets if isinstance(o, SSAValue)]
    static = tuple(DYNAMIC if isinstance(o, SSAValue) else o for o in box.offsets)
    return tensor.InsertSliceOp.build(
        operands=[source, dest, dynamic, [], []],
        result_types=[dest.type],
        properties={"static_offsets": _i64s(static), "static_sizes": _i64s(box.sizes), "static_strides": _i64s(box.steps)},
    )


def groups_of(op: Operation) -> Groups:
    """The reassociation of a reshape."""
    attribute = cast(ArrayAttr[ArrayAttr[IntegerAttr[Any]]], op.properties["reassociation"])
    return tuple(tuple(i.value.data for i in group) for group in attribute)


def collapse(source: SSAValue, groups: Groups) -> tensor.CollapseShapeOp:
    """A new `tensor.collapse_shape`."""
    type = cast(Any, source.type)
    shape: list[int] = []
    for group in groups:
        extent = 1
        for d in group:
            extent *= type.get_shape()[d]
        shape.append(extent)
    return tensor.CollapseShapeOp.create(
        operands=[source], result_types=[tensor_type(tuple(shape), type.element_type)], properties={"reassociation": _reassociation(groups)}
    )


def expand(source: SSAValue, groups: Groups, shape: Sequence[int]) -> tensor.ExpandShapeOp:
    """A new `tensor.expand_shape`."""
    return tensor.ExpandShapeOp.create(
        operands=[source],
        result_types=[tensor_type(tuple(shape), cast(Any, source.type).element_type)],
        properties={"reassociation": _reassociation(groups), "static_output_shape": _i64s(shape)},
    )


def _reassociation(groups: Groups) -> Attribute:
    return ArrayAttr(ArrayAttr(IntegerAttr(d, i64) for d in group) for group in groups)


def _i64s(values: Sequence[int]) -> DenseArrayBase[Any]:
    return DenseArrayBase.from_list(i64, list(values))
