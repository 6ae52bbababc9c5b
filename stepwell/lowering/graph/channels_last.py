"""Convolutions, pools and what stands between them work on channels-last data; transposes vanish.

In: canonical level 1, data [N, C, spatial...]. Out: `conv`, `conv_transpose` and pools with `layout = "channels_last"` (data [N,
spatial..., C], weights [kernel..., I, O]), 1x1 convolutions as matmuls, and the ops between them rewritten to that order of dimensions.
One walk in program order; `Layouts` keeps book of how each value is stored. A transpose costs nothing where it stands: it is made only
for an operation that needs the other order (a matmul over another dimension, a reshape that merges dimensions that are not neighbours,
the end of the graph). Graphs without convolutions keep their order for the same reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp, floats, ints, number
from stepwell.dialects.nn.binary import BinaryOp
from stepwell.dialects.nn.pool import PoolOp
from stepwell.dialects.nn.reduce import ArgOp, ReduceOp
from stepwell.dialects.nn.unary import UnaryOp
from stepwell.ir.constants import tensor_type
from stepwell.ir.passes import Pass
from stepwell.lowering.graph.layouts import Layouts, Permutation, identity, order, stored_shape
from stepwell.lowering.graph.values import constant_attribute, element_of, shape_of, size_of


@dataclass(frozen=True)
class ToChannelsLast(Pass):
    """Store data with the channels last, and transpose only where something needs it.

    ```mlir
    %y = nn.conv %x, %w pads = [1, 1, 1, 1] : tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32> -> tensor<1x4x8x8xf32>
    %r = nn.relu %y : tensor<1x4x8x8xf32>
    %m = nn.reduce_mean %r axes = [2, 3] : tensor<1x4x8x8xf32> -> tensor<1x4xf32>
    ```
    becomes
    ```mlir
    %t = nn.transpose %x permutation = [0, 2, 3, 1] : tensor<1x3x8x8xf32> -> tensor<1x8x8x3xf32>
    %y = nn.conv %t, %wt pads = [1, 1, 1, 1] layout = "channels_last" : tensor<1x8x8x3xf32>, tensor<3x3x3x4xf32> -> tensor<1x8x8x4xf32>
    %r = nn.relu %y : tensor<1x8x8x4xf32>
    %m = nn.reduce_mean %r axes = [1, 2] : tensor<1x8x8x4xf32> -> tensor<1x4xf32>
    ```
    """

    name: ClassVar[str] = "nn-to-channels-last"

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in list(op.walk()):
            if isinstance(inner, FuncOp) and not inner.is_declaration:
                _rewrite(inner.body.block)


def _rewrite(block: Block) -> None:
    layouts = Layouts()
    replaced: list[Operation] = []
    for op in list(block.ops):
        layouts.at = op
        rule = next((RULES[k] for k in type(op).__mro__ if k in RULES), None)
        if rule is not None and rule(op, layouts):
            replaced.append(op)
        else:
            _keep(op, layouts)
            for region in op.regions:
                for nested in region.blocks:
                    _rewrite(nested)
    for op in reversed(replaced):
        op.detach()
        op.erase()


def _keep(op: Operation, layouts: Layouts) -> None:
    """An operation that stays gets its operands as it knows them, and so does what stands inside it."""
    for user in op.walk() if op.regions else (op,):
        for i, operand in enumerate(user.operands):
            if isinstance(operand.type, TensorType) and layouts.stored(operand)[0] is not operand:
                user.operands[i] = layouts.get(operand)


# ---- rules: rewrite an operation, say how its result is stored, return True; or return False to keep it ---------------------------


def channels_last_order(rank: int) -> Permutation:
    """How [N, C, spatial...] lies in [N, spatial..., C]."""
    return (0, rank - 1, *range(1, rank - 1))


def _convolution(op: nn.ConvOp | nn.ConvTransposeOp, layouts: Layouts) -> bool:
    if op.layout.data == "channels_last":
        return _with_operands(op, layouts)
    rank = len(shape_of(op.x))
    data = channels_last_order(rank)
    ends = (rank - 1, rank - 2) if isinstance(op, nn.ConvOp) else (rank - 2, rank - 1)
    x, w = layouts.get(op.x, data), layouts.get(op.w, (*ends, *range(rank - 2)))
    attributes: dict[str, Any] = {**op.properties, "layout": "channels_last"}
    if isinstance(op, nn.ConvOp) and is_matmul(op):
        w, _ = layouts.reshape(w, shape_of(w)[-2:])
        new: NnOp = nn.MatmulOp.make(x, w)
    else:
        new = type(op).make(x, w, **attributes)
    layouts.store(op.y, layouts.insert(new), data)
    return True


def is_matmul(op: nn.ConvOp) -> bool:
    """Whether a convolution is a matrix product of its pixels: window 1, stride 1, no padding, one group."""
    kernel = shape_of(op.w)[:-2] if op.layout.data == "channels_last" else shape_of(op.w)[2:]
    return all(n == 1 for n in (*kernel, *ints(op.strides), number(op.groups))) and not any(ints(op.pads))


def _pool(op: PoolOp, layouts: Layouts) -> bool:
    if op.layout.data == "channels_last":
        return _with_operands(op, layouts)
    data = channels_last_order(len(shape_of(op.x)))
    attributes: dict[str, Any] = {**op.properties, "layout": "channels_last"}
    layouts.store(op.y, layouts.insert(type(op).make(layouts.get(op.x, data), **attributes)), data)
    return True


def _with_operands(op: NnOp, layouts: Layouts) -> bool:
    """Keep the operation on operands in their own order."""
    _keep(op, layouts)
    return False


def _elementwise(op: NnOp, layouts: Layouts) -> bool:
    result = shape_of(op.results[0])
    chosen = _common_order(op.operands, result, layouts)
    if chosen is None:
        return False
    operands = [layouts.broadcast(o, chosen) for o in op.operands]
    attributes: dict[str, Any] = dict(op.properties)
    if op.TYPED_RESULT:
        attributes["result_type"] = tensor_type(stored_shape(result, chosen), element_of(op.results[0]))
    layouts.store(op.results[0], layouts.insert(type(op).make(*operands, **attributes)), chosen)
    return True


def _common_order(operands: Sequence[SSAValue], result: tuple[int, ...], layouts: Layouts) -> Permutation | None:
    """The storage of the operands that costs the fewest moved elements; None if all are stored as they are."""
    full = [o for o in operands if len(shape_of(o)) == len(result) and constant_attribute(o) is None]
    candidates = [layouts.permutation(o) for o in full if layouts.differs(o)]
    if not candidates:
        return None
    candidates.append(identity(len(result)))

    def cost(permutation: Permutation) -> int:
        moved = (o for o in full if order(shape_of(o), layouts.permutation(o)) != order(shape_of(o), permutation))
        return sum(abs(size_of(o)) for o in moved)

    return min(candidates, key=cost)


def _transpose(op: nn.TransposeOp, layouts: Layouts) -> bool:
    if constant_attribute(op.x) is not None:
        return False
    s, permutation = layouts.stored(op.x)
    layouts.store(op.y, s, tuple(permutation[q] for q in ints(op.permutation)))
    return True


def _reshape(op: nn.ReshapeOp, layouts: Layouts) -> bool:
    if not layouts.differs(op.x) and layouts.stored(op.x)[0] is op.x:
        return False
    layouts.store(op.y, *layouts.reshape(op.x, shape_of(op.y)))
    return True


def _reduction(op: ReduceOp | ArgOp, layouts: Layouts) -> bool:
    s, permutation = layouts.stored(op.x)
    if not layouts.differs(op.x):
        return False
    axes = ints(op.axes) if isinstance(op, ReduceOp) else (number(op.axis),)
    moved = [permutation[a] for a in axes]
    attributes: dict[str, Any] = {**op.properties, **({"axes": moved} if isinstance(op, ReduceOp) else {"axis": moved[0]})}
    left = permutation if number(op.keepdims) else _without(permutation, axes)
    layouts.store(op.y, layouts.insert(type(op).make(s, **attributes)), left)
    return True


def _without(permutation: Permutation, axes: Sequence[int]) -> Permutation:
    """The permutation of what remains when dimensions vanish from both sides."""
    kept = [p for i, p in enumerate(permutation) if i not in axes]
    ranks = {p: r for r, p in enumerate(sorted(kept))}
    return tuple(ranks[p] for p in kept)


def _along_axis(op: NnOp, layouts: Layouts) -> bool:
    """Softmax, running sums and norms by channel: the axis moves with the data, unless it was last and would no longer be."""
    s, permutation = layouts.stored(op.operands[0])
    last = len(permutation) - 1
    axis: int = number(op.properties["axis"])
    if not layouts.differs(op.operands[0]) or (axis == last and permutation[axis] != last):
        return False
    if isinstance(op, (nn.InstanceNormOp, nn.GroupNormOp)) and permutation[0] != 0:
        return False
    others = [layouts.get(o) for o in op.operands[1:]]
    attributes: dict[str, Any] = {**op.properties, "axis": permutation[axis]}
    layouts.store(op.results[0], layouts.insert(type(op).make(s, *others, **attributes)), permutation)
    return True


def _norm_over_last(op: nn.LayerNormOp | nn.RmsNormOp, layouts: Layouts) -> bool:
    s, permutation = layouts.stored(op.x)
    axis = number(op.axis)
    if not layouts.differs(op.x) or any(permutation[d] != d for d in range(axis, len(permutation))):
        return False
    others = [layouts.get(o) for o in op.operands[1:]]
    layouts.store(op.y, layouts.insert(type(op).make(s, *others, **op.properties)), permutation)
    return True


def _concat(op: nn.ConcatOp, layouts: Layouts) -> bool:
    chosen = _common_order(op.operands, shape_of(op.y), layouts)
    if chosen is None:
        return False
    axis: int = number(op.axis)
    parts = [layouts.get(o, chosen) for o in op.operands]
    layouts.store(op.y, layouts.insert(nn.ConcatOp.make(*parts, axis=chosen[axis])), chosen)
    return True


def _by_dimension(*names: str) -> Callable[[Any, Layouts], bool]:
    """Slice, pad and resize: lists with one entry for each dimension."""

    def rule(op: NnOp, layouts: Layouts) -> bool:
        s, permutation = layouts.stored(op.operands[0])
        result = op.results[0]
        if not layouts.differs(op.operands[0]):
            return False
        attributes: dict[str, Any] = dict(op.properties)
        for name in names:
            if name not in op.properties:
                continue
            values = floats(op.properties[name]) if isinstance(op, nn.ResizeOp) else ints(op.properties[name])
            attributes[name] = stored_shape(values, permutation)  # type: ignore[arg-type]
        if op.TYPED_RESULT:
            attributes["result_type"] = tensor_type(stored_shape(shape_of(result), permutation), element_of(result))
        layouts.store(result, layouts.insert(type(op).make(s, **attributes)), permutation)
        return True

    return rule


def _broadcast(op: nn.BroadcastToOp, layouts: Layouts) -> bool:
    s, permutation = layouts.stored(op.x)
    if not layouts.differs(op.x):
        return False
    new = len(shape_of(op.y)) - len(permutation)
    wider = (*range(new), *(new + p for p in permutation))
    type = tensor_type(stored_shape(shape_of(op.y), wider), element_of(op.y))
    layouts.store(op.y, layouts.insert(nn.BroadcastToOp.make(s, result_type=type)), wider)
    return True


def _gather(op: nn.GatherOp, layouts: Layouts) -> bool:
    s, permutation = layouts.stored(op.x)
    if not layouts.differs(op.x):
        return False
    axis: int = number(op.axis)
    extra = len(shape_of(op.indices)) - 1
    moved = permutation[axis]

    def place(p: int) -> int:
        return p if p < moved else p + extra

    before, after = (tuple(place(p) for p in part) for part in (permutation[:axis], permutation[axis + 1 :]))
    result = (*before, *range(moved, moved + extra + 1), *after)
    layouts.store(op.y, layouts.insert(nn.GatherOp.make(s, layouts.get(op.indices), axis=moved)), result)
    return True


def _matmul(op: nn.MatmulOp, layouts: Layouts) -> bool:
    """Rows may stand in any order if the right side is one matrix."""
    s, permutation = layouts.stored(op.a)
    last = len(permutation) - 1
    if len(shape_of(op.b)) != 2 or last < 1 or permutation[last] != last or not layouts.differs(op.a):
        return False
    layouts.store(op.y, layouts.insert(nn.MatmulOp.make(s, layouts.get(op.b))), permutation)
    return True


RULES: dict[type, Callable[[Any, Layouts], bool]] = {
    nn.ConvOp: _convolution,
    nn.ConvTransposeOp: _convolution,
    PoolOp: _pool,
    UnaryOp: _elementwise,
    BinaryOp: _elementwise,
    nn.SelectOp: _elementwise,
    nn.CastOp: _elementwise,
    nn.RecomputeOp: _elementwise,
    nn.TransposeOp: _transpose,
    nn.ReshapeOp: _reshape,
    ReduceOp: _reduction,
    ArgOp: _reduction,
    nn.SoftmaxOp: _along_axis,
    nn.LogSoftmaxOp: _along_axis,
    nn.CumsumOp: _along_axis,
    nn.BatchNormOp: _along_axis,
    nn.InstanceNormOp: _along_axis,
    nn.GroupNormOp: _along_axis,
    nn.LrnOp: _along_axis,
    nn.LayerNormOp: _norm_over_last,
    nn.RmsNormOp: _norm_over_last,
    nn.ConcatOp: _concat,
    nn.SliceOp: _by_dimension("starts", "ends", "steps"),
    nn.PadOp: _by_dimension("low", "high"),
    nn.ResizeOp: _by_dimension("scales", "origins", "steps"),
    nn.BroadcastToOp: _broadcast,
    nn.GatherOp: _gather,
    nn.MatmulOp: _matmul,
}
"""By class or base class."""
