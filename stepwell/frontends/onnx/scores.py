"""What the classifiers and regressors of ai.onnx.ml share: what becomes of scores, and the labels of classes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import UnsupportedOperator

DOMAIN = "ai.onnx.ml"
TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")
"""In the order in which TreeEnsemble numbers them."""


def transformed(n: Node, scores: Value, name: str) -> Value:
    """Scores [N, C] after the transform of this name."""
    functions: dict[str, Callable[[Node, Value], Value]] = {
        "NONE": lambda n, x: x,
        "SOFTMAX": lambda n, x: n.op(nn.SoftmaxOp, x, axis=1),
        "LOGISTIC": lambda n, x: n.op(nn.SigmoidOp, x),
        "SOFTMAX_ZERO": _softmax_zero,
        "PROBIT": _probit,
    }
    if name not in functions:
        n.fail(f"its post_transform is {name!r}", hint=f"it may be {', '.join(TRANSFORMS)}")
    return functions[name](n, scores)


def _softmax_zero(n: Node, x: Value) -> Value:
    """A softmax in which zeros stay zeros."""
    top = n.op(nn.ReduceMaxOp, x, axes=[1], keepdims=True)
    zero = n.op(nn.LeOp, n.op(nn.AbsOp, x), n.like(1e-7, x))
    powers = n.op(nn.SelectOp, zero, n.mul(x, n.op(nn.ExpOp, n.op(nn.NegOp, top))), n.op(nn.ExpOp, n.sub(x, top)))
    total = n.op(nn.ReduceSumOp, powers, axes=[1], keepdims=True)
    nothing = n.op(nn.EqOp, total, n.like(0, total))
    shares = n.div(powers, n.op(nn.SelectOp, nothing, n.like(1, total), total))
    return n.op(nn.SelectOp, nothing, n.like(0.5, shares), shares)


def _probit(n: Node, x: Value) -> Value:
    """The inverse of the normal distribution, by Winitzki's approximation of the inverse error function."""
    one = n.like(1, x)
    centred = n.sub(n.mul(x, n.like(2, x)), one)
    log = n.op(nn.LogOp, n.mul(n.sub(one, centred), n.add(one, centred)))
    half = n.add(n.mul(log, n.like(0.5, log)), n.like(2 / (math.pi * 0.147), log))
    inner = n.op(nn.SqrtOp, n.sub(n.mul(half, half), n.mul(log, n.like(1 / 0.147, log))))
    root = n.op(nn.SqrtOp, n.sub(inner, half))
    inverse = n.mul(n.op(nn.SelectOp, n.op(nn.LtOp, centred, n.like(0, centred)), n.op(nn.NegOp, root), root), n.like(math.sqrt(2), root))
    return inverse


def class_labels(n: Node, integers: str = "classlabels_int64s") -> list[int]:
    """The labels of the classes as integers. Labels that are strings can only be left out."""
    labels = n.ints(integers, ())
    if labels:
        return labels
    texts = n.strs("classlabels_strings", ())
    if texts and n.wanted(0):
        raise UnsupportedOperator("labels that are strings")
    return list(range(len(texts)))


def labelled(n: Node, places: Value, labels: list[int]) -> Value:
    """The label of each place."""
    return n.op(nn.GatherOp, n.constant(np.array(labels, np.int64)), places, axis=0)
