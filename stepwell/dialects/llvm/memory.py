"""`llvm.load`, `llvm.store` and `llvm.alloca`: access to memory, atomic or not, with what is known of aliasing."""

from __future__ import annotations

from typing import Any, Self, cast

from xdsl.dialects.builtin import IntegerAttr, IntegerType, StringAttr, UnitAttr, i64
from xdsl.dialects.llvm import LLVMPointerType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, opt_prop_def, prop_def, result_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from stepwell.ir.rules import shown, width

ORDERINGS = {0: "not_atomic", 1: "unordered", 2: "monotonic", 4: "acquire", 5: "release", 6: "acq_rel", 7: "seq_cst"}
_NUMBERS = {name: number for number, name in ORDERINGS.items()}
NOT_ATOMIC = IntegerAttr(0, i64)


def is_atomic_type(type: Attribute) -> bool:
    """A type that one atomic access can hold: at least a byte, a power of two of bits."""
    from stepwell.dialects.llvm.compatible import is_llvm_float
    from stepwell.dialects.llvm.kinds import is_pointer

    bits = width(type)
    return is_pointer(type) or ((isinstance(type, IntegerType) or is_llvm_float(type)) and bits >= 8 and bits & (bits - 1) == 0)


class _Access(IRDLOperation):
    """What loads and stores share."""

    def _verify_access(self, type: Attribute, *unsupported: int) -> None:
        number = self.properties.get("ordering")
        ordering = cast("IntegerAttr[Any]", number).value.data if isinstance(number, IntegerAttr) else 0
        if not ordering:
            if "syncscope" in self.properties:
                raise VerifyException("expected syncscope to be null for non-atomic access")
            return
        if not is_atomic_type(type):
            raise VerifyException(f"unsupported type '{shown(type)}' for atomic access")
        if ordering in unsupported:
            raise VerifyException(f"unsupported ordering '{ORDERINGS[ordering]}'")
        if "alignment" not in self.properties:
            raise VerifyException("expected alignment for atomic access")

    @classmethod
    def _parse_suffix(cls, parser: Parser, properties: dict[str, Attribute]) -> dict[str, Attribute]:
        """`atomic syncscope("s") acquire invariant {...}`: what is no property of the operation."""
        properties["ordering"] = NOT_ATOMIC
        if parser.parse_optional_keyword("atomic"):
            if parser.parse_optional_keyword("syncscope"):
                with parser.in_parens():
                    properties["syncscope"] = StringAttr(parser.parse_str_literal())
            word = parser.parse_optional_keyword_in(_NUMBERS)
            if word is None:
                parser.raise_error(
                    "expected string or keyword containing one of the following enum values for attribute 'ordering' "
                    f"[{', '.join(_NUMBERS)}]"
                )
            properties["ordering"] = IntegerAttr(_NUMBERS[word], i64)
        for word, name in (("invariant", "invariant"), ("invariant_group", "invariantGroup")):
            if word != "invariant_group" and "invariant" not in cls.get_irdl_definition().properties:
                continue
            if parser.parse_optional_keyword(word):
                properties[name] = UnitAttr()
        if "dereferenceable" in cls.get_irdl_definition().properties and parser.parse_optional_keyword("dereferenceable"):
            properties["dereferenceable"] = _parse_dereferenceable(parser)
        attributes = parser.parse_optional_attr_dict()
        known = cls.get_irdl_definition().properties
        properties |= {name: value for name, value in attributes.items() if name in known}
        return {name: value for name, value in attributes.items() if name not in known}

    def _print_suffix(self, printer: Printer) -> None:
        number = self.properties.get("ordering")
        if isinstance(number, IntegerAttr) and cast("IntegerAttr[Any]", number).value.data:
            printer.print_string(" atomic")
            if (scope := self.properties.get("syncscope")) is not None:
                printer.print_string(" syncscope(")
                printer.print_attribute(scope)
                printer.print_string(")")
            printer.print_string(f" {ORDERINGS[cast('IntegerAttr[Any]', number).value.data]}")
        if "invariant" in self.properties:
            printer.print_string(" invariant")
        if "invariantGroup" in self.properties:
            printer.print_string(" invariant_group")
        if (known := self.properties.get("dereferenceable")) is not None:
            printer.print_string(" dereferenceable")
            cast(Any, known).print_parameter(printer)
        said = ("ordering", "syncscope", "invariant", "invariantGroup", "dereferenceable", "volatile_")
        printer.print_op_attributes({**self.properties, **self.attributes}, reserved_attr_names=said)


