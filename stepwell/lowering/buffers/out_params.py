"""The pass `buffer-results-to-out-params`: a function writes its results into buffers that its callers give it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, FunctionType, IndexType, MemRefType, NoneAttr, UnitAttr
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue

from stepwell.dialects import memref
from stepwell.dialects.func import CallOp
from stepwell.dialects.layouts import layout_of
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.passes import Pass
from stepwell.lowering.buffers.drop_results import is_private


@dataclass(frozen=True)
class BufferResultsToOutParams(Pass):
    """Give buffers to functions instead of taking them.

    before:  func.func private @f() -> memref<4xf32> { ... return %m }          %r = call @f()
    after:   func.func private @f(%out: memref<4xf32>) { ... memref.copy %m, %out   return }   %r = memref.alloc()   call @f(%r)

    With `hoist-static-allocs` and `hoist-dynamic-allocs`, what the function would allocate to return it is the buffer that it is given.
    """

    name: ClassVar[str] = "buffer-results-to-out-params"

    add_result_attr: bool = False
    hoist_static_allocs: bool = False
    hoist_dynamic_allocs: bool = False
    modify_public_functions: bool = False

    def run(self, op: Operation, ctx: Context) -> None:
        functions: dict[str, Any] = {}
        extents: dict[str, list[list[int] | None]] = {}
        for function in [inner for inner in cast(Any, op).body.block.ops if inner.name == "func.func"]:
            functions[function.sym_name.data] = function
            if function.body.blocks and (self.modify_public_functions or is_private(function)):
                extents[function.sym_name.data] = self._change(function)
        for call in [inner for inner in op.walk() if isinstance(inner, CallOp)]:
            name = call.callee.string_value()
            if name not in functions:
                raise CompileError(f"cannot find callee '{name}' in symbol table", location=place(call))
            if name in extents:
                _change_call(call, extents[name])

    # ---- functions

    def _change(self, function: Any) -> list[list[int] | None]:
        """Give the function a buffer for each of its results: where callers find the extents of each, as numbers of arguments."""
        type: FunctionType = function.function_type
        results = type.outputs.data
        moved = [index for index, result in enumerate(results) if isinstance(result, MemRefType)]
        for index in moved:
            if not _is_plain(results[index]) and not _is_dynamic(results[index]):
                raise CompileError("cannot create out param for result with unsupported layout", location=place(function))
        self._change_attributes(function, moved, len(type.inputs.data))
        kept = [result for index, result in enumerate(results) if index not in moved]
        function.properties["function_type"] = FunctionType.from_lists([*type.inputs.data, *(results[index] for index in moved)], kept)
        entry: Block = function.body.blocks[0]
        outs: list[BlockArgument] = []
        for index in moved:
            outs.append(entry.insert_arg(results[index], len(entry.args)))
            outs[-1].location = function.location
        extents: list[list[int] | None] = [None] * len(moved)
        for end in [inner for inner in function.body.walk() if inner.name == "func.return" and inner.parent_op() is function]:
            buffers = [end.operands[index] for index in moved]
            for number, (buffer, out) in enumerate(zip(buffers, outs, strict=True)):
                extents[number] = self._fill(end, buffer, out, entry) or extents[number]
            end.operands = [value for index, value in enumerate(end.operands) if index not in moved]
        return extents

    def _change_attributes(self, function: Any, moved: list[int], inputs: int) -> None:
        """What is said of a result is said of the argument."""
        of_results = function.properties.get("res_attrs")
        of_arguments = function.properties.get("arg_attrs")
        given: list[Attribute] = [] if of_results is None else list(of_results.data)
        if of_results is None and of_arguments is None and not self.add_result_attr:
            return
        arguments: list[Attribute] = [DictionaryAttr({})] * inputs if of_arguments is None else list(of_arguments.data)
        for index in moved:
            said = dict(cast(Any, given[index]).data) if given else {}
            if self.add_result_attr:
                said["bufferize.result"] = UnitAttr()
            arguments.append(DictionaryAttr(said))
        function.properties["arg_attrs"] = ArrayAttr(arguments)
        if given:
            function.properties["res_attrs"] = ArrayAttr([said for index, said in enumerate(given) if index not in moved])

    def _fill(self, end: Operation, buffer: SSAValue, out: BlockArgument, entry: Block) -> list[int] | None:
        """Let `out` hold what `buffer` holds at the end: the arguments that are its extents, where it has taken the place of `buffer`."""
        maker = buffer.owner
        is_static = cast(Any, buffer.type).has_static_shape()
        hoists = self.hoist_static_allocs if is_static else self.hoist_dynamic_allocs
        if hoists and isinstance(maker, Operation) and maker.name == "memref.alloc":
            sizes = [value for value in maker.operands if isinstance(value.type, IndexType)]
            known = all(isinstance(value, BlockArgument) and value.block is entry for value in sizes)
            buffer.replace_all_uses_with(out)
            maker.detach()
            maker.erase()
            return [cast(BlockArgument, value).index for value in sizes] if known else []
        copy = memref.CopyOp(buffer, out)
        copy.location = end.location
        assert end.parent is not None
        end.parent.insert_op_before(copy, end)
        return None


def _is_plain(type: Attribute) -> bool:
    return isinstance(cast(Any, type).layout, NoneAttr)


def _is_dynamic(type: Attribute) -> bool:
    """Whether neither offset nor strides are known."""
    strides, offset = layout_of(cast(Any, type))
    return offset is None and all(stride is None for stride in strides)


# ---- calls -------------------------------------------------------------------------------------------------------------------------------


def _change_call(call: Any, extents: list[list[int] | None]) -> None:
    block: Block = call.parent
    outs: list[SSAValue] = []

    def insert(op: Operation) -> SSAValue:
        op.location = call.location
        block.insert_op_before(op, call)
        return op.results[0]

    kept: list[SSAValue] = []
    numbers = iter(extents)
    for result in call.results:
        type = result.type
        if not isinstance(type, MemRefType):
            kept.append(result)
            continue
        sizes = next(numbers)
        if not type.has_static_shape() and not sizes:
            raise CompileError("cannot create out param for dynamically shaped result", location=place(call))
        space = cast(Any, type).memory_space
        plain: Any = MemRefType(cast(Any, type).element_type, type.get_shape(), NoneAttr(), space)
        dynamic = [] if type.has_static_shape() or sizes is None else [call.operands[number] for number in sizes]
        out = insert(memref.AllocOp(dynamic_sizes=dynamic, symbol_operands=[], result_type=plain))
        if out.type != type:
            out = insert(memref.CastOp.get(out, cast(Any, type)))
        out.name_hint = result.name_hint
        result.replace_all_uses_with(out)
        outs.append(out)
    new = CallOp(call.callee, [*call.operands, *outs], [result.type for result in kept])
    new.location = call.location
    block.insert_op_before(new, call)
    for old, result in zip(kept, new.results, strict=True):
        result.name_hint = old.name_hint
        old.replace_all_uses_with(result)
    call.detach()
    call.erase()
