"""From a kernel at level 3a to numbers: lower it as the pipeline does, verify every stage, run level 4 with the reference evaluator."""

from __future__ import annotations

import numpy as np
from affine_kernels import Kernel
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser

from stepwell.backends.interpreter import run
from stepwell.ir.registry import find_pass, make_context

PASSES = ("apply-schedule", "vectorize", "unroll-loops")


def lower(text: str, passes: tuple[str, ...] = PASSES) -> ModuleOp:
    """A module after these passes, verified after each."""
    context = make_context()
    module = Parser(context, text).parse_module()
    module.verify()
    for name in passes:
        find_pass(name)().run(module, context)
        module.verify()
    return module


def check(kernel: Kernel, schedule: str, *extents: int, seed: int = 0, passes: tuple[str, ...] = PASSES) -> ModuleOp:
    """Run a scheduled kernel on these extents and compare with its numpy meaning."""
    module = lower(kernel.scheduled(schedule), passes)
    check_meaning(module, kernel, *extents, seed=seed)
    return module


def check_meaning(module: ModuleOp, kernel: Kernel, *extents: int, seed: int = 0) -> None:
    """Hold a lowered kernel against numpy."""
    arguments = kernel.make(np.random.default_rng(seed), *extents)
    expected = kernel.reference(*(a.copy() for a in arguments))
    run(module, "k", *arguments, *extents, 1)
    results = arguments[-kernel.outputs :]
    for result, want in zip(results, expected if isinstance(expected, list) else [expected], strict=True):
        if kernel.tolerance:
            np.testing.assert_allclose(result.astype(np.float64), want.astype(np.float64), rtol=kernel.tolerance, atol=kernel.tolerance)
        else:
            np.testing.assert_array_equal(result, want)
