"""Operations as rows of a table: a row in, an operation's class out, with its syntax and with rules in MLIR's words.

    define("llvm.atomicrmw", "ptr: pointer, val: any", "res: =val", "bin_op: ienum(...), ordering: ienum(...)",
           "$bin_op $ptr `,` $val $ordering attr-dict `:` type($ptr) `,` type($val)")

A row names operands, results and attributes. `name?` may be missing, `name*` is a list. After the colon stands a kind (`KINDS`), or for
values `=other`: the type of another operand. The format is MLIR's declarative one. Dialects with hundreds of operations of which a program
uses three are written so: a class costs a tenth of one with xDSL's compiled format, which is only worth it where much is parsed.
"""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Self, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    FloatAttr,
    FunctionType,
    IndexType,
    IntegerAttr,
    IntegerType,
    StringAttr,
    SymbolRefAttr,
    UnitAttr,
    f32,
    f64,
    i1,
    i8,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue, TypeAttribute
from xdsl.irdl import (
    AttrSizedOperandSegments,
    AttrSizedResultSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    opt_region_def,
    opt_result_def,
    opt_successor_def,
    prop_def,
    region_def,
    result_def,
    successor_def,
    traits_def,
    var_operand_def,
    var_region_def,
    var_result_def,
    var_successor_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import OpTrait
from xdsl.utils.exceptions import VerifyException

from stepwell.ir.rules import Kind, Rule, attribute, fail, number_of_operands, number_of_results, shown

INDEX = IndexType()
FIXED: dict[str, Attribute] = {"i1": i1, "i8": i8, "i16": i16, "i32": i32, "i64": i64, "index": INDEX, "f32": f32, "f64": f64}
"""Kinds of one type: where the format does not say the type, it is this."""
KINDS: dict[str, Kind] = {"any": Kind("any type", lambda _: True)}
"""Kinds of types by the name that rows use. Dialects add theirs."""

Custom = tuple[Callable[["Reading", Any], None], Callable[["Writing", Any], None]]
"""A part of a format written by hand: how it is read into the attributes and values, how it is printed."""


# ---- rows -----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """An operand, a result or an attribute of a row: `name? : kind`."""

    name: str
    many: str
    kind: str


def parts(text: str) -> list[Part]:
    """`a: i32, b?: any, c*` as parts. Commas inside of parentheses belong to the kind."""
    found: list[Part] = []
    for piece in re.findall(r"(?:[^,(]|\([^)]*\))+", text):
        name, _, kind = piece.strip().partition(":")
        name = name.strip()
        many = name[-1] if name and name[-1] in "?*" else ""
        if name:
            found.append(Part(name.rstrip("?*"), many, kind.strip() or "any"))
    return found


_OPERANDS: dict[str, Callable[..., Any]] = {"": operand_def, "?": opt_operand_def, "*": var_operand_def}
_RESULTS: dict[str, Callable[..., Any]] = {"": result_def, "?": opt_result_def, "*": var_result_def}
_REGIONS: dict[str, Callable[..., Any]] = {"": region_def, "?": opt_region_def, "*": var_region_def}
_SUCCESSORS: dict[str, Callable[..., Any]] = {"": successor_def, "?": opt_successor_def, "*": var_successor_def}


def define(
    name: str,
    ins: str = "",
    outs: str = "",
    attrs: str = "",
    format: str | None = None,
    *,
    regions: str = "",
    successors: str = "",
    traits: Sequence[OpTrait] = (),
    verify: Callable[[Any], None] | None = None,
    rules: dict[str, tuple[Rule, ...]] | None = None,
    custom: dict[str, Custom] | None = None,
    doc: str | None = None,
    infer: Callable[[dict[str, list[SSAValue]]], Attribute] | None = None,
) -> type[TableOperation]:
    """The class of a row. Its rules go into `rules`, in MLIR's order: numbers, attributes, operands, results."""
    row = {"ins": parts(ins), "outs": parts(outs), "attrs": parts(attrs), "regions": parts(regions), "successors": parts(successors)}
    fields: dict[str, Any] = {
        "name": name,
        "__doc__": doc or f"`{name}`",
        "__module__": __name__,
    }
    for key, table in (("ins", _OPERANDS), ("outs", _RESULTS), ("regions", _REGIONS), ("successors", _SUCCESSORS)):
        for part in row[key]:
            fields[_field(part.name)] = table[part.many]()
    for part in row["attrs"]:
        fields[_field(part.name)] = opt_prop_def(prop_name=part.name) if _optional(part) else prop_def(prop_name=part.name)
    options: list[Any] = []
    if sum(part.many != "" for part in row["ins"]) > 1:
        options.append(AttrSizedOperandSegments(as_property=True))
    if sum(part.many != "" for part in row["outs"]) > 1:
        options.append(AttrSizedResultSegments(as_property=True))
    if options:
        fields["irdl_options"] = tuple(options)
    if traits:
        fields["traits"] = traits_def(*traits)
    if verify is not None:
        fields["verify_"] = verify
    if rules is not None:
        rules[name] = (*_rules(row), *rules.get(name, ()))
    base = RowOperation if format is None else TableOperation
    made = cast("type[TableOperation]", irdl_op_definition(cast(Any, type(name.replace(".", "_"), (base,), fields))))
    made.ROW, made.FORMAT, made.CUSTOM, made.INFER = row, format, custom or {}, None if infer is None else staticmethod(infer)
    return made


_RESERVED = frozenset({"name", "parent", "operands", "results", "regions", "successors", "attributes", "properties", "next_op", "prev_op"})


def _field(name: str) -> str:
    return f"{name}_" if name in _RESERVED or hasattr(IRDLOperation, name) else name


def _optional(part: Part) -> bool:
    return part.many == "?" or part.kind == "unit" or "=" in part.kind


def _rules(row: dict[str, list[Part]]) -> list[Rule]:
    found: list[Rule] = []
    for what, key, number in (("operand", "ins", number_of_operands), ("result", "outs", number_of_results)):
        values = row[key]
        if all(not part.many for part in values):
            if len(values) < 4 or what == "result":
                found.append(number(len(values)))
    for part in row["attrs"]:
        summary, has = _constraint(part)
        found.append(attribute(part.name, summary, has, optional=_optional(part)))
    for what, key in (("operand", "ins"), ("result", "outs")):
        if any(part.kind != "any" and part.kind[0] != "=" for part in row[key]):
            found.append(_kinds(what, row[key]))
    return found


def _kinds(what: str, values: list[Part]) -> Rule:
    first, last = 0, len(values)
    many = next((index for index, part in enumerate(values) if part.many), None)
    if many is not None:
        last = many + 1 if values[many].many == "*" and many == len(values) - 1 else many

    def rule(op: Operation) -> None:
        held = op.operands if what == "operand" else op.results
        for index, value in enumerate(held):
            part = values[min(index, last - 1)] if last > first and (index < last or values[last - 1].many == "*") else None
            if part is None or part.kind == "any" or part.kind[0] == "=" or "(" in part.kind:
                continue
            kind = kind_of(part.kind)
            if not kind.has(value.type):
                prefix = "variadic of " if part.many == "*" else ""
                fail(f"{what} #{index} must be {prefix}{kind.summary}, but got '{shown(value.type)}'")

    return rule


_FIXED_SUMMARY = {"index": "index", "f32": "32-bit float", "f64": "64-bit float"}


@cache
def kind_of(name: str) -> Kind:
    """The kind of that name."""
    fixed = FIXED.get(name)
    if fixed is not None:
        return Kind(_FIXED_SUMMARY.get(name, f"{name[1:]}-bit signless integer"), lambda type: type == fixed)
    return KINDS[name]


def _constraint(part: Part) -> tuple[str, Callable[[Attribute], bool]]:
    kind = part.kind.partition("=")[0]
    if kind == "unit":
        return "unit attribute", lambda a: isinstance(a, UnitAttr)
    if kind in FIXED and kind[0] == "i" and kind != "index":
        wanted = FIXED[kind]
        summary = "1-bit signless integer attribute" if kind == "i1" else f"{kind[1:]}-bit signless integer attribute"
        return summary, lambda a: isinstance(a, IntegerAttr) and cast("Any", a).type == wanted
    if kind == "str":
        return "string attribute", lambda a: isinstance(a, StringAttr)
    if kind.startswith("ienum"):
        return "valid enumerant", lambda a: isinstance(a, IntegerAttr)
    return "any attribute", lambda _: True


# ---- formats --------------------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"\s*(?:`(?P<literal>[^`]*)`|(?P<custom>custom<\w+>)|(?P<word>[a-z][\w-]*)|\$(?P<name>\w+)(?P<anchor>\^)?|(?P<mark>\(|\)\?|\)|:|,|\^))"
)


