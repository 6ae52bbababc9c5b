"""Tensors to buffers: every operation overwrites its destination, as the copies that were inserted before allow it to.

before:  %r = linalg.fill ins(%f : f32) outs(%t : tensor<?xf32>) -> tensor<?xf32>
after:   linalg.fill ins(%f : f32) outs(%m : memref<?xf32>)             (and what used %r uses %m)

In: the body of a function and the types of its boundary. Out: the same in memrefs. A tensor from an operation that is not known becomes a
buffer by `bufferization.to_buffer`, and a buffer a tensor for one by `to_tensor`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, DenseArrayBase, IntegerAttr, MemRefType, NoneAttr, UnrankedMemRefType, i32, i64
from xdsl.dialects.memref import AllocOp, DimOp, LoadOp, StoreOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, OpResult, Region, SSAValue

from stepwell.dialects import linalg, memref
from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.arith import AddiOp, ConstantOp, SelectOp
from stepwell.dialects.bufferization import ToBufferOp, ToTensorOp
from stepwell.dialects.layouts import groups_of, has_identity_map
from stepwell.dialects.linalg.dims import MapOp
from stepwell.dialects.memref.more import ReshapeOp
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.lowering.buffers.effects import has_tensors, inputs_of, is_tensor
from stepwell.lowering.buffers.prediction import Prediction
from stepwell.lowering.buffers.types import collapsed, dynamic, from_outside, is_certain_cast, joined, plain, reshaped, sliced

ALIGNMENT = 64
Global = Callable[[Any], str]
"""Gives the name of a constant's `memref.global`."""


_ALWAYS = ("func.return", "scf.yield", "scf.condition", "scf.for", "scf.while", "scf.if", "scf.execute_region", "scf.index_switch")


def _dim(buffer: SSAValue, index: SSAValue) -> DimOp:
    return DimOp.create(operands=[buffer, index], result_types=[INDEX])


