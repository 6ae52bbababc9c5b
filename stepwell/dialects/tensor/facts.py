"""What the folds and patterns of `tensor` ask about values and types: constants, boxes, casts that know more, reassociations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    ComplexType,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    TensorType,
)
from xdsl.ir import Attribute, OpResult, SSAValue

from stepwell.dialects.support import is_rank_reduction
from stepwell.dialects.tensor.elements import CastOp
from stepwell.ir.rewrite.folding import constant_of

Tensor = TensorType[Any]
Index = SSAValue | int
Groups = list[list[int]]


# ---- constants --------------------------------------------------------------------------------------------------------------------


def dense_of(value: SSAValue) -> DenseIntOrFPElementsAttr[Any] | None:
    """The elements of a constant tensor."""
    constant = constant_of(value)
    return cast("DenseIntOrFPElementsAttr[Any]", constant) if isinstance(constant, DenseIntOrFPElementsAttr) else None


def _element_size(dense: DenseIntOrFPElementsAttr[Any]) -> int:
    element: Any = dense.get_element_type()
    return element.compile_time_size


def is_splat(dense: DenseIntOrFPElementsAttr[Any]) -> bool:
    """Whether the payload is one element, whatever the type (complex numbers too)."""
    return len(dense.data.data) == _element_size(dense)


def element_at(dense: DenseIntOrFPElementsAttr[Any], position: int) -> Attribute:
    """One element as the attribute that a constant of its type has."""
    element: Any = dense.get_element_type()
    size = element.compile_time_size
    start = 0 if is_splat(dense) else position * size
    value = element.unpack(dense.data.data[start : start + size], 1)[0]
    if isinstance(element, ComplexType):
        part: Any = cast("Any", element).element_type
        return ArrayAttr([_number(part, x) for x in value])
    return _number(element, value)


def _number(element: Any, value: Any) -> Attribute:
    return IntegerAttr(value, element) if isinstance(value, int) else FloatAttr(value, element)


def number_of(attribute: Attribute | None) -> Any:
    """What `pack` of an element type takes for a constant of that type; None where it is no number."""
    if isinstance(attribute, (IntegerAttr, FloatAttr)):
        return cast("Any", attribute).value.data
    if isinstance(attribute, ArrayAttr):
        parts = [number_of(part) for part in cast("ArrayAttr[Attribute]", attribute)]
        return tuple(parts) if len(parts) == 2 and None not in parts else None
    return None


# ---- types ------------------------------------------------------------------------------------------------------------------------


def is_static(type: Attribute) -> bool:
    """Whether it is a ranked tensor whose extents are all known."""
    return isinstance(type, TensorType) and DYNAMIC_INDEX not in cast("Tensor", type).get_shape()


def with_shape(type: Tensor, shape: Sequence[int]) -> Tensor:
    """The tensor type with another shape."""
    return TensorType(type.element_type, shape, type.encoding)


def knows_as_much(more: Attribute, less: Attribute) -> bool:
    """Whether `more` has every static extent that `less` has."""
    if not isinstance(more, TensorType) or not isinstance(less, TensorType):
        return False
    a, b = cast("Tensor", more), cast("Tensor", less)
    if a.element_type != b.element_type or a.encoding != b.encoding or a.get_num_dims() != b.get_num_dims():
        return False
    return all(y == DYNAMIC_INDEX or x != DYNAMIC_INDEX for x, y in zip(a.get_shape(), b.get_shape(), strict=True))


def forgets_extents(source: Attribute, target: Attribute) -> bool:
    """Whether a cast from `source` to `target` forgets extents, and nothing else."""
    return source != target and knows_as_much(source, target)


def cast_before(value: SSAValue) -> CastOp | None:
    """The cast that made `value`, where it took away what was known: whoever reads the value may as well read what was cast."""
    if isinstance(value, OpResult) and isinstance(cast_op := value.op, CastOp):
        return cast_op if knows_as_much(cast_op.source.type, cast_op.dest.type) else None
    return None


def dropped_dims(sizes: Sequence[int], shape: Sequence[int]) -> set[int] | None:
    """The dimensions of a box of these sizes that its type of this shape lacks; None where the type does not fit."""
    if not is_rank_reduction(sizes, shape):
        return None
    dropped: set[int] = set()
    rest = list(shape)
    for dim, extent in enumerate(sizes):
        if rest and rest[0] == extent:
            rest.pop(0)
        else:
            dropped.add(dim)
    return dropped


def dropped_dims_of_more_static(sizes: Sequence[int], shape: Sequence[int]) -> set[int] | None:
    """The same where either may know extents that the other does not."""
    dropped: set[int] = set()
    rest = list(shape)
    for dim, extent in enumerate(sizes):
        if rest and (rest[0] == extent or DYNAMIC_INDEX in (rest[0], extent)):
            rest.pop(0)
        elif extent == 1:
            dropped.add(dim)
        else:
            return None
    return None if rest else dropped


# ---- reassociations ---------------------------------------------------------------------------------------------------------------


def collapsing_groups(source: Sequence[int], target: Sequence[int]) -> Groups | None:
    """The groups of dimensions of `source` whose products are `target`, if that is certain; None otherwise."""
    if len(source) <= len(target):
        return None
    groups: Groups = []
    dim, last = 0, len(source) - 1
    for extent in target:
        group: list[int] = []
        product = 1
        while dim < last and source[dim] != DYNAMIC_INDEX and product * source[dim] < extent:
            product *= source[dim]
            group.append(dim)
            dim += 1
        if dim > last:
            return None
        found = source[dim]
        if DYNAMIC_INDEX in (found, extent):
            if found != extent or product != 1:
                return None
        elif product * found != extent:
            return None
        groups.append([*group, dim])
        dim += 1
    for tail in range(dim, len(source)):
        if source[tail] != 1:
            return None
        if groups:
            groups[-1].append(tail)
    return groups
