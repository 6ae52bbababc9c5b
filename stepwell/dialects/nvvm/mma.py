"""Which shapes, types and numbers of registers `nvvm.mma.sync` takes: the table of PTX's `mma.sync` instructions, as a check."""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import VectorType, f16, f32, f64, i32
from xdsl.ir import Attribute
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.attr_table import parameters
from stepwell.dialects.llvm.types import LLVMStructType
from stepwell.ir.rules import shown

F16X2 = VectorType(f16, [2])
_BITS = {"f16": 16, "bf16": 16, "tf32": 32, "s8": 8, "u8": 8, "s4": 4, "u4": 4, "b1": 1, "f64": 64, "e4m3": 8, "e5m2": 8}
_SHAPES = {
    "f16": ((8, 8, 4), (16, 8, 8), (16, 8, 16)),
    "bf16": ((16, 8, 8), (16, 8, 16)),
    "tf32": ((16, 8, 4), (16, 8, 8)),
    "s8": ((8, 8, 16), (16, 8, 16), (16, 8, 32)),
    "s4": ((8, 8, 32), (16, 8, 32), (16, 8, 64)),
    "b1": ((8, 8, 128), (16, 8, 128), (16, 8, 256)),
    "f64": ((8, 8, 4),),
    "e4m3": ((16, 8, 16), (16, 8, 32)),
}
_ALIAS = {"u8": "s8", "u4": "s4", "e5m2": "e4m3"}


def _shape(op: Any) -> tuple[int, int, int]:
    found = parameters(op.shape.data)
    m, n, k = (int(str(found[name][0])) for name in "mnk")
    return m, n, k


def _data(value: Any) -> str | None:
    return None if value is None else value.data


def _listed(types: list[Attribute]) -> str:
    return ", ".join(shown(type) for type in types)


def verify_mma(op: Any) -> None:
    """Raise VerifyException unless the operands are the registers of such an instruction."""
    m, n, k = _shape(op)
    groups = {name: [value.type for value in getattr(op, f"operand{name}")] for name in "ABC"}
    kind = _data(op.multiplicandAPtxType) or ("f16" if F16X2 in groups["A"] or f16 in groups["A"] else "f64" if f64 in groups["A"] else "")
    if not kind:
        raise VerifyException("requires attribute 'multiplicandAPtxType'")
    family = _ALIAS.get(kind, kind)
    if (m, n, k) not in _SHAPES.get(family, ()):
        raise VerifyException(f"unimplemented variant for MMA shape <{m}, {n}, {k}>")
    register: Attribute = F16X2 if kind == "f16" else f64 if kind == "f64" else i32
    per_register = 32 // _BITS[kind] if kind != "f64" else 1
    lanes = 8 if (m, n, k) == (8, 8, 4) and kind == "f16" else 32
    for name, rows in (("A", m), ("B", n)):
        wanted: list[Attribute] = [register] * max(rows * k // lanes // per_register, 1)
        if groups[name] != wanted:
            raise VerifyException(
                f"Could not match types for the {name} operands; expected one of {len(wanted)}x{shown(register)} "
                f"but got {_listed(groups[name])}"
            )
    _verify_accumulator(op, groups["C"], (m, n), family, lanes)
    if kind == "b1" and op.b1Op is None:
        raise VerifyException("requires b1Op attribute")
    if family in ("s8", "s4") and op.intOverflowBehavior is None:
        raise VerifyException("requires intOverflowBehavior attribute")
    if (m, n, k) != (8, 8, 4) and (_data(op.layoutA), _data(op.layoutB)) != ("row", "col"):
        raise VerifyException("requires layoutA = #nvvm.mma_layout<row> and layoutB = #nvvm.mma_layout<col> for shape <m, n, k>")


def _verify_accumulator(op: Any, given: list[Attribute], extents: tuple[int, int], family: str, lanes: int) -> None:
    count = extents[0] * extents[1] // lanes
    allowed: list[list[Attribute]] = []
    if family in ("f16", "e4m3"):
        allowed.append([F16X2] * (count // 2))
    allowed.append([f64 if family == "f64" else f32 if family in ("f16", "bf16", "tf32", "e4m3") else i32] * count)
    if given not in allowed:
        choices = ",".join(f"{len(types)}x{shown(types[0])}" for types in allowed)
        raise VerifyException(f"Could not match types for the C operands; expected one of {choices} but got {_listed(given)}")
    results = [LLVMStructType.from_type_list(types) for types in allowed]
    if op.res.type not in results:
        choices = ", ".join(shown(type) for type in results)
        raise VerifyException(f"Could not match allowed types for the result; expected one of {choices} but got {shown(op.res.type)}")
    if op.res.type != LLVMStructType.from_type_list(given) and family == "e4m3":
        raise VerifyException("ctype does not match dtype")