class Conversion:
    """The buffers of the tensors of one function."""

    def __init__(self, globals: Global, callees: dict[str, Any], unknown: str, returns: str | None, *, lenient: bool) -> None:
        """`returns=None`: the boundary of the function stays in tensors; `lenient` keeps operations that are not known."""
        self._global = globals
        self._callees = callees
        self._unknown = unknown
        self._returns = returns
        self._lenient = lenient
        self._buffers: dict[SSAValue, SSAValue] = {}
        self._dead: list[Operation] = []
        self._old_arguments: list[BlockArgument] = []
        self._at: Operation | None = None
        self.prediction = Prediction(self._buffers, callees, unknown)
        self.returned: list[tuple[Operation, list[Attribute]]] = []

    def region(self, region: Region) -> None:
        for block in region.blocks:
            for op in list(block.ops):
                self._convert(op)

    def finish(self) -> None:
        """Erase what was converted."""
        for op in reversed(self._dead):
            op.detach()
            op.erase(safe_erase=False)
        for argument in self._old_arguments:
            argument.block.erase_arg(argument)

    # ---- making operations

    def _insert(self, *ops: Operation) -> Operation:
        """New operations in front of the one that is converted."""
        assert self._at is not None
        assert self._at.parent is not None
        for op in ops:
            op.location = self._at.location
        self._at.parent.insert_ops_before(list(ops), self._at)
        return ops[-1]

    def _index(self, value: int) -> SSAValue:
        return self._insert(ConstantOp(IntegerAttr(value, INDEX))).results[0]

    def _alloc(self, type: Attribute, sizes: Sequence[SSAValue]) -> SSAValue:
        made = AllocOp(dynamic_sizes=sizes, symbol_operands=[], result_type=type, alignment=IntegerAttr(ALIGNMENT, i64))
        return self._insert(made).results[0]

    def _alloc_like(self, buffer: SSAValue, type: Attribute) -> SSAValue:
        """A new buffer of the extents of another one."""
        shape = cast("MemRefType[Any]", type).get_shape()
        numbers = [dim for dim, extent in enumerate(shape) if extent == DYNAMIC_INDEX]
        return self._alloc(type, [self._insert(_dim(buffer, self._index(dim))).results[0] for dim in numbers])

    def _copied(self, buffer: SSAValue, type: Attribute) -> SSAValue:
        if type.name != MemRefType.name:
            assert self._at is not None
            raise CompileError(f"'{self._at.name}' op needs a copy of a tensor of unknown rank", location=place(self._at))
        made = self._alloc_like(buffer, type)
        self._insert(memref.CopyOp(buffer, made))
        return made

    def _fitted(self, buffer: SSAValue, type: Attribute) -> SSAValue:
        """The buffer as one of that type: cast where the cast only forgets, copied otherwise."""
        if buffer.type == type:
            return buffer
        if is_certain_cast(buffer.type, type):
            return self._insert(memref.CastOp.get(buffer, cast(Any, type))).results[0]
        return self._copied(buffer, type)

    # ---- values

    def _buffer(self, value: SSAValue) -> SSAValue:
        found = self._buffers.get(value)
        if found is not None:
            return found
        if isinstance(value.type, (MemRefType, UnrankedMemRefType)):
            return value
        made = ToBufferOp(operands=[value], result_types=[from_outside(value.type, self._unknown)])
        if isinstance(value, OpResult):
            block, following = value.op.parent, value.op.next_op
        else:
            assert isinstance(value, BlockArgument)
            block, following = value.block, value.block.first_op
        assert block is not None
        assert following is not None
        block.insert_op_before(made, following)
        self._buffers[value] = made.memref
        return made.memref

    def _tensor(self, value: SSAValue) -> SSAValue:
        """The value as a tensor again, for an operation that is not known."""
        buffer = self._buffers.get(value)
        if buffer is None:
            return value
        return self._insert(ToTensorOp(operands=[buffer], result_types=[value.type])).results[0]

    def _set(self, op: Operation, *buffers: SSAValue) -> None:
        for result, buffer in zip(op.results, buffers, strict=True):
            self._buffers[result] = buffer

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
        if not self._lenient and op.name not in ("func.return",):
            raise CompileError(f"'{op.name}' op was not bufferized", location=place(op))
        for index, operand in enumerate(op.operands):
            if is_tensor(operand.type):
                op.operands[index] = self._tensor(operand)
        for region in op.regions:
            self.region(region)

    def _gone(self, op: Operation) -> None:
        self._dead.append(op)

    def _rebuilt(self, op: Operation, operands: Sequence[SSAValue], types: Sequence[Attribute]) -> Operation:
        """The same operation on other operands, its regions moved."""
        regions = [op.detach_region(region) for region in list(op.regions)]
        made = type(op).create(
            operands=operands,
            result_types=types,
            properties=dict(op.properties),
            attributes=dict(op.attributes),
            regions=regions,
        )
        self._insert(made)
        self._gone(op)
        return made

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

    # ---- tensor

    def _cast(self, op: Any) -> None:
        buffer = self._buffer(op.source)
        type = reshaped(buffer.type, op.dest.type)
        same_type = buffer.type == type
        self._set(op, buffer if same_type else self._insert(memref.CastOp.get(buffer, cast(Any, type))).results[0])
        self._gone(op)

    def _dim(self, op: Any) -> None:
        op.result.replace_all_uses_with(self._insert(_dim(self._buffer(op.source), op.index)).results[0])
        self._gone(op)

    def _rank(self, op: Any) -> None:
        made = memref.RankOp.create(operands=[self._buffer(op.tensor)], result_types=[INDEX])
        op.results[0].replace_all_uses_with(self._insert(made).results[0])
        self._gone(op)

    def _extract(self, op: Any) -> None:
        op.result.replace_all_uses_with(self._insert(LoadOp.get(self._buffer(op.tensor), op.indices)).results[0])
        self._gone(op)

    def _insert_element(self, op: Any) -> None:
        buffer = self._buffer(op.dest)
        self._insert(StoreOp.get(op.scalar, buffer, op.indices))
        self._set(op, buffer)
        self._gone(op)

    def _subview(self, op: Any, buffer: SSAValue, part: Attribute) -> SSAValue:
        type = sliced(cast(Any, buffer.type), op, part)
        return self._insert(memref.SubviewOp.get(buffer, op.mixed_offsets(), op.mixed_sizes(), op.mixed_strides(), type)).results[0]

    def _extract_slice(self, op: Any) -> None:
        self._set(op, self._subview(op, self._buffer(op.source), op.result.type))
        self._gone(op)

    def _insert_slice(self, op: Any) -> None:
        source, dest = self._buffer(op.source), self._buffer(op.dest)
        self._insert(memref.CopyOp(source, self._subview(op, dest, op.source.type)))
        if op.results:
            self._set(op, dest)
        self._gone(op)

    def _collapse(self, op: Any) -> None:
        buffer, groups = self._buffer(op.src), groups_of(op.reassociation)
        if collapsed(cast(Any, buffer.type), groups) is None:  # with gaps between
            buffer = self._copied(buffer, plain(op.src.type))
        self._set(op, self._insert(memref.CollapseShapeOp.get(buffer, groups)).results[0])
        self._gone(op)

    def _expand(self, op: Any) -> None:
        made = memref.ExpandShapeOp.get(self._buffer(op.src), groups_of(op.reassociation), op.mixed_output_shape())
        self._set(op, self._insert(made).results[0])
        self._gone(op)

    def _reshape(self, op: Any) -> None:
        buffer, shape = self._buffer(op.source), self._buffer(op.shape)
        space: Attribute = NoneAttr()
        if isinstance(buffer.type, MemRefType):
            type = cast("Any", buffer).type
            space = type.memory_space
            if not has_identity_map(type):
                buffer = self._copied(buffer, plain(op.source.type, space))
        made = ReshapeOp.create(operands=[buffer, shape], result_types=[plain(op.result.type, space)])
        self._set(op, self._insert(made).results[0])
        self._gone(op)

    def _from_elements(self, op: Any) -> None:
        buffer = self._alloc(plain(op.result.type), [])
        shape = op.result.type.get_shape()
        for position, value in enumerate(op.elements):
            indices: list[SSAValue] = []
            for extent in reversed(shape):
                position, index = divmod(position, extent)
                indices.insert(0, self._index(index))
            self._insert(StoreOp.get(value, buffer, indices))
        self._set(op, buffer)
        self._gone(op)

    def _splat(self, op: Any) -> None:
        buffer = self._alloc(plain(op.result.type), op.dynamicSizes)
        self._insert(linalg.FillOp(inputs=[op.input], outputs=[buffer], res=[]))
        self._set(op, buffer)
        self._gone(op)

    def _mapped(self, op: Any, region: Region, buffer: SSAValue) -> None:
        """`linalg.map` of a region that computes an element from its subscripts."""
        element = cast(Any, buffer.type).element_type
        old = region.block
        body = Block(arg_types=[element])
        numbers = [linalg.IndexOp(dim) for dim in range(len(old.args))]
        body.add_ops(numbers)
        for argument, number in zip(old.args, numbers, strict=True):
            argument.replace_all_uses_with(number.results[0])
        for inner in list(old.ops):
            inner.detach()
            body.add_op(linalg.YieldOp(*inner.operands) if inner.name == "tensor.yield" else inner)
        made = MapOp.create(operands=[buffer], result_types=[], regions=[Region(body)])
        self._insert(made)
        self.region(made.regions[0])
        self._at = op

    def _generate(self, op: Any) -> None:
        buffer = self._alloc(plain(op.result.type), op.dynamicExtents)
        self._mapped(op, op.body, buffer)
        self._set(op, buffer)
        self._gone(op)

    def _pad(self, op: Any) -> None:
        source = self._buffer(op.source)
        low, high = op.mixed_low(), op.mixed_high()
        extents = op.result.type.get_shape()
        sizes: list[SSAValue] = []
        for dim, extent in enumerate(extents):
            if extent == DYNAMIC_INDEX:
                size = self._insert(_dim(source, self._index(dim))).results[0]
                for amount in (low[dim], high[dim]):
                    added: Any = self._index(amount) if isinstance(amount, int) else amount
                    size = self._insert(AddiOp(size, added)).results[0]
                sizes.append(size)
        buffer = self._alloc(plain(op.result.type, getattr(source.type, "memory_space", None)), sizes)
        self._mapped(op, op.region, buffer)
        inside: list[Any] = [
            self._insert(_dim(source, self._index(dim))).results[0] if extent == DYNAMIC_INDEX else extent
            for dim, extent in enumerate(op.source.type.get_shape())
        ]
        view = self._insert(memref.SubviewOp.get(buffer, low, inside, [1] * len(inside))).results[0]
        self._insert(memref.CopyOp(source, view))
        self._set(op, buffer)
        self._gone(op)

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
        "tensor.cast": _cast,
        "tensor.collapse_shape": _collapse,
        "tensor.dim": _dim,
        "tensor.empty": _empty,
        "tensor.expand_shape": _expand,
        "tensor.extract": _extract,
        "tensor.extract_slice": _extract_slice,
        "tensor.from_elements": _from_elements,
        "tensor.generate": _generate,
        "tensor.insert": _insert_element,
        "tensor.insert_slice": _insert_slice,
        "tensor.pad": _pad,
        "tensor.parallel_insert_slice": _insert_slice,
        "tensor.rank": _rank,
        "tensor.reshape": _reshape,
        "tensor.splat": _splat,
        "vector.gather": _reads_buffer,
        "vector.transfer_read": _reads_buffer,
        "vector.transfer_write": _transfer_write,
    }
