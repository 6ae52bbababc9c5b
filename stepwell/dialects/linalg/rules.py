"""What must hold of the small ops of `linalg`, in MLIR's words."""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import IntegerAttr, i64
from xdsl.ir import Attribute, Operation
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.linalg.verify import verify_yield
from stepwell.ir.rules import Rule, attribute, fail


def _structured_parent(op: Operation) -> Any:
    parent = op.parent_op()
    if parent is None or not hasattr(parent, "get_iterator_types"):
        raise VerifyException("expected parent op with LinalgOp interface")
    return parent


def _dim_of_loops(op: Operation) -> None:
    dim = cast("IntegerAttr[Any]", op.properties["dim"]).value.data
    loops = len(_structured_parent(op).get_iterator_types())
    if dim >= loops:
        fail(f"expected dim ({dim}) to be lower than the number of loops ({loops}) of the enclosing LinalgOp")


def _yields_elements(op: Operation) -> None:
    verify_yield(op, _structured_parent(op).outputs)


def _is_dim(value: Attribute) -> bool:
    if not isinstance(value, IntegerAttr):
        return False
    number = cast("IntegerAttr[Any]", value)
    return number.type == i64 and number.value.data >= 0


RULES: dict[str, tuple[Rule, ...]] = {
    "linalg.index": (attribute("dim", "64-bit signless integer attribute whose minimum value is 0", _is_dim), _dim_of_loops),
    "linalg.yield": (_yields_elements,),
}
