"""Attention of f16 and bf16 is computed in f32: only its result is rounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graph_evaluation import evaluate, ops_of, run
from ml_dtypes import bfloat16
from xdsl.dialects.builtin import FunctionType, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region

from stepwell.dialects import nn
from stepwell.ir.constants import type_of


@pytest.mark.parametrize("dtype", [np.float16, bfloat16])
def test_only_the_result_is_rounded(dtype: Any) -> None:
    rng = np.random.default_rng(1)
    q, k, v = (rng.random((2, 3, n, 8)).astype(dtype) for n in (4, 6, 6))
    block = Block(arg_types=[type_of(a) for a in (q, k, v)])
    ops: list[nn.NnOp] = [nn.TransposeOp.make(block.args[1], permutation=[0, 1, 3, 2])]
    ops.append(nn.MatmulOp.make(block.args[0], ops[0].results[0]))
    ops.append(nn.SoftmaxOp.make(ops[1].results[0]))
    ops.append(nn.MatmulOp.make(ops[2].results[0], block.args[2]))
    result = ops[-1].results[0]
    block.add_ops([*ops, ReturnOp(result)])
    types = FunctionType.from_lists([a.type for a in block.args], [result.type])
    module = ModuleOp([FuncOp("main", types, Region(block))])
    module = run(module, "nn-canonicalize", "nn-raise-attention", "nn-decompose")
    assert "nn.cast" in ops_of(module)
    (got,) = evaluate(module, q, k, v)
    wide = [a.astype(np.float64) for a in (q, k, v)]
    scores = np.exp(wide[0] @ wide[1].transpose(0, 1, 3, 2))
    want = (scores / scores.sum(-1, keepdims=True)) @ wide[2]
    assert got.dtype == dtype
    unit = 2.0**-11 if dtype == np.float16 else 2.0**-8
    np.testing.assert_array_less(np.abs(got.astype(np.float64) - want), 0.51 * 2 * unit * np.abs(want) + 1e-6)
