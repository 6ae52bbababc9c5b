"""Derivatives of branches and loops: not yet."""

from __future__ import annotations

from stepwell.dialects import nn
from stepwell.lowering.autodiff.rules import REFUSED

REFUSED[nn.IfOp] = "derivatives of branches are not written yet"
REFUSED[nn.LoopOp] = "derivatives of loops are not written yet"
