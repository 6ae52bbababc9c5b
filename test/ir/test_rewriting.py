"""The greedy driver reaches the fixed point, keeps locations, and names patterns that never stop; the walk visits everything once."""

from __future__ import annotations

import pytest
from xdsl.dialects import arith
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, IntegerAttr, ModuleOp, StringAttr, i32
from xdsl.ir import Operation
from xdsl.parser import Parser
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.registry import make_context
from stepwell.ir.rewrite.pattern_set import CanonicalPatterns, matched_classes
from stepwell.ir.rewrite.rewriting import rewrite_greedily, walk_and_rewrite


def parse(text: str) -> ModuleOp:
    return Parser(make_context(), text).parse_module()


def body(module: ModuleOp) -> list[str]:
    """The op names inside the module's functions, in order."""
    return [op.name for op in module.walk() if op.name not in ("builtin.module", "func.func")]


class AddToMul(RewritePattern):
    """x + y -> x * y"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.AddiOp, rewriter: PatternRewriter) -> None:
        rewriter.replace(op, arith.MuliOp(op.lhs, op.rhs))


class MulToAdd(RewritePattern):
    """x * y -> x + y"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.MuliOp, rewriter: PatternRewriter) -> None:
        rewriter.replace(op, arith.AddiOp(op.lhs, op.rhs))


class AnyBinary(RewritePattern):
    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.AddiOp | arith.SubiOp, rewriter: PatternRewriter) -> None:
        rewriter.replace(op, arith.MuliOp(op.lhs, op.rhs))


class CountForever(RewritePattern):
    """Modifies an attribute in place, again and again."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.ConstantOp, rewriter: PatternRewriter) -> None:
        op.attributes["n"] = IntegerAttr(1, i32)
        rewriter.notify_op_modified(op)


class Undecorated(RewritePattern):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        self.seen.append(op.name)


ADD_CHAIN = """
func.func @f(%x: i32) -> i32 {
  %0 = arith.addi %x, %x : i32
  %1 = arith.subi %x, %0 : i32
  return %1 : i32
}
"""


def test_pattern_classes_come_from_the_annotation():
    assert matched_classes(AddToMul()) == (arith.AddiOp,)
    assert matched_classes(AnyBinary()) == (arith.AddiOp, arith.SubiOp)
    assert matched_classes(Undecorated()) == (Operation,)


def test_greedy_applies_unions_to_a_fixed_point():
    module = parse(ADD_CHAIN)
    assert rewrite_greedily(module, [AnyBinary()])
    assert body(module) == ["arith.muli", "arith.muli", "func.return"]
    assert not rewrite_greedily(module, [AnyBinary()])


def test_greedy_sees_every_class_for_an_open_annotation():
    module = parse(ADD_CHAIN)
    pattern = Undecorated()
    assert not rewrite_greedily(module, [pattern])
    assert pattern.seen == ["func.func", "arith.addi", "arith.subi", "func.return"]


def test_greedy_erases_dead_chains_and_keeps_effects():
    module = parse("""
func.func @f(%m: memref<4xi32>, %i: index) {
  %0 = arith.constant 1 : i32
  %1 = arith.addi %0, %0 : i32
  %2 = memref.load %m[%i] : memref<4xi32>
  %3 = arith.muli %1, %2 : i32
  memref.store %0, %m[%i] : memref<4xi32>
  return
}""")
    assert rewrite_greedily(module, [], fold=False)
    assert body(module) == ["arith.constant", "memref.store", "func.return"]


def test_greedy_folds_through_the_dialects_constants():
    text = "func.func @f() -> i32 { %0 = arith.constant 2 : i32 %1 = arith.addi %0, %0 : i32 %2 = arith.muli %1, %1 : i32 return %2 : i32 }"
    module = parse(text)
    assert rewrite_greedily(module, [])
    (constant,) = (op for op in module.walk() if isinstance(op, arith.ConstantOp))
    assert constant.value == IntegerAttr(16, i32)
    unfolded = parse(text)
    assert not rewrite_greedily(unfolded, [], fold=False)


def test_canonical_patterns_are_those_that_ops_name():
    module = parse("func.func @f(%x: i32) -> i32 { %0 = arith.constant 0 : i32 %1 = arith.addi %x, %0 : i32 return %1 : i32 }")
    assert rewrite_greedily(module, CanonicalPatterns([]))
    assert body(module) == ["func.return"]


def test_created_operations_inherit_the_location():
    module = parse(ADD_CHAIN)
    location = FileLineColLoc(StringAttr("model.onnx"), IntAttr(7), IntAttr(3))
    for op in module.walk():
        if isinstance(op, arith.AddiOp):
            op.location = location
    rewrite_greedily(module, [AddToMul()])
    (product,) = (op for op in module.walk() if isinstance(op, arith.MuliOp))
    assert product.location == location


def test_patterns_that_undo_each_other_are_named_with_their_place():
    module = parse(ADD_CHAIN)
    for op in module.walk():
        op.location = FileLineColLoc(StringAttr("a.mlir"), IntAttr(3), IntAttr(8))
    with pytest.raises(CompileError) as caught:
        rewrite_greedily(module, [AddToMul(), MulToAdd()])
    assert str(caught.value).startswith("a.mlir:3:8: error: patterns 'AddToMul' and 'MulToAdd' undo each other: ")


def test_a_pattern_that_never_stops_is_named():
    module = parse("func.func @f() -> i32 { %0 = arith.constant 2 : i32 return %0 : i32 }")
    with pytest.raises(CompileError, match="pattern 'CountForever' applies to its own result"):
        rewrite_greedily(module, [CountForever()])


def test_walk_visits_what_was_there_once():
    module = parse(ADD_CHAIN)
    assert walk_and_rewrite(module, [AddToMul(), MulToAdd()])
    assert body(module) == ["arith.muli", "arith.subi", "func.return"]


def test_walk_skips_what_a_pattern_erased():
    class EraseFunctionBody(RewritePattern):
        def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
            if op.name == "func.func":
                rewriter.erase(op)

    module = parse(ADD_CHAIN)
    pattern = Undecorated()
    assert walk_and_rewrite(module, [EraseFunctionBody(), pattern])
    assert pattern.seen == []


def test_a_long_chain_of_folds_is_not_a_cycle():
    lines = "\n".join(f"%{i + 1} = arith.addi %{i}, %one : i32" for i in range(300))
    module = parse(f"func.func @f() -> i32 {{\n%one = arith.constant 1 : i32\n%0 = arith.constant 0 : i32\n{lines}\nreturn %300 : i32\n}}")
    assert rewrite_greedily(module, [], max_iterations=2)
    assert body(module) == ["arith.constant", "func.return"]
