"""The end of buffers: what is freed holds garbage from then on, and is not freed again. So a pass that frees too early is found out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from xdsl.dialects.builtin import DYNAMIC_INDEX
from xdsl.ir import Operation

from stepwell.backends.interpreter.machine import Implementation
from stepwell.backends.interpreter.values import garbage, is_array
from stepwell.dialects import memref
from stepwell.dialects.memref.more import OwnershipDeallocOp, ReallocOp
from stepwell.ir.constants import Array

_FREED: WeakValueDictionary[int, Array] = WeakValueDictionary()
"""The buffers that were freed, as long as they are reachable, by identity."""


def buffer_of(array: Array) -> Array:
    """The whole contiguous buffer that an array is a view of, as elements of the array's dtype."""
    root: Any = array
    while (base := root.base) is not None:
        # `as_strided` puts an object of its own between an array and its base.
        base = base if is_array(base) else getattr(base, "base", None)
        if not is_array(base):
            break
        root = base
    if not root.flags.c_contiguous:
        raise NotImplementedError("a view of an array of the caller that is not contiguous")
    flat = root.reshape(-1)
    return flat if flat.dtype == array.dtype else flat.view(array.dtype)


def _root(buffer: Array) -> Array:
    whole: Any = buffer_of(buffer)
    while isinstance(whole.base, type(whole)):
        whole = whole.base
    return whole


def free(buffer: Array) -> None:
    """End the buffer that an array is a view of."""
    root = _root(buffer)
    if _FREED.get(id(root)) is root:
        raise ValueError("a buffer is freed twice")
    if root.flags.writeable:
        root[...] = garbage(root.shape, root.dtype)
    _FREED[id(root)] = root


def address(buffer: Array) -> int:
    """Where a buffer begins, without what an offset adds."""
    return int(_root(buffer).__array_interface__["data"][0])


def free_owned(op: Any) -> Callable[..., tuple[bool, ...]]:
    """`bufferization.dealloc`: what is owned and not retained is freed; whether a retained buffer is owned."""
    count, retained = len(op.memrefs), len(op.retained)

    def run(*operands: Any) -> tuple[bool, ...]:
        buffers, conditions, kept = operands[:count], operands[count : 2 * count], operands[2 * count :]
        owned = {address(buffer): buffer for buffer, condition in zip(buffers, conditions, strict=True) if condition}
        results = tuple(address(buffer) in owned for buffer in kept)
        for buffer in kept:
            owned.pop(address(buffer), None)
        for buffer in owned.values():
            free(buffer)
        assert len(results) == retained
        return results

    return run


def reallocate(op: Any) -> Callable[..., Array]:
    """A buffer of another length with the same first elements; the old one is freed."""
    (length,) = op.result.type.get_shape()

    def run(source: Array, *size: int) -> Array:
        made = garbage([size[0] if length == DYNAMIC_INDEX else length], source.dtype)
        shared = min(len(made), len(source))
        made[:shared] = source[:shared]
        free(source)
        return made

    return run


DEALLOCATION: dict[type[Operation], Implementation] = {
    memref.DeallocOp: lambda op: free,
    memref.ExtractAlignedPointerAsIndexOp: lambda op: address,
    OwnershipDeallocOp: free_owned,
    ReallocOp: reallocate,
}
