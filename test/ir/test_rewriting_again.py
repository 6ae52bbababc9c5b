"""What the greedy driver visits again, and what it leaves to the simplification of regions."""

from __future__ import annotations

import gc

import pytest
from xdsl.dialects import arith, func
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from stepwell.ir.registry import find_pass, make_context
from stepwell.ir.rewrite.rewriting import rewrite_greedily
from stepwell.ir.text.parsing import parse_module
from stepwell.ir.text.printing import print_ir
from stepwell.ir.walking import operations_in


def test_operations_in_is_walk() -> None:
    text = "func.func @f(%x: i1) { scf.if %x { scf.if %x { func.call @f(%x) : (i1) -> () } } cf.br ^bb1 ^bb1: return }"
    module = parse_module(text, make_context())
    assert operations_in(module) == list(module.walk())[1:]


def test_functions_in_which_nothing_changed_are_visited_once() -> None:
    class Double(RewritePattern):
        def __init__(self) -> None:
            self.visited: list[str] = []

        @op_type_rewrite_pattern
        def match_and_rewrite(self, op: arith.MuliOp, rewriter: PatternRewriter) -> None:
            function = op.parent_op()
            assert isinstance(function, func.FuncOp)
            self.visited.append(function.sym_name.data)
            if function.sym_name.data == "a" and len(self.visited) < 3:
                op.attributes["seen"] = op.properties.get("overflowFlags", arith.IntegerOverflowAttr("none"))
                rewriter.handle_operation_modification(op)
                rewriter.has_done_action = True

    text = "".join(f"func.func @{name}(%x: i32) -> i32 {{ %y = arith.muli %x, %x : i32  return %y : i32 }}\n" for name in "ab")
    pattern = Double()
    assert rewrite_greedily(parse_module(text, make_context()), [pattern])
    assert pattern.visited.count("b") == 1
    assert pattern.visited.count("a") > 2


def test_values_that_need_only_each_other_go_around_loops_of_blocks_and_where_there_is_no_order() -> None:
    around = """func.func @f(%c: i1, %x: i32) {
  cf.br ^bb1(%x : i32)
^bb1(%y: i32):
  %z = arith.addi %y, %x : i32
  cf.cond_br %c, ^bb1(%z : i32), ^bb2
^bb2:
  return
}"""
    unordered = (
        '"builtin.module"() ({ %a = "arith.addi"(%b, %b) : (i32, i32) -> i32 %b = "arith.addi"(%a, %a) : (i32, i32) -> i32 }) : () -> ()'
    )
    for text in (around, unordered):
        context = make_context()
        module = parse_module(text, context)
        find_pass("canonicalize")().run(module, context)
        assert "arith.addi" not in print_ir(module)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_left_as_it_was(enabled: bool) -> None:
    was = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        rewrite_greedily(parse_module("func.func @f() { return }", make_context()), [])
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()
