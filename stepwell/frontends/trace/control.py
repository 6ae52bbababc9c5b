"""Control flow of traced functions: branches and loops that a run decides, as `nn.if` and `nn.loop`.

What is carried from step to step is a tree whose structure, shapes and dtypes stay. Functions may read traced values from around them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, cast

import numpy as np
from xdsl.ir import Region, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import Tensor
from stepwell.dialects.nn.control import COUNT
from stepwell.frontends.trace.frame import Frame, current, fail, tracing
from stepwell.frontends.trace.pytree import Tree, flatten, paths, unflatten
from stepwell.frontends.trace.trace import leaf_type
from stepwell.frontends.trace.tracer import Tracer
from stepwell.frontends.trace.values import check, dtype_of_value, lift, shape_of, to_dtype
from stepwell.ir.constants import tensor_type

Function = Callable[..., Any]
_BOOL = np.dtype(np.bool_)
_I64 = np.dtype(np.int64)


def _outer() -> Frame:
    frame = current()
    assert frame is not None, "control flow is written inside of a trace"
    return frame


def _trees(structure: Tree, values: Sequence[SSAValue], frame: Frame) -> Any:
    return unflatten(structure, [Tracer(v, frame) for v in values])


def _flag(value: Any, what: str) -> Any:
    value = check(value)
    if shape_of(value):
        fail(f"{what} has the shape {list(shape_of(value))}, it must be one truth value", hint="stepwell.numpy.all or any makes one")
    return to_dtype(value, _BOOL)


class _Region:
    """A function traced into a region: `structure` and `types` of what it returned, `values` before they are yielded."""

    def __init__(self, function: Callable[[Sequence[Tracer]], Any], types: Sequence[Tensor]) -> None:
        self.frame = Frame(types)
        with tracing(self.frame):
            returned = function([Tracer(a, self.frame) for a in self.frame.block.args])
            self.leaves, self.structure = flatten(returned)
            self.paths = list(paths(returned, "its result"))
            self.values = [lift(leaf, self.frame) for leaf in self.leaves]
        self.types: list[Any] = [v.type for v in self.values]

    def closed(self, values: Sequence[SSAValue] | None = None) -> Region:
        """The region, which yields these values (else all)."""
        self.frame.block.add_op(nn.YieldOp(*(self.values if values is None else values)))
        return Region(self.frame.block)


def _check_same(have: Tree, types: Sequence[Any], places: Sequence[str], want: Tree, wanted: Sequence[Any], what: str) -> None:
    """Refuse trees that differ in structure, shapes or dtypes."""
    if have != want:
        fail(f"{what} differ in structure: {have.leaves} values against {want.leaves}", hint="the containers must be the same")
    for place, one, other in zip(places, types, wanted, strict=True):
        if one != other:
            fail(f"{what} differ: {place} is {one}, expected {other}", hint="stepwell.numpy.astype and reshape make them the same")


def cond(condition: Any, then: Function, otherwise: Function, *operands: Any) -> Any:
    """`then(*operands)` if the condition holds when the program runs, else `otherwise(*operands)`; only one of them runs."""
    frame = _outer()
    flag = lift(_flag(condition, "the condition of cond"), frame)
    first, second = (_Region(lambda _, f=f: f(*operands), ()) for f in (then, otherwise))
    _check_same(second.structure, second.types, second.paths, first.structure, first.types, "the results of the branches of cond")
    if not first.types:
        return unflatten(first.structure, [])
    op = nn.IfOp(flag, first.closed(), second.closed())
    frame.add(op)
    return _trees(first.structure, op.results, frame)


def while_loop(condition: Function, body: Function, init: Any) -> Any:
    """`state = body(state)` for as long as `condition(state)` holds. Derivatives are those of forward mode."""
    frame = _outer()
    start, structure, types = _state(init, "while_loop", frame)
    first = lift(_flag(condition(_trees(structure, start, frame)), "the condition of while_loop"), frame)

    def step(arguments: Sequence[Tracer]) -> Any:
        after = body(unflatten(structure, arguments[1:]))
        return after, _flag(condition(after), "the condition of while_loop")

    region = _Region(step, (COUNT, *types))
    state, places = region.structure.children[0], region.paths[:-1]
    _check_same(state, region.types[:-1], _shorter(places), structure, types, "the states of while_loop before and after a step")
    op = nn.LoopOp.make(region.closed([region.values[-1], *region.values[:-1]]), start, condition=first)
    frame.add(op)
    return _trees(structure, op.results, frame)


def fori_loop(lower: Any, upper: Any, body: Function, init: Any) -> Any:
    """`state = body(i, state)` for i from lower up to but not including upper. Bounds that are traced leave forward mode alone."""
    frame = _outer()
    start, structure, types = _state(init, "fori_loop", frame)
    known = all(isinstance(bound, (int, np.integer)) for bound in (lower, upper))

    def step(arguments: Sequence[Tracer]) -> Any:
        number: Any = arguments[0]
        return body(number if known and not lower else number + lower, unflatten(structure, arguments[1:]))

    region = _Region(step, (COUNT, *types))
    _check_same(region.structure, region.types, region.paths, structure, types, "the states of fori_loop before and after a step")
    if known:
        op = nn.LoopOp.make(region.closed(), start, trips=max(0, int(upper) - int(lower)))
    else:
        from stepwell.frontends.trace.elementwise import maximum, subtract

        bounds = [_whole(bound, name) for bound, name in ((upper, "upper"), (lower, "lower"))]
        op = nn.LoopOp.make(region.closed(), start, count=lift(maximum(subtract(*bounds), np.array(0, _I64)), frame))
    frame.add(op)
    return _trees(structure, op.results, frame)


def scan(body: Function, init: Any, xs: Any = None, *, length: int | None = None, reverse: bool = False) -> tuple[Any, Any]:
    """`state, y = body(state, x)` for every x along the first axis of the leaves of `xs`: the last state, and all y along a new first axis.

    Without `xs` the body gets None, `length` times. From the end with `reverse`.
    """
    frame = _outer()
    start, structure, types = _state(init, "scan", frame)
    leaves, rows = flatten(xs)
    scanned = [lift(check(leaf), frame) for leaf in leaves]
    whole: list[Tensor] = [leaf_type(Tracer(v, frame)) for v in scanned]
    shapes = [type.get_shape() for type in whole]
    for path, shape in zip(paths(xs, "xs"), shapes, strict=True):
        if not shape:
            fail(f"scan: {path} has rank 0, there is no axis to scan", hint="what stays the same is read from around the function")
    extents: set[int] = {shape[0] for shape in shapes} | ({length} if length is not None else set())
    if len(extents) != 1:
        _no_length(extents)
    (trips,) = extents
    parts = [tensor_type(type.get_shape()[1:], type.element_type) for type in whole]

    def step(arguments: Sequence[Tracer]) -> Any:
        state, x = arguments[1 : 1 + len(types)], arguments[1 + len(types) :]
        found = body(unflatten(structure, state), unflatten(rows, x))
        if not isinstance(found, tuple) or len(cast("tuple[Any, ...]", found)) != 2:
            fail("scan: its function returns a pair, the next state and what is stacked", hint="None stands for nothing")
        return cast(Any, found)

    region = _Region(step, (COUNT, *types, *parts))
    state, stacked = region.structure.children
    places = _shorter(region.paths[: state.leaves])
    _check_same(state, region.types[: state.leaves], places, structure, types, "the states of scan before and after a step")
    op = nn.LoopOp.make(
        region.closed(), start, trips=trips, scanned=[(v, 0, reverse) for v in scanned], stacks=[(0, reverse)] * stacked.leaves
    )
    frame.add(op)
    return _trees(structure, op.results[: len(types)], frame), _trees(stacked, op.results[len(types) :], frame)


def _no_length(extents: set[int]) -> NoReturn:
    if not extents:
        fail("scan: without xs it needs a length")
    fail(f"scan: the first axes of xs and the length differ: {', '.join(map(str, sorted(extents)))}")


def _state(init: Any, name: str, frame: Frame) -> tuple[list[SSAValue], Tree, list[Any]]:
    leaves, structure = flatten(init)
    if not leaves:
        fail(f"{name}: there is nothing in its first state")
    values = [lift(leaf, frame) for leaf in leaves]
    return values, structure, [v.type for v in values]


def _whole(value: Any, name: str) -> Any:
    value = check(value)
    if shape_of(value) or dtype_of_value(value).kind not in "iu":
        fail(f"fori_loop: {name} is no whole number, it has the dtype {dtype_of_value(value)} and the shape {list(shape_of(value))}")
    return to_dtype(value, _I64)


def _shorter(places: Sequence[str]) -> list[str]:
    """Places inside of the first of a pair."""
    return [place.replace("its result[0]", "its result", 1) for place in places]


__all__ = ["cond", "fori_loop", "scan", "while_loop"]