@dataclass
class Element:
    """One element of a format: what it is, its text, and for groups and directives their parts."""

    what: str
    text: str = ""
    inside: list[Element] = field(default_factory=lambda: [])
    otherwise: list[Element] = field(default_factory=lambda: [])
    anchor: str = ""


@cache
def compiled(format: str) -> list[Element]:
    """The elements of a format."""
    tokens = [match for match in _TOKEN.finditer(format)]
    elements, _ = _sequence(tokens, 0)
    return elements


def _sequence(tokens: list[re.Match[str]], at: int) -> tuple[list[Element], int]:
    found: list[Element] = []
    while at < len(tokens):
        token = tokens[at]
        if (mark := token["mark"]) is not None:
            if mark in (")", ")?"):
                return found, at
            if mark == "(":
                group, at = _group(tokens, at)
                found.append(group)
            elif mark == "^" and found:
                found[-1].anchor = "^"
                at += 1
            else:
                at += 1
        elif token["literal"] is not None:
            found.append(Element("literal", token["literal"]))
            at += 1
        elif token["name"] is not None:
            found.append(Element("name", token["name"], anchor=token["anchor"] or ""))
            at += 1
        else:
            word = token["custom"] or token["word"]
            at += 1
            arguments: list[Element] = []
            if at < len(tokens) and tokens[at]["mark"] == "(" and word not in ("attr-dict", "prop-dict", "attr-dict-with-keyword"):
                arguments, at = _sequence(tokens, at + 1)
                at += 1
            if word == "qualified":
                found.extend(arguments)
            else:
                found.append(Element(word.removeprefix("custom<").rstrip(">") if token["custom"] else word, inside=arguments))
                if token["custom"]:
                    found[-1].text = "custom"
    return found, at


