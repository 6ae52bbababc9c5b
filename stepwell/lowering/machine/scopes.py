"""Where instructions are put: nested scopes of one function, and the function as a frame.

A scope is the function, a loop body, or a branch of an `if`. A pure instruction of addresses or indices goes to the outermost scope in
which all its operands are known, but never out of a branch; there it is remembered, so that it exists once. That is loop-invariant code
motion and common subexpression elimination, by construction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from xdsl.ir import Operation, SSAValue

from stepwell.lowering.machine.sink import Block, Token


class ScopeKind(Enum):
    FUNCTION = auto()
    LOOP = auto()
    BRANCH = auto()


Table = list[Any]
"""The pieces of one value; None where a piece has not been asked for."""


@dataclass(eq=False)
class Scope:
    """One region being emitted. `block` is its current end: while something nested is being emitted, the block before that."""

    kind: ScopeKind
    depth: int
    frame: Frame
    parent: Scope | None
    block: Block
    memo: dict[Any, Token] = field(default_factory=dict[Any, Token])
    borrowed: list[tuple[Table, int]] = field(default_factory=list[tuple[Table, int]])
    """Pieces of outer values that were made here: forgotten at the end, since nothing after this scope may use them."""

    def enclosing_loop_depth(self) -> int:
        """The depth of the innermost loop around, 0 outside of loops."""
        scope: Scope | None = self
        while scope is not None and scope.kind is ScopeKind.BRANCH:
            scope = scope.parent
        return scope.depth if scope is not None else 0


@dataclass(eq=False)
class Frame:
    """What is known while one LLVM function is being emitted: the values of the source program that live in it."""

    outer: Frame | None
    outer_scope: Scope | None
    """The scope of the outer function in which a task stands."""
    scope: Scope = field(init=False)
    tables: dict[SSAValue, Table] = field(default_factory=dict[SSAValue, Table])
    indices: dict[SSAValue, Any] = field(default_factory=dict[SSAValue, Any])
    views: dict[SSAValue, Any] = field(default_factory=dict[SSAValue, Any])
    depths: dict[Token, int] = field(default_factory=dict[Token, int])
    factors: dict[Token, int] = field(default_factory=dict[Token, int])
    """What divides an index that counts in steps."""
    accesses: dict[Operation, Any] = field(default_factory=dict[Operation, Any])
    pending: list[Operation] = field(default_factory=list[Operation])
    """Reads some of whose pieces may not have been made yet."""
    captured: dict[Token, tuple[Token, str, int]] = field(default_factory=dict[Token, tuple[Token, str, int]])
    """Of a task: what it uses of the outer function -> (the value inside, its type, its offset in the record)."""
    record: Token = None
    record_size: int = 0
