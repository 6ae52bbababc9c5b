"""A kernel as text that is the same wherever kernels say the same: made for comparing, many times faster than printing.

In: a kernel at level 2. Out: a digest of it, names of values and functions and locations left out. `extents=False` leaves out the extents
of tensors, too, but for extents of 1, which are another kernel.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any, cast

from xdsl.dialects import func
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Block, SSAValue

_UNSAID = frozenset({"sym_name", "sym_visibility", "function_type"})


def describe(kernel: func.FuncOp, *, extents: bool = True) -> str:
    """The digest of a kernel."""
    parts: list[str] = []
    _attributes(parts, kernel.properties)
    _attributes(parts, kernel.attributes)
    for block in kernel.body.blocks:
        _block(parts, block, {}, extents)
    return blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def _block(parts: list[str], block: Block, numbers: dict[SSAValue, int], extents: bool) -> None:
    type_text = _text if extents else _without_extents
    for arg in block.args:
        numbers[arg] = len(numbers)
    parts.append("^ " + " ".join([type_text(arg.type) for arg in block.args]))
    for op in block.ops:
        parts.append(f"{op.name} {[numbers[operand] for operand in op.operands]} {[type_text(type) for type in op.result_types]}")
        _attributes(parts, op.properties)
        _attributes(parts, op.attributes)
        for result in op.results:
            numbers[result] = len(numbers)
        for region in op.regions:
            for inner in region.blocks:
                _block(parts, inner, numbers, extents)
            parts.append("}")


def _attributes(parts: list[str], attributes: dict[str, Attribute]) -> None:
    for name in sorted(attributes):
        if name not in _UNSAID:
            parts.append(f"{name}={_text(attributes[name])}")


@lru_cache(1 << 14)
def _text(attribute: Attribute) -> str:
    return str(attribute)


@lru_cache(1 << 14)
def _without_extents(type: Attribute) -> str:
    if not isinstance(type, TensorType):
        return _text(type)
    tensor = cast("TensorType[Any]", type)
    return f"{['1' if extent == 1 else '?' for extent in tensor.get_shape()]} {tensor.element_type} {tensor.encoding}"
