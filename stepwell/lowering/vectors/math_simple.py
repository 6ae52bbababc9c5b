"""Powers with a constant exponent that are a multiplication, a division or a square root."""

from __future__ import annotations

from xdsl.dialects.builtin import FloatAttr, IntegerAttr
from xdsl.ir import Operation, SSAValue

from stepwell.ir.constants import array_of, is_splat
from stepwell.ir.text.narrow import as_dense
from stepwell.lowering.vectors.math_builder import INF, MathBuilder


def constant_of(value: SSAValue) -> float | None:
    """The number that all elements of a value are, if it is such a constant."""
    op = value.owner
    if not isinstance(op, Operation):
        return None
    if op.name == "vector.broadcast":
        return constant_of(op.operands[0])
    if op.name != "arith.constant":
        return None
    held = op.properties.get("value")
    if isinstance(held, FloatAttr | IntegerAttr):
        return held.value.data
    dense = as_dense(held)
    return array_of(dense).reshape(-1)[0].item() if dense is not None and is_splat(dense) else None


def simple_power(b: MathBuilder, op: Operation) -> SSAValue | None:
    """The expansion of `math.powf` or `math.fpowi` by a simple constant; None for everything else."""
    if op.name not in ("math.powf", "math.fpowi"):
        return None
    x, exponent = op.operands[0], constant_of(op.operands[1])
    if exponent == 1.0:
        return x
    if exponent == 2.0:
        return b.mul(x, x)
    if exponent == 3.0:
        return b.mul(b.mul(x, x), x)
    if exponent == -1.0:
        return b.div(1.0, x)
    if exponent == 0.5:  # sqrt(-0) is -0 and sqrt(-inf) is NaN, where powers are 0 and inf
        return b.select(b.cmp("oeq", x, -INF), INF, b.add(b.sqrt(x), 0.0))
    if exponent == -0.5:
        return b.select(b.cmp("oeq", x, -INF), 0.0, b.div(1.0, b.add(b.sqrt(x), 0.0)))
    return None
