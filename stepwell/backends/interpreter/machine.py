"""The reference evaluator: runs a function of any level of the stairs on numpy values.

A function is decoded once: every SSA value gets a slot of a frame, every op becomes a step, a Python function that reads and writes the
frame. What an
op means stands in tables, one module per family of dialects:

- `IMPLEMENTATIONS`: op class -> function of the op that returns a function of the operands' values. Most ops.
- `CONTROL`: op class -> function of the op and the `Code` that returns a step, or None where nothing is left to do. Ops with regions,
calls, constants.
- `BRANCHES`: op class -> function of the op and the `Code` that returns a function from a frame to the next block, or None to leave.

An op of a class that no table holds is looked up by its name, so that xDSL's class of an op that we define afresh means the same. An op
with a method
`evaluate` (all of `nn`) means what the method computes.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp, UnregisteredOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.traits import IsTerminator

from stepwell.backends.interpreter.values import argument_value, element_dtype, garbage
from stepwell.ir.constants import Array, array_of
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place

Frame = list[Any]
Step = Callable[[Frame], None]
Implementation = Callable[[Any], Callable[..., Any]]
Control = Callable[[Any, "Code"], Step | None]
Branch = Callable[[Any, "Code"], Callable[[Frame], "Body | None"]]

FAMILIES = {
    **dict.fromkeys(("arith", "math", "ub", "builtin"), "arithmetic"),
    **dict.fromkeys(("func", "cf", "scf"), "control"),
    **dict.fromkeys(("memref", "bufferization"), "memory"),
    "affine": "affine",
    "vector": "vectors",
    "tensor": "tensors",
    "linalg": "structured",
    "nn": "graph",
}
"""Dialect -> the module of its tables, imported when the first op of the dialect is met."""

DEFAULT_STEPS = 200_000_000
"""How many ops a call may execute before it counts as endless."""


class CannotTell(CompileError):
    """The interpreter gives up: it does not know an op, or a call takes too long. It says nothing about whether the IR is right."""


class Tables:
    """The tables of the families that have been needed, merged; by class, and by name."""

    def __init__(self) -> None:
        self.implementations: dict[type[Operation] | str, Implementation] = {}
        self.control: dict[type[Operation] | str, Control] = {}
        self.branches: dict[type[Operation] | str, Branch] = {}
        self._loaded: set[str] = set()

    def need(self, op: Operation) -> None:
        """Import the family of `op`'s dialect."""
        family = FAMILIES.get(op.name.partition(".")[0])
        if family is None or family in self._loaded:
            return
        self._loaded.add(family)
        module = importlib.import_module(f"stepwell.backends.interpreter.{family}")
        for table, name in ((self.implementations, "IMPLEMENTATIONS"), (self.control, "CONTROL"), (self.branches, "BRANCHES")):
            for kind, meaning in getattr(module, name, {}).items():
                table[kind] = table[getattr(kind, "name", "")] = meaning

    @staticmethod
    def find(table: dict[type[Operation] | str, Any], op: Operation) -> Any:
        """The entry of the op's class, of a class of the same name, or of a base class."""
        return table.get(type(op)) or table.get(op.name) or next((table[base] for base in type(op).__mro__[1:] if base in table), None)


TABLES = Tables()


class Body:
    """A decoded block. `results` are the slots of its terminator's operands."""

    __slots__ = ("_code", "_ops", "arguments", "branch", "results", "steps", "terminator")

    def __init__(self, code: Code, block: Block) -> None:
        self._code = code
        ops = list(block.ops)
        ends = bool(ops) and ops[-1].has_trait(IsTerminator, value_if_unregistered=False)
        self.terminator = ops.pop() if ends else None
        self.arguments = [code.slot(argument) for argument in block.args]
        self.results = [code.slot(operand) for operand in self.terminator.operands] if self.terminator is not None else []
        self.branch: Callable[[Frame], Body | None] | None = None
        decoded = [(op, step) for op in ops if (step := code.step(op)) is not None]
        self._ops = [op for op, _ in decoded]
        self.steps = [step for _, step in decoded]

    def run(self, frame: Frame) -> None:
        """Execute the ops before the terminator."""
        machine = self._code.machine
        machine.steps_left -= len(self.steps) + 1
        if machine.steps_left < 0:
            raise machine.too_long()
        step: Step | None = None
        try:
            for step in self.steps:
                step(frame)
        except CompileError:
            raise
        except (ValueError, IndexError, ArithmeticError, TypeError, NotImplementedError) as error:
            op = self._ops[self.steps.index(step)] if step is not None else self.terminator
            assert op is not None
            raise CompileError(f"'{op.name}' failed: {error}", location=place(op)) from error

    def run_with(self, frame: Frame, *arguments: Any) -> None:
        """Execute on these block arguments."""
        for slot, value in zip(self.arguments, arguments, strict=True):
            frame[slot] = value
        self.run(frame)

    def yielded(self, frame: Frame) -> list[Any]:
        """The values that the terminator passes on."""
        return [frame[slot] for slot in self.results]


