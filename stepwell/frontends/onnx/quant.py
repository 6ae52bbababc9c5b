"""ONNX quantisation, written out in the arithmetic that defines it: integers are widened, moved by their zero point and scaled."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import Float8E8M0FNUType, IntegerType
from xdsl.ir import Attribute

from stepwell.dialects import nn
from stepwell.dialects.nn.base import is_float, is_unsigned
from stepwell.frontends.onnx.conv import convolution
from stepwell.frontends.onnx.elementwise import to_element
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.tensors import dtype_of_element
from stepwell.ir.constants import NARROW_FLOATS, element_type_of

I32 = element_type_of(np.dtype(np.int32))
F32 = element_type_of(np.dtype(np.float32))
U8 = element_type_of(np.dtype(np.uint8))


def _along(n: Node, parameter: Value | None, x: Value) -> Value | None:
    """A scale or zero point, shaped to broadcast against the data: one number, or one for each element of `axis`."""
    if parameter is None or (parameter.size == 1 and parameter.rank < 2):
        return None if parameter is None else n.reshape(parameter, ())
    axis = n.axis(n.int("axis", 1), x.rank)
    if block := n.int("block_size"):
        if parameter.rank != x.rank or any(
            p != (-(-e // block) if d == axis else e) for d, (p, e) in enumerate(zip(parameter.shape, x.shape, strict=True))
        ):
            n.fail(f"a scale of shape {list(parameter.shape)} does not fit data of shape {list(x.shape)} in blocks of {block}")
        before, after = parameter.shape[: axis + 1], parameter.shape[axis + 1 :]
        wide = n.broadcast_to(n.reshape(parameter, (*before, 1, *after)), (*before, block, *after))
        wide = n.reshape(wide, (*before[:-1], before[-1] * block, *after))
        if wide.shape == x.shape:
            return wide
        return n.op(nn.SliceOp, wide, starts=[0] * x.rank, ends=list(x.shape), steps=[1] * x.rank)  # the last block is not full
    if parameter.shape != (x.shape[axis],):
        n.fail(f"a scale of shape {list(parameter.shape)} does not fit axis {axis} of shape {list(x.shape)}")
    return n.reshape(parameter, (parameter.size, *(1,) * (x.rank - axis - 1)))


@converter("DequantizeLinear", since=10)
def _dequantize(n: Node, x: Value, scale: Value, zero: Value | None = None) -> Value:
    """(x - zero) scale, in the type that is asked for, or else of the scale."""
    if is_float(x.element):
        n.unsupported(f"data of type {x.dtype}")
    factor, offset = _along(n, scale, x), _along(n, zero, x)
    assert factor is not None
    if type(x.element) in NARROW_FLOATS:
        centred = n.cast(x, F32)
        if offset is not None and not _is_zero(zero):
            centred = n.sub(centred, n.cast(offset, F32))
    else:
        centred = n.cast(x, I32)
        if offset is not None:
            centred = n.sub(centred, n.cast(offset, I32))
    to = element_type_of(_output(n)) if n.int("output_dtype") else scale.element
    if not is_float(to):
        n.fail(f"its result would have type {to}", "output_dtype says which floating-point type it has")
    return n.cast(n.mul(n.cast(centred, F32), n.cast(factor, F32)), to)


def _is_zero(value: Value | None) -> bool:
    return value is not None and value.array is not None and not value.array.astype(np.float32).any()


def _output(n: Node) -> np.dtype[Any]:
    return dtype_of_element(n.int("output_dtype"), "its result")


@converter("QuantizeLinear", since=10)
def _quantize(n: Node, x: Value, scale: Value, zero: Value | None = None) -> Value:
    """round(x / scale) + zero, rounded to even and kept inside the type of the zero point (u8 if there is none).

    A narrow float rounds as its type does, and `saturate` says what becomes of numbers that it does not reach.
    """
    target: Attribute = zero.element if zero is not None else element_type_of(_output(n)) if n.int("output_dtype") else U8
    limits = _limits(target)
    if limits is None and (type(target) not in NARROW_FLOATS or isinstance(target, Float8E8M0FNUType)):
        n.fail(f"its result would have type {target}, which is no quantised one")
    factor, offset = _along(n, scale, x), _along(n, zero, x)
    assert factor is not None
    y = n.cast(_quotient(n, x, factor), F32)
    # f32 holds every integer up to 2^24, so the clamp may come before the conversion.
    y = y if limits is None else n.op(nn.RoundOp, y)
    if offset is not None and not _is_zero(zero):
        y = n.add(y, n.cast(offset, F32))
    if limits is None:
        return to_element(n, y, target)
    return n.cast(n.op(nn.ClipOp, y, min=float(limits[0]), max=float(limits[1])), target)


def _quotient(n: Node, x: Value, scale: Value) -> Value:
    """x / scale, in the precision that the node asks for; in that of both if they are floats of one type, else in f32."""
    element = x.element if x.element == scale.element and is_float(x.element) else F32
    if precision := n.int("precision"):
        element = element_type_of(dtype_of_element(precision, "its precision"))
        if not is_float(element):
            n.fail(f"its precision is {element}, not a type of floating point to compute in")
    return n.div(n.cast(x, element), n.cast(scale, element))


def _limits(element: Attribute) -> tuple[int, int] | None:
    """The least and the greatest value of an integer type that quantised data may have, None of others."""
    if not isinstance(element, IntegerType):
        return None
    integer = cast(IntegerType, element)
    bits = integer.width.data
    if bits not in (2, 4, 8, 16):
        return None
    return (0, 2**bits - 1) if is_unsigned(integer) else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _centred(n: Node, x: Value, zero: Value | None, *, rows: bool = False) -> Value:
    """x - zero in i32, of narrow floats in f32; a vector of zero points stands for rows (of A) or columns (of B)."""
    to = F32 if type(x.element) in NARROW_FLOATS else I32
    wide = n.cast(x, to)
    if zero is None or _is_zero(zero):
        return wide
    offset = n.cast(zero, to)
    if offset.size == 1:
        offset = n.reshape(offset, ())
    elif offset.rank == 1 and rows:
        offset = n.reshape(offset, (offset.size, 1))
    return n.sub(wide, offset)


@converter("MatMulInteger", since=10)
def _matmul_integer(n: Node, a: Value, b: Value, a_zero: Value | None = None, b_zero: Value | None = None) -> Value:
    return n.op(nn.MatmulOp, _centred(n, a, a_zero, rows=True), _centred(n, b, b_zero))


@converter("ConvInteger", since=10)
def _conv_integer(n: Node, x: Value, w: Value, x_zero: Value | None = None, w_zero: Value | None = None) -> Value:
    """Padding is the zero point, that is 0 after it is subtracted."""
    if w_zero is not None and w_zero.size > 1:
        w_zero = n.reshape(w_zero, (w_zero.size, *(1,) * (w.rank - 1)))
    return convolution(n, _centred(n, x, x_zero), _centred(n, w, w_zero))


# ---- quantised in and out ---------------------------------------------------------------------------------------------------------------


@converter("QLinearMatMul", since=10)
def _qlinear_matmul(
    n: Node, a: Value, a_scale: Value, a_zero: Value, b: Value, b_scale: Value, b_zero: Value, y_scale: Value, y_zero: Value
) -> Value:
    """The integer product, scaled by a_scale b_scale / y_scale."""
    product = n.op(nn.MatmulOp, _centred(n, a, a_zero, rows=True), _centred(n, b, b_zero))
    left = n.reshape(a_scale, (a_scale.size, 1)) if a_scale.rank == 1 and a_scale.size > 1 else a_scale
    return _requantised(n, product, _scalar(n, left), _scalar(n, b_scale), y_scale, y_zero)


@converter("QLinearConv", since=10)
def _qlinear_conv(
    n: Node,
    x: Value,
    x_scale: Value,
    x_zero: Value,
    w: Value,
    w_scale: Value,
    w_zero: Value,
    y_scale: Value,
    y_zero: Value,
    bias: Value | None = None,
) -> Value:
    """The integer convolution with a bias of scale x_scale w_scale; weights may have a scale for each output channel."""
    across = (*(1,) * (w.rank - 1),)
    offsets = n.reshape(w_zero, (w_zero.size, *across)) if w_zero.size > 1 else w_zero
    y = convolution(n, _centred(n, x, x_zero), _centred(n, w, offsets), bias)
    scale = n.reshape(w_scale, (w_scale.size, *(1,) * (w.rank - 2))) if w_scale.size > 1 else w_scale
    return _requantised(n, y, _scalar(n, x_scale), _scalar(n, scale), y_scale, y_zero)


def _scalar(n: Node, scale: Value) -> Value:
    return n.reshape(scale, ()) if scale.size == 1 else scale


def _requantised(n: Node, total: Value, a: Value, b: Value, y_scale: Value, y_zero: Value) -> Value:
    """round(total a b / y_scale) + y_zero, inside the type of y_zero."""
    if y_scale.size != 1 or y_zero.size != 1:
        n.unsupported("a result with more than one scale")
    factor = n.div(n.mul(n.cast(a, F32), n.cast(b, F32)), n.cast(_scalar(n, y_scale), F32))
    y = n.mul(n.cast(total, F32), factor)
    limits = _limits(y_zero.element)
    if limits is None:
        return n.cast(n.add(y, n.cast(_scalar(n, y_zero), F32)), y_zero.element)
    y = n.add(n.op(nn.RoundOp, y), n.cast(_scalar(n, y_zero), F32))
    return n.cast(n.op(nn.ClipOp, y, min=float(limits[0]), max=float(limits[1])), y_zero.element)
