"""`linalg-inline-scalar-operands`: generic ops with inputs that give every point the same element in, bodies that read it out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, MemRefType, TensorType
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import arith, linalg, tensor
from stepwell.dialects.affine.maps import INDEX
from stepwell.ir.passes import Pass


def inline_scalars(op: linalg.GenericOp) -> None:
    """Inputs under constant maps go; the body reads their element from outside."""
    maps = list(op.indexing_maps)
    inputs = list(op.inputs)
    scalars = [index for index in range(len(inputs)) if all(isinstance(expr, AffineConstantExpr) for expr in maps[index].data.results)]
    if not scalars or any(isinstance(value.type, MemRefType) for value in op.operands):
        return
    body = op.body.block
    first = body.first_op
    assert first is not None, "the body ends in a yield"
    for index in reversed(scalars):
        value: SSAValue = inputs[index]
        if isinstance(value.type, TensorType):
            results = maps[index].data.results
            numbers = [expr.value for expr in results if isinstance(expr, AffineConstantExpr)]
            indices = [arith.ConstantOp(IntegerAttr(number, INDEX)) for number in numbers]
            element = tensor.ExtractOp(value, [constant.result for constant in indices], value.type.element_type)
            Rewriter.insert_op([*indices, element], InsertPoint.before(first))
            value = element.result
        _replace_argument(body, index, value)
        del maps[index], inputs[index]
    made = linalg.GenericOp(
        inputs, list(op.outputs), op.detach_region(op.body), maps, op.iterator_types, op.result_types, op.doc, op.library_call
    )
    made.attributes |= op.attributes
    made.location = op.location
    Rewriter.insert_op(made, InsertPoint.before(op))
    Rewriter.replace_op(op, [], made.results)


def _replace_argument(body: Block, index: int, value: SSAValue) -> None:
    argument = body.args[index]
    argument.replace_all_uses_with(value)
    body.erase_arg(argument)


@dataclass(frozen=True)
class InlineScalarOperands(Pass):
    """What is the same for every point is read in the body.

    before:  linalg.generic {indexing_maps = [(d0) -> (), (d0) -> (d0)]} ins(%s : tensor<f32>) outs(%t : ...) { ^bb0(%x, %o): ... }
    after:   linalg.generic {indexing_maps = [(d0) -> (d0)]} outs(%t : ...) { ^bb0(%o): %x = tensor.extract %s[] : tensor<f32> ... }
    """

    name: ClassVar[str] = "linalg-inline-scalar-operands"
    anchor: ClassVar[str] = "any"

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in list(op.walk()):
            if isinstance(inner, linalg.GenericOp):
                inline_scalars(inner)
