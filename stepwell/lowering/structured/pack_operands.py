"""Operands take the layout that a kernel's schedule asks for.

In: static kernels whose schedule holds steps `["pack_operand", argument, dimension, tile]`, perhaps with a second dimension and tile. Out:
the argument has the dimensions cut in tiles, panels of the first outermost and the elements of tiles innermost; the kernel reads it
through `floordiv` and `mod`; the steps are gone from the schedule.

`tensor<KxNxf32>`, dimension 1, tile 32  ->  `tensor<(ceil(N / 32))xKx32xf32>`, read at `(n floordiv 32, k, n mod 32)`;
`tensor<KxNxi8>`, 1, 32, 0, 4  ->  `tensor<(ceil(N / 32))x(ceil(K / 4))x32x4xi8>`. What lies beyond the extents is zero and never read: the
iteration space keeps its exact extents.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import numpy as np
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, DenseIntOrFPElementsAttr, FloatAttr, IntegerAttr, TensorType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.rewriter import Rewriter

from stepwell.dialects import arith, linalg, tensor
from stepwell.ir.constants import Array, array_of, dense, dtype_of, is_splat, splat, tensor_type
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.lowering.structured.kernels import (
    calls_by_callee,
    drop_steps,
    insert_before,
    kernels,
    location_of,
    maps_of,
    mark_packed,
    name_of,
    number_of_destinations,
    retype,
    schedule_of,
    shape_of,
    step_name,
)

STEP = "pack_operand"


@dataclass(frozen=True)
class Packing:
    """One step: argument number, dimensions of its tensor (the one of the panels first), extents of their tiles."""

    argument: int
    dimensions: tuple[int, ...]
    tiles: tuple[int, ...]

    def order(self, rank: int) -> list[int]:
        """The dimensions, outermost first."""
        return [self.dimensions[0], *(d for d in range(rank) if d != self.dimensions[0])]

    def tile(self, dimension: int) -> int:
        """The tile of a dimension, 1 where it is not cut."""
        return self.tiles[self.dimensions.index(dimension)] if dimension in self.dimensions else 1

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The packed shape."""
        return (*(-(-shape[d] // self.tile(d)) for d in self.order(len(shape))), *self.tiles)

    def map(self, map: AffineMap) -> AffineMap:
        """The map that reads the packed operand where `map` reads the plain one."""
        results = map.results
        outer = [results[d] // self.tile(d) if d in self.dimensions else results[d] for d in self.order(len(results))]
        inner = [results[d] % tile for d, tile in zip(self.dimensions, self.tiles, strict=True)]
        return AffineMap(map.num_dims, map.num_symbols, (*outer, *inner))

    def array(self, array: Array) -> Array:
        """The packed payload, zeros beyond the end: a view where nothing has to be added."""
        rank = array.ndim
        widths = [(0, -extent % self.tile(d)) for d, extent in enumerate(array.shape)]
        if any(more for _, more in widths):
            array = np.pad(array, widths)
        cut = array.reshape([e for d, extent in enumerate(array.shape) for e in (extent // self.tile(d), self.tile(d))])
        # Dimension d has become 2 d (panels) and 2 d + 1 (inside of one); those that are not cut have an extent of 1 there.
        uncut = [2 * d + 1 for d in range(rank) if d not in self.dimensions]
        turned = cut.transpose([2 * d for d in self.order(rank)] + [2 * d + 1 for d in self.dimensions] + uncut)
        return turned.reshape(self.shape(array.shape))


@dataclass(frozen=True)
class PackOperands(Pass):
    """Execute the `pack_operand` steps of the schedules.

    ```mlir
    %w = arith.constant dense<...> : tensor<768x40xf32>
    %r = func.call @matmul(%a, %w, %out) : ...
    func.func private @matmul(%a: tensor<128x768xf32>, %b: tensor<768x40xf32>, %out: tensor<128x40xf32>)
        attributes {kernel, schedule = [["pack_operand", 1, 1, 32]]}
      ... linalg.generic {indexing_maps = [..., (m, n, k) -> (k, n), ...]}
    ```
    becomes
    ```mlir
    %w = arith.constant dense<...> : tensor<2x768x32xf32>
    %r = func.call @matmul(%a, %w, %out) : ...
    func.func private @matmul(%a: tensor<128x768xf32>, %b: tensor<2x768x32xf32>, %out: tensor<128x40xf32>)
        attributes {kernel, packed = [1], ...}
      ... linalg.generic {indexing_maps = [..., (m, n, k) -> (n floordiv 32, k, n mod 32), ...]}
    ```
    An operand that is no constant is packed by a `linalg.pack` in front of the call, which `plan-views` turns into a kernel.
    """

    name: ClassVar[str] = "pack-operands"

    def run(self, op: Operation, ctx: Context) -> None:
        calls: dict[str, list[func.CallOp]] | None = None
        packed: dict[tuple[SSAValue, Packing], SSAValue] = {}
        for kernel in kernels(op):
            packings = _packings(kernel)
            if not packings:
                continue
            calls = calls_by_callee(op) if calls is None else calls
            for packing in packings:
                for call in calls.get(name_of(kernel), ()):
                    call.operands[packing.argument] = _pack(call, packing, packed)
                _pack_argument(kernel, packing)
            kernel.update_function_type()
            drop_steps(kernel, STEP)


def _packings(kernel: func.FuncOp) -> list[Packing]:
    packings: list[Packing] = []
    for step in schedule_of(kernel):
        if step_name(step) != STEP:
            continue
        numbers = [a.value.data for a in step.data[1:] if isinstance(a, IntegerAttr)]
        if len(numbers) not in (3, 5):
            raise CompileError(
                f"schedule of @{name_of(kernel)}: {step} is not a packing",
                location=location_of(kernel),
                hint=f'write ["{STEP}", argument, dimension, tile] or ["{STEP}", argument, dimension, tile, dimension, tile]',
            )
        packing = Packing(numbers[0], tuple(numbers[1::2]), tuple(numbers[2::2]))
        inputs = len(kernel.body.block.args) - number_of_destinations(kernel)
        if not 0 <= packing.argument < inputs:
            what = f"@{name_of(kernel)} cannot pack argument {packing.argument}: it has {inputs} inputs"
            raise CompileError(what, location=location_of(kernel))
        rank = len(shape_of(kernel.body.block.args[packing.argument]))
        for dimension, tile in zip(packing.dimensions, packing.tiles, strict=True):
            if not 0 <= dimension < rank or tile < 2 or packing.dimensions.count(dimension) > 1:
                raise CompileError(
                    f"@{name_of(kernel)} cannot pack dimension {dimension} of a tensor of rank {rank} in tiles of {tile}",
                    location=location_of(kernel),
                )
        if any(p.argument == packing.argument for p in packings):
            raise CompileError(f"@{name_of(kernel)} packs argument {packing.argument} twice", location=location_of(kernel))
        packings.append(packing)
    return packings


def _pack_argument(kernel: func.FuncOp, packing: Packing) -> None:
    arg = kernel.body.block.args[packing.argument]
    type = cast(TensorType[Any], arg.type)
    for use in list(arg.uses):
        user = use.operation
        if not isinstance(user, linalg.GenericOp) or use.index >= len(user.inputs):
            raise CompileError(
                f"@{name_of(kernel)} cannot pack argument {packing.argument}: '{user.name}' uses it",
                location=location_of(user),
                hint="only operands that linalg.generic reads through an indexing map can be packed",
            )
        maps = maps_of(user)
        maps[use.index] = packing.map(maps[use.index])
        user.properties["indexing_maps"] = ArrayAttr([AffineMapAttr(m) for m in maps])
    mark_packed(kernel, packing.argument)
    retype(arg, tensor_type(packing.shape(type.get_shape()), type.element_type))


def _pack(call: func.CallOp, packing: Packing, packed: dict[tuple[SSAValue, Packing], SSAValue]) -> SSAValue:
    """The packed form of the call's operand: a folded constant, or a `linalg.pack` in front of the call."""
    value = call.operands[packing.argument]
    key = (value, replace(packing, argument=0))
    owner = value.owner
    if isinstance(owner, arith.ConstantOp) and isinstance(owner.value, DenseIntOrFPElementsAttr):
        if key not in packed:
            packed[key] = _fold(owner, packing)
            if not value.has_more_than_one_use():
                call.operands[packing.argument] = packed[key]
                Rewriter.erase_op(owner)
                del owner.properties["value"]  # an erased op may live on in a cycle, its payload must not
        return packed[key]
    if key in packed and cast(Operation, packed[key].owner).parent is call.parent:
        return packed[key]
    type = cast(TensorType[Any], value.type)
    empty = tensor.EmptyOp.create(result_types=[tensor_type(packing.shape(type.get_shape()), type.element_type)])
    zero = arith.ConstantOp.create(properties={"value": _zero(type.element_type)}, result_types=[type.element_type])
    order = packing.order(type.get_num_dims())
    pack = linalg.PackOp.get(
        value, empty.tensor, list(packing.dimensions), list(packing.tiles), outer_dims_perm=order, padding_value=zero.result
    )
    pack.location = call.location
    insert_before(call, empty, zero, pack)
    packed[key] = pack.results[0]
    return pack.results[0]


def _fold(constant: arith.ConstantOp, packing: Packing) -> SSAValue:
    attribute = cast(DenseIntOrFPElementsAttr[Any], constant.value)
    element = attribute.get_element_type()
    shape = packing.shape(attribute.get_shape())
    array = array_of(attribute)
    full = all(array.shape[d] % tile == 0 for d, tile in zip(packing.dimensions, packing.tiles, strict=True))
    if is_splat(attribute) and (full or not array.reshape(-1)[:1].any()):
        value: Attribute = splat(array.reshape(-1)[0].item(), tensor_type(shape, element))
    else:
        value = dense(packing.array(array), tensor_type(shape, element))
    folded = arith.ConstantOp.create(properties={"value": value}, result_types=[tensor_type(shape, element)], location=constant.location)
    folded.results[0].name_hint = constant.results[0].name_hint
    insert_before(constant, folded)
    return folded.results[0]


def _zero(element: Attribute) -> Attribute:
    return FloatAttr(0.0, element) if dtype_of(element).kind in "fV" else IntegerAttr(0, element)  # type: ignore[arg-type]
