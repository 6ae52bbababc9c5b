"""Templates of nodes for `random_models`, second edition: rarer operators, attention in all its forms, sequences, scans."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper
from random_models import FLOATS, INTEGERS, NUMBERS, Graph, Known, Refused, value_info


def _f(g: Graph, *shape: int, low: float = -2, high: float = 2, constant: bool | None = None) -> Known:
    return g.new("float32", shape, low, high, constant=constant)


# ---- attention ------------------------------------------------------------------------------------------------------------------------


def attention_forms(g: Graph) -> None:
    """Attention on three or four axes, with a cache, masks of either kind, a soft cap, scores as a result."""
    g.since(23)
    kv, each, batch, width = g.integer(1, 2), g.integer(1, 3), g.integer(1, 2), g.pick((4, 2, 8))
    queries, keys, past = g.integer(1, 5), g.integer(1, 6), g.integer(0, 3)
    heads = kv * each
    if flat := g.chance(40):
        q, k, v = (_f(g, batch, n, h * width, constant=False) for n, h in ((queries, heads), (keys, kv), (keys, kv)))
    else:
        q, k, v = (_f(g, batch, h, n, width, constant=False) for n, h in ((queries, heads), (keys, kv), (keys, kv)))
    total = keys + past
    mask = None
    if g.chance(50):
        shape = g.pick(((queries, total), (batch, 1, queries, total), (1, heads, queries, total)))
        mask = g.new(g.pick(("float32", "bool")), shape)
        if mask.dtype == "bool" and not mask.array.any(-1).all():
            raise Refused  # what a row without keys gives is not agreed upon
    cache = [_f(g, batch, kv, past, width) for _ in range(2)] if past else []
    operands = [q, k, v, *([mask] if mask is not None or cache else []), *cache]
    outputs = 3 if cache else 1
    sizes: dict[str, Any] = {"q_num_heads": heads, "kv_num_heads": kv} if flat else {}
    more: dict[str, Any] = {"softcap": 2.0} if g.chance(25) else {}
    if g.chance(25):
        more["scale"] = 0.5
    g.add("Attention", operands, outputs, is_causal=g.integer(0, 1), exact=False, **sizes, **more)


def rotary(g: Graph) -> None:
    """RotaryEmbedding by positions or by angles for every token."""
    g.since(23)
    batch, heads, length, width = g.integer(1, 2), g.integer(1, 3), g.integer(1, 4), g.pick((4, 8, 2))
    part = g.pick((0, 0, 2))
    angles = (part or width) // 2
    x = _f(g, batch, heads, length, width, constant=False)
    if g.chance(60):
        tables = [_f(g, 7, angles, low=-1, high=1) for _ in range(2)]
        tables.append(g.new("int64", (batch, length), 0, 6))
    else:
        tables = [_f(g, batch, length, angles, low=-1, high=1) for _ in range(2)]
    g.add("RotaryEmbedding", [x, *tables], interleaved=g.integer(0, 1), rotary_embedding_dim=part, exact=False)


def rms_norm(g: Graph) -> None:
    """RMSNormalization."""
    g.since(23)
    x = g.new(g.pick(("float32", "float64")), g.shape(g.integer(1, 4), 0), constant=False)
    axis = g.axis(x.rank)
    g.add("RMSNormalization", [x, g.new(x.dtype, x.shape[axis % x.rank :])], axis=axis, exact=False)


def cache_update(g: Graph) -> None:
    """TensorScatter: new rows into a cache."""
    g.since(24)
    batch, length, new, width = g.integer(1, 3), g.integer(3, 7), g.integer(1, 3), g.integer(1, 5)
    past, update = _f(g, batch, length, width, constant=False), _f(g, batch, new, width)
    where = [g.new("int64", (batch,), 0, length - new)] if g.chance(70) else []
    g.add("TensorScatter", [past, update, *where], axis=1, mode=g.pick(("linear", "circular")))


# ---- images ---------------------------------------------------------------------------------------------------------------------------


def columns_to_image(g: Graph) -> None:
    """Col2Im."""
    g.since(18)
    kernel, image = (g.integer(1, 3), g.integer(1, 2)), (g.integer(3, 6), g.integer(3, 5))
    stride, pad = g.integer(1, 2), g.integer(0, 1)
    places = [(i + 2 * pad - k) // stride + 1 for i, k in zip(image, kernel, strict=True)]
    x = _f(g, g.integer(1, 2), g.integer(1, 3) * kernel[0] * kernel[1], places[0] * places[1], constant=False)
    g.add("Col2Im", [x, g.ints(image), g.ints(kernel)], strides=[stride] * 2, pads=[pad] * 4, exact=False)


def unpool(g: Graph) -> None:
    """MaxPool and its reverse."""
    g.since(11)
    x = g.put(np.random.default_rng(g.integer(0, 999)).permutation(96).reshape(1, 2, 6, 8).astype("float32"), constant=False)
    y, places = g.add("MaxPool", [x], 2, kernel_shape=[2, 2], strides=[2, 2])
    g.add("MaxUnpool", [y, places], kernel_shape=[2, 2], strides=[2, 2])


def regions(g: Graph) -> None:
    """RoiAlign."""
    g.since(16)
    count = g.integer(1, 4)
    x = _f(g, 2, g.integer(1, 3), 6, 7, constant=False)
    corner = np.random.default_rng(g.integer(0, 999)).uniform(0, 3, (count, 2))
    boxes = g.put(np.concatenate([corner, corner + 0.5 + corner[::-1]], 1).astype("float32"))
    size: dict[str, Any] = {"output_height": g.integer(1, 3), "output_width": g.integer(1, 3), "sampling_ratio": g.integer(1, 2)}
    mode: dict[str, Any] = {"coordinate_transformation_mode": g.pick(("half_pixel", "output_half_pixel"))}
    g.add("RoiAlign", [x, boxes, g.new("int64", (count,), 0, 1)], mode="avg", exact=False, **size, **mode)


def deformed(g: Graph) -> None:
    """DeformConv."""
    g.since(19)
    channels, kernels = g.integer(1, 2), g.integer(1, 3)
    x, w = _f(g, 1, channels, 4, 5, constant=False), _f(g, kernels, channels, 2, 2)
    offsets = g.put(np.random.default_rng(g.integer(0, 999)).uniform(-1, 1, (1, 8, 3, 4)).astype("float32"), constant=False)
    more = [_f(g, kernels)] if g.chance(40) else []
    g.add("DeformConv", [x, w, offsets, *more], kernel_shape=[2, 2], exact=False)


def upsample(g: Graph) -> None:
    """Upsample, which opset 10 has retired."""
    if not 7 <= g.opset <= 9:
        raise Refused
    scales = [1.0, 1.0, float(g.integer(1, 3)), float(g.integer(1, 2))]
    x = _f(g, 1, 2, g.integer(1, 4), g.integer(1, 4), constant=False)
    if g.opset >= 9:
        g.add("Upsample", [x, g.put(np.array(scales, "float32"))], mode="nearest")
    else:
        g.add("Upsample", [x], mode="nearest", scales=scales)


# ---- numbers --------------------------------------------------------------------------------------------------------------------------


def quantised_conv(g: Graph) -> None:
    """QLinearConv, weights perhaps with a scale for each channel."""
    g.since(10)
    channels = g.integer(1, 3)
    x, w = g.new("uint8", (1, 2, 5, 6), 0, 40, constant=False), g.new(g.pick(("uint8", "int8")), (channels, 2, 3, 3), 0, 20)
    several = g.chance(40)
    scale = g.put(np.full((channels,) if several else (), 0.25, "float32"))
    zero = g.put(np.zeros((channels,) if several else (), w.array.dtype))
    ends = [g.put(np.array(0.5, "float32")), g.new("uint8", (), 0, 5, constant=True)]
    more = [g.new("int32", (channels,), -50, 50)] if g.chance(40) else []
    last = [g.put(np.array(16, "float32")), g.put(np.array(4, "uint8"))]
    g.add("QLinearConv", [x, *ends, w, scale, zero, *last, *more], pads=[g.integer(0, 1)] * 4)


def blocks_of_few_bits(g: Graph) -> None:
    """Numbers in blocks with a scale each, in and out of bytes or four bits."""
    g.since(21)
    rows, blocks, size = g.integer(1, 4), g.integer(1, 3), g.pick((2, 4))
    x = g.new("float32", (rows, blocks * size), constant=False)
    scale = g.put(np.full((rows, blocks), g.pick((0.25, 0.5)), "float32"))
    kind = g.pick((TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16))
    zero = g.put(np.full((rows, blocks), 3, helper.tensor_dtype_to_np_dtype(kind)))
    q = g.add("QuantizeLinear", [x, scale, zero], axis=1, block_size=size)[0]
    g.add("DequantizeLinear", [q, scale, zero], axis=1, block_size=size)


def bits(g: Graph) -> None:
    """The same bits as another type."""
    g.since(26)
    x = g.some(("float32", "int32", "uint32"), filled=True)
    g.add("BitCast", [x], to=g.pick((TensorProto.INT32, TensorProto.UINT32)))


def spectrum(g: Graph) -> None:
    """STFT."""
    g.since(17)
    x = _f(g, g.integer(1, 2), g.pick((16, 12)), 1, constant=False)
    size, step = g.pick((4, 8)), g.integer(2, 4)
    window = [_f(g, size, low=0.5, high=1)] if g.chance(50) else [None]
    g.add("STFT", [x, g.put(np.array(step)), *window, g.put(np.array(size))], onesided=g.integer(0, 1), exact=False)


def suppression(g: Graph) -> None:
    """NonMaxSuppression: how many boxes it keeps is computed."""
    g.since(11)
    count, classes = g.integer(1, 7), g.integer(1, 2)
    corner = np.random.default_rng(g.integer(0, 999)).permutation(2 * count).reshape(1, count, 2) / 4
    boxes = g.put(np.concatenate([corner, corner + 1.03125], 2).astype("float32"), constant=False)
    scores = np.random.default_rng(g.integer(0, 999)).permutation(count * classes).reshape(1, classes, count) / 16
    limits = [g.put(np.array([v], t)) for v, t in ((g.integer(1, 5), "int64"), (g.pick((0.3, 0.1, 0.7)), "float32"), (0.1, "float32"))]
    g.add("NonMaxSuppression", [boxes, g.put(scores.astype("float32"), constant=False), *limits])


# ---- sequences and scans --------------------------------------------------------------------------------------------------------------


def scan(g: Graph) -> None:
    """A sum along the first axis, with all of its states."""
    g.since(11)
    x = g.some((*FLOATS[:2], "int32", "int64"), (1, 2, 3), exact=True, filled=True)
    row = np.zeros(x.shape[1:], x.array.dtype)
    make = g.pick(("Add", "Sub", "Max"))
    if make == "Max" and g.opset < 12 and x.dtype in INTEGERS:
        raise Refused
    body = helper.make_graph(
        [helper.make_node(make, ["s", "r"], ["t"]), helper.make_node("Identity", ["t"], ["o"])],
        "step",
        [value_info("s", row), value_info("r", row)],
        [value_info("t", row), value_info("o", row)],
    )
    g.add("Scan", [g.new(x.dtype, row.shape), x], 2, body=body, num_scan_inputs=1)


def cumulated_product(g: Graph) -> None:
    """Cumulated products."""
    g.since(26)
    x = g.some(("float32", "float64", "int32"), (1, 2, 3), filled=True)
    g.add("CumProd", [x, g.put(np.array(g.axis(x.rank)))], exclusive=g.integer(0, 1), reverse=g.integer(0, 1), exact=False)


def counted(g: Graph) -> None:
    """What is there, where, and how often: the results' extents are computed."""
    g.since(13)
    x = g.some(("int64", "int32", "float32"), (1, 2), exact=True, filled=True)
    places = g.add("NonZero", [x])[0]
    if places.array.size:
        g.add("GatherND", [x, g.add("Transpose", [places], perm=[1, 0])[0]])


