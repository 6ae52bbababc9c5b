"""Operators of com.microsoft that stand beside ONNX's own: older or wider forms of them, experts, look-ups in few bits, matrices.

What is the same as an operator of the standard is imported by its converter (`STANDARD`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import BFloat16Type, Float16Type, f32

from stepwell.dialects import nn
from stepwell.dialects.nn.base import is_float
from stepwell.frontends.onnx.contributed import DOMAIN, activated
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import Converter, converter, find_converter
from stepwell.frontends.onnx.shape import slice_axis
from stepwell.ir.constants import element_type_of

I32, I64 = (element_type_of(np.dtype(t)) for t in (np.int32, np.int64))

STANDARD: dict[str, tuple[str, int]] = {
    "Trilu": ("Trilu", 14),
    "GatherND": ("GatherND", 13),
    "GridSample": ("GridSample", 16),
    "Range": ("Range", 11),
    "Pad": ("Pad", 13),
    "DequantizeLinear": ("DequantizeLinear", 19),
    "QuantizeLinear": ("QuantizeLinear", 19),
    "TransposeMatMul": ("com.microsoft.FusedMatMul", 1),
    "SampleOp": ("Identity", 13),
}
"""Operator -> the one that means the same, and since which opset it does."""


def _as(name: str, version: int) -> Converter:
    domain, _, operator = name.rpartition(".")

    def convert(n: Node, *operands: Value | None) -> Value | Sequence[Value]:
        found = find_converter(domain, operator, version)
        assert found is not None
        return found(n.as_of(version), *operands)

    return convert


for _name, (_standard, _version) in STANDARD.items():
    converter(_name, domain=DOMAIN)(_as(_standard, _version))


@converter("ExpandDims", domain=DOMAIN)
def _expand_dims(n: Node, x: Value, axis: Value) -> Value:
    place = n.axis(n.known_int(axis, "axis"), x.rank + 1)
    return n.reshape(x, (*x.shape[:place], 1, *x.shape[place:]))


@converter("UnfoldTensor", domain=DOMAIN)
def _unfold(n: Node, x: Value) -> Value:
    """Windows of an axis, `step` apart, as a last axis."""
    axis, size, step = n.axis(n.int("dim", -1), x.rank), n.int("size"), n.int("step", 1)
    if not 0 < size <= x.shape[axis] or step < 1:
        n.fail(f"windows of {size}, {step} apart, of an axis of {x.shape[axis]}")
    starts = np.arange(0, x.shape[axis] - size + 1, step)
    windows = n.op(nn.GatherOp, x, n.constant(starts[:, None] + np.arange(size)), axis=axis)
    order = [d for d in range(windows.rank) if d != axis + 1]
    return n.transpose(windows, (*order, axis + 1))


# ---- elementwise and norms ------------------------------------------------------------------------------------------------------------


@converter("ScaledSiLU", domain=DOMAIN)
def _scaled_silu(n: Node, x: Value, scale: Value | None = None) -> Value:
    """z sigmoid(z) of z = scale x, rounded to the type of x in between."""
    factor = n.like(n.float("alpha", 1.0), x) if scale is None else n.cast_like(n.reshape(scale, ()), x)
    z = n.mul(x, factor)
    return n.mul(z, n.op(nn.SigmoidOp, z))


@converter("GatedAdd", domain=DOMAIN)
def _gated_add(n: Node, x: Value, y: Value, gate: Value) -> Value:
    return n.add(x, n.mul(y, gate))


@converter("GatedRMSNorm", domain=DOMAIN)
def _gated_rms_norm(n: Node, x: Value, scale: Value, gate: Value) -> Value:
    """The RMS norm of groups as long as the scale, times an activation of the gate, in f32."""
    activation = n.str("activation", "silu")
    if activation not in ("silu", "swish", "sigmoid") or not x.rank or scale.rank != 1 or not scale.size or x.shape[-1] % scale.size:
        n.fail(f"the activation {activation!r}, a scale of shape {list(scale.shape)}, data of shape {list(x.shape)}")
    groups = n.reshape(n.cast(x, f32), (*x.shape[:-1], x.shape[-1] // scale.size, scale.size))
    y = n.reshape(n.op(nn.RmsNormOp, groups, n.cast(scale, f32), axis=groups.rank - 1, epsilon=n.float("epsilon", 1e-5)), x.shape)
    z = n.cast(gate, f32)
    opening = n.op(nn.SigmoidOp, z)
    return n.cast_like(n.mul(y, opening if activation == "sigmoid" else n.mul(z, opening)), x)


@converter("FusedGemm", domain=DOMAIN)
def _fused_gemm(n: Node, a: Value, b: Value, c: Value | None = None) -> Value:
    """activation(alpha A B + beta C)."""
    gemm = find_converter("", "Gemm", 13)
    assert gemm is not None
    y = gemm(n.as_of(13), a, b, c)
    assert isinstance(y, Value)
    given = [n.float(f"activation_{name}") for name in ("alpha", "beta", "gamma") if n.has(f"activation_{name}")]
    return activated(n, y, n.str("activation"), given)


@converter("MatMulInteger16", domain=DOMAIN)
def _matmul_integer_16(n: Node, a: Value, b: Value) -> Value:
    return n.op(nn.MatmulOp, n.cast(a, I32), n.cast(b, I32))


# ---- images -----------------------------------------------------------------------------------------------------------------------------


@converter("NhwcMaxPool", domain=DOMAIN)
def _nhwc_max_pool(n: Node, x: Value) -> Value:
    """MaxPool of data whose channels stand last."""
    pool = find_converter("", "MaxPool", 12)
    assert pool is not None
    spatial = range(1, x.rank - 1)
    y = pool(n.as_of(12), n.transpose(x, (0, x.rank - 1, *spatial)))
    y = y if isinstance(y, Value) else y[0]
    return n.transpose(y, (0, *range(2, x.rank), 1))


@converter("CropAndResize", domain=DOMAIN)
def _crop_and_resize(n: Node, x: Value, boxes: Value, rows: Value, size: Value) -> Value:
    """[R, C, height, width]: boxes (y1, x1, y2, x2), as parts of an image's sides, of images [B, C, H, W], read at a grid of places."""
    height, width = n.known_ints(size, "crop_size")
    mode = n.str("mode", "bilinear")
    if x.rank != 4 or boxes.rank != 2 or boxes.shape[1] != 4 or mode not in ("bilinear", "nearest") or min(height, width) < 1:
        n.fail(f"{mode} crops of {height} x {width} of data of shape {list(x.shape)} at boxes of shape {list(boxes.shape)}")
    count = boxes.shape[0]
    images = n.op(nn.GatherOp, x, n.cast(n.reshape(rows, (count,)), I64), axis=0)
    inside: Value | None = None
    y: Value = images
    for axis, (extent, length) in enumerate(((height, x.shape[2]), (width, x.shape[3]))):
        low, high = (n.reshape(slice_axis(n, boxes, 1, i, i + 1), (count, 1)) for i in (axis, axis + 2))
        last = n.like(length - 1, x)
        if extent > 1:
            step = n.div(n.mul(n.sub(high, low), last), n.like(extent - 1, x))
            place = n.add(n.mul(low, last), n.mul(step, n.constant(np.arange(extent, dtype=x.dtype).reshape(1, -1))))
        else:
            place = n.mul(n.mul(n.add(low, high), n.like(0.5, x)), last)
        valid = n.op(nn.AndOp, n.op(nn.GeOp, place, n.like(0, x)), n.op(nn.LeOp, place, last))
        wide = (count, 1, extent, 1) if axis == 0 else (count, 1, 1, extent)
        valid = n.reshape(valid, wide)
        inside = valid if inside is None else n.op(nn.AndOp, inside, valid)
        y = _read_at(n, y, 2 + axis, n.op(nn.ClipOp, place, min=0.0, max=float(length - 1)), nearest=mode == "nearest")
    assert inside is not None
    return n.op(nn.SelectOp, inside, y, n.like(n.float("extrapolation_value"), x))


