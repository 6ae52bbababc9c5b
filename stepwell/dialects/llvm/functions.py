"""`llvm.func` and `llvm.call`: functions, what is known of them, and calls with LLVM's conventions, bundles and attributes."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    FunctionType,
    IntegerAttr,
    IntegerType,
    StringAttr,
    SymbolNameConstraint,
    UnitAttr,
    i32,
    i64,
)
from xdsl.dialects.llvm import LinkageAttr, LLVMVoidType
from xdsl.dialects.utils import print_func_op_like
from xdsl.ir import Attribute, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, IsTerminator, NoMemoryEffect, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.llvm.linkage import (
    C_CONVENTION,
    EXTERNAL,
    ZERO,
    CallingConventionAttr,
    parse_comdat,
    parse_convention,
    parse_linkage,
    parse_unnamed,
    parse_visibility,
    print_comdat,
    print_linkage,
    print_unnamed,
    verify_comdat,
)
from stepwell.dialects.llvm.parameters import verify_argument_attributes
from stepwell.dialects.llvm.types import LLVMFunctionType
from stepwell.ir.rules import shown

# ---- functions --------------------------------------------------------------------------------------------------------------------

_SAID = ("sym_name", "function_type", "arg_attrs", "res_attrs", "linkage", "CConv", "visibility_", "unnamed_addr", "comdat", "vscale_range")


@irdl_op_definition
class FuncOp(IRDLOperation):
    """A function.

    ```mlir
    llvm.func internal hidden unnamed_addr fastcc @f(%a: !llvm.ptr {llvm.noalias}, ...) -> f32 comdat(@c::@s) attributes {no_inline} { ... }
    ```
    Discardable in this definition is what upstream calls inherent but nobody asks for; both are printed alike.
    """

    name = "llvm.func"

    body = region_def()
    sym_name = prop_def(SymbolNameConstraint())
    function_type = prop_def(LLVMFunctionType)
    CConv = prop_def(CallingConventionAttr, default_value=C_CONVENTION)
    linkage = prop_def(LinkageAttr, default_value=EXTERNAL)
    sym_visibility = opt_prop_def(StringAttr)
    visibility_ = prop_def(IntegerAttr, default_value=ZERO)
    unnamed_addr = opt_prop_def(IntegerAttr)
    arg_attrs = opt_prop_def(ArrayAttr[DictionaryAttr])
    res_attrs = opt_prop_def(ArrayAttr[DictionaryAttr])
    comdat = opt_prop_def()
    vscale_range = opt_prop_def()
    passthrough = opt_prop_def(ArrayAttr[Attribute])
    frame_pointer = opt_prop_def()
    no_inline = opt_prop_def(UnitAttr)
    always_inline = opt_prop_def(UnitAttr)
    optimize_none = opt_prop_def(UnitAttr)
    no_unwind = opt_prop_def(UnitAttr)
    personality = opt_prop_def()
    dso_local = opt_prop_def()
    target_cpu = opt_prop_def()
    tune_cpu = opt_prop_def()
    target_features = opt_prop_def()
    memory_effects = opt_prop_def()
    traits = traits_def(SymbolOpInterface(), IsolatedFromAbove())

    def __init__(
        self,
        sym_name: str | StringAttr,
        function_type: LLVMFunctionType,
        linkage: LinkageAttr = LinkageAttr("internal"),
        cconv: CallingConventionAttr = C_CONVENTION,
        visibility: int | IntegerAttr[IntegerType] = 0,
        sym_visibility: str | StringAttr | None = None,
        body: Region | None = None,
        other_props: dict[str, Attribute | None] | None = None,
        extra_attrs: Mapping[str, Attribute] | None = None,
    ) -> None:
        properties: dict[str, Attribute | None] = {
            **(other_props or {}),
            "sym_name": StringAttr(sym_name) if isinstance(sym_name, str) else sym_name,
            "function_type": function_type,
            "CConv": cconv,
            "linkage": linkage,
            "visibility_": IntegerAttr(visibility, i64) if isinstance(visibility, int) else visibility,
            "sym_visibility": StringAttr(sym_visibility) if isinstance(sym_visibility, str) else sym_visibility,
        }
        super().__init__(regions=[body or Region()], properties=properties, attributes=extra_attrs or {})

    def verify_(self) -> None:
        type = self.function_type
        linkage = self.linkage.linkage.data
        if linkage == "common":
            raise VerifyException("functions cannot have 'common' linkage")
        verify_comdat(self)
        outputs = [] if isinstance(type.output, LLVMVoidType) else [type.output]
        if self.arg_attrs is not None or self.res_attrs is not None:
            verify_argument_attributes(self, type.inputs.data, outputs)
            for index, dictionary in enumerate(self.arg_attrs or ()):
                if "llvm.elementtype" in dictionary.data:
                    raise VerifyException(
                        f"'llvm.elementtype' on parameter {index} is invalid: elementtype can only be applied to intrinsic callsites"
                    )
        if not self.body.blocks:
            if linkage not in ("external", "extern_weak"):
                raise VerifyException("external functions must have 'external' or 'extern_weak' linkage")
            return
        self._verify_body()

    def _verify_body(self) -> None:
        inputs, given = self.function_type.inputs.data, self.body.blocks[0].arg_types
        if len(inputs) != len(given):
            raise VerifyException(f"entry block must have {len(inputs)} arguments to match function signature")
        for index, (wanted, found) in enumerate(zip(inputs, given, strict=True)):
            if wanted != found:
                raise VerifyException(
                    f"type of entry block argument #{index}('{shown(found)}') must match the type of the corresponding argument in "
                    f"function signature('{shown(wanted)}')"
                )
        if self.no_inline is not None and self.always_inline is not None:
            raise VerifyException("no_inline and always_inline attributes are incompatible")
        if self.optimize_none is not None and self.no_inline is None:
            raise VerifyException("with optimize_none must also be no_inline")
        self._verify_exceptions()

    def _verify_exceptions(self) -> None:
        pad: Attribute | None = None
        tags: set[str] = set()
        for block in self.body.blocks:
            for op in block.ops:
                if op.name == "llvm.blocktag":
                    tag = str(next((item for item in cast(Any, op).tag.data if str(item).isdigit()), ""))
                    if tag in tags:
                        raise VerifyException(f"duplicate block tag '{tag}' in the same function")
                    tags.add(tag)
                if op.name in ("llvm.landingpad", "llvm.resume"):
                    type = op.results[0].type if op.results else op.operands[0].type
                    what = "result" if op.results else "input"
                    if pad is not None and type != pad:
                        raise VerifyException(f"'{op.name}' should have a consistent {what} type inside a function")
                    pad = type

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"linkage": parse_linkage(parser), "visibility_": parse_visibility(parser)}
        properties["unnamed_addr"] = parse_unnamed(parser)
        properties["CConv"] = parse_convention(parser)
        start = parser.pos
        name = parser.parse_optional_symbol_name()
        if name is None:
            parser.raise_error("expected valid '@'-identifier for symbol name")
        properties["sym_name"] = name
        arguments, types, argument_attributes, is_variadic = _parse_arguments(parser)
        outputs, result_attributes = parse_results(parser)
        properties["function_type"] = _function_type(parser, start, types, outputs, is_variadic)
        if any(attrs.data for attrs in argument_attributes):
            properties["arg_attrs"] = ArrayAttr(argument_attributes)
        if any(attrs.data for attrs in result_attributes):
            properties["res_attrs"] = ArrayAttr(result_attributes)
        if parser.parse_optional_keyword("vscale_range"):
            low, high = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parser.parse_integer(allow_boolean=False))
            from xdsl.dialects.builtin import IntegerAttr as Number

            properties["vscale_range"] = ArrayAttr([Number(low, i32), Number(high, i32)])
        comdat = parse_comdat(parser)
        if comdat is not None:
            properties["comdat"] = comdat
        found = parser.parse_optional_attr_dict_with_keyword(_SAID)
        attributes = dict(found.data) if found else {}
        known = cls.get_irdl_definition().properties
        properties |= {key: attributes.pop(key) for key in list(attributes) if key in known and key != "passthrough"}
        body = parser.parse_optional_region(arguments if arguments else None)
        return cls.create(properties=properties, attributes=attributes, regions=[body or Region()])

    def print(self, printer: Printer) -> None:
        print_linkage(printer, self)
        print_unnamed(printer, self)
        if self.CConv.data != "ccc":
            printer.print_string(f" {self.CConv.data}")
        outputs = [] if isinstance(self.function_type.output, LLVMVoidType) else [self.function_type.output]
        if self.comdat is None and self.vscale_range is None:
            self._print_rest(printer, outputs, self.body, {**self.attributes, **self.properties})
            return
        self._print_rest(printer, outputs, Region(), {})
        if self.vscale_range is not None:
            low, high = (cast("IntegerAttr[Any]", bound).value.data for bound in cast("ArrayAttr[Attribute]", self.vscale_range))
            printer.print_string(f" vscale_range({low}, {high})")
        print_comdat(printer, self)
        printer.print_op_attributes({**self.attributes, **self.properties}, reserved_attr_names=_SAID, print_keyword=True)
        if self.body.blocks:
            printer.print_string(" ")
            printer.print_region(self.body, print_entry_block_args=False)

    def _print_rest(self, printer: Printer, outputs: Sequence[Attribute], body: Region, attributes: dict[str, Attribute]) -> None:
        print_func_op_like(
            printer,
            self.sym_name,
            FunctionType.from_lists(self.function_type.inputs.data, outputs),
            body,
            attributes,
            arg_attrs=self.arg_attrs,
            res_attrs=self.res_attrs,
            reserved_attr_names=_SAID,
            is_variadic=self.function_type.is_variadic,
            print_empty_outputs=False,
        )


def _parse_arguments(parser: Parser) -> tuple[list[Parser.Argument], list[Attribute], list[DictionaryAttr], bool]:
    arguments: list[Parser.Argument] = []
    types: list[Attribute] = []
    attributes: list[DictionaryAttr] = []
    is_variadic = False

    def one() -> None:
        nonlocal is_variadic
        if is_variadic:
            parser.raise_error("variadic arguments must be in the end of the argument list")
        if parser.parse_optional_characters("..."):
            is_variadic = True
            return
        argument = parser.parse_optional_argument()
        if argument is not None:
            arguments.append(argument)
            types.append(argument.type)
        else:
            types.append(parser.parse_type())
        attributes.append(DictionaryAttr(parser.parse_optional_dictionary_attr_dict()))
        location = parser.parse_optional_location()
        if argument is not None:
            argument.location = location

    parser.parse_comma_separated_list(parser.Delimiter.PAREN, one)
    return arguments, types, attributes, is_variadic


def parse_results(parser: Parser) -> tuple[list[Attribute], list[DictionaryAttr]]:
    if parser.parse_optional_punctuation("->") is None:
        return [], []
    attributes: list[DictionaryAttr] = []

    def one() -> Attribute:
        type = parser.parse_type()
        attributes.append(DictionaryAttr(parser.parse_optional_dictionary_attr_dict()))
        return type

    types = parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, one)
    return ([parser.parse_type()], []) if types is None else (list(types), attributes)


def _function_type(
    parser: Parser, start: int, types: Sequence[Attribute], outputs: Sequence[Attribute], is_variadic: bool
) -> LLVMFunctionType:
    from stepwell.dialects.llvm.compatible import is_compatible

    what = "failed to construct function type: expected"
    if len(outputs) > 1:
        parser.raise_error(f"{what} zero or one function result", start)
    if not all(is_compatible(type) for type in types):
        parser.raise_error(f"{what} LLVM type for function arguments", start)
    if not all(is_compatible(type) for type in outputs):
        parser.raise_error(f"{what} LLVM type for function results", start)
    return LLVMFunctionType(types, outputs[0] if outputs else None, is_variadic)


@irdl_op_definition
class ReturnOp(IRDLOperation):
    """`llvm.return %v : f32`"""

    name = "llvm.return"

    arg = opt_operand_def()
    traits = traits_def(IsTerminator(), NoMemoryEffect())
    assembly_format = "($arg^ `:` type($arg))? attr-dict"

    def __init__(self, value: SSAValue | None = None) -> None:
        super().__init__(operands=[value])

    def verify_(self) -> None:
        around = self.parent_op()
        if not isinstance(around, FuncOp):
            return
        wanted = around.function_type.output
        if isinstance(wanted, LLVMVoidType):
            if self.arg is not None:
                raise VerifyException("expected no operands")
        elif self.arg is None:
            raise VerifyException("expected 1 operand")
        elif self.arg.type != wanted:
            raise VerifyException("mismatching result types")
