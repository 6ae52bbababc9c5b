"""Rare operations of `llvm` with formats of their own: aliases, indirect functions, and calls that may unwind."""

from __future__ import annotations

from typing import Any, Self, cast

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, IntegerAttr, SymbolNameConstraint, SymbolRefAttr, UnitAttr, i32
from xdsl.dialects.llvm import LinkageAttr
from xdsl.ir import Attribute, Block, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    opt_prop_def,
    opt_result_def,
    prop_def,
    region_def,
    successor_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, SymbolOpInterface, SymbolTable
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.llvm.calls import parse_bundles, parse_call_type, print_bundles, print_call_type, verify_bundles, verify_variadic
from stepwell.dialects.llvm.globals import ALIAS_LINKAGES, has_effects, is_global_type
from stepwell.dialects.llvm.linkage import (
    C_CONVENTION,
    EXTERNAL,
    CallingConventionAttr,
    parse_convention,
    parse_linkage,
    parse_unnamed,
    parse_visibility,
    print_linkage,
    print_unnamed,
)
from stepwell.dialects.llvm.types import LLVMFunctionType

_SAID = ("sym_name", "alias_type", "linkage", "unnamed_addr", "thread_local_", "visibility_", "i_func_type", "resolver", "resolver_type")


@irdl_op_definition
class AliasOp(IRDLOperation):
    """`llvm.mlir.alias external @name : i32 { ... llvm.return %p : !llvm.ptr }`"""

    name = "llvm.mlir.alias"

    alias_type = prop_def()
    sym_name = prop_def(SymbolNameConstraint())
    linkage = prop_def(LinkageAttr)
    dso_local = opt_prop_def(UnitAttr)
    thread_local_ = opt_prop_def(UnitAttr)
    unnamed_addr = opt_prop_def(IntegerAttr)
    visibility_ = opt_prop_def(IntegerAttr)
    body = region_def()
    traits = traits_def(SymbolOpInterface())

    @property
    def address_space(self) -> int:
        """Where what it names lies."""
        from stepwell.dialects.llvm.kinds import address_space

        last = self.body.blocks[0].last_op if self.body.blocks else None
        return address_space(last.operands[0].type) if last is not None and last.operands else 0

    def verify_(self) -> None:
        if not is_global_type(self.alias_type):
            raise VerifyException("expects type to be a valid element type for an LLVM global alias")
        linkage = self.linkage.linkage.data
        if linkage not in ALIAS_LINKAGES:
            raise VerifyException(
                f"'{linkage}' linkage not supported in aliases, available options: private, internal, linkonce, weak, linkonce_odr, "
                "weak_odr, "
                "external or available_externally"
            )
        last = self.body.blocks[0].last_op
        if last is None or not last.operands or last.operands[0].type.name != "llvm.ptr":
            raise VerifyException("initializer region must always return a pointer")
        if any(has_effects(op) for op in self.body.blocks[0].ops):
            raise VerifyException("ops with side effects are not allowed in alias initializers")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"linkage": parse_linkage(parser), "visibility_": parse_visibility(parser)}
        if parser.parse_optional_keyword("thread_local"):
            properties["thread_local_"] = UnitAttr()
        properties["unnamed_addr"] = parse_unnamed(parser)
        properties["sym_name"] = parser.parse_symbol_name()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        properties["alias_type"] = parser.parse_type()
        if "dso_local" in attributes:
            properties["dso_local"] = attributes.pop("dso_local")
        return cls.create(properties=properties, attributes=attributes, regions=[parser.parse_region()])

    def print(self, printer: Printer) -> None:
        printer.print_string(" external" if self.linkage == EXTERNAL else "")
        print_linkage(printer, self)
        printer.print_string(" thread_local" if self.thread_local_ is not None else "")
        print_unnamed(printer, self)
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        printer.print_op_attributes({**self.properties, **self.attributes}, reserved_attr_names=_SAID)
        printer.print_string(" : ")
        printer.print_attribute(self.alias_type)
        printer.print_string(" ")
        printer.print_region(self.body)


