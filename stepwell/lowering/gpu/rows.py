"""Row kernels for a GPU: softmax, norms, whole reductions. A block has a row, its threads lie along it."""

from __future__ import annotations

from math import prod

from stepwell.lowering.schedule.strategies.model import KernelModel, Stage
from stepwell.lowering.schedule.strategies.plan import Plan

WARP = 32
SHORT = 8
"""Rows of fewer elements are a thread's."""
MOST_PER_THREAD = 8
"""A row gets more warps until its threads have no more elements than this."""


def schedule_rows(model: KernelModel) -> Plan | None:
    """A block for every iteration of the loops that all stages run in parallel, threads along another loop of each stage; None where some
    stage has no loop that its threads can walk side by side."""
    lanes = _lanes(model)
    if lanes is None:
        return None
    longest = max(model.extents[name] for name in lanes)
    side_by_side = prod(model.extents[name] for name in model.common)
    if not _is_contiguous(model, lanes) or longest < SHORT:
        return None
    most = 1024 if side_by_side < 64 else 256
    threads = WARP
    while threads < most and threads * MOST_PER_THREAD < longest:
        threads *= 2

    plan = Plan()
    plan.add("fuse", *model.common)
    bound: list[tuple[str, int, int]] = []
    for name, stages in lanes.items():
        plan.add("split", name, threads, f"{name}r")
        for stage in stages:
            inner = [n for n in stage.names if n not in model.common]
            if inner[-1] != name:
                plan.add("reorder", *(n for n in inner if n != name), name, f"{name}r")
        if any(stage.iterators[stage.names.index(name)] == "reduction" for stage in stages):
            plan.add("rfactor", f"{name}r")
        bound.append((f"{name}r", threads, 1))
    if model.common:
        plan.add("parallel", *model.common)
    for dimension in bound:
        plan.add("bind", dimension)
    return plan


def _lanes(model: KernelModel) -> dict[str, list[Stage]] | None:
    """The loop of each stage that its threads walk: the innermost of what it reads, among those that are not common."""
    found: dict[str, list[Stage]] = {}
    for stage in model.stages:
        inner = [d for d in stage.loops if stage.names[d] not in model.common]
        if not inner:
            continue  # what is done once for a row
        fitting = [d for d in inner if _fits(model, stage, d)]
        if not fitting:
            return None
        best = min(fitting, key=lambda d: (stage.strided_accesses(d), -stage.extents[d]))
        found.setdefault(stage.names[best], []).append(stage)
    # A loop is split everywhere: it must be walked side by side in every stage that has it.
    for name, stages in found.items():
        if any(stage not in stages for stage, _ in model.stages_over(name)):
            return None
    return found or None


def _fits(model: KernelModel, stage: Stage, dim: int) -> bool:
    if not all(s.can_be_lanes(d) for s, d in model.stages_over(stage.names[dim])):
        return False
    # Threads stand innermost: a parallel loop outside a reduction would have to be jammed there.
    return stage.iterators[dim] == "reduction" or all(stage.iterators[d] == "parallel" for d in stage.loops)


def _is_contiguous(model: KernelModel, lanes: dict[str, list[Stage]]) -> bool:
    """Whether neighbouring threads read neighbouring elements."""
    return all(not stage.strided_accesses(stage.names.index(name)) for name, stages in lanes.items() for stage in stages)
