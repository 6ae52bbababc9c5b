"""A group of operations becomes a private function and a call of it.

In: a group and its plan. Out: `func.func private @conv_add_relu(...) attributes {kernel}` on merged shapes (one function for all groups
that look alike), a `func.call` in place of the group, and `nn.reshape`s around it. Arguments are what the anchor reads, in its order
(activations, then weights), then what the elementwise operations read, in order of use. Constants that are one number stand inside the
kernel.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    FunctionType,
    FusedLoc,
    ModuleOp,
    NameLoc,
    StringAttr,
    SymbolRefAttr,
    UnitAttr,
)
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import NnOp
from stepwell.ir.constants import splat, tensor_type
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.lowering.graph.grouping import describe
from stepwell.lowering.graph.plans import Plan
from stepwell.lowering.graph.values import constant_attribute, element_of, make_constant_of, shape_of, splat_value

SOURCE_LENGTH = 120
"""Names of source nodes are shortened to so many characters."""

Ref = tuple[str, int]
"""("argument" | "op" | "constant", number)."""


class _Body:
    """The operations of a kernel to be, as data that can be compared before anything is built."""

    def __init__(self) -> None:
        self.arguments: list[tuple[SSAValue, tuple[int, ...]]] = []
        self.constants: list[DenseIntOrFPElementsAttr[Any]] = []
        self.ops: list[tuple[type[NnOp], list[Ref], dict[str, Attribute], list[Any]]] = []

    def argument(self, value: SSAValue, shape: tuple[int, ...]) -> Ref:
        """The argument that brings a value in a shape."""
        entry = (value, shape)
        for i, known in enumerate(self.arguments):
            if known[0] is value and known[1] == shape:
                return "argument", i
        self.arguments.append(entry)
        return "argument", len(self.arguments) - 1

    def constant(self, value: DenseIntOrFPElementsAttr[Any]) -> Ref:
        """The constant of one number."""
        if value not in self.constants:
            self.constants.append(value)
        return "constant", self.constants.index(value)

    def type_of(self, ref: Ref) -> Any:
        kind, i = ref
        if kind == "argument":
            value, shape = self.arguments[i]
            return tensor_type(shape, element_of(value))
        return self.constants[i].type if kind == "constant" else self.ops[i][3][0]

    def key(self) -> Hashable:
        """Equal for kernels that are the same function."""
        return (
            tuple(self.type_of(("argument", i)) for i in range(len(self.arguments))),
            tuple(self.constants),
            tuple((kind, tuple(refs), frozenset(properties.items()), tuple(types)) for kind, refs, properties, types in self.ops),
        )


class Outliner:
    """Makes kernels in a module and remembers them, so that equal ones are made once."""

    def __init__(self, module: ModuleOp) -> None:
        self._module = module
        self._kernels: dict[Hashable, FuncOp] = {}
        self._names = {op.sym_name.data for op in module.ops if isinstance(op, FuncOp)}
        self._reshaped: dict[tuple[SSAValue, tuple[int, ...], Block], SSAValue] = {}

    def outline(self, plan: Plan) -> None:
        """Replace the group of a plan by a call."""
        body = _describe(plan)
        key = body.key()
        if key not in self._kernels:
            self._kernels[key] = self._make_kernel(describe(plan.group.ops), body)
        kernel = self._kernels[key]
        sink = plan.group.sink
        block = sink.parent_block()
        assert block is not None
        operands = [self._in_shape(value, shape, sink, block) for value, shape in body.arguments]
        call = CallOp(SymbolRefAttr(kernel.sym_name.data), operands, list(kernel.function_type.outputs))
        if source := _source(plan.group.ops):
            call.attributes["source"] = StringAttr(source)
        call.location = sink.location
        block.insert_op_before(call, sink)
        for old, new in zip(sink.results, call.results, strict=True):
            new.name_hint = old.name_hint
            value: SSAValue = new
            if new.type != old.type:
                reshape = nn.ReshapeOp.make(new, result_type=old.type)
                reshape.location = sink.location
                block.insert_op_before(reshape, sink)
                value = reshape.y
            old.replace_all_uses_with(value)
        for op in reversed(plan.group.ops):
            op.detach()
            op.erase()

    def _in_shape(self, value: SSAValue, shape: tuple[int, ...], before: Operation, block: Block) -> SSAValue:
        if shape_of(value) == shape:
            return value
        key = value, shape, block
        if key not in self._reshaped:
            type = tensor_type(shape, element_of(value))
            constant = constant_attribute(value)
            if constant is not None:
                made: Operation = make_constant_of(DenseIntOrFPElementsAttr(type, constant.data))
            elif isinstance(value.owner, nn.ReshapeOp) and shape_of(value.owner.x) == shape:
                return value.owner.x
            else:
                source = value.owner.x if isinstance(value.owner, nn.ReshapeOp) else value
                made = nn.ReshapeOp.make(source, result_type=type)
            made.location = before.location
            block.insert_op_before(made, before)
            self._reshaped[key] = made.results[0]
        return self._reshaped[key]

    def _make_kernel(self, name: str, body: _Body) -> FuncOp:
        types = [body.type_of(("argument", i)) for i in range(len(body.arguments))]
        block = Block(arg_types=types)
        for argument, (value, _) in zip(block.args, body.arguments, strict=True):
            argument.name_hint = value.name_hint
        constants = [nn.ConstantOp.create(result_types=(c.type,), properties={"value": c}) for c in body.constants]
        block.add_ops(constants)
        made: list[Operation] = []
        for kind, refs, properties, results in body.ops:
            operands = [block.args[i] if k == "argument" else constants[i].y if k == "constant" else made[i].results[0] for k, i in refs]
            op = kind.create(operands=operands, result_types=results, properties=properties)
            block.add_op(op)
            made.append(op)
        block.add_op(ReturnOp(*made[-1].results))
        function_type = FunctionType.from_lists(types, [r.type for r in made[-1].results])
        kernel = FuncOp(self._unique(name), function_type, Region(block), visibility="private")
        kernel.attributes["kernel"] = UnitAttr()
        self._module.body.block.add_op(kernel)
        return kernel

    def _unique(self, name: str) -> str:
        found, n = name, 1
        while found in self._names:
            found, n = f"{name}_{n}", n + 1
        self._names.add(found)
        return found


def _describe(plan: Plan) -> _Body:
    """The body of the kernel on merged shapes."""
    body = _Body()
    group, anchor = plan.group, plan.group.anchor
    number_of = {op: i for i, op in enumerate(group.ops)}
    if anchor is not None:
        # What the anchor reads comes first, whatever the order of use.
        for i, operand in enumerate(anchor.operands):
            if operand.owner not in number_of:
                body.argument(operand, plan.anchor_shapes[i])
    for op in group.ops:
        refs: list[Ref] = []
        for i, operand in enumerate(op.operands):
            if operand.owner in number_of:
                refs.append(("op", number_of[operand.owner]))  # type: ignore[index]
            elif op is not anchor and (constant := _number(operand)) is not None:
                refs.append(body.constant(constant))
            else:
                refs.append(body.argument(operand, plan.operand_shape(op, i)))
        if op is not anchor and not plan.dynamic and _broadcast_shape(body, refs) != plan.value_shape(op):
            # The other operands are smaller than the result: its shape came from the constant.
            refs = [_whole(body, ref, plan.value_shape(op)) if ref[0] == "constant" else ref for ref in refs]
        properties = {**op.properties, **plan.properties} if op is anchor else dict(op.properties)
        body.ops.append((type(op), refs, properties, _result_types(op, plan, body, refs)))
    return body


def _broadcast_shape(body: _Body, refs: Sequence[Ref]) -> tuple[int, ...]:
    return np.broadcast_shapes(*(body.type_of(ref).get_shape() for ref in refs))


def _whole(body: _Body, ref: Ref, shape: tuple[int, ...]) -> Ref:
    """A constant of one number as a splat of a shape."""
    constant = body.constants[ref[1]]
    return body.constant(DenseIntOrFPElementsAttr(tensor_type(shape, constant.type.element_type), constant.data))


def _number(value: SSAValue) -> DenseIntOrFPElementsAttr[Any] | None:
    """A constant of one number as a tensor of rank 0."""
    found = splat_value(value)
    return None if found is None else splat(found.item(), tensor_type((), element_of(value)))


def _result_types(op: NnOp, plan: Plan, body: _Body, refs: Sequence[Ref]) -> list[Any]:
    if len(op.results) > 1:
        return [r.type for r in op.results]
    element, shape = element_of(op.results[0]), plan.value_shape(op)
    if op is not plan.group.anchor:
        have = () if plan.dynamic else _broadcast_shape(body, refs)
        if have != shape and not plan.dynamic:
            raise CompileError(f"kernel forming: {op.name} on {have} should give {shape}", location=place(op))
    return [tensor_type(shape, element)]


def _source(ops: Sequence[Operation]) -> str:
    """The names of the source nodes, joined and shortened; empty for operations that nobody named."""
    names = dict.fromkeys(name for op in ops for name in _names(op.location))
    text = " + ".join(names)
    return text if len(text) <= SOURCE_LENGTH else text[: SOURCE_LENGTH - 3] + "..."


def _names(location: Attribute) -> list[str]:
    match location:
        case NameLoc():
            return [location.desc.data]
        case FusedLoc(locations=ArrayAttr(data=parts)):
            return [name for part in parts for name in _names(part)]
        case _:
            return []
