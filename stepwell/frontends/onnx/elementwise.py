"""ONNX operators that work element by element, with their broadcasting of every age."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from ml_dtypes import bfloat16
from onnx import TensorProto
from xdsl.dialects.builtin import Float8E8M0FNUType, f32
from xdsl.ir import Attribute

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp, is_float
from stepwell.dialects.nn.bits import BIT_TYPES
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.tensors import dtype_of_element
from stepwell.ir.constants import NARROW_FLOATS, element_type_of, is_narrow

# ---- one operand ------------------------------------------------------------------------------------------------------------------


def _unary(op_class: type[NnOp], n: Node, x: Value) -> Value:
    return n.op(op_class, x)


for _name, _op in {
    "Abs": nn.AbsOp,
    "Acos": nn.AcosOp,
    "Acosh": nn.AcoshOp,
    "Asin": nn.AsinOp,
    "Asinh": nn.AsinhOp,
    "Atan": nn.AtanOp,
    "Atanh": nn.AtanhOp,
    "BitwiseNot": nn.BitwiseNotOp,
    "Ceil": nn.CeilOp,
    "Cos": nn.CosOp,
    "Cosh": nn.CoshOp,
    "Erf": nn.ErfOp,
    "Exp": nn.ExpOp,
    "Floor": nn.FloorOp,
    "HardSwish": nn.HardSwishOp,
    "Log": nn.LogOp,
    "Mish": nn.MishOp,
    "Neg": nn.NegOp,
    "Not": nn.NotOp,
    "Reciprocal": nn.ReciprocalOp,
    "Relu": nn.ReluOp,
    "Round": nn.RoundOp,
    "Sigmoid": nn.SigmoidOp,
    "Sign": nn.SignOp,
    "Sin": nn.SinOp,
    "Sinh": nn.SinhOp,
    "Softplus": nn.SoftplusOp,
    "Softsign": nn.SoftsignOp,
    "Sqrt": nn.SqrtOp,
    "Tan": nn.TanOp,
    "Tanh": nn.TanhOp,
}.items():
    converter(_name)(partial(_unary, _op))


@converter("LeakyRelu")
def _leaky_relu(n: Node, x: Value) -> Value:
    return n.op(nn.LeakyReluOp, x, alpha=n.float("alpha", 0.01))


@converter("Elu")
def _elu(n: Node, x: Value) -> Value:
    return n.op(nn.EluOp, x, alpha=n.float("alpha", 1.0))


@converter("Celu")
def _celu(n: Node, x: Value) -> Value:
    return n.op(nn.CeluOp, x, alpha=n.float("alpha", 1.0))


@converter("Selu")
def _selu(n: Node, x: Value) -> Value:
    # Opset 6 gave the defaults more digits.
    alpha, gamma = (1.67326319217681884765625, 1.05070102214813232421875) if n.version >= 6 else (1.6732, 1.0507)
    return n.op(nn.SeluOp, x, alpha=n.float("alpha", alpha), gamma=n.float("gamma", gamma))


@converter("HardSigmoid")
def _hard_sigmoid(n: Node, x: Value) -> Value:
    return n.op(nn.HardSigmoidOp, x, alpha=n.float("alpha", 0.2), beta=n.float("beta", 0.5))


@converter("ThresholdedRelu")
def _thresholded_relu(n: Node, x: Value) -> Value:
    return n.op(nn.ThresholdedReluOp, x, alpha=n.float("alpha", 1.0))


@converter("Gelu")
def _gelu(n: Node, x: Value) -> Value:
    return n.op(nn.GeluOp, x, approximate=n.str("approximate", "none"))


@converter("FastGelu", domain="com.microsoft")
def _fast_gelu(n: Node, x: Value, bias: Value | None = None) -> Value:
    return n.op(nn.GeluOp, x if bias is None else n.add(x, bias), approximate="tanh")


@converter("Gelu", domain="com.microsoft")
def _contributed_gelu(n: Node, x: Value) -> Value:
    return n.op(nn.GeluOp, x)


@converter("Swish")
def _swish(n: Node, x: Value) -> Value:
    alpha = n.float("alpha", 1.0)
    if alpha == 1.0:
        return n.op(nn.SiluOp, x)
    return n.mul(x, n.op(nn.SigmoidOp, n.mul(x, n.like(alpha, x))))


@converter("Shrink")
def _shrink(n: Node, x: Value) -> Value:
    """x + bias below -lambda, x - bias above lambda, 0 between."""
    bias, bound, zero = n.like(n.float("bias"), x), n.like(n.float("lambd", 0.5), x), n.like(0, x)
    above = n.op(nn.SelectOp, n.op(nn.GtOp, x, bound), n.sub(x, bias), zero)
    return n.op(nn.SelectOp, n.op(nn.LtOp, x, n.like(-n.float("lambd", 0.5), x)), n.add(x, bias), above)


@converter("Binarizer", domain="ai.onnx.ml")
def _binarizer(n: Node, x: Value) -> Value:
    return n.cast(n.op(nn.GtOp, x, n.like(n.float("threshold"), x)), x.element)


def _computable(n: Node, x: Value) -> Value:
    """`x`, or what a narrow float stands for."""
    return n.cast(x, f32) if is_narrow(x.element) else x


@converter("IsNaN")
def _is_nan(n: Node, x: Value) -> Value:
    return n.op(nn.IsNanOp, _computable(n, x))


@converter("IsInf")
def _is_inf(n: Node, x: Value) -> Value:
    x = _computable(n, x)
    return n.op(nn.IsInfOp, x, detect_negative=bool(n.int("detect_negative", 1)), detect_positive=bool(n.int("detect_positive", 1)))


# ---- clip -------------------------------------------------------------------------------------------------------------------------


def _bound(value: float, largest: float) -> dict[str, float]:
    """A bound that excludes nothing is left out."""
    return {"min" if largest < 0 else "max": value} if abs(value) < abs(largest) else {}


@converter("Clip")
def _clip_attributes(n: Node, x: Value) -> Value:
    limit = float(np.finfo(np.float32).max)
    return n.op(nn.ClipOp, x, **_bound(n.float("min", -limit), -limit), **_bound(n.float("max", limit), limit))


@converter("Clip", since=11)
def _clip(n: Node, x: Value, low: Value | None = None, high: Value | None = None) -> Value:
    bounds: dict[str, Any] = {}
    for key, bound in (("min", low), ("max", high)):
        if bound is not None and bound.size != 1:
            n.fail(f"its {key} has {bound.size} elements, not one")
        # A bound that f64 cannot hold exactly (a large int64) takes the general way, as does one that is not known.
        if bound is not None and bound.array is not None and (2**53) >= abs(_finite(bound.array.item())):
            bounds[key] = float(bound.array.item())
            if math.isnan(bounds[key]):
                n.unsupported(f"its {key} is not a number")
    if (low is None) == ("min" not in bounds) and (high is None) == ("max" not in bounds):
        return n.op(nn.ClipOp, x, **bounds)
    if low is not None:
        x = n.op(nn.MaxOp, x, n.reshape(low, ()))
    return x if high is None else n.op(nn.MinOp, x, n.reshape(high, ()))


def _finite(value: float) -> float:
    return value if isinstance(value, int) or math.isfinite(value) else 0.0


# ---- casts ------------------------------------------------------------------------------------------------------------------------


@converter("Cast")
def _cast_by_name(n: Node, x: Value) -> Value:
    name = n.str("to")
    if name not in TensorProto.DataType.keys():
        n.fail(f"there is no element type {name!r}")
    return n.cast(x, element_type_of(dtype_of_element(TensorProto.DataType.Value(name), "its result")))


@converter("Cast", since=6)
def _cast(n: Node, x: Value) -> Value:
    return to_element(n, x, element_type_of(_target(n, n.int("to"))))


@converter("CastLike")
def _cast_like(n: Node, x: Value, other: Value) -> Value:
    return to_element(n, x, other.element)


def to_element(n: Node, x: Value, element: Attribute) -> Value:
    """A cast that does with numbers out of range what the node says (it says so from opset 19 on, how powers of two round from 24)."""
    manner: dict[str, Any] = {}
    if type(element) in NARROW_FLOATS:
        if not n.int("saturate", 1):
            manner["saturate"] = False
        if isinstance(element, Float8E8M0FNUType) and (mode := n.str("round_mode", "up")) != "up":
            manner["round_mode"] = mode
    return n.cast(x, element, **manner)


def _target(n: Node, element: int) -> np.dtype[Any]:
    if element == TensorProto.STRING:
        n.unsupported("element type STRING")
    return dtype_of_element(element, "its result")


# ---- two operands -----------------------------------------------------------------------------------------------------------------


def aligned(n: Node, a: Value, b: Value) -> Value:
    """`b` as numpy's broadcasting wants it. Before opset 7 it was broadcast only if `broadcast` was set, and from `axis` on."""
    if n.version >= 7:
        return b
    if not n.int("broadcast"):
        if a.shape != b.shape:
            n.fail(f"operands of shapes {list(a.shape)} and {list(b.shape)} differ and broadcast is not set")
        return b
    if not n.has("axis") or b.rank > a.rank:
        return b
    axis = n.axis(n.int("axis"), a.rank)
    return n.reshape(b, (*b.shape, *(1,) * max(a.rank - axis - b.rank, 0)))


