"""Code generation in other processes: the same code, the same errors, nothing left behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

import stepwell
from stepwell.backends.cpu.code_workers import EACH, FEW, CodeWorkers, number_of_processes
from stepwell.backends.cpu.codegen import compile_llvm_ir
from stepwell.backends.cpu.support import compile_support
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.machine.target import Target

TARGET = Target.host()
MANY = 10 * EACH
SOUND = "define i32 @f(i32 %x) {\n  %y = mul i32 %x, 3\n  ret i32 %y\n}\n"
FATAL = """
declare <2 x i64> @llvm.aarch64.crypto.sha512h(<2 x i64>, <2 x i64>, <2 x i64>)
define <2 x i64> @f(<2 x i64> %x) {
  %y = call <2 x i64> @llvm.aarch64.crypto.sha512h(<2 x i64> %x, <2 x i64> %x, <2 x i64> %x)
  ret <2 x i64> %y
}
"""


def workers(count: int, monkeypatch: pytest.MonkeyPatch) -> CodeWorkers:
    monkeypatch.setenv("STEPWELL_COMPILE_PROCESSES", str(count))
    started = CodeWorkers.start(TARGET, MANY)
    assert started is not None
    return started


def children() -> list[int]:
    """The processes that this one has not waited for."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            if path.read_text().rpartition(")")[2].split()[1] == str(os.getpid()):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_code_and_reports_are_those_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {f"f{i}": SOUND.replace("3", str(i)).replace("@f", f"@f{i}") for i in range(20)}
    before = children()
    with workers(2, monkeypatch) as pool:
        results = {name: pool.generate(name, text) for name, text in texts.items()}
        support = pool.generate_support(SOUND)
        assert len(children()) == len(before) + 2
        for name, result in results.items():
            assert result() == compile_llvm_ir(texts[name], TARGET)
        assert support() == compile_support(SOUND)
    assert children() == before


def test_what_llvm_refuses_is_the_same_error(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = SOUND.replace("mul i32", "mul f32")
    with pytest.raises(CompileError) as here:
        compile_llvm_ir(bad, TARGET)
    with workers(1, monkeypatch) as pool:
        refused, sound = pool.generate("bad", bad), pool.generate("good", SOUND)
        with pytest.raises(CompileError) as there:
            refused()
        assert str(there.value) == str(here.value)
        assert sound()[0]


@pytest.mark.skipif(not TARGET.is_x86, reason="the module aborts LLVM for x86")
def test_a_crash_of_llvm_is_an_error_that_names_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    before = children()
    with workers(2, monkeypatch) as pool:
        fatal, sound = pool.generate("fatal", FATAL), pool.generate("sound", SOUND)
        with pytest.raises(CompileError, match=r"generating code for 'fatal' crashed: the process was ended by SIGABRT.*Cannot select"):
            fatal()
        assert sound()[0]
    assert children() == before


def test_leaving_early_ends_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    before = children()

    def interrupted() -> None:
        with workers(2, monkeypatch) as pool:
            for i in range(6):
                pool.generate(f"f{i}", SOUND)
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert children() == before


def test_a_process_that_does_not_come_up_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepwell.backends.cpu.code_workers._START", "raise SystemExit(3)")
    with workers(1, monkeypatch) as pool:
        assert pool.generate("f", SOUND)() == compile_llvm_ir(SOUND, TARGET)


@pytest.mark.parametrize("executable", [None, "", "/usr/bin/my-application"])
def test_only_python_is_started(executable: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that Python is embedded in would start itself."""
    monkeypatch.setenv("STEPWELL_COMPILE_PROCESSES", "2")
    monkeypatch.setattr(sys, "executable", executable)
    assert CodeWorkers.start(TARGET, MANY) is None


def test_where_nothing_can_be_started_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_COMPILE_PROCESSES", "2")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert CodeWorkers.start(TARGET, MANY) is None


@pytest.mark.parametrize("text", ["-1", "two", "17", "1.5", "³"])
def test_the_number_is_checked(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_COMPILE_PROCESSES", text)
    with pytest.raises(CompileError, match="STEPWELL_COMPILE_PROCESSES must be a number from 0 to 16"):
        number_of_processes()


def test_few_kernels_are_compiled_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_COMPILE_PROCESSES", "2")
    assert CodeWorkers.start(TARGET, FEW) is None


def many_kernels() -> bytes:
    """A model of more kernels than are compiled here."""
    operators = ["Exp", "Tanh", "Sigmoid", "Sqrt", "Erf", "Sin", "Cos", "Softplus", "Abs"]
    rng = np.random.default_rng(0)
    nodes: list[NodeProto] = []
    weights: list[TensorProto] = []
    value = "x"
    for i, operator in enumerate(operators):
        weights.append(numpy_helper.from_array(rng.uniform(0.1, 0.2, (8, 8)).astype(np.float32), f"w{i}"))
        nodes += [helper.make_node("MatMul", [value, f"w{i}"], [f"m{i}"]), helper.make_node(operator, [f"m{i}"], [f"v{i}"])]
        value = f"v{i}"
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [8, 8]) for name in ("x", value)]
    graph = helper.make_graph(nodes, "g", tensors[:1], tensors[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString()


def test_a_program_is_the_same_wherever_its_code_was_generated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    programs: list[stepwell.Program] = []
    for count in ("0", "1", "2"):
        monkeypatch.setenv("STEPWELL_COMPILE_PROCESSES", count)
        monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path / count))
        programs.append(stepwell.compile(many_kernels()))
    assert programs[0].image.facts["kernels_compiled"] > FEW
    x = np.full((8, 8), 0.5, np.float32)
    first = next(iter(programs[0](x).values()))
    for program in programs[1:]:
        assert program.image.objects == programs[0].image.objects
        np.testing.assert_array_equal(next(iter(program(x).values())), first)


def test_a_crash_during_a_compilation_leaves_no_program_in_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEPWELL_COMPILE_PROCESSES", "2")
    monkeypatch.setenv("STEPWELL_CACHE_DIR", str(tmp_path))
    before = children()
    with monkeypatch.context() as patch:

        def emit(*_: object) -> str:
            return FATAL

        patch.setattr("stepwell.lowering.machine.convert_kernels_to_llvm.emit_llvm_ir", emit)
        with pytest.raises(CompileError, match="crashed"):
            stepwell.compile(many_kernels())
    assert children() == before
    assert not list(tmp_path.rglob("*.program"))
    assert not list(tmp_path.rglob("*.tmp"))
    assert stepwell.compile(many_kernels())
