"""`nn.if`, `nn.loop` and `nn.custom_vjp`. Every other op of `nn` has its meaning in its class."""

from __future__ import annotations

from typing import Any

import numpy as np
from xdsl.ir import Operation

from stepwell.backends.interpreter.machine import Code, Control, Frame, Step
from stepwell.backends.interpreter.values import element_dtype
from stepwell.dialects import nn


def if_(op: nn.IfOp, code: Code) -> Step:
    condition, results = code.slot(op.condition), code.slots(op.results)
    then, otherwise = code.body(op.then.block), code.body(op.otherwise.block)

    def step(frame: Frame) -> None:
        body = then if bool(frame[condition]) else otherwise
        body.run(frame)
        for slot, value in zip(results, body.yielded(frame), strict=True):
            frame[slot] = value

    return step


def loop(op: nn.LoopOp, code: Code) -> Step:
    count = None if op.count is None else code.slot(op.count)
    condition = None if op.condition is None else code.slot(op.condition)
    inits, results = code.slots(op.carried), code.slots(op.results)
    scans = [(code.slot(x), axis, backward) for x, axis, backward in op.scans]
    stacks, body, known = op.stacks, code.body(op.body.block), op.known_trips
    types: list[Any] = [r.type for r in op.results][len(inits) :]
    machine = code.machine

    def step(frame: Frame) -> None:
        state = [frame[slot] for slot in inits]
        limit = known if known is not None else int(frame[count]) if count is not None else None
        going = condition is None or bool(frame[condition])
        parts: list[list[Any]] = [[] for _ in stacks]
        i = 0
        while going and (limit is None or i < limit):
            machine.steps_left -= 1
            slices = [np.take(frame[slot], limit - 1 - i if back and limit is not None else i, axis) for slot, axis, back in scans]
            body.run_with(frame, np.array(i, np.int64), *state, *slices)
            values = body.yielded(frame)
            if condition is not None:
                going, values = bool(values[0]), values[1:]
            state = values[: len(state)]
            for part, value in zip(parts, values[len(state) :], strict=True):
                part.append(value)
            i += 1
        stacked = [
            np.stack(part[::-1] if back else part, axis) if part else np.zeros(type.get_shape(), element_dtype(type))
            for part, (axis, back), type in zip(parts, stacks, types, strict=True)
        ]
        for slot, value in zip(results, [*state, *stacked], strict=True):
            frame[slot] = value

    return step


def custom_vjp(op: nn.CustomVjpOp, code: Code) -> Step:
    operands, results, body = code.slots(op.operands), code.slots(op.results), code.body(op.forward.block)

    def step(frame: Frame) -> None:
        body.run_with(frame, *(frame[slot] for slot in operands))
        for slot, value in zip(results, body.yielded(frame), strict=False):
            frame[slot] = value

    return step


CONTROL: dict[type[Operation], Control] = {nn.IfOp: if_, nn.LoopOp: loop, nn.CustomVjpOp: custom_vjp}
