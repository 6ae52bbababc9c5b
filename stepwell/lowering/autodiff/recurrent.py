"""Derivatives of recurrent layers: not before loops have them."""

from __future__ import annotations

from stepwell.dialects import nn
from stepwell.lowering.autodiff.rules import REFUSED

REFUSED[nn.LstmOp] = "derivatives of loops are not written yet, and it is one"
