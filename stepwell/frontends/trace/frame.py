"""What is being traced: blocks under construction, innermost last, and the line of the user's that is running.

A function that is differentiated is traced into a block of its own, so that its derivative is taken of that block alone; afterwards the
block is dissolved into the one around it. Tracers of a block that is finished have leaked when they turn up again.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from xdsl.dialects.builtin import FileLineColLoc, IntAttr, LocationAttr, StringAttr, UnknownLoc
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from stepwell.dialects.nn.base import Tensor
from stepwell.ir.diagnostics import CompileError

_PACKAGE = str(Path(__file__).parents[2])


class Frame:
    """A block under construction."""

    def __init__(self, argument_types: Sequence[Tensor]) -> None:
        self.block = Block(arg_types=argument_types)
        self.alive = True
        self.numbers: dict[tuple[Any, Any], SSAValue] = {}
        """Constants of rank 0 that stand in the block, by type and bytes."""

    def add(self, op: Operation) -> None:
        """Append an op that the user's line asks for."""
        op.location = user_location()
        self.block.add_op(op)


class _Stack(threading.local):
    def __init__(self) -> None:
        self.frames: list[Frame] = []


_stack = _Stack()


def current() -> Frame | None:
    """The innermost block under construction in this thread; None outside of a trace."""
    frames = _stack.frames
    return frames[-1] if frames else None


@contextmanager
def tracing(frame: Frame) -> Generator[Frame]:
    """What is computed with tracers inside the `with` is written into this frame, which is finished afterwards."""
    _stack.frames.append(frame)
    try:
        yield frame
    finally:
        _stack.frames.pop()
        frame.alive = False


def dissolve(block: Block, arguments: Sequence[SSAValue], into: Frame, values: Sequence[SSAValue]) -> list[SSAValue]:
    """Move the ops of a block to the end of a frame, its arguments replaced; returns where `values` of it are now. Its terminator goes."""
    table = dict(zip(block.args, arguments, strict=True))
    found = [table[v] if isinstance(v, BlockArgument) and v.block is block else v for v in values]
    last = block.last_op
    assert last is not None
    block.erase_op(last)
    for argument, value in table.items():
        argument.replace_all_uses_with(value)
    for op in list(block.ops):
        op.detach()
        into.block.add_op(op)
    return found


# ---- the user's line --------------------------------------------------------------------------------------------------------------------


def user_location() -> LocationAttr:
    """The place of the innermost call that is not ours."""
    found = _user_place()
    if found is None:
        return UnknownLoc()
    name, line, column = found
    return FileLineColLoc(StringAttr(name), IntAttr(line), IntAttr(column))


def _user_place() -> tuple[str, int, int] | None:
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(_PACKAGE) and code.co_filename != "<string>":
            positions = next(islice(code.co_positions(), frame.f_lasti // 2, None), None)
            column = positions[2] if positions is not None and positions[2] is not None else 0
            return code.co_filename, frame.f_lineno, column + 1
        frame = frame.f_back
    return None


def fail(message: str, *, hint: str | None = None) -> NoReturn:
    """Raise a CompileError at the user's line."""
    raise error_here(message, hint)


def error_here(message: str, hint: str | None = None) -> CompileError:
    """A CompileError at the user's line."""
    found = _user_place()
    return CompileError(message, location=None if found is None else "{}:{}:{}".format(*found), hint=hint)
