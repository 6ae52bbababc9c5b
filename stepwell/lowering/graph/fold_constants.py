"""Ops whose operands are all constants are computed now.

In: level 1. Out: the same with `nn.constant` in place of those ops. Results that would make constants much larger (a broadcast, an iota)
stay ops.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import Operation

from stepwell.dialects import nn
from stepwell.dialects.nn.base import DYNAMIC, NnOp
from stepwell.dialects.nn.binary import BinaryOp
from stepwell.dialects.nn.unary import UnaryOp
from stepwell.ir.constants import array_of, dense, dtype_of, is_splat, splat
from stepwell.ir.diagnostics import CompileError
from stepwell.ir.locations import place
from stepwell.ir.passes import Pass
from stepwell.lowering.graph.values import constant_attribute

Dense = DenseIntOrFPElementsAttr[Any]

ELEMENTWISE = (UnaryOp, BinaryOp, nn.SelectOp, nn.CastOp)
MOVING = (nn.ReshapeOp, nn.TransposeOp, nn.BroadcastToOp, nn.SliceOp)
"""Ops of one operand that compute nothing: of a splat they are a splat."""

GROWTH = 8
"""Results may be so many times larger than what they are computed from."""


@dataclass(frozen=True)
class FoldConstants(Pass):
    """Evaluate ops of constants by their reference meaning; splats stay one element.

    ```mlir
    %a = nn.constant dense<[1.0, 2.0]> : tensor<2xf32>
    %b = nn.constant dense<3.0> : tensor<2xf32>
    %c = nn.add %a, %b : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
    ```
    becomes
    ```mlir
    %c = nn.constant dense<[4.0, 5.0]> : tensor<2xf32>
    ```
    """

    name: ClassVar[str] = "nn-fold-constants"

    limit: int = 1 << 20
    """Results up to so many bytes are always computed, larger ones only if they are not much larger than their operands."""

    def run(self, op: Operation, ctx: Context) -> None:
        for inner in list(op.walk()):
            if isinstance(inner, NnOp) and not isinstance(inner, nn.ConstantOp):
                self._fold(inner)

    def _fold(self, op: NnOp) -> None:
        operands = [constant_attribute(o) for o in op.operands]
        if any(o is None for o in operands) or not op.results:
            return
        constants: list[Dense] = [o for o in operands if o is not None]
        values = _as_splat(op, constants)
        if values is None:
            if self._too_large(op, constants):
                return
            values = _computed(op, constants)
        block = op.parent_block()
        assert block is not None
        for result, value in zip(op.results, values, strict=True):
            constant = nn.ConstantOp.create(result_types=(value.type,), properties={"value": value}, location=op.location)
            block.insert_op_before(constant, op)
            constant.y.name_hint = result.name_hint
            result.replace_all_uses_with(constant.y)
        op.detach()
        op.erase()

    def _too_large(self, op: NnOp, constants: list[Dense]) -> bool:
        types: list[Any] = [r.type for r in op.results]
        if any(DYNAMIC in t.get_shape() for t in types):
            return True
        size = sum(int(np.prod(t.get_shape(), dtype=np.int64)) * dtype_of(t.element_type).itemsize for t in types)
        return size > self.limit and size > GROWTH * sum(len(c.data.data) for c in constants)


def _as_splat(op: NnOp, constants: list[Dense]) -> list[Dense] | None:
    """The result as a splat where every operand is one and the op keeps it so; else None."""
    if not constants or not all(is_splat(c) for c in constants) or not isinstance(op, ELEMENTWISE + MOVING):
        return None
    shape = op.result_type.get_shape()
    if DYNAMIC in shape:
        return None
    if isinstance(op, MOVING):
        return [splat(_element(constants[0]).item(), op.result_type)]
    (result,) = op.evaluate(*(_element(c) for c in constants))
    return [splat(result.item(), op.result_type)]


def _element(constant: Dense) -> Any:
    return np.frombuffer(constant.data.data, dtype_of(constant.get_element_type())).reshape(())


def _computed(op: NnOp, constants: list[Dense]) -> list[Dense]:
    types: list[Any] = [r.type for r in op.results]
    try:
        results = op.evaluate(*(array_of(c) for c in constants))
    except (IndexError, ValueError, ZeroDivisionError) as error:
        what = f"{op.name} of constants cannot be computed: {error}"
        raise CompileError(what, location=place(op), hint="its result is undefined") from error
    return [dense(np.asarray(r), t) for r, t in zip(results, types, strict=True)]
