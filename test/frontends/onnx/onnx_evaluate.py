"""Runs an imported module op by op with the reference meaning of each op: the oracle of the tests in this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

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


def evaluate(module: ModuleOp, inputs: Mapping[str, Array] | Sequence[Array]) -> list[Array]:
    """The results of `@main`. Every intermediate array is checked against the type of its value."""
    main = main_of(module)
    arguments = main.body.block.args
    given = [inputs[name] for name in names(main, "input_names")] if isinstance(inputs, Mapping) else list(inputs)
    values: dict[SSAValue, Array] = {}
    for argument, array in zip(arguments, given, strict=True):
        values[argument] = checked(argument, np.asarray(array))
    for op in main.body.block.ops:
        if isinstance(op, func.ReturnOp):
            return [values[v] for v in op.operands]
        for result, array in zip(op.results, op.evaluate(*(values[v] for v in op.operands)), strict=True):
            values[result] = checked(result, np.asarray(array))
    raise AssertionError("the function does not return")


def checked(value: SSAValue, array: Array) -> Array:
    """The array, if it has the type of the value."""
    assert array.shape == value.type.get_shape(), (value.owner, array.shape)
    assert array.dtype == dtype_of(value.type.element_type), (value.owner, array.dtype)
    return array
