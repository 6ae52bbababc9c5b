"""How dimensions of extent 1 leave a tensor or memref and come back: reassociative reshapes, or rank-reducing slices."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import MemRefType, NoneAttr, TensorType
from xdsl.ir import SSAValue

from stepwell.dialects import memref, tensor
from stepwell.dialects.layouts import layout_of, strided
from stepwell.dialects.support import reassociation_attr
from stepwell.lowering.building import Builder

Groups = list[list[int]]


def groups_around(dropped: Sequence[bool]) -> Groups:
    """One group for each dimension that stays, with those that go behind it, the first one also with those in front of it."""
    groups: Groups = []
    pending: list[int] = []
    for position, goes in enumerate(dropped):
        if goes:
            (groups[-1] if groups else pending).append(position)
        else:
            groups.append([*pending, position])
            pending = []
    return groups


class Reduction(ABC):
    """A way to lower and raise the rank."""

    def may(self, value: SSAValue) -> bool:
        """Whether the rank of a value can be lowered."""
        type = value.type
        if isinstance(type, MemRefType):
            return isinstance(type.layout, NoneAttr)
        return isinstance(type, TensorType) and isinstance(type.encoding, NoneAttr)

    @abstractmethod
    def lower(self, value: SSAValue, dropped: Sequence[bool], build: Builder) -> SSAValue:
        """The value without these dimensions."""

    @abstractmethod
    def raise_(self, value: SSAValue, like: SSAValue, dropped: Sequence[bool], build: Builder) -> SSAValue:
        """A tensor with these dimensions again, of the type of another tensor."""


def _shape(value: SSAValue, dropped: Sequence[bool]) -> list[int]:
    type: Any = value.type
    return [size for size, goes in zip(type.get_shape(), dropped, strict=True) if not goes]


class Reshapes(Reduction):
    """`tensor.collapse_shape`, `memref.collapse_shape`, `tensor.expand_shape`"""

    def lower(self, value: SSAValue, dropped: Sequence[bool], build: Builder) -> SSAValue:
        groups, type = groups_around(dropped), value.type
        if isinstance(type, MemRefType):
            new = MemRefType(type.element_type, _shape(value, dropped), type.layout, type.memory_space)
            properties = {"reassociation": reassociation_attr(groups)}
            return build.add(memref.CollapseShapeOp.create(operands=[value], properties=properties, result_types=[new])).results[0]
        assert isinstance(type, TensorType)
        new = TensorType(type.element_type, _shape(value, dropped))
        return build.add(tensor.CollapseShapeOp.get(value, groups, new)).result

    def raise_(self, value: SSAValue, like: SSAValue, dropped: Sequence[bool], build: Builder) -> SSAValue:
        kept = iter(build.extents(value))
        made = tensor.ExpandShapeOp.get(value, groups_around(dropped), [1 if goes else next(kept) for goes in dropped])
        return build.add(made).result


class Slices(Reduction):
    """`tensor.extract_slice`, `memref.subview`, `tensor.insert_slice`"""

    def lower(self, value: SSAValue, dropped: Sequence[bool], build: Builder) -> SSAValue:
        type: Any = value.type
        zeros, ones, sizes = [0] * len(dropped), [1] * len(dropped), build.extents(value)
        if isinstance(type, MemRefType):
            full = memref.SubviewOp.infer_result_type(type, zeros, sizes, ones)
            strides, offset = layout_of(full)
            kept = tuple(stride for stride, goes in zip(strides, dropped, strict=True) if not goes)
            new = strided(full, _shape(value, dropped), kept, offset)
            return build.add(memref.SubviewOp.get(value, zeros, sizes, ones, new)).results[0]
        new = TensorType(type.element_type, _shape(value, dropped))
        return build.add(tensor.ExtractSliceOp(value, zeros, sizes, ones, new)).result

    def raise_(self, value: SSAValue, like: SSAValue, dropped: Sequence[bool], build: Builder) -> SSAValue:
        zeros, ones = [0] * len(dropped), [1] * len(dropped)
        return build.add(tensor.InsertSliceOp(value, like, zeros, build.extents(like), ones)).result
