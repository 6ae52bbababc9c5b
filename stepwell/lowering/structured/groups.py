"""Grouped convolutions in kernels: which values get an explicit axis for the groups.

In: the ops of a kernel at level 1. Out: for arguments and results of the kernel, the type with the channels split into [groups, channels
of a group]. A convolution in groups then reads (g, ci) and writes (g, oc), so that no product of extents stands in a map. The split must
reach everything that the convolution touches up to the borders of the kernel, where the caller expands and collapses shapes; where it
cannot (the kernel holds an op that is neither elementwise nor such a convolution, or channels come first), nothing is split and the
lowering subscripts with `oc floordiv n`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects import func
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Block, Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp, number
from stepwell.ir.constants import tensor_type
from stepwell.lowering.structured.conv import is_depthwise
from stepwell.lowering.structured.elementwise import SCALARS
from stepwell.lowering.structured.scalars import signless


def _splits(op: Operation) -> bool:
    """Whether an op is a convolution that wants its groups explicit."""
    return isinstance(op, nn.ConvOp) and number(op.groups) > 1 and op.layout.data == "channels_last" and not is_depthwise(op)


def split_groups(ops: Sequence[Operation], terminator: func.ReturnOp) -> dict[SSAValue, TensorType[Any]]:
    """The split, signless types of the values that have one; empty where no split is possible."""
    convolutions = [op for op in ops if _splits(op)]
    groups = {number(cast(nn.ConvOp, op).groups) for op in convolutions}
    if len(groups) != 1:
        return {}
    (count,) = groups
    types: dict[SSAValue, TensorType[Any]] = {}
    work: list[SSAValue] = [value for op in convolutions for value in (*op.operands, *op.results)]
    while work:
        value = work.pop()
        if value in types:
            continue
        split = _split_type(value, count)
        if split is None:
            return {}
        types[value] = split
        neighbours = [] if isinstance(value.owner, Block) else [value.owner]
        neighbours += [use.operation for use in value.uses if use.operation is not terminator]
        for op in neighbours:
            if op in convolutions:
                # Weights and data are split differently, but by the same number of groups.
                work += [*op.operands, *op.results]
            elif isinstance(op, NnOp) and type(op) in SCALARS:
                work += [v for v in (*op.operands, *op.results) if cast(TensorType[Any], v.type).get_shape()]
            else:
                return {}
    return types


def _split_type(value: SSAValue, groups: int) -> TensorType[Any] | None:
    type = cast(TensorType[Any], value.type)
    *shape, channels = type.get_shape()
    if channels == 1:
        return tensor_type((*shape, 1, 1), signless(type.element_type))
    if channels % groups:
        return None
    return tensor_type((*shape, groups, channels // groups), signless(type.element_type))
