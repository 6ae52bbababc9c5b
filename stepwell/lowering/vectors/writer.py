"""Writing level 4: blocks with a prologue, index values, constants.

Every block that is being written has two halves: a prologue for pure index arithmetic and masks, and the operations in program order. An
index expression is computed in the prologue of the outermost block where its values are known, once: hoisting and common subexpressions
come for free, and no later pass has to look for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import copysign
from typing import Any, cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AffineMapAttr,
    AnyFloat,
    ArrayAttr,
    BoolAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    StridedLayoutAttr,
    VectorType,
    i1,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.ir.affine import AffineMap

from stepwell.dialects import affine, memref, vector
from stepwell.dialects.layouts import layout_of
from stepwell.ir.constants import dense, dtype_of, splat
from stepwell.lowering.schedule.index import Index, map_of, minimum
from stepwell.lowering.schedule.nest import buffer_type

INDEX = IndexType()
Shape = tuple[int, ...]


# ---- cached attributes and types ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def vector_type(shape: Shape, element: Attribute) -> VectorType[Any]:
    return VectorType(element, shape)


@lru_cache(maxsize=256)
def index_attr(value: int) -> IntegerAttr[Any]:
    return IntegerAttr.from_index_int_value(value)


@lru_cache(maxsize=64)
def minor_identity(rank: int, vector_rank: int) -> AffineMapAttr:
    return AffineMapAttr(AffineMap.minor_identity(rank, vector_rank))


@lru_cache(maxsize=16)
def all_in_bounds(rank: int) -> ArrayAttr[BoolAttr]:
    return ArrayAttr((BoolAttr.from_bool(True),) * rank)


@lru_cache(maxsize=256)
def segments(*sizes: int) -> DenseArrayBase[Any]:
    return DenseArrayBase.from_list(i32, sizes)


@lru_cache(maxsize=256)
def i64_array(values: Shape) -> DenseArrayBase[Any]:
    return DenseArrayBase.from_list(i64, values)


@lru_cache(maxsize=1024)
def _splat_of(value: Any, negative: bool, type: VectorType[Any]) -> DenseIntOrFPElementsAttr[Any]:
    del negative  # 0.0 and -0.0 are equal, but not the same
    return splat(value, type)


@lru_cache(maxsize=256)
def _iota_of(type: VectorType[Any], factor: int) -> DenseIntOrFPElementsAttr[Any]:
    import numpy as np

    count = int(np.prod(type.get_shape()))
    return dense((np.arange(count, dtype=dtype_of(type.element_type)) * factor).reshape(type.get_shape()), type)


# ---- blocks being written -------------------------------------------------------------------------------------------------------


class Scope:
    """One block: its prologue, its operations, and what was computed in the prologue already."""

    __slots__ = ("block", "cache", "depth", "ops", "prologue")

    def __init__(self, block: Block, depth: int) -> None:
        self.block = block
        self.depth = depth
        self.prologue: list[Operation] = []
        self.ops: list[Operation] = []
        self.cache: dict[Any, SSAValue] = {}


class Writer:
    """Appends operations to the innermost open block."""

    def __init__(self, entry: Block) -> None:
        self.scopes: list[Scope] = [Scope(entry, 0)]
        self.homes: dict[SSAValue, Scope] = dict.fromkeys(entry.args, self.scopes[0])
        """The scope of every value that a prologue may use."""

    # -- blocks

    def open(self, block: Block) -> None:
        scope = Scope(block, len(self.scopes))
        self.scopes.append(scope)
        for argument in block.args:
            self.homes[argument] = scope

    def close(self) -> None:
        """Fill the innermost block."""
        scope = self.scopes.pop()
        scope.block.add_ops(scope.prologue)
        scope.block.add_ops(scope.ops)

    @property
    def here(self) -> Scope:
        return self.scopes[-1]

    def emit(self, op: Operation) -> SSAValue:
        """Append an operation in program order; its first result, if it has one."""
        self.scopes[-1].ops.append(op)
        return op.results[0] if op.results else None  # pyright: ignore[reportReturnType]

    def _hoist(self, scope: Scope, key: Any, op: Operation) -> SSAValue:
        scope.prologue.append(op)
        result = op.results[0]
        scope.cache[key] = result
        self.homes[result] = scope
        return result

    def _home_of(self, values: Sequence[SSAValue]) -> Scope | None:
        """The innermost scope among the values', None when one of them is computed in program order."""
        home = self.scopes[0]
        for value in values:
            scope = self.homes.get(value)
            if scope is None:
                return None
            if scope.depth > home.depth:
                home = scope
        return home

    # -- index values

    def constant_index(self, value: int) -> SSAValue:
        entry = self.scopes[0]
        found = entry.cache.get(value)
        if found is not None:
            return found
        op = arith.ConstantOp.create(result_types=[INDEX], properties={"value": index_attr(value)})
        op.results[0].name_hint = f"c{value}" if value >= 0 else None
        return self._hoist(entry, value, op)

    def index(self, expression: Index) -> SSAValue:
        """The value of a sum."""
        if expression.is_constant:
            return self.constant_index(expression.constant)
        value = expression.as_value
        return value if value is not None else self._affine(affine.ApplyOp, (expression,))

    def least(self, expressions: Sequence[Index]) -> SSAValue:
        """The value of a minimum."""
        expressions = minimum(expressions)
        return self.index(expressions[0]) if len(expressions) == 1 else self._affine(affine.MinOp, tuple(expressions))

    def largest(self, expressions: Sequence[Index]) -> SSAValue:
        """The value of a maximum."""
        return self.index(expressions[0]) if len(expressions) == 1 else self._affine(affine.MaxOp, tuple(expressions))

    def _affine(self, kind: type[Operation], expressions: tuple[Index, ...]) -> SSAValue:
        operands = [value for expression in expressions for value in expression.values()]
        home = self._home_of(operands)
        key = (kind, expressions)
        if home is not None and (found := home.cache.get(key)) is not None:
            return found
        map, operands = map_of(expressions)
        op = kind.create(operands=operands, result_types=[INDEX], properties={"map": map})
        return self.emit(op) if home is None else self._hoist(home, key, op)

    # -- constants

    def scalar(self, attribute: FloatAttr[Any] | IntegerAttr[Any]) -> SSAValue:
        """A scalar constant."""
        entry = self.scopes[0]
        found = entry.cache.get(attribute)
        if found is not None:
            return found
        if isinstance(attribute.type, IndexType):
            return self.constant_index(attribute.value.data)  # pyright: ignore[reportArgumentType]
        return self._hoist(entry, attribute, arith.ConstantOp.create(result_types=[attribute.type], properties={"value": attribute}))

    def zero(self, element: Attribute) -> SSAValue:
        """Zero of an element type: what masked-off elements of a read are."""
        if isinstance(element, IntegerType | IndexType):
            return self.scalar(IntegerAttr(0, cast(Any, element)))
        return self.scalar(FloatAttr(0.0, cast(AnyFloat, element)))

    def splat(self, value: float, type: VectorType[Any]) -> SSAValue:
        """A vector constant of one value."""
        entry = self.scopes[0]
        # 0.0 and -0.0 are equal but not the same constant.
        key = ("splat", str(value), type)
        found = entry.cache.get(key)
        if found is not None:
            return found
        if type.element_type == i1:
            value = bool(value)
        op = arith.ConstantOp.create(result_types=[type], properties={"value": _splat_of(value, copysign(1, value) < 0, type)})
        return self._hoist(entry, key, op)

    def iota(self, type: VectorType[Any], factor: int) -> SSAValue:
        """The vector constant 0, factor, 2 * factor, ..."""
        entry = self.scopes[0]
        key = ("iota", factor, type)
        found = entry.cache.get(key)
        if found is not None:
            return found
        op = arith.ConstantOp.create(result_types=[type], properties={"value": _iota_of(type, factor)})
        return self._hoist(entry, key, op)

    # -- masks

    def mask(self, limits: Sequence[SSAValue | int], shape: Shape) -> SSAValue:
        """`vector.create_mask` of that shape: in each dimension the elements below the limit."""
        values = [self.constant_index(limit) if isinstance(limit, int) else limit for limit in limits]
        home = self._home_of(values)
        key = ("mask", shape, tuple(values))
        if home is not None and (found := home.cache.get(key)) is not None:
            return found
        op = vector.CreateMaskOp.create(operands=values, result_types=[vector_type(shape, i1)])
        return self.emit(op) if home is None else self._hoist(home, key, op)

    # -- views

    def strided_view(self, source: SSAValue, offsets: Sequence[Index], sizes: Sequence[SSAValue | int], steps: Sequence[int]) -> SSAValue:
        """`memref.subview` of the same rank that takes every so manieth element of each dimension."""
        offset_values = [self.index(offset) if offset.terms else offset.constant for offset in offsets]
        dynamic = [value for value in (*offset_values, *sizes) if not isinstance(value, int)]
        home = self._home_of(dynamic)
        key = ("view", source, tuple(offset_values), tuple(sizes), tuple(steps))
        if home is not None and (found := home.cache.get(key)) is not None:
            return found
        type = buffer_type(source)
        strides, _ = layout_of(type)
        static_sizes = tuple(DYNAMIC_INDEX if not isinstance(s, int) else s for s in sizes)
        result: MemRefType[Any] = MemRefType(
            type.element_type,
            static_sizes,
            StridedLayoutAttr([None if s is None else s * step for s, step in zip(strides, steps, strict=True)], None),
            type.memory_space,
        )
        dynamic_offsets = [v for v in offset_values if not isinstance(v, int)]
        dynamic_sizes = [v for v in sizes if not isinstance(v, int)]
        op = memref.SubviewOp.create(
            operands=[source, *dynamic_offsets, *dynamic_sizes],
            result_types=[result],
            properties={
                "static_offsets": i64_array(tuple(DYNAMIC_INDEX if not isinstance(v, int) else v for v in offset_values)),
                "static_sizes": i64_array(static_sizes),
                "static_strides": i64_array(tuple(steps)),
                "operandSegmentSizes": segments(1, len(dynamic_offsets), len(dynamic_sizes), 0),
            },
        )
        return self.emit(op) if home is None else self._hoist(home, key, op)
