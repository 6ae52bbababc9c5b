"""The tables that say how each op is emitted, by op name: xDSL and Stepwell both have classes for some. Filled by the modules
that handle the ops.

| table | entry | for |
|---|---|---|
| `PIECES` | (walk, op, piece) -> value | pure ops and reads: emitted on demand |
| `ANCHORS` | (walk, op) | what is emitted in program order |
| `INDICES` | (walk, op, result) -> Index | index arithmetic |
| `VIEWS` | (walk, op) -> View | ops that make a memref |
| `READS` | number of the memref operand | those of PIECES that read memory |
| `WRITES` | number of the memref operand | those of ANCHORS that write memory |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from xdsl.ir import Operation, SSAValue

if TYPE_CHECKING:
    from stepwell.lowering.machine.addresses import View
    from stepwell.lowering.machine.index import Index
    from stepwell.lowering.machine.walk import Walk

Piece = "Callable[[Walk, Operation, int], Any]"
Anchor = "Callable[[Walk, Operation], None]"

PIECES: dict[str, Callable[[Walk, Operation, int], Any]] = {}
ANCHORS: dict[str, Callable[[Walk, Operation], None]] = {}
INDICES: dict[str, Callable[[Walk, Operation, SSAValue], Index]] = {}
VIEWS: dict[str, Callable[[Walk, Operation], View]] = {}
READS: dict[str, int] = {}
WRITES: dict[str, int] = {}


def piece(*names: str) -> Callable[[Callable[[Walk, Operation, int], Any]], Callable[[Walk, Operation, int], Any]]:
    """Register how a piece of these ops' result is made."""

    def register(function: Callable[[Walk, Operation, int], Any]) -> Callable[[Walk, Operation, int], Any]:
        for name in names:
            PIECES[name] = function
        return function

    return register


def read(name: str, memref: int) -> Callable[[Callable[[Walk, Operation, int], Any]], Callable[[Walk, Operation, int], Any]]:
    """Register a piece that reads memory: operand number `memref`."""
    READS[name] = memref
    return piece(name)


def anchor(*names: str, writes: int | None = None) -> Callable[[Callable[[Walk, Operation], None]], Callable[[Walk, Operation], None]]:
    """Register what is emitted in program order; `writes` is the number of the memref operand that it writes."""

    def register(function: Callable[[Walk, Operation], None]) -> Callable[[Walk, Operation], None]:
        for name in names:
            ANCHORS[name] = function
            if writes is not None:
                WRITES[name] = writes
        return function

    return register


def index(*names: str) -> Callable[[Callable[[Walk, Operation, SSAValue], Index]], Callable[[Walk, Operation, SSAValue], Index]]:
    """Register how an index result is computed."""

    def register(function: Callable[[Walk, Operation, SSAValue], Index]) -> Callable[[Walk, Operation, SSAValue], Index]:
        for name in names:
            INDICES[name] = function
        return function

    return register


def view(*names: str) -> Callable[[Callable[[Walk, Operation], View]], Callable[[Walk, Operation], View]]:
    """Register what memref an op makes."""

    def register(function: Callable[[Walk, Operation], View]) -> Callable[[Walk, Operation], View]:
        for name in names:
            VIEWS[name] = function
        return function

    return register
