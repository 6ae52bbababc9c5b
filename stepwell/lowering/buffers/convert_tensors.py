"""Operations of `tensor` on buffers: slices are views, elements are loaded and stored, what is made of nothing is allocated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType, NoneAttr
from xdsl.dialects.memref import LoadOp, StoreOp
from xdsl.ir import Attribute, Block, Region, SSAValue

from stepwell.dialects import linalg, memref
from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.arith import AddiOp
from stepwell.dialects.layouts import groups_of, has_identity_map
from stepwell.dialects.linalg.dims import MapOp
from stepwell.dialects.memref.more import ReshapeOp
from stepwell.lowering.buffers.convert_base import Buffers, dim_of
from stepwell.lowering.buffers.types import collapsed, plain, reshaped, sliced


class TensorConversion(Buffers):
    """How operations of `tensor` become operations on buffers."""

    def _cast(self, op: Any) -> None:
        buffer = self._buffer(op.source)
        type = reshaped(buffer.type, op.dest.type)
        same_type = buffer.type == type
        self._set(op, buffer if same_type else self._insert(memref.CastOp.get(buffer, cast(Any, type))).results[0])
        self._gone(op)

    def _dim(self, op: Any) -> None:
        op.result.replace_all_uses_with(self._insert(dim_of(self._buffer(op.source), op.index)).results[0])
        self._gone(op)

    def _rank(self, op: Any) -> None:
        made = memref.RankOp.create(operands=[self._buffer(op.tensor)], result_types=[INDEX])
        op.results[0].replace_all_uses_with(self._insert(made).results[0])
        self._gone(op)

    def _extract(self, op: Any) -> None:
        op.result.replace_all_uses_with(self._insert(LoadOp.get(self._buffer(op.tensor), op.indices)).results[0])
        self._gone(op)

    def _insert_element(self, op: Any) -> None:
        buffer = self._buffer(op.dest)
        self._insert(StoreOp.get(op.scalar, buffer, op.indices))
        self._set(op, buffer)
        self._gone(op)

    def _subview(self, op: Any, buffer: SSAValue, part: Attribute) -> SSAValue:
        type = sliced(cast(Any, buffer.type), op, part)
        return self._insert(memref.SubviewOp.get(buffer, op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides(), type)).results[0]

    def _extract_slice(self, op: Any) -> None:
        self._set(op, self._subview(op, self._buffer(op.source), op.result.type))
        self._gone(op)

    def _insert_slice(self, op: Any) -> None:
        source, dest = self._buffer(op.source), self._buffer(op.dest)
        self._insert(memref.CopyOp(source, self._subview(op, dest, op.source.type)))
        if op.results:
            self._set(op, dest)
        self._gone(op)

    def _collapse(self, op: Any) -> None:
        buffer, groups = self._buffer(op.src), groups_of(op.reassociation)
        if collapsed(cast(Any, buffer.type), groups) is None:  # with gaps between
            buffer = self._copied(buffer, plain(op.src.type))
        self._set(op, self._insert(memref.CollapseShapeOp.get(buffer, groups)).results[0])
        self._gone(op)

    def _expand(self, op: Any) -> None:
        made = memref.ExpandShapeOp.get(self._buffer(op.src), groups_of(op.reassociation), op.mixed_output_shape())
        self._set(op, self._insert(made).results[0])
        self._gone(op)

    def _reshape(self, op: Any) -> None:
        buffer, shape = self._buffer(op.source), self._buffer(op.shape)
        space: Attribute = NoneAttr()
        if isinstance(buffer.type, MemRefType):
            type = cast("Any", buffer).type
            space = type.memory_space
            if not has_identity_map(type):
                buffer = self._copied(buffer, plain(op.source.type, space))
        made = ReshapeOp.create(operands=[buffer, shape], result_types=[plain(op.result.type, space)])
        self._set(op, self._insert(made).results[0])
        self._gone(op)

    def _from_elements(self, op: Any) -> None:
        buffer = self._alloc(plain(op.result.type), [])
        shape = op.result.type.get_shape()
        for position, value in enumerate(op.elements):
            indices: list[SSAValue] = []
            for extent in reversed(shape):
                position, index = divmod(position, extent)
                indices.insert(0, self._index(index))
            self._insert(StoreOp.get(value, buffer, indices))
        self._set(op, buffer)
        self._gone(op)

    def _splat(self, op: Any) -> None:
        buffer = self._alloc(plain(op.result.type), op.dynamicSizes)
        self._insert(linalg.FillOp(inputs=[op.input], outputs=[buffer], res=[]))
        self._set(op, buffer)
        self._gone(op)

    def _mapped(self, op: Any, region: Region, buffer: SSAValue) -> None:
        """`linalg.map` of a region that computes an element from its subscripts."""
        element = cast(Any, buffer.type).element_type
        old = region.block
        body = Block(arg_types=[element])
        numbers = [linalg.IndexOp(dim) for dim in range(len(old.args))]
        body.add_ops(numbers)
        for argument, number in zip(old.args, numbers, strict=True):
            argument.replace_all_uses_with(number.results[0])
        for inner in list(old.ops):
            inner.detach()
            body.add_op(linalg.YieldOp(*inner.operands) if inner.name == "tensor.yield" else inner)
        made = MapOp.create(operands=[buffer], result_types=[], regions=[Region(body)])
        self._insert(made)
        self.region(made.regions[0])
        self._at = op

    def _generate(self, op: Any) -> None:
        buffer = self._alloc(plain(op.result.type), op.dynamicExtents)
        self._mapped(op, op.body, buffer)
        self._set(op, buffer)
        self._gone(op)

    def _pad(self, op: Any) -> None:
        source = self._buffer(op.source)
        low, high = op.mixed_low(), op.mixed_high()
        extents = op.result.type.get_shape()
        sizes: list[SSAValue] = []
        for dim, extent in enumerate(extents):
            if extent == DYNAMIC_INDEX:
                size = self._insert(dim_of(source, self._index(dim))).results[0]
                for amount in (low[dim], high[dim]):
                    added: Any = self._index(amount) if isinstance(amount, int) else amount
                    size = self._insert(AddiOp(size, added)).results[0]
                sizes.append(size)
        buffer = self._alloc(plain(op.result.type, getattr(source.type, "memory_space", None)), sizes)
        self._mapped(op, op.region, buffer)
        inside: list[Any] = [
            self._insert(dim_of(source, self._index(dim))).results[0] if extent == DYNAMIC_INDEX else extent
            for dim, extent in enumerate(op.source.type.get_shape())
        ]
        view = self._insert(memref.SubviewOp.get(buffer, low, inside, [1] * len(inside))).results[0]
        self._insert(memref.CopyOp(source, view))
        self._set(op, buffer)
        self._gone(op)

    TENSORS: ClassVar[dict[str, Callable[[Any, Any], None]]] = {
        "tensor.cast": _cast,
        "tensor.collapse_shape": _collapse,
        "tensor.dim": _dim,
        "tensor.expand_shape": _expand,
        "tensor.extract": _extract,
        "tensor.extract_slice": _extract_slice,
        "tensor.from_elements": _from_elements,
        "tensor.generate": _generate,
        "tensor.insert": _insert_element,
        "tensor.insert_slice": _insert_slice,
        "tensor.pad": _pad,
        "tensor.parallel_insert_slice": _insert_slice,
        "tensor.rank": _rank,
        "tensor.reshape": _reshape,
        "tensor.splat": _splat,
    }
