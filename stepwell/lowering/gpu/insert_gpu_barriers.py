"""The pass `insert-gpu-barriers`: threads of a block wait where one reads what another has written, or writes what another reads."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.ir import Block, Operation, SSAValue

from stepwell.dialects.gpu.functions import GPUFuncOp
from stepwell.dialects.gpu.rare import BarrierOp
from stepwell.ir.passes import Pass
from stepwell.ir.text.narrow import as_memref, as_vector
from stepwell.lowering.schedule.cache_read import WORKGROUP

_READS = {"memref.load": 0, "vector.transfer_read": 0}
_WRITES = {"memref.store": 1, "vector.transfer_write": 1}
_VIEWS = frozenset({"memref.subview", "memref.cast", "memref.collapse_shape", "memref.expand_shape", "memref.reinterpret_cast"})
_THREADS = frozenset({"gpu.thread_id", "gpu.lane_id"})


@dataclass(frozen=True)
class InsertGpuBarriers(Pass):
    """Put `gpu.barrier`s between accesses of different threads to the same memory, in functions whose blocks work together.

    before:
    ```mlir
    gpu.func @k(%x: memref<32xf32>, %y: memref<32xf32>) workgroup(%s: memref<32xf32, #gpu.address_space<workgroup>>) kernel {
      ...
      memref.store %v, %s[%thread]
      %w = memref.load %s[%mirrored]
    ```
    after:
    ```mlir
      memref.store %v, %s[%thread]
      gpu.barrier
      %w = memref.load %s[%mirrored]
    ```
    Accesses to the same place by the same subscripts are a thread's own, unless only some of the threads come to one of them: iterations of
    a loop are taken to touch places of their own in memory that all blocks see. Branches on the number of a thread, and loops to or from
    it, are one step: no barrier stands inside of them.
    """

    name: ClassVar[str] = "insert-gpu-barriers"

    def run(self, op: Operation, ctx: Context) -> None:
        for function in [f for f in op.walk() if isinstance(f, GPUFuncOp) and "known_block_size" in f.attributes]:
            _Barriers(function).run()


Place = tuple[SSAValue, tuple[Hashable, ...]]
"""A buffer, by which threads it is accessed, and by what it is subscripted."""


@dataclass
class _Pending:
    """What was accessed since the last barrier."""

    reads: set[Place] = field(default_factory=set[Place])
    writes: set[Place] = field(default_factory=set[Place])

    def copy(self) -> _Pending:
        return _Pending(set(self.reads), set(self.writes))

    def join(self, other: _Pending) -> None:
        self.reads |= other.reads
        self.writes |= other.writes

    def conflicts(self, reads: set[Place], writes: set[Place]) -> bool:
        """Whether one of these accesses must wait."""
        if any(_meet(a, b) for a in reads for b in self.writes) or any(_meet(a, b) for a in writes for b in self.reads):
            return True
        # The parts of one vector go to different places; a scalar may go to the place of an element.
        return any(_meet(a, b) and _is_vector(a) != _is_vector(b) for a in writes for b in self.writes)


def _meet(a: Place, b: Place) -> bool:
    return a[0] is b[0] and a[1] != b[1]


def _is_vector(place: Place) -> bool:
    return isinstance(place[1][-1], tuple)


class _Barriers:
    def __init__(self, function: GPUFuncOp) -> None:
        self.body = function.body.block
        self.own: dict[SSAValue, bool] = {}

    def run(self) -> None:
        self._block(self.body, _Pending(), insert=True)

    def _block(self, block: Block, pending: _Pending, *, insert: bool) -> _Pending:
        """Goes through a block; gives what is pending at its end."""
        for op in list(block.ops):
            if op.name == "gpu.barrier":
                pending = _Pending()
            elif op.name == "scf.while" or (op.name == "scf.for" and not any(map(self._differs, op.operands[:3]))):
                if pending.conflicts(*self._accesses(op)):
                    if insert:
                        block.insert_op_before(BarrierOp.create(), op)
                    pending = _Pending()
                # An iteration follows another one.
                again = self._regions(op, _Pending(), insert=False)
                again.join(pending)
                after = self._regions(op, again, insert=insert)
                pending.join(after)
            elif op.name == "scf.if" and not self._differs(op.operands[0]):
                pending = self._regions(op, pending, insert=insert)
            else:
                reads, writes = self._accesses(op)
                if pending.conflicts(reads, writes):
                    if insert:
                        block.insert_op_before(BarrierOp.create(), op)
                    pending = _Pending()
                pending.reads |= reads
                pending.writes |= writes
        return pending

    def _regions(self, op: Operation, pending: _Pending, *, insert: bool) -> _Pending:
        """One after the other for a loop, side by side for a branch."""
        result = pending.copy() if op.name == "scf.if" else _Pending()
        for region in op.regions:
            if region.blocks:
                result.join(self._block(region.block, pending.copy(), insert=insert))
        return result

    def _accesses(self, op: Operation) -> tuple[set[Place], set[Place]]:
        reads: set[Place] = set()
        writes: set[Place] = set()
        for inner in op.walk():
            for table, found in ((_READS, reads), (_WRITES, writes)):
                if (number := table.get(inner.name)) is not None and (place := _place(inner, number)) is not None:
                    found.add((place[0], (*self._threads_of(inner), *place[1])))
        return reads, writes

    def _threads_of(self, op: Operation) -> list[Hashable]:
        """The branches around an operation that only some of the threads take."""
        branches: list[Hashable] = []
        while (region := op.parent_region()) is not None and (outer := region.parent) is not None and outer.name != "gpu.func":
            if outer.name == "scf.if" and self._differs(outer.operands[0]):
                branches.append((outer.operands[0], outer.regions.index(region)))
            op = outer
        return branches

    def _differs(self, value: SSAValue) -> bool:
        """Whether a value may differ between the threads of a block."""
        known = self.own.get(value)
        if known is None:
            owner = value.owner
            if isinstance(owner, Operation):
                known = owner.name in _THREADS or any(self._differs(v) for v in owner.operands)
            else:
                loop = owner.parent_op()
                known = loop is not None and loop.name == "scf.for" and any(self._differs(v) for v in loop.operands)
            self.own[value] = known
        return known


def _place(op: Operation, number: int) -> Place | None:
    """Where an access goes; None for memory that a thread has for itself."""
    buffer: SSAValue = op.operands[number]
    rank = len(buffer.type.get_shape())  # pyright: ignore
    subscripts: list[Any] = [buffer, *op.operands[number + 1 : number + 1 + rank]]
    value = op.operands[0] if number else op.results[0]
    if (vector := as_vector(value.type)) is not None:
        subscripts.append(tuple(vector.get_shape()))
    while isinstance(owner := buffer.owner, Operation) and owner.name in _VIEWS:
        buffer = owner.operands[0]
    type = as_memref(buffer.type)
    is_private = isinstance(buffer.owner, Operation) and type is not None and type.memory_space != WORKGROUP
    return None if is_private else (buffer, tuple(subscripts))
