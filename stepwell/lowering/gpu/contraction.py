"""Matrix products and convolutions for a GPU: a block computes a tile of the result, its operands pass through shared memory.

The loops are those of the CPU's schedule: one operand (B, the weights) has the lanes, the other (A, the pixels) the rows, a convolution
is the same with windows around the channels. A thread accumulates a small tile in registers.
"""

from __future__ import annotations

from math import ceil, prod

from stepwell.lowering.schedule.strategies.contraction import _name, _roles  # pyright: ignore[reportPrivateUsage]
from stepwell.lowering.schedule.strategies.model import KernelModel
from stepwell.lowering.schedule.strategies.plan import Plan

DEPTH = 32
"""Elements of the reduced loop that stand in shared memory at a time: a warp reads a row of them."""
TILES = ((128, 128), (64, 64), (32, 64), (64, 32), (32, 32), (16, 64), (8, 64))
"""Rows and columns of a block's tile, in the order in which they are preferred."""
ENOUGH_BLOCKS = 216
"""Two blocks for every multiprocessor of an A100: smaller tiles are not needed from here on."""
HEIGHT = 4
"""Neighbouring rows of a thread."""
ACROSS = 32
"""Threads along the lanes: a warp, so that what it loads and stores is one row of neighbouring elements."""
DOWN = 8
"""The most threads along the rows."""


def schedule_contraction(model: KernelModel) -> Plan | None:
    """The schedule of a kernel whose main stage is a product of at least a small tile; None where its loops do not fit the form."""
    stage = model.main
    if stage.product is None or set(model.common) != {stage.names[d] for d in stage.parallels}:
        return None
    roles = _roles(model, stage, frozenset())
    if roles is None or roles.shared_lane or roles.row is None or not stage.reductions:
        return None
    depth = stage.reductions[-1]
    rows, columns = stage.extents[roles.row], stage.extents[roles.lane]
    if rows < 5 or columns < 16 or stage.extents[depth] < 8:
        return None
    operands = [model.argument_number(stage.operands[o]) for o in (roles.row_operand, roles.lane_operand)]
    if None in operands or len(set(operands)) < 2 or any(model.func.body.block.args[o] in model.outputs for o in operands if o is not None):
        return None
    if any(len(list(stage.operands[o].uses)) != 1 for o in (roles.row_operand, roles.lane_operand)):
        return None
    reads = [stage.access(o, depth) for o in (roles.row_operand, roles.lane_operand)]
    if reads[0] is None or reads[1] is None or not reads[0].is_unit:
        return None
    _name(model, stage, roles)
    names = stage.names
    row, lane, inner = names[roles.row], names[roles.lane], names[depth]
    outer = [names[d] for d in (*roles.batch, *roles.others)]
    outside = prod(stage.extents[d] for d in (*roles.batch, *roles.others))
    height, width = choose_tile(rows, columns, outside)
    transposed = reads[1].is_unit

    plan = Plan()
    plan.add("fuse", *model.common)
    plan.add("split", row, height, f"{row}r")
    plan.add("split", lane, width, f"{lane}r")
    plan.add("split", inner, DEPTH, f"{inner}r")
    plan.add("reorder", *outer, row, lane, f"{row}r", f"{lane}r")
    plan.add("parallel", *outer, row, lane)
    plan.add("jam", f"{row}r", f"{lane}r")
    plan.add("cache_read", operands[0], inner, 4)
    plan.add("cache_read", operands[1], inner, 1 if transposed else 0)
    plan.add("pad", f"{inner}r")
    plan.add("unroll", f"{inner}r", 4)
    plan.add(
        "bind",
        (f"{row}r", min(height // HEIGHT, DOWN), HEIGHT),
        (f"{lane}r", min(width, ACROSS), 1),
    )
    return plan


def choose_tile(rows: int, columns: int, outside: int) -> tuple[int, int]:
    """The largest tile that leaves enough blocks and wastes little; the one with most blocks where none does."""
    best: tuple[float, tuple[int, int]] | None = None
    for place, (height, width) in enumerate(TILES):
        down, across = ceil(rows / height), ceil(columns / width)
        waste = down * height * across * width / (rows * columns)
        blocks = down * across * outside
        # Work per block is bounded by its tile; idle multiprocessors and elements outside of the result cost time, small tiles traffic.
        cost = waste * max(1.0, ENOUGH_BLOCKS / blocks) * (1 + 0.25 * place)
        if best is None or cost < best[0]:
            best = (cost, (height, width))
    assert best is not None
    return best[1]
