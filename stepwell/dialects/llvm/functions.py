"""`llvm.func` and `llvm.call`: functions, what is known of them, and calls with LLVM's conventions, bundles and attributes."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self, cast

from xdsl.dialects import llvm as shipped
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    FunctionType,
    IntegerAttr,
    IntegerType,
    StringAttr,
    SymbolNameConstraint,
    SymbolRefAttr,
    UnitAttr,
    i32,
    i64,
)
from xdsl.dialects.llvm import FastMathAttr, LinkageAttr, LLVMVoidType, TailCallKindAttr
from xdsl.dialects.utils import print_func_op_like
from xdsl.ir import Attribute, Data, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    opt_operand_def,
    opt_prop_def,
    opt_result_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, IsTerminator, NoMemoryEffect, SymbolOpInterface, SymbolTable
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.llvm.types import LLVMFunctionType
from stepwell.ir.rules import shown

NO_FLAGS = FastMathAttr(None)
NO_TAIL = TailCallKindAttr(shipped.TailCallKind.NONE)

EXTERNAL = LinkageAttr("external")
ZERO = IntegerAttr(0, i64)
NO_SIZES = DenseArrayBase.from_list(i32, ())
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


# ---- attributes of parameters and results -----------------------------------------------------------------------------------------

_POINTER_FLAGS = frozenset("noalias readonly readnone writeonly nest nocapture nofree nonnull".split())
_POINTER_TYPES = frozenset("sret byval byref elementtype inalloca preallocated".split())
_INTEGER_FLAGS = frozenset(("signext", "zeroext"))
_POINTER_INTEGERS = frozenset("align dereferenceable dereferenceable_or_null".split())
_FLAGS = frozenset("noundef inreg returned".split())
_NOT_ON_RESULTS = frozenset(
    "allocalign allocptr byval byref inalloca nest nocapture nofree preallocated readnone readonly returned alignstack sret"
    " writeonly".split()
)


def verify_parameter_attribute(name: str, value: Attribute, type: Attribute) -> None:
    """Raise VerifyException unless the attribute `llvm.<name>` of a parameter has the right kind and its parameter the right type."""
    from stepwell.dialects.llvm.kinds import is_compatible, is_pointer

    label = f'"llvm.{name}"'
    known = is_compatible(type)
    if name in _POINTER_FLAGS or name in _INTEGER_FLAGS or name in _FLAGS:
        if not isinstance(value, UnitAttr):
            raise VerifyException(f"{label} should be a unit attribute")
    elif name in _POINTER_TYPES:
        from xdsl.ir import TypeAttribute

        if not isinstance(value, TypeAttribute):
            raise VerifyException(f"{label} should be a type attribute")
    elif (name in _POINTER_INTEGERS or name == "alignstack") and not isinstance(value, IntegerAttr):
        raise VerifyException(f"{label} should be an integer attribute")
    if known and name in _POINTER_FLAGS | _POINTER_TYPES | _POINTER_INTEGERS and not is_pointer(type):
        raise VerifyException(f"{label} attribute attached to non-pointer LLVM type")
    if known and name in _INTEGER_FLAGS and not isinstance(type, IntegerType):
        raise VerifyException(f"{label} attribute attached to non-integer LLVM type")


def verify_argument_attributes(op: Any, inputs: Sequence[Attribute], outputs: Sequence[Attribute]) -> None:
    """The `llvm.` and `nvvm.` attributes of all parameters and results of a function."""
    arguments: list[Any] = list(op.arg_attrs or ())
    for dictionary, type in zip(arguments, inputs, strict=False):
        for name, value in dictionary.data.items():
            if name.startswith("llvm."):
                verify_parameter_attribute(name[5:], value, type)
            elif name == "nvvm.grid_constant":
                _verify_grid_constant(op, value, dictionary.data)
    results: list[Any] = list(op.res_attrs or ())
    if results and len(results) != len(outputs):
        raise VerifyException(
            "expects result attribute array to have the same number of elements as the number of function results, "
            f"got {len(results)}, but expected {len(outputs)}"
        )
    for dictionary, type in zip(results, outputs, strict=False):
        for name, value in dictionary.data.items():
            if name.startswith("llvm."):
                if name[5:] in _NOT_ON_RESULTS:
                    raise VerifyException(f'"{name}" is not a valid result attribute')
                verify_parameter_attribute(name[5:], value, type)


def _verify_grid_constant(op: Any, value: Attribute, others: Mapping[str, Attribute]) -> None:
    if "nvvm.kernel" not in op.attributes:
        raise VerifyException("'\"nvvm.grid_constant\"' attribute must be present only on kernel arguments")
    if not isinstance(value, UnitAttr):
        raise VerifyException("'\"nvvm.grid_constant\"' must be a unit attribute")
    if "llvm.byval" not in others:
        raise VerifyException("'\"nvvm.grid_constant\"' attribute requires the argument to also have attribute 'llvm.byval'")


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
        outputs, result_attributes = _parse_results(parser)
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


def _parse_results(parser: Parser) -> tuple[list[Attribute], list[DictionaryAttr]]:
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
    from stepwell.dialects.llvm.kinds import is_compatible

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


# ---- calls ------------------------------------------------------------------------------------------------------------------------


def parse_bundles(parser: Parser) -> tuple[list[SSAValue], list[int], list[Attribute]]:
    """`["tag"(%a, %b : i32, i64), ...]`: operands, how many belong to each, tags."""
    values: list[SSAValue] = []
    sizes: list[int] = []
    tags: list[Attribute] = []

    def one() -> None:
        tags.append(StringAttr(parser.parse_str_literal()))
        start = parser.pos
        parser.parse_punctuation("(")
        if parser.parse_optional_punctuation(")"):
            sizes.append(0)
            return
        operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        parser.parse_punctuation(")")
        if len(types) != len(operands):
            wanted = f"expected {len(operands)} types for operand bundle operands for operand bundle #{len(sizes)}"
            parser.raise_error(f"{wanted}, but actually got {len(types)}", start)
        values.extend(parser.resolve_operands(operands, types, start))
        sizes.append(len(operands))

    parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, one)
    return values, sizes, tags


def print_bundles(printer: Printer, op: Any) -> None:
    """The bundles of a call, with a space before."""
    sizes = [int(size) for size in op.op_bundle_sizes.get_values()]
    if not sizes:
        return
    values = iter(op.op_bundle_operands)
    printer.print_string(" [")
    for index, (size, tag) in enumerate(zip(sizes, op.op_bundle_tags or (), strict=False)):
        printer.print_string(", " if index else "")
        printer.print_attribute(tag)
        printer.print_string("(")
        held = [next(values) for _ in range(size)]
        if held:
            printer.print_list(held, printer.print_ssa_value)
            printer.print_string(" : ")
            printer.print_list([value.type for value in held], printer.print_attribute)
        printer.print_string(")")
    printer.print_string("]")


def verify_bundles(op: Any) -> None:
    """As many tags as bundles."""
    count, tags = len(op.op_bundle_sizes), len(op.op_bundle_tags or ())
    if count != tags:
        raise VerifyException(f"expected {count} operand bundle tags, but actually got {tags}")


def parse_call_type(
    parser: Parser,
) -> tuple[list[Attribute], list[Attribute], ArrayAttr[DictionaryAttr] | None, ArrayAttr[DictionaryAttr] | None]:
    """`(i32 {llvm.signext}, f32) -> (f32 {llvm.noundef})`: types and, where there are any, attributes."""
    attributes: list[DictionaryAttr] = []

    def one() -> Attribute:
        type = parser.parse_type()
        attributes.append(DictionaryAttr(parser.parse_optional_dictionary_attr_dict()))
        return type

    inputs = parser.parse_comma_separated_list(parser.Delimiter.PAREN, one)
    outputs, result_attributes = _parse_results(parser)
    return (
        list(inputs),
        outputs,
        ArrayAttr(attributes) if any(a.data for a in attributes) else None,
        ArrayAttr(result_attributes) if any(a.data for a in result_attributes) else None,
    )


def print_call_type(printer: Printer, inputs: Sequence[Attribute], outputs: Sequence[Attribute], op: Any) -> None:
    """The types of a call with the attributes of its arguments and results."""

    def listed(types: Sequence[Attribute], held: ArrayAttr[DictionaryAttr] | None) -> None:
        printer.print_string("(")
        for index, type in enumerate(types):
            printer.print_string(", " if index else "")
            printer.print_attribute(type)
            if held is not None and held.data[index].data:
                printer.print_string(" ")
                printer.print_attr_dict(dict(held.data[index].data))
        printer.print_string(")")

    listed(inputs, op.arg_attrs)
    printer.print_string(" -> ")
    if op.res_attrs is None and len(outputs) == 1:
        printer.print_attribute(outputs[0])
    else:
        listed(outputs, op.res_attrs)


def verify_variadic(op: Any, arguments: Sequence[SSAValue]) -> None:
    """What `vararg(...)` says must fit the call."""
    type: Any = op.var_callee_type
    if type is None:
        return
    if not type.is_variadic:
        raise VerifyException("expected var_callee_type to be a variadic function type")
    if len(type.inputs) > len(arguments):
        raise VerifyException(f"expected var_callee_type to have at most {len(arguments)} parameters")
    for wanted, value in zip(type.inputs, arguments, strict=False):
        if wanted != value.type:
            raise VerifyException(f"var_callee_type parameter type mismatch: '{shown(wanted)}' != '{shown(value.type)}'")
    if not op.results:
        if not isinstance(type.output, LLVMVoidType):
            raise VerifyException("expected var_callee_type to return void")
    elif op.results[0].type != type.output:
        raise VerifyException(f"var_callee_type return type mismatch: '{shown(type.output)}' != '{shown(op.results[0].type)}'")


_CALL_SAID = (
    *("callee", "var_callee_type", "CConv", "TailCallKind", "op_bundle_sizes", "op_bundle_tags", "operandSegmentSizes"),
    *("arg_attrs", "res_attrs"),
)


@irdl_op_definition
class CallOp(IRDLOperation):
    """Calls a function by name, or by pointer, which is the first operand then.

    ```mlir
    %r = llvm.call fastcc tail @f(%a) ["deopt"(%b : i32)] {fastmathFlags = #llvm.fastmath<fast>} : (i32 {llvm.signext}) -> f32
    llvm.call %p(%a) vararg(!llvm.func<void (i32, ...)>) : !llvm.ptr, (i32) -> ()
    ```
    """

    name = "llvm.call"

    args = var_operand_def()
    op_bundle_operands = var_operand_def()
    returned = opt_result_def()
    callee = opt_prop_def(SymbolRefAttr)
    var_callee_type = opt_prop_def(LLVMFunctionType)
    fastmathFlags = prop_def(FastMathAttr, default_value=NO_FLAGS)
    CConv = prop_def(CallingConventionAttr, default_value=C_CONVENTION)
    TailCallKind = prop_def(TailCallKindAttr, default_value=NO_TAIL)
    op_bundle_sizes = prop_def(DenseArrayBase.constr(i32), default_value=NO_SIZES)
    op_bundle_tags = opt_prop_def()
    arg_attrs = opt_prop_def()
    res_attrs = opt_prop_def()
    memory_effects = opt_prop_def()
    convergent = opt_prop_def()
    no_unwind = opt_prop_def()
    will_return = opt_prop_def()
    no_inline = opt_prop_def()
    always_inline = opt_prop_def()
    inline_hint = opt_prop_def()
    access_groups = opt_prop_def()
    alias_scopes = opt_prop_def()
    noalias_scopes = opt_prop_def()
    tbaa = opt_prop_def()
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    def __init__(
        self,
        callee: str | SymbolRefAttr | StringAttr,
        *args: SSAValue,
        return_type: Attribute | None = None,
        calling_convention: CallingConventionAttr = C_CONVENTION,
        fastmath: FastMathAttr = NO_FLAGS,
        variadic_args: int = 0,
        var_callee_type: LLVMFunctionType | None = None,
    ) -> None:
        if var_callee_type is None and variadic_args:
            fixed = [value.type for value in args[: len(args) - variadic_args]]
            var_callee_type = LLVMFunctionType(fixed, return_type, is_variadic=True)
        super().__init__(
            operands=[args, ()],
            properties={
                "callee": callee if isinstance(callee, SymbolRefAttr) else SymbolRefAttr(callee),
                "var_callee_type": var_callee_type,
                "fastmathFlags": fastmath,
                "CConv": calling_convention,
                "op_bundle_sizes": NO_SIZES,
            },
            result_types=[return_type],
        )

    def verify_(self) -> None:
        if self.callee is None and not self.operands:
            raise VerifyException("must have either a `callee` attribute or at least an operand")
        verify_bundles(self)
        verify_variadic(self, self.args if self.callee is not None else self.args[1:])
        if self.callee is None:
            if self.args[0].type.name != "llvm.ptr":
                raise VerifyException(f"indirect call expects a pointer as callee: '{shown(self.args[0].type)}'")
            return
        self._verify_callee(self.callee)

    def _verify_callee(self, callee: SymbolRefAttr) -> None:
        found: Any = SymbolTable.lookup_symbol(self, callee)
        name = callee.root_reference.data
        if found is None:
            raise VerifyException(f"'{name}' does not reference a symbol in the current scope")
        if found.name == "llvm.mlir.alias":
            return
        if found.name not in ("llvm.func", "llvm.mlir.ifunc"):
            raise VerifyException(f"'{name}' does not reference a valid LLVM function, IFunc, or alias")
        type: Any = found.function_type if found.name == "llvm.func" else found.i_func_type
        inputs, count = type.inputs.data, len(self.args)
        if type.is_variadic and self.var_callee_type is None:
            raise VerifyException("missing var_callee_type attribute for vararg call")
        if not type.is_variadic and len(inputs) != count:
            raise VerifyException(f"incorrect number of operands ({count}) for callee (expecting: {len(inputs)})")
        if len(inputs) > count:
            raise VerifyException(f"incorrect number of operands ({count}) for varargs callee (expecting at least: {len(inputs)})")
        for index, (wanted, value) in enumerate(zip(inputs, self.args, strict=False)):
            if wanted != value.type:
                raise VerifyException(f"operand type mismatch for operand {index}: '{shown(value.type)}' != '{shown(wanted)}'")
        if self.returned is None:
            if not isinstance(type.output, LLVMVoidType):
                raise VerifyException("expected function call to produce a value")
        elif isinstance(type.output, LLVMVoidType):
            raise VerifyException("calling function with void result must not produce values")
        elif self.returned.type != type.output:
            raise VerifyException(f"result type mismatch: '{shown(self.returned.type)}' != '{shown(type.output)}'")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"CConv": parse_convention(parser)}
        word = parser.parse_optional_keyword_in(("tail", "musttail", "notail", "none"))
        properties["TailCallKind"] = TailCallKindAttr(shipped.TailCallKind(word)) if word else NO_TAIL
        pointer = parser.parse_optional_unresolved_operand()
        if pointer is None:
            properties["callee"] = SymbolRefAttr(parser.parse_symbol_name())
        start = parser.pos
        operands = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)
        if parser.parse_optional_keyword("vararg"):
            with parser.in_parens():
                properties["var_callee_type"] = parser.parse_type()
        values, sizes, tags = parse_bundles(parser)
        properties["op_bundle_sizes"] = DenseArrayBase.from_list(i32, sizes) if sizes else NO_SIZES
        if tags:
            properties["op_bundle_tags"] = ArrayAttr(tags)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        callees: list[SSAValue] = []
        if pointer is not None:
            type = parser.parse_type()
            if parser.parse_optional_punctuation(",") is None:
                parser.raise_error("expected indirect call to have 2 trailing types")
            callees.append(parser.resolve_operand(pointer, type))
        inputs, outputs, argument_attributes, result_attributes = parse_call_type(parser)
        if len(outputs) > 1:
            parser.raise_error("expected function with 0 or 1 result")
        for output in outputs:
            if isinstance(output, LLVMVoidType):
                parser.raise_error("expected a non-void result type")
        if argument_attributes is not None:
            properties["arg_attrs"] = argument_attributes
        if result_attributes is not None:
            properties["res_attrs"] = result_attributes
        arguments = [*callees, *parser.resolve_operands(operands, inputs, start)]
        known = cls.get_irdl_definition().properties
        properties |= {key: attributes.pop(key) for key in list(attributes) if key in known}
        properties.setdefault("fastmathFlags", NO_FLAGS)
        properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [len(arguments), len(values)])
        return cls.create(operands=[*arguments, *values], result_types=outputs, properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        if self.CConv.data != "ccc":
            printer.print_string(f" {self.CConv.data}")
        if self.TailCallKind != NO_TAIL:
            printer.print_string(f" {self.TailCallKind.data.value}")
        printer.print_string(" ")
        arguments = list(self.args)
        if self.callee is not None:
            printer.print_attribute(self.callee)
        else:
            printer.print_ssa_value(arguments.pop(0))
        printer.print_string("(")
        printer.print_list(arguments, printer.print_ssa_value)
        printer.print_string(")")
        if self.var_callee_type is not None:
            printer.print_string(" vararg(")
            printer.print_attribute(self.var_callee_type)
            printer.print_string(")")
        print_bundles(printer, self)
        said = (*_CALL_SAID, "fastmathFlags") if self.fastmathFlags == NO_FLAGS else _CALL_SAID
        printer.print_op_attributes({**self.properties, **self.attributes}, reserved_attr_names=said)
        printer.print_string(" : ")
        if self.callee is None:
            printer.print_attribute(self.args[0].type)
            printer.print_string(", ")
        print_call_type(printer, [value.type for value in arguments], self.result_types, self)
