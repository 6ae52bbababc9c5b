"""Tensors to buffers: every operation overwrites its destination, as the copies that were inserted before allow it to.

before:  %r = linalg.fill ins(%f : f32) outs(%t : tensor<?xf32>) -> tensor<?xf32>
after:   linalg.fill ins(%f : f32) outs(%m : memref<?xf32>)             (and what used %r uses %m)

In: the body of a function and the types of its boundary. Out: the same in memrefs. A tensor from an operation that is not known becomes a
buffer by `bufferization.to_buffer`, and a buffer a tensor for one by `to_tensor`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

from xdsl.dialects.builtin import DenseArrayBase, MemRefType, UnrankedMemRefType, i32
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue

from stepwell.dialects import memref
from stepwell.dialects.arith import SelectOp
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.lowering.buffers.convert_tensors import TensorConversion
from stepwell.lowering.buffers.effects import has_tensors, inputs_of, is_tensor
from stepwell.lowering.buffers.types import dynamic, joined, plain

_ALWAYS = ("func.return", "scf.yield", "scf.condition", "scf.for", "scf.while", "scf.if", "scf.execute_region", "scf.index_switch")


class Conversion(TensorConversion):
    """The conversion of one function."""

    # ---- one operation

    def _convert(self, op: Operation) -> None:
        self._at = op
        handler = self._HANDLERS.get(op.name)
        if op.name in ("func.call", "func.return") and self._returns is None:
            handler = None
        if handler is not None and (has_tensors(op) or op.name in _ALWAYS):
            handler(self, op)
        elif op.dialect_name() == "linalg" and hasattr(op, "outputs") and has_tensors(op):
            self._structured(op)
        elif has_tensors(op):
            self._keep(op)
        else:
            for region in op.regions:
                self.region(region)

    def _keep(self, op: Operation) -> None:
        if not self._lenient and op.dialect_name() != "func":
            raise CompileError(f"'{op.name}' op was not bufferized", location=place(op))
        for index, operand in enumerate(op.operands):
            if is_tensor(operand.type):
                op.operands[index] = self._tensor(operand)
        for region in op.regions:
            self.region(region)

    def _replaced(self, op: Operation, made: Operation) -> None:
        """Scalars and vectors of `op` are those of `made`; the tensors are its buffers."""
        for old, new in zip(op.results, made.results, strict=True):
            if is_tensor(old.type):
                self._buffers[old] = new
            else:
                old.replace_all_uses_with(new)

    def _operands(self, op: Operation) -> list[SSAValue]:
        return [self._buffer(value) if is_tensor(value.type) or value in self._buffers else value for value in op.operands]

    def _structured(self, op: Any) -> None:
        operands = self._operands(op)
        outputs = [buffer for value, buffer in zip(op.outputs, operands[inputs_of(op) :], strict=True) if is_tensor(value.type)]
        made = self._rebuilt(op, operands, [])
        self._set(op, *outputs)
        for region in made.regions:
            self.region(region)

    # ---- arith, bufferization, vector

    def _constant(self, op: Any) -> None:
        type = plain(op.result.type)
        made = memref.GetGlobalOp(self._global(op.properties["value"]), cast(Any, type))
        self._set(op, self._insert(made).results[0])
        self._gone(op)

    def _select(self, op: Any) -> None:
        target = self.prediction.of(op.results[0])
        first, second = (self._fitted(self._buffer(value), target) for value in op.operands[1:])
        made = SelectOp.create(operands=[op.operands[0], first, second], result_types=[target])
        self._set(op, self._insert(made).results[0])
        self._gone(op)

    def _alloc_tensor(self, op: Any) -> None:
        space = op.memory_space
        if op.copy is not None:
            buffer = self._buffer(op.copy)
            if space is None:
                space = getattr(buffer.type, "memory_space", None)
            self._set(op, self._copied(buffer, plain(op.tensor.type, space)))
        else:
            self._set(op, self._alloc(plain(op.tensor.type, space), op.dynamic_sizes))
        self._gone(op)

    def _empty(self, op: Any) -> None:
        self._set(op, self._alloc(plain(op.tensor.type), op.dynamic_sizes))
        self._gone(op)

    def _to_tensor(self, op: Any) -> None:
        self._set(op, op.memref)
        self._gone(op)

    def _to_buffer(self, op: Any) -> None:
        buffer = self._fitted(self._buffer(op.tensor), op.memref.type)
        op.memref.replace_all_uses_with(buffer)
        self._gone(op)

    def _dealloc_tensor(self, op: Any) -> None:
        self._insert(memref.DeallocOp.get(self._buffer(op.tensor)))
        self._gone(op)

    def _materialize(self, op: Any) -> None:
        dest = self._buffer(op.dest)
        self._insert(memref.CopyOp(self._buffer(op.source), dest))
        if op.results:
            self._set(op, dest)
        self._gone(op)

    def _reads_buffer(self, op: Any) -> None:
        self._replaced(op, self._rebuilt(op, self._operands(op), list(op.result_types)))

    def _transfer_write(self, op: Any) -> None:
        buffer = self._buffer(op.source)
        self._rebuilt(op, self._operands(op), [])
        self._set(op, buffer)

    # ---- regions

    def arguments(self, arguments: Sequence[BlockArgument], types: Sequence[Attribute]) -> None:
        """Give a block arguments in memrefs beside those in tensors, which go in the end."""
        for argument, type in zip(list(arguments), types, strict=True):
            if is_tensor(argument.type):
                made = argument.block.insert_arg(type, argument.index + 1)
                made.name_hint = argument.name_hint
                self._buffers[argument] = made
                self._old_arguments.append(argument)

    def _carried(self, values: Sequence[SSAValue], types: Sequence[Attribute]) -> list[SSAValue]:
        return [
            self._fitted(self._buffer(value), type) if is_tensor(value.type) or value in self._buffers else value
            for value, type in zip(values, types, strict=True)
        ]

    def _for(self, op: Any) -> None:
        types = [self.prediction.of(result) if is_tensor(result.type) else result.type for result in op.results]
        made: Any = self._rebuilt(op, [*op.operands[:3], *self._carried(op.operands[3:], types)], types)
        self.arguments(made.body.block.args[1:], types)
        self._replaced(op, made)
        self.region(made.body)

    def _while(self, op: Any) -> None:
        before, after = op.before_region.block, op.after_region.block
        first = [self.prediction.of(a) if is_tensor(a.type) else a.type for a in before.args]
        second = [self.prediction.of(a) if is_tensor(a.type) else a.type for a in after.args]
        made: Any = self._rebuilt(op, self._carried(op.operands, first), second)
        self.arguments(made.before_region.block.args, first)
        self.arguments(made.after_region.block.args, second)
        self._replaced(op, made)
        self.region(made.before_region)
        self.region(made.after_region)

    def _branches(self, op: Any) -> None:
        types = [self.prediction.of(result) if is_tensor(result.type) else result.type for result in op.results]
        made = self._rebuilt(op, op.operands, types)
        self._replaced(op, made)
        for region in made.regions:
            self.region(region)

    def _forall(self, op: Any) -> None:
        buffers = [self._buffer(value) for value in op.outputs]
        scalars = op.operands[: len(op.operands) - len(buffers)]
        block = op.region.block
        for argument, buffer in zip(list(block.args)[len(block.args) - len(buffers) :], buffers, strict=True):
            self._buffers[argument] = buffer
            self._old_arguments.append(argument)
        segments = op.properties["operandSegmentSizes"].get_values()
        op.properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [*segments[:3], 0])
        made: Any = self._rebuilt(op, scalars, [])
        self._set(op, *buffers)
        body = made.region.block
        end = body.last_op
        assert end is not None
        for inner in list(end.regions[0].block.ops):  # what is put in its place stands before the terminator
            inner.detach()
            body.insert_op_before(inner, end)
        self.region(made.region)

    def _yield(self, op: Any) -> None:
        around: Any = op.parent_op()
        if around.name == "scf.while":
            types = [argument.type for argument in around.before_region.block.args if argument not in self._buffers]
        else:
            types = list(around.result_types)
        if len(types) != len(op.operands):
            return
        values = self._carried(op.operands, types)
        for index, value in enumerate(values):
            op.operands[index] = value

    def _condition(self, op: Any) -> None:
        values = self._carried(op.operands[1:], op.parent_op().result_types)
        for index, value in enumerate(values, 1):
            op.operands[index] = value

    # ---- functions

    def _call(self, op: Any) -> None:
        callee = self._callees.get(op.callee.string_value())
        if callee is None:
            raise CompileError(f"'func.call' op of a function that is not here: @{op.callee.string_value()}", location=place(op))
        made = self._rebuilt(op, self._carried(op.operands, callee.function_type.inputs.data), callee.function_type.outputs.data)
        self._replaced(op, made)

    def _return(self, op: Any) -> None:
        assert self._returns is not None
        types: list[Attribute] = []
        for index, value in enumerate(op.operands):
            if not is_tensor(value.type) and value not in self._buffers:
                types.append(value.type)
                continue
            buffer = self._buffer(value)
            if self._returns != "infer-layout-map":
                space = cast(Any, buffer.type).memory_space
                buffer = self._fitted(buffer, plain(value.type) if self._returns == "identity-layout-map" else dynamic(value.type, space))
            op.operands[index] = buffer
            types.append(buffer.type)
        self.returned.append((op, types))

    def settle_returns(self) -> list[Attribute] | None:
        """Make all ends of the function return the same types: the types, None where it has no end."""
        if not self.returned:
            return None
        types = self.returned[0][1]
        for _, others in self.returned[1:]:
            types = [joined(a, b) for a, b in zip(types, others, strict=True)]
        for end, _ in self.returned:
            self._at = end
            for index, type in enumerate(types):
                if type.name in (MemRefType.name, UnrankedMemRefType.name):
                    end.operands[index] = self._fitted(end.operands[index], type)
        return types

    _HANDLERS: ClassVar[dict[str, Callable[[Any, Any], None]]] = {
        **TensorConversion.TENSORS,
        "arith.constant": _constant,
        "arith.select": _select,
        "bufferization.alloc_tensor": _alloc_tensor,
        "bufferization.dealloc_tensor": _dealloc_tensor,
        "bufferization.materialize_in_destination": _materialize,
        "bufferization.to_buffer": _to_buffer,
        "bufferization.to_tensor": _to_tensor,
        "func.call": _call,
        "func.return": _return,
        "scf.condition": _condition,
        "scf.execute_region": _branches,
        "scf.for": _for,
        "scf.forall": _forall,
        "scf.if": _branches,
        "scf.index_switch": _branches,
        "scf.while": _while,
        "scf.yield": _yield,
        "tensor.empty": _empty,
        "vector.gather": _reads_buffer,
        "vector.transfer_read": _reads_buffer,
        "vector.transfer_write": _transfer_write,
    }
