"""Walk a module from level 1 or 2 to level 3 pass by pass and run it after each: the same numbers at every step.

In: a module whose `@main` is on tensors, and its arguments. Out: nothing, or an assertion that names the pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser

from stepwell.backends.interpreter import run
from stepwell.dialects import memref
from stepwell.ir.constants import array_of, dtype_of
from stepwell.ir.registry import find_pass, make_context
from stepwell.ir.verify import verify

Array = np.ndarray[Any, np.dtype[Any]]

PASSES = (
    "linalg-fuse-pointwise",
    "pack-operands",
    "plan-views",
    "outline-copies",
    "generalize-extents",
    "deduplicate-kernels",
    "bufferize-kernels",
    "bufferize-main",
    "convert-linalg-to-affine",
    "plan-memory",
)
GARBAGE = 77
"""What stands in results and in the arena before the program runs."""


def parse(text: str) -> ModuleOp:
    """A module, verified."""
    module = Parser(make_context(), text).parse_module()
    verify(module)
    return module


def signature(module: ModuleOp, name: str) -> tuple[list[Any], list[Any]]:
    """The argument and result types of a function."""
    function = next(f for f in module.body.block.ops if f.name == "func.func" and f.sym_name.data == name)
    return list(function.function_type.inputs), list(function.function_type.outputs)


def draw(types: Sequence[Any], seed: int = 0) -> list[Array]:
    """Small integers: sums and products of them are exact."""
    rng = np.random.default_rng(seed)
    return [rng.integers(-4, 5, t.get_shape()).astype(dtype_of(t.element_type)) for t in types]


def signless(array: Array) -> Array:
    """The same bits as level 2 knows them."""
    return array.view(f"int{8 * array.itemsize}") if array.dtype.kind == "u" else array


def weights_of(module: ModuleOp) -> Array:
    """The block of weights that `plan-memory` has laid out."""
    block = np.full(module.attributes["stepwell.weights_size"].value.data, GARBAGE, np.int8)
    for op in module.body.block.ops:
        if isinstance(op, memref.GlobalOp):
            raw = np.frombuffer(np.ascontiguousarray(array_of(op.initial_value)).tobytes(), np.int8)
            start = op.attributes["offset"].value.data
            block[start : start + len(raw)] = raw
    return block


def call(module: ModuleOp, name: str, arguments: Sequence[Array], result_types: Sequence[Any]) -> list[Array]:
    """The results of a function at whatever level it stands."""
    inputs, outputs = signature(module, name)
    arguments = [a.copy() for a in arguments]
    if outputs or len(inputs) == len(arguments):
        return [np.asarray(r) for r in run(module, name, *arguments)]
    results = [signless(np.full(t.get_shape(), GARBAGE).astype(dtype_of(t.element_type))) for t in result_types]
    memory: list[Array] = []
    if "stepwell.arena_size" in module.attributes:
        memory = [np.full(module.attributes["stepwell.arena_size"].value.data, GARBAGE, np.int8), weights_of(module)]
    run(module, name, *memory, *arguments, *results)
    return results


def check_each_pass(
    module: ModuleOp,
    arguments: Sequence[Array],
    expected: Sequence[Array],
    passes: Sequence[str] = PASSES,
    name: str = "main",
    rtol: float = 1e-5,
) -> None:
    """Run the passes; after each the module verifies (dominance too) and computes what is expected."""
    context = make_context()
    arguments = [signless(a) for a in arguments]
    result_types = signature(module, name)[1]
    for step in passes:
        find_pass(step)().run(module, context)
        verify(module)
        results = call(module, name, arguments, result_types)
        assert len(results) == len(expected)
        for actual, wanted in zip(results, expected, strict=True):
            wanted = signless(np.asarray(wanted))
            assert actual.dtype == wanted.dtype, step
            exact = wanted.dtype.kind in "iub"
            actual, wanted = (actual, wanted) if exact else (actual.astype(np.float64), wanted.astype(np.float64))
            np.testing.assert_allclose(actual, wanted, rtol=0 if exact else rtol, atol=0 if exact else rtol, err_msg=f"after {step}")
