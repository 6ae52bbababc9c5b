"""Schedules put together at random, as far as they are legal, change no result: affine loops before and after mean the same."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.parser import Parser

sys.path.insert(0, str(Path(__file__).parents[1] / "vectors"))

import affine_kernels as kernels

from stepwell.backends.interpreter import run
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.registry import find_pass, make_context
from stepwell.lowering.schedule.nest import Step, loop_name
from stepwell.lowering.schedule.primitives import apply_step

KERNELS = {
    "matmul": (kernels.matmul(), (5, 37, 4)),
    "matmul in place": (kernels.matmul(packed=None, epilogue=False), (4, 9, 3)),
    "convolution": (kernels.conv(kernel=2), (1, 2, 5, 6, 3)),
    "depthwise": (kernels.depthwise(stride=2), (1, 2, 3, 7)),
    "max pool": (kernels.max_pool(kernel=2), (1, 2, 3, 5)),
    "softmax": (kernels.softmax(), (3, 11)),
    "relu": (kernels.relu(), (23,)),
}


def random_step(rng: random.Random, func: FuncOp, fused: tuple[str, ...]) -> Step:
    """Any step over loops that the kernel has now; perhaps not a legal one."""
    names = sorted({name for op in func.walk() if (name := loop_name(op))}) or ["m"]
    name = rng.choice(names)
    match rng.choice(["split", "split", "reorder", "jam", "rfactor", "unroll", "vectorize", "parallel", "prefetch"]):
        case "split":
            return Step("split", (name, rng.choice([2, 3, 4]), f"{name}_", "mask"))
        case "reorder":
            return Step("reorder", tuple(rng.sample(names, min(len(names), 2))))
        case "jam":
            return Step("jam", (name,))
        case "rfactor":
            return Step("rfactor", (name,))
        case "unroll":
            return Step("unroll", (name, rng.choice([2, 3, "full"])))
        case "vectorize":
            return Step("vectorize", (name,))
        case "parallel":
            return Step("parallel", (name,))
        case _:
            return Step("prefetch", (0, name, 2))


def meaning(module: ModuleOp, kernel: kernels.Kernel, extents: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    arguments = kernel.make(np.random.default_rng(0), *extents)
    run(module, "k", *arguments, *extents, 1)
    return arguments[-1]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", KERNELS)
def test_meaning_is_kept(name: str, seed: int) -> None:
    kernel, extents = KERNELS[name]
    rng = random.Random(f"{name} {seed}")
    context = make_context()
    expected = kernel.reference(*kernel.make(np.random.default_rng(0), *extents))
    module = Parser(context, kernel.scheduled("[]")).parse_module()
    func = next(op for op in module.ops if isinstance(op, FuncOp))
    outer = {"softmax": ("m",), "relu": ("d0",), "matmul": ("m", "n"), "matmul in place": ("m", "n")}
    apply_step(func, Step("fuse", outer.get(name, ("b", "oh", "ow", "oc" if name == "convolution" else "c"))))
    taken: list[Step] = []
    for _ in range(12):
        step = random_step(rng, func, ())
        before = func.clone()
        try:
            apply_step(func, step)
            module.verify()
        except CompileError:
            # A refused step may have done part of its work on the way.
            module.body.block.insert_op_before(before, func)
            func.detach()
            func.erase()
            func = before
            continue
        taken.append(step)
    np.testing.assert_allclose(meaning(module, kernel, extents), expected, rtol=1e-5, atol=1e-5, err_msg=str(taken))
    try:
        find_pass("vectorize")().run(module, context)
    except CompileError:
        return
    module.verify()
    find_pass("unroll-loops")().run(module, context)
    module.verify()
    np.testing.assert_allclose(meaning(module, kernel, extents), expected, rtol=1e-5, atol=1e-5, err_msg=str(taken))
