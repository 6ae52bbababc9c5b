"""Runs an imported module through the interpreter, which takes the reference meaning of each op: the oracle of the tests in this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from stepwell.backends.interpreter.machine import Code, Frame, Interpreter, Step
from stepwell.ir.constants import dtype_of

Array = np.ndarray[Any, np.dtype[Any]]


def main_of(module: ModuleOp) -> func.FuncOp:
    """The function of an imported module."""
    (main,) = module.body.block.ops
    assert isinstance(main, func.FuncOp)
    return main


def names(main: func.FuncOp, key: str) -> list[str]:
    """The strings of `input_names`, `output_names` or `notes`."""
    return [name.data for name in main.attributes[key].data] if key in main.attributes else []


class CheckedCode(Code):
    """The interpreter's decoding of a function. Every step checks what it has computed against the types, in loops and branches too."""

    def step(self, op: Operation) -> Step | None:
        run = super().step(op)
        if run is None:
            return None
        results = list(zip(op.results, self.slots(op.results), strict=True))

        def run_checked(frame: Frame) -> None:
            run(frame)
            for value, slot in results:
                frame[slot] = checked(value, np.asarray(frame[slot]))

        return run_checked


def evaluate(module: ModuleOp, inputs: Mapping[str, Array] | Sequence[Array]) -> list[Array]:
    """The results of `@main`. Every intermediate array is checked against the type of its value."""
    main = main_of(module)
    given = [inputs[name] for name in names(main, "input_names")] if isinstance(inputs, Mapping) else list(inputs)
    arrays = [checked(argument, np.asarray(array)) for argument, array in zip(main.body.block.args, given, strict=True)]
    code = CheckedCode(Interpreter(module))
    run = code.region(main.body)
    return run(code.frame(), arrays)


def checked(value: SSAValue, array: Array) -> Array:
    """The array, if it has the type of the value."""
    assert array.shape == value.type.get_shape(), (value.owner, array.shape)
    assert array.dtype == dtype_of(value.type.element_type), (value.owner, array.dtype)
    return array
