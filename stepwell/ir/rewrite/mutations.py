"""Watching IR change, whoever changes it: a pattern, a driver, or a pass that does everything by hand.

In: a listener. Out: its methods are called while the body of `with listening(...)` runs. xDSL's few primitives through which every change
goes are replaced for that time and put back afterwards, so that nothing is paid where nobody listens. Attributes of operations are plain
dictionaries: changes of those are not seen here.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

from xdsl.ir import Block, ErasedSSAValue, Operation, OpOperands, SSAValue


class MutationListener:
    """What wants to know of every change of IR; the methods do nothing by themselves."""

    def attached(self, op: Operation) -> None:
        """`op`, with all that it holds, was put into a block; it may have been created, or moved."""

    def detached(self, op: Operation) -> None:
        """`op` was taken out of its block, to be erased or moved."""

    def dropped(self, op: Operation) -> None:
        """`op` is about to let go of its operands: it is being erased. Those inside it are announced one by one."""

    def replaced(self, old: SSAValue, new: SSAValue) -> None:
        """Uses of `old`, all or some, are about to become uses of `new`."""

    def operands_set(self, op: Operation) -> None:
        """`op` got another operand."""

    def cloned(self, old: Operation, new: Operation) -> None:
        """`new`, which stands nowhere yet, was made as a copy of `old`."""


_listeners: list[MutationListener] = []
_originals: dict[tuple[type, str], Any] = {}


def is_anybody_listening() -> bool:
    """Whether changes are announced now: who relinks IR by itself must then go through xDSL's methods."""
    return bool(_listeners)


@contextmanager
def listening(listener: MutationListener) -> Generator[None]:
    """Announce to `listener` what changes while the body runs."""
    if not _listeners:
        _install()
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
        if not _listeners:
            _uninstall()


def _install() -> None:
    attach = _keep(Block, "_attach_op")
    detach = _keep(Block, "detach_op")
    drop = _keep(Operation, "drop_all_references")
    replace = _keep(SSAValue, "replace_all_uses_with")
    replace_some = _keep(SSAValue, "replace_uses_with_if")
    set_one = _keep(OpOperands, "__setitem__")
    clone = _keep(Operation, "clone_without_regions")
    set_all: property = _keep(Operation, "operands")

    def attach_op(self: Block, operation: Operation) -> None:
        attach(self, operation)
        for listener in _listeners:
            listener.attached(operation)

    def detach_op(self: Block, op: Operation) -> Operation:
        for listener in _listeners:
            listener.detached(op)
        return detach(self, op)

    def drop_all_references(self: Operation) -> None:
        for listener in _listeners:
            listener.dropped(self)
        drop(self)

    def replace_all_uses_with(self: SSAValue, value: SSAValue) -> None:
        if not isinstance(value, ErasedSSAValue):
            for listener in _listeners:
                listener.replaced(self, value)
        replace(self, value)

    def replace_uses_with_if(self: SSAValue, value: SSAValue, predicate: Callable[[Any], bool]) -> None:
        for listener in _listeners:
            listener.replaced(self, value)
        replace_some(self, value, predicate)

    def set_operand(self: OpOperands, index: int, operand: SSAValue) -> None:
        set_one(self, index, operand)
        for listener in _listeners:
            listener.operands_set(self._op)  # pyright: ignore[reportPrivateUsage]

    def clone_without_regions(self: Operation, *args: Any, **options: Any) -> Operation:
        new = clone(self, *args, **options)
        for listener in _listeners:
            listener.cloned(self, new)
        return new

    def set_operands(self: Operation, new: Sequence[SSAValue]) -> None:
        assert set_all.fset is not None
        set_all.fset(self, new)
        if self.parent is None:
            return  # it is being made
        for listener in _listeners:
            listener.operands_set(self)

    for (owner, name), found in zip(
        list(_originals),
        (attach_op, detach_op, drop_all_references, replace_all_uses_with, replace_uses_with_if, set_operand, clone_without_regions),
        strict=False,
    ):
        setattr(owner, name, found)
    setattr(Operation, "operands", property(set_all.fget, set_operands))


def _keep(owner: type, name: str) -> Any:
    """The primitive as xDSL has it, remembered for `_uninstall`."""
    found = owner.__dict__[name]
    _originals[owner, name] = found
    return found


def _uninstall() -> None:
    for (owner, name), found in _originals.items():
        setattr(owner, name, found)
    _originals.clear()