_IFUNC_LINKAGES = ALIAS_LINKAGES - {"available_externally"}


@irdl_op_definition
class IFuncOp(IRDLOperation):
    """`llvm.mlir.ifunc external @f : !llvm.func<void ()>, !llvm.ptr @resolve`: a function that is chosen when the program is loaded."""

    name = "llvm.mlir.ifunc"

    sym_name = prop_def(SymbolNameConstraint())
    i_func_type = prop_def()
    resolver = prop_def(SymbolRefAttr)
    resolver_type = prop_def()
    linkage = prop_def(LinkageAttr)
    dso_local = opt_prop_def(UnitAttr)
    address_space = opt_prop_def(IntegerAttr)
    unnamed_addr = opt_prop_def(IntegerAttr)
    visibility_ = opt_prop_def(IntegerAttr)
    traits = traits_def(SymbolOpInterface())

    def verify_(self) -> None:
        linkage = self.linkage.linkage.data
        if linkage not in _IFUNC_LINKAGES:
            raise VerifyException(
                f"'{linkage}' linkage not supported in ifuncs, available options: private, internal, linkonce, weak, linkonce_odr, "
                "weak_odr, "
                "or external linkage"
            )
        found: Any = SymbolTable.lookup_symbol(self, self.resolver)
        while found is not None and found.name == "llvm.mlir.alias":
            value = found.body.blocks[0].last_op.operands[0].owner
            if value.name != "llvm.mlir.addressof":
                return
            found = SymbolTable.lookup_symbol(self, value.global_name)
        if found is None or found.name != "llvm.func":
            raise VerifyException("must have a function resolver")
        if not found.body.blocks or found.linkage.linkage.data == "available_externally":
            raise VerifyException("resolver must be a definition")
        if found.function_type.output.name != "llvm.ptr":
            raise VerifyException("resolver must return a pointer")
        if self.resolver_type.name != "llvm.ptr":
            raise VerifyException("resolver has incorrect type")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"linkage": parse_linkage(parser), "visibility_": parse_visibility(parser)}
        properties["unnamed_addr"] = parse_unnamed(parser)
        properties["sym_name"] = parser.parse_symbol_name()
        parser.parse_punctuation(":")
        properties["i_func_type"] = parser.parse_type()
        parser.parse_punctuation(",")
        properties["resolver_type"] = parser.parse_type()
        properties["resolver"] = SymbolRefAttr(parser.parse_symbol_name())
        attributes = parser.parse_optional_attr_dict()
        for name in ("dso_local", "address_space"):
            if name in attributes:
                properties[name] = attributes.pop(name)
        return cls.create(properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" external" if self.linkage == EXTERNAL else "")
        print_linkage(printer, self)
        print_unnamed(printer, self)
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        printer.print_string(" : ")
        printer.print_attribute(self.i_func_type)
        printer.print_string(", ")
        printer.print_attribute(self.resolver_type)
        printer.print_string(" ")
        printer.print_attribute(self.resolver)
        printer.print_op_attributes({**self.properties, **self.attributes}, reserved_attr_names=_SAID)


_INVOKE_SAID = ("callee", "operandSegmentSizes", "CConv", "var_callee_type", "op_bundle_sizes", "op_bundle_tags", "arg_attrs", "res_attrs")


