"""`memref.global`."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseIntOrFPElementsAttr,
    IntegerAttr,
    MemRefType,
    StringAttr,
    SymbolNameConstraint,
    TensorType,
    UnitAttr,
    i64,
)
from xdsl.dialects.memref import AllocaOp as AllocaOp
from xdsl.dialects.memref import AllocaScopeOp as AllocaScopeOp
from xdsl.dialects.memref import AllocaScopeReturnOp as AllocaScopeReturnOp
from xdsl.dialects.memref import AllocOp as AllocOp
from xdsl.dialects.memref import AssumeAlignmentOp as AssumeAlignmentOp
from xdsl.dialects.memref import DeallocOp as DeallocOp
from xdsl.dialects.memref import DimOp as DimOp
from xdsl.dialects.memref import ExtractStridedMetaDataOp as ExtractStridedMetaDataOp
from xdsl.dialects.memref import GetGlobalOp as GetGlobalOp
from xdsl.dialects.memref import LoadOp as LoadOp
from xdsl.dialects.memref import StoreOp as StoreOp
from xdsl.dialects.memref import ViewOp as ViewOp
from xdsl.ir import Attribute
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import SymbolOpInterface

from stepwell.ir.text.printing import print_attribute, print_payload


@irdl_op_definition
class GlobalOp(IRDLOperation):
    """A buffer of the module.

    ```mlir
    memref.global "private" constant @weight : memref<2xf32> = dense<[0.0, 1.0]> {alignment = 64 : i64}
    ```
    """

    name = "memref.global"

    sym_name = prop_def(SymbolNameConstraint())
    sym_visibility = opt_prop_def(StringAttr)
    type = prop_def(MemRefType)
    initial_value = opt_prop_def(Attribute)
    """Absent for a declaration, unit for `uninitialized`, else `dense` of the tensor type of the same shape."""
    constant = opt_prop_def(UnitAttr)
    alignment = opt_prop_def(IntegerAttr)
    traits = traits_def(SymbolOpInterface())

    @classmethod
    def get(
        cls,
        sym_name: str | StringAttr,
        type: MemRefType[Any],
        initial_value: Attribute | None,
        sym_visibility: str | StringAttr | None = "private",
        constant: bool | UnitAttr | None = None,
        alignment: int | None = None,
    ) -> GlobalOp:
        properties: dict[str, Attribute] = {"sym_name": StringAttr(sym_name) if isinstance(sym_name, str) else sym_name, "type": type}
        if sym_visibility is not None:
            properties["sym_visibility"] = StringAttr(sym_visibility) if isinstance(sym_visibility, str) else sym_visibility
        if initial_value is not None:
            properties["initial_value"] = initial_value
        if constant:
            properties["constant"] = UnitAttr()
        if alignment is not None:
            properties["alignment"] = IntegerAttr(alignment, i64)
        return cls.create(properties=properties)

    @classmethod
    def parse(cls, parser: Parser) -> GlobalOp:
        visibility = parser.parse_optional_str_literal()
        constant = parser.parse_optional_keyword("constant") is not None
        name = parser.parse_symbol_name()
        parser.parse_punctuation(":")
        type = parser.parse_type()
        if not isinstance(type, MemRefType) or DYNAMIC_INDEX in cast(MemRefType[Any], type).get_shape():
            parser.raise_error(f"type should be static shaped memref, but got {print_attribute(type)}")
        type = cast(MemRefType[Any], type)
        value: Attribute | None = None
        if parser.parse_optional_punctuation("="):
            if parser.parse_optional_keyword("uninitialized"):
                value = UnitAttr()
            else:
                if parser.parse_optional_keyword("dense") is None:
                    parser.raise_error("initial value should be a unit or elements attribute")
                value = parser.parse_dense_int_or_fp_elements_attr(TensorType(type.element_type, type.get_shape()))
        attributes = parser.parse_optional_attr_dict()
        alignment = attributes.pop("alignment", None)
        op = cls.get(name, type, value, visibility, constant)
        if alignment is not None:
            op.properties["alignment"] = alignment
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        if self.sym_visibility is not None:
            printer.print_string(" ")
            printer.print_string_literal(self.sym_visibility.data)
        if self.constant is not None:
            printer.print_string(" constant")
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        printer.print_string(" : ")
        printer.print_attribute(self.type)
        value: Attribute | None = self.initial_value
        if isinstance(value, DenseIntOrFPElementsAttr):
            printer.print_string(" = ")
            print_payload(cast(DenseIntOrFPElementsAttr[Any], value), printer)
        elif value is not None:
            printer.print_string(" = uninitialized")
        alignment: dict[str, Attribute] = {} if self.alignment is None else {"alignment": self.alignment}
        printer.print_op_attributes(alignment | self.attributes)
