"""`convert-cf-to-llvm`: branches become LLVM's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import DenseArrayBase, i32
from xdsl.ir import Attribute, Block, Operation, SSAValue

from stepwell.dialects import llvm
from stepwell.ir.passes import Pass
from stepwell.ir.rewrite.conversion import Conversion, ConversionPattern, Declined, Target, convert_partially
from stepwell.lowering.machine.to_llvm_types import llvm_types


def _convert_targets(op: Operation, rewriter: Conversion) -> bool:
    """Give the blocks that a branch goes to arguments of new types; the first block of a region is its owner's."""
    for block in op.successors:
        region = block.parent
        if region is not None and region.first_block is block:
            continue
        if not rewriter.convert_block(block):
            return False
    return True


class ConvertBranch(ConversionPattern):
    """`cf.br ^bb1(%i : index)` -> `llvm.br ^bb1(%i : i64)`, and the same for `cf.cond_br` and `cf.switch`."""

    names = ("cf.br", "cf.cond_br", "cf.switch")

    def convert(self, op: Any, operands: Sequence[SSAValue], rewriter: Conversion) -> Sequence[SSAValue] | Declined:
        if not _convert_targets(op, rewriter):
            return Declined("an argument of a target has no converted type")
        blocks: list[Block] = list(op.successors)
        if op.name == "cf.br":
            rewriter.create(llvm.BrOp, operands, (), successors=blocks)
        elif op.name == "cf.cond_br":
            count = len(op.then_arguments)
            sizes = [1, count, len(operands) - 1 - count]
            properties: dict[str, Attribute] = {"operandSegmentSizes": DenseArrayBase.from_list(i32, sizes)}
            weights = op.properties.get("branch_weights")
            if weights is not None:
                properties["branch_weights"] = weights
            rewriter.create(llvm.CondBrOp, operands, (), successors=blocks, properties=properties)
        else:
            self._switch(op, operands, blocks, rewriter)
        return ()

    def _switch(self, op: Any, operands: Sequence[SSAValue], blocks: list[Block], rewriter: Conversion) -> None:
        default = len(op.default_operands)
        rest = list(operands[1 + default :])
        lengths = [int(length) for length in op.case_operand_segments.get_values()]
        properties: dict[str, Attribute] = {
            "operandSegmentSizes": DenseArrayBase.from_list(i32, [1, default, len(rest)]),
            "case_operand_segments": DenseArrayBase.from_list(i32, lengths),
        }
        if op.case_values is not None:
            properties["case_values"] = op.case_values
        rewriter.create(llvm.SwitchOp, operands, (), successors=blocks, properties=properties)


@dataclass(frozen=True)
class ConvertCfToLlvm(Pass):
    """Branches become LLVM's, and the arguments of blocks get LLVM's types.

    ```mlir
    cf.br ^bb1(%i : index)  ->  llvm.br ^bb1(%i : i64)
    ```
    """

    name: ClassVar = "convert-cf-to-llvm"
    anchor: ClassVar = "any"
    index_bitwidth: int = 0
    """How many bits an index has; 0 for 64."""

    def run(self, op: Operation, ctx: Context) -> None:
        target = Target(dialects=frozenset({"llvm"}))
        convert_partially(op, target, [ConvertBranch()], llvm_types(self.index_bitwidth or 64), name=self.name)
