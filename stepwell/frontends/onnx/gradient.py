"""The operator `Gradient` of `ai.onnx.preview.training`: what stands between some tensors and another is differentiated in reverse mode."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, SSAValue

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.tensors import quote
from stepwell.frontends.onnx.training import DOMAIN
from stepwell.ir.constants import splat
from stepwell.lowering.autodiff.differentiate import is_differentiable, vjp_of_block


@converter("Gradient", domain=DOMAIN)
def _gradient(n: Node, *inputs: Value) -> Sequence[Value]:
    """The gradients of `y` by each of `xs`, where `xs` (and `zs`, which are held fixed) have the values of the inputs."""
    names = n.strs("xs", [])
    fixed = n.strs("zs", [])
    if len(inputs) != len(names) + len(fixed):
        n.fail(f"it has {len(inputs)} inputs for {len(names)} names in 'xs' and {len(fixed)} in 'zs'")
    by = [_tensor(n, name) for name in (*names, *fixed)]
    y = _tensor(n, n.str("y"))
    for name, value, given in zip((*names, *fixed), by, inputs, strict=True):
        if given.type != value.type:
            n.fail(f"{quote(name)} is {value.type}, the input that stands for it {given.type}")
        if name in names and not is_differentiable(value.type):
            n.fail(f"{quote(name)} is {value.type}; only floats have derivatives")
    if not is_differentiable(y.type):
        n.fail(f"{quote(n.str('y'))} is {y.type}; only floats have derivatives")
    block = Block(arg_types=[v.type for v in by])
    table: dict[SSAValue, SSAValue] = {n.builder.ssa(v): a for v, a in zip(by, block.args, strict=True)}
    blocks: dict[Block, Block] = {}
    for op in n.builder.written():
        reads = [operand for inner in op.walk() for operand in inner.operands]
        if not any(result in table for result in op.results) and any(value in table for value in reads):
            block.add_op(op.clone(table, blocks))
    end = table.get(n.builder.ssa(y), n.builder.ssa(y))
    block.add_op(nn.YieldOp(end))
    one = nn.ConstantOp.create(result_types=[y.type], properties={"value": splat(1, y.type)})
    assert block.last_op is not None
    block.insert_op_before(one, block.last_op)
    found = vjp_of_block(block, block.args[: len(names)], [one.results[0]])
    for argument, given in zip(block.args, inputs, strict=True):
        found = [n.builder.ssa(given) if value is argument else value for value in found]
        argument.replace_all_uses_with(n.builder.ssa(given))
    block.erase_op(block.last_op)
    made: dict[SSAValue, Value] = {}
    for op in list(block.ops):
        op.detach()
        made.update(zip(op.results, n.builder.add(op), strict=True))
    return [made[value] if value in made else Value(given.type, None, value) for value, given in zip(found, inputs, strict=False)]


def _tensor(n: Node, name: str) -> Value:
    value = n.scope[name]
    if value is None or value.array is not None:
        n.fail(f"{quote(name)} is constant; gradients are by what is computed when the model runs")
    return value
