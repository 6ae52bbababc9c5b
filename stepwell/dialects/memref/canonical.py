"""The canonical form of `memref`: allocations, accesses, extents, copies, scopes. Views: `memref_view_canonical`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from xdsl.dialects.arith import ConstantOp, IndexCastOp
from xdsl.dialects.builtin import DYNAMIC_INDEX, DenseArrayBase, IndexType, IntegerAttr, MemRefType, UnregisteredOp, i32
from xdsl.ir import BlockArgument, Operation, OpResult, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint
from xdsl.traits import MemoryEffect, RecursiveMemoryEffect

from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.layouts import layout_of
from stepwell.dialects.memref import AllocaOp, AllocOp, DeallocOp, DimOp, ExtractStridedMetaDataOp
from stepwell.dialects.memref.accesses import CopyOp
from stepwell.dialects.memref.folds import cast_source, constant_element, fold_cast
from stepwell.dialects.memref.view_canonical import VIEW_FOLDS, VIEW_PATTERNS, dropped_dims
from stepwell.dialects.memref.views import CastOp, SubviewOp
from stepwell.ir.rewrite.folding import Folded, constant_of

MemRef = MemRefType[Any]


def _ranked(value: SSAValue) -> MemRef | None:
    return cast(MemRef, value.type) if isinstance(value.type, MemRefType) else None


def _constant(value: SSAValue) -> int | None:
    attribute = constant_of(value)
    return cast("IntegerAttr[Any]", attribute).value.data if isinstance(attribute, IntegerAttr) else None


def _index(value: int) -> IntegerAttr[Any]:
    return IntegerAttr(value, INDEX)


# ---- allocations ------------------------------------------------------------------------------------------------------------------


class SimplifyAllocConst(RewritePattern):
    """`alloc(%c4) : memref<?xf32>` -> a cast of `alloc() : memref<4xf32>`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AllocOp | AllocaOp, rewriter: PatternRewriter) -> None:
        if not op.dynamic_sizes:
            return
        known = [_constant(size) for size in op.dynamic_sizes]
        if not any(size is not None and size >= 0 for size in known):
            return
        type = cast(MemRef, op.memref.type)
        pairs = iter(zip(op.dynamic_sizes, known, strict=True))
        shape: list[int] = []
        sizes: list[SSAValue] = []
        for extent in type.get_shape():
            if extent == DYNAMIC_INDEX:
                value, size = next(pairs)
                if size is None or size < 0:
                    sizes.append(value)
                else:
                    extent = size
            shape.append(extent)
        properties = {**op.properties, "operandSegmentSizes": DenseArrayBase.from_list(i32, [len(sizes), len(op.symbol_operands)])}
        new = type_of(op).create(
            operands=[*sizes, *op.symbol_operands],
            result_types=[MemRefType(type.element_type, shape, type.layout, type.memory_space)],
            properties=properties,
            attributes=dict(op.attributes),
        )
        rewriter.replace(op, [new, CastOp.get(new.results[0], type)])


def type_of(op: Operation) -> type[Operation]:
    """The class of an operation."""
    return type(op)


class SimplifyDeadAlloc(RewritePattern):
    """Memory that is only written and freed is not needed."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AllocOp | AllocaOp, rewriter: PatternRewriter) -> None:
        users = [use.operation for use in op.memref.uses]
        if any(not _only_writes(user, op.memref) for user in users):
            return
        for user in dict.fromkeys(users):
            rewriter.erase(user)
        rewriter.erase(op)


def _only_writes(user: Operation, memref: SSAValue) -> bool:
    if isinstance(user, DeallocOp):
        return True
    return user.name == "memref.store" and user.operands[0] is not memref


class SimplifyDeadRealloc(RewritePattern):
    """A `realloc` whose memory is only written and freed is not needed."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        result = op.results[0]
        users = [use.operation for use in result.uses]
        if any(not _only_writes(user, result) for user in users):
            return
        for user in dict.fromkeys(users):
            rewriter.erase(user)
        rewriter.erase(op)


