"""Derivatives of constants."""

from __future__ import annotations

from stepwell.dialects import nn
from stepwell.lowering.autodiff.rules import LOCALLY_CONSTANT

LOCALLY_CONSTANT[nn.ConstantOp] = "it has no operands"
