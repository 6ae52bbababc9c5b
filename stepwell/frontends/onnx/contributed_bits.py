"""MatMulNBits of com.microsoft: products with weights of a few bits, in blocks with a scale each, which stay packed."""

from __future__ import annotations

import math

import numpy as np

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter
from stepwell.ir.constants import Array

DOMAIN = "com.microsoft"


@converter("MatMulNBits", domain=DOMAIN)
def _matmul_n_bits(
    n: Node,
    a: Value,
    b: Value,
    scales: Value,
    zeros: Value | None = None,
    order: Value | None = None,
    bias: Value | None = None,
) -> Value:
    """A times the weights. They are known and keep their bits; only their bytes are put into the order in which a product walks."""
    bits, block, columns, rows = n.int("bits", 4), n.int("block_size"), n.int("N"), n.int("K")
    if bits not in (2, 4, 8) or block < 1 or columns < 1 or rows < 1 or a.shape[-1:] != (rows,):
        n.fail(f"{bits} bits in blocks of {block}, {rows} x {columns} weights, an operand of shape {list(a.shape)}")
    blocks, parts = -(-rows // block), 8 // bits
    packed, factors = n.known(b, "weights"), n.known(scales, "scales")
    if packed.dtype != np.uint8 or packed.size * parts != columns * blocks * block or factors.size != columns * blocks or block % parts:
        n.fail(f"{packed.size} bytes of weights and {factors.size} scales do not fit {columns} columns of {blocks} blocks")
    packed, factors = packed.reshape(columns, blocks, block // parts), factors.reshape(columns, blocks)
    offsets = np.full((1, 1), 1 << (bits - 1), np.float32)
    if zeros is not None:
        given = n.known(zeros, "zero points")
        few = given.dtype == np.uint8
        if given.size != columns * (-(-blocks // parts) if few else blocks):
            n.fail(f"{given.size} zero points do not fit {columns} columns of {blocks} blocks")
        offsets = (_unpacked(given.reshape(columns, -1), bits)[:, :blocks] if few else given.reshape(columns, blocks)).astype(np.float32)
    lead = a.shape[:-1]
    if order is not None:
        y = n.op(nn.MatmulOp, a, n.constant(_in_groups(n, packed, factors, offsets, n.known(order, "g_idx"), bits, rows).astype(a.dtype)))
    else:
        if blocks * block > rows:
            a = n.op(nn.ConcatOp, a, n.full(0, a.dtype, (*lead, blocks * block - rows)), axis=a.rank - 1)
        cut = n.reshape(a, (math.prod(lead), blocks, block // parts, parts))
        parameters = [n.constant(np.ascontiguousarray(x.T).astype(a.dtype)) for x in (factors, offsets)]
        weights = n.constant(np.ascontiguousarray(packed.transpose(1, 2, 0)))
        y = n.reshape(n.op(nn.BlockQuantizedMatmulOp, cut, weights, *parameters), (*lead, columns))
    return y if bias is None else n.add(y, bias)


def _in_groups(n: Node, packed: Array, factors: Array, offsets: Array, groups: Array, bits: int, rows: int) -> Array:
    """The real weights [K, N] where each row has the scale of a block of its own choice; only models of old have these."""
    columns, blocks, _ = packed.shape
    groups = groups.reshape(-1)
    if groups.size != rows or groups.min(initial=0) < 0 or groups.max(initial=0) >= blocks:
        n.fail(f"g_idx of {groups.size} numbers does not fit {rows} rows in {blocks} blocks")
    numbers = _unpacked(packed.reshape(columns, -1), bits)[:, :rows].astype(np.float32)
    wide = np.broadcast_to(offsets, factors.shape)
    return np.ascontiguousarray(((numbers - wide[:, groups]) * factors.astype(np.float32)[:, groups]).T)


def _unpacked(data: Array, bits: int) -> Array:
    """Numbers of 2, 4 or 8 bits, the lowest of each byte first."""
    parts = [(data >> shift) & ((1 << bits) - 1) for shift in range(0, 8, bits)]
    return np.stack(parts, -1).reshape(data.shape[0], -1)
