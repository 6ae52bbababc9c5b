"""Derivatives of convolutions, which are linear in the data and in the weights.

With y = conv(x, w): x* = conv_transpose(y*, w), and w* is the correlation of x with y*: a convolution in which samples and channels have
changed places, strides and dilations too.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import ints, number
from stepwell.dialects.nn.window import split_layout
from stepwell.lowering.autodiff.emitter import Emitter, shape_of
from stepwell.lowering.autodiff.linear import product_rule
from stepwell.lowering.autodiff.rules import JVP, TRANSPOSE, Tangents

Convolution = nn.ConvOp | nn.ConvTransposeOp


def _is_last(op: Convolution) -> bool:
    return op.layout.data == "channels_last"


def _swapped_weights(op: Convolution, e: Emitter) -> SSAValue:
    """The weights for the op of the other direction: the same, but that channels_last has inputs before outputs in both."""
    rank = len(shape_of(op.w))
    return e.transpose(op.w, [*range(rank - 2), rank - 1, rank - 2]) if _is_last(op) else op.w


def _to_first(x: SSAValue, last: bool, e: Emitter) -> SSAValue:
    rank = len(shape_of(x))
    return e.transpose(x, [0, rank - 1, *range(1, rank - 1)]) if last else x


def correlation(op: Convolution, data: SSAValue, other: SSAValue, e: Emitter) -> SSAValue:
    """Weights [O, I / groups, kernel...] from data [N, I, ...] and the other side [N, O, ...] of a convolution with this op's windows."""
    groups, n = number(op.groups), len(ints(op.strides))
    samples, inputs, *spatial = shape_of(data)
    turned = e.transpose(data, [1, 0, *range(2, 2 + n)])
    if groups != 1:  # the channels of a group are samples, a group's samples its channels
        split = e.reshape(data, (samples, groups, inputs // groups, *spatial))
        turned = e.reshape(e.transpose(split, [2, 1, 0, *range(3, 3 + n)]), (inputs // groups, groups * samples, *spatial))
    windows = e.transpose(other, [1, 0, *range(2, 2 + n)])
    found = e.make(nn.ConvOp, turned, windows, strides=ints(op.dilations), dilations=ints(op.strides), pads=ints(op.pads), groups=groups)
    kernel = shape_of(op.w)[:-2] if _is_last(op) else shape_of(op.w)[2:]
    if shape_of(found)[2:] != tuple(kernel):  # what strides leave over at the end reaches further than the kernel
        found = e.make(nn.SliceOp, found, starts=[0] * (2 + n), ends=[*shape_of(found)[:2], *kernel])
    return e.transpose(found, [1, 0, *range(2, 2 + n)])


def _transposed_conv(op: nn.ConvOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    last, n = _is_last(op), len(ints(op.strides))
    if linear[1]:
        weights = correlation(op, _to_first(op.x, last, e), _to_first(cotangent, last, e), e)
        return [None, e.transpose(weights, [*range(2, 2 + n), 1, 0]) if last else weights]
    strides, pads, dilations = ints(op.strides), ints(op.pads), ints(op.dilations)
    _, _, before = split_layout(shape_of(op.x), last)
    _, _, after = split_layout(shape_of(op.y), last)
    kernel = shape_of(op.w)[:-2] if last else shape_of(op.w)[2:]
    reach = [(after[d] - 1) * strides[d] + (kernel[d] - 1) * dilations[d] + 1 - pads[d] - pads[n + d] for d in range(n)]
    x = e.make(
        nn.ConvTransposeOp,
        cotangent,
        _swapped_weights(op, e),
        strides=strides,
        pads=pads,
        dilations=dilations,
        groups=number(op.groups),
        layout=op.layout.data,
        output_pads=[before[d] - reach[d] for d in range(n)],
    )
    return [x, None]


def _transposed_conv_transpose(op: nn.ConvTransposeOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    last, n = _is_last(op), len(ints(op.strides))
    if linear[1]:
        weights = correlation(op, _to_first(cotangent, last, e), _to_first(op.x, last, e), e)
        return [None, e.transpose(weights, [*range(2, 2 + n), 0, 1]) if last else weights]
    x = e.make(
        nn.ConvOp,
        cotangent,
        _swapped_weights(op, e),
        strides=ints(op.strides),
        pads=ints(op.pads),
        dilations=ints(op.dilations),
        groups=number(op.groups),
        layout=op.layout.data,
    )
    for axis, extent in enumerate(shape_of(op.x)):  # output pads of a stride or more
        x = e.part(x, axis, 0, extent)
    return [x, None]


JVP.update(dict.fromkeys((nn.ConvOp, nn.ConvTransposeOp), product_rule))
TRANSPOSE[nn.ConvOp] = _transposed_conv
TRANSPOSE[nn.ConvTransposeOp] = _transposed_conv_transpose
