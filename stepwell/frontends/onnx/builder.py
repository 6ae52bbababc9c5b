"""The function under construction: values that are known now, values that will be computed, and the ops between them.

In: op classes of `nn` with operands. Out: the body of one `func.func`. An op whose operands are all small and known is not built but
evaluated, so that the arithmetic on shapes which fills exported models leaves nothing behind. Constants become ops when an op needs them.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import NameLoc, NoneAttr, StringAttr, f32, i8
from xdsl.ir import Attribute, Block, BlockArgument, Operation, Region, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp, PythonValue, Tensor
from stepwell.frontends.onnx.registry import UnsupportedOperator
from stepwell.frontends.onnx.tensors import checked_shape
from stepwell.ir.constants import Array, dense, dtype_of, element_type_of, tensor_type

MAX_FOLDED = 4096
"""Elements of the largest tensor that is computed during import. Shapes, axes and small tables are below it, weights above."""


@dataclass(eq=False, slots=True)
class Value:
    """A tensor of the model: known (`array`), or computed by an op (`ssa`); a known one gets an `ssa` when an op needs it."""

    type: Tensor
    array: Array | None = None
    ssa: SSAValue | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The static shape."""
        return self.type.get_shape()

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def element(self) -> Attribute:
        """The element type."""
        return self.type.element_type

    @property
    def dtype(self) -> np.dtype[Any]:
        """The numpy dtype of the element type."""
        return dtype_of(self.type.element_type)

    @property
    def size(self) -> int:
        """The number of elements."""
        return _size(self.type)


@dataclass(eq=False, slots=True)
class ValueSequence(Value):
    """A list of tensors that is known to the last when the model is compiled; its own type says nothing."""

    parts: list[Value] = field(default_factory=list[Value])

    @classmethod
    def of(cls, parts: Sequence[Value]) -> ValueSequence:
        """The sequence of these values."""
        return cls(tensor_type((0,), f32), parts=list(parts))


@dataclass(eq=False, slots=True)
class ValueAbsent(Value):
    """An optional that holds nothing."""

    @classmethod
    def new(cls) -> ValueAbsent:
        """An empty optional."""
        return cls(tensor_type((0,), f32))


@dataclass(eq=False, slots=True)
class ValueText(Value):
    """A tensor of strings, which no op takes; its shape is known, its element type says nothing.

    It stands in the model (`strings`), or arrives when the program runs as the value `source` of the stage.
    """

    strings: Array | None = None
    source: str = ""

    @classmethod
    def of(cls, shape: Sequence[int], strings: Array | None = None, source: str = "") -> ValueText:
        """Strings of this shape."""
        return cls(tensor_type(tuple(shape), i8), strings=strings, source=source)


def is_broadcast(array: Array) -> bool:
    """Whether all elements are the same one in memory."""
    return array.size > 0 and not any(stride for stride, extent in zip(array.strides, array.shape, strict=True) if extent > 1)


def _size(type: Tensor) -> int:
    return math.prod(type.get_shape())


