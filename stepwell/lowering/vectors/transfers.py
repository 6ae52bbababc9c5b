"""How a point nest's access lies in memory: which dimensions of the buffer are dimensions of a vector, from where, and under which mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.ir import SSAValue

from stepwell.ir.diagnostics import CompileError
from stepwell.lowering.schedule.index import Index, range_of
from stepwell.lowering.schedule.nest import buffer_type
from stepwell.lowering.vectors.environment import Dims
from stepwell.lowering.vectors.writer import Shape

if TYPE_CHECKING:
    from stepwell.lowering.vectors.points import PointNest


@dataclass(slots=True)
class Plan:
    """How an access moves a vector: memref dimensions from `first` on are the dimensions of the vector, each a loop of the nest or None."""

    source: SSAValue
    indices: list[SSAValue]
    order: list[int | None]
    shape: Shape
    mask: SSAValue | None

    @property
    def dims(self) -> Dims:
        return tuple(sorted(dim for dim in self.order if dim is not None))


def plan_access(nest: PointNest, source: SSAValue, index: list[Index]) -> Plan:
    """How the elements that these subscripts name lie in memory."""
    static = buffer_type(source).get_shape()
    order: list[int | None] = []
    steps: list[int] = []
    bases: list[Index] = []
    for i in index:
        points = nest.points_in(i)
        base = i.without(nest.variables[d] for d in points)
        if len(points) > 1 or (points and i.coefficient(nest.variables[points[0]]) is None) or nest.points_in(base):
            raise CompileError(
                f"a subscript of the vectorised loops {nest.names()} is not one loop's variable times a constant: {i}",
                hint="vectorise other loops, or leave this kernel scalar",
            )
        order.append(points[0] if points else None)
        steps.append((i.coefficient(nest.variables[points[0]]) or 1) if points else 1)
        bases.append(base)
    if any(step < 1 for step in steps):
        raise CompileError(f"a subscript of the vectorised loops {nest.names()} runs backwards", hint="vectorise other loops")
    if len({d for d in order if d is not None}) != sum(d is not None for d in order):
        raise CompileError(f"a vectorised loop of {nest.names()} chooses two dimensions of one buffer (a diagonal)")
    first = next(place for place, dim in enumerate(order) if dim is not None)
    walked = order[first:]
    shape = tuple(1 if d is None else nest.extents[d] for d in walked)

    limits: list[SSAValue | int] = []
    ragged = False
    for place, dim in enumerate(walked, start=first):
        limit = None if dim is None else nest.limits[dim]
        if limit is not None and dim is not None and not _fits(nest.extents[dim], bases[place], steps[place], static[place]):
            limits.append(limit)
            ragged = True
        else:
            limits.append(1 if dim is None else nest.extents[dim])
    mask = nest.writer.mask(limits, shape) if ragged else None

    if any(step != 1 for step in steps):
        sizes = [1] * first + [limit if not isinstance(limit, int) else extent for limit, extent in zip(limits, shape, strict=True)]
        view = nest.writer.strided_view(source, bases, sizes, steps)
        return Plan(view, [nest.writer.constant_index(0)] * len(index), walked, shape, mask)
    return Plan(source, [nest.writer.index(base) for base in bases], walked, shape, mask)


def _fits(extent: int, base: Index, step: int, static: int) -> bool:
    """Whether even the lanes beyond the limit lie inside the buffer, as in a packed panel: then no mask is needed."""
    if static < 0:
        return False
    _, high = range_of(base)
    return high is not None and high + (extent - 1) * step < static
