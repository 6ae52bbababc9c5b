"""Reading the inputs of host operators: each of the kind that the operator wants, or a CompileError that says what came instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn, cast

import numpy as np

from stepwell.backends.host.node import Array, HostNode, Value

MAX_ELEMENTS = 2**27
"""Of a tensor of strings that a host operator makes; an object array has 8 bytes for each besides the strings."""


def described(value: Value) -> str:
    """A value in a few words."""
    if value is None:
        return "nothing"
    if isinstance(value, np.ndarray):
        return f"{'strings' if value.dtype.kind in 'OU' else value.dtype} of shape {list(value.shape)}"
    return f"a map of {len(value)}" if isinstance(value, Mapping) else f"a sequence of {len(value)}"


def wrong(node: HostNode, index: int, wanted: str, value: Value) -> NoReturn:
    """An input is of the wrong kind."""
    node.fail(f"its input {index} is {described(value)}, not {wanted}")


def tensor(node: HostNode, inputs: Sequence[Value], index: int) -> Array:
    """An input that is a tensor of anything."""
    value = node.input(inputs, index)
    return value if isinstance(value, np.ndarray) else wrong(node, index, "a tensor", value)


def strings(node: HostNode, inputs: Sequence[Value], index: int) -> Array:
    """An input that is a tensor of strings, as an object array of `str`."""
    value = node.input(inputs, index)
    if not isinstance(value, np.ndarray) or not is_text(value):
        wrong(node, index, "a tensor of strings", value)
    return value if value.dtype == object else value.astype(object)


def sequence(node: HostNode, inputs: Sequence[Value], index: int) -> list[Value]:
    """An input that is a sequence."""
    value = node.input(inputs, index)
    return value if isinstance(value, list) else wrong(node, index, "a sequence", value)


def integers(node: HostNode, inputs: Sequence[Value], index: int, what: str) -> list[int]:
    """An input of rank 0 or 1 that is a short list of integers."""
    value = node.input(inputs, index)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iu" or value.ndim > 1 or value.size > 2**20:
        wrong(node, index, f"{what}, a list of integers", value)
    return [int(i) for i in value.reshape(-1)]


def integer(node: HostNode, inputs: Sequence[Value], index: int, what: str) -> int:
    """An input that is one integer."""
    numbers = integers(node, inputs, index, what)
    return numbers[0] if len(numbers) == 1 else node.fail(f"its {what} has {len(numbers)} elements, not one")


def is_text(array: Array) -> bool:
    """Whether all elements of an array are strings; an empty object array is one of strings."""
    return array.dtype.kind == "U" or (array.dtype == object and all(isinstance(text, str) for text in cast("Iterable[Any]", array.flat)))


def text_array(texts: Iterable[Any], shape: Sequence[int]) -> Array:
    """An object array of strings; numpy would make one of fixed width of them, and an array of arrays of their lists."""
    flat = list(texts)
    array = np.empty(len(flat), object)
    array[:] = flat
    return array.reshape(tuple(shape))


def axis_of(node: HostNode, axis: int, rank: int) -> int:
    """An axis counted from the front."""
    return axis % rank if -rank <= axis < rank else node.fail(f"axis {axis} is out of range for rank {rank}")