def _group(tokens: list[re.Match[str]], at: int) -> tuple[Element, int]:
    inside, at = _sequence(tokens, at + 1)
    otherwise: list[Element] = []
    if tokens[at]["mark"] == ")" and at + 2 < len(tokens) and tokens[at + 1]["mark"] == ":" and tokens[at + 2]["mark"] == "(":
        otherwise, at = _sequence(tokens, at + 3)
    anchors = [element for element in _flat(inside) if element.anchor]
    return Element("group", anchors[0].text if anchors else "", inside, otherwise), at + 1


def _flat(elements: list[Element]) -> list[Element]:
    return [inner for element in elements for inner in (element, *_flat(element.inside))]


# ---- reading --------------------------------------------------------------------------------------------------------------------


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


class Writing:
    """A printer that knows whether a space is due, and which attributes were printed."""

    def __init__(self, printer: Printer, op: TableOperation) -> None:
        self.printer = printer
        self.op = op
        self.space = True
        self.said: set[str] = set()
        self._after_punctuation = False

    def word(self, text: str) -> None:
        """Print a literal with the spaces that MLIR puts around it."""
        tight = ">)}]," if self._after_punctuation else "<>(){}[],"
        if self.space and not (len(text) == 1 and text in tight):
            self.printer.print_string(" ")
        self.printer.print_string(text)
        self.space = len(text) != 1 or text not in "<({["
        self._after_punctuation = not (text[0].isalpha() or text[0] == "_")

    def gap(self) -> None:
        """Print the space that is due before something that is no literal."""
        if self.space:
            self.printer.print_string(" ")
        self.space = True
        self._after_punctuation = False