# ---- accesses ---------------------------------------------------------------------------------------------------------------------


def _fold_load(op: Any) -> Folded:
    if (folded := fold_cast(op, op.operands[0])) is not None:
        return folded
    known = [_constant(index) for index in op.indices]
    found = constant_element(op, None if any(index is None for index in known) else cast("list[int]", known))
    return None if found is None else (found,)


def _fold_cast_at(position: int) -> Callable[[Any], Folded]:
    def fold(op: Operation) -> Folded:
        return fold_cast(op, op.operands[position])

    return fold


def _fold_casts(op: Operation) -> Folded:
    return fold_cast(op, *op.operands)


class FoldCopyOfCast(RewritePattern):
    """A copy from or to a cast of the same shape does without the cast."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CopyOp, rewriter: PatternRewriter) -> None:
        operands = [_copied(op.source), _copied(op.destination)]
        if any(a is not b for a, b in zip(operands, op.operands, strict=True)):
            rewriter.replace(op, CopyOp.create(operands=operands, attributes=dict(op.attributes)))


def _copied(value: SSAValue) -> SSAValue:
    source = cast_source(value)
    before, after = None if source is None else _ranked(source), _ranked(value)
    if source is None or before is None or after is None or before.get_shape() != after.get_shape():
        return value
    return source


class FoldSelfCopy(RewritePattern):
    """A copy of something to itself goes."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CopyOp, rewriter: PatternRewriter) -> None:
        if op.source is op.destination:
            rewriter.erase(op)


class FoldEmptyCopy(RewritePattern):
    """A copy of nothing goes."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CopyOp, rewriter: PatternRewriter) -> None:
        types = (_ranked(op.source), _ranked(op.destination))
        if any(type is not None and 0 in type.get_shape() for type in types):
            rewriter.erase(op)


# ---- queries ------------------------------------------------------------------------------------------------------------------------


def _fold_rank(op: Any) -> Folded:
    type = _ranked(op.source)
    return None if type is None else (_index(type.get_num_dims()),)


def _fold_dim(op: DimOp) -> Folded:
    type, index = _ranked(op.source), _constant(op.index)
    if type is not None and index is not None:
        if not 0 <= index < type.get_num_dims():
            return None
        if (extent := type.get_shape()[index]) != DYNAMIC_INDEX:
            return (_index(extent),)
        if (found := _extent(op.source, type, index)) is not None:
            return (_index(found) if isinstance(found, int) else found,)
    return fold_cast(op, op.source)


def _extent(source: SSAValue, type: MemRef, index: int) -> int | SSAValue | None:
    """An unknown extent, from what made the memref."""
    maker = source.op if isinstance(source, OpResult) else None
    if maker is None:
        return None
    number = list(type.get_shape()[:index]).count(DYNAMIC_INDEX)
    if isinstance(maker, AllocOp | AllocaOp):
        return maker.dynamic_sizes[number]
    if maker.name == "memref.view":
        return maker.operands[2 + number]
    if isinstance(maker, SubviewOp):
        dropped = dropped_dims(maker)
        if dropped is None:
            return None
        sizes = [size for dim, size in enumerate(maker.mixed_sizes()) if dim not in dropped]
        return sizes[index]
    return None


class DimOfMemRefReshape(RewritePattern):
    """`dim (reshape %m(%shape)), %i` -> `load %shape[%i]`, right after the reshape, when the shape was not changed yet"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DimOp, rewriter: PatternRewriter) -> None:
        maker = op.source.op if isinstance(op.source, OpResult) else None
        if maker is None or maker.name != "memref.reshape" or not _is_known_at(op.index, maker):
            return
        from stepwell.dialects.memref import LoadOp

        shape = maker.operands[1]
        load = LoadOp.create(operands=[shape, op.index], result_types=[cast(MemRef, shape.type).element_type], properties={})
        created: list[Operation] = [load]
        if not isinstance(load.results[0].type, IndexType):
            created.append(IndexCastOp.create(operands=[load.results[0]], result_types=[INDEX]))
        rewriter.insert(created, InsertPoint.after(maker))
        rewriter.replace(op, [], [created[-1].results[0]])


