"""Derivatives of ops on bits: there are none."""

from __future__ import annotations

from stepwell.dialects import nn
from stepwell.lowering.autodiff.rules import LOCALLY_CONSTANT, REFUSED

INTEGERS = (nn.BitwiseAndOp, nn.BitwiseOrOp, nn.BitwiseXorOp, nn.BitwiseNotOp, nn.ShiftLeftOp, nn.ShiftRightOp)
LOCALLY_CONSTANT.update(dict.fromkeys(INTEGERS, "it computes on the bits of integers"))
LOCALLY_CONSTANT[nn.RandomBitsOp] = "it has no operands"
REFUSED[nn.BitcastOp] = "the bits of a number are no smooth function of it"
