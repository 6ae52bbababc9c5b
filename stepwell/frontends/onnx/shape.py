"""ONNX operators that move elements, and those that compute shapes. Shapes are known here, so the latter leave nothing behind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from onnx import TensorProto

from stepwell.dialects import nn
from stepwell.dialects.nn.base import broadcast_shapes
from stepwell.frontends.onnx.node import Node, Value, ValueText
from stepwell.frontends.onnx.random import dropout
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.tensors import MAX_DIMENSION, checked_shape, dtype_of_element, to_strings
from stepwell.ir.constants import Array, element_type_of, tensor_type

# ---- constants and shapes as values -----------------------------------------------------------------------------------------------


@converter("Constant")
def _constant(n: Node) -> Value:
    for name, dtype in (("value_int", np.int64), ("value_float", np.float32)):
        if n.has(name):
            return n.constant(np.asarray(n.int(name) if dtype is np.int64 else n.float(name), dtype))
    if n.has("value_ints"):
        return n.constant(np.asarray(n.ints("value_ints"), np.int64))
    if n.has("value_floats"):
        return n.constant(np.asarray(n.floats("value_floats"), np.float32))
    if n.has("value_string"):
        return ValueText.of((), np.array(n.str("value_string"), object))
    if n.has("value_strings"):
        strings = n.strs("value_strings", ())
        return ValueText.of((len(strings),), np.array([*strings, None], object)[:-1])  # an array of objects even where it is empty
    if not n.has("value"):
        n.unsupported("sparse tensors")
    proto = n.attributes["value"].t
    if proto.data_type == TensorProto.STRING:
        return ValueText.of(proto.dims, to_strings(proto))
    return n.constant(n.array(proto))


@converter("ConstantOfShape")
def _constant_of_shape(n: Node, extents: Value) -> Value:
    value = n.tensor("value")
    value = np.zeros(1, np.float32) if value is None else value
    if value.size != 1:
        n.fail(f"its value has {value.size} elements, not one")
    return n.full(value.reshape(()), value.dtype, checked_shape(n.known_ints(extents, "shape"), value.itemsize, "the result"))


@converter("Shape")
def _shape(n: Node, x: Value) -> Value:
    start, end = n.int("start"), n.int("end", x.rank)
    return n.constant(np.asarray(x.shape[start:end], np.int64))


@converter("Size")
def _size(n: Node, x: Value) -> Value:
    return n.constant(np.asarray(x.size, np.int64))


@converter("Range")
def _range(n: Node, start: Value, limit: Value, delta: Value) -> Value:
    if any(v.size != 1 for v in (start, limit, delta)):
        n.fail("start, limit and delta must be one number each")
    first, last, step = (n.reshape(v, ()) for v in (start, limit, delta))
    if all(v.array is not None for v in (first, last, step)):
        count = _steps_between(n, *(cast(Array, v.array).item() for v in (first, last, step)))
    else:
        # What it counts from and by are data like others; only how many there are decides a shape.
        wide = [n.cast(v, element_type_of(np.dtype(np.float64))) for v in (first, last, step)]
        span = n.op(nn.CeilOp, n.div(n.sub(wide[1], wide[0]), wide[2]))
        sound = n.op(nn.AndOp, n.op(nn.LeOp, span, n.like(MAX_DIMENSION, span)), n.op(nn.GtOp, span, n.like(-np.inf, span)))
        bounded = n.op(nn.SelectOp, sound, n.op(nn.MaxOp, span, n.like(0, span)), n.like(-1, span))
        count = n.count(n.cast(bounded, element_type_of(np.dtype(np.int64))), "number of elements")
        if count < 0:
            n.fail(f"its delta is 0, or it would have more than {MAX_DIMENSION} elements")
    steps = n.op(nn.IotaOp, result_type=tensor_type((count,), start.element))
    return n.add(n.mul(steps, step), first)


def _steps_between(n: Node, first: float, last: float, step: float) -> int:
    if step == 0:
        n.fail("its delta is 0")
    span = (last - first) / step
    if not math.isfinite(span) or span > MAX_DIMENSION:
        n.fail(f"it would have {span} elements")
    return max(math.ceil(span), 0)


@converter("EyeLike")
def _eye_like(n: Node, x: Value) -> Value:
    if x.rank != 2:
        n.fail(f"its operand has {x.rank} axes, not two")
    dtype = dtype_of_element(n.int("dtype"), "its result") if n.has("dtype") else x.dtype
    _refuse_large_table(n, x.size)
    return n.constant(np.eye(*x.shape, k=n.int("k"), dtype=dtype))


@converter("NonZero")
def _non_zero(n: Node, x: Value) -> Value:
    """The positions of what is not zero, in order, a row for each axis. How many there are is asked of the program."""
    extents = x.shape or (1,)
    place = places(n, n.reshape(x, (x.size,)))
    rows: list[Value] = []
    stride = x.size or 1
    for extent in extents:
        stride //= extent or 1
        row = place if stride == 1 else n.div(place, n.like(stride, place))
        row = row if extent * stride == (x.size or 1) else n.op(nn.ModOp, row, n.like(extent, row))
        rows.append(n.reshape(row, (1, place.size)))
    return rows[0] if len(rows) == 1 else n.op(nn.ConcatOp, *rows, axis=0)


@converter("Compress")
def _compress(n: Node, x: Value, condition: Value) -> Value:
    if not n.has("axis"):
        x = n.reshape(x, (x.size,))
    axis = n.axis(n.int("axis"), x.rank)
    if condition.rank != 1 or condition.size > x.shape[axis]:
        n.fail(f"a condition of shape {list(condition.shape)} does not fit axis {axis} of an operand of shape {list(x.shape)}")
    return n.op(nn.GatherOp, x, places(n, condition), axis=axis)


def places(n: Node, x: Value) -> Value:
    """The subscripts of what is not zero in a list, in order."""
    integer = element_type_of(np.dtype(np.int64))
    if x.array is not None:
        return n.constant(np.flatnonzero(x.array).astype(np.int64))
    if x.size == 0:
        return n.constant(np.zeros(0, np.int64))
    chosen = n.op(nn.NeOp, x, n.like(0, x)) if x.dtype != np.bool_ else x
    ones = n.cast(chosen, integer)
    count = n.count(n.op(nn.ReduceSumOp, ones, axes=[0], keepdims=False), "number of elements that are not zero")
    # Each of them is written where the number of those before it says, everything else behind the end.
    before = n.sub(n.op(nn.CumsumOp, ones, axis=0), n.like(1, ones))
    target = n.op(nn.SelectOp, chosen, before, n.like(count, ones))
    every = n.op(nn.IotaOp, result_type=tensor_type((x.size,), integer))
    empty = n.full(0, np.int64, (count + 1,))
    written = n.op(nn.ScatterElementsOp, empty, target, every, axis=0, reduction="none")
    return n.op(nn.SliceOp, written, starts=[0], ends=[count])


def _refuse_large_table(n: Node, size: int) -> None:
    if size > 2**26:
        n.unsupported(f"it would make a table of {size} elements")


# ---- nothing at all ----------------------------------------------------------------------------------------------------------------


@converter("Identity")
def _identity(n: Node, x: Value) -> Value:
    return x


@converter("Dropout")
def _dropout(n: Node, x: Value, ratio: Value | None = None, training: Value | None = None) -> Sequence[Value]:
    """Nothing, at inference; the mask keeps everything."""
    if n.version < 7 and not n.int("is_test"):
        ratio, training = n.full(n.float("ratio", 0.5), np.float32), n.full(True, np.bool_)
    if training is not None and (training.array is None or training.array.any()):
        y, mask = dropout(n, x, n.full(0.5, np.float32) if ratio is None else ratio, training)
        return y, mask if n.version >= 10 else n.cast_like(mask, x)
    return x, n.full(True, np.bool_ if n.version >= 10 else x.dtype, x.shape)


# ---- reshape -----------------------------------------------------------------------------------------------------------------------


@converter("Reshape")
def _reshape_attribute(n: Node, x: Value) -> Value:
    return _reshape_to(n, x, n.ints("shape", ()), allow_zero=False)


@converter("Reshape", since=5)
def _reshape(n: Node, x: Value, extents: Value) -> Value:
    return _reshape_to(n, x, n.known_ints(extents, "shape"), allow_zero=bool(n.int("allowzero")))


def _reshape_to(n: Node, x: Value, extents: Sequence[int], *, allow_zero: bool) -> Value:
    """0 copies the extent (unless `allow_zero`), one -1 stands for what remains."""
    resolved: list[int] = []
    for d, extent in enumerate(extents):
        if extent == 0 and not allow_zero:
            if d >= x.rank:
                n.fail(f"shape {list(extents)} copies axis {d} of an operand of shape {list(x.shape)}")
            extent = x.shape[d]
        if not -1 <= extent <= MAX_DIMENSION:
            n.fail(f"shape {list(extents)} has an extent out of range")
        resolved.append(extent)
    if resolved.count(-1) > 1:
        n.fail(f"shape {list(extents)} has more than one -1")
    if -1 in resolved:
        rest = math.prod(d for d in resolved if d != -1)
        if rest == 0 or x.size % rest:
            n.fail(f"an operand of shape {list(x.shape)} cannot have the shape {list(extents)}")
        resolved[resolved.index(-1)] = x.size // rest
    if math.prod(resolved) != x.size:
        n.fail(f"an operand of shape {list(x.shape)} cannot have the shape {list(extents)}")
    return n.reshape(x, resolved)


@converter("Flatten")
def _flatten(n: Node, x: Value) -> Value:
    axis = n.int("axis", 1)
    axis = axis if axis == x.rank else n.axis(axis, max(x.rank, 1))
    return n.reshape(x, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:])))


@converter("Squeeze")
def _squeeze(n: Node, x: Value, axes: Value | None = None) -> Value:
    given = n.known_ints(axes, "axes") if axes is not None else n.ints("axes", ()) if n.has("axes") else None
    dropped = [d for d, e in enumerate(x.shape) if e == 1] if given is None else [n.axis(a, x.rank) for a in given]
    if any(x.shape[d] != 1 for d in dropped):
        n.fail(f"axes {given} of shape {list(x.shape)} are not all of extent 1")
    return n.reshape(x, [e for d, e in enumerate(x.shape) if d not in dropped])


@converter("Unsqueeze")
def _unsqueeze(n: Node, x: Value, axes: Value | None = None) -> Value:
    given = n.known_ints(axes, "axes") if axes is not None else n.ints("axes")
    rank = x.rank + len(given)
    added = [n.axis(a, rank) for a in given]
    if len(set(added)) != len(added):
        n.fail(f"an axis stands twice in {given}")
    rest = iter(x.shape)
    return n.reshape(x, [1 if d in added else next(rest) for d in range(rank)])


@converter("Expand")
def _expand(n: Node, x: Value, extents: Value) -> Value:
    wanted = checked_shape(n.known_ints(extents, "shape"), x.dtype.itemsize, "the result")
    return n.broadcast_to(x, broadcast_shapes((x.shape, wanted), "Expand"))


# ---- moving elements ----------------------------------------------------------------------------------------------------------------


@converter("Transpose")
def _transpose(n: Node, x: Value) -> Value:
    return n.transpose(x, n.ints("perm", range(x.rank)[::-1]))


@converter("Concat")
def _concat(n: Node, *parts: Value) -> Value:
    axis = n.axis(n.int("axis", 1), parts[0].rank)
    if len(parts) == 1:
        return parts[0]
    # Exporters of older models join empty vectors to whole tensors; they add nothing.
    parts = tuple(p for p in parts if p.shape != (0,) or parts[0].rank == 1) or parts
    return n.op(nn.ConcatOp, *parts, axis=axis)


@converter("Split")
def _split(n: Node, x: Value, sizes: Value | None = None) -> Sequence[Value]:
    axis = n.axis(n.int("axis"), x.rank)
    extent, count = x.shape[axis], len(n.proto.output)
    given = n.known_ints(sizes, "split") if sizes is not None else n.ints("split", ())
    if not given:
        if n.has("num_outputs") and n.int("num_outputs") != count:
            n.fail(f"num_outputs is {n.int('num_outputs')} but it has {count} outputs")
        each = -(-extent // count)
        given = [min(each, max(extent - i * each, 0)) for i in range(count)]
    if len(given) != count or sum(given) != extent or min(given, default=0) < 0:
        n.fail(f"axis {axis} of extent {extent} cannot be split into {given} for {count} outputs")
    starts = [sum(given[:i]) for i in range(count)]
    return [slice_axis(n, x, axis, start, start + size) for start, size in zip(starts, given, strict=True)]


def slice_axis(n: Node, x: Value, axis: int, start: int, end: int) -> Value:
    """The elements start to end of one axis."""
    starts, ends = [0] * x.rank, list(x.shape)
    starts[axis], ends[axis] = start, end
    return x if (start, end) == (0, x.shape[axis]) else n.op(nn.SliceOp, x, starts=starts, ends=ends)


@converter("Slice")
def _slice_attributes(n: Node, x: Value) -> Value:
    starts = n.ints("starts")
    return _slice_known(n, x, starts, n.ints("ends"), n.ints("axes", range(len(starts))), [1] * len(starts))


@converter("Slice", since=10)
def _slice(n: Node, x: Value, starts: Value, ends: Value, axes: Value | None = None, steps: Value | None = None) -> Value:
    first, last = n.known_ints(starts, "starts"), n.known_ints(ends, "ends")
    which = list(range(len(first))) if axes is None else n.known_ints(axes, "axes")
    return _slice_known(n, x, first, last, which, [1] * len(first) if steps is None else n.known_ints(steps, "steps"))


def _slice_known(n: Node, x: Value, starts: list[int], ends: list[int], axes: list[int], steps: list[int]) -> Value:
    if not len(starts) == len(ends) == len(axes) == len(steps):
        n.fail(f"starts, ends, axes and steps differ in length: {len(starts)}, {len(ends)}, {len(axes)}, {len(steps)}")
    if 0 in steps:
        n.fail("a step is 0")
    low, high, stride = [0] * x.rank, list(x.shape), [1] * x.rank
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        d = n.axis(axis, x.rank)
        # Python's own rule: negative counts from the end, then everything is clamped.
        low[d], high[d], stride[d] = slice(start, end, step).indices(x.shape[d])
        if step > 0:
            high[d] = max(high[d], low[d])
    if low == [0] * x.rank and high == list(x.shape) and stride == [1] * x.rank:
        return x
    return n.op(nn.SliceOp, x, starts=low, ends=high, steps=stride)


@converter("Tile")
def _tile(n: Node, x: Value, repeats: Value, axis: Value | None = None) -> Value:
    """A new axis before every repeated one, broadcast and merged."""
    if n.version < 6:
        times = [1] * x.rank
        if axis is None:
            n.fail("it lacks its axis")
        times[n.axis(n.known_int(axis, "axis"), x.rank)] = n.known_int(repeats, "tiles")
    else:
        times = n.known_ints(repeats, "repeats")
    if len(times) != x.rank or min(times, default=0) < 0:
        n.fail(f"repeats {times} do not fit an operand of shape {list(x.shape)}")
    spread = [e for extent, t in zip(x.shape, times, strict=True) for e in ((1, extent) if t != 1 else (extent,))]
    wide = [e for extent, t in zip(x.shape, times, strict=True) for e in ((t, extent) if t != 1 else (extent,))]
    return n.reshape(n.broadcast_to(n.reshape(x, spread), wide), [e * t for e, t in zip(x.shape, times, strict=True)])


@converter("DepthToSpace")
def _depth_to_space(n: Node, x: Value) -> Value:
    block, (batch, channels, height, width) = n.int("blocksize"), _four(n, x)
    if block < 1 or channels % (block * block):
        n.fail(f"{channels} channels do not split into blocks of {block}")
    rest = channels // (block * block)
    if n.str("mode", "DCR") == "DCR":
        split = n.transpose(n.reshape(x, (batch, block, block, rest, height, width)), (0, 3, 4, 1, 5, 2))
    else:
        split = n.transpose(n.reshape(x, (batch, rest, block, block, height, width)), (0, 1, 4, 2, 5, 3))
    return n.reshape(split, (batch, rest, height * block, width * block))


@converter("SpaceToDepth")
def _space_to_depth(n: Node, x: Value) -> Value:
    block, (batch, channels, height, width) = n.int("blocksize"), _four(n, x)
    if block < 1 or height % block or width % block:
        n.fail(f"{height} x {width} does not split into blocks of {block}")
    split = n.reshape(x, (batch, channels, height // block, block, width // block, block))
    order = (0, 3, 5, 1, 2, 4) if n.str("mode", "DCR") == "DCR" else (0, 1, 3, 5, 2, 4)
    return n.reshape(n.transpose(split, order), (batch, channels * block * block, height // block, width // block))


def _four(n: Node, x: Value) -> tuple[int, int, int, int]:
    if x.rank != 4:
        n.fail(f"its operand has shape {list(x.shape)}, not four axes")
    a, b, c, d = x.shape
    return a, b, c, d


@converter("Trilu")
def _trilu(n: Node, x: Value, k: Value | None = None) -> Value:
    """The triangle above or below a diagonal, zeros elsewhere: a constant mask of the last two axes."""

    if x.rank < 2:
        n.fail(f"its operand has shape {list(x.shape)}, not two axes or more")
    rows, columns = x.shape[-2:]
    _refuse_large_table(n, rows * columns)
    offset = 0 if k is None else n.known_int(k, "k")
    offset = max(-rows - 1, min(columns + 1, offset))
    every = np.ones((rows, columns), np.bool_)
    mask = np.triu(every, offset) if n.int("upper", 1) else np.tril(every, offset)
    return n.op(nn.SelectOp, n.constant(mask), x, n.like(0, x))


# ---- pad ---------------------------------------------------------------------------------------------------------------------------


@converter("Pad")
def _pad_attributes(n: Node, x: Value) -> Value:
    pads = n.ints("pads" if n.version >= 2 else "paddings")
    return _pad_by(n, x, pads, list(range(x.rank)), n.float("value"))


def _pad_by_value(n: Node, x: Value, pads: list[int], axes: list[int], value: Value) -> Value:
    """Padding with a number that is not known yet: a constant mask says where it stands."""
    padded = _pad_by(n, x, pads, axes, 0.0)
    if n.str("mode", "constant") != "constant" or not any(pads):
        return padded
    inside: Value | None = None
    for axis, low, high in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        if low or high:
            place = np.arange(padded.shape[axis]) - low
            line = ((place >= 0) & (place < x.shape[axis])).reshape([-1 if d == axis else 1 for d in range(x.rank)])
            along = n.constant(line)
            inside = along if inside is None else n.op(nn.AndOp, inside, along)
    assert inside is not None
    return n.op(nn.SelectOp, inside, padded, n.reshape(value, ()))


@converter("Pad", since=11)
def _pad(n: Node, x: Value, pads: Value, value: Value | None = None, axes: Value | None = None) -> Value:
    which = list(range(x.rank)) if axes is None else [n.axis(a, x.rank) for a in n.known_ints(axes, "axes")]
    fill: Any = 0
    if value is not None:
        if value.size != 1:
            n.fail(f"its constant_value has {value.size} elements, not one")
        if value.array is None:
            return _pad_by_value(n, x, n.known_ints(pads, "pads"), which, value)
        fill = value.array.item()
    if isinstance(fill, int) and abs(fill) > 2**53:
        n.unsupported(f"the value {fill} is not exact in f64")
    return _pad_by(n, x, n.known_ints(pads, "pads"), which, float(fill))


def _pad_by(n: Node, x: Value, pads: list[int], axes: list[int], value: float) -> Value:
    """Negative pads cut away, after which the others pad."""
    mode = n.str("mode", "constant")
    if mode not in ("constant", "reflect", "edge", "wrap"):
        n.fail(f"its mode is {mode!r}")
    if len(pads) != 2 * len(axes) or len(set(axes)) != len(axes):
        n.fail(f"pads {pads} do not fit axes {axes}")
    low, high = [0] * x.rank, [0] * x.rank
    for i, d in enumerate(axes):
        low[d], high[d] = pads[i], pads[len(axes) + i]
    if max((*low, *high), default=0) > MAX_DIMENSION:
        n.fail(f"pads {pads} are out of range")
    if mode == "wrap":
        return _wrap(n, x, low, high)
    if min((*low, *high), default=0) < 0:
        starts = [max(-p, 0) for p in low]
        ends = [e - max(-p, 0) for e, p in zip(x.shape, high, strict=True)]
        if any(s > e for s, e in zip(starts, ends, strict=True)):
            n.fail(f"pads {pads} cut away more than there is of shape {list(x.shape)}")
        x = n.op(nn.SliceOp, x, starts=starts, ends=ends)
        low, high = [max(p, 0) for p in low], [max(p, 0) for p in high]
    return x if not any((*low, *high)) else n.op(nn.PadOp, x, low=low, high=high, value=value, mode=mode)


def _wrap(n: Node, x: Value, low: Sequence[int], high: Sequence[int]) -> Value:
    """The axis continues periodically."""
    for d in range(x.rank):
        extent = x.shape[d]
        if (low[d], high[d]) == (0, 0):
            continue
        if extent == 0 or low[d] + high[d] + extent > 2**26:
            n.fail(f"axis {d} of extent {extent} cannot be continued by {low[d]} and {high[d]}")
        positions = np.arange(-low[d], extent + high[d], dtype=np.int64) % extent
        x = n.op(nn.GatherOp, x, n.constant(positions), axis=d)
    return x


@converter("CenterCropPad", since=18)
def _center_crop_pad(n: Node, x: Value, extents: Value) -> Value:
    """Cut or padded with zeros on both sides to the wanted extents; the odd one is padded at the end, cut at the front."""
    wanted = n.known_ints(extents, "shape")
    axes = [n.axis(a, x.rank) for a in n.ints("axes", range(x.rank))]
    if len(axes) != len(wanted):
        n.fail(f"shape {wanted} does not fit axes {axes}")
    starts, ends, low, high = [0] * x.rank, list(x.shape), [0] * x.rank, [0] * x.rank
    for d, want in zip(axes, wanted, strict=True):
        if not 0 <= want <= MAX_DIMENSION:
            n.fail(f"shape {wanted} has an extent out of range")
        missing = want - x.shape[d]
        if missing < 0:
            starts[d] = -missing // 2
            ends[d] = starts[d] + want
        low[d], high[d] = max(missing, 0) // 2, max(missing, 0) - max(missing, 0) // 2
    cut = x if (starts, ends) == ([0] * x.rank, list(x.shape)) else n.op(nn.SliceOp, x, starts=starts, ends=ends)
    return cut if not any((*low, *high)) else n.op(nn.PadOp, cut, low=low, high=high)
