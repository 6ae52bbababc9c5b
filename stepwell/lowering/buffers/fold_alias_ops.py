"""The pass `fold-memref-alias-ops`: accesses to views of buffers become accesses to the buffers, at indices that are computed.

A view says how an index into it becomes indices into its source (`_through`); an access says where its buffer and its indices stand among
the operands (`ACCESSES`), and how large the piece is that it moves: a dimension along which it moves may not change its stride.
"""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, DenseArrayBase, MemRefType, UnitAttr, i32, i64
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from stepwell.dialects import memref
from stepwell.dialects.affine.indices import DelinearizeIndexOp, LinearizeIndexOp
from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.layouts import groups_of
from stepwell.dialects.memref.view_canonical import dropped_dims
from stepwell.dialects.vector.fold_transfers import bounds_of, map_of, vector_of_transfer
from stepwell.dialects.vector.shapes import shape_of
from stepwell.dialects.vector.values import mask_around
from stepwell.ir.affine_expressions import add, mul, symbol
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.pattern_set import PatternsByName
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily
from stepwell.lowering.building import Builder, Index

ACCESSES: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("memref.load", "memref.prefetch", "vector.load", "gpu.subgroup_mma_load_matrix"), (0, 0)),
    **dict.fromkeys(("memref.store", "vector.store", "gpu.subgroup_mma_store_matrix"), (1, 0)),
    **dict.fromkeys(("vector.maskedload", "vector.maskedstore", "vector.expandload", "vector.compressstore"), (0, 2)),
}
"""Which operand the buffer is, behind which the indices stand; how many operands follow them."""


@dataclass(frozen=True)
class FoldMemrefAliasOps(Pass):
    """Loads, stores and transfers of views reach the buffers behind them; a view of a view is one view.

    ```mlir
    %v = memref.subview %m[%i, 0] [4, 4] [2, 1] : memref<8x8xf32> to memref<4x4xf32, strided<[16, 1], offset: ?>>
    %x = memref.load %v[%j, %k]
    ```
    becomes
    ```mlir
    %r = affine.apply affine_map<()[s0, s1] -> (s0 + s1 * 2)>()[%i, %j]
    %x = memref.load %m[%r, %k]
    ```
    """

    name: ClassVar[str] = "fold-memref-alias-ops"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        table: dict[str, Sequence[RewritePattern]] = {
            **{name: (AccessOfView(),) for name in ACCESSES},
            "vector.transfer_read": (TransferOfView(),),
            "vector.transfer_write": (TransferOfView(),),
            "memref.subview": (SubviewOfSubview(),),
        }
        rewrite_greedily(op, PatternsByName(table), how=Greediness(must_converge=False, unique_constants=True))


# ---- from indices of a view to those of its source ------------------------------------------------------------------------------------


def _through(view: Any, indices: Sequence[Index], build: Builder, *, inside: bool) -> list[Index]:
    """The indices into a view's source. `inside`: each index is known to be in bounds."""
    if view.name == "memref.subview":
        return _through_subview(view, indices, build)
    found: list[Index] = []
    if view.name == "memref.expand_shape":
        dynamic = iter(view.output_shape)
        sizes: list[Index] = [next(dynamic) if extent == DYNAMIC_INDEX else int(extent) for extent in view.static_output_shape.get_values()]
        for group in groups_of(view.reassociation):
            found.append(
                indices[group[0]]
                if len(group) == 1
                else _linear(build, [indices[dim] for dim in group], [sizes[dim] for dim in group], disjoint=inside)
            )
        return found
    extents = build.extents(view.src)
    for index, group in zip(indices, groups_of(view.reassociation), strict=True):
        if len(group) == 1:
            found.append(index)
        else:  # an index that may be too large is too large along the outermost dimension
            basis = [extents[dim] for dim in (group if inside else group[1:])]
            found += _subscripts(build, index, basis, len(group))
    return found or [0] * len(extents)


