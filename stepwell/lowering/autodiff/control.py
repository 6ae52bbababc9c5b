"""Derivatives of branches and loops, by direction.

Forward mode: one op gives values and tangents, so that a loop may run for as long as it likes. Reverse mode: the op gives what the tangents
need beside its values, a second one computes the tangents from it, and that one can be transposed.
"""

from __future__ import annotations

from typing import Any

from stepwell.dialects import nn
from stepwell.lowering.autodiff import control_forward, control_linear, control_transpose
from stepwell.lowering.autodiff.differentiate import Tangents
from stepwell.lowering.autodiff.emitter import Emitter
from stepwell.lowering.autodiff.rules import REGION_JVP, REGION_TRANSPOSE


def _branches(op: Any, tangents: Tangents, emitter: Emitter, interleaved: bool) -> None:
    if interleaved:
        control_forward.branches(op, tangents, emitter)
    else:
        control_linear.branches(op, tangents, emitter)


def _loop(op: Any, tangents: Tangents, emitter: Emitter, interleaved: bool) -> None:
    if interleaved:
        control_forward.loop(op, tangents, emitter)
    else:
        control_linear.loop(op, tangents, emitter)


REGION_JVP[nn.IfOp] = _branches
REGION_JVP[nn.LoopOp] = _loop
REGION_TRANSPOSE[nn.IfOp] = control_transpose.branches
REGION_TRANSPOSE[nn.LoopOp] = control_transpose.loop