def chain_of_dots(g: Graph) -> None:
    """Einsum over names that stand in several operands."""
    g.since(12)
    equation, ranks = g.pick(
        (
            ("ij,jk->ik", ("ij", "jk")),
            ("bij,bjk->bik", ("bij", "bjk")),
            ("bhqd,bhkd->bhqk", ("bhqd", "bhkd")),
            ("ij,ij->", ("ij", "ij")),
            ("ij,jk,kl->il", ("ij", "jk", "kl")),
            ("ii->i", ("ii",)),
            ("...ij->...ji", ("ij",)),
            ("bi,bj->bij", ("bi", "bj")),
        )
    )
    extents: dict[str, int] = {}
    shapes = [tuple(extents.setdefault(letter, g.pick((2, 3, 1, 5, 9))) for letter in letters) for letters in ranks]
    kind = g.pick(("float32", "float32", "float64"))
    g.add("Einsum", [g.new(kind, shape, constant=False) for shape in shapes], equation=equation)


def gated(g: Graph) -> None:
    """A gate of what a node before made: x sigmoid(a x) in parts, as exporters write it."""
    x = g.some(("float32", "float16"), exact=True)
    opening = g.add("Sigmoid", [x], exact=False)[0]
    y = g.add("Mul", [x, opening], exact=False)[0]
    if y.rank and g.chance(60) and g.opset < 18:
        g.add("ReduceMean", [y], axes=[g.integer(0, y.rank - 1)], keepdims=g.integer(0, 1), exact=False)


