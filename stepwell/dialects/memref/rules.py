"""What must hold of the operations of `memref`, in upstream's order and words (`stepwell.ir.rules`)."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AffineMapAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    IntegerAttr,
    IntegerType,
    MemRefType,
    NoneAttr,
    StridedLayoutAttr,
    StringAttr,
    SymbolRefAttr,
    TensorType,
    UnitAttr,
    UnrankedMemRefType,
    UnregisteredOp,
)
from xdsl.ir import Attribute, Operation
from xdsl.ir.affine import AffineMap
from xdsl.traits import SymbolTable
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.layouts import collapsed_type, expanded_type, groups_of, has_identity_map, layout_of, same_layout, strided
from stepwell.dialects.memref.views import SubviewOp
from stepwell.dialects.support import compatible_shapes
from stepwell.ir.rules import Kind, Rule, attribute, element, fail, operand, shown

MemRef = MemRefType[Any]


def _memref(type: Attribute) -> MemRef:
    return cast(MemRef, type)


def _is_ranked(type: Attribute) -> bool:
    return isinstance(type, MemRefType)


RANKED = Kind("memref of any non-token type values", _is_ranked)
RANKED_OR_NOT = Kind("ranked or unranked memref of any non-token type values", lambda t: isinstance(t, (MemRefType, UnrankedMemRefType)))
HAS_DIMENSIONS = Kind(
    "unranked.memref of any non-token type values or non-0-ranked.memref of any non-token type values",
    lambda t: isinstance(t, UnrankedMemRefType) or (isinstance(t, MemRefType) and _memref(t).get_num_dims() > 0),
)


# ---- attributes -----------------------------------------------------------------------------------------------------------------


def _integer_in(bits: int, has: Callable[[int], bool]) -> Callable[[Attribute], bool]:
    def check(attr: Attribute) -> bool:
        if not isinstance(attr, IntegerAttr) or not isinstance(attr.type, IntegerType) or attr.type.width.data != bits:
            return False
        return has(attr.value.data)

    return check


def _is_power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


ALIGNMENT = attribute(
    "alignment",
    "64-bit signless integer attribute whose value is positive and whose value is a power of two > 0",
    _integer_in(64, _is_power_of_two),
    optional=True,
)
LOCALITY = attribute(
    "localityHint",
    "32-bit signless integer attribute whose minimum value is 0 whose maximum value is 3",
    _integer_in(32, lambda value: 0 <= value <= 3),
)
ASSUMED_ALIGNMENT = attribute("alignment", "32-bit signless integer attribute whose value is positive", _integer_in(32, lambda v: v > 0))


def _assumes_a_power_of_two(op: Operation) -> None:
    if not _is_power_of_two(cast("IntegerAttr[Any]", op.properties["alignment"]).value.data):
        fail("alignment must be power of 2")


# ---- allocations ------------------------------------------------------------------------------------------------------------------


def _layout_fits_rank(op: Operation) -> None:
    type = _memref(op.results[0].type)
    layout: Attribute = type.layout
    if isinstance(layout, AffineMapAttr) and layout.data.num_dims != type.get_num_dims():
        fail(f"memref layout mismatch between rank and affine map: {type.get_num_dims()} != {layout.data.num_dims}")


def _dynamic_count(type: Attribute) -> int:
    return _memref(type).get_shape().count(DYNAMIC_INDEX)


def _verify_dynamic_count(found: int, type: Attribute) -> None:
    if found != (expected := _dynamic_count(type)):
        fail(f"incorrect number of dynamic sizes, has {found}, expected {expected}")


def _symbol_count(layout: Attribute) -> int:
    """How many values say what a layout leaves open."""
    if isinstance(layout, AffineMapAttr):
        map = layout.data
        return 0 if map.results == AffineMap.identity(map.num_dims).results else map.num_symbols
    if isinstance(layout, StridedLayoutAttr):
        return sum(isinstance(known, NoneAttr) for known in (*layout.strides, layout.offset))
    return 0


def _allocation(op: Any) -> None:
    _verify_dynamic_count(len(op.dynamic_sizes), op.memref.type)
    expected = _symbol_count(op.memref.type.layout)
    if len(op.symbol_operands) != expected:
        found = len(op.symbol_operands)
        fail(f"symbol operand count does not equal memref symbol count: expected {expected}, got {found}")


def _has_scope(op: Operation) -> None:
    """Unregistered operations and modules free nothing."""
    parent = op.parent_op()
    while isinstance(parent, UnregisteredOp) or (parent is not None and parent.name == "builtin.module"):
        parent = parent.parent_op()
    if parent is None:
        fail("requires an ancestor op with AutomaticAllocationScope trait")


# ---- accesses ---------------------------------------------------------------------------------------------------------------------


def _subscripts(op: Any) -> None:
    rank, found = _memref(op.memref.type).get_num_dims(), len(op.indices)
    if found != rank:
        fail(f"invalid number of indices for accessed memref, expected {rank} but got {found}")


def _copy(op: Any) -> None:
    source, dest = op.source.type, op.destination.type
    if element(source) != element(dest):
        fail("requires the same element type for all operands")
    ranked = isinstance(source, MemRefType) and isinstance(dest, MemRefType)
    if ranked and not compatible_shapes(_memref(source).get_shape(), _memref(dest).get_shape()):
        fail("requires the same shape for all operands")


# ---- globals ----------------------------------------------------------------------------------------------------------------------


def _visibility(op: Operation) -> None:
    value = op.properties.get("sym_visibility")
    if isinstance(value, StringAttr) and value.data not in ("public", "private", "nested"):
        fail(f'visibility expected to be one of ["public", "private", "nested"], but got "{value.data}"')


def _global(op: Operation) -> None:
    type, value = op.properties.get("type"), op.properties.get("initial_value")
    if not isinstance(type, MemRefType) or DYNAMIC_INDEX in _memref(type).get_shape():
        raise VerifyException(f"type should be static shaped memref, but got {'none' if type is None else shown(type)}")
    if value is None or isinstance(value, UnitAttr | DenseResourceAttr):
        return
    if not isinstance(value, DenseIntOrFPElementsAttr):
        raise VerifyException(f"initial value should be a unit or elements attribute, but got {shown(value)}")
    initial = cast("TensorType[Any]", value.type)
    found, wanted = initial.element_type, type.element_type
    if found != wanted:
        fail(f"initial value element expected to be of type '{shown(wanted)}', but was of type '{shown(found)}'")
    if initial.get_shape() != type.get_shape():
        fail(f"initial value shape expected to be {_commas(type.get_shape())} but was {_commas(initial.get_shape())}")


def _commas(values: Sequence[int]) -> str:
    return ", ".join(str(value) for value in values)


def _get_global(op: Operation) -> None:
    name = op.properties.get("name")
    if not isinstance(name, SymbolRefAttr) or op.parent_op() is None:
        return
    called = name.root_reference.data
    found = SymbolTable.lookup_symbol(op, name)
    if found is None or found.name != "memref.global":
        fail(f"'{called}' does not reference a valid global memref")
        return
    result, type = op.results[0].type, found.properties["type"]
    if result != type:
        fail(f"result type '{shown(result)}' does not match type '{shown(type)}' of the global memref @{called}")


# ---- same memory, seen otherwise ----------------------------------------------------------------------------------------------------


def _same_space_and_elements(source: Any, result: Any) -> None:
    if source.memory_space != result.memory_space:
        specified = f"'{shown(source)}' and result memref type '{shown(result)}'"
        fail(f"different memory spaces specified for source memref type {specified}")
    if source.element_type != result.element_type:
        found, wanted = shown(source.element_type), shown(result.element_type)
        fail(f"source element type ('{found}') does not match result element type ('{wanted}')")


def _realloc(op: Any) -> None:
    _same_space_and_elements(op.source.type, op.result.type)


def _offsets_sizes_strides(op: Any, ranks: tuple[int, int, int]) -> None:
    """What upstream's interface of that name checks: the lists fit each other and the ranks."""
    lists: list[tuple[str, DenseArrayBase[Any], Sequence[Any]]] = [
        ("offset", op.static_offsets, op.offsets),
        ("size", op.static_sizes, op.sizes),
        ("stride", op.static_strides, op.strides),
    ]
    static = [values.get_values() for _, values, _ in lists]
    for (name, _, dynamic), values in zip(lists, static, strict=True):
        if len(dynamic) != (marked := values.count(DYNAMIC_INDEX)):
            entries = f"dynamic entries in 'static_{name}s' ({len(dynamic)} vs {marked})"
            fail(f"expected the number of '{name}s' to match the number of {entries}")
    counts = [len(values) for values in static]
    well_formed = "so the rank of the result type is well-formed"
    if not (counts[0] == 1 and ranks[0] == 1) and counts[0] != counts[1]:
        fail(f"expected mixed offsets rank to match mixed sizes rank ({counts[0]} vs {counts[1]}) {well_formed}")
    if counts[1] != counts[2]:
        fail(f"expected mixed sizes rank to match mixed strides rank ({counts[1]} vs {counts[2]}) {well_formed}")
    for (name, _, _), count, rank in zip(lists, counts, ranks, strict=True):
        if count != rank:
            fail(f"expected {rank} {name} values, got {count}")
    for (name, _, _), values in zip(lists[:2], static[:2], strict=True):
        for value in values:
            if value < 0 and value != DYNAMIC_INDEX:
                fail(f"expected {name}s to be non-negative, but got {value}")


