"""What must hold of the operations of `vector`: the table of rules, with MLIR's words. What touches memory has its relations in
`vector_rules_memory`, what moves elements in `vector_rules_moves`."""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, ArrayAttr, IndexType, IntegerType, MemRefType, TensorType, VectorType
from xdsl.ir import Attribute, Operation
from xdsl.ir.affine import AffineDimExpr

from stepwell.dialects.vector import rules_memory as memory
from stepwell.dialects.vector import rules_moves as moves
from stepwell.dialects.vector.shapes import combines, flags_of, shape_of
from stepwell.ir.rules import (
    INDEX,
    Kind,
    Rule,
    attribute,
    element,
    fail,
    holds,
    is_float,
    is_signless,
    operand,
    operands,
    result,
    shown,
    width,
)

# ---- kinds ----------------------------------------------------------------------------------------------------------------------


def _vector(summary: str, of: Callable[[Attribute], bool] = lambda type: True, *, zero_d: bool = True, scalable: bool = True) -> Kind:
    def has(type: Attribute) -> bool:
        if not isinstance(type, VectorType):
            return False
        return of(element(type)) and (zero_d or bool(shape_of(type))) and (scalable or not any(flags_of(type)))

    return Kind(summary, has)


def _has_bits(type: Attribute) -> bool:
    return not isinstance(type, IntegerType) or width(type) > 0


def _counts(type: Attribute) -> bool:
    return isinstance(type, IndexType) or (is_signless(type) and width(type) >= 8)


ANY = _vector("vector of any non-token type values")
FIXED = _vector("fixed-length vector of any non-token type values", scalable=False)
NOT_0D = _vector("vector of any non-token type values", zero_d=False)
WITH_BITS = _vector("vector of non-zero-bitwidth type values", _has_bits)
FLOATS = _vector("vector of floating-point values", is_float)
MASK = _vector("vector of 1-bit signless integer values", lambda type: is_signless(type) and width(type) == 1)
MASK_NOT_0D = Kind(MASK.summary, lambda type: MASK.has(type) and bool(shape_of(type)))
INTEGERS = _vector("vector of integer or index values", lambda type: isinstance(type, IntegerType | IndexType))
STEPS = Kind(
    "vector of index or signless integer of at least 8 bits values of ranks 1",
    lambda type: isinstance(type, VectorType) and len(shape_of(type)) == 1 and _counts(element(type)),
)
MEMREF = Kind("memref of any type values", lambda type: isinstance(type, MemRefType))
STATIC_MEMREF = Kind(
    "statically shaped memref of any type values", lambda type: isinstance(type, MemRefType) and DYNAMIC_INDEX not in type.get_shape()
)
TENSOR_OR_MEMREF = Kind("Tensor or MemRef of any non-token type values", lambda type: isinstance(type, MemRefType | TensorType))
PRINTABLE = Kind("", lambda type: not isinstance(type, MemRefType | TensorType))

# ---- relations between types ------------------------------------------------------------------------------------------------------


def _same_element(first: str, second: str, words: str) -> Rule:
    """The elements of two values, by their fields' names, are of one type."""
    return holds(
        f"failed to verify that {words} have same element type",
        lambda op: element(getattr(op, first).type) == element(getattr(op, second).type),
    )


# ---- making vectors -----------------------------------------------------------------------------------------------------------------


def _extent(size: int, scalable: bool) -> str:
    return f"[{size}]" if scalable else str(size)


def _broadcast(op: Any) -> None:
    source, whole = op.source.type, op.vector.type
    if source == element(whole):
        return
    if not isinstance(source, VectorType):
        return fail("source type is not a vector")
    sizes, flags = shape_of(source), flags_of(source)
    lead = len(shape_of(whole)) - len(sizes)
    if lead < 0:
        fail("source rank higher than destination rank")
    for size, scalable, wide, wide_scalable in zip(sizes, flags, shape_of(whole)[lead:], flags_of(whole)[lead:], strict=True):
        if (size, scalable) not in ((1, False), (wide, wide_scalable)):
            fail(f"dimension mismatch ({_extent(size, scalable)} vs. {_extent(wide, wide_scalable)})")


