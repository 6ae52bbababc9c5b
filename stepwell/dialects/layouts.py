"""Strided layouts of memref types: what a subview, a cast, an expansion or a collapse makes of sizes, strides and offset.

In this module an unknown size is `DYNAMIC_INDEX`, an unknown stride or offset is None, as in xDSL's memref types.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, ArrayAttr, IntegerAttr, MemRefType, NoneAttr, StridedLayoutAttr
from xdsl.ir.affine import AffineBinaryOpExpr, AffineBinaryOpKind, AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.support import compatible_shapes, describe

Strides = tuple[int | None, ...]
Groups = list[list[int]]


def layout_of(type: MemRefType[Any]) -> tuple[Strides, int | None]:
    """Strides and offset in elements. Raises VerifyException where the layout is not strided."""
    if isinstance(type.layout, AffineMapAttr):
        if (found := _layout_of_map(type.layout.data)) is None:
            raise VerifyException(f"{type} has no strided layout")
        return found
    strides = type.get_strides()
    if strides is None:
        raise VerifyException(f"{type} has no strided layout")
    return tuple(strides), type.get_offset()


def _layout_of_map(map: AffineMap) -> tuple[Strides, int | None] | None:
    """What a map of one result says if it is a sum of dimensions, each with a factor that is a constant or symbolic, and an offset."""
    if len(map.results) != 1:
        return None
    strides: list[int | None] = [0] * map.num_dims
    offset: int | None = 0
    pending = [map.results[0]]
    while pending:
        term = pending.pop()
        if isinstance(term, AffineBinaryOpExpr) and term.kind is AffineBinaryOpKind.Add:
            pending += [term.lhs, term.rhs]
            continue
        factors = [term.lhs, term.rhs] if isinstance(term, AffineBinaryOpExpr) and term.kind is AffineBinaryOpKind.Mul else [term]
        dims = [factor for factor in factors if isinstance(factor, AffineDimExpr)]
        others = [factor for factor in factors if not isinstance(factor, AffineDimExpr)]
        if len(dims) > 1 or any(factor.used_dims() for factor in others):
            return None
        value = _product(others)
        if dims:
            position = dims[0].position
            old = strides[position]
            strides[position] = None if value is None or old is None else old + value
        else:
            offset = None if value is None or offset is None else offset + value
    return tuple(strides), offset


def _product(factors: Sequence[AffineExpr]) -> int | None:
    """The product, None where one is symbolic."""
    product = 1
    for factor in factors:
        if not isinstance(factor, AffineConstantExpr):
            return None
        product *= factor.value
    return product


def row_major(shape: Sequence[int]) -> Strides:
    """The strides of the identity layout."""
    strides: list[int | None] = []
    stride: int | None = 1
    for size in reversed(shape):
        strides.append(stride)
        stride = None if stride is None or size == DYNAMIC_INDEX else stride * size
    return tuple(reversed(strides))


def has_identity_map(type: MemRefType[Any]) -> bool:
    """Whether upstream takes the layout for the identity: where there is none, and for `strided<[1]>` of rank 1."""
    if isinstance(type.layout, NoneAttr):
        return True
    return type.get_num_dims() == 1 and layout_of(type) == ((1,), 0)


def strided(like: MemRefType[Any], shape: Sequence[int], strides: Strides, offset: int | None) -> MemRefType[Any]:
    """A memref of `like`'s element type and memory space with this layout."""
    return MemRefType(like.element_type, shape, StridedLayoutAttr(strides, offset), like.memory_space)


def is_castable(source: MemRefType[Any], dest: MemRefType[Any]) -> bool:
    """Whether `memref.cast` may stand between: nothing static contradicts."""
    if source.element_type != dest.element_type or not compatible_shapes(source.get_shape(), dest.get_shape()):
        return False
    (strides, offset), (other_strides, other_offset) = layout_of(source), layout_of(dest)
    pairs = [*zip(strides, other_strides, strict=True), (offset, other_offset)]
    # The stride of an extent of 1 is never used.
    free = [1 in sizes for sizes in zip(source.get_shape(), dest.get_shape(), strict=True)] + [False]
    return all(a is None or b is None or a == b or any_stride for (a, b), any_stride in zip(pairs, free, strict=True))


