"""What must hold of the operations of `vector` that touch memory, and of masks around operations, with MLIR's words."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, cast

from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, BoolAttr, IndexType, MemRefType, TensorType, VectorType, i1
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineMap
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.layouts import layout_of
from stepwell.dialects.vector.memory import mask_type
from stepwell.dialects.vector.shapes import flags_of, shape_of, vector_of
from stepwell.ir.rules import element, fail, shown, width

# ---- transfers ----------------------------------------------------------------------------------------------------------------------


def transfer_read(op: Any) -> None:
    """A box of the source, and padding of its elements' type."""
    _transfer(op, op.source.type, op.result.type)
    if op.padding.type != element(op.source.type):
        fail("requires formal padding and source of the same elemental type")
    _permutation(op.permutation_map.data)


def transfer_write(op: Any) -> None:
    """A box of the destination; each element is written once."""
    rank = op.source.type.get_num_dims()
    if len(op.indices) != rank:
        fail(f"requires {rank} indices")
    if any(isinstance(expr, AffineConstantExpr) and expr.value == 0 for expr in op.permutation_map.data.results):
        fail("should not have broadcast dimensions")
    _transfer(op, op.source.type, op.vector.type)
    _permutation(op.permutation_map.data)
    is_tensor = isinstance(op.source.type, TensorType)
    if (op.result is not None) != is_tensor or (is_tensor and op.result.type != op.source.type):
        fail("has a result exactly where it writes to a tensor, of that tensor's type")


def _bits(type: Attribute) -> int:
    return 64 if isinstance(type, IndexType) else width(element(type))


def _transfer(op: Any, source: Any, vector: Attribute) -> None:
    rank, map = source.get_num_dims(), cast(AffineMap, op.permutation_map.data)
    if len(op.indices) != rank:
        fail(f"requires {rank} indices")
    inner, shape = source.element_type, shape_of(vector)
    moved = _bits(vector) * (shape[-1] if shape else 1)
    unit, of = _bits(inner), "source element type"
    if isinstance(inner, VectorType):
        unit, of = _bits(inner) * (shape_of(inner)[-1] if shape_of(inner) else 1), "minor 1-D vector of the source"
    if unit and moved % unit:
        fail(f"requires the bitwidth of the minor 1-D vector to be an integral multiple of the bitwidth of the {of}")
    lead = len(shape) - len(shape_of(inner))
    if lead < 0:
        fail("requires source vector element and vector result ranks to match.")
    if len(map.results) != lead:
        fail("requires a permutation_map with result dims of the same rank as the vector type")
    if isinstance(inner, VectorType) and op.mask is not None:
        fail("does not support masks with vector element type")
    if map.num_symbols:
        fail("requires permutation_map without symbols")
    if map.num_dims != rank:
        fail("requires a permutation_map with input dims of the same rank as the source type")
    if op.mask is not None and _is_permutation(map):
        expected = mask_type(map, cast(Any, vector))
        if op.mask.type != expected:
            fail(f"inferred mask type ('{shown(expected)}') and mask operand type ('{shown(op.mask.type)}') don't match")
    if len(cast(ArrayAttr[BoolAttr], op.in_bounds)) != len(map.results):
        fail(f"expects the in_bounds attr of same rank as permutation_map results: {shown(op.permutation_map)}")


def _is_permutation(map: AffineMap) -> bool:
    try:
        _permutation(map)
    except VerifyException:
        return False
    return True


def _permutation(map: AffineMap) -> None:
    seen: set[int] = set()
    for expr in map.results:
        if isinstance(expr, AffineConstantExpr) and expr.value == 0:
            continue
        if not isinstance(expr, AffineDimExpr):
            fail("requires a projected permutation_map (at most one dim or the zero constant can appear in each result)")
        position = expr.position
        if position in seen:
            fail("requires a permutation_map that is a permutation (found one dim used more than once)")
        seen.add(position)


# ---- rows ---------------------------------------------------------------------------------------------------------------------------


