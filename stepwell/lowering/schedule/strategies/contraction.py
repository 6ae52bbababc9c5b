"""Contractions: matrix products, convolutions, depthwise convolutions, with whatever pointwise stages stand around them.

One operand gives the lanes (B, the weights), the other is broadcast along them (A, the pixels). A register tile of rows x lanes is
accumulated over the reduction; its shape comes from a small cost model of the micro-kernel (docs/architecture.md, "Level 3"): vectors
of B loaded, elements of A broadcast, fused multiply-adds, two of each per cycle.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod

from xdsl.dialects.builtin import i8
from xdsl.ir.affine import AffineDimExpr, AffineExpr

from stepwell.dialects import arith
from stepwell.lowering.schedule.combiners import split_combine
from stepwell.lowering.schedule.strategies.model import KernelModel, Stage, element_bytes, element_of, mentions, rename
from stepwell.lowering.schedule.strategies.plan import Machine, Plan, parallel_prefix
from stepwell.lowering.structured.kernels import shape_of

MOST_ROWS = 14
FEW_ROWS = 4
"""Rows of the tile that takes what is less than a tile."""
STREAM = 40
"""Bytes per cycle that the second-level cache delivers."""
FAR_STREAM = 10
"""Bytes per cycle from beyond it: a panel of B that does not fit is read again for every row of tiles."""
QUAD = 4
"""Bytes that one lane multiplies and adds at once."""
WINDOW = 16
"""Reduced extents up to this many iterations that belong to a window are part of the kernel."""


@dataclass(frozen=True)
class Tile:
    """Rows and vectors per row of a register tile."""

    rows: int
    vectors: int


def choose_tile(rows: int, columns: int, depth: int, lanes: int, machine: Machine, *, same_set: bool = False) -> Tile:
    """The tile with the fewest estimated cycles for a product of these extents.

    `same_set`: the rows of A fall into one set of the first-level cache.
    """
    best: tuple[float, int, Tile] | None = None
    for vectors in range(1, 9):
        if vectors > 1 and (vectors - 1) * lanes >= columns:
            break
        for height in range(1, min(MOST_ROWS, max(rows, 1)) + 1):
            accumulators = height * vectors
            if accumulators > machine.registers - 4 or accumulators + vectors + 1 > machine.registers:
                break
            panel = vectors * machine.vector_bytes
            stream = STREAM if depth * panel <= machine.l2_bytes or rows <= height else FAR_STREAM
            step = max(accumulators / 2, (height + vectors) / 2, panel / stream, 4)
            if same_set and height > 7:
                step *= 1.3
            tiles = ceil(rows / height) * ceil(columns / (vectors * lanes))
            cycles = tiles * (depth * step + 12 + 1.5 * accumulators)
            # Among equals the larger tile: it loads less.
            if best is None or (cycles, -accumulators) < best[:2]:
                best = (cycles, -accumulators, Tile(height, vectors))
    assert best is not None
    return best[2]


@dataclass
class _Roles:
    """Which loop of the contraction does what, by number."""

    lane: int
    lane_operand: int
    row_operand: int
    row: int | None
    batch: list[int]
    others: list[int]
    """Parallel loops of the row operand besides the row, and of the lane operand besides the lane."""
    shared_lane: bool
    """Whether both operands have the lane loop (depthwise)."""
    packed: bool


def schedule_contraction(model: KernelModel, machine: Machine, constants: frozenset[int]) -> Plan | None:
    """The schedule of a kernel whose main stage is a contraction; None where its loops do not fit the form. `constants`: arguments known
    now.
    """
    stage = model.main
    if stage.product is None or set(model.common) != {stage.names[d] for d in stage.parallels}:
        return None
    roles = _roles(model, stage, constants)
    if roles is None:
        return None
    _name(model, stage, roles)
    names = stage.names
    extent = model.extents
    lane, row = names[roles.lane], None if roles.row is None else names[roles.row]
    depth = prod(stage.extents[d] for d in stage.reductions)
    quad = quads(stage, roles) if machine.dot4 else None
    element = element_of(stage.operands[-1])
    lanes = machine.lanes(max(4, element_bytes(element)))
    row_stride = _row_stride(stage, roles)
    rows = 1 if row is None else extent[row]
    if roles.shared_lane:
        tile = _depthwise_tile(rows, extent[lane], lanes, machine)
    else:
        tile = choose_tile(
            rows, extent[lane], depth if quad is None else depth // QUAD, lanes, machine, same_set=row_stride > 0 and row_stride % 4096 == 0
        )

    plan = Plan(movable={} if row is None else {row: min(tile.rows, FEW_ROWS)})
    width = tile.vectors * lanes
    if roles.packed:
        argument = model.argument_number(stage.operands[roles.lane_operand])
        access = stage.access(roles.lane_operand, roles.lane)
        assert argument is not None
        assert access is not None
        inner = () if quad is None else (quad.place, QUAD)
        plan.add("pack_operand", argument, access.place, width, *inner)
    static = [names[d] for d in stage.reductions if is_static(stage, d)]
    if static:
        plan.add("static", *static)
    plan.add("fuse", *model.common)

    # Tiles.
    points: list[str] = []
    order: list[tuple[str, int]] = [(names[d], stage.extents[d]) for d in (*roles.batch, *roles.others)]
    if row is not None and tile.rows > 1:
        plan.add("split", row, tile.rows, f"{row}r", *_tail(rows, tile.rows))
        order.append((row, ceil(rows / tile.rows)))
        points.append(f"{row}r")
    elif row is not None:
        order.append((row, rows))
    operand_bytes = depth * extent[lane] * element_bytes(element_of(stage.operands[roles.lane_operand]))
    if roles.shared_lane or operand_bytes <= machine.l2_bytes or (rows <= tile.rows and not roles.others):
        plan.add("split", lane, width, f"{lane}r", *_lane_tail(extent[lane], width))
        order.append((lane, ceil(extent[lane] / width)))
    else:
        # A block of columns stays in the second-level cache while all rows pass over it.
        block = max(width, machine.l2_bytes // (operand_bytes // extent[lane]) // width * width)
        outer = len(roles.batch)
        if block > width:
            plan.add("split", lane, block, f"{lane}i", *_lane_tail(extent[lane], block))
            plan.add("split", f"{lane}i", width, f"{lane}r", *_lane_tail(extent[lane], width))
            order.append((f"{lane}i", ceil(block / width)))
        else:
            plan.add("split", lane, width, f"{lane}r", *_lane_tail(extent[lane], width))
        order.insert(outer, (lane, ceil(extent[lane] / block)))
    points.append(f"{lane}r")
    if quad is not None:
        plan.add("split", names[quad.loop], QUAD, f"{names[quad.loop]}r", "exact")
    plan.add("reorder", *(name for name, _ in order), *points)
    inner = [name for name, _ in order if name != f"{lane}i"]
    prefix, plan.iterations = parallel_prefix([(name, trips) for name, trips in order if name in inner[: _independent(order, lane)]])
    plan.add("parallel", *prefix)
    plan.add("jam", *points)
    if quad is not None:
        points.append(f"{names[quad.loop]}r")
        plan.add("sink", points[-1])
    plan.add("vectorize", *points)
    _unroll(plan, stage, roles)
    return plan


def _independent(order: list[tuple[str, int]], lane: str) -> int:
    """How many outer loops have bounds that depend on no other: the columns of a block depend on the block."""
    names = [name for name, _ in order]
    return names.index(f"{lane}i") if f"{lane}i" in names else len(names)


@dataclass(frozen=True)
class Quads:
    """A reduced loop that is walked four at a time, each lane summing the products of four bytes."""

    loop: int
    place: int
    """Which dimension of the packed operand it walks."""


def quads(stage: Stage, roles: _Roles) -> Quads | None:
    """The innermost reduced loop, if its products are of an unsigned byte, the broadcast one, and a signed byte of a packed operand."""
    assert stage.product is not None
    assert stage.accumulation is not None
    if (
        not roles.packed
        or not stage.reductions
        or stage.extents[stage.reductions[-1]] % QUAD
        or (roles.row_operand, roles.lane_operand) != stage.product
    ):
        return None
    loop = stage.reductions[-1]
    term = split_combine(stage.accumulation[1], stage.body.args[-1])
    product = term.owner if term is not None else None
    if not isinstance(product, arith.MuliOp):
        return None
    left, right = (operand.owner for operand in product.operands)
    if not isinstance(left, arith.ExtUIOp) or not isinstance(right, arith.ExtSIOp):
        return None
    bytes_of = [stage.body.args[operand] for operand in stage.product]
    if [left.operands[0], right.operands[0]] != bytes_of or any(value.type != i8 for value in bytes_of):
        return None
    data, weights = (stage.access(operand, loop) for operand in stage.product)
    if data is None or weights is None or not data.is_unit or weights.step != 1:
        return None
    return Quads(loop, weights.place)


def _tail(extent: int, tile: int) -> tuple[str, ...]:
    return ("exact",) if extent % tile == 0 else ("overlap",) if extent >= tile else ()


def _lane_tail(extent: int, tile: int) -> tuple[str, ...]:
    # Panels of a packed operand cannot be moved back: ragged columns are masked, which costs next to nothing.
    return ("exact",) if extent % tile == 0 else ()


# ---- roles ----------------------------------------------------------------------------------------------------------------------


def _roles(model: KernelModel, stage: Stage, constants: frozenset[int]) -> _Roles | None:
    assert stage.product is not None
    outs = [e.position for e in stage.out_map.results if isinstance(e, AffineDimExpr)]
    if not outs or any(not isinstance(e, AffineDimExpr) and mentions(e, d) for e in stage.out_map.results for d in stage.loops):
        return None
    lane = outs[-1]
    left, right = stage.product
    reads = [_uses(stage, operand, lane) for operand in (left, right)]
    if not any(reads):
        return None
    shared = all(reads)
    lane_operand, row_operand = (right, left) if reads[1] else (left, right)
    if shared:
        # The operand that moves with the window is the data; the other has the weights.
        lane_operand, row_operand = (left, right) if _rank(stage, left) < _rank(stage, right) else (right, left)
    if not all(s.can_be_lanes(d) and not _panels(s, d) for s, d in model.stages_over(stage.names[lane])):
        return None
    candidates = [d for d in outs[:-1] if stage.extents[d] > 1 and _uses(stage, row_operand, d) and not _uses(stage, lane_operand, d)]
    candidates = [d for d in candidates if all(s.can_be_lanes(e) and not _panels(s, e) for s, e in model.stages_over(stage.names[d]))]
    row = candidates[-1] if candidates else None
    rest = [d for d in outs[:-1] if d != row]
    batch = [d for d in rest if _uses(stage, row_operand, d) and _uses(stage, lane_operand, d)]
    others = [d for d in rest if d not in batch]

    argument = model.argument_number(stage.operands[lane_operand])
    access = stage.access(lane_operand, lane)
    assert access is not None
    alone = argument is not None and _only_use(model, stage, lane_operand)
    plain = isinstance(stage.maps[lane_operand].results[access.place], AffineDimExpr)
    packed = not shared and alone and plain and (argument in constants or not access.is_unit)
    if not packed and not access.is_unit:
        return None
    if packed and argument not in constants and (row is None or stage.extents[row] < 4):
        # Packing costs a pass over the operand: it must be used often enough.
        return None
    if shared and not all(a is None or a.is_unit for a in (stage.access(o, lane) for o in range(len(stage.maps)))):
        return None
    return _Roles(lane, lane_operand, row_operand, row, batch, others, shared, packed)


def _uses(stage: Stage, operand: int, dim: int) -> bool:
    return any(mentions(e, dim) for e in stage.maps[operand].results)


def _panels(stage: Stage, dim: int) -> bool:
    """Whether a loop walks a packed operand."""
    return any((a := stage.access(o, dim)) is not None and a.tile for o in range(len(stage.maps)))


def _rank(stage: Stage, operand: int) -> int:
    """How many parallel loops an operand depends on."""
    return sum(_uses(stage, operand, d) for d in stage.parallels)


def _only_use(model: KernelModel, stage: Stage, operand: int) -> bool:
    value = stage.operands[operand]
    return value.has_one_use() and all(value not in s.operands for s in model.stages if s is not stage)


def _row_stride(stage: Stage, roles: _Roles) -> int:
    """Bytes between neighbouring rows of the row operand, 0 where unknown."""
    if roles.row is None:
        return 0
    access = stage.access(roles.row_operand, roles.row)
    if access is None:
        return 0
    value = stage.operands[roles.row_operand]
    shape = shape_of(value)
    return prod(shape[access.place + 1 :]) * access.step * element_bytes(element_of(value))


def _window_pair(stage: Stage, dim: int) -> bool:
    """Whether a reduced loop shares a subscript with a parallel one, as kh does in oh * 2 + kh."""
    for map in stage.maps[:-1]:
        for expr in map.results:
            if mentions(expr, dim) and _has_parallel(stage, expr):
                return True
    return False


def _has_parallel(stage: Stage, expr: AffineExpr) -> bool:
    return any(mentions(expr, d) for d in stage.parallels)


def _is_window(stage: Stage, dim: int) -> bool:
    return stage.extents[dim] <= WINDOW and _window_pair(stage, dim)


def _name(model: KernelModel, stage: Stage, roles: _Roles) -> None:
    """Names as the literature has them: (b, oh, ow, oc; kh, kw, ci) for a convolution, (b, m, n; k) for a product."""
    windows = [d for d in stage.reductions if _window_pair(stage, d)]
    new: dict[str, str] = {}
    if windows:
        spatial = [d for d in stage.parallels if _meets(stage, d, windows)]
        for letters, loops in (("dhw", spatial), ("dhw", windows)):
            prefix = "o" if loops is spatial else "k"
            for letter, d in zip(letters[max(0, 3 - len(loops)) :], loops, strict=False):
                new[stage.names[d]] = prefix + letter
        weights = [d for d in stage.parallels if d not in spatial and _uses(stage, _weights(stage, windows), d)]
        new |= {stage.names[d]: name for d, name in zip(reversed(weights), ("c" if roles.shared_lane else "oc", "g"), strict=False)}
        channels = [d for d in stage.reductions if d not in windows]
        new |= {stage.names[d]: "ci" if i == 0 else f"ci{i}" for i, d in enumerate(channels)}
    else:
        if roles.row is not None:
            new[stage.names[roles.row]] = "m"
        new[stage.names[roles.lane]] = "n"
        new |= {stage.names[d]: "k" if i == 0 else f"k{i}" for i, d in enumerate(stage.reductions)}
    rest = [d for d in stage.parallels if stage.names[d] not in new]
    new |= {stage.names[d]: "b" if i == 0 else f"b{i}" for i, d in enumerate(rest)}
    if len(set(new.values())) == len(new):
        rename(model, new)


def _weights(stage: Stage, windows: list[int]) -> int:
    """The factor that the window subscripts alone."""
    assert stage.product is not None
    return next((o for o in stage.product if any(e == AffineDimExpr(windows[0]) for e in stage.maps[o].results)), stage.product[1])


def _meets(stage: Stage, dim: int, windows: list[int]) -> bool:
    return any(mentions(e, dim) and mentions(e, w) for map in stage.maps[:-1] for e in map.results for w in windows)


# ---- tiles and inner loops ------------------------------------------------------------------------------------------------------


def _depthwise_tile(rows: int, columns: int, lanes: int, machine: Machine) -> Tile:
    """Lanes are channels; a few pixels at a time reuse the weights."""
    vectors = 2 if columns > lanes and machine.registers >= 32 else 1
    most = 7 if machine.registers >= 32 else 4
    if rows <= most:
        return Tile(max(rows, 1), vectors)
    # The fewest pixels computed twice, then the most at a time.
    return Tile(min(range(most, 2, -1), key=lambda r: (round_up_waste(rows, r), -r)), vectors)


def round_up_waste(extent: int, tile: int) -> int:
    return ceil(extent / tile) * tile - extent


def _unroll(plan: Plan, stage: Stage, roles: _Roles) -> None:
    """Small static loops vanish; the innermost reduction is unrolled, with its operand fetched ahead."""
    if not stage.reductions:
        return
    inner = stage.reductions[-1]
    limit = 25 if roles.shared_lane else 24
    full: list[int] = []
    for d in reversed(stage.reductions):
        if not is_static(stage, d) or prod(stage.extents[e] for e in (*full, d)) > limit:
            break
        full.append(d)
    full += [d for d in stage.reductions if d not in full and stage.extents[d] == 1 and is_static(stage, d)]
    for d in full:
        plan.add("unroll", stage.names[d], "full")
    if inner not in full:
        plan.add("unroll", stage.names[inner], 4)
    if inner not in full or roles.packed:
        # Also where all steps are unrolled: nothing is moved over a prefetch, or LLVM would load the panels of all steps first and spill.
        arguments = list(stage.op.parent.args)
        operand = stage.operands[roles.lane_operand]
        if operand in arguments:
            plan.add("prefetch", arguments.index(operand), stage.names[inner], 8)


def is_static(stage: Stage, dim: int) -> bool:
    """Whether the extent of a reduced loop is part of the kernel."""
    return _is_window(stage, dim) or stage.extents[dim] <= 4
