"""Ops of `transform` whose syntax is a line of a table (`transform_table`): operands, keywords, an attribute dictionary and types.

An op's keywords are read in any order and printed in the table's.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, ArrayAttr, DenseArrayBase, IntegerAttr, StringAttr, SymbolRefAttr, UnitAttr, i1, i64
from xdsl.dialects.transform import AnyOpType, AnyValueType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    opt_prop_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.support import print_result_types
from stepwell.dialects.transform.rules import RULES

ALIGNMENTS = ("Unknown", "Multiple", "Equal")
HANDLES: dict[str, Attribute] = {"any_op": AnyOpType(), "any_value": AnyValueType()}


@dataclass(frozen=True)
class Spec:
    """One op. `syntax` is a list of parts, by spaces:

    `word`            a keyword that must be there          `word?`     a flag
    `key=`            `key = attribute`                     `key:sizes`  `key [4, %n, [8]]`, `key=sizes` with `=`
    `key(=)`          `(key = attribute)`                   `key{}`      `key{word}`
    `%`               operands, by commas                   `[key]`      `[3]` behind an operand
    `"key"`           `, "text"`, `"key"?` if it may be missing         `@key`       a symbol
    `word%`           `word %operand`, required           `word(%)`   `word(%operand)`, required
    `key=words`       `key = [Equal, Unknown]`            `<key>`     `<word>`
    `[*key]`          `[all]`, `[except(1)]` or `[0, 2]` behind an operand
    `~key`            `[4, %n]` without the key

    `types` says what follows the colon: `function`, `operands` (their types; results are of the types `results`), `same` (one type for all
    operands and the result), `maybe` (a function type or the operands' types alone), or nothing. With `copies`, the one result type of a
    function type is that of so many results. Lists of sizes may be one handle, `*(%sizes)`.
    """

    name: str
    syntax: str = "%"
    types: str = "function"
    results: tuple[str, ...] = ()
    copies: int = 1

    def parts(self) -> list[str]:
        return self.syntax.split()


class ScriptOp(IRDLOperation):
    """An op of the table."""

    SPEC: ClassVar[Spec]

    def verify_(self) -> None:
        if self._dynamic() is None:
            raise VerifyException("has fewer operands than dynamic sizes")
        for part in self.SPEC.parts():
            if part.startswith(('"', "[")) and not part.startswith("[*") and not part.endswith("?") and _key(part) not in self.properties:
                raise VerifyException(f"needs '{_key(part)}'")
        if (rule := RULES.get(self.name)) is not None:
            rule(self)

    def _size_keys(self) -> list[str]:
        return [_key(part) for part in self.SPEC.parts() if _is_sizes(part)]

    def _dynamic(self) -> dict[str, list[SSAValue]] | None:
        """The operands behind the first ones, by the list of sizes that they belong to; None where the count does not fit."""
        counts = [
            list(cast(Any, self.properties[key]).get_values()).count(DYNAMIC_INDEX) if key in self.properties else 0
            for key in self._size_keys()
        ]
        total = sum(counts)
        if total > len(self.operands):
            return None
        rest = list(self.operands[len(self.operands) - total :])
        return {key: [rest.pop(0) for _ in range(count)] for key, count in zip(self._size_keys(), counts, strict=True)}

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return cast(Self, _Reader(parser, cls).read())

    def print(self, printer: Printer) -> None:
        dynamic = self._dynamic() or {}
        first = self.operands[: len(self.operands) - sum(len(values) for values in dynamic.values())]
        behind = [part for part in self.SPEC.parts() if _is_handle(part)]  # their operands stand last, in order
        for part in self.SPEC.parts():
            if part in behind:
                printer.print_string(f" {_key(part)}" + ("(" if part.endswith("(%)") else " "))
                printer.print_ssa_value(first[len(first) - len(behind) + behind.index(part)])
                printer.print_string(")" if part.endswith("(%)") else "")
            else:
                _print_part(printer, self, part, first[: len(first) - len(behind)], dynamic)
        printer.print_op_attributes(self.attributes)
        kind = self.SPEC.types
        if kind == "maybe" and not self.results:
            kind = "operands"
        if kind in ("function", "maybe"):
            printer.print_string(" : ")
            if self.SPEC.copies > 1:
                with printer.in_parens():
                    printer.print_list(self.operand_types, printer.print_attribute)
                print_result_types(printer, self.result_types[:1])
            else:
                printer.print_operation_type(self)
        elif kind and self.operands:
            types = self.operand_types[:1] if self.SPEC.types == "same" else self.operand_types
            printer.print_string(" : ")
            printer.print_list(types, printer.print_attribute)


def _is_sizes(part: str) -> bool:
    return part.endswith((":sizes", "=sizes")) or part.startswith("~")


def _is_handle(part: str) -> bool:
    """Whether a part is a keyword with an operand."""
    return len(part) > 1 and part.endswith(("%", "(%)"))


def _key(part: str) -> str:
    return part.strip('"[]?@%~<>*').partition(":")[0].partition("=")[0].partition("(")[0].partition("{")[0]


class _Reader:
    """Reads one op."""

    def __init__(self, parser: Parser, kind: type[ScriptOp]) -> None:
        self._parser = parser
        self._kind = kind
        self._operands: list[Any] = []
        self._dynamic: dict[str, list[Any]] = {}
        self._properties: dict[str, Attribute] = {}

    def read(self) -> ScriptOp:
        parser, spec = self._parser, self._kind.SPEC
        waiting = spec.parts()
        while waiting:
            taken = next((part for part in waiting if self._take(part)), None)
            if taken is None:
                break
            waiting.remove(taken)
        missing = [
            part
            for part in waiting
            if part.isidentifier() or (part.startswith(('"', "[", "@", "~")) and not part.endswith("?")) or _is_handle(part)
        ]
        if missing:
            parser.raise_error(f"expected '{_key(missing[0])}'")
        attributes = parser.parse_optional_attr_dict()
        start = parser.pos
        order = [_key(part) for part in spec.parts() if _is_sizes(part)]
        operands = [*self._operands, *(operand for key in order for operand in self._dynamic.get(key, ()))]
        inputs: Sequence[Attribute] = ()
        results: Sequence[Attribute] = ()
        kind = spec.types
        if kind == "operands" and not operands and parser.parse_optional_punctuation(":") is None:
            kind = ""
        elif kind:
            parser.parse_punctuation(":")
        if kind:
            if kind == "maybe" and not parser._current_token.text == "(":  # pyright: ignore[reportPrivateUsage]
                kind = "operands"
            if kind in ("function", "maybe"):
                type = parser.parse_function_type()
                inputs, results = type.inputs.data, type.outputs.data
                if spec.copies > 1:
                    results = [results[0]] * spec.copies
            elif kind == "same":
                results = [parser.parse_type()]
                inputs = [results[0]] * len(operands)
            else:
                inputs = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
                results = [HANDLES[name] for name in spec.results]
                if len(inputs) != len(operands):
                    counts = f"got {len(operands)} operands and {len(inputs)} types"
                    parser.raise_error(f"custom op '{self._kind.name}' number of operands and types do not match: {counts}", start)
        values = parser.resolve_operands(operands, inputs, start)
        return self._kind.create(operands=values, result_types=results, properties=self._properties, attributes=attributes)

    def _take(self, part: str) -> bool:
        """Read `part` if it stands here."""
        parser, key = self._parser, _key(part)
        if part == "%":
            first = parser.parse_optional_unresolved_operand()
            if first is None:
                return False
            self._operands.append(first)
            while self._peek_comma_and_operand():
                self._operands.append(parser.parse_unresolved_operand())
            return True
        if part.startswith('"'):
            if parser.parse_optional_punctuation(",") is None:
                return False
            self._properties[key] = StringAttr(parser.parse_str_literal())
            return True
        if part.startswith("[*"):
            return self._positions(key)
        if part.startswith("<"):
            if parser.parse_optional_punctuation("<") is None:
                return False
            self._properties[key] = StringAttr(parser.parse_identifier())
            parser.parse_punctuation(">")
            return True
        if part.startswith("~"):
            if parser._current_token.text != "[":  # pyright: ignore[reportPrivateUsage]
                return False
            self._sizes(key)
            return True
        if part.startswith("["):
            if parser.parse_optional_punctuation("[") is None:
                return False
            self._properties[key] = IntegerAttr(parser.parse_integer(allow_boolean=False), i64)
            parser.parse_punctuation("]")
            return True
        if part.endswith("(=)"):
            if parser.parse_optional_punctuation("(") is None:
                return False
            parser.parse_keyword(key)
            parser.parse_punctuation("=")
            self._properties[key] = parser.parse_attribute()
            parser.parse_punctuation(")")
            return True
        if part.startswith("@"):
            symbol = parser.parse_optional_symbol_name()
            if symbol is not None:
                self._properties[key] = SymbolRefAttr(symbol.data)
            return symbol is not None
        parser.parse_optional_punctuation(",")
        if parser.parse_optional_keyword(key) is None:
            return False
        if part.endswith("(%)"):
            with parser.in_parens():
                self._operands.append(parser.parse_unresolved_operand())
            return True
        if part.endswith("%"):
            self._operands.append(parser.parse_unresolved_operand())
            return True
        if part.endswith("=words"):
            parser.parse_punctuation("=")
            self._properties[key] = ArrayAttr(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, self._alignment))
            return True
        if part.endswith("()"):
            with parser.in_parens():
                self._properties[key] = IntegerAttr(parser.parse_integer(), i64)
            return True
        if part.endswith("{}"):
            with parser.in_braces():
                self._properties[key] = StringAttr(parser.parse_identifier())
        elif part.endswith((":sizes", "=sizes")):
            if part.endswith("=sizes"):
                parser.parse_punctuation("=")
            self._sizes(key)
        elif part.endswith("="):
            parser.parse_punctuation("=")
            number = parser.parse_optional_integer(allow_boolean=False)  # not as an attribute: a colon behind it is not its own
            self._properties[key] = parser.parse_attribute() if number is None else IntegerAttr(number, i64)
        elif part.endswith("?"):
            self._properties[key] = UnitAttr()
        return True

    def _peek_comma_and_operand(self) -> bool:
        parser = self._parser
        start = parser.pos
        if parser.parse_optional_punctuation(",") is None:
            return False
        probe = parser.pos
        if parser.parse_optional_unresolved_operand() is not None:
            parser._resume_from(probe)  # pyright: ignore[reportPrivateUsage]
            return True
        parser._resume_from(start)  # pyright: ignore[reportPrivateUsage]
        return False

    def _alignment(self) -> StringAttr:
        start = self._parser.pos
        word = self._parser.parse_identifier()
        if word not in ALIGNMENTS:
            self._parser.raise_error(f"expected one of 'Unknown', 'Multiple' or 'Equal', but got '{word}'", start)
        return StringAttr(word)

    def _positions(self, key: str) -> bool:
        """`[all]`, `[except(0, 1)]`, `[0, 1]`"""
        parser = self._parser
        if parser.parse_optional_punctuation("[") is None:
            return False
        numbers: list[int] = []
        if parser.parse_optional_keyword("all"):
            self._properties["is_all"] = UnitAttr()
        elif parser.parse_optional_keyword("except"):
            self._properties["is_inverted"] = UnitAttr()
            numbers = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_integer)
        else:
            numbers = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_integer)
        parser.parse_punctuation("]")
        self._properties[key] = DenseArrayBase.from_list(i64, numbers)
        return True

    def _sizes(self, key: str) -> None:
        """`[4, %n, [8]]`: integers and values, those in brackets scalable."""
        parser = self._parser
        dynamic: list[Any] = []
        scalable: list[bool] = []

        def plain() -> int:
            operand = parser.parse_optional_unresolved_operand()
            if operand is None:
                return parser.parse_integer(allow_boolean=False)
            dynamic.append(operand)
            return DYNAMIC_INDEX

        def size() -> int:
            brackets = parser.parse_optional_punctuation("[") is not None
            value = plain()
            if brackets:
                parser.parse_punctuation("]")
            scalable.append(brackets)
            return value

        if parser.parse_optional_punctuation("*"):  # one handle to all sizes
            with parser.in_parens():
                dynamic.append(parser.parse_unresolved_operand())
            self._properties[key] = DenseArrayBase.from_list(i64, [DYNAMIC_INDEX])
            self._properties[f"packed_{key}"] = UnitAttr()
            self._dynamic[key] = dynamic
            return
        sizes = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, size)
        self._properties[key] = DenseArrayBase.from_list(i64, sizes)
        if any(scalable):
            self._properties[f"scalable_{key}"] = DenseArrayBase.from_list(i1, [-int(flag) for flag in scalable])
        self._dynamic[key] = dynamic


def _print_part(printer: Printer, op: ScriptOp, part: str, first: Sequence[SSAValue], dynamic: dict[str, list[SSAValue]]) -> None:
    key = _key(part)
    value = op.properties.get(key)
    if part == "%":
        if first:
            printer.print_string(" ")
            printer.print_list(first, printer.print_ssa_value)
    elif part.isidentifier():
        printer.print_string(f" {part}")
    elif value is None:
        return
    elif part.startswith("@"):
        printer.print_string(" ")
        printer.print_attribute(value)
    elif part.startswith('"'):
        printer.print_string(", ")
        printer.print_attribute(value)
    elif part.startswith("[*"):
        numbers = ", ".join(str(number) for number in cast(Any, value).get_values())
        shown = "all" if "is_all" in op.properties else f"except({numbers})" if "is_inverted" in op.properties else numbers
        printer.print_string(f"[{shown}]")
    elif part.startswith("<"):
        printer.print_string(f" <{cast(StringAttr, value).data}>")
    elif part.endswith("=words"):
        words = ", ".join(cast(StringAttr, word).data for word in cast("ArrayAttr[Attribute]", value))
        printer.print_string(f" {key} = [{words}]")
    elif part.endswith("()"):
        printer.print_string(f" {key}({cast('IntegerAttr[Any]', value).value.data})")
    elif f"packed_{key}" in op.properties:
        printer.print_string(f" {key} *(")
        printer.print_ssa_value(dynamic[key][0])
        printer.print_string(")")
    elif part.startswith("["):
        printer.print_string(f"[{cast('IntegerAttr[Any]', value).value.data}]")
    elif part.endswith("(=)"):
        printer.print_string(f" ({key} = ")
        printer.print_attribute(value)
        printer.print_string(")")
    elif part.endswith("{}"):
        printer.print_string(f" {key}{{{cast(StringAttr, value).data}}}")
    elif part.endswith("?"):
        printer.print_string(f" {key}")
    elif _is_sizes(part) and isinstance(value, DenseArrayBase):
        printer.print_string(" [" if part.startswith("~") else f" {key} = [" if part.endswith("=sizes") else f" {key} [")
        values = iter(dynamic.get(key, ()))
        flags = op.properties.get(f"scalable_{key}")
        scalable = cast(Any, flags).get_values() if flags is not None else (0,) * len(value)
        for index, (size, flag) in enumerate(zip(value.get_values(), scalable, strict=True)):
            printer.print_string((", " if index else "") + ("[" if flag else ""))
            if size == DYNAMIC_INDEX:
                printer.print_ssa_value(next(values))
            else:
                printer.print_string(str(size))
            printer.print_string("]" if flag else "")
        printer.print_string("]")
    else:
        printer.print_string(f" {key} = ")
        _print_plain(printer, value)


def _print_plain(printer: Printer, value: Attribute) -> None:
    """Integers of i64 without their type, also in arrays: that is how upstream reads them."""
    if isinstance(value, ArrayAttr):
        with printer.in_square_brackets():
            printer.print_list(cast("ArrayAttr[Attribute]", value), lambda item: _print_plain(printer, item))
    elif isinstance(value, IntegerAttr) and value.type == i64:
        printer.print_string(str(value.value.data))
    else:
        printer.print_attribute(value)


def define(spec: Spec) -> type[ScriptOp]:
    """The op class of a spec."""
    fields: dict[str, Any] = {"handles": var_operand_def(), "res": var_result_def()}
    for part in spec.parts():
        if part != "%" and not _is_handle(part) and not part.isidentifier():
            fields[_key(part)] = opt_prop_def(Attribute)
        if _is_sizes(part):
            fields[f"scalable_{_key(part)}"] = opt_prop_def(Attribute)
            fields[f"packed_{_key(part)}"] = opt_prop_def(UnitAttr)
        if part.startswith("[*"):
            fields |= {"is_all": opt_prop_def(UnitAttr), "is_inverted": opt_prop_def(UnitAttr)}
    name = spec.name.replace(".", "_")
    defined = cast(
        "type[ScriptOp]",
        irdl_op_definition(type(name, (ScriptOp,), {"name": f"transform.{spec.name}", "__doc__": f"`transform.{spec.name}`", **fields})),
    )
    defined.SPEC = spec
    return defined
