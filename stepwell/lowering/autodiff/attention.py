"""Derivatives of attention and rotary embedding: those of what they are made of."""

from __future__ import annotations

from stepwell.dialects import nn
from stepwell.lowering.autodiff.rules import DECOMPOSED
from stepwell.lowering.graph.decompose_attention import attention, rotary_embedding

DECOMPOSED[nn.AttentionOp] = attention
DECOMPOSED[nn.RotaryEmbeddingOp] = rotary_embedding
