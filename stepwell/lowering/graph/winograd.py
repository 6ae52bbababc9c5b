"""A call of a 3x3 convolution becomes Winograd's F(m x m, 3x3): transforms around a batched matrix product with a quarter of the work.

In: a call of a kernel that begins with a convolution, and how many rows of tiles are computed at a time. Out: five calls of kernels for
each block of tile rows, in an `scf.for` over the blocks, so that what stands between them stays in the second-level cache:

    winograd_rows      U[i, ty, .]          = sum over p of B[i, p] x[m ty + p, .]
    winograd_columns   V[i, j, ty, tx, c]   = sum over q of B[j, q] U[i, ty, m tx + q, c]
    winograd_product   M[ij, t, k]          = sum over c of V[ij, t, c] W[ij, c, k]        W = G w transposed(G), computed here
    winograd_gather    P[j, ty, a, .]       = sum over i of A[a, i] M[i, j, ty, .]
    winograd_add_relu  y[m ty + a, tx, b, k] = epilogue(sum over j of A[b, j] P[j, m ty + a, tx, k])
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    FunctionType,
    IndexType,
    IntegerAttr,
    ModuleOp,
    SymbolRefAttr,
    TensorType,
    UnitAttr,
)
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.rewriter import Rewriter

from stepwell.dialects import arith, nn, scf, tensor
from stepwell.dialects.nn.base import Array, NnOp, ints, number
from stepwell.ir.constants import dense, tensor_type
from stepwell.lowering.graph.values import constant_array, element_of, make_constant_of, shape_of
from stepwell.lowering.graph.values import tensor as type_of
from stepwell.lowering.graph.winograd_matrices import TAPS, transformed_weights, winograd_matrices

Offsets = Sequence[SSAValue | int]
TileShape = Callable[[Any], TensorType[Any] | None]


@dataclass(frozen=True)
class Convolution:
    """A call of a kernel that is a 3x3 convolution of stride 1 with constant weights, and its epilogue."""

    call: CallOp
    kernel: FuncOp
    conv: nn.ConvOp

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(batch, rows, columns, channels) of the result."""
        return cast("tuple[int, int, int, int]", shape_of(self.conv.y))

    @property
    def inputs(self) -> int:
        """Channels of the data."""
        return shape_of(self.conv.x)[-1]

    @property
    def has_full_operand(self) -> bool:
        """Whether the epilogue reads tensors of the size of the result."""
        return any(shape_of(argument) == self.shape for argument in self.kernel.body.block.args[2:])


def winograd_candidate(call: CallOp, kernel: FuncOp) -> Convolution | None:
    """What can be computed by `decompose`; None for everything else."""
    block = kernel.body.block
    conv = next((op for op in block.ops if not isinstance(op, nn.ConstantOp)), None)
    if not isinstance(conv, nn.ConvOp) or len(call.results) != 1 or conv.layout.data != "channels_last" or len(block.args) < 2:
        return None
    if conv.x is not block.args[0] or conv.w is not block.args[1] or any(len(list(a.uses)) > 1 for a in block.args[:2]):
        return None
    shape, weights = shape_of(conv.y), shape_of(conv.w)
    if len(shape) != 4 or weights[:2] != (TAPS, TAPS) or number(conv.groups) != 1 or str(element_of(conv.x)) != "f32":
        return None
    if set(ints(conv.strides)) != {1} or set(ints(conv.dilations)) != {1} or any(ints(conv.pads)) or min(shape) < 1:
        return None
    if constant_array(call.operands[1]) is None:
        return None
    found = Convolution(call, kernel, conv)
    epilogue = [v for op in block.ops for v in (*op.operands, *op.results) if op is not conv]
    if any(v not in (conv.x, conv.w) and _tiled(type_of(v), shape, ()) is None for v in epilogue):
        return None
    return found


def _tiled(type: TensorType[Any], whole: tuple[int, ...], tiles: tuple[int, ...]) -> TensorType[Any] | None:
    """The type of a value of the epilogue when it works on `tiles` instead of on the whole; None where it has another shape."""
    extents = type.get_shape()
    if extents == whole:
        return tensor_type(tiles, type.element_type)
    if all(e == 1 for e in extents[:-1]):
        return tensor_type(extents[-1:], type.element_type)
    return None


class Kernels:
    """The kernels that decompositions have made in a module, each once."""

    def __init__(self, module: ModuleOp) -> None:
        self._module = module
        self._known: dict[Hashable, FuncOp] = {}
        self._names = {op.sym_name.data for op in module.ops if isinstance(op, FuncOp)}

    def get(self, name: str, types: Sequence[Attribute], key: Hashable, build: Callable[[Block], SSAValue]) -> FuncOp:
        """The kernel with arguments of these types whose body `build` appends to a block; `key` tells bodies of one name apart."""
        key = name, tuple(types), key
        if key not in self._known:
            block = Block(arg_types=types)
            result = build(block)
            block.add_op(ReturnOp(result))
            unique, n = name, 1
            while unique in self._names:
                unique, n = f"{name}_{n}", n + 1
            self._names.add(unique)
            kernel = FuncOp(unique, FunctionType.from_lists(types, [result.type]), Region(block), visibility="private")
            kernel.attributes["kernel"] = UnitAttr()
            self._module.body.block.add_op(kernel)
            self._known[key] = kernel
        return self._known[key]


