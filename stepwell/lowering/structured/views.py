"""What `@main` does without computing: reshapes, slices, pads, concatenations and constants as ops of `tensor` and `arith`.

In: `nn` view ops between calls of kernels. Out: `tensor.collapse_shape` / `expand_shape`, `extract_slice`, `pad`, `empty` +
`insert_slice`, and `arith.constant`. Bufferisation turns them into views: kernels write straight into the slice of a concatenation or the
interior of a pad.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, DenseIntOrFPElementsAttr, IntegerAttr, TensorType, i32, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from stepwell.dialects import arith, nn, tensor
from stepwell.dialects.nn.base import NnOp, int_list, ints, number
from stepwell.ir.constants import DYNAMIC, tensor_type
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.structured.kernels import location_of
from stepwell.lowering.structured.narrow_types import stored_number
from stepwell.lowering.structured.scalars import INDEX, Scalars, signless

Insert = Callable[[Operation], SSAValue]
Tensor = TensorType[Any]


def signless_type(type: Attribute) -> Attribute:
    """A tensor type at level 2: `tensor<2xui8>` is `tensor<2xi8>`."""
    if not isinstance(type, TensorType):
        return type
    tensor = cast(Tensor, type)
    element = signless(tensor.element_type)
    return tensor if element == tensor.element_type else tensor_type(tensor.get_shape(), element)


def signless_constant(value: DenseIntOrFPElementsAttr[Any]) -> DenseIntOrFPElementsAttr[Any]:
    """The same bytes with a signless type."""
    type = signless_type(value.type)
    return value if type == value.type else DenseIntOrFPElementsAttr(cast(Tensor, type), value.data)


def constant(value: DenseIntOrFPElementsAttr[Any]) -> Operation:
    """`arith.constant` of a dense tensor."""
    value = signless_constant(value)
    return arith.ConstantOp.create(result_types=(value.type,), properties={"value": value})


# ---- reshapes -----------------------------------------------------------------------------------------------------------------------

Groups = list[tuple[list[int], list[int]]]


def common_groups(before: Sequence[int], after: Sequence[int]) -> Groups | None:
    """The finest groups of adjacent axes of two shapes whose products of extents agree; None where there are none (empty or dynamic)."""
    if 0 in before or 0 in after or DYNAMIC in before or DYNAMIC in after:
        return None
    groups: Groups = []
    i = j = 0
    while i < len(before) and j < len(after):
        left, right = [i], [j]
        a, b = before[i], after[j]
        i, j = i + 1, j + 1
        while a != b:
            if a < b:
                if i == len(before):
                    return None
                a *= before[i]
                left.append(i)
                i += 1
            else:
                if j == len(after):
                    return None
                b *= after[j]
                right.append(j)
                j += 1
        # Extents of 1 that only one side has belong to the group before them.
        while i < len(before) and before[i] == 1 and (j == len(after) or after[j] != 1):
            left.append(i)
            i += 1
        while j < len(after) and after[j] == 1 and (i == len(before) or before[i] != 1):
            right.append(j)
            j += 1
        groups.append((left, right))
    return groups if i == len(before) and j == len(after) else None


def _reassociation(groups: Sequence[Sequence[int]]) -> Attribute:
    return ArrayAttr([ArrayAttr([IntegerAttr(d, i64) for d in group]) for group in groups])


def collapse(x: SSAValue, groups: Sequence[Sequence[int]], insert: Insert) -> SSAValue:
    """`tensor.collapse_shape`."""
    type = cast(Tensor, x.type)
    shape = type.get_shape()
    extents: list[int] = []
    for group in groups:
        extent = 1
        for d in group:
            extent *= shape[d]
        extents.append(extent)
    result = tensor_type(tuple(extents), type.element_type)
    return insert(
        tensor.CollapseShapeOp.create(operands=(x,), result_types=(result,), properties={"reassociation": _reassociation(groups)})
    )


def expand(x: SSAValue, groups: Sequence[Sequence[int]], shape: Sequence[int], insert: Insert) -> SSAValue:
    """`tensor.expand_shape` to a static shape."""
    result = tensor_type(tuple(shape), cast(Tensor, x.type).element_type)
    properties = {"reassociation": _reassociation(groups), "static_output_shape": int_list(tuple(shape))}
    return insert(tensor.ExpandShapeOp.create(operands=(x,), result_types=(result,), properties=properties))


def reshape(x: SSAValue, shape: Sequence[int], insert: Insert) -> SSAValue:
    """A value in another shape: nothing, a collapse, an expansion, or both."""
    before, after = cast(Tensor, x.type).get_shape(), tuple(shape)
    if before == after:
        return x
    if not before:
        return expand(x, [], after, insert)
    if not after:
        return collapse(x, [], insert)
    groups = common_groups(before, after)
    if groups is None:
        # Nothing is known of where the extents meet: everything is one group.
        groups = [(list(range(len(before))), list(range(len(after))))]
    if any(len(left) > 1 for left, _ in groups):
        x = collapse(x, [left for left, _ in groups], insert)
    if any(len(right) > 1 for _, right in groups):
        x = expand(x, [right for _, right in groups], after, insert)
    return x


# ---- the other views ----------------------------------------------------------------------------------------------------------------


def _segments(*counts: int) -> DenseArrayBase[Any]:
    return DenseArrayBase.from_list(i32, list(counts))


def _slice(op: nn.SliceOp, x: SSAValue, insert: Insert) -> SSAValue:
    if min(ints(op.steps), default=1) < 1:
        hint = "run nn-form-kernels, which makes it a kernel"
        raise CompileError("nn.slice with a negative step is no view", location=location_of(op), hint=hint)
    result = cast(Tensor, signless_type(op.result_type))
    properties = {
        "static_offsets": op.starts,
        "static_sizes": int_list(result.get_shape()),
        "static_strides": op.steps,
        "operandSegmentSizes": _segments(1, 0, 0, 0),
    }
    return insert(tensor.ExtractSliceOp.create(operands=(x,), result_types=(result,), properties=properties))


def _pad(op: nn.PadOp, x: SSAValue, insert: Insert) -> SSAValue:
    if op.mode.data != "constant":
        hint = "run nn-form-kernels, which makes it a kernel"
        raise CompileError(f"nn.pad of mode {op.mode.data} is no view", location=location_of(op), hint=hint)
    low, high = ints(op.low), ints(op.high)
    if not any((*low, *high)):
        return x
    result = cast(Tensor, signless_type(op.result_type))
    body = Block(arg_types=[INDEX] * len(low))
    value = Scalars(body).constant(stored_number(number(op.value), op.result_type.element_type), result.element_type)
    body.add_op(tensor.YieldOp.create(operands=(value,)))
    properties = {"static_low": op.low, "static_high": op.high, "operandSegmentSizes": _segments(1, 0, 0)}
    return insert(tensor.PadOp.create(operands=(x,), result_types=(result,), properties=properties, regions=(Region(body),)))


def _concat(op: nn.ConcatOp, parts: Sequence[SSAValue], insert: Insert) -> SSAValue:
    if len(parts) == 1:
        return parts[0]
    result = cast(Tensor, signless_type(op.result_type))
    axis: int = number(op.axis)
    rank, start = len(result.get_shape()), 0
    whole = insert(tensor.EmptyOp.create(result_types=(result,)))
    for part in parts:
        shape = cast(Tensor, part.type).get_shape()
        properties = {
            "static_offsets": int_list(tuple(start if d == axis else 0 for d in range(rank))),
            "static_sizes": int_list(shape),
            "static_strides": int_list((1,) * rank),
            "operandSegmentSizes": _segments(1, 1, 0, 0, 0),
        }
        whole = insert(tensor.InsertSliceOp.create(operands=(part, whole), result_types=(result,), properties=properties))
        start += shape[axis]
    return whole


def lower_view(op: NnOp, insert: Insert) -> SSAValue | None:
    """What stands for a view op or a constant from now on; None if it is neither."""
    match op:
        case nn.ConstantOp():
            return insert(constant(op.value))
        case nn.ReshapeOp():
            return reshape(op.x, op.result_type.get_shape(), insert)
        case nn.SliceOp():
            return _slice(op, op.x, insert)
        case nn.PadOp():
            return _pad(op, op.x, insert)
        case nn.ConcatOp():
            return _concat(op, op.parts, insert)
        case _:
            return None