@irdl_op_definition
class InvokeOp(IRDLOperation):
    """`%r = llvm.invoke @f(%a) to ^ok(%a : i32) unwind ^bad : (i32) -> i32`: a call that may be left by unwinding."""

    name = "llvm.invoke"

    callee_operands = var_operand_def()
    normalDestOperands = var_operand_def()
    unwindDestOperands = var_operand_def()
    op_bundle_operands = var_operand_def()
    res = opt_result_def()
    normalDest = successor_def()
    unwindDest = successor_def()
    callee = opt_prop_def(SymbolRefAttr)
    var_callee_type = opt_prop_def(LLVMFunctionType)
    CConv = prop_def(CallingConventionAttr, default_value=C_CONVENTION)
    branch_weights = opt_prop_def()
    op_bundle_sizes = prop_def(DenseArrayBase.constr(i32), default_value=DenseArrayBase.from_list(i32, ()))
    op_bundle_tags = opt_prop_def()
    arg_attrs = opt_prop_def()
    res_attrs = opt_prop_def()
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(IsTerminator())

    def verify_(self) -> None:
        arguments = self.callee_operands if self.callee is not None else self.callee_operands[1:]
        verify_variadic(self, arguments)
        first = self.unwindDest.first_op
        if first is None:
            raise VerifyException("must have at least one operation in unwind destination")
        if first.name != "llvm.landingpad":
            raise VerifyException("first operation in unwind destination should be a llvm.landingpad operation")
        verify_bundles(self)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"CConv": parse_convention(parser)}
        pointer = parser.parse_optional_unresolved_operand()
        if pointer is None:
            properties["callee"] = SymbolRefAttr(parser.parse_symbol_name())
        start = parser.pos
        operands = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_unresolved_operand)
        parser.parse_keyword("to")
        normal, normal_values = _parse_target(parser)
        parser.parse_keyword("unwind")
        unwind, unwind_values = _parse_target(parser)
        if parser.parse_optional_keyword("vararg"):
            with parser.in_parens():
                properties["var_callee_type"] = parser.parse_type()
        values, sizes, tags = parse_bundles(parser)
        properties["op_bundle_sizes"] = DenseArrayBase.from_list(i32, sizes)
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
        if argument_attributes is not None:
            properties["arg_attrs"] = argument_attributes
        if result_attributes is not None:
            properties["res_attrs"] = result_attributes
        arguments = [*callees, *parser.resolve_operands(operands, inputs, start)]
        groups = [arguments, normal_values, unwind_values, values]
        properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [len(group) for group in groups])
        if "branch_weights" in attributes:
            properties["branch_weights"] = attributes.pop("branch_weights")
        return cls.create(
            operands=[value for group in groups for value in group],
            result_types=outputs,
            properties=properties,
            attributes=attributes,
            successors=[normal, unwind],
        )

    def print(self, printer: Printer) -> None:
        if self.CConv != C_CONVENTION:
            printer.print_string(f" {self.CConv.data}")
        printer.print_string(" ")
        arguments = list(self.callee_operands)
        if self.callee is not None:
            printer.print_attribute(self.callee)
        else:
            printer.print_ssa_value(arguments.pop(0))
        printer.print_string("(")
        printer.print_list(arguments, printer.print_ssa_value)
        printer.print_string(") to ")
        _print_target(printer, self.normalDest, list(self.normalDestOperands))
        printer.print_string(" unwind ")
        _print_target(printer, self.unwindDest, list(self.unwindDestOperands))
        if self.var_callee_type is not None:
            printer.print_string(" vararg(")
            printer.print_attribute(self.var_callee_type)
            printer.print_string(")")
        print_bundles(printer, self)
        printer.print_op_attributes({**self.properties, **self.attributes}, reserved_attr_names=_INVOKE_SAID)
        printer.print_string(" : ")
        if self.callee is None:
            printer.print_attribute(self.callee_operands[0].type)
            printer.print_string(", ")
        print_call_type(printer, [value.type for value in arguments], self.result_types, self)


def _parse_target(parser: Parser) -> tuple[Block, list[SSAValue]]:
    block = parser.parse_successor()
    if parser.parse_optional_punctuation("(") is None:
        return block, []
    start = parser.pos
    operands = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
    parser.parse_punctuation(":")
    types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
    parser.parse_punctuation(")")
    return block, list(parser.resolve_operands(operands, types, start))


def _print_target(printer: Printer, block: Block, values: list[SSAValue]) -> None:
    printer.print_block_name(block)
    if values:
        printer.print_string("(")
        printer.print_list(values, printer.print_ssa_value)
        printer.print_string(" : ")
        printer.print_list([value.type for value in values], printer.print_attribute)
        printer.print_string(")")


SYMBOL_OPS = cast("list[type[IRDLOperation]]", [AliasOp, IFuncOp, InvokeOp])
