"""The schedule primitives by name, and the schedule attribute: an array of steps, each an array of a name and its arguments.

```mlir
schedule = [["fuse", "m", "n"], ["split", "m", 14, "mr", "overlap"], ["unroll", "k", 4]]
```
Steps of earlier levels (`pack_operand`, `static`) stand in the same array: they are executed there and mean nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, StringAttr, i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute

from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.lowering.schedule.bind import bind
from stepwell.lowering.schedule.cache_read import cache_read
from stepwell.lowering.schedule.fuse import fuse
from stepwell.lowering.schedule.jam import jam
from stepwell.lowering.schedule.marks import unroll, vectorize
from stepwell.lowering.schedule.nest import Step
from stepwell.lowering.schedule.pad import pad
from stepwell.lowering.schedule.parallel import parallel
from stepwell.lowering.schedule.prefetch import prefetch
from stepwell.lowering.schedule.reorder import reorder, sink
from stepwell.lowering.schedule.rfactor import rfactor
from stepwell.lowering.schedule.split import split

PRIMITIVES: dict[str, Callable[..., None]] = {
    "fuse": fuse,
    "split": split,
    "reorder": reorder,
    "sink": sink,
    "jam": jam,
    "rfactor": rfactor,
    "parallel": parallel,
    "vectorize": vectorize,
    "unroll": unroll,
    "prefetch": prefetch,
    "bind": bind,
    "cache_read": cache_read,
    "pad": pad,
}
"""Name -> function(kernel, *arguments), which changes the kernel in place or raises CompileError."""

EARLIER = frozenset({"pack_operand", "static"})
"""Steps that are executed on tensors."""


def steps_of(schedule: Attribute) -> list[Step]:
    """A schedule attribute as steps. Raises CompileError for what is no schedule."""
    if not isinstance(schedule, ArrayAttr):
        raise CompileError(f"a schedule is an array of steps, not {schedule}")
    steps: list[Step] = []
    for entry in cast(ArrayAttr[Attribute], schedule):
        items = list(cast(ArrayAttr[Attribute], entry)) if isinstance(entry, ArrayAttr) else []
        if not items or not isinstance(items[0], StringAttr):
            raise CompileError(f"a schedule step is an array that begins with a name, not {entry}")
        name, *arguments = (_to_python(a) for a in items)
        steps.append(Step(name, tuple(arguments)))
    return steps


def schedule_attr(steps: Sequence[Sequence[Any]]) -> ArrayAttr[Any]:
    """The attribute of steps given as Python sequences: `("split", "m", 14, "mr")`."""
    return ArrayAttr(ArrayAttr(_to_attr(a) for a in step) for step in steps)


def _to_python(attribute: Attribute) -> Any:
    match attribute:
        case StringAttr():
            return attribute.data
        case IntegerAttr():
            return attribute.value.data
        case ArrayAttr():
            return [_to_python(a) for a in attribute]
        case _:
            raise CompileError(f"a schedule step holds strings, integers and lists of them, not {attribute}")


def _to_attr(value: Any) -> Attribute:
    if isinstance(value, str):
        return StringAttr(value)
    if isinstance(value, int):
        return IntegerAttr(value, i64)
    return ArrayAttr(_to_attr(v) for v in value)


def apply_step(func: FuncOp, step: Step) -> None:
    """Run one step. Its errors name the step."""
    if step.name in EARLIER:
        return
    primitive = PRIMITIVES.get(step.name)
    if primitive is None:
        raise CompileError(f"unknown schedule step {step}", location=place(func), hint=f"one of {', '.join(PRIMITIVES)}")
    try:
        primitive(func, *step.arguments)
    except TypeError as error:
        # A call with the wrong number of arguments is the schedule's fault; a TypeError from inside the primitive is ours.
        if error.__traceback__ is None or error.__traceback__.tb_next is not None:
            raise
        raise CompileError(f"schedule step {step} has the wrong arguments", location=place(func), hint=str(error)) from None
    except CompileError as error:
        raise CompileError(f"{error.message}, in step {step}", location=error.location or place(func), hint=error.hint) from None
