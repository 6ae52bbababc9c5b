"""Actions: watchers see, count and refuse what drivers attempt; failures that change IR are reported; locations are fused."""

from __future__ import annotations

import pytest
from xdsl.dialects import arith
from xdsl.dialects.builtin import FusedLoc, IntegerAttr, i32
from xdsl.ir import Block, Operation, OpOperands
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.registry import make_context
from stepwell.ir.rewrite import actions
from stepwell.ir.rewrite.actions import DebugCounter, Watcher, match_failure, watching
from stepwell.ir.rewrite.mutations import MutationListener, listening
from stepwell.ir.rewrite.rewriting import rewrite_greedily, walk_and_rewrite
from stepwell.ir.text.parsing import parse_module

TEXT = """func.func @f(%x: i32, %y: i32) -> i32 {
  %0 = arith.addi %x, %y : i32
  %1 = arith.muli %0, %y : i32
  %2 = arith.subi %1, %x : i32
  return %2 : i32
}
"""
THREE = """func.func @f(%x: i32, %y: i32, %z: i32) -> (i32, i32) {
  %0 = arith.addi %x, %y : i32
  %1 = arith.subi %0, %z : i32
  %2 = arith.subi %z, %0 : i32
  return %1, %2 : i32, i32
}
"""


def parsed(text: str = TEXT):
    return parse_module(text, make_context(), name="f.mlir")


class Seen(Watcher):
    def __init__(self, checks: bool = False) -> None:
        self.ended: list[tuple[str, str, bool, str | None]] = []
        self.checks_failures = checks

    def ends(self, tag: str, name: str, op: Operation, changed: bool, reason: str | None) -> None:
        self.ended.append((name, op.name, changed, reason))


class SubToAdd(RewritePattern):
    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.SubiOp, rewriter: PatternRewriter) -> None:
        rewriter.replace(op, arith.AddiOp(op.lhs, op.rhs))


class Choosy(RewritePattern):
    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.MuliOp, rewriter: PatternRewriter) -> None:
        return match_failure("the factor is not constant")


class Sneaky(RewritePattern):
    """Changes an operand and tells nobody."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.MuliOp, rewriter: PatternRewriter) -> None:
        op.operands[0] = op.operands[1]


class SneakyAttribute(RewritePattern):
    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.MuliOp, rewriter: PatternRewriter) -> None:
        op.attributes["seen"] = IntegerAttr(1, i32)


class Contract(RewritePattern):
    """(x * y) - z, the product being used once: both go, one operation comes."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.SubiOp, rewriter: PatternRewriter) -> None:
        product = op.lhs.owner
        if isinstance(product, arith.MuliOp):
            new = arith.AddiOp(product.lhs, op.rhs)
            rewriter.replace(op, new)
            rewriter.replace(product, (), [new.result])


@pytest.mark.parametrize("drive", [rewrite_greedily, walk_and_rewrite])
def test_a_watcher_hears_of_success_failure_and_the_reason(drive: object):
    seen = Seen()
    with watching(seen):
        drive(parsed(), [SubToAdd(), Choosy()])  # pyright: ignore
    assert ("SubToAdd", "arith.subi", True, None) in seen.ended
    assert ("Choosy", "arith.muli", False, "the factor is not constant") in seen.ended


def test_nobody_watches_nothing_is_kept():
    match_failure("nobody listens")
    assert actions.active() == ()
    assert actions._reason is None  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("drive", [rewrite_greedily, walk_and_rewrite])
def test_a_debug_counter_lets_a_window_happen(drive: object):
    module = parsed(THREE)
    counter = DebugCounter("apply-pattern-skip=1,apply-pattern-count=1")
    with watching(counter):
        drive(module, [SubToAdd()])  # pyright: ignore
    names = [op.name for op in module.walk() if op.name.startswith("arith")]
    assert names == ["arith.addi", "arith.subi", "arith.addi"]
    assert counter.seen("apply-pattern") >= 2
    assert "apply-pattern" in counter.report()


@pytest.mark.parametrize("pattern", [Sneaky(), SneakyAttribute()])
@pytest.mark.parametrize("drive", [rewrite_greedily, walk_and_rewrite])
def test_a_pattern_that_changes_ir_and_reports_failure_is_named(drive: object, pattern: RewritePattern):
    with watching(Seen(checks=True)), pytest.raises(CompileError) as caught:
        drive(parsed(), [pattern])  # pyright: ignore
    expected = f"f.mlir:3:8: error: pattern '{type(pattern).__name__}' changed the IR around 'arith.muli' but reported failure"
    assert str(caught.value).startswith(expected)


def test_honest_patterns_pass_the_check():
    with watching(Seen(checks=True)):
        assert rewrite_greedily(parsed(), [SubToAdd(), Choosy()])


def test_what_replaces_several_operations_has_their_locations_fused():
    module = parsed()
    rewrite_greedily(module, [Contract()])
    (new,) = [op for op in module.walk() if op.name == "arith.addi" and isinstance(op.location, FusedLoc)]
    assert [str(part).count("f.mlir") for part in new.location.locations.data] == [1, 1]  # pyright: ignore
    lines = [part.line.data for part in new.location.locations.data]  # pyright: ignore
    assert lines == [4, 3]


def test_primitives_are_put_back():
    before = (Block.__dict__["_attach_op"], OpOperands.__dict__["__setitem__"], Operation.__dict__["operands"])
    with listening(MutationListener()), listening(MutationListener()):
        assert Block.__dict__["_attach_op"] is not before[0]
    assert before == (Block.__dict__["_attach_op"], OpOperands.__dict__["__setitem__"], Operation.__dict__["operands"])


def test_a_listener_hears_of_changes_made_by_hand():
    heard: list[str] = []

    class Ear(MutationListener):
        def attached(self, op: Operation) -> None:
            heard.append(f"attached {op.name}")

        def detached(self, op: Operation) -> None:
            heard.append(f"detached {op.name}")

        def dropped(self, op: Operation) -> None:
            heard.append(f"dropped {op.name}")

        def replaced(self, old: object, new: object) -> None:
            heard.append("replaced")

        def operands_set(self, op: Operation) -> None:
            heard.append(f"set {op.name}")

    module = parsed()
    product = next(op for op in module.walk() if isinstance(op, arith.MuliOp))
    with listening(Ear()):
        new = arith.AddiOp(product.lhs, product.rhs)
        assert product.parent is not None
        product.parent.insert_op_before(new, product)
        product.result.replace_all_uses_with(new.result)
        product.parent.erase_op(product)
    assert heard == ["attached arith.addi", "replaced", "set arith.subi", "detached arith.muli", "dropped arith.muli"]