def _reinterpret_cast(op: Any) -> None:
    result = _memref(op.result.type)
    rank = result.get_num_dims()
    _offsets_sizes_strides(op, (1, rank, rank))
    _same_space_and_elements(op.source.type, result)
    for dim, (size, given) in enumerate(zip(result.get_shape(), op.static_sizes.get_values(), strict=True)):
        if size not in (DYNAMIC_INDEX, given):
            fail(f"expected result type with size = {_known(given)} instead of {size} in dim = {dim}")
    try:
        strides, offset = layout_of(result)
    except VerifyException:
        raise VerifyException(f"expected result type to have strided layout but found '{shown(result)}'") from None
    given = op.static_offsets.get_values()[0]
    if offset not in (None, given):
        fail(f"expected result type with offset = {_known(given)} instead of {offset}")
    for dim, (stride, given) in enumerate(zip(strides, op.static_strides.get_values(), strict=True)):
        if stride not in (None, given):
            fail(f"expected result type with stride = {_known(given)} instead of {stride} in dim = {dim}")


def _known(value: int) -> str:
    return "dynamic" if value == DYNAMIC_INDEX else str(value)


def _subview(op: Any) -> None:
    source, result = _memref(op.source.type), _memref(op.result.type)
    rank = source.get_num_dims()
    _offsets_sizes_strides(op, (rank, rank, rank))
    if source.memory_space != result.memory_space:
        specified = f"'{shown(source)}' and subview memref type '{shown(result)}'"
        fail(f"different memory spaces specified for base memref type {specified}")
    try:
        layout_of(source)
    except VerifyException:
        raise VerifyException(f"base type '{shown(source)}' is not strided") from None
    offsets, sizes, strides = op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides()
    _verify_view_type(SubviewOp.infer_result_type(source, offsets, sizes, strides), result)
    verify_slice(source.get_shape(), op.static_offsets.get_values(), op.static_sizes.get_values(), op.static_strides.get_values())


