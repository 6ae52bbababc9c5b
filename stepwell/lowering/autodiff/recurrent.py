"""Derivatives of recurrent layers: those of the loops that they are."""

from __future__ import annotations

from stepwell.dialects import nn
from stepwell.lowering.autodiff.rules import DECOMPOSED
from stepwell.lowering.graph.decompose_lstm import lstm_steps

DECOMPOSED[nn.LstmOp] = lstm_steps
