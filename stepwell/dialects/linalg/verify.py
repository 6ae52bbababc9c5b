"""What must hold of every structured operation of `linalg`, in upstream's order and words: a structured operation in, nothing out or a
VerifyException.

`verify_destinations` and `verify_maps` look at the operation itself; `verify_bodies` at its region, after what is inside has been verified.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Protocol, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    MemRefType,
    ShapedType,
    TensorType,
    UnrankedMemRefType,
    UnrankedTensorType,
    VectorType,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap
from xdsl.pattern_rewriter import RewritePattern
from xdsl.traits import EffectInstance, HasCanonicalizationPatternsTrait, MemoryEffect, MemoryEffectKind, get_effects
from xdsl.utils.exceptions import VerifyException

from stepwell.ir.registry import resolve
from stepwell.ir.rules import shown

_BUFFERS = (MemRefType, UnrankedMemRefType)
_TENSORS = (TensorType, UnrankedTensorType)


_READ_AND_WRITE = frozenset({EffectInstance(MemoryEffectKind.READ), EffectInstance(MemoryEffectKind.WRITE)})


class StructuredEffect(MemoryEffect):
    """Reads and writes memory where an operand is a memref; on tensors, does what its body does."""

    @classmethod
    def get_effects(cls, op: Operation) -> AbstractSet[EffectInstance] | None:
        if any(isinstance(operand.type, MemRefType) for operand in op.operands):
            return _READ_AND_WRITE
        found: set[EffectInstance] = set()
        for region in op.regions:
            for block in region.blocks:
                inner = block.first_op
                while inner is not None and inner is not block.last_op:  # the terminator is part of this op
                    effects = get_effects(inner)
                    if effects is None:
                        return None
                    found |= effects
                    inner = inner.next_op
        return found


class Canonical(HasCanonicalizationPatternsTrait):
    """The op is canonicalized by the patterns of `canonical`, which is imported when they are asked for."""

    def get_patterns(self, op: type[Operation]) -> tuple[RewritePattern, ...]:
        return resolve("stepwell.dialects.linalg.canonical:patterns_of")(op.name)

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        return ()  # they depend on the op


class WholeDims:
    """Marks the structured operations of `linalg_dims`, for who must know them before that module is imported."""


class Structured(Protocol):
    """What the checks ask of an operation."""

    def get_indexing_maps(self) -> ArrayAttr[Any]: ...
    def get_iterator_types(self) -> ArrayAttr[Any]: ...


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The extents of a value, none for a scalar. A vector counts as a scalar here."""
    type: Attribute = value.type
    return tuple(type.get_shape()) if isinstance(type, ShapedType) and not isinstance(type, VectorType) else ()


def element_or_self(type: Attribute) -> Attribute:
    """The elements of a ranked tensor or memref; any other type itself."""
    return type.element_type if isinstance(type, (TensorType, MemRefType)) else type


def verify_shaped(op: Operation, inits: Sequence[SSAValue]) -> None:
    """Outputs have shapes, results are tensors."""
    first = len(op.operands) - len(inits)
    for index, value in enumerate(inits, first):
        if not isinstance(value.type, (ShapedType, UnrankedTensorType, UnrankedMemRefType)):
            raise VerifyException(
                f"operand #{index} must be variadic of shaped of any non-token type values, but got '{shown(value.type)}'"
            )
    for index, type in enumerate(op.result_types):
        if not isinstance(type, TensorType):
            summary = "variadic of ranked tensor of any non-token type values"
            raise VerifyException(f"result #{index} must be {summary}, but got '{shown(type)}'")


def verify_destinations(op: Operation, inits: Sequence[SSAValue]) -> None:
    """One result for each output that is a tensor, of its type."""
    first = len(op.operands) - len(inits)
    for index, value in enumerate(op.operands):
        if isinstance(value.type, UnrankedTensorType):
            raise VerifyException(f"operand #{index} must be a ranked tensor, but got '{shown(value.type)}'")
    tensors = [(index, value.type) for index, value in enumerate(inits, first) if isinstance(value.type, TensorType)]
    if len(op.results) != len(tensors):
        raise VerifyException(
            f"expected the number of tensor results ({len(op.results)}) to be equal to the number of output tensors ({len(tensors)})"
        )
    for (index, type), found in zip(tensors, op.result_types, strict=True):
        if type != found:
            raise VerifyException(
                f"expected type of operand #{index} ('{shown(type)}') to match type of corresponding result ('{shown(found)}')"
            )


def verify_semantics(op: Operation) -> None:
    """Tensors only, or memrefs only."""
    types = [value.type for value in op.operands]
    if any(isinstance(t, _TENSORS) for t in types) and any(isinstance(t, _BUFFERS) for t in types):
        raise VerifyException("expected to have pure tensor or buffer semantics")


def map_text(map: AffineMap) -> str:
    """A map as messages show it."""
    from xdsl.dialects.builtin import AffineMapAttr

    return shown(AffineMapAttr(map)).removeprefix("affine_map<").removesuffix(">")


def sources_of_loops(maps: Sequence[AffineMap]) -> dict[int, tuple[int, int]]:
    """For each loop that is subscripted by itself somewhere: the first operand and dimension where it is."""
    found: dict[int, tuple[int, int]] = {}
    for operand, map in enumerate(maps):
        for dim, expr in enumerate(map.results):
            if isinstance(expr, AffineDimExpr):
                found.setdefault(expr.position, (operand, dim))
    return found


