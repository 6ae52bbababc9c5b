"""The pass `expand-strided-metadata`: views of buffers as casts, their offsets, sizes and strides computed by affine maps.

What a view has is computed from what its source has (`Metadata`): base, offset, sizes, strides, each a number where it is known.
"""

# xDSL's generic types carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineExpr
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from stepwell.dialects import memref
from stepwell.dialects.layouts import groups_of, has_identity_map, layout_of
from stepwell.dialects.memref.canonical import FoldKnownMetadata
from stepwell.dialects.memref.view_canonical import dropped_dims
from stepwell.dialects.support import mixed
from stepwell.ir.affine_expressions import add, mul, symbol
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.pattern_set import PatternsByName
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily
from stepwell.lowering.building import Builder, Index


@dataclass(frozen=True)
class ExpandStridedMetadata(Pass):
    """Views become casts of the buffer that they are of; what is asked of a view is computed.

    ```mlir
    %v = memref.subview %m[%i, 0] [4, 4] [1, 1] : memref<8x8xf32> to memref<4x4xf32, strided<[8, 1], offset: ?>>
    ```
    becomes
    ```mlir
    %base, %offset, %sizes:2, %strides:2 = memref.extract_strided_metadata %m : memref<8x8xf32> -> memref<f32>, ...
    %o = affine.apply affine_map<()[s0] -> (s0 * 8)>()[%i]
    %v = memref.reinterpret_cast %base to offset: [%o], sizes: [4, 4], strides: [8, 1]
    ```
    """

    name: ClassVar[str] = "expand-strided-metadata"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        rewrite_greedily(op, PatternsByName(PATTERNS), how=Greediness(must_converge=False, unique_constants=True))


@dataclass(frozen=True)
class Metadata:
    """What describes a buffer. The base is made only when somebody asks for it."""

    base: Callable[[], SSAValue]
    offset: Index
    sizes: list[Index]
    strides: list[Index]


def _of_source(build: Builder, source: SSAValue) -> Metadata:
    """That of a value: numbers where its type says them."""
    asked = build.add(memref.ExtractStridedMetaDataOp(source))
    type = cast("MemRefType[Any]", source.type)
    strides, offset = layout_of(type)
    return Metadata(
        lambda: asked.base_buffer,
        asked.offset if offset is None else offset,
        [value if extent == DYNAMIC_INDEX else extent for extent, value in zip(type.get_shape(), asked.sizes, strict=True)],
        [value if stride is None else stride for stride, value in zip(strides, asked.strides, strict=True)],
    )


def _product(build: Builder, *factors: Index) -> Index:
    expr: AffineExpr = AffineConstantExpr(1)
    for number in range(len(factors)):
        expr = mul(expr, symbol(number))
    return build.apply(expr, (), factors)


# ---- views --------------------------------------------------------------------------------------------------------------------------


def _subview(op: Any, build: Builder) -> Metadata | None:
    dropped = dropped_dims(op)
    if dropped is None:
        return None
    source = _of_source(build, op.source)
    strides = [_product(build, step, stride) for step, stride in zip(op.mixed_strides(), source.strides, strict=True)]
    offset: AffineExpr = symbol(0)
    values: list[Index] = [source.offset]
    for start, stride in zip(op.mixed_offsets(), source.strides, strict=True):
        offset = add(offset, mul(symbol(len(values)), symbol(len(values) + 1)))
        values += [start, stride]
    kept = [dim for dim in range(len(strides)) if dim not in dropped]
    sizes = op.mixed_sizes()
    return Metadata(source.base, build.apply(offset, (), values), [sizes[dim] for dim in kept], [strides[dim] for dim in kept])


def _expand_shape(op: Any, build: Builder) -> Metadata | None:
    source = _of_source(build, op.src)
    dynamic = iter(op.output_shape)
    sizes: list[Index] = [next(dynamic) if extent == DYNAMIC_INDEX else int(extent) for extent in op.static_output_shape.get_values()]
    if not source.sizes:
        return Metadata(source.base, source.offset, [1] * len(sizes), [1] * len(sizes))
    strides: list[Index] = [1] * len(sizes)
    for group, stride in zip(groups_of(op.reassociation), source.strides, strict=True):
        running = stride
        for dim in reversed(group):
            strides[dim] = running
            running = _product(build, running, sizes[dim])
    return Metadata(source.base, source.offset, sizes, strides)


def _collapse_shape(op: Any, build: Builder) -> Metadata | None:
    source, type = _of_source(build, op.src), op.result.type
    if not source.sizes:
        return Metadata(source.base, source.offset, [1] * type.get_num_dims(), [1] * type.get_num_dims())
    sizes: list[Index] = []
    strides: list[Index] = []
    for group, extent, stride in zip(groups_of(op.reassociation), type.get_shape(), layout_of(type)[0], strict=True):
        sizes.append(_product(build, *(source.sizes[dim] for dim in group)) if extent == DYNAMIC_INDEX else extent)
        # The stride of an extent of 1 means nothing: that of the innermost other dimension counts.
        counting = [source.strides[dim] for dim in group if source.sizes[dim] != 1]
        unknown = [source.strides[dim] for dim in group if not isinstance(source.strides[dim], int)]
        strides.append(counting[-1] if counting else unknown[0] if stride is None else stride)
    return Metadata(source.base, source.offset, sizes, strides)