def _read_at(n: Node, x: Value, axis: int, place: Value, *, nearest: bool) -> Value:
    """[R, C, H, W] read along one axis at places [R, K] inside it: the nearest element, or what lies between two."""
    count, extent = place.shape
    shape = tuple(extent if d == axis else e for d, e in enumerate(x.shape))
    wide = tuple(extent if d == axis else count if d == 0 else 1 for d in range(4))

    def at(whole: Value) -> Value:
        return n.op(nn.GatherElementsOp, x, n.broadcast_to(n.reshape(n.cast(whole, I64), wide), shape), axis=axis)

    if nearest:
        return at(n.op(nn.FloorOp, n.add(place, n.like(0.5, x))))
    below = n.op(nn.FloorOp, place)
    part = n.reshape(n.sub(place, below), wide)
    first, second = at(below), at(n.op(nn.CeilOp, place))
    return n.add(first, n.mul(n.sub(second, first), part))


# ---- matrices ---------------------------------------------------------------------------------------------------------------------------


@converter("CDist", domain=DOMAIN)
def _distances(n: Node, a: Value, b: Value) -> Value:
    """The distance of every row of A [M, N] from every row of B [K, N]."""
    metric = n.str("metric", "sqeuclidean")
    if metric not in ("euclidean", "sqeuclidean"):
        n.unsupported(f"the metric {metric!r}")
    if a.rank != 2 or b.rank != 2 or a.shape[1] != b.shape[1]:
        n.fail(f"operands of shapes {list(a.shape)} and {list(b.shape)}")
    squares = [n.op(nn.ReduceSumOp, n.mul(x, x), axes=[1], keepdims=True) for x in (a, b)]
    product = n.op(nn.MatmulOp, a, n.transpose(b, (1, 0)))
    y = n.sub(n.add(squares[0], n.transpose(squares[1], (1, 0))), n.mul(product, n.like(2, a)))
    y = n.op(nn.MaxOp, y, n.like(0, a))  # what is left of rounding where two rows are the same
    return y if metric == "sqeuclidean" else n.op(nn.SqrtOp, y)