def normalised_by_hand(g: Graph) -> None:
    """Layer and RMS norms in parts, over any axis."""
    if not 13 <= g.opset < 18:
        raise Refused
    x = g.some(("float32",), (2, 3), filled=True)
    axis = g.integer(0, x.rank - 1)
    keep: dict[str, Any] = {"axes": [axis], "keepdims": 1}
    if g.chance(50):
        x = g.add("Sub", [x, g.add("ReduceMean", [x], exact=False, **keep)[0]], exact=False)[0]
    variance = g.add("ReduceMean", [g.add("Mul", [x, x], exact=False)[0]], exact=False, **keep)[0]
    deviation = g.add("Sqrt", [g.add("Add", [variance, g.put(np.array(0.25, "float32"))], exact=False)[0]], exact=False)[0]
    y = g.add("Div", [x, deviation], exact=False)[0]
    if g.chance(60):
        g.add("Mul", [y, _f(g, x.shape[-1])], exact=False)


def softmax_by_hand(g: Graph) -> None:
    """exp(x - max) / sum over an axis, in parts."""
    if not 11 <= g.opset < 13:
        raise Refused
    x = g.some(("float32", "float64"), (2, 3, 4), filled=True)
    keep: dict[str, Any] = {"axes": [g.integer(0, x.rank - 1)], "keepdims": 1}
    e = g.add("Exp", [g.add("Sub", [x, g.add("ReduceMax", [x], exact=False, **keep)[0]], exact=False)[0]], exact=False)[0]
    g.add("Div", [e, g.add("ReduceSum", [e], exact=False, **keep)[0]], exact=False)


