"""Templates of nodes for `random_models`, continued: what moves elements."""

from __future__ import annotations

import math

import numpy as np
from random_models import ALL, FLOATS, NUMBERS, Graph, Known, Refused

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
)
