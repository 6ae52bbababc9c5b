"""ONNX operators that draw random numbers. Each element has its own, a function of the seed and of its place (`nn.random_bits`).

A node without a seed takes one from its name: it draws the same numbers in every run, others than the nodes beside it.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto
from xdsl.dialects.builtin import f32, f64
from xdsl.ir import Attribute

from stepwell.dialects import nn
from stepwell.dialects.nn.base import is_float
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.frontends.onnx.tensors import checked_shape, dtype_of_element
from stepwell.ir.constants import dtype_of, element_type_of, tensor_type

U64 = element_type_of(np.dtype(np.uint64))


def seed_of(n: Node) -> int:
    """The seed of a node: the bits of its attribute, or of its name."""
    if n.has("seed"):
        return struct.unpack("<i", struct.pack("<f", n.float("seed")))[0]
    return zlib.crc32("/".join((n.operator, n.proto.name, *n.proto.output)).encode()) - 2**31


def random_bits(n: Node, size: int, seed: int) -> Value:
    """64 random bits for each of so many elements."""
    return n.op(nn.RandomBitsOp, seed=seed, result_type=tensor_type((size,), U64))


def _cut(n: Node, bits: Value, drop: int) -> Value:
    return n.op(nn.ShiftRightOp, bits, n.full(drop, np.uint64))


def uniform(n: Node, shape: Sequence[int], wide: Attribute, seed: int) -> Value:
    """Numbers from 0 to below 1, f32 or f64."""
    checked_shape(shape, 8, "random numbers")
    digits = 53 if wide == f64 else 24
    bits = random_bits(n, math.prod(shape), seed)
    whole = n.cast(_cut(n, bits, 64 - digits), wide)
    return n.reshape(n.mul(whole, n.like(2.0**-digits, whole)), shape)


def normal(n: Node, shape: Sequence[int], wide: Attribute, seed: int) -> Value:
    """Numbers of mean 0 and deviation 1 (Box and Muller 1958): a radius and an angle from the halves of the same bits."""
    checked_shape(shape, 8, "random numbers")
    bits = random_bits(n, math.prod(shape), seed)
    high = n.cast(_cut(n, bits, 40), wide)
    low = n.cast(n.op(nn.BitwiseAndOp, bits, n.full(2**24 - 1, np.uint64)), wide)
    scale, one = n.like(2.0**-24, high), n.like(1, high)
    radius = n.op(nn.SqrtOp, n.mul(n.op(nn.LogOp, n.mul(n.add(high, one), scale)), n.like(-2, high)))
    angle = n.mul(low, n.like(2 * math.pi * 2.0**-24, low))
    return n.reshape(n.mul(radius, n.op(nn.CosOp, angle)), shape)


def _element(n: Node, like: Value | None) -> Attribute:
    if n.has("dtype") or like is None:
        element = element_type_of(dtype_of_element(n.int("dtype", TensorProto.FLOAT), "its result"))
    else:
        element = like.element
    return element if is_float(element) else n.fail(f"it cannot draw numbers of type {dtype_of(element)}")


def _drawn(n: Node, shape: Sequence[int], element: Attribute, draw: Any, offset: float, factor: float) -> Value:
    wide = f64 if element == f64 else f32
    numbers = draw(n, shape, wide, seed_of(n))
    return n.cast(n.add(n.mul(numbers, n.like(factor, numbers)), n.like(offset, numbers)), element)


@converter("RandomUniform")
def _random_uniform(n: Node) -> Value:
    low, high = n.float("low", 0.0), n.float("high", 1.0)
    return _drawn(n, n.ints("shape"), _element(n, None), uniform, low, high - low)


@converter("RandomUniformLike")
def _random_uniform_like(n: Node, x: Value) -> Value:
    low, high = n.float("low", 0.0), n.float("high", 1.0)
    return _drawn(n, x.shape, _element(n, x), uniform, low, high - low)


@converter("RandomNormal")
def _random_normal(n: Node) -> Value:
    return _drawn(n, n.ints("shape"), _element(n, None), normal, n.float("mean", 0.0), n.float("scale", 1.0))


@converter("RandomNormalLike")
def _random_normal_like(n: Node, x: Value) -> Value:
    return _drawn(n, x.shape, _element(n, x), normal, n.float("mean", 0.0), n.float("scale", 1.0))


@converter("Bernoulli")
def _bernoulli(n: Node, x: Value) -> Value:
    """1 with the probability that the element says, else 0."""
    wide = f64 if x.element == f64 else f32
    drawn = n.op(nn.LtOp, uniform(n, x.shape, wide, seed_of(n)), n.cast(x, wide))
    element = element_type_of(dtype_of_element(n.int("dtype"), "its result")) if n.has("dtype") else x.element
    return n.cast(drawn, element)


@converter("Multinomial")
def _multinomial(n: Node, x: Value) -> Value:
    """Classes drawn by unnormalised logarithms of their probabilities [batch, classes]: how many sums of them lie below a number."""
    if x.rank != 2 or not is_float(x.element) or 0 in x.shape:
        n.fail(f"its operand is {x.dtype} of shape {list(x.shape)}, not [batch, classes]")
    samples = n.int("sample_size", 1)
    wide = f64 if x.element == f64 else f32
    sums = n.op(nn.CumsumOp, n.op(nn.SoftmaxOp, n.cast(x, wide), axis=1), axis=1)
    drawn = uniform(n, (x.shape[0], samples, 1), wide, seed_of(n))
    below = n.op(nn.LeOp, n.reshape(sums, (x.shape[0], 1, x.shape[1])), drawn)
    element = element_type_of(dtype_of_element(n.int("dtype", TensorProto.INT32), "its result"))
    found = n.op(nn.ReduceSumOp, n.cast(below, element), axes=[2], keepdims=False)
    return n.op(nn.MinOp, found, n.like(x.shape[1] - 1, found))


def dropout(n: Node, x: Value, ratio: Value, training: Value) -> tuple[Value, Value]:
    """x with a part of its elements dropped and the others scaled, and the mask of those that are kept."""
    if ratio.size != 1 or training.size != 1 or not is_float(ratio.element):
        n.fail(f"its ratio and training_mode have shapes {list(ratio.shape)} and {list(training.shape)}, not one element")
    seed = n.int("seed") if n.has("seed") else seed_of(n)
    drawn = uniform(n, x.shape, f64, seed)
    share, on = n.reshape(n.cast(ratio, f64), ()), n.reshape(training, ())
    everything = n.op(nn.NotOp, on)
    mask = n.op(nn.OrOp, n.op(nn.GeOp, drawn, share), everything)
    wide = f64 if x.element == f64 else f32
    kept = n.sub(n.like(1, share), share)
    scale = n.op(nn.SelectOp, on, n.div(n.like(1, share), kept), n.like(1, share))
    scaled = n.cast(n.mul(n.cast(x, wide), n.cast(scale, wide)), x.element)
    return n.op(nn.SelectOp, mask, scaled, n.like(0, scaled)), mask