def narrowed(g: Graph) -> None:
    """A cast to few bits and back, in between a move."""
    g.since(21)
    x = g.some(NUMBERS, (1, 2, 3), exact=True, where=lambda v: v.dtype in ("float32", "int32", "int8", "float16"))
    kinds = ("FLOAT8E4M3FN", "FLOAT8E5M2", "INT4", "UINT4") if x.dtype in FLOATS else ("INT4", "UINT4")
    to = getattr(TensorProto, g.pick(kinds))
    if to in (TensorProto.INT4, TensorProto.UINT4) and (np.abs(x.array.astype("float64")) > 7).any():
        raise Refused
    if to == TensorProto.UINT4 and (x.array.astype("float64") < 0).any():
        raise Refused
    few = g.add("Cast", [x], to=to)[0]
    g.add("Cast", [g.add("Transpose", [few])[0]], to=TensorProto.FLOAT)


WIDE_TEMPLATES = (
    attention_forms,
    attention_forms,
    rotary,
    rms_norm,
    cache_update,
    columns_to_image,
    unpool,
    regions,
    deformed,
    upsample,
    quantised_conv,
    blocks_of_few_bits,
    bits,
    spectrum,
    suppression,
    scan,
    cumulated_product,
    counted,
    chain_of_dots,
    gated,
    normalised_by_hand,
    softmax_by_hand,
    narrowed,
)
"""All of them."""
