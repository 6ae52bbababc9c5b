"""What branches pass to the blocks that they go to, read and written.

In every branch that we know the passed operands are the last ones, successor by successor; `BRANCHES` says how many there are of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from xdsl.dialects.builtin import DenseArrayBase, i32
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue

Forwarded = list[list[SSAValue]]


def _one(op: Any) -> list[int]:
    return [len(op.operands)]


def _two(op: Any) -> list[int]:
    return [len(op.then_arguments), len(op.else_arguments)]


def _switch(op: Any) -> list[int]:
    cases = [int(size) for size in op.case_operand_segments.get_values()]
    return [len(op.operands) - 1 - sum(cases), *cases]


BRANCHES: dict[str, Callable[[Any], list[int]]] = {
    "cf.br": _one,
    "cf.cond_br": _two,
    "cf.switch": _switch,
    "llvm.br": _one,
    "llvm.cond_br": _two,
    "llvm.switch": _switch,
}
"""How many operands a branch passes to each of its successors, by the name of the operation."""


def forwarded(op: Operation) -> Forwarded | None:
    """The operands that `op` passes to each of its successors; None where it is not known."""
    count = BRANCHES.get(op.name)
    if count is None:
        return None
    counts = count(op)
    operands = list(op.operands)
    start = len(operands) - sum(counts)
    passed: Forwarded = []
    for size in counts:
        passed.append(operands[start : start + size])
        start += size
    return passed


def set_forwarded(op: Operation, passed: Sequence[Sequence[SSAValue]]) -> None:
    """Let `op`, a known branch, pass these operands instead."""
    head = op.operands[: len(op.operands) - sum(BRANCHES[op.name](op))]
    op.operands = [*head, *(value for values in passed for value in values)]
    sizes = [len(values) for values in passed]
    properties: dict[str, Attribute] = op.properties
    if "case_operand_segments" in properties:
        properties["case_operand_segments"] = DenseArrayBase.from_list(i32, sizes[1:])
        sizes = [sizes[0], sum(sizes[1:])]
    if "operandSegmentSizes" in properties:
        properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [1, *sizes])


class Edge(NamedTuple):
    """One way into a block."""

    branch: Operation
    number: int
    """Which successor of the branch the block is."""


def edges_to(block: Block) -> Iterator[Edge]:
    """The ways into a block."""
    for use in block.uses:
        yield Edge(use.operation, use.index)


def incoming(argument: BlockArgument) -> list[SSAValue] | None:
    """The values that branches pass for a block argument; None where it is not known, as for the arguments of a first block."""
    block = argument.block
    if block.parent is None or block.parent.first_block is block:
        return None
    values: list[SSAValue] = []
    for branch, number in edges_to(block):
        passed = forwarded(branch)
        if passed is None:
            return None
        values.append(passed[number][argument.index])
    return values


def erase_arguments(block: Block, indices: set[int]) -> None:
    """Erase unused arguments of a block that only known branches lead to, and what is passed for them."""
    for edge in list(edges_to(block)):
        passed = forwarded(edge.branch)
        assert passed is not None
        passed[edge.number] = [value for index, value in enumerate(passed[edge.number]) if index not in indices]
        set_forwarded(edge.branch, passed)
    for argument in [argument for argument in block.args if argument.index in indices]:
        block.erase_arg(argument, safe_erase=False)