MAX_ORDER = 64
"""Rows of a matrix that is inverted; each costs a step of a dozen ops."""


@converter("Inverse", domain=DOMAIN)
def _inverse(n: Node, x: Value) -> Value:
    """[..., M, M] by Gauss and Jordan: each step takes the largest of what is left of its column as the pivot."""
    if x.rank < 2 or x.shape[-1] != x.shape[-2] or not is_float(x.element):
        n.fail(f"its operand is {x.dtype} of shape {list(x.shape)}, not of square matrices")
    order = x.shape[-1]
    if order > MAX_ORDER:
        n.unsupported(f"matrices of {order} rows; up to {MAX_ORDER} are inverted")
    if not x.size:
        return x
    wide = n.cast(x, f32) if isinstance(x.element, (Float16Type, BFloat16Type)) else x
    left = n.reshape(wide, (x.size // order**2, order, order))
    count = left.shape[0]
    both = n.op(nn.ConcatOp, left, n.constant(np.broadcast_to(np.eye(order, dtype=left.dtype), left.shape).copy()), axis=2)
    lines = n.constant(np.arange(order, dtype=np.int64).reshape(1, order, 1))
    for step in range(order):
        column = slice_axis(n, both, 2, step, step + 1)
        candidates = n.op(nn.SelectOp, n.op(nn.GeOp, lines, n.like(step, lines)), n.op(nn.AbsOp, column), n.like(-1, left))
        place = n.reshape(n.op(nn.ArgmaxOp, candidates, axis=1, keepdims=True), (count, 1, 1))
        row = n.op(nn.GatherElementsOp, both, n.broadcast_to(place, (count, 1, 2 * order)), axis=1)
        swapped = n.op(nn.SelectOp, n.op(nn.EqOp, lines, place), slice_axis(n, both, 1, step, step + 1), both)
        row = n.div(row, slice_axis(n, row, 2, step, step + 1))
        is_pivot = n.op(nn.EqOp, lines, n.like(step, lines))
        factor = slice_axis(n, swapped, 2, step, step + 1)
        both = n.op(nn.SelectOp, is_pivot, row, n.sub(swapped, n.mul(factor, row)))
    return n.cast_like(n.reshape(slice_axis(n, both, 2, order, 2 * order), x.shape), x)


# ---- look-ups and experts ---------------------------------------------------------------------------------------------------------------


@converter("GatherBlockQuantized", domain=DOMAIN)
def _gather_block_quantized(n: Node, table: Value, indices: Value, scales: Value, zeros: Value | None = None) -> Value:
    """Rows of a table in few bits with a scale for each block: the bits are looked up, then scaled. Out of bounds lie zeros."""
    axis, blocked = n.axis(n.int("gather_axis"), table.rank), n.axis(n.int("quantize_axis", 1), table.rank)
    block, bits = n.int("block_size", 128), n.int("bits", 4)
    packed = table.dtype == np.uint8 and bits < 8
    if block < 1 or bits not in (2, 4, 8) or scales.rank != table.rank or axis == blocked or (packed and blocked != table.rank - 1):
        n.unsupported(f"{bits} bits in blocks of {block} along axis {blocked}, gathered along axis {axis}")
    extent = table.shape[axis]
    place = n.cast(indices, I64)
    positive = n.op(nn.SelectOp, n.op(nn.LtOp, place, n.like(0, place)), n.add(place, n.like(extent, place)), place)
    safe = n.op(nn.MinOp, n.op(nn.MaxOp, positive, n.like(0, place)), n.like(extent - 1, place))

    def looked_up(x: Value, few: bool) -> Value:
        y = n.op(nn.GatherOp, x, safe, axis=axis)
        return _bits_apart(n, y, bits) if few else y

    data, factor = looked_up(table, packed), looked_up(scales, False)
    to = factor.element
    last = blocked + indices.rank - 1 if blocked > axis else blocked
    blocks = factor.shape[last]
    if zeros is not None:
        offset = n.cast(looked_up(zeros, packed), to)
        offset = slice_axis(n, offset, last, 0, blocks)
    else:
        offset = n.full(1 << (bits - 1) if table.dtype == np.uint8 else 0, factor.dtype)
    wide = [_repeated(n, t, last, block, data.shape[last]) if t.rank else t for t in (factor, offset)]
    y = n.mul(n.sub(n.cast(data, to), wide[1]), wide[0])
    inside = n.op(nn.EqOp, positive, safe)
    before, after = data.shape[:axis], data.shape[axis + indices.rank :]
    return n.op(nn.SelectOp, n.reshape(inside, (*(1 for _ in before), *indices.shape, *(1 for _ in after))), y, n.like(0, y))


def _bits_apart(n: Node, x: Value, bits: int) -> Value:
    """The numbers of 2 or 4 bits that stand in each byte of the last axis, the lowest first."""
    shifts = n.constant(np.arange(0, 8, bits, dtype=np.uint8))
    parts = n.op(nn.ShiftRightOp, n.reshape(x, (*x.shape, 1)), shifts)
    y = n.op(nn.BitwiseAndOp, parts, n.like((1 << bits) - 1, x))
    return n.reshape(y, (*x.shape[:-1], x.shape[-1] * (8 // bits)))


def _repeated(n: Node, x: Value, axis: int, times: int, extent: int) -> Value:
    """Each element of an axis so many times, cut off at an extent."""
    before, after = x.shape[: axis + 1], x.shape[axis + 1 :]
    wide = n.broadcast_to(n.reshape(x, (*before, 1, *after)), (*before, times, *after))
    return slice_axis(n, n.reshape(wide, (*before[:-1], before[-1] * times, *after)), axis, 0, extent)


@converter("MoE", domain=DOMAIN)
def _mixture_of_experts(
    n: Node,
    x: Value,
    router: Value,
    first: Value,
    first_bias: Value | None,
    second: Value,
    second_bias: Value | None = None,
    third: Value | None = None,
    third_bias: Value | None = None,
) -> Value:
    """Every token through its k best experts, weighted by the softmax of the router. All experts compute all tokens here."""
    name, best, fused = n.str("activation_type", "relu"), n.int("k", 1), n.int("swiglu_fusion")
    if n.int("use_sparse_mixer") or (name == "swiglu" and not fused):
        n.unsupported("use_sparse_mixer, or SwiGLU of two products")
    tokens, (count, _, hidden) = n.reshape(x, (-(-x.size // max(1, x.shape[-1])), x.shape[-1])), first.shape
    if router.shape != (tokens.shape[0], count) or hidden != x.shape[-1] or not 0 < best <= count:
        n.fail(f"{best} of {count} experts, data of shape {list(x.shape)}, a router of shape {list(router.shape)}")

    def product(a: Value, weights: Value, bias: Value | None) -> Value:
        y = n.op(nn.MatmulOp, a, n.transpose(weights, (0, 2, 1)))
        return y if bias is None else n.add(y, n.reshape(bias, (count, 1, bias.shape[1])))

    inner = product(tokens, first, first_bias)
    if name == "swiglu":
        inner = _swiglu(n, inner, interleaved=fused == 1)
    else:
        kinds: dict[str, type[nn.NnOp]] = {"relu": nn.ReluOp, "gelu": nn.GeluOp, "silu": nn.SiluOp}
        inner = inner if name == "identity" else n.op(kinds[name], inner) if name in kinds else n.unsupported(f"the activation {name!r}")
    if third is not None:
        inner = n.mul(inner, product(tokens, third, third_bias))
    each = product(inner, second, second_bias)
    return n.reshape(_chosen(n, each, router, best), x.shape)


def _swiglu(n: Node, y: Value, *, interleaved: bool) -> Value:
    """G sigmoid(alpha G) (L + beta) of the gate and the linear half, both cut off at `swiglu_limit`."""
    half = y.shape[-1] // 2
    if interleaved:
        pairs = n.reshape(y, (*y.shape[:-1], half, 2))
        gate, linear = (n.reshape(slice_axis(n, pairs, 3, i, i + 1), (*y.shape[:-1], half)) for i in range(2))
    else:
        gate, linear = slice_axis(n, y, 2, 0, half), slice_axis(n, y, 2, half, 2 * half)
    if n.has("swiglu_limit"):
        limit = n.float("swiglu_limit")
        gate, linear = n.op(nn.ClipOp, gate, max=limit), n.op(nn.ClipOp, linear, min=-limit, max=limit)
    opening = n.op(nn.SigmoidOp, n.mul(gate, n.like(n.float("activation_alpha", 1.0), y)))
    return n.mul(n.mul(gate, opening), n.add(linear, n.like(n.float("activation_beta"), y)))


def _chosen(n: Node, each: Value, router: Value, best: int) -> Value:
    """The sum over the best experts of each token, weighted: [E, T, H] and [T, E] -> [T, H]."""
    count, tokens, _ = each.shape
    weights = n.op(nn.SoftmaxOp, router, axis=1)
    top = find_converter("", "TopK", 11)
    assert top is not None
    found = top(n.as_of(11), weights, n.full(best, np.int64))
    assert not isinstance(found, Value)
    values, places = found
    if n.int("normalize_routing_weights"):
        values = n.div(values, n.op(nn.ReduceSumOp, values, axes=[1], keepdims=True))
    line = n.constant(np.arange(count, dtype=np.int64).reshape(1, 1, count))
    is_here = n.op(nn.EqOp, n.reshape(places, (tokens, best, 1)), line)
    parts = n.op(nn.SelectOp, is_here, n.reshape(values, (tokens, best, 1)), n.like(0, values))
    share = n.transpose(n.op(nn.ReduceSumOp, parts, axes=[1], keepdims=False), (1, 0))
    return n.op(nn.ReduceSumOp, n.mul(each, n.reshape(share, (count, tokens, 1))), axes=[0], keepdims=False)
