"""Going over everything inside an operation, without the generators that xDSL's `walk` builds for each level, and undisturbed."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager

from xdsl.ir import Operation


def operations_in(root: Operation) -> list[Operation]:
    """All operations inside `root`, without itself, in the order in which they are printed."""
    return gather(root)[0]


def gather(root: Operation) -> tuple[list[Operation], list[Operation]]:
    """All operations inside `root`, without itself, in the order in which they are printed; and those of them that have regions."""
    found: list[Operation] = []
    holders: list[Operation] = []
    _gather(root, found, holders)
    return found, holders


def _gather(op: Operation, found: list[Operation], holders: list[Operation]) -> None:
    for region in op.regions:
        block = region.first_block
        while block is not None:
            inner = block.first_op
            while inner is not None:
                found.append(inner)
                if inner.regions:
                    holders.append(inner)
                    _gather(inner, found, holders)
                inner = inner._next_op  # pyright: ignore[reportPrivateUsage]  # the property takes longer than all the rest
            block = block.next_block


@contextmanager
def no_collection() -> Generator[None]:
    """Python's search for cyclic garbage waits until the end: it would look at all of the IR, again and again, to find little."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
