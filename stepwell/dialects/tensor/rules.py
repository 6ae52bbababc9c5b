"""What must hold of operands and results of `tensor`, in MLIR's words (`stepwell.ir.rules`)."""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import IntegerType, TensorType, UnrankedTensorType
from xdsl.ir import Attribute

from stepwell.ir.rules import (
    INDEX,
    Kind,
    Rule,
    element,
    is_float,
    operand,
    operands,
    result,
    results,
)

ANY_TENSOR = Kind("tensor of any non-token type values", lambda t: isinstance(t, (TensorType, UnrankedTensorType)))
RANKED_TENSOR = Kind("ranked tensor of any non-token type values", lambda t: isinstance(t, TensorType))


def _has_dimensions(type: Attribute) -> bool:
    shaped: Any = type
    return isinstance(type, UnrankedTensorType) or (isinstance(type, TensorType) and shaped.get_num_dims() > 0)


def _has_bits(type: Attribute) -> bool:
    inner = element(type)
    return isinstance(type, (TensorType, UnrankedTensorType)) and (isinstance(inner, IntegerType) or is_float(inner))


DIMENSIONED = Kind("non-0-ranked or unranked tensor", _has_dimensions)
BITS = Kind("tensor of signless integer or unsigned integer or signed integer or floating-point values", _has_bits)

_SLICE = (operand(0, RANKED_TENSOR), operands(INDEX, 1), results(RANKED_TENSOR))
_INSERT = (operand(0, RANKED_TENSOR), operand(1, RANKED_TENSOR), operands(INDEX, 2), results(RANKED_TENSOR))

RULES: dict[str, tuple[Rule, ...]] = {
    "tensor.bitcast": (operand(0, BITS), result(0, BITS)),
    "tensor.cast": (operand(0, ANY_TENSOR), result(0, ANY_TENSOR)),
    "tensor.collapse_shape": (operand(0, RANKED_TENSOR), result(0, RANKED_TENSOR)),
    "tensor.concat": (operands(RANKED_TENSOR), result(0, RANKED_TENSOR)),
    "tensor.dim": (operand(0, DIMENSIONED), operand(1, INDEX), result(0, INDEX)),
    "tensor.empty": (operands(INDEX), result(0, RANKED_TENSOR)),
    "tensor.expand_shape": (operand(0, RANKED_TENSOR), operands(INDEX, 1), result(0, RANKED_TENSOR)),
    "tensor.extract": (operand(0, RANKED_TENSOR), operands(INDEX, 1)),
    "tensor.extract_slice": _SLICE,
    "tensor.generate": (operands(INDEX), result(0, RANKED_TENSOR)),
    "tensor.insert": (operand(1, RANKED_TENSOR), operands(INDEX, 2), result(0, RANKED_TENSOR)),
    "tensor.insert_slice": _INSERT,
    "tensor.pad": _SLICE,
    "tensor.parallel_insert_slice": _INSERT,
    "tensor.rank": (operand(0, ANY_TENSOR), result(0, INDEX)),
    "tensor.reshape": (operand(0, ANY_TENSOR), result(0, ANY_TENSOR)),
    "tensor.splat": (operands(INDEX, 1), result(0, RANKED_TENSOR)),
}
