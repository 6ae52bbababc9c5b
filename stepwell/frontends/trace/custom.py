"""Functions with a derivative of their own, and functions that are computed again when their derivative is: both as `nn.custom_vjp`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any, cast

from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from stepwell.dialects import nn
from stepwell.dialects.nn.custom import floats
from stepwell.frontends.trace.frame import Frame, current, fail, tracing
from stepwell.frontends.trace.pytree import Tree, flatten, paths, unflatten
from stepwell.frontends.trace.trace import leaf_type
from stepwell.frontends.trace.tracer import Tracer
from stepwell.frontends.trace.values import is_strong, lift
from stepwell.lowering.autodiff.differentiate import erase_unused, is_differentiable, vjp_of_block

Function = Callable[..., Any]


class _Call:
    """A call of a function on trees: its tensors, and how to call it on others in their places. Python's numbers stay what they are."""

    def __init__(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        self.leaves, self.structure = flatten((arguments, named))
        self.places = [i for i, leaf in enumerate(self.leaves) if is_strong(leaf)]
        self.tensors = [self.leaves[i] for i in self.places]
        self.types: list[Any] = [leaf_type(leaf) for leaf in self.tensors]

    def call(self, function: Function, tensors: Sequence[Any]) -> Any:
        leaves = list(self.leaves)
        for i, tensor in zip(self.places, tensors, strict=True):
            leaves[i] = tensor
        arguments, named = unflatten(self.structure, leaves)
        return function(*arguments, **named)


def _outer() -> Frame:
    frame = current()
    assert frame is not None, "a function with a derivative of its own is traced"
    return frame


def _tracers(block: Block, frame: Frame) -> list[Tracer]:
    return [Tracer(a, frame) for a in block.args]


class CustomVjp:
    """A function whose derivative in reverse mode is what `define_vjp` says. See `stepwell.custom_vjp`."""

    def __init__(self, function: Function) -> None:
        update_wrapper(self, function)
        self.function = function
        self._rules: tuple[Function, Function] | None = None

    def define_vjp(self, forward: Function, backward: Function) -> None:
        """`forward(*arguments)` gives (result, what backward needs); `backward(what it needs, cotangent of the result)` a tuple with the
        cotangent of each argument, None for zero."""
        self._rules = forward, backward

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Traced; outside of a trace the function itself, compiled."""
        if current() is None:
            from stepwell.traced import jit

            return jit(self.function)(*arguments, **named)
        name = getattr(self.function, "__name__", "the function")
        if self._rules is None:
            fail(f"{name} has no derivative yet", hint=f"{name}.define_vjp(forward, backward) gives it one")
        forward, backward = self._rules
        call = _Call(arguments, named)
        if named:
            fail(f"{name} has a derivative of its own, its arguments are positional")
        ahead = Frame(call.types)
        with tracing(ahead):
            pair = call.call(forward, _tracers(ahead.block, ahead))
            if not isinstance(pair, tuple) or len(cast("tuple[Any, ...]", pair)) != 2:
                fail(f"the forward rule of {name} returns a pair, the result and what its backward rule needs")
            results, structure = flatten(pair[0])
            residuals, needs = flatten(pair[1])
            values = [lift(v, ahead) for v in (*results, *residuals)]
            ahead.block.add_op(nn.YieldOp(*values))
        types: list[Any] = [v.type for v in values]
        back = _backward(name, backward, call, types[len(results) :], needs, types[: len(results)], structure)
        return _emitted(call, ahead.block, back, types[: len(results)], structure, {})


def _backward(
    name: str, function: Function, call: _Call, residuals: Sequence[Any], needs: Tree, results: Sequence[Any], structure: Tree
) -> Block:
    """The backward region of a rule: cotangents of all tensors of a call that are floats."""
    frame = Frame([*residuals, *cast("list[Any]", floats(results))])
    with tracing(frame):
        arguments = iter(_tracers(frame.block, frame))
        kept = unflatten(needs, [next(arguments) for _ in residuals])
        cotangents = unflatten(structure, [next(arguments) if is_differentiable(type) else None for type in results])
        found = function(kept, cotangents)
        inputs = call.structure.children[0].children
        if not isinstance(found, tuple) or len(cast("tuple[Any, ...]", found)) != len(inputs):
            fail(f"the backward rule of {name} returns a tuple with a cotangent for each of its {len(inputs)} arguments")
        leaves: list[Any] = []
        for tree, part in zip(inputs, cast("tuple[Any, ...]", found), strict=True):
            given, same = flatten(part)
            if part is not None and same != tree:
                fail(f"a cotangent from the backward rule of {name} has another structure than its argument")
            leaves += [None] * tree.leaves if part is None else given
        values: list[SSAValue] = []
        places = list(paths(unflatten(call.structure, call.leaves)[0], "argument "))
        for i, type in zip(call.places, call.types, strict=True):
            if not is_differentiable(type):
                continue
            value = lift(_zeros(type) if leaves[i] is None else leaves[i], frame)
            if value.type != type:
                fail(f"the backward rule of {name} gives {places[i]} of type {type} a cotangent of type {value.type}")
            values.append(value)
        frame.block.add_op(nn.YieldOp(*values))
    return frame.block


def _zeros(type: Any) -> Any:
    import numpy

    from stepwell.ir.constants import dtype_of

    return numpy.zeros(type.get_shape(), dtype_of(type.element_type))


def _emitted(
    call: _Call,
    ahead: Block,
    back: Block,
    results: Sequence[Any],
    structure: Tree,
    properties: dict[str, Attribute],
    more: Sequence[SSAValue] = (),
) -> Any:
    frame = _outer()
    op = nn.CustomVjpOp.create(
        operands=[*(lift(v, frame) for v in call.tensors), *more],
        result_types=results,
        properties=properties,
        regions=[Region(ahead), Region(back)],
    )
    frame.add(op)
    return unflatten(structure, [Tracer(v, frame) for v in op.results])


def checkpoint(function: Function) -> Function:
    """The function, of which a derivative in reverse mode keeps nothing but its arguments (and what it reads from around it): everything
    else is computed again when the derivative is."""

    def called(*arguments: Any, **named: Any) -> Any:
        if current() is None:
            return function(*arguments, **named)
        call = _Call(arguments, named)
        frame = Frame(call.types)
        with tracing(frame):
            found, structure = flatten(call.call(function, _tracers(frame.block, frame)))
            values = [lift(v, frame) for v in found]
            frame.block.add_op(nn.YieldOp(*values))
        block = frame.block
        captured = _captured(block)
        for value in captured:
            argument = block.insert_arg(value.type, len(block.args))
            value.replace_uses_with_if(argument, lambda use: _is_inside(use.operation, block))
        results: list[Any] = [v.type for v in values]
        back = _again(block, results)
        assert block.last_op is not None
        last = list(block.last_op.operands)
        block.erase_op(block.last_op)
        block.add_op(nn.YieldOp(*last, *block.args))
        return _emitted(call, block, back, results, structure, {"checkpoint": UnitAttr()}, captured)

    return update_wrapper(called, function)


def _is_inside(op: Operation | None, block: Block) -> bool:
    while op is not None:
        if op.parent is block:
            return True
        op = op.parent_op()
    return False


def _captured(block: Block) -> list[SSAValue]:
    """What ops inside of a block read from outside of it."""
    found: dict[SSAValue, None] = {}
    for op in block.walk():
        for value in op.operands:
            home = value.owner if isinstance(value.owner, Block) else value.owner.parent
            if home is not block and not (home is not None and _is_inside(home.parent_op(), block)):
                found[value] = None
    return list(found)


def _again(forward: Block, results: Sequence[Any]) -> Block:
    """The backward region of a checkpoint: forward once more, and its derivative."""
    types: list[Any] = [a.type for a in forward.args]
    block = Block(arg_types=[*types, *floats(results)])
    table: dict[SSAValue, SSAValue] = {}
    for old, new in zip(forward.args, block.args, strict=False):
        copy = nn.RecomputeOp.make(new)
        block.add_op(copy)
        table[old] = copy.results[0]
    inputs = [table[a] for a, type in zip(forward.args, types, strict=True) if is_differentiable(type)]
    blocks: dict[Block, Block] = {}
    for op in forward.ops:
        block.add_op(op.clone(table, blocks))
    cotangents = iter(block.args[len(types) :])
    found = vjp_of_block(block, inputs, [next(cotangents) if is_differentiable(type) else None for type in results])
    assert block.last_op is not None
    block.erase_op(block.last_op)
    block.add_op(nn.YieldOp(*found))
    erase_unused([op for op in block.ops if not isinstance(op, nn.YieldOp)])
    return block
