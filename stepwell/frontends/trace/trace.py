"""A Python function as a module of level 1: `trace` runs it once on tracers.

In: the function, and trees of arrays, or of shapes with dtypes, that say what it is called with. Out: `@main`, whose arguments and results
are the leaves of the trees, in order and named as they are reached.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Region

from stepwell.frontends.trace.frame import Frame, current, error_here, tracing
from stepwell.frontends.trace.pytree import Tree, flatten, paths, unflatten
from stepwell.frontends.trace.tracer import Tracer
from stepwell.frontends.trace.values import check, dtype_of_value, lift, shape_of
from stepwell.ir.constants import element_type_of, tensor_type


@dataclass(frozen=True)
class Traced:
    """What a function has become."""

    module: ModuleOp
    results: Tree
    """How the results of `@main` make up what the function returns."""


def is_tracing() -> bool:
    """Whether a function is being traced by this thread."""
    return current() is not None


def trace(function: Callable[..., Any], arguments: Sequence[Any], named: Mapping[str, Any], names: Sequence[str] = ()) -> Traced:
    """Run a function on tracers in the places of the leaves of its arguments. Raises CompileError where it cannot be traced.

    `names` are those of the positional arguments, for messages and for the names of inputs.
    """
    leaves, structure = flatten((tuple(arguments), dict(named)))
    types = [leaf_type(leaf) for leaf in leaves]
    with tracing(Frame(types)) as frame:
        tracers = [Tracer(argument, frame) for argument in frame.block.args]
        inner, keywords = unflatten(structure, tracers)
        found, results = flatten(function(*inner, **keywords))
        values = [lift(value, frame) for value in found]
        frame.block.add_op(ReturnOp(*values))
    inputs = [path for i, argument in enumerate(arguments) for path in paths(argument, names[i] if i < len(names) else f"arg{i}")]
    inputs += [path for _, name in sorted((name, name) for name in named) for path in paths(named[name], name)]
    outputs = list(paths(unflatten(results, found), "result"))
    main = FuncOp("main", (types, [v.type for v in values]), Region(frame.block))
    main.attributes["input_names"] = _texts(inputs)
    main.attributes["output_names"] = _texts(outputs)
    for argument, name in zip(frame.block.args, inputs, strict=True):
        argument.name_hint = _hint(name)
    _forget_others(main)
    return Traced(ModuleOp([main]), results)


def _forget_others(main: FuncOp) -> None:
    """Let no op that was traced beside the function (`stepwell.vjp` keeps some for later) use values of it any longer."""
    inside = set(main.walk())
    values = [v for op in inside for v in (*op.results, *(a for r in op.regions for b in r.blocks for a in b.args))]
    for op in {use.operation for value in values for use in value.uses} - inside:
        op.operands = []


def leaf_type(leaf: Any) -> Any:
    """The tensor type of a leaf: of a tracer, an array, a number."""
    value = check(leaf)
    try:
        element = element_type_of(dtype_of_value(value))
    except KeyError:
        raise error_here(f"tensors of {dtype_of_value(value)} do not exist here", "floats, integers and booleans do") from None
    return tensor_type(tuple(shape_of(value)), element)


def _texts(names: Sequence[str]) -> ArrayAttr[Attribute]:
    return ArrayAttr([cast(Attribute, StringAttr(name)) for name in names])


def _hint(path: str) -> str:
    """A path as the name of a value: letters, digits and underscores."""
    kept = "".join(c if c.isalnum() else "_" for c in path.replace("']", "").replace("['", "_").replace("]", ""))
    return kept.strip("_") or "x"
