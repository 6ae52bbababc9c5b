"""Structured ops in tiles: an op in, loops over a smaller op on slices out.

`tile_using_for` makes `scf.for`, `tile_using_forall` one `scf.forall`. `tiled_op` is the op on one tile, which fusion uses, too.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, MemRefType, TensorType, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineMap
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import linalg, memref, scf, tensor
from stepwell.dialects.affine.maps import INDEX
from stepwell.dialects.linalg.canonical import maps_of
from stepwell.dialects.linalg.verify import sources_of_loops
from stepwell.dialects.tensor.more import ParallelInsertSliceOp
from stepwell.ir.affine_expressions import add, ceildiv, dim, mul, negated, replace, symbol
from stepwell.lowering.building import Builder, Index, number, static


@dataclass
class Box:
    """Where a tile lies in a tensor, for each dimension."""

    offsets: list[Index]
    sizes: list[Index]


@dataclass
class Tiled:
    """What tiling has made."""

    op: Operation
    loops: list[Operation] = field(default_factory=list[Operation])
    results: list[SSAValue] = field(default_factory=list[SSAValue])


def extents_of_loops(op: Any, build: Builder) -> list[Index]:
    """How far each loop of a structured op goes."""
    maps = maps_of(op)
    sources = sources_of_loops(maps)
    return [build.extent(op.operands[sources[loop][0]], sources[loop][1]) for loop in range(maps[0].num_dims)]


def box_of(map: AffineMap, offsets: Sequence[Index], sizes: Sequence[Index], build: Builder) -> Box:
    """The box that a tile of the iteration space touches in an operand of this map."""
    zeros = [AffineConstantExpr(0)] * map.num_dims
    lasts = [build.apply(add(dim(0), AffineConstantExpr(-1)), [size]) for size in sizes]
    box = Box([], [])
    for expr in map.results:
        at_zero = replace(expr, zeros, ())
        box.offsets.append(build.apply(add(expr, negated(at_zero)), offsets))
        box.sizes.append(build.apply(add(expr, AffineConstantExpr(1)), lasts))
    return box


def slice_of(value: SSAValue, box: Box, build: Builder) -> SSAValue:
    """A box of a tensor or memref."""
    ones = [1] * len(box.sizes)
    if isinstance(value.type, MemRefType):
        return build.add(memref.SubviewOp.get(value, box.offsets, box.sizes, ones)).results[0]
    return build.add(tensor.ExtractSliceOp(value, box.offsets, box.sizes, ones)).result


def tiled_op(
    op: Any, offsets: Sequence[Index], sizes: Sequence[Index], outputs: Sequence[SSAValue], build: Builder
) -> tuple[Any, list[Box]]:
    """The op on one tile of its iteration space, and the boxes of its outputs. `outputs` stand for the op's own."""
    count = len(op.inputs)
    whole: list[Box | None] = []
    values = [*op.inputs, *outputs]
    for position, (value, map) in enumerate(zip(values, maps_of(op), strict=True)):
        is_shaped = isinstance(value.type, TensorType | MemRefType)
        is_sliced = is_shaped and (position >= count or bool(map.results))
        whole.append(box_of(map, offsets, sizes, build) if is_sliced else None)
    operands = [value if box is None else slice_of(value, box, build) for value, box in zip(values, whole, strict=True)]
    boxes = [box for box in whole[count:] if box is not None]
    types = [value.type for value in operands[count:] if isinstance(value.type, TensorType)]
    made = type(op).create(
        operands=operands,
        result_types=types,
        properties=dict(op.properties),
        attributes=dict(op.attributes),
        regions=[region.clone() for region in op.regions],
    )
    made.location = op.location
    build.add(made)
    _move_indices(made, offsets)
    return made, boxes


def _move_indices(op: Any, offsets: Sequence[Index]) -> None:
    """`linalg.index` counts from where the tile begins."""
    for inner in list(op.regions[0].block.ops):
        if isinstance(inner, linalg.IndexOp):
            build = Builder(InsertPoint.after(inner), inner)
            moved = build.index(build.apply(add(dim(0), dim(1)), [inner.result, offsets[inner.dim.value.data]]))
            for use in list(inner.result.uses):
                if use.operation is not moved.owner:
                    use.operation.operands[use.index] = moved


def _bounded(offset: Index, extent: Index, size: Index, build: Builder) -> Index:
    """The size of a tile, less at the end."""
    width, whole = number(size), number(extent)
    if width == 1 or (width and whole is not None and whole % width == 0):
        return size
    exprs = (add(symbol(0), negated(dim(0))), symbol(1))
    return build.minimum(exprs, [offset], [build.index(extent), size])