def is_rank_reduced_layout(full: Sequence[tuple[int, int | None]], reduced: Sequence[tuple[int, int | None]]) -> bool:
    """Whether (size, stride) pairs `reduced` are `full` without some pairs of size 1."""
    if not full:
        return not reduced
    if reduced and full[0] == reduced[0] and is_rank_reduced_layout(full[1:], reduced[1:]):
        return True
    return full[0][0] == 1 and is_rank_reduced_layout(full[1:], reduced)


def groups_of(reassociation: ArrayAttr[ArrayAttr[IntegerAttr[Any]]]) -> Groups:
    """`[[0, 1], [2]]` as Python lists."""
    return [[index.value.data for index in group] for group in reassociation]


def verify_groups(groups: Groups, expanded: Sequence[int], collapsed: Sequence[int]) -> None:
    """Raise VerifyException unless the groups cover the expanded dimensions in order and their products are the collapsed extents."""
    if len(groups) != len(collapsed) or [i for group in groups for i in group] != list(range(len(expanded))):
        if groups or any(size not in (1, DYNAMIC_INDEX) for size in expanded) or collapsed:
            raise VerifyException(f"reassociation {groups} does not map {describe(expanded)} to {describe(collapsed)}")
    for group, size in zip(groups, collapsed, strict=True):
        product = 1
        for index in group:
            product = DYNAMIC_INDEX if DYNAMIC_INDEX in (product, expanded[index]) else product * expanded[index]
        if product != size:
            extents = describe([expanded[i] for i in group])
            raise VerifyException(f"dimensions {group} of extents {extents} do not collapse to {describe([size])}")


def expanded_type(source: MemRefType[Any], groups: Groups, shape: Sequence[int]) -> MemRefType[Any]:
    """The type of `memref.expand_shape`: each extent of the source is split into its group's, row-major inside the group."""
    if has_identity_map(source):
        return MemRefType(source.element_type, shape, NoneAttr(), source.memory_space)
    source_strides, offset = layout_of(source)
    strides: list[int | None] = [1] * len(shape)
    for group, stride in zip(groups, source_strides, strict=True):
        for index in reversed(group):
            strides[index] = stride
            stride = None if stride is None or shape[index] == DYNAMIC_INDEX else stride * shape[index]
    return strided(source, shape, tuple(strides), offset)


def collapsed_type(source: MemRefType[Any], groups: Groups) -> MemRefType[Any]:
    """The type of `memref.collapse_shape`. Raises VerifyException where the dimensions of a group are known not to be contiguous."""
    sizes = source.get_shape()
    shape: list[int] = []
    for group in groups:
        product = 1
        for index in group:
            product = DYNAMIC_INDEX if DYNAMIC_INDEX in (product, sizes[index]) else product * sizes[index]
        shape.append(product)
    if has_identity_map(source):
        return MemRefType(source.element_type, shape, NoneAttr(), source.memory_space)
    strides, offset = layout_of(source)
    collapsed: list[int | None] = []
    for group in groups:
        # Extents of 1 say nothing about the stride; the innermost other one does, and without any the first.
        # An unknown extent may be 1 when the program runs, then its stride does not count: the stride is not known.
        relevant = [i for i in group if sizes[i] != 1] or group[:1]
        may_be_one = len(relevant) > 1 and sizes[relevant[-1]] == DYNAMIC_INDEX
        collapsed.append(1 if not relevant else None if may_be_one else strides[relevant[-1]])
        for outer, inner in pairwise(relevant):
            stride, inner_stride, inner_size = strides[outer], strides[inner], sizes[inner]
            if None in (stride, inner_stride) or inner_size == DYNAMIC_INDEX:
                continue
            if inner_stride is not None and stride != inner_stride * inner_size:
                raise VerifyException(f"dimensions {outer} and {inner} of {source} are not contiguous and cannot be collapsed")
    return strided(source, shape, tuple(collapsed), offset)


def same_layout(a: MemRefType[Any], b: MemRefType[Any]) -> bool:
    """Equal shapes, element types, memory spaces, strides and offsets, however the layout is written."""
    same = (a.element_type, a.get_shape(), a.memory_space) == (b.element_type, b.get_shape(), b.memory_space)
    return same and layout_of(a) == layout_of(b)
