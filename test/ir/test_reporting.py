"""Remarks and warnings: who gets them, and that `--verify-diagnostics` sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from xdsl.context import Context
from xdsl.ir import Operation

from stepwell.ir.diagnostics import Diagnostic, handling, report
from stepwell.ir.reporting import remark, warning
from stepwell.ir.transforms.canonicalize import Canonicalize
from stepwell.tools.mlopt.__main__ import main

TEXT = """func.func @f(%x: i32) -> i32 {
  // expected-remark@+2 {{doubled}}
  // expected-note@+1 {{by this}}
  %0 = arith.addi %x, %x : i32
  // expected-warning@+1 {{leaves}}
  return %0 : i32
}
"""


def talk(self: Any, op: Operation, ctx: Context) -> None:
    for inner in op.walk():
        if inner.name == "arith.addi":
            remark(inner, "value is doubled", notes=[(inner, "by this operation")])
        if inner.name == "func.return":
            warning(inner, "control leaves here")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Canonicalize, "run", talk)
    path = tmp_path / "a.mlir"
    path.write_text(TEXT)
    return path


def test_a_pass_may_speak(file: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(file), "--canonicalize"]) == 0
    err = capsys.readouterr().err
    assert f"{file}:4:8: remark: value is doubled\n  %0 = arith.addi %x, %x : i32\n       ^\n{file}:4:8: note: by this operation\n" in err
    assert (
        f'{file}:6:3: warning: control leaves here\n  return %0 : i32\n  ^\n{file}:6:3: note: see current operation: "func.return"' in err
    )


def test_expectations_see_it(file: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(file), "--canonicalize", "--verify-diagnostics"]) == 0
    file.write_text(TEXT.replace("expected-warning", "expected-error"))
    assert main([str(file), "--canonicalize", "--verify-diagnostics"]) == 1
    assert "error: 'warning' diagnostic emitted when expecting a 'error'" in capsys.readouterr().err
    file.write_text(TEXT.replace("  // expected-warning@+1 {{leaves}}\n", ""))
    assert main([str(file), "--canonicalize", "--verify-diagnostics"]) == 1
    assert "error: unexpected warning: control leaves here" in capsys.readouterr().err


def test_verbosity(file: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(file), "--canonicalize", "--mlir-diagnostic-verbosity-level=warnings"]) == 0
    err = capsys.readouterr().err
    assert "remark" not in err
    assert "warning" in err


def test_handlers_nest(capsys: pytest.CaptureFixture[str]):
    outer: list[Diagnostic] = []
    inner: list[Diagnostic] = []
    with handling(outer.append):
        with handling(inner.append):
            report(Diagnostic("remark", "a"))
        report(Diagnostic("remark", "b"))
    report(Diagnostic("warning", "c", "f:1:2"))
    assert ([d.message for d in inner], [d.message for d in outer]) == (["a"], ["b"])
    assert capsys.readouterr().err == "f:1:2: warning: c\n"
