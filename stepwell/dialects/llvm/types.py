"""The types of `llvm`: structs with names, without bodies and packed, arrays, functions, and types that only a target knows.

Inside of `!llvm<...>` the prefix is left out: `!llvm.struct<"node", (ptr, array<4 x i8>)>`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

from xdsl.dialects.builtin import ArrayAttr, IntAttr, NoneAttr, StringAttr, UnitAttr
from xdsl.dialects.llvm import LLVMPointerType as LLVMPointerType
from xdsl.dialects.llvm import LLVMVoidType as LLVMVoidType
from xdsl.ir import Attribute, Data, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition, param_def
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.mlir_lexer import MLIRTokenKind

from stepwell.dialects.attr_table import Body, Item, body

NO_ELEMENTS = frozenset(("llvm.void", "llvm.func", "llvm.label", "llvm.metadata", "llvm.token"))
"""Types of which there are no arrays, members or arguments."""


def parse_short_type(parser: AttrParser) -> Attribute:
    """A type inside of another of the dialect."""
    token = parser._current_token  # pyright: ignore[reportPrivateUsage]
    if token.kind == MLIRTokenKind.BARE_IDENT and (build := _SHORT.get(token.text)) is not None:
        parser._consume_token()  # pyright: ignore[reportPrivateUsage]
        return build(parser)
    return parser.parse_type()


def print_short_type(printer: Printer, type: Attribute) -> None:
    """The same without its prefix, where it is of the dialect."""
    prefix = type.name.removeprefix("llvm.")
    if prefix not in _SHORT:
        printer.print_attribute(type)
        return
    printer.print_string(prefix)
    if isinstance(type, ParametrizedAttribute):
        type.print_parameters(printer)
    elif isinstance(type, (Body, ByteType)):
        type.print_parameter(printer)


@irdl_attr_definition
class LLVMArrayType(ParametrizedAttribute, TypeAttribute):
    """`!llvm.array<4 x f32>`"""

    name = "llvm.array"

    size: IntAttr = param_def(converter=IntAttr.get)
    type: Attribute

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> tuple[IntAttr, Attribute]:
        with parser.in_angle_brackets():
            size = IntAttr(parser.parse_integer(allow_boolean=False))
            parser.parse_shape_delimiter()
            type = parse_short_type(parser)
            if type.name in NO_ELEMENTS:
                parser.raise_error(f"invalid array element type: {type}")
        return size, type

    def print_parameters(self, printer: Printer) -> None:
        printer.print_string(f"<{self.size.data} x ")
        print_short_type(printer, self.type)
        printer.print_string(">")


@irdl_attr_definition
class LLVMStructType(ParametrizedAttribute, TypeAttribute):
    """`!llvm.struct<(i32, f32)>`, `!llvm.struct<"name", packed (i8, ptr)>`, `!llvm.struct<"name", opaque>`.

    `kind` is "", "packed", "opaque" (the body is not known), or "self" (the struct inside of its own body).
    """

    name = "llvm.struct"

    struct_name: StringAttr
    types: ArrayAttr[Attribute]
    kind: StringAttr

    def __init__(self, struct_name: StringAttr, types: ArrayAttr[Attribute], kind: StringAttr = StringAttr("")) -> None:
        super().__init__(struct_name, types, kind)

    @staticmethod
    def from_type_list(types: Sequence[Attribute]) -> LLVMStructType:
        """The struct without a name."""
        return LLVMStructType(StringAttr(""), ArrayAttr(types))

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> tuple[StringAttr, ArrayAttr[Attribute], StringAttr]:
        known: dict[str, Any] = vars(parser._parser_state).setdefault("identified_structs", {})  # pyright: ignore[reportPrivateUsage]
        enclosing: list[str] = vars(parser._parser_state).setdefault("enclosing_structs", [])  # pyright: ignore[reportPrivateUsage]
        parser.parse_punctuation("<")
        name = parser.parse_optional_str_literal()
        if name is not None and parser.parse_optional_punctuation(">"):
            if name not in enclosing:
                parser.raise_error("struct without a body only allowed in a recursive struct")
            return StringAttr(name), ArrayAttr(()), StringAttr("self")
        if name is not None:
            if name in enclosing:
                parser.raise_error("identifier already used for an enclosing struct")
            parser.parse_punctuation(",")
        if parser.parse_optional_keyword("opaque"):
            if name is None:
                parser.raise_error("only identified structs can be opaque")
            if known.setdefault(name, "opaque") != "opaque":
                parser.raise_error("redeclaring defined struct as opaque")
            parser.parse_punctuation(">")
            return StringAttr(name), ArrayAttr(()), StringAttr("opaque")
        kind = "packed" if parser.parse_optional_keyword("packed") else ""
        if name is not None:
            enclosing.append(name)
        types = ArrayAttr(parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parse_short_type(parser)))
        if name is not None:
            enclosing.pop()
        for type in types:
            if type.name in NO_ELEMENTS:
                parser.raise_error(f"invalid LLVM structure element type: {type}")
        if name is not None and known.setdefault(name, (kind, types)) != (kind, types):
            parser.raise_error("identified type already used with a different body")
        parser.parse_punctuation(">")
        return StringAttr(name or ""), types, StringAttr(kind)

    @classmethod
    def new(cls, params: Sequence[Attribute]) -> Self:
        return super().new((*params, StringAttr("")) if len(params) == 2 else params)

    def print_parameters(self, printer: Printer) -> None:
        kind, name = self.kind.data, self.struct_name.data
        printer.print_string("<")
        if name:
            printer.print_string_literal(name)
            printer.print_string(", " if kind != "self" else "")
        if kind == "opaque":
            printer.print_string("opaque")
        elif kind != "self":
            printer.print_string("packed (" if kind else "(")
            printer.print_list(self.types.data, lambda type: print_short_type(printer, type))
            printer.print_string(")")
        printer.print_string(">")


@irdl_attr_definition
class LLVMFunctionType(ParametrizedAttribute, TypeAttribute):
    """`!llvm.func<i32 (ptr, ...)>`"""

    name = "llvm.func"

    inputs: ArrayAttr[Attribute]
    output: Attribute
    variadic: UnitAttr | NoneAttr

    def __init__(
        self, inputs: Sequence[Attribute] | ArrayAttr[Attribute], output: Attribute | None = None, is_variadic: bool = False
    ) -> None:
        held = inputs if isinstance(inputs, ArrayAttr) else ArrayAttr(inputs)
        super().__init__(held, output or LLVMVoidType(), UnitAttr() if is_variadic else NoneAttr())

    @property
    def is_variadic(self) -> bool:
        """Whether further arguments may follow."""
        return isinstance(self.variadic, UnitAttr)

    def verify(self) -> None:
        from stepwell.dialects.llvm.compatible import is_compatible

        for index, type in enumerate(self.inputs):
            if not is_compatible(type):
                raise VerifyException(f"LLVM function argument #{index} has incompatible type '{type}'")
        if not is_compatible(self.output):
            raise VerifyException(f"LLVM function result has incompatible type '{self.output}'")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> tuple[ArrayAttr[Attribute], Attribute, UnitAttr | NoneAttr]:
        parser.parse_punctuation("<")
        output = parse_short_type(parser)
        if output.name in ("llvm.func", "llvm.label", "llvm.metadata") or _is_opaque(output):
            parser.raise_error(f"invalid function result type: {output}")
        is_variadic = False

        def one() -> Attribute | None:
            nonlocal is_variadic
            if is_variadic:
                parser.raise_error("expected '...' to be the last argument")
            if parser.parse_optional_characters("..."):
                is_variadic = True
                return None
            return parse_short_type(parser)

        inputs = [type for type in parser.parse_comma_separated_list(parser.Delimiter.PAREN, one) if type is not None]
        for type in inputs:
            if type.name in ("llvm.void", "llvm.func") or _is_opaque(type):
                parser.raise_error(f"invalid function argument type: {type}")
        parser.parse_punctuation(">")
        return ArrayAttr(inputs), output, UnitAttr() if is_variadic else NoneAttr()

    def print_parameters(self, printer: Printer) -> None:
        printer.print_string("<")
        print_short_type(printer, self.output)
        printer.print_string(" (")
        printer.print_list(self.inputs.data, lambda type: print_short_type(printer, type))
        if self.is_variadic:
            printer.print_string(", ..." if self.inputs.data else "...")
        printer.print_string(")>")


def _is_opaque(type: Attribute) -> bool:
    return isinstance(type, LLVMStructType) and type.kind.data == "opaque"


# ---- types that few programs use ----------------------------------------------------------------------------------------------------


def _simple(name: str) -> type[ParametrizedAttribute]:
    fields = {"name": f"llvm.{name}", "__doc__": f"`!llvm.{name}`"}
    return irdl_attr_definition(type(f"LLVM{name.title()}Type", (ParametrizedAttribute, TypeAttribute), fields))


def _check_target(parser: AttrParser, items: tuple[Item, ...]) -> None:
    if not (isinstance(items[0], str) and items[0].startswith('"')):
        parser.raise_error("expected string")
    numbers = False
    for item in items[1:]:
        if isinstance(item, str) and item.isdigit():
            numbers = True
        elif item != "," and numbers:
            parser.raise_error("failed to parse parameter list for target extension type")


@irdl_attr_definition
class ByteType(Data[int], TypeAttribute):
    """`!llvm.byte<8>`: bits that may be a pointer or an integer."""

    name = "llvm.byte"
    LIMIT: ClassVar = 1 << 23

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> int:
        with parser.in_angle_brackets():
            bits = parser.parse_integer(allow_boolean=False)
            if bits == 0:
                parser.raise_error("bitwidth must be greater than 0")
            if bits >= cls.LIMIT:
                parser.raise_error(f"bitwidth must be less than {cls.LIMIT}, but got {bits}")
        return bits

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")


_SIMPLE = {name: _simple(name) for name in ("label", "token", "metadata", "x86_amx", "ppc_fp128")}
LabelType, TokenType, MetadataType = _SIMPLE["label"], _SIMPLE["token"], _SIMPLE["metadata"]
TargetType = body("llvm.target", _check_target, type_=True)
TYPES: list[type[Attribute]] = [LLVMArrayType, LLVMStructType, LLVMFunctionType, *_SIMPLE.values(), ByteType, TargetType]


def _parametrized(cls: Any) -> Callable[[AttrParser], Attribute]:
    return lambda parser: cls.new(cls.parse_parameters(parser))


_SHORT: dict[str, Callable[[AttrParser], Attribute]] = {
    "void": lambda _: LLVMVoidType(),
    "ptr": _parametrized(LLVMPointerType),
    "array": _parametrized(LLVMArrayType),
    "struct": _parametrized(LLVMStructType),
    "func": _parametrized(LLVMFunctionType),
    "target": lambda parser: TargetType.new(TargetType.parse_parameter(parser)),
    "byte": lambda parser: ByteType.new(ByteType.parse_parameter(parser)),
    **{name: (lambda _, cls=cls: cls()) for name, cls in _SIMPLE.items()},
}
