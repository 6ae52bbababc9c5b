"""Analyses are computed once, are kept from pass to pass, and are forgotten when a pass may have made them wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation
from xdsl.parser import Parser

from stepwell.ir.analysis import Dominance, analysis, unchanged
from stepwell.ir.manager.pass_manager import PassManager, parse_pipeline, run_inside_pass
from stepwell.ir.passes import Pass
from stepwell.ir.registry import make_context

COMPUTED: list[str] = []


class Size:
    """How many operations there are."""

    def __init__(self, op: Operation) -> None:
        COMPUTED.append(op.name)
        self.number = sum(1 for _ in op.walk())


@dataclass(frozen=True)
class Ask(Pass):
    name = "test-ask"

    def run(self, op: Operation, ctx: Context) -> None:
        analysis(Size, op)
        unchanged()


@dataclass(frozen=True)
class AskAndChange(Pass):
    name = "test-ask-and-change"

    def run(self, op: Operation, ctx: Context) -> None:
        analysis(Size, op)


@dataclass(frozen=True)
class Preserve(Pass):
    name = "test-preserve"
    preserved: ClassVar[tuple[type, ...]] = (Size,)

    def run(self, op: Operation, ctx: Context) -> None:
        pass


@dataclass(frozen=True)
class RunInside(Pass):
    """Runs a pass that changes something, and says itself that nothing has changed."""

    name = "test-run-inside"

    def run(self, op: Operation, ctx: Context) -> None:
        run_inside_pass(PassManager("builtin.module", [AskAndChange()]), op, ctx)
        unchanged()


@dataclass(frozen=True)
class Fail(Pass):
    name = "test-fail"

    def run(self, op: Operation, ctx: Context) -> None:
        raise ValueError("as it should")


def _computed(*steps: Pass) -> int:
    COMPUTED.clear()
    PassManager("builtin.module", list(steps)).run(ModuleOp([]), make_context())
    return len(COMPUTED)


def test_an_analysis_is_kept() -> None:
    assert _computed(Ask(), Ask(), Ask()) == 1


def test_what_a_pass_does_not_preserve_is_forgotten() -> None:
    assert _computed(Ask(), AskAndChange(), Ask()) == 2


def test_what_a_pass_preserves_is_kept() -> None:
    assert _computed(Ask(), Preserve(), Ask()) == 1


def test_passes_inside_of_passes_share_and_forget() -> None:
    assert _computed(Ask(), RunInside(), Ask()) == 2


def test_nothing_is_kept_from_one_run_to_the_next() -> None:
    assert _computed(Ask()) == _computed(Ask()) == 1


def test_nothing_is_kept_outside_of_pipelines_and_after_failures() -> None:
    with pytest.raises(ValueError, match="as it should"):
        _computed(Ask(), Fail())
    module = ModuleOp([])
    assert analysis(Size, module) is not analysis(Size, module)


DIAMOND = """
func.func @f(%c: i1) {
  cf.cond_br %c, ^a, ^b
^a:
  cf.br ^c
^b:
  cf.br ^c
^c:
  cf.cond_br %c, ^b, ^d
^d:
  return
}
"""


def _blocks(module: ModuleOp) -> list[Block]:
    function = module.body.block.first_op
    assert function is not None
    return list(function.regions[0].blocks)


def test_dominance_frontier() -> None:
    module = Parser(make_context(), DIAMOND).parse_module()
    entry, a, b, c, d = _blocks(module)
    region = entry.parent
    assert region is not None
    frontier = Dominance(module).frontier(region)
    assert {block: set(others) for block, others in frontier.items()} == {entry: set(), a: {c}, b: {c}, c: {b}, d: set()}
    assert set(Dominance(module).merge_points(region, [a])) == {b, c}


LOOP = """
func.func @f(%n: i32) -> i32 {
  %m = memref.alloca() : memref<i32>
  memref.store %n, %m[] : memref<i32>
  %known = arith.constant true
  cf.cond_br %known, ^loop, ^never
^never:
  cf.br ^loop
^loop:
  %i = memref.load %m[] : memref<i32>
  %j = arith.addi %i, %n : i32
  memref.store %j, %m[] : memref<i32>
  %again = arith.cmpi slt, %j, %n : i32
  cf.cond_br %again, ^loop, ^end
^end:
  return %j : i32
}
"""


def test_dominance_is_forgotten_when_blocks_change() -> None:
    """`canonicalize` merges blocks: with the dominators that `cse` asked for before, `mem2reg` would walk through blocks that are gone."""
    module = Parser(make_context(), LOOP).parse_module()
    parse_pipeline("cse,canonicalize,mem2reg").run(module, make_context())
    module.verify()
    assert not any(op.name.startswith("memref") for op in module.walk())
    assert [len(block.args) for block in _blocks(module)] == [1, 1, 0]
