"""Sequences and optionals that are known only at run time. A sequence is a list; an optional without a value is None."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stepwell.backends.host.node import Array, HostNode, Value
from stepwell.backends.host.values import axis_of, described, integer, integers, is_text, sequence, tensor, wrong


def _position(node: HostNode, inputs: Sequence[Value], index: int, length: int, *, past_end: bool = False) -> int:
    at = integer(node, inputs, index, "position")
    end = length + 1 if past_end else length
    if not -length <= at < end:
        node.fail(f"position {at} is outside a sequence of {length}")
    return at + length if at < 0 else at


def sequence_construct(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """A sequence of its inputs."""
    return [[tensor(node, inputs, i) for i in range(len(inputs))]]


def sequence_empty(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """A sequence of nothing."""
    return [[]]


def sequence_at(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """The element at a position, which may count from the end."""
    parts = sequence(node, inputs, 0)
    return [parts[_position(node, inputs, 1, len(parts))]]


def sequence_insert(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """The sequence with a tensor before a position, or at the end."""
    parts, part = list(sequence(node, inputs, 0)), tensor(node, inputs, 1)
    if parts and isinstance(parts[0], np.ndarray) and _element(parts[0]) != _element(part):
        node.fail(f"{described(part)} cannot join a sequence of {_element(parts[0])}")
    at = len(parts) if node.input(inputs, 2) is None else _position(node, inputs, 2, len(parts), past_end=True)
    parts.insert(at, part)
    return [parts]


def _element(array: Array) -> str:
    return "strings" if is_text(array) else str(array.dtype)


def sequence_erase(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """The sequence without the element at a position, or without the last."""
    parts = list(sequence(node, inputs, 0))
    if not parts:
        node.fail("its sequence is empty")
    del parts[-1 if node.input(inputs, 1) is None else _position(node, inputs, 1, len(parts))]
    return [parts]


def sequence_length(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """How many elements there are."""
    return [np.asarray(len(sequence(node, inputs, 0)), np.int64)]


def split_to_sequence(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Pieces of one extent (a number), of given extents (a list), or of extent 1, whose axis may go."""
    x = tensor(node, inputs, 0)
    axis = axis_of(node, int(node.attributes.get("axis", 0)), x.ndim)
    extent, given = x.shape[axis], node.input(inputs, 1)
    if given is None:
        sizes = [1] * extent
    else:
        sizes = integers(node, inputs, 1, "split")
        if isinstance(given, np.ndarray) and given.ndim == 0:
            if sizes[0] < 1:
                node.fail(f"it splits into pieces of {sizes[0]}")
            sizes = [min(sizes[0], extent - start) for start in range(0, extent, sizes[0])]
    if min(sizes, default=0) < 0 or sum(sizes) != extent:
        node.fail(f"axis {axis} of extent {extent} cannot be split into {sizes[:16]}")
    parts = np.split(x, np.cumsum(sizes)[:-1], axis) if sizes else []
    if given is None and not node.attributes.get("keepdims", 1):
        parts = [part.squeeze(axis) for part in parts]
    return [[np.ascontiguousarray(part) if part.ndim else part.copy() for part in parts]]


def concat_from_sequence(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """The elements along an axis, which may be a new one."""
    parts = sequence(node, inputs, 0)
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if not arrays or len(arrays) != len(parts):
        wrong(node, 0, "a sequence of tensors", parts)
    new = bool(node.attributes.get("new_axis", 0))
    axis = axis_of(node, int(node.attributes.get("axis", 0)), arrays[0].ndim + new)
    shapes = {tuple(e for d, e in enumerate(a.shape) if new or d != axis) for a in arrays}
    if len(shapes) > 1 or len({a.dtype for a in arrays}) > 1 or len({a.ndim for a in arrays}) > 1:
        node.fail(f"tensors of shapes {sorted({a.shape for a in arrays})[:4]} cannot be joined along axis {axis}")
    return [np.stack(arrays, axis) if new else np.concatenate(arrays, axis)]


# ---- optionals ------------------------------------------------------------------------------------------------------------------


def optional(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """An optional with this value, or without one."""
    return [node.input(inputs, 0)]


def optional_has_element(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """Whether there is a value."""
    return [np.asarray(node.input(inputs, 0) is not None)]


def optional_get_element(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """The value, which must be there."""
    value = node.input(inputs, 0)
    return [node.fail("its optional has no value") if value is None else value]


__all__: list[Any] = [
    "concat_from_sequence",
    "optional",
    "optional_get_element",
    "optional_has_element",
    "sequence_at",
    "sequence_construct",
    "sequence_empty",
    "sequence_erase",
    "sequence_insert",
    "sequence_length",
    "split_to_sequence",
]
