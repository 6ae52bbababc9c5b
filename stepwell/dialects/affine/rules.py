"""What must hold of the operations of `affine`, in upstream's order and words (`stepwell.ir.rules`)."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import IndexType, IntegerAttr, IntegerType, VectorType
from xdsl.ir import Attribute, BlockArgument, Operation
from xdsl.ir.affine import AffineMap
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.affine.maps import verify_dims_and_symbols
from stepwell.dialects.memref.rules import LOCALITY, RANKED
from stepwell.ir.rules import Kind, Rule, element, fail, is_float, operand, operands, results

INDICES = Kind("variadic of index", lambda t: isinstance(t, IndexType))
ONE_INDEX = Kind("index", lambda t: isinstance(t, IndexType))
COUNTS = "operand count and affine map dimension and symbol count must match"


def _inputs(map: AffineMap) -> int:
    return map.num_dims + map.num_symbols


# ---- index arithmetic -------------------------------------------------------------------------------------------------------------


def _apply(op: Any) -> None:
    map: AffineMap = op.map.data
    if len(op.operands) != _inputs(map):
        fail(COUNTS)
    if len(map.results) != 1:
        fail("mapping must produce one value")
    for value in op.operands[map.num_dims :]:
        # Upstream refuses a symbol only where it is sure that it is none.
        parent = value.block.parent_op() if isinstance(value, BlockArgument) else None
        if parent is not None and parent.name in ("affine.for", "affine.parallel"):
            fail("dimensional operand cannot be used as a symbol")


def _extremum(op: Any) -> None:
    map: AffineMap = op.map.data
    if len(op.operands) != _inputs(map):
        fail(COUNTS)
    if not map.results:
        fail("affine map expect at least one result")


# ---- accesses ---------------------------------------------------------------------------------------------------------------------


def _access(op: Any) -> None:
    map: AffineMap = op.map.data
    rank = op.memref.type.get_num_dims()
    if len(map.results) != rank:
        fail("affine map num results must equal memref rank")
    if len(op.indices) != _inputs(map):
        fail("expects as many subscripts as affine map inputs")
    verify_dims_and_symbols(op.indices, map.num_dims)


def _stored_type(op: Any) -> None:
    if op.operands[0].type != element(op.operands[1].type):
        fail("value to store must have the same type as memref element type")


def _vector_elements(op: Operation) -> None:
    vector = op.results[0].type if op.results else op.operands[0].type
    memref = op.operands[0 if op.results else 1].type
    if isinstance(vector, VectorType) and element(memref) != vector.element_type:
        fail("requires memref and vector types of the same elemental type")


# ---- loops and conditions -----------------------------------------------------------------------------------------------------------


def _bounds(op: Any) -> None:
    step = op.properties.get("step")
    if isinstance(step, IntegerAttr) and step.value.data <= 0:
        fail(f"expected step to be a positive integer, got {step.value.data}")
    arguments = op.body.blocks[0].args if op.body.blocks else ()
    if not arguments or not isinstance(arguments[0].type, IndexType):
        fail("expected body to have an index argument for the induction variable")
    for what, map, values in (
        ("lower", op.lowerBoundMap.data, op.lowerBoundOperands),
        ("upper", op.upperBoundMap.data, op.upperBoundOperands),
    ):
        if not map.results:
            fail(f"expected {what} bound map to have at least one result")
        if len(values) == _inputs(map):
            verify_dims_and_symbols(values, map.num_dims)
    if len(op.inits) != len(op.results):
        fail("mismatch between the number of loop-carried values and results")


def _condition(op: Any) -> None:
    condition = op.condition.data
    if len(op.args) != condition.num_dims + condition.num_symbols:
        fail("operand count and condition integer set dimension and symbol count must match")
    verify_dims_and_symbols(op.args, condition.num_dims)


def _parallel(op: Any) -> None:
    loops = len(op.body.block.args) if op.body.blocks else 0
    lower, upper = op.lowerBoundsGroups.get_values(), op.upperBoundsGroups.get_values()
    if not loops == len(lower) == len(upper) == len(op.steps):
        groups = f"the number of map groups for lower ({len(lower)}) and upper bound ({len(upper)})"
        fail(f"the number of region arguments ({loops}) and {groups}, and the number of steps ({len(op.steps)}) must all match")
    for what, map, sizes in (("lower", op.lowerBoundsMap.data, lower), ("upper", op.upperBoundsMap.data, upper)):
        if loops and not map.results:
            fail(f"expected {what} bound map to have at least one result")
        if sum(sizes) != len(map.results):
            fail(f"expected {what} bounds map to have {sum(sizes)} results")
    if len(op.reductions) != len(op.results):
        fail("a reduction must be specified for each output")
    for kind, type in zip(op.reductions, op.result_types, strict=True):
        if not _reduces(kind, type):
            fail("result type cannot match reduction attribute")


def _reduces(kind: Attribute, type: Attribute) -> bool:
    """Whether a kind of reduction, by its number, has a neutral element of the type."""
    from stepwell.dialects.affine.control import REDUCTIONS

    name = REDUCTIONS[cast("IntegerAttr[Any]", kind).value.data]
    if name == "assign":
        return True
    return is_float(type) if name.endswith("f") else isinstance(type, IntegerType)


def _yielded(op: Operation) -> None:
    """What ends a region gives what its operation takes."""
    parent = op.parent_op()
    if parent is None or not parent.name.startswith("affine."):
        raise VerifyException("only terminates affine.if/for/parallel regions")
    if len(parent.results) != len(op.operands):
        fail("parent of yield must have same number of results as the yield operands")
    if tuple(parent.result_types) != tuple(op.operand_types):
        fail("types mismatch between yield op and its parent")


RULES: dict[str, tuple[Rule, ...]] = {
    "affine.apply": (operands(INDICES), results(ONE_INDEX), _apply),
    "affine.for": (_bounds,),
    "affine.if": (_condition,),
    "affine.load": (operand(0, RANKED), _access),
    "affine.max": (operands(INDICES), results(ONE_INDEX), _extremum),
    "affine.min": (operands(INDICES), results(ONE_INDEX), _extremum),
    "affine.parallel": (operands(INDICES), _parallel),
    "affine.prefetch": (operand(0, RANKED), LOCALITY, _access),
    "affine.store": (operand(1, RANKED), _stored_type, _access),
    "affine.vector_load": (operand(0, RANKED), _vector_elements, _access),
    "affine.vector_store": (operand(1, RANKED), _vector_elements, _access),
    "affine.yield": (_yielded,),
}
