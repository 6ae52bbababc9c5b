"""`affine`: loops, accesses and index arithmetic by affine maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineMap

from stepwell.backends.interpreter.machine import Code, Control, Frame, Implementation, Step
from stepwell.backends.interpreter.memory import mixed_values
from stepwell.backends.interpreter.values import checked, is_array, map_function
from stepwell.dialects import affine
from stepwell.ir.constants import Array

_COMPARE: dict[str, Callable[[Any], bool]] = {">=": lambda a: a >= 0, "<=": lambda a: a <= 0, "==": lambda a: a == 0}


# ---- index arithmetic -----------------------------------------------------------------------------------------------------------


def apply(op: affine.ApplyOp) -> Callable[..., Any]:
    function = map_function(op.map.data)
    return lambda *operands: function(*operands)[0]


def minimum(op: affine.MinOp) -> Callable[..., Any]:
    function = map_function(op.map.data)
    return lambda *operands: _extremum(min, np.minimum, function(*operands))


def maximum(op: affine.MaxOp) -> Callable[..., Any]:
    function = map_function(op.map.data)
    return lambda *operands: _extremum(max, np.maximum, function(*operands))


def delinearize(op: affine.DelinearizeIndexOp) -> Callable[..., Any]:
    """The subscripts of an index, the innermost counting by 1. What is outermost takes all that is left."""
    static, count = tuple(op.static_basis.get_values()), len(op.results)

    def split(index: int, *dynamic: int) -> tuple[int, ...]:
        basis = mixed_values(static, dynamic)
        found: list[int] = []
        for extent in reversed(basis[len(basis) - count + 1 :]):
            found.append(index % extent)
            index //= extent
        return (index, *reversed(found))

    return split


def linearize(op: affine.LinearizeIndexOp) -> Callable[..., Any]:
    """The index of subscripts."""
    static, count = tuple(op.static_basis.get_values()), len(op.multi_index)

    def join(*operands: int) -> int:
        subscripts, basis = operands[:count], mixed_values(static, operands[count:])
        index = subscripts[0] if subscripts else 0
        for subscript, extent in zip(subscripts[1:], basis[len(basis) - count + 1 :], strict=True):
            index = index * extent + subscript
        return index

    return join


def _extremum(of_ints: Callable[..., Any], of_arrays: Any, values: Sequence[Any]) -> Any:
    if any(is_array(value) for value in values):
        result = values[0]
        for value in values[1:]:
            result = of_arrays(result, value)
        return result
    return of_ints(values)


# ---- accesses -------------------------------------------------------------------------------------------------------------------


def load(op: affine.LoadOp) -> Callable[..., Any]:
    function = map_function(op.map.data)

    def read(memref: Array, *operands: Any) -> Any:
        return memref[checked(function(*operands), memref.shape)]

    return read


def store(op: affine.StoreOp) -> Callable[..., None]:
    function = map_function(op.map.data)

    def write(value: Any, memref: Any, *operands: Any) -> None:
        memref[checked(function(*operands), memref.shape)] = value

    return write


def vector_load(op: affine.VectorLoadOp) -> Callable[..., Any]:
    function, shape = map_function(op.map.data), op.result.type.get_shape()

    def read(memref: Array, *operands: int) -> Array:
        return memref[_box(function(*operands), shape, memref.shape)].reshape(shape).copy()

    return read


def vector_store(op: affine.VectorStoreOp) -> Callable[..., None]:
    function = map_function(op.map.data)

    def write(value: Any, memref: Any, *operands: Any) -> None:
        target = memref[_box(function(*operands), value.shape, memref.shape)]
        target[...] = value.reshape(target.shape)

    return write


def _box(start: Sequence[int], shape: Sequence[int], extents: Sequence[int]) -> tuple[slice, ...]:
    sizes = (1,) * (len(start) - len(shape)) + tuple(shape)
    for first, size, extent in zip(start, sizes, extents, strict=True):
        if first < 0 or first + size > extent:
            raise IndexError(f"elements {first} to {first + size} of an extent of {extent}")
    return tuple(slice(first, first + size) for first, size in zip(start, sizes, strict=True))


def prefetch(op: affine.PrefetchOp) -> Callable[..., None]:
    return lambda *_: None


# ---- control flow ---------------------------------------------------------------------------------------------------------------


def _bound(map: AffineMap, operands: Sequence[SSAValue], code: Code, extremum: Callable[..., int]) -> Callable[[Frame], int]:
    """A bound of a loop, read from the frame."""
    function, slots = map_function(map), code.slots(operands)
    if not slots:
        value = extremum(function())
        return lambda frame: value
    return lambda frame: extremum(function(*[frame[slot] for slot in slots]))


def for_(op: affine.ForOp, code: Code) -> Step:
    lower = _bound(op.lowerBoundMap.data, op.lowerBoundOperands, code, max)
    upper = _bound(op.upperBoundMap.data, op.upperBoundOperands, code, min)
    stride = op.step.value.data
    inits, results = code.slots(op.inits), code.slots(op.results)
    body = code.body(op.body.block)
    variable, *carried = body.arguments
    machine = code.machine

    def step(frame: Frame) -> None:
        if not carried:
            for i in machine.expect(lower(frame), upper(frame), stride):
                frame[variable] = i
                body.run(frame)
            return
        values = [frame[slot] for slot in inits]
        for i in machine.expect(lower(frame), upper(frame), stride):
            body.run_with(frame, i, *values)
            values = body.yielded(frame)
        for slot, value in zip(results, values, strict=True):
            frame[slot] = value

    return step


def parallel(op: affine.ParallelOp, code: Code) -> Step:
    steps = [step.value.data for step in op.steps]

    def bounds(groups: Sequence[tuple[Any, ...]], map: AffineMap, operands: Sequence[SSAValue], extremum: Callable[..., int]) -> list[Any]:
        return [_bound(AffineMap(map.num_dims, map.num_symbols, group), operands, code, extremum) for group in groups]

    lower = bounds(op.lower_bounds(), op.lowerBoundsMap.data, op.lower_operands, max)
    upper = bounds(op.upper_bounds(), op.upperBoundsMap.data, op.upper_operands, min)
    body = code.body(op.body.block)
    machine = code.machine

    def step(frame: Frame) -> None:
        ranges = [machine.expect(a(frame), b(frame), c) for a, b, c in zip(lower, upper, steps, strict=True)]
        for point in product(*machine.expect_all(ranges)):
            body.run_with(frame, *point)

    return step


def if_(op: affine.IfOp, code: Code) -> Step:
    condition = op.condition.data
    function = map_function(AffineMap(condition.num_dims, condition.num_symbols, tuple(c.lhs - c.rhs for c in condition.constraints)))
    tests = [_COMPARE[constraint.kind.value] for constraint in condition.constraints]
    operands, results = code.slots(op.args), code.slots(op.results)
    then = code.body(op.then_region.block)
    orelse = code.body(op.else_region.block) if op.else_region.blocks else None

    def step(frame: Frame) -> None:
        values = function(*[frame[slot] for slot in operands])
        body = then if all(test(value) for test, value in zip(tests, values, strict=True)) else orelse
        if body is not None:
            body.run(frame)
            for slot, source in zip(results, body.results, strict=True):
                frame[slot] = frame[source]

    return step


IMPLEMENTATIONS: dict[type[Operation], Implementation] = {
    affine.ApplyOp: apply,
    affine.MinOp: minimum,
    affine.MaxOp: maximum,
    affine.DelinearizeIndexOp: delinearize,
    affine.LinearizeIndexOp: linearize,
    affine.LoadOp: load,
    affine.StoreOp: store,
    affine.VectorLoadOp: vector_load,
    affine.VectorStoreOp: vector_store,
    affine.PrefetchOp: prefetch,
}

CONTROL: dict[type[Operation], Control] = {
    affine.ForOp: for_,
    affine.ParallelOp: parallel,
    affine.IfOp: if_,
}
