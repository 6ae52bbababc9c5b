"""Which operations may run although the program would not have run them: those that can neither trap nor have undefined behaviour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr, MemRefType, TensorType
from xdsl.ir import Operation, SSAValue
from xdsl.traits import is_speculatable as trait_says

from stepwell.ir.rewrite.folding import constant_of


def is_speculatable(op: Operation) -> bool:
    """Whether `op` may be run where the program would not."""
    condition = CONDITIONS.get(op.name)
    return trait_says(op) if condition is None else condition(op)


def _numbers(value: SSAValue) -> tuple[int, ...] | None:
    """The integers of a constant."""
    constant = constant_of(value)
    if isinstance(constant, IntegerAttr):
        return (constant.value.data,)
    if isinstance(constant, DenseIntOrFPElementsAttr):
        return tuple(map(int, constant.get_values()))
    return None


def _not_by_zero(op: Operation) -> bool:
    divisors = _numbers(op.operands[1])
    return divisors is not None and 0 not in divisors


def _without_overflow(op: Operation) -> bool:
    divisors = _numbers(op.operands[1])
    return divisors is not None and 0 not in divisors and -1 not in divisors


def _inside(op: Operation) -> bool:
    return all(is_speculatable(inner) for region in op.regions for block in region.blocks for inner in block.ops)


def _is_one(value: SSAValue) -> bool:
    return _numbers(value) == (1,)


def _dimension_in_bounds(op: Operation) -> bool:
    type, index = op.operands[0].type, _numbers(op.operands[1])
    return isinstance(type, TensorType | MemRefType) and index is not None and 0 <= index[0] < type.get_num_dims()


def _on_tensors(op: Operation) -> bool:
    return not any(isinstance(value.type, MemRefType) for value in op.operands) and _inside(op)


def _ends_and_inside(op: Any) -> bool:
    """A step of 1 cannot step over the greatest index."""
    constant = not op.lowerBoundOperands and not op.upperBoundOperands
    return (constant or op.step.value.data == 1) and _inside(op)


def _tiles_known(op: Any) -> bool:
    return not op.inner_tiles or (op.name == "linalg.pack" and op.padding_value is not None)


UNSIGNED = ("divui", "ceildivui", "remui", "divu", "ceildivu", "remu")
SIGNED = ("divsi", "ceildivsi", "floordivsi", "remsi", "divs", "ceildivs", "floordivs", "rems")

CONDITIONS: dict[str, Callable[[Any], bool]] = {
    **{f"{dialect}.{name}": _not_by_zero for dialect in ("arith", "index") for name in UNSIGNED},
    **{f"{dialect}.{name}": _without_overflow for dialect in ("arith", "index") for name in SIGNED},
    "scf.if": _inside,
    "scf.index_switch": _inside,
    "scf.execute_region": _inside,
    "scf.yield": lambda op: True,
    "scf.condition": lambda op: True,
    "scf.reduce": _inside,
    "scf.reduce.return": lambda op: True,
    "scf.for": lambda op: _is_one(op.operands[2]) and _inside(op),  # it ends
    "affine.for": _ends_and_inside,
    "affine.if": _inside,
    "affine.yield": lambda op: True,
    "scf.parallel": _inside,
    "tensor.dim": _dimension_in_bounds,
    "memref.dim": _dimension_in_bounds,
    "linalg.generic": _on_tensors,
    "linalg.yield": lambda op: True,
    "linalg.pack": _tiles_known,
    "linalg.unpack": _tiles_known,
}
"""By the name of the operation, where it depends on more than the kind of operation."""