class RowOperation(IRDLOperation):
    """The base of all operations that are rows of tables. Without a format it is printed generically."""

    ROW: ClassVar[dict[str, list[Part]]]
    FORMAT: ClassVar[str | None]
    CUSTOM: ClassVar[dict[str, Custom]]
    INFER: ClassVar[Callable[[dict[str, list[SSAValue]]], Attribute] | None]


class TableOperation(RowOperation):
    """A row with a format."""

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        reading = Reading(parser, cls.ROW)
        start = parser.pos
        for element in compiled(cls.FORMAT or ""):
            _read(cls, reading, element)
        return _built(cls, reading, start)

    def print(self, printer: Printer) -> None:
        writing = Writing(printer, self)
        for element in _flat(compiled(self.FORMAT or "")):
            if element.what == "name" and element.text in _attribute_names(type(self)):
                writing.said.add(element.text)
        for element in compiled(self.FORMAT or ""):
            _write(self, writing, element)


@cache
def _attribute_names(cls: type[TableOperation]) -> frozenset[str]:
    return frozenset(part.name for part in cls.ROW["attrs"])


def _read(cls: type[TableOperation], reading: Reading, element: Element) -> None:
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
                    _read(cls, reading, inner)
                if element.text and element.text in _attribute_names(cls):
                    _, part = reading.part(element.text)
                    if part.kind == "unit":
                        reading.attributes[element.text] = UnitAttr()
            else:
                for inner in element.otherwise:
                    _read(cls, reading, inner)
        case _:
            cls.CUSTOM[element.what][0](reading, element.inside)


def _begins(cls: type[TableOperation], reading: Reading, element: Element) -> bool:
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
    if text == "":
        return True
    if _PUNCTUATION.match(text):
        return parser.parse_optional_punctuation(cast(Any, text)) is not None
    return parser.parse_optional_keyword(text) is not None


def _expect(parser: Parser, text: str) -> None:
    if text and not _accept(parser, text):
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


def enumerants(kind: str) -> list[str]:
    """The cases of `ienum(a b c)`; `_` stands for a number without a name."""
    return kind[kind.index("(") + 1 : kind.index(")")].split()


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


def _take(cls: type[TableOperation], reading: Reading, found: dict[str, Attribute]) -> None:
    names = _attribute_names(cls)
    for name, value in found.items():
        (reading.attributes if name in names else reading.discardable)[name] = value


def _built(cls: type[TableOperation], reading: Reading, start: int) -> Any:
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


def default_of(part: Part) -> Attribute | None:
    """The value of an attribute that nobody gave: `i32=4`, `i1=false`, `ienum(...)=0`."""
    kind, _, text = part.kind.rpartition("=")
    if not text or text == "?":
        return None
    if kind in ("i1", "i8", "i16", "i32", "i64"):
        number = int(text == "true") if text in ("true", "false") else int(text)
        return IntegerAttr(number, cast(Any, FIXED[kind]))
    if kind.startswith("ienum"):
        return IntegerAttr(int(text), i64)
    return None


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


FIXED_TYPES: dict[str, Attribute] = {}
"""Kinds of dialects that stand for one type."""


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


# ---- writing --------------------------------------------------------------------------------------------------------------------


def _write(op: TableOperation, writing: Writing, element: Element) -> None:
    printer = writing.printer
    match element.what:
        case "literal":
            if element.text == "":
                writing.space = False
            else:
                writing.word(element.text)
        case "name":
            _write_name(op, writing, element.text)
        case "type":
            target = element.inside[0]
            values = _held(op, target)
            if values:
                writing.gap()
                printer.print_list([value.type for value in values], printer.print_attribute)
        case "functional-type":
            writing.gap()
            first, second = element.inside
            printer.print_function_type([v.type for v in _held(op, first)], [v.type for v in _held(op, second)])
        case "attr-dict" | "attr-dict-with-keyword" | "prop-dict":
            if element.what == "prop-dict":
                return
            held = {**op.properties, **op.attributes}
            stated = {name: value for name, value in held.items() if not _is_silent(op, writing, name, value)}
            if stated:
                printer.print_string(" attributes" if element.what.endswith("keyword") else "")
                printer.print_op_attributes(stated)
                writing.space = True
        case "operands":
            if op.operands:
                writing.gap()
                printer.print_list(op.operands, printer.print_ssa_value)
        case "group":
            branch = element.inside if _present(op, element) else element.otherwise
            for inner in branch:
                if not (inner.what == "name" and inner.anchor and _kind_of_attribute(op, inner.text) == "unit"):
                    _write(op, writing, inner)
        case _:
            op.CUSTOM[element.what][1](writing, element.inside)


