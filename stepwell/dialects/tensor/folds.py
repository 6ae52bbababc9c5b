"""How operations of `tensor` fold: an operation in; a value or an attribute for its result out, or None (`stepwell.ir.rewrite.folding`)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, BytesAttr, DenseIntOrFPElementsAttr, IntegerAttr, TensorType
from xdsl.ir import Attribute, Operation, OpResult, SSAValue

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.known_indices import known, same
from stepwell.dialects.layouts import groups_of
from stepwell.dialects.tensor import (
    CollapseShapeOp,
    DimOp,
    EmptyOp,
    ExpandShapeOp,
    ExtractSliceOp,
    FromElementsOp,
    GenerateOp,
    InsertOp,
    InsertSliceOp,
    ReshapeOp,
)
from stepwell.dialects.tensor.facts import Tensor, dense_of, dropped_dims, element_at, is_splat, is_static, number_of
from stepwell.ir.rewrite.folding import Folded, Folder, constant_of


def _maker(value: SSAValue) -> Any:
    """The operation that made the value, None where it is a block's argument."""
    return value.op if isinstance(value, OpResult) else None


def _is(op: Any, kind: type[Operation]) -> bool:
    return isinstance(op, kind)


def _is_ranked(type: Attribute) -> bool:
    return isinstance(type, TensorType)


def _reshaped(value: SSAValue, type: Attribute, *, splat: bool = True) -> DenseIntOrFPElementsAttr[Any] | None:
    """The constant `value` with the same elements in another static shape; with `splat`, only where all elements are equal."""
    dense = dense_of(value)
    if dense is None or not is_static(type) or (splat and not is_splat(dense)):
        return None
    return DenseIntOrFPElementsAttr(cast("Tensor", type), dense.data)


def _identity(op: Any) -> Folded:
    """A cast to the same type."""
    return (op.operands[0],) if op.operands[0].type == op.results[0].type else None


def _dim(op: Any) -> Folded:
    index = known(op.index)
    if index is None or not _is_ranked(op.source.type):
        return None
    shape = cast("Tensor", op.source.type).get_shape()
    if not 0 <= index < len(shape):
        return None
    if shape[index] != DYNAMIC_INDEX:
        return (IntegerAttr(shape[index], INDEX),)
    maker = _maker(op.source)
    if isinstance(maker, (GenerateOp, EmptyOp)):
        return (maker.operands[shape[:index].count(DYNAMIC_INDEX)],)
    if isinstance(maker, ExtractSliceOp):
        sizes = maker.mixed_sizes()
        dropped = dropped_dims(maker.static_sizes.get_values(), shape)
        if dropped is not None:
            size = [size for dim, size in enumerate(sizes) if dim not in dropped][index]
            return (size,) if isinstance(size, SSAValue) else (IntegerAttr(size, INDEX),)
    return None


def _concat(op: Any) -> Folded:
    return (op.inputs[0],) if len(op.inputs) == 1 and op.inputs[0].type == op.result.type else None


def _extract(op: Any) -> Folded:
    dense, maker = dense_of(op.tensor), _maker(op.tensor)
    if dense is not None and is_splat(dense):
        return (element_at(dense, 0),)
    if isinstance(maker, InsertOp) and same(op.indices, maker.indices):
        return (maker.scalar,)
    if dense is None and not isinstance(maker, FromElementsOp):
        return None
    position = 0
    for index, extent in zip(op.indices, cast("Tensor", op.tensor.type).get_shape(), strict=True):
        at = known(index)
        if at is None or not 0 <= at < extent:
            return None
        position = position * extent + at
    return (maker.elements[position],) if isinstance(maker, FromElementsOp) else (element_at(cast("Any", dense), position),)


def _insert(op: Any) -> Folded:
    """The value that all elements have already."""
    dense, scalar = dense_of(op.dest), constant_of(op.scalar)
    return (op.dest,) if dense is not None and scalar is not None and is_splat(dense) and element_at(dense, 0) == scalar else None


def _from_elements(op: Any) -> Folded:
    type: Any = op.result.type
    if not op.elements or not hasattr(type.element_type, "pack"):
        return None
    numbers = [number_of(constant_of(value)) for value in op.elements]
    if None in numbers:
        return None
    payload = type.element_type.pack(numbers)
    size = type.element_type.compile_time_size
    if payload == payload[:size] * len(numbers):
        payload = payload[:size]
    return (DenseIntOrFPElementsAttr(type, BytesAttr(payload)),)


def _splat(op: Any) -> Folded:
    type, number = op.result.type, number_of(constant_of(op.input))
    if number is None or not is_static(type) or not hasattr(type.element_type, "pack"):
        return None
    return (DenseIntOrFPElementsAttr(type, BytesAttr(type.element_type.pack([number]))),)


def _rank(op: Any) -> Folded:
    return (IntegerAttr(op.tensor.type.get_num_dims(), INDEX),) if _is_ranked(op.tensor.type) else None


def _gather(op: Any) -> Folded:
    folded = _reshaped(op.source, op.result.type)
    return None if folded is None else (folded,)


