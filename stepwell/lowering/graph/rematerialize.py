"""Intermediate values that are computed again instead of kept, until the program fits into a budget of memory.

In: `@main` as `nn-form-kernels` leaves it, calls of kernels and views. Out: the same with some calls repeated, just before they are needed;
`stepwell.memory_estimate` on the module says how many bytes of intermediate values live at once at most.

Greedy, as in Kirisame et al. 2020, "Dynamic tensor rematerialization" (arXiv 2006.09616), but at compile time: at the call where most is
alive, that value goes which costs least arithmetic for each byte and each call that it is gone. Where its own operands are gone, they are
computed again, too. Results and arguments of the program have memory of their own and do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, cast

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Block, Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp
from stepwell.ir.constants import Array, dtype_of
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.lowering.graph.values import element_of, shape_of, size_of

BUDGET = "stepwell.memory_budget"
PATIENCE = 200
"""So many steps may pass in which the most that is alive does not fall."""
LONGEST_CHAIN = 64
"""So many calls at most are repeated to get one value back."""


@dataclass(frozen=True)
class Rematerialize(Pass):
    """Repeat calls of kernels until intermediate values take at most `budget` bytes at once.

    ```mlir
    %a = func.call @exp(%x) : (tensor<1024xf32>) -> tensor<1024xf32>
    %b = func.call @big(%a) : (tensor<1024xf32>) -> tensor<4xf32>
    %c = func.call @mul(%a) : (tensor<1024xf32>) -> tensor<1024xf32>
    ```
    becomes, if what `@big` needs beside does not fit together with `%a`,
    ```mlir
    %a = func.call @exp(%x) : (tensor<1024xf32>) -> tensor<1024xf32>
    %b = func.call @big(%a) : (tensor<1024xf32>) -> tensor<4xf32>
    %a2 = func.call @exp(%x) : (tensor<1024xf32>) -> tensor<1024xf32>
    %c = func.call @mul(%a2) : (tensor<1024xf32>) -> tensor<1024xf32>
    ```
    """

    name: ClassVar[str] = "nn-rematerialize"

    budget: int = 0
    """Bytes; 0: what the attribute `stepwell.memory_budget` of the module says, and without it nothing is repeated."""

    def run(self, op: Operation, ctx: Context) -> None:
        assert isinstance(op, ModuleOp)
        given = op.attributes.get(BUDGET)
        budget = self.budget or (given.value.data if isinstance(given, IntegerAttr) else 0)
        if not budget:
            return
        main = next((f for f in op.ops if isinstance(f, FuncOp) and f.sym_name.data == "main" and not f.is_declaration), None)
        if main is None:
            raise CompileError("'nn-rematerialize': there is no function @main")
        if budget < 0:
            raise CompileError(f"'nn-rematerialize': a budget of {budget} bytes")
        costs = {f.sym_name.data: kernel_cost(f) for f in op.ops if isinstance(f, FuncOp) and "kernel" in f.attributes}
        lives = _Lives(main.body.block)
        least, steps = lives.peak, 0
        while lives.peak > budget:
            chosen = _choose(lives, costs)
            if chosen is None or steps > PATIENCE:
                hint = "use a larger budget; arguments and results do not count"
                raise CompileError(f"intermediate values need {least} bytes at once, the budget is {budget}", hint=hint)
            _compute_again(*chosen)
            lives = _Lives(main.body.block)
            least, steps = min(least, lives.peak), 0 if lives.peak < least else steps + 1
        op.attributes["stepwell.memory_estimate"] = IntegerAttr(lives.peak, i64)


def kernel_cost(kernel: FuncOp) -> float:
    """Multiplications and additions of a kernel, about; and a constant for calling it."""
    total = 1000.0
    for op in kernel.body.block.ops:
        if not isinstance(op, NnOp) or isinstance(op, nn.ConstantOp):
            continue
        size = float(max(size_of(v) for v in (*op.operands, *op.results)))
        if isinstance(op, nn.MatmulOp):
            size = 2.0 * size_of(op.y) * shape_of(op.a)[-1]
        elif isinstance(op, (nn.ConvOp, nn.ConvTransposeOp)):
            size = 2.0 * size_of(op.results[0]) * size_of(op.operands[1]) / max(1, min(shape_of(op.operands[1])))
        total += size
    return total


def bytes_of(value: SSAValue) -> int:
    """Bytes of a tensor."""
    return prod(shape_of(value)) * dtype_of(element_of(value)).itemsize


class _Lives:
    """From where to where each intermediate value of a block is alive."""

    def __init__(self, block: Block) -> None:
        self.ops = list(block.ops)
        self.position = {op: i for i, op in enumerate(self.ops)}
        self.root: dict[SSAValue, SSAValue] = {}
        self.uses: dict[SSAValue, list[int]] = {}
        """Value that has memory of its own -> where it is read, in order."""
        returned: set[SSAValue] = set()
        for i, op in enumerate(self.ops):
            for inner in op.walk():
                for operand in inner.operands:
                    root = self.root.get(operand)
                    if root is not None and self.uses[root][-1:] != [i]:
                        self.uses[root].append(i)
                    if root is not None and isinstance(op, ReturnOp):
                        returned.add(root)
            if isinstance(op, nn.ConstantOp):
                continue
            alias = isinstance(op, (nn.ReshapeOp, nn.SliceOp))
            for result in op.results:
                if alias and op.operands[0] in self.root:
                    self.root[result] = self.root[op.operands[0]]
                elif not alias:
                    self.root[result] = result
                    self.uses[result] = []
        self.counted = [v for v in self.uses if v not in returned]
        self.begins = np.array([self.position[cast(Operation, v.owner)] for v in self.counted], np.int64)
        self.ends = np.array([max(self.uses[v], default=b) for v, b in zip(self.counted, self.begins, strict=True)], np.int64)
        self.sizes = np.array([bytes_of(v) for v in self.counted], np.int64)
        at: Array = np.zeros(len(self.ops) + 1, np.int64)
        np.add.at(at, self.begins, self.sizes)
        np.add.at(at, self.ends + 1, -self.sizes)
        alive: Array = np.cumsum(at[:-1])
        self.where = int(alive.argmax()) if len(alive) else 0
        self.peak = int(alive[self.where]) if len(alive) else 0

    def reaches(self, value: SSAValue, position: int) -> bool:
        """Whether a value can be read at a position at no cost: constants and arguments always, intermediates as long as they live."""
        root = self.root.get(value)
        if root is None:
            return True
        return self.position[cast(Operation, root.owner)] < position and max(self.uses[root], default=-1) >= position


def _choose(lives: _Lives, costs: dict[str, float]) -> tuple[_Lives, SSAValue, list[Operation], int] | None:
    """The lives, the value to give up around the peak, what is repeated to get it back (in order), and where it is needed again."""
    best: tuple[float, SSAValue, list[Operation], int] | None = None
    here = lives.where
    alive = np.flatnonzero((lives.begins < here) & (lives.ends > here))
    for n in alive:
        value, uses = lives.counted[n], lives.uses[lives.counted[n]]
        if here in uses:
            continue
        before = max((u for u in uses if u < here), default=int(lives.begins[n]))
        after = next(u for u in uses if u > here)
        chain = _chain(value, lives, costs, after)
        if chain is None:
            continue
        cost = sum(costs[op.callee.root_reference.data] for op in chain if isinstance(op, CallOp))
        score = cost / (float(lives.sizes[n]) * (after - before))
        if best is None or score < best[0]:
            best = score, value, chain, after
    return None if best is None else (lives, *best[1:])


def _chain(value: SSAValue, lives: _Lives, costs: dict[str, float], position: int) -> list[Operation] | None:
    """The ops that give a value again at a position, where it is gone; None where they are too many, or one is no kernel."""
    found: dict[Operation, None] = {}

    def visit(wanted: SSAValue) -> bool:
        op = wanted.owner
        if isinstance(op, Block) or op in found:
            return True
        repeatable = op.callee.root_reference.data in costs if isinstance(op, CallOp) else isinstance(op, NnOp)
        if not repeatable or len(found) >= LONGEST_CHAIN:
            return False
        if not all(lives.reaches(operand, position) or visit(operand) for operand in op.operands):
            return False
        found[op] = None
        return True

    return list(found) if visit(value) else None


def _compute_again(lives: _Lives, value: SSAValue, chain: Sequence[Operation], position: int) -> None:
    """Repeat a chain in front of a position, and let what stands there or behind read the new value."""
    block, point = lives.ops[position].parent, lives.ops[position]
    assert block is not None
    table: dict[SSAValue, SSAValue] = {}

    def repeat(op: Operation) -> None:
        copy = op.clone()
        for i, operand in enumerate(op.operands):
            copy.operands[i] = table.get(operand, operand)
        copy.location = op.location
        block.insert_op_before(copy, point)
        table.update(zip(op.results, copy.results, strict=True))

    for op in chain:
        repeat(op)
    for view in [v for v, root in lives.root.items() if root is value and v is not value]:
        owner = cast(Operation, view.owner)
        if lives.position[owner] < position and any(_place(u.operation, lives, block) >= position for u in view.uses):
            repeat(owner)
    for old, new in table.items():
        if lives.root.get(old) is value:
            old.replace_uses_with_if(new, lambda use: _place(use.operation, lives, block) >= position)


def _place(op: Operation, lives: _Lives, block: Block) -> int:
    """Where an op, or the op of the block that it stands in, was; of what has been inserted since, before everything."""
    while op.parent is not block:
        outer = op.parent_op()
        assert outer is not None
        op = outer
    return lives.position.get(op, -1)
