"""Losses. All are scalars: the mean over samples (or what `reduction` says: "mean", "sum", or "none" for one number each)."""

from __future__ import annotations

import numpy

import stepwell.numpy as np
from stepwell.frontends.trace.frame import fail
from stepwell.frontends.trace.values import Value, dtype_of_value, shape_of, to_dtype
from stepwell.nn.functions import log_softmax, softplus


def _reduced(loss: Value, reduction: str) -> Value:
    if reduction == "none":
        return loss
    if reduction not in ("mean", "sum"):
        fail(f"reduction is {reduction!r}", hint="it may be 'mean', 'sum' or 'none'")
    return np.mean(loss) if reduction == "mean" else np.sum(loss)


def nll(log_probabilities: Value, labels: Value, *, ignore_index: int | None = None, reduction: str = "mean") -> Value:
    """Minus the log probability of each label; classes are the last axis. Labels equal to `ignore_index` do not count."""
    if shape_of(labels) != shape_of(log_probabilities)[:-1]:
        fail(
            f"labels of shape {list(shape_of(labels))} for scores of shape {list(shape_of(log_probabilities))}",
            hint="classes are the last axis",
        )
    if ignore_index is None:
        return _reduced(-_picked(log_probabilities, labels), reduction)
    counts = np.not_equal(labels, ignore_index)
    loss = np.where(counts, -_picked(log_probabilities, np.where(counts, labels, 0)), 0)
    if reduction != "mean":
        return _reduced(loss, reduction)
    return np.sum(loss) / np.maximum(np.sum(to_dtype(counts, dtype_of_value(loss))), 1)


def _picked(x: Value, labels: Value) -> Value:
    return np.squeeze(np.take_along_axis(x, np.expand_dims(labels, -1), -1), -1)


def cross_entropy(
    logits: Value, labels: Value, *, label_smoothing: float = 0.0, ignore_index: int | None = None, reduction: str = "mean"
) -> Value:
    """Minus the log of the softmax at each label (whole numbers), or against probabilities of every class (a tensor like the logits)."""
    log_probabilities = log_softmax(logits)
    classes = shape_of(logits)[-1]
    if dtype_of_value(labels).kind not in "iu":
        if shape_of(labels) != shape_of(logits):
            fail(f"probabilities of shape {list(shape_of(labels))} for logits of shape {list(shape_of(logits))}")
        smooth = labels * (1 - label_smoothing) + label_smoothing / classes
        return _reduced(-np.sum(smooth * log_probabilities, -1), reduction)
    loss = nll(log_probabilities, labels, ignore_index=ignore_index, reduction=reduction)
    if not label_smoothing:
        return loss
    if ignore_index is not None:
        fail("cross_entropy: label_smoothing with ignore_index is not written yet")
    even = _reduced(-np.mean(log_probabilities, -1), reduction)
    return (1 - label_smoothing) * loss + label_smoothing * even


def mse(x: Value, y: Value, *, reduction: str = "mean") -> Value:
    """The squared distance."""
    return _reduced(np.square(x - y), reduction)


def l1(x: Value, y: Value, *, reduction: str = "mean") -> Value:
    """The absolute distance."""
    return _reduced(np.abs(x - y), reduction)


def huber(x: Value, y: Value, *, delta: float = 1.0, reduction: str = "mean") -> Value:
    """Half the squared distance up to delta, linear beyond it."""
    distance = np.abs(x - y)
    return _reduced(np.where(distance <= delta, 0.5 * distance * distance, delta * (distance - 0.5 * delta)), reduction)


def bce_with_logits(logits: Value, labels: Value, *, reduction: str = "mean") -> Value:
    """Binary cross-entropy of sigmoid(logits), without overflow: max(x, 0) - x y + log(1 + exp(-|x|))."""
    return _reduced(np.maximum(logits, 0) - logits * labels + softplus(-np.abs(logits)), reduction)


def focal(logits: Value, labels: Value, *, gamma: float = 2.0, alpha: float = 0.25, reduction: str = "mean") -> Value:
    """Binary cross-entropy that counts (1 - p)^gamma for what is classified with probability p already; alpha weighs positive labels.

    Lin et al. 2017 (arXiv 1708.02002).
    """
    loss = bce_with_logits(logits, labels, reduction="none")
    right = np.exp(-loss)
    weight = alpha * labels + (1 - alpha) * (1 - labels)
    return _reduced(weight * (1 - right) ** gamma * loss, reduction)


def kl_divergence(log_q: Value, p: Value, *, reduction: str = "mean") -> Value:
    """sum of p (log p - log q) over the last axis; 0 log 0 is 0."""
    tiny = numpy.finfo(numpy.float32).tiny
    return _reduced(np.sum(p * (np.log(np.maximum(p, tiny)) - log_q), -1), reduction)
