"""Canonical forms of elementwise ops: identities, constants on the right, one spelling of each thing.

Float identities keep every value but may turn -0.0 into 0.0 (`x + 0`), as everywhere in the field. What rounds differently is left alone:
`x / c` becomes `x * (1 / c)` only where 1 / c is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import numpy as np
from xdsl.dialects.builtin import Float8E8M0FNUType, Float16Type
from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp, is_bool, is_float, is_integer, is_unsigned
from stepwell.dialects.nn.binary import BinaryOp
from stepwell.dialects.nn.unary import UnaryOp
from stepwell.ir.constants import NARROW_FLOATS, dtype_of, is_narrow, tensor_type
from stepwell.lowering.graph.patterns import Pattern, Replacement, Site
from stepwell.lowering.graph.values import (
    constant_array,
    constant_attribute,
    element_of,
    is_filled_with,
    made_by,
    shape_of,
    splat_value,
    tensor,
)

COMMUTATIVE = (
    nn.AddOp,
    nn.MulOp,
    nn.MaxOp,
    nn.MinOp,
    nn.AndOp,
    nn.OrOp,
    nn.XorOp,
    nn.BitwiseAndOp,
    nn.BitwiseOrOp,
    nn.BitwiseXorOp,
    nn.EqOp,
    nn.NeOp,
)

NEUTRAL: Mapping[type[Operation], float] = {
    nn.AddOp: 0,
    nn.SubOp: 0,
    nn.MulOp: 1,
    nn.DivOp: 1,
    nn.PowOp: 1,
    nn.MaxOp: -inf,
    nn.MinOp: inf,
    nn.AndOp: 1,
    nn.OrOp: 0,
    nn.XorOp: 0,
    nn.ShiftLeftOp: 0,
    nn.ShiftRightOp: 0,
}
"""The right operand that changes nothing."""


def constant_to_the_right(op: NnOp, site: Site) -> Replacement:
    """c + x -> x + c"""
    if constant_attribute(op.operands[0]) is None or constant_attribute(op.operands[1]) is not None:
        return None
    return site.same(op, op.operands[1], op.operands[0])


def neutral_operand(op: NnOp, site: Site) -> Replacement:
    """x + 0 -> x, x * 1 -> x, max(x, -inf) -> x, ..."""
    x, c = op.operands
    if x.type != op.results[0].type:
        return None
    found = splat_value(c)
    return x if found is not None and found == NEUTRAL[type(op)] else None


def subtraction_of_constant(op: nn.SubOp, site: Site) -> Replacement:
    """x - c -> x + (-c), which is exact"""
    c = constant_array(op.b)
    if c is None or not is_float(element_of(op.b)):
        return None
    return site.make(nn.AddOp, op.a, site.constant(-c))


def division_by_power_of_two(op: nn.DivOp, site: Site) -> Replacement:
    """x / 8 -> x * 0.125"""
    c = constant_array(op.b)
    if c is None or not is_float(element_of(op.b)) or c.size == 0:
        return None
    wide = c.astype(np.float64)
    mantissa, exponent = np.frexp(wide)
    limits = np.finfo(np.float32 if c.dtype != np.float64 else np.float64)
    # Reciprocals near the ends of the range would become denormal or infinite.
    if not (np.abs(mantissa) == 0.5).all() or not (np.abs(exponent) < -limits.minexp // 2).all():
        return None
    return site.make(nn.MulOp, op.a, site.constant((1 / wide).astype(c.dtype)))


def power(op: nn.PowOp, site: Site) -> Replacement:
    """x ** 2 -> x * x, x ** -1 -> 1 / x, x ** 0.5 -> sqrt(x) (which differ at -inf only)"""
    c = splat_value(op.b)
    if c is None or op.a.type != op.y.type:
        return None
    if c == 2:
        return site.make(nn.MulOp, op.a, op.a)
    if not is_float(element_of(op.a)):
        return None
    if c == -1:
        return site.make(nn.ReciprocalOp, op.a)
    return site.make(nn.SqrtOp, op.a) if c == 0.5 else None


def division_by_root(op: nn.DivOp, site: Site) -> Replacement:
    """1 / x -> reciprocal(x)"""
    if not is_filled_with(op.a, 1) or op.b.type != op.y.type or not is_float(element_of(op.a)):
        return None
    return site.make(nn.ReciprocalOp, op.b)


def reciprocal_of_root(op: nn.ReciprocalOp, site: Site) -> Replacement:
    """1 / sqrt(x) -> rsqrt(x)"""
    root = made_by(op.x, nn.SqrtOp)
    return site.make(nn.RsqrtOp, root.x) if root is not None else None


def max_with_zero(op: nn.MaxOp, site: Site) -> Replacement:
    """max(x, 0) -> relu(x)"""
    if not is_filled_with(op.b, 0) or op.a.type != op.y.type or is_bool(element_of(op.a)):
        return None
    return site.make(nn.ReluOp, op.a)


def bound_by_constant(op: nn.MaxOp | nn.MinOp, site: Site) -> Replacement:
    """max(x, c) -> clip(x) min = c, min(x, c) -> clip(x) max = c"""
    c = splat_value(op.b)
    if c is None or c != c or op.a.type != op.y.type or not is_float(element_of(op.a)):
        return None
    return site.make(nn.ClipOp, op.a, **{"min" if isinstance(op, nn.MaxOp) else "max": float(c)})


def clip_to_relu(op: nn.ClipOp, site: Site) -> Replacement:
    """clip(x) min = 0 -> relu(x); a clip without bounds -> x"""
    low, high = (None if b is None else b.value.data for b in (op.min, op.max))
    if high is None or high == inf:
        if low is None or low == -inf:
            return op.x
        if low == 0:
            return site.make(nn.ReluOp, op.x)
    return None


def chain_of_clips(op: nn.ClipOp, site: Site) -> Replacement:
    """clip(clip(x)) -> clip(x), relu counts as clip min = 0"""
    inner = op.x.owner
    if isinstance(inner, nn.ReluOp):
        bounds = 0.0, inf
    elif isinstance(inner, nn.ClipOp):
        bounds = _bound(inner.min, -inf), _bound(inner.max, inf)
    else:
        return None
    # min(max(x, low), high) twice is once with bounds clamped by the outer ones; right also where low > high.
    low, high = _bound(op.min, -inf), _bound(op.max, inf)
    if bounds[0] > bounds[1] or low > high:
        return None
    joined = min(max(bounds[0], low), high), min(max(bounds[1], low), high)
    return _clip(site, inner.operands[0], *joined)


def relu_of_clip(op: nn.ReluOp, site: Site) -> Replacement:
    """relu(clip(x)) -> clip(x); relu(relu(x)) -> relu(x)"""
    if isinstance(op.x.owner, (nn.ReluOp, nn.SigmoidOp, nn.HardSigmoidOp)):
        return op.x
    inner = made_by(op.x, nn.ClipOp)
    if inner is None or _bound(inner.min, -inf) > _bound(inner.max, inf):
        return None
    return _clip(site, inner.x, max(_bound(inner.min, -inf), 0.0), max(_bound(inner.max, inf), 0.0))


def _bound(attribute: Any, default: float) -> float:
    return default if attribute is None else attribute.value.data


def _clip(site: Site, x: SSAValue, low: float, high: float) -> SSAValue:
    bounds = {name: value for name, value, none in (("min", low, -inf), ("max", high, inf)) if value != none}
    return site.make(nn.ClipOp, x, **bounds)


def twice_is_nothing(op: NnOp, site: Site) -> Replacement:
    """-(-x) -> x, not(not(x)) -> x"""
    inner = made_by(op.operands[0], type(op))
    return None if inner is None else inner.operands[0]


def twice_is_once(op: NnOp, site: Site) -> Replacement:
    """abs(abs(x)) -> abs(x), floor(floor(x)) -> floor(x)"""
    return op.operands[0] if made_by(op.operands[0], type(op)) is not None else None


def cast_to_same(op: nn.CastOp, site: Site) -> Replacement:
    """A cast to the type that the value has"""
    return op.x if op.x.type == op.y.type else None


def chain_of_casts(op: nn.CastOp, site: Site) -> Replacement:
    """cast(cast(x)) -> cast(x) where the type in the middle holds every value of the first"""
    inner = made_by(op.x, nn.CastOp)
    if inner is None or not holds_all(element_of(inner.x), element_of(inner.y)):
        return None
    return site.insert(nn.CastOp.make_to(inner.x, element_of(op.y), op))


def holds_all(narrow: Any, wide: Any) -> bool:
    """Whether every value of an element type is exactly a value of the other."""
    if narrow == wide:
        return True
    if is_narrow(wide):
        return False
    if type(narrow) in NARROW_FLOATS:
        return is_float(wide) and not (isinstance(narrow, Float8E8M0FNUType) and isinstance(wide, Float16Type))
    a, b = dtype_of(narrow), dtype_of(wide)
    if is_bool(narrow):
        return is_float(wide) or is_integer(wide)
    if is_float(narrow):
        order = {"bfloat16": (8, 8), "float16": (11, 5), "float32": (24, 8), "float64": (53, 11)}
        return is_float(wide) and all(x <= y for x, y in zip(order[a.name], order[b.name], strict=True))
    bits = narrow.width.data - (0 if is_unsigned(narrow) else 1)
    if is_float(wide):
        return bits <= {"bfloat16": 8, "float16": 11, "float32": 24, "float64": 53}[b.name]
    if is_bool(wide) or (is_unsigned(wide) and not is_unsigned(narrow)):
        return False
    return bits <= b.itemsize * 8 - (0 if is_unsigned(wide) else 1)


def select_of_constant(op: nn.SelectOp, site: Site) -> Replacement:
    """select(true, a, b) -> a, select(c, a, a) -> a (broadcast to the result)"""
    condition = splat_value(op.condition)
    if op.a is op.b:
        chosen = op.a
    elif condition is not None:
        chosen = op.a if condition else op.b
    else:
        return None
    return chosen if chosen.type == op.y.type else site.make(nn.BroadcastToOp, chosen, result_type=op.y.type)


def operand_without_broadcast(op: NnOp, site: Site) -> Replacement:
    """f(broadcast_to(x), y) -> f(x, y): elementwise ops broadcast by themselves"""
    result = tensor(op.results[0]).get_shape()
    operands = list(op.operands)
    for i, operand in enumerate(operands):
        broadcast = made_by(operand, nn.BroadcastToOp)
        if broadcast is None:
            continue
        others = [shape_of(o) for j, o in enumerate(operands) if j != i]
        if _joint((shape_of(broadcast.x), *others)) == result:
            operands[i] = broadcast.x
            return site.same(op, *operands)
    return None


def _joint(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    try:
        return tuple(np.broadcast_shapes(*shapes))
    except ValueError:
        return ()


def broadcast_after_unary(op: nn.BroadcastToOp, site: Site) -> Replacement:
    """broadcast_to(broadcast_to(x)) -> broadcast_to(x); a broadcast to the same type -> x; of a splat -> a larger splat"""
    if op.x.type == op.y.type:
        return op.x
    if (inner := made_by(op.x, nn.BroadcastToOp)) is not None:
        return site.make(nn.BroadcastToOp, inner.x, result_type=op.y.type)
    c = splat_value(op.x)
    if c is None:
        return None
    return site.constant(np.broadcast_to(c, shape_of(op.y)), tensor_type(shape_of(op.y), element_of(op.y)))


def unary_of_broadcast(op: NnOp, site: Site) -> Replacement:
    """f(broadcast_to(x)) -> broadcast_to(f(x)): computed once, and seen by the consumer"""
    broadcast = made_by(op.operands[0], nn.BroadcastToOp)
    if broadcast is None:
        return None
    small = tensor_type(shape_of(broadcast.x), element_of(op.results[0]))
    computed = site.same(op, broadcast.x, result_type=small)
    return site.make(nn.BroadcastToOp, computed, result_type=op.results[0].type)


_BROADCASTING = tuple(k for k in nn.OPS if issubclass(k, (BinaryOp, nn.SelectOp)))
_UNARY = (*(k for k in nn.OPS if issubclass(k, UnaryOp)), nn.CastOp)


def _table() -> dict[type[Operation], list[Pattern]]:
    table: dict[type[Operation], list[Pattern]] = {}

    def add(kinds: Sequence[type[Operation]], *patterns: Pattern) -> None:
        for kind in kinds:
            table.setdefault(kind, []).extend(patterns)

    add(COMMUTATIVE, constant_to_the_right)
    add(tuple(NEUTRAL), neutral_operand)
    add((nn.SubOp,), subtraction_of_constant)
    add((nn.DivOp,), division_by_power_of_two, division_by_root)
    add((nn.PowOp,), power)
    add((nn.ReciprocalOp,), reciprocal_of_root)
    add((nn.MaxOp,), max_with_zero)
    add((nn.MaxOp, nn.MinOp), bound_by_constant)
    add((nn.ClipOp,), clip_to_relu, chain_of_clips)
    add((nn.ReluOp,), relu_of_clip)
    add((nn.NegOp, nn.NotOp, nn.BitwiseNotOp), twice_is_nothing)
    add((nn.AbsOp, nn.CeilOp, nn.FloorOp, nn.RoundOp, nn.SignOp), twice_is_once)
    add((nn.CastOp,), cast_to_same, chain_of_casts)
    add((nn.SelectOp,), select_of_constant)
    add(_BROADCASTING, operand_without_broadcast)
    add((nn.BroadcastToOp,), broadcast_after_unary)
    add(_UNARY, unary_of_broadcast)
    return table


ELEMENTWISE = _table()
