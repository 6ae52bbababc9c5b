"""Schedules taken over from kernels of other extents: when that is legal, when it is worth it, and that results stay right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from stepwell.api import dynamic
from stepwell.lowering.schedule.memory import Remembered, ScheduleMemory, general_forms, is_legal, iterations, serves


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


def test_a_matmul_of_any_rows_is_right_and_compiles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))
    w = np.random.default_rng(0).integers(-3, 4, (24, 40)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("Relu", ["a"], ["y"])]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("x", ["n", 24]), ("y", ["n", 40])))
    graph = helper.make_graph(nodes, "g", [x], [y], [numpy_helper.from_array(w, "w")])
    p = dynamic(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), threads=1)
    sizes = [3, 1, 5, 10, 2, 40, *range(6, 15), 29, 33, 47, 100]
    for n in sizes:
        a = np.random.default_rng(n).integers(-3, 4, (n, 24)).astype(np.float32)
        np.testing.assert_array_equal(p(a)["y"], np.maximum(a @ w, 0))
    facts = p.report().facts
    assert facts["kernels_compiled_by_stage"] == [1, *[0] * (len(set(sizes)) - 1)]
    assert facts["kernels_prepared"] > 0


def test_general_forms() -> None:
    form = (("split", "m", 14, "mr", "exact"), ("split", "n", 64, "ni"), ("split", "ni", 16, "nr", "exact"), ("vectorize", "mr", "nr"))
    varying = frozenset({"m"})
    many, few = general_forms(form, {"m": 28, "n": 96}, varying, {"m": 4})
    assert many == (("split", "m", 14, "mr", "overlap"), *form[1:])
    assert few == (("split", "m", 4, "mr"), *form[1:])
    assert general_forms(form, {"m": 7, "n": 96}, varying, {"m": 4}) == [few]
    assert general_forms(form, {"m": 28, "n": 96}, varying, {}) == [(("split", "m", 14, "mr"), *form[1:])]
    assert general_forms(form, {"m": 28, "n": 96}, frozenset(), {"m": 4}) == [form]
    # What comes of a split loop is ragged where the loop is.
    (columns,) = general_forms(form, {"m": 28, "n": 96}, frozenset({"n"}), {})
    assert columns[2] == ("split", "ni", 16, "nr")


@pytest.mark.parametrize(
    ("how", "extent", "good"),
    [(("exact",), 28, True), (("exact",), 27, False), (("overlap",), 27, True), (("overlap",), 13, False), ((), 1, False), ((), 2, True)],
)
def test_what_is_legal_for_other_extents(how: tuple[str, ...], extent: int, good: bool) -> None:
    steps = (("split", "m", 14, "mr", *how),)
    assert is_legal(steps, {"m": 14}, {"m": extent}) is good


def test_the_exact_tail_of_an_inner_tile_is_one_of_the_loop_that_was_split() -> None:
    steps = (("split", "n", 64, "ni"), ("split", "ni", 16, "nr", "exact"))
    assert is_legal(steps, {"n": 64}, {"n": 96})
    assert not is_legal(steps, {"n": 64}, {"n": 100})


def test_the_cheapest_legal_schedule_is_found() -> None:
    memory = ScheduleMemory()
    names = (("m", "n"),)
    memory.remember_forms("k", [rows(14, "overlap"), rows(4)], {"m": 28, "n": 64}, names)
    for m, steps in ((28, rows(14, "overlap")), (14, rows(14, "overlap")), (13, rows(4)), (2, rows(4))):
        found = memory.find("k", [(m, 64)])
        assert found is not None
        assert found.steps == steps
    assert memory.find("k", [(1, 64)]) is None  # another kernel
    assert memory.find("k", [(28, 60)]) is None  # does not divide
    assert memory.find("other", [(28, 64)]) is None


def test_what_is_prepared_does_not_count_schedules_for_some_extents_only() -> None:
    memory = ScheduleMemory()
    memory.reuse("k", rows(14, "overlap"), {"m": 28, "n": 64}, (("m", "n"),))
    with memory.used(general=True):
        assert memory.find("k", [(29, 64)]) is not None
    with memory.used(general=True, preparing=True):
        assert memory.find("k", [(29, 64)]) is None
        assert memory.varying("k", (("m", "n"),), {"m": 29, "n": 64}, frozenset()) == {"m"}
        assert memory.varying("new", (("m", "n"),), {"m": 29, "n": 64}, frozenset({"n"})) == {"m"}
    with memory.used(general=True, inputs=frozenset({64})):  # a mask, say
        assert memory.varying("new", (("m", "n"),), {"m": 29, "n": 64}, frozenset({"n"})) == {"m", "n"}


def test_loops_that_were_met_for_the_same_inputs_may_vary() -> None:
    memory = ScheduleMemory()
    with memory.used(inputs=frozenset({3, 7})):
        memory.reuse("k", rows(14, "overlap"), {"m": 28, "n": 64}, (("m", "n"),))
    with memory.used(general=True, inputs=frozenset({3})):
        assert memory.varying("k", (("m", "n"),), {"m": 28, "n": 64}, frozenset()) == {"m", "n"}
    with memory.used(general=True, inputs=frozenset({14})):
        assert memory.varying("k", (("m", "n"),), {"m": 28, "n": 64}, frozenset()) == frozenset()


def test_a_memory_is_kept_as_text() -> None:
    memory = ScheduleMemory()
    memory.remember_forms("k", [(*rows(4), ("prefetch", 1, "k", 8))], {"m": 28, "n": 64}, (("m", "n"),))
    memory.kernel_names["0123"] = "matmul"
    assert ScheduleMemory.from_bytes(memory.to_bytes()) == memory
    for damaged in (b"", b"[]", b'[{"k": 1}, {}]'):
        with pytest.raises((KeyError, TypeError, ValueError)):
            ScheduleMemory.from_bytes(damaged)