def _is_silent(op: TableOperation, writing: Writing, name: str, value: Attribute) -> bool:
    if name in writing.said or name in ("operandSegmentSizes", "resultSegmentSizes"):
        return True
    if name == "fastmathFlags" and not getattr(value, "data", True):
        return True
    part = next((part for part in op.ROW["attrs"] if part.name == name), None)
    return part is not None and "=" in part.kind and default_of(part) == value


def _kind_of_attribute(op: TableOperation, name: str) -> str:
    return next((part.kind for part in op.ROW["attrs"] if part.name == name), "")


def _held(op: Any, element: Element) -> Sequence[SSAValue]:
    if element.what == "operands":
        return op.operands
    if element.what == "results":
        return op.results
    value = getattr(op, _field(element.text))
    if value is None:
        return ()
    return [value] if isinstance(value, SSAValue) else list(value)


def _present(op: Any, element: Element) -> bool:
    name = element.text
    if not name:
        return bool(element.inside)
    value = getattr(op, _field(name), None)
    if name in _attribute_names(type(op)):
        part = next(part for part in op.ROW["attrs"] if part.name == name)
        return value is not None and not ("=" in part.kind and default_of(part) == value)
    if isinstance(value, Region):
        return bool(value.blocks)
    return value is not None and (isinstance(value, (SSAValue, Block)) or len(value) > 0)


def _write_name(op: Any, writing: Writing, name: str) -> None:
    printer = writing.printer
    value = getattr(op, _field(name))
    for key, values in op.ROW.items():
        part = next((part for part in values if part.name == name), None)
        if part is None:
            continue
        match key:
            case "ins":
                held = [value] if isinstance(value, SSAValue) else list(value or ())
                if held:
                    writing.gap()
                    printer.print_list(held, printer.print_ssa_value)
            case "regions":
                if value is not None:
                    writing.gap()
                    for region in [value] if isinstance(value, Region) else value:
                        printer.print_region(region)
            case "successors":
                writing.gap()
                printer.print_list([value] if isinstance(value, Block) else value, printer.print_block_name)
            case _:
                if value is not None:
                    writing.gap()
                    write_attribute(printer, part, value)
        return


def write_attribute(printer: Printer, part: Part, value: Any) -> None:
    """An attribute as formats print it."""
    kind = part.kind.partition("=")[0] if "=" in part.kind and not part.kind.startswith("ienum") else part.kind
    if kind.startswith("ienum") and isinstance(value, IntegerAttr):
        printer.print_string(enumerants(kind)[cast("IntegerAttr[Any]", value).value.data])
    elif kind.startswith("enum(") and hasattr(value, "CASES"):
        printer.print_string(f"<{value.data}>" if kind[5] == "<" else value.data)
    elif kind in FIXED and isinstance(value, (IntegerAttr, FloatAttr)):
        if kind == "i1":
            printer.print_string("true" if cast(Any, value).value.data else "false")
        else:
            cast(Any, value).print_without_type(printer)
    elif kind.startswith("body("):
        value.print_parameter(printer)
    elif kind == "symname":
        printer.print_symbol_name(value.data)
    elif kind in ("i32array", "i64array"):
        printer.print_string(str(list(value.get_values())))
    else:
        printer.print_attribute(value)


__all__ = [
    "FIXED",
    "FIXED_TYPES",
    "KINDS",
    "ArrayAttr",
    "Custom",
    "DictionaryAttr",
    "FunctionType",
    "IntegerType",
    "Reading",
    "RowOperation",
    "SymbolRefAttr",
    "TableOperation",
    "TypeAttribute",
    "VerifyException",
    "Writing",
    "define",
    "parts",
]
