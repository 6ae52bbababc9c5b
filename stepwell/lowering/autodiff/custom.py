"""Functions with a reverse rule of their own, and checkpoints: forward is put in the place of the op, backward where cotangents arrive."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, BlockArgument, Operation, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, region_def, var_operand_def, var_result_def
from xdsl.rewriter import InsertPoint

from stepwell.dialects import nn
from stepwell.dialects.nn.base import TENSOR, is_float
from stepwell.dialects.nn.control import yielded
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.lowering.autodiff.differentiate import Tangents, push_forward
from stepwell.lowering.autodiff.emitter import Emitter
from stepwell.lowering.autodiff.rules import REGION_JVP, REGION_TRANSPOSE
from stepwell.lowering.graph.values import tensor


@irdl_op_definition
class _LinearOp(IRDLOperation):
    """The unknown linear map whose transpose a backward region is: in a linear program, until that is transposed."""

    name = "nn.custom_linear"
    tangents = var_operand_def(TENSOR)
    values = var_result_def(TENSOR)
    backward = region_def("single_block")


def _jvp(op: nn.CustomVjpOp, tangents: Tangents, emitter: Emitter, interleaved: bool) -> None:
    block = op.parent
    assert block is not None
    seen = [v for region in op.regions for inner in region.walk() for v in inner.operands if v in tangents]
    if seen:
        raise CompileError(
            f"a function with a derivative of its own reads a value of type {seen[0].type} that is differentiated from around it",
            location=place(op),
            hint="pass it as an argument",
        )
    if interleaved and op.checkpoint is None:
        hint = "its backward rule is enough for vjp, grad and value_and_grad"
        raise CompileError("a function with a backward rule of its own has no derivative in forward mode", location=place(op), hint=hint)
    inside, count = op.forward.block, len(op.results)
    if interleaved:
        known = {**tangents, **{a: tangents[v] for a, v in zip(inside.args, op.inputs, strict=True) if v in tangents}}
        push_forward(inside, known, yielded(inside)[:count], Emitter(InsertPoint.at_end(inside)), interleaved=True)
        found = [known.get(v) for v in yielded(inside)[:count]]
        values = _spliced(op)[:count]
        tangents.update((value, tangent) for value, tangent in zip(values, found, strict=True) if tangent is not None)
        _replace(op, values)
        return
    values = _spliced(op)
    results, residuals = _distinct(values[:count], tangents, op), values[count:]
    moving = [r for r in results if is_float(tensor(r).element_type)]
    if moving:
        of_inputs = [tangents.get(v) or emitter.zeros(tensor(v)) for v in op.inputs if is_float(tensor(v).element_type)]
        linear = _LinearOp.create(
            operands=[*of_inputs, *residuals], result_types=[r.type for r in moving], regions=[op.detach_region(op.backward)]
        )
        emitter.insert(linear)
        tangents.update(zip(moving, linear.results, strict=True))
    _replace(op, results)


def _spliced(op: nn.CustomVjpOp) -> list[SSAValue]:
    """Put what the forward region computes in front of the op; returns what it yields."""
    block, outer = op.forward.block, op.parent
    assert outer is not None
    for argument, value in zip(block.args, op.inputs, strict=True):
        argument.replace_all_uses_with(value)
    values = list(yielded(block))
    for inner in list(block.ops):
        if not isinstance(inner, nn.YieldOp):
            inner.detach()
            outer.insert_op_before(inner, op)
    return values


def _distinct(values: Sequence[SSAValue], tangents: Tangents, op: Operation) -> list[SSAValue]:
    """The values, as ones that have no tangents yet and are not the same."""
    found: list[SSAValue] = []
    for value in values:
        if value in tangents or value in found or not isinstance(value.owner, Operation):
            copy = nn.StopGradientOp.make(value)
            assert op.parent is not None
            op.parent.insert_op_before(copy, op)
            value = copy.results[0]
        found.append(value)
    return found


def _replace(op: Operation, values: Sequence[SSAValue]) -> None:
    for old, new in zip(op.results, values, strict=True):
        old.replace_all_uses_with(new)
    assert op.parent is not None
    op.parent.erase_op(op)


def _transposed(
    op: _LinearOp, linear: set[SSAValue], cotangents: Sequence[SSAValue | None], emitter: Emitter
) -> list[tuple[SSAValue, SSAValue]]:
    block: Block = op.backward.clone().block
    values = list(yielded(block))
    count = len(values)
    given = [c or emitter.zeros(tensor(r)) for c, r in zip(cotangents, op.results, strict=True)]
    table = dict(zip(block.args, [*op.operands[count:], *given], strict=True))
    for argument, value in table.items():
        argument.replace_all_uses_with(value)
    values = [table[v] if isinstance(v, BlockArgument) and v.block is block else v for v in values]
    emitter.location = None
    last = block.last_op
    assert last is not None
    block.erase_op(last)
    for inner in list(block.ops):
        inner.detach()
        emitter.insert(inner)
    return [(operand, value) for operand, value in zip(op.operands, values, strict=False) if operand in linear]


REGION_JVP[nn.CustomVjpOp] = _jvp
REGION_TRANSPOSE[_LinearOp] = _transposed
