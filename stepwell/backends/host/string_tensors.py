"""Operators that move, compare and convert tensors of strings. What they do with numbers is compiled.

They follow the newest opset; where older ones keep in an attribute what is an input now (axes, splits, starts), the attribute is read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from onnx import TensorProto
from onnx.helper import tensor_dtype_to_np_dtype

from stepwell.backends.host.node import Array, HostNode, Value
from stepwell.backends.host.values import MAX_ELEMENTS, axis_of, described, integers, is_text, strings, tensor, text_array


def _numbers(node: HostNode, inputs: Sequence[Value], index: int, attribute: str) -> list[int] | None:
    """A list of integers that is an input or, in older opsets, an attribute."""
    if node.input(inputs, index) is not None:
        return integers(node, inputs, index, attribute)
    given = node.attributes.get(attribute)
    return None if given is None else [int(i) for i in np.atleast_1d(given)]


def _axis(node: HostNode, rank: int, default: int = 0) -> int:
    return axis_of(node, int(node.attributes.get("axis", default)), rank)


def _sized(node: HostNode, shape: Sequence[int]) -> tuple[int, ...]:
    if min(shape, default=0) < 0 or math.prod(shape) > MAX_ELEMENTS:
        node.fail(f"its result of shape {list(shape)} is too large")
    return tuple(shape)


# ---- shapes ---------------------------------------------------------------------------------------------------------------------


def identity(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """The value itself, which may be a sequence or an optional."""
    return [node.input(inputs, 0)]


def reshape(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """0 keeps an extent, -1 is what is left."""
    x = tensor(node, inputs, 0)
    wanted = _numbers(node, inputs, 1, "shape") or []
    if not node.attributes.get("allowzero", 0):
        wanted = [x.shape[d] if e == 0 and d < x.ndim else e for d, e in enumerate(wanted)]
    rest = math.prod(e for e in wanted if e != -1)
    if wanted.count(-1) > 1 or (-1 in wanted and (rest == 0 or x.size % rest)):
        node.fail(f"{described(x)} cannot become {wanted}")
    wanted = [x.size // rest if e == -1 else e for e in wanted]
    if min(wanted, default=0) < 0 or math.prod(wanted) != x.size:
        node.fail(f"{described(x)} cannot become {wanted}")
    return [x.reshape(wanted)]


def flatten(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """[before the axis, from the axis on]."""
    x = tensor(node, inputs, 0)
    axis = int(node.attributes.get("axis", 1))
    axis = axis if axis == x.ndim else axis_of(node, axis, x.ndim)
    return [x.reshape(math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))]


def squeeze(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Without axes of extent 1."""
    x = tensor(node, inputs, 0)
    given = _numbers(node, inputs, 1, "axes")
    axes = {d for d, e in enumerate(x.shape) if e == 1} if given is None else {axis_of(node, a, x.ndim) for a in given}
    if any(x.shape[a] != 1 for a in axes):
        node.fail(f"axes {sorted(axes)} of {described(x)} are not all of extent 1")
    return [x.reshape([e for d, e in enumerate(x.shape) if d not in axes])]