def _parse_dereferenceable(parser: Parser) -> Attribute:
    cls: Any = parser.ctx.get_optional_attr("llvm.dereferenceable")
    return cls.new(cls.parse_parameter(parser))


@irdl_op_definition
class LoadOp(_Access):
    """`%v = llvm.load volatile %p atomic acquire {alignment = 4 : i64} : !llvm.ptr -> f32`"""

    name = "llvm.load"

    ptr = operand_def(LLVMPointerType)
    dereferenced_value = result_def()
    alignment = opt_prop_def(IntegerAttr)
    volatile_ = opt_prop_def(UnitAttr)
    nontemporal = opt_prop_def(UnitAttr)
    invariant = opt_prop_def(UnitAttr)
    invariantGroup = opt_prop_def(UnitAttr)
    ordering = prop_def(IntegerAttr, default_value=NOT_ATOMIC)
    syncscope = opt_prop_def(StringAttr)
    dereferenceable = opt_prop_def()
    access_groups = opt_prop_def()
    alias_scopes = opt_prop_def()
    noalias_scopes = opt_prop_def()
    tbaa = opt_prop_def()

    def __init__(self, ptr: SSAValue, result_type: Attribute, alignment: int | None = None, ordering: int = 0) -> None:
        properties: dict[str, Attribute] = {"ordering": IntegerAttr(ordering, i64) if ordering else NOT_ATOMIC}
        if alignment is not None:
            properties["alignment"] = IntegerAttr(alignment, i64)
        super().__init__(operands=[ptr], result_types=[result_type], properties=properties)

    def verify_(self) -> None:
        if self.dereferenceable is not None and not isinstance(self.dereferenced_value.type, LLVMPointerType):
            raise VerifyException("expected op to return a single LLVM pointer type")
        self._verify_access(self.dereferenced_value.type, 5, 6)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {}
        if parser.parse_optional_keyword("volatile"):
            properties["volatile_"] = UnitAttr()
        address = parser.parse_unresolved_operand()
        attributes = cls._parse_suffix(parser, properties)
        parser.parse_punctuation(":")
        type = parser.parse_type()
        parser.parse_punctuation("->")
        result = parser.parse_type()
        return cls.create(
            operands=[parser.resolve_operand(address, type)], result_types=[result], properties=properties, attributes=attributes
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" volatile " if self.volatile_ is not None else " ")
        printer.print_ssa_value(self.ptr)
        self._print_suffix(printer)
        printer.print_string(" : ")
        printer.print_attribute(self.ptr.type)
        printer.print_string(" -> ")
        printer.print_attribute(self.dereferenced_value.type)


