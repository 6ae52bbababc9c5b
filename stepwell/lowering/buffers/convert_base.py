"""What the conversion of tensors to buffers stands on: the buffers of the tensors of a function, and operations made on the way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerAttr, MemRefType, UnrankedMemRefType, i64
from xdsl.dialects.memref import AllocOp, DimOp
from xdsl.ir import Attribute, BlockArgument, Operation, OpResult, Region, SSAValue

from stepwell.dialects import memref
from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.arith import ConstantOp
from stepwell.dialects.bufferization import ToBufferOp, ToTensorOp
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.lowering.buffers.prediction import Prediction
from stepwell.lowering.buffers.types import from_outside, is_certain_cast

ALIGNMENT = 64
Global = Callable[[Any], str]
"""Gives the name of a constant's `memref.global`."""


def dim_of(buffer: SSAValue, index: SSAValue) -> DimOp:
    """An extent of a buffer."""
    return DimOp.create(operands=[buffer, index], result_types=[INDEX])


class Buffers(ABC):
    """The buffers of the tensors of one function."""

    def __init__(self, globals: Global, callees: dict[str, Any], unknown: str, returns: str | None, *, lenient: bool) -> None:
        """`returns=None`: the boundary of the function stays in tensors; `lenient` keeps operations that are not known."""
        self._global = globals
        self._callees = callees
        self._unknown = unknown
        self._returns = returns
        self._lenient = lenient
        self._buffers: dict[SSAValue, SSAValue] = {}
        self._dead: list[Operation] = []
        self._old_arguments: list[BlockArgument] = []
        self._at: Operation | None = None
        self.prediction = Prediction(self._buffers, callees, unknown)
        self.returned: list[tuple[Operation, list[Attribute]]] = []

    def region(self, region: Region) -> None:
        for block in region.blocks:
            for op in list(block.ops):
                self._convert(op)

    def finish(self) -> None:
        """Erase what was converted."""
        for op in reversed(self._dead):
            op.detach()
            op.erase(safe_erase=False)
        for argument in self._old_arguments:
            argument.block.erase_arg(argument)

    # ---- making operations

    def _insert(self, *ops: Operation) -> Operation:
        """New operations in front of the one that is converted."""
        assert self._at is not None
        assert self._at.parent is not None
        for op in ops:
            op.location = self._at.location
        self._at.parent.insert_ops_before(list(ops), self._at)
        return ops[-1]

    def _index(self, value: int) -> SSAValue:
        return self._insert(ConstantOp(IntegerAttr(value, INDEX))).results[0]

    def _alloc(self, type: Attribute, sizes: Sequence[SSAValue]) -> SSAValue:
        made = AllocOp(dynamic_sizes=sizes, symbol_operands=[], result_type=type, alignment=IntegerAttr(ALIGNMENT, i64))
        return self._insert(made).results[0]

    def _alloc_like(self, buffer: SSAValue, type: Attribute) -> SSAValue:
        """A new buffer of the extents of another one."""
        shape = cast("MemRefType[Any]", type).get_shape()
        numbers = [dim for dim, extent in enumerate(shape) if extent == DYNAMIC_INDEX]
        return self._alloc(type, [self._insert(dim_of(buffer, self._index(dim))).results[0] for dim in numbers])

    def _copied(self, buffer: SSAValue, type: Attribute) -> SSAValue:
        if type.name != MemRefType.name:
            assert self._at is not None
            raise CompileError(f"'{self._at.name}' op needs a copy of a tensor of unknown rank", location=place(self._at))
        made = self._alloc_like(buffer, type)
        self._insert(memref.CopyOp(buffer, made))
        return made

    def _fitted(self, buffer: SSAValue, type: Attribute) -> SSAValue:
        """The buffer as one of that type: cast where the cast only forgets, copied otherwise."""
        if buffer.type == type:
            return buffer
        if is_certain_cast(buffer.type, type):
            return self._insert(memref.CastOp.get(buffer, cast(Any, type))).results[0]
        return self._copied(buffer, type)

    # ---- values

    def _buffer(self, value: SSAValue) -> SSAValue:
        found = self._buffers.get(value)
        if found is not None:
            return found
        if isinstance(value.type, (MemRefType, UnrankedMemRefType)):
            return value
        made = ToBufferOp(operands=[value], result_types=[from_outside(value.type, self._unknown)])
        if isinstance(value, OpResult):
            block, following = value.op.parent, value.op.next_op
        else:
            assert isinstance(value, BlockArgument)
            block, following = value.block, value.block.first_op
        assert block is not None
        assert following is not None
        block.insert_op_before(made, following)
        self._buffers[value] = made.memref
        return made.memref

    def _tensor(self, value: SSAValue) -> SSAValue:
        """The value as a tensor again, for an operation that is not known."""
        buffer = self._buffers.get(value)
        if buffer is None:
            return value
        return self._insert(ToTensorOp(operands=[buffer], result_types=[value.type])).results[0]

    def _set(self, op: Operation, *buffers: SSAValue) -> None:
        for result, buffer in zip(op.results, buffers, strict=True):
            self._buffers[result] = buffer

    @abstractmethod
    def _convert(self, op: Operation) -> None:
        """Convert one operation."""

    def _gone(self, op: Operation) -> None:
        self._dead.append(op)

    def _rebuilt(self, op: Operation, operands: Sequence[SSAValue], types: Sequence[Attribute]) -> Operation:
        """The same operation on other operands, its regions moved."""
        regions = [op.detach_region(region) for region in list(op.regions)]
        made = type(op).create(
            operands=operands,
            result_types=types,
            properties=dict(op.properties),
            attributes=dict(op.attributes),
            regions=regions,
        )
        self._insert(made)
        self._gone(op)
        return made
