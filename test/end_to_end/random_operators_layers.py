"""Templates of nodes for `random_models`, continued: what computes on matrices, images and sequences."""

from __future__ import annotations

import numpy as np
from random_models import NUMBERS, Graph

REAL = ("float32", "float64", "float16", "bfloat16")
MATRIX = ("float32", "float64", "float16", "int32", "int64", "uint32")


# ---- matrices -----------------------------------------------------------------------------------------------------------------------


def matmul(g: Graph) -> None:
    """Products with batches that broadcast."""
    a = g.some(MATRIX, (1, 2, 3, 4))
    k = a.shape[-1]
    n = g.pick((2, 1, 3, 8, 17, 33))
    batch = [1 if g.chance(40) else e for e in a.shape[:-2]][g.integer(0, max(a.rank - 2, 0)) :]
    b = g.new(a.dtype, g.pick(((k, n), (*batch, k, n), (k,))))
    g.add("MatMul", [a, b])


def gemm(g: Graph) -> None:
    """a A B + b C."""
    m, k, n = (g.pick((2, 3, 1, 5, 8, 17, 34)) for _ in range(3))
    ta, tb = g.integer(0, 1), g.integer(0, 1)
    dtype = g.pick(("float32", "float64", "float16", "int32", "int64"))
    a, b = g.new(dtype, (k, m) if ta else (m, k), constant=False), g.new(dtype, (n, k) if tb else (k, n))
    c = g.new(dtype, g.pick(((n,), (m, n), (1, n), (m, 1), (1,), ())))
    operands = [a, b] if g.opset >= 11 and g.chance(30) else [a, b, c]
    factors = (
        {}
        if dtype[:3] == "int"
        else {"alpha": g.integer(1, 8) / 4 if g.chance(50) else None, "beta": g.integer(0, 8) / 4 if g.chance(50) else None}
    )
    g.add("Gemm", operands, transA=ta, transB=tb, **factors)


def einsum(g: Graph) -> None:
    """Sums of products by letters."""
    g.since(12)
    equation = g.pick(
        (
            "ij,jk->ik",
            "bij,bjk->bik",
            "ii->i",
            "ij->",
            "i,j->ij",
            "bhid,bhjd->bhij",
            "ijk->kij",
            "...ij,...jk->...ik",
            "ij,ij->",
            "bij,kj->bki",
            "ii",
        )
    )
    extents = {letter: g.pick((2, 3, 4, 1)) for letter in "ijkbhd"}
    dtype = g.pick(("float32", "float64", "int64", "int32"))
    terms = equation.split("->")[0].split(",")
    g.add(
        "Einsum",
        [g.new(dtype, [2] * t.count("...") + [extents[c] for c in t if c.isalpha()], constant=False) for t in terms],
        equation=equation,
    )


def normalize(g: Graph) -> None:
    """Normalisations."""
    x = g.some(("float32", "float64", "float16"), (2, 3, 4), filled=True)
    x = g.new(x.dtype, x.shape, constant=False)
    channels = x.shape[1]
    vector = lambda: g.new(x.dtype, (channels,), 0.5, 2)  # noqa: E731
    what = g.integer(0, 5)
    if what == 0:
        g.since(17)
        axis = g.axis(x.rank)
        tail = x.shape[axis % x.rank :]
        g.add(
            "LayerNormalization",
            [x, g.new(x.dtype, tail, 0.5, 2), *([g.new(x.dtype, tail)] if g.chance(60) else [])],
            axis=axis,
            epsilon=1e-2,
            exact=False,
        )
    elif what == 1:
        g.since(23)
        axis = g.axis(x.rank)
        g.add("RMSNormalization", [x, g.new(x.dtype, x.shape[axis % x.rank :], 0.5, 2)], axis=axis, epsilon=1e-2, exact=False)
    elif what == 2:
        g.add("BatchNormalization", [x, vector(), vector(), vector(), vector()], epsilon=1e-2 if g.chance(50) else None, exact=False)
    elif what == 3 and x.rank > 2:
        g.add("InstanceNormalization", [x, vector(), vector()], epsilon=1e-2, exact=False)
    elif what == 4:
        g.since(21)
        groups = g.pick([d for d in range(1, channels + 1) if channels % d == 0])
        g.add("GroupNormalization", [x, vector(), vector()], num_groups=groups, epsilon=1e-2, exact=False)
    else:
        g.add(
            "LRN", [g.new("float32", (2, g.integer(1, 7), *g.shape(2, 0)), constant=False)], size=g.pick((1, 3, 5)), alpha=0.5, exact=False
        )