def _is_known_at(value: SSAValue, op: Operation) -> bool:
    """Whether a value is defined before an operation: in the block of the operation or one around it."""
    owner = value.owner
    if isinstance(value, BlockArgument):
        return op.parent is value.block or value.block.is_ancestor(op)
    if constant_of(value) is not None:
        return True
    assert isinstance(owner, Operation)
    if owner.parent is None or op.parent is None:
        return False
    around: Operation | None = op
    while around is not None and around.parent is not owner.parent:
        around = around.parent_op()
    return around is not None and owner.is_before_in_block(around)


class ExtractStridedMetadataOpCastFolder(RewritePattern):
    """What is asked of a cast is asked of its source; what the cast knows is a constant."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ExtractStridedMetaDataOp, rewriter: PatternRewriter) -> None:
        source = cast_source(op.source)
        if source is None:
            return
        new = ExtractStridedMetaDataOp.create(operands=[source], result_types=op.result_types)
        known = _metadata(cast(MemRef, op.source.type))
        created: list[Operation] = [new]
        values: list[SSAValue] = []
        for value, result in zip(known, new.results[1:], strict=True):
            if value is None:
                values.append(result)
            else:
                created.append(ConstantOp.create(properties={"value": _index(value)}, result_types=[INDEX]))
                values.append(created[-1].results[0])
        rewriter.replace(op, created, [new.results[0], *values])


def _metadata(type: MemRef) -> list[int | None]:
    """Offset, extents, strides, as far as they are known."""
    strides, offset = layout_of(type)
    return [offset, *(None if extent == DYNAMIC_INDEX else extent for extent in type.get_shape()), *strides]


class FoldKnownMetadata(RewritePattern):
    """Offset, extents and strides that the type says are constants."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ExtractStridedMetaDataOp, rewriter: PatternRewriter) -> None:
        for value, result in zip(_metadata(cast(MemRef, op.source.type)), op.results[1:], strict=True):
            if value is not None and result.first_use is not None:
                constant = ConstantOp.create(properties={"value": _index(value)}, result_types=[INDEX])
                rewriter.insert(constant, InsertPoint.before(op))
                rewriter.replace_all_uses_with(result, constant.results[0])


# ---- scopes -------------------------------------------------------------------------------------------------------------------------

ALLOCATION_SCOPES = frozenset(
    {
        *("func.func", "gpu.func", "gpu.launch", "llvm.func", "memref.alloca_scope", "affine.for", "affine.parallel"),
        *("scf.for", "scf.forall", "scf.parallel", "scf.execute_region", "async.execute", "omp.parallel"),
    }
)
"""Operations at whose end `memref.alloca` inside is freed."""


def _may_allocate(op: Operation) -> bool:
    """Whether something inside lives on the stack of the scope `op`."""
    return any(_allocates(inner) or (inner.name not in ALLOCATION_SCOPES and _may_allocate(inner)) for inner in _directly_inside(op))


def _directly_inside(op: Operation) -> list[Operation]:
    return [inner for region in op.regions for block in region.blocks for inner in block.ops]


def _allocates(op: Operation) -> bool:
    if isinstance(op, AllocaOp):
        return True
    if isinstance(op, UnregisteredOp):
        return True
    if op.get_traits_of_type(RecursiveMemoryEffect):
        return False
    return not op.get_traits_of_type(MemoryEffect) and op.name != "memref.alloca_scope.return"


def _is_last(op: Operation) -> bool:
    """Whether only a terminator follows, in a region of one block."""
    block = op.parent
    region = None if block is None else block.parent
    following = op.next_op
    alone = region is not None and region.first_block is region.last_block
    return alone and following is not None and following.next_op is None and not following.results