def _verify_view_type(expected: MemRef, result: MemRef) -> None:
    """Raise unless `result` is `expected`, perhaps without some extents of 1."""
    if result.get_num_dims() > expected.get_num_dims():
        fail(f"expected result rank to be smaller or equal to the source rank, but got '{shown(result)}'")
    if expected.element_type != result.element_type:
        fail(f"expected result element type to be '{shown(expected.element_type)}', but got '{shown(result)}'")
    wanted = f"expected result type to be '{shown(expected)}' or a rank-reduced version. (mismatch of result"
    if not _is_reduction(expected.get_shape(), result.get_shape()):
        fail(f"{wanted} sizes), but got '{shown(result)}'")
    try:
        (strides, offset), (found, found_offset) = layout_of(expected), layout_of(result)
    except VerifyException:
        raise VerifyException(f"{wanted} layout), but got '{shown(result)}'") from None
    full = list(zip(expected.get_shape(), strides, strict=True))
    if offset != found_offset or not _is_reduction(full, list(zip(result.get_shape(), found, strict=True)), 1):
        fail(f"{wanted} layout), but got '{shown(result)}'")


def _is_reduction(full: Sequence[Any], reduced: Sequence[Any], depth: int = 0) -> bool:
    """Whether `reduced` is `full` without some extents of 1; with `depth` 1 the items are (extent, stride)."""
    if len(full) == len(reduced):
        return list(full) == list(reduced)
    reachable = {0}  # how many of `reduced` the beginning of `full` can stand for
    for item in full:
        kept = {n + 1 for n in reachable if n < len(reduced) and reduced[n] == item}
        reachable = kept | (reachable if (item[0] if depth else item) == 1 else set())
    return len(reduced) in reachable


