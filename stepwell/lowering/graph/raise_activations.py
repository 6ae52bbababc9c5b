"""Activations from products and quotients: sigmoid, hard-sigmoid, hard-swish, SiLU, mish, GELU (by erf, by tanh, by a sigmoid).

Every such activation is a product of x, a function of x, and numbers, which exporters write in any order. A product is flattened first
(`Product`), so that one pattern meets all spellings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import pi, sqrt

from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import is_float, number
from stepwell.lowering.graph.patterns import Pattern, Replacement, Site
from stepwell.lowering.graph.values import close, element_of, made_by, splat_value

DEPTH = 6
"""So many multiplications deep a product is looked at."""


@dataclass
class Product:
    """A value as a number times factors."""

    number: float = 1.0
    factors: list[SSAValue] = field(default_factory=list[SSAValue])

    def take(self, value: SSAValue, depth: int = DEPTH, *, root: bool = False) -> None:
        """Multiply by a value, itself taken apart while nothing else uses it (the root may have other uses)."""
        owner = value.owner
        if depth and (root or value.has_one_use()) and isinstance(owner, (nn.MulOp, nn.DivOp)):
            c = splat_value(owner.b)
            if c is not None and (c != 0 or isinstance(owner, nn.MulOp)):
                self.number = self.number * float(c) if isinstance(owner, nn.MulOp) else self.number / float(c)
                return self.take(owner.a, depth - 1)
            if isinstance(owner, nn.MulOp):
                self.take(owner.a, depth - 1)
                return self.take(owner.b, depth - 1)
        power = made_by(value, nn.PowOp)
        if power is not None and splat_value(power.b) in (2, 3):
            self.factors += [power.a] * int(splat_value(power.b))  # type: ignore[arg-type]
            return None
        # x * x stays one factor where it is used elsewhere, too.
        self.factors.append(value)
        return None


def product_of(value: SSAValue) -> Product:
    """A value as a product."""
    product = Product()
    product.take(value, root=True)
    return product


def hard_sigmoid(op: nn.MulOp | nn.DivOp, site: Site) -> Replacement:
    """clip(x + 3, 0, 6) / 6 -> hard_sigmoid(x) alpha = 1/6"""
    c = splat_value(op.b)
    if c is None or c == 0 or not is_float(element_of(op.a)):
        return None
    x = _shifted_relu6(op.a)
    factor = float(c) if isinstance(op, nn.MulOp) else 1 / float(c)
    return site.make(nn.HardSigmoidOp, x, alpha=1 / 6, beta=0.5) if x is not None and close(factor, 1 / 6) else None


def hard_sigmoid_of_sum(op: nn.ClipOp, site: Site) -> Replacement:
    """clip(x * a + b, 0, 1) -> hard_sigmoid(x)"""
    if op.min is None or op.max is None or (op.min.value.data, op.max.value.data) != (0, 1) or not op.x.has_one_use():
        return None
    total = made_by(op.x, nn.AddOp)
    scaled = made_by(total.a, nn.MulOp) if total is not None and total.a.has_one_use() else None
    if total is None or scaled is None:
        return None
    alpha, beta = splat_value(scaled.b), splat_value(total.b)
    if alpha is None or beta is None or scaled.a.type != op.y.type or not is_float(element_of(op.x)):
        return None
    return site.make(nn.HardSigmoidOp, scaled.a, alpha=float(alpha), beta=float(beta))


def _shifted_relu6(value: SSAValue) -> SSAValue | None:
    """x of clip(x + 3, 0, 6)."""
    clip = made_by(value, nn.ClipOp)
    if clip is None or clip.min is None or clip.max is None or (clip.min.value.data, clip.max.value.data) != (0, 6):
        return None
    total = made_by(clip.x, nn.AddOp)
    if total is None or not close(splat_value(total.b), 3) or total.a.type != value.type:
        return None
    return total.a


def activation_of_product(op: nn.MulOp | nn.DivOp, site: Site) -> Replacement:
    """x * g(x) * number in any order -> hard_swish, silu or gelu"""
    if not is_float(element_of(op.y)):
        return None
    product = product_of(op.y)
    if len(product.factors) != 2:
        return None
    for x, g in (product.factors, product.factors[::-1]):
        if x.type != op.y.type or g.type != op.y.type:
            continue
        for recognise in (_hard_swish, _silu, _mish, _gelu):
            found = recognise(x, g, product.number, site)
            if found is not None:
                return found
    return None


def _hard_swish(x: SSAValue, g: SSAValue, factor: float, site: Site) -> SSAValue | None:
    """x clip(x + 3, 0, 6) / 6, or x hard_sigmoid(x)."""
    gate = made_by(g, nn.HardSigmoidOp)
    if gate is not None:
        same = gate.x is x and close(number(gate.alpha), 1 / 6) and close(number(gate.beta), 0.5) and close(factor, 1)
        return site.make(nn.HardSwishOp, x) if same else None
    return site.make(nn.HardSwishOp, x) if _shifted_relu6(g) is x and close(factor, 1 / 6) else None


def _silu(x: SSAValue, g: SSAValue, factor: float, site: Site) -> SSAValue | None:
    """x sigmoid(x)."""
    gate = made_by(g, nn.SigmoidOp)
    return site.make(nn.SiluOp, x) if gate is not None and gate.x is x and factor == 1 else None


def _mish(x: SSAValue, g: SSAValue, factor: float, site: Site) -> SSAValue | None:
    """x tanh(log(1 + exp(x))). Where exp(x) overflows, tanh is 1 either way."""
    tanh = made_by(g, nn.TanhOp)
    if tanh is None or factor != 1:
        return None
    softplus, logarithm = made_by(tanh.x, nn.SoftplusOp), made_by(tanh.x, nn.LogOp)
    if softplus is not None:
        return site.make(nn.MishOp, x) if softplus.x is x else None
    exp = _one_and(logarithm.x) if logarithm is not None else None
    return site.make(nn.MishOp, x) if exp is not None and exp.x is x else None


def _one_and(value: SSAValue) -> nn.ExpOp | None:
    """The exponential of 1 + exp(..)."""
    total = made_by(value, nn.AddOp)
    if total is None:
        return None
    for a, one in ((total.a, total.b), (total.b, total.a)):
        if splat_value(one) == 1 and a.type == value.type:
            return made_by(a, nn.ExpOp)
    return None


def quotient_of_exponential(op: nn.DivOp, site: Site) -> Replacement:
    """1 / (1 + exp(-x)) -> sigmoid(x), and x / (1 + exp(-x)) -> silu(x)"""
    exp = _one_and(op.b)
    negative = made_by(exp.x, nn.NegOp) if exp is not None else None
    if negative is None or not is_float(element_of(op.y)) or negative.x.type != op.y.type:
        return None
    if splat_value(op.a) == 1:
        return site.make(nn.SigmoidOp, negative.x)
    return site.make(nn.SiluOp, negative.x) if op.a is negative.x else None


def reciprocal_of_exponential(op: nn.ReciprocalOp, site: Site) -> Replacement:
    """reciprocal(1 + exp(-x)) -> sigmoid(x)"""
    exp = _one_and(op.x)
    negative = made_by(exp.x, nn.NegOp) if exp is not None else None
    return site.make(nn.SigmoidOp, negative.x) if negative is not None and negative.x.type == op.y.type else None


def _gelu(x: SSAValue, g: SSAValue, factor: float, site: Site) -> SSAValue | None:
    """x (1 + erf(x / sqrt 2)) / 2, or with tanh(sqrt(2 / pi) (x + 0.044715 x^3)) in place of erf."""
    gate = made_by(g, nn.SigmoidOp)
    if gate is not None:  # (1 + tanh(t)) / 2 is sigmoid(2 t)
        same = factor == 1 and _is_tanh_argument(gate.x, x, 2)
        return site.make(nn.GeluOp, x, approximate="tanh") if same else None
    total = made_by(g, nn.AddOp)
    if total is None:
        return None
    # (1 + f) / 2, or 1/2 + f / 2
    inside = product_of(total.a)
    one = splat_value(total.b)
    if one is None or len(inside.factors) != 1 or not close(factor * float(one), 0.5) or not close(factor * inside.number, 0.5):
        return None
    erf, tanh = made_by(inside.factors[0], nn.ErfOp), made_by(inside.factors[0], nn.TanhOp)
    if erf is not None:
        argument = product_of(erf.x)
        same = len(argument.factors) == 1 and argument.factors[0] is x and close(argument.number, sqrt(0.5))
        return site.make(nn.GeluOp, x) if same else None
    if tanh is not None and _is_tanh_argument(tanh.x, x):
        return site.make(nn.GeluOp, x, approximate="tanh")
    return None


def _is_tanh_argument(value: SSAValue, x: SSAValue, times: float = 1) -> bool:
    """sqrt(2 / pi) (x + 0.044715 x^3), or sqrt(2 / pi) x (1 + 0.044715 x^2), so many times."""
    outer = product_of(value)
    if not close(outer.number, times * sqrt(2 / pi)):
        return False
    sums = [made_by(f, nn.AddOp) for f in outer.factors]
    total = next((s for s in sums if s is not None), None)
    others = [f for f, s in zip(outer.factors, sums, strict=True) if s is not total]
    if total is None:
        return False
    if not others:
        for linear, cube in ((total.a, total.b), (total.b, total.a)):
            if linear is x and _is_power(cube, x, 3):
                return True
        return False
    return others == [x] and splat_value(total.b) == 1 and _is_power(total.a, x, 2)


def _is_power(value: SSAValue, x: SSAValue, exponent: int) -> bool:
    """0.044715 x^exponent."""
    product = product_of(value)
    flat: list[SSAValue] = []
    for factor in product.factors:
        square = made_by(factor, nn.MulOp)
        flat += [square.a, square.b] if square is not None and square.a is square.b else [factor]
    return close(product.number, 0.044715) and len(flat) == exponent and all(f is x for f in flat)


ACTIVATIONS: Mapping[type[Operation], Sequence[Pattern]] = {
    nn.MulOp: (hard_sigmoid, activation_of_product),
    nn.DivOp: (hard_sigmoid, quotient_of_exponential, activation_of_product),
    nn.ReciprocalOp: (reciprocal_of_exponential,),
    nn.ClipOp: (hard_sigmoid_of_sum,),
}
