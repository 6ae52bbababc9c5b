"""`llvm.call`, and what calls of all kinds share: operand bundles, types of variadic functions."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from xdsl.dialects import llvm as shipped
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    StringAttr,
    SymbolRefAttr,
    i32,
)
from xdsl.dialects.llvm import FastMathAttr, LLVMVoidType, TailCallKindAttr
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    opt_prop_def,
    opt_result_def,
    prop_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import SymbolTable
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.llvm.functions import parse_results
from stepwell.dialects.llvm.linkage import C_CONVENTION, CallingConventionAttr, parse_convention
from stepwell.dialects.llvm.types import LLVMFunctionType
from stepwell.ir.rules import shown

NO_FLAGS = FastMathAttr(None)
NO_TAIL = TailCallKindAttr(shipped.TailCallKind.NONE)


NO_SIZES = DenseArrayBase.from_list(i32, ())


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
    outputs, result_attributes = parse_results(parser)
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
