"""Derivatives against central differences in double precision, all through the reference meaning of the ops.

Both are compared along random directions: <u, J v> by forward mode, by reverse mode, and as (f(x + h v) - f(x - h v)) / 2h.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Region, SSAValue

from stepwell.backends.interpreter import Interpreter
from stepwell.dialects.nn import NnOp
from stepwell.ir.constants import type_of
from stepwell.ir.registry import make_context
from stepwell.lowering.autodiff.passes import Jvp, Vjp

Array = np.ndarray[Any, np.dtype[Any]]
Build = Callable[..., SSAValue | Sequence[SSAValue]]

STEP = 1e-5


class Program:
    """A module with `@main`, to be called on arrays."""

    def __init__(self, arrays: Sequence[Array], build: Callable[[Block], Sequence[SSAValue]]) -> None:
        block = Block(arg_types=[type_of(a) for a in arrays])
        results = list(build(block))
        block.add_op(func.ReturnOp(*results))
        types = [a.type for a in block.args], [r.type for r in results]
        self.module = ModuleOp([func.FuncOp("main", types, Region(block))])
        self.module.verify()

    @classmethod
    def of_op(cls, op_class: type[NnOp], arrays: Sequence[Array], attributes: dict[str, Any]) -> Program:
        """One op."""

        def build(block: Block) -> Sequence[SSAValue]:
            op = op_class.make(*block.args, **attributes)
            block.add_op(op)
            return op.results

        return cls(arrays, build)

    def derive(self, *steps: Jvp | Vjp) -> Program:
        """The module with derivatives of @main beside it."""
        for step in steps:
            step.run(self.module, make_context())
            self.module.verify()
        return self

    def call(self, name: str, *arrays: Array) -> list[Array]:
        """The results of a function."""
        return list(Interpreter(self.module).call(name, *arrays))


def float_arguments(arrays: Sequence[Array]) -> list[int]:
    """The numbers of the arguments that have derivatives."""
    return [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]


def _dot(a: Sequence[Array], b: Sequence[Array]) -> float:
    return float(sum(np.sum(x * y) for x, y in zip(a, b, strict=True)))


def check(program: Program, arrays: Sequence[Array], wrt: Sequence[int], *, second: bool, seed: int = 0, tolerance: float = 1e-5) -> None:
    """Forward and reverse mode of `@main` against central differences; and, if `second`, the derivative of the reverse mode."""
    generator = np.random.default_rng(seed)
    program.derive(Jvp("main", tuple(wrt)), Vjp("main", tuple(wrt)))
    inputs = [arrays[i] for i in wrt]
    directions = [np.asarray(generator.standard_normal(a.shape)) for a in inputs]
    results = program.call("main", *arrays)
    weights = [np.asarray(generator.standard_normal(r.shape)) for r in results]

    def moved(amount: float) -> list[Array]:
        changed = dict(zip(wrt, (a + amount * v for a, v in zip(inputs, directions, strict=True)), strict=True))
        return [changed.get(i, a) for i, a in enumerate(arrays)]

    ends = [_dot(program.call("main", *moved(s * STEP)), weights) for s in (1, -1)]
    numeric = (ends[0] - ends[1]) / (2 * STEP)
    forward = _dot(program.call("main_jvp", *arrays, *directions)[len(results) :], weights)
    gradients = program.call("main_vjp", *arrays, *weights)[len(results) :]
    reverse = _dot(gradients, directions)
    scale = max(1.0, float(np.sqrt(_dot(gradients, gradients) * _dot(directions, directions))))
    assert abs(forward - numeric) <= tolerance * scale, f"forward mode {forward}, differences {numeric}"
    assert abs(reverse - numeric) <= tolerance * scale, f"reverse mode {reverse}, differences {numeric}"
    if not second:
        return
    program.derive(Jvp("main_vjp", tuple(wrt)), Vjp("main_vjp", tuple(wrt)))
    again = [np.asarray(generator.standard_normal(g.shape)) for g in gradients]
    ends = [_dot(program.call("main_vjp", *moved(s * STEP), *weights)[len(results) :], again) for s in (1, -1)]
    numeric = (ends[0] - ends[1]) / (2 * STEP)
    many = len(results) + len(gradients)
    tangents = program.call("main_vjp_jvp", *arrays, *weights, *directions)[many + len(results) :]
    forward = _dot(tangents, again)
    nothing = [np.zeros_like(r) for r in results]
    second_gradients = program.call("main_vjp_vjp", *arrays, *weights, *nothing, *again)[many:]
    reverse = _dot(second_gradients, directions)
    scale = max(1.0, float(np.sqrt(_dot(second_gradients, second_gradients) * _dot(directions, directions))))
    assert abs(forward - numeric) <= 10 * tolerance * scale, f"second derivative, forward {forward}, differences {numeric}"
    assert abs(reverse - numeric) <= 10 * tolerance * scale, f"second derivative, reverse {reverse}, differences {numeric}"
