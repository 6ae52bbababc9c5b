"""`mlopt` as a function: exit status, what goes where, and that no input makes it print a traceback."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.tools.mlopt import hooks
from stepwell.tools.mlopt.__main__ import main
from stepwell.tools.mlopt.expected import expectations
from stepwell.tools.mlopt.split import near_misses, split

FUNCTION = "func.func @f(%x: i32) -> i32 {\n  %c = arith.constant 0 : i32\n  %0 = arith.addi %x, %c : i32\n  return %0 : i32\n}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "f.mlir"
    path.write_text(FUNCTION)
    return path


def test_prints_to_a_file(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(file), "--canonicalize", "-o", str(tmp_path / "out")]) == 0
    assert "arith" not in (tmp_path / "out").read_text()
    assert capsys.readouterr().out == ""


def test_reads_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys, "stdin", io.StringIO("func.func @f( {"))
    assert main([]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("<stdin>:1:15: error: ")


@pytest.mark.parametrize(
    "text",
    [
        "\0",
        "}",
        '"',
        "func.func @f() { return } }",
        "%0 = ",
        '"builtin.module"() : () -> ()',
        "#x = dense<",
        "{-#",
        "module { module { ",
        "é" * 9,
    ],
)
def test_bad_text_is_answered_in_one_line(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "bad.mlir"
    path.write_text(text)
    assert main([str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{path}:1:" in err
    assert "Traceback" not in err
    assert "internal error" not in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a", "b"], "mlopt: error: one input file is enough, but there are 2: a b"),
        (["--cse", "--pass-pipeline=cse"], "mlopt: error: passes are given both as flags and as --pass-pipeline"),
        (["--cse", "--mlir-print-ir-after=nope"], "mlopt: error: 'nope' does not refer to a registered pass"),
        (["--mlir-print-ir-before=canonicalise"], "does not refer to a registered pass (did you mean 'canonicalize'"),
        (["--pass-pipeline="], "expected pass pipeline to be wrapped with the anchor operation type, e.g. 'builtin.module(...)'"),
        (["--verify-each=maybe"], "mlopt: error: --verify-each is true or false, not 'maybe'"),
        (["--pass-pipeline"], "mlopt: error: --pass-pipeline needs a value: --pass-pipeline=PIPELINE"),
        (["--mlir-elide-elementsattrs-if-larger=x"], "mlopt: error: --mlir-elide-elementsattrs-if-larger needs a number, not 'x'"),
        (["--canonicalize=max-iterations=x"], "error: option 'max-iterations' of 'canonicalize' must be integer, not 'x'"),
    ],
)
def test_bad_command_lines(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    assert main(arguments) == 1
    assert message in capsys.readouterr().err


def test_what_cannot_be_written(file: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(file), "--cse", "--mlir-print-ir-after-all", "--mlir-print-ir-tree-dir=/dev/null/x"]) == 1
    assert "mlopt: error: cannot write '/dev/null/x/" in capsys.readouterr().err
    with Path("/dev/full").open("w") as full:
        status = subprocess.run([sys.executable, "-m", "stepwell.tools.mlopt", str(file)], stdout=full, stderr=subprocess.PIPE, check=False)
    assert (status.returncode, status.stderr) == (1, b"mlopt: error: cannot write the output: No space left on device\n")


def test_a_text_of_comments_is_an_empty_module(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "empty.mlir"
    path.write_text("// nothing\n")
    assert main([str(path)]) == 0
    assert capsys.readouterr().out == "module {\n}\n"


def test_bytes_that_are_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x08\x07\xff\xfe")
    assert main([str(path)]) == 1
    assert "is not text (mlopt reads MLIR text; `stepwell` reads models)" in capsys.readouterr().err


def test_a_bug_is_reported_without_a_traceback(file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def run(self: Pass, op: Any, ctx: Context) -> None:
        raise IndexError("list index out of range")

    monkeypatch.setattr("stepwell.ir.transforms.canonicalize.Canonicalize.run", run)
    assert main([str(file), "--canonicalize"]) == 1
    err = capsys.readouterr().err
    assert "mlopt: internal error: IndexError: list index out of range" in err
    assert "while running pass 'canonicalize' on 'builtin.module'" in err
    assert "Traceback" not in err
    with pytest.raises(IndexError):
        main([str(file), "--canonicalize", "--debug"])


def break_module(self: Pass, op: Any, ctx: Context) -> None:
    """Moves the last operation of the first function to its front: a use before its definition."""
    block = op.body.block.first_op.body.block
    addition = block.first_op.next_op
    addition.detach()
    block.insert_op_before(addition, block.first_op)


def test_verify_each_names_the_pass(file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("stepwell.ir.transforms.canonicalize.Canonicalize.run", break_module)
    assert main([str(file), "--canonicalize", "--mlir-print-ir-after-failure"]) == 1
    err = capsys.readouterr().err
    assert f"{file}:3:8: error: 'arith.addi' op operand #1 does not dominate this use\n  %0 = arith.addi %x, %c : i32\n       ^\n" in err
    assert "note: while running pass 'canonicalize'" in err
    assert "IR Dump After Canonicalizer Failed (canonicalize)" in err
    assert main([str(file), "--canonicalize", "--verify-each=0"]) == 0


class FakeValidator:
    """Complains when the constant is gone."""

    def __init__(self, module: ModuleOp, ctx: Context, seed: int = 0) -> None:
        self.seed = seed

    def check(self, module: ModuleOp, pass_name: str) -> None:
        if "arith.constant" not in str(module):
            raise CompileError(f"pass '{pass_name}' changed the result for seed {self.seed}")


def test_validate_each_asks_the_validator(file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(hooks, "resolve", {hooks.VALIDATOR: FakeValidator, hooks.SUMMARY: lambda validators: None}.__getitem__)
    assert main([str(file), "--cse", "--validate-each"]) == 0
    assert main([str(file), "--cse", "--canonicalize", "--validate-each=2"]) == 1
    assert "error: pass 'canonicalize' changed the result for seed 0" in capsys.readouterr().err


def test_expectations_are_read_from_comments():
    text = (
        "// expected-error@+2 {{a b}} expected-note@-1 {{c}}\n"
        "// expected-remark-re@unknown {{x{{[0-9]+}}y.}}\n"
        "f() // expected-warning {{d}}\n"
    )
    found = expectations(text, "a.mlir", first_line=10)
    assert [(e.kind, e.line) for e in found] == [("error", 12), ("note", 9), ("remark", None), ("warning", 12)]
    assert found[2].pattern.search("x12y.")
    assert not found[2].pattern.search("x12yz")
    with pytest.raises(CompileError, match=r"this expectation is not of the form"):
        expectations("// expected-error@+1 {a}", "a.mlir")


def test_pieces_know_their_first_line():
    pieces = split("a\n// -----\nb\nc\n  // -----  \nd", "// -----")
    assert [(piece.text, piece.first_line) for piece in pieces] == [("a\n", 1), ("b\nc\n", 3), ("d", 6)]
    assert list(near_misses("// -----\n// ----\n// ------\n// --- text", "// -----")) == [(2, 1), (3, 1)]


def test_start_up_imports_no_heavy_module():
    import subprocess

    program = (
        "import sys; from stepwell.tools.mlopt.__main__ import main; main(['--version']);"
        "print([m for m in ('numpy', 'llvmlite', 'onnx', 'rich', 'argparse', 'xdsl.dialects.linalg') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert output.splitlines()[-1] == "[]"


def test_integers_of_many_digits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Five thousand digits come out as they went in; of a hundred thousand and more, one line says that they are too many."""
    for digits, status in ((5000, 0), (150_000, 1)):
        file = tmp_path / "number.mlir"
        file.write_text(f"func.func private @f() attributes {{a = {'9' * digits} : i16777215}}\n")
        assert main([str(file)]) == status
        out, err = capsys.readouterr()
        if status == 0:
            assert "9" * digits in out
        else:
            assert err.splitlines()[0].endswith("error: integer constant has more than 100000 digits")
