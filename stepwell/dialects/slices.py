"""What the verifiers of `tensor` ask of slices and reshapes, in upstream's words: types in, nothing out or a VerifyException."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from xdsl.dialects.builtin import DYNAMIC_INDEX, TensorType
from xdsl.ir import SSAValue
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.support import is_rank_reduction
from stepwell.ir.rules import shown

Tensor = TensorType[Any]
Index = SSAValue | int


def verify_slice(op: Any, whole: Tensor, part: Tensor) -> None:
    """`part` is a box of `whole`, or such a box without some extents of 1; `op` has offsets, sizes and strides, dynamic and static."""
    verify_box(op, whole.get_num_dims())
    verify_part(whole, part, op.static_sizes.get_values())
    verify_in_bounds(whole.get_shape(), op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides())


def verify_box(op: Any, rank: int) -> None:
    """One offset, size and stride for each dimension; operands for those that are dynamic; none that is known to be negative."""
    for what, static, dynamic in (
        ("offset", op.static_offsets, op.offsets),
        ("size", op.static_sizes, op.sizes),
        ("stride", op.static_strides, op.strides),
    ):
        values = static.get_values()
        if len(values) != rank:
            raise VerifyException(f"expected {rank} {what} values, got {len(values)}")
        if (expected := values.count(DYNAMIC_INDEX)) != len(dynamic):
            raise VerifyException(f"expected {expected} dynamic {what} values")
        for value in values:
            if what != "stride" and value < 0 and value != DYNAMIC_INDEX:
                raise VerifyException(f"expected {what}s to be non-negative, but got {value}")


def verify_part(whole: Tensor, part: Tensor, sizes: Sequence[int]) -> None:
    """The type of a slice of these sizes is `part`, or has some more dimensions of extent 1."""
    if len(sizes) < part.get_num_dims():
        raise VerifyException("expected rank to be smaller or equal to the other rank. ")
    if not is_rank_reduction(sizes, part.get_shape()):
        expected = shown(TensorType(whole.element_type, sizes, whole.encoding))
        raise VerifyException(f"expected type to be '{expected}' or a rank-reduced version. (size mismatch) ")
    if whole.element_type != part.element_type:
        raise VerifyException(f"expected element type to be '{shown(whole.element_type)}'")


def verify_in_bounds(shape: Sequence[int], offsets: Sequence[Index], sizes: Sequence[Index], strides: Sequence[Index]) -> None:
    """A static slice stays in its source. One without elements may begin at the end."""
    for dim, (extent, offset, size, stride) in enumerate(zip(shape, offsets, sizes, strides, strict=True)):
        problem = None if extent == DYNAMIC_INDEX else out_of_bounds(dim, extent, offset, size, stride)
        if problem is not None:
            raise VerifyException(problem)


def out_of_bounds(dim: int, extent: int, offset: Index, size: Index, stride: Index) -> str | None:
    """How a slice of a dimension leaves it, None where it does not as far as is known."""
    if not isinstance(offset, int):
        return None
    if offset >= extent and not (size == 0 and offset == extent):
        return f"offset {dim} is out-of-bounds: {offset} >= {extent}"
    if not isinstance(size, int) or not isinstance(stride, int):
        return None
    last = offset + (size - 1) * stride
    return f"slice along dimension {dim} runs out-of-bounds: {last} >= {extent}" if size and last >= extent else None


def verify_groups(groups: Sequence[Sequence[int]], expanded: Tensor, collapsed: Tensor) -> None:
    """The groups cover the expanded dimensions in order, and their products are the collapsed extents."""
    if any(not group for group in groups):
        raise VerifyException("reassociation indices must not be empty")
    large, small = expanded.get_shape(), collapsed.get_shape()
    if len(large) < len(small):
        a, b = shown(expanded), shown(collapsed)
        raise VerifyException(f"expected the expanded type, '{a}' to have a higher (or same) rank than the collapsed type, '{b}'")
    if len(small) != len(groups):
        raise VerifyException(f"expected collapsed rank ({len(small)}) to equal the number of reassociation maps ({len(groups)})")
    if groups and (found := sum(len(group) for group in groups)) != len(large):
        raise VerifyException(
            f"expected the total number of reassociation dimensions ({found}) to equal the expanded type's rank ({len(large)})"
        )
    following = 0
    for number, group in enumerate(groups):
        for index in group:
            if index != following:
                raise VerifyException(f"expected reassociation map #{number} to be valid and contiguous")
            following += 1
    if not groups:
        _verify_single_element(large)
    for dim, (group, size) in enumerate(zip(groups, small, strict=True)):
        product = prod(large[index] for index in group)
        if any(large[index] == DYNAMIC_INDEX for index in group):
            if size != DYNAMIC_INDEX:
                raise VerifyException(
                    f"expected dimension {dim} of collapsed type to be dynamic since one or more of the corresponding dimensions in the"
                    " expanded type is dynamic"
                )
        elif size != product:
            raise VerifyException(f"expected dimension {dim} of collapsed type to be static value of {product}")
    if expanded.element_type != collapsed.element_type:
        raise VerifyException("requires the same element type for all operands and results")


def _verify_single_element(shape: Sequence[int]) -> None:
    """A tensor without dimensions has one element, and so has what it is a reshape of."""
    if DYNAMIC_INDEX not in shape and prod(shape) != 1:
        raise VerifyException(f"number of elements must be preserved: {prod(shape)} != 1")
