"""How operations of `bufferization` fold and are canonicalized: tables for `stepwell.ir.rewrite.folding` and
`stepwell.ir.rewrite.pattern_set`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, BoolAttr, IntegerAttr, MemRefType, NoneAttr, TensorType, UnrankedMemRefType, i1
from xdsl.dialects.memref import AllocaOp, AllocOp, DeallocOp, LoadOp
from xdsl.dialects.memref import DimOp as BufferDimOp
from xdsl.ir import Attribute, Operation, OpResult, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from stepwell.dialects import memref, tensor
from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.arith import ConstantOp, OrIOp
from stepwell.dialects.bufferization import AllocTensorOp, CloneOp, ToBufferOp, ToTensorOp
from stepwell.dialects.known_indices import known
from stepwell.dialects.layouts import is_castable, layout_of
from stepwell.dialects.memref.more import OwnershipDeallocOp
from stepwell.dialects.tensor.facts import with_shape
from stepwell.ir.rewrite.folding import Folded, Folder


def _maker(value: SSAValue) -> Any:
    return value.op if isinstance(value, OpResult) else None


# ---- folds --------------------------------------------------------------------------------------------------------------------------


def _is_next_to(a: Operation, b: Operation) -> bool:
    """Whether nothing stands between two operations that might write."""
    return a.next_op is b


def _to_tensor(op: Any) -> Folded:
    """`to_tensor(to_buffer(t))` -> `t`, where nobody can have written in between."""
    maker = _maker(op.memref)
    if isinstance(maker, ToBufferOp) and maker.tensor.type == op.tensor.type and _is_next_to(maker, op):
        return (maker.tensor,)
    return None


def _to_buffer(op: Any) -> Folded:
    """`to_buffer(to_tensor(m))` -> `m`"""
    maker = _maker(op.tensor)
    return (maker.memref,) if isinstance(maker, ToTensorOp) and maker.memref.type == op.memref.type else None


FOLDS: dict[str, Folder] = {"bufferization.to_buffer": _to_buffer, "bufferization.to_tensor": _to_tensor}


# ---- to_buffer ------------------------------------------------------------------------------------------------------------------------


def _is_certain_cast(source: Attribute, dest: Attribute) -> bool:
    """Whether a cast only forgets what is known of the layout."""
    if not isinstance(source, MemRefType) or not isinstance(dest, MemRefType):
        return False
    a, b = cast("MemRefType[Any]", source), cast("MemRefType[Any]", dest)
    if a.memory_space != b.memory_space or not is_castable(a, b):
        return False
    (strides, offset), (others, other) = layout_of(a), layout_of(b)
    return all(y is None or x == y for x, y in [*zip(strides, others, strict=True), (offset, other)])


class FoldToBufferOfToTensor(RewritePattern):
    """`to_buffer(to_tensor(m))` of another layout -> `cast(m)`, or a copy of m where a cast would claim too much."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ToBufferOp, rewriter: PatternRewriter) -> None:
        maker = _maker(op.tensor)
        type: Any = op.memref.type
        if not isinstance(maker, ToTensorOp) or type.name != MemRefType.name or maker.memref.type.name != MemRefType.name:
            return
        buffer = maker.memref
        if _is_certain_cast(buffer.type, type):
            rewriter.replace(op, memref.CastOp.get(buffer, type))
            return
        sizes: list[SSAValue] = []
        for dim, extent in enumerate(type.get_shape()):
            if extent == DYNAMIC_INDEX:
                number = ConstantOp(IntegerAttr(dim, INDEX))
                size = BufferDimOp.create(operands=[buffer, number.result], result_types=[INDEX])
                rewriter.insert((number, size))
                sizes.append(size.results[0])
        alloc = AllocOp(dynamic_sizes=sizes, symbol_operands=[], result_type=type)
        rewriter.replace(op, (alloc, memref.CopyOp(buffer, alloc.memref)), [alloc.memref])


class ToBufferOfCast(RewritePattern):
    """`to_buffer(tensor.cast t)` -> `memref.cast(to_buffer t)`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ToBufferOp, rewriter: PatternRewriter) -> None:
        maker = _maker(op.tensor)
        if not isinstance(maker, tensor.CastOp) or maker.source.type.name != TensorType.name:
            return
        type: Any = op.memref.type
        source: Any = maker.source.type
        layout = getattr(type, "layout", NoneAttr())
        before = MemRefType(source.element_type, source.get_shape(), layout, type.memory_space)
        made = ToBufferOp(operands=[maker.source], result_types=[before], properties={"read_only": op.read_only})
        rewriter.replace(op, (made, memref.CastOp.get(made.memref, type)))


class LoadOfToBuffer(RewritePattern):
    """`memref.load (to_buffer %t read_only)[%i]` -> `tensor.extract %t[%i]`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ToBufferOp, rewriter: PatternRewriter) -> None:
        if op.read_only is None or cast(Any, op.tensor.type).name != TensorType.name:
            return
        for use in list(op.memref.uses):
            if isinstance(load := use.operation, LoadOp):
                rewriter.replace(load, tensor.ExtractOp(op.tensor, load.indices))


