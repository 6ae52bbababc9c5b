"""ONNX matrix products."""

from __future__ import annotations

from stepwell.dialects import nn
from stepwell.frontends.onnx.node import Node, Value
from stepwell.frontends.onnx.registry import converter


@converter("MatMul")
def _matmul(n: Node, a: Value, b: Value) -> Value:
    return n.op(nn.MatmulOp, a, b)


@converter("Gemm")
def _gemm(n: Node, a: Value, b: Value, c: Value | None = None) -> Value:
    """alpha A B + beta C, either operand perhaps transposed."""
    if a.rank != 2 or b.rank != 2:
        n.fail(f"its operands have shapes {list(a.shape)} and {list(b.shape)}, not two axes each")
    a = n.transpose(a, (1, 0)) if n.int("transA") else a
    b = n.transpose(b, (1, 0)) if n.int("transB") else b
    y = n.op(nn.MatmulOp, a, b)
    alpha, beta = n.float("alpha", 1.0), n.float("beta", 1.0)
    if y.dtype.kind in "iu" and not (alpha.is_integer() and beta.is_integer()):
        n.unsupported(f"alpha {alpha} and beta {beta} on integers")
    if alpha != 1.0:
        y = n.mul(y, n.like(alpha, y))
    if c is None or beta == 0.0:
        return y
    return n.add(y, c if beta == 1.0 else n.mul(c, n.like(beta, c)))


@converter("FusedMatMul", domain="com.microsoft")
def _fused_matmul(n: Node, a: Value, b: Value) -> Value:
    """alpha A B, the last two axes of either operand perhaps exchanged."""
    if n.int("transBatchA") or n.int("transBatchB"):
        n.unsupported("transBatchA and transBatchB are not imported")
    a = _swap_last(n, a) if n.int("transA") else a
    b = _swap_last(n, b) if n.int("transB") else b
    y = n.op(nn.MatmulOp, a, b)
    alpha = n.float("alpha", 1.0)
    return y if alpha == 1.0 else n.mul(y, n.like(alpha, y))


def _swap_last(n: Node, x: Value) -> Value:
    return x if x.rank < 2 else n.transpose(x, (*range(x.rank - 2), x.rank - 1, x.rank - 2))


@converter("Einsum")
def _einsum(n: Node, *operands: Value) -> Value:
    """A sum of products over named axes, two operands at a time, as batched matrix products."""
    from stepwell.frontends.onnx.einsum import einsum

    return einsum(n, n.str("equation"), operands)
