"""Operators of com.microsoft that exporters and ONNX Runtime's optimiser write: activations, norms, embeddings.

They are imported as the ops that they were fused from; what pays to be one kernel is found again by the passes on `nn`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.onnx.conv import convolution
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.ir.constants import element_type_of

DOMAIN = "com.microsoft"
I32, I64, F32 = (element_type_of(np.dtype(t)) for t in (np.int32, np.int64, np.float32))

# ---- activations --------------------------------------------------------------------------------------------------------------------


@converter("BiasGelu", domain=DOMAIN)
def _bias_gelu(n: Node, x: Value, bias: Value) -> Value:
    return n.op(nn.GeluOp, n.add(x, bias))


@converter("QuickGelu", domain=DOMAIN)
def _quick_gelu(n: Node, x: Value) -> Value:
    """x sigmoid(alpha x)."""
    return n.mul(x, n.op(nn.SigmoidOp, n.mul(x, n.like(n.float("alpha", 1.702), x))))


@converter("FusedConv", domain=DOMAIN)
def _fused_conv(n: Node, x: Value, w: Value, bias: Value | None = None, z: Value | None = None) -> Value:
    """activation(conv(x, w) + bias + z)."""
    y = convolution(n, x, w, bias)
    return activated(n, y if z is None else n.add(y, z), n.str("activation"), n.floats("activation_params"))


def activated(n: Node, y: Value, name: str, given: Sequence[float]) -> Value:
    """What a fused node does last; `given` are the parameters that it states."""

    def parameter(index: int, default: float) -> float:
        return given[index] if index < len(given) else default

    functions: dict[str, Callable[[], Value]] = {
        "": lambda: y,
        "Relu": lambda: n.op(nn.ReluOp, y),
        "Tanh": lambda: n.op(nn.TanhOp, y),
        "Sigmoid": lambda: n.op(nn.SigmoidOp, y),
        "LeakyRelu": lambda: n.op(nn.LeakyReluOp, y, alpha=parameter(0, 0.01)),
        "Clip": lambda: n.op(nn.ClipOp, y, min=parameter(0, -math.inf), max=parameter(1, math.inf)),
        "HardSigmoid": lambda: n.op(nn.HardSigmoidOp, y, alpha=parameter(0, 0.2), beta=parameter(1, 0.5)),
    }
    return functions[name]() if name in functions else n.unsupported(f"the activation {name!r}")


# ---- norms and embeddings -------------------------------------------------------------------------------------------------------------


@converter("SimplifiedLayerNormalization")
@converter("SimplifiedLayerNormalization", domain=DOMAIN)
def _simplified_layer_norm(n: Node, x: Value, scale: Value) -> Value:
    """RMS normalisation, before it was ONNX's."""
    return n.op(nn.RmsNormOp, x, scale, axis=n.axis(n.int("axis", -1), x.rank), epsilon=n.float("epsilon", 1e-5))


@converter("SkipSimplifiedLayerNormalization", domain=DOMAIN)
def _skip_simplified_layer_norm(n: Node, x: Value, skip: Value, scale: Value, offset: Value | None = None) -> Sequence[Value]:
    """The RMS norm of x + skip + offset; output 3 is the sum itself."""
    if n.wanted(1) or n.wanted(2):
        n.unsupported("its moments are used")
    total = n.add(x, skip)
    total = total if offset is None else n.add(total, offset)
    y = n.op(nn.RmsNormOp, total, scale, axis=total.rank - 1, epsilon=n.float("epsilon", 1e-12))
    return y, total, total, total


@converter("EmbedLayerNormalization", domain=DOMAIN)
def _embed_layer_norm(
    n: Node,
    ids: Value,
    segments: Value | None,
    words: Value,
    positions: Value,
    segment_table: Value | None,
    scale: Value,
    bias: Value,
    mask: Value | None = None,
    position_ids: Value | None = None,
) -> Sequence[Value]:
    """(the layer norm of the sum of embeddings, how many tokens the mask keeps of each row, the sum)."""
    if ids.rank != 2:
        n.fail(f"its tokens have shape {list(ids.shape)}, not [batch, sequence]")
    batch, length = ids.shape
    place = n.constant(np.arange(length, dtype=np.int64)) if position_ids is None else position_ids
    total = n.add(n.op(nn.GatherOp, words, ids, axis=0), n.op(nn.GatherOp, positions, place, axis=0))
    if segments is not None and segment_table is not None:
        total = n.add(total, n.op(nn.GatherOp, segment_table, segments, axis=0))
    kept = n.full(0, np.int32, (batch,)) if mask is None else n.op(nn.ReduceSumOp, n.cast(mask, I32), axes=[1], keepdims=False)
    return n.op(nn.LayerNormOp, total, scale, bias, epsilon=n.float("epsilon", 1e-12)), kept, total