def _create_mask(op: Any) -> None:
    rank = len(shape_of(op.mask_vector.type))
    if rank == 0 and len(op.mask_dim_sizes) != 1:
        fail("must specify exactly one operand for 0-D create_mask")
    if rank and len(op.mask_dim_sizes) != rank:
        fail("must specify an operand for each result vector dimension")


def _constant_mask(op: Any) -> None:
    sizes, shape = op.mask_dim_sizes.get_values(), shape_of(op.mask_vector.type)
    if not shape:
        if len(sizes) != 1:
            fail("array attr must have length 1 for 0-D vectors")
        if sizes[0] not in (0, 1):
            fail("mask dim size must be either 0 or 1 for 0-D vectors")
        return
    if len(sizes) != len(shape):
        fail("must specify array attr of size equal vector result rank")
    if any(not 0 <= size <= extent for size, extent in zip(sizes, shape, strict=True)):
        fail("array attr of size out of bounds of vector result dimension size")
    if 0 in sizes and any(sizes):
        fail("expected all mask dim sizes to be zeros, as a result of conjunction with zero mask dim")
    if any(flag and size not in (0, extent) for size, extent, flag in zip(sizes, shape, flags_of(op.mask_vector.type), strict=True)):
        fail("only supports 'none set' or 'all set' scalable dimensions")


def _from_elements(op: Any) -> None:
    scalar, count = element(op.dest.type), prod(shape_of(op.dest.type))
    if len(op.elements) != count:
        fail(f"number of operands and types do not match: got {len(op.elements)} operands and {count} types")
    if any(value.type != scalar for value in op.elements):
        fail("failed to verify that operand types match result element type")


def _to_elements(op: Any) -> None:
    count = prod(shape_of(op.source.type))
    if len(op.elements) != count or any(value.type != element(op.source.type) for value in op.elements):
        fail("failed to verify that operand element type matches result types, one for each element")


# ---- arithmetic ---------------------------------------------------------------------------------------------------------------------


def _combines(op: Any, type: Attribute) -> None:
    if not combines(op.kind.data, type):
        fail(f"unsupported reduction type '{shown(type)}' for kind '{op.kind.data}'")


def _reduction(op: Any) -> None:
    rank = len(shape_of(op.vector.type))
    if rank > 1:
        fail(f"unsupported reduction rank: {rank}")
    if op.acc is not None and op.acc.type != op.dest.type:
        fail("failed to verify that acc and dest have same type")
    _combines(op, op.dest.type)


def _multi_reduction(op: Any) -> None:
    source, dims = op.source.type, op.reduction_dims.get_values()
    shape, flags = shape_of(source), flags_of(source)
    kept = [dim for dim in range(len(shape)) if dim not in dims]
    expected = ([shape[dim] for dim in kept], [flags[dim] for dim in kept])
    in_range = all(0 <= dim < len(shape) for dim in dims)
    if (
        not in_range
        or (list(shape_of(op.dest.type)), list(flags_of(op.dest.type))) != expected
        or isinstance(op.dest.type, VectorType) != bool(kept)
    ):
        fail(f"destination type '{shown(op.dest.type)}' is incompatible with source type '{shown(source)}'")
    _combines(op, element(source))


