"""The layouts of the tensors of `@main`, followed through its views; and copies where a view cannot be read as it is.

In: a block in destination form, and the layouts of its arguments. Out: the layout of every value that is not contiguous.
"""

from __future__ import annotations

from xdsl.dialects import func
from xdsl.ir import Block, Operation, SSAValue

from stepwell.dialects import linalg, scf, tensor
from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.structured.control import body_of, branches_of, carried_by, yield_of
from stepwell.lowering.structured.kernels import destination_index, insert_before, insert_copy, is_tensor, location_of, shape_of
from stepwell.lowering.structured.static_layouts import Layout, contiguous, groups_of, slice_of


def make_readable(block: Block, layouts: dict[SSAValue, Layout]) -> None:
    """Copy what no view can show as it is needed: joined dimensions that are not contiguous, and operands with a strided innermost
    dimension."""

    def layout_of(value: SSAValue) -> Layout:
        return layouts.get(value) or contiguous(shape_of(value))

    def fresh_copy(op: Operation, i: int) -> None:
        value = op.operands[i]
        empty = tensor.EmptyOp.create(result_types=[value.type])
        insert_before(op, empty)
        op.operands[i] = insert_copy(op, value, empty.tensor)
        layouts[op.operands[i]] = contiguous(shape_of(value))

    for op in list(block.ops):
        if isinstance(op, func.CallOp):
            for i in range(len(op.operands) - len(op.results)):
                if is_tensor(op.operands[i]) and not layout_of(op.operands[i]).is_readable:
                    fresh_copy(op, i)
            for result in op.results:
                layouts[result] = layout_of(op.operands[destination_index(op, result)])
        elif isinstance(op, tensor.CollapseShapeOp):
            collapsed = layout_of(op.src).collapse(groups_of(op))
            if collapsed is None:
                fresh_copy(op, 0)
                collapsed = contiguous(shape_of(op.result))
            layouts[op.result] = collapsed
        elif isinstance(op, linalg.PackOp) and not layout_of(op.operands[0]).is_readable:
            fresh_copy(op, 0)
        elif isinstance(op, scf.IfOp):
            for branch in branches_of(op):
                make_readable(branch, layouts)
            propagate(op, layouts)
        else:
            propagate(op, layouts)
        if isinstance(op, (scf.ForOp, scf.WhileOp)):
            make_readable(body_of(op), layouts)


def propagate(op: Operation, layouts: dict[SSAValue, Layout]) -> None:
    """Enter the layouts of an op's results, and of a loop's carried values; those of branches must be there."""

    def layout_of(value: SSAValue) -> Layout:
        return layouts.get(value) or contiguous(shape_of(value))

    if isinstance(op, func.CallOp):
        for result in op.results:
            layouts[result] = layout_of(op.operands[destination_index(op, result)])
    elif isinstance(op, tensor.ExtractSliceOp):
        box = slice_of(op)
        if box is None:
            raise CompileError("'tensor.extract_slice' needs static sizes and strides", location=location_of(op))
        layouts[op.result] = layout_of(op.source).slice(box.sizes, box.steps, box.kept)
    elif isinstance(op, tensor.InsertSliceOp):
        layouts[op.result] = layout_of(op.dest)
    elif isinstance(op, tensor.ExpandShapeOp):
        layouts[op.result] = layout_of(op.src).expand(groups_of(op), shape_of(op.result))
    elif isinstance(op, tensor.CollapseShapeOp):
        collapsed = layout_of(op.src).collapse(groups_of(op))
        if collapsed is None:
            raise CompileError(
                "'tensor.collapse_shape' joins dimensions that are not contiguous", location=location_of(op), hint="run plan-views"
            )
        layouts[op.result] = collapsed
    elif isinstance(op, (linalg.CopyOp, linalg.FillOp, linalg.PackOp)):
        layouts[op.results[0]] = layout_of(op.operands[1])
    elif isinstance(op, tensor.InsertOp):
        layouts[op.result] = layout_of(op.dest)
    elif isinstance(op, (scf.ForOp, scf.WhileOp)):
        for each in carried_by(op):
            init = op.operands[each.init]
            if is_tensor(init):
                layouts[each.argument] = layouts[each.result] = layout_of(init)
                if each.decided is not None:
                    layouts[each.decided] = layout_of(init)
    elif isinstance(op, scf.IfOp):
        for value, result in zip(yield_of(op.true_region.block).operands, op.results, strict=True):
            if is_tensor(result):
                layouts[result] = layout_of(value)