VIEWS: Mapping[str, Callable[[Any, Builder], Metadata | None]] = {
    "memref.subview": _subview,
    "memref.expand_shape": _expand_shape,
    "memref.collapse_shape": _collapse_shape,
}
"""Views that become casts."""


class ViewToCast(RewritePattern):
    """A view as `memref.reinterpret_cast` of its source's base."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        found = VIEWS[op.name](op, Builder(op, op, rewriter))
        if found is not None:
            made = memref.ReinterpretCastOp.get(
                found.base(), found.offset, found.sizes, found.strides, cast("MemRefType[Any]", op.results[0].type)
            )
            rewriter.replace(op, made)


# ---- what is asked of views -----------------------------------------------------------------------------------------------------------


def _fresh(op: Any, build: Builder, sizes: Sequence[Index], base: Any) -> Metadata:
    """A buffer without gaps."""
    strides: list[Index] = [1] * len(sizes)
    for dim in range(len(sizes) - 2, -1, -1):
        inner = sizes[dim + 1 :]
        if all(isinstance(size, int) for size in inner):
            strides[dim] = prod(cast("Sequence[int]", inner))
        else:
            strides[dim] = _product(build, *inner)

    def flat() -> SSAValue:
        value = op.results[0]
        return value if value.type == base else build.add(memref.ReinterpretCastOp.get(value, 0, [], [], base)).results[0]

    return Metadata(flat, 0, list(sizes), strides)


def _alloc(op: Any, build: Builder, base: Any) -> Metadata | None:
    type = cast("MemRefType[Any]", op.results[0].type)
    if not has_identity_map(type):
        return None
    dynamic = iter(cast("Sequence[SSAValue]", getattr(op, "dynamic_sizes", ())))
    return _fresh(op, build, [next(dynamic) if extent == DYNAMIC_INDEX else extent for extent in type.get_shape()], base)


def _reinterpret_cast(op: Any, build: Builder, base: Any) -> Metadata | None:
    if not isinstance(op.source.type, MemRefType):
        return None
    source = _of_source(build, op.source)
    return Metadata(
        source.base, mixed(op.static_offsets, op.offsets)[0], mixed(op.static_sizes, op.sizes), mixed(op.static_strides, op.strides)
    )


def _memory_space_cast(op: Any, build: Builder, base: Any) -> Metadata | None:
    if not isinstance(op.source.type, MemRefType):
        return None
    asked = build.add(memref.ExtractStridedMetaDataOp(op.source))

    def moved() -> SSAValue:
        return build.add(type(op).create(operands=[asked.base_buffer], result_types=[base])).results[0]

    return Metadata(moved, asked.offset, list(asked.sizes), list(asked.strides))


def _assume_alignment(op: Any, build: Builder, base: Any) -> Metadata | None:
    asked = build.add(memref.ExtractStridedMetaDataOp(op.operands[0]))
    return Metadata(lambda: asked.base_buffer, asked.offset, list(asked.sizes), list(asked.strides))


def _metadata(op: Any, build: Builder, base: Any) -> Metadata | None:
    return Metadata(lambda: op.base_buffer, 0, [], [])


SOURCES: Mapping[str, Callable[[Any, Builder, Any], Metadata | None]] = {
    **{name: lambda op, build, _, view=view: view(op, build) for name, view in VIEWS.items()},
    "memref.alloc": _alloc,
    "memref.alloca": _alloc,
    "memref.get_global": _alloc,
    "memref.reinterpret_cast": _reinterpret_cast,
    "memref.memory_space_cast": _memory_space_cast,
    "memref.assume_alignment": _assume_alignment,
    "memref.extract_strided_metadata": _metadata,
}
"""What the metadata of a result is, by the operation that makes it, and the type of the base."""


class AskSource(RewritePattern):
    """`extract_strided_metadata` of a view, computed from that of its source; of a new buffer, from its sizes."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        asked: Any = op
        maker = asked.source.owner
        if not isinstance(maker, Operation) or maker.name not in SOURCES:
            return
        if maker.name == "memref.extract_strided_metadata" and asked.source is not maker.results[0]:
            return
        build = Builder(op, maker, rewriter)
        found = SOURCES[maker.name](maker, build, asked.base_buffer.type)
        if found is None:
            return
        base = found.base() if asked.base_buffer.first_use is not None else None
        values = [build.index(value) for value in (found.offset, *found.sizes, *found.strides)]
        rewriter.replace(op, [], [base, *values])


class AlignedPointerOfView(RewritePattern):
    """A view that moves no base has the pointer of its source."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        maker = op.operands[0].owner
        if isinstance(maker, Operation) and maker.name in ("memref.subview", "memref.reinterpret_cast"):
            op.operands[0] = maker.operands[0]
            rewriter.notify_op_modified(op)


PATTERNS: dict[str, Sequence[RewritePattern]] = {
    **{name: (ViewToCast(),) for name in VIEWS},
    "memref.extract_strided_metadata": (AskSource(), FoldKnownMetadata()),
    "memref.extract_aligned_pointer_as_index": (AlignedPointerOfView(),),
}
"""By operation."""