def _outerproduct(op: Any) -> None:
    lhs, rhs, whole = op.lhs.type, op.rhs.type, op.result.type
    sizes = shape_of(whole)
    if len(shape_of(lhs)) != 1:
        fail("expected 1-d vector for operand #1")
    is_vector = isinstance(rhs, VectorType)
    if is_vector and len(shape_of(rhs)) != 1:
        fail("expected 1-d vector for operand #2")
    if len(sizes) != 1 + is_vector:
        fail(f"expected {1 + is_vector}-d vector result")
    for number, type in enumerate((lhs, rhs) if is_vector else (lhs,)):
        if shape_of(type)[0] != sizes[number]:
            fail(f"expected #{number + 1} operand dim to match result dim #{number + 1}")
    if is_vector and flags_of(lhs)[0] and not flags_of(rhs)[0]:
        fail("expected either both or only #2 operand dim to be scalable")
    if op.acc is not None and op.acc.type != whole:
        fail("expected operand #3 of same type as result type")
    if not combines(op.kind.data, element(whole)):
        fail("unsupported outerproduct type")


def _contract(op: Any) -> None:
    types: list[Attribute] = [op.lhs.type, op.rhs.type, op.acc.type]
    if any(isinstance(element(type), IntegerType) and not is_signless(element(type)) for type in types):
        fail("only supports signless integer types")
    maps = _contract_maps(op, types)
    kinds = [iterator.data for iterator in op.iterator_types]
    extents: dict[int, int] = {}
    scalable: dict[int, bool] = {}
    shapes = [list(shape_of(type)) for type in types]
    if not any(kind == "reduction" and dim in maps[0] and dim in maps[1] for dim, kind in enumerate(kinds)):
        fail("expected at least one contracting dimension pair")
    for side in (0, 1):
        for dim, extent, flag in zip(maps[side], shapes[side], flags_of(types[side]), strict=True):
            scalable.setdefault(dim, flag)
            if extents.setdefault(dim, extent) != extent:
                fail(f"invalid {'contracting' if kinds[dim] == 'reduction' else 'batch'} dimension map")
    if len(extents) < len(kinds):
        fail("expected all dimensions to be either a LHS or a RHS dimension")
    expected = [extents[dim] for dim in maps[2]]
    if shapes[2] != expected or op.acc.type != op.result.type or isinstance(op.acc.type, VectorType) != bool(expected):
        if not expected:
            fail("invalid accumulator/result vector shape")
        shape = "x".join(_extent(extents[dim], scalable[dim]) for dim in maps[2])
        fail(f"invalid accumulator/result vector shape, expected: 'vector<{shape}x{shown(element(op.acc.type))}>'")
    if any(kinds[dim] == "reduction" for dim in maps[2]):
        fail("invalid accumulator/result vector shape")
    if not combines(op.kind.data, element(op.result.type)):
        fail("unsupported contraction type")


def _contract_maps(op: Any, types: Sequence[Attribute]) -> list[list[int]]:
    """The loops that each map names."""
    if len(op.indexing_maps) != 3:
        fail("expected an indexing map for each vector operand")
    loops = len(op.iterator_types)
    found: list[list[int]] = []
    for index, (attr, type) in enumerate(zip(cast("ArrayAttr[AffineMapAttr]", op.indexing_maps), types, strict=True)):
        map, rank = attr.data, len(shape_of(type))
        if map.num_symbols:
            fail(f"expected indexing map {index} to have no symbols")
        if map.num_dims != loops:
            fail(f"expected indexing map {index} to have {loops} number of inputs")
        if len(map.results) != rank and isinstance(type, VectorType):
            fail(f"expected indexing map {index} to have {rank} number of outputs")
        dims = [expr.position if isinstance(expr, AffineDimExpr) else -1 for expr in map.results]
        if -1 in dims or len(set(dims)) != len(dims):
            fail(f"expected indexing map {index} to be a projected permutation of its inputs")
        if len(map.results) != rank:
            fail("invalid accumulator/result vector shape")
        found.append(dims)
    return found


