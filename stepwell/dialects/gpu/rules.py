"""What must hold of `gpu` operations, as rows of a table with MLIR's words. The rare operations add theirs when they are defined."""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AffineMapAttr,
    ArrayAttr,
    DenseArrayBase,
    FunctionType,
    IntegerAttr,
    MemRefType,
    StridedLayoutAttr,
    i32,
)
from xdsl.ir import Attribute, Operation

from stepwell.ir.rules import Rule, attribute, fail


def has_unit_stride(type: Attribute) -> bool:
    """Whether neighbours in the last dimension of a buffer are neighbours in memory."""
    if not isinstance(type, MemRefType):
        return False
    layout: Any = cast("MemRefType[Any]", type).layout
    if isinstance(layout, StridedLayoutAttr):
        last: Any = layout.strides.data[-1] if layout.strides.data else None
        return last is None or getattr(last, "data", None) == 1
    if isinstance(layout, AffineMapAttr):
        strides = layout.data.results
        return str(strides[-1]).endswith(f"d{layout.data.num_dims - 1}") if strides else True
    return True


_SIZES = "i32 dense array attribute with 3 elements (if present) and all elements >= 1"


def _is_size(value: Attribute) -> bool:
    if not isinstance(value, DenseArrayBase):
        return False
    values = cast("DenseArrayBase[Any]", value).get_values()
    return len(values) == 3 and min(int(v) for v in values) >= 1


def _sizes(name: str) -> Rule:
    def rule(op: Operation) -> None:
        value = op.attributes.get(name) or op.properties.get(name)
        if value is not None and not _is_size(value):
            fail(f"attribute '{name}' failed to satisfy constraint: {_SIZES}")

    return rule


def _targets(op: Operation) -> None:
    value = op.properties.get("targets")
    if value is None:
        return
    items = list(cast("ArrayAttr[Attribute]", value)) if isinstance(value, ArrayAttr) else []
    if not items or any(isinstance(item, IntegerAttr) for item in items):
        fail("attribute 'targets' failed to satisfy constraint: array of GPU target attributes with at least 1 elements")


def _returns(op: Operation) -> None:
    around = op.parent_op()
    while around is not None and around.name != "gpu.func":
        around = around.parent_op()
    if around is None:
        return
    wanted = cast(Any, around).function_type.outputs.data
    if len(wanted) != len(op.operands):
        fail(f"expected {len(wanted)} result operands")
    for index, (type, value) in enumerate(zip(wanted, op.operands, strict=True)):
        if type != value.type:
            fail(f"unexpected type `{value.type}' for operand #{index}")


def _copies(op: Any) -> None:
    a, b = op.dst.type, op.src.type
    if a.element_type != b.element_type:
        fail("arguments have incompatible element type")
    if len(a.get_shape()) != len(b.get_shape()) or any(
        x != y for x, y in zip(a.get_shape(), b.get_shape(), strict=True) if DYNAMIC_INDEX not in (x, y)
    ):
        fail("arguments have incompatible shape")


def _fills(op: Any) -> None:
    if op.dst.type.element_type != op.value.type:
        fail("failed to verify that all of {dst, value} have same element type")


def _allocates(op: Any) -> None:
    type = op.memref.type
    dynamic = list(type.get_shape()).count(DYNAMIC_INDEX)
    if len(op.dynamicSizes) != dynamic:
        fail(f"incorrect number of dynamic sizes, has {len(op.dynamicSizes)}, expected {dynamic}")
    symbols = type.layout.data.num_symbols if isinstance(type.layout, AffineMapAttr) else 0
    if len(op.symbolOperands) != symbols:
        fail("symbol operand count does not equal memref symbol count")


RULES: dict[str, tuple[Rule, ...]] = {
    "gpu.func": (
        attribute("function_type", "type attribute of function type", lambda a: isinstance(a, FunctionType)),
        *(_sizes(f"known_{what}_size") for what in ("block", "grid", "cluster")),
    ),
    "gpu.module": (_targets,),
    "gpu.return": (_returns,),
    "gpu.memcpy": (_copies,),
    "gpu.memset": (_fills,),
    "gpu.alloc": (_allocates,),
}
"""By operation."""


def verify_attribute(op: Operation, name: str, value: Attribute, argument: int | None) -> None:
    """Sizes of launches that a function knows of: three numbers."""
    if name not in ("gpu.known_block_size", "gpu.known_grid_size", "gpu.known_cluster_size"):
        return
    if not isinstance(value, DenseArrayBase) or cast("Any", value).elt_type != i32:
        fail(f"{name} must be a dense i32 array")
    if len(cast("Any", value)) != 3:
        fail(f"{name} must contain exactly 3 elements")