def verify_maps(op: Operation, maps: Sequence[AffineMap]) -> None:
    """One map per operand; all loops can be told from the shapes, and the shapes agree about their extents."""
    operands = op.operands
    if len(maps) != len(operands):
        raise VerifyException(
            f"expected the number of indexing_map ({len(maps)}) to be equal to the number of input/output operands ({len(operands)})"
        )
    if not maps:
        return
    for index, map in enumerate(maps):
        if map.num_symbols:
            raise VerifyException(f"unexpected symbols in indexing_map #{index}")
    loops = max(map.num_dims for map in maps)
    sources = sources_of_loops(maps)
    if len(sources) != loops:
        every = tuple(expr for map in maps for expr in map.results)
        raise VerifyException(f"invalid indexing maps are non-invertible: ({map_text(AffineMap(loops, 0, every))})")
    shapes = [shape_of(value) for value in operands]
    for index, (map, shape) in enumerate(zip(maps, shapes, strict=True)):
        if map.num_dims != loops:
            raise VerifyException(f"expected indexing_map #{index} to have {loops} dim(s) to match the number of loops")
        if len(map.results) != len(shape):
            raise VerifyException(
                f"expected operand #{index} rank ({len(shape)}) to match the result rank of indexing_map ({len(map.results)})"
            )
    extents = [shapes[operand][dim] for operand, dim in (sources[loop] for loop in range(loops))]
    if DYNAMIC_INDEX not in extents:
        _verify_extents(maps, shapes, extents)


def _verify_extents(maps: Sequence[AffineMap], shapes: Sequence[tuple[int, ...]], extents: Sequence[int]) -> None:
    starts, ends = [0] * len(extents), [extent - 1 for extent in extents]
    for index, (map, shape) in enumerate(zip(maps, shapes, strict=True)):
        for dim, (expr, size) in enumerate(zip(map.results, shape, strict=True)):
            if size in (DYNAMIC_INDEX, 0):
                continue
            if isinstance(expr, AffineDimExpr):
                start, end = 0, ends[expr.position]
            else:
                start, end = _value(expr, starts), _value(expr, ends)
            if min(start, end) < 0:
                raise VerifyException(f"unexpected result less than 0 at expression #{dim} in {map_text(map)}")
            inferred = max(start, end) + 1
            exact = isinstance(expr, AffineDimExpr)
            if inferred > size or (exact and inferred != size):
                bound = "" if exact else "greater than or equal to "
                raise VerifyException(
                    f"inferred input/output operand #{index} has shape's dimension #{dim} to be {bound}{inferred}, but found {size}"
                )


def _value(expr: AffineExpr, dims: Sequence[int]) -> int:
    return expr.eval(dims, [])


def verify_structured(op: Operation, inits: Sequence[SSAValue]) -> None:
    """All of it, but for the body."""
    verify_shaped(op, inits)
    if len(op.regions) == 1 and len(op.regions[0].blocks) > 1:
        raise VerifyException("expects region #0 to have 0 or 1 blocks")
    verify_destinations(op, inits)


def verify_bodies(op: Operation) -> None:
    """What upstream checks after it has verified the body: semantics, maps, and the arguments of the block."""
    structured = cast(Structured, op)
    verify_semantics(op)
    maps: list[AffineMap] = [attribute.data for attribute in structured.get_indexing_maps()]
    verify_maps(op, maps)
    loops = len(structured.get_iterator_types())
    for index, map in enumerate(maps):
        if map.num_dims != loops:
            raise VerifyException(f"expected indexing_map #{index} to have {loops} dim(s) to match the number of loops")
    if len(op.regions) != 1 or len(op.regions[0].blocks) != 1:
        raise VerifyException("expects to have 1 region with 1 block")
    verify_arguments(op)


def verify_arguments(op: Operation) -> None:
    """The block takes an element of each operand."""
    arguments = op.regions[0].block.args
    if len(arguments) != len(op.operands):
        raise VerifyException("expected as many non-induction variable region arguments as the number of input/output operands")
    for index, (value, argument) in enumerate(zip(op.operands, arguments, strict=True)):
        element = element_or_self(value.type)
        if argument.type != element:
            raise VerifyException(
                f"expected type of bb argument #{index} ('{shown(argument.type)}') to match element or self type of the corresponding "
                f"operand ('{shown(element)}')"
            )


def verify_yield(op: Operation, inits: Sequence[SSAValue]) -> None:
    """A terminator yields an element of each output of the operation around it."""
    if len(op.operands) != len(inits):
        raise VerifyException(
            f"expected number of yield values ({len(op.operands)}) to match the number of inits / outs operands of the enclosing LinalgOp "
            f"({len(inits)})"
        )
    for index, (value, init) in enumerate(zip(op.operands, inits, strict=True), 1):
        element = element_or_self(init.type)
        if value.type != element:
            raise VerifyException(
                f"type of yield operand {index} ('{shown(value.type)}') doesn't match the element type of the enclosing linalg.generic op "
                f"('{shown(element)}')"
            )


def is_projected_permutation(map: AffineMap) -> bool:
    """Whether the results are loops, each once at most."""
    dims = [expr.position for expr in map.results if isinstance(expr, AffineDimExpr)]
    return len(dims) == len(map.results) and len(set(dims)) == len(dims)