def _scan(op: Any) -> None:
    source, initial, dim = shape_of(op.source.type), shape_of(op.initial_value.type), op.reduction_dim.value.data
    if not 0 <= dim < len(source):
        fail(f"reduction dimension {dim} has to be less than {len(source)}")
    if len(initial) != len(source) - 1:
        fail(f"initial value rank {len(initial)} has to be equal to {len(source) - 1}")
    if initial != source[:dim] + source[dim + 1 :]:
        fail("incompatible input/initial value shapes")
    _combines(op, element(op.source.type))


def _print(op: Any) -> None:
    literal, newline = op.stringLiteral, op.punctuation.data == "newline"
    if literal is not None and (op.source is not None or not newline):
        fail("`vector.print` `source` or `punctuation` are not set when printing strings")


# ---- the table ----------------------------------------------------------------------------------------------------------------------


def _is_power_of_two(value: Any) -> bool:
    number = value.value.data
    return getattr(value.type, "bitwidth", 0) == 64 and number > 0 and not number & (number - 1)


ALIGNMENT = attribute(
    "alignment",
    "64-bit signless integer attribute whose value is positive and whose value is a power of two > 0",
    _is_power_of_two,
    optional=True,
)


def _types(*names: str) -> Callable[[Operation], bool]:
    return lambda op: len({getattr(op, name).type for name in names}) == 1


def _doubled(type: Attribute) -> tuple[list[int], tuple[bool, ...]]:
    shape = list(shape_of(type)) or [1]
    return [*shape[:-1], 2 * shape[-1]], flags_of(type) or (False,)


def _shape(type: Attribute) -> tuple[list[int], tuple[bool, ...]]:
    return list(shape_of(type)), flags_of(type)