class DimOfToTensor(RewritePattern):
    """`tensor.dim(to_tensor(m))` -> `memref.dim(m)`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ToTensorOp, rewriter: PatternRewriter) -> None:
        for use in list(op.tensor.uses):
            if isinstance(dim := use.operation, tensor.DimOp):
                rewriter.replace(dim, BufferDimOp.create(operands=[op.memref, dim.index], result_types=[INDEX]))


class ReplaceStaticShapeDims(RewritePattern):
    """`alloc_tensor(%c4) : tensor<?xf32>` -> `cast(alloc_tensor() : tensor<4xf32>)`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AllocTensorOp, rewriter: PatternRewriter) -> None:
        type: Any = op.tensor.type
        if op.copy is not None or type.name != TensorType.name:
            return
        shape, left, given = list(type.get_shape()), list[SSAValue](), iter(op.dynamic_sizes)
        for dim, extent in enumerate(shape):
            if extent == DYNAMIC_INDEX:
                size = next(given)
                number = known(size)
                if number is None or number < 0:
                    left.append(size)
                else:
                    shape[dim] = number
        if len(left) == len(op.dynamic_sizes):
            return
        made = AllocTensorOp(with_shape(type, shape), left)
        if op.memory_space is not None:
            made.properties["memory_space"] = op.memory_space
        rewriter.replace(op, (made, tensor.CastOp(made.tensor, type)))


# ---- clone ------------------------------------------------------------------------------------------------------------------------------


def _only_dealloc(value: SSAValue) -> tuple[bool, DeallocOp | None]:
    """Whether at most one operation frees the value; that operation."""
    found = [use.operation for use in value.uses if isinstance(use.operation, DeallocOp)]
    return len(found) <= 1, found[0] if found else None


VIEWS = ("memref.cast", "memref.reshape", "memref.subview", "memref.collapse_shape", "memref.expand_shape")


def _root(value: SSAValue) -> SSAValue:
    """The buffer of which a value is a view."""
    while (maker := _maker(value)) is not None and maker.name in (
        "memref.cast",
        "memref.reshape",
        "memref.subview",
        "memref.collapse_shape",
    ):
        value = maker.operands[0]
    return value


class SimplifyClones(RewritePattern):
    """`clone %m` that is freed, or whose %m is freed, in the same block -> `%m`, which then nobody frees"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CloneOp, rewriter: PatternRewriter) -> None:
        if op.output.first_use is None:
            rewriter.erase(op)
            return
        source: SSAValue = op.input
        if not _may_stand_for(source.type, op.output.type):
            return
        one_of_clone, of_clone = _only_dealloc(op.output)
        one_of_source, of_source = _only_dealloc(source)
        root = _root(source)
        one_of_root, of_root = _only_dealloc(root)
        if not (one_of_clone and one_of_source and one_of_root) or (root is not source and of_clone is not None and of_root is not None):
            return
        free = of_clone or of_source or of_root
        if free is None or free.parent is not op.parent:
            return
        if any(use.operation.name == "memref.realloc" for use in op.output.uses):
            return
        between = op.next_op
        while between is not None and between is not free:
            other = isinstance(between, DeallocOp) and _root(between.memref) in (root, op.output)
            if other:
                return
            between = between.next_op
        if between is None:  # freed before it was cloned
            return
        if op.input.type == op.output.type:
            rewriter.replace(op, (), [source])
        else:
            rewriter.replace(op, memref.CastOp.get(source, cast(Any, op.output.type)))
        rewriter.erase(free)


def _may_stand_for(source: Any, dest: Any) -> bool:
    """Whether a buffer can stand for its clone: as it is, or cast to another shape of the same layout."""
    if source == dest:
        return True
    both_ranked = source.name == dest.name == MemRefType.name
    return both_ranked and source.layout == dest.layout and is_castable(source, dest)


class CloneOfCast(RewritePattern):
    """`clone(cast m)` -> `clone m`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CloneOp, rewriter: PatternRewriter) -> None:
        maker = _maker(op.input)
        if isinstance(maker, memref.CastOp) and isinstance(maker.source.type, (MemRefType, UnrankedMemRefType)):
            if any(isinstance(use.operation, DeallocOp) for use in maker.source.uses):
                return
            rewriter.replace(op, CloneOp(maker.source, op.output.type))


