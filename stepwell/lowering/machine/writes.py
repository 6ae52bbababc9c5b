"""Which memory an op writes, loops and branches included; and what memory a memref belongs to."""

from __future__ import annotations

from xdsl.ir import Operation, SSAValue

from stepwell.lowering.machine.emit_tables import VIEWS, WRITES

ALLOCATIONS = frozenset({"memref.alloca", "memref.alloc", "memref.get_global"})


class Writes:
    """Answers, remembered for one function."""

    def __init__(self) -> None:
        self._written: dict[Operation, frozenset[SSAValue | None]] = {}
        self._roots: dict[SSAValue, SSAValue] = {}

    def root(self, memref: SSAValue) -> SSAValue:
        """The argument or allocation that a memref is a view of."""
        known = self._roots.get(memref)
        if known is None:
            op = memref.owner
            seen = isinstance(op, Operation) and op.name in VIEWS and op.name not in ALLOCATIONS
            known = self.root(op.operands[0]) if seen and isinstance(op, Operation) else memref
            self._roots[memref] = known
        return known

    def written(self, op: Operation) -> frozenset[SSAValue | None]:
        """The roots that an op or anything inside of it writes; None stands for anything (a call)."""
        known = self._written.get(op)
        if known is None:
            roots: set[SSAValue | None] = set()
            position = WRITES.get(op.name)
            if position is not None:
                roots.add(self.root(op.operands[position]))
            elif op.name == "func.call":
                roots.add(None)
            for region in op.regions:
                for block in region.blocks:
                    for inner in block.ops:
                        roots |= self.written(inner)
            known = self._written[op] = frozenset(roots)
        return known
