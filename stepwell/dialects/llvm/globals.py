"""`llvm.mlir.global`, what names one, and constants: data of a module and values that need no computing."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any, Self, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    StringAttr,
    SymbolNameConstraint,
    SymbolRefAttr,
    UnitAttr,
    VectorType,
    i64,
)
from xdsl.dialects.llvm import LinkageAttr, LLVMPointerType
from xdsl.ir import Attribute, Operation, Region, TypedAttribute
from xdsl.irdl import IRDLOperation, irdl_op_definition, opt_prop_def, prop_def, region_def, result_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import ConstantLike, NoMemoryEffect, Pure, SymbolOpInterface, SymbolTable, is_side_effect_free
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.llvm.linkage import (
    EXTERNAL,
    ZERO,
    parse_comdat,
    parse_linkage,
    parse_unnamed,
    parse_visibility,
    print_comdat,
    print_linkage,
    print_unnamed,
    verify_comdat,
)
from stepwell.dialects.llvm.types import LLVMArrayType
from stepwell.ir.rules import is_float, shown, width

ALIAS_LINKAGES = frozenset("external internal private weak weak_odr linkonce linkonce_odr available_externally".split())
_UNFIT = frozenset(("llvm.void", "llvm.token", "llvm.metadata", "llvm.label", "llvm.func"))


def is_global_type(type: Attribute) -> bool:
    """Whether a global may hold such a value."""
    from stepwell.dialects.llvm.compatible import is_compatible

    return is_compatible(type) and type.name not in _UNFIT


def has_effects(op: Operation) -> bool:
    """Whether an initializer may not contain the operation."""
    return not is_side_effect_free(op) and op.name != "llvm.return"


def is_zero(value: Attribute) -> bool:
    """Whether a constant is nothing but zeros."""
    if isinstance(value, (IntegerAttr, FloatAttr)):
        return not cast(Any, value).value.data
    if isinstance(value, DenseIntOrFPElementsAttr):
        return not any(cast("DenseIntOrFPElementsAttr[Any]", value).data.data)
    return isinstance(value, ArrayAttr) and all(is_zero(item) for item in cast("ArrayAttr[Attribute]", value))


_SAID = ("sym_name", "global_type", "constant", "value", "linkage", "unnamed_addr", "thread_local_", "visibility_", "comdat")


@irdl_op_definition
class GlobalOp(IRDLOperation):
    """A piece of the program's data.

    ```mlir
    llvm.mlir.global internal hidden unnamed_addr thread_local constant @text("abc\\00") comdat(@c::@s) {alignment = 8 : i64}
    llvm.mlir.global external @p() : !llvm.ptr { ... llvm.return %v : !llvm.ptr }
    ```
    """

    name = "llvm.mlir.global"

    global_type = prop_def()
    constant = opt_prop_def(UnitAttr)
    sym_name = prop_def(SymbolNameConstraint())
    linkage = prop_def(LinkageAttr)
    dso_local = opt_prop_def(UnitAttr)
    thread_local_ = opt_prop_def(UnitAttr)
    visibility_ = opt_prop_def(IntegerAttr)
    externally_initialized = opt_prop_def(UnitAttr)
    value = opt_prop_def()
    alignment = opt_prop_def(IntegerAttr)
    addr_space = opt_prop_def()
    unnamed_addr = opt_prop_def(IntegerAttr)
    section = opt_prop_def(StringAttr)
    comdat = opt_prop_def()
    dbg_exprs = opt_prop_def()
    body = region_def()
    traits = traits_def(SymbolOpInterface())

    def __init__(
        self,
        global_type: Attribute,
        sym_name: str | StringAttr,
        linkage: str | LinkageAttr,
        addr_space: int = 0,
        constant: bool | None = None,
        dso_local: bool | None = None,
        thread_local_: bool | None = None,
        value: Attribute | None = None,
        alignment: int | None = None,
        unnamed_addr: int | None = None,
        section: str | StringAttr | None = None,
        body: Region | None = None,
    ) -> None:
        super().__init__(
            properties={
                "global_type": global_type,
                "sym_name": StringAttr(sym_name) if isinstance(sym_name, str) else sym_name,
                "linkage": LinkageAttr(linkage) if isinstance(linkage, str) else linkage,
                "addr_space": IntegerAttr(addr_space, 32) if addr_space else None,
                "constant": UnitAttr() if constant else None,
                "dso_local": UnitAttr() if dso_local else None,
                "thread_local_": UnitAttr() if thread_local_ else None,
                "value": value,
                "alignment": None if alignment is None else IntegerAttr(alignment, 64),
                "unnamed_addr": None if unnamed_addr is None else IntegerAttr(unnamed_addr, 64),
                "section": StringAttr(section) if isinstance(section, str) else section,
            },
            regions=[body or Region()],
        )

    @property
    def address_space(self) -> int:
        """Where it lies."""
        return cast("IntegerAttr[Any]", self.addr_space).value.data if isinstance(self.addr_space, IntegerAttr) else 0

    def verify_(self) -> None:
        space = self.addr_space
        if space is not None and (not isinstance(space, IntegerAttr) or self.address_space < 0):
            what = "32-bit signless integer attribute whose value is non-negative"
            raise VerifyException(f"attribute 'addr_space' failed to satisfy constraint: {what}")
        type, parent = self.global_type, self.parent_op()
        if parent is not None and not parent.has_trait(SymbolTable, value_if_unregistered=True):
            raise VerifyException("symbol's parent must have the SymbolTable trait")
        if not is_global_type(type):
            raise VerifyException("expects type to be a valid element type for an LLVM global")
        self._verify_value(type)
        verify_comdat(self)
        if self.alignment is not None:
            number = cast("IntegerAttr[Any]", self.alignment).value.data
            if number <= 0 or number & (number - 1):
                raise VerifyException("alignment attribute is not a power of 2")
        if self.body.blocks:
            self._verify_initializer(type)

    def _verify_value(self, type: Attribute) -> None:
        value, linkage = self.value, self.linkage.linkage.data
        if isinstance(value, StringAttr) and not (
            isinstance(type, LLVMArrayType) and width(type.type) == 8 and type.size.data == len(value.data.encode("utf-8"))
        ):
            raise VerifyException("requires an i8 array type of the length equal to that of the string attribute")
        if type.name == "llvm.target" and value is not None:
            raise VerifyException("global with target extension type can only be initialized with zero-initializer")
        if linkage == "common" and value is not None and not is_zero(value):
            raise VerifyException("expected zero value for 'common' linkage")
        if linkage == "appending" and not isinstance(type, LLVMArrayType):
            raise VerifyException("expected array type for 'appending' linkage")

    def _verify_initializer(self, type: Attribute) -> None:
        last = self.body.blocks[0].last_op
        if last is None or last.name != "llvm.return":
            raise VerifyException("block with no terminator")
        if not last.operands:
            raise VerifyException("initializer region cannot return void")
        if last.operands[0].type != type:
            raise VerifyException(f"initializer region type '{shown(last.operands[0].type)}' does not match global type '{shown(type)}'")
        if any(has_effects(op) for op in self.body.blocks[0].ops):
            raise VerifyException("ops with side effects not allowed in global initializers")
        if self.value is not None:
            raise VerifyException("cannot have both initializer value and region")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        properties: dict[str, Attribute] = {"linkage": parse_linkage(parser), "visibility_": parse_visibility(parser)}
        if parser.parse_optional_keyword("thread_local"):
            properties["thread_local_"] = UnitAttr()
        properties["unnamed_addr"] = parse_unnamed(parser)
        if parser.parse_optional_keyword("constant"):
            properties["constant"] = UnitAttr()
        properties["sym_name"] = parser.parse_symbol_name()
        parser.parse_punctuation("(")
        value: Attribute | None = None
        if parser.parse_optional_punctuation(")") is None:
            properties["value"] = value = parser.parse_attribute()
            parser.parse_punctuation(")")
        comdat = parse_comdat(parser)
        if comdat is not None:
            properties["comdat"] = comdat
        attributes = parser.parse_optional_attr_dict()
        body: Region | None = None
        if parser.parse_optional_punctuation(":"):
            types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
            if len(types) > 1:
                parser.raise_error("expected zero or one type", start)
            properties["global_type"] = types[0]
            body = parser.parse_optional_region()
        elif isinstance(value, StringAttr):
            properties["global_type"] = LLVMArrayType(len(value.data.encode("utf-8")), IntegerType(8))
        else:
            parser.raise_error("type can only be omitted for string globals", start)
        known = cls.get_irdl_definition().properties
        properties |= {key: attributes.pop(key) for key in list(attributes) if key in known}
        if properties.get("addr_space") == IntegerAttr(0, 32):
            del properties["addr_space"]
        return cls.create(properties=properties, attributes=attributes, regions=[body or Region()])

    def print(self, printer: Printer) -> None:
        if self.linkage == EXTERNAL:
            printer.print_string(" external")
        print_linkage(printer, self)
        printer.print_string(" thread_local" if self.thread_local_ is not None else "")
        print_unnamed(printer, self)
        printer.print_string(" constant " if self.constant is not None else " ")
        printer.print_symbol_name(self.sym_name.data)
        printer.print_string("(")
        if self.value is not None:
            printer.print_attribute(self.value)
        printer.print_string(")")
        print_comdat(printer, self)
        printer.print_op_attributes({**self.properties, **self.attributes}, reserved_attr_names=_SAID)
        if isinstance(self.value, StringAttr):
            return
        printer.print_string(" : ")
        printer.print_attribute(self.global_type)
        if self.body.blocks:
            printer.print_string(" ")
            printer.print_region(self.body)


@irdl_op_definition
class AddressOfOp(IRDLOperation):
    """`%p = llvm.mlir.addressof @data : !llvm.ptr<3>`"""

    name = "llvm.mlir.addressof"

    global_name = prop_def(SymbolRefAttr)
    result = result_def(LLVMPointerType)
    traits = traits_def(NoMemoryEffect(), ConstantLike())
    assembly_format = "$global_name attr-dict `:` type($result)"

    def __init__(self, global_name: str | StringAttr | SymbolRefAttr, result_type: LLVMPointerType) -> None:
        name = global_name if isinstance(global_name, SymbolRefAttr) else SymbolRefAttr(global_name)
        super().__init__(properties={"global_name": name}, result_types=[result_type])

    def verify_(self) -> None:
        found: Any = SymbolTable.lookup_symbol(self, self.global_name)
        if found is None or found.name not in ("llvm.mlir.global", "llvm.func", "llvm.mlir.alias", "llvm.mlir.ifunc"):
            raise VerifyException(
                "must reference a global defined by 'llvm.mlir.global', 'llvm.mlir.alias' or 'llvm.func' or 'llvm.mlir.ifunc'"
            )
        if found.name in ("llvm.mlir.global", "llvm.mlir.alias"):
            from stepwell.dialects.llvm.kinds import address_space

            space = found.properties.get("addr_space")
            if found.name == "llvm.mlir.global" and address_space(self.result.type) != found.address_space:
                raise VerifyException("pointer address space must match address space of the referenced global or alias")
            if found.name == "llvm.mlir.alias" and address_space(self.result.type) != (space.value.data if space is not None else 0):
                raise VerifyException("pointer address space must match address space of the referenced global or alias")


@irdl_op_definition
class ZeroOp(IRDLOperation):
    """`%z = llvm.mlir.zero : !llvm.ptr`: null, or nothing but zeros."""

    name = "llvm.mlir.zero"

    res = result_def()
    traits = traits_def(Pure(), ConstantLike())
    assembly_format = "attr-dict `:` type($res)"

    def verify_(self) -> None:
        if self.res.type.name == "llvm.target":
            from stepwell.dialects.llvm.kinds import target_has_zero

            if not target_has_zero(self.res.type):
                raise VerifyException("target extension type does not support zero-initializer")


@irdl_op_definition
class ConstantOp(IRDLOperation):
    """`%c = llvm.mlir.constant(42 : i32) : i32`"""

    name = "llvm.mlir.constant"

    value = prop_def()
    result = result_def()
    traits = traits_def(Pure(), ConstantLike())

    def __init__(self, value: Attribute, value_type: Attribute) -> None:
        super().__init__(properties={"value": value}, result_types=[value_type])

    def verify_(self) -> None:
        value, type = self.value, self.result.type
        if isinstance(value, StringAttr):
            length = len(value.data.encode("utf-8"))
            if not (isinstance(type, LLVMArrayType) and type.size.data == length and width(type.type) == 8):
                raise VerifyException(f"expected array type of {length} i8 elements for the string constant")
        elif type.name == "llvm.struct":
            _verify_struct(value, list(cast(Any, type).types))
        elif type.name == "llvm.target":
            raise VerifyException("does not support target extension type.")
        elif isinstance(value, IntegerAttr):
            if not isinstance(type, IntegerType):
                raise VerifyException("expected integer type")
        elif isinstance(value, FloatAttr):
            _verify_float(cast("FloatAttr[Any]", value).type, type)
        elif isinstance(value, DenseIntOrFPElementsAttr) or value.name in ("dense_resource", "builtin.sparse_elements"):
            _verify_elements(value, type)
        elif isinstance(value, ArrayAttr):
            if not isinstance(type, LLVMArrayType):
                raise VerifyException("expected array or struct type for array attribute")
            _verify_nested(cast("ArrayAttr[Attribute]", value), type, 0)
        else:
            raise VerifyException("only supports integer, float, string or elements attributes")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        parser.parse_punctuation("(")
        value = parser.parse_attribute()
        parser.parse_punctuation(")")
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        return cls.create(properties={"value": value}, result_types=[parser.parse_type()], attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string("(")
        printer.print_attribute(self.value)
        printer.print_string(")")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.result.type)


def _verify_struct(value: Attribute, types: list[Attribute]) -> None:
    if not isinstance(value, ArrayAttr):
        raise VerifyException("expected array attribute for struct type")
    items = list(cast("ArrayAttr[Attribute]", value))
    if len(items) != len(types):
        raise VerifyException(f"expected array attribute of size {len(types)}")
    for index, (item, type) in enumerate(zip(items, types, strict=True)):
        if not (isinstance(type, (IntegerType, IndexType)) or is_float(type)):
            raise VerifyException("expected struct element types to be floating point type or integer type")
        if not isinstance(item, (IntegerAttr, FloatAttr)):
            raise VerifyException("expected element of array attribute to be floating point or integer")
        if cast("TypedAttribute", item).get_type() != type:
            raise VerifyException(f"struct element at index {index} is of wrong type")


def _verify_float(held: Attribute, type: Attribute) -> None:
    if is_float(type):
        if type != held:
            raise VerifyException("attribute and type have different float semantics")
    elif isinstance(type, IntegerType) and width(type) != width(held):
        raise VerifyException(f"expected integer type of width {width(held)}")


def _elements(type: Attribute) -> tuple[int, Attribute]:
    """How many scalars an array or vector holds, and of which type."""
    count = 1
    while isinstance(type, (LLVMArrayType, VectorType)):
        if isinstance(type, LLVMArrayType):
            count, type = count * type.size.data, type.type
        else:
            for extent in type.get_shape():
                count *= extent
            type = cast(Attribute, type.element_type)
    return count, type


def _has_scalable(type: Attribute) -> bool:
    while isinstance(type, LLVMArrayType):
        type = type.type
    return isinstance(type, VectorType) and type.get_num_scalable_dims() > 0


def _verify_elements(value: Any, type: Attribute) -> None:
    held = value.get_element_type() if isinstance(value, DenseIntOrFPElementsAttr) else value.type.get_element_type()
    if _has_scalable(type):
        if not (isinstance(value, DenseIntOrFPElementsAttr) and cast("DenseIntOrFPElementsAttr[Any]", value).is_splat()):
            raise VerifyException("scalable vector type requires a splat attribute")
        return
    if not isinstance(type, (VectorType, LLVMArrayType)):
        raise VerifyException("expected vector or array type")
    count, element = _elements(type)
    given = 1
    for extent in value.type.get_shape():
        given *= extent
    if given != count:
        raise VerifyException(f"type and attribute have a different number of elements: {count} vs. {given}")
    if is_float(held):
        _verify_float(held, element)
    elif isinstance(held, IntegerType) and not isinstance(element, IntegerType):
        raise VerifyException("expected integer element type for integer elements attribute")


_BLANK = frozenset(("llvm.zero", "llvm.undef", "llvm.poison"))


def _verify_nested(value: ArrayAttr[Attribute], type: LLVMArrayType, dimension: int) -> None:
    if len(value) != type.size.data:
        raise VerifyException(
            f"array attribute size does not match array type size in dimension {dimension}: {len(value)} vs. {type.size.data}"
        )
    element = type.type
    if isinstance(element, LLVMArrayType):
        for index, item in enumerate(value):
            if item.name in _BLANK:
                continue
            if not isinstance(item, ArrayAttr):
                raise VerifyException(
                    f"nested attribute for sub-array in dimension {dimension} at index {index} must be a zero, or undef, or array attribute"
                )
            _verify_nested(cast("ArrayAttr[Attribute]", item), element, dimension + 1)
        return
    if isinstance(element, LLVMPointerType):
        for index, item in enumerate(value):
            if not (isinstance(item, SymbolRefAttr) and not item.nested_references.data) and item.name not in _BLANK:
                raise VerifyException(f"pointer array element at index {index} must be a flat symbol reference, zero, undef, or poison")
        return
    if element.name != "llvm.struct":
        raise VerifyException("for array with an array attribute must have a struct element type")
    count = len(cast(Any, element).types)
    for index, item in enumerate(value):
        if item.name in _BLANK:
            continue
        if not isinstance(item, ArrayAttr):
            raise VerifyException(f"nested attribute for struct element at index {index} must be a zero, or undef, or array attribute")
        held = len(cast("ArrayAttr[Attribute]", item))
        if held != count:
            raise VerifyException(
                f"nested array attribute size for struct element at index {index} must match struct size: {held} vs. {count}"
            )


__all__ = ["ALIAS_LINKAGES", "ZERO", "AddressOfOp", "ConstantOp", "GlobalOp", "ZeroOp", "has_effects", "i64", "is_global_type"]
