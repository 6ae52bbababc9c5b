"""Kernels leave tensors: arguments become memrefs of the ABI, results vanish, loop extents become arguments.

In: kernels at level 2 (any mix of static and dynamic extents) and calls of them on tensors. Out: kernels of `linalg` ops on memrefs, with
one `index` argument per distinct dynamic extent that a loop runs over and one for the grain; calls between `bufferization.to_buffer` and
`bufferization.to_tensor`, which `bufferize-main` resolves. Every structured op bears `loops` and `stage`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, IntegerAttr, StringAttr, TensorType, UnitAttr, i32, i64
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import Rewriter

from stepwell.dialects import arith, bufferization, linalg, memref, tensor
from stepwell.ir.constants import DYNAMIC
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.lowering.loops.kernel_chains import Chain, Chains, find_chains, separate_histories
from stepwell.lowering.loops.memref_types import argument_type, buffer_type, packed_type
from stepwell.lowering.structured.extents import Extents, Place
from stepwell.lowering.structured.fuse_pointwise import to_generic
from stepwell.lowering.structured.kernels import (
    INDEX,
    TopConstants,
    call_with,
    callers,
    constant_index,
    erase_dead,
    insert_before,
    is_tensor,
    iterators_of,
    kernels,
    location_of,
    loop_names,
    name_of,
    packed_arguments,
    retype,
    shape_of,
    structured_ops,
)


@dataclass(frozen=True)
class BufferizeKernels(Pass):
    """Put kernels on memrefs.

    ```mlir
    func.func private @relu(%x: tensor<?xf32>, %out: tensor<?xf32>) -> tensor<?xf32> attributes {kernel} {
      %r = linalg.generic {...} ins(%x : tensor<?xf32>) outs(%out : tensor<?xf32>) { ... } -> tensor<?xf32>
      func.return %r : tensor<?xf32>
    }
    ```
    becomes
    ```mlir
    func.func private @relu(%x: memref<?xf32, strided<[1], offset: ?>>, %out: memref<?xf32, strided<[1], offset: ?>>,
                            %D0: index, %grain: index) attributes {kernel, extents = ["d0"], grain = 3 : i64} {
      linalg.generic {...} ins(%x : memref<...>) outs(%out : memref<...>) attrs = {loops = ["d0"], stage = "s0"} { ... }
      func.return
    }
    ```
    and `%r = func.call @relu(%x, %e)` becomes
    ```mlir
    %xb = bufferization.to_buffer %x read_only : tensor<?xf32> to memref<?xf32, strided<[1], offset: ?>>
    %eb = bufferization.to_buffer %e : tensor<?xf32> to memref<?xf32, strided<[1], offset: ?>>
    func.call @relu(%xb, %eb, %c8, %c1) : (...) -> ()
    %r = bufferization.to_tensor %eb restrict writable : memref<?xf32, strided<[1], offset: ?>> to tensor<?xf32>
    ```
    """

    name: ClassVar[str] = "bufferize-kernels"

    def run(self, op: Operation, ctx: Context) -> None:
        done: dict[str, _Abi] = {}
        for kernel in kernels(op):
            if "grain" not in kernel.attributes:
                done[name_of(kernel)] = _Bufferizer(kernel).run()
        for function in callers(op):
            constants = TopConstants(function.body.block)
            for call in list(function.walk()):
                if isinstance(call, func.CallOp) and call.callee.root_reference.data in done:
                    _bufferize_call(call, done[call.callee.root_reference.data], constants)


@dataclass(frozen=True)
class _Abi:
    """What a caller must know: argument types, and which dimension of which argument tells each extent."""

    types: list[Attribute]
    extents: list[tuple[int, int]]
    results: int


# ---- one kernel -----------------------------------------------------------------------------------------------------------------


class _Bufferizer:
    def __init__(self, kernel: func.FuncOp) -> None:
        self._kernel = kernel
        self._block = kernel.body.block
        for op in structured_ops(kernel):
            to_generic(op)
        separate_histories(kernel)
        self._extents = Extents(kernel)
        self._static = self._extents.static_extents()
        self._known = self._extents.argument_places()
        self._chains: Chains = find_chains(kernel, self._extents)
        self._loops = {op: [self._extents.find((op, d)) for d in range(len(iterators_of(op)))] for op in structured_ops(kernel)}
        _label(self._loops, _name_classes(self._extents, self._loops))
        self._arguments: dict[Place, SSAValue] = {}
        """The extent argument of each class of dynamic loops."""
        self._renamed: dict[SSAValue, SSAValue] = {}
        """Tensor arguments of old -> memref arguments."""
        self._buffers: dict[Chain, SSAValue] = {}

    def run(self) -> _Abi:
        block = self._block
        results = len(self._kernel.function_type.outputs)
        tensor_args = list(block.args)
        distinct: dict[str, Place] = {}
        for op, places in self._loops.items():
            for name, place in zip(loop_names(op) or (), places, strict=True):
                if place not in self._static:
                    distinct.setdefault(name, place)
        dims = self._plan_dims()
        for place in dims.values():
            if place not in self._static and place not in distinct.values():
                distinct[f"size{len(distinct)}"] = place  # no loop runs over it, but an index is kept inside it
        for name, place in distinct.items():
            if place not in self._known:
                raise CompileError(
                    f"@{name_of(self._kernel)}: no argument tells the extent of loop '{name}'", location=location_of(self._kernel)
                )
        places = [cast(tuple[SSAValue, int], self._known[place]) for place in distinct.values()]
        abi_extents = [(tensor_args.index(cast(Any, value)), dim) for value, dim in places]

        packed = packed_arguments(self._kernel)
        for arg in tensor_args:
            if is_tensor(arg):
                type_of = packed_type if arg.index in packed else argument_type
                self._renamed[arg] = retype(arg, type_of(shape_of(arg), cast(TensorType[Any], arg.type).element_type))
        for name, place in distinct.items():
            argument = block.insert_arg(INDEX, len(block.args))
            argument.name_hint = name.upper()
            self._arguments.setdefault(place, argument)
        grain = block.insert_arg(INDEX, len(block.args))
        grain.name_hint = "grain"

        for op, place in dims.items():
            op.result.replace_all_uses_with(self._extent(place, op))
            Rewriter.erase_op(op)
        self._rewrite_ops()
        erase_dead(block, (tensor.EmptyOp, arith.ConstantOp))
        for op in block.ops:
            if any(is_tensor(v) for v in (*op.operands, *op.results)):
                raise CompileError(
                    f"@{name_of(self._kernel)}: '{op.name}' stands on tensors and cannot be put on memrefs",
                    location=location_of(op),
                    hint="kernels consist of linalg.generic, linalg.fill, tensor.empty and tensor.dim",
                )

        kernel = self._kernel
        kernel.properties.pop("arg_attrs", None)
        kernel.properties.pop("res_attrs", None)
        kernel.attributes["extents"] = ArrayAttr([StringAttr(name) for name in distinct])
        kernel.attributes["grain"] = IntegerAttr(grain.index, i64)
        kernel.update_function_type()
        return _Abi([arg.type for arg in block.args], abi_extents, results)

    # -- sizes

    def _plan_dims(self) -> dict[tensor.DimOp, Place]:
        """The class that each `tensor.dim` asks for."""
        dims: dict[tensor.DimOp, Place] = {}
        for op in self._kernel.walk():
            if isinstance(op, tensor.DimOp):
                dim = constant_index(op.index)
                if dim is None:
                    raise CompileError(f"@{name_of(self._kernel)}: 'tensor.dim' needs a constant dimension", location=location_of(op))
                dims[op] = self._extents.find((op.source, dim))
        return dims

    def _extent(self, place: Place, before: Operation) -> SSAValue:
        """The extent of a class as a value: an extent argument, else a constant or a `memref.dim` in front of `before`."""
        if place in self._arguments:
            return self._arguments[place]
        if place in self._static:
            constant: Operation = arith.ConstantOp.create(
                properties={"value": IntegerAttr(self._static[place], INDEX)}, result_types=[INDEX]
            )
            insert_before(before, constant)
            return constant.results[0]
        if place not in self._known:
            raise CompileError(
                f"@{name_of(self._kernel)}: no argument tells an extent that '{before.name}' needs", location=location_of(before)
            )
        value, dim = cast(tuple[SSAValue, int], self._known[place])
        index = arith.ConstantOp.create(properties={"value": IntegerAttr(dim, INDEX)}, result_types=[INDEX])
        query = memref.DimOp.create(operands=[self._renamed[value], index.results[0]], result_types=[INDEX])
        insert_before(before, index, query)
        return query.results[0]

    # -- buffers

    def _buffer(self, value: SSAValue, before: Operation) -> SSAValue:
        """The memref that holds a tensor value."""
        if value in self._renamed:
            return self._renamed[value]
        chain = self._chains.of.get(value)
        if chain is None:
            if isinstance(value.owner, tensor.EmptyOp):
                return self._allocate(value, before)
            # An argument that has been renamed already.
            return value
        owner = chain.buffer
        if owner.returned_in is not None:
            return self._renamed[owner.returned_in]
        if owner not in self._buffers:
            self._buffers[owner] = self._allocate(value, before)
        return self._buffers[owner]

    def _allocate(self, value: SSAValue, before: Operation) -> SSAValue:
        shape = shape_of(value)
        sizes = [self._extent(self._extents.find((value, d)), before) for d, extent in enumerate(shape) if extent == DYNAMIC]
        alloca = memref.AllocaOp.create(
            operands=sizes,
            result_types=[buffer_type(shape, cast(TensorType[Any], value.type).element_type)],
            properties={"operandSegmentSizes": DenseArrayBase.from_list(i32, [len(sizes), 0])},
        )
        insert_before(before, alloca)
        alloca.memref.name_hint = value.name_hint
        return alloca.memref

    # -- ops

    def _rewrite_ops(self) -> None:
        """Put every structured op on memrefs. The ops on tensors go when all are rewritten: their results name the buffers until then."""
        last = self._block.last_op
        assert last is not None
        old = structured_ops(self._kernel)
        for op in old:
            self._rewrite(op)
        insert_before(last, func.ReturnOp.create(location=last.location))
        Rewriter.erase_op(last)
        for op in reversed(old):
            Rewriter.erase_op(op)

    def _rewrite(self, op: LinalgStructuredOperation) -> None:
        outs = [self._buffer(result, op) for result in op.results]
        ins = [self._buffer(value, op) if is_tensor(value) or value in self._renamed else value for value in op.inputs]
        for inner in list(op.walk()):
            if isinstance(inner, tensor.ExtractOp):
                load = memref.LoadOp.create(operands=[self._buffer(inner.tensor, op), *inner.indices], result_types=[inner.result.type])
                insert_before(inner, load)
                inner.result.replace_all_uses_with(load.res)
                Rewriter.erase_op(inner)
        new = type(op).create(
            operands=[*ins, *outs],
            properties=op.properties,
            attributes=op.attributes,
            regions=[op.detach_region(op.regions[0])],
            location=op.location,
        )
        insert_before(op, new)


# ---- names ----------------------------------------------------------------------------------------------------------------------


def _name_classes(extents: Extents, loops: dict[LinalgStructuredOperation, list[Place]]) -> dict[Place, str]:
    """A name for every class of loops: the one that the schedule gave, else d0, d1, ..."""
    names: dict[Place, str] = {}
    for name, place in extents.names.items():
        names.setdefault(place, name)
    fresh = (f"d{i}" for i in itertools.count())
    for places in loops.values():
        for place in places:
            if place not in names:
                names[place] = next(name for name in fresh if name not in extents.names)
    return names


def _label(loops: dict[LinalgStructuredOperation, list[Place]], names: dict[Place, str]) -> None:
    """Give every structured op `loops` and `stage`. Within one op two loops over equal extents still have two names."""
    taken = {stage.data for op in loops if isinstance(stage := op.attributes.get("stage"), StringAttr)}
    for position, (op, places) in enumerate(loops.items()):
        own = loop_names(op)
        if own is None:
            own = list[str]()
            for place in places:
                name = names[place]
                own.append(name if name not in own else f"{name}_{len(own)}")
        stage = op.attributes.get("stage")
        if stage is None:
            wish = "init" if isinstance(op, linalg.FillOp) else f"s{position}"
            name = next(n for n in itertools.chain([wish], (f"{wish}_{i}" for i in itertools.count(1))) if n not in taken)
            taken.add(name)
            stage = StringAttr(name)
        op.attributes |= {"loops": ArrayAttr([StringAttr(n) for n in own]), "stage": stage}


# ---- calls ----------------------------------------------------------------------------------------------------------------------


def _bufferize_call(call: func.CallOp, abi: _Abi, constants: TopConstants) -> None:
    buffers: list[SSAValue] = []
    inputs = len(call.operands) - abi.results
    for i, (value, type) in enumerate(zip(call.operands, abi.types, strict=False)):
        if not is_tensor(value):
            buffers.append(value)
            continue
        read_only: dict[str, Attribute] = {"read_only": UnitAttr()} if i < inputs else {}
        buffer = bufferization.ToBufferOp.create(operands=[value], result_types=[type], properties=read_only)
        insert_before(call, buffer)
        buffers.append(buffer.memref)
    extents = [_extent_at(call, argument, dim, constants) for argument, dim in abi.extents]
    grain = call.attributes.get("grain")
    count = cast(IntegerAttr[Any], grain).value.data if isinstance(grain, IntegerAttr) else 1
    new = call_with(call, call.callee.root_reference.data, [*buffers, *extents, constants(count)], [])
    new.attributes.pop("grain", None)
    insert_before(call, new)
    for result, buffer in zip(call.results, buffers[len(buffers) - abi.results :], strict=True):
        back = bufferization.ToTensorOp.create(
            operands=[buffer], result_types=[result.type], properties={"restrict": UnitAttr(), "writable": UnitAttr()}
        )
        insert_before(call, back)
        back.tensor.name_hint = result.name_hint
        result.replace_all_uses_with(back.tensor)
    Rewriter.erase_op(call)


def _extent_at(call: func.CallOp, argument: int, dim: int, constants: TopConstants) -> SSAValue:
    """The extent of a dimension of an argument at a call: a constant where the tensor behind the cast is static."""
    value = call.operands[argument]
    while shape_of(value)[dim] == DYNAMIC and isinstance(value.owner, tensor.CastOp):
        value = value.owner.source
    if shape_of(value)[dim] != DYNAMIC:
        return constants(shape_of(value)[dim])
    query = tensor.DimOp.create(operands=[value, constants(dim)], result_types=[INDEX])
    insert_before(call, query)
    return query.results[0]
