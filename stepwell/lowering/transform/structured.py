"""`transform.structured.*`: structured ops in tiles, fused, in other loops, spelled out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, ArrayAttr, IntegerAttr
from xdsl.ir import Attribute, Operation
from xdsl.ir.affine import AffineMap
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import linalg, scf, tensor
from stepwell.dialects.linalg.canonical import maps_of
from stepwell.dialects.tensor.canonical import PATTERNS as CANONICAL
from stepwell.ir.affine_expressions import dim, replace
from stepwell.ir.rewrite.pattern_set import PatternsByName
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily
from stepwell.lowering.building import Index
from stepwell.lowering.linalg.expand_loops import is_structured
from stepwell.lowering.linalg.fuse_tiles import erase_unused, fuse_producer, fuse_producers, source_of
from stepwell.lowering.linalg.merge_slices import MERGED
from stepwell.lowering.linalg.tiling import Tiled, replace_tiled, tile_using_for, tile_using_forall
from stepwell.lowering.structured.generalize_named_ops import generalize
from stepwell.lowering.transform.handles import attribute_of, is_set
from stepwell.lowering.transform.state import State, failure, silenceable


def _numbers(op: Any, name: str) -> list[int]:
    found = attribute_of(op, name)
    if isinstance(found, ArrayAttr):
        return [item.value.data for item in found if isinstance(item, IntegerAttr)]
    return list(found.get_values()) if found is not None else []  # pyright: ignore[reportAttributeAccessIssue]


def sizes_for(op: Any, name: str, targets: list[Operation], state: State) -> list[list[Index]]:
    """The sizes that the script gives, for each target: numbers, parameters, or the results of operations."""
    statics = _numbers(op, name)
    dynamic = iter(op._dynamic().get(name, ()))  # pyright: ignore[reportPrivateUsage]  # the operands of this list
    columns: list[list[Index]] = []
    if f"packed_{name}" in op.properties:
        payload = state.payload(next(dynamic), op)
        columns = [[_size(op, item)] * len(targets) for item in payload]
        return [[column[n] for column in columns] for n in range(len(targets))]
    for number in statics:
        if number != DYNAMIC_INDEX:
            columns.append([number] * len(targets))
            continue
        payload = state.payload(next(dynamic), op)
        if len(payload) != len(targets):
            is_params = bool(payload) and isinstance(payload[0], Attribute)
            what = "parameter values" if is_params else "dynamic size-producing operations"
            raise silenceable(op, f"expected as many {what} ({len(payload)}) as target ops ({len(targets)})")
        columns.append([_size(op, item) for item in payload])
    return [[column[n] for column in columns] for n in range(len(targets))]


def _size(op: Any, item: Any) -> Index:
    if isinstance(item, IntegerAttr):
        return item.value.data
    if isinstance(item, Operation):
        if len(item.results) != 1 or item.results[0].type.name != "index":
            raise silenceable(op, "expected sizes to be produced by ops with a single index-type result")
        return item.results[0]
    return item


TILEABLE_UPSTREAM = frozenset({"tensor.pad", "linalg.pack", "linalg.unpack", "linalg.softmax"})


def _check(op: Any, target: Operation) -> None:
    if any(name.startswith("scalable_") for name in op.properties):
        raise failure(op, "scalable sizes are not supported")
    if is_structured(target):
        return
    if target.name in TILEABLE_UPSTREAM:
        raise failure(op, f"cannot tile '{target.name}' yet, only structured ops of linalg")
    raise silenceable(op, "only ops implementing TilingInterface are supported")


def _tile_using_for(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    sizes = sizes_for(op, "tile_sizes", targets, state)
    interchange = _numbers(op, "interchange")
    state.consume(op.operands[0], op)
    tiled: list[Tiled] = []
    for target, wanted in zip(targets, sizes, strict=True):
        _check(op, target)
        loops = len(cast(Any, target).get_iterator_types())
        if len(wanted) > loops:
            raise silenceable(op, f"too many tiles provided, expected at most {loops} found {len(wanted)}")
        made = tile_using_for(target, wanted, _whole_order(interchange, target))
        replace_tiled(target, made)
        tiled.append(made)
    _set_tiled(op, tiled, state)


def _whole_order(interchange: list[int], target: Any) -> list[int]:
    """An order of all loops, of which the script may give the first."""
    rest = range(len(target.get_iterator_types()))
    return [*interchange, *(loop for loop in rest if loop not in interchange)] if interchange else []


def _set_tiled(op: Any, tiled: list[Tiled], state: State) -> None:
    """The tiles, then the loops, one handle for each."""
    state.set(op.results[0], [made.op for made in tiled])
    for position, result in enumerate(op.results[1:]):
        state.set(result, [made.loops[position] for made in tiled if position < len(made.loops)])


def _tile_using_forall(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    threads = sizes_for(op, "num_threads", targets, state)
    sizes = sizes_for(op, "tile_sizes", targets, state)
    mapping = attribute_of(op, "mapping")
    state.consume(op.operands[0], op)
    tiled: list[Tiled] = []
    for target, count, size in zip(targets, threads, sizes, strict=True):
        _check(op, target)
        made = tile_using_forall(target, size, count, mapping if isinstance(mapping, ArrayAttr) else None)
        replace_tiled(target, made)
        tiled.append(made)
    _set_tiled(op, tiled, state)


def _fuse(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    sizes = sizes_for(op, "tile_sizes", targets, state)
    orders = sizes_for(op, "interchange", targets, state)
    state.consume(op.operands[0], op)
    tiled: list[Tiled] = []
    for target, wanted, order in zip(targets, sizes, orders, strict=True):
        _check(op, target)
        interchange = [loop for loop in order if isinstance(loop, int)]
        if len(interchange) != len(order) or set(interchange) != set(range(len(interchange))):
            raise silenceable(op, f"expected interchange to be a permutation, found {interchange}")
        producers = _producers_of(target)
        if is_set(op, "use_forall"):
            made = tile_using_forall(target, wanted)
        else:
            made = tile_using_for(target, wanted, _whole_order(interchange, target))
        replace_tiled(target, made)
        fused = fuse_producers(made.op)
        if is_set(op, "apply_cleanup") and made.loops:
            _fuse_behind_slices(made, fused)
        erase_unused(producers)
        tiled.append(made)
    _set_tiled(op, tiled, state)


def _fuse_behind_slices(made: Tiled, fused: list[Any]) -> None:
    """Merge slices of slices in the loops, which may show further producers, until there are none."""
    table = {**MERGED, "tensor.extract_slice": (*MERGED["tensor.extract_slice"], *CANONICAL["tensor.extract_slice"])}
    tiles: list[Operation] = [made.op, *fused]
    while True:
        rewrite_greedily(made.loops[0], PatternsByName(table), how=Greediness(must_converge=False))
        more = [new for tile in tiles if tile.parent is not None for new in fuse_producers(tile)]
        if not more:
            return
        tiles += more


def _producers_of(op: Operation) -> list[Operation]:
    """All structured ops that an op's operands are computed from, and the slices and casts between, in the order of the block."""
    found: set[Operation] = set()
    pending = [op]
    while pending:
        for value in pending.pop().operands:
            owner = value.owner
            if not isinstance(owner, Operation) or owner in found:
                continue
            if is_structured(owner) or isinstance(owner, tensor.ExtractSliceOp | tensor.CastOp):
                found.add(owner)
                pending.append(owner)
    block = op.parent
    return [inner for inner in block.ops if inner in found] if block is not None else []


