"""The parts of rare `llvm` operations' syntax that are written by hand: branch targets, landing pads, module flags, bundles."""

# xDSL's generic types and attributes carry unknown parameters where they are matched by isinstance.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    StringAttr,
    SymbolRefAttr,
    UnregisteredAttr,
    i32,
)
from xdsl.ir import Attribute, Block, Operation
from xdsl.traits import (
    SymbolTable,
)
from xdsl.utils.exceptions import VerifyException

from stepwell.dialects.attr_table import Body
from stepwell.dialects.op_table import Reading, Writing


def read_targets(reading: Reading, _: Any) -> None:
    parser = reading.parser
    blocks: list[Block] = []
    segments: list[int] = []

    def one() -> None:
        blocks.append(parser.parse_successor())
        values: list[Any] = []
        if parser.parse_optional_punctuation("("):
            values = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
            parser.parse_punctuation(":")
            reading.types.setdefault("succOperands", []).extend(parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type))
            parser.parse_punctuation(")")
        reading.values.setdefault("succOperands", []).extend(values)
        segments.append(len(values))

    reading.types.setdefault("succOperands", [])
    parser.parse_comma_separated_list(parser.Delimiter.SQUARE, one)
    reading.attributes["indbr_operand_segments"] = DenseArrayBase.from_list(i32, segments)
    reading.successors["successors_"] = blocks


def write_targets(writing: Writing, _: Any) -> None:
    op: Any = writing.op
    printer = writing.printer
    values = iter(op.succOperands)
    printer.print_string(" [")
    for index, (block, count) in enumerate(zip(op.successors, op.indbr_operand_segments.get_values(), strict=True)):
        printer.print_string(",\n  " if index else "\n  ")
        printer.print_block_name(block)
        passed = [next(values) for _ in range(int(count))]
        if passed:
            printer.print_string("(")
            printer.print_list(passed, printer.print_ssa_value)
            printer.print_string(" : ")
            printer.print_list([value.type for value in passed], printer.print_attribute)
            printer.print_string(")")
    printer.print_string("\n]" if op.successors else "]")
    writing.space = True


def landingpad_format() -> tuple[Any, Any]:
    def read(reading: Reading, _: Any) -> None:
        parser = reading.parser
        reading.values["clauses"], reading.types["clauses"] = [], []
        while parser.parse_optional_punctuation("("):
            if parser.parse_optional_keyword("filter") is None:
                parser.parse_keyword("catch")
            reading.values["clauses"].append(parser.parse_unresolved_operand())
            parser.parse_punctuation(":")
            reading.types["clauses"].append(parser.parse_type())
            parser.parse_punctuation(")")

    def write(writing: Writing, _: Any) -> None:
        printer = writing.printer
        for value in writing.op.operands:
            printer.print_string(" (filter " if value.type.name == "llvm.array" else " (catch ")
            printer.print_ssa_value(value)
            printer.print_string(" : ")
            printer.print_attribute(value.type)
            printer.print_string(")")

    return read, write


def verify_landingpad(op: Any) -> None:
    around = op.parent_op()
    while around is not None and around.name != "llvm.func":
        around = around.parent_op()
    if around is not None and "personality" not in around.properties and "personality" not in around.attributes:
        raise VerifyException("llvm.landingpad needs to be in a function with a personality")
    if op.cleanup is None and not op.operands:
        raise VerifyException("landingpad instruction expects at least one clause or cleanup attribute")
    for index, value in enumerate(op.operands):
        if value.type.name == "llvm.array":
            continue
        owner = value.owner
        if isinstance(owner, Operation) and owner.name == "llvm.bitcast":
            source = owner.operands[0].owner
            if not (isinstance(source, Operation) and source.name == "llvm.mlir.addressof"):
                raise VerifyException("constant clauses expected")
        elif not (isinstance(owner, Operation) and owner.name in ("llvm.mlir.zero", "llvm.mlir.addressof")):
            raise VerifyException(f"clause #{index} is not a known constant - null, addressof, bitcast")


def _flags(op: Any) -> list[Attribute]:
    return list(cast("ArrayAttr[Attribute]", op.flags)) if isinstance(op.flags, ArrayAttr) else []