class _Writer:
    """Writes the calls and views of one decomposition in front of an operation, or at the end of the body of a loop."""

    def __init__(self, call: CallOp, kernels: Kernels, notes: dict[str, Attribute]) -> None:
        self.kernels = kernels
        self._call = call
        self._notes = notes
        self._block, self._before = cast(Block, call.parent), cast("Operation | None", call)

    def __call__(self, op: Operation) -> SSAValue:
        op.location = self._call.location
        if self._before is None:
            self._block.add_op(op)
        else:
            self._block.insert_op_before(op, self._before)
        return op.results[0] if op.results else cast(SSAValue, None)

    def constant(self, array: Array) -> SSAValue:
        return self(make_constant_of(dense(array)))

    def index(self, value: int) -> SSAValue:
        return self(arith.ConstantOp.create(properties={"value": IntegerAttr(value, IndexType())}, result_types=[IndexType()]))

    def reshape(self, x: SSAValue, *shape: int) -> SSAValue:
        return x if shape_of(x) == shape else self(nn.ReshapeOp.make(x, result_type=tensor_type(shape, element_of(x))))

    def part(self, x: SSAValue, offsets: Offsets, sizes: Sequence[int]) -> SSAValue:
        """A box of a tensor; nothing where it is the whole."""
        if tuple(sizes) == shape_of(x):
            return x
        result = tensor_type(tuple(sizes), element_of(x))
        return self(tensor.ExtractSliceOp(x, offsets, list(sizes), [1] * len(sizes), result))  # type: ignore[arg-type]

    def run(self, name: str, build: Callable[..., NnOp], *operands: SSAValue) -> SSAValue:
        """A call of the kernel that is one operation of these operands."""

        def body(block: Block) -> SSAValue:
            op = build(*block.args)
            block.add_op(op)
            return op.results[0]

        probe = build(*operands)  # what the kernel is told apart by
        key = tuple(sorted((k, str(v)) for k, v in probe.properties.items()))
        probe.drop_all_references()
        return self.invoke(self.kernels.get(name, [o.type for o in operands], key, body), operands)

    def invoke(self, kernel: FuncOp, operands: Sequence[SSAValue]) -> SSAValue:
        call = CallOp(SymbolRefAttr(kernel.sym_name.data), list(operands), list(kernel.function_type.outputs))
        call.attributes |= {k: v for k, v in self._call.attributes.items() if k == "source"} | self._notes
        return self(call)

    def blocks(self, extent: int, block: int, init: SSAValue, body: Callable[[SSAValue | int, int, SSAValue], SSAValue]) -> SSAValue:
        """`body(begin, length, state)` for each block of an extent; whole blocks in a loop, the rest behind it. Gives the last state."""
        whole, state = extent // block, init
        if whole == 1:
            state = body(0, block, state)
        elif whole > 1:
            bounds = self.index(0), self.index(whole * block), self.index(block)
            inner = Block(arg_types=[IndexType(), init.type])
            outside, (self._block, self._before) = (self._block, self._before), (inner, None)
            self(scf.YieldOp(body(inner.args[0], block, inner.args[1])))
            self._block, self._before = outside
            state = self(scf.ForOp(*bounds, [init], inner))
        return body(whole * block, extent - whole * block, state) if extent > whole * block else state


