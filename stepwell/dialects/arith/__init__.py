"""`arith`: integer and float arithmetic on scalars, vectors and tensors. Upstream's dialect; ours are the ops that xDSL has for scalars
only.

Casts, comparisons and `select` work elementwise on n-D vectors and tensors, as upstream. They fold where their operands are scalar
constants.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import Any, ClassVar, Self, cast

from xdsl.dialects import arith as shipped
from xdsl.dialects.arith import AddiOp as AddiOp
from xdsl.dialects.arith import AddUIExtendedOp as AddUIExtendedOp
from xdsl.dialects.arith import AndIOp as AndIOp
from xdsl.dialects.arith import BitcastOp as BitcastOp
from xdsl.dialects.arith import CeilDivSIOp as CeilDivSIOp
from xdsl.dialects.arith import CeilDivUIOp as CeilDivUIOp
from xdsl.dialects.arith import ConstantOp as ConstantOp
from xdsl.dialects.arith import DivSIOp as DivSIOp
from xdsl.dialects.arith import DivUIOp as DivUIOp
from xdsl.dialects.arith import FastMathFlagsAttr as FastMathFlagsAttr
from xdsl.dialects.arith import FloorDivSIOp as FloorDivSIOp
from xdsl.dialects.arith import IntegerOverflowAttr as IntegerOverflowAttr
from xdsl.dialects.arith import MaximumfOp as MaximumfOp
from xdsl.dialects.arith import MaxnumfOp as MaxnumfOp
from xdsl.dialects.arith import MaxSIOp as MaxSIOp
from xdsl.dialects.arith import MaxUIOp as MaxUIOp
from xdsl.dialects.arith import MinimumfOp as MinimumfOp
from xdsl.dialects.arith import MinnumfOp as MinnumfOp
from xdsl.dialects.arith import MinSIOp as MinSIOp
from xdsl.dialects.arith import MinUIOp as MinUIOp
from xdsl.dialects.arith import MuliOp as MuliOp
from xdsl.dialects.arith import MulSIExtendedOp as MulSIExtendedOp
from xdsl.dialects.arith import MulUIExtendedOp as MulUIExtendedOp
from xdsl.dialects.arith import OrIOp as OrIOp
from xdsl.dialects.arith import RemSIOp as RemSIOp
from xdsl.dialects.arith import RemUIOp as RemUIOp
from xdsl.dialects.arith import ShLIOp as ShLIOp
from xdsl.dialects.arith import SubiOp as SubiOp
from xdsl.dialects.arith import XOrIOp as XOrIOp
from xdsl.dialects.builtin import FloatAttr, IndexType, IntegerAttr, IntegerType, UnitAttr, i1, i64
from xdsl.dialects.utils import EnumAttribute
from xdsl.interfaces import HasFolderInterface
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    VarConstraint,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.irdl.declarative_assembly_format import AttributeVariable, CustomDirective, ParsingState, PrintingState, irdl_custom_directive
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Commutative, ConstantLike, Pure
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from stepwell.dialects.support import element_of, is_float, replace_ops, with_element

CMPI_PREDICATES = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
CMPF_PREDICATES = (
    *("false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord"),
    *("ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true"),
)
ENUM_EXPECTED = "expected string or keyword containing one of the following enum values for attribute"
NO_FLAGS = FastMathFlagsAttr("none")
Fold = Sequence[SSAValue | Attribute] | None


def constant_int(value: SSAValue) -> int | None:
    """The value of a scalar integer or index constant, sign-extended; None where it is not one."""
    attribute = ConstantLike.get_constant_value(value)
    if not isinstance(attribute, IntegerAttr):
        return None
    half = 1 << (_width(value.type) - 1)
    return (attribute.value.data + half) % (2 * half) - half


def _width(type: Attribute) -> int:
    """The width of an integer, float or index element."""
    return 64 if isinstance(type, IndexType) else getattr(type, "bitwidth", 0)


# ---- arithmetic that says more than xDSL's -------------------------------------------------------------------------------------------


class RoundingMode(StrEnum):
    """How the result of an operation on floats is rounded."""

    TO_NEAREST_EVEN = "to_nearest_even"
    DOWNWARD = "downward"
    UPWARD = "upward"
    TOWARD_ZERO = "toward_zero"
    TO_NEAREST_AWAY = "to_nearest_away"


@irdl_attr_definition
class RoundingModeAttr(EnumAttribute[RoundingMode]):
    """`to_nearest_even`, ..."""

    name = "arith.roundingmode"


@irdl_custom_directive
class Rounding(CustomDirective):
    """Maybe the keyword of a rounding mode."""

    mode: AttributeVariable

    def parse(self, parser: Parser, state: ParsingState) -> None:
        keyword = parser.parse_optional_keyword_in([mode.value for mode in RoundingMode])
        if keyword is None:
            self.mode.set_empty(state)
        else:
            self.mode.set(state, RoundingModeAttr(RoundingMode(keyword)))

    def print(self, printer: Printer, state: PrintingState, op: IRDLOperation) -> None:
        mode: Any = self.mode.get(op)
        if mode is not None:
            state.print_whitespace(printer)
            printer.print_string(mode.data.value)


ROUNDED = "$lhs `,` $rhs custom<Rounding>($roundingmode) (`fastmath` `` $fastmath^)? attr-dict `:` type($result)"


@irdl_op_definition
class AddfOp(shipped.FloatingPointLikeBinaryOperation):
    """`%c = arith.addf %a, %b : f32`, also `arith.addf %a, %b upward fastmath<nnan> : f32`"""

    name = "arith.addf"
    roundingmode = opt_prop_def(RoundingModeAttr)
    traits = traits_def(Pure(), Commutative())
    custom_directives = (Rounding,)
    assembly_format = ROUNDED


@irdl_op_definition
class SubfOp(shipped.FloatingPointLikeBinaryOperation):
    """`%c = arith.subf %a, %b : f32`"""

    name = "arith.subf"
    roundingmode = opt_prop_def(RoundingModeAttr)
    traits = traits_def(Pure())
    custom_directives = (Rounding,)
    assembly_format = ROUNDED


@irdl_op_definition
class MulfOp(shipped.FloatingPointLikeBinaryOperation):
    """`%c = arith.mulf %a, %b : f32`"""

    name = "arith.mulf"
    roundingmode = opt_prop_def(RoundingModeAttr)
    traits = traits_def(Pure(), Commutative())
    custom_directives = (Rounding,)
    assembly_format = ROUNDED


@irdl_op_definition
class DivfOp(shipped.FloatingPointLikeBinaryOperation):
    """`%c = arith.divf %a, %b : f32`"""

    name = "arith.divf"
    roundingmode = opt_prop_def(RoundingModeAttr)
    traits = traits_def(Pure())
    custom_directives = (Rounding,)
    assembly_format = ROUNDED


@irdl_op_definition
class ShRSIOp(shipped.SignlessIntegerBinaryOperation):
    """`%c = arith.shrsi %a, %b : i32`; `exact` where only zeros are shifted out."""

    name = "arith.shrsi"
    isExact = opt_prop_def(UnitAttr)
    traits = traits_def(Pure())
    assembly_format = "$lhs `,` $rhs (`exact` $isExact^)? attr-dict `:` type($result)"


@irdl_op_definition
class ShRUIOp(shipped.SignlessIntegerBinaryOperation):
    """`%c = arith.shrui %a, %b : i32`"""

    name = "arith.shrui"
    isExact = opt_prop_def(UnitAttr)
    traits = traits_def(Pure())
    assembly_format = "$lhs `,` $rhs (`exact` $isExact^)? attr-dict `:` type($result)"


# ---- comparisons ----------------------------------------------------------------------------------------------------------------


class Comparison(IRDLOperation, HasFolderInterface, ABC):
    """Elementwise: operands of one type, a result of i1 in the same container."""

    PREDICATES: ClassVar[tuple[str, ...]]
    T: ClassVar = VarConstraint("T", AnyAttr())

    lhs = operand_def(T)
    rhs = operand_def(T)
    result = result_def()
    predicate = prop_def(IntegerAttr)
    traits = traits_def(Pure())

    def __init__(self, lhs: SSAValue, rhs: SSAValue, predicate: int | str) -> None:
        number = self.PREDICATES.index(predicate) if isinstance(predicate, str) else predicate
        super().__init__(operands=[lhs, rhs], result_types=[with_element(lhs.type, i1)], properties={"predicate": IntegerAttr(number, i64)})

    @property
    def predicate_name(self) -> str:
        return self.PREDICATES[self.predicate.value.data]

    def verify_(self) -> None:
        if self.result.type != with_element(self.lhs.type, i1):
            raise VerifyException(f"of {self.lhs.type} has a result of type {self.result.type}")
        if not 0 <= self.predicate.value.data < len(self.PREDICATES):
            raise VerifyException(f"has no predicate {self.predicate.value.data}")

    @classmethod
    def parse_comparison(cls, parser: Parser) -> Self:
        predicate = parser.parse_optional_keyword_in(cls.PREDICATES) or parser.parse_optional_boolean()
        if predicate is None:
            parser.raise_error(f"{ENUM_EXPECTED} 'predicate' [{', '.join(cls.PREDICATES)}]")
        name = predicate if isinstance(predicate, str) else str(predicate).lower()
        parser.parse_punctuation(",")
        lhs = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        rhs = parser.parse_unresolved_operand()
        flags = parse_fastmath(parser) if "fastmath" in cls.get_irdl_definition().properties else None
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type = parser.parse_type()
        op = cls(parser.resolve_operand(lhs, type), parser.resolve_operand(rhs, type), name)
        if flags is not None:
            op.properties["fastmath"] = flags
        op.attributes |= attributes
        return op

    def print_comparison(self, printer: Printer, flags: FastMathFlagsAttr | None = None) -> None:
        printer.print_string(f" {self.predicate_name}, ")
        printer.print_ssa_value(self.lhs)
        printer.print_string(", ")
        printer.print_ssa_value(self.rhs)
        if flags is not None and flags != NO_FLAGS:
            printer.print_string(" fastmath")
            flags.print_parameter(printer)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.lhs.type)


def parse_fastmath(parser: Parser) -> FastMathFlagsAttr:
    """An optional `fastmath<...>`."""
    return FastMathFlagsAttr(FastMathFlagsAttr.parse_parameter(parser)) if parser.parse_optional_keyword("fastmath") else NO_FLAGS


@irdl_op_definition
class CmpiOp(Comparison):
    """`%c = arith.cmpi slt, %a, %b : vector<4xi32>`"""

    name = "arith.cmpi"
    PREDICATES: ClassVar = CMPI_PREDICATES

    def fold(self) -> Fold:
        type: Attribute = self.lhs.type
        if _kind(type) not in ("int", "index"):
            return None
        name = self.predicate_name
        if self.lhs is self.rhs:
            return (_bool(name in ("eq", "sle", "sge", "ule", "uge")),)
        a, b = constant_int(self.lhs), constant_int(self.rhs)
        if a is None or b is None:
            return None
        if name.startswith("u"):
            modulus = 1 << _width(type)
            a, b = a % modulus, b % modulus
        return (_bool({"eq": a == b, "ne": a != b, "lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b}[name[-2:]]),)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return cls.parse_comparison(parser)

    def print(self, printer: Printer) -> None:
        self.print_comparison(printer)


@irdl_op_definition
class CmpfOp(Comparison):
    """`%c = arith.cmpf olt, %a, %b : vector<4xf32>`. `o...` is false, `u...` true where an operand is a NaN."""

    name = "arith.cmpf"
    PREDICATES: ClassVar = CMPF_PREDICATES
    fastmath = prop_def(FastMathFlagsAttr, default_value=NO_FLAGS)

    def __init__(self, lhs: SSAValue, rhs: SSAValue, predicate: int | str, fastmath: FastMathFlagsAttr = NO_FLAGS) -> None:
        super().__init__(lhs, rhs, predicate)
        self.properties["fastmath"] = fastmath

    def fold(self) -> Fold:
        return None

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return cls.parse_comparison(parser)

    def print(self, printer: Printer) -> None:
        self.print_comparison(printer, self.fastmath)


def _bool(value: bool) -> IntegerAttr[Any]:
    return IntegerAttr(-1 if value else 0, i1)


@irdl_op_definition
class SelectOp(IRDLOperation, HasFolderInterface):
    """`%r = arith.select %c, %a, %b : f32`, or elementwise `arith.select %c, %a, %b : vector<4xi1>, vector<4xf32>`."""

    name = "arith.select"
    T: ClassVar = VarConstraint("T", AnyAttr())

    cond = operand_def()
    lhs = operand_def(T)
    rhs = operand_def(T)
    result = result_def(T)
    traits = traits_def(Pure())

    def __init__(self, cond: SSAValue, lhs: SSAValue, rhs: SSAValue) -> None:
        super().__init__(operands=[cond, lhs, rhs], result_types=[lhs.type])

    def verify_(self) -> None:
        if self.cond.type != i1 and self.cond.type != (expected := with_element(self.result.type, i1)):
            raise VerifyException(
                f"expected condition type to have the same shape as the result type, expected '{expected}', but got '{self.cond.type}'"
            )

    def fold(self) -> Fold:
        if self.lhs is self.rhs:
            return (self.lhs,)
        condition = constant_int(self.cond)
        return None if condition is None else (self.lhs if condition else self.rhs,)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type, cond_type = parser.parse_type(), i1
        if parser.parse_optional_punctuation(","):
            type, cond_type = parser.parse_type(), type
        op = cls(*parser.resolve_operands(operands, [cond_type, type, type], start))
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        if self.cond.type != i1:
            printer.print_attribute(self.cond.type)
            printer.print_string(", ")
        printer.print_attribute(self.result.type)


# ---- casts ----------------------------------------------------------------------------------------------------------------------


class CastOperation(IRDLOperation, HasFolderInterface, ABC):
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

    def fold(self) -> Fold:
        """Integer constants fold to integer constants."""
        type: Attribute = self.result.type
        value = constant_int(self.input) if isinstance(type, IntegerType | IndexType) else None
        return None if value is None else (IntegerAttr(self.fold_int(value), cast(IntegerType | IndexType, type), truncate_bits=True),)

    def fold_int(self, value: int) -> int:
        return value


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

    def fold_int(self, value: int) -> int:
        return value % (1 << _width(self.input.type))


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

    def fold_int(self, value: int) -> int:
        return value % (1 << _width(self.input.type))


# ---- the rest -------------------------------------------------------------------------------------------------------------------


@irdl_op_definition
class NegfOp(IRDLOperation):
    """`%b = arith.negf %a : f32`"""

    name = "arith.negf"
    T: ClassVar = VarConstraint("T", shipped.floatingPointLike)

    operand = operand_def(T)
    result = result_def(T)
    fastmath = prop_def(FastMathFlagsAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())
    assembly_format = "$operand (`fastmath` `` $fastmath^)? attr-dict `:` type($result)"

    def __init__(self, operand: SSAValue, fastmath: FastMathFlagsAttr = NO_FLAGS) -> None:
        super().__init__(operands=[operand], result_types=[operand.type], properties={"fastmath": fastmath})


@irdl_op_definition
class RemfOp(IRDLOperation):
    """`%r = arith.remf %a, %b : f32`: the remainder of the division rounded toward zero, of the sign of `%a`."""

    name = "arith.remf"
    T: ClassVar = VarConstraint("T", shipped.floatingPointLike)

    lhs = operand_def(T)
    rhs = operand_def(T)
    result = result_def(T)
    fastmath = prop_def(FastMathFlagsAttr, default_value=NO_FLAGS)
    traits = traits_def(Pure())
    assembly_format = "$lhs `,` $rhs (`fastmath` `` $fastmath^)? attr-dict `:` type($result)"

    def __init__(self, lhs: SSAValue, rhs: SSAValue, fastmath: FastMathFlagsAttr = NO_FLAGS) -> None:
        super().__init__(operands=[lhs, rhs], result_types=[lhs.type], properties={"fastmath": fastmath})


def constant_index(value: int) -> ConstantOp:
    """`arith.constant value : index`"""
    return ConstantOp.create(properties={"value": IntegerAttr(value, IndexType())}, result_types=[IndexType()])


def constant_float(value: float, type: Attribute) -> ConstantOp:
    """`arith.constant value : type` of a scalar float type."""
    attribute: FloatAttr[Any] = FloatAttr(value, type)  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownVariableType]
    return ConstantOp.create(properties={"value": attribute}, result_types=[type])


Arith = replace_ops(
    shipped.Arith,
    [
        *(AddfOp, SubfOp, MulfOp, DivfOp, ShRSIOp, ShRUIOp),
        *(CmpiOp, CmpfOp, SelectOp, NegfOp, RemfOp),
        *(ExtSIOp, ExtUIOp, TruncIOp, ExtFOp, TruncFOp, ConvertFOp),
        *(SIToFPOp, UIToFPOp, FPToSIOp, FPToUIOp, IndexCastOp, IndexCastUIOp),
    ],
    [RoundingModeAttr],
)
