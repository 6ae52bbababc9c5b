"""What the handles of a transform script stand for, and how that follows the IR as it changes.

A handle is a value of the script; it stands for operations, for values, or for parameters (attributes). An operation that is replaced by
one of the same name is followed; one that is erased is forgotten.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.context import Context
from xdsl.ir import Attribute, Operation, OpResult, SSAValue

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.rewrite.mutations import MutationListener


class SilenceableFailure(CompileError):
    """A transformation did not apply and has changed nothing: a sequence that suppresses failures goes on."""


def failure(op: Operation, message: str) -> CompileError:
    """What ends the script."""
    return CompileError(message, location=place(op))


def silenceable(op: Operation, message: str) -> SilenceableFailure:
    """What ends the sequence, unless it suppresses failures."""
    return SilenceableFailure(message, location=place(op))


class State(MutationListener):
    """The payload of every handle."""

    def __init__(self, root: Operation, ctx: Context) -> None:
        self.root = root
        self.ctx = ctx
        self._payload: dict[SSAValue, list[Any]] = {}
        self._invalid: dict[SSAValue, Operation] = {}
        self._replacements: dict[Operation, Operation] = {}

    # ---- handles

    def set(self, handle: SSAValue, payload: Sequence[Any]) -> None:
        """Let a handle stand for these."""
        self._payload[handle] = list(payload)
        self._invalid.pop(handle, None)

    def ops(self, handle: SSAValue, user: Operation) -> list[Operation]:
        """The operations that a handle stands for."""
        return [op for op in self.payload(handle, user) if isinstance(op, Operation)]

    def payload(self, handle: SSAValue, user: Operation) -> list[Any]:
        """All that a handle stands for, for the operation of the script that asks."""
        if handle in self._invalid:
            raise failure(user, "op uses a handle invalidated by a previously executed transform op")
        return list(self._payload.get(handle, ()))

    def consume(self, handle: SSAValue, user: Operation) -> None:
        """The operations behind a handle are about to be rewritten: no handle to them, or to what is in them, may be used any more."""
        mine = {op for op in self._payload.get(handle, ()) if isinstance(op, Operation)}
        for other, payload in self._payload.items():
            if any(_is_inside(item, mine) for item in payload):
                self._invalid[other] = user
        self._invalid[handle] = user

    def params(self, handle: SSAValue, user: Operation) -> list[Attribute]:
        """The attributes that a handle stands for."""
        return [item for item in self.payload(handle, user) if isinstance(item, Attribute)]

    # ---- changes of the IR

    def replaced(self, old: SSAValue, new: SSAValue) -> None:
        if not isinstance(old, OpResult):
            return
        while isinstance(new, OpResult) and new.op.name == "tensor.cast" and new.op.name != old.op.name:
            new = new.op.operands[0]
        if isinstance(new, OpResult) and new.op.name == old.op.name:
            self._replacements[old.op] = new.op

    def dropped(self, op: Operation) -> None:
        new = self._replacements.pop(op, None)
        for payload in self._payload.values():
            for position in reversed([n for n, item in enumerate(payload) if _belongs_to(item, op)]):
                if isinstance(payload[position], Operation) and new is not None:
                    payload[position] = new
                else:
                    del payload[position]


def _belongs_to(item: object, op: Operation) -> bool:
    return item is op or (isinstance(item, OpResult) and item.op is op)


def _is_inside(item: object, ops: set[Operation]) -> bool:
    op = item if isinstance(item, Operation) else item.op if isinstance(item, OpResult) else None
    while op is not None:
        if op in ops:
            return True
        op = op.parent_op()
    return False
