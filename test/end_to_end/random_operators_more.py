"""Templates of nodes for `random_models`, continued: what moves elements, and what computes on matrices, images and sequences."""

from __future__ import annotations

import math

import numpy as np
from random_models import ALL, FLOATS, NUMBERS, Graph, Known, Refused

REAL = ("float32", "float64", "float16", "bfloat16")
MATRIX = ("float32", "float64", "float16", "int32", "int64", "uint32")


# ---- moves --------------------------------------------------------------------------------------------------------------------------


def reshape(g: Graph) -> None:
    """The same elements in other extents, with 0 and -1."""
    x = g.some(ALL)
    size, extents = x.array.size, []
    while size > 1 and len(extents) < 4:
        divisors = [d for d in range(1, size + 1) if size % d == 0]
        extents.append(g.pick(divisors))
        size //= extents[-1]
    extents = [*extents, size] if size != 1 or g.chance(20) else extents
    for index in range(min(len(extents), x.rank)):
        if extents[index] == x.shape[index] and g.chance(30) and x.array.size:
            extents[index] = 0
    if extents and g.chance(50) and x.array.size:
        extents[g.integer(0, len(extents) - 1)] = -1
    g.add("Reshape", [x, g.ints(extents)])


def flatten(g: Graph) -> None:
    """Two extents remain."""
    x = g.some(FLOATS if g.opset < 9 else ALL, (1, 2, 3, 4))
    g.add("Flatten", [x], axis=g.integer(0, x.rank))


def transpose(g: Graph) -> None:
    """Axes in another order."""
    x = g.some(ALL)
    axes = list(range(x.rank))
    order = [axes.pop(g.integer(0, len(axes) - 1)) for _ in range(x.rank)]
    g.add("Transpose", [x], perm=order if g.chance(80) and order else None)


def squeeze(g: Graph) -> None:
    """Extents of one."""
    x = g.some(ALL)
    if g.chance(50):
        places = sorted({g.integer(0, x.rank) for _ in range(g.integer(1, 2))})
        g.add("Unsqueeze", [x, g.ints(places)]) if g.opset >= 13 else g.add("Unsqueeze", [x], axes=places)
        return
    ones = [i for i, e in enumerate(x.shape) if e == 1]
    if g.chance(30) or not ones:
        g.add("Squeeze", [x])
    else:
        g.add("Squeeze", [x, g.ints(ones)]) if g.opset >= 13 else g.add("Squeeze", [x], axes=ones)


def concat(g: Graph) -> None:
    """Some that differ in one extent."""
    x = g.some(ALL, (1, 2, 3, 4))
    axis = g.axis(x.rank)
    parts = [x]
    for _ in range(g.integer(0, 3)):
        extents = list(x.shape)
        extents[axis] = g.pick((1, 2, 0, 5))
        fits = [
            v
            for v in g.values
            if v.dtype == x.dtype
            and v.rank == x.rank
            and all(i == axis % x.rank or a == b for i, (a, b) in enumerate(zip(v.shape, x.shape, strict=True)))
        ]
        parts.append(g.pick(fits) if fits and g.chance(50) else g.new(x.dtype, extents))
    g.add("Concat", parts, axis=axis)


def split(g: Graph) -> None:
    """Parts of given sizes, or equal ones."""
    x = g.some(ALL, (1, 2, 3), filled=True)
    axis = g.axis(x.rank)
    extent = x.shape[axis]
    count = g.integer(1, min(3, extent))
    cuts = sorted(g.integer(0, extent) for _ in range(count - 1))
    sizes = [b - a for a, b in zip([0, *cuts], [*cuts, extent], strict=True)]
    if g.opset >= 18 and g.chance(40):
        g.add(
            "Split",
            [x],
            math.ceil(extent / math.ceil(extent / count)),
            axis=axis,
            num_outputs=math.ceil(extent / math.ceil(extent / count)),
        )
    elif g.opset >= 13:
        g.add("Split", [x, g.ints(sizes)], count, axis=axis)
    else:
        g.add("Split", [x], count, axis=axis, split=sizes)


def slices(g: Graph) -> None:
    """Ranges beyond the ends, backwards, in steps."""
    x = g.some(ALL, (1, 2, 3, 4))
    axes = sorted({g.integer(0, x.rank - 1) for _ in range(g.integer(1, 3))})
    starts, ends, steps = [], [], []
    for axis in axes:
        extent = x.shape[axis]
        step = g.pick((1, 2, -1, 3, -2)) if g.opset >= 10 else 1
        near = lambda: g.integer(-extent - 2, extent + 2) if not g.chance(10) else g.pick((2**31 - 1, -(2**31), 2**63 - 1, -(2**63) + 1))  # noqa: E731
        starts.append(near())
        ends.append(near())
        steps.append(step)
    named = [a - x.rank if g.opset >= 10 and g.chance(30) else a for a in axes]
    if g.opset < 10:
        g.add("Slice", [x], starts=starts, ends=ends, axes=named)
    else:
        operands = [x, g.ints(starts), g.ints(ends), g.ints(named)]
        g.add("Slice", [*operands, g.ints(steps)] if any(s != 1 for s in steps) or g.chance(20) else operands)


