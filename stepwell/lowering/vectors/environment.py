"""What the values of an affine function have become at level 4, and registers: buffers that live on as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, FloatAttr, IntegerAttr, VectorType
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.index import Index
from stepwell.lowering.schedule.nest import buffer_type, element_type
from stepwell.lowering.vectors.writer import Shape, Writer, vector_type

Dims = tuple[int, ...]
"""Numbers of a nest's point loops, ascending."""


@dataclass(slots=True)
class Value:
    """A value of the body: a scalar, or a vector over some of the nest's loops. Constants are kept as attributes until they are needed."""

    ssa: SSAValue | None
    dims: Dims = ()
    shape: Shape | None = None
    """The shape of the vector at hand, which may lack or add extents of 1 against the canonical one; None for a scalar."""
    constant: FloatAttr[Any] | IntegerAttr[Any] | None = None


class Environment:
    """What the values of the affine function have become, shared by all nests of a function."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.values: dict[SSAValue, SSAValue] = {}
        """Scalars and memrefs that were rewritten."""
        self.constants: dict[SSAValue, FloatAttr[Any] | IntegerAttr[Any]] = {}
        """Scalar constants; written where they are used as scalars."""
        self.indices: dict[SSAValue, Index] = {}
        """Induction variables and results of affine.apply, as sums over new values."""
        self.registers: dict[SSAValue, SSAValue | None] = {}
        """Buffers that live in registers: their current value, None before the first store."""

    def scalar(self, old: SSAValue) -> SSAValue:
        """The new value of a scalar or a memref."""
        if (constant := self.constants.get(old)) is not None:
            return self.writer.scalar(constant)
        if (index := self.indices.get(old)) is not None:
            return self.writer.index(index)
        return self.values.get(old, old)

    def translate(self, index: Index) -> Index:
        """A sum over old values as a sum over new ones. Variables of point loops stay."""
        replacements = {value: self._sum_of(value) for value in index.values()}
        return index.replace(replacements)

    def _sum_of(self, old: SSAValue) -> Index:
        if (index := self.indices.get(old)) is not None:
            return index
        if (constant := self.constants.get(old)) is not None:
            return Index({}, int(constant.value.data))
        return Index.of(self.values.get(old, old))

    def register(self, buffer: SSAValue) -> SSAValue:
        """The current value of a register; zero where nothing was stored yet."""
        value = self.registers[buffer]
        if value is None:
            type = register_type(buffer)
            is_vector = isinstance(type, VectorType)
            value = self.writer.splat(0, cast(VectorType[Any], type)) if is_vector else self.writer.zero(type)
            self.registers[buffer] = value
        return value


def register_type(buffer: SSAValue) -> Attribute:
    """The type of a register's value: the element of a rank-0 buffer, else a vector of the buffer's shape."""
    shape = buffer_type(buffer).get_shape()
    return vector_type(tuple(shape), element_type(buffer)) if shape else element_type(buffer)


def constant_value(op: Operation) -> Value:
    """A scalar constant, kept as its attribute."""
    value = op.properties["value"]
    if isinstance(value, DenseIntOrFPElementsAttr):
        raise CompileError("a kernel holds a constant that is not a scalar before it is vectorised")
    return Value(None, constant=value)  # pyright: ignore[reportArgumentType]