def _through_subview(view: Any, indices: Sequence[Index], build: Builder) -> list[Index]:
    dropped, given = dropped_dims(view) or set(), iter(indices)
    found: list[Index] = []
    for dim, (offset, stride) in enumerate(zip(view.mixed_offsets(), view.mixed_strides(), strict=True)):
        index = 0 if dim in dropped else next(given)
        found.append(build.apply(add(symbol(0), mul(symbol(1), symbol(2))), (), (offset, index, stride)))
    return found


def _basis(extents: Sequence[Index]) -> tuple[DenseArrayBase[Any], list[SSAValue]]:
    static = [extent if isinstance(extent, int) else DYNAMIC_INDEX for extent in extents]
    return DenseArrayBase.from_list(i64, static), [extent for extent in extents if not isinstance(extent, int)]


def _linear(build: Builder, indices: Sequence[Index], extents: Sequence[Index], *, disjoint: bool) -> SSAValue:
    static, dynamic = _basis(extents)
    properties: dict[str, Attribute] = {"static_basis": static}
    if disjoint:
        properties["disjoint"] = UnitAttr()
    values = [build.index(index) for index in indices]
    return build.add(LinearizeIndexOp(operands=[values, dynamic], result_types=[INDEX], properties=properties)).results[0]


def _subscripts(build: Builder, index: Index, extents: Sequence[Index], count: int) -> list[Index]:
    static, dynamic = _basis(extents)
    made = DelinearizeIndexOp(operands=[build.index(index), dynamic], result_types=[[INDEX] * count], properties={"static_basis": static})
    return list(build.add(made).results)


# ---- accesses -------------------------------------------------------------------------------------------------------------------------


def _view_of(value: SSAValue) -> Any:
    """The view that a value is; None for others."""
    maker = value.owner
    views = ("memref.subview", "memref.expand_shape", "memref.collapse_shape")
    return maker if isinstance(maker, Operation) and maker.name in views else None


def _source(view: Any) -> SSAValue:
    return view.operands[0]


def _rank(value: SSAValue) -> int:
    return cast("MemRefType[Any]", value.type).get_num_dims()


def _moved_vector(op: Any) -> Sequence[int]:
    """The shape of the vector that an access moves; () where it moves none."""
    if not op.name.startswith("vector."):
        return ()
    return shape_of((op.vector if op.name == "vector.store" else op.results[0] if op.results else op.value_to_store).type)


def _moved_dimensions(op: Any) -> int:
    """Along how many of the innermost dimensions an access moves memory; 0 for one element."""
    if op.name.startswith("memref."):
        return 0
    if op.name.startswith("gpu."):
        return 1  # the distance of rows is an attribute, whatever the buffer
    shape, is_masked = _moved_vector(op), op.name not in ("vector.load", "vector.store")
    while shape and shape[0] == 1 and (len(shape) > 1 or not is_masked):
        shape = shape[1:]
    return len(shape)


def _keeps_strides(view: Any, moved: int) -> bool:
    """Whether the innermost dimensions along which an access moves are contiguous in the view's source as in the view."""
    if moved == 0:
        return True
    if view.name == "memref.subview":
        dropped = dropped_dims(view)
        if dropped is None or any(stride != 1 for stride in view.mixed_strides()[-moved:]):
            return False
        rank = _rank(view.source)
        return not any(dim in dropped for dim in range(rank - (moved - 1), rank))
    groups = groups_of(view.reassociation)
    inner = groups[len(groups) - (moved - 1) :] if moved > 1 else []
    return moved <= len(groups) + 1 and all(len(group) == 1 for group in inner) and len(inner) == moved - 1


