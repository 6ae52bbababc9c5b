"""Everything that is no contraction: pointwise kernels, copies, gathers, row kernels, reductions, windows.

What the stages have in common is fused. Then either a loop that all stages run in parallel becomes lanes (and moves inside the others),
or each stage gets lanes of its own among the loops that were not fused: the rows of a softmax, where a reduced loop gets one partial
result for each lane. The cheaper of the two, by a rough count of vector operations, is taken; what cannot be vectorised stays scalar.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, gcd, prod

from xdsl.dialects.builtin import TensorType
from xdsl.ir.affine import AffineDimExpr

from stepwell.lowering.schedule.strategies.model import KernelModel, Stage, element_bytes, element_of, mentions
from stepwell.lowering.schedule.strategies.plan import Machine, Plan, lane_tail, parallel_prefix

WINDOW = 16
HORIZONTAL = 12
"""Cost of combining the lanes of one vector, in vector operations."""
TRANSPOSITION = 5
"""Cost of reading a vector of a square that is transposed in registers, in vector operations."""


@dataclass
class _Choice:
    """Which loops become lanes, and what that costs."""

    cost: float
    lanes: dict[str, list[Stage]] = field(default_factory=dict[str, list[Stage]])
    """Name of the loop -> the stages where it is lanes."""
    fused_lane: str | None = None


def schedule_general(model: KernelModel, machine: Machine) -> Plan:
    """The schedule of any kernel."""
    plan = Plan(movable={})
    if len(model.stages) > 1 and any({stage.names[d] for d in stage.parallels} != set(model.common) for stage in model.stages):
        parts = model.separate()
        if parts is not None:
            # Stages that only follow each other (what a packed operand is padded with, then the packing) keep loops of their own.
            for part in parts:
                _schedule(plan, part, machine)
            return plan
    plan.add("fuse", *model.common)
    _schedule(plan, model, machine)
    return plan


def _schedule(plan: Plan, model: KernelModel, machine: Machine) -> None:
    static = sorted({stage.names[d] for stage in model.stages for d in stage.reductions if _is_window(stage, d)})
    if static:
        plan.steps.insert(0, ("static", *static))
    choice = min([_common_lane(model, name, machine) for name in model.common] + [_own_lanes(model, machine)], key=lambda c: c.cost)
    order = [(name, model.extents[name]) for name in model.common]
    if choice.fused_lane is not None:
        _with_common_lane(plan, model, choice.fused_lane, order, machine)
    else:
        _with_own_lanes(plan, model, choice, model.common, order, machine)
    _unroll_windows(plan, model)


# ---- which lanes ----------------------------------------------------------------------------------------------------------------


def _scalar_cost(stage: Stage) -> float:
    return stage.volume * (stage.body_cost + len(stage.maps))


def _lane_cost(stage: Stage, dim: int, machine: Machine, *, transposed: bool = False) -> float:
    """Vector operations of a stage whose loop `dim` is lanes; `transposed` accesses go through squares in registers."""
    lanes = machine.lanes(4)
    extent = max(stage.extents[dim], 1)
    steps = stage.volume / extent * ceil(extent / lanes)
    strided = stage.strided_accesses(dim)
    cost = steps * (stage.body_cost + len(stage.maps) - strided + strided * (TRANSPOSITION if transposed else lanes))
    if stage.iterators[dim] == "reduction":
        cost += stage.volume / extent * HORIZONTAL
    return cost


def _has_inner(model: KernelModel) -> bool:
    """Whether loops remain inside the fused ones."""
    return any(set(stage.names) - set(model.common) for stage in model.stages)


def _common_lane(model: KernelModel, name: str, machine: Machine) -> _Choice:
    cost = 0.0
    if not all(stage.can_be_lanes(d) for stage, d in model.stages_over(name)):
        return _Choice(float("inf"))
    transposed = not _has_inner(model) and _transposed_lane(model, name) is not None
    for stage, d in model.stages_over(name):
        cost += _lane_cost(stage, d, machine, transposed=transposed)
    tile = _packed_tile(model, name)
    return _Choice(float("inf") if tile % machine.lanes(4) else cost, fused_lane=name)


def _own_lanes(model: KernelModel, machine: Machine) -> _Choice:
    """For each stage the best of the loops that are not fused, the same name only where every stage that bears it can do it."""
    choice = _Choice(0.0)
    for stage in model.stages:
        best: tuple[float, str | None] = (_scalar_cost(stage), None)
        for d in stage.loops:
            name = stage.names[d]
            if name in model.common or not all(s.can_be_lanes(e) for s, e in model.stages_over(name)):
                continue
            if _packed_tile(model, name) % machine.lanes(4):
                continue
            # Lanes stand innermost: a parallel loop outside a reduction would have to be jammed there.
            if stage.iterators[d] == "parallel" and any(stage.iterators[e] == "reduction" for e in stage.loops):
                continue
            cost = _lane_cost(stage, d, machine)
            if cost < best[0]:
                best = (cost, name)
        choice.cost += best[0]
        if best[1] is not None:
            choice.lanes.setdefault(best[1], []).append(stage)
    # A name that is lanes somewhere is split everywhere: it must then be the lanes of every stage that has it.
    for name, stages in list(choice.lanes.items()):
        bearers = [stage for stage, _ in model.stages_over(name)]
        if any(stage not in stages for stage in bearers):
            for stage in stages:
                choice.cost += _scalar_cost(stage) - _lane_cost(stage, stage.names.index(name), machine)
            del choice.lanes[name]
    return choice


def _packed_tile(model: KernelModel, name: str) -> int:
    """The tile of the packed operands that a loop walks, 0 where there is none."""
    tiles = {
        a.tile for stage, d in model.stages_over(name) for o in range(len(stage.maps)) if (a := stage.access(o, d)) is not None and a.tile
    }
    return gcd(*tiles) if tiles else 0


def _width(model: KernelModel, name: str, machine: Machine, most: int) -> int:
    """How many lanes: whole registers, a divisor of the extent where there is a good one."""
    widest = max(
        (element_bytes(element_of(v)) for stage, _ in model.stages_over(name) for v in stage.operands if isinstance(v.type, TensorType)),
        default=4,
    )
    lanes = machine.lanes(max(4, widest))
    extent = model.extents[name]
    if tile := _packed_tile(model, name):
        # Lanes must not cross from one panel to the next.
        return next(v * lanes for v in range(most, 0, -1) if tile % (v * lanes) == 0)
    for vectors in range(most, 0, -1):
        if extent % (vectors * lanes) == 0 and vectors * 2 > most:
            return vectors * lanes
    return min(most, max(1, ceil(extent / lanes))) * lanes


# ---- a lane that all stages share -----------------------------------------------------------------------------------------------


def _with_common_lane(plan: Plan, model: KernelModel, lane: str, order: list[tuple[str, int]], machine: Machine) -> None:
    has_inner = _has_inner(model)
    transposed = _transposed_lane(model, lane) if not has_inner else None
    extent = model.extents[lane]
    points: list[str] = []
    tiles = dict(order)
    rest = [name for name, _ in order if name not in (lane, transposed)]
    if transposed is not None:
        # Squares of 16 x 16: read along one side, transposed in registers, written along the other.
        side = machine.lanes(4)
        for name in (transposed, lane):
            tile = gcd(side, _packed_tile(model, name)) if _packed_tile(model, name) else min(side, model.extents[name])
            plan.add("split", name, tile, f"{name}r", *_tail_argument(model, name, tile))
            tiles[name] = ceil(model.extents[name] / tile)
            points.append(f"{name}r")
            _note_movable(plan, model, name, tile)
        sequence = [*rest, transposed, lane]
    else:
        row = _window_row(model, lane, rest) if has_inner else None
        width = _width(model, lane, machine, 2 if row is not None else 4)
        if row is not None:
            height = next((h for h in (4, 3, 2) if model.extents[row] % h == 0), 4)
            plan.add("split", row, height, f"{row}r", *_tail_argument(model, row, height))
            tiles[row] = ceil(model.extents[row] / height)
            points.append(f"{row}r")
            _note_movable(plan, model, row, height)
        plan.add("split", lane, width, f"{lane}r", *_tail_argument(model, lane, width))
        tiles[lane] = ceil(extent / width)
        points.append(f"{lane}r")
        _note_movable(plan, model, lane, width)
        sequence = [*rest, lane]
    plan.add("reorder", *sequence, *points)
    prefix, iterations = parallel_prefix([(name, tiles[name]) for name in sequence])
    plan.iterations = max(plan.iterations, iterations)
    plan.add("parallel", *prefix)
    if has_inner:
        plan.add("jam", *points)
    plan.add("vectorize", *points)


def _tail_argument(model: KernelModel, name: str, tile: int) -> tuple[str, ...]:
    tail = lane_tail(model.extents[name], tile, repeatable=_is_movable(model, name))
    return () if tail == "mask" else (tail,)


def _is_movable(model: KernelModel, name: str) -> bool:
    # Panels of a packed operand cannot be moved back.
    return _is_repeatable(model) and not _packed_tile(model, name)


def _note_movable(plan: Plan, model: KernelModel, name: str, tile: int) -> None:
    if plan.movable is not None and _is_movable(model, name):
        plan.movable[name] = tile


def _is_repeatable(model: KernelModel) -> bool:
    """Whether iterations may run twice: nothing is read that the kernel writes to memory.

    What one stage hands to the next inside an iteration stays in registers where all parallel loops are fused.
    """
    handed_in_registers = all({stage.names[d] for d in stage.parallels} == set(model.common) for stage in model.stages)
    pointwise = [stage for stage in model.stages if set(stage.names) == set(model.common)]
    updates_in_place = any(bool(stage.body.args[-1].uses) for stage in pointwise)
    return handed_in_registers and not updates_in_place


def _transposed_lane(model: KernelModel, lane: str) -> str | None:
    """The loop along which a pointwise kernel reads an operand, when that is not the loop along which it writes."""
    if any((own := stage.access(len(stage.maps) - 1, d)) is None or not own.is_unit for stage, d in model.stages_over(lane)):
        return None
    for stage, d in model.stages_over(lane):
        for operand in range(stage.inputs):
            access = stage.access(operand, d)
            if access is None or access.is_unit:
                continue
            last = stage.maps[operand].results[-1]
            if isinstance(last, AffineDimExpr) and stage.names[last.position] != lane:
                name = stage.names[last.position]
                if name in model.common and all(s.can_be_lanes(e) for s, e in model.stages_over(name)) and model.extents[name] > 1:
                    return name
    return None


def _window_row(model: KernelModel, lane: str, rest: list[str]) -> str | None:
    """A second loop for a tile of accumulators, where a window is reduced: several chains of dependent operations run at once."""
    main = model.main
    if not main.reductions or not all(_is_window(main, d) for d in main.reductions):
        return None
    for name in reversed(rest):
        if model.extents[name] >= 4 and all(s.can_be_lanes(d) for s, d in model.stages_over(name)):
            return name
    return None


# ---- lanes of each stage's own --------------------------------------------------------------------------------------------------


def _with_own_lanes(
    plan: Plan, model: KernelModel, choice: _Choice, fused: list[str], order: list[tuple[str, int]], machine: Machine
) -> None:
    for name, stages in choice.lanes.items():
        width = _width(model, name, machine, 4)
        extent = model.extents[name]
        plan.add("split", name, width, f"{name}r", *(("exact",) if extent % width == 0 else ()))
        for stage in stages:
            inner = [n for n in stage.names if n not in fused]
            if inner[-1] != name:
                plan.add("reorder", *(n for n in inner if n != name), name, f"{name}r")
        if any(stage.iterators[stage.names.index(name)] == "reduction" for stage in stages):
            plan.add("rfactor", f"{name}r")
    if order:
        prefix, iterations = parallel_prefix(order)
        plan.iterations = max(plan.iterations, iterations)
        plan.add("parallel", *prefix)
    for name in choice.lanes:
        plan.add("vectorize", f"{name}r")


def _is_window(stage: Stage, dim: int) -> bool:
    """A small reduced loop that moves an access of a parallel loop, or that no operand's dimension tells."""
    if stage.iterators[dim] != "reduction" or stage.extents[dim] > WINDOW:
        return False
    return any(mentions(e, dim) and any(mentions(e, p) for p in stage.parallels) for map in stage.maps[:-1] for e in map.results)


def _unroll_windows(plan: Plan, model: KernelModel) -> None:
    for stage in model.stages:
        windows = [d for d in stage.reductions if _is_window(stage, d)]
        if windows and windows == stage.reductions and prod(stage.extents[d] for d in windows) <= 25:
            for d in reversed(windows):
                step = ("unroll", stage.names[d], "full")
                if step not in plan.steps:
                    plan.add(*step)