def verify_slice(shape: Sequence[int], offsets: Sequence[int], sizes: Sequence[int], strides: Sequence[int]) -> None:
    """Raise VerifyException, in upstream's words, where a slice is known to leave its source."""
    for dim, (extent, offset, size, stride) in enumerate(zip(shape, offsets, sizes, strides, strict=True)):
        if DYNAMIC_INDEX in (extent, offset):
            continue
        if offset >= extent:
            fail(f"offset {dim} is out-of-bounds: {offset} >= {extent}")
        if DYNAMIC_INDEX in (size, stride):
            continue
        last = offset + (size - 1) * stride
        if last >= extent:
            fail(f"slice along dimension {dim} runs out-of-bounds: {last} >= {extent}")


# ---- reshapes -----------------------------------------------------------------------------------------------------------------------


def _verify_groups(groups: Sequence[Sequence[int]], expanded: Sequence[int], collapsed: Sequence[int]) -> None:
    if len(groups) != len(collapsed):
        fail(f"invalid number of reassociation groups: found {len(groups)}, expected {len(collapsed)}")
    following = 0
    for dim, group in enumerate(groups):
        product = 1
        for index in group:
            if index != following:
                fail("reassociation indices must be contiguous")
            following += 1
            if index >= len(expanded):
                fail(f"reassociation index {index} is out of bounds")
            product = DYNAMIC_INDEX if DYNAMIC_INDEX in (product, expanded[index]) else product * expanded[index]
        if (product == DYNAMIC_INDEX) != (collapsed[dim] == DYNAMIC_INDEX):
            fail(f"collapsed dim ({dim}) must be dynamic if and only if reassociation group is dynamic")
        if product != collapsed[dim]:
            fail(f"collapsed dim size ({collapsed[dim]}) must equal reassociation group size ({product})")
    if not collapsed and any(extent != 1 for extent in expanded):
        fail("rank 0 memrefs can only be extended/collapsed with/from ones")
    if collapsed and following != len(expanded):
        fail(f"expanded rank ({len(expanded)}) inconsistent with number of reassociation indices ({following})")


def _verify_reshaped(what: str, expected: MemRef, result: MemRef) -> None:
    written_as_map = isinstance(result.layout, AffineMapAttr) and isinstance(expected.layout, NoneAttr)
    if written_as_map or not same_layout(expected, result):
        fail(f"expected {what} type to be '{shown(expected)}' but found '{shown(result)}'")


def _expand_shape(op: Any) -> None:
    source, result = _memref(op.src.type), _memref(op.result.type)
    before, after = source.get_num_dims(), result.get_num_dims()
    if before > after:
        fail(f"has source rank {before} and result rank {after}. This is not an expansion ({before} > {after}).")
    shape = op.static_output_shape.get_values()
    if len(shape) != after:
        fail(f"expected number of static shape bounds to be equal to the output rank ({after}) but found {len(shape)} inputs instead")
    _verify_dynamic_count(len(op.output_shape), result)
    if len(op.output_shape) != (marked := list(shape).count(DYNAMIC_INDEX)):
        numbers = f"static_output_shape has {marked} dynamic dims while output_shape has {len(op.output_shape)} values"
        fail(f"mismatch in dynamic dims in output_shape and static_output_shape: {numbers}")
    groups = groups_of(op.reassociation)
    _verify_groups(groups, result.get_shape(), source.get_shape())
    try:
        expected = expanded_type(source, groups, result.get_shape())
    except VerifyException:
        raise VerifyException("invalid source layout map") from None
    _verify_reshaped("expanded", expected, result)
    for position, (extent, stated) in enumerate(zip(result.get_shape(), shape, strict=True)):
        if extent != stated:
            fail(f"invalid output shape provided at pos {position}")


