"""The pass `one-shot-bufferize`: tensors of a whole module become memrefs, with copies only where one buffer would not do.

Three steps for each function, callees first: `analysis` decides what may be overwritten, `copies` gives the rest tensors of their own,
`convert` makes buffers of what is left. Upstream's name, options and conventions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

from xdsl.context import Context
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, DictionaryAttr, FunctionType, ModuleOp
from xdsl.ir import Attribute, Operation
from xdsl.ir.affine import AffineExpr, AffineMap

from stepwell.dialects import memref
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.passes import Pass
from stepwell.ir.text.printing import print_attribute
from stepwell.lowering.buffers.analysis import Analysis, Signature
from stepwell.lowering.buffers.convert import Conversion
from stepwell.lowering.buffers.copies import copy_yields, insert_copies
from stepwell.lowering.buffers.effects import Place, has_tensors, is_tensor
from stepwell.lowering.buffers.types import Boundary, from_outside, plain

__all__ = ["OneShotBufferize"]


@dataclass(frozen=True)
class OneShotBufferize(Pass):
    """Tensors become memrefs.

    before:  %r = tensor.insert %f into %t[%i] : tensor<?xf32>
    after:   memref.store %f, %m[%i] : memref<?xf32>
    """

    name = "one-shot-bufferize"

    bufferize_function_boundaries: bool = False
    allow_return_allocs_from_loops: bool = False
    allow_unknown_ops: bool = False
    copy_before_write: bool = False
    function_boundary_type_conversion: Boundary = "infer-layout-map"
    unknown_type_conversion: Literal["identity-layout-map", "fully-dynamic-layout-map"] = "fully-dynamic-layout-map"

    def run(self, op: Operation, ctx: Context) -> None:
        if not isinstance(op, ModuleOp):
            raise CompileError(f"'{self.name}' runs on a module, not on '{op.name}'", location=place(op))
        functions = {cast(Any, f).sym_name.data: f for f in op.walk() if f.name == "func.func"}
        signatures: dict[str, Signature] = {}
        converted: dict[str, Any] = {}
        constants = _Constants(op)
        for name in _callees_first(functions, recursive=not self.bufferize_function_boundaries):
            function = cast(Any, functions[name])
            if not any(block.ops for block in function.body.blocks):
                if self.bufferize_function_boundaries:
                    signatures[name] = _declared(function)
                    self._retype_declaration(function)
                    converted[name] = function
                continue
            self._function(function, signatures, converted, constants.name_of)
            if self.bufferize_function_boundaries:
                converted[name] = function

    def _function(self, function: Any, signatures: dict[str, Signature], converted: dict[str, Any], name_of: Callable[[Any], str]) -> None:
        boundaries = self.bufferize_function_boundaries
        analysis = Analysis(function, signatures, arguments_writable=boundaries, unknown_ops=self.allow_unknown_ops or not boundaries)
        if self.copy_before_write:
            _copy_every_write(analysis, function)
        else:
            analysis.run()
        if boundaries:
            signatures[function.sym_name.data] = _found(analysis, function)
        insert_copies(analysis)
        if not self.copy_before_write:
            copy_yields(analysis, function, allowed=self.allow_return_allocs_from_loops)
        how = self.function_boundary_type_conversion
        conversion = Conversion(
            name_of, converted, self.unknown_type_conversion, how if boundaries else None, lenient=self.allow_unknown_ops
        )
        if boundaries:
            self._retype_arguments(function, conversion)
        conversion.region(function.body)
        conversion.finish()
        if boundaries:
            types = conversion.settle_returns()
            if types is not None:
                function.properties["function_type"] = FunctionType.from_lists(function.function_type.inputs.data, types)

    def _argument_type(self, type: Attribute, attributes: DictionaryAttr | None) -> Attribute:
        if not is_tensor(type):
            return type
        layout = attributes.data.get("bufferization.buffer_layout") if attributes is not None else None
        if layout is not None:
            return _with_layout(type, layout)
        return from_outside(type, self.function_boundary_type_conversion)

    def _retype_arguments(self, function: Any, conversion: Conversion) -> None:
        given: Any = function.properties.get("arg_attrs")
        types = [
            self._argument_type(type, given.data[index] if given is not None else None)
            for index, type in enumerate(function.function_type.inputs.data)
        ]
        conversion.arguments(function.body.blocks[0].args, types)
        function.properties["function_type"] = FunctionType.from_lists(types, function.function_type.outputs.data)
        _forget_arguments(function)

    def _retype_declaration(self, function: Any) -> None:
        given: Any = function.properties.get("arg_attrs")
        inputs = [
            self._argument_type(type, given.data[index] if given is not None else None)
            for index, type in enumerate(function.function_type.inputs.data)
        ]
        how = self.function_boundary_type_conversion
        outputs = [from_outside(type, how) if is_tensor(type) else type for type in function.function_type.outputs.data]
        function.properties["function_type"] = FunctionType.from_lists(inputs, outputs)
        _forget_arguments(function)


def _with_layout(type: Attribute, layout: Attribute) -> Attribute:
    tensor: Any = type
    made: Any = plain(type)
    is_identity = isinstance(layout, AffineMapAttr) and _is_identity(layout.data)
    kind = made.__class__
    return made if is_identity else kind(tensor.element_type, tensor.get_shape(), layout)


def _is_identity(map: AffineMap) -> bool:
    return map.results == tuple(AffineExpr.dimension(dim) for dim in range(map.num_dims))


def _forget_arguments(function: Any) -> None:
    """The attributes that spoke of tensors are spent."""
    given: Any = function.properties.get("arg_attrs")
    if given is None:
        return
    left = [{name: value for name, value in of.data.items() if not name.startswith("bufferization.")} for of in given.data]
    if any(left):
        function.properties["arg_attrs"] = ArrayAttr([DictionaryAttr(attributes) for attributes in left])
    else:
        del function.properties["arg_attrs"]


# ---- what callers must know -----------------------------------------------------------------------------------------------------------


def _declared(function: Any) -> Signature:
    """What the attributes of a function without a body say of its arguments."""
    signature = Signature(len(function.function_type.inputs.data), len(function.function_type.outputs.data))
    given: Any = function.properties.get("arg_attrs")
    for index, attributes in enumerate(given.data if given is not None else ()):
        access = attributes.data.get("bufferization.access")
        if access is not None:
            signature.reads[index] = access.data in ("read", "read-write")
            signature.writes[index] = access.data in ("write", "read-write")
    return signature


def _found(analysis: Analysis, function: Any) -> Signature:
    """What the analysis says of a function's arguments and results."""
    arguments = function.body.blocks[0].args
    signature = Signature(len(arguments), len(function.function_type.outputs.data))
    for index, argument in enumerate(arguments):
        if not is_tensor(argument.type):
            continue
        group = analysis.aliases.of(argument)
        uses = [Place(use.operation, use.index) for value in group for use in value.uses]
        signature.reads[index] = analysis.is_read(argument)
        signature.writes[index] = any(at not in analysis.out_of_place and analysis.writes(at) for at in uses)
    ends = [block.last_op for block in function.body.blocks if block.last_op is not None and block.last_op.name == "func.return"]
    for number, type in enumerate(function.function_type.outputs.data):
        if not is_tensor(type) or not ends:
            continue
        signature.aliases[number] = []
        for index, argument in enumerate(arguments):
            if not is_tensor(argument.type):
                continue
            if all(analysis.equivalents.joined(end.operands[number], argument) for end in ends):
                signature.equivalent[number] = index
            elif any(analysis.aliases.joined(end.operands[number], argument) for end in ends):
                signature.aliases[number].append(index)
    return signature


