"""ONNX Fourier transforms of known length, as products with constant matrices of cosines and sines."""

from __future__ import annotations

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.shape import slice_axis

MAX_LENGTH = 4096
"""The matrix of a transform has this many rows and columns."""


@converter("DFT", since=17)
def _dft_attribute(n: Node, x: Value, length: Value | None = None) -> Value:
    return _dft(n, x, length, n.int("axis", 1))


@converter("DFT", since=20)
def _dft_input(n: Node, x: Value, length: Value | None = None, axis: Value | None = None) -> Value:
    return _dft(n, x, length, -2 if axis is None else n.known_int(axis, "axis"))


def _dft(n: Node, x: Value, length: Value | None, axis: int) -> Value:
    """The transform along an axis of [..., 1 or 2], real or complex."""
    if x.rank < 2 or x.shape[-1] not in (1, 2):
        n.fail(f"its operand has shape {list(x.shape)}; the last axis must be 1 (real) or 2 (complex)")
    axis = n.axis(axis, x.rank)
    if axis == x.rank - 1:
        n.fail("its axis is that of real and imaginary parts")
    inverse, onesided = bool(n.int("inverse")), bool(n.int("onesided"))
    bins = x.shape[axis]
    size = (2 * (bins - 1) if inverse and onesided else bins) if length is None else n.known_int(length, "dft_length")
    if not 0 < size <= MAX_LENGTH:
        n.unsupported(f"a length of {size}; it may be up to {MAX_LENGTH}")
    if inverse and onesided:
        x = _mirrored(n, _fitted(n, x, axis, size // 2 + 1), axis, size)
        return slice_axis(n, _transformed(n, x, axis, size, size, inverse=True), x.rank - 1, 0, 1)
    return _transformed(n, _fitted(n, x, axis, size), axis, size, size // 2 + 1 if onesided else size, inverse=inverse)


def _fitted(n: Node, x: Value, axis: int, size: int) -> Value:
    """Cut, or padded with zeros, to an extent."""
    if x.shape[axis] >= size:
        return slice_axis(n, x, axis, 0, size)
    low, high = [0] * x.rank, [0] * x.rank
    high[axis] = size - x.shape[axis]
    return n.op(nn.PadOp, x, low=low, high=high)


def _mirrored(n: Node, x: Value, axis: int, size: int) -> Value:
    """All bins of the transform of a real signal: the second half is the conjugate of the first in reverse."""
    positions = np.array([k if k <= size // 2 else size - k for k in range(size)], np.int64)
    sign = np.where(np.arange(size) <= size // 2, 1, -1).astype(x.dtype)
    signs = np.stack([np.ones(size, x.dtype), sign], 1)[:, : x.shape[-1]]
    signs = signs.reshape([size if d == axis else x.shape[-1] if d == x.rank - 1 else 1 for d in range(x.rank)])
    return n.mul(n.op(nn.GatherOp, x, n.constant(positions), axis=axis), n.constant(signs))


def _transformed(n: Node, x: Value, axis: int, size: int, bins: int, *, inverse: bool) -> Value:
    """[..., size along axis, ..., 1 or 2] -> [..., bins along axis, ..., 2]."""
    # The axis moves beside the parts: [..., size parts] times [size parts, bins 2].
    order = [d for d in range(x.rank) if d not in (axis, x.rank - 1)]
    parts = x.shape[-1]
    lead = [x.shape[d] for d in order]
    flat = n.reshape(n.transpose(x, [*order, axis, x.rank - 1]), (*lead, size * parts))
    y = n.op(nn.MatmulOp, flat, n.constant(fourier_matrix(size, bins, parts, inverse=inverse).astype(x.dtype)))
    y = n.reshape(y, (*lead, bins, 2))
    back = [*order, axis, x.rank - 1]
    return n.transpose(y, [back.index(d) for d in range(x.rank)])


def fourier_matrix(size: int, bins: int, parts: int, *, inverse: bool) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """[size parts, bins 2]: rows are (sample, real or imaginary), columns (bin, real or imaginary)."""
    angle = 2 * np.pi * (np.outer(np.arange(size), np.arange(bins)) % size) / size
    cosine, sine = np.cos(angle), np.sin(angle) * (1 if inverse else -1)
    real = np.stack([cosine, sine], -1)  # what a real sample gives
    imaginary = np.stack([-sine, cosine], -1)
    rows = np.stack([real, imaginary][:parts], 1)
    return (rows / size if inverse else rows).reshape(size * parts, bins * 2)


@converter("STFT", since=17)
def _stft(n: Node, signal: Value, step: Value, window: Value | None = None, length: Value | None = None) -> Value:
    """The transforms of windows that overlap: [batch, samples, 1 or 2] -> [batch, frames, bins, 2]."""
    stride = n.known_int(step, "frame_step")
    size = n.known_int(length, "frame_length") if length is not None else window.shape[0] if window is not None else signal.shape[1]
    if signal.rank != 3 or signal.shape[2] not in (1, 2) or not 0 < size <= signal.shape[1] or stride < 1:
        n.fail(f"frames of {size} samples every {stride} do not fit a signal of shape {list(signal.shape)}")
    if size > MAX_LENGTH:
        n.unsupported(f"a length of {size}; it may be up to {MAX_LENGTH}")
    frames = (signal.shape[1] - size) // stride + 1
    where = np.arange(frames, dtype=np.int64)[:, None] * stride + np.arange(size, dtype=np.int64)
    x = n.op(nn.GatherOp, signal, n.constant(where), axis=1)
    if window is not None:
        if window.shape != (size,):
            n.fail(f"its window has shape {list(window.shape)} for frames of {size} samples")
        x = n.mul(x, n.reshape(window, (size, 1)))
    return _transformed(n, x, 2, size, size // 2 + 1 if n.int("onesided", 1) else size, inverse=False)