class Code:
    """The decoded form of a function: slots for its values, bodies for its blocks."""

    def __init__(self, machine: Interpreter) -> None:
        self.machine = machine
        self._frame: Frame = []
        self._slots: dict[int, int] = {}
        self._bodies: dict[int, Body] = {}

    def slot(self, value: SSAValue) -> int:
        """The place of a value in the frame."""
        found = self._slots.get(id(value))
        if found is None:
            found = self._slots[id(value)] = len(self._frame)
            self._frame.append(None)
        return found

    def preset(self, value: SSAValue, constant: Any) -> None:
        """Give a value once for every frame."""
        self._frame[self.slot(value)] = constant

    def frame(self) -> Frame:
        """A frame of one execution."""
        return self._frame.copy()

    def slots(self, values: Sequence[SSAValue]) -> list[int]:
        return [self.slot(value) for value in values]

    def body(self, block: Block) -> Body:
        """The decoded block."""
        found = self._bodies.get(id(block))
        if found is None:
            found = self._bodies[id(block)] = Body(self, block)
        return found

    def region(self, region: Region) -> Callable[[Frame, Sequence[Any]], list[Any]]:
        """A function that executes a region of any number of blocks and gives the operands of the terminator that left it."""
        bodies = [self.body(block) for block in region.blocks]
        entry = bodies[0]
        if len(bodies) == 1:
            return lambda frame, arguments: (entry.run_with(frame, *arguments), entry.yielded(frame))[1]
        for body in bodies:
            body.branch = self._branch(body.terminator)

        def run(frame: Frame, arguments: Sequence[Any]) -> list[Any]:
            current = entry
            for slot, value in zip(entry.arguments, arguments, strict=True):
                frame[slot] = value
            while True:
                current.run(frame)
                following = current.branch(frame) if current.branch is not None else None
                if following is None:
                    return current.yielded(frame)
                current = following

        return run

    def _branch(self, terminator: Operation | None) -> Callable[[Frame], Body | None] | None:
        if terminator is None or not terminator.successors:
            return None
        TABLES.need(terminator)
        meaning: Branch | None = TABLES.find(TABLES.branches, terminator)
        if meaning is None:
            raise CannotTell(f"the interpreter does not know '{terminator.name}'", location=place(terminator))
        return meaning(terminator, self)

    def step(self, op: Operation) -> Step | None:
        """The step that executes `op`, None where decoding did all."""
        TABLES.need(op)
        if (control := TABLES.find(TABLES.control, op)) is not None:
            return control(op, self)
        meaning: Implementation | None = TABLES.find(TABLES.implementations, op)
        if meaning is not None:
            return _value_step(meaning(op), self.slots(op.operands), self.slots(op.results))
        evaluate = getattr(op, "evaluate", None)
        if evaluate is not None:
            return _value_step(evaluate, self.slots(op.operands), self.slots(op.results))
        name = op.op_name.data if isinstance(op, UnregisteredOp) else op.name
        raise CannotTell(f"the interpreter does not know '{name}'", location=place(op))


