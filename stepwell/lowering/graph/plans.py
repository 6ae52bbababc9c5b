"""How the dimensions of a kernel merge: for each kind of anchor, what its tensors look like over the kernel's domain and how it is written
on merged shapes.

A plan is made of a group before anything is rewritten. The domain of most kernels is the shape of their result; that of a reduction is
the shape of what it reads. `Plan.anchor_shapes`, `anchor_result` and `anchor_properties` say how the anchor looks after merging;
`operand_shape` and `result_shape` do so for elementwise operations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any

from xdsl.ir import Operation, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import DYNAMIC, NnOp, attribute, ints, number
from stepwell.dialects.nn.reduce import ArgOp, ReduceOp
from stepwell.lowering.graph.boundaries import Boundaries
from stepwell.lowering.graph.domains import Groups, View, broadcast_view, group_extents, group_of, merge, merged_shape
from stepwell.lowering.graph.grouping import ELEMENTWISE, Group
from stepwell.lowering.graph.values import constant_attribute, shape_of

Shape = tuple[int, ...]

SHORT_ROW = 8
"""Rows of a matmul that would be shorter than this, only because their result is padded afterwards, are merged: the padding then copies."""


@dataclass
class Anchoring:
    """An anchor over its domain, before merging."""

    domain: Shape
    operands: list[View]
    result: View
    cuts: set[int] = field(default_factory=set[int])
    keep: set[int] = field(default_factory=set[int])
    needs_row: tuple[int, int] | None = None
    """(first, end): one of the dimensions first..end-1 must remain, be it an empty group in front of those that follow."""
    rebuild: Callable[[Plan], tuple[list[Shape], dict[str, Any]]] | None = None
    """Shapes of the operands and changed properties on the merged domain; None: all as it was."""


@dataclass
class Plan:
    """The merged shapes of one kernel."""

    group: Group
    domain: Shape
    groups: Groups
    data: View
    """What the anchor reads first, and with it what is computed before the anchor."""
    result: View
    operand_views: dict[tuple[Operation, int], View]
    anchor_shapes: list[Shape]
    properties: dict[str, Any]
    dynamic: bool = False
    """Shapes with `?` are not merged."""

    def result_groups(self) -> Groups:
        """The groups that the result runs along."""
        covered = {d for d in self.result.dims if d is not None}
        return tuple(g for g in self.groups if not g or any(d in covered for d in g))

    def result_shape(self) -> Shape:
        """The shape of the kernel's result."""
        return shape_of(self.group.sink.results[0]) if self.dynamic else group_extents(self.domain, self.result_groups())

    def data_groups(self) -> Groups:
        """The groups in the order in which the anchor's data has them."""
        place = {d: i for i, d in enumerate(self.data.dims)}
        return tuple(sorted(self.groups, key=lambda g: place.get(g[0], -1) if g else -1))

    def extents(self) -> Shape:
        """The shape of the merged domain."""
        return group_extents(self.domain, self.groups)

    def operand_shape(self, op: Operation, index: int) -> Shape:
        """The merged shape of an operand that comes from outside."""
        if op is self.group.anchor:
            return self.anchor_shapes[index]
        value = op.operands[index]
        if self.dynamic:
            return shape_of(value)
        space = self.data_groups() if is_before(op, self.group.anchor) else self.result_groups()
        full = group_extents(self.domain, space)
        if constant_attribute(value) is None and prod(shape_of(value)) == prod(full):
            return full
        return merged_shape(self.operand_views[op, index], self.domain, space)

    def value_shape(self, op: Operation) -> Shape:
        """The merged shape of what an operation of the group computes."""
        if self.dynamic:
            return shape_of(op.results[0])
        return group_extents(self.domain, self.data_groups()) if is_before(op, self.group.anchor) else self.result_shape()


def is_before(op: Operation, anchor: Operation | None) -> bool:
    """Whether an elementwise operation of a group stands before its anchor."""
    if anchor is None or op is anchor:
        return False
    return any(
        use.operation is anchor or is_before(use.operation, anchor) for use in op.results[0].uses if _may_feed(use.operation, anchor)
    )


def _may_feed(op: Operation, anchor: Operation) -> bool:
    return op is anchor or (isinstance(op, ELEMENTWISE) and op.parent is anchor.parent)


def plan(group: Group, boundaries: Boundaries) -> Plan:
    """Merge the dimensions of a group's kernel."""
    found = _plan(group, boundaries)
    anchor = group.anchor
    if isinstance(anchor, nn.MatmulOp) and len(found.groups) > 2:
        rows = found.extents()[-2]
        looser = _plan(group, Boundaries(placed=False))
        if rows < SHORT_ROW and looser.extents()[-2] > rows:
            return looser
    return found


