"""What the host does for a GPU: `@main` at level 4, evaluated once, becomes a list of launches with all sizes and places known.

Memory is named by buffer and offset: the arena, the weights, inputs, outputs. Loops and branches of `@main` are not supported yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from xdsl.dialects.builtin import ModuleOp, StringAttr, SymbolRefAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Block, Operation, SSAValue

from stepwell.backends.main_values import EVALUATED, Pointer, View, whole
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.machine.functions import symbol_of
from stepwell.lowering.machine.views import strides_of


@dataclass(frozen=True)
class Launch:
    """One kernel on its way: sizes of the grid and of a block, and arguments in the order of its parameters."""

    kernel: str
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    arguments: tuple[Pointer | int, ...]
    source: str = ""
    """The nodes of the model that it computes."""


@dataclass
class _Frame:
    """Values of a function, and the calls that lead to it."""

    values: dict[SSAValue, Any] = field(default_factory=dict[SSAValue, Any])
    source: str = ""


def launches_of(module: ModuleOp) -> list[Launch]:
    """The launches of `@main`, in order. Raises CompileError for what cannot be decided before it runs."""
    functions = {op.sym_name.data: op for op in module.ops if isinstance(op, FuncOp)}
    main = functions["main"]
    planner = _Planner(functions)
    frame = _Frame()
    for number, argument in enumerate(main.body.block.args):
        frame.values[argument] = whole(number, argument.type)
    planner.run(main.body.block, frame)
    return planner.launches


class _Planner:
    def __init__(self, functions: dict[str, FuncOp]) -> None:
        self.functions = functions
        self.launches: list[Launch] = []

    def run(self, block: Block, frame: _Frame) -> None:
        for op in block.ops:
            if op.name == "func.return":
                return
            if isinstance(op, CallOp):
                self._call(op, frame)
            elif op.name == "gpu.launch_func":
                self._launch(op, frame)
            elif op.name in EVALUATED:
                frame.values[op.results[0]] = EVALUATED[op.name](op, [frame.values[operand] for operand in op.operands])
            else:
                raise CompileError(f"'{op.name}' of @main cannot be decided before it runs", hint="models with control flow run on the CPU")

    def _call(self, op: CallOp, frame: _Frame) -> None:
        callee = self.functions[op.callee.root_reference.data]
        source = op.attributes.get("source")
        inner = _Frame(source=source.data if isinstance(source, StringAttr) else "")
        for argument, operand in zip(callee.body.block.args, op.operands, strict=True):
            inner.values[argument] = frame.values[operand]
        self.run(callee.body.block, inner)

    def _launch(self, op: Operation, frame: _Frame) -> None:
        kernel = symbol_of(cast(SymbolRefAttr, op.properties["kernel"]).nested_references.data[-1].data)
        values = [frame.values[operand] for operand in op.operands]
        grid, block, arguments = tuple(values[:3]), tuple(values[3:6]), values[6:]
        if 0 in grid:
            return
        flat: list[Pointer | int] = []
        for operand, value in zip(op.operands[6:], arguments, strict=True):
            if isinstance(value, View):
                flat.append(value.place)
                flat.extend(s for s, declared in zip(value.strides, strides_of(cast(Any, operand.type)), strict=True) if declared is None)
            else:
                flat.append(value)
        self.launches.append(Launch(kernel, cast(Any, grid), cast(Any, block), tuple(flat), frame.source))
