"""Reading IR: MLIR text in, a module out, or one CompileError with `file:line:col`.

What this parser does beyond xDSL's:
- every operation without an explicit `loc(...)` gets the place of its name in the file as its location;
- a splat is kept as one element, whatever its shape, and a list or a hex string of equal elements becomes a splat, so that equal constants
  are equal attributes; hex strings become bytes and nothing else;
- `0x7F800000` among float elements is a bit pattern, as MLIR prints infinities and NaNs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, cast

from xdsl.context import Context
from xdsl.dialects.builtin import (
    UNKNOWN_LOC,
    AffineMapAttr,
    AnyFloat,
    BytesAttr,
    DenseIntOrFPElementsAttr,
    FileLineColLoc,
    FloatAttr,
    FunctionType,
    IndexType,
    IntAttr,
    IntegerAttr,
    IntegerType,
    LocationAttr,
    MemRefType,
    ModuleOp,
    NoneAttr,
    NoneType,
    StridedLayoutAttr,
    StringAttr,
    TensorType,
    TupleType,
    UnrankedMemRefType,
    UnrankedTensorType,
    UnregisteredOp,
)
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue, TypeAttribute
from xdsl.ir.affine import AffineMap, AffineSet
from xdsl.utils.exceptions import DiagnosticException, MultipleSpansParseError, ParseError, UnregisteredConstructException
from xdsl.utils.lexer import Span
from xdsl.utils.mlir_lexer import MLIRTokenKind

from stepwell.ir.diagnostics import CompileError, InternalError
from stepwell.ir.location_parsing import LaterLocations, parse_location
from stepwell.ir.registry import did_you_mean
from stepwell.ir.text import formats as formats  # declarative formats are read leniently from here on
from stepwell.ir.text.affine_parsing import SemiAffineParser
from stepwell.ir.text.lexing import skip_blanks
from stepwell.ir.text.naming import is_default_name
from stepwell.ir.text.sparse_elements import SparseElementsAttr
from stepwell.ir.text.statements import Statements
from stepwell.ir.text.tokens import Source as Source
from stepwell.ir.text.tokens import TokenParser
from stepwell.ir.text.wording import PARSER, reworded
from stepwell.ir.walking import no_collection


def parse_module(text: str, ctx: Context, *, name: str = "-", first_line: int = 1, implicit_module: bool = True) -> ModuleOp:
    """The module in `text`. `name` and `first_line` are what locations say about where the text stands.

    Raises CompileError, also for an operation that cannot be built from what was written.
    """
    source = Source(text, name, first_line)
    parser: LocatingParser | None = None
    try:
        with no_collection():
            parser = LocatingParser(ctx, source)
            return parser.parse_module(allow_implicit_module=implicit_module)
    except ParseError as error:
        raise _to_compile_error(error, source) from error
    except RecursionError:
        message = "this is nested too deeply"
        raise CompileError(message, location=source.place_at(parser.pos if parser else 0)) from None
    except (LookupError, AttributeError, TypeError, AssertionError, ArithmeticError) as error:
        step = f"the parser of '{parser.reading if parser else 'builtin.module'}'"
        raise InternalError(step, error, location=source.place_at(parser.pos if parser else 0)) from error
    except (DiagnosticException, UnregisteredConstructException, NotImplementedError, ValueError) as error:
        message = str(error) or "this syntax is not supported"
        raise CompileError(reworded(_one_line(message), PARSER), location=source.place_at(parser.pos if parser else 0)) from error


_PLAIN_TYPE = re.compile(r"[a-z][a-zA-Z0-9_]*+(?:<[0-9a-zA-Z?]++>)?(?![\w.$<])")
"""The text of a type such as `i32` or `memref<4x?xf32>`: it means the same wherever it stands."""

_DECIMAL = re.compile(r"-?[0-9]++(?![.xXeE])")

UNREGISTERED = (
    "operation being parsed with an unregistered dialect. "
    "If this is intended, please use -allow-unregistered-dialect with the MLIR tool used"
)

WIDEST = (1 << 24) - 1
"""Bits of the widest integer type."""

NOT_IN_TENSORS = (TupleType, FunctionType, NoneType, TensorType, UnrankedTensorType, MemRefType, UnrankedMemRefType)
"""Types of the builtin dialect of which there are no tensors."""

_NUMBERED = re.compile(r"\D.*_\d+")


class LocatingParser(TokenParser):
    """xDSL's parser with source locations and compact constants."""

    reads_leniently = True

    def __init__(self, ctx: Context, source: Source) -> None:
        super().__init__(ctx, source)
        self._file = StringAttr(source.name)
        self._statements = Statements(source.text)
        self._numbers: dict[int, IntAttr] = {}
        self._types: dict[str, TypeAttribute] = {}
        self._later = LaterLocations()
        self._reading = "builtin.module"
        """The operation that was last begun."""

    def parse_module(self, allow_implicit_module: bool = True) -> ModuleOp:
        if allow_implicit_module and self._current_token.kind == MLIRTokenKind.EOF:
            return ModuleOp([])  # nothing but comments
        module = super().parse_module(allow_implicit_module)
        self._later.resolve(module, self)
        return module

    def parse_operation(self) -> Operation:
        state = self._parser_state
        start = self.pos
        statement = self._statements.at(start, state.dialect_stack[-1])
        if statement is not None:
            op = self._statements.again(statement, self)
            if op is not None:
                op.location = self._location(statement.name_position)
                return op
        op = super().parse_operation()
        if statement is not None:
            self._statements.remember(statement, op, self)
        if op.location is UNKNOWN_LOC:
            op.location = self._location(self._name_position(start))
        return op

    def _get_op_by_name(self, name: str) -> type[Operation]:
        found = self.ctx.get_optional_op(name, dialect_stack=self._parser_state.dialect_stack)
        self._reading = name
        position = self._text.rfind(name, 0, self.pos)
        is_quoted = self._text.startswith('"', position - 1)
        if found is None or (issubclass(found, UnregisteredOp) and not is_quoted):
            raise self._unknown_operation(name, position, is_quoted)
        self._reading = found.name if not issubclass(found, UnregisteredOp) else name
        return found

    def _unknown_operation(self, name: str, position: int, is_quoted: bool) -> CompileError:
        """In MLIR's words, which say of two things which is missing: the dialect or the operation in it."""
        dialect = name.partition(".")[0] if "." in name else self._parser_state.dialect_stack[-1]
        has_dialect = self.ctx.get_optional_dialect(dialect) is not None
        if is_quoted and has_dialect and "." in name:
            message = f"unregistered operation '{name}' found in dialect ('{dialect}') that does not allow unknown operations"
        elif is_quoted:
            message = UNREGISTERED
        else:
            tried = "" if "." in name else f" (tried '{dialect}.{name}' as well)"
            message = (
                f"custom op '{name}' is unknown{tried}" if has_dialect else f"Dialect `{dialect}' not found for custom op '{name}'{tried}"
            )
        known = [op.name for op in self.ctx.loaded_ops]
        return CompileError(message, location=self._source.place_at(position - is_quoted), hint=did_you_mean(name, known))

    def _parse_external_resources(self) -> None:
        """What tools have put behind the IR for themselves, such as reproducers: none of it is IR."""
        self.parse_comma_separated_list(self.Delimiter.BRACES, self._parse_external_resource)

    def _parse_external_resource(self) -> None:
        if self.parse_optional_identifier() is None:
            self.parse_str_literal()
        self.parse_punctuation(":")
        if self._current_token.kind == MLIRTokenKind.L_BRACE:
            self._parse_external_resources()
        else:
            self._consume_token()

    def _register_ssa_definition(self, name: str, values: Sequence[SSAValue], span: Span[str]) -> None:
        """A name that our printer would have chosen itself is no name: reading what was printed gives the same IR."""
        super()._register_ssa_definition(name, values, span)
        for value in values:
            if isinstance(value, BlockArgument) and value.location is UNKNOWN_LOC:
                value.location = self._location(span.start)
            hint = value.name_hint
            while hint is not None and hint[-1].isdigit() and _NUMBERED.fullmatch(hint):  # the printer numbers names that are taken
                value.name_hint = hint = hint[: hint.rindex("_")]
            if hint is not None and is_default_name(value, hint):
                value.name_hint = None

    def _name_position(self, start: int) -> int:
        """Where the name of the operation at `start` stands: behind its results, if it has any."""
        if self._text[start] != "%":
            return start
        position = self._text.index("=", start) + 1
        while self._text[position].isspace():
            position += 1
        return position

    def parse_optional_location(self) -> LocationAttr | None:
        if self._current_token.text != "loc":
            return None
        later = self._later.read(self, self._text)
        return later if later is not None else super().parse_optional_location()

    def _parse_location(self) -> LocationAttr:
        return parse_location(self)

    def _location(self, position: int) -> LocationAttr:
        """A place in the file, made without the checks that its parts need not pass again."""
        line, column = self._source.line_and_column(position)
        location = object.__new__(FileLineColLoc)
        cast("dict[str, Any]", location.__dict__).update(filename=self._file, line=self._number(line), column=self._number(column))
        return location

    def _number(self, value: int) -> IntAttr:
        found = self._numbers.get(value)
        if found is None:
            found = self._numbers[value] = IntAttr(value)
        return found

    # ---- types

    def parse_optional_type(self) -> TypeAttribute | None:
        """A type whose text was read before is the type that it was then."""
        state = self._parser_state
        token: Any = state.current_token
        match = _PLAIN_TYPE.match(self._text, token.start) if token.kind is MLIRTokenKind.BARE_IDENT else None
        if match is None:
            return super().parse_optional_type()
        found = self._types.get(match[0])
        if found is not None:
            state.lexer.pos = match.end()
            state.current_token = state.lexer.lex()
            return found
        found = super().parse_optional_type()
        if type(found) is IntegerType and found.width.data > WIDEST:
            self.raise_error(f"integer bitwidth is limited to {WIDEST} bits", token.span)
        if found is not None and self.pos == skip_blanks(self._text, match.end()):
            self._types[match[0]] = found
        return found

    @property
    def reading(self) -> str:
        """The name of the operation that was last begun."""
        return self._reading

    def _parse_vector_attrs(self) -> Any:
        start = self.pos
        type: Any = super()._parse_vector_attrs()
        if any(extent <= 0 for extent in type.get_shape()):
            self.raise_error(
                f"vector types must have positive constant sizes but got {', '.join(map(str, type.get_shape()))}", start, start
            )
        return type

    def _parse_tensor_attrs(self) -> Any:
        start = self.pos
        type: Any = super()._parse_tensor_attrs()
        if isinstance(type.element_type, NOT_IN_TENSORS):
            self.raise_error("invalid tensor element type", start, start)
        return type

    def _parse_optional_builtin_parametrized_attr(self) -> Attribute | None:
        if self._current_token.text != "sparse":
            return super()._parse_optional_builtin_parametrized_attr()
        self._consume_token()
        return SparseElementsAttr.parse(self)

    def _parse_generic_operation(self, op_type: type[Operation]) -> Operation:
        start = self.pos
        op = super()._parse_generic_operation(op_type)
        flags = op.properties.get("fastmath")
        if isinstance(flags, IntegerAttr):
            wrong = (
                f"invalid properties {{fastmath = {flags}}} for op {op.name}: Invalid attribute `fastmath` in property conversion: {flags}"
            )
            self.raise_error(wrong, start, start)
        return op

    # ---- maps and shapes

    def _parse_block(self) -> Block:
        """A second definition of a label is an error, also where the first was announced by a branch."""
        label = self._current_token
        name = label.text[1:]
        if label.kind is MLIRTokenKind.CARET_IDENT and name in self.blocks and name not in self.forward_block_references:
            self.raise_error(f"redefinition of block '^{name}'", label.span)
        return super()._parse_block()

    def parse_optional_builtin_int_or_float_attr(self) -> Any:
        """A bit pattern and an index must fit their types, and a float is written with a point."""
        span = self._current_token.span
        try:
            found = super().parse_optional_builtin_int_or_float_attr()
        except OverflowError:
            self.raise_error("hexadecimal float constant out of range for type", span)
        if isinstance(found, FloatAttr) and _DECIMAL.match(self._text, span.start):
            self.raise_error("unexpected decimal integer literal for a floating point value", span)
        if isinstance(found, IntegerAttr) and isinstance(found.type, IndexType) and not -(1 << 63) <= found.value.data < 1 << 64:
            self.raise_error("integer constant out of range for attribute", span)
        return found

    def parse_affine_map(self) -> AffineMap:
        return SemiAffineParser(self._parser_state).parse_affine_map()

    def parse_affine_set(self) -> AffineSet:
        return SemiAffineParser(self._parser_state).parse_affine_set()

    def parse_dimension_list(self) -> list[int]:
        """`4x?x`, with or without spaces around the crosses; the last cross is left for the caller."""
        dims: list[int] = []
        while self._current_token.kind in (MLIRTokenKind.INTEGER_LIT, MLIRTokenKind.QUESTION):
            dims.append(self.parse_shape_dimension())
            cross = self.pos
            if self._parse_optional_shape_delimiter() is None:
                break
            if self._current_token.kind not in (MLIRTokenKind.INTEGER_LIT, MLIRTokenKind.QUESTION):
                self._resume_from(cross)
                break
        return dims

    def _parse_memref_attrs(self) -> MemRefType[Any] | UnrankedMemRefType[Any]:
        """An identity map is no layout, and memory space 0 is none, as upstream."""
        type = super()._parse_memref_attrs()
        space: Attribute = NoneAttr() if _is_zero(type.memory_space) else type.memory_space
        if not isinstance(type, MemRefType):
            return type if space is type.memory_space else UnrankedMemRefType.from_type(type.element_type)
        layout: Any = type.layout
        rank = type.get_num_dims()
        if isinstance(layout, StridedLayoutAttr) and len(layout.strides) != rank:
            self.raise_error("expected the number of strides to match the rank")
        if isinstance(layout, AffineMapAttr) and layout.data.num_dims != rank:
            self.raise_error(f"memref layout mismatch between rank and affine map: {rank} != {layout.data.num_dims}")
        if isinstance(layout, AffineMapAttr) and layout.data == AffineMap.identity(rank):
            layout = NoneAttr()
        if space is type.memory_space and layout is type.layout:
            return type
        return MemRefType(type.element_type, type.get_shape(), layout, space)

    # ---- constants

    def parse_dense_int_or_fp_elements_attr(self, type: Any) -> DenseIntOrFPElementsAttr[Any]:
        self.parse_punctuation("<", " in dense attribute")
        values: Sequence[Any] | bytes = ()
        shape: list[int] = [0]
        if self.parse_optional_punctuation(">") is None:
            if self._current_token.kind == MLIRTokenKind.STRING_LIT:
                values = self._parse_hex()
            else:
                values, shape = self._parse_tensor_literal()
            self.parse_punctuation(">", " in dense attribute")
        if type is None:
            self.parse_punctuation(":", " in dense attribute")
            type = self._parse_dense_literal_type()

        element = type.get_element_type()
        count = math.prod(type.get_shape())
        if isinstance(values, bytes):
            payload = values
        else:
            if shape and shape != list(type.get_shape()) and (values or count):
                self.raise_error(f"Shape mismatch in dense literal. Expected {list(type.get_shape())}, but got {shape}.")
            payload = self._pack(values, element)
        size = element.compile_time_size
        if len(payload) not in (size, size * count):
            self.raise_error(f"Shape mismatch in dense literal. Expected {count} elements from the type, but got {len(payload) // size}.")
        return DenseIntOrFPElementsAttr(type, BytesAttr(_as_splat(payload, size) if count else b""))

    def _parse_hex(self) -> bytes:
        """The bytes of `"0x..."`, without a detour through tokens and escapes."""
        span = self._current_token.span
        self._consume_token()
        try:
            if self._text[span.start + 1 : span.start + 3] != "0x":
                raise ValueError
            return bytes.fromhex(self._text[span.start + 3 : span.end - 1])
        except ValueError:
            self.raise_error("a string in a dense attribute must be hexadecimal and start with 0x", span)

    def _pack(self, values: Sequence[Any], element: Any) -> bytes:
        if isinstance(element, AnyFloat):
            return b"".join(self._float_bytes(value, element) for value in values)
        converted: list[Any] = [value.to_type(self, element) for value in values]
        if isinstance(element, IntegerType):
            converted = [element.get_normalized_value(value) for value in converted]
        return element.pack(converted)

    def _float_bytes(self, value: Any, element: AnyFloat) -> bytes:
        span = cast("Span[str]", value.span)
        text = self._text[span.start : span.end]
        if not text.startswith("0x"):
            return element.pack((value.to_float(self),))
        try:
            return int(text, 16).to_bytes(element.compile_time_size, "little")
        except OverflowError:
            self.raise_error(f"{text} has more bits than {element}", span)


def _is_zero(memory_space: Attribute) -> bool:
    return isinstance(memory_space, IntegerAttr) and memory_space.value.data == 0


def _as_splat(payload: bytes, size: int) -> bytes:
    """One element where all elements are bitwise equal."""
    first = payload[:size]
    if len(payload) > size and payload[-size:] == first and payload == first * (len(payload) // size):
        return first
    return payload


def _to_compile_error(error: ParseError, source: Source) -> CompileError:
    """The one-line form of a parse error; further places become notes."""
    message = reworded(_one_line(error.msg), PARSER)
    if message.startswith("use of value expects"):
        name = error.span.text.partition("#")[0]
        message = message.replace("use of value", f"use of value '{name}'", 1)
    found = CompileError(message, location=source.place_at(error.span.start))
    if isinstance(error, MultipleSpansParseError):
        for span, message in error.refs:
            found.add_note(f"{source.place_at(span.start)}: note: {_one_line(message or error.ref_text or 'see here')}")
    return found


def _one_line(message: str) -> str:
    return " ".join(message.split())