def decompose(found: Convolution, outputs: int, rows: int, kernels: Kernels, notes: dict[str, Attribute]) -> None:
    """Replace a call by F(outputs x outputs, 3x3), `rows` rows of tiles at a time. `notes` are put on every call that is made."""
    call, (batch, height, width, channels) = found.call, found.shape
    write = _Writer(call, kernels, notes)
    size = outputs + TAPS - 1
    down, across = ceil(height / outputs), ceil(width / outputs)
    matrices = winograd_matrices(outputs)
    to_tiles, from_tiles = (write.constant(m.astype(np.float32)) for m in (matrices.data, matrices.result))
    weights = constant_array(call.operands[1])
    assert weights is not None
    product = write.constant(transformed_weights(weights, outputs))
    x = _exactly(call.operands[0], (batch, down * outputs + TAPS - 1, across * outputs + TAPS - 1, found.inputs), write)
    wide, depth = shape_of(x)[2:]

    def block(image: SSAValue | int, begin: SSAValue | int, count: int, state: SSAValue | None) -> SSAValue:
        """The rows of results from `begin` on, as many as `count`, of one image."""
        tiles = count // outputs
        data = write.part(x, (image, begin, 0, 0), (1, count + TAPS - 1, wide, depth))
        data = write.reshape(data, count + TAPS - 1, wide * depth)
        lines = write.run("winograd_rows", _transform(axis=0, place=0, stride=outputs), to_tiles, data)
        lines = write.reshape(lines, size, tiles, wide, depth)
        spread = write.run("winograd_columns", _transform(axis=2, place=1, stride=outputs), to_tiles, lines)
        spread = write.reshape(spread, size * size, tiles * across, depth)
        summed = write.run("winograd_product", nn.MatmulOp.make, spread, product)
        summed = write.reshape(summed, size, size, tiles, across * channels)
        gathered = write.run("winograd_gather", _transform(axis=0, place=3), from_tiles, summed)
        gathered = write.reshape(gathered, size, count, across, channels)
        result = _finish(found, write, from_tiles, gathered, (image, begin), (1, count, across, outputs, channels))
        result = write.reshape(result, 1, count, across * outputs, channels)
        if state is None:
            return result
        offsets = [image, begin, 0, 0]
        return write(tensor.InsertSliceOp(result, state, offsets, [1, count, across * outputs, channels], [1] * 4))

    if batch == 1 and rows >= down:
        y = block(0, 0, down * outputs, None)
    else:
        result_type = tensor_type((batch, down * outputs, across * outputs, channels), element_of(call.results[0]))
        y = write(tensor.EmptyOp((), result_type))

        def image(n: SSAValue | int, _: int, state: SSAValue) -> SSAValue:
            return write.blocks(down * outputs, rows * outputs, state, lambda begin, count, inner: block(n, begin, count, inner))

        y = write.blocks(batch, 1, y, image)
    if (down * outputs, across * outputs) != (height, width):
        y = write(nn.SliceOp.make(y, starts=[0] * 4, ends=list(found.shape)))
    y.name_hint = call.results[0].name_hint
    call.results[0].replace_all_uses_with(y)
    Rewriter.erase_op(call)


def _transform(**attributes: int) -> Callable[[SSAValue, SSAValue], NnOp]:
    return lambda matrix, x: nn.WindowTransformOp.make(matrix, x, **attributes)


def _exactly(x: SSAValue, shape: tuple[int, ...], write: _Writer) -> SSAValue:
    """The data with zeros behind it up to a shape. A padding that is there already becomes a larger one: nothing is moved twice."""
    missing = [want - have for want, have in zip(shape, shape_of(x), strict=True)]
    if not any(missing):
        return x
    low, high = [0] * 4, missing
    pad = x.owner
    if isinstance(pad, nn.PadOp) and pad.mode.data == "constant" and number(pad.value) == 0:
        x, low, high = pad.x, list(ints(pad.low)), [a + b for a, b in zip(ints(pad.high), missing, strict=True)]
    return write(nn.PadOp.make(x, low=low, high=high, value=0.0))


def _finish(found: Convolution, write: _Writer, matrix: SSAValue, gathered: SSAValue, where: Offsets, tiles: tuple[int, ...]) -> SSAValue:
    """The last transform and the epilogue of the kernel, on a block of tiles."""
    whole, kernel = found.shape, found.kernel
    arguments = list(kernel.body.block.args)[2:]
    operands: list[SSAValue] = [matrix, gathered]
    for argument, operand in zip(arguments, found.call.operands[2:], strict=True):
        wanted = _tiled(type_of(argument), whole, tiles)
        assert wanted is not None
        if shape_of(argument) == whole:
            operand = write.part(operand, (*where, 0, 0), (1, tiles[1], *whole[2:]))
        operands.append(write.reshape(operand, *wanted.get_shape()))

    def build(block: Block) -> SSAValue:
        first = _transform(axis=0, place=3)(*block.args[:2])
        block.add_op(first)
        values: dict[SSAValue, SSAValue] = {found.conv.y: first.results[0], **dict(zip(arguments, block.args[2:], strict=True))}
        for op in kernel.body.block.ops:
            if isinstance(op, ReturnOp):
                return values[op.operands[0]]
            if op is found.conv:
                continue
            types = [_tiled(type_of(r), whole, tiles) for r in op.results]
            properties = dict(op.properties)
            if isinstance(op, nn.ConstantOp):
                value = op.value
                properties["value"] = DenseIntOrFPElementsAttr(types[0], value.data)  # type: ignore[arg-type]
            new = type(op).create(
                operands=[values[o] for o in op.operands], result_types=[t for t in types if t], properties=properties, location=op.location
            )
            block.add_op(new)
            values |= dict(zip(op.results, new.results, strict=True))
        raise AssertionError("a kernel returns its result")

    name = kernel.sym_name.data.replace("conv", "winograd", 1)
    return write.invoke(write.kernels.get(name, [o.type for o in operands], kernel.sym_name.data, build), operands)
