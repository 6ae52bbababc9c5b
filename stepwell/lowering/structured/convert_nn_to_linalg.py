"""`convert-nn-to-linalg`: from level 1 to level 2.

In: a module whose kernels are functions of `nn` ops and whose other functions hold calls, views and constants. Out: kernels of `linalg`
ops in destination-passing style, callers that pass `tensor.empty` and whose views are ops of `tensor`. Integers are signless from here
on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, BoolAttr, DenseIntOrFPElementsAttr, DictionaryAttr, FunctionType, TensorType
from xdsl.ir import Operation, SSAValue

from stepwell.dialects import arith, nn, tensor
from stepwell.dialects.nn.base import Array, NnOp
from stepwell.ir.constants import dense, is_narrow
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.lowering.structured import bits, conv, elementwise, index, linear, norm, pool, reduce, resize, shape
from stepwell.lowering.structured.emit import DECOMPOSED_BEFORE, LOWERINGS, Emitter
from stepwell.lowering.structured.groups import split_groups
from stepwell.lowering.structured.kernels import is_kernel, location_of, retype
from stepwell.lowering.structured.views import constant, lower_view, reshape, signless_constant, signless_type

FAMILIES = (elementwise, bits, linear, conv, pool, norm, reduce, shape, index, resize)
"""The modules that fill `LOWERINGS`."""

MOVES_NARROW = (
    *(nn.CastOp, nn.SelectOp, nn.TransposeOp, nn.BroadcastToOp, nn.SliceOp, nn.PadOp),
    *(nn.GatherOp, nn.GatherElementsOp, nn.GatherNdOp, nn.OneHotOp),
)
"""Ops that only convert or move elements, which may be of less than a byte or floats of a byte."""

WRITABLE = DictionaryAttr({"bufferization.writable": BoolAttr.from_bool(True)})


@dataclass(frozen=True)
class ConvertNnToLinalg(Pass):
    """Lower kernels to structured ops and what is around them to views.

    before:
    ```mlir
    func.func private @relu(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {kernel} {
      %y = nn.relu %x : tensor<4x8xf32>
      func.return %y : tensor<4x8xf32>
    }
    func.func @main(%x: tensor<32xf32>) -> tensor<4x8xf32> {
      %r = nn.reshape %x : tensor<32xf32> -> tensor<4x8xf32>
      %y = func.call @relu(%r) : (tensor<4x8xf32>) -> tensor<4x8xf32>
      func.return %y : tensor<4x8xf32>
    }
    ```
    after:
    ```mlir
    func.func private @relu(%x: tensor<4x8xf32>, %out: tensor<4x8xf32> {bufferization.writable = true}) -> tensor<4x8xf32>
        attributes {kernel} {
      %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x) outs(%out) { maximumf }
      func.return %y : tensor<4x8xf32>
    }
    func.func @main(%x: tensor<32xf32>) -> tensor<4x8xf32> {
      %r = tensor.expand_shape %x [[0, 1]] output_shape [4, 8] : tensor<32xf32> into tensor<4x8xf32>
      %e = tensor.empty() : tensor<4x8xf32>
      %y = func.call @relu(%r, %e) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
      func.return %y : tensor<4x8xf32>
    }
    ```
    """

    name: ClassVar[str] = "convert-nn-to-linalg"

    def run(self, op: Operation, ctx: Context) -> None:
        functions = [f for f in op.walk() if isinstance(f, func.FuncOp) and not f.is_declaration]
        signatures = {f.sym_name.data: lower_kernel(f) for f in functions if is_kernel(f)}
        for function in functions:
            if not is_kernel(function):
                lower_caller(function, signatures)


@dataclass(frozen=True)
class Signature:
    """How a kernel is called now."""

    inputs: Sequence[TensorType[Any]]
    results: Sequence[TensorType[Any]]
    tables: Sequence[Array] = field(default=())


# ---- kernels --------------------------------------------------------------------------------------------------------------------


def lower_kernel(kernel: func.FuncOp) -> Signature:
    """Replace the body of a kernel by structured ops. Returns how it is to be called."""
    name = kernel.sym_name.data
    block = kernel.body.block
    terminator = block.last_op
    assert isinstance(terminator, func.ReturnOp)
    old_ops, old_args = [op for op in block.ops if op is not terminator], list(block.args)
    split = split_groups(old_ops, terminator)
    results = list(terminator.operands)
    e = Emitter(block, terminator, name, len(results))
    for old in old_args:
        new = block.insert_arg(split.get(old) or signless_type(old.type), len(block.args))
        e.define(old, new)
    destinations = [block.insert_arg(split.get(r) or signless_type(r.type), len(block.args)) for r in results]
    for i, (result, destination) in enumerate(zip(results, destinations, strict=True)):
        destination.name_hint = "out" if len(results) == 1 else f"out{i}"
        e.returns(result, destination)
    for op in old_ops:
        lower_op(op, e)
    for i, (old, destination) in enumerate(zip(results, destinations, strict=True)):
        value = e.value(old)
        if old in old_args or e.destination(old) is not destination or isinstance(old.owner, (nn.ConstantOp, arith.ConstantOp)):
            value = e.pointwise([value], destination, lambda s, x: x, raw=True)
        terminator.operands[i] = value
    for op in reversed(old_ops):
        op.detach()
        op.erase()
    for old in old_args:
        block.erase_arg(old)
    types = [cast(TensorType[Any], a.type) for a in block.args]
    outputs = types[len(types) - len(results) :]
    kernel.properties["function_type"] = FunctionType.from_lists(types, outputs)
    kernel.properties["arg_attrs"] = ArrayAttr([DictionaryAttr({})] * (len(types) - len(results)) + [WRITABLE] * len(results))
    kernel.properties.pop("res_attrs", None)
    return Signature(types[: len(old_args)], outputs, e.tables)


def lower_op(op: Operation, e: Emitter) -> None:
    """Lower one op of a kernel."""
    e.location = op.location
    if isinstance(op, (nn.ConstantOp, arith.ConstantOp)):
        if isinstance(op.value, DenseIntOrFPElementsAttr):
            e.define(op.results[0], e.insert(constant(op.value)))
            return
    lowering = LOWERINGS.get(type(op)) if isinstance(op, NnOp) else None
    if lowering is None:
        before = DECOMPOSED_BEFORE.get(op.name)
        hint = f"run {before} first" if before else "a kernel holds nn ops and constant tensors"
        raise CompileError(f"@{e.name}: {op.name} has no lowering to linalg", location=location_of(op), hint=hint)
    if not isinstance(op, MOVES_NARROW):
        _check_types(cast(NnOp, op), e)
    lowering(op, e)


def _check_types(op: NnOp, e: Emitter) -> None:
    if isinstance(op, (nn.ScatterElementsOp, nn.ScatterNdOp)) and op.reduction.data == "none":
        return
    types = [cast(TensorType[Any], value.type) for value in (*op.operands, *op.results)]
    for type in types:
        if is_narrow(type.element_type):
            message = f"@{e.name}: {op.name} does not compute with elements of type {type.element_type}"
            raise CompileError(message, location=location_of(op), hint="insert nn.cast")


# ---- callers --------------------------------------------------------------------------------------------------------------------


def lower_caller(function: func.FuncOp, signatures: dict[str, Signature]) -> None:
    """Views and calls of one function that is no kernel, nested regions included."""
    for op in list(function.walk()):
        if isinstance(op, NnOp):
            _lower_view(op, function)
        elif isinstance(op, func.CallOp) and (signature := signatures.get(op.callee.root_reference.data)):
            _lower_call(op, signature)
    for op in function.walk():
        if isinstance(op, arith.ConstantOp) and isinstance(op.value, DenseIntOrFPElementsAttr):
            op.properties["value"] = signless_constant(op.value)
        for result in list(op.results):
            retype(result, signless_type(result.type))
        for region in op.regions:
            for block in region.blocks:
                for argument in list(block.args):
                    retype(argument, signless_type(argument.type))
    inputs = [a.type for a in function.body.block.args]
    outputs = [signless_type(t) for t in function.function_type.outputs.data]
    function.properties["function_type"] = FunctionType.from_lists(inputs, outputs)


def _inserter(op: Operation) -> Any:
    block = op.parent
    assert block is not None

    def insert(new: Operation) -> SSAValue:
        new.location = op.location
        block.insert_op_before(new, op)
        return new.results[0]

    return insert


def _replace(op: Operation, values: Sequence[SSAValue]) -> None:
    for old, new in zip(op.results, values, strict=True):
        if new.name_hint is None:
            new.name_hint = old.name_hint
        old.replace_all_uses_with(new)
    op.detach()
    op.erase()


def _lower_view(op: NnOp, function: func.FuncOp) -> None:
    value = lower_view(op, _inserter(op))
    if value is None:
        message = f"@{function.sym_name.data}: {op.name} computes, and stands in no kernel"
        raise CompileError(message, location=location_of(op), hint="run nn-form-kernels first")
    _replace(op, [value])


def _lower_call(call: func.CallOp, signature: Signature) -> None:
    insert = _inserter(call)
    operands = [reshape(o, t.get_shape(), insert) for o, t in zip(call.operands, signature.inputs, strict=True)]
    operands += [insert(constant(dense(table))) for table in signature.tables]
    operands += [insert(tensor.EmptyOp.create(result_types=(t,))) for t in signature.results]
    new = func.CallOp.create(operands=operands, result_types=signature.results, properties=call.properties, attributes=call.attributes)
    insert(new)
    results: list[SSAValue] = []
    for old, result in zip(call.results, new.results, strict=True):
        results.append(reshape(result, cast(TensorType[Any], old.type).get_shape(), insert))
    _replace(call, results)