@irdl_op_definition
class StoreOp(_Access):
    """`llvm.store volatile %v, %p atomic release {alignment = 4 : i64} : f32, !llvm.ptr`"""

    name = "llvm.store"

    value = operand_def()
    ptr = operand_def(LLVMPointerType)
    alignment = opt_prop_def(IntegerAttr)
    volatile_ = opt_prop_def(UnitAttr)
    nontemporal = opt_prop_def(UnitAttr)
    invariantGroup = opt_prop_def(UnitAttr)
    ordering = opt_prop_def(IntegerAttr)
    syncscope = opt_prop_def(StringAttr)
    access_groups = opt_prop_def()
    alias_scopes = opt_prop_def()
    noalias_scopes = opt_prop_def()
    tbaa = opt_prop_def()

    def __init__(
        self,
        value: SSAValue,
        ptr: SSAValue,
        alignment: int | None = None,
        ordering: int = 0,
        volatile: bool = False,
        nontemporal: bool = False,
    ) -> None:
        properties: dict[str, Attribute] = {"ordering": IntegerAttr(ordering, i64) if ordering else NOT_ATOMIC}
        if alignment is not None:
            properties["alignment"] = IntegerAttr(alignment, i64)
        if volatile:
            properties["volatile_"] = UnitAttr()
        if nontemporal:
            properties["nontemporal"] = UnitAttr()
        super().__init__(operands=[value, ptr], properties=properties)

    def verify_(self) -> None:
        self._verify_access(self.value.type, 4, 6)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {}
        if parser.parse_optional_keyword("volatile"):
            properties["volatile_"] = UnitAttr()
        value = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        address = parser.parse_unresolved_operand()
        attributes = cls._parse_suffix(parser, properties)
        parser.parse_punctuation(":")
        type = parser.parse_type()
        parser.parse_punctuation(",")
        operands = [parser.resolve_operand(value, type), parser.resolve_operand(address, parser.parse_type())]
        return cls.create(operands=operands, properties=properties, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" volatile " if self.volatile_ is not None else " ")
        printer.print_list((self.value, self.ptr), printer.print_ssa_value)
        self._print_suffix(printer)
        printer.print_string(" : ")
        printer.print_list((self.value.type, self.ptr.type), printer.print_attribute)


@irdl_op_definition
class AllocaOp(IRDLOperation):
    """`%p = llvm.alloca inalloca %n x f32 {alignment = 8 : i64} : (i64) -> !llvm.ptr`"""

    name = "llvm.alloca"

    size = operand_def(IntegerType)
    res = result_def(LLVMPointerType)
    alignment = opt_prop_def(IntegerAttr)
    elem_type = prop_def()
    inalloca = opt_prop_def(UnitAttr)

    def __init__(self, size: SSAValue, elem_type: Attribute, alignment: int = 32) -> None:
        super().__init__(
            operands=[size], result_types=[LLVMPointerType()], properties={"alignment": IntegerAttr(alignment, 64), "elem_type": elem_type}
        )

    def verify_(self) -> None:
        if self.elem_type.name == "llvm.target":
            from stepwell.dialects.llvm.kinds import target_supports_memory

            if not target_supports_memory(self.elem_type):
                raise VerifyException("this target extension type cannot be used in alloca")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {}
        if parser.parse_optional_keyword("inalloca"):
            properties["inalloca"] = UnitAttr()
        size = parser.parse_unresolved_operand()
        parser.parse_keyword("x")
        properties["elem_type"] = parser.parse_type()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        start = parser.pos
        type: Any = parser.parse_type()
        alignment = attributes.pop("alignment", None)
        if alignment is not None:
            if not isinstance(alignment, IntegerAttr):
                parser.raise_error("expected integer alignment", start)
            if cast("IntegerAttr[Any]", alignment).value.data:
                properties["alignment"] = alignment
        if (type.name != "fun" and type.name != "builtin.function") or len(type.inputs) != 1 or len(type.outputs) != 1:
            parser.raise_error("expected trailing function type with one argument and one result", start)
        return cls.create(
            operands=[parser.resolve_operand(size, type.inputs.data[0])],
            result_types=[type.outputs.data[0]],
            properties=properties,
            attributes=attributes,
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" inalloca " if self.inalloca is not None else " ")
        printer.print_ssa_value(self.size)
        printer.print_string(" x ")
        printer.print_attribute(self.elem_type)
        stated = {**self.properties, **self.attributes}
        printer.print_op_attributes(stated, reserved_attr_names=("elem_type", "inalloca"))
        printer.print_string(" : ")
        printer.print_function_type([self.size.type], [self.res.type])
