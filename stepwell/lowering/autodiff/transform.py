"""Linear maps of windows, which convolutions become after their derivatives have been taken."""

from __future__ import annotations

from stepwell.dialects import nn
from stepwell.lowering.autodiff.rules import REFUSED

REFUSED[nn.WindowTransformOp] = "convolutions become it after derivatives have been taken, not before"
