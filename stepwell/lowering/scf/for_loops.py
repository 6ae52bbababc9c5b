"""The passes `scf-for-loop-range-folding` and `scf-for-to-while`: counted loops in, loops of other counts or conditions out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from xdsl.context import Context
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import arith, scf
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.rewriting import Greediness, rewrite_greedily
from stepwell.lowering.building import Builder, number


@dataclass(frozen=True)
class ForLoopRangeFolding(Pass):
    """A loop whose variable is only added to, or multiplied by a positive number, counts so.

    before:  scf.for %i = %a to %b step %s { %j = arith.addi %i, %x   use(%j) }
    after:   %c = arith.addi %a, %x   %d = arith.addi %b, %x   scf.for %i = %c to %d step %s { use(%i) }
    """

    name: ClassVar[str] = "scf-for-loop-range-folding"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        for loop in reversed([inner for inner in op.walk() if isinstance(inner, scf.ForOp)]):
            while _fold_user(loop):
                pass


def _fold_user(loop: scf.ForOp) -> bool:
    """Let the one user of the variable work on the bounds. Whether it did."""
    variable = loop.body.block.args[0]
    users = list(variable.uses)
    user = users[0].operation if len(users) == 1 else None
    if not isinstance(user, arith.AddiOp | arith.MuliOp):
        return False
    other = user.operands[1 - users[0].index]
    if loop.body.is_ancestor(other.owner):
        return False
    bounds = [0, 1]
    if isinstance(user, arith.MuliOp):
        factor = number(other)
        if factor is None or factor <= 0:
            return False
        bounds.append(2)
    build = Builder(loop)
    for position in bounds:
        loop.operands[position] = build.add(user.clone({variable: loop.operands[position]})).results[0]
    Rewriter.replace_op(user, [], [variable])
    return True


@dataclass(frozen=True)
class ForToWhile(Pass):
    """The comparison and the count are said.

    before:  scf.for %i = %a to %b step %s { f(%i) }
    after:   scf.while (%i = %a) : (index) -> index { %c = arith.cmpi slt, %i, %b   scf.condition(%c) %i : index }
             do { ^bb0(%i: index): %n = arith.addi %i, %s   f(%i)   scf.yield %n : index }
    """

    name: ClassVar[str] = "scf-for-to-while"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in list(op.walk()):
            if isinstance(inner, scf.ForOp):
                _to_while(inner)
        rewrite_greedily(op, [], how=Greediness(unique_constants=True, must_converge=False))


def _to_while(loop: scf.ForOp) -> None:
    types = [value.type for value in loop.body.block.args]
    before = Block(arg_types=types)
    build = Builder(InsertPoint.at_end(before), loop)
    compare = build.add(arith.CmpiOp(before.args[0], loop.ub, "slt" if loop.unsignedCmp is None else "ult"))
    build.add(scf.ConditionOp(compare.results[0], *before.args))
    after = loop.body.detach_block(loop.body.block)
    increment = Builder(InsertPoint.at_start(after), loop).add(_sum(after.args[0], loop.step))
    end = cast(Operation, after.last_op)
    end.operands = [increment.results[0], *end.operands]
    new = scf.WhileOp([loop.lb, *loop.iter_args], types, Region(before), Region(after))
    new.attributes.update(loop.attributes)
    new.location = loop.location
    Rewriter.replace_op(loop, new, new.results[1:])


def _sum(a: SSAValue, b: SSAValue) -> arith.AddiOp:
    return arith.AddiOp.create(operands=[a, b], result_types=[a.type], properties={"overflowFlags": arith.IntegerOverflowAttr("none")})
