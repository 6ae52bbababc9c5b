"""`@main` as a list of kernel calls, all numbers known: what a program does, as data.

In: a module at level 3, after `plan-memory`, its kernels with their schedules. Out: the calls in the order in which they run, every memref
as its pointer (a buffer and an offset) and its dynamic strides. Loops of known bounds are written out. `stages/line.py` derives from the
calls of a few shapes those of all shapes between; `launcher.py` runs them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple, cast

from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, MemRefType, ModuleOp, StringAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Attribute, Block, SSAValue

from stepwell.backends.main_values import EVALUATED, Pointer, View, whole
from stepwell.dialects import scf
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.machine.functions import symbol_of
from stepwell.lowering.machine.views import strides_of
from stepwell.lowering.schedule.memory import Step
from stepwell.lowering.schedule.primitives import steps_of

MOST_CALLS = 4096
"""Of a list: loops of many steps are left to machine code."""
NUMBER = ARENA = 0
"""Instead of a buffer: the argument is a number. The arena, which is that argument of `@main`, is never named, only its buffers are."""


class BufferInArena(NamedTuple):
    """A part of the arena, in bytes."""

    offset: int
    size: int


@dataclass(frozen=True)
class KernelFacts:
    """What decides whether a kernel may run on some extents."""

    steps: tuple[Step, ...]
    extents: tuple[str, ...]
    """The names of the loops that its last arguments but one are the extents of."""


@dataclass(frozen=True)
class Call:
    """One call. Arguments are pairs: an argument of `@main` and bytes from its beginning, `NUMBER` and a number, or -1 - i and bytes from
    the beginning of buffer i of the arena. The last one is the grain."""

    kernel: str
    arguments: tuple[Pointer, ...]


@dataclass
class Launches:
    """All calls of a program."""

    calls: list[Call] = field(default_factory=list[Call])
    arena: list[BufferInArena] = field(default_factory=list[BufferInArena])
    kernels: dict[str, KernelFacts] = field(default_factory=dict[str, KernelFacts])

    def to_data(self) -> list[Any]:
        """The same as what JSON can hold."""
        return [[[c.kernel, c.arguments] for c in self.calls], self.arena, [[k, f.steps, f.extents] for k, f in self.kernels.items()]]

    @classmethod
    def from_data(cls, data: list[Any]) -> Launches:
        """Read what `to_data` gave. Raises KeyError, TypeError or ValueError on anything else."""
        calls, arena, kernels = data
        return cls(
            [Call(kernel, tuple(Pointer(*pointer) for pointer in arguments)) for kernel, arguments in calls],
            [BufferInArena(*part) for part in arena],
            {kernel: KernelFacts(tuple(map(tuple, steps)), tuple(extents)) for kernel, steps, extents in kernels},
        )


def launches_of(module: ModuleOp) -> Launches | None:
    """The calls of `@main`; None where only a run decides them."""
    functions = {op.sym_name.data: op for op in module.ops if isinstance(op, FuncOp)}
    lister = _Lister(functions)
    values: dict[SSAValue, Any] = {}
    block = functions["main"].body.block
    for number, argument in enumerate(block.args):
        values[argument] = whole(number, argument.type)
    try:
        lister.run(block, values)
    except (_Undecided, CompileError):
        return None
    return lister.launches


class _Undecided(Exception):
    """Something in `@main` is known to a run only."""


class _Lister:
    def __init__(self, functions: dict[str, FuncOp]) -> None:
        self._functions = functions
        self._parts: dict[SSAValue, int] = {}
        self.launches = Launches()

    def run(self, block: Block, values: dict[SSAValue, Any]) -> None:
        for op in block.ops:
            if op.name in ("func.return", "scf.yield"):
                if op.operands:
                    raise _Undecided
            elif isinstance(op, CallOp):
                self._call(op, values)
            elif isinstance(op, scf.ForOp):
                self._loop(op, values)
            elif op.name in EVALUATED:
                values[op.results[0]] = EVALUATED[op.name](op, [values[operand] for operand in op.operands])
                if op.name == "memref.view" and values[op.results[0]].place.buffer == ARENA:
                    values[op.results[0]] = self._in_arena(op.results[0], values[op.results[0]])
            else:
                raise _Undecided

    def _in_arena(self, value: SSAValue, view: View) -> View:
        """A view of the arena as a buffer of its own."""
        if value not in self._parts:
            self._parts[value] = len(self.launches.arena)
            self.launches.arena.append(BufferInArena(view.place.offset, prod(view.sizes) * view.element))
        return View(Pointer(-1 - self._parts[value], 0), view.strides, view.sizes, view.element)

    def _loop(self, op: scf.ForOp, values: dict[SSAValue, Any]) -> None:
        if op.results:
            raise _Undecided
        for index in range(values[op.lb], values[op.ub], values[op.step]):
            values[op.body.block.args[0]] = index
            self.run(op.body.block, values)

    def _call(self, op: CallOp, values: dict[SSAValue, Any]) -> None:
        if len(self.launches.calls) == MOST_CALLS or op.results:
            raise _Undecided
        kernel = self._functions[op.callee.root_reference.data]
        arguments: list[Pointer] = []
        for operand in op.operands:
            value = values[operand]
            if isinstance(value, View):
                arguments.append(value.place)
                declared = strides_of(cast("MemRefType[Any]", operand.type))
                arguments += [Pointer(NUMBER, s) for s, known in zip(value.strides, declared, strict=True) if known is None]
            else:
                arguments.append(Pointer(NUMBER, value))
        name = symbol_of(kernel.sym_name.data)
        self.launches.kernels.setdefault(name, facts_of(kernel))
        self.launches.calls.append(Call(name, tuple(arguments)))


def facts_of(kernel: FuncOp) -> KernelFacts:
    """What a kernel says of itself."""
    if not isinstance(kernel.attributes.get("grain"), IntegerAttr):
        raise _Undecided
    extents = cast("ArrayAttr[Attribute]", kernel.attributes["extents"])
    steps = steps_of(kernel.attributes["schedule"])
    return KernelFacts(
        tuple((step.name, *step.arguments) for step in steps), tuple(name.data for name in extents if isinstance(name, StringAttr))
    )