class AccessOfView(RewritePattern):
    """`memref.load` of a view -> of its source, and so on"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        at, after = ACCESSES[op.name]
        view = _view_of(op.operands[at])
        if view is None:
            return
        source = _source(view)
        if not _keeps_strides(view, _moved_dimensions(op)) or len(_moved_vector(op)) > _rank(source):
            return
        if view.name == "memref.subview" and dropped_dims(view) is None:
            return
        build = Builder(op, op, rewriter)
        stop = len(op.operands) - after
        inside = not op.name.startswith("vector.")
        indices = [build.index(index) for index in _through(view, list(op.operands[at + 1 : stop]), build, inside=inside)]
        operands = [*op.operands[:at], source, *indices, *op.operands[stop:]]
        made = type(op).create(
            operands=operands, result_types=op.result_types, properties=dict(op.properties), attributes=dict(op.attributes)
        )
        rewriter.replace(op, [made], list(made.results))


class TransferOfView(RewritePattern):
    """`vector.transfer_read` of a view -> of its source, where it is known to lie inside"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        transfer: Any = op
        view = _view_of(transfer.source)
        if view is None or not all(bounds_of(transfer)) or mask_around(op) is not None:
            return
        map = self._map(transfer, view)
        if map is None:
            return
        build = Builder(op, op, rewriter)
        found = _through(view, list(transfer.indices), build, inside=transfer.mask is None)
        indices = [build.index(index) for index in found]
        at = 1 if op.name == "vector.transfer_write" else 0
        rest = op.operands[at + 1 + len(transfer.indices) :]
        segments = list(cast("DenseArrayBase[Any]", op.properties["operandSegmentSizes"]).get_values())
        segments[at + 1] = len(indices)
        properties = {
            **op.properties,
            "permutation_map": AffineMapAttr(map),
            "operandSegmentSizes": DenseArrayBase.from_list(i32, segments),
        }
        made = type(op).create(
            operands=[*op.operands[:at], _source(view), *indices, *rest],
            result_types=op.result_types,
            properties=properties,
            attributes=dict(op.attributes),
        )
        rewriter.replace(op, [made], list(made.results))

    @staticmethod
    def _map(op: Any, view: Any) -> AffineMap | None:
        """The map onto the source's dimensions; None where dimensions that are walked would be merged, split, or strided."""
        map, rank, moved = map_of(op), _rank(_source(view)), len(shape_of(vector_of_transfer(op)))
        if rank < moved:
            return None
        if view.name == "memref.subview":
            dropped = dropped_dims(view)
            if dropped is None or any(stride != 1 for stride in (view.mixed_strides()[-moved:] if moved else ())):
                return None
            new = {number: dim for number, dim in enumerate(dim for dim in range(rank) if dim not in dropped)}
        elif view.name == "memref.expand_shape":
            new = {group[-1]: number for number, group in enumerate(groups_of(view.reassociation))}
        else:
            groups = groups_of(view.reassociation)
            if not map.is_minor_identity() or any(len(group) != 1 for group in groups[len(groups) - moved :]):
                return None
            return AffineMap.minor_identity(rank, moved)
        results: list[AffineExpr] = []
        for result in map.results:
            if isinstance(result, AffineDimExpr) and result.position in new:
                results.append(AffineExpr.dimension(new[result.position]))
            elif isinstance(result, AffineConstantExpr) and view.name == "memref.subview":
                results.append(result)
            else:
                return None
        return AffineMap(rank, 0, tuple(results))


class SubviewOfSubview(RewritePattern):
    """`subview(subview(m))` -> one `subview(m)`"""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        outer: Any = op
        inner: Any = outer.source.owner
        if not isinstance(inner, memref.SubviewOp) or (dropped := dropped_dims(inner)) is None:
            return
        build = Builder(op, op, rewriter)
        offsets, sizes, strides = inner.mixed_offsets(), inner.mixed_sizes(), inner.mixed_strides()
        given = iter(zip(outer.mixed_offsets(), outer.mixed_sizes(), outer.mixed_strides(), strict=True))
        for dim in range(len(offsets)):
            if dim in dropped:
                continue
            offset, size, stride = next(given)
            offsets[dim] = build.apply(add(mul(symbol(0), symbol(1)), symbol(2)), (), (offset, strides[dim], offsets[dim]))
            sizes[dim] = size
            strides[dim] = build.apply(mul(symbol(0), symbol(1)), (), (stride, strides[dim]))
        rewriter.replace(op, memref.SubviewOp.get(inner.source, offsets, sizes, strides, outer.result.type))
