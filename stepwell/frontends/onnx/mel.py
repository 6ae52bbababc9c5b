"""ONNX MelWeightMatrix: how much each bin of a spectrum belongs to each of the overlapping triangles of the mel scale."""

from __future__ import annotations

import math

import numpy as np
from onnx import TensorProto
from xdsl.dialects.builtin import f64

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.tensors import dtype_of_element
from stepwell.ir.constants import element_type_of

MAX_ELEMENTS = 2**26


@converter("MelWeightMatrix")
def _mel_weight_matrix(n: Node, bands: Value, length: Value, rate: Value, lower: Value, upper: Value) -> Value:
    """[length / 2 + 1, bands]. How many there are of each must be known; rate and edges need not."""
    count, size = n.known_int(bands, "num_mel_bins"), n.known_int(length, "dft_length")
    if count < 1 or size < 1 or count * size > MAX_ELEMENTS:
        n.fail(f"num_mel_bins is {count}, dft_length {size}")
    rate, lower, upper = (_scalar(n, value) for value in (rate, lower, upper))
    # The edges of all triangles are equally far apart in mel: 2595 log10(1 + f / 700).
    low, high = (_mel(n, edge) for edge in (lower, upper))
    step = n.div(n.sub(high, low), n.like(count + 2, high))
    mels = n.add(n.mul(n.constant(np.arange(count + 2, dtype=np.float64)), step), low)
    power = n.op(nn.ExpOp, n.mul(mels, n.like(math.log(10) / 2595, mels)))
    hertz = n.mul(n.sub(power, n.like(1, power)), n.like(700, power))
    # In bins, rounded down; the sum is exact, so that a whole number stays one.
    edges = n.op(nn.FloorOp, n.div(n.mul(hertz, n.like(size + 1, hertz)), rate))
    left, centre, right = (n.op(nn.SliceOp, edges, starts=[i], ends=[i + count], steps=[1]) for i in range(3))
    place = n.constant(np.arange(size // 2 + 1, dtype=np.float64).reshape(-1, 1))
    zero = n.like(0, place)
    rising = _slope(n, n.sub(place, left), n.sub(centre, left))
    # A triangle without a left side is 1 at its centre.
    rising = n.op(nn.SelectOp, n.op(nn.EqOp, left, centre), n.like(1, place), rising)
    falling = _slope(n, n.sub(right, place), n.sub(right, centre))
    at_least_left, below_right = n.op(nn.GeOp, place, left), n.op(nn.LtOp, place, right)
    before = n.op(nn.LeOp, place, centre)
    # What the falling side says holds from the centre on, where there is one.
    on_left = n.op(nn.AndOp, at_least_left, before)
    on_right = n.op(nn.AndOp, n.op(nn.GeOp, place, centre), below_right)
    weights = n.op(nn.SelectOp, on_right, falling, n.op(nn.SelectOp, on_left, rising, zero))
    return n.cast(weights, element_type_of(dtype_of_element(n.int("output_datatype", TensorProto.FLOAT), "its result")))


def _scalar(n: Node, value: Value) -> Value:
    if value.size != 1:
        n.fail(f"an input of shape {list(value.shape)} is not one number")
    return n.cast(n.reshape(value, ()), f64)


def _mel(n: Node, hertz: Value) -> Value:
    ratio = n.add(n.div(hertz, n.like(700, hertz)), n.like(1, hertz))
    return n.mul(n.op(nn.LogOp, ratio), n.like(2595 / math.log(10), ratio))


def _slope(n: Node, distance: Value, length: Value) -> Value:
    zero = n.like(0, length)
    return n.div(distance, n.op(nn.SelectOp, n.op(nn.EqOp, length, zero), n.like(1, length), length))
