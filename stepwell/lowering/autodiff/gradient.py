"""Where derivatives are told to stop."""

from __future__ import annotations

from stepwell.dialects import nn
from stepwell.lowering.autodiff.rules import LOCALLY_CONSTANT

LOCALLY_CONSTANT[nn.StopGradientOp] = "it is there to say so"
