"""Derivative of resampling: linear, axis by axis a product with a matrix of weights, whose transpose is that of the matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.ir import SSAValue

from stepwell.dialects import nn
from stepwell.ir.constants import dtype_of
from stepwell.lowering.autodiff.emitter import Emitter, element_of, shape_of
from stepwell.lowering.autodiff.rules import JVP, TRANSPOSE, Tangents, same_op


def _transposed(op: nn.ResizeOp, linear: Sequence[bool], cotangent: SSAValue, e: Emitter) -> Tangents:
    rank = len(shape_of(op.x))
    for axis in reversed(op.resampled_axes()):
        positions, weights = op.taps(axis)
        matrix = np.zeros((len(positions), shape_of(op.x)[axis]))
        np.add.at(matrix, (np.arange(len(positions))[:, None], positions), weights)
        to_last = [d for d in range(rank) if d != axis] + [axis]
        product = e.make(nn.MatmulOp, e.transpose(cotangent, to_last), e.constant(matrix.astype(dtype_of(element_of(op.x)))))
        cotangent = e.transpose(product, [to_last.index(d) for d in range(rank)])
    return [cotangent]


JVP[nn.ResizeOp] = same_op
TRANSPOSE[nn.ResizeOp] = _transposed