def _plan(group: Group, boundaries: Boundaries) -> Plan:
    anchor = group.anchor
    anchoring = _anchoring(anchor) if anchor is not None else _pointwise(group.sink)
    domain = anchoring.domain
    data = anchoring.operands[0] if anchoring.operands else anchoring.result
    views = dict[tuple[Operation, int], View]()
    for op in group.ops:
        if op is anchor:
            continue
        space = data if is_before(op, anchor) else anchoring.result
        for i, operand in enumerate(op.operands):
            if operand.owner not in group.ops:
                view = _against(operand, space)
                views[op, i] = View(view.dims, boundaries.of(operand))
    everything = list(views.values())
    if anchor is not None:
        for view, operand in zip(anchoring.operands, anchor.operands, strict=True):
            everything.append(View(view.dims, boundaries.of(operand) if operand.owner not in group.ops else frozenset()))
    sink = group.sink.results[0]
    result = View(anchoring.result.dims, boundaries.of(sink))
    everything.append(result)
    dynamic = DYNAMIC in domain or any(DYNAMIC in shape_of(o) for op in group.ops for o in op.operands)
    every = range(len(domain))
    groups = tuple((d,) for d in every) if dynamic else merge(domain, everything, anchoring.cuts, anchoring.keep)
    if anchoring.needs_row is not None and not dynamic:
        groups = _with_row(groups, *anchoring.needs_row)
    elif not groups and domain:
        groups = ((),)
    made = Plan(group, domain, groups, data, result, views, [], {}, dynamic)
    if anchoring.rebuild is not None and not dynamic:
        made.anchor_shapes, made.properties = anchoring.rebuild(made)
    elif anchor is not None:
        made.anchor_shapes = [shape_of(o) for o in anchor.operands]
    return made


def _with_row(groups: Groups, first: int, end: int) -> Groups:
    """Put an empty group where none of the dimensions first..end-1 remains."""
    if any(first <= d < end for g in groups for d in g):
        return groups
    at = sum(1 for g in groups if g and g[-1] < first)
    return (*groups[:at], (), *groups[at:])


def _pointwise(sink: NnOp) -> Anchoring:
    shape = shape_of(sink.results[0])
    return Anchoring(shape, [], _whole(shape))


def _whole(shape: Shape) -> View:
    return View(tuple(range(len(shape))))


def _against(operand: SSAValue, space: View) -> View:
    """The view of an operand that is broadcast against a tensor that lies so in the domain."""
    shape = shape_of(operand)
    first = len(space.dims) - len(shape)
    return View(tuple(None if extent == 1 else space.dims[first + i] for i, extent in enumerate(shape)))


# ---- anchors ----------------------------------------------------------------------------------------------------------------------


def _anchoring(op: NnOp) -> Anchoring:
    for kind in type(op).__mro__:
        if kind in _ANCHORS:
            return _ANCHORS[kind](op)
    return _as_it_is(op)


def _as_it_is(op: NnOp) -> Anchoring:
    """Convolutions, pools, resizes and whatever has no rule: nothing merges."""
    shape = shape_of(op.results[0])
    return Anchoring(
        shape, [View((None,) * len(shape_of(o))) for o in op.operands], _whole(shape), set(range(len(shape))), set(range(len(shape)))
    )


def _matmul(op: nn.MatmulOp) -> Anchoring:
    """(batch..., m, n); rows of the batch join m where the right side is one matrix."""
    result = shape_of(op.y)
    m, n = len(result) - 2, len(result) - 1
    left, right = (broadcast_view((*shape_of(o)[:-2],), result[:-2]).dims for o in (op.a, op.b))
    a, b = View((*left, m, None)), View((*right, None, n))
    batched = any(d is not None for d in right)

    def rebuild(plan: Plan) -> tuple[list[Shape], dict[str, Any]]:
        extents = plan.extents()

        def batch(dims: tuple[int | None, ...]) -> Shape:
            return merged_shape(View(dims), plan.domain, plan.groups[:-2])

        k = shape_of(op.a)[-1]
        rows = (*batch(left), extents[-2], k)
        return [rows, (*batch(right), k, extents[-1])], {}

    return Anchoring(result, [a, b], _whole(result), {n, m} if batched else {n}, {m, n}, None, rebuild)


def _along_axis(op: Any) -> Anchoring:
    """Softmax and what else works along one axis: (rows..., axis, inner...), with at least one dimension of rows."""
    shape, axis = shape_of(op.x), number(op.axis)

    def rebuild(plan: Plan) -> tuple[list[Shape], dict[str, Any]]:
        return [plan.extents()], {"axis": attribute(group_of(plan.groups, axis) or 0)}

    return Anchoring(shape, [_whole(shape)], _whole(shape), {axis, axis + 1}, {axis}, (0, axis), rebuild)