def _strides(type: Attribute, vector: Attribute, *, rows: bool = True) -> None:
    """Of a memref: not negative, and for `rows` 1 along the last dimension where more than one element is moved along it."""
    if not isinstance(type, MemRefType):
        return
    try:
        strides, _ = layout_of(cast("MemRefType[Any]", type))
    except VerifyException:
        return fail("most minor memref dim must have unit stride") if rows else None
    if any(stride is not None and stride < 0 for stride in strides):
        fail("memref strides must be non-negative")
    if rows and strides and strides[-1] != 1 and vector != type.element_type and prod(shape_of(vector)) != 1:  # pyright: ignore[reportUnknownMemberType]
        fail("most minor memref dim must have unit stride")


def _indices(base: Any, indices: Sequence[SSAValue]) -> None:
    if len(indices) != base.get_num_dims():
        fail(f"requires {base.get_num_dims()} indices")


def load(op: Any) -> None:
    """A row of a memref's elements, or one element that is a vector."""
    base, vector = op.base.type, op.result.type
    if len(shape_of(vector)) > base.get_num_dims() and base.element_type != vector:
        fail("destination memref has lower rank than the result vector")
    _strides(base, vector)
    if isinstance(base.element_type, VectorType):
        if base.element_type != vector:
            fail("base memref and result vector types should match")
    elif base.element_type != element(vector):
        fail("base and result element types should match")
    _indices(base, op.indices)


def store(op: Any) -> None:
    """A row of a memref's elements, or one element that is a vector."""
    base, vector = op.base.type, op.vector.type
    if len(shape_of(vector)) > base.get_num_dims() and base.element_type != vector:
        fail("source memref has lower rank than the vector to store")
    _strides(base, vector)
    if isinstance(base.element_type, VectorType):
        if base.element_type != vector:
            fail("base memref and valueToStore vector types should match")
    elif base.element_type != element(vector):
        fail("base and valueToStore element type should match")
    _indices(base, op.indices)


def _row(op: Any, vector: Attribute, name: str, indices: Sequence[SSAValue]) -> None:
    """What all accesses by lanes share."""
    base = op.base.type
    _strides(base, vector, rows=False)
    if element(base) != element(vector):
        fail(f"base element type ('{shown(element(base))}') does not match {name} element type ('{shown(element(vector))}')")
    _indices(base, indices)


def _lanes(op: Any, vector: Attribute, name: str, what: str) -> None:
    if shape_of(vector) != shape_of(op.mask.type):
        fail(f"expected {name} {what} to match mask {what}")
    if flags_of(vector) != flags_of(op.mask.type):
        fail(f"expected {name} scalable dims to match mask scalable dims")
    if element(op.mask.type) != i1:
        fail(f"operand must be vector of 1-bit signless integer values, but got '{shown(op.mask.type)}'")


def _pass_through(op: Any) -> None:
    if op.pass_thru.type != op.result.type:
        fail("expected pass_thru of same type as result type")


def masked_load(op: Any) -> None:
    """Lanes of a row."""
    _row(op, op.result.type, "result", op.indices)
    _lanes(op, op.result.type, "result", "shape")
    _pass_through(op)


def masked_store(op: Any) -> None:
    """Lanes of a row."""
    _row(op, op.value_to_store.type, "valueToStore", op.indices)
    _lanes(op, op.value_to_store.type, "valueToStore", "shape")


expand_load = masked_load
compress_store = masked_store


def _indexed(op: Any, vector: Attribute, name: str) -> None:
    _row(op, vector, name, op.offsets)
    if shape_of(vector) != shape_of(op.indices.type):
        fail(f"expected {name} dim to match indices dim")
    _lanes(op, vector, name, "dim")


def _aligned(op: Any) -> None:
    if op.alignment is not None and isinstance(op.base.type, TensorType):
        fail("alignment is only supported for memref bases, not tensor bases")


def gather(op: Any) -> None:
    """Elements that an index vector names."""
    _indexed(op, op.result.type, "result")
    _pass_through(op)
    _aligned(op)


