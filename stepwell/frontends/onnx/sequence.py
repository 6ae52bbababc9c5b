"""ONNX sequences and optionals that are decided when the model is compiled: a sequence is a list of values, nothing remains of it.

Operators that take sequences stand here and in `SEQUENCE_OPERATORS`; no other operator is given one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value, ValueAbsent, ValueSequence
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.shape import slice_axis


def _parts(n: Node, x: Value) -> list[Value]:
    if not isinstance(x, ValueSequence):
        n.fail("its operand is a tensor, not a sequence")
    return x.parts


def _position(n: Node, position: Value, length: int) -> int:
    at = n.known_int(position, "position")
    if not -length <= at < length:
        n.fail(f"position {at} is outside a sequence of {length}")
    return at % length


@converter("SequenceConstruct")
def _construct(n: Node, *parts: Value) -> Value:
    return ValueSequence.of(parts)


@converter("SequenceEmpty")
def _empty(n: Node) -> Value:
    return ValueSequence.of(())


@converter("SequenceAt")
def _at(n: Node, x: Value, position: Value) -> Value:
    parts = _parts(n, x)
    return parts[_position(n, position, len(parts))]


@converter("SequenceErase")
def _erase(n: Node, x: Value, position: Value | None = None) -> Value:
    parts = list(_parts(n, x))
    del parts[len(parts) - 1 if position is None else _position(n, position, len(parts))]
    return ValueSequence.of(parts)


@converter("SequenceInsert")
def _insert(n: Node, x: Value, part: Value, position: Value | None = None) -> Value:
    parts = list(_parts(n, x))
    at = len(parts) if position is None else n.known_int(position, "position")
    if not -len(parts) <= at <= len(parts):
        n.fail(f"position {at} is outside a sequence of {len(parts)}")
    parts.insert(at, part)
    return ValueSequence.of(parts)


@converter("SequenceLength")
def _length(n: Node, x: Value) -> Value:
    return n.constant(np.asarray(len(_parts(n, x)), np.int64))


@converter("SplitToSequence")
def _split(n: Node, x: Value, sizes: Value | None = None) -> Value:
    """Pieces of one extent (one number), of given extents (a list), or slices of extent 1, whose axis may go."""
    axis = n.axis(n.int("axis"), x.rank)
    extent = x.shape[axis]
    if sizes is None:
        given = [1] * extent
    elif sizes.rank == 0:
        each = n.known_int(sizes, "split")
        if each < 1:
            n.fail(f"it splits into pieces of {each}")
        given = [min(each, extent - start) for start in range(0, extent, each)]
    else:
        given = n.known_ints(sizes, "split")
    if sum(given) != extent or min(given, default=0) < 0:
        n.fail(f"axis {axis} of extent {extent} cannot be split into {given}")
    starts = [sum(given[:i]) for i in range(len(given))]
    parts = [slice_axis(n, x, axis, start, start + size) for start, size in zip(starts, given, strict=True)]
    if sizes is None and not n.int("keepdims", 1):
        parts = [n.reshape(p, (*p.shape[:axis], *p.shape[axis + 1 :])) for p in parts]
    return ValueSequence.of(parts)


@converter("ConcatFromSequence")
def _concat(n: Node, x: Value) -> Value:
    """The parts along an axis, which may be a new one."""
    parts = _parts(n, x)
    if not parts:
        n.fail("its sequence is empty")
    new = n.int("new_axis")
    axis = n.axis(n.int("axis"), parts[0].rank + (1 if new else 0))
    if new:
        parts = [n.reshape(p, (*p.shape[:axis], 1, *p.shape[axis:])) for p in parts]
    return parts[0] if len(parts) == 1 else n.op(nn.ConcatOp, *parts, axis=axis)


# ---- optionals: a value that is there is the value itself --------------------------------------------------------------------------


@converter("Optional")
def _optional(n: Node, x: Value | None = None) -> Sequence[Value]:
    return (ValueAbsent.new() if x is None else x,)


@converter("OptionalHasElement")
def _has_element(n: Node, x: Value | None = None) -> Value:
    return n.constant(np.asarray(x is not None and not isinstance(x, ValueAbsent)))


@converter("OptionalGetElement")
def _get_element(n: Node, x: Value) -> Sequence[Value]:
    if isinstance(x, ValueAbsent):
        n.fail("its optional holds nothing")
    return (x,)
