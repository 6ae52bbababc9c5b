"""Shapes that are met often are compiled for themselves alone, in the background."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, numpy_helper
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info

from stepwell.api import dynamic
from stepwell.ir.diagnostics import CompileError
from stepwell.stages import background
from stepwell.stages.specialisation import HOT, MOST, Specialisation


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / "cache"))


def model() -> ModelProto:
    weights = numpy_helper.from_array(draw(24, 40), "w")
    nodes = [make_node("MatMul", ["x", "w"], ["m"]), make_node("Relu", ["m"], ["y"])]
    inputs = [make_tensor_value_info("x", TensorProto.FLOAT, ["n", 24])]
    outputs = [make_tensor_value_info("y", TensorProto.FLOAT, None)]
    return make_model(make_graph(nodes, "g", inputs, outputs, [weights]), opset_imports=[make_opsetid("", 17)], ir_version=8)


def draw(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).integers(-3, 4, shape).astype(np.float32)


def test_a_hot_shape_gets_a_program_of_its_own() -> None:
    program = dynamic(model(), threads=1)
    cold, hot = draw(5, 24), draw(7, 24)
    want = np.maximum(hot @ draw(24, 40), 0)
    program(cold)
    general = program.plan_for({"x": hot})
    for _ in range(HOT):
        np.testing.assert_array_equal(program(hot)["y"], want)
    program.wait()
    own = program.plan_for({"x": hot})
    assert own is not general
    assert own is not None
    assert own.image.launches is None, "compiled as if nothing but this shape was there"
    np.testing.assert_array_equal(program(hot)["y"], want)
    np.testing.assert_array_equal(program(cold)["y"], np.maximum(cold @ draw(24, 40), 0))
    report = program.report()
    assert report.facts["specialised"] == ["x: 7x24"]
    assert "x: 7x24 is met often: compiled alone" in str(report)


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_it_can_be_turned_off(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "environment":
        monkeypatch.setenv("STEPWELL_SPECIALISE", "0")
    program = dynamic(model(), threads=1, specialise=how != "argument")
    before = program.plan_for({"x": draw(7, 24)})
    for _ in range(HOT + 1):
        program(draw(7, 24))
    program.wait()
    assert program.plan_for({"x": draw(7, 24)}) is before
    assert program.report().facts["specialised"] == []


def test_there_is_a_bound() -> None:
    asked = Specialisation(lambda: None)
    for i in range(MOST + 3):
        asked.ask(f"shape {i}", lambda _: 1)
    asked.wait()
    assert [each.shapes for each in asked.done] == [f"shape {i}" for i in range(MOST)]


def test_what_cannot_be_compiled_alone_goes_on_as_it_was() -> None:
    asked = Specialisation(lambda: None)

    def refuse(_: Any) -> int:
        raise CompileError("no room")

    asked.ask("x: 3", refuse)
    asked.wait()
    assert [each.error for each in asked.done] == ["no room"]


def test_what_nobody_waits_for_is_given_up() -> None:
    begun, go_on = Event(), Event()
    asked = Specialisation(lambda: None)

    def work(_: Any) -> int:
        begun.set()
        go_on.wait()
        return 1

    asked.ask("first", work)
    asked.ask("second", work)
    begun.wait()
    go_on.set()
    asked.give_up()
    asked.wait()
    asked.ask("third", work)
    asked.wait()
    assert [each.shapes for each in asked.done if each.shapes != "first"] in ([], ["second"])
    assert "third" not in [each.shapes for each in asked.done]


def test_at_the_end_no_thread_waits_for_another_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless:
        """What works until it is told not to."""

        def __init__(self) -> None:
            self.given_up = Event()

        def give_up(self) -> None:
            self.given_up.set()

        def wait(self) -> None:
            assert self.given_up.wait(10)

    before = Endless()
    asked = Specialisation(before.wait)
    monkeypatch.setattr(background, "running", [asked, before])
    asked.ask("x: 3", lambda _: 1)
    background.stop_all()
    assert asked.done == []


def test_a_fault_of_ours_is_told_and_the_next_shape_is_taken() -> None:
    def fails(clock: Any) -> int:
        raise ValueError("what was that")

    specialisation = Specialisation(lambda: None)
    specialisation.ask("one", fails)
    specialisation.wait()
    specialisation.ask("two", lambda clock: 3)
    specialisation.wait()
    first, second = specialisation.done
    assert (first.error, second.error, second.kernels) == ("internal error: ValueError: what was that", "", 3)