def _norm_over_last(op: nn.LayerNormOp | nn.RmsNormOp) -> Anchoring:
    """Layer and RMS norm: (rows..., normalised...)."""
    shape, axis = shape_of(op.x), number(op.axis)
    parameters = [broadcast_view(shape_of(p), shape) for p in op.operands[1:]]

    def rebuild(plan: Plan) -> tuple[list[Shape], dict[str, Any]]:
        first = next(i for i, g in enumerate(plan.groups) if g and g[0] >= axis)
        small = [merged_shape(p, plan.domain, plan.groups[first:]) or (1,) for p in parameters]
        return [plan.extents(), *small], {"axis": attribute(first)}

    return Anchoring(shape, [_whole(shape), *parameters], _whole(shape), {axis}, {len(shape) - 1}, (0, axis), rebuild)


def _reduction(op: ReduceOp | ArgOp) -> Anchoring:
    """(kept and reduced dimensions in turn), with at least one kept."""
    shape, keepdims = shape_of(op.x), number(op.keepdims)
    axes = set(ints(op.axes)) if isinstance(op, ReduceOp) else {number(op.axis)}
    cuts = {d for d in range(1, len(shape)) if (d in axes) != (d - 1 in axes)}
    remaining = [d for d in range(len(shape)) if d not in axes]
    dims = tuple(None if d in axes else d for d in range(len(shape))) if keepdims else tuple(remaining)
    if isinstance(op, ArgOp):
        cuts |= {*axes, *(a + 1 for a in axes)}

    def rebuild(plan: Plan) -> tuple[list[Shape], dict[str, Any]]:
        reduced = [i for i, g in enumerate(plan.groups) if any(d in axes for d in g)]
        where = {"axes": attribute(reduced)} if isinstance(op, ReduceOp) else {"axis": attribute(reduced[0])}
        return [plan.extents()], {**where, "keepdims": attribute(False)}

    anchoring = Anchoring(shape, [_whole(shape)], View(dims), cuts, {min(axes)} if axes else set(), None, rebuild)
    # One kept dimension at least; the first of them if all have extent 1, or an empty group in front.
    if all(shape[d] == 1 for d in remaining):
        if remaining:
            anchoring.keep.add(remaining[0])
        else:
            anchoring.needs_row = (-1, 0)
    return anchoring


def _gather(op: nn.GatherOp) -> Anchoring:
    """(outer..., indices..., inner...)."""
    x, axis = shape_of(op.x), number(op.axis)
    result, n = shape_of(op.y), len(shape_of(op.indices))
    table = View((*range(axis), None, *range(axis + n, len(result))))
    positions = View(tuple(range(axis, axis + n)))

    def rebuild(plan: Plan) -> tuple[list[Shape], dict[str, Any]]:
        extents = plan.extents()
        outer = [e for e, g in zip(extents, plan.groups, strict=True) if g and g[-1] < axis]
        inner = [e for e, g in zip(extents, plan.groups, strict=True) if g and g[0] >= axis + n]
        middle = extents[len(outer) : len(extents) - len(inner)]
        return [(*outer, x[axis], *inner), middle], {"axis": attribute(len(outer))}

    return Anchoring(result, [table, positions], _whole(result), {axis, axis + n}, set(), (axis, axis + n), rebuild)


def _transpose(op: nn.TransposeOp) -> Anchoring:
    """Dimensions that stay neighbours in the same order merge."""
    permutation, result = ints(op.permutation), shape_of(op.y)
    place = {p: i for i, p in enumerate(permutation)}
    operand = View(tuple(place[j] for j in range(len(result))))

    def rebuild(plan: Plan) -> tuple[list[Shape], dict[str, Any]]:
        order = sorted(range(len(plan.groups)), key=lambda i: permutation[plan.groups[i][0]] if plan.groups[i] else -1)
        extents = plan.extents()
        return [tuple(extents[i] for i in order)], {"permutation": attribute([order.index(i) for i in range(len(order))])}

    return Anchoring(result, [operand], _whole(result), rebuild=rebuild)


def _broadcast(op: nn.BroadcastToOp) -> Anchoring:
    result = shape_of(op.y)
    operand = broadcast_view(shape_of(op.x), result)

    def rebuild(plan: Plan) -> tuple[list[Shape], dict[str, Any]]:
        return [merged_shape(operand, plan.domain, plan.groups)], {}

    return Anchoring(result, [operand], _whole(result), rebuild=rebuild)


_ANCHORS: dict[type, Callable[[Any], Anchoring]] = {
    nn.MatmulOp: _matmul,
    nn.SoftmaxOp: _along_axis,
    nn.LogSoftmaxOp: _along_axis,
    nn.CumsumOp: _along_axis,
    nn.LrnOp: _along_axis,
    nn.LayerNormOp: _norm_over_last,
    nn.RmsNormOp: _norm_over_last,
    ReduceOp: _reduction,
    ArgOp: _reduction,
    nn.GatherOp: _gather,
    nn.TransposeOp: _transpose,
    nn.BroadcastToOp: _broadcast,
}