def pad(g: Graph) -> None:
    """More at the borders, or less."""
    x = g.some(FLOATS if g.opset < 11 else NUMBERS, (1, 2, 3, 4), filled=True)
    mode = g.pick(("constant", "edge", "reflect", "wrap") if g.opset >= 19 else ("constant", "edge", "reflect"))
    most = [min(3, e - 1) if mode in ("reflect", "wrap") else 3 for e in x.shape]
    least = -1 if mode == "constant" and min(x.shape) > 2 else 0
    pads = [g.integer(least, m) for m in most] + [g.integer(least, m) for m in most]
    if g.opset < 11:
        g.add("Pad", [x], mode=mode, pads=pads, value=1.5 if mode == "constant" and g.chance(50) else None)
    else:
        fill = g.new(x.dtype, ()) if mode == "constant" and g.chance(50) else None
        g.add("Pad", [x, g.ints(pads), fill] if fill else [x, g.ints(pads)], mode=mode)


def repeat(g: Graph) -> None:
    """Tile and Expand."""
    x = g.some(ALL)
    if g.chance(50):
        g.add("Tile", [x, g.ints([g.pick((1, 2, 3, 0)) if g.chance(90) else 1 for _ in x.shape])])
    else:
        g.since(8)
        extents = [g.pick((2, 3)) if e == 1 and g.chance(50) else (1 if g.chance(30) else e) for e in x.shape]
        g.add("Expand", [x, g.ints([*g.shape(g.integer(0, 1), 0), *extents])])


def _indices(g: Graph, extent: int, shape: tuple[int, ...]) -> Known:
    if extent == 0 and math.prod(shape):
        raise Refused
    low = -extent if g.opset >= 11 else 0
    return g.new(g.pick(("int64", "int32")), shape, low if extent else 0, max(extent - 1, 0))


def gather(g: Graph) -> None:
    """Rows by number."""
    x = g.some(ALL, (1, 2, 3, 4))
    axis = g.axis(x.rank)
    if g.opset >= 11 and g.chance(40):
        extents = [g.integer(1, e) if e else 0 for e in x.shape]
        extents[axis] = g.pick((2, 1, 3, 0))
        g.add("GatherElements", [x, _indices(g, x.shape[axis], tuple(extents))], axis=axis)
    else:
        g.add("Gather", [x, _indices(g, x.shape[axis], g.shape(g.integer(0, 2)))], axis=axis)


def gather_nd(g: Graph) -> None:
    """Slices by tuples of numbers."""
    g.since(11)
    x = g.some(ALL, (1, 2, 3, 4), filled=True)
    batch = g.integer(0, min(1, x.rank - 1)) if g.opset >= 12 else 0
    depth = g.integer(1, x.rank - batch)
    rows = g.shape(g.integer(0, 2), 2)
    numbers = np.stack([_indices(g, x.shape[batch + i], (*x.shape[:batch], *rows)).array.astype("int64") for i in range(depth)], -1)
    g.add("GatherND", [x, g.put(numbers, g.chance(50))], batch_dims=batch if g.opset >= 12 else None)


def scatter(g: Graph) -> None:
    """Elements written by number; with a reduction a place may be met twice."""
    g.since(11)
    x = g.some(("float32", "int64", "int32", "float64", "bool"), (1, 2, 3), filled=True)
    reduction = g.pick(("none", "add", "mul", "max", "min")) if g.opset >= 18 and x.dtype != "bool" else "none"
    axis = g.axis(x.rank)
    extents = [g.integer(1, e) for e in x.shape]
    rng = np.random.default_rng(g.integer(0, 999))
    whole = np.argsort(rng.random(x.shape), axis).astype("int64")  # no place twice
    numbers = whole[tuple(slice(e) for e in extents)]
    if reduction != "none" and g.chance(50):
        numbers = rng.integers(0, x.shape[axis], tuple(extents))
    if g.chance(40):
        numbers = numbers - x.shape[axis]
    more = {"reduction": reduction} if reduction != "none" else {}
    g.add("ScatterElements", [x, g.put(numbers.astype("int64"), g.chance(50)), g.new(x.dtype, extents, -3, 3)], axis=axis, **more)


