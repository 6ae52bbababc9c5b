"""Quantise-dequantise pairs around an operation that only moves or chooses elements: it works on the integers themselves.

The rule: `quantise(move(dequantise(x)))` becomes `move(x)` where both have the same one scale and zero point, and the same integer type.
That is exact: (n s) / s in f32 is within one unit in the last place of the integer n = x - zero, which has at most 16 bits and a sign, so
that rounding gives n back, and x lies inside its own type. The scale must be such that n s is a normal number. `move` is a chain of
reshapes, transposes, slices, broadcasts and, since a positive scale keeps the order, of maxima over axes. Whatever computes on numbers (a
matmul, an addition) is left: integer kernels would round its result at other places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.dialects.builtin import f32, i32
from xdsl.ir import Attribute, Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp, is_integer, number
from stepwell.ir.constants import dtype_of, tensor_type
from stepwell.lowering.graph.patterns import Pattern, Replacement, Site
from stepwell.lowering.graph.values import element_of, made_by, shape_of, splat_value

SMALLEST, LARGEST = 2.0**-100, 2.0**100
"""Scales between these keep products with integers of 16 bits, and their quotients, normal numbers."""

MOVES = (nn.ReshapeOp, nn.TransposeOp, nn.SliceOp, nn.BroadcastToOp)
DEEPEST = 8


@dataclass(frozen=True)
class Quantisation:
    """value = (integer - zero) scale, or the way back."""

    value: SSAValue
    scale: float
    zero: int
    element: Attribute


def _dequantised(value: SSAValue) -> Quantisation | None:
    """x of cast(cast(x) - zero) * scale."""
    product = made_by(value, nn.MulOp)
    scale = splat_value(product.b) if product is not None else 1.0  # a product with 1 is gone
    centred = made_by(value if product is None else product.a, nn.CastOp)
    if scale is None or centred is None or centred.y.type != value.type:
        return None
    inner, zero = centred.x, 0
    if (difference := made_by(inner, nn.SubOp)) is not None and element_of(inner) == i32:
        offset = splat_value(difference.b)
        if offset is None or difference.a.type != inner.type:
            return None
        inner, zero = difference.a, int(offset)
    widened = made_by(inner, nn.CastOp)
    x = widened.x if widened is not None and element_of(inner) == i32 else inner
    return Quantisation(x, float(scale), zero, element_of(x)) if is_integer(element_of(x)) else None


def _quantised(op: nn.CastOp) -> Quantisation | None:
    """x of cast(clip(round(x / scale) + zero)), the clip being that of the type."""
    element: Attribute = element_of(op.y)
    clip = made_by(op.x, nn.ClipOp)
    if clip is None or not is_integer(element) or clip.min is None or clip.max is None:
        return None
    limits = np.iinfo(dtype_of(element))
    if limits.bits not in (8, 16) or (number(clip.min), number(clip.max)) != (limits.min, limits.max):
        return None
    inner, zero = clip.x, 0
    if (total := made_by(inner, nn.AddOp)) is not None:
        offset = splat_value(total.b)
        if offset is None or offset != int(offset) or total.a.type != inner.type:
            return None
        inner, zero = total.a, int(offset)
    rounded = made_by(inner, nn.RoundOp)
    if rounded is None or element_of(rounded.x) != f32:
        return None
    scaled = rounded.x.owner
    if not isinstance(scaled, (nn.DivOp, nn.MulOp)):
        return Quantisation(rounded.x, 1.0, zero, element)
    if scaled.a.type != scaled.y.type:
        return None
    factor = splat_value(scaled.b)
    if factor is None or factor == 0:
        return None
    # A division by a power of two has become a multiplication.
    scale = float(factor) if isinstance(scaled, nn.DivOp) else float(np.float32(1) / factor)
    exact = isinstance(scaled, nn.DivOp) or np.frexp(factor)[0] == 0.5
    return Quantisation(scaled.a, scale, zero, element) if exact else None


def moved_between_quantisations(op: nn.CastOp, site: Site) -> Replacement:
    """quantise(transpose(dequantise(x))) -> transpose(x)"""
    back = _quantised(op)
    if back is None or not SMALLEST <= back.scale <= LARGEST:
        return None
    chain: list[NnOp] = []
    value = back.value
    while isinstance(value.owner, (*MOVES, nn.ReduceMaxOp)) and value.has_one_use() and len(chain) < DEEPEST:
        chain.append(value.owner)
        value = value.owner.operands[0]
    there = _dequantised(value)
    if there is None or (there.scale, there.zero, there.element) != (back.scale, back.zero, back.element):
        return None
    x = there.value
    for move in reversed(chain):
        typed: dict[str, Any] = {"result_type": tensor_type(shape_of(move.results[0]), back.element)} if move.TYPED_RESULT else {}
        x = site.make(type(move), x, **move.properties, **typed)
    return x if x.type == op.y.type else None


QUANTISED: Mapping[type[Operation], Sequence[Pattern]] = {nn.CastOp: (moved_between_quantisations,)}
