"""Every op of `nn` that a kernel may hold, from level 1 to planned loops: the numbers of its reference meaning after every pass."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from down_the_stairs import PASSES, check_each_pass
from xdsl.dialects.builtin import ModuleOp

sys.path.insert(0, str(Path(__file__).parents[1] / "structured"))

from test_convert_nn_to_linalg import LOWERED, Case, module_of


def sample() -> dict[str, Case]:
    """The first case of each op and set of dtypes."""
    cases: dict[str, Case] = {}
    for case in LOWERED:
        dtypes = "-".join(str(a.dtype) for a in case.arrays)
        cases.setdefault(f"{case.op.name}-{dtypes}", case)
    return cases


CASES = sample()


@pytest.mark.parametrize("name", CASES)
def test_op(name: str) -> None:
    case = CASES[name]
    module = ModuleOp(module_of(case, 0))
    op, _holder = case.make()
    expected = [np.asarray(e) for e in op.evaluate(*case.arrays)]
    widest = {2: 2e-2, 4: 1e-5, 8: 1e-5, 1: 0}
    tolerance = max(widest[e.dtype.itemsize] for e in expected)
    check_each_pass(module, case.arrays, expected, ("convert-nn-to-linalg", *PASSES), "f0", tolerance)