class AllocaScopeInliner(RewritePattern):
    """A scope in which nothing is allocated, or that ends with the one around it, goes."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        region = op.regions[0]
        if region.first_block is None or region.first_block is not region.last_block:
            return
        if _may_allocate(op):
            parent = op.parent_op()
            if parent is None or parent.name not in ALLOCATION_SCOPES or not _is_last(op):
                return
        block = region.first_block
        end = block.last_op
        assert end is not None
        results = list(end.operands)
        rewriter.erase(end)
        rewriter.inline_block(block, InsertPoint.before(op))
        rewriter.replace(op, [], results)


class AllocaScopeHoister(RewritePattern):
    """What a scope allocates goes before the last operation that frees nothing, if the scope ends there anyway."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        outermost = op.parent_op()
        if outermost is None or outermost.name in ALLOCATION_SCOPES or not _is_last(op) or not _is_last(outermost):
            return
        while (around := outermost.parent_op()) is not None and around.name not in ALLOCATION_SCOPES:
            outermost = around
            if not _is_last(outermost):
                return
        if outermost.parent_op() is None:
            return
        hoisted = [
            inner
            for inner in op.walk()
            if isinstance(inner, AllocaOp) and inner.parent_op() is op and not any(_is_inside(v, outermost) for v in inner.operands)
        ]
        for inner in hoisted:
            moved = inner.clone()
            rewriter.insert(moved, InsertPoint.before(outermost))
            rewriter.replace(inner, [], moved.results)


def _is_inside(value: SSAValue, op: Operation) -> bool:
    return op.is_ancestor(value.owner) and value.owner is not op


def _fold_assumption(op: Any) -> Folded:
    """The same assumption twice."""
    inner = op.memref.op if isinstance(op.memref, OpResult) else None
    if inner is not None and inner.name == op.name and inner.properties["alignment"] == op.properties["alignment"]:
        return (op.memref,)
    return None


def _fold_memory_space_cast(op: Any) -> Folded:
    if op.source.type == op.dest.type:
        return (op.source,)
    inner = op.source.op if isinstance(op.source, OpResult) else None
    if inner is None or inner.name != op.name:
        return None
    op.operands = [inner.operands[0]]
    return op.results


def _fold_cast(op: CastOp) -> Folded:
    return (op.source,) if op.source.type == op.dest.type else fold_cast(op, op.source)


ALLOCATIONS: tuple[RewritePattern, ...] = (SimplifyAllocConst(), SimplifyDeadAlloc())
PATTERNS: dict[str, tuple[RewritePattern, ...]] = {
    "memref.alloc": ALLOCATIONS,
    "memref.alloca": ALLOCATIONS,
    "memref.alloca_scope": (AllocaScopeInliner(), AllocaScopeHoister()),
    "memref.copy": (FoldCopyOfCast(), FoldSelfCopy(), FoldEmptyCopy()),
    "memref.dim": (DimOfMemRefReshape(),),
    "memref.extract_strided_metadata": (ExtractStridedMetadataOpCastFolder(), FoldKnownMetadata()),
    "memref.realloc": (SimplifyDeadRealloc(),),
    **VIEW_PATTERNS,
}
FOLDS: dict[str, Callable[[Any], Folded]] = {
    "memref.assume_alignment": _fold_assumption,
    "memref.atomic_rmw": _fold_cast_at(1),
    "memref.cast": _fold_cast,
    "memref.dealloc": _fold_casts,
    "memref.dim": _fold_dim,
    "memref.dma_start": _fold_casts,
    "memref.dma_wait": _fold_casts,
    "memref.load": _fold_load,
    "memref.memory_space_cast": _fold_memory_space_cast,
    "memref.prefetch": _fold_cast_at(0),
    "memref.rank": _fold_rank,
    "memref.store": _fold_cast_at(1),
    **VIEW_FOLDS,
}
