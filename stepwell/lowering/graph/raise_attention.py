"""Attention and rotary embedding, put together again from what exporters write.

In: canonical level 1, norms and softmax raised. Out: `nn.attention` and `nn.rotary_embedding` where all of the pattern is there and nobody
else reads what lies inside.

    softmax(q k^T scale + mask) v       scale: numbers on q, on k, on the product, or several of these
    select(mask, q k^T, number)         in place of the addition
    select(isnan(p), 0, p)              around the softmax p: what PyTorch writes for rows that are masked out
    k and v repeated over groups        reshape(broadcast_to(k as [.., G, 1, T, D]))
    x cos + concat(-x2, x1) sin         x1 and x2 the halves of x
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import bf16, f16, f32, f64, i1
from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import ints, number
from stepwell.ir.constants import tensor_type
from stepwell.ir.passes import Pass
from stepwell.lowering.graph.patterns import Pattern, Replacement, Site, apply_patterns
from stepwell.lowering.graph.values import aligned, element_of, is_filled_with, is_static, made_by, shape_of, splat_value

# ---- attention ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scaled:
    """A value as a number times a value."""

    value: SSAValue
    number: float = 1.0


def _scaled(value: SSAValue) -> Scaled:
    """A value without the numbers that it is multiplied with or divided by."""
    factor = 1.0
    while value.has_one_use():
        owner = value.owner
        if not isinstance(owner, (nn.MulOp, nn.DivOp)) or owner.a.type != owner.y.type:
            break
        c = splat_value(owner.b)
        if c is None or not math.isfinite(c) or c == 0:
            break
        factor = factor * float(c) if isinstance(owner, nn.MulOp) else factor / float(c)
        value = owner.a
    return Scaled(value, factor)


@dataclass(frozen=True)
class Scores:
    """q k^T scale, masked."""

    product: nn.MatmulOp
    scale: float
    mask: SSAValue | None = None
    fill: float = -math.inf


def _scores(value: SSAValue) -> Scores | None:
    """What the softmax of an attention is taken of."""
    if not value.has_one_use():
        return None
    owner, mask, fill = value.owner, None, -math.inf
    inner = value
    if isinstance(owner, nn.AddOp):
        for a, b in ((owner.a, owner.b), (owner.b, owner.a)):
            if a.type == owner.y.type and made_by(_scaled(a).value, nn.MatmulOp) is not None and a.has_one_use():
                inner, mask = a, b
                break
    elif isinstance(owner, nn.SelectOp):
        condition, inner, otherwise = owner.operands
        filled = splat_value(otherwise)
        if filled is None or math.isnan(filled) or inner.type != value.type or element_of(condition) != i1 or not inner.has_one_use():
            return None
        mask, fill = condition, float(filled)
    scaled = _scaled(inner)
    product = made_by(scaled.value, nn.MatmulOp)
    return Scores(product, scaled.number, mask, fill) if product is not None and scaled.value.has_one_use() else None


def _softmax(value: SSAValue) -> tuple[nn.SoftmaxOp, bool] | None:
    """The softmax over the last axis that a value is, and whether what is no number in it is replaced by 0."""
    guard = made_by(value, nn.SelectOp)
    guarded = guard is not None
    if guard is not None:
        test, zero, value = guard.operands
        check = made_by(test, nn.IsNanOp)
        if check is None or check.x is not value or not is_filled_with(zero, 0) or value.type != guard.results[0].type:
            return None
        if value.uses.get_length() != 2 or not test.has_one_use():
            return None
    softmax = made_by(value, nn.SoftmaxOp)
    if softmax is None or number(softmax.axis) != len(shape_of(value)) - 1 or not (guarded or value.has_one_use()):
        return None
    return softmax, guarded


def _shared_heads(value: SSAValue) -> tuple[SSAValue, tuple[int, ...]]:
    """What repeats each of its heads along axis -3 to give the value, and the shape [.., G, T, D] of that; else the value itself."""
    outer = made_by(value, nn.ReshapeOp)
    repeated = made_by(value if outer is None else outer.x, nn.BroadcastToOp)
    result = shape_of(value)
    if repeated is None or not is_static(repeated.x):
        return value, result
    wide = shape_of(repeated.y)
    if outer is None:  # one head for all
        thin = (*result[:-3], 1, *result[-2:])
        return (repeated.x, thin) if aligned(shape_of(repeated.x), len(wide)) == thin else (value, result)
    *batch, heads, rows, extent = result
    group = wide[-3] if len(wide) > 3 else 0
    if group < 1 or heads % group or wide != (*batch, heads // group, group, rows, extent):
        return value, result
    fits = aligned(shape_of(repeated.x), len(wide)) == (*batch, heads // group, 1, rows, extent)
    return (repeated.x, (*batch, heads // group, rows, extent)) if fits else (value, result)


def attention(op: nn.MatmulOp, site: Site) -> Replacement:
    """softmax(q k^T) v -> attention(q, k, v)"""
    rank = len(shape_of(op.y))
    if rank < 3 or element_of(op.y) not in (f16, bf16, f32, f64) or not op.a.has_one_use():
        return None
    found = _softmax(op.a)
    scores = _scores(found[0].x) if found is not None else None
    if found is None or scores is None:
        return None
    q, turned = _scaled(scores.product.a), _scaled(scores.product.b)
    v = op.b
    if any(len(shape_of(x)) != rank for x in (q.value, turned.value, v)) or not is_static(q.value, turned.value, v):
        return None
    batch = shape_of(q.value)[:-2]
    if shape_of(turned.value)[:-2] != batch or shape_of(v)[:-2] != batch:
        return None  # heads that broadcast
    if scores.mask is not None and not _broadcasts_to(scores.mask, found[0].x):
        return None
    swap = [*range(rank - 2), rank - 1, rank - 2]
    transpose = made_by(turned.value, nn.TransposeOp)
    if transpose is not None and list(ints(transpose.permutation)) == swap:
        k = transpose.x
    else:
        k = site.make(nn.TransposeOp, turned.value, permutation=swap)
    # Keys and values are shared by the same heads, or by none.
    (keys, keys_shape), (values, values_shape) = _shared_heads(k), _shared_heads(v)
    if keys_shape[-3] == values_shape[-3] and keys_shape[-3] != shape_of(k)[-3]:
        k = site.make(nn.ReshapeOp, keys, result_type=tensor_type(keys_shape, element_of(k)))
        v = site.make(nn.ReshapeOp, values, result_type=tensor_type(values_shape, element_of(v)))
    operands = [q.value, k, v] + ([scores.mask] if scores.mask is not None else [])
    scale = scores.scale * q.number * turned.number
    return site.make(nn.AttentionOp, *operands, scale=scale, fill=scores.fill, masked_rows="zero" if found[1] else "nan")


def _broadcasts_to(value: SSAValue, target: SSAValue) -> bool:
    """Whether a value broadcasts to the shape of another without enlarging it."""
    shape, wide = shape_of(value), shape_of(target)
    return len(shape) <= len(wide) and all(a in (1, b) for a, b in zip(aligned(shape, len(wide)), wide, strict=True))


# ---- rotary embedding -----------------------------------------------------------------------------------------------------------------


def rotary_embedding(op: nn.AddOp, site: Site) -> Replacement:
    """x cos + concat(-x2, x1) sin -> rotary_embedding(x, cos, sin)"""
    terms = [made_by(v, nn.MulOp) for v in (op.a, op.b)]
    if terms[0] is None or terms[1] is None or element_of(op.y) not in (f16, bf16, f32, f64):
        return None
    for straight, turned in ((terms[0], terms[1]), (terms[1], terms[0])):
        for sin, rotated in ((turned.b, turned.a), (turned.a, turned.b)):
            x = _unrotated(rotated)
            if x is None or x.type != op.y.type or not turned.y.has_one_use() or not straight.y.has_one_use():
                continue
            for cos, same in ((straight.b, straight.a), (straight.a, straight.b)):
                if same is x and _broadcasts_to(cos, x) and _broadcasts_to(sin, x):
                    return site.make(nn.RotaryEmbeddingOp, x, cos, sin)
    return None


def _unrotated(value: SSAValue) -> SSAValue | None:
    """x of concat(-x2, x1) along the last axis."""
    joined = made_by(value, nn.ConcatOp)
    if joined is None or len(joined.operands) != 2 or not value.has_one_use() or not is_static(value):
        return None
    rank, extent = len(shape_of(value)), shape_of(value)[-1]
    second, first = _negated(joined.operands[0]), made_by(joined.operands[1], nn.SliceOp)
    if number(joined.axis) != rank - 1 or extent % 2 or second is None or first is None or second.x is not first.x:
        return None
    if first.x.type != value.type:
        return None
    for part, start in ((first, 0), (second, extent // 2)):
        shape = shape_of(part.x)
        if ints(part.starts) != (*(0,) * (rank - 1), start) or ints(part.ends) != (*shape[:-1], start + extent // 2):
            return None
        if set(ints(part.steps)) != {1}:
            return None
    return first.x


def _negated(value: SSAValue) -> nn.SliceOp | None:
    """The slice that a value is the negative of."""
    negative, product = made_by(value, nn.NegOp), made_by(value, nn.MulOp)
    if negative is not None:
        return made_by(negative.x, nn.SliceOp)
    return made_by(product.a, nn.SliceOp) if product is not None and splat_value(product.b) == -1 else None


ATTENTION: Mapping[type[Operation], Sequence[Pattern]] = {nn.MatmulOp: (attention,), nn.AddOp: (rotary_embedding,)}


@dataclass(frozen=True)
class RaiseAttention(Pass):
    """Recognise attention and rotary embeddings. `nn-decompose` writes them out again, in the form that computes fastest.

    ```mlir
    %t = nn.transpose %k permutation = [0, 1, 3, 2] : tensor<1x2x5x3xf32> -> tensor<1x2x3x5xf32>
    %s = nn.matmul %q, %t : tensor<1x2x4x3xf32>, tensor<1x2x3x5xf32> -> tensor<1x2x4x5xf32>
    %p = nn.softmax %s axis = 3 : tensor<1x2x4x5xf32>
    %y = nn.matmul %p, %v : tensor<1x2x4x5xf32>, tensor<1x2x5x6xf32> -> tensor<1x2x4x6xf32>
    ```
    becomes
    ```mlir
    %y = nn.attention %q, %k, %v : tensor<1x2x4x3xf32>, tensor<1x2x5x3xf32>, tensor<1x2x5x6xf32> -> tensor<1x2x4x6xf32>
    ```
    """

    name: ClassVar[str] = "nn-raise-attention"

    def run(self, op: Operation, ctx: Context) -> None:
        apply_patterns(op, ATTENTION)