def _reshape(op: Any) -> Folded:
    if (folded := _reshaped(op.source, op.result.type)) is not None:
        return (folded,)
    maker = _maker(op.source)
    if isinstance(maker, ReshapeOp):  # only the last shape counts
        op.operands[0] = maker.source
        return op.results
    type = op.source.type
    if type != op.result.type or not _is_ranked(type):
        return None
    shape = cast("Tensor", type).get_shape()
    if len(shape) <= 1 or is_static(type):
        return (op.source,)
    extents = _maker(op.shape)
    if isinstance(extents, FromElementsOp) and len(extents.elements) == len(shape):
        wanted = enumerate(zip(extents.elements, shape, strict=True))
        if all(_is_extent(value, op.source, dim, extent) for dim, (value, extent) in wanted):
            return (op.source,)
    return None


def _is_extent(value: SSAValue, tensor: SSAValue, dim: int, extent: int) -> bool:
    """Whether `value` is the tensor's extent along `dim`, which its type says to be `extent`."""
    if (number := known(value)) is not None:
        return number == extent
    maker = _maker(value)
    return isinstance(maker, DimOp) and maker.source is tensor and known(maker.index) == dim


# ---- collapse_shape, expand_shape ---------------------------------------------------------------------------------------------------


def _collapse_shape(op: Any) -> Folded:
    return _identity(op) or _constant_reshape(op) or _undone(op, ExpandShapeOp)


def _expand_shape(op: Any) -> Folded:
    return _identity(op) or _constant_reshape(op) or _undone(op, CollapseShapeOp)


def _constant_reshape(op: Any) -> Folded:
    folded = _reshaped(op.src, op.result.type, splat=False)
    return None if folded is None else (folded,)


def _undone(op: Any, inverse: type[Operation]) -> Folded:
    """`expand(collapse(x))` and `collapse(expand(x))` of x's own type, where no two unknown extents could have been mixed."""
    maker = _maker(op.src)
    if not _is(maker, inverse) or maker.src.type != op.result.type:
        return None
    shape = op.result.type.get_shape()
    if shape.count(DYNAMIC_INDEX) < 2:
        return (maker.src,)
    groups = groups_of(op.reassociation)
    if groups != groups_of(maker.reassociation):
        return None
    if isinstance(op, CollapseShapeOp) or all([shape[i] for i in group].count(DYNAMIC_INDEX) < 2 for group in groups):
        return (maker.src,)
    return None


# ---- slices -------------------------------------------------------------------------------------------------------------------------


def _is_whole(op: Any, shape: Sequence[int]) -> bool:
    """Whether the box is everything of a tensor of this static shape."""
    return (
        all(known(offset) == 0 for offset in op.mixed_offsets())
        and all(known(stride) == 1 for stride in op.mixed_strides())
        and all(known(size) == extent for size, extent in zip(op.mixed_sizes(), shape, strict=True))
    )


def _same_box(a: Any, b: Any) -> bool:
    return (
        same(a.mixed_offsets(), b.mixed_offsets()) and same(a.mixed_sizes(), b.mixed_sizes()) and same(a.mixed_strides(), b.mixed_strides())
    )


def _extract_slice(op: Any) -> Folded:
    if (folded := _reshaped(op.source, op.result.type)) is not None:
        return (folded,)
    if op.source.type == op.result.type and is_static(op.source.type) and _is_whole(op, op.source.type.get_shape()):
        return (op.source,)
    maker = _maker(op.source)
    if isinstance(maker, InsertSliceOp) and maker.source.type == op.result.type and _same_box(op, maker):
        return (maker.source,)
    return None


def _insert_slice(op: Any) -> Folded:
    source, dest = op.source, op.dest
    if is_static(source.type):
        if prod(source.type.get_shape()) == 0:
            return (dest,)
        if source.type == op.result.type and _is_whole(op, source.type.get_shape()):
            return (source,)
    over = _maker(dest)
    if isinstance(over, InsertSliceOp) and over.source.type == source.type and _same_box(op, over):  # what it put there is lost
        op.operands[1] = over.dest
        return op.results
    maker = _maker(source)
    if isinstance(maker, ExtractSliceOp) and maker.source is dest and _same_box(op, maker):
        return (dest,)
    return None


def _pad(op: Any) -> Folded:
    """A static shape that stays: whatever the amounts are called, they are zero."""
    fits = op.nofold is None and op.source.type == op.result.type and is_static(op.result.type)
    return (op.operands[0],) if fits else None


FOLDS: dict[str, Folder] = {
    "tensor.bitcast": _identity,
    "tensor.cast": _identity,
    "tensor.collapse_shape": _collapse_shape,
    "tensor.concat": _concat,
    "tensor.dim": _dim,
    "tensor.expand_shape": _expand_shape,
    "tensor.extract": _extract,
    "tensor.extract_slice": _extract_slice,
    "tensor.from_elements": _from_elements,
    "tensor.gather": _gather,
    "tensor.insert": _insert,
    "tensor.insert_slice": _insert_slice,
    "tensor.pad": _pad,
    "tensor.rank": _rank,
    "tensor.reshape": _reshape,
    "tensor.splat": _splat,
}
