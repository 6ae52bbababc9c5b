"""Products of quantised tensors become products of bytes, unsigned by signed, which processors multiply and add in one step.

In: `matmul` and `conv` of i32 whose data is `cast(bytes) - zero` and whose weights are constants. Out: the product of the bytes
themselves in `ui8` by `i8` with a sum in i32, less what the zero points have added to it: with x' = x - zero and w' = w - shift,

    sum x' w' = sum x w - zero sum w - shift sum x'

The sums of weights are constants; weights need a shift only where they leave the range of `i8`. Signed data is moved up by 128. That is
exact, since integers wrap around alike. The summed axis is padded to a multiple of four bytes, as many as a lane multiplies at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import i8, i32
from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import DYNAMIC, ints, number
from stepwell.dialects.nn.linear import UI8
from stepwell.ir.constants import Array, tensor_type
from stepwell.lowering.graph.patterns import Pattern, Replacement, Site
from stepwell.lowering.graph.values import aligned, constant_array, element_of, made_by, shape_of, size_of, splat_value

QUAD = 4
"""Bytes that one lane multiplies and adds."""
HALF = 128


@dataclass(frozen=True)
class Centred:
    """bytes - zero: `zero` is one number that is known, a value that broadcasts, or both added."""

    bytes: SSAValue
    offset: SSAValue | None
    zero: int


def centred(value: SSAValue) -> Centred | None:
    """The bytes and the zero point of cast(x) - zero."""
    offset: SSAValue | None = None
    zero = 0
    type = value.type
    if (difference := made_by(value, nn.SubOp)) is not None:
        known = splat_value(difference.b)
        zero, offset = (int(known), None) if known is not None else (0, difference.b)
        value = difference.a
    elif (total := made_by(value, nn.AddOp)) is not None and (known := splat_value(total.b)) is not None:
        zero, value = -int(known), total.a
    cast = made_by(value, nn.CastOp)
    if cast is None or cast.y.type != type or element_of(cast.x) not in (UI8, i8):
        return None  # the other operand may be what is larger
    return Centred(cast.x, offset, zero)


def unsigned(data: Centred, site: Site) -> Centred:
    """The same with unsigned bytes."""
    if element_of(data.bytes) == UI8:
        return data
    type = tensor_type(shape_of(data.bytes), UI8)
    moved = site.make(nn.AddOp, site.make(nn.CastOp, data.bytes, result_type=type), site.splat(HALF, tensor_type((), UI8)))
    return Centred(moved, data.offset, data.zero + HALF)


def signed_weights(w: Array, axes: tuple[int, ...]) -> tuple[Array, Array] | None:
    """Weights in `i8` and how far each output channel was shifted, kept over `axes` as 1; None where a channel spans more than a byte."""
    low, high = w.min(axes, keepdims=True, initial=0), w.max(axes, keepdims=True, initial=0)
    if w.size and ((high - low).max() > 255 or max(-int(low.min()), int(high.max())) > 2**15):
        return None
    shift = np.where((low >= -HALF) & (high < HALF), 0, low + HALF).astype(np.int32)
    return (w - shift).astype(np.int8), shift


def padded(x: SSAValue, axis: int, site: Site) -> SSAValue:
    """With zeros up to a multiple of four elements of an axis."""
    more = -shape_of(x)[axis] % QUAD
    high = [0] * len(shape_of(x))
    high[axis] = more
    return site.make(nn.PadOp, x, low=[0] * len(high), high=high, value=0.0) if more else x


def padded_weights(w: Array, axis: int) -> Array:
    """The same of weights."""
    return np.pad(w, [(0, -extent % QUAD if d == axis else 0) for d, extent in enumerate(w.shape)])


def corrected(product: SSAValue, data: Centred, sums: Array, shift: Array, whole: SSAValue | None, site: Site) -> SSAValue:
    """The product without what zero points and shifts have added: `sums` of the weights, `whole` sums of the centred data."""
    if data.zero and sums.any():
        product = site.make(nn.SubOp, product, site.constant((sums.astype(np.int64) * data.zero).astype(np.int32)))
    if data.offset is not None and sums.any():
        product = site.make(nn.SubOp, product, site.make(nn.MulOp, site.constant(sums), data.offset))
    if whole is not None:
        product = site.make(nn.AddOp, product, site.make(nn.MulOp, whole, site.constant(shift)))
    return product


def matmul_of_bytes(op: nn.MatmulOp, site: Site) -> Replacement:
    """matmul(cast(x) - zero, w) -> matmul(x, w in i8) - zero sum(w)"""
    w = constant_array(op.b)
    if w is None or w.ndim != 2 or element_of(op.y) != i32 or element_of(op.a) != i32 or DYNAMIC in shape_of(op.a):
        return None
    rank = len(shape_of(op.a))
    data = centred(op.a)
    if rank < 2 or data is None or (data.offset is not None and aligned(shape_of(data.offset), rank)[-1] != 1):
        return None
    found = signed_weights(w, (0,))
    if found is None:
        return None
    weights, shift = found
    whole = site.make(nn.ReduceSumOp, op.a, axes=[rank - 1], keepdims=True) if shift.any() else None
    data = unsigned(data, site)
    product = site.make(nn.MatmulOp, padded(data.bytes, rank - 1, site), site.constant(padded_weights(weights, 0)))
    return corrected(product, data, weights.sum(0, dtype=np.int32), shift[0], whole, site)


def conv_of_bytes(op: nn.ConvOp, site: Site) -> Replacement:
    """conv(cast(x) - zero, w) pads = p -> conv(pad(x) with zero, w in i8) - zero sum(w)"""
    w = constant_array(op.w)
    if w is None or element_of(op.y) != i32 or number(op.groups) != 1 or op.layout.data != "channels_first" or DYNAMIC in shape_of(op.x):
        return None
    data = centred(op.x)
    pads = ints(op.pads)
    if data is None or (data.offset is not None and (size_of(data.offset) != 1 or any(pads))):
        return None
    axes = tuple(range(1, w.ndim))
    found = signed_weights(w, axes)
    if found is None or found[1].any():
        return None
    weights = padded_weights(found[0], 1)
    data = unsigned(data, site)
    if not 0 <= data.zero < 256:
        return None
    x, spatial = data.bytes, len(pads) // 2
    more = weights.shape[1] - shape_of(x)[1]
    if any(pads) or more:
        low, high = [0, 0, *pads[:spatial]], [0, more, *pads[spatial:]]
        x = site.make(nn.PadOp, x, low=low, high=high, value=float(data.zero))
    product = site.same(op, x, site.constant(weights), pads=[0] * len(pads))
    sums = weights.sum(axes, dtype=np.int32).reshape(-1, *(1,) * spatial)
    if data.offset is not None:
        data = Centred(data.bytes, site.make(nn.ReshapeOp, data.offset, result_type=tensor_type((), i32)), data.zero)
    return corrected(product, data, sums, found[1], None, site)


INTEGER_PRODUCTS: Mapping[type[Operation], Sequence[Pattern]] = {nn.MatmulOp: (matmul_of_bytes,), nn.ConvOp: (conv_of_bytes,)}
