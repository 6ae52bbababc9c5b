"""Convolutions: a fill and one contraction over the window and the input channels.

In: `nn.conv` and `nn.conv_transpose` without pads (an `nn.pad` in @main gives the kernel a padded input). Out: generics whose loops are
(n, oh, ow, oc, kh, kw, ci) for channels_last, with subscripts like `oh * stride + kh * dilation`; with g before oc where the channels
have been split into groups (`split_groups`), without ci and with one loop c for channels where each stands alone (depthwise).
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineExpr

from stepwell.dialects import arith, nn
from stepwell.dialects.nn.base import ints, number
from stepwell.lowering.structured.emit import Emitter, Expr, Read, dims, loop_of, lowers, shape_of, zero
from stepwell.lowering.structured.linear import multiply_add
from stepwell.lowering.structured.scalars import INDEX, Scalars


def times(expr: Expr, factor: int) -> Expr:
    """expr * factor, plain if the factor is 1."""
    return expr if factor == 1 else expr * AffineConstantExpr(factor)


def window_subscripts(outer: Sequence[Expr], inner: Sequence[Expr], strides: Sequence[int], dilations: Sequence[int]) -> list[Expr]:
    """o stride + k dilation for each spatial axis."""
    return [times(o, s) + times(k, d) for o, k, s, d in zip(outer, inner, strides, dilations, strict=True)]


def data_subscripts(n: Expr, spatial: Sequence[Expr], channels: Sequence[Expr], last: bool) -> list[Expr]:
    """The subscripts of data in a layout."""
    return [n, *spatial, *channels] if last else [n, *channels, *spatial]


def is_depthwise(op: nn.ConvOp) -> bool:
    """Whether every output channel reads one input channel, its own."""
    last = op.layout.data == "channels_last"
    x = op.operand_types[0].get_shape()
    y = op.result_type.get_shape()
    channels = x[-1] if last else x[1]
    return number(op.groups) == channels == (y[-1] if last else y[1]) and channels > 1


@lowers(nn.ConvOp)
def lower_conv(op: nn.ConvOp, e: Emitter) -> None:
    """y[n, oh, ow, oc] += x[n, oh stride + kh dilation, ow stride + kw dilation, ci] w[kh, kw, ci, oc]."""
    if any(ints(op.pads)):
        raise e.unsupported(op, f"pads {list(ints(op.pads))} must be an nn.pad of the input by now", hint="run nn-explicit-padding first")
    x, w = e.values(op)
    last, groups = op.layout.data == "channels_last", number(op.groups)
    count = len(ints(op.strides))
    split = len(shape_of(x)) > count + 2
    shape = [*shape_of(x)[:-1], *shape_of(w)[-1:]] if split else None
    if shape is not None:
        shape[1 : 1 + count] = op.result_type.get_shape()[1 : 1 + count]
    out = e.accumulator(op.y, shape)
    depthwise = not split and is_depthwise(op)
    # The order of the loops: n, then the axes of the result in its layout (g before oc where the channels are split), then what is summed.
    n = AffineExpr.dimension(0)
    channel_loops = 2 if split else 1
    if last:
        spatial, channels = dims(count, 1), dims(channel_loops, 1 + count)
    else:
        channels, spatial = dims(1, 1), dims(count, 2)
    first = 1 + count + channel_loops
    if last:
        window, ci = dims(count, first), AffineExpr.dimension(first + count)
    else:
        ci, window = AffineExpr.dimension(first), dims(count, first + 1)
    if depthwise:
        window, ci = dims(count, first), zero()
    loops = first + count + (not depthwise)
    oc = channels[-1]
    per_group = op.operand_types[1].get_shape()[-2 if last else 1]
    if depthwise:
        read_channels: Sequence[Expr] = (oc,)
    elif split:
        read_channels = (channels[0], ci)
    elif groups > 1:
        outputs = op.result_type.get_shape()[-1 if last else 1] // groups
        read_channels = (times(oc // AffineConstantExpr(outputs), per_group) + ci,)
    else:
        read_channels = (ci,)
    at = window_subscripts(spatial, window, ints(op.strides), ints(op.dilations))
    weights = [*window, ci, *channels] if last else [oc, ci, *window]
    reads = [(x, data_subscripts(n, at, read_channels, last)), (w, weights)]
    subscripts = data_subscripts(n, spatial, channels, last)
    total = e.generic(reads, e.filled(0, out), subscripts, loops, multiply_add, reductions=range(first, loops))
    e.settle(op.y, total)


@lowers(nn.ConvTransposeOp)
def lower_conv_transpose(op: nn.ConvTransposeOp, e: Emitter) -> None:
    """Gather form: every output position sums over the window positions that reach it."""
    strides, dilations = ints(op.strides), ints(op.dilations)
    last, groups = op.layout.data == "channels_last", number(op.groups)
    x, w = e.values(op)
    count = len(strides)
    kernel = shape_of(w)[:count] if last else shape_of(w)[2:]
    out = e.accumulator(op.y)
    n = AffineExpr.dimension(0)
    spatial, o = (dims(count, 1), AffineExpr.dimension(1 + count)) if last else (dims(count, 2), AffineExpr.dimension(1))
    subscripts = data_subscripts(n, spatial, (o,), last)
    first = count + 2
    size, per_group = (shape_of(x)[-1 if last else 1]) // groups, shape_of(w)[-1 if last else 1]
    group, within = (o // AffineConstantExpr(per_group), o % AffineConstantExpr(per_group)) if groups > 1 else (None, o)

    def in_channel(ci: Expr) -> Expr:
        return ci if group is None else times(group, size) + ci

    if tuple(kernel) == strides and not any((*ints(op.pads), *ints(op.output_pads))) and set(dilations) <= {1}:
        # Windows do not meet: output position p comes from input p floordiv s through weight p mod s alone.
        ci = AffineExpr.dimension(first)
        at = [p // AffineConstantExpr(s) if s > 1 else p for p, s in zip(spatial, strides, strict=True)]
        tap = [p % AffineConstantExpr(s) if s > 1 else zero() for p, s in zip(spatial, strides, strict=True)]
        weights = [*tap, in_channel(ci), within] if last else [in_channel(ci), within, *tap]
        reads: list[Read] = [(x, data_subscripts(n, at, (in_channel(ci),), last)), (w, weights)]
        if group is not None:
            reads.append((e.window((size,)), (ci,)))

        def meeting(s: Scalars, a: SSAValue, b: SSAValue, *rest: SSAValue) -> SSAValue:
            return multiply_add(s, a, b, rest[-1])

        e.settle(op.y, e.generic(reads, e.filled(0, out), subscripts, first + 1, meeting, reductions=(first,)))
        return

    window, ci_loop = dims(count, first), first + count
    ci = AffineExpr.dimension(ci_loop)
    weights = [*window, in_channel(ci), within] if last else [in_channel(ci), within, *window]
    extents = [e.dim(x, d + (1 if last else 2)) for d in range(count)]
    reads = [(w, weights)]
    if group is not None:
        reads.append((e.window((size,)), (ci,)))

    def body(s: Scalars, weight: SSAValue, *rest: SSAValue) -> SSAValue:
        zero_index = s.constant(0, INDEX)
        valid: SSAValue | None = None
        indices: list[SSAValue] = []
        for d in range(count):
            # The input position q with q stride + k dilation - pad = p, if there is one.
            p = e.index(s, loop_of(spatial[d]))
            k = s.times(e.index(s, loop_of(window[d])), s.constant(dilations[d], INDEX))
            scaled = s.minus(s.plus(p, s.constant(ints(op.pads)[d], INDEX)), k)
            stride = s.constant(strides[d], INDEX)
            q = s.binary(arith.DivSIOp, scaled, stride)
            tests = [s.compare("ge", scaled, zero_index), s.compare("lt", q, extents[d])]
            if strides[d] > 1:
                tests.append(s.compare("eq", s.times(q, stride), scaled))
            for test in tests:
                valid = test if valid is None else s.both(valid, test)
            indices.append(s.larger(s.smaller(q, s.minus(extents[d], s.constant(1, INDEX))), zero_index))
        channel = e.index(s, ci_loop)
        if group is not None:
            o_index = e.index(s, loop_of(o))
            base = s.times(s.binary(arith.DivUIOp, o_index, s.constant(per_group, INDEX)), s.constant(size, INDEX))
            channel = s.plus(base, channel)
        batch = e.index(s, 0)
        value = e.extract(s, x, [batch, *indices, channel] if last else [batch, channel, *indices])
        assert valid is not None
        return multiply_add(s, s.select(valid, value, s.like(0, value)), weight, rest[-1])

    e.settle(op.y, e.generic(reads, e.filled(0, out), subscripts, ci_loop + 1, body, reductions=range(first, ci_loop + 1)))
