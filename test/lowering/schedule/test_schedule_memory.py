"""Schedules taken over from kernels of other extents: when that is legal, when it is worth it, and that results stay right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from stepwell.api import dynamic
from stepwell.lowering.schedule.memory import Remembered, ScheduleMemory, iterations, serves


def rows(tile: int, *how: str, parallel: tuple[str, ...] = ("m", "n")) -> tuple[tuple[Any, ...], ...]:
    return (
        ("fuse", "m", "n"),
        ("split", "m", tile, "mr", *how),
        ("split", "n", 16, "nr", "exact"),
        ("parallel", *parallel),
        ("vectorize", "mr", "nr"),
    )


@pytest.mark.parametrize(
    ("known", "chosen", "m", "good"),
    [
        (rows(14, "overlap"), rows(12, "exact"), 48, True),
        (rows(14, "overlap"), rows(13, "exact"), 13, False),  # reads before the front
        (rows(12, "exact"), rows(14, "overlap"), 50, False),  # does not divide
        (rows(12, "exact"), rows(14, "overlap"), 60, True),
        (rows(8), rows(7, "exact"), 7, True),
        (rows(8), rows(3, "exact"), 3, False),  # more than half of it for nothing
        (rows(4, "exact"), rows(14, "overlap"), 64, False),  # too low
        (rows(14, "overlap", parallel=("m",)), rows(14, "overlap"), 28, False),  # two tasks where there were eight
    ],
)
def test_when_a_schedule_serves_other_extents(known: Any, chosen: Any, m: int, good: bool) -> None:
    assert serves(Remembered(known, {"m": 48, "n": 64}), chosen, {"m": m, "n": 64}) is good


def test_windows_and_extents_of_one_are_part_of_a_kernel() -> None:
    steps = (("static", "kh"), ("unroll", "k", "full"))
    old = Remembered(steps, {"kh": 3, "k": 4, "m": 5})
    assert serves(old, steps, {"kh": 3, "k": 4, "m": 7})
    assert not serves(old, steps, {"kh": 5, "k": 4, "m": 7})
    assert not serves(old, steps, {"kh": 3, "k": 2, "m": 7})
    assert not serves(old, steps, {"kh": 3, "k": 4, "m": 1})


def test_a_few_rows_met_twice_get_a_masked_tile() -> None:
    memory = ScheduleMemory()
    assert memory.reuse("k", rows(3, "exact"), {"m": 3, "n": 64}) == rows(3, "exact")
    assert memory.reuse("k", rows(5, "exact"), {"m": 5, "n": 64}) == rows(8)
    assert memory.reuse("k", rows(7, "exact"), {"m": 7, "n": 64}) == rows(8)
    assert memory.reuse("other", rows(7, "exact"), {"m": 7, "n": 64}) == rows(7, "exact")
    assert iterations(rows(8), {"m": 9, "n": 64}) == 8


def test_a_matmul_of_any_rows_is_right_and_soon_compiles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))
    w = np.random.default_rng(0).integers(-3, 4, (24, 40)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("Relu", ["a"], ["y"])]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("x", ["n", 24]), ("y", ["n", 40])))
    graph = helper.make_graph(nodes, "g", [x], [y], [numpy_helper.from_array(w, "w")])
    p = dynamic(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), threads=1)
    sizes = [3, 5, 10, 40, *range(6, 15), 29, 33, 47, 100]
    for n in sizes:
        a = np.random.default_rng(n).integers(-3, 4, (n, 24)).astype(np.float32)
        np.testing.assert_array_equal(p(a)["y"], np.maximum(a @ w, 0))
    assert sum(p.report().facts["kernels_compiled_by_stage"][4:]) <= 1