def _value_step(function: Callable[..., Any], operands: list[int], results: list[int]) -> Step:
    """A step that applies a function to slots. The common arities are spelled out: they are the inner loop of everything."""
    if not results:

        def effect(frame: Frame) -> None:
            function(*[frame[slot] for slot in operands])

        return effect
    if len(results) > 1:

        def several(frame: Frame) -> None:
            for slot, value in zip(results, function(*[frame[slot] for slot in operands]), strict=True):
                frame[slot] = value

        return several
    result = results[0]
    if len(operands) == 1:
        a = operands[0]

        def unary(frame: Frame) -> None:
            value = function(frame[a])
            frame[result] = value[0] if type(value) is tuple else value

        return unary
    if len(operands) == 2:
        a, b = operands

        def binary(frame: Frame) -> None:
            value = function(frame[a], frame[b])
            frame[result] = value[0] if type(value) is tuple else value

        return binary

    def general(frame: Frame) -> None:
        value = function(*[frame[slot] for slot in operands])
        frame[result] = value[0] if type(value) is tuple else value

    return general


class Interpreter:
    """Runs the functions of a module. Buffers of `memref.global` live as long as the interpreter; the module must not change meanwhile."""

    def __init__(self, module: ModuleOp, max_steps: int = DEFAULT_STEPS) -> None:
        self._symbols = {name.data: op for op in module.body.block.ops if (name := getattr(op, "sym_name", None)) is not None}
        self._functions: dict[str, Callable[[Sequence[Any]], list[Any]]] = {}
        self._globals: dict[str, Array] = {}
        self.max_steps = max_steps
        self.steps_left = max_steps

    def call(self, name: str, *arguments: Any) -> list[Any]:
        """The results of a function. Arrays that stand for memrefs are written to. Raises CompileError, also for arguments that do not
        fit."""
        op = self._symbols.get(name)
        if not isinstance(op, FuncOp):
            raise CompileError(f"there is no function '@{name}'")
        types = op.function_type.inputs.data
        if len(types) != len(arguments):
            raise CompileError(f"'@{name}' takes {len(types)} arguments, not {len(arguments)}", location=place(op))
        values = [
            argument_value(type, value, f"argument {i} of '@{name}'") for i, (type, value) in enumerate(zip(types, arguments, strict=True))
        ]
        self.steps_left = self.max_steps
        with np.errstate(all="ignore"):
            return self.function(name)(values)

    def expect(self, lower: Any, upper: Any, stride: Any) -> range:
        """The range of a loop. One that the steps left cannot pay for is given up before it begins."""
        values = range(int(lower), int(upper), int(stride))
        if values and (values[-1] - values[0]) // values.step >= self.steps_left:
            raise self.too_long()
        return values

    def expect_all(self, ranges: Sequence[range]) -> Sequence[range]:
        """The same for a nest of loops, each of which `expect` has let pass."""
        if math.prod(len(values) for values in ranges) > self.steps_left:
            raise self.too_long()
        return ranges

    def too_long(self) -> CannotTell:
        return CannotTell("the interpreter gave up: too many steps", hint="is there a loop that never ends?")

    def function(self, name: str) -> Callable[[Sequence[Any]], list[Any]]:
        """The decoded function of that name."""
        found = self._functions.get(name)
        if found is None:
            op = self._symbols.get(name)
            if not isinstance(op, FuncOp) or not op.body.blocks:
                raise CompileError(f"there is no body of a function '@{name}'")
            code = Code(self)
            run = code.region(op.body)

            def call(arguments: Sequence[Any]) -> list[Any]:
                return run(code.frame(), arguments)

            found = self._functions[name] = call
        return found

    def global_buffer(self, name: str) -> Array:
        """The buffer of a `memref.global`, made at the first use."""
        found = self._globals.get(name)
        if found is None:
            op: Any = self._symbols.get(name)
            if op is None or op.name != "memref.global":
                raise CompileError(f"there is no global '@{name}'")
            value = op.initial_value
            shape, dtype = op.type.get_shape(), element_dtype(op.type)
            found = (
                np.array(array_of(cast(DenseIntOrFPElementsAttr[Any], value)))
                if isinstance(value, DenseIntOrFPElementsAttr)
                else garbage(shape, dtype)
            )
            found.flags.writeable = op.constant is None
            self._globals[name] = found
        return found


def run(module: ModuleOp, name: str = "main", *arguments: Any) -> list[Any]:
    """The results of one call of a function of the module."""
    return Interpreter(module).call(name, *arguments)
