"""The pass `bufferization-lower-deallocations`: `memref.dealloc` under conditions that are computed when the program runs.

One buffer is compared with each retained one by their addresses. Several go, as lists of addresses, to a function that compares all with
all, for the number of comparisons would make the code quadratic: `@dealloc_helper`, one for each symbol table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.arith import AndIOp, CmpiOp, ConstantOp, XOrIOp
from xdsl.dialects.builtin import DYNAMIC_INDEX, BoolAttr, IndexType, IntegerAttr, MemRefType, StringAttr, i1
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.parser import Parser
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.traits import SymbolTable

from stepwell.dialects import memref
from stepwell.dialects.func import CallOp
from stepwell.dialects.memref.more import OwnershipDeallocOp
from stepwell.dialects.scf import IfOp, YieldOp
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.passes import Pass
from stepwell.ir.registry import make_context
from stepwell.ir.rewrite.rewriting import walk_and_rewrite

INDEX = IndexType()


@dataclass(frozen=True)
class LowerDeallocations(Pass):
    """Lower deallocations.

    before:  bufferization.dealloc (%m : memref<2xf32>) if (%c)
    after:   scf.if %c { memref.dealloc %m : memref<2xf32> }
    """

    name: ClassVar[str] = "bufferization-lower-deallocations"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        if op.name not in ("builtin.module", "func.func"):
            raise CompileError("root operation must be a builtin.module or a function", location=place(op))
        helpers: dict[Operation, str] = {}
        if op.name == "builtin.module":
            for inner in list(op.walk()):
                if isinstance(inner, OwnershipDeallocOp) and len(inner.memrefs) > 1:
                    table = _table(inner)
                    if table is not None and table not in helpers:
                        helpers[table] = _add_helper(table)
        walk_and_rewrite(op, (LowerDealloc(helpers),))


def _table(op: Operation) -> Operation | None:
    around = op.parent_op()
    while around is not None and not around.has_trait(SymbolTable):
        around = around.parent_op()
    return around


class LowerDealloc(RewritePattern):
    """By the number of buffers and of those retained; `helpers` are the functions for the general case, by symbol table."""

    def __init__(self, helpers: dict[Operation, str]) -> None:
        self._helpers = helpers

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: OwnershipDeallocOp, rewriter: PatternRewriter, /) -> None:
        writer = _Writer(rewriter)
        if not op.memrefs:
            values = [writer.boolean(False)] * len(op.retained) if op.retained else []
        elif len(op.memrefs) > 1:
            table = _table(op)
            if table is None or table not in self._helpers:
                message = "library function required for generic lowering, but cannot be automatically inserted when operating on functions"
                raise CompileError(message, location=place(op))
            values = writer.many(op, self._helpers[table])
        elif op.retained:
            values = writer.one(op)
        else:
            writer.free_if(op.conditions[0], op.memrefs[0])
            values = []
        rewriter.replace(op, [], values)


class _Writer:
    """Writes operations in front of the one that is rewritten."""

    def __init__(self, rewriter: PatternRewriter) -> None:
        self._rewriter = rewriter

    def _add(self, op: Operation) -> SSAValue:
        self._rewriter.insert(op)
        return op.results[0]

    def boolean(self, value: bool) -> SSAValue:
        return self._add(ConstantOp(BoolAttr.from_bool(value)))

    def _number(self, value: int) -> SSAValue:
        return self._add(ConstantOp(IntegerAttr(value, INDEX)))

    def _address(self, buffer: SSAValue) -> SSAValue:
        return self._add(memref.ExtractAlignedPointerAsIndexOp.create(operands=[buffer], result_types=[INDEX]))

    def free_if(self, condition: SSAValue, buffer: SSAValue) -> None:
        self._rewriter.insert(IfOp(condition, [], Region(Block([memref.DeallocOp.get(buffer), YieldOp()]))))

    def one(self, op: OwnershipDeallocOp) -> list[SSAValue]:
        """One buffer: freed if it is none of those retained; each of them that it is, is owned as it was."""
        condition = op.conditions[0]
        address = self._address(op.memrefs[0])
        differs = [self._add(CmpiOp(address, self._address(buffer), "ne")) for buffer in op.retained]
        free = differs[0]
        for other in differs[1:]:
            free = self._add(AndIOp(free, other))
        self.free_if(self._add(AndIOp(free, condition)), op.memrefs[0])
        true = self.boolean(True)
        return [self._add(AndIOp(self._add(XOrIOp(other, true)), condition)) for other in differs]

    # ---- several buffers

    def _list(self, count: int, element: Attribute) -> SSAValue:
        return self._add(memref.AllocOp.get(element, shape=[count]))

    def _store(self, value: SSAValue, into: SSAValue, index: int) -> None:
        self._rewriter.insert(memref.StoreOp.get(value, into, [self._number(index)]))

    def _open(self, buffer: SSAValue, element: Attribute) -> SSAValue:
        return self._add(memref.CastOp.get(buffer, MemRefType(element, [DYNAMIC_INDEX])))

    def many(self, op: OwnershipDeallocOp, helper: str) -> list[SSAValue]:
        """Several buffers: the helper says which to free, and which of those retained are owned."""
        freed, conditions, retained = (
            self._list(len(op.memrefs), INDEX),
            self._list(len(op.memrefs), i1),
            self._list(len(op.retained), INDEX),
        )
        for index, buffer in enumerate(op.memrefs):
            self._store(self._address(buffer), freed, index)
        for index, condition in enumerate(op.conditions):
            self._store(condition, conditions, index)
        for index, buffer in enumerate(op.retained):
            self._store(self._address(buffer), retained, index)
        arguments = [self._open(freed, INDEX), self._open(conditions, i1), self._open(retained, INDEX)]
        to_free, owned = self._list(len(op.memrefs), i1), self._list(len(op.retained), i1)
        outputs = [self._open(to_free, i1), self._open(owned, i1)]
        self._rewriter.insert(CallOp(helper, [arguments[0], arguments[2], arguments[1], *outputs], []))
        for index, buffer in enumerate(op.memrefs):
            self.free_if(self._add(memref.LoadOp.get(to_free, [self._number(index)])), buffer)
        values = [self._add(memref.LoadOp.get(owned, [self._number(index)])) for index in range(len(op.retained))]
        for buffer in (freed, retained, conditions, to_free, owned):
            self._rewriter.insert(memref.DeallocOp.get(buffer))
        return values


# ---- the helper --------------------------------------------------------------------------------------------------------------------------

HELPER = """
func.func private @dealloc_helper(%freed: memref<?xindex>, %retained: memref<?xindex>, %conditions: memref<?xi1>,
                                  %to_free: memref<?xi1>, %owned: memref<?xi1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %true = arith.constant true
  %false = arith.constant false
  %number_freed = memref.dim %freed, %c0 : memref<?xindex>
  %number_retained = memref.dim %retained, %c0 : memref<?xindex>
  scf.for %i = %c0 to %number_retained step %c1 {
    memref.store %false, %owned[%i] : memref<?xi1>
  }
  scf.for %i = %c0 to %number_freed step %c1 {
    %address = memref.load %freed[%i] : memref<?xindex>
    %condition = memref.load %conditions[%i] : memref<?xi1>
    %not_retained = scf.for %j = %c0 to %number_retained step %c1 iter_args(%so_far = %true) -> (i1) {
      %other = memref.load %retained[%j] : memref<?xindex>
      %same = arith.cmpi eq, %other, %address : index
      scf.if %same {
        %before = memref.load %owned[%j] : memref<?xi1>
        %after = arith.ori %before, %condition : i1
        memref.store %after, %owned[%j] : memref<?xi1>
      }
      %differs = arith.cmpi ne, %other, %address : index
      %still = arith.andi %so_far, %differs : i1
      scf.yield %still : i1
    }
    %not_freed = scf.for %j = %c0 to %i step %c1 iter_args(%so_far = %not_retained) -> (i1) {
      %other = memref.load %freed[%j] : memref<?xindex>
      %differs = arith.cmpi ne, %other, %address : index
      %still = arith.andi %so_far, %differs : i1
      scf.yield %still : i1
    }
    %free = arith.andi %not_freed, %condition : i1
    memref.store %free, %to_free[%i] : memref<?xi1>
  }
  return
}
"""
"""Which of the buffers `freed` are to be freed: those whose condition holds, that are not retained, and that no earlier one is. A retained
one is owned if the condition of a buffer holds that it is. All buffers are given by their addresses."""


@cache
def _helper() -> Any:
    module = Parser(make_context(), HELPER).parse_module()
    return module.body.block.first_op


def _add_helper(table: Operation) -> str:
    """Put the helper into a symbol table, under a name that is free. The name."""
    block: Any = table.regions[0].block
    taken = {op.properties["sym_name"].data for op in block.ops if "sym_name" in op.properties}
    name, number = "dealloc_helper", 0
    while name in taken:
        name, number = f"dealloc_helper_{number}", number + 1
    made = _helper().clone()
    made.properties["sym_name"] = StringAttr(name)
    for op in made.walk():
        op.location = table.location
    block.add_op(made)
    return name
