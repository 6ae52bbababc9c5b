"""Gradients against PyTorch's, where it is installed: `pip install torch`, or its folder in STEPWELL_TORCH."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy
import pytest
from test_trace import rand, run

import stepwell.numpy as np
from stepwell import nn
from stepwell.frontends.trace.derivatives import grad

if folder := os.environ.get("STEPWELL_TORCH"):
    sys.path.append(folder)
torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch, or name its folder in STEPWELL_TORCH")
F: Any = torch.nn.functional

LABELS = numpy.array([0, 2, 1, 1])
CASES: list[tuple[str, Callable[..., Any], Callable[..., Any], Sequence[Any]]] = [
    ("conv", lambda x, w, b: nn.conv(x, w, b, stride=2, padding=1), lambda x, w, b: F.conv2d(x, w, b, 2, 1),
     [rand(2, 4, 9, 8), rand(6, 4, 3, 3), rand(6)]),
    ("groups", lambda x, w: nn.conv(x, w, dilation=2, groups=2), lambda x, w: F.conv2d(x, w, dilation=2, groups=2),
     [rand(2, 4, 9, 8), rand(6, 2, 3, 3)]),
    ("conv1d", lambda x, w: nn.conv(x, w, padding=1), lambda x, w: F.conv1d(x, w, padding=1), [rand(2, 4, 9), rand(6, 4, 3)]),
    ("conv_transpose", lambda x, w: nn.conv_transpose(x, w, stride=2, padding=1, output_padding=1),
     lambda x, w: F.conv_transpose2d(x, w, None, 2, 1, 1), [rand(2, 4, 5, 4), rand(4, 3, 3, 3)]),
    ("max_pool", lambda x: nn.max_pool(x, 3, stride=2, padding=1), lambda x: F.max_pool2d(x, 3, 2, 1), [rand(2, 3, 8, 7)]),
    ("avg_pool", lambda x: nn.avg_pool(x, 3, stride=1, padding=1), lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False),
     [rand(2, 3, 8, 7)]),
    ("layer_norm", nn.layer_norm, lambda x, s, b: F.layer_norm(x, (5,), s, b), [rand(3, 4, 5), rand(5), rand(5, seed=1)]),
    ("group_norm", lambda x, s, b: nn.group_norm(x, 2, s, b), lambda x, s, b: F.group_norm(x, 2, s, b),
     [rand(2, 4, 3, 3), rand(4), rand(4, seed=1)]),
    ("attention", lambda q, k, v: nn.attention(q, k, v, causal=True),
     lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
     [rand(1, 2, 4, 3), rand(1, 2, 4, 3, seed=1), rand(1, 2, 4, 5)]),
    ("embedding", lambda t: nn.embedding(LABELS, t), lambda t: F.embedding(torch.tensor(LABELS), t), [rand(5, 3)]),
    ("cross_entropy", lambda x: nn.cross_entropy(x, LABELS, label_smoothing=0.1),
     lambda x: F.cross_entropy(x, torch.tensor(LABELS), label_smoothing=0.1), [rand(4, 3)]),
    *((name, getattr(nn, name), getattr(F, name), [rand(4, 5)]) for name in ("gelu", "silu", "mish", "elu", "softplus", "leaky_relu")),
    ("relu at 0", nn.relu, F.relu, [numpy.array([-1, 0, 1], numpy.float32)]),
    ("abs at 0", np.abs, lambda x: x.abs(), [numpy.array([-1, 0, 1], numpy.float32)]),
    ("maximum of equals", np.maximum, torch.maximum, [numpy.array([1, 2, 0], numpy.float32), numpy.array([1, 1, 2], numpy.float32)]),
    ("max of equals", lambda x: np.max(x, axis=1), lambda x: torch.amax(x, 1), [numpy.array([[1, 1, 0], [0, 2, 1]], numpy.float32)]),
    ("clip at bounds", lambda x: np.clip(x, -1, 1), lambda x: x.clamp(-1, 1), [numpy.array([-2, -1, 0, 1, 2], numpy.float32)]),
    ("prod with zeros", lambda x: np.prod(x, axis=1), lambda x: x.prod(1), [numpy.array([[2, 0, 3], [0, 0, 1]], numpy.float32)]),
    ("power", lambda x, y: x**y, lambda x, y: x**y, [numpy.array([0.5, 2, 3], numpy.float32), numpy.array([2, 0, -1.5], numpy.float32)]),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs", "arrays"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_gradients_are_pytorchs(ours: Callable[..., Any], theirs: Callable[..., Any], arrays: Sequence[Any]) -> None:
    wide = [a.astype(numpy.float64) for a in arrays]
    tensors = [torch.tensor(a, requires_grad=True) for a in wide]
    result = theirs(*tensors)
    weights = numpy.random.default_rng(1).standard_normal(tuple(result.shape))
    (result * torch.tensor(weights)).sum().backward()
    gradients = run(grad(lambda *values: np.sum(ours(*values) * weights), tuple(range(len(wide)))), *wide)
    for have, want in zip(gradients, tensors, strict=True):
        numpy.testing.assert_allclose(have, want.grad.numpy(), rtol=1e-9, atol=1e-9)