class FunctionBuilder:
    """Ops are appended in the order of the calls; constants stand before all of them, equal small ones once."""

    def __init__(self, input_types: Sequence[Tensor]) -> None:
        self.block = Block(arg_types=input_types)
        self.location: NameLoc | None = None
        self._constants: list[Operation] = []
        self._ops: list[Operation] = []
        self._known: dict[tuple[Tensor, bytes], SSAValue] = {}
        self._sources: dict[Block, Sequence[SSAValue]] = {}
        """What the arguments of a region come from."""

    def locate(self, name: str) -> None:
        """The ops that follow come from the node of this name."""
        self.location = NameLoc(StringAttr(name), NoneAttr())

    def constant(self, array: Array) -> Value:
        """A known value. It takes the array over; a broadcast scalar stays one element."""
        shape = checked_shape(array.shape, array.itemsize, "a constant")
        return Value(tensor_type(shape, element_type_of(array.dtype)), array)

    def argument(self, index: int) -> Value:
        """An argument of the function."""
        ssa = self.block.args[index]
        return Value(cast(Tensor, ssa.type), None, ssa)

    def op(self, op_class: type[NnOp], operands: Sequence[Value], attributes: dict[str, PythonValue]) -> tuple[Value, ...]:
        """The results of an op: computed now where everything is small and known, else by a new op in the function."""
        if any(isinstance(v, ValueText) for v in operands):
            raise UnsupportedOperator("it takes strings")
        if all(v.array is not None and v.size <= MAX_FOLDED for v in operands):
            placeholders = Block(arg_types=[v.type for v in operands])
            op = op_class.make(*placeholders.args, **attributes)
            types = [cast(Tensor, r.type) for r in op.results]
            if all(_size(t) <= MAX_FOLDED for t in types):
                arrays = op.evaluate(*(cast(Array, v.array) for v in operands))
                return tuple(Value(t, np.asarray(a).reshape(t.get_shape())) for t, a in zip(types, arrays, strict=True))
        op = op_class.make(*(self.ssa(v) for v in operands), **attributes)
        for result in op.results:
            checked_shape(
                cast(Tensor, result.type).get_shape(), dtype_of(cast(Tensor, result.type).element_type).itemsize, f"the result of {op.name}"
            )
        if self.location is not None:
            op.location = self.location
        self._ops.append(op)
        return tuple(Value(cast(Tensor, r.type), None, r) for r in op.results)

    @contextmanager
    def region(self, argument_types: Sequence[Tensor] = (), sources: Sequence[SSAValue] = ()) -> Generator[Block]:
        """The ops that follow, until the end of the `with`, go into this block. Of a region that fails nothing remains."""
        block = Block(arg_types=argument_types)
        self._sources[block] = sources
        outer, location = self._ops, self.location
        inner: list[Operation] = []
        self._ops = inner
        try:
            yield block
            block.add_ops(inner)
        except BaseException:
            for op in reversed(inner):
                op.drop_all_references()
            raise
        finally:
            self._ops, self.location = outer, location

    def regions(self) -> int:
        """How many regions were begun."""
        return len(self._sources)

    def abandon(self, regions: int) -> None:
        """Of the regions begun after so many, nothing is used: what they read has no uses in them any more."""
        for block in list(self._sources)[regions:]:
            for op in reversed(list(block.ops)):
                op.drop_all_references()
            del self._sources[block]

    def add(self, op: Operation) -> tuple[Value, ...]:
        """The results of an op with regions."""
        if self.location is not None:
            op.location = self.location
        self._ops.append(op)
        return tuple(Value(cast(Tensor, r.type), None, r) for r in op.results)

    def written(self) -> Sequence[Operation]:
        """The ops of the function, or of the innermost region, so far."""
        return tuple(self._ops)

    def ssa(self, value: Value) -> SSAValue:
        """The SSA value; makes the constant where there is none yet."""
        if value.ssa is None:
            assert value.array is not None
            value.ssa = self._constant(value.type, value.array)
        return value.ssa

    def _constant(self, type: Tensor, array: Array) -> SSAValue:
        payload = dense(np.asarray(array[(0,) * array.ndim]) if is_broadcast(array) else array, type)
        key = (type, payload.data.data) if len(payload.data.data) <= MAX_FOLDED else None
        if key is not None and key in self._known:
            return self._known[key]
        op = nn.ConstantOp.create(result_types=[type], properties={"value": payload})
        if self.location is not None:
            op.location = self.location
        self._constants.append(op)
        if key is not None:
            self._known[key] = op.results[0]
        return op.results[0]

    def finish(self, name: str, results: Sequence[Value]) -> func.FuncOp:
        """The function that returns these values."""
        returned = [self.ssa(v) for v in results]
        self.block.add_ops([*self._constants, *self._ops, func.ReturnOp(*returned)])
        return func.FuncOp(name, ([a.type for a in self.block.args], [v.type for v in results]), Region(self.block))

    def inputs_behind(self, value: Value) -> list[int]:
        """The numbers of the arguments that a value depends on."""
        found: set[int] = set()
        seen: set[SSAValue] = set()
        pending = [] if value.ssa is None else [value.ssa]
        while pending:
            ssa = pending.pop()
            if ssa in seen:
                continue
            seen.add(ssa)
            if isinstance(ssa.owner, Operation):
                pending.extend(operand for op in ssa.owner.walk() for operand in op.operands)
            elif ssa.owner is self.block:
                found.add(cast(BlockArgument, ssa).index)
            else:
                pending.extend(self._sources.get(ssa.owner, ()))
        return sorted(found)