def _fuse_into_containing_op(op: Any, state: State) -> None:
    producers = state.ops(op.operands[0], op)
    containing = state.ops(op.operands[1], op)
    if not producers:
        state.set(op.results[0], [])
        state.set(op.results[1], containing)
        return
    if len(containing) != 1:
        raise failure(op, f"requires exactly one containing_op handle (got {len(containing)})")
    state.consume(op.operands[0], op)
    fused: list[Operation] = []
    for producer in sorted(producers, key=_position, reverse=True):
        made = _fuse_uses(producer, containing[0])
        if not made:
            raise silenceable(op, "could not find next producer to fuse into container")
        fused += made
        erase_unused([producer])
    state.set(op.results[0], fused)
    state.set(op.results[1], containing)


def _position(op: Operation) -> int:
    return next((n for n, inner in enumerate(op.parent.ops) if inner is op), 0) if op.parent is not None else 0


def _fuse_uses(producer: Operation, containing: Operation) -> list[Operation]:
    """Compute the producer, for each slice of it that the containing op cuts, there; else whole, in front of its users there."""
    fused: list[Operation] = []
    for piece in [inner for inner in containing.walk() if isinstance(inner, tensor.ExtractSliceOp)]:
        if piece.parent is not None and source_of(piece.source) in producer.results and (made := fuse_producer(piece)) is not None:
            fused.append(made)
    if fused:
        return fused
    for result in producer.results:
        for use in [use for use in result.uses if containing.is_ancestor(use.operation) and use.operation is not containing]:
            copy = producer.clone()
            Rewriter.insert_op(copy, InsertPoint.before(use.operation))
            use.operation.operands[use.index] = copy.results[result.index]
            fused.append(copy)
    return fused


