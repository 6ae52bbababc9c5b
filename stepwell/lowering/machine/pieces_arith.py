"""Pieces of `arith` ops: one LLVM instruction each for most; f16 and bf16 compute in f32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xdsl.dialects.builtin import FloatAttr, IntegerAttr
from xdsl.ir import Operation, SSAValue

from stepwell.ir.constants import array_of, is_splat
from stepwell.ir.text.narrow import as_dense
from stepwell.lowering.machine.conversions import bfloat_bits, float_to_float, from_f32, to_f32
from stepwell.lowering.machine.emit_tables import piece
from stepwell.lowering.machine.layout import Element, vector_text
from stepwell.lowering.machine.sink import Token
from stepwell.lowering.machine.walk import Walk, attribute, unsupported

# ---- constants ------------------------------------------------------------------------------------------------------------------


def number(value: Any, element: Element) -> float | int:
    """A numpy or attribute number as the sink wants it."""
    if element.kind == "bfloat":
        return bfloat_bits(float(value))
    return int(value) if element.kind == "int" else float(value)


def constant_splat(value: SSAValue) -> float | int | None:
    """The number that all elements of a constant are; None if it is not one constant."""
    op = value.owner
    if not isinstance(op, Operation):
        return None
    if op.name == "arith.constant":
        held = attribute(op, "value")
        if isinstance(held, FloatAttr | IntegerAttr):
            return held.value.data
        dense = as_dense(held)
        if dense is not None and is_splat(dense):
            return array_of(dense).reshape(-1)[0].item()
    elif op.name == "vector.broadcast":
        return constant_splat(op.operands[0])
    return None


@piece("arith.constant")
def emit_constant(w: Walk, op: Operation, piece: int) -> Token:
    layout = w.layout(op.results[0])
    element = layout.element
    held = attribute(op, "value")
    if isinstance(held, FloatAttr | IntegerAttr):
        return w.sink.splat(0, element.llvm, number(held.value.data, element))
    dense = as_dense(held)
    if dense is None:
        raise unsupported(op, f"holds {held}, which has no machine form")
    values = array_of(dense)
    lanes = layout.lanes_of(piece)
    if is_splat(dense):
        token = w.sink.splat(lanes, element.llvm, number(values.reshape(-1)[0], element))
        table = w.frame.tables[op.results[0]]  # constants hold everywhere: all pieces of this width at once
        for other in range(layout.count):
            if layout.lanes_of(other) == lanes:
                table[other] = token
        return token
    row, chunk = divmod(piece, layout.chunks)
    first = row * layout.shape[-1] + chunk * layout.lanes if lanes else piece
    numbers = [number(v, element) for v in np.asarray(values).reshape(-1)[first : first + max(lanes, 1)]]
    return w.sink.vector(element.llvm, numbers) if lanes else w.sink.splat(0, element.llvm, numbers[0])


# ---- floating point -------------------------------------------------------------------------------------------------------------

FloatBody = Callable[[str, list[Token]], Token]


def in_f32(w: Walk, element: Element, lanes: int, operands: list[Token], body: FloatBody) -> Token:
    """Apply `body(type, operands)` in the type itself, or in f32 for the 16-bit types."""
    if element.kind == "float":
        return body(vector_text(lanes, element.llvm), operands)
    wide = [to_f32(w, element, lanes, operand) for operand in operands]
    return from_f32(w, element, lanes, body(vector_text(lanes, "float"), wide))


def _float_op(w: Walk, op: Operation, piece: int, body: FloatBody) -> Token:
    layout = w.layout(op.results[0])
    return in_f32(w, layout.element, layout.lanes_of(piece), [w.piece(o, piece) for o in op.operands], body)


def _register_binary(names: dict[str, str]) -> None:
    for name, opcode in names.items():

        @piece(name)
        def emit(w: Walk, op: Operation, piece: int, opcode: str = opcode) -> Token:
            layout = w.layout(op.results[0])
            a, b = w.piece(op.operands[0], piece), w.piece(op.operands[1], piece)
            if layout.element.kind in ("float", "int"):
                return w.sink.binary(opcode, layout.type_of(piece), a, b)
            return in_f32(w, layout.element, layout.lanes_of(piece), [a, b], lambda t, x: w.sink.binary(opcode, t, x[0], x[1]))


_register_binary({"arith.addf": "fadd", "arith.subf": "fsub", "arith.mulf": "fmul", "arith.divf": "fdiv", "arith.remf": "frem"})


@piece("arith.negf")
def emit_negf(w: Walk, op: Operation, piece: int) -> Token:
    return _float_op(w, op, piece, lambda type, x: w.sink.negate(type, x[0]))


def maximum(
    w: Walk, greater: bool, type: str, a: Token, b: Token, lanes: int, *, a_is_number: bool = False, b_is_number: bool = False
) -> Token:
    """arith.maximumf / minimumf: NaN if an operand is NaN. Zeros of different sign are equal (the sign of the result is either)."""
    if a_is_number and not b_is_number:
        a, b, a_is_number, b_is_number = b, a, b_is_number, a_is_number
    predicate = "ogt" if greater else "olt"
    i1 = vector_text(lanes, "i1")
    if b_is_number:  # select(b > a, b, a) is one instruction and gives a if a is NaN
        return w.sink.select(i1, w.sink.compare("fcmp", predicate, type, b, a), type, b, a)
    larger = w.sink.select(i1, w.sink.compare("fcmp", predicate, type, a, b), type, a, b)  # b if one is NaN
    return w.sink.select(i1, w.sink.compare("fcmp", "uno", type, a, a), type, a, larger)


def maxnum(
    w: Walk, greater: bool, type: str, a: Token, b: Token, lanes: int, *, a_is_number: bool = False, b_is_number: bool = False
) -> Token:
    """arith.maxnumf / minnumf: the other operand if one is NaN."""
    if a_is_number and not b_is_number:
        a, b, a_is_number, b_is_number = b, a, b_is_number, a_is_number
    predicate = "ogt" if greater else "olt"
    i1 = vector_text(lanes, "i1")
    larger = w.sink.select(i1, w.sink.compare("fcmp", predicate, type, a, b), type, a, b)  # b if one is NaN
    if b_is_number:
        return larger
    return w.sink.select(i1, w.sink.compare("fcmp", "uno", type, b, b), type, a, larger)


def is_number(value: SSAValue) -> bool:
    """Whether a value is a constant that is not NaN."""
    known = constant_splat(value)
    return known is not None and known == known  # not NaN


def _register_extremes() -> None:
    for name, rule, greater in (
        ("arith.maximumf", maximum, True),
        ("arith.minimumf", maximum, False),
        ("arith.maxnumf", maxnum, True),
        ("arith.minnumf", maxnum, False),
    ):

        @piece(name)
        def emit(w: Walk, op: Operation, piece: int, rule: Any = rule, greater: bool = greater) -> Token:
            lanes = w.layout(op.results[0]).lanes_of(piece)
            known = [is_number(o) for o in op.operands]
            return _float_op(w, op, piece, lambda t, x: rule(w, greater, t, x[0], x[1], lanes, a_is_number=known[0], b_is_number=known[1]))


_register_extremes()

# ---- integers -------------------------------------------------------------------------------------------------------------------

_register_binary(
    {
        "arith.addi": "add",
        "arith.subi": "sub",
        "arith.muli": "mul",
        "arith.divsi": "sdiv",
        "arith.divui": "udiv",
        "arith.remsi": "srem",
        "arith.remui": "urem",
        "arith.andi": "and",
        "arith.ori": "or",
        "arith.xori": "xor",
        "arith.shli": "shl",
        "arith.shrsi": "ashr",
        "arith.shrui": "lshr",
    }
)


def integer_extreme(w: Walk, which: str, element: Element, lanes: int, a: Token, b: Token) -> Token:
    """`smin`, `smax`, `umin`, `umax`."""
    type = vector_text(lanes, element.llvm)
    return w.sink.intrinsic(f"llvm.{which}.{mangled(element.llvm, lanes)}", type, (type, type), (a, b))


def mangled(element: str, lanes: int) -> str:
    """How a type stands in the name of an intrinsic: `v16f32`."""
    short = {"float": "f32", "double": "f64", "half": "f16", "ptr": "p0"}.get(element, element)
    return f"v{lanes}{short}" if lanes else short


def _register_integer_extremes() -> None:
    for name, which in (("arith.minsi", "smin"), ("arith.maxsi", "smax"), ("arith.minui", "umin"), ("arith.maxui", "umax")):

        @piece(name)
        def emit(w: Walk, op: Operation, piece: int, which: str = which) -> Token:
            layout = w.layout(op.results[0])
            a, b = (w.piece(o, piece) for o in op.operands)
            return integer_extreme(w, which, layout.element, layout.lanes_of(piece), a, b)


_register_integer_extremes()


@piece("arith.floordivsi", "arith.ceildivsi", "arith.ceildivui")
def emit_rounded_division(w: Walk, op: Operation, piece: int) -> Token:
    """Truncating division, corrected by one where the remainder is not zero and the signs say so."""
    layout = w.layout(op.results[0])
    lanes, type = layout.lanes_of(piece), layout.type_of(piece)
    i1 = vector_text(lanes, "i1")
    a, b = (w.piece(o, piece) for o in op.operands)
    zero = w.sink.splat(lanes, layout.element.llvm, 0)
    unsigned = op.name == "arith.ceildivui"
    quotient = w.sink.binary("udiv" if unsigned else "sdiv", type, a, b)
    remainder = w.sink.binary("sub", type, a, w.sink.binary("mul", type, quotient, b))
    inexact = w.sink.compare("icmp", "ne", type, remainder, zero)
    if not unsigned:
        differ = w.sink.compare("icmp", "slt", type, w.sink.binary("xor", type, a, b), zero)
        if op.name == "arith.ceildivsi":
            differ = w.sink.binary("xor", i1, differ, w.sink.splat(lanes, "i1", 1))
        inexact = w.sink.binary("and", i1, inexact, differ)
    return w.sink.binary("sub" if op.name == "arith.floordivsi" else "add", type, quotient, w.sink.cast("zext", i1, inexact, type))


# ---- comparison and choice ------------------------------------------------------------------------------------------------------

INTEGER_PREDICATES = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
FLOAT_PREDICATES = ("false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true")


def _predicate(op: Operation) -> int:
    held = attribute(op, "predicate")
    assert isinstance(held, IntegerAttr)
    return held.value.data


@piece("arith.cmpi")
def emit_cmpi(w: Walk, op: Operation, piece: int) -> Token:
    type = w.layout(op.operands[0]).type_of(piece)
    return w.sink.compare("icmp", INTEGER_PREDICATES[_predicate(op)], type, *(w.piece(o, piece) for o in op.operands))


@piece("arith.cmpf")
def emit_cmpf(w: Walk, op: Operation, piece: int) -> Token:
    layout = w.layout(op.operands[0])
    lanes = layout.lanes_of(piece)
    operands = [w.piece(o, piece) for o in op.operands]
    if layout.element.kind != "float":
        operands = [to_f32(w, layout.element, lanes, o) for o in operands]
    type = vector_text(lanes, layout.element.llvm if layout.element.kind == "float" else "float")
    return w.sink.compare("fcmp", FLOAT_PREDICATES[_predicate(op)], type, *operands)


@piece("arith.select")
def emit_select(w: Walk, op: Operation, piece: int) -> Token:
    condition, a, b = op.operands
    layout = w.layout(op.results[0])
    scalar = w.layout(condition).count == 1 and not w.layout(condition).shape
    chosen = w.piece(condition, 0 if scalar else piece)
    type = layout.type_of(piece)
    condition_type = "i1" if scalar else vector_text(layout.lanes_of(piece), "i1")
    return w.sink.select(condition_type, chosen, type, w.piece(a, piece), w.piece(b, piece))


# ---- casts ----------------------------------------------------------------------------------------------------------------------


@piece("arith.extf", "arith.truncf", "arith.convertf")
def emit_float_cast(w: Walk, op: Operation, piece: int) -> Token:
    source, result = w.layout(op.operands[0]), w.layout(op.results[0])
    return float_to_float(w, source.element, result.element, result.lanes_of(piece), w.piece(op.operands[0], piece))


@piece("arith.extsi", "arith.extui", "arith.trunci")
def emit_integer_cast(w: Walk, op: Operation, piece: int) -> Token:
    opcode = {"arith.extsi": "sext", "arith.extui": "zext", "arith.trunci": "trunc"}[op.name]
    source, result = w.layout(op.operands[0]), w.layout(op.results[0])
    return w.sink.cast(opcode, source.type_of(piece), w.piece(op.operands[0], piece), result.type_of(piece))


@piece("arith.index_cast", "arith.index_castui")
def emit_index_cast(w: Walk, op: Operation, piece: int) -> Token:
    source, result = w.layout(op.operands[0]), w.layout(op.results[0])
    value = w.piece(op.operands[0], piece)
    if source.element.bits == result.element.bits:
        return value
    wider = "zext" if op.name == "arith.index_castui" or source.element.bits == 1 else "sext"
    opcode = wider if source.element.bits < result.element.bits else "trunc"
    return w.sink.cast(opcode, source.type_of(piece), value, result.type_of(piece))


@piece("arith.sitofp", "arith.uitofp")
def emit_int_to_float(w: Walk, op: Operation, piece: int) -> Token:
    opcode = op.name.removeprefix("arith.")
    source, result = w.layout(op.operands[0]), w.layout(op.results[0])
    lanes = result.lanes_of(piece)
    value = w.piece(op.operands[0], piece)
    if result.element.kind == "float":
        return w.sink.cast(opcode, source.type_of(piece), value, result.type_of(piece))
    return from_f32(w, result.element, lanes, w.sink.cast(opcode, source.type_of(piece), value, vector_text(lanes, "float")))


@piece("arith.fptosi", "arith.fptoui")
def emit_float_to_int(w: Walk, op: Operation, piece: int) -> Token:
    source, result = w.layout(op.operands[0]), w.layout(op.results[0])
    lanes, value = result.lanes_of(piece), w.piece(op.operands[0], piece)
    type = source.type_of(piece)
    if source.element.kind != "float":
        value, type = to_f32(w, source.element, lanes, value), vector_text(lanes, "float")
    return w.sink.cast(op.name.removeprefix("arith."), type, value, result.type_of(piece))


@piece("arith.bitcast")
def emit_bitcast(w: Walk, op: Operation, piece: int) -> Token:
    source, result = w.layout(op.operands[0]), w.layout(op.results[0])
    value = w.piece(op.operands[0], piece)
    if source.type_of(piece) == result.type_of(piece):
        return value
    return w.sink.cast("bitcast", source.type_of(piece), value, result.type_of(piece))
