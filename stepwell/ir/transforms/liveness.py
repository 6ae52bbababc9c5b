"""Which values are needed: an operation in, the values that some effect, or what leaves the program, is computed from.

A value is live when an operation that does something, or a live value, is computed from it; when a public function returns it; or when it
flows into a live value, from block to block, into and out of regions and functions whose calls are all known. What never runs needs
nothing: which blocks do, constant propagation has found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

from xdsl.ir import BlockArgument, Operation, OpResult, SSAValue
from xdsl.traits import IsTerminator

from stepwell.ir.constant_propagation import Constants, known_calls
from stepwell.ir.effects import has_only_result_effects, may_be_dead
from stepwell.ir.transforms.branches import forwarded


class Edge(NamedTuple):
    """An operand that flows into values: arguments of regions, results."""

    op: Operation
    number: int
    into: tuple[SSAValue, ...]


def _for(op: Any) -> Iterator[Edge]:
    count, block, first = len(op.results), op.regions[0].block, len(op.operands) - len(op.results)
    for k in range(count):
        into = (block.args[k + 1], op.results[k])
        yield Edge(op, first + k, into)
        yield Edge(block.last_op, k, into)


def _while(op: Any) -> Iterator[Edge]:
    before, after = op.regions[0].block, op.regions[1].block
    for k, argument in enumerate(before.args):
        yield Edge(op, k, (argument,))
        yield Edge(after.last_op, k, (argument,))
    for k, pair in enumerate(zip(after.args, op.results, strict=True)):
        yield Edge(before.last_op, k + 1, pair)


def _choice(op: Operation) -> Iterator[Edge]:
    for region in op.regions:
        for block in region.blocks:
            if block.last_op is not None and not block.last_op.successors:
                for k, result in enumerate(op.results):
                    yield Edge(block.last_op, k, (result,))


REGION_EDGES: dict[str, Callable[[Any], Iterator[Edge]]] = {
    **dict.fromkeys(("scf.for", "affine.for"), _for),
    "scf.while": _while,
    **dict.fromkeys(("scf.if", "affine.if", "scf.index_switch", "scf.execute_region", "memref.alloca_scope"), _choice),
}
"""What flows into and out of the regions of an operation, by its name."""


class Liveness:
    """The live values inside an operation."""

    def __init__(self, root: Operation) -> None:
        self._live: set[SSAValue] = set()
        self._waiting: list[SSAValue] = []
        self._into: dict[tuple[Operation, int], tuple[SSAValue, ...]] = {}
        self._sources: dict[SSAValue, list[tuple[Operation, int]]] = {}
        self._controls: dict[Operation, list[tuple[Operation, int]]] = {}
        """Operations with regions -> operands that steer what runs in them."""
        calls, hidden = known_calls(root)
        self._callers = {function: calls[function] for function in hidden}
        self._callee = {call: function for function, several in calls.items() for call in several}
        runs = Constants(root).runs
        ops = [op for op in root.walk() if op is not root and (op.parent is None or op.parent in runs)]
        for op in ops:
            self._find_flow(op)
        for op in ops:
            self._seed(op)
        while self._waiting:
            self._spread(self._waiting.pop())

    def is_live(self, value: SSAValue) -> bool:
        """Whether anything needs the value."""
        return value in self._live

    def _mark(self, value: SSAValue) -> None:
        if value not in self._live:
            self._live.add(value)
            self._waiting.append(value)

    def _flows(self, op: Operation, index: int, into: tuple[SSAValue, ...]) -> None:
        self._into[op, index] = into
        for value in into:
            self._sources.setdefault(value, []).append((op, index))

    def _find_flow(self, op: Operation) -> None:
        """Note which operands of `op` do nothing but flow on."""
        if op.name in REGION_EDGES:
            for edge in REGION_EDGES[op.name](op):
                self._flows(*edge)
        elif (passed := forwarded(op)) is not None:
            index = len(op.operands) - sum(map(len, passed))
            for values, successor in zip(passed, op.successors, strict=True):
                for argument in successor.args[: len(values)]:
                    self._flows(op, index, (argument,))
                    index += 1
        elif op in self._callee:
            for index, argument in enumerate(self._callee[op].regions[0].blocks[0].args):
                self._flows(op, index, (argument,))
        elif op.name == "func.return" and op.parent_op() in self._callers:
            callers = self._callers[cast(Operation, op.parent_op())]
            for index in range(len(op.operands)):
                self._flows(op, index, tuple(call.results[index] for call in callers))

    def _seed(self, op: Operation) -> None:
        """Mark what `op` needs by itself; note what it needs if its results are."""
        around = op.parent_op()
        ends_region = op.has_trait(IsTerminator, value_if_unregistered=False) and around is not None and around.name in REGION_EDGES
        steered = around if ends_region and not op.successors and around is not None else op
        needed = not (may_be_dead(type(steered)) and has_only_result_effects(steered))
        if op in self._callee:
            needed = False  # its arguments flow on, all of them
        for index, operand in enumerate(op.operands):
            if (op, index) in self._into:
                continue
            if needed:
                self._mark(operand)
            elif steered is not op:
                self._controls.setdefault(steered, []).append((op, index))

    def _spread(self, value: SSAValue) -> None:
        """What a live value is computed from is live."""
        for op, index in self._sources.get(value, ()):
            self._mark(op.operands[index])
        if isinstance(value, OpResult):
            for index, operand in enumerate(value.op.operands):
                if (value.op, index) not in self._into:
                    self._mark(operand)
            for op, index in self._controls.get(value.op, ()):
                self._mark(op.operands[index])
        elif isinstance(value, BlockArgument) and value not in self._sources:
            around = value.block.parent_op()
            if around is not None and around.name in REGION_EDGES:  # the number of a step: what says how many there are
                for index, operand in enumerate(around.operands):
                    if (around, index) not in self._into:
                        self._mark(operand)