# ---- dealloc ----------------------------------------------------------------------------------------------------------------------------


def _dealloc(memrefs: Sequence[SSAValue], conditions: Sequence[SSAValue], retained: Sequence[SSAValue]) -> OwnershipDeallocOp:
    return OwnershipDeallocOp(operands=[memrefs, conditions, retained], result_types=[[i1] * len(retained)])


class RemoveDuplicateMemrefs(RewritePattern):
    """Each buffer once: conditions of equal ones are joined by `or`, results of equal ones are one."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: OwnershipDeallocOp, rewriter: PatternRewriter) -> None:
        freed: dict[SSAValue, SSAValue] = {}
        for value, condition in zip(op.memrefs, op.conditions, strict=True):
            if value not in freed:
                freed[value] = condition
            elif freed[value] is not condition:
                joined = OrIOp(freed[value], condition)
                rewriter.insert(joined)
                freed[value] = joined.result
        kept = list(dict.fromkeys(op.retained))
        if len(freed) == len(op.memrefs) and len(kept) == len(op.retained):
            return
        made = _dealloc(list(freed), list(freed.values()), kept)
        rewriter.replace(op, made, [made.results[kept.index(value)] for value in op.retained])


class EraseEmptyDealloc(RewritePattern):
    """Nothing to free -> nothing is owned; what no result and no buffer needs goes."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: OwnershipDeallocOp, rewriter: PatternRewriter) -> None:
        if op.memrefs:
            return
        if not op.retained:
            rewriter.erase(op)
            return
        false = ConstantOp(BoolAttr.from_bool(False))
        rewriter.replace(op, false, [false.result] * len(op.retained))


class EraseAlwaysFalseDealloc(RewritePattern):
    """`dealloc (%a, %b) if (%false, %c)` -> `dealloc (%b) if (%c)`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: OwnershipDeallocOp, rewriter: PatternRewriter) -> None:
        kept = [(value, condition) for value, condition in zip(op.memrefs, op.conditions, strict=True) if known(condition) != 0]
        if len(kept) < len(op.memrefs):
            rewriter.replace(op, _dealloc([value for value, _ in kept], [condition for _, condition in kept], op.retained))


class SkipExtractMetadataOfAlloc(RewritePattern):
    """The base buffer of an allocation is the allocation."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: OwnershipDeallocOp, rewriter: PatternRewriter) -> None:
        memrefs: list[SSAValue] = []
        for value in op.memrefs:
            maker = _maker(value)
            source: SSAValue | None = None
            if maker is not None and maker.name == "memref.extract_strided_metadata" and maker.results[0] is value:
                source = maker.operands[0]
            memrefs.append(source if source is not None and isinstance(_maker(source), AllocOp | AllocaOp | CloneOp) else value)
        if memrefs != list(op.memrefs):
            rewriter.replace(op, _dealloc(memrefs, op.conditions, op.retained))


class RemoveAllocDeallocPair(RewritePattern):
    """An allocation that is only freed, always, is nothing."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: OwnershipDeallocOp, rewriter: PatternRewriter) -> None:
        kept: list[tuple[SSAValue, SSAValue]] = []
        gone: list[Operation] = []
        for value, condition in zip(op.memrefs, op.conditions, strict=True):
            maker = _maker(value)
            if isinstance(maker, AllocOp) and value.get_user_of_unique_use() is op and known(condition) in (1, -1):
                gone.append(maker)
            else:
                kept.append((value, condition))
        if gone and not op.retained:
            rewriter.replace(op, _dealloc([value for value, _ in kept], [condition for _, condition in kept], []))
            for maker in gone:
                rewriter.erase(maker)


PATTERNS: dict[str, Sequence[RewritePattern]] = {
    "bufferization.alloc_tensor": (ReplaceStaticShapeDims(),),
    "bufferization.clone": (SimplifyClones(), CloneOfCast()),
    "bufferization.dealloc": (
        RemoveDuplicateMemrefs(),
        EraseEmptyDealloc(),
        EraseAlwaysFalseDealloc(),
        SkipExtractMetadataOfAlloc(),
        RemoveAllocDeallocPair(),
    ),
    "bufferization.to_buffer": (FoldToBufferOfToTensor(), ToBufferOfCast(), LoadOfToBuffer()),
    "bufferization.to_tensor": (DimOfToTensor(),),
}