def scatter_nd(g: Graph) -> None:
    """Slices written by tuples of numbers."""
    g.since(11)
    x = g.some(("float32", "int64", "float64", "bool"), (1, 2, 3), filled=True)
    depth = g.integer(1, x.rank)
    reduction = g.pick(("none", "add", "mul", "max", "min")) if g.opset >= 18 and x.dtype != "bool" else "none"
    places = math.prod(x.shape[:depth])
    rng = np.random.default_rng(g.integer(0, 999))
    count = g.integer(1, min(places, 6))
    chosen = rng.permutation(places)[:count] if reduction == "none" else rng.integers(0, places, count)
    numbers = np.stack(np.unravel_index(chosen, x.shape[:depth]), -1).astype("int64")
    more = {"reduction": reduction} if reduction != "none" else {}
    g.add("ScatterND", [x, g.put(numbers, g.chance(50)), g.new(x.dtype, (count, *x.shape[depth:]), -3, 3)], **more)


def blocks(g: Graph) -> None:
    """Depth to space and back."""
    size = g.integer(1, 3)
    dtype = g.pick(("float32", "float64", "float16"))
    if g.chance(50):
        mode = g.pick(("DCR", "CRD")) if g.opset >= 11 else None
        x = g.new(dtype, (g.integer(1, 2), size * size * g.integer(1, 3), g.integer(1, 3), g.integer(1, 3)), constant=False)
        g.add("DepthToSpace", [x], blocksize=size, mode=mode)
    else:
        x = g.new(dtype, (g.integer(1, 2), g.integer(1, 3), size * g.integer(1, 3), size * g.integer(1, 3)), constant=False)
        g.add("SpaceToDepth", [x], blocksize=size)


def triangle(g: Graph) -> None:
    """Trilu, EyeLike, OneHot."""
    what = g.integer(0, 2)
    if what == 0:
        g.since(14)
        x = g.some(ALL, (2, 3))
        g.add("Trilu", [x, g.put(np.array(g.integer(-3, 3)))] if g.chance(60) else [x], upper=g.integer(0, 1))
    elif what == 1:
        g.since(9)
        g.add("EyeLike", [g.some(("float32", "int64", "int32", "float64"), 2)], k=g.integer(-3, 3))
    else:
        g.since(11)
        x = g.new("int64", g.shape(g.integer(0, 2)), -6, 6)
        depth = g.integer(1, 6)
        g.add("OneHot", [x, g.ints([depth]), g.new(g.pick(("float32", "int64", "bool")), (2,))], axis=g.integer(-x.rank - 1, x.rank))


def questions(g: Graph) -> None:
    """What is asked of shapes; Range and ConstantOfShape make values of the answers."""
    x = g.some(ALL)
    what = g.integer(0, 3)
    if what == 0:
        g.add("Size", [x])
    elif what == 1 and g.opset >= 15:
        g.add("Shape", [x], start=g.integer(-3, 3), end=g.integer(-3, 4) if g.chance(50) else None)
    elif what == 2:
        from onnx import numpy_helper

        g.since(9)
        value = np.array([g.integer(-3, 3)], g.pick(("float32", "int64", "int32")))
        g.add("ConstantOfShape", [g.ints(g.shape(g.integer(0, 3)))], value=numpy_helper.from_array(value) if g.chance(70) else None)
    elif what == 3:
        g.since(11)
        dtype = g.pick(("int64", "int32", "float32"))
        numbers = (g.integer(-5, 5), g.integer(-5, 9), g.pick((1, 2, -1, -3)))
        g.add("Range", [g.put(np.array(n, dtype)) for n in numbers])
    else:
        g.add("Shape", [x])


def found(g: Graph) -> None:
    """What decides how much there is by its values."""
    what = g.integer(0, 2)
    x = g.some(("float32", "int64", "bool", "int32"), (1, 2, 3), exact=True)
    if what == 0:
        g.since(9)
        g.add("NonZero", [x])
    elif what == 1:
        g.since(11)
        x = g.some(("float32", "int64", "int32"), (1, 2), exact=True, filled=True)
        g.add("Unique", [x], 4, sorted=1, axis=g.axis(x.rank) if g.chance(40) else None)
    else:
        g.since(9)
        axis = g.axis(x.rank) if g.opset >= 11 else g.integer(0, x.rank - 1)
        g.add("Compress", [x, g.new("bool", (x.shape[axis],))], axis=axis)


def reverse_sequence(g: Graph) -> None:
    """The start of each row turned round."""
    g.since(10)
    x = g.some(ALL, (2, 3, 4), filled=True)
    time = g.integer(0, 1)
    lengths = g.new("int64", (x.shape[1 - time],), 1, x.shape[time])
    g.add("ReverseSequence", [x, lengths], time_axis=time, batch_axis=1 - time)


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


MORE_TEMPLATES = (
    reshape,
    flatten,
    transpose,
    squeeze,
    concat,
    split,
    slices,
    pad,
    repeat,
    gather,
    gather_nd,
    scatter,
    scatter_nd,
    blocks,
    triangle,
    questions,
    found,
    reverse_sequence,
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
