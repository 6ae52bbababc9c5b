"""The casts of `arith`: elementwise, between containers of the same kind and shape."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar

from xdsl.dialects.arith import FastMathFlagsAttr, IntegerOverflowAttr
from xdsl.dialects.builtin import IndexType, IntegerType, UnitAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.arith.arithmetic import Rounding, RoundingModeAttr
from stepwell.dialects.support import element_of, is_float, with_element


class CastOperation(IRDLOperation, ABC):
    """Elementwise, between containers of the same kind and shape. A member says which elements it takes and gives, by kind: `int`,
    `float`, `index`."""

    KINDS: ClassVar[tuple[str, str]]
    WIDTHS: ClassVar[str] = ""
    """`<` where the result is wider, `>` where it is narrower, `=` where it is equal, empty where any width will do."""

    input = operand_def()
    result = result_def()
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `to` type($result)"

    def __init__(self, input: SSAValue, target_type: Attribute) -> None:
        super().__init__(operands=[input], result_types=[target_type])

    def verify_(self) -> None:
        source, dest = element_of(self.input.type), element_of(self.result.type)
        if with_element(self.input.type, dest) != self.result.type:
            raise VerifyException(
                f"requires the same shape for all operands and results: cannot cast {self.input.type} to {self.result.type}; "
                "failed to verify that input and output have the same tensor dimensions"
            )
        fits = (_kind(source), _kind(dest)) in (self.KINDS, _either_way(self.KINDS))
        for what, type in (("operand", source), ("result", dest)):
            if fits and isinstance(type, IntegerType) and type.bitwidth == 0:
                raise VerifyException(f"{what} #0 must be signless-fixed-width-integer-like, but got '{type}'")
        if fits and self.WIDTHS:
            a, b = _width(source), _width(dest)
            fits = {"<": a < b, ">": a > b, "=": a == b}[self.WIDTHS]
        if not fits:
            raise VerifyException(f"operand type '{self.input.type}' and result type '{self.result.type}' are cast incompatible")


def _kind(type: Attribute) -> str:
    if isinstance(type, IntegerType):
        return "int"
    if isinstance(type, IndexType):
        return "index"
    return "float" if is_float(type) else "?"


def _either_way(kinds: tuple[str, str]) -> tuple[str, str]:
    """Casts of index go both ways."""
    return (kinds[1], kinds[0]) if "index" in kinds else kinds


@irdl_op_definition
class ExtSIOp(CastOperation):
    """`%b = arith.extsi %a : vector<4xi8> to vector<4xi32>`"""

    name = "arith.extsi"
    KINDS: ClassVar = ("int", "int")
    WIDTHS: ClassVar = "<"


@irdl_op_definition
class ExtUIOp(CastOperation):
    """`%b = arith.extui %a : i1 to i32`; with `nneg` the operand is known not to be negative."""

    name = "arith.extui"
    KINDS: ClassVar = ("int", "int")
    WIDTHS: ClassVar = "<"
    nonNeg = opt_prop_def(UnitAttr)
    assembly_format = "$input (`nneg` $nonNeg^)? attr-dict `:` type($input) `to` type($result)"


@irdl_op_definition
class TruncIOp(CastOperation):
    """`%b = arith.trunci %a : i32 to i8`"""

    name = "arith.trunci"
    KINDS: ClassVar = ("int", "int")
    WIDTHS: ClassVar = ">"
    overflowFlags = prop_def(IntegerOverflowAttr, default_value=IntegerOverflowAttr("none"))
    assembly_format = "$input (`overflow` `` $overflowFlags^)? attr-dict `:` type($input) `to` type($result)"

    def __init__(self, input: SSAValue, target_type: Attribute) -> None:
        IRDLOperation.__init__(
            self, operands=[input], result_types=[target_type], properties={"overflowFlags": IntegerOverflowAttr("none")}
        )


@irdl_op_definition
class ExtFOp(CastOperation):
    """`%b = arith.extf %a : vector<4xbf16> to vector<4xf32>`"""

    name = "arith.extf"
    KINDS: ClassVar = ("float", "float")
    WIDTHS: ClassVar = "<"
    fastmath = opt_prop_def(FastMathFlagsAttr)
    assembly_format = "$input (`fastmath` `` $fastmath^)? attr-dict `:` type($input) `to` type($result)"


@irdl_op_definition
class TruncFOp(CastOperation):
    """`%b = arith.truncf %a : f32 to bf16`, to nearest even."""

    name = "arith.truncf"
    KINDS: ClassVar = ("float", "float")
    WIDTHS: ClassVar = ">"
    roundingmode = opt_prop_def(RoundingModeAttr)
    fastmath = opt_prop_def(FastMathFlagsAttr)
    custom_directives = (Rounding,)
    assembly_format = "$input custom<Rounding>($roundingmode) (`fastmath` `` $fastmath^)? attr-dict `:` type($input) `to` type($result)"


@irdl_op_definition
class ConvertFOp(CastOperation):
    """`%b = arith.convertf %a : f16 to bf16`: between floats of one width."""

    name = "arith.convertf"
    KINDS: ClassVar = ("float", "float")
    WIDTHS: ClassVar = "="
    roundingmode = opt_prop_def(RoundingModeAttr)
    fastmath = opt_prop_def(FastMathFlagsAttr)
    custom_directives = (Rounding,)
    assembly_format = "$input custom<Rounding>($roundingmode) (`fastmath` `` $fastmath^)? attr-dict `:` type($input) `to` type($result)"


@irdl_op_definition
class SIToFPOp(CastOperation):
    """`%b = arith.sitofp %a : i32 to f32`, to nearest even."""

    name = "arith.sitofp"
    KINDS: ClassVar = ("int", "float")


@irdl_op_definition
class UIToFPOp(CastOperation):
    """`%b = arith.uitofp %a : i8 to f32`"""

    name = "arith.uitofp"
    KINDS: ClassVar = ("int", "float")
    nonNeg = opt_prop_def(UnitAttr)
    assembly_format = "$input (`nneg` $nonNeg^)? attr-dict `:` type($input) `to` type($result)"


@irdl_op_definition
class FPToSIOp(CastOperation):
    """`%b = arith.fptosi %a : f32 to i32`, toward zero; poison out of range."""

    name = "arith.fptosi"
    KINDS: ClassVar = ("float", "int")


@irdl_op_definition
class FPToUIOp(CastOperation):
    """`%b = arith.fptoui %a : f32 to i32`, toward zero; poison out of range."""

    name = "arith.fptoui"
    KINDS: ClassVar = ("float", "int")


@irdl_op_definition
class IndexCastOp(CastOperation):
    """`%b = arith.index_cast %a : i32 to index`, signed, either way."""

    name = "arith.index_cast"
    KINDS: ClassVar = ("int", "index")


@irdl_op_definition
class IndexCastUIOp(CastOperation):
    """`%b = arith.index_castui %a : i32 to index`, unsigned, either way."""

    name = "arith.index_castui"
    KINDS: ClassVar = ("int", "index")
    nonNeg = opt_prop_def(UnitAttr)
    assembly_format = "$input (`nneg` $nonNeg^)? attr-dict `:` type($input) `to` type($result)"


def _width(type: Attribute) -> int:
    """The width of an integer, float or index element."""
    return 64 if isinstance(type, IndexType) else getattr(type, "bitwidth", 0)
