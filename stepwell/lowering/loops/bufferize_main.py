"""The program leaves tensors: `@main` gets destination arguments, allocations, and views where tensors were sliced and reshaped.

In: `@main` in destination form (`plan-views`, `outline-copies`), its kernels on memrefs (`bufferize-kernels`). Out: `@main` on memrefs,
without results; constants are `memref.global`s. Nothing is copied and nothing is decided here: a tensor stands where its destination
says. What is not in destination form is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    MemRefType,
    SymbolRefAttr,
    TensorType,
    i32,
)
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue
from xdsl.rewriter import Rewriter
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects import arith, bufferization, memref, scf, tensor
from stepwell.dialects.layouts import is_castable, layout_of, strided
from stepwell.ir.constants import DYNAMIC
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.lowering.loops.constants import Globals
from stepwell.lowering.loops.memref_types import buffer_type
from stepwell.lowering.loops.storage import History, Storage
from stepwell.lowering.structured.control import Carried, body_of, branches_of, carried_by, yield_of
from stepwell.lowering.structured.kernels import (
    TopConstants,
    callers,
    constant_index,
    erase_dead,
    insert_before,
    is_tensor,
    location_of,
    module_of,
    name_of,
    retype,
    shape_of,
)
from stepwell.lowering.structured.static_layouts import groups_of, slice_of


@dataclass(frozen=True)
class BufferizeMain(Pass):
    """Put the functions that call kernels on memrefs.

    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %e = tensor.empty() : tensor<4xf32>
      %xb = bufferization.to_buffer %x read_only : tensor<4xf32> to memref<?xf32, strided<[1], offset: ?>>
      %eb = bufferization.to_buffer %e : tensor<4xf32> to memref<?xf32, strided<[1], offset: ?>>
      func.call @relu(%xb, %eb, %c4, %c1) : ...
      %r = bufferization.to_tensor %eb restrict writable : ...
      %rc = tensor.cast %r : tensor<?xf32> to tensor<4xf32>
      func.return %rc : tensor<4xf32>
    }
    ```
    becomes
    ```mlir
    func.func @main(%x: memref<4xf32>, %out: memref<4xf32>) {
      %xb = memref.cast %x : memref<4xf32> to memref<?xf32, strided<[1], offset: ?>>
      %eb = memref.cast %out : memref<4xf32> to memref<?xf32, strided<[1], offset: ?>>
      func.call @relu(%xb, %eb, %c4, %c1) : ...
      func.return
    }
    ```
    """

    name: ClassVar[str] = "bufferize-main"

    def run(self, op: Operation, ctx: Context) -> None:
        module = module_of(op)
        globals_ = Globals(module)
        for function in callers(module):
            if any(isinstance(t, TensorType) for t in (*function.function_type.inputs, *function.function_type.outputs)):
                _MainBufferizer(function, globals_).run()


@dataclass(frozen=True)
class _Buffer:
    memref: SSAValue
    storage: Storage


@dataclass(frozen=True)
class _Operand:
    """A tensor that a kernel is given: as a memref of the kernel's type, to read or to write."""

    tensor: SSAValue
    buffer: _Buffer
    memref: SSAValue
    is_written: bool


class _MainBufferizer:
    def __init__(self, function: func.FuncOp, globals_: Globals) -> None:
        self._function = function
        self._block = function.body.block
        self._globals = globals_
        self._buffers: dict[SSAValue, _Buffer] = {}
        self._views: dict[Storage, SSAValue] = {}
        self._casts: dict[tuple[Storage, Attribute], SSAValue] = {}
        self._operands: dict[SSAValue, _Operand] = {}
        """What stands behind the result of each `to_buffer`."""
        self._outputs: dict[SSAValue, SSAValue] = {}
        self._history = History()
        self._constants = TopConstants(self._block)
        self._old: list[Operation] = []
        self._dropped_arguments: list[BlockArgument] = []

    def run(self) -> None:
        function, block = self._function, self._block
        last = block.last_op
        assert isinstance(last, func.ReturnOp)
        outputs = len(last.operands)
        output_types = [cast(TensorType[Any], value.type) for value in last.operands]
        for value in (*block.args, *last.operands):
            if is_tensor(value) and DYNAMIC in shape_of(value):
                raise self._refuse(last, f"a tensor of type {value.type} has no known size", "give the model's inputs static shapes")
            if value in last.operands and not is_tensor(value):
                raise self._refuse(last, f"a result of type {value.type} is not a tensor", None)

        for arg in list(block.args):
            if is_tensor(arg):
                type = cast(TensorType[Any], arg.type)
                new = retype(arg, buffer_type(type.get_shape(), type.element_type))
                self._buffers[new] = _Buffer(new, Storage(new))
                self._views[Storage(new)] = new
        for i, type in enumerate(output_types):
            out = block.insert_arg(buffer_type(type.get_shape(), type.element_type), len(block.args))
            out.name_hint = "out" if outputs == 1 else f"out{i}"
            self._outputs[self._root_of_result(last, i)] = out

        self._rewrite_block(block)
        for i, value in enumerate(last.operands):
            buffer = self._buffer(value, last)
            if buffer.memref not in self._outputs.values():
                raise self._refuse(last, f"result {i} is a part of another tensor", "run plan-views")
        if self._history.stale:
            raise CompileError(
                f"@{name_of(function)}: {self._history.stale[0]} after its memory has been written again",
                location=location_of(function),
                hint="run plan-views before bufferize-kernels",
            )
        insert_before(last, func.ReturnOp.create(location=last.location))
        for op in (last, *reversed(self._old)):
            Rewriter.erase_op(op)
            op.properties.pop("value", None)  # the global has the payload now; an erased op may live on in a cycle
        for arg in self._dropped_arguments:
            arg.block.erase_arg(arg)
        erase_dead(block, (arith.ConstantOp,))
        self._set_type(outputs)

    def _set_type(self, outputs: int) -> None:
        function = self._function
        arguments = function.properties.get("arg_attrs")
        results = function.properties.pop("res_attrs", None)
        if arguments is not None or results is not None:
            inputs = len(self._block.args) - outputs
            of_inputs = list(cast(ArrayAttr[Attribute], arguments)) if arguments is not None else [DictionaryAttr({})] * inputs
            of_outputs = list(cast(ArrayAttr[Attribute], results)) if results is not None else [DictionaryAttr({})] * outputs
            function.properties["arg_attrs"] = ArrayAttr([*of_inputs, *of_outputs])
        function.update_function_type()

    def _refuse(self, op: Operation, what: str, hint: str | None) -> CompileError:
        return CompileError(f"@{name_of(self._function)}: {what}", location=location_of(op), hint=hint)

    def _root_of_result(self, last: Operation, i: int) -> SSAValue:
        """The `tensor.empty` that a result stands in."""
        value = last.operands[i]
        while isinstance(op := value.owner, Operation) and not isinstance(op, tensor.EmptyOp):
            if isinstance(
                op, (tensor.CastOp, tensor.CollapseShapeOp, tensor.ExpandShapeOp, bufferization.ToTensorOp, bufferization.ToBufferOp)
            ):
                value = op.operands[0]
            elif isinstance(op, tensor.InsertSliceOp):
                value = op.dest
            elif isinstance(op, tensor.InsertOp):
                value = op.dest
            elif isinstance(op, (scf.ForOp, scf.WhileOp)):
                value = op.operands[next(each.init for each in carried_by(op) if each.result is value)]
            elif isinstance(op, scf.IfOp):
                value = yield_of(op.true_region.block).operands[op.results.index(cast(Any, value))]
            else:
                break
        if not isinstance(value.owner, tensor.EmptyOp) or value.owner.parent is not self._block or value in self._outputs:
            raise self._refuse(last, f"result {i} has no memory of its own", "run plan-views")
        return value

    # -- the walk

    def _rewrite_block(self, block: Block) -> None:
        for op in list(block.ops):
            self._rewrite(op)

    def _rewrite(self, op: Operation) -> None:
        if isinstance(op, func.CallOp):
            return self._rewrite_call(op)
        if isinstance(op, (scf.ForOp, scf.WhileOp)):
            return self._rewrite_loop(op)
        if isinstance(op, scf.IfOp):
            return self._rewrite_if(op)
        if isinstance(op, bufferization.ToBufferOp):
            self._rewrite_to_buffer(op)
        elif isinstance(op, tensor.ExtractOp):
            buffer = self._buffer(op.tensor, op)
            self._history.read(op.tensor, buffer.storage, "'tensor.extract' reads a tensor")
            load = memref.LoadOp.create(operands=[buffer.memref, *op.indices], result_types=[op.result.type], location=op.location)
            insert_before(op, load)
            load.results[0].name_hint = op.result.name_hint
            op.result.replace_all_uses_with(load.results[0])
        elif isinstance(op, tensor.DimOp):
            dim = constant_index(op.index)
            if dim is None:
                raise self._refuse(op, "'tensor.dim' needs a constant dimension", None)
            op.result.replace_all_uses_with(self._constants(shape_of(op.source)[dim]))
        elif not self._enter_result(op):
            if any(is_tensor(v) for v in (*op.operands, *op.results)) and not isinstance(op, (func.ReturnOp, scf.YieldOp, scf.ConditionOp)):
                raise self._refuse(op, f"'{op.name}' on tensors is no view", "run plan-views and outline-copies")
            return None
        self._old.append(op)
        return None

    def _enter_result(self, op: Operation) -> bool:
        """Enter the buffer of an op that makes or views a tensor; False if it is no such op."""
        if isinstance(op, arith.ConstantOp) and isinstance(op.value, DenseIntOrFPElementsAttr) and is_tensor(op.result):
            type = cast(TensorType[Any], op.result.type)
            get = memref.GetGlobalOp.create(
                properties={"name": SymbolRefAttr(self._globals.name(op))}, result_types=[buffer_type(type.get_shape(), type.element_type)]
            )
            self._enter_root(op.result, get.memref, op, get)
        elif isinstance(op, tensor.EmptyOp):
            out = self._outputs.get(op.tensor)
            if out is not None:
                self._enter_root(op.tensor, out, op)
            else:
                type = cast(TensorType[Any], op.tensor.type)
                alloc = memref.AllocOp.create(
                    result_types=[buffer_type(type.get_shape(), type.element_type)],
                    properties={"operandSegmentSizes": DenseArrayBase.from_list(i32, [0, 0])},
                )
                self._enter_root(op.tensor, alloc.memref, op, alloc)
        elif isinstance(op, bufferization.ToTensorOp):
            operand = self._operands.get(op.memref)
            if operand is None:
                raise self._refuse(op, "'bufferization.to_tensor' of a buffer that no tensor stood for", None)
            self._enter(op.tensor, operand.buffer)
        elif isinstance(op, tensor.CastOp):
            self._enter(op.dest, self._buffer(op.source, op))
        elif isinstance(op, tensor.ExtractSliceOp):
            self._enter_slice(op)
        elif isinstance(op, tensor.InsertSliceOp):
            self._enter_insertion(op)
        elif isinstance(op, tensor.InsertOp):
            buffer = self._buffer(op.dest, op)
            self._history.write(buffer.storage)
            insert_before(op, memref.StoreOp.create(operands=[op.scalar, buffer.memref, *op.indices], location=op.location))
            self._enter(op.result, buffer)
        elif isinstance(op, (tensor.CollapseShapeOp, tensor.ExpandShapeOp)):
            self._enter_reshape(op)
        else:
            return False
        return True

    # -- buffers of values

    def _buffer(self, value: SSAValue, user: Operation) -> _Buffer:
        buffer = self._buffers.get(value)
        if buffer is None:
            raise self._refuse(
                user, f"'{user.name}' uses a tensor that no buffer stands for", "run plan-views, outline-copies and bufferize-kernels first"
            )
        return buffer

    def _enter(self, value: SSAValue, buffer: _Buffer) -> None:
        self._buffers[value] = buffer
        self._history.define(value)

    def _enter_root(self, value: SSAValue, buffer: SSAValue, before: Operation, *new: Operation) -> None:
        insert_before(before, *new)
        if buffer.name_hint is None:
            buffer.name_hint = value.name_hint
        self._views[Storage(buffer)] = buffer
        self._enter(value, _Buffer(buffer, Storage(buffer)))

    def _view(self, op: Operation, result: SSAValue, storage: Storage, build: Any) -> None:
        """Enter a view, made at most once for one part of one buffer."""
        if storage not in self._views:
            try:
                view = cast(Operation, build())
            except VerifyException as error:
                raise self._refuse(op, str(error), "run plan-views") from None
            insert_before(op, view)
            self._views[storage] = view.results[0]
        self._enter(result, _Buffer(self._views[storage], storage))

    def _enter_slice(self, op: tensor.ExtractSliceOp) -> None:
        source = self._buffer(op.source, op)
        box = slice_of(op)
        if box is None:
            raise self._refuse(op, "'tensor.extract_slice' needs static sizes and strides", None)
        storage = source.storage.slice(box, shape_of(op.source))
        if storage == source.storage:
            return self._enter(op.result, source)
        self._view(op, op.result, storage, lambda: self._subview(source.memref, box.offsets, box.sizes, box.steps, box.kept))

    @staticmethod
    def _subview(source: SSAValue, offsets: Any, sizes: Any, steps: Any, kept: list[int]) -> memref.SubviewOp:
        type = memref.SubviewOp.infer_result_type(cast(MemRefType[Any], source.type), offsets, sizes, steps)
        if len(kept) < len(sizes):
            strides, offset = layout_of(type)
            type = strided(type, [sizes[d] for d in kept], tuple(strides[d] for d in kept), offset)
        return memref.SubviewOp.get(source, offsets, sizes, steps, type)

    def _enter_insertion(self, op: tensor.InsertSliceOp) -> None:
        """Nothing to do: the source has been computed in its place. Refused if it has not."""
        box = slice_of(op)
        source, dest = self._buffer(op.source, op), self._buffer(op.dest, op)
        if box is None or source.storage != dest.storage.slice(box, shape_of(op.dest)):
            raise self._refuse(op, "'tensor.insert_slice' inserts what was computed elsewhere", "run plan-views")
        self._history.read(op.source, source.storage, "'tensor.insert_slice' reads a part")
        self._enter(op.result, dest)

    def _enter_reshape(self, op: tensor.CollapseShapeOp | tensor.ExpandShapeOp) -> None:
        source = self._buffer(op.src, op)
        shape = shape_of(op.result)
        before = cast(MemRefType[Any], source.memref.type).get_shape()  # an argument is no tensor any more
        storage = source.storage.reshape(before, shape)
        if isinstance(op, tensor.CollapseShapeOp):
            self._view(op, op.result, storage, lambda: memref.CollapseShapeOp.get(source.memref, groups_of(op)))
        else:
            self._view(op, op.result, storage, lambda: memref.ExpandShapeOp.get(source.memref, groups_of(op), shape))

    # -- calls and loops

    def _rewrite_to_buffer(self, op: bufferization.ToBufferOp) -> None:
        buffer = self._buffer(op.tensor, op)
        value = buffer.memref
        if value.type != op.memref.type:
            key = (buffer.storage, cast(Attribute, op.memref.type))
            if key not in self._casts:
                wanted = cast(MemRefType[Any], op.memref.type)
                if not is_castable(cast(MemRefType[Any], value.type), wanted):
                    raise self._refuse(op, f"a kernel wants {wanted} and is given {value.type}", "run plan-views")
                cast_op = memref.CastOp.get(value, wanted)
                insert_before(op, cast_op)
                self._casts[key] = cast_op.dest
            value = self._casts[key]
        self._operands[op.memref] = _Operand(op.tensor, buffer, value, op.read_only is None)

    def _rewrite_call(self, call: func.CallOp) -> None:
        operands = {i: self._operands[v] for i, v in enumerate(call.operands) if v in self._operands}
        reads = [o for o in operands.values() if not o.is_written]
        writes = [o for o in operands.values() if o.is_written]
        for k, write in enumerate(writes):
            for other in (*reads, *writes[k + 1 :]):
                if write.buffer.storage.may_overlap(other.buffer.storage):
                    callee = call.callee.root_reference.data
                    raise self._refuse(call, f"the call of @{callee} writes memory that is another operand of it", "run plan-views")
        for read in reads:
            self._history.read(read.tensor, read.buffer.storage, f"the call of @{call.callee.root_reference.data} reads a tensor")
        for write in writes:
            self._history.write(write.buffer.storage)
        for i, operand in operands.items():
            call.operands[i] = operand.memref

    def _rewrite_loop(self, loop: scf.ForOp | scf.WhileOp) -> None:
        """What a loop carries as tensors stays where it is: the carried argument, what is yielded and the result are one buffer."""
        body = body_of(loop)
        carried = [each for each in carried_by(loop) if is_tensor(each.argument)]
        buffers = {each: self._buffer(loop.operands[each.init], loop) for each in carried}
        for each in carried:
            self._history.read(loop.operands[each.init], buffers[each].storage, "a loop begins with a tensor")

        views, casts = self._views, self._casts
        self._views, self._casts = dict(views), dict(casts)
        self._history.enter_loop()
        for each in carried:
            self._enter(each.argument, buffers[each])
        self._rewrite_block(body)
        yielded = yield_of(body)
        for each in carried:
            value = yielded.operands[each.yielded]
            if self._buffer(value, yielded).storage != buffers[each].storage:
                raise self._refuse(
                    yielded, f"a loop yields its carried value {each.yielded} in other memory than it came in", "run plan-views"
                )
            self._history.read(value, buffers[each].storage, "a loop yields a tensor")
        self._history.leave_loop()
        self._views, self._casts = views, casts
        for each in carried:
            self._enter(each.result, buffers[each])
        if carried:
            self._rebuild_loop(loop, carried)

    def _rebuild_loop(self, loop: scf.ForOp | scf.WhileOp, carried: list[Carried]) -> None:
        """The loop without the tensors that it carries."""
        body = body_of(loop)
        inits, arguments = {each.init for each in carried}, [each.argument for each in carried]
        yielded_indices, results = {each.yielded for each in carried}, {each.result for each in carried}
        yielded = yield_of(body)
        kept = [value for i, value in enumerate(yielded.operands) if i not in yielded_indices]
        body.add_op(scf.YieldOp.create(operands=kept, location=yielded.location))
        if isinstance(loop, scf.WhileOp):
            before = loop.before_region.block
            condition = yield_of(before)
            dropped = {each.decided for each in carried}
            passed = [v for v in condition.operands if v not in dropped]
            before.add_op(scf.ConditionOp.create(operands=passed, location=condition.location))
            self._old.append(condition)
            arguments += [each.decided for each in carried if each.decided is not None]
        self._old.append(yielded)
        remaining = [r for r in loop.results if r not in results]
        new = type(loop).create(
            operands=[v for i, v in enumerate(loop.operands) if i not in inits],
            result_types=[r.type for r in remaining],
            attributes=loop.attributes,
            regions=[loop.detach_region(region) for region in list(loop.regions)],
            location=loop.location,
        )
        insert_before(loop, new)
        for old, result in zip(remaining, new.results, strict=True):
            old.replace_all_uses_with(result)
        self._old.append(loop)
        self._dropped_arguments += sorted((cast(BlockArgument, a) for a in arguments), key=lambda a: a.index)

    def _rewrite_if(self, op: scf.IfOp) -> None:
        """Both branches write a result into the same memory, which is there before them."""
        tensors = [i for i, result in enumerate(op.results) if is_tensor(result)]
        views, casts = self._views, self._casts
        found: dict[int, Storage] = {}
        self._history.enter_branches()
        for block in branches_of(op):
            self._views, self._casts = dict(views), dict(casts)
            self._history.next_branch()
            self._rewrite_block(block)
            yielded = yield_of(block)
            for i in tensors:
                storage = self._buffer(yielded.operands[i], yielded).storage
                self._history.read(yielded.operands[i], storage, "a branch yields a tensor")
                if storage not in views or found.setdefault(i, storage) != storage:
                    raise self._refuse(yielded, f"the branches of 'scf.if' yield value {i} in different memory", "run plan-views")
        self._history.leave_branches()
        self._views, self._casts = views, casts
        for i in tensors:
            self._enter(op.results[i], _Buffer(views[found[i]], found[i]))
        if tensors:
            self._rebuild_if(op, set(tensors))

    def _rebuild_if(self, op: scf.IfOp, dropped: set[int]) -> None:
        for block in branches_of(op):
            yielded = yield_of(block)
            kept = [value for i, value in enumerate(yielded.operands) if i not in dropped]
            block.add_op(scf.YieldOp.create(operands=kept, location=yielded.location))
            self._old.append(yielded)
        remaining = [r for i, r in enumerate(op.results) if i not in dropped]
        regions = [op.detach_region(region) for region in list(op.regions)]
        new = scf.IfOp.create(
            operands=[op.cond], result_types=[r.type for r in remaining], attributes=op.attributes, regions=regions, location=op.location
        )
        insert_before(op, new)
        for old, result in zip(remaining, new.results, strict=True):
            old.replace_all_uses_with(result)
        self._old.append(op)