def _copy_every_write(analysis: Analysis, function: Operation) -> None:
    """No analysis: whatever is overwritten is copied first."""
    for op in function.walk():
        if op is function or not has_tensors(op):
            continue
        for index, operand in enumerate(op.operands):
            if is_tensor(operand.type) and analysis.writes(at := Place(op, index)):
                analysis.force_out_of_place(at)


def _callees_first(functions: dict[str, Operation], *, recursive: bool) -> list[str]:
    """The functions in an order in which every one comes after those that it calls."""
    order: dict[str, None] = {}
    open: set[str] = set()

    def visit(name: str) -> None:
        if name in order or name not in functions:
            return
        if name in open:
            if recursive:
                return
            raise CompileError("expected callgraph to be free of circular dependencies", location=place(functions[name]))
        open.add(name)
        for op in functions[name].walk():
            if op.name == "func.call":
                visit(cast(Any, op).callee.string_value())
        open.discard(name)
        order[name] = None

    for name in functions:
        visit(name)
    return list(order)


class _Constants:
    """The `memref.global`s of constants, each once."""

    def __init__(self, module: ModuleOp) -> None:
        self._module = module
        self._names: dict[Attribute, str] = {}
        self._taken = {cast(Any, op).sym_name.data for op in module.ops if hasattr(op, "sym_name")}

    def name_of(self, value: Any) -> str:
        found = self._names.get(value)
        if found is not None:
            return found
        type = value.type
        stem = "__constant_" + "".join(f"{extent}x" for extent in type.get_shape()) + print_attribute(type.element_type)
        name, number = stem, 0
        while name in self._taken:
            name, number = f"{stem}_{number}", number + 1
        self._taken.add(name)
        self._names[value] = name
        made = memref.GlobalOp.get(name, cast(Any, plain(type)), value, "private", constant=True, alignment=64)
        first = self._module.body.block.first_op
        assert first is not None
        self._module.body.block.insert_op_before(made, first)
        return name
