"""Indices that are out of bounds: refused where they are known, met without reading outside a buffer where they are not.

`STEPWELL_CHECK_BOUNDS=1` compiles checks in that stop the process; the index tests of the conformance suite pass with it as without.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper
from random_judge import run
from random_models import one_node_model

from stepwell.ir.diagnostics import CompileError, InternalError

WILD = np.array([[9, -9, 2**40], [-(2**40), 2**62, -(2**63)]])

INDEXED: dict[str, tuple[str, int, Mapping[str, Any], Mapping[str, Any]]] = {
    "gather": ("Gather", 21, {"x": np.ones((4, 3), "float32"), "i": WILD}, {}),
    "gather elements": ("GatherElements", 21, {"x": np.ones((4, 3), "float32"), "i": WILD}, {}),
    "gather nd": ("GatherND", 21, {"x": np.ones((4, 3, 2, 2), "float32"), "i": WILD}, {}),
    "scatter elements": ("ScatterElements", 21, {"x": np.ones((4, 3), "float32"), "i": WILD, "u": np.ones((2, 3), "float32")}, {}),
    "scatter nd": ("ScatterND", 21, {"x": np.ones((4, 3, 2), "float32"), "i": WILD, "u": np.ones(2, "float32")}, {}),
    "one hot": ("OneHot", 21, {"i": WILD, "d": np.array([4]), "v": np.ones(2, "float32")}, {}),
    "unpool": ("MaxUnpool", 21, {"x": np.ones((1, 1, 2, 3), "float32"), "i": WILD.reshape(1, 1, 2, 3)}, {"kernel_shape": [1, 1]}),
    "loss": ("NegativeLogLikelihoodLoss", 21, {"x": np.ones((6, 3), "float32"), "t": WILD.reshape(-1)}, {}),
    "grid": (
        "GridSample",
        20,
        {"x": np.ones((1, 1, 4, 4), "float32"), "g": np.array([[[[1e30, np.nan], [np.inf, -1e30]]]], "float32")},
        {},
    ),
    "rotary": (
        "RotaryEmbedding",
        23,
        {"x": np.ones((2, 1, 3, 4), "float32"), "c": np.ones((4, 2), "float32"), "s": np.ones((4, 2), "float32"), "p": WILD},
        {},
    ),
    "cache": (
        "TensorScatter",
        24,
        {"x": np.ones((2, 4, 3), "float32"), "u": np.ones((2, 2, 3), "float32"), "w": np.array([9, -(2**40)])},
        {},
    ),
}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))


def _node(operator: str, opset: int, operands: Mapping[str, Any], attributes: Mapping[str, Any], constants: str = "") -> list[Any]:
    node = helper.make_node(operator, list(operands), ["y"], **attributes)
    model = one_node_model(node, operands, opset, constants)
    model.graph.output[0].type.tensor_type.elem_type = 1
    return run(model, {name: array for name, array in operands.items() if name not in constants})


@pytest.mark.parametrize("name", INDEXED)
def test_indices_out_of_bounds_stay_in_their_buffers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With checks compiled in, a read outside would end this process; what is read is some element of the tensor."""
    monkeypatch.setenv("STEPWELL_CHECK_BOUNDS", "1")
    constants = "d" if name == "one hot" else ""
    (y,) = _node(*INDEXED[name], constants)
    assert np.isfinite(y).all()
    assert np.isin(y, (-1, 0, 1, 2)).all() or name == "grid"


@pytest.mark.parametrize("name", ["gather", "gather elements", "gather nd", "scatter elements", "scatter nd"])
def test_known_indices_out_of_bounds_are_refused(name: str) -> None:
    with pytest.raises(CompileError) as refused:
        _node(*INDEXED[name], "xiu")
    assert not isinstance(refused.value, InternalError)


@pytest.mark.parametrize("name", ["gather", "gather elements", "gather nd"])
def test_nothing_is_gathered_from_an_empty_axis(name: str) -> None:
    operator, opset, operands, attributes = INDEXED[name]
    with pytest.raises(CompileError, match="an axis of extent 0 has no element to gather"):
        _node(operator, opset, {**operands, "x": operands["x"][:0]}, attributes)


UNCLAMPED = """
import sys
sys.path[:0] = {path!r}
import numpy as np
import test_bounds
from stepwell.lowering.structured import index

index.clamped = lambda s, i, extent: i
operator, opset, operands, attributes = test_bounds.INDEXED["gather"]
test_bounds._node(operator, opset, {{**operands, "i": np.array([4])}}, attributes)
"""


@pytest.mark.parametrize("checked", [False, True])
def test_checks_stop_a_read_outside(checked: bool, tmp_path: Path) -> None:
    """Just behind the tensor: unnoticed without the checks."""
    code = UNCLAMPED.format(path=[str(Path(__file__).parent)])
    environment = {**os.environ, "STEPWELL_CHECK_BOUNDS": str(int(checked)), "STEPWELL_COMPILE_PROCESSES": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, timeout=100, check=False)
    assert (done.returncode < 0) == checked, done.stderr.decode()[-500:]