# ---- windows -----------------------------------------------------------------------------------------------------------------------


def _window(g: Graph, rank: int) -> tuple[list[int], list[int], list[int], list[int]]:
    kernel = [g.integer(1, 3) for _ in range(rank)]
    strides = [g.integer(1, k) for k in kernel]  # the reference miscounts where auto_pad meets a stride beyond the kernel
    dilations = [g.pick((1, 1, 2)) for _ in range(rank)]
    pads = [g.integer(0, k - 1) for k in (*kernel, *kernel)]
    return kernel, strides, dilations, pads


def _padding(g: Graph, pads: list[int], dilations: list[int]) -> dict[str, object]:
    if g.chance(25) and all(d == 1 for d in dilations):
        return {"auto_pad": g.pick(("SAME_UPPER", "SAME_LOWER", "VALID"))}
    return {"pads": pads}


def conv(g: Graph) -> None:
    """Convolutions of one to three dimensions, in groups."""
    rank = g.pick((2, 1, 3))
    kernel, strides, dilations, pads = _window(g, rank)
    group = g.pick((1, 1, 2, 3))
    channels, filters = group * g.integer(1, 4), group * g.integer(1, 5)
    spatial = [g.integer(5, 9) for _ in range(rank)]
    dtype = g.pick(("float32", "float32", "float64", "float16"))
    x = g.new(dtype, (g.integer(1, 2), channels, *spatial), -2, 2, constant=False)
    bias = [g.new(dtype, (filters,))] if g.chance(60) else []
    if g.chance(70):
        w = g.new(dtype, (filters, channels // group, *kernel), -1, 1)
        g.add(
            "Conv",
            [x, w, *bias],
            group=group,
            strides=strides,
            dilations=dilations,
            kernel_shape=kernel if g.chance(50) else None,
            **_padding(g, pads, dilations),
        )
    else:
        w = g.new(dtype, (channels, filters // group, *kernel), -1, 1)
        extra = [g.integer(0, s - 1) for s in strides]
        g.add(
            "ConvTranspose",
            [x, w, *bias],
            group=group,
            strides=strides,
            dilations=dilations,
            pads=pads,
            output_padding=extra if g.chance(40) else None,
        )


def pool(g: Graph) -> None:
    """Pools."""
    rank = g.pick((2, 1, 3))
    kernel, strides, dilations, pads = _window(g, rank)
    dtype = g.pick(("float32", "float32", "float64", "float16"))
    x = g.new(dtype, (g.integer(1, 2), g.integer(1, 4), *(g.integer(5, 9) for _ in range(rank))), constant=False)
    ceil = g.integer(0, 1) if g.opset >= 10 and g.chance(40) else None
    name = g.pick(("MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"))
    if name.startswith("Global"):
        g.add(name, [x], exact=None if name == "GlobalMaxPool" else False)
    elif name == "MaxPool":
        spread = dilations if g.opset >= 10 else None
        outputs = 2 if g.chance(25) else 1
        g.add(
            name, [x], outputs, kernel_shape=kernel, strides=strides, dilations=spread, ceil_mode=ceil, **_padding(g, pads, spread or [1])
        )
    elif name == "AveragePool":
        spread = dilations if g.opset >= 19 and g.chance(40) else None
        count = g.integer(0, 1)
        g.add(
            name,
            [x],
            kernel_shape=kernel,
            strides=strides,
            dilations=spread,
            ceil_mode=ceil,
            count_include_pad=count,
            exact=False,
            **_padding(g, pads, spread or [1]),
        )
    else:
        g.add(name, [x], kernel_shape=kernel, strides=strides, pads=pads, p=g.integer(1, 3), exact=False)


def resize(g: Graph) -> None:
    """Images of another size."""
    g.since(11)
    x = g.new("float32", (1, g.integer(1, 2), g.integer(2, 6), g.integer(2, 6)), constant=False)
    mode = g.pick(("nearest", "linear", "cubic"))
    places = g.pick(("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"))
    more = {"nearest_mode": g.pick(("round_prefer_floor", "floor", "ceil", "round_prefer_ceil"))} if mode == "nearest" else {}
    if mode == "cubic" and g.chance(50):
        more = {"cubic_coeff_a": -0.5, "exclude_outside": g.integer(0, 1)}
    empty = g.put(np.zeros(0, "float32"))
    if g.chance(50):
        scales = g.put(np.array([1, 1, *(g.pick((2.0, 0.5, 1.5, 3.0)) for _ in range(2))], "float32"))
        g.add("Resize", [x, empty if g.opset < 13 else None, scales], mode=mode, coordinate_transformation_mode=places, exact=False, **more)
    else:
        sizes = g.ints([1, x.shape[1], g.integer(1, 9), g.integer(1, 9)])
        g.add(
            "Resize",
            [x, empty if g.opset < 13 else None, empty if g.opset < 13 else None, sizes],
            mode=mode,
            coordinate_transformation_mode=places,
            exact=False,
            **more,
        )


def grid_sample(g: Graph) -> None:
    """Images read at given places."""
    g.since(20)
    x = g.new("float32", (1, 2, g.integer(2, 5), g.integer(2, 5)), constant=False)
    grid = g.put((np.random.default_rng(g.integer(0, 99)).uniform(-1.1, 1.1, (1, g.integer(1, 4), 3, 2))).astype("float32"), constant=False)
    mode, border = g.pick(("linear", "nearest", "cubic")), g.pick(("zeros", "border", "reflection"))
    g.add("GridSample", [x, grid], mode=mode, padding_mode=border, align_corners=g.integer(0, 1), exact=False)


# ---- quantised ---------------------------------------------------------------------------------------------------------------------


def quantize(g: Graph) -> None:
    """Numbers into few bits and back."""
    g.since(10)
    x = g.some(("float32",), (1, 2, 3), exact=True, filled=True)
    to = g.pick(("uint8", "int8"))
    per_axis = g.opset >= 13 and g.chance(40)
    axis = g.axis(x.rank)
    shape = (x.shape[axis],) if per_axis else ()
    scale = g.put(np.full(shape, g.pick((0.25, 0.5, 0.125)), "float32"))
    zero = g.new(to, shape, 0, 5, constant=True)
    q = g.add("QuantizeLinear", [x, scale, zero], axis=axis if per_axis else None)[0]
    if g.chance(60):
        g.add("DequantizeLinear", [q, scale, zero] if g.chance(70) or to == "int8" else [q, scale], axis=axis if per_axis else None)


def integer_product(g: Graph) -> None:
    """Products of bytes."""
    g.since(10)
    ta, tb = g.pick(("uint8", "int8")), g.pick(("uint8", "int8"))
    low = lambda t: -9 if t == "int8" else 0  # noqa: E731
    if g.chance(60):
        m, k, n = (g.pick((2, 3, 1, 8, 17, 33)) for _ in range(3))
        a, b = g.new(ta, (m, k), low(ta), 20, constant=False), g.new(tb, (k, n), low(tb), 20)
        za, zb = g.new(ta, (), 0, 5), g.new(tb, (), 0, 5)
        g.add("MatMulInteger", [a, b, za, zb] if g.chance(60) else [a, b])
    elif g.chance(50):
        a, b = g.new("uint8", (1, 2, 6, 6), 0, 20, constant=False), g.new("uint8", (g.integer(1, 4), 2, 3, 3), 0, 20)
        g.add("ConvInteger", [a, b, g.new("uint8", (), 0, 5)], pads=[g.integer(0, 1)] * 4)
    else:
        m, k, n = (g.pick((2, 3, 1, 8, 17)) for _ in range(3))
        scale = lambda: g.put(np.array(g.pick((0.25, 0.5)), "float32"))  # noqa: E731
        a, b = g.new(ta, (m, k), low(ta), 20, constant=False), g.new(ta, (k, n), low(ta), 20)
        zero = lambda: g.new(ta, (), 0, 5)  # noqa: E731
        g.add("QLinearMatMul", [a, scale(), zero(), b, scale(), zero(), g.put(np.array(8, "float32")), zero()])


def dynamic_quantize(g: Graph) -> None:
    """Bytes whose scale is computed."""
    g.since(11)
    x = g.some(("float32",), (1, 2, 3), exact=True, where=lambda v: bool(v.array.any()))  # of zeros alone everyone has another scale
    g.add("DynamicQuantizeLinear", [x], 3, exact=False)


# ---- sequences ---------------------------------------------------------------------------------------------------------------------


def recurrent(g: Graph) -> None:
    """RNN, GRU and LSTM."""
    name, gates = g.pick((("LSTM", 4), ("GRU", 3), ("RNN", 1)))
    steps, batch, width, hidden = g.integer(1, 4), g.integer(1, 3), g.integer(1, 5), g.integer(1, 9)
    directions = g.integer(1, 2)
    f = lambda *shape: g.new("float32", shape, -1, 1)  # noqa: E731
    x = g.new("float32", (steps, batch, width), -2, 2, constant=False)
    operands = [
        x,
        f(directions, gates * hidden, width),
        f(directions, gates * hidden, hidden),
        f(directions, 2 * gates * hidden) if g.chance(60) else None,
    ]
    if g.chance(40):
        operands += [None, f(directions, batch, hidden), *([f(directions, batch, hidden)] if name == "LSTM" else [])]
    while operands[-1] is None:
        operands.pop()
    direction = "bidirectional" if directions == 2 else g.pick(("forward", "reverse"))
    more = {"linear_before_reset": g.integer(0, 1)} if name == "GRU" else {}
    g.add(name, operands, 3 if name == "LSTM" else 2, hidden_size=hidden, direction=direction, exact=False, **more)


def attention(g: Graph) -> None:
    """Attention with grouped heads, masks and a soft cap."""
    g.since(23)
    kv = g.integer(1, 2)
    heads = kv * g.integer(1, 2)
    batch, queries, keys, width = g.integer(1, 2), g.integer(1, 5), g.integer(1, 6), g.pick((4, 2, 8))
    q = g.new("float32", (batch, heads, queries, width), -2, 2, constant=False)
    k, v = (g.new("float32", (batch, kv, keys, width), -2, 2, constant=False) for _ in range(2))
    mask = [g.new("float32", (queries, keys), -2, 2)] if g.chance(40) else []
    g.add("Attention", [q, k, v, *mask], is_causal=g.integer(0, 1), softcap=2.0 if g.chance(30) else None, exact=False)


def signal(g: Graph) -> None:
    """Fourier transforms."""
    g.since(20)
    x = g.new("float32", (g.integer(1, 2), g.pick((4, 5, 8, 7)), 1), constant=False)
    g.add("DFT", [x, None, g.put(np.array(1))], onesided=g.integer(0, 1), exact=False)


def loss(g: Graph) -> None:
    """Losses."""
    g.since(13)
    n, c = g.integer(1, 5), g.integer(2, 6)
    more = g.shape(g.integer(0, 2), 0)
    x, labels = g.new("float32", (n, c, *more), constant=False), g.new("int64", (n, *more), 0, c - 1)
    weights = [g.new("float32", (c,), 0.5, 2)] if g.chance(40) else []
    name = g.pick(("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss"))
    g.add(name, [x, labels, *weights], reduction=g.pick(("mean", "sum", "none")), ignore_index=1 if g.chance(30) else None, exact=False)


def crop(g: Graph) -> None:
    """CenterCropPad, Det, Dropout."""
    what = g.integer(0, 2)
    if what == 0:
        g.since(18)
        x = g.some(NUMBERS, (1, 2, 3), filled=True)
        axes = sorted({g.integer(0, x.rank - 1) for _ in range(2)})
        g.add("CenterCropPad", [x, g.ints([g.integer(1, 9) for _ in axes])], axes=axes)
    elif what == 1:
        g.since(11)
        n = g.integer(1, 4)
        g.add("Det", [g.new("float32", (*g.shape(g.integer(0, 2), 0), n, n), -2, 2, constant=False)], exact=False)
    else:
        g.add("Dropout", [g.some(("float32", "float64", "float16"))])


LAYER_TEMPLATES = (
    matmul,
    gemm,
    einsum,
    normalize,
    conv,
    pool,
    resize,
    grid_sample,
    quantize,
    integer_product,
    dynamic_quantize,
    recurrent,
    attention,
    signal,
    loss,
    crop,
)
