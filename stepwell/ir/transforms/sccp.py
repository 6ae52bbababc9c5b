"""The pass `sccp`: values that are the same constant on every path that can be taken become that constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.ir import Operation, SSAValue

from stepwell.ir.constant_propagation import Constants
from stepwell.ir.effects import is_dead
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.folding import is_constant
from stepwell.ir.rewrite.known_constants import KnownConstants, isolated_region, materialize_constant


@dataclass(frozen=True)
class Sccp(Pass):
    """Sparse conditional constant propagation. Branches stay: `canonicalize` folds them.

    before:  cf.cond_br %true, ^a, ^b(%x)   ^a: cf.br ^b(%one)   ^b(%y): return %y
    after:   cf.cond_br %true, ^a, ^b(%x)   ^a: cf.br ^b(%one)   ^b(%y): return %one
    """

    name: ClassVar[str] = "sccp"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        constants = Constants(op)
        known = KnownConstants()
        waiting = [block for region in op.regions for block in region.blocks]
        while waiting:
            block = waiting.pop()
            if block not in constants.runs:
                continue
            for inside in list(block.ops):
                if is_constant(type(inside)):
                    if (other := known.meet(inside)) is not None:
                        inside.results[0].replace_all_uses_with(other.results[0])
                        inside.detach()
                        inside.erase()
                    continue
                replaced = [_replace(result, constants, known, inside) for result in inside.results]
                if replaced and all(replaced) and is_dead(inside):
                    known.forget(inside)
                    inside.detach()
                    inside.erase()
                else:
                    waiting.extend(block for region in inside.regions for block in region.blocks)
            for argument in block.args:
                if block.first_op is not None:
                    _replace(argument, constants, known, block.first_op)


def _replace(value: SSAValue, constants: Constants, known: KnownConstants, where: Operation) -> bool:
    """Let the constant that `value` always is stand in its place. False where it is none, or cannot be written as one."""
    constant = constants.of(value)
    assert where.parent is not None
    region = isolated_region(where.parent)
    if constant is None or region is None or region.first_block is None:
        return False
    new = materialize_constant(constant, value.type, where)
    if new is None or value.owner is new:
        return False
    new.location = where.location
    entry = region.first_block
    if entry.first_op is None:
        entry.add_op(new)
    else:
        entry.insert_op_before(new, entry.first_op)
    other = known.meet(new)
    if other is not None:
        new.detach()
        new.erase()
        new = other
    value.replace_all_uses_with(new.results[0])
    return True
