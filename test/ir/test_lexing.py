"""The fast lexer gives xDSL's tokens; statements that were read before are read the same again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from xdsl.utils.exceptions import ParseError
from xdsl.utils.lexer import Input
from xdsl.utils.mlir_lexer import MLIRLexer, MLIRTokenKind

from stepwell.ir.registry import make_context
from stepwell.ir.text.lexing import FastLexer
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.text.printing import PrintOptions, print_ir
from stepwell.ir.text.statements import Statements

FILES = sorted(Path(__file__).parents[1].rglob("*.mlir"))


def tokens(lexer: MLIRLexer) -> list[tuple[MLIRTokenKind, str, int, int]]:
    found: list[tuple[MLIRTokenKind, str, int, int]] = []
    while True:
        token = lexer.lex()
        if token.kind is MLIRTokenKind.EOF:
            return found
        found.append((token.kind, token.text, token.span.start, token.span.end))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_tokens_are_those_of_xdsl(file: Path):
    text = file.read_text()
    assert tokens(FastLexer(Input(text, "a"))) == tokens(MLIRLexer(Input(text, "a")))


def test_rare_tokens():
    text = '0xi32 0x1F 1. 1.5e-3 4x?xf32 -> - ... @"a b" @c #a.b !x.y<> ^bb0 "\\\\" "\\FF" "\\41" {-# #-} { # comment'
    for source in (text.partition(" # ")[0], text.replace(" # ", " // ")):
        assert tokens(FastLexer(Input(source, "a"))) == tokens(MLIRLexer(Input(source, "a")))


@pytest.mark.parametrize("text", ["`", '"open', '@"open', "..", "@ x", "%", '"\\q"'])
def test_what_is_no_token_is_refused(text: str):
    with pytest.raises(ParseError):
        tokens(FastLexer(Input(text, "a")))


def test_an_open_string_takes_linear_time():
    began = time.process_time()
    with pytest.raises(ParseError):
        tokens(FastLexer(Input('"' + "[" * 200000, "a")))
    assert time.process_time() - began < 30


TEXT = """
func.func @f(%a: i32, %b: i32, %c: i64, %m: memref<4xi32>, %i: index) -> i32 {
  %0 = arith.addi %a, %b : i32
  %1 = arith.addi %0, %a : i32
  %2 = arith.addi %c, %c : i64
  %named = arith.addi %0, %0 : i32
  %3 = arith.cmpi slt, %0, %1 : i32
  %4 = arith.cmpi sge, %0, %1 : i32
  %5 = arith.select %3, %0, %1 : i32
  %6 = arith.select %4, %1, %0 : i32
  %7 = memref.load %m[%i] : memref<4xi32>
  %8 = memref.load %m[%i] : memref<4xi32>
  memref.store %7, %m[%i] : memref<4xi32>
  memref.store %8, %m[%i] : memref<4xi32>
  %9 = arith.addi %7, %8 : i32
    loc("elsewhere")
  %11 = arith.addi %7, %8
    : i32
  %10 = affine.load %m[%i] : memref<4xi32>
  %j = affine.apply affine_map<(d0, d1) -> (d0 + d1)>(%i, %i)
  return %9 : i32
}
func.func @g(%a: i32, %b: i32) -> i32 {
  %0 = arith.addi %b, %a : i32
  return %0 : i32
}
"""


def test_repeated_lines_mean_what_they_mean(monkeypatch: pytest.MonkeyPatch):
    def text_of() -> str:
        return print_ir(parse_module(TEXT, make_context(), name="a"), PrintOptions(generic=True, debuginfo=True))

    fast = text_of()
    monkeypatch.setattr(Statements, "at", lambda self, start, dialect: None)  # pyright: ignore[reportUnknownLambdaType]
    assert fast == text_of()


def test_every_file_reads_the_same_with_and_without(monkeypatch: pytest.MonkeyPatch):
    def texts() -> list[str]:
        found: list[str] = []
        for file in FILES:
            for piece in file.read_text().split("// -----"):
                try:
                    module = parse_module(piece, make_context(), name="a")
                except Exception as error:
                    found.append(str(error))
                else:
                    found.append(print_ir(module, PrintOptions(generic=True, debuginfo=True)))
        return found

    fast = texts()
    monkeypatch.setattr(Statements, "at", lambda self, start, dialect: None)  # pyright: ignore[reportUnknownLambdaType]
    assert fast == texts()
    assert len(fast) > 100