def verify_module_flags(op: Any) -> None:
    seen: set[str] = set()
    for flag in _flags(op):
        if isinstance(flag, Body) and flag.name == "llvm.mlir.module_flag":
            key = str(flag.data[2]).strip('"')
            if flag.data[0] == "require":
                continue
        elif flag.name == "rocdl.buffer_oob_mode_flag":
            key = "amdgpu.buffer.oob.mode"
        elif isinstance(flag, UnregisteredAttr) or ("." in flag.name and not flag.name.startswith("builtin.")):
            continue
        else:
            raise VerifyException("expected a module flag attribute")
        if key in seen:
            raise VerifyException(f"expected module flag key '{key}' to be unique for non-require flags")
        seen.add(key)


def structors(what: str) -> Any:
    def verify(op: Any) -> None:
        names, priorities, data = (list(op.properties[key]) for key in (what, "priorities", "data"))
        if not len(names) == len(priorities) == len(data):
            raise VerifyException(f"{what}, priorities, and data must have the same number of elements")
        for item in data:
            if not isinstance(item, SymbolRefAttr) and item.name != "llvm.zero":
                raise VerifyException("data element must be symbol or #llvm.zero")
        for name in names:
            found = SymbolTable.lookup_symbol(op, name)
            if found is None or found.name != "llvm.func":
                raise VerifyException(f"'{name.root_reference.data}' does not reference a valid LLVM function")
            if not found.regions[0].blocks:
                raise VerifyException(f"'{name.root_reference.data}' does not have a definition")

    return verify


def verify_comdat(op: Any) -> None:
    for inner in op.regions[0].walk():
        if inner.name != "llvm.comdat_selector":
            raise VerifyException("only comdat selector symbols can appear in a comdat region")


def verify_blockaddress(op: Any) -> None:
    items = [item for item in op.block_addr.data if isinstance(item, str)]
    name = next((item[1:].strip('"') for item in items if item.startswith("@")), "")
    numbers = [item for item in items if item.isdigit()]
    found = SymbolTable.lookup_symbol(op, StringAttr(name))
    if found is not None and found.name == "llvm.func":
        for inner in found.walk():
            if inner.name == "llvm.blocktag" and numbers[-1] in cast(Any, inner).tag.data:
                return
    raise VerifyException("expects an existing block label target in the referenced function")


def bare_body(name: str, attribute: str) -> tuple[Any, Any]:
    """An attribute in a format without its name: `<...>`."""

    def read(reading: Reading, _: Any) -> None:
        context: Any = reading.parser
        cls: Any = context.ctx.get_optional_attr(attribute)
        reading.attributes[name] = cls.new(cls.parse_parameter(reading.parser))

    def write(writing: Writing, _: Any) -> None:
        writing.gap()
        getattr(writing.op, name).print_parameter(writing.printer)
        writing.said.add(name)

    return read, write


def bundles() -> tuple[Any, Any]:
    from stepwell.dialects.llvm.calls import NO_SIZES, parse_bundles, print_bundles

    def read(reading: Reading, _: Any) -> None:
        values, sizes, tags = parse_bundles(reading.parser)
        reading.resolved["op_bundle_operands"] = values
        reading.attributes["op_bundle_sizes"] = DenseArrayBase.from_list(i32, sizes) if sizes else NO_SIZES
        if tags:
            reading.attributes["op_bundle_tags"] = ArrayAttr(tags)

    def write(writing: Writing, _: Any) -> None:
        print_bundles(writing.printer, writing.op)
        writing.said |= {"op_bundle_sizes", "op_bundle_tags"}

    return read, write


def debug(argument: str) -> tuple[Any, Any]:
    def read(reading: Reading, _: Any) -> None:
        reading.attributes["varInfo"] = reading.parser.parse_attribute()
        expression = reading.parser.parse_optional_attribute()
        if expression is not None:
            reading.attributes["locationExpr"] = expression

    def write(writing: Writing, _: Any) -> None:
        for name in ("varInfo", "locationExpr"):
            value = writing.op.properties.get(name)
            if value is not None:
                writing.gap()
                writing.printer.print_attribute(value)
        writing.said |= {"varInfo", "locationExpr"}

    del argument
    return read, write