def _binary(op_class: type[NnOp], n: Node, a: Value, b: Value) -> Value:
    return n.op(op_class, a, aligned(n, a, b))


for _name, _op in {
    "Add": nn.AddOp,
    "And": nn.AndOp,
    "BitwiseAnd": nn.BitwiseAndOp,
    "BitwiseOr": nn.BitwiseOrOp,
    "BitwiseXor": nn.BitwiseXorOp,
    "Equal": nn.EqOp,
    "Greater": nn.GtOp,
    "GreaterOrEqual": nn.GeOp,
    "Less": nn.LtOp,
    "LessOrEqual": nn.LeOp,
    "Mul": nn.MulOp,
    "Or": nn.OrOp,
    "Sub": nn.SubOp,
    "Xor": nn.XorOp,
}.items():
    converter(_name)(partial(_binary, _op))


@converter("Div")
def _div(n: Node, a: Value, b: Value) -> Value:
    if b.array is not None and not is_float(b.element) and not b.array.all():
        n.fail("it divides an integer by zero")
    return _binary(nn.DivOp, n, a, b)


@converter("Mod")
def _mod(n: Node, a: Value, b: Value) -> Value:
    if b.array is not None and not is_float(b.element) and not b.array.all():
        n.fail("it divides an integer by zero")
    return n.op(nn.ModOp, a, b, fmod=bool(n.int("fmod")))


