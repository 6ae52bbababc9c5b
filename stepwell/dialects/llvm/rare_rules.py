"""What must hold of rare `llvm` operations beyond what their rows say."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import (
    IntegerAttr,
    IntegerType,
    VectorType,
    i1,
)
from xdsl.ir import Attribute, Operation
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.llvm.compatible import is_llvm_float
from stepwell.dialects.llvm.kinds import is_pointer, scalar
from stepwell.dialects.llvm.rules import RULES
from stepwell.dialects.llvm.types import LLVMStructType
from stepwell.ir.rules import Rule, holds, shown, width


def is_atomic(type: Attribute) -> bool:
    """A type that one atomic access can hold: at least a byte, a power of two of bits."""
    if is_pointer(type):
        return True
    bits = width(type)
    return (isinstance(type, IntegerType) or is_llvm_float(type)) and bits >= 8 and bits & (bits - 1) == 0


def _integer(op: Operation, name: str) -> int:
    value = op.properties.get(name)
    return cast("IntegerAttr[Any]", value).value.data if isinstance(value, IntegerAttr) else 0


def verify_rmw(op: Any) -> None:
    kind, type = _integer(op, "bin_op"), op.val.type
    if kind in (11, 12, 13, 14, 19, 20, 21, 22):
        if isinstance(type, VectorType):
            if not is_llvm_float(scalar(cast(Attribute, type))):
                raise VerifyException("expected LLVM IR floating point type for vector element")
        elif not is_llvm_float(type):
            raise VerifyException("expected LLVM IR floating point type")
    elif kind == 0:
        if not is_atomic(type):
            raise VerifyException("unexpected LLVM IR type for 'xchg' bin_op")
    elif not isinstance(type, IntegerType) or width(type) not in (8, 16, 32, 64):
        raise VerifyException("expected LLVM IR integer type")
    if _integer(op, "ordering") < 2:
        raise VerifyException("expected at least 'monotonic' ordering")


def verify_cmpxchg(op: Any) -> None:
    if not is_atomic(op.val.type):
        raise VerifyException("unexpected LLVM IR type")
    success, failure = _integer(op, "success_ordering"), _integer(op, "failure_ordering")
    if min(success, failure) < 2:
        raise VerifyException("ordering must be at least 'monotonic'")
    if failure in (5, 6):
        raise VerifyException("failure ordering cannot be 'release' or 'acq_rel'")


def verify_fence(op: Any) -> None:
    if _integer(op, "ordering") < 4:
        raise VerifyException("can be given only acquire, release, acq_rel, and seq_cst orderings")


def _same(first: str, second: str, a: int, b: int, *, result: bool = False) -> Rule:
    def condition(op: Operation) -> bool:
        left = op.results[a].type if result else op.operands[a].type
        return left == op.operands[b].type

    return holds(f"failed to verify that {first} and {second} have the same type", condition)


def struct_of(*types: Attribute) -> Attribute:
    return LLVMStructType.from_type_list(types)


RULES["llvm.atomicrmw"] = (*RULES["llvm.atomicrmw"], _same("result #0", "operand #1", 0, 1, result=True))
RULES["llvm.cmpxchg"] = (
    *RULES["llvm.cmpxchg"],
    _same("operand #1", "operand #2", 1, 2),
    holds(
        "failed to verify that result #0 has an LLVM struct type consisting of the type of operand #2 and a bool",
        lambda op: op.results[0].type == struct_of(op.operands[2].type, i1),
    ),
)


def verify_address(op: Any) -> None:
    from stepwell.dialects.dlti import pointer_width

    bits, type = pointer_width(op, op.operands[0].type), scalar(op.results[0].type)
    if width(type) != bits:
        what = f"bit-width of integer result type '{shown(type)}' must match the pointer bitwidth ({bits}) specified in the datalayout"
        raise VerifyException(what)


def verify_sincos(op: Any) -> None:
    type, result = op.operands[0].type, op.results[0].type
    if not isinstance(result, LLVMStructType) or tuple(result.types) != (type, type):
        raise VerifyException("expected result type to be an homogeneous struct with two elements matching the operand type")


def _bits(type: Any) -> int:
    return type.get_shape()[0] * width(type.element_type)


def _scalable(type: Any) -> bool:
    return type.get_num_scalable_dims() > 0


def _vectors_fit(a: str, b: str, verb: str, into: str) -> tuple[Rule, ...]:
    def small(op: Any) -> bool:
        return max(_bits(getattr(op, a).type), _bits(getattr(op, b).type)) <= 131072

    def kind(op: Any) -> bool:
        return not _scalable(getattr(op, a).type) or _scalable(getattr(op, b).type)

    return (
        holds("failed to verify that vectors are not bigger than 2^17 bits.", small),
        holds(f"failed to verify that it is not {verb} scalable {into} fixed-length vectors.", kind),
    )


RULES["llvm.intr.vector.insert"] = _vectors_fit("srcvec", "dstvec", "inserting", "into")
RULES["llvm.intr.vector.extract"] = _vectors_fit("res", "srcvec", "extracting", "from")


def _twice(op: Any) -> bool:
    a, r = op.vec1.type, op.res.type
    return r.get_shape()[0] == 2 * a.get_shape()[0] and r.element_type == a.element_type and _scalable(r) == _scalable(a)


RULES["llvm.intr.vector.interleave2"] = (
    holds("failed to verify that all of {vec1, vec2} have same type", lambda op: op.vec1.type == op.vec2.type),
    holds("failed to verify that result has twice as many elements as 'vec1'", _twice),
)
