"""The types of buffers: of a tensor whose buffer is known, will be allocated, or comes from outside."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType, NoneAttr, StridedLayoutAttr, TensorType, UnrankedMemRefType
from xdsl.ir import Attribute
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.layouts import collapsed_type, layout_of
from stepwell.dialects.memref import SubviewOp
from stepwell.dialects.support import is_rank_reduction
from stepwell.dialects.tensor.facts import dropped_dims

Boundary = Literal["infer-layout-map", "identity-layout-map", "fully-dynamic-layout-map"]
MemRef = MemRefType[Any]


def plain(type: Attribute, space: Attribute | None = None) -> Attribute:
    """The type of a new buffer for a tensor."""
    tensor: Any = type
    if not isinstance(type, TensorType):
        return UnrankedMemRefType.from_type(tensor.element_type)
    return MemRefType(tensor.element_type, tensor.get_shape(), NoneAttr(), space or NoneAttr())


def dynamic(type: Attribute, space: Attribute | None = None) -> Attribute:
    """The type of a buffer of which only the shape is known."""
    tensor: Any = type
    if tensor.name not in (TensorType.name, MemRefType.name):
        return plain(type)
    layout = StridedLayoutAttr([None] * tensor.get_num_dims(), None)
    return MemRefType(tensor.element_type, tensor.get_shape(), layout, space or NoneAttr())


def from_outside(type: Attribute, how: str) -> Attribute:
    """The type of a buffer that somebody else has made."""
    return plain(type) if how == "identity-layout-map" else dynamic(type)


def joined(a: Attribute, b: Attribute) -> Attribute:
    """A type that both can be cast to."""
    if a == b or a.name != MemRefType.name or b.name != MemRefType.name:
        return a
    return dynamic(a, cast("Any", a).memory_space)


def reshaped(buffer: Attribute, tensor: Attribute) -> Attribute:
    """The type of `memref.cast` for a `tensor.cast`: the shape of the tensor, the layout of the buffer."""
    if not isinstance(tensor, TensorType):
        return UnrankedMemRefType.from_type(cast("Any", tensor).element_type, cast("Any", buffer).memory_space)
    if buffer.name != MemRefType.name:
        return dynamic(cast("Attribute", tensor))
    old, new = cast("MemRef", buffer), cast("Any", tensor)
    return MemRefType(old.element_type, new.get_shape(), old.layout, old.memory_space)


def sliced(buffer: MemRef, op: Any, part: Any) -> MemRef:
    """The type of the subview for a slice, without the dimensions that its tensor lacks."""
    full = SubviewOp.infer_result_type(buffer, op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides())
    sizes = op.static_sizes.get_values()
    if len(sizes) == part.get_num_dims():
        return full
    assert is_rank_reduction(sizes, part.get_shape())
    dropped = dropped_dims(sizes, part.get_shape()) or set()
    strides, offset = layout_of(full)
    kept = [stride for dim, stride in enumerate(strides) if dim not in dropped]
    return MemRefType(full.element_type, part.get_shape(), StridedLayoutAttr(kept, offset), full.memory_space)


def collapsed(buffer: MemRef, groups: Sequence[Sequence[int]]) -> MemRef | None:
    """The type of the collapsed buffer, None where the memory of a group is not known to be contiguous."""
    strides, _ = layout_of(buffer)
    shape = buffer.get_shape()
    if buffer.layout != NoneAttr():
        for group in groups:
            relevant = [dim for dim in group if shape[dim] != 1]
            for outer, inner in pairwise(relevant):
                a, b = strides[outer], strides[inner]
                if a is None or b is None or shape[inner] == DYNAMIC_INDEX or a != b * shape[inner]:
                    return None
    try:
        return collapsed_type(buffer, [list(group) for group in groups])
    except VerifyException:
        return None


def is_certain_cast(source: Attribute, dest: Attribute) -> bool:
    """Whether a cast only forgets: no layout is claimed that is not known."""
    if not isinstance(source, MemRefType) or not isinstance(dest, MemRefType):
        return True
    one, two = cast("MemRef", source), cast("MemRef", dest)
    if one.memory_space != two.memory_space:
        return False
    (strides, offset), (other_strides, other_offset) = layout_of(one), layout_of(two)
    pairs = [*zip(strides, other_strides, strict=True), (offset, other_offset)]
    return all(b is None or a == b for a, b in pairs)
