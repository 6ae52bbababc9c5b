"""The pass `gpu-map-parallel-loops`: which loops of a nest of `scf.parallel` become blocks of a grid, and which threads of a block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from xdsl.context import Context
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr
from xdsl.dialects.gpu import LoopDimMapAttr, ProcessorAttr, ProcessorEnum
from xdsl.ir import Operation
from xdsl.ir.affine import AffineMap

from stepwell.dialects import scf
from stepwell.ir.passes import Pass

LEVELS: tuple[tuple[ProcessorEnum, ...], ...] = (
    (ProcessorEnum.Block_X, ProcessorEnum.Block_Y, ProcessorEnum.Block_Z),
    (ProcessorEnum.Thread_X, ProcessorEnum.Thread_Y, ProcessorEnum.Thread_Z),
    (),
)
"""What the loops of a nest's outermost band become, of the next one, and of all others: the rest is sequential."""

IDENTITY = AffineMapAttr(AffineMap.identity(1))


@dataclass(frozen=True)
class GpuMapParallelLoops(Pass):
    """The outermost band is mapped to blocks, the one right inside to threads; bands that are mapped already stay.

    before:  scf.parallel (%i, %j) = ... { scf.parallel (%k) = ... { } }
    after:   scf.parallel (%i, %j) = ... { scf.parallel (%k) = ... { } {mapping = [thread_x]} } {mapping = [block_x, block_y]}
    """

    name: ClassVar[str] = "gpu-map-parallel-loops"
    anchor: ClassVar[str] = "any"

    mapping_policy: Literal["outermost-first", "innermost-first"] = "outermost-first"
    """Whether the outermost loop of a band is x, or the innermost of the first three."""

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in list(op.walk()):
            if isinstance(inner, scf.ParallelOp) and not _is_nested(inner):
                self._map(inner, 0)

    def _map(self, loop: scf.ParallelOp, level: int) -> None:
        if "mapping" in loop.attributes:
            return
        count = len(loop.lowerBound)
        processors = list(LEVELS[level][:count])
        if self.mapping_policy == "innermost-first":
            processors.reverse()
        processors += [ProcessorEnum.Sequential] * (count - len(processors))
        loop.attributes["mapping"] = ArrayAttr(LoopDimMapAttr(ProcessorAttr(one), IDENTITY, IDENTITY) for one in processors)
        for inner in loop.body.block.ops:
            if isinstance(inner, scf.ParallelOp):
                self._map(inner, min(level + 1, len(LEVELS) - 1))


def _is_nested(op: Operation) -> bool:
    """Whether a band stands somewhere inside of another one."""
    around = op.parent_op()
    while around is not None and not isinstance(around, scf.ParallelOp):
        around = around.parent_op()
    return around is not None