def _collapse_shape(op: Any) -> None:
    source, result = _memref(op.src.type), _memref(op.result.type)
    before, after = source.get_num_dims(), result.get_num_dims()
    if before < after:
        fail(f"has source rank {before} and result rank {after}. This is not a collapse ({before} < {after}).")
    groups = groups_of(op.reassociation)
    _verify_groups(groups, source.get_shape(), result.get_shape())
    try:
        expected = collapsed_type(source, groups)
    except VerifyException:
        raise VerifyException("invalid source layout map or collapsing non-contiguous dims") from None
    _verify_reshaped("collapsed", expected, result)


def _reshape(op: Any) -> None:
    for what, type in (("source", op.source.type), ("result", op.result.type)):
        if isinstance(type, MemRefType) and not has_identity_map(type):
            fail(f"{what} memref type should have identity affine map")


def _view(op: Any) -> None:
    base, result = _memref(op.source.type), _memref(op.result.type)
    if not isinstance(result.layout, NoneAttr):
        fail(f"unsupported map for result memref type '{shown(result)}'")
    if not isinstance(base.layout, NoneAttr):
        fail(f"unsupported map for base memref type '{shown(base)}'")
    if base.memory_space != result.memory_space:
        specified = f"'{shown(base)}' and view memref type '{shown(result)}'"
        fail(f"different memory spaces specified for base memref type {specified}")
    _verify_dynamic_count(len(op.sizes), result)


def _transpose(op: Any) -> None:
    """The permutation itself is checked by the operation."""
    map, source = op.permutation.data, _memref(op.input.type)
    positions = [getattr(expr, "position", -1) for expr in map.results]
    if sorted(positions) != list(range(source.get_num_dims())):
        return
    strides, offset = layout_of(source)
    shape = [source.get_shape()[dim] for dim in positions]
    expected = strided(source, shape, tuple(strides[dim] for dim in positions), offset)
    if not same_layout(expected, _memref(op.result.type)):
        canonical = f"is not equivalent to the canonical transposed input type '{shown(expected)}'"
        fail(f"result type '{shown(op.result.type)}' {canonical}")


def _cast(op: Any) -> None:
    from stepwell.dialects.memref.views import casts

    if not casts(op.source.type, op.dest.type):
        fail(f"operand type '{shown(op.source.type)}' and result type '{shown(op.dest.type)}' are cast incompatible")


ACCESS = (ALIGNMENT, _subscripts)
RULES: dict[str, tuple[Rule, ...]] = {
    "memref.alloc": (ALIGNMENT, _layout_fits_rank, _allocation),
    "memref.alloca": (ALIGNMENT, _layout_fits_rank, _allocation, _has_scope),
    "memref.assume_alignment": (ASSUMED_ALIGNMENT, _assumes_a_power_of_two),
    "memref.atomic_rmw": (operand(1, RANKED), _subscripts),
    "memref.cast": (_cast,),
    "memref.collapse_shape": (operand(0, RANKED), _collapse_shape),
    "memref.copy": (_copy,),
    "memref.dim": (operand(0, HAS_DIMENSIONS),),
    "memref.expand_shape": (operand(0, RANKED), _expand_shape),
    "memref.get_global": (_get_global,),
    "memref.global": (ALIGNMENT, _visibility, _global),
    "memref.load": (operand(0, RANKED), *ACCESS),
    "memref.prefetch": (operand(0, RANKED), LOCALITY, _subscripts),
    "memref.rank": (operand(0, RANKED_OR_NOT),),
    "memref.realloc": (ALIGNMENT, operand(0, RANKED), _realloc),
    "memref.reinterpret_cast": (_reinterpret_cast,),
    "memref.reshape": (_reshape,),
    "memref.store": (operand(1, RANKED), *ACCESS),
    "memref.subview": (operand(0, RANKED), _subview),
    "memref.transpose": (operand(0, RANKED), _transpose),
    "memref.view": (operand(0, RANKED), _view),
}
