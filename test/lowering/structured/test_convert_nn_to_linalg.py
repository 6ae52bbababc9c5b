"""Every case of every `nn` op: the lowered kernel gives what `evaluate` gives, run by the interpreter and compiled by a real MLIR."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import FunctionType, ModuleOp, UnitAttr
from xdsl.ir import Block, Region

from stepwell.backends.interpreter import run
from stepwell.dialects import nn
from stepwell.dialects.nn import OPS
from stepwell.ir.constants import dtype_of, type_of
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.structured.convert_nn_to_linalg import ConvertNnToLinalg
from stepwell.lowering.structured.emit import DECOMPOSED_BEFORE, LOWERINGS

sys.path.insert(0, str(Path(__file__).parents[2] / "dialects" / "nn"))
sys.path.insert(0, str(Path(__file__).parent))

from cases import CASES, Case

VIEWS = (nn.ReshapeOp, nn.ConcatOp)


def is_lowered(case: Case) -> bool:
    """Whether this pass takes the case: not what other passes remove, and no pads in windows."""
    return (type_ := case.op) in VIEWS or (type_.name not in DECOMPOSED_BEFORE and not any(case.attributes.get("pads", ())))


LOWERED = [c for c in CASES if is_lowered(c)]
IDS = [f"{n}-{c.name}" for n, c in enumerate(LOWERED)]


def function_of(case: Case, name: str, *, private: bool) -> func.FuncOp:
    block = Block(arg_types=[type_of(a) for a in case.arrays])
    op = case.op.make(*block.args, **case.attributes)
    block.add_ops([op, func.ReturnOp(*op.results)])
    function = func.FuncOp(
        name, FunctionType.from_lists(block.arg_types, op.result_types), Region(block), visibility="private" if private else None
    )
    if private:
        function.attributes["kernel"] = UnitAttr()
    return function


def module_of(case: Case, n: int) -> list[func.FuncOp]:
    """A kernel and a public function that calls it; a view stands in the public function itself."""
    if case.op in VIEWS:
        return [function_of(case, f"f{n}", private=False)]
    kernel = function_of(case, f"k{n}", private=True)
    types = kernel.function_type
    block = Block(arg_types=types.inputs.data)
    call = func.CallOp(f"k{n}", block.args, types.outputs.data)
    block.add_ops([call, func.ReturnOp(*call.results)])
    return [kernel, func.FuncOp(f"f{n}", types, Region(block))]


@pytest.fixture(scope="module")
def answers() -> dict[str, list[Any]]:
    """Everything is compiled and run once."""
    pytest.importorskip("torch_mlir")
    import real_mlir

    module = ModuleOp([f for n, case in enumerate(LOWERED) for f in module_of(case, n)])
    ConvertNnToLinalg().run(module, Context())
    module.verify()
    calls = {}
    for n, case in enumerate(LOWERED):
        op, _holder = case.make()
        calls[f"f{n}"] = (case.arrays, [(r.type.get_shape(), dtype_of(r.type.element_type)) for r in op.results])
    return real_mlir.run(str(module), calls)


def check(case: Case, answers: Any) -> None:
    op, _holder = case.make()
    for actual, expected in zip(answers, op.evaluate(*case.arrays), strict=True):
        assert actual.dtype == expected.dtype
        if actual.dtype.kind in "iub":
            np.testing.assert_array_equal(actual, expected)
        else:
            ulp = {2: 2e-2 if actual.dtype.name == "bfloat16" else 3e-3, 4: 1e-5, 8: 1e-12}[actual.dtype.itemsize]
            np.testing.assert_allclose(actual.astype(np.float64), expected.astype(np.float64), rtol=ulp, atol=ulp)


@pytest.mark.parametrize("n", range(len(LOWERED)), ids=IDS)
def test_interpreted(n: int) -> None:
    case = LOWERED[n]
    module = ModuleOp(module_of(case, n))
    ConvertNnToLinalg().run(module, Context())
    module.verify()
    # Level 2 is signless: the same bits as signed integers.
    arrays = [a.view(f"int{8 * a.itemsize}") if a.dtype.kind == "u" else a for a in case.arrays]
    results = run(module, f"f{n}", *arrays)
    op, _holder = case.make()
    check(case, [np.asarray(r).view(dtype_of(v.type.element_type)) for r, v in zip(results, op.results, strict=True)])


@pytest.mark.parametrize("n", range(len(LOWERED)), ids=IDS)
def test_compiled_by_real_mlir(n: int, answers: dict[str, list[Any]]) -> None:
    check(LOWERED[n], answers[f"f{n}"])


def test_every_op_is_lowered_or_removed_before() -> None:
    for op_class in OPS:
        if op_class is nn.ConstantOp:
            continue
        assert (op_class in LOWERINGS) != (op_class.name in DECOMPOSED_BEFORE), op_class.name


def test_pads_are_refused() -> None:
    case = next(c for c in CASES if c.op is nn.ConvOp and any(c.attributes.get("pads", ())))
    with pytest.raises(CompileError, match=r"@k0: nn.conv: pads \[1, 0, 2, 1\] must be an nn.pad of the input by now \(run nn-"):
        ConvertNnToLinalg().run(ModuleOp(module_of(case, 0)), Context())


def test_compute_outside_a_kernel_is_refused() -> None:
    case = next(c for c in CASES if c.op is nn.ReluOp)
    with pytest.raises(CompileError, match=r"@f: nn.relu computes, and stands in no kernel \(run nn-form-kernels first\)"):
        ConvertNnToLinalg().run(ModuleOp([function_of(case, "f", private=False)]), Context())
