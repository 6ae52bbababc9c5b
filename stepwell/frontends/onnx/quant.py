"""ONNX quantisation, written out in the arithmetic that defines it: integers are widened, moved by their zero point and scaled."""

from __future__ import annotations

import numpy as np

from stepwell.dialects.nn import linear, unary
from stepwell.dialects.nn.base import is_float
from stepwell.frontends.onnx.conv import convolution
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.ir.constants import element_type_of

I32 = element_type_of(np.dtype(np.int32))
F32 = element_type_of(np.dtype(np.float32))


def _along(n: Node, parameter: Value | None, x: Value) -> Value | None:
    """A scale or zero point, shaped to broadcast against the data: one number, or one for each element of `axis`."""
    if parameter is None or parameter.size == 1 and parameter.rank < 2:
        return None if parameter is None else n.reshape(parameter, ())
    axis = n.axis(n.int("axis", 1), x.rank)
    if block := n.int("block_size"):
        if parameter.rank != x.rank or any(
            p != (-(-e // block) if d == axis else e) for d, (p, e) in enumerate(zip(parameter.shape, x.shape, strict=True))
        ):
            n.fail(f"a scale of shape {list(parameter.shape)} does not fit data of shape {list(x.shape)} in blocks of {block}")
        if x.shape[axis] % block:
            n.unsupported("a last block that is not full")
        before, after = parameter.shape[: axis + 1], parameter.shape[axis + 1 :]
        wide = n.broadcast_to(n.reshape(parameter, (*before, 1, *after)), (*before, block, *after))
        return n.reshape(wide, x.shape)
    if parameter.shape != (x.shape[axis],):
        n.fail(f"a scale of shape {list(parameter.shape)} does not fit axis {axis} of shape {list(x.shape)}")
    return n.reshape(parameter, (parameter.size, *(1,) * (x.rank - axis - 1)))


@converter("DequantizeLinear", since=10)
def _dequantize(n: Node, x: Value, scale: Value, zero: Value | None = None) -> Value:
    """(x - zero) scale, in the type of the scale."""
    if is_float(x.element):
        n.unsupported(f"data of type {x.dtype}")
    factor, offset = _along(n, scale, x), _along(n, zero, x)
    assert factor is not None
    wide = n.cast(x, I32)
    if offset is not None:
        wide = n.sub(wide, n.cast(offset, I32))
    y = n.mul(n.cast(wide, F32), n.cast(factor, F32))
    return n.cast(y, element_type_of(np.dtype(_output(n)))) if n.int("output_dtype") else n.cast(y, scale.element)


def _output(n: Node) -> np.dtype[np.generic]:
    from stepwell.frontends.onnx.tensors import dtype_of_element

    return dtype_of_element(n.int("output_dtype"), "its result")


@converter("QuantizeLinear", since=10)
def _quantize(n: Node, x: Value, scale: Value, zero: Value | None = None) -> Value:
    """round(x / scale) + zero, rounded to even and kept inside the type of the zero point (u8 if there is none)."""
    if zero is not None:
        target = zero.dtype
    else:
        target = _output(n) if n.int("output_dtype") else np.dtype(np.uint8)
    if target.kind not in "iu" or target.itemsize > 2:
        n.unsupported(f"a result of type {target}")
    factor, offset = _along(n, scale, x), _along(n, zero, x)
    assert factor is not None
    # f32 holds every integer up to 2^24, so the clamp may come before the conversion.
    y = n.op(unary.RoundOp, n.div(n.cast(x, F32), n.cast(factor, F32)))
    if offset is not None:
        y = n.add(y, n.cast(offset, F32))
    limits = np.iinfo(target)
    return n.cast(n.op(unary.ClipOp, y, min=float(limits.min), max=float(limits.max)), element_type_of(target))


def _centred(n: Node, x: Value, zero: Value | None, *, rows: bool = False) -> Value:
    """x - zero in i32; a vector of zero points stands for rows (of A) or columns (of B)."""
    wide = n.cast(x, I32)
    if zero is None or (zero.array is not None and not zero.array.any()):
        return wide
    offset = n.cast(zero, I32)
    if offset.size == 1:
        offset = n.reshape(offset, ())
    elif offset.rank == 1 and rows:
        offset = n.reshape(offset, (offset.size, 1))
    return n.sub(wide, offset)


@converter("MatMulInteger", since=10)
def _matmul_integer(n: Node, a: Value, b: Value, a_zero: Value | None = None, b_zero: Value | None = None) -> Value:
    return n.op(linear.MatmulOp, _centred(n, a, a_zero, rows=True), _centred(n, b, b_zero))


@converter("ConvInteger", since=10)
def _conv_integer(n: Node, x: Value, w: Value, x_zero: Value | None = None, w_zero: Value | None = None) -> Value:
    """Padding is the zero point, that is 0 after it is subtracted."""
    if w_zero is not None and w_zero.size > 1:
        w_zero = n.reshape(w_zero, (w_zero.size, *(1,) * (w.rank - 1)))
    return convolution(n, _centred(n, x, x_zero), _centred(n, w, w_zero))