def scatter(op: Any) -> None:
    """Elements that an index vector names; the result is the tensor written to."""
    _indexed(op, op.value_to_store.type, "valueToStore")
    _aligned(op)
    is_tensor = isinstance(op.base.type, TensorType)
    if (op.result is not None) != is_tensor or (is_tensor and op.result.type != op.base.type):
        fail("has a result exactly where it writes to a tensor, of that tensor's type")


def type_cast(op: Any) -> None:
    """A memref without gaps, as one of one vector."""
    source, result = op.memref.type, op.result.type
    if not _is_identity(source):
        fail("expects operand to be a memref with identity layout")
    if not _is_identity(result):
        fail("expects result to be a memref with identity layout")
    if element(source.element_type) != element(result.element_type):
        fail(f"requires the same element type for all operands and results: '{shown(result)}'")
    if (*source.get_shape(), *shape_of(source.element_type)) != (*result.get_shape(), *shape_of(result.element_type)):
        fail(f"expects concatenated result and operand shapes to be equal: '{shown(result)}'")


def _is_identity(type: Any) -> bool:
    return not isinstance(type.layout, AffineMapAttr) or type.layout.data == AffineMap.identity(type.get_num_dims())


# ---- masks --------------------------------------------------------------------------------------------------------------------------


def mask(op: Any) -> None:
    """One operation that can be masked, whose results are the results; or none."""
    ops = list(op.body.block.ops)
    if len(ops) > 2:
        fail("expects only one operation to mask")
    if not ops or ops[-1].name != "vector.yield":
        fail("expects a terminator within the mask region")
    if len(ops) == 1:
        if tuple(ops[0].operand_types) != tuple(op.result_types):
            fail("expects number of results to match mask region yielded values")
        return
    masked = ops[0]
    if masked.name not in MASKABLE:
        fail("expects a MaskableOpInterface within the mask region")
    types = [result.type for result in op.results]
    if masked.results and len(masked.results) != len(types):
        fail("expects number of results to match maskable operation number of results")
    if masked.results and list(masked.results) != list(ops[1].operands):
        fail("expects all the results from the MaskableOpInterface to match all the values returned by the terminator")
    if types != [result.type for result in masked.results]:
        fail("expects result type to match maskable operation result type")
    expected = expected_mask(masked)
    if op.mask.type != expected:
        fail(f"expects a '{shown(expected)}' mask for the maskable operation")
    if op.passthru is not None:
        if masked.name not in ("vector.transfer_read", "vector.gather"):
            fail("doesn't expect a passthru argument for this maskable operation")
        if op.passthru.type != types[0]:
            fail("expects passthru type to match result type")


MASKABLE = frozenset(
    f"vector.{name}"
    for name in ("contract", "reduction", "multi_reduction", "outerproduct", "transfer_read", "transfer_write", "gather", "scatter")
)


def expected_mask(op: Operation) -> Attribute:
    """The type of the mask around a maskable operation: one lane for each of its iterations."""
    masked: Any = op
    if op.name == "vector.contract":
        extents: dict[int, tuple[int, bool]] = {}
        for map, type in zip(masked.indexing_maps, (masked.lhs.type, masked.rhs.type), strict=False):
            for expr, size, flag in zip(map.data.results, shape_of(type), flags_of(type), strict=False):
                extents[expr.position] = (size, flag)
        return vector_of(i1, [extents[dim][0] for dim in sorted(extents)], [extents[dim][1] for dim in sorted(extents)])
    if op.name in ("vector.transfer_read", "vector.transfer_write"):
        vector = masked.result.type if op.name == "vector.transfer_read" else masked.vector.type
        return mask_type(masked.permutation_map.data, vector)
    values = {"reduction": "vector", "multi_reduction": "source", "outerproduct": "result", "gather": "result", "scatter": "value_to_store"}
    type = getattr(op, values[op.name.partition(".")[2]]).type
    return vector_of(i1, shape_of(type), flags_of(type))
