"""Every differentiable op of `nn`, in the shapes and with the attributes that the tests of its meaning have: its derivatives and second
derivatives against central differences. And the registry: every op has a rule, or says why it has none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "dialects/nn"))

from cases import CASES, Case
from gradient_checks import Program, check, float_arguments

from stepwell.dialects import nn
from stepwell.dialects.nn import CONTROL, CUSTOM, OPS
from stepwell.dialects.nn.base import is_float
from stepwell.ir.constants import element_type_of, tensor_type
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.autodiff import rules

rules.load()
DIFFERENTIABLE = {kind for table in (rules.JVP, rules.DECOMPOSED) for kind in table}

UNIT = (nn.AsinOp, nn.AcosOp, nn.AtanhOp)
POSITIVE = (nn.LogOp, nn.SqrtOp, nn.RsqrtOp, nn.PowOp)


def test_every_op_has_a_rule_or_says_why_not() -> None:
    tables: list[dict[Any, Any]] = [rules.JVP, rules.REGION_JVP, rules.DECOMPOSED, rules.LOCALLY_CONSTANT, rules.REFUSED]
    for op in (*OPS, *CONTROL, *CUSTOM):
        if op.name == "nn.yield":
            continue
        found = [table[op] for table in tables if op in table]
        assert len(found) == 1, f"{op.name} stands in {len(found)} tables of derivatives"
        assert callable(found[0]) or len(found[0].split()) > 3, f"{op.name} does not say why it has no derivative"


def smooth_arrays(case: Case) -> list[Any]:
    """The operands in double precision, away from where two elements are equal or one is whole."""
    generator = np.random.default_rng(len(case.name))
    arrays: list[Any] = []
    for a in case.arrays:
        if a.dtype.kind == "f":
            a = a.astype(np.float64) + generator.uniform(0.004, 0.02, a.shape)
            if case.op in UNIT:
                a = np.clip(a / 4, -0.9, 0.9)
            elif case.op in POSITIVE:
                a = np.abs(a) + 0.1
            elif case.op is nn.AcoshOp:
                a = np.abs(a) + 1.1
            elif case.op is nn.BatchNormOp and a is not case.arrays[0]:
                a = np.abs(a) + 0.1
        arrays.append(np.asarray(a))
    return arrays


def is_checked(case: Case) -> bool:
    """Cases of the op on numbers that can be moved a little: floats that are finite, and a result that is one."""
    if case.op not in DIFFERENTIABLE or not any(a.dtype.kind == "f" for a in case.arrays) or not all(a.size for a in case.arrays):
        return False
    if any(a.dtype.kind not in "fiub" or a.dtype == np.float16 for a in case.arrays):
        return False
    if not all(np.isfinite(a).all() for a in case.arrays if a.dtype.kind == "f"):
        return False
    op, _ = case.make()
    if not np.isfinite(op.evaluate(*case.arrays)[0]).all():
        return False
    return is_float(op.result_type.element_type)


CHECKED = [case for case in CASES if is_checked(case)]


@pytest.mark.parametrize("case", CHECKED, ids=[c.name for c in CHECKED])
def test_case(case: Case) -> None:
    arrays = smooth_arrays(case)
    attributes = dict(case.attributes)
    if "result_type" in attributes:
        attributes["result_type"] = tensor_type(attributes["result_type"].get_shape(), element_type_of(np.dtype(np.float64)))
    if attributes.get("reduction") in ("mul", "max", "min"):
        with pytest.raises(CompileError, match="no derivative for reduction"):
            check(Program.of_op(case.op, arrays, attributes), arrays, float_arguments(arrays), second=False)
        return
    check(Program.of_op(case.op, arrays, attributes), arrays, float_arguments(arrays), second=True, tolerance=2e-5)


def test_every_differentiable_op_is_checked() -> None:
    assert {kind.name for kind in DIFFERENTIABLE} <= {case.op.name for case in CHECKED}
