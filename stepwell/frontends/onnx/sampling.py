"""ONNX operators that sample images at computed places: grids, regions of interest, deformed windows. All are sums of weighted gathers.

Images are read as rows of channels: [N, C, D...] becomes [N D..., C], so that one index fetches all channels of a place.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.shape import slice_axis
from stepwell.frontends.onnx.windows import read_window
from stepwell.ir.constants import element_type_of

I64 = element_type_of(np.dtype(np.int64))


@dataclass(frozen=True)
class Tap:
    """A place that is read along one axis: a whole number in floating point, its weight (None: 1), and whether it counts (None: yes)."""

    position: Value
    weight: Value | None = None
    counts: Value | None = None


def sampled(n: Node, x: Value, axes: Sequence[Sequence[Tap]], batch: Value) -> list[tuple[Value, Value | None]]:
    """For each combination of taps, one along each spatial axis of `x` [N, C, D...]: the rows [..., C] and their weights [..., 1].

    `batch` says which image each place is in; it, positions and weights broadcast against each other.
    """
    spatial = x.shape[2:]
    rows = n.reshape(n.transpose(x, (0, *range(2, x.rank), 1)), (x.shape[0] * math.prod(spatial), x.shape[1]))
    found: list[tuple[Value, Value | None]] = []
    for taps in itertools.product(*axes):
        at, weight = batch, None
        for tap, extent in zip(taps, spatial, strict=True):
            inside = n.op(nn.ClipOp, tap.position, min=0.0, max=float(max(extent - 1, 0)))
            at = n.add(n.mul(at, n.like(extent, at)), n.cast(inside, I64))
            factor = tap.weight
            if tap.counts is not None:
                factor = n.cast(tap.counts, x.element) if factor is None else n.op(nn.SelectOp, tap.counts, factor, n.like(0, factor))
            if factor is not None:
                weight = factor if weight is None else n.mul(weight, factor)
        if weight is not None:
            weight = n.cast_like(n.reshape(weight, (*weight.shape, 1)), x)
        found.append((n.op(nn.GatherOp, rows, at, axis=0), weight))
    return found


def weighted_sum(n: Node, parts: Sequence[tuple[Value, Value | None]]) -> Value:
    """The sum of rows times weights."""
    terms = [rows if weight is None else n.mul(rows, weight) for rows, weight in parts]
    total = terms[0]
    for term in terms[1:]:
        total = n.add(total, term)
    return total


def _both(n: Node, a: Value, b: Value) -> Value:
    return n.op(nn.AndOp, a, b)


def _between(n: Node, x: Value, low: float, high: float) -> Value:
    return _both(n, n.op(nn.GeOp, x, n.like(low, x)), n.op(nn.LeOp, x, n.like(high, x)))


def linear_taps(n: Node, x: Value, extent: int, *, only_inside: bool) -> list[Tap]:
    """The two neighbours of a place; with `only_inside`, one outside of the axis is zero."""
    low = n.op(nn.FloorOp, x)
    high, rest = n.add(low, n.like(1, low)), n.sub(x, low)
    weights = (n.sub(n.like(1, rest), rest), rest)
    return [Tap(p, w, _between(n, p, 0, extent - 1) if only_inside else None) for p, w in zip((low, high), weights, strict=True)]


# ---- GridSample -------------------------------------------------------------------------------------------------------------------

CUBIC = -0.75
_MODES = {"linear": "linear", "bilinear": "linear", "nearest": "nearest", "cubic": "cubic", "bicubic": "cubic"}


@converter("GridSample")
def _grid_sample(n: Node, x: Value, grid: Value) -> Value:
    """x [N, C, D...] at grid [N, O..., k], which counts the axes from the last and runs from -1 to 1 over each."""
    spatial, out = x.shape[2:], grid.shape[1:-1]
    if x.rank < 3 or grid.rank != x.rank or grid.shape[-1] != len(spatial) or grid.shape[0] != x.shape[0]:
        n.fail(f"a grid of shape {list(grid.shape)} does not fit an operand of shape {list(x.shape)}")
    mode, padding = _MODES.get(n.str("mode", "linear")), n.str("padding_mode", "zeros")
    if mode is None or padding not in ("zeros", "border", "reflection"):
        n.fail(f"its mode is {n.str('mode')!r}, its padding_mode {padding!r}")
    align = bool(n.int("align_corners"))
    axes: list[list[Tap]] = []
    for d, extent in enumerate(spatial):
        g = slice_axis(n, grid, grid.rank - 1, len(spatial) - 1 - d, len(spatial) - d)
        g = n.reshape(g, grid.shape[:-1])
        half = n.like(0.5, g)
        along = n.add(g, n.like(1, g))
        if align:
            place = n.mul(n.mul(along, half), n.like(extent - 1, g))
        else:
            place = n.mul(n.sub(n.mul(along, n.like(extent, g)), n.like(1, g)), half)
        axes.append(_grid_taps(n, place, extent, mode, padding, (0.0, extent - 1.0) if align else (-0.5, extent - 0.5)))
    batch = n.constant(np.arange(x.shape[0], dtype=np.int64).reshape(-1, *(1,) * len(out)))
    y = weighted_sum(n, sampled(n, x, axes, batch))
    return n.transpose(y, (0, y.rank - 1, *range(1, y.rank - 1)))


def _grid_taps(n: Node, place: Value, extent: int, mode: str, padding: str, border: tuple[float, float]) -> list[Tap]:
    """The taps along one axis. Padding applies to the place first, and to each tap again."""
    if mode == "nearest":
        place = n.op(nn.RoundOp, place)
    if padding == "border":
        place = n.op(nn.SelectOp, _between(n, place, *border), place, n.op(nn.ClipOp, place, min=0.0, max=extent - 1.0))
    elif padding == "reflection":
        place = _reflected(n, place, *border)
    if mode == "nearest":
        taps = [Tap(place)]
    elif mode == "linear":
        taps = linear_taps(n, place, extent, only_inside=False)
    else:
        taps = _cubic_taps(n, place)
    if padding == "zeros":
        return [Tap(t.position, t.weight, _between(n, t.position, 0, extent - 1)) for t in taps]
    if padding == "reflection":
        # Half a pixel beyond the border may remain: the part behind the point is dropped, as in a cast.
        return [Tap(_reflected(n, t.position, *border), t.weight) for t in taps]
    return taps


def _reflected(n: Node, x: Value, low: float, high: float) -> Value:
    """x mirrored at both borders until it lies between them: a triangle wave."""
    span = high - low
    if span <= 0:
        return n.mul(x, n.like(0, x))
    period, shifted = n.like(2 * span, x), n.sub(x, n.like(low, x))
    phase = n.sub(shifted, n.mul(n.op(nn.FloorOp, n.div(shifted, period)), period))
    phase = n.op(nn.MinOp, phase, n.sub(period, phase))
    return n.op(nn.SelectOp, _between(n, x, low, high), x, n.add(phase, n.like(low, x)))


def _cubic_taps(n: Node, place: Value) -> list[Tap]:
    base = n.op(nn.FloorOp, place)
    rest = n.sub(place, base)
    one = n.like(1, rest)
    distances = (n.add(rest, one), rest, n.sub(one, rest), n.sub(n.like(2, rest), rest))
    taps: list[Tap] = []
    for offset, t in zip((-1, 0, 1, 2), distances, strict=True):
        if offset in (0, 1):
            weight = n.add(n.mul(n.mul(n.sub(n.mul(n.like(CUBIC + 2, t), t), n.like(CUBIC + 3, t)), t), t), n.like(1, t))
        else:
            inner = n.add(n.mul(n.sub(n.mul(n.like(CUBIC, t), t), n.like(5 * CUBIC, t)), t), n.like(8 * CUBIC, t))
            weight = n.sub(n.mul(inner, t), n.like(4 * CUBIC, t))
        taps.append(Tap(n.add(base, n.like(offset, base)), weight))
    return taps


# ---- RoiAlign -----------------------------------------------------------------------------------------------------------------------


@converter("RoiAlign")
def _roi_align(n: Node, x: Value, rois: Value, batch: Value) -> Value:
    """Regions [R, 4] (x0, y0, x1, y1) of images [N, C, H, W], each cut into bins, each bin the mean or maximum of samples."""
    if x.rank != 4 or rois.rank != 2 or rois.shape[1] != 4:
        n.fail(f"operands of shapes {list(x.shape)} and {list(rois.shape)}, not four axes and rows of 4")
    samples, mode = n.int("sampling_ratio"), n.str("mode", "avg")
    if samples < 1:
        n.unsupported("sampling_ratio 0: the number of samples depends on the regions")
    half_pixel = n.version >= 16 and n.str("coordinate_transformation_mode", "half_pixel") == "half_pixel"
    bins = (n.int("output_height", 1), n.int("output_width", 1))
    count = rois.shape[0]
    axes: list[list[Tap]] = []
    for d, (number, extent) in enumerate(zip(bins, x.shape[2:], strict=True)):
        start, end = (n.mul(slice_axis(n, rois, 1, i, i + 1), n.like(n.float("spatial_scale", 1.0), rois)) for i in (1 - d, 3 - d))
        if half_pixel:
            start, end = (n.sub(v, n.like(0.5, v)) for v in (start, end))
        size = n.sub(end, start)
        if not half_pixel:
            size = n.op(nn.MaxOp, size, n.like(1, size))
        steps = (np.arange(number)[:, None] + (np.arange(samples) + 0.5) / samples) / number
        place = n.add(n.mul(size, n.constant(steps.reshape(1, -1).astype(rois.dtype))), start)
        place = n.reshape(place, (count, number, 1, samples, 1) if d == 0 else (count, 1, number, 1, samples))
        axes.append(_region_taps(n, place, extent))
    images = n.reshape(n.cast(batch, I64), (count, 1, 1, 1, 1))
    parts = sampled(n, x, axes, images)
    if mode == "avg":
        y = n.op(nn.ReduceMeanOp, weighted_sum(n, parts), axes=[3, 4], keepdims=False)
    elif mode == "max":
        largest = n.mul(parts[0][0], _weight(parts[0]))
        for part in parts[1:]:
            largest = n.op(nn.MaxOp, largest, n.mul(part[0], _weight(part)))
        y = n.op(nn.ReduceMaxOp, largest, axes=[3, 4], keepdims=False)
    else:
        n.fail(f"its mode is {mode!r}, not avg or max")
    return n.transpose(y, (0, 3, 1, 2))


def _weight(part: tuple[Value, Value | None]) -> Value:
    assert part[1] is not None
    return part[1]


def _region_taps(n: Node, place: Value, extent: int) -> list[Tap]:
    """Up to one pixel outside counts as the border, further out is nothing."""
    counts = _between(n, place, -1, extent)
    place = n.op(nn.ClipOp, place, min=0.0, max=extent - 1.0)
    return [Tap(t.position, t.weight, counts) for t in linear_taps(n, place, extent, only_inside=False)]


# ---- DeformConv ---------------------------------------------------------------------------------------------------------------------


@converter("DeformConv")
def _deform_conv(n: Node, x: Value, w: Value, offset: Value, b: Value | None = None, mask: Value | None = None) -> Value:
    """A convolution each of whose taps is moved by an offset [N, groups kernel 2, O...] and scaled by a mask: columns, then a product."""
    if x.rank != 4 or w.rank != 4 or offset.rank != 4:
        n.unsupported(f"operands of shapes {list(x.shape)} and {list(w.shape)}; two spatial axes are supported")
    kernel = list(n.ints("kernel_shape", w.shape[2:]))
    window = read_window(n, x.shape[2:], kernel)
    group, sets = n.int("group", 1), n.int("offset_group", 1)
    batch, channels = x.shape[:2]
    out, taps = offset.shape[2:], math.prod(kernel)
    if channels % sets or offset.shape[:2] != (batch, sets * taps * 2) or channels != w.shape[1] * group or w.shape[0] % group:
        n.fail(f"offsets {list(offset.shape)} and weights {list(w.shape)} do not fit {list(x.shape)}")
    moved = n.reshape(offset, (batch * sets, taps, 2, *out))
    axes: list[list[Tap]] = []
    for d, extent in enumerate(x.shape[2:]):
        tap = np.indices(kernel)[d].reshape(-1, 1, 1) * window.dilations[d]
        line = np.arange(out[d]).reshape((1, -1, 1) if d == 0 else (1, 1, -1)) * window.strides[d]
        fixed = np.broadcast_to(tap + line - window.pads[d], (taps, *out)).astype(offset.dtype)
        place = n.add(n.reshape(slice_axis(n, moved, 2, d, d + 1), (batch * sets, taps, *out)), n.constant(fixed))
        axes.append(linear_taps(n, place, extent, only_inside=True))
    images = n.constant(np.arange(batch * sets, dtype=np.int64).reshape(-1, 1, 1, 1))
    columns = weighted_sum(n, sampled(n, n.reshape(x, (batch * sets, channels // sets, *x.shape[2:])), axes, images))
    if mask is not None:
        columns = n.mul(columns, n.reshape(mask, (batch * sets, taps, *out, 1)))
    # [N sets, taps, O, O, C] -> [N, group, C taps, O O]
    columns = n.reshape(n.transpose(columns, (0, 4, 1, 2, 3)), (batch, group, channels // group * taps, math.prod(out)))
    weights = n.reshape(w, (1, group, w.shape[0] // group, w.shape[1] * taps))
    y = n.reshape(n.op(nn.MatmulOp, weights, columns), (batch, w.shape[0], *out))
    return y if b is None else n.add(y, n.reshape(b, (w.shape[0], 1, 1)))


# ---- windows by table ---------------------------------------------------------------------------------------------------------------


@converter("Col2Im")
def _col2im(n: Node, x: Value, image: Value, block: Value) -> Value:
    """Columns [N, C kernel, places] added where their windows lie in the image: for each pixel the sum over what reaches it."""
    extents, kernel = n.known_ints(image, "image_shape"), n.known_ints(block, "block_shape")
    window = read_window(n, extents, kernel)
    taps, rank = math.prod(kernel), len(extents)
    if x.rank != 3 or taps == 0 or x.shape[1] % taps:
        n.fail(f"columns of shape {list(x.shape)} do not fit a kernel {kernel}")
    places = [
        (extent + window.pads[d] + window.pads[rank + d] - window.dilations[d] * (kernel[d] - 1) - 1) // window.strides[d] + 1
        for d, extent in enumerate(extents)
    ]
    if math.prod(places) != x.shape[2]:
        n.fail(f"{x.shape[2]} columns do not fit {places} places")
    if taps * math.prod(extents) > 2**24:
        n.unsupported(f"it would make a table of {taps * math.prod(extents)} elements")
    # table[tap, pixel] = the place whose window has that tap on the pixel, or one past the end, where a zero stands
    index, valid = np.zeros((taps, math.prod(extents)), np.int64), np.ones((taps, math.prod(extents)), np.bool_)
    tap, pixel = np.indices(kernel).reshape(rank, -1, 1), np.indices(extents).reshape(rank, 1, -1)
    for d in range(rank):
        start = pixel[d] + window.pads[d] - tap[d] * window.dilations[d]
        place = start // window.strides[d]
        valid &= (start % window.strides[d] == 0) & (place >= 0) & (place < places[d])
        index = index * places[d] + place
    channels, columns = x.shape[1] // taps, x.shape[2] + 1
    table = np.where(valid, index, columns - 1) + np.arange(taps)[:, None] * columns
    padded = n.op(nn.PadOp, x, low=[0, 0, 0], high=[0, 0, 1])
    flat = n.reshape(padded, (x.shape[0], channels, taps * columns))
    total = n.op(nn.ReduceSumOp, n.op(nn.GatherOp, flat, n.constant(table), axis=2), axes=[2], keepdims=False)
    return n.reshape(total, (x.shape[0], channels, *extents))


@converter("MaxUnpool")
def _max_unpool(n: Node, x: Value, indices: Value, output: Value | None = None) -> Value:
    """Each maximum back at its place, zeros elsewhere."""
    rank = x.rank - 2
    kernel = n.ints("kernel_shape")
    strides, pads = n.ints("strides", (1,) * rank), n.ints("pads", (0,) * 2 * rank)
    if rank < 1 or not len(kernel) == len(strides) == rank or len(pads) != 2 * rank:
        n.fail(f"kernel {kernel}, strides {strides} and pads {pads} do not fit an operand of shape {list(x.shape)}")
    spatial = [(e - 1) * s - pads[d] - pads[rank + d] + k for d, (e, s, k) in enumerate(zip(x.shape[2:], strides, kernel, strict=True))]
    shape = (*x.shape[:2], *spatial)
    zeros = n.full(0, x.dtype, (math.prod(shape),))
    y = n.op(nn.ScatterElementsOp, zeros, n.reshape(indices, (indices.size,)), n.reshape(x, (x.size,)), axis=0, reduction="none")
    y = n.reshape(y, shape)
    if output is None:
        return y
    wanted = n.known_ints(output, "output_shape")
    if len(wanted) != len(shape) or any(a < b for a, b in zip(wanted, shape, strict=True)):
        n.fail(f"output_shape {wanted} is smaller than {list(shape)}")
    return n.op(nn.PadOp, y, low=[0] * len(shape), high=[a - b for a, b in zip(wanted, shape, strict=True)])


def max_pool_indices(
    n: Node, x: Value, kernel: Sequence[int], strides: Sequence[int], pads: Sequence[int], dilations: Sequence[int], out: Sequence[int]
) -> Value:
    """Where in the flat operand the maximum of each window stands: the first of its taps, through a table of places."""
    extents, rank = x.shape[2:], x.rank - 2
    size = math.prod(extents)
    if math.prod(out) * math.prod(kernel) > 2**24:
        n.unsupported(f"Indices would make a table of {math.prod(out) * math.prod(kernel)} elements")
    place, tap = np.indices(tuple(out)).reshape(rank, -1, 1), np.indices(tuple(kernel)).reshape(rank, 1, -1)
    at = [place[d] * strides[d] - pads[d] + tap[d] * dilations[d] for d in range(rank)]
    valid = np.logical_and.reduce([(a >= 0) & (a < e) for a, e in zip(at, extents, strict=True)])
    flat, order = np.zeros(valid.shape, np.int64), np.zeros(valid.shape, np.int64)
    for a, e in zip(at, extents, strict=True):
        flat = flat * e + a
    axes = range(rank) if not n.int("storage_order") else (*range(rank - 2), *reversed(range(max(rank - 2, 0), rank)))
    for d in axes:
        order = order * extents[d] + at[d]
    lowest = float("-inf") if x.dtype.kind == "f" or x.dtype.name == "bfloat16" else float(np.iinfo(x.dtype).min)
    rows = n.op(nn.PadOp, n.reshape(x, (*x.shape[:2], size)), low=[0, 0, 0], high=[0, 0, 1], value=lowest)
    windows = n.op(nn.GatherOp, rows, n.constant(np.where(valid, flat, size)), axis=2)
    first = n.op(nn.ArgmaxOp, windows, axis=3, keepdims=False)
    base = n.constant((np.arange(first.shape[2], dtype=np.int64) * valid.shape[1]).reshape(1, 1, -1))
    found = n.op(nn.GatherOp, n.constant(np.where(valid, order, 0).reshape(-1)), n.add(first, base), axis=0)
    planes = np.arange(x.shape[0] * x.shape[1], dtype=np.int64).reshape(*x.shape[:2], 1) * size
    return n.reshape(n.add(found, n.constant(planes)), (*x.shape[:2], *out))