def tile_using_for(op: Any, sizes: Sequence[Index], interchange: Sequence[int] = ()) -> Tiled:
    """Tile a structured op by these sizes (0: not), its loops in the order of `interchange`, and put `scf.for` in its place."""
    build = Builder(op)
    extents = extents_of_loops(op, build)
    sizes = [*sizes, *[0] * len(extents)][: len(extents)]
    order = [loop for loop in (interchange or range(len(extents))) if sizes[loop] != 0]
    if not order:
        return Tiled(op, [], list(op.results))
    carried = [value for value in op.outputs if isinstance(value.type, TensorType)]
    zero = build.index(0)
    steps = {loop: build.index(sizes[loop]) for loop in order}
    ends = {loop: build.index(extents[loop]) for loop in order}
    loops: list[scf.ForOp] = []
    variables: dict[int, SSAValue] = {}
    inits = list(carried)
    for loop in order:
        body = Block(arg_types=[INDEX, *(value.type for value in inits)])
        made = scf.ForOp(zero, ends[loop], steps[loop], inits, body)
        build.add(made)
        build = Builder(InsertPoint.at_end(body), op)
        loops.append(made)
        variables[loop] = body.args[0]
        inits = list(body.args[1:])
    offsets: list[Index] = [variables.get(loop, 0) for loop in range(len(extents))]
    tile = [_bounded(offsets[n], extents[n], sizes[n], build) if n in variables else extents[n] for n in range(len(extents))]
    made_op, boxes = tiled_op(op, offsets, tile, _outputs(op, inits), build)
    ones = [[1] * len(box.sizes) for box in boxes]
    written = [
        build.add(tensor.InsertSliceOp(result, dest, box.offsets, box.sizes, one)).result
        for result, dest, box, one in zip(made_op.results, inits, boxes, ones, strict=False)
    ]
    build.add(scf.YieldOp(*written))
    for outer, inner in pairwise(loops):
        Builder(InsertPoint.at_end(outer.body.block), op).add(scf.YieldOp(*inner.results))
    return Tiled(made_op, list(loops), list(loops[0].results))


def _outputs(op: Any, tensors: Sequence[SSAValue]) -> list[SSAValue]:
    """The op's outputs with others in the place of those that are tensors."""
    following = iter(tensors)
    return [next(following) if isinstance(value.type, TensorType) else value for value in op.outputs]


def tile_using_forall(op: Any, sizes: Sequence[Index], threads: Sequence[Index] = (), mapping: ArrayAttr[Any] | None = None) -> Tiled:
    """Tile a structured op by these sizes, or into so many tiles, and put a `scf.forall` in its place."""
    build = Builder(op)
    extents = extents_of_loops(op, build)
    counts: list[Index] = [*threads, *[0] * len(extents)][: len(extents)]
    given: list[Index] = [*sizes, *[0] * len(extents)][: len(extents)]
    whole = ceildiv(symbol(0), symbol(1))
    for loop, extent in enumerate(extents):
        if threads and counts[loop] != 0:
            given[loop] = build.apply(whole, (), [extent, counts[loop]])
        elif not threads and given[loop] != 0:
            counts[loop] = build.apply(whole, (), [extent, given[loop]])
    order = [loop for loop, count in enumerate(counts) if count != 0]
    if not order:
        return Tiled(op, [], list(op.results))
    carried = [value for value in op.outputs if isinstance(value.type, TensorType)]
    body = Block(arg_types=[*[INDEX] * len(order), *(value.type for value in carried)])
    forall = _forall([counts[loop] for loop in order], carried, body, mapping)
    build.add(forall)
    inside = Builder(InsertPoint.at_end(body), op)
    offsets: list[Index] = [0] * len(extents)
    tile = list(extents)
    for position, loop in enumerate(order):
        offsets[loop] = inside.apply(mul(dim(0), symbol(0)), [body.args[position]], [given[loop]])
        tile[loop] = _thread_size(body.args[position], offsets[loop], extents[loop], given[loop], counts[loop], inside)
    shared = list(body.args[len(order) :])
    made, boxes = tiled_op(op, offsets, tile, _outputs(op, shared), inside)
    writes = Block()
    inside.add(scf.InParallelOp.get(Region(writes)))
    for result, dest, box in zip(made.results, shared, boxes, strict=False):
        writes.add_op(_parallel_insert(result, dest, box))
    return Tiled(made, [forall], list(forall.results))


def _thread_size(variable: SSAValue, offset: Index, extent: Index, size: Index, count: Index, build: Builder) -> Index:
    """The size of the tile of one thread: less at the end, and none behind it."""
    width, total, threads = number(size), number(extent), number(count)
    if width == 1 or (width and total is not None and threads is not None and total == width * threads):
        return size
    rest = add(symbol(0), negated(dim(0)))
    found = build.minimum((rest, symbol(1)), [offset], [extent, size])
    if width is not None and total is not None and threads is not None and (threads - 1) * width < total:
        return found
    if threads is None:
        return found
    return build.maximum((AffineConstantExpr(0), dim(0)), [found])


def _forall(counts: Sequence[Index], carried: Sequence[SSAValue], body: Block, mapping: ArrayAttr[Any] | None) -> scf.ForallOp:
    properties: dict[str, Attribute] = {
        "staticLowerBound": DenseArrayBase.from_list(i64, [0] * len(counts)),
        "staticUpperBound": DenseArrayBase.from_list(i64, static(counts)),
        "staticStep": DenseArrayBase.from_list(i64, [1] * len(counts)),
    }
    if mapping is not None and mapping.data:
        properties["mapping"] = mapping
    dynamic = [count for count in counts if not isinstance(count, int)]
    types = [value.type for value in carried]
    return scf.ForallOp(operands=[[], dynamic, [], carried], result_types=[types], properties=properties, regions=[Region(body)])


def _parallel_insert(source: SSAValue, dest: SSAValue, box: Box) -> Operation:
    like = tensor.InsertSliceOp(source, dest, box.offsets, box.sizes, [1] * len(box.sizes))
    made = ParallelInsertSliceOp.create(operands=list(like.operands), properties=dict(like.properties))
    like.erase()
    return made


def replace_tiled(op: Operation, tiled: Tiled) -> None:
    """Put what tiling has made in the place of the op."""
    if tiled.op is op:
        return
    Rewriter.replace_op(op, [], tiled.results)
