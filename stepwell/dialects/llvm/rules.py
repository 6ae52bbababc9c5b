"""What must hold of `llvm` operations, as rows of a table with MLIR's words. The rare operations add theirs when they are defined."""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, StringAttr, VectorType
from xdsl.ir import Attribute, Operation

from stepwell.dialects.attr_table import Body
from stepwell.dialects.llvm.compatible import is_compatible
from stepwell.dialects.llvm.kinds import KINDS, address_space, is_pointer, scalar
from stepwell.ir.rules import Kind, Rule, attribute, element, fail, operand, operands, result, results, shown, width

TYPE, POINTER, NONAGGREGATE, SIZED = (KINDS[name] for name in ("type", "pointer", "nonaggregate", "sized"))
VECTOR_OF_INT, VECTOR_OF_FLOAT, VECTOR_OF_POINTER = (KINDS[name] for name in ("vecint", "vecfloat", "vecptr"))
VARIADIC_TYPE = Kind("variadic of LLVM dialect-compatible type", is_compatible)


def _metadata_array(name: str, held: str, summary: str) -> Rule:
    def rule(op: Operation) -> None:
        value = op.properties.get(name)
        if value is None:
            return
        fits = isinstance(value, ArrayAttr) and all(
            isinstance(item, Body) and item.name == held for item in cast("ArrayAttr[Attribute]", value)
        )
        if not fits:
            fail(f"attribute '{name}' failed to satisfy constraint: {summary}")

    return rule


ALIASING = (
    _metadata_array("access_groups", "llvm.access_group", "LLVM dialect access group metadata array"),
    _metadata_array("alias_scopes", "llvm.alias_scope", "LLVM dialect alias scope array"),
    _metadata_array("noalias_scopes", "llvm.alias_scope", "LLVM dialect alias scope array"),
    _metadata_array("tbaa", "llvm.tbaa_tag", "LLVM dialect TBAA tag metadata array"),
)


def _is_vector(type: Attribute) -> bool:
    return isinstance(type, VectorType)


def _extension(op: Operation) -> None:
    source, dest = op.operands[0].type, op.results[0].type
    if _is_vector(source):
        if not _is_vector(dest):
            fail("input type is a vector but output type is an integer")
        if cast(Any, source).get_shape() != cast(Any, dest).get_shape():
            fail("input and output vectors are of incompatible shape")
    elif _is_vector(dest):
        fail("input type is an integer but output type is a vector")
    if width(element(dest)) <= width(element(source)):
        fail("integer width of the output type is smaller or equal to the integer width of the input type")


def _bitcast(op: Operation) -> None:
    source, dest = op.operands[0].type, op.results[0].type
    from_pointer, to_pointer = is_pointer(scalar(source)), is_pointer(scalar(dest))
    if "llvm.byte" in (scalar(source).name, scalar(dest).name):
        return
    if from_pointer != to_pointer:
        fail("can only cast pointers from and to pointers")
    if not to_pointer:
        return
    if _is_vector(dest) and not _is_vector(source):
        fail("cannot cast pointer to vector of pointers")
    if _is_vector(source) and not _is_vector(dest):
        fail("cannot cast vector of pointers to pointer")
    if address_space(scalar(source)) != address_space(scalar(dest)):
        fail("cannot cast pointers of different address spaces, use 'llvm.addrspacecast' instead")


def _vector_operand(index: int) -> Rule:
    def rule(op: Operation) -> None:
        type = op.operands[index].type
        if not _is_vector(type):
            fail(f"invalid kind of type specified: expected builtin.vector, but found '{shown(type)}'")

    return rule


def _extracts(op: Operation) -> None:
    if op.results[0].type != scalar(op.operands[0].type):
        fail("failed to verify that result type matches vector element type")


def _inserts(op: Operation) -> None:
    if op.operands[1].type != scalar(op.operands[0].type):
        fail("failed to verify that argument type matches vector element type")


def _splat_mask(op: Any) -> None:
    type = op.operands[0].type
    if _is_vector(type) and type.get_num_scalable_dims() and any(op.mask.get_values()):
        fail("expected a splat operation for scalable vectors")


def _no_musttail(op: Operation) -> None:
    kind = op.properties.get("tail_call_kind")
    if kind is not None and str(cast(Any, kind).data) == "musttail":
        fail("tail call kind 'musttail' is not supported")


def _switch(op: Any) -> None:
    weights, cases = op.properties.get("branch_weights"), op.properties.get("case_values")
    if weights is not None and len(weights) != len(op.successors):
        fail(f"expects number of branch weights to match number of successors: {len(weights)} vs {len(op.successors)}")
    if cases is not None and cases.get_element_type() != op.operands[0].type:
        fail("expects case value type to match condition value type")


RULES: dict[str, tuple[Rule, ...]] = {
    "llvm.load": (operand(0, POINTER), result(0, SIZED), *ALIASING),
    "llvm.store": (operand(0, SIZED), operand(1, POINTER), *ALIASING),
    "llvm.call": (operands(VARIADIC_TYPE), results(TYPE), *ALIASING),
    "llvm.func": (
        attribute("function_type", "type attribute of LLVM function type", lambda a: a.name == "llvm.func"),
        attribute("sym_name", "string attribute", lambda a: isinstance(a, StringAttr)),
    ),
    "llvm.atomicrmw": ALIASING,
    "llvm.cmpxchg": ALIASING,
    "llvm.inline_asm": (_no_musttail,),
    "llvm.switch": (_switch,),
    "llvm.zext": (_extension,),
    "llvm.sext": (_extension,),
    "llvm.bitcast": (operand(0, NONAGGREGATE), result(0, NONAGGREGATE), _bitcast),
    "llvm.addrspacecast": (operand(0, VECTOR_OF_POINTER), result(0, VECTOR_OF_POINTER)),
    "llvm.extractelement": (_vector_operand(0), _extracts),
    "llvm.insertelement": (_vector_operand(0), _inserts),
    "llvm.shufflevector": (_vector_operand(0), _splat_mask),
    "llvm.mlir.zero": (result(0, TYPE),),
    "llvm.mlir.undef": (result(0, TYPE),),
    "llvm.mlir.poison": (result(0, TYPE),),
    "llvm.mlir.addressof": (result(0, POINTER),),
    "llvm.inttoptr": (operand(0, VECTOR_OF_INT), result(0, VECTOR_OF_POINTER)),
    "llvm.ptrtoint": (operand(0, VECTOR_OF_POINTER), result(0, VECTOR_OF_INT)),
}
"""By operation."""
