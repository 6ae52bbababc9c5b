"""Derivatives of comparisons and logic: there are none."""

from __future__ import annotations

from stepwell.dialects import nn
from stepwell.lowering.autodiff.rules import LOCALLY_CONSTANT

LOCALLY_CONSTANT.update(dict.fromkeys((nn.EqOp, nn.NeOp, nn.LtOp, nn.LeOp, nn.GtOp, nn.GeOp), "it answers yes or no"))
LOCALLY_CONSTANT.update(dict.fromkeys((nn.AndOp, nn.OrOp, nn.XorOp, nn.NotOp, nn.IsNanOp, nn.IsInfOp), "it answers yes or no"))