def _generalize(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    state.consume(op.operands[0], op)
    found: list[Operation] = []
    for target in targets:
        if not is_structured(target):
            raise silenceable(op, "failed to generalize")
        found.append(target if isinstance(target, linalg.GenericOp) else generalize(target))
    state.set(op.results[0], found)


def _interchange(op: Any, state: State) -> None:
    targets = state.ops(op.operands[0], op)
    order = _numbers(op, "iterator_interchange")
    if not order:
        state.set(op.results[0], targets)
        return
    state.consume(op.operands[0], op)
    for target in targets:
        if not isinstance(target, linalg.GenericOp):
            raise failure(op, "only applies to linalg.generic ops")
        if sorted(order) != list(range(len(target.iterator_types))):
            lengths = f"has length ({len(order)}) different from the number of loops in the target operation ({len(target.iterator_types)})"
            raise silenceable(op, f'"iterator_interchange" {lengths}')
        interchange_loops(target, order)
    state.set(op.results[0], targets)


def interchange_loops(op: linalg.GenericOp, order: list[int]) -> None:
    """Let loop number n be what loop number `order[n]` was."""
    new = [dim(order.index(old)) for old in range(len(order))]
    maps = [AffineMap(map.num_dims, 0, tuple(replace(expr, new, ()) for expr in map.results)) for map in maps_of(op)]
    op.properties["indexing_maps"] = ArrayAttr([AffineMapAttr(map) for map in maps])
    op.properties["iterator_types"] = ArrayAttr([op.iterator_types.data[old] for old in order])
    for inner in list(op.body.block.ops):
        if isinstance(inner, linalg.IndexOp):
            moved = linalg.IndexOp(order.index(inner.dim.value.data))
            Rewriter.replace_op(inner, moved)


def _convert_to_loops(op: Any, state: State) -> None:
    from stepwell.lowering.loops.linalg_to_loops import ScfNest

    targets = state.ops(op.operands[0], op)
    state.consume(op.operands[0], op)
    loops: list[Operation] = []
    for target in targets:
        block = target.parent
        assert block is not None
        before = set(block.ops)
        ScfNest(target).build()
        loops += [loop for made in block.ops if made not in before for loop in made.walk() if isinstance(loop, scf.ForOp)]
    for result in op.results:
        state.set(result, loops)


STRUCTURED: dict[str, Callable[[Any, State], None]] = {
    "transform.structured.tile_using_for": _tile_using_for,
    "transform.structured.tile_using_forall": _tile_using_forall,
    "transform.structured.fuse": _fuse,
    "transform.structured.fuse_into_containing_op": _fuse_into_containing_op,
    "transform.structured.generalize": _generalize,
    "transform.structured.interchange": _interchange,
    "transform.structured.convert_to_loops": _convert_to_loops,
}