@converter("Pow")
def _pow(n: Node, a: Value, b: Value) -> Value:
    """The result has the type of the base; an integer base with a fractional exponent is computed in floating point."""
    b = aligned(n, a, b)
    if a.element == b.element:
        return n.op(nn.PowOp, a, b)
    if is_float(b.element) and not is_float(a.element):
        return n.cast_like(n.op(nn.PowOp, n.cast_like(a, b), b), a)
    return n.op(nn.PowOp, a, n.cast_like(b, a))


@converter("PRelu")
def _prelu(n: Node, x: Value, slope: Value) -> Value:
    if n.version < 7 and slope.rank == 1 and x.rank > 1 and slope.size > 1:
        slope = n.reshape(slope, (slope.size, *(1,) * (x.rank - 2)))
    return n.op(nn.PreluOp, x, slope)


@converter("BitShift")
def _bit_shift(n: Node, a: Value, b: Value) -> Value:
    direction = n.str("direction")
    if direction not in ("LEFT", "RIGHT"):
        n.fail(f"its direction is {direction!r}, not LEFT or RIGHT")
    return n.op(nn.ShiftLeftOp if direction == "LEFT" else nn.ShiftRightOp, a, b)


@converter("Where")
def _where(n: Node, condition: Value, a: Value, b: Value) -> Value:
    return n.op(nn.SelectOp, condition, a, b)


@converter("BitCast")
def _bit_cast(n: Node, x: Value) -> Value:
    """A bool is a byte that is 0 or 1."""
    to, element = _target(n, n.int("to")), x.element
    if to.itemsize != x.dtype.itemsize:
        n.fail(f"{x.dtype} and {to} differ in size")
    if not {str(element), str(element_type_of(to))} <= {"i1", *BIT_TYPES}:
        n.unsupported(f"bits of {x.dtype} as {to}")
    if x.array is not None:
        return n.constant(np.array(x.array, order="C").view(to))
    if x.dtype == to:
        return x
    byte = element_type_of(np.dtype(np.uint8))
    if x.dtype == np.bool_:
        x = n.cast(x, byte)
    if to == np.bool_:
        return n.cast(n.op(nn.BitcastOp, x, to="ui8"), element_type_of(to))
    return n.op(nn.BitcastOp, x, to=str(element_type_of(to)))


# ---- any number of operands -------------------------------------------------------------------------------------------------------


def _fold(op_class: type[NnOp], n: Node, *operands: Value) -> Value:
    result = operands[0]
    for operand in operands[1:]:
        result = n.op(op_class, result, operand)
    return result


converter("Max")(partial(_fold, nn.MaxOp))
converter("Min")(partial(_fold, nn.MinOp))
converter("Sum")(partial(_fold, nn.AddOp))


@converter("Mean")
def _mean(n: Node, *operands: Value) -> Value:
    total = _fold(nn.AddOp, n, *operands)
    scale = np.asarray(1 / len(operands), np.float32 if total.dtype == bfloat16 else total.dtype)
    return n.mul(total, n.like(scale, total))