RULES: dict[str, tuple[Rule, ...]] = {
    "vector.broadcast": (result(0, ANY), _same_element("source", "vector", "source operand and result"), _broadcast),
    "vector.create_mask": (operands(INDEX), result(0, MASK), _create_mask),
    "vector.constant_mask": (result(0, MASK), _constant_mask),
    "vector.step": (result(0, STEPS),),
    "vector.from_elements": (result(0, FIXED), _from_elements),
    "vector.to_elements": (operand(0, FIXED), _to_elements),
    "vector.fma": (
        operands(FLOATS),
        holds("failed to verify that all of {lhs, rhs, acc, result} have same type", _types("lhs", "rhs", "acc", "result")),
    ),
    "vector.reduction": (
        operand(0, WITH_BITS),
        holds("failed to verify that source operand and result have same element type", lambda op: element(op.vector.type) == op.dest.type),
        _reduction,
    ),
    "vector.multi_reduction": (
        operand(0, WITH_BITS),
        holds("failed to verify that all of {dest, acc} have same type", _types("dest", "acc")),
        _same_element("source", "dest", "source operand and result"),
        _multi_reduction,
    ),
    "vector.outerproduct": (
        operand(0, WITH_BITS),
        _same_element("lhs", "result", "lhs operand and result"),
        _same_element("rhs", "result", "rhs operand and result"),
        _outerproduct,
    ),
    "vector.contract": (
        operand(0, WITH_BITS),
        operand(1, WITH_BITS),
        _same_element("lhs", "rhs", "lhs and rhs"),
        _same_element("acc", "result", "third operand acc and result"),
        _contract,
    ),
    "vector.scan": (
        operand(0, WITH_BITS),
        operand(1, WITH_BITS),
        holds("failed to verify that all of {source, dest} have same type", _types("source", "dest")),
        holds(
            "failed to verify that all of {initial_value, accumulated_value} have same type", _types("initial_value", "accumulated_value")
        ),
        _scan,
    ),
    "vector.print": (operands(PRINTABLE), _print),
    "vector.shuffle": (
        operands(FIXED),
        _same_element("v1", "result", "first operand v1 and result"),
        _same_element("v2", "result", "second operand v2 and result"),
        moves.shuffle,
    ),
    "vector.interleave": (
        operands(ANY),
        holds("failed to verify that all of {lhs, rhs} have same type", _types("lhs", "rhs")),
        holds(
            "failed to verify that type of 'result' is double the width of the inputs",
            lambda op: _shape(op.result.type) == _doubled(op.lhs.type) and element(op.result.type) == element(op.lhs.type),
        ),
    ),
    "vector.deinterleave": (
        operand(0, NOT_0D),
        holds(
            "failed to verify that the trailing dimension of the source vector has an even number of elements",
            lambda op: shape_of(op.source.type)[-1] % 2 == 0,
        ),
        holds(
            "failed to verify that the trailing dimension of the results is half the width of source trailing dimension",
            lambda op: shape_of(op.res1.type)[-1:] == (shape_of(op.source.type)[-1] // 2,),
        ),
        holds("failed to verify that all of {res1, res2} have same type", _types("res1", "res2")),
        holds(
            "requires the same element type for all operands and results",
            lambda op: element(op.res1.type) == element(op.source.type) and _doubled(op.res1.type) == _shape(op.source.type),
        ),
    ),
    "vector.transpose": (_same_element("vector", "result", "operand and result"), moves.transpose),
    "vector.shape_cast": (moves.shape_cast,),
    "vector.bitcast": (
        operand(0, WITH_BITS),
        result(0, WITH_BITS),
        holds(
            "failed to verify that all of {source, result} have same rank",
            lambda op: len(shape_of(op.source.type)) == len(shape_of(op.result.type)),
        ),
        moves.bitcast,
    ),
    "vector.extract": (operand(0, ANY), moves.extract),
    "vector.insert": (
        _same_element("source", "result", "source operand and result"),
        holds("failed to verify that all of {dest, result} have same type", _types("dest", "result")),
        moves.insert,
    ),
    "vector.extract_strided_slice": (_same_element("source", "result", "operand #0 and result"), moves.extract_strided_slice),
    "vector.insert_strided_slice": (
        _same_element("source", "result", "operand #0 and result"),
        holds("failed to verify that all of {dest, result} have same type", _types("dest", "result")),
        moves.insert_strided_slice,
    ),
    "vector.scalable.insert": (
        holds(
            "failed to verify that all of {valueToStore, dest} have same element type",
            lambda op: element(op.valueToStore.type) == element(op.dest.type),
        ),
        holds(
            "failed to verify that position is a multiple of the source length.",
            lambda op: op.pos.value.data % shape_of(op.valueToStore.type)[0] == 0,
        ),
    ),
    "vector.scalable.extract": (
        holds(
            "failed to verify that all of {source, res} have same element type", lambda op: element(op.source.type) == element(op.res.type)
        ),
        holds(
            "failed to verify that position is a multiple of the result length.",
            lambda op: op.pos.value.data % shape_of(op.res.type)[0] == 0,
        ),
    ),
    "vector.transfer_read": (memory.transfer_read,),
    "vector.transfer_write": (memory.transfer_write,),
    "vector.load": (ALIGNMENT, operand(0, MEMREF), memory.load),
    "vector.store": (ALIGNMENT, operand(1, MEMREF), memory.store),
    "vector.maskedload": (ALIGNMENT, operand(0, MEMREF), memory.masked_load),
    "vector.maskedstore": (ALIGNMENT, operand(0, MEMREF), memory.masked_store),
    "vector.gather": (ALIGNMENT, operand(0, TENSOR_OR_MEMREF), memory.gather),
    "vector.scatter": (ALIGNMENT, operand(0, TENSOR_OR_MEMREF), memory.scatter),
    "vector.expandload": (ALIGNMENT, operand(0, MEMREF), memory.expand_load),
    "vector.compressstore": (ALIGNMENT, operand(0, MEMREF), memory.compress_store),
    "vector.type_cast": (operand(0, STATIC_MEMREF), memory.type_cast),
    "vector.mask": (operand(0, MASK_NOT_0D), memory.mask),
}
