"""The driver of a compilation: passes are aimed at the processor, kernels are compiled once, steps are counted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "end_to_end"))

from small_models import SMALL_MODELS, Model

from stepwell.api import compile as compile_model
from stepwell.api import print_level
from stepwell.backends.cpu.clock import Clock
from stepwell.backends.cpu.compile import count_steps, pipeline
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.machine.target import Target


def target(vector_bytes: int) -> Target:
    return Target("x86_64-unknown-linux-gnu", "x86-64-v4", ("+avx512f", "+fma"), vector_bytes)


def test_passes_are_told_the_width_of_vector_registers() -> None:
    for vector_bytes in (16, 32, 64):
        steps = [step for step in pipeline("stepwell-cpu", target(vector_bytes)).passes() if hasattr(step, "vector_bytes")]
        assert {step.name for step in steps} == {"choose-schedule", "convert-kernels-to-llvm", "nn-choose-convolution"}
        assert all(getattr(step, "vector_bytes") == vector_bytes for step in steps)


def test_the_schedule_fits_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    schedules: list[str] = []
    for vector_bytes in (32, 64):
        monkeypatch.setattr(Target, "host", staticmethod(lambda width=vector_bytes: target(width)))
        text = print_level(SMALL_MODELS["attention"]()[0], "linalg", elide=4)
        schedules.append("\n".join(line for line in text.splitlines() if "schedule = " in line))
    assert schedules[0] != schedules[1]


def stretched(model: Model, rows: int) -> bytes:
    """The model with another first extent of its input."""
    model[0].graph.input[0].type.tensor_type.shape.dim[0].dim_value = rows
    model[0].graph.output[0].type.tensor_type.shape.dim[0].dim_value = rows
    return model[0].SerializeToString()


def test_kernels_in_the_cache_are_not_compiled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path))
    first = compile_model(stretched(SMALL_MODELS["mlp"](), 840)).report().facts
    assert (first["kernels_compiled"], first["kernels_reused"]) == (3, 0)
    other = compile_model(stretched(SMALL_MODELS["mlp"](), 1680)).report().facts
    assert (other["kernels_compiled"], other["kernels_reused"]) == (0, 3)


def test_a_pass_is_one_step_however_often_it_runs() -> None:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.dialects.func import FuncOp

    from stepwell.ir.manager.pass_manager import parse_pipeline
    from stepwell.ir.registry import make_context

    seen: list[tuple[str, int, int]] = []
    clock = Clock(lambda *step: seen.append(step), 3)
    module = ModuleOp([FuncOp.external(name, [], []) for name in ("f", "g")])
    parse_pipeline("builtin.module(cse,func.func(cse),cse)").run(module, make_context(), [clock])
    clock.show("done")
    assert seen == [("cse", 0, 3), ("cse", 1, 3), ("cse", 2, 3), ("cse", 2, 3), ("done", 3, 3)]
    assert clock.seconds["cse"] > 0
    assert clock.doing == "the CPU backend"
    with pytest.raises(ZeroDivisionError), clock.measure("divide"):
        _ = 1 / 0
    assert clock.doing == "step 'divide'"


def test_steps_are_counted() -> None:
    assert count_steps() > 30


def test_modules_that_are_no_program() -> None:
    from xdsl.dialects.builtin import ModuleOp

    from stepwell.backends.cpu.cache import ObjectCache
    from stepwell.backends.cpu.compile import compile_module
    from stepwell.ir.registry import make_context

    with pytest.raises(CompileError, match="the module has no function @main"):
        compile_module(ModuleOp([]), make_context(), store=ObjectCache(None))
