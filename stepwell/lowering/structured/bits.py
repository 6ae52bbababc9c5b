"""Bits read as another type, and random bits of a place.

In: `nn.bitcast`, `nn.random_bits`. Out: one generic each, whose body says what happens to one element.
"""

from __future__ import annotations

from xdsl.dialects.builtin import i64
from xdsl.ir import SSAValue

from stepwell.dialects import arith, nn
from stepwell.dialects.nn.bits import MULTIPLIER
from stepwell.lowering.structured.emit import Emitter, dims, lowers
from stepwell.lowering.structured.scalars import Scalars, signless


@lowers(nn.BitcastOp)
def lower_bitcast(op: nn.BitcastOp, e: Emitter) -> None:
    """Elements are taken as they are stored."""
    to = signless(op.result_type.element_type)

    def body(s: Scalars, x: SSAValue) -> SSAValue:
        return x if x.type == to else s.convert(arith.BitcastOp, x, to)

    e.define(op.y, e.pointwise(e.values(op), e.destination(op.y), body, raw=True))


@lowers(nn.RandomBitsOp)
def lower_random_bits(op: nn.RandomBitsOp, e: Emitter) -> None:
    """Ten rounds on the halves of the place."""

    def body(s: Scalars, _: SSAValue) -> SSAValue:
        def shifted(x: SSAValue, up: bool) -> SSAValue:
            return s.binary(arith.ShLIOp if up else arith.ShRUIOp, x, s.constant(32, i64))

        low = s.constant(0xFFFFFFFF, i64)
        place = s.from_index(e.index(s, 0), i64)
        left, right = s.both(place, low), shifted(place, up=False)
        for key in op.keys():
            product = s.times(left, s.constant(MULTIPLIER, i64))
            keyed = s.binary(arith.XOrIOp, right, s.constant(key, i64))
            left, right = s.binary(arith.XOrIOp, shifted(product, up=False), keyed), s.both(product, low)
        return s.either(shifted(left, up=True), right)

    e.define(op.y, e.generic([], e.destination(op.y), dims(1), 1, body))
