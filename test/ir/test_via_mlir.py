"""A real MLIR at work on our IR. Skipped, with a reason, where none is installed."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from stepwell.ir import via_mlir
from stepwell.tools.mlopt.__main__ import main

TEXT = """func.func @f(%x: i32) -> i32 {
  %c0 = arith.constant 0 : i32
  %a = arith.addi %x, %c0 : i32
  return %a : i32
}
"""
installed = os.environ.get(via_mlir.VARIABLE) or find_spec("torch_mlir") is not None or shutil.which("mlir-opt")
needs_mlir = pytest.mark.skipif(not installed, reason="no real MLIR is installed (torch-mlir, mlir-opt or STEPWELL_MLIR_OPT)")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "f.mlir"
    path.write_text(TEXT)
    return path


@needs_mlir
def test_a_pass_of_mlir_runs_and_locations_come_back(file: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(file), "--via-mlir=canonicalize", "--mlir-print-debuginfo"]) == 0
    out = capsys.readouterr().out
    assert "arith" not in out
    assert "f.mlir" in out
    assert "4:3" in out


@needs_mlir
def test_it_stands_between_passes_of_ours(file: Path, capsys: pytest.CaptureFixture[str]):
    pipeline = "builtin.module(cse,via-mlir{pipeline=convert-func-to-llvm},canonicalize)"
    assert main([str(file), f"--pass-pipeline={pipeline}", "--verify-with-mlir"]) == 0
    assert "llvm.func @f" in capsys.readouterr().out


@needs_mlir
def test_what_mlir_says_is_one_diagnostic(file: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(file), "--via-mlir=no-such-pass"]) == 1
    err = capsys.readouterr().err
    assert "error: the real MLIR: 'no-such-pass' does not refer to a registered pass or pass pipeline" in err
    assert "Traceback" not in err


@needs_mlir
def test_the_second_opinion_names_the_pass(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    from xdsl.context import Context
    from xdsl.ir import Operation

    def spoil(self: object, op: Operation, ctx: Context) -> None:
        function = next(inner for inner in op.walk() if inner.name == "func.func")
        del function.properties["sym_name"]

    monkeypatch.setattr("stepwell.ir.transforms.canonicalize.Canonicalize.run", spoil)
    assert main([str(file), "--canonicalize", "--verify-each=0", "--verify-with-mlir"]) == 1
    err = capsys.readouterr().err
    assert "f.mlir:1:1: error: after pass 'canonicalize', the real MLIR:" in err
    assert "sym_name" in err


def test_without_mlir_one_line_says_what_to_do(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(via_mlir.VARIABLE, raising=False)
    monkeypatch.setattr(via_mlir, "find_spec", lambda name: None)  # pyright: ignore
    monkeypatch.setenv("PATH", "")
    via_mlir._installed.cache_clear()  # pyright: ignore
    try:
        assert main([str(file), "--via-mlir=cse"]) == 1
    finally:
        via_mlir._installed.cache_clear()  # pyright: ignore
    assert "error: no real MLIR is installed (pip install --no-deps torch-mlir, or set STEPWELL_MLIR_OPT" in capsys.readouterr().err


def test_a_program_that_is_not_there(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(via_mlir.VARIABLE, "/no/such/mlir-opt")
    assert main([str(file), "--via-mlir=cse"]) == 1
    assert "error: cannot run '/no/such/mlir-opt'" in capsys.readouterr().err


def test_a_program_that_fails_without_a_word(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    program = tmp_path / "mlir-opt"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv(via_mlir.VARIABLE, str(program))
    assert main([str(file), "--via-mlir=cse"]) == 1
    assert "error: the real MLIR ended with status 3" in capsys.readouterr().err
