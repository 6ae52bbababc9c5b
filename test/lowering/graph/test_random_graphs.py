"""All passes of this room, in the order of the library, on random graphs: the meaning stays, and @main holds only what it may hold."""

from __future__ import annotations

import numpy as np
import pytest
from graph_evaluation import evaluate, functions, inputs_of
from random_graphs import Graph

from stepwell.ir.registry import find_pass, make_context
from stepwell.lowering.pipelines import CHANNELS_LAST, FORM_KERNELS, SIMPLIFY

MAIN = {"func.call", "func.return", "nn.constant", "nn.reshape", "nn.slice", "nn.concat", "nn.pad"}


@pytest.mark.parametrize("seed", range(40))
def test_meaning_and_form(seed: int) -> None:
    before, after = Graph(seed, 24).module, Graph(seed, 24).module
    context = make_context()
    for name in (*SIMPLIFY, *CHANNELS_LAST, *FORM_KERNELS):
        find_pass(name)().run(after, context)
        after.verify()
    arrays = inputs_of(before, seed)
    for want, have in zip(evaluate(before, *arrays), evaluate(after, *arrays), strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-4, atol=1e-4)
    table = functions(after)
    assert {op.name for op in table.pop("main").body.block.ops} <= MAIN
    assert all("kernel" in kernel.attributes for kernel in table.values())
