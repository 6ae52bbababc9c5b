"""`check-bounds`: kernels at level 2 in, the same out, whose data-dependent reads are noticed where they leave their tensor.

Only `tensor.extract` reads where data says; everything else is subscripted by loops. An index that is out of its extent is replaced by one
so large that the read stops the process. No pass of the usual pipeline: `STEPWELL_CHECK_BOUNDS=1` puts it in, for tests.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Operation
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import arith, tensor
from stepwell.dialects.affine.maps import INDEX
from stepwell.ir.passes import Pass
from stepwell.lowering.structured.kernels import kernels

FAR = 1 << 45
"""Times any size of an element this is beyond the addresses of a process."""


@dataclass(frozen=True)
class CheckBounds(Pass):
    """Reads that data decides stop the process where they are out of bounds.

    before:  %x = tensor.extract %t[%i] : tensor<4xf32>
    after:   %ok = arith.cmpi ult, %i, %c4 : index
             %j = arith.select %ok, %i, %far : index
             %x = tensor.extract %t[%j] : tensor<4xf32>
    """

    name: ClassVar[str] = "check-bounds"
    anchor: ClassVar[str] = "builtin.module"

    def run(self, op: Operation, ctx: Context) -> None:
        for kernel in kernels(op):
            for inner in list(kernel.walk()):
                if isinstance(inner, tensor.ExtractOp):
                    _check(inner)


def _check(op: tensor.ExtractOp) -> None:
    top: Operation = op
    while (parent := top.parent_op()) is not None and not isinstance(parent, func.FuncOp):
        top = parent
    for dimension, index in enumerate(op.indices):
        if isinstance(index.owner, arith.ConstantOp):
            continue
        number = _constant(dimension)
        extent = tensor.DimOp.create(operands=[op.tensor, number.results[0]], result_types=[INDEX])
        Rewriter.insert_op([number, extent], InsertPoint.before(top))
        far = _constant(FAR)
        inside = arith.CmpiOp(index, extent.results[0], "ult")
        checked = arith.SelectOp(inside.results[0], index, far.results[0])
        Rewriter.insert_op([far, inside, checked], InsertPoint.before(op))
        op.operands[1 + dimension] = checked.results[0]


def _constant(value: int) -> arith.ConstantOp:
    return arith.ConstantOp.create(result_types=[INDEX], properties={"value": IntegerAttr(value, INDEX)})
