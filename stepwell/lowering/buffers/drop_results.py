"""The pass `drop-equivalent-buffer-results`: a function need not return a buffer that it was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, FunctionType, MemRefType, UnrankedMemRefType
from xdsl.ir import BlockArgument, Operation, SSAValue

from stepwell.dialects import memref
from stepwell.ir.passes import Pass


@dataclass(frozen=True)
class DropEquivalentBufferResults(Pass):
    """before:  func.func private @f(%m: memref<4xf32>) -> memref<4xf32> { ... return %m }    %r = call @f(%a)    use(%r)
    after:   func.func private @f(%m: memref<4xf32>) { ... return }                        call @f(%a)         use(%a)

    Only private functions are changed, for others may have callers elsewhere, unless `modify-public-functions` says that they do not.
    """

    name: ClassVar[str] = "drop-equivalent-buffer-results"

    modify_public_functions: bool = False

    def run(self, op: Operation, ctx: Context) -> None:
        calls: dict[str, list[Any]] = {}
        functions: list[Any] = []
        for inner in op.walk():
            if inner.name == "func.call":
                calls.setdefault(cast(Any, inner).callee.string_value(), []).append(inner)
            elif inner.name == "func.func":
                functions.append(inner)
        for function in functions:
            if self.modify_public_functions or is_private(function):
                _drop(function, calls.get(function.sym_name.data, []))


def is_private(function: Any) -> bool:
    """Whether nobody outside of the module can call the function."""
    visibility = function.properties.get("sym_visibility")
    return visibility is not None and visibility.data == "private"


def _drop(function: Any, calls: list[Any]) -> None:
    ends = [block.last_op for block in function.body.blocks if block.last_op is not None and block.last_op.name == "func.return"]
    if not ends:
        return
    given: dict[int, int] = {}
    for number in range(len(ends[0].operands)):
        found = {_argument(end.operands[number], function) for end in ends}
        index = found.pop()
        if not found and index is not None:
            given[number] = index
    if not given:
        return
    for end in ends:
        end.operands = [value for number, value in enumerate(end.operands) if number not in given]
    type = function.function_type
    outputs = [output for number, output in enumerate(type.outputs.data) if number not in given]
    function.properties["function_type"] = FunctionType.from_lists(type.inputs.data, outputs)
    attributes = function.properties.get("res_attrs")
    if attributes is not None:
        function.properties["res_attrs"] = ArrayAttr([a for number, a in enumerate(attributes.data) if number not in given])
    for call in calls:
        _shorten(call, given)


def _argument(value: SSAValue, function: Any) -> int | None:
    """The number of the argument that a returned buffer is, under another type perhaps."""
    if not isinstance(value.type, (MemRefType, UnrankedMemRefType)):
        return None
    while not isinstance(value, BlockArgument):
        maker = value.owner
        if not isinstance(maker, memref.CastOp):
            return None
        value = maker.source
    return value.index if value.block is function.body.blocks[0] else None


def _shorten(call: Any, given: dict[int, int]) -> None:
    kept = [result for result in call.results if result.index not in given]
    made: Any = call.__class__.create(
        operands=list(call.operands),
        result_types=[result.type for result in kept],
        properties=dict(call.properties),
        attributes=dict(call.attributes),
    )
    made.location = call.location
    block = call.parent
    block.insert_op_before(made, call)
    for old, new in zip(kept, made.results, strict=True):
        old.replace_all_uses_with(new)
    for number, index in given.items():
        old, buffer = call.results[number], call.operands[index]
        if old.type != buffer.type and old.first_use is not None:
            conversion = memref.CastOp.get(buffer, old.type)
            block.insert_op_before(conversion, call)
            buffer = conversion.dest
        old.replace_all_uses_with(buffer)
    call.detach()
    call.erase()
