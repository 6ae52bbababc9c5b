"""Reads an operation by the format of its row."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import (
    DenseArrayBase,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    UnitAttr,
    i1,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    AttrSizedResultSegments,
)
from xdsl.parser import Parser

from stepwell.dialects.op_table.formats import Element
from stepwell.dialects.op_table.rows import FIXED, FIXED_TYPES, Part, RowOperation, attribute_names, default_of, enumerants


class Reading:
    """What was read of an operation so far."""

    def __init__(self, parser: Parser, row: dict[str, list[Part]]) -> None:
        self.parser = parser
        self.row = row
        self.values: dict[str, list[Any]] = {}
        self.types: dict[str, list[Attribute]] = {}
        self.resolved: dict[str, list[SSAValue]] = {}
        self.attributes: dict[str, Attribute] = {}
        self.discardable: dict[str, Attribute] = {}
        self.regions: dict[str, list[Region]] = {}
        self.successors: dict[str, list[Block]] = {}
        self.all_types: list[Attribute] | None = None
        self.all_results: list[Attribute] | None = None

    def part(self, name: str) -> tuple[str, Part]:
        for key, values in self.row.items():
            for part in values:
                if part.name == name:
                    return key, part
        raise KeyError(name)


def read_element(cls: type[RowOperation], reading: Reading, element: Element) -> None:
    parser = reading.parser
    match element.what:
        case "literal":
            _expect(parser, element.text)
        case "name":
            _read_name(reading, element.text, required=True)
        case "type":
            target = element.inside[0]
            if target.what == "name":
                _read_types(reading, target.text)
            elif target.what == "operands":
                reading.all_types = _types(parser)
            else:
                reading.all_results = _types(parser)
        case "functional-type":
            type = parser.parse_function_type()
            first, second = element.inside
            if first.what == "operands":
                reading.all_types = list(type.inputs)
            else:
                reading.types[first.text] = list(type.inputs)
            if second.what == "results":
                reading.all_results = list(type.outputs)
            else:
                reading.types[second.text] = list(type.outputs)
        case "attr-dict":
            _take(cls, reading, parser.parse_optional_attr_dict())
        case "attr-dict-with-keyword":
            found = parser.parse_optional_attr_dict_with_keyword()
            _take(cls, reading, dict(found.data) if found else {})
        case "prop-dict":
            if parser.parse_optional_punctuation("<"):
                _take(cls, reading, parser.parse_optional_attr_dict())
                parser.parse_punctuation(">")
        case "operands":
            reading.values["*"] = _operands(parser)
        case "group":
            if _begins(cls, reading, element.inside[0]):
                for inner in element.inside[1:]:
                    read_element(cls, reading, inner)
                if element.text and element.text in attribute_names(cls):
                    _, part = reading.part(element.text)
                    if part.kind == "unit":
                        reading.attributes[element.text] = UnitAttr()
            else:
                for inner in element.otherwise:
                    read_element(cls, reading, inner)
        case _:
            cls.CUSTOM[element.what][0](reading, element.inside)


def _begins(cls: type[RowOperation], reading: Reading, element: Element) -> bool:
    """Read the first element of an optional group, if it is there."""
    parser = reading.parser
    if element.what == "literal":
        return _accept(parser, element.text)
    if element.what == "name":
        return _read_name(reading, element.text, required=False)
    if element.what in cls.CUSTOM:
        before = parser.pos
        cls.CUSTOM[element.what][0](reading, element.inside)
        return parser.pos != before
    raise NotImplementedError(f"a group begins with {element.what}")


_PUNCTUATION = re.compile(r"[^\w]")


def _accept(parser: Parser, text: str) -> bool:
    if not text.strip():
        return True
    if _PUNCTUATION.match(text):
        return parser.parse_optional_punctuation(cast(Any, text)) is not None
    return parser.parse_optional_keyword(text) is not None


def _expect(parser: Parser, text: str) -> None:
    if not _accept(parser, text):
        parser.raise_error(f"expected '{text}'")


def _operands(parser: Parser) -> list[Any]:
    first = parser.parse_optional_unresolved_operand()
    if first is None:
        return []
    found = [first]
    while parser.parse_optional_punctuation(","):
        found.append(parser.parse_unresolved_operand())
    return found


def _types(parser: Parser) -> list[Attribute]:
    first = parser.parse_optional_type()
    if first is None:
        return []
    found: list[Attribute] = [first]
    while parser.parse_optional_punctuation(","):
        found.append(parser.parse_type())
    return found


def _read_types(reading: Reading, name: str) -> None:
    _, part = reading.part(name)
    parser = reading.parser
    if part.many == "*":
        reading.types[name] = _types(parser)
    elif part.many == "?":
        found = parser.parse_optional_type()
        reading.types[name] = [] if found is None else [found]
    else:
        reading.types[name] = [parser.parse_type()]


def _read_name(reading: Reading, name: str, *, required: bool) -> bool:
    key, part = reading.part(name)
    parser = reading.parser
    match key:
        case "ins":
            if part.many == "*":
                reading.values[name] = _operands(parser)
            elif part.many == "?" or not required:
                found = parser.parse_optional_unresolved_operand()
                reading.values[name] = [] if found is None else [found]
            else:
                reading.values[name] = [parser.parse_unresolved_operand()]
            return bool(reading.values[name])
        case "regions":
            region = parser.parse_optional_region() if not required or part.many else parser.parse_region()
            reading.regions[name] = [] if region is None else [region]
            return region is not None
        case "successors":
            if part.many == "*":
                reading.successors[name] = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_successor)
            else:
                reading.successors[name] = [parser.parse_successor()]
            return True
        case _:
            value = read_attribute(parser, part, required=required)
            if value is not None:
                reading.attributes[name] = value
            return value is not None


def read_attribute(parser: Parser, part: Part, *, required: bool) -> Attribute | None:
    """An attribute of a kind, as formats print it: without its type, an enumerant as a bare word."""
    kind = part.kind.partition("=")[0] if "=" in part.kind and not part.kind.startswith("ienum") else part.kind
    if kind.startswith("ienum"):
        for number, case in enumerate(enumerants(kind)):
            if case != "_" and parser.parse_optional_keyword(case):
                return IntegerAttr(number, i64)
        if required:
            _refuse_enumerant(parser, part, enumerants(kind))
        return None
    if kind.startswith("enum("):
        return _read_enum(parser, part, kind[5:-1], required=required)
    if kind.startswith("body("):
        if not required and not parser._current_token.text == "<":  # pyright: ignore[reportPrivateUsage]
            return None
        cls: Any = _enum_class(parser, kind[5:-1])
        return cls.new(cls.parse_parameter(parser))
    if kind in FIXED:
        type = FIXED[kind]
        if kind[0] == "f":
            return FloatAttr(float(parser.parse_number()), cast(Any, type))
        if kind == "i1":
            flag = parser.parse_optional_boolean()
            if flag is None:
                flag = parser.parse_optional_integer(allow_boolean=False)
            return IntegerAttr(1 if flag else 0, i1) if flag is not None else None
        number = parser.parse_integer(allow_boolean=False) if required else parser.parse_optional_integer(allow_boolean=False)
        return None if number is None else IntegerAttr(number, cast(Any, type))
    match kind:
        case "unit":
            return UnitAttr()
        case "str":
            text = parser.parse_str_literal() if required else parser.parse_optional_str_literal()
            return None if text is None else StringAttr(text)
        case "symname":
            return parser.parse_symbol_name() if required else parser.parse_optional_symbol_name()
        case "type":
            return parser.parse_type() if required else parser.parse_optional_type()
        case "i32array" | "i64array":
            values = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False))
            if values is None and required:
                parser.raise_error("expected '['")
            return None if values is None else DenseArrayBase.from_list(cast(Any, FIXED[kind[:3]]), values)
        case _:
            return parser.parse_attribute() if required else parser.parse_optional_attribute()


def _refuse_enumerant(parser: Parser, part: Part, cases: list[str]) -> None:
    parser.raise_error(
        f"expected string or keyword containing one of the following enum values for attribute '{part.name}' [{', '.join(cases)}]"
    )


def _read_enum(parser: Parser, part: Part, name: str, *, required: bool) -> Attribute | None:
    """`word`, `<word>` or `#dialect.name<word>` of an enumeration that is an attribute of the dialect."""
    bracketed = name.startswith("<")
    cls: Any = _enum_class(parser, name.strip("<>"))
    if parser._current_token.text.startswith("#"):  # pyright: ignore[reportPrivateUsage]
        return parser.parse_attribute()
    if bracketed:
        if parser.parse_optional_punctuation("<") is None:
            return parser.raise_error("expected '<'") if required else None
        value = cls(cls.parse_case(parser))
        parser.parse_punctuation(">")
        return value
    case = parser.parse_optional_keyword_in(cls.CASES) if hasattr(parser, "parse_optional_keyword_in") else None
    if case is None:
        if required:
            _refuse_enumerant(parser, part, list(cls.CASES))
        return None
    return cls(case)


def _enum_class(parser: Parser, name: str) -> type[Attribute]:
    found = parser.ctx.get_optional_attr(name)
    if found is None:
        raise NotImplementedError(f"the attribute {name} is not defined")
    return found


def _take(cls: type[RowOperation], reading: Reading, found: dict[str, Attribute]) -> None:
    names = attribute_names(cls)
    for name, value in found.items():
        (reading.attributes if name in names else reading.discardable)[name] = value


def built(cls: type[RowOperation], reading: Reading, start: int) -> Any:
    parser, row = reading.parser, reading.row
    for part in row["attrs"]:
        if part.name not in reading.attributes and "=" in part.kind:
            default = default_of(part)
            if default is not None:
                reading.attributes[part.name] = default
    groups = _operand_types(reading, start)
    operands: list[Sequence[SSAValue]] = []
    resolved: dict[str, list[SSAValue]] = {}
    for part, unresolved, types in groups:
        if part.name in reading.resolved:
            operands.append(reading.resolved[part.name])
            continue
        if len(unresolved) != len(types):
            parser.raise_error(f"number of operands and types do not match: got {len(unresolved)} operands and {len(types)} types", start)
        values = [parser.resolve_operand(value, type) for value, type in zip(unresolved, types, strict=True)]
        resolved[part.name] = values
        operands.append(values)
    outs: list[Sequence[Attribute]] = []
    if cls.INFER is not None:
        outs = [[cls.INFER(resolved)]]
    elif reading.all_results is not None and not any(part.name in reading.types for part in row["outs"]):
        outs = _split(row["outs"], reading.all_results)
    else:
        for part in row["outs"]:
            outs.append(_result_types(reading, part, resolved))
    properties: dict[str, Attribute] = dict(reading.attributes)
    if any(isinstance(option, AttrSizedOperandSegments) for option in cls.get_irdl_definition().options):
        properties["operandSegmentSizes"] = DenseArrayBase.from_list(i32, [len(values) for values in operands])
    if any(isinstance(option, AttrSizedResultSegments) for option in cls.get_irdl_definition().options):
        properties["resultSegmentSizes"] = DenseArrayBase.from_list(i32, [len(types) for types in outs])
    regions = [region for part in row["regions"] for region in (reading.regions.get(part.name) or ([Region()] if not part.many else []))]
    return cls.create(
        operands=[value for values in operands for value in values],
        result_types=[type for types in outs for type in types],
        properties=properties,
        attributes=reading.discardable,
        regions=regions,
        successors=[block for part in row["successors"] for block in reading.successors.get(part.name, ())],
    )


def _split(values: list[Part], items: Sequence[Any]) -> list[Sequence[Any]]:
    """Items by part, where at most one part takes an unknown number."""
    fixed = sum(not part.many for part in values)
    rest = len(items) - fixed
    found: list[Sequence[Any]] = []
    at = 0
    for part in values:
        count = 1
        if part.many:
            count = rest if part.many == "*" else min(rest, 1)
            rest -= count
        found.append(items[at : at + count])
        at += count
    if at < len(items):
        found[-1] = [*found[-1], *items[at:]] if found else list(items)
    return found


def _operand_types(reading: Reading, start: int) -> list[tuple[Part, list[Any], list[Attribute]]]:
    row = reading.row["ins"]
    if "*" in reading.values:
        everything = reading.values["*"]
        split = _split(row, everything)
        for part, values in zip(row, split, strict=False):
            reading.values[part.name] = list(values)
    if reading.all_types is not None:
        everything = [value for part in row for value in reading.values.get(part.name, ())]
        if len(everything) != len(reading.all_types):
            count = len(reading.all_types)
            reading.parser.raise_error(
                f"number of operands and types do not match: got {len(everything)} operands and {count} types", start, start
            )
        types = iter(reading.all_types)
        return [(part, values := reading.values.get(part.name, []), [next(types) for _ in values]) for part in row]
    found: list[tuple[Part, list[Any], list[Attribute]]] = []
    for part in row:
        values = reading.values.get(part.name, [])
        found.append((part, values, _types_of(reading, part, len(values))))
    return found


def _types_of(reading: Reading, part: Part, count: int) -> list[Attribute]:
    if part.name in reading.types:
        return reading.types[part.name]
    if part.kind.startswith("="):
        same = reading.types.get(part.kind[1:])
        if same is None:
            _, other = reading.part(part.kind[1:])
            same = [FIXED[other.kind]]
        return [same[0]] * count if same else []
    if part.kind.startswith("element_of("):
        held: Any = reading.types[part.kind[11:-1]][0]
        return [held.element_type if hasattr(held, "element_type") else held.data[1]] * count
    fixed = FIXED.get(part.kind) or FIXED_TYPES.get(part.kind)
    if fixed is None:
        if count == 0:
            return []
        raise NotImplementedError(f"the format does not say the type of {part.name}")
    return [fixed] * count


def _result_types(reading: Reading, part: Part, operands: dict[str, list[SSAValue]]) -> list[Attribute]:
    if part.name in reading.types:
        return reading.types[part.name]
    if part.many:
        return []
    if part.kind.startswith("="):
        values = operands.get(part.kind[1:])
        if values:
            return [values[0].type]
        return reading.types[part.kind[1:]]
    return [FIXED[part.kind] if part.kind in FIXED else FIXED_TYPES[part.kind]]
