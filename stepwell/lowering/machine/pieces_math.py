"""Pieces of the `math` ops that processors have. The others are `expand-math`'s."""

from __future__ import annotations

from xdsl.ir import Operation

from stepwell.lowering.machine.conversions import to_f32
from stepwell.lowering.machine.emit_tables import piece
from stepwell.lowering.machine.layout import vector_text
from stepwell.lowering.machine.pieces_arith import in_f32, is_number, mangled, maximum
from stepwell.lowering.machine.sink import Token
from stepwell.lowering.machine.walk import Walk


def float_intrinsic(w: Walk, name: str, type: str, lanes: int, args: list[Token]) -> Token:
    """A call of llvm.<name> on `type`, float or double."""
    scalar = type if not lanes else type[type.index("x") + 2 : -1]
    return w.sink.intrinsic(f"llvm.{name}.{mangled(scalar, lanes)}", type, (type,) * len(args), args)


def fused_multiply_add(w: Walk, type: str, lanes: int, args: list[Token]) -> Token:
    """a * b + c; two roundings where the processor has no fused instruction, rather than a library call."""
    if w.target.has_fma:
        return float_intrinsic(w, "fma", type, lanes, args)
    return w.sink.binary("fadd", type, w.sink.binary("fmul", type, args[0], args[1]), args[2])


def _register_floats() -> None:
    for name, intrinsic in (
        ("math.absf", "fabs"),
        ("math.sqrt", "sqrt"),
        ("math.ceil", "ceil"),
        ("math.floor", "floor"),
        ("math.trunc", "trunc"),
        ("math.round", "round"),
        ("math.roundeven", "roundeven"),
        ("math.copysign", "copysign"),
    ):

        @piece(name)
        def emit(w: Walk, op: Operation, piece: int, intrinsic: str = intrinsic) -> Token:
            layout = w.layout(op.results[0])
            lanes = layout.lanes_of(piece)
            operands = [w.piece(o, piece) for o in op.operands]
            return in_f32(w, layout.element, lanes, operands, lambda t, x: float_intrinsic(w, intrinsic, t, lanes, x))


_register_floats()


@piece("math.fma")
def emit_fma(w: Walk, op: Operation, piece: int) -> Token:
    layout = w.layout(op.results[0])
    lanes = layout.lanes_of(piece)
    operands = [w.piece(o, piece) for o in op.operands]
    return in_f32(w, layout.element, lanes, operands, lambda t, x: fused_multiply_add(w, t, lanes, x))


@piece("math.clampf")
def emit_clamp(w: Walk, op: Operation, piece: int) -> Token:
    layout = w.layout(op.results[0])
    lanes = layout.lanes_of(piece)
    operands = [w.piece(o, piece) for o in op.operands]
    known = [is_number(o) for o in op.operands]

    def body(type: str, x: list[Token]) -> Token:
        above = maximum(w, True, type, x[0], x[1], lanes, b_is_number=known[1])
        return maximum(w, False, type, above, x[2], lanes, b_is_number=known[2])

    return in_f32(w, layout.element, lanes, operands, body)


@piece("math.absi")
def emit_absi(w: Walk, op: Operation, piece: int) -> Token:
    return _integer_intrinsic(w, op, piece, "abs", flag=True)


@piece("math.ctlz")
def emit_ctlz(w: Walk, op: Operation, piece: int) -> Token:
    return _integer_intrinsic(w, op, piece, "ctlz", flag=True)


@piece("math.cttz")
def emit_cttz(w: Walk, op: Operation, piece: int) -> Token:
    return _integer_intrinsic(w, op, piece, "cttz", flag=True)


@piece("math.ctpop")
def emit_ctpop(w: Walk, op: Operation, piece: int) -> Token:
    return _integer_intrinsic(w, op, piece, "ctpop", flag=False)


def _integer_intrinsic(w: Walk, op: Operation, piece: int, name: str, *, flag: bool) -> Token:
    # The flag makes the intrinsic undefined for one input (INT_MIN, zero); it is off.
    layout = w.layout(op.results[0])
    type = layout.type_of(piece)
    value = w.piece(op.operands[0], piece)
    name = f"llvm.{name}.{mangled(layout.element.llvm, layout.lanes_of(piece))}"
    if flag:
        return w.sink.intrinsic(name, type, (type, "i1"), (value, w.sink.integer("i1", 0)))
    return w.sink.intrinsic(name, type, (type,), (value,))


@piece("math.isnan")
def emit_isnan(w: Walk, op: Operation, piece: int) -> Token:
    return _classify(w, op, piece, "uno", None)


@piece("math.isinf")
def emit_isinf(w: Walk, op: Operation, piece: int) -> Token:
    return _classify(w, op, piece, "oeq", float("inf"))


@piece("math.isfinite")
def emit_isfinite(w: Walk, op: Operation, piece: int) -> Token:
    return _classify(w, op, piece, "olt", float("inf"))


@piece("math.isnormal")
def emit_isnormal(w: Walk, op: Operation, piece: int) -> Token:
    layout = w.layout(op.operands[0])
    smallest = {64: 2.0**-1022, 32: 2.0**-126}.get(layout.element.bits, 2.0**-126 if layout.element.kind == "bfloat" else 2.0**-14)
    i1 = vector_text(layout.lanes_of(piece), "i1")
    return w.sink.binary("and", i1, _classify(w, op, piece, "olt", float("inf")), _classify(w, op, piece, "oge", smallest))


def _classify(w: Walk, op: Operation, piece: int, predicate: str, bound: float | None) -> Token:
    layout = w.layout(op.operands[0])
    lanes, value = layout.lanes_of(piece), w.piece(op.operands[0], piece)
    element = layout.element.llvm
    if layout.element.kind != "float":
        value, element = to_f32(w, layout.element, lanes, value), "float"
    type = vector_text(lanes, element)
    if bound is None:
        return w.sink.compare("fcmp", predicate, type, value, value)
    magnitude = float_intrinsic(w, "fabs", type, lanes, [value])
    return w.sink.compare("fcmp", predicate, type, magnitude, w.sink.splat(lanes, element, bound))
