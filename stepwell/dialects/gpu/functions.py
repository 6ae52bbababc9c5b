"""`gpu.module`, `gpu.func` and what ends a kernel's regions."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    FunctionType,
    IntegerAttr,
    MemRefType,
    SymbolNameConstraint,
    UnitAttr,
    i64,
)
from xdsl.dialects.gpu import AsyncTokenType as AsyncTokenType
from xdsl.dialects.gpu import DimensionAttr as DimensionAttr
from xdsl.ir import Attribute, Block
from xdsl.irdl import (
    IRDLOperation,
    attr_def,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, IsTerminator, NoTerminator, Pure, SymbolOpInterface, SymbolTable
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.gpu.mappings import AddressSpaceAttr
from stepwell.dialects.support import parse_result_types, print_result_types


@irdl_op_definition
class GPUModuleOp(IRDLOperation):
    """What runs on the device: `gpu.module @kernels [#nvvm.target] { ... }`."""

    name = "gpu.module"

    body = region_def("single_block")
    sym_name = prop_def(SymbolNameConstraint())
    targets = opt_prop_def(ArrayAttr)
    offloadingHandler = opt_prop_def(Attribute)
    traits = traits_def(IsolatedFromAbove(), NoTerminator(), SymbolOpInterface(), SymbolTable())

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"sym_name": parser.parse_symbol_name()}
        if parser.parse_optional_punctuation("<"):
            handler = parser.parse_optional_attribute()
            if handler is None:
                parser.raise_error("expected attribute value")
            properties["offloadingHandler"] = handler
            parser.parse_punctuation(">")
        targets = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_attribute)
        if targets is not None:
            properties["targets"] = ArrayAttr(targets)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parser.parse_region()
        if not body.blocks:
            body.add_block(Block())
        return cls.create(properties=properties, attributes=dict(attributes.data) if attributes else {}, regions=[body])

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        if self.offloadingHandler is not None:
            printer.print_string(" <")
            printer.print_attribute(self.offloadingHandler)
            printer.print_string(">")
        if self.targets is not None:
            printer.print_string(" ")
            printer.print_attribute(self.targets)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)


def parse_attributions(parser: Parser, keyword: str) -> list[Parser.Argument]:
    """`workgroup(%a : type, ...)`, or nothing."""
    if parser.parse_optional_keyword(keyword) is None:
        return []
    found: list[Parser.Argument] = []

    def one() -> None:
        found.append(parser.parse_argument(expect_type=True))
        parser.parse_optional_attr_dict()

    parser.parse_comma_separated_list(parser.Delimiter.PAREN, one)
    return found


def print_attributions(printer: Printer, keyword: str, values: Sequence[Any]) -> None:
    if values:
        printer.print_string(f" {keyword}(")
        printer.print_list(values, printer.print_block_argument)
        printer.print_string(")")


@irdl_op_definition
class GPUFuncOp(IRDLOperation):
    """A function of the device; memory of its own stands behind its arguments.

    ```mlir
    gpu.func @k(%a: memref<?xf32>) workgroup(%t: memref<32xf32, #gpu.address_space<workgroup>>) private(%p: memref<1xf32, 5>) kernel {
      gpu.return
    }
    ```
    """

    name = "gpu.func"

    body = region_def()
    sym_name = attr_def(SymbolNameConstraint())
    function_type = prop_def(FunctionType)
    kernel = opt_prop_def(UnitAttr)
    arg_attrs = opt_prop_def(ArrayAttr)
    workgroup_attributions = opt_prop_def(IntegerAttr)
    traits = traits_def(IsolatedFromAbove(), SymbolOpInterface())

    @property
    def num_workgroup(self) -> int:
        """How many buffers of the workgroup there are."""
        return 0 if self.workgroup_attributions is None else self.workgroup_attributions.value.data

    def verify_(self) -> None:
        inputs = self.function_type.inputs.data
        parent = self.parent_op()
        if parent is not None and parent.name != "gpu.module":
            raise VerifyException("expects parent op 'gpu.module'")
        if not self.body.blocks:
            raise VerifyException("expected body with at least one block")
        types = self.body.blocks[0].arg_types
        if len(types) < len(inputs) + self.num_workgroup:
            raise VerifyException(f"expected at least {len(inputs) + self.num_workgroup} arguments to body region")
        if tuple(types[: len(inputs)]) != tuple(inputs):
            raise VerifyException("expected body region arguments to be of the types of the function")
        if self.kernel is not None and self.function_type.outputs.data:
            raise VerifyException("expected void return type for kernel function")
        for index, type in enumerate(types[len(inputs) :]):
            space = "workgroup" if index < self.num_workgroup else "private"
            if not isinstance(type, MemRefType):
                raise VerifyException(f"expected memref type in attribution, got {type}")
            given = cast("MemRefType[Any]", type).memory_space
            if isinstance(given, AddressSpaceAttr) and given.data != space:
                raise VerifyException(f"expected memory space {space} in attribution")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        name = parser.parse_symbol_name()
        arguments: list[Parser.Argument] = []
        arg_attrs: list[DictionaryAttr] = []

        def argument() -> None:
            found = parser.parse_optional_argument(expect_type=True)
            if found is None:
                parser.raise_error("custom op 'gpu.func' gpu.func requires named arguments")
            arguments.append(found)
            arg_attrs.append(DictionaryAttr(parser.parse_optional_attr_dict()))

        parser.parse_comma_separated_list(parser.Delimiter.PAREN, argument)
        types = parse_result_types(parser, optional=True)
        inputs = [argument.type for argument in arguments]
        properties: dict[str, Attribute] = {"function_type": FunctionType.from_lists(inputs, types)}
        if any(attrs.data for attrs in arg_attrs):
            properties["arg_attrs"] = ArrayAttr(arg_attrs)
        workgroup = parse_attributions(parser, "workgroup")
        private = parse_attributions(parser, "private")
        if workgroup:
            properties["workgroup_attributions"] = IntegerAttr(len(workgroup), i64)
        if parser.parse_optional_keyword("kernel"):
            properties["kernel"] = UnitAttr()
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parser.parse_region([*arguments, *workgroup, *private])
        named: dict[str, Attribute] = {"sym_name": name, **(attributes.data if attributes else {})}
        return cls.create(properties=properties, attributes=named, regions=[body])

    def print(self, printer: Printer) -> None:
        count = len(self.function_type.inputs)
        block_args = self.body.blocks[0].args
        attrs = [cast(DictionaryAttr, a).data for a in self.arg_attrs] if self.arg_attrs is not None else [{}] * count
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        printer.print_string("(")
        for index, (argument, dictionary) in enumerate(zip(block_args[:count], attrs, strict=True)):
            printer.print_string(", " if index else "")
            printer.print_block_argument(argument)
            if dictionary:
                printer.print_string(" ")
                printer.print_attr_dict(dict(dictionary))
        printer.print_string(")")
        if self.function_type.outputs.data:
            print_result_types(printer, self.function_type.outputs.data)
        print_attributions(printer, "workgroup", block_args[count : count + self.num_workgroup])
        print_attributions(printer, "private", block_args[count + self.num_workgroup :])
        printer.print_string(" kernel" if self.kernel is not None else "")
        printer.print_op_attributes(self.attributes, reserved_attr_names=["sym_name"], print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False, print_empty_block=False)


@irdl_op_definition
class ReturnOp(IRDLOperation):
    """`gpu.return %v : f32`"""

    name = "gpu.return"
    args = var_operand_def()
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "attr-dict ($args^ `:` type($args))?"


@irdl_op_definition
class TerminatorOp(IRDLOperation):
    """Ends the body of a launch."""

    name = "gpu.terminator"
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "attr-dict"


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends the body of a reduction or of `gpu.warp_execute_on_lane_0`."""

    name = "gpu.yield"
    values = var_operand_def()
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "attr-dict ($values^ `:` type($values))?"
