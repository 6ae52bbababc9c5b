"""The pass `scf-parallel-loop-tiling`: bands of parallel loops in, bands of tiles with bands of points inside out."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from xdsl.context import Context
from xdsl.dialects.builtin import AffineMapAttr, IntegerAttr, i1
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.rewriter import InsertPoint, Rewriter

from stepwell.dialects import affine, arith, scf
from stepwell.dialects.affine.maps import INDEX
from stepwell.ir.affine_expressions import add, dim, negated
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.passes import Pass
from stepwell.lowering.building import Builder, number

_REST = AffineMapAttr(AffineMap(3, 0, (dim(0), add(dim(1), negated(dim(2))))))
_NONE = arith.IntegerOverflowAttr("none")


@dataclass(frozen=True)
class ParallelLoopTiling(Pass):
    """Innermost bands become bands of tiles; the last tile is smaller, or its points are checked.

    before:  scf.parallel (%i) = (%a) to (%b) step (%s) { f(%i) }
    after:   scf.parallel (%t) = (%a) to (%b) step (%s4) { %m = affine.min (%s4, %b - %t)
               scf.parallel (%p) = (%c0) to (%m) step (%s) { %i = arith.addi %p, %t   f(%i) } }
    """

    name: ClassVar[str] = "scf-parallel-loop-tiling"
    anchor: ClassVar[str] = "any"

    parallel_loop_tile_sizes: tuple[int, ...] = ()
    """One size for each loop; 1 for those behind the last."""
    no_min_max_bounds: bool = False
    """All tiles are whole; an `scf.if` inside asks whether a point exists."""

    def run(self, op: Operation, ctx: Context) -> None:
        if 0 in self.parallel_loop_tile_sizes:
            raise CompileError("tile size cannot be 0")
        for band in [inner for inner in op.walk() if isinstance(inner, scf.ParallelOp)]:
            if not any(isinstance(inner, scf.ParallelOp) for inner in band.body.block.walk()) and not band.results:
                tile_band(band, self.parallel_loop_tile_sizes, checked=self.no_min_max_bounds)


def _arith(kind: type[Operation], a: SSAValue, b: SSAValue, build: Builder) -> SSAValue:
    properties = {"overflowFlags": _NONE} if kind is not arith.AndIOp else {}
    return build.add(kind.create(operands=[a, b], result_types=[a.type], properties=properties)).results[0]


def tile_band(band: scf.ParallelOp, sizes: Sequence[int], *, checked: bool) -> tuple[scf.ParallelOp, scf.ParallelOp]:
    """The outer and the inner band that take the place of one."""
    build = Builder(band)
    lower, upper, steps = list(band.lowerBound), list(band.upperBound), list(band.step)
    sizes = [*sizes, *[1] * len(steps)][: len(steps)]
    zero = build.index(0)
    constants = [build.index(size) for size in sizes]
    tile_steps = [_arith(arith.MuliOp, step, size, build) for step, size in zip(steps, constants, strict=True)]
    outer_block = Block(arg_types=[INDEX] * len(steps))
    outer = scf.ParallelOp(lower, upper, tile_steps, Region(outer_block))
    build.add(outer)
    inside = Builder(InsertPoint.before(cast(Operation, outer_block.last_op)), band)
    ends: list[SSAValue] = []
    ragged = False
    for n, size in enumerate(sizes):
        first, last, step = number(lower[n]), number(upper[n]), number(steps[n])
        whole = first is not None and last is not None and step is not None and -((first - last) // step) % size == 0
        ragged |= not whole
        rest = affine.MinOp([tile_steps[n], upper[n], outer_block.args[n]], _REST)
        ends.append(tile_steps[n] if whole or checked else inside.add(rest).result)
    if checked and ragged:
        inner = _checked_points(band, outer, (zero, ends, steps), inside)
    else:
        inner = scf.ParallelOp([zero] * len(steps), ends, steps, band.detach_region(band.body))
        inside.add(inner)
        _shift(inner.body.block, list(inner.body.block.args), outer_block.args, band)
    Rewriter.erase_op(band)
    return outer, inner


def _shift(block: Block, points: Sequence[SSAValue], tiles: Sequence[SSAValue], like: Operation) -> None:
    """The old variable is the start of the tile plus the place in it."""
    sums: list[tuple[SSAValue, arith.AddiOp]] = []
    first = block.first_op
    build = Builder(InsertPoint.before(cast(Operation, first)), like)
    for point, tile in zip(points, tiles, strict=True):
        new = arith.AddiOp.create(operands=[point, tile], result_types=[INDEX], properties={"overflowFlags": _NONE})
        sums.append((point, new))
    for point, new in sums:
        for use in list(point.uses):
            if use.operation is not new:
                use.operation.operands[use.index] = new.results[0]
    for _, new in sums:
        build.add(new)


def _checked_points(
    band: scf.ParallelOp, outer: scf.ParallelOp, bounds: tuple[SSAValue, Sequence[SSAValue], Sequence[SSAValue]], inside: Builder
) -> scf.ParallelOp:
    """A band of whole tiles, whose body asks whether its point is inside all bounds."""
    zero, ends, steps = bounds
    block = Block(arg_types=[INDEX] * len(steps))
    inner = scf.ParallelOp([zero] * len(steps), ends, steps, Region(block))
    inside.add(inner)
    build = Builder(InsertPoint.before(cast(Operation, block.last_op)), band)
    sums = [_arith(arith.AddiOp, point, tile, build) for point, tile in zip(block.args, outer.body.block.args, strict=True)]
    inbound = build.constant(IntegerAttr(-1, i1), i1)
    for index, upper in zip(sums, outer.upperBound, strict=True):
        # mlir-opt 22 compares `point * step + tile`: the point has counted in steps already, and with steps of more than 1 points are lost.
        inbound = _arith(arith.AndIOp, inbound, build.add(arith.CmpiOp(index, upper, "ult")).results[0], build)
    body = band.detach_region(band.body)
    then = body.block
    end = cast(Operation, then.last_op)
    end.detach()
    end.erase()
    then.add_op(scf.YieldOp())
    for argument, value in zip(list(then.args), sums, strict=True):
        argument.replace_all_uses_with(value)
        then.erase_arg(argument)
    build.add(scf.IfOp(inbound, [], body))
    return inner
