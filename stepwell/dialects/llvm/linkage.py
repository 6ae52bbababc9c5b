"""The words of LLVM's symbols: linkage, calling convention, visibility, whether an address matters, comdats."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import (
    IntegerAttr,
    IntegerType,
    i64,
)
from xdsl.dialects.llvm import LinkageAttr
from xdsl.ir import Attribute, Data
from xdsl.irdl import (
    irdl_attr_definition,
)
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.traits import SymbolTable
from xdsl.utils.exceptions import VerifyException

EXTERNAL = LinkageAttr("external")
ZERO = IntegerAttr(0, i64)

LINKAGES = (
    "private internal available_externally linkonce weak common appending extern_weak linkonce_odr weak_odr external".split()
)  # the order in which MLIR numbers them
CONVENTIONS = (
    "ccc fastcc coldcc cc_10 cc_11 anyregcc preserve_mostcc preserve_allcc swiftcc cxx_fast_tlscc tailcc cfguard_checkcc swifttailcc"
    " x86_stdcallcc x86_fastcallcc arm_apcscc arm_aapcscc arm_aapcs_vfpcc msp430_intrcc x86_thiscallcc ptx_kernelcc ptx_devicecc"
    " spir_funccc spir_kernelcc intel_ocl_bicc x86_64_sysvcc win64cc x86_vectorcallcc hhvmcc hhvm_ccc x86_intrcc avr_intrcc avr_builtincc"
    " amdgpu_vscc amdgpu_gscc amdgpu_cscc amdgpu_kernelcc x86_regcallcc amdgpu_hscc msp430_builtincc amdgpu_lscc amdgpu_escc"
    " aarch64_vectorcallcc aarch64_sve_vectorcallcc wasm_emscripten_invokecc amdgpu_gfxcc m68k_intrcc"
).split()
_CONVENTIONS = frozenset(CONVENTIONS)


@irdl_attr_definition
class CallingConventionAttr(Data[str]):
    """`#llvm.cconv<fastcc>`"""

    name = "llvm.cconv"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> str:
        with parser.in_angle_brackets():
            word = parser.parse_optional_keyword_in(_CONVENTIONS)
            if word is None:
                parser.raise_error(f"expected one of [{', '.join(CONVENTIONS)}] for LLVM Calling Conventions")
        return word

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")


C_CONVENTION = CallingConventionAttr("ccc")
VISIBILITIES = {"hidden": 1, "protected": 2}
UNNAMED = {"local_unnamed_addr": 1, "unnamed_addr": 2}
_WORDS = {number: word for word, number in VISIBILITIES.items()}
_ADDRESS_WORDS = {number: word for word, number in UNNAMED.items()}


def parse_linkage(parser: Parser) -> LinkageAttr:
    """A linkage, `external` where none is written."""
    word = parser.parse_optional_keyword_in(LINKAGES)
    return LinkageAttr(word) if word else EXTERNAL


def parse_visibility(parser: Parser) -> IntegerAttr[IntegerType]:
    """`hidden`, `protected` or nothing."""
    word = parser.parse_optional_keyword_in(VISIBILITIES)
    return IntegerAttr(VISIBILITIES[word], i64) if word else ZERO


def parse_unnamed(parser: Parser) -> IntegerAttr[IntegerType]:
    """`unnamed_addr`, `local_unnamed_addr` or nothing."""
    word = parser.parse_optional_keyword_in(UNNAMED)
    return IntegerAttr(UNNAMED[word], i64) if word else ZERO


def parse_convention(parser: Parser) -> CallingConventionAttr:
    """A calling convention, `ccc` where none is written."""
    word = parser.parse_optional_keyword_in(_CONVENTIONS)
    return CallingConventionAttr(word) if word else C_CONVENTION


def print_linkage(printer: Printer, op: Any) -> None:
    """The words before a symbol's name that the defaults leave out."""
    if op.linkage.linkage.data != "external":
        printer.print_string(f" {op.linkage.linkage.data}")
    number = op.visibility_.value.data if op.visibility_ is not None else 0
    if number:
        printer.print_string(f" {_WORDS[number]}")


def print_unnamed(printer: Printer, op: Any) -> None:
    """`unnamed_addr`, `local_unnamed_addr` or nothing."""
    number = op.unnamed_addr.value.data if op.unnamed_addr is not None else 0
    if number:
        printer.print_string(f" {_ADDRESS_WORDS[number]}")


def parse_comdat(parser: Parser) -> Attribute | None:
    """`comdat(@group::@selector)`"""
    if parser.parse_optional_keyword("comdat") is None:
        return None
    with parser.in_parens():
        return parser.parse_attribute()


def print_comdat(printer: Printer, op: Any) -> None:
    """`comdat(...)` where there is one."""
    if op.comdat is not None:
        printer.print_string(" comdat(")
        printer.print_attribute(op.comdat)
        printer.print_string(")")


def verify_comdat(op: Any) -> None:
    """A comdat must name a selector."""
    if op.comdat is None:
        return
    found = SymbolTable.lookup_symbol(op, op.comdat)
    if found is None or found.name != "llvm.comdat_selector":
        raise VerifyException("expected comdat symbol")
