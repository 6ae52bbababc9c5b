"""What ops of `@main` give when their operands are known: numbers, and places in buffers.

From `plan-memory` on, `@main` computes nothing but where kernels find their operands. Memory is named by buffer (the number of an argument
of `@main`: the arena, the weights, inputs, outputs) and offset.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple, cast

from xdsl.dialects.builtin import AffineMapAttr, DenseArrayBase, IntegerAttr, MemRefType
from xdsl.ir import Operation

from stepwell.ir.constants import dtype_of
from stepwell.ir.diagnostics import CompileError

DYNAMIC = -(1 << 63)


class Pointer(NamedTuple):
    """A place: the number of a buffer among the arguments of `@main`, and bytes from its beginning."""

    buffer: int
    offset: int


@dataclass(frozen=True)
class View:
    """A memref: where it begins, and its strides and sizes in elements."""

    place: Pointer
    strides: tuple[int, ...]
    sizes: tuple[int, ...]
    element: int
    """Bytes of an element."""


def whole(buffer: int, type: Any) -> View:
    shape = tuple(cast("MemRefType[Any]", type).get_shape())
    element = dtype_of(type.element_type).itemsize
    return View(Pointer(buffer, 0), _contiguous(shape), shape, element)


def _contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(prod(max(extent, 1) for extent in shape[i + 1 :]) for i in range(len(shape)))


Evaluate = Callable[[Operation, list[Any]], Any]


def _constant(op: Operation, values: list[Any]) -> int:
    value = op.properties["value"]
    if not isinstance(value, IntegerAttr):
        raise CompileError(f"a constant {value} of @main is no integer")
    return int(cast("IntegerAttr[Any]", value).value.data)


def _view(op: Operation, values: list[Any]) -> View:
    base, offset = values[0], values[1]
    type = cast(Any, op.results[0].type)
    shape = tuple(type.get_shape())
    return View(Pointer(base.place.buffer, base.place.offset + offset), _contiguous(shape), shape, dtype_of(type.element_type).itemsize)


def _mixed(op: Operation, name: str, dynamic: list[int]) -> list[int]:
    static = cast("DenseArrayBase[Any]", op.properties[name]).get_values()
    return [int(s) if s != DYNAMIC else dynamic.pop(0) for s in static]


def _subview(op: Operation, values: list[Any]) -> View:
    base: View = values[0]
    rest = list(values[1:])
    offsets, sizes, steps = (_mixed(op, f"static_{name}", rest) for name in ("offsets", "sizes", "strides"))
    start = sum(o * s for o, s in zip(offsets, base.strides, strict=True)) * base.element
    strides = [step * stride for step, stride in zip(steps, base.strides, strict=True)]
    shape = tuple(cast(Any, op.results[0].type).get_shape())
    kept = _kept(sizes, shape)
    place = Pointer(base.place.buffer, base.place.offset + start)
    return View(place, tuple(strides[i] for i in kept), tuple(sizes[i] for i in kept), base.element)


def _kept(sizes: Sequence[int], shape: Sequence[int]) -> list[int]:
    """Which dimensions a rank-reducing subview keeps."""
    kept: list[int] = []
    wanted = list(shape)
    for place, size in enumerate(sizes):
        left = len(sizes) - place
        if wanted and (size == wanted[0] or wanted[0] < 0) and (size != 1 or left <= len(wanted) or wanted[0] == 1):
            kept.append(place)
            wanted.pop(0)
    if wanted:
        raise CompileError(f"a subview of {tuple(sizes)} cannot have shape {tuple(shape)}")
    return kept


def _reshape(op: Operation, values: list[Any]) -> View:
    """collapse_shape and expand_shape: dimensions that stand together in memory are joined or divided."""
    base: View = values[0]
    shape = tuple(cast(Any, op.results[0].type).get_shape())
    groups = [[int(cast("IntegerAttr[Any]", i).value.data) for i in group] for group in cast(Any, op.properties["reassociation"])]
    strides: list[int] = []
    if len(shape) < len(base.sizes) or op.name == "memref.collapse_shape":
        sizes = [prod(base.sizes[i] for i in group) for group in groups]
        for group in groups:
            inner = [i for i in group if base.sizes[i] != 1] or list(group)
            strides.append(base.strides[inner[-1]] if inner else 1)
        return View(base.place, tuple(strides), tuple(sizes), base.element)
    for place, group in enumerate(groups):
        step = base.strides[place]
        own: list[int] = []
        for i in reversed(group):
            own.insert(0, step)
            step *= shape[i]
        strides += own
    if not groups:
        strides = [1] * len(shape)
    return View(base.place, tuple(strides), shape, base.element)


def _cast(op: Operation, values: list[Any]) -> View:
    return values[0]


def _reinterpret(op: Operation, values: list[Any]) -> View:
    base: View = values[0]
    rest = list(values[1:])
    offsets, sizes, strides = (_mixed(op, f"static_{name}", rest) for name in ("offsets", "sizes", "strides"))
    place = Pointer(base.place.buffer, base.place.offset + offsets[0] * base.element)
    return View(place, tuple(strides), tuple(sizes), base.element)


def _affine(pick: Callable[[list[int]], int]) -> Evaluate:
    def evaluate(op: Operation, values: list[Any]) -> int:
        map = cast(AffineMapAttr, op.properties["map"]).data
        return pick([expr.eval(values[: map.num_dims], values[map.num_dims :]) for expr in map.results])

    return evaluate


EVALUATED: dict[str, Evaluate] = {
    "arith.constant": _constant,
    "arith.addi": lambda op, v: v[0] + v[1],
    "arith.subi": lambda op, v: v[0] - v[1],
    "arith.muli": lambda op, v: v[0] * v[1],
    "arith.ceildivui": lambda op, v: -(-v[0] // v[1]),
    "arith.ceildivsi": lambda op, v: -(-v[0] // v[1]),
    "arith.floordivsi": lambda op, v: v[0] // v[1],
    "arith.divui": lambda op, v: v[0] // v[1],
    "arith.remui": lambda op, v: v[0] % v[1],
    "arith.minsi": lambda op, v: min(v),
    "arith.maxsi": lambda op, v: max(v),
    "affine.apply": _affine(lambda r: r[0]),
    "affine.min": _affine(min),
    "affine.max": _affine(max),
    "memref.view": _view,
    "memref.subview": _subview,
    "memref.collapse_shape": _reshape,
    "memref.expand_shape": _reshape,
    "memref.cast": _cast,
    "memref.reinterpret_cast": _reinterpret,
}
"""What each op gives, from what it is given."""
