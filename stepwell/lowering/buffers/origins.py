"""Where buffers come from: whether two of them are one allocation, never, or perhaps.

Followed back through views, choices, branches and regions to where nothing more is known: allocations, arguments of functions, results of
calls and of operations that we do not know.
"""

from __future__ import annotations

from xdsl.dialects.builtin import MemRefType, UnrankedMemRefType
from xdsl.ir import BlockArgument, Operation, OpResult, SSAValue

from stepwell.ir.transforms.branches import forwarded
from stepwell.ir.transforms.liveness import REGION_EDGES

VIEWS = frozenset(
    (
        *(f"memref.{name}" for name in "assume_alignment cast collapse_shape expand_shape extract_strided_metadata".split()),
        *(f"memref.{name}" for name in "memory_space_cast reinterpret_cast reshape subview transpose view".split()),
    )
)
"""Operations whose first result is the buffer of their first operand."""
ALLOCATIONS = frozenset(("memref.alloc", "memref.alloca", "memref.realloc", "bufferization.clone", "gpu.alloc"))


def _is_buffer(value: SSAValue) -> bool:
    return isinstance(value.type, MemRefType | UnrankedMemRefType)


def view_base(value: SSAValue) -> SSAValue:
    """What a buffer is a view of."""
    while isinstance(value, OpResult) and value.op.name in VIEWS and value.index == 0:
        value = value.op.operands[0]
    return value


def is_allocation(value: SSAValue) -> bool:
    """Whether a buffer is made by the operation that defines it."""
    return isinstance(value, OpResult) and value.op.name in ALLOCATIONS


def _is_function_argument(value: SSAValue) -> bool:
    if not isinstance(value, BlockArgument):
        return False
    around = value.block.parent_op()
    return around is not None and around.name == "func.func" and around.regions[0].first_block is value.block


class BufferOrigins:
    """Of the buffers inside an operation."""

    def __init__(self, root: Operation) -> None:
        self._sources: dict[SSAValue, list[SSAValue]] = {}
        self._targets: dict[SSAValue, list[SSAValue]] = {}
        self._ends: set[SSAValue] = set()
        for op in root.walk():
            self._note(op)

    def _note(self, op: Operation) -> None:
        if op.name in VIEWS:
            self._flows(op.operands[0], op.results[0])
        elif op.name == "arith.select":
            self._flows(op.operands[1], op.results[0])
            self._flows(op.operands[2], op.results[0])
        elif op.name in REGION_EDGES:
            for edge in REGION_EDGES[op.name](op):
                for value in edge.into:
                    self._flows(edge.op.operands[edge.number], value)
        elif (passed := forwarded(op)) is not None:
            for values, successor in zip(passed, op.successors, strict=True):
                for value, argument in zip(values, successor.args, strict=False):
                    self._flows(value, argument)
        else:
            if op.name in ("func.call", "memref.realloc"):
                for operand in op.operands:
                    for result in op.results:
                        self._flows(operand, result)
            self._ends.update(filter(_is_buffer, op.results))
            for region in op.regions:
                if region.first_block is not None:
                    self._ends.update(filter(_is_buffer, region.first_block.args))

    def _flows(self, source: SSAValue, value: SSAValue) -> None:
        if _is_buffer(source) and _is_buffer(value):
            self._sources.setdefault(value, []).append(source)
            self._targets.setdefault(source, []).append(value)

    def _origins(self, value: SSAValue) -> set[SSAValue]:
        return _closure(value, self._sources) & self._ends

    def aliases(self, value: SSAValue) -> set[SSAValue]:
        """The values that may be a buffer, or a view of it: itself, and whatever it flows into."""
        return _closure(value, self._targets)

    def same_allocation(self, a: SSAValue, b: SSAValue) -> bool | None:
        """Whether two buffers are one allocation; None where that is not known."""
        a, b = view_base(a), view_base(b)
        if a is b:
            return True
        one, two = self._origins(a), self._origins(b)
        if len(one) == 1 and one == two:
            return True
        if not one or not two or one & two:
            return None
        new_a, new_b = all(map(is_allocation, one)), all(map(is_allocation, two))
        known_a = all(is_allocation(value) or _is_function_argument(value) for value in one)
        known_b = all(is_allocation(value) or _is_function_argument(value) for value in two)
        return False if (new_a and known_b) or (known_a and new_b) else None


def _closure(value: SSAValue, edges: dict[SSAValue, list[SSAValue]]) -> set[SSAValue]:
    seen = {value}
    pending = [value]
    while pending:
        for other in edges.get(pending.pop(), ()):
            if other not in seen:
                seen.add(other)
                pending.append(other)
    return seen
