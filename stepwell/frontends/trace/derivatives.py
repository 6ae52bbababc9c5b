"""Derivatives of Python functions inside of a trace: the function is traced into a block of its own, the block is differentiated by the
rules of `lowering/autodiff`, and dissolved into the block around it. What the function reads from outside does not change with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from xdsl.ir import Block, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.base import Tensor
from stepwell.frontends.trace.frame import Frame, current, dissolve, fail, tracing
from stepwell.frontends.trace.pytree import Tree, flatten, paths, unflatten
from stepwell.frontends.trace.trace import leaf_type
from stepwell.frontends.trace.tracer import Tracer
from stepwell.frontends.trace.values import emit, lift
from stepwell.ir.constants import splat
from stepwell.lowering.autodiff.differentiate import is_differentiable, jvp_of_block, vjp_of_block

Function = Callable[..., Any]


class _Inner:
    """A function traced into a block: `inputs` are leaves of the arguments it is differentiated by, `results` what it returns."""

    def __init__(self, function: Callable[[Sequence[Any]], Any], types: Sequence[Tensor]) -> None:
        self.frame = Frame(types)
        with tracing(self.frame):
            found, self.structure = flatten(function([Tracer(a, self.frame) for a in self.frame.block.args]))
            self.values = [lift(value, self.frame) for value in found]
            self.frame.block.add_op(nn.YieldOp(*self.values))
        self.types: list[Any] = [v.type for v in self.values]

    @property
    def block(self) -> Block:
        """The block, which ends in `nn.yield` of the results."""
        return self.frame.block

    def results(self) -> list[SSAValue]:
        """What the block yields."""
        assert self.block.last_op is not None
        return list(self.block.last_op.operands)


def _outer() -> Frame:
    frame = current()
    assert frame is not None, "derivatives are taken inside of a trace"
    return frame


def _tracers(structure: Tree, values: Sequence[SSAValue], frame: Frame) -> Any:
    return unflatten(structure, [Tracer(v, frame) for v in values])


def _numbers(wrt: int | Sequence[int]) -> tuple[int, ...]:
    return (wrt,) if isinstance(wrt, int) else tuple(wrt)


def _check_floats(leaves: Sequence[Any], arguments: Sequence[tuple[int, Any]], name: str, what: str) -> list[Tensor]:
    """The types of the leaves of (number, argument) pairs, all of them floats."""
    types = [leaf_type(leaf) for leaf in leaves]
    places = [path for n, argument in arguments for path in paths(argument, f"argument {n}")]
    for type, path in zip(types, places, strict=True):
        if not is_differentiable(type):
            fail(f"{what} of {name} by {path} of type {type}: only floats have derivatives", hint="leave it out of wrt")
    return types


def value_and_grad(function: Function, wrt: int | Sequence[int] = 0, *, has_aux: bool = False) -> Function:
    """The function that gives a scalar function's value and its gradient by the positional arguments `wrt`.

    With `has_aux` the function returns (scalar, anything else), and ((scalar, anything else), gradient) is given. The gradient has the
    structure of the argument, or is a tuple for several.
    """
    numbers = _numbers(wrt)
    name = getattr(function, "__name__", "a function")

    @wraps(function)
    def differentiated(*arguments: Any, **named: Any) -> Any:
        frame = _outer()
        if any(not -len(arguments) <= n < len(arguments) for n in numbers):
            fail(f"{name} is called with {len(arguments)} positional arguments, the gradient is by {list(numbers)}")
        chosen = [arguments[n] for n in numbers]
        leaves, structure = flatten(chosen)
        types = _check_floats(leaves, list(zip(numbers, chosen, strict=True)), name, "the gradient")

        def called(tracers: Sequence[Any]) -> Any:
            return _call(function, arguments, named, numbers, unflatten(structure, tracers))

        inner = _Inner(called, types)
        _check_scalar(inner, name, has_aux)
        one = nn.ConstantOp.create(result_types=[inner.types[0]], properties={"value": splat(1, inner.types[0])})
        assert inner.block.last_op is not None
        inner.block.insert_op_before(one, inner.block.last_op)
        gradients = vjp_of_block(inner.block, inner.block.args, [one.y, *(None for _ in inner.types[1:])])
        count = len(inner.types)
        found = dissolve(inner.block, [lift(leaf, frame) for leaf in leaves], frame, [*inner.results(), *gradients])
        by_argument = _tracers(structure, found[count:], frame)
        return _tracers(inner.structure, found[:count], frame), by_argument[0] if isinstance(wrt, int) else tuple(by_argument)

    return differentiated


def _call(function: Function, arguments: Sequence[Any], named: dict[str, Any], numbers: Sequence[int], chosen: Sequence[Any]) -> Any:
    again = list(arguments)
    for n, value in zip(numbers, chosen, strict=True):
        again[n] = value
    return function(*again, **named)


def _check_scalar(inner: _Inner, name: str, has_aux: bool) -> None:
    structure = inner.structure
    if has_aux:
        if structure.kind is not tuple or len(structure.children) != 2:
            fail(f"with has_aux {name} must return (scalar, anything else)")
        structure = structure.children[0]
    if structure.kind is not None:
        fail(f"{name} must return one scalar to have a gradient, it returns {structure.leaves} values", hint="has_aux=True allows more")
    type = inner.types[0]
    if type.get_shape() or not is_differentiable(type):
        fail(f"{name} must return a float of rank 0 to have a gradient, it returns {type}", hint="stepwell.numpy.mean or sum makes one")


def grad(function: Function, wrt: int | Sequence[int] = 0, *, has_aux: bool = False) -> Function:
    """The function that gives the gradient of a scalar function; with `has_aux` (gradient, anything else)."""
    both = value_and_grad(function, wrt, has_aux=has_aux)

    @wraps(function)
    def gradient(*arguments: Any, **named: Any) -> Any:
        value, found = both(*arguments, **named)
        return (found, value[1]) if has_aux else found

    return gradient


def jvp(function: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The results of a function and their tangents, for tangents of its arguments. Results that are no floats have tangents of zero."""
    frame = _outer()
    leaves, structure = flatten(tuple(primals))
    moved, same = flatten(tuple(tangents))
    name = getattr(function, "__name__", "a function")
    types = _check_floats(leaves, list(enumerate(primals)), name, "the derivative")
    if same != structure or [leaf_type(t) for t in moved] != types:
        fail(f"the tangents of {name} must have the structure, shapes and dtypes of its arguments")
    inner = _Inner(lambda tracers: function(*unflatten(structure, tracers)), types)
    found = jvp_of_block(inner.block, inner.block.args, [lift(t, frame) for t in moved])
    values = inner.results()
    known = [i for i, t in enumerate(found) if t is not None]
    there = dissolve(inner.block, [lift(leaf, frame) for leaf in leaves], frame, [*values, *(t for t in found if t is not None)])
    results = [Tracer(v, frame) for v in there[: len(values)]]
    with_tangent = dict(zip(known, (Tracer(v, frame) for v in there[len(values) :]), strict=True))
    changes = [with_tangent[i] if i in with_tangent else Tracer(_zeros(type, frame), frame) for i, type in enumerate(inner.types)]
    return unflatten(inner.structure, results), unflatten(inner.structure, changes)


