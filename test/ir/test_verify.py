"""What holds between operations: order of definition and use, types along branches, isolation, terminators."""

from __future__ import annotations

import pytest

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.registry import make_context
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.verify import verify


def check(text: str) -> None:
    verify(parse_module(text, make_context(allow_unregistered=True), name="a.mlir"))


GOOD = [
    "func.func @f(%a: i32) -> i32 {\n %0 = arith.addi %a, %a : i32\n return %0 : i32 }",
    # a value of the entry block is visible in every block, one of the loop header in the loop
    """func.func @loop(%n: index) {
      %zero = arith.constant 0 : index
      cf.br ^header(%zero : index)
    ^header(%i: index):
      %more = arith.cmpi slt, %i, %n : index
      cf.cond_br %more, ^body, ^exit
    ^body:
      %next = arith.addi %i, %n : index
      cf.br ^header(%next : index)
    ^exit:
      return
    }""",
    # blocks in an order that is not that of dominance
    """func.func @f() {
      cf.br ^first
    ^second:
      "test.use"(%x) : (i32) -> ()
      return
    ^first:
      %x = arith.constant 1 : i32
      cf.br ^second
    }""",
    # unreachable code may use anything
    """func.func @f() {
      return
    ^dead:
      "test.use"(%y) : (i32) -> ()
      %y = arith.constant 1 : i32
      cf.br ^dead
    }""",
    # the module is a graph region
    """"test.use"(%z) : (i32) -> ()\n%z = arith.constant 1 : i32""",
]

BAD = [
    (
        "func.func @f(%a: i32) -> i32 {\n  %0 = arith.addi %1, %a : i32\n  %1 = arith.addi %a, %a : i32\n  return %0 : i32\n}",
        "a.mlir:2:8: error: 'arith.addi' op operand #0 does not dominate this use",
    ),
    (
        "func.func @f(%c: i1) {\n  cf.cond_br %c, ^a, ^b\n^a:\n  %0 = arith.constant 1 : i32\n  cf.br ^b\n^b:\n"
        '  "test.use"(%0) : (i32) -> ()\n  return\n}',
        "a.mlir:7:3: error: 'test.use' op operand #0 does not dominate this use",
    ),
    (
        "func.func @f(%a: i32) {\n  cf.br ^b(%a : i32)\n^b(%x: i64):\n  return\n}",
        "a.mlir:2:3: error: 'cf.br' op type mismatch for bb argument #0 of successor #0: i32, not i64",
    ),
    (
        '%0 = arith.constant 1 : i32\nfunc.func @f() {\n  "test.use"(%0) : (i32) -> ()\n  return\n}',
        "a.mlir:3:3: error: 'test.use' op uses a value from outside",
    ),
    ("func.func @f() {\n  return\n  func.return\n}", "a.mlir:2:3: error: 'func.return' op must be the last operation in the parent block"),
    (
        "func.func @f() {\n  %0 = arith.constant 1 : i32\n}",
        "a.mlir:2:8: error: block with no terminator, has",
    ),
    ('func.func @f() {\n  "arith.addi"() : () -> ()\n  return\n}', "a.mlir:2:3: error: 'arith.addi' op "),
]


@pytest.mark.parametrize("text", GOOD)
def test_accepts(text: str):
    check(text)


@pytest.mark.parametrize(("text", "message"), BAD)
def test_rejects(text: str, message: str):
    with pytest.raises(CompileError) as caught:
        check(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_the_error_shows_the_operation_and_the_definition():
    with pytest.raises(CompileError) as caught:
        check(BAD[0][0])
    assert caught.value.__notes__ == [
        'see current operation: %0 = "arith.addi"(%1, %a) <{overflowFlags = #arith.overflow<none>}> : (i32, i32) -> i32',
        "a.mlir:3:8: note: operand defined here",
    ]
