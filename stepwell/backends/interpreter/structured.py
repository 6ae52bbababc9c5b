"""`linalg`: the body of an op runs once per point of its reduction dimensions, on arrays over all points of its parallel dimensions.

That is the meaning of the op exactly: points that differ in a parallel dimension are independent, and every element of an output meets the
points of the reduction dimensions in their order. Where two parallel points share an element of an output, or the body has regions or
writes
memory, the points run one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from xdsl.ir import Operation
from xdsl.ir.affine import AffineDimExpr, AffineMap

from stepwell.backends.interpreter.machine import Body, Code, Control, Frame, Implementation, Step
from stepwell.backends.interpreter.memory import mixed_values
from stepwell.backends.interpreter.values import checked, map_function, shape_of
from stepwell.dialects import linalg
from stepwell.ir.constants import Array

POINTS_AT_ONCE = 1 << 22
"""Above so many parallel points the outermost parallel dimension is cut into blocks."""


@dataclass
class Space:
    """The iteration space of an op: extents by dimension, and which dimensions reduce."""

    extents: list[int]
    parallel: list[int]
    reductions: list[int]

    @staticmethod
    def of(maps: Sequence[AffineMap], iterators: Sequence[str], operands: Sequence[Any]) -> Space:
        """An extent is the size of the first operand dimension that a plain dimension subscripts; all others must agree."""
        extents: list[int | None] = [None] * len(iterators)
        for map, operand in zip(maps, operands, strict=True):
            for expr, size in zip(map.results, np.shape(operand), strict=True):
                if not isinstance(expr, AffineDimExpr):
                    continue
                known = extents[expr.position]
                if known not in (None, size):
                    raise ValueError(f"loop {expr.position} has extents {known} and {size}")
                extents[expr.position] = size
        if None in extents:
            raise ValueError(f"no operand says how far loop {extents.index(None)} goes")
        dims = range(len(iterators))
        return Space(
            [extent for extent in extents if extent is not None],
            [dim for dim in dims if iterators[dim] == "parallel"],
            [dim for dim in dims if iterators[dim] != "parallel"],
        )

    def blocks(self) -> Iterator[list[range]]:
        """The parallel dimensions in blocks of bounded size, in order."""
        if not self.parallel:
            yield []
            return
        first, *rest = [self.extents[dim] for dim in self.parallel]
        per_row = int(np.prod(rest, dtype=np.int64)) if rest else 1
        rows = max(1, POINTS_AT_ONCE // max(1, per_row))
        for start in range(0, first, rows):
            yield [range(start, min(first, start + rows)), *map(range, rest)]


def structured(op: Any, code: Code) -> Step:
    """Any op with indexing maps and a body."""
    maps = [attribute.data for attribute in op.get_indexing_maps()]
    iterators = [iterator.data.value for iterator in op.get_iterator_types()]
    return loops(op, code, maps, iterators, op.inputs, op.outputs, op.regions[0].block)


def loops(op: Operation, code: Code, maps: Sequence[AffineMap], iterators: Sequence[str], inputs: Any, outputs: Any, block: Any) -> Step:
    """The step of an op with these maps over these loops."""
    operands, results = code.slots([*inputs, *outputs]), code.slots(op.results)
    body = code.body(block)
    functions = [map_function(map) for map in maps]
    count = len(inputs)
    index_slots = [(code.slot(inner.results[0]), inner.dim.value.data) for inner in block.ops if inner.name == "linalg.index"]
    # linalg.index reads a slot that is set for each point; it is no step of its own.
    at_once = _can_run_at_once(block, maps[count:], iterators)

    def step(frame: Frame) -> None:
        values = [frame[slot] for slot in operands]
        arrays: list[Array] = [np.asarray(value) for value in values]
        space = Space.of(maps, iterators, arrays)
        targets = [array.copy() if results else array for array in arrays[count:]]
        pairs = zip(maps[count:], targets, strict=True)
        distinct = at_once and all(_are_distinct(map, space, target.shape) for map, target in pairs)
        run = _run_at_once if distinct else _run_one_by_one
        run(frame, body, space, functions, arrays[:count], targets, index_slots)
        for slot, target in zip(results, targets, strict=False):
            frame[slot] = target

    return step


def _can_run_at_once(block: Any, output_maps: Sequence[AffineMap], iterators: Sequence[str]) -> bool:
    """Whether no reduction dimension chooses an element of an output, and the body computes without regions or writes."""
    reductions = {dim for dim, kind in enumerate(iterators) if kind != "parallel"}
    if any(map.used_dims() & reductions for map in output_maps):
        return False
    return not any(inner.regions or inner.name in ("memref.store", "func.call", "affine.store") for inner in block.ops)


def _are_distinct(map: AffineMap, space: Space, shape: Sequence[int]) -> bool:
    """Whether parallel points choose distinct elements of an output of this shape."""
    plain = {expr.position for expr in map.results if isinstance(expr, AffineDimExpr)}
    if plain.issuperset(space.parallel):
        return True
    point = [0] * len(space.extents)
    grid = np.indices([space.extents[dim] for dim in space.parallel], sparse=True)
    places = map_function(map)(*[grid[space.parallel.index(dim)] if dim in space.parallel else point[dim] for dim in range(len(point))])
    flat = np.ravel_multi_index(np.broadcast_arrays(*places), tuple(shape)) if places else np.zeros((), np.int64)
    return np.unique(flat).size == np.prod([space.extents[dim] for dim in space.parallel], dtype=np.int64)


def _run_at_once(
    frame: Frame,
    body: Body,
    space: Space,
    functions: Sequence[Callable[..., tuple[Any, ...]]],
    inputs: Sequence[Array],
    targets: Sequence[Array],
    index_slots: Sequence[tuple[int, int]],
) -> None:
    rank = len(space.parallel)
    for block in space.blocks():
        point: list[Any] = [0] * len(space.extents)
        shape = [len(part) for part in block]
        for axis, (dim, part) in enumerate(zip(space.parallel, block, strict=True)):
            point[dim] = np.arange(part.start, part.stop).reshape([-1 if a == axis else 1 for a in range(rank)])
        output_functions = functions[len(inputs) :]
        places = [checked(function(*point), target.shape) for function, target in zip(output_functions, targets, strict=True)]
        places = [np.broadcast_arrays(*place, np.zeros(shape, np.int8))[:-1] for place in places]
        accumulators = [target[tuple(place)] for target, place in zip(targets, places, strict=True)]
        if 0 in shape:
            continue
        for reduction in product(*[range(space.extents[dim]) for dim in space.reductions]):
            for dim, value in zip(space.reductions, reduction, strict=True):
                point[dim] = value
            for slot, dim in index_slots:
                frame[slot] = point[dim]
            elements = [array[checked(function(*point), array.shape)] for function, array in zip(functions, inputs, strict=False)]
            body.run_with(frame, *elements, *accumulators)
            accumulators = [frame[slot] for slot in body.results]
        for target, place, value in zip(targets, places, accumulators, strict=True):
            # A body that ignores some dimensions yields an array that is smaller than the block.
            target[tuple(place)] = np.broadcast_to(value, shape)


def _run_one_by_one(
    frame: Frame,
    body: Body,
    space: Space,
    functions: Sequence[Callable[..., tuple[Any, ...]]],
    inputs: Sequence[Array],
    targets: Sequence[Array],
    index_slots: Sequence[tuple[int, int]],
) -> None:
    arrays = [*inputs, *targets]
    for point in product(*map(range, space.extents)):
        for slot, dim in index_slots:
            frame[slot] = point[dim]
        places = [checked(function(*point), array.shape) for function, array in zip(functions, arrays, strict=True)]
        body.run_with(frame, *[array[place] for array, place in zip(arrays, places, strict=True)])
        for target, place, slot in zip(targets, places[len(inputs) :], body.results, strict=True):
            target[place] = frame[slot]


def index(op: linalg.IndexOp, code: Code) -> None:
    """Set by the loops around it."""
    code.slot(op.result)


# ---- named ops ------------------------------------------------------------------------------------------------------------------


def fill(op: linalg.FillOp) -> Callable[[Any, Array], Any]:
    functional = bool(op.results)

    def write(value: Any, target: Array) -> Any:
        if functional:
            return np.full(target.shape, value, target.dtype)
        target[...] = value
        return None

    return write


def copy(op: linalg.CopyOp) -> Callable[[Array, Array], Any]:
    functional = bool(op.results)

    def write(source: Array, target: Array) -> Any:
        if source.shape != target.shape:
            raise ValueError(f"a copy of shape {source.shape} to {target.shape}")
        if functional:
            return source.astype(target.dtype)
        target[...] = source
        return None

    return write


def pack(op: linalg.PackOp) -> Callable[..., Array]:
    positions, outer = op.tiled_dims(), op.outer_permutation(len(shape_of(op.source.type)))
    static, padded = op.static_tiles(), op.padding_value is not None

    def move(source: Array, dest: Array, *operands: Any) -> Array:
        padding, sizes = (operands[0], operands[1:]) if padded else (None, operands)
        tiles = mixed_values(static, sizes)
        amounts = [(0, 0)] * source.ndim
        for dim, tile in zip(positions, tiles, strict=True):
            amounts[dim] = (0, -source.shape[dim] % tile)
        if padding is None and any(high for _, high in amounts):
            raise ValueError(f"shape {source.shape} is not cut evenly into tiles of {tiles}, and there is no padding value")
        whole = np.pad(source, amounts, constant_values=0 if padding is None else padding)
        shape: list[int] = []
        axes: dict[int, tuple[int, int | None]] = {}
        for dim, size in enumerate(whole.shape):
            tile = tiles[positions.index(dim)] if dim in positions else None
            axes[dim] = (len(shape), None if tile is None else len(shape) + 1)
            shape += [size] if tile is None else [size // tile, tile]
        order = [axes[dim][0] for dim in outer] + [inner for dim in positions if (inner := axes[dim][1]) is not None]
        result = whole.reshape(shape).transpose(order)
        if result.shape != dest.shape:
            raise ValueError(f"packing gives shape {result.shape}, the destination has {dest.shape}")
        return result

    return move


def unpack(op: linalg.UnPackOp) -> Callable[..., Array]:
    rank = len(shape_of(op.dest.type))
    positions, outer, static = op.tiled_dims(), op.outer_permutation(rank), op.static_tiles()

    def move(source: Array, dest: Array, *sizes: int) -> Array:
        tiles = mixed_values(static, sizes)
        if list(source.shape[rank:]) != tiles:
            raise ValueError(f"a packed shape {source.shape} has no inner tiles of {tiles}")
        order: list[int] = []
        shape: list[int] = []
        for dim in range(rank):
            axis = outer.index(dim)
            order.append(axis)
            size = source.shape[axis]
            if dim in positions:
                order.append(rank + positions.index(dim))
                size *= tiles[positions.index(dim)]
            shape.append(size)
        whole = source.transpose(order).reshape(shape)
        if any(have < want for have, want in zip(whole.shape, dest.shape, strict=True)):
            raise ValueError(f"unpacking gives shape {whole.shape}, the destination has {dest.shape}")
        return whole[tuple(slice(0, size) for size in dest.shape)]

    return move


IMPLEMENTATIONS: dict[type[Operation], Implementation] = {
    linalg.FillOp: fill,
    linalg.CopyOp: copy,
    linalg.PackOp: pack,
    linalg.UnPackOp: unpack,
}

CONTROL: dict[type, Control] = {
    linalg.IndexOp: index,
    linalg.LinalgStructuredOperation: structured,
    linalg.WholeDims: structured,
}
