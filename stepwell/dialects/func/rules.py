"""What must hold of functions, calls and returns, as rows of a table with MLIR's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, FunctionType, StringAttr, SymbolRefAttr
from xdsl.ir import Attribute, Operation
from xdsl.traits import SymbolTable
from xdsl.utils.exceptions import VerifyException

from stepwell.ir.rules import Complete, Rule, attribute, fail, shown
from stepwell.ir.verify import op_error

VISIBILITIES = ("public", "private", "nested")


def _types(types: Sequence[Attribute]) -> str:
    return ", ".join(f"'{shown(type)}'" for type in types)


# ---- functions ----------------------------------------------------------------------------------------------------------------------


def _dialect_attributes(op: Any) -> None:
    """Arguments and results bear attributes of dialects only, and each has its dictionary."""
    type: Any = op.properties["function_type"]
    for name, what, types in (("arg_attrs", "argument", type.inputs.data), ("res_attrs", "result", type.outputs.data)):
        found = op.properties.get(name)
        if found is None:
            continue
        if len(found) != len(types):
            counts = f"the same number of elements as the number of function {what}s, got {len(found)}, but expected {len(types)}"
            fail(f"expects {what} attribute array to have {counts}")
        for dictionary in found.data:
            if any("." not in key for key in dictionary.data):
                fail(f"{what}s may only have dialect attributes")


def _visibility(op: Any) -> None:
    found = op.properties.get("sym_visibility")
    if found is not None and (not isinstance(found, StringAttr) or found.data not in VISIBILITIES):
        fail(f'visibility expected to be one of ["public", "private", "nested"], but got {shown(found)}')


def _declaration_is_not_public(op: Any) -> None:
    found = op.properties.get("sym_visibility")
    if not op.regions[0].blocks and (found is None or found.data == "public"):
        fail("symbol declaration cannot have public visibility")


def _entry(op: Any) -> None:
    if len(op.regions) != 1:
        fail("requires one region")
    entry = op.regions[0].first_block
    if entry is None:
        return
    inputs = op.function_type.inputs.data
    if len(inputs) != len(entry.args):
        fail(f"entry block must have {len(inputs)} arguments to match function signature")
    for index, (argument, type) in enumerate(zip(entry.args, inputs, strict=True)):
        if argument.type != type:
            signature = f"must match the type of the corresponding argument in function signature({shown(type)})"
            fail(f"type of entry block argument #{index}({shown(argument.type)}) {signature}")


def _dictionaries(value: Attribute) -> bool:
    return isinstance(value, ArrayAttr) and all(isinstance(item, DictionaryAttr) for item in cast("ArrayAttr[Attribute]", value).data)


# ---- calls and returns --------------------------------------------------------------------------------------------------------------


def _call(op: Any) -> None:
    callee: SymbolRefAttr = op.properties["callee"]
    function = cast("Any", SymbolTable.lookup_symbol(op, callee))
    if function is None or function.name != "func.func":
        fail(f"'{callee.string_value()}' does not reference a valid function")
    inputs, outputs = function.function_type.inputs.data, function.function_type.outputs.data
    if len(inputs) != len(op.operands):
        fail("incorrect number of operands for callee")
    for index, (type, value) in enumerate(zip(inputs, op.operands, strict=True)):
        if value.type != type:
            given = f"but provided '{shown(value.type)}' for operand number {index}"
            fail(f"operand type mismatch: expected operand type '{shown(type)}', {given}")
    if len(outputs) != len(op.results):
        fail("incorrect number of results for callee")
    for index, (type, result) in enumerate(zip(outputs, op.results, strict=True)):
        if result.type != type:
            error = VerifyException(f"result type mismatch at index {index}")
            error.add_note(f"op result types: {_types(op.result_types)}")
            error.add_note(f"function result types: {_types(outputs)}")
            raise error


def _return(op: Operation) -> None:
    function = cast("Any", op.parent_op())
    if function is None or function.name != "func.func":
        fail("expects parent op 'func.func'")
    outputs = function.function_type.outputs.data
    name = function.sym_name.data
    if len(op.operands) != len(outputs):
        fail(f"has {len(op.operands)} operands, but enclosing function (@{name}) returns {len(outputs)}")
    for index, (value, type) in enumerate(zip(op.operands, outputs, strict=True)):
        if value.type != type:
            result = f"doesn't match function result type ('{shown(type)}') in function @{name}"
            raise op_error(op, f"type of return operand {index} ('{shown(value.type)}') {result}", name=False)


RULES: dict[str, Sequence[Rule]] = {
    "func.func": Complete(
        (
            attribute("sym_name", "string attribute", lambda a: isinstance(a, StringAttr)),
            attribute("function_type", "type attribute of function type", lambda a: isinstance(a, FunctionType)),
            attribute("arg_attrs", "Array of dictionary attributes", _dictionaries, optional=True),
            attribute("res_attrs", "Array of dictionary attributes", _dictionaries, optional=True),
            _visibility,
            _dialect_attributes,
            _entry,
            _declaration_is_not_public,
        )
    ),
    "func.call": Complete(
        (
            attribute("callee", "flat symbol reference attribute", lambda a: isinstance(a, SymbolRefAttr) and not a.nested_references.data),
            _call,
        )
    ),
    "func.return": Complete((_return,)),
}