def _zeros(type: Tensor, frame: Frame) -> SSAValue:
    op = nn.ConstantOp.create(result_types=[type], properties={"value": splat(0, type)})
    frame.add(op)
    return op.y


def vjp(function: Function, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The results of a function, and the function from cotangents of the results to those of the arguments."""
    frame = _outer()
    leaves, structure = flatten(primals)
    name = getattr(function, "__name__", "a function")
    types = _check_floats(leaves, list(enumerate(primals)), name, "the derivative")
    inner = _Inner(lambda tracers: function(*unflatten(structure, tracers)), types)

    def copied() -> Block:
        block = Block(arg_types=types)
        table: dict[SSAValue, SSAValue] = dict(zip(inner.block.args, block.args, strict=True))
        blocks: dict[Block, Block] = {}
        for op in inner.block.ops:
            block.add_op(op.clone(table, blocks))
        return block

    def pulled_back(cotangents: Any) -> tuple[Any, ...]:
        here = _outer()
        given, same = flatten(cotangents)
        if same != inner.structure or [leaf_type(c) for c in given] != inner.types:
            fail(f"the cotangents of {name} must have the structure, shapes and dtypes of its results")
        block = copied()
        seeds = [lift(c, here) if is_differentiable(type) else None for c, type in zip(given, inner.types, strict=True)]
        found = vjp_of_block(block, block.args, seeds)
        return _tracers(structure, dissolve(block, [lift(leaf, here) for leaf in leaves], here, found), here)

    block = copied()
    assert block.last_op is not None
    values = dissolve(block, [lift(leaf, frame) for leaf in leaves], frame, list(block.last_op.operands))
    return _tracers(inner.structure, values, frame), pulled_back


def stop_gradient(tree: Any) -> Any:
    """The same values, whose derivatives count as zero."""
    leaves, structure = flatten(tree)
    return unflatten(structure, [emit(nn.StopGradientOp, [leaf]) if isinstance(leaf, Tracer) else leaf for leaf in leaves])