def unsqueeze(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """With new axes of extent 1."""
    x = tensor(node, inputs, 0)
    given = _numbers(node, inputs, 1, "axes") or []
    axes = {axis_of(node, a, x.ndim + len(given)) for a in given}
    if len(axes) != len(given):
        node.fail(f"an axis stands twice in {given}")
    old = iter(x.shape)
    return [x.reshape([1 if d in axes else next(old) for d in range(x.ndim + len(given))])]


def transpose(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Axes permuted."""
    x = tensor(node, inputs, 0)
    permutation = [int(d) for d in node.attributes.get("perm") or reversed(range(x.ndim))]
    if sorted(permutation) != list(range(x.ndim)):
        node.fail(f"perm {permutation} does not fit {described(x)}")
    return [x.transpose(permutation).copy()]


def expand(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Broadcast in both directions."""
    x, wanted = tensor(node, inputs, 0), integers(node, inputs, 1, "shape")
    try:
        shape = np.broadcast_shapes(x.shape, tuple(wanted))
    except ValueError:
        node.fail(f"{described(x)} does not broadcast to {wanted}")
    return [np.broadcast_to(x, _sized(node, shape)).copy()]


def tile(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Repeated along each axis."""
    x, repeats = tensor(node, inputs, 0), integers(node, inputs, 1, "repeats")
    if len(repeats) != x.ndim:
        node.fail(f"{len(repeats)} repeats for {described(x)}")
    _sized(node, [e * r if r >= 0 else -1 for e, r in zip(x.shape, repeats, strict=True)])
    return [np.tile(x, repeats)]


def shape_of(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """The extents from `start` to `end`."""
    x = tensor(node, inputs, 0)
    return [np.array(x.shape[slice(node.attributes.get("start", 0), node.attributes.get("end"))], np.int64)]


def size(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """The number of elements."""
    return [np.asarray(tensor(node, inputs, 0).size, np.int64)]


# ---- parts ----------------------------------------------------------------------------------------------------------------------


def concat(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """One after the other along an axis."""
    parts = [tensor(node, inputs, i) for i in range(len(inputs))]
    axis = _axis(node, parts[0].ndim)
    if len({(p.ndim, *p.shape[:axis], *p.shape[axis + 1 :]) for p in parts}) > 1 or len({is_text(p) for p in parts}) > 1:
        node.fail(f"{', '.join(described(p) for p in parts[:4])} cannot be joined along axis {axis}")
    return [np.concatenate(parts, axis)]


def split(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Pieces of given extents, or as many as there are outputs."""
    x = tensor(node, inputs, 0)
    axis = _axis(node, x.ndim)
    sizes = _numbers(node, inputs, 1, "split")
    if sizes is None:
        count = max(int(node.attributes.get("num_outputs", node.outputs)), 1)
        each = -(-x.shape[axis] // count)
        sizes = [max(min(each, x.shape[axis] - i * each), 0) for i in range(count)]
    if min(sizes, default=0) < 0 or sum(sizes) != x.shape[axis]:
        node.fail(f"axis {axis} of {described(x)} cannot be split into {sizes}")
    return [part.copy() for part in np.split(x, np.cumsum(sizes)[:-1], axis)]


def slice_(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """From starts to ends in steps; bounds outside are clamped."""
    x = tensor(node, inputs, 0)
    starts, ends = _numbers(node, inputs, 1, "starts") or [], _numbers(node, inputs, 2, "ends") or []
    given = _numbers(node, inputs, 3, "axes")
    axes = [axis_of(node, a, x.ndim) for a in (range(len(starts)) if given is None else given)]
    steps = [1] * len(starts) if node.input(inputs, 4) is None else integers(node, inputs, 4, "steps")
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps or len(set(axes)) != len(axes):
        node.fail(f"starts {starts}, ends {ends}, axes {axes} and steps {steps} do not fit each other")
    where: list[slice] = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        extent = x.shape[axis]
        start, end = (b + extent if b < 0 else b for b in (start, end))
        if step > 0:
            where[axis] = slice(min(max(start, 0), extent), min(max(end, 0), extent), step)
        else:
            start, end = min(max(start, 0), extent - 1), min(max(end, -1), extent - 1)
            where[axis] = slice(start, end if end >= 0 else None, step) if extent else slice(0, 0)
    return [x[tuple(where)].copy()]


def _indices(node: HostNode, inputs: Sequence[Value], index: int) -> Array:
    found = tensor(node, inputs, index)
    return found.astype(np.int64) if found.dtype.kind in "iu" else node.fail(f"its indices are {described(found)}")


def _inside(node: HostNode, indices: Array, extent: int) -> Array:
    if indices.size and not -extent <= int(indices.min()) <= int(indices.max()) < extent:
        node.fail(f"its indices reach from {indices.min()} to {indices.max()}, outside an axis of extent {extent}")
    return indices


def gather(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Slices of an axis."""
    x, indices = tensor(node, inputs, 0), _indices(node, inputs, 1)
    axis = _axis(node, x.ndim)
    _sized(node, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))
    return [np.asarray(np.take(x, _inside(node, indices, x.shape[axis]), axis), x.dtype)]


def gather_elements(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Elements at positions along an axis."""
    x, indices = tensor(node, inputs, 0), _indices(node, inputs, 1)
    axis = _axis(node, x.ndim)
    return [x[_places(node, x, indices, axis)]]


def _places(node: HostNode, x: Array, indices: Array, axis: int) -> Any:
    if indices.ndim != x.ndim or any(a > b for d, (a, b) in enumerate(zip(indices.shape, x.shape, strict=True)) if d != axis):
        node.fail(f"indices of shape {list(indices.shape)} do not fit {described(x)}")
    where: list[Any] = list(np.ogrid[tuple(slice(e) for e in indices.shape)])
    where[axis] = _inside(node, indices, x.shape[axis])
    return tuple(where)


def gather_nd(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Elements or slices at tuples of positions."""
    x, indices = tensor(node, inputs, 0), _indices(node, inputs, 1)
    batch = int(node.attributes.get("batch_dims", 0))
    depth = indices.shape[-1] if indices.ndim else 0
    if not 0 <= batch < indices.ndim or batch + depth > x.ndim or x.shape[:batch] != indices.shape[:batch]:
        node.fail(f"indices of shape {list(indices.shape)} do not fit {described(x)}")
    grid = [g.reshape(g.shape[:batch] + (1,) * (indices.ndim - 1 - batch)) for g in np.ogrid[tuple(slice(e) for e in x.shape[:batch])]]
    where = [_inside(node, indices[..., t], x.shape[batch + t]) for t in range(depth)]
    return [np.asarray(x[(*grid, *where)], x.dtype)]


def scatter_elements(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Elements written at positions along an axis."""
    x, indices, updates = tensor(node, inputs, 0).copy(), _indices(node, inputs, 1), tensor(node, inputs, 2)
    _plain(node)
    if indices.shape != updates.shape:
        node.fail(f"{described(updates)} do not fit indices of shape {list(indices.shape)}")
    x[_places(node, x, indices, _axis(node, x.ndim))] = updates
    return [x]


def scatter_nd(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Elements or slices written at tuples of positions."""
    x, indices, updates = tensor(node, inputs, 0).copy(), _indices(node, inputs, 1), tensor(node, inputs, 2)
    _plain(node)
    depth = indices.shape[-1] if indices.ndim else 0
    if indices.ndim < 1 or depth > x.ndim or updates.shape != (*indices.shape[:-1], *x.shape[depth:]):
        node.fail(f"{described(updates)} do not fit indices of shape {list(indices.shape)} in {described(x)}")
    x[tuple(_inside(node, indices[..., t], x.shape[t]) for t in range(depth))] = updates
    return [x]


def _plain(node: HostNode) -> None:
    if node.attributes.get("reduction", "none") != "none":
        node.fail(f"strings cannot be combined by {node.attributes['reduction']!r}")


def compress(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """What a condition keeps."""
    x, condition = tensor(node, inputs, 0), tensor(node, inputs, 1)
    if condition.dtype != np.bool_ or condition.ndim != 1:
        node.fail(f"its condition is {described(condition)}")
    axis = node.attributes.get("axis")
    rows = x.reshape(-1) if axis is None else x
    at = 0 if axis is None else axis_of(node, int(axis), x.ndim)
    return [np.take(rows, _inside(node, np.flatnonzero(condition), rows.shape[at]), at)]


# ---- elements -------------------------------------------------------------------------------------------------------------------


def equal(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Which strings are equal."""
    a, b = strings(node, inputs, 0), strings(node, inputs, 1)
    try:
        return [np.asarray(np.equal(a, b), np.bool_)]
    except ValueError:
        node.fail(f"{described(a)} and {described(b)} do not broadcast")


def where(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """One string or the other."""
    condition, a, b = tensor(node, inputs, 0), strings(node, inputs, 1), strings(node, inputs, 2)
    if condition.dtype != np.bool_:
        node.fail(f"its condition is {described(condition)}")
    try:
        return [np.asarray(np.where(condition, a, b), object)]
    except ValueError:
        node.fail(f"{described(condition)}, {described(a)} and {described(b)} do not broadcast")


def constant(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """A string, strings, or a tensor of them."""
    attributes = node.attributes
    if "value_string" in attributes:
        return [text_array([attributes["value_string"]], ())]
    if "value_strings" in attributes:
        return [text_array(attributes["value_strings"], (len(attributes["value_strings"]),))]
    return [np.asarray(attributes["value"])]


def constant_of_shape(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """One string everywhere."""
    shape = _sized(node, integers(node, inputs, 0, "shape"))
    return [np.full(shape, np.asarray(node.attributes["value"], object).reshape(-1)[0], object)]


def cast_(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Strings to numbers or numbers to strings."""
    to = node.attributes["to"]
    return [_cast(node, tensor(node, inputs, 0), int(to if isinstance(to, int) else TensorProto.DataType.Value(to)))]


def cast_like(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """As the second input is."""
    x, like = tensor(node, inputs, 0), tensor(node, inputs, 1)
    return [_to_text(x) if is_text(like) else _to_numbers(node, x, like.dtype)]


def _cast(node: HostNode, x: Array, to: int) -> Array:
    return _to_text(x) if to == TensorProto.STRING else _to_numbers(node, x, np.dtype(tensor_dtype_to_np_dtype(to)))


_SPECIAL = {"nan": "NaN", "inf": "INF", "-inf": "-INF"}


def _to_text(x: Array) -> Array:
    """Numbers in as few digits as tell them apart; what is no number as the standard spells it."""
    if is_text(x):
        return x
    texts = [str(v) for v in x.reshape(-1)]
    return text_array((_SPECIAL.get(t, t) for t in texts), x.shape)


def _to_numbers(node: HostNode, x: Array, dtype: np.dtype[Any]) -> Array:
    if not is_text(x):
        node.fail(f"its input is {described(x)}; the host casts strings only")
    found: list[Any] = []
    for text in cast("list[str]", x.reshape(-1).tolist()):
        try:
            found.append(_number(text, dtype))
        except (ValueError, OverflowError):
            node.fail(f"{text[:40]!r} is not a number of {dtype}")
    if dtype.kind in "iu":
        return np.array(found, np.object_).astype(dtype).reshape(x.shape)
    return np.array(found, np.bool_ if dtype.kind == "b" else np.float64).astype(dtype).reshape(x.shape)


def _number(text: str, dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "b":
        return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()] if _is_truth(text) else _number_fails(text)
    if dtype.kind not in "iu":
        return _number_fails(text) if "_" in text else float(text)
    try:
        value = int(text)
    except ValueError:
        value = int(float(text))  # "100.5" is 100
    limits = np.iinfo(dtype)
    return value if limits.min <= value <= limits.max and "_" not in text else _number_fails(text)


def _is_truth(text: str) -> bool:
    return text.strip().lower() in ("true", "1", "false", "0")


def _number_fails(text: str) -> Any:
    raise ValueError(text)
